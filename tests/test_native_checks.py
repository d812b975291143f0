"""Every native loss passes the checks of lossfn.testing, all but the one of XLA."""

from __future__ import annotations

import pytest

from lossfn import native
from lossfn.testing import CHECKS, check_loss
from tests.test_testing_lossfn import Row, ids, odds_times, row

# It compiles the loss with XLA, for which there is no kernel.
WITH_XLA = "modes_agree"
ALL_BUT_XLA = [name for name in CHECKS if name != WITH_XLA]

PLAIN = {
    "sigmoid": ("sigmoid_cross_entropy_with_logits", "multilabel_logits"),
    "softmax": ("softmax_cross_entropy_with_logits", "onehot_logits"),
    "sparse": ("sparse_softmax_cross_entropy_with_logits", "sparse_logits"),
}
WEIGHTED = {
    "parameters": {"pos_weight": 3.0},
    "target": lambda p: odds_times(p, 3.0),
}
COSTS = {
    "parameters": {"underage_cost": 10.0, "overage_cost": 1.0},
    "target": 10 / 11,
}


def rows_of(form: str, **options: object) -> list[Row]:
    """Return a row for each loss, or for each mean."""
    prefix = "mean_" * (form == "mean")

    def loss(name: str) -> object:
        return getattr(native, prefix + name)

    weighted = loss("weighted_cross_entropy_with_logits")
    return [
        *[
            row(f"{prefix}{name}", loss(function), task, ALL_BUT_XLA, **options)
            for name, (function, task) in PLAIN.items()
        ],
        row(
            f"{prefix}weighted",
            weighted,
            "binary_logits",
            ALL_BUT_XLA,
            **WEIGHTED,
            **options,
        ),
        row(
            f"{prefix}newsvendor",
            loss("newsvendor"),
            "quantile",
            ALL_BUT_XLA,
            **COSTS,
            **options,
        ),
    ]


ROWS = [*rows_of("each"), *rows_of("mean", reduction="mean")]


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_a_native_loss_passes(row):
    report = check_loss(row.loss, task=row.task, checks=row.checks, **row.options)
    report.raise_if_failed()
    silent = {result.name for result in report.with_status("not applicable")}
    assert silent == row.not_applicable()


@pytest.mark.parametrize("row", ROWS, ids=ids)
def test_of_the_modes_only_xla_does_not_run(row):
    """A tf.function that knows no batch size comes first, and agrees."""
    report = check_loss(row.loss, task=row.task, checks=[WITH_XLA], **row.options)
    (failed,) = report.with_status("failed")
    assert "Under XLA it raises InvalidArgumentError" in str(failed)


def test_every_native_loss_is_checked():
    tried = {row.loss for row in ROWS}
    losses = {
        getattr(native, name)
        for name in native.__all__
        if name.endswith(("logits", "newsvendor"))
    }
    assert tried == losses
