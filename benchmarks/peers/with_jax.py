"""JAX on the CPU, compiled by ``jax.jit``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases import OVERAGE_COST, POS_WEIGHT, UNDERAGE_COST
from benchmarks.peers import threads

Tensors = dict[str, jax.Array]


def _dense(truth: jax.Array, prediction: jax.Array) -> jax.Array:
    return -(truth * jax.nn.log_softmax(prediction)).sum(-1).mean()


def _sparse(truth: jax.Array, prediction: jax.Array) -> jax.Array:
    of_label = jnp.take_along_axis(prediction, truth[:, None], -1)[:, 0]
    return (jax.nn.logsumexp(prediction, -1) - of_label).mean()


def _weighted(
    truth: jax.Array, prediction: jax.Array, weight: float = POS_WEIGHT
) -> jax.Array:
    yes, no = jax.nn.log_sigmoid(prediction), jax.nn.log_sigmoid(-prediction)
    return -(weight * truth * yes + (1 - truth) * no).mean()


def _sigmoid(truth: jax.Array, prediction: jax.Array) -> jax.Array:
    return _weighted(truth, prediction, 1.0)


def _cost(truth: jax.Array, prediction: jax.Array) -> jax.Array:
    short = truth - prediction
    return jnp.maximum(UNDERAGE_COST * short, -OVERAGE_COST * short).mean()


def _linear(truth: jax.Array, features: jax.Array, kernel: jax.Array) -> jax.Array:
    return _sparse(truth, features @ kernel)


MEANS = {
    "dense": _dense,
    "sparse": _sparse,
    "sigmoid": _sigmoid,
    "weighted": _weighted,
    "newsvendor": _cost,
    "linear": _linear,
}


def peers(loss: str) -> dict[str, Callable[..., tuple]]:
    """Return the loss and its gradient, compiled as one function."""
    mean = MEANS[loss]

    def value_and_gradient(inputs: Tensors, gradient_of: tuple[str, ...]) -> tuple:
        def by_sources(sources: Tensors) -> jax.Array:
            return mean(**{**inputs, **sources})

        sources = {name: inputs[name] for name in gradient_of}
        value, gradients = jax.value_and_grad(by_sources)(sources)
        return value, [gradients[name] for name in gradient_of]

    compiled = jax.jit(value_and_gradient, static_argnums=1)
    return {"JAX jit": compiled}


def tensors(inputs: dict[str, np.ndarray]) -> Tensors:
    """Copy the arrays into JAX' memory; indices become int32."""
    return {
        name: jnp.array(values.astype(np.int32) if values.dtype == int else values)
        for name, values in inputs.items()
    }


def wait(outcome: Sequence) -> None:
    """Return when the outcome is computed."""
    jax.block_until_ready(outcome)


def about() -> dict[str, object]:
    """Return the version and the threads."""
    return {"version": jax.__version__, "threads": threads()}
