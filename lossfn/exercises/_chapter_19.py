"""Fast and frugal: traffic, a sum that stands still, and the gradient by a bias."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close
from lossfn.exercises._formulas import softmax


@exercise("ex-19-floors", "sparse_traffic")
def sparse_traffic(answer: Answer) -> str:
    """A function of N and K: the bytes that the sparse loss and gradient must move."""
    traffic = answer.function("n", "k")
    for n, k in ((320, 32_000), (7, 3)):
        expect_close(
            traffic.array(n, k),
            4 * n * k + 4 * n * k + 8 * n,
            given=f"n = {n} and k = {k}",
            mistakes={
                "These are the bytes of dense labels: a sparse label is one number "
                "for each example.": 12 * n * k,
                "The labels are missing: 8 bytes for each example.": 8 * n * k,
                "The gradient has to be written too.": 4 * n * k + 8 * n,
                "An int64 label has 8 bytes.": 8 * n * k + 4 * n,
                "The loss is a mean, one number, and is left out.": (
                    8 * n * k + 8 * n + 4
                ),
                "The loss is a mean: there are no losses of examples to write.": (
                    8 * n * k + 12 * n
                ),
                "These are numbers, not bytes: a float32 has 4.": 2 * n * k + n,
            },
            rtol=1e-9,
        )
    return "Compared with 8 N K + 8 N."


@exercise("ex-19-sum", "stands_still")
def stands_still(answer: Answer) -> str:
    """A number: the smallest float32 sum at which adding 1 changes nothing."""
    expect_close(
        answer.numbers(),
        2.0**24,
        what="your number is",
        mistakes={
            "Above 2^23 the spacing is 1: adding 1 still works.": 2.0**23,
            "Above 2^25 the spacing is 4, but adding 1 fails earlier.": 2.0**25,
            "That is the largest float32. The last digit is lost much earlier.": (
                float(np.finfo(np.float32).max)
            ),
            "That is where float64 stands still.": 2.0**53,
        },
        rtol=1e-9,
    )
    return "Compared with 2^24: a float32 has 24 bits."


@exercise("ex-19-bias", "gradient_by_bias")
def gradient_by_bias(answer: Answer) -> str:
    """A function of y, x, w and b: the gradient of the mean loss by the bias b."""
    gradient = answer.function("y", "x", "w", "b")
    generator = np.random.default_rng(4)
    y = generator.integers(0, 3, 10)
    x, w = generator.normal(size=(10, 2)), generator.normal(size=(2, 3))
    b = np.array([0.5, -1.0, 0.0])
    by_logits = softmax(x @ w + b) - np.eye(3)[y]
    means_of_blocks = [by_logits[i : i + 4].mean(0) for i in (0, 4, 8)]
    expect_close(
        gradient.array(y, x, w, b),
        by_logits.mean(axis=0),
        given="10 examples and 3 classes",
        mistakes={
            "This is the gradient of the sum: the loss is the mean.": by_logits.sum(0),
            "The bias is missing in the logits.": (softmax(x @ w) - np.eye(3)[y]).mean(
                0
            ),
            "The sign is wrong: prediction minus truth.": -by_logits.mean(0),
            "Each block was divided by its own size: divide by the number of all "
            "examples.": np.sum(means_of_blocks, axis=0),
            "The last block is smaller, and its mean must not count as much as the "
            "others: divide by the number of all examples.": np.mean(
                means_of_blocks, axis=0
            ),
        },
    )
    return "Compared with the mean of the rows of softmax minus one-hot."
