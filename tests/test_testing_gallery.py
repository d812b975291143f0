"""lossfn.testing on the gallery: it finds each mistake, and nothing that is not there.

Each loss of the gallery has one mistake. All checks are run on it, once, and those that
fail must be the ones that the mistake breaks, no more and no fewer.
"""

import collections
import functools
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from lossfn.testing import CHECKS, Report, Result, check_loss
from tests.broken_losses import BROKEN, BY_NAME, Broken, ids

BOOK = Path(__file__).resolve().parent.parent / "book"
EACH = pytest.mark.parametrize("row", BROKEN, ids=ids)

# A loss is shown on one example, or two where one must disturb the other. These need a
# batch: of four examples, or as many as there are outputs and one more.
NEEDS_A_BATCH = {
    "runs": 4,
    "one_value_per_example": 4,
    "no_broadcast": 4,
    "no_broadcast_unknown_shapes": 4,
    "neighbours": 4,
    "sample_weights": 4,
    "replicas_add_up": 4,
    "save_and_load": 4,
    "no_retracing": 4,
    # Four ordinary examples and two that are very wrong, when a mode does not run.
    "modes_agree": 6,
}
# The mean of 70,000 is shown by the four that are repeated.
OF_A_BATCH = {"finite_16_bits": 4}
# What was seen is of a parameter, or of saving, and not of an input.
WITHOUT_INPUT = ("no_retracing", "save_and_load")


def report_of(row: Broken) -> Report:
    return _report(row.name)


@functools.cache
def _report(name: str) -> Report:
    row = BY_NAME[name]
    return check_loss(row.loss, **row.options)


def failures(*names: str) -> list[tuple[Broken, Result]]:
    """Return each failure, or each of some checks, with its row."""
    return [
        (row, result)
        for row in BROKEN
        for result in report_of(row).failures
        if not names or result.name in names
    ]


def test_names_are_unique():
    assert len(BY_NAME) == len(BROKEN)


def test_rows_name_checks_that_there_are():
    assert {name for row in BROKEN for name in row.must_fail} <= set(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_has_three_losses_to_find(name):
    found = collections.Counter(row.found_by for row in BROKEN)
    assert found[name] >= 3


@EACH
def test_the_checks_that_fail_are_those_that_must(row):
    failed = {result.name: result.seen for result in report_of(row).failures}
    assert set(failed) == row.must_fail, failed


@EACH
def test_what_was_seen_names_the_mistake(row):
    assert row.shows in report_of(row)[row.found_by].seen


@EACH
def test_a_failure_says_what_to_do(row):
    for result in report_of(row).failures:
        assert result.question.endswith("?")
        assert result.seen.endswith((".", "...")) or "raises" in result.seen
        assert result.mend.endswith(".")
        assert (BOOK / f"{result.chapter}.ipynb").exists()


@EACH
def test_an_input_is_as_small_as_it_can_be(row):
    for result in report_of(row).failures:
        if result.y_pred is None:
            assert result.y_true is None
            assert result.name in WITHOUT_INPUT
            continue
        limit = NEEDS_A_BATCH.get(result.name, 2)
        if "reduction" in row.options:
            limit = max(limit, OF_A_BATCH.get(result.name, 0))
        assert 1 <= len(result.y_pred) <= limit
        assert len(result.y_true) <= len(result.y_pred)


@EACH
def test_a_report_fits_the_page(row):
    text = str(report_of(row))
    assert max(len(line) for line in text.splitlines()) <= 88
    assert all(name in text for name in row.must_fail)


def test_the_input_of_a_loss_that_is_not_finite_makes_it_so():
    seen = failures("finite", "finite_16_bits")
    for row, result in seen:
        if isinstance(row.loss, keras.Loss) or "reduction" in row.options:
            continue  # It computes in its own dtype, or on a larger batch.
        y_true, y_pred = tf.constant(result.y_true), tf.constant(result.y_pred)
        try:
            losses, gradient = value_and_gradient(row.loss, y_true, y_pred)
        except tf.errors.InvalidArgumentError:
            assert "raises" in result.seen
            continue
        assert not (np.isfinite(losses).all() and np.isfinite(gradient).all())
    assert len(seen) > 10


def value_and_gradient(loss, y_true, y_pred):
    with tf.GradientTape() as tape:
        tape.watch(y_pred)
        losses = loss(y_true, y_pred)
    gradient = tape.gradient(losses, y_pred)
    return (tf.cast(tensor, tf.float64).numpy() for tensor in (losses, gradient))


def test_the_input_of_a_loss_that_is_not_zero_shows_it():
    seen = failures("zero_at_perfect")
    for row, result in seen:
        y_true, y_pred = tf.constant(result.y_true), tf.constant(result.y_pred)
        loss = tf.reduce_sum(row.loss(y_true, y_pred))
        assert not 0 <= loss <= 1e-6
    assert len(seen) >= 3


# One raises under XLA, whose message numbers its graphs; one has several failures.
@pytest.mark.parametrize("name", ["tf_print_left_behind", "softmax_twice"])
def test_a_second_run_gives_the_same_report(name):
    again = check_loss(BY_NAME[name].loss, **BY_NAME[name].options)
    assert again.to_dict() == _report(name).to_dict()
    assert str(again) == str(_report(name))
