"""Cross-entropy: what an untrained model loses, and where a clip kills a gradient."""

from __future__ import annotations

import numpy as np

from lossfn.exercises._answer import Answer
from lossfn.exercises._exercise import exercise
from lossfn.exercises._expect import expect_close


@exercise("ex-02-uniform", "uniform_guess")
def uniform_guess(answer: Answer) -> str:
    """A function of the number of classes: the loss of a model that knows nothing."""
    loss = answer.function("classes")
    in_bits = "Your logarithm has base 2: the chapter's losses are in nats."
    for classes in (10, 2, 1000):
        expect_close(
            loss.array(classes),
            np.log(classes),
            given=f"classes = {classes}",
            mistakes={
                in_bits: np.log2(classes),
                "This is the probability of each class: the loss is minus its "
                "logarithm.": 1 / classes,
                "This is the perplexity: the loss is its logarithm.": classes,
            },
        )
    return "Compared with log K for 2, 10 and 1000 classes."


@exercise("ex-02-clip", "lead_where_gradient_dies")
def lead_where_gradient_dies(answer: Answer) -> str:
    """A function of epsilon: the lead at which a clipped loss loses its gradient."""
    lead = answer.function("epsilon")
    for epsilon in (1e-10, 1e-7, 0.01):
        # The probability of the right class, sigma(-m), is epsilon there.
        right = np.log1p(-epsilon) - np.log(epsilon)
        expect_close(
            lead.array(epsilon),
            right,
            given=f"epsilon = {epsilon:g}",
            mistakes={
                "This is the lead of the right class: m is that of the wrong one.": (
                    -right
                ),
                "-log(epsilon) is close for a small epsilon: the right class has the "
                "probability 1 / (1 + e^m).": -np.log(epsilon),
            },
        )
    return "Compared with log((1 - epsilon) / epsilon) for three clips."
