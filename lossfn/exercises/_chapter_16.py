"""A health check: a target with smoothed labels, and a loss mended from logits."""

from __future__ import annotations

import numpy as np

from lossfn import reference
from lossfn.exercises._answer import Answer
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close, expect_sound_loss


@exercise("ex-16-smoothing", "smoothed_target")
def smoothed_target(answer: Answer) -> str:
    """A function of the true probabilities: where the smoothed loss is smallest."""
    target = answer.function("p")
    for p in ([1.0, 0.0, 0.0], [0.2, 0.5, 0.3]):
        p = np.array(p)
        expect_close(
            target.array(p.copy()),  # which may be changed in place
            0.9 * p + 0.1 / 3,
            given=f"p = {p.tolist()}",
            mistakes={
                "Without smoothing it would be smallest at p. Which label does the "
                "loss see?": p,
                "These do not sum to 1: the 0.1 is shared by three classes.": 0.9 * p
                + 0.1,
                "The 0.1 is shared by all three classes, the true one too.": np.where(
                    p == p.max(), 0.9 * p, 0.9 * p + 0.05
                ),
                "This takes the smoothing out again: put it in.": (p - 0.1 / 3) / 0.9,
                "The rest is missing: these sum to 0.9.": 0.9 * p,
            },
        )
    return "Compared with 0.9 p + 0.1 / 3 for a certain and an uncertain label."


@exercise("ex-16-mend", "generalized_from_logits")
def generalized_from_logits(answer: Answer) -> str:
    """A function of class indices and logits: the generalized loss with q = 0.5."""
    loss = answer.function("y_true", "y_pred")
    y_true = np.array([1, 0, 2])
    logits = np.array([[1.0, 2.0, -1.0], [0.0, 0.0, 0.0], [5.0, -3.0, 1.0]])
    cross_entropy = reference.sparse_softmax_cross_entropy_with_logits(
        labels=y_true, logits=logits
    )
    p, z = np.exp(-cross_entropy), logits[range(3), y_true]
    expect_close(
        loss.array(y_true, logits),
        (1 - np.sqrt(p)) / 0.5,
        mistakes={
            "This is the cross entropy, the limit for q = 0.": cross_entropy,
            "This is 1 - p, the loss with q = 1.": 1 - p,
            "The division by q is missing.": 1 - np.sqrt(p),
            "Your function takes the logits for probabilities.": (1 - np.sqrt(z)) / 0.5,
            "This is the sigmoid of one logit: the probability of a class is a "
            "softmax.": (1 - np.sqrt(1 / (1 + np.exp(-z)))) / 0.5,
        },
    )
    expect_sound_loss(
        answer,
        task="sparse_logits",
        bounded=True,
        target=None,
        checks=("finite", "gradient", "labels_out_of_range", "no_broadcast"),
    )
    return "Compared with float64; finite, differentiable, and labels are looked at."
