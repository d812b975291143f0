"""PyTorch on the CPU, eager and compiled."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

# The compiler's own pool of processes would stay, and it compiles one function.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

import numpy as np
import torch
from torch.nn import functional

from benchmarks.cases import OVERAGE_COST, POS_WEIGHT, UNDERAGE_COST
from benchmarks.peers import threads

Tensors = dict[str, torch.Tensor]

torch.set_num_threads(threads())


def _softmax(truth: torch.Tensor, prediction: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(prediction, truth)


def _sigmoid(truth: torch.Tensor, prediction: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(prediction, truth)


def _weighted(truth: torch.Tensor, prediction: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(
        prediction, truth, pos_weight=torch.tensor(POS_WEIGHT)
    )


def _cost(truth: torch.Tensor, prediction: torch.Tensor) -> torch.Tensor:
    short = truth - prediction
    return torch.maximum(UNDERAGE_COST * short, -OVERAGE_COST * short).mean()


def _linear(
    truth: torch.Tensor, features: torch.Tensor, kernel: torch.Tensor
) -> torch.Tensor:
    return functional.cross_entropy(features @ kernel, truth)


MEANS = {
    "dense": _softmax,  # of distributions or of indices, by the shape of the labels
    "sparse": _softmax,
    "sigmoid": _sigmoid,
    "weighted": _weighted,
    "newsvendor": _cost,
    "linear": _linear,
}


def _with_gradient(loss: Callable[..., torch.Tensor]) -> Callable[..., tuple]:
    def run(inputs: Tensors, gradient_of: Sequence[str]) -> tuple:
        inputs = {name: tensor.detach() for name, tensor in inputs.items()}
        sources = [inputs[name].requires_grad_() for name in gradient_of]
        mean = loss(*inputs.values())
        mean.backward()
        return mean.detach(), [source.grad for source in sources]

    return run


def peers(loss: str) -> dict[str, Callable[..., tuple]]:
    """Return PyTorch's own function, eager and through torch.compile."""
    mean = MEANS[loss]
    return {
        "PyTorch eager": _with_gradient(mean),
        "PyTorch compiled": _with_gradient(torch.compile(mean, dynamic=False)),
    }


def tensors(inputs: dict[str, np.ndarray]) -> Tensors:
    """Copy the arrays into PyTorch's memory."""
    return {name: torch.tensor(values) for name, values in inputs.items()}


def wait(outcome: tuple) -> None:
    """Return at once: the CPU computes before it returns."""


def about() -> dict[str, object]:
    """Return the version and the threads."""
    return {"version": torch.__version__, "threads": torch.get_num_threads()}
