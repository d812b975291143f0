"""Run the checks on a loss, and report."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence

import tensorflow as tf

from lossfn import _check
from lossfn.testing import (
    _checks_gradient,
    _checks_graph,
    _checks_keras,
    _checks_labels,
    _checks_shape,
    _checks_value,
)
from lossfn.testing._loss import Loss
from lossfn.testing._outcomes import Check, FaultError, NotApplicableError
from lossfn.testing._report import Report, Result
from lossfn.testing._subject import Subject, raises
from lossfn.testing._surroundings import TimeIsUp, time_limit_of, usual_settings
from lossfn.testing._targets import checked_target, outcomes
from lossfn.testing._tasks import Task, task_named

#: The checks by name, in the order in which they run.
CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        _checks_shape.runs,
        _checks_shape.one_value_per_example,
        _checks_shape.no_broadcast,
        _checks_shape.no_broadcast_unknown_shapes,
        _checks_value.finite,
        _checks_value.finite_16_bits,
        _checks_gradient.gradient,
        _checks_gradient.gradient_at_kinks,
        _checks_gradient.gradient_does_not_vanish,
        _checks_gradient.second_derivative,
        _checks_value.least_at_target,
        _checks_value.zero_at_perfect,
        _checks_value.dtype_kept,
        _checks_value.float64_precision,
        _checks_graph.modes_agree,
        _checks_graph.no_retracing,
        _checks_shape.neighbours,
        _checks_labels.large_labels,
        _checks_labels.labels_out_of_range,
        _checks_labels.labels_not_summing_to_one,
        _checks_labels.nan_stays_alone,
        _checks_keras.sample_weights,
        _checks_keras.save_and_load,
        _checks_keras.replicas_add_up,
    )
}

REDUCTIONS = (None, "mean", "sum")


def check_loss(
    loss: object,
    *,
    task: str,
    outputs: int | None = None,
    parameters: Mapping[str, object] | None = None,
    target: object = "truth",
    zero_at_perfect: bool = True,
    bounded: bool = False,
    reduction: str | None = None,
    checks: Sequence[str] | None = None,
    time_limit: float = 60.0,
) -> Report:
    """Find out what is wrong with a loss, with the input that shows it and the mend.

    The loss is called with small batches of its task, eagerly, in graphs and under XLA,
    and its values and gradients are compared with differences of its own values and
    with what every loss of that task owes its user. A loss that raises, or returns no
    numbers, gets a result like any other. Nothing is random: two runs give the same
    report.

    ============================  ======================  ============================
    task                          labels                  predictions
    ============================  ======================  ============================
    ``binary_...``                (N, outputs), 0 or 1    (N, outputs), outputs 1
    ``multilabel_...``            (N, outputs), 0 or 1    (N, outputs), outputs 3
    ``onehot_...``                (N, outputs)            (N, outputs), outputs 3
    ``sparse_...``                (N,), class indices     (N, outputs), outputs 3
    ``regression``, ``quantile``  (N, outputs), numbers   (N, outputs), outputs 1
    ``positive_regression``       the same, above 0       the same, above 0
    ============================  ======================  ============================

    Each of the first four ends in ``logits`` or ``probabilities``: what is predicted.

    Args:
        loss: A function of labels and predictions, in this order or with the keywords
            ``labels`` and ``logits``; a ``keras.losses.Loss``, or its class; or the
            name of one that Keras has, or that is registered with it.
        task: What labels and predictions are, ``"binary_logits"`` for instance.
        outputs: The size of the predictions' last axis: outputs, labels or classes, at
            most 1000. Where they are many, the first six and the last two are moved.
        parameters: Keywords that the function or the class is given.
        target: Where the expected loss must be smallest. ``"truth"``: at the true
            probabilities, and for numbers at an outcome that is certain. For numbers
            also ``"mean"``, ``"median"``, or the level of a quantile, which the task
            ``"quantile"`` needs, one for all outputs or one for each. A function says
            where else: of the true probabilities, or of the values that may come and
            their probabilities. None: nowhere in particular.
        zero_at_perfect: Whether a perfect prediction has a loss of 0.
        bounded: Whether the loss levels off on purpose, so that predictions that are
            very wrong have no gradient.
        reduction: ``"mean"`` or ``"sum"`` if the loss is meant to return one number for
            the batch.
        checks: The names of the checks to run, all of :data:`CHECKS` if None.
        time_limit: Seconds after which the rest is given up. It interrupts Python code
            on the main thread, and not a TensorFlow operation that is running.

    Returns:
        A report with one result for each check.

    Raises:
        TypeError: If ``loss`` is not a loss, or an option is of the wrong kind.
        ValueError: If an option has a value that it cannot have.
        RuntimeError: If it is called inside of a graph.

    Examples:
        >>> import tensorflow as tf
        >>> def naive(y_true, y_pred):
        ...     return -tf.reduce_sum(y_true * tf.math.log(tf.nn.softmax(y_pred)), -1)
        >>> report = check_loss(naive, task="onehot_logits", checks=["runs", "finite"])
        >>> report["runs"].status, report["finite"].status
        ('passed', 'failed')
        >>> report["finite"].y_pred
        array([[100.,   0.,   0.]], dtype=float32)
    """
    subject = _subject(
        loss,
        task_named(task, outputs),
        parameters=parameters,
        target=target,
        zero_at_perfect=zero_at_perfect,
        bounded=bounded,
        reduction=reduction,
    )
    chosen = _chosen(checks)
    _check_time_limit(time_limit)
    return Report(subject.loss.name, task, _results(subject, chosen, time_limit))


def _subject(
    loss: object, task: Task, *, parameters: object, **meant: object
) -> Subject:
    """Check the options and put them together."""
    target = meant["target"]
    if task.name == "quantile" and isinstance(target, str) and target == "truth":
        raise ValueError(
            "target must be the level of the quantile for task 'quantile', got 'truth'"
        )
    meant["target"] = checked_target(task, target)
    if meant["target"] is not None:
        # A function that gives no target shows itself now.
        list(outcomes(task, meant["target"]))
    if meant["reduction"] not in REDUCTIONS:
        raise ValueError(
            f"reduction must be None, 'mean' or 'sum', got {meant['reduction']!r}"
        )
    for name in ("zero_at_perfect", "bounded"):
        if not isinstance(meant[name], bool):
            raise TypeError(f"{name} must be True or False, got {meant[name]!r}")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise TypeError(f"parameters must be a mapping, got {parameters!r}")
    return Subject(Loss(loss, parameters), task, **meant)


def _chosen(names: Sequence[str] | None) -> list[Check]:
    if names is None:
        return list(CHECKS.values())
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(f"checks must be a sequence of names, got {names!r}")
    names = list(names)
    for name in names:
        if not isinstance(name, str) or name not in CHECKS:
            raise ValueError(f"checks must be of {', '.join(CHECKS)}, got {name!r}")
    return [check for name, check in CHECKS.items() if name in names]


def _check_time_limit(seconds: float) -> None:
    if isinstance(seconds, bool) or not isinstance(seconds, numbers.Real):
        raise TypeError(f"time_limit must be a number of seconds, got {seconds!r}")
    _check.positive("time_limit", seconds)


def _results(subject: Subject, checks: list[Check], limit: float) -> list[Result]:
    results: list[Result] = []
    if not checks:
        return results
    if not tf.executing_eagerly():
        raise RuntimeError("check_loss must be called eagerly, not inside of a graph")
    current = CHECKS["runs"]
    try:
        with time_limit_of(limit), usual_settings():
            runs = _result(subject, CHECKS["runs"])
            if runs.status == "failed":
                # Also where only others were asked for: nothing else can be said.
                return [runs, *_all_not_applicable(checks, "the loss does not run")]
            for current in checks:
                known = runs if current.name == runs.name else None
                results.append(known or _result(subject, current))
    except TimeIsUp:
        late = FaultError(
            f"It was not done after {limit:g} s.",
            subject.last,
            mend="Look for a loop that does not end, or allow more with time_limit=.",
        )
        results.append(_failed(current, late, subject))
    done = {result.name for result in results}
    rest = [check for check in checks if check.name not in done]
    return results + _all_not_applicable(rest, "the time was up")


def _all_not_applicable(checks: list[Check], reason: str) -> list[Result]:
    return [_not_applicable(check, reason) for check in checks if check.name != "runs"]


def _result(subject: Subject, check: Check) -> Result:
    try:
        check.run(subject)
    except NotApplicableError as reason:
        return _not_applicable(check, str(reason))
    except FaultError as failed:
        return _failed(check, failed, subject)
    except (Exception, SystemExit) as error:
        raised = FaultError(f"It {raises(error)}", subject.last)
        return _failed(check, raised, subject)
    return Result(check.name, "passed", chapter=check.chapter, question=check.question)


def _failed(check: Check, failed: FaultError, subject: Subject) -> Result:
    example = subject.as_called(failed.example, failed.dtype)
    return Result(
        check.name,
        "failed",
        seen=failed.seen,
        y_true=example.y_true,
        y_pred=example.y_pred,
        mend=failed.mend or check.mend,
        chapter=check.chapter,
        question=check.question,
    )


def _not_applicable(check: Check, reason: str) -> Result:
    return Result(
        check.name,
        "not applicable",
        seen=reason,
        chapter=check.chapter,
        question=check.question,
    )
