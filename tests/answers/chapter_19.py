"""Answers to the exercises of chapter 19."""

import numpy as np
import tensorflow as tf

from lossfn import reference
from tests.answers import Right, Wrong

WRONG = [
    Wrong(
        "ex-19-floors",
        "dense",
        lambda n, k: 12 * n * k,
        "For n = 320 and k = 32000 your function gives 122880000, and 81922560 "
        "is right. These are the bytes of dense labels: a sparse label is one "
        "number for each example.",
    ),
    Wrong(
        "ex-19-floors",
        "no labels",
        lambda n, k: 8 * n * k,
        "For n = 320 and k = 32000 your function gives 81920000, and 81922560 "
        "is right. The labels are missing: 8 bytes for each example.",
    ),
    Wrong(
        "ex-19-floors",
        "no gradient",
        lambda n, k: 4 * n * k + 8 * n,
        "For n = 320 and k = 32000 your function gives 40962560, and 81922560 "
        "is right. The gradient has to be written too.",
    ),
    Wrong(
        "ex-19-floors",
        "int32",
        lambda n, k: 8 * n * k + 4 * n,
        "For n = 320 and k = 32000 your function gives 81921280, and 81922560 "
        "is right. An int64 label has 8 bytes.",
    ),
    Wrong(
        "ex-19-floors",
        "the mean",
        lambda n, k: 8 * n * k + 8 * n + 4,
        "For n = 320 and k = 32000 your function gives 81922564, and 81922560 "
        "is right. The loss is a mean, one number, and is left out.",
    ),
    Wrong(
        "ex-19-floors",
        "losses of examples",
        lambda n, k: 8 * n * k + 12 * n,
        "For n = 320 and k = 32000 your function gives 81923840, and 81922560 "
        "is right. The loss is a mean: there are no losses of examples to write.",
    ),
    Wrong(
        "ex-19-floors",
        "numbers",
        lambda n, k: 2 * n * k + n,
        "For n = 320 and k = 32000 your function gives 20480320, and 81922560 "
        "is right. These are numbers, not bytes: a float32 has 4.",
    ),
    Wrong(
        "ex-19-sum",
        "23",
        2.0**23,
        "Your number is 8388608, which is too small. Above 2^23 the spacing "
        "is 1: adding 1 still works.",
    ),
    Wrong(
        "ex-19-sum",
        "25",
        2.0**25,
        "Your number is 33554432, which is too large. Above 2^25 the spacing"
        " is 4, but adding 1 fails earlier.",
    ),
    Wrong(
        "ex-19-sum",
        "largest",
        np.finfo(np.float32).max,
        "Your number is 3.403e+38, which is too large. That is the largest "
        "float32. The last digit is lost much earlier.",
    ),
    Wrong(
        "ex-19-sum",
        "64",
        2.0**53,
        "Your number is 9.007e+15, which is too large. That is where float64"
        " stands still.",
    ),
    Wrong(
        "ex-19-sum",
        "text",
        "2^24",
        "stands_still is the text '2^24', not numbers.",
    ),
    Wrong(
        "ex-19-bias",
        "sum",
        lambda y, x, w, b: reference.sparse_softmax_cross_entropy_with_logits_gradient(
            labels=y, logits=x @ w + b
        ).sum(0),
        "For 10 examples and 3 classes your function gives 2.506 at position 0,"
        " where 0.2506 is right. This is the gradient of the sum: the loss is "
        "the mean.",
    ),
    Wrong(
        "ex-19-bias",
        "no bias",
        lambda y, x, w, b: reference.sparse_softmax_cross_entropy_with_logits_gradient(
            labels=y, logits=x @ w
        ).mean(0),
        "For 10 examples and 3 classes your function gives 0.1462 at position "
        "0, where 0.2506 is right. The bias is missing in the logits.",
    ),
    Wrong(
        "ex-19-bias",
        "truth minus prediction",
        lambda y, x, w, b: (
            -reference.sparse_softmax_cross_entropy_with_logits_gradient(
                labels=y, logits=x @ w + b
            ).mean(0)
        ),
        "For 10 examples and 3 classes your function gives -0.2506 at position "
        "0, where 0.2506 is right. The sign is wrong: prediction minus truth.",
    ),
    Wrong(
        "ex-19-bias",
        "own blocks",
        lambda y, x, w, b: sum(
            reference.sparse_softmax_cross_entropy_with_logits_gradient(
                labels=y[i : i + 4], logits=x[i : i + 4] @ w + b
            ).mean(0)
            for i in (0, 4, 8)
        ),
        "For 10 examples and 3 classes your function gives 1.055 at position 0,"
        " where 0.2506 is right. Each block was divided by its own size: divide"
        " by the number of all examples.",
    ),
    Wrong(
        "ex-19-bias",
        "mean of means",
        lambda y, x, w, b: (
            sum(
                reference.sparse_softmax_cross_entropy_with_logits_gradient(
                    labels=y[i : i + 4], logits=x[i : i + 4] @ w + b
                ).mean(0)
                for i in (0, 4, 8)
            )
            / 3
        ),
        "For 10 examples and 3 classes your function gives 0.3517 at position 0,"
        " where 0.2506 is right. The last block is smaller, and its mean must not"
        " count as much as the others: divide by the number of all examples.",
    ),
    Wrong(
        "ex-19-bias",
        "axis",
        lambda y, x, w, b: reference.sparse_softmax_cross_entropy_with_logits_gradient(
            labels=y, logits=x @ w + b
        ).mean(1),
        "For 10 examples and 3 classes your answer has shape (10,), and "
        "must have shape (3,).",
    ),
]

RIGHT = [
    Right("ex-19-floors", "otherwise", lambda n, k: 8 * n * (k + 1)),
    Right("ex-19-sum", "otherwise", 16777216),
    Right(
        "ex-19-bias",
        "otherwise",
        lambda y, x, w, b: (
            np.bincount(y, minlength=len(b)) / -len(y)
            + tf.nn.softmax(x @ w + b).numpy().mean(0)
        ),
    ),
]
