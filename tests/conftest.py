"""Settings that every test shares; they are made before TensorFlow is imported."""

import os

import hypothesis
import matplotlib

# As the Makefile does, for whoever calls pytest without it. oneDNN rounds differently
# from CPU to CPU.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TQDM_DISABLE", "1")

# Not by MPLBACKEND: the chapters' kernels would inherit it, and store no figures.
matplotlib.use("agg")

# The same examples every time, and no time limit on a busy machine.
hypothesis.settings.register_profile(
    "same", derandomize=True, deadline=None, database=None
)
hypothesis.settings.load_profile("same")
