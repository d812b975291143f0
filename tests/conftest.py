"""Settings that every test shares; they are made before TensorFlow is imported."""

import os

import hypothesis
import matplotlib
import pytest

from tests.surroundings import cannot_check

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


@pytest.fixture(scope="module", name="chromium")
def _chromium():
    """A browser for a file; while it is there, nothing else can use asyncio."""
    # Imported here: most tests need none, and some environments have none.
    from tools import browser

    executable = browser.find_chromium()
    if executable is None:
        cannot_check("no Chromium: install it, or name one in $CHROMIUM")
    with browser.chromium(executable) as chromium:
        yield chromium
