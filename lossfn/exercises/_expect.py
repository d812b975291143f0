"""What an answer is compared with, and how a difference is put into words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lossfn.exercises._answer import Answer, WrongAnswerError, as_array, written

# Words for a value that is wrong in a way that students' values are.
Mistakes = Mapping[str, object]

ONE_NUMBER = (
    "Your function returns one number for the batch: then sample_weight cannot work. "
    "Return one loss for each example, and leave the mean to whoever trains."
)


def expect_close(
    got: object,
    expected: object,
    *,
    given: str = "",
    what: str = "your function gives",
    mistakes: Mistakes | None = None,
    rtol: float = 1e-5,
    atol: float = 1e-8,
) -> None:
    """Demand that numbers are the expected ones.

    Args:
        got: What the answer gives.
        expected: The right numbers, computed another way.
        given: What they were computed for, ``"classes = 10"``. Without it, one number
            is the whole answer, and the words do not say the right one.
        what: Subject and verb of the sentence that is said.
        mistakes: For the numbers that a usual mistake gives, the words that explain it.
            They are looked up before the mistakes that every exercise knows.
        rtol: Relative tolerance.
        atol: Absolute tolerance.

    Raises:
        WrongAnswerError: If a number differs.
    """
    got, expected = as_array(got, "Your answer is"), np.asarray(expected, np.float64)
    _expect_shape(got, expected, given)
    if np.allclose(got, expected, rtol=rtol, atol=atol, equal_nan=True):
        return
    place = _first_difference(got, expected, rtol, atol)
    where = f"For {given} {what}" if given else f"{what[0].upper()}{what[1:]}"
    got_here, right_here = _told_apart(got[place], expected[place])
    if got.size > 1:
        at = written(place[0] if len(place) == 1 else list(place))
        said = f"{where} {got_here} at position {at}, where {right_here} is right."
    elif given:
        said = f"{where} {got_here}, and {right_here} is right."
    else:  # the number is the whole answer, which is not given away
        said = f"{where} {got_here}, which is {_beside(got[place], expected[place])}."
    known = {**(mistakes or {}), **_usual_mistakes(expected)}
    for words, values in known.items():
        # Looser than the comparison: it chooses words, it decides nothing.
        if np.shape(values) == got.shape and np.allclose(
            got, values, max(10 * rtol, 1e-6), 1e-7, equal_nan=True
        ):
            raise WrongAnswerError(f"{said} {words}")
    raise WrongAnswerError(said)


def _expect_shape(got: np.ndarray, expected: np.ndarray, given: str) -> None:
    if got.shape == expected.shape:
        return
    if got.shape == () and expected.ndim == 1:
        raise WrongAnswerError(ONE_NUMBER)
    where = f"For {given} your" if given else "Your"
    asked = f"have shape {expected.shape}" if expected.shape else "be one number"
    said = f"{where} answer has shape {got.shape}, and must {asked}."
    stretched = expected.ndim == 1 and got.shape == 2 * expected.shape
    if stretched:
        said += (
            " Labels and predictions were stretched against each other: "
            "one had shape (N,), the other (N, 1)."
        )
    raise WrongAnswerError(said)


def _told_apart(got: float, right: float) -> tuple[str, str]:
    """Write two numbers to as many digits as it takes to tell them apart."""
    for digits in range(4, 17):
        both = written(got, digits), written(right, digits)
        if both[0] != both[1]:
            break
    return both


def _beside(got: float, right: float) -> str:
    if np.isnan(got):
        return "no number"
    return "too large" if got > right else "too small"


def _first_difference(
    got: np.ndarray, expected: np.ndarray, rtol: float, atol: float
) -> tuple[int, ...]:
    close = np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    return tuple(int(index) for index in np.argwhere(~close)[0])


def _usual_mistakes(expected: np.ndarray) -> Mistakes:
    return {
        "The sign is wrong: a loss is minus the logarithm.": -expected,
        "Your logarithm has base 2: the answer is in nats.": expected / np.log(2),
        "Your logarithm is the natural one: the answer is in bits.": expected
        * np.log(2),
        "Your answer is 2 times too large.": 2 * expected,
        "Your answer is half of it.": expected / 2,
    }


def expect_gradient(
    answer: Answer,
    arguments: tuple,
    expected: object,
    *,
    by: int = -1,
    given: str = "",
    mistakes: Mistakes | None = None,
    rtol: float = 1e-5,
    **keywords: object,
) -> None:
    """Demand the gradient of the sum of what a function returns.

    Args:
        answer: The function.
        arguments: What it is called with, tensors or arrays.
        expected: The right gradient, computed another way.
        by: The position of the argument that the gradient is by.
        given: What it was computed for.
        mistakes: As in :func:`expect_close`.
        rtol: Relative tolerance.
        **keywords: What else it is called with.

    Raises:
        WrongAnswerError: If there is no gradient, or it differs.
    """
    gradient = gradient_of(answer, arguments, by=by, **keywords)
    expect_close(
        gradient,
        expected,
        given=given,
        what="the gradient of your function is",
        mistakes=mistakes,
        rtol=rtol,
    )


def gradient_of(
    answer: Answer, arguments: tuple, *, by: int = -1, **keywords: object
) -> np.ndarray:
    """Differentiate the sum of what a function returns, or say that nobody can.

    Args:
        answer: The function.
        arguments: What it is called with, tensors or arrays.
        by: The position of the argument that the gradient is by.
        **keywords: What else it is called with.

    Returns:
        The gradient, in float64.

    Raises:
        WrongAnswerError: If there is no gradient.
    """
    import tensorflow as tf

    tensors = [tf.convert_to_tensor(argument) for argument in arguments]
    with tf.GradientTape() as tape:
        tape.watch(tensors[by])
        values = answer(*tensors, **keywords)
        numbers = isinstance(values, tf.Tensor) and values.dtype.is_floating
        total = tf.reduce_sum(values) if numbers else None
    gradient = None if total is None else tape.gradient(total, tensors[by])
    if gradient is None:
        raise WrongAnswerError(
            "Your function has no gradient: nothing can be trained with it. Compute "
            "with TensorFlow from the arguments to what you return, without NumPy, "
            "casts to whole numbers or comparisons alone."
        )
    return as_array(gradient, "The gradient is")


# What the checks of a loss have found, said to a student; others say it themselves.
_WORDS = {"one_value_per_example": ONE_NUMBER}


def expect_sound_loss(
    answer: Answer, *, task: str, checks: tuple[str, ...], **options: object
) -> None:
    """Demand that a loss passes checks of :func:`lossfn.testing.check_loss`.

    Args:
        answer: The loss.
        task: What labels and predictions are.
        checks: The names of the checks, those that the exercise is about.
        **options: Other arguments of :func:`lossfn.testing.check_loss`.

    Raises:
        WrongAnswerError: With what the first check that failed has seen.
    """
    from lossfn.testing import check_loss

    report = check_loss(answer.value, task=task, checks=checks, **options)
    for result in report.failures:
        words = _WORDS.get(result.name) or f"{result.seen} {result.mend}".strip()
        raise WrongAnswerError(
            f"{words} (The check {result.name}; chapter {result.chapter[:2]} "
            "explains it.)"
        )


def expect_choices(
    answer: Answer, right: Mapping[str, str], why: Mapping[tuple[str, str], str]
) -> None:
    """Demand the right choice for each key of a dict.

    Args:
        answer: A dict.
        right: The right choice for each key.
        why: For a key and a wrong choice, the words that explain why it is wrong. Its
            keys with those of ``right`` are all that may be chosen.

    Raises:
        WrongAnswerError: With the words of the first choice that is wrong.
    """
    options = {
        key: (choice, *(wrong for asked, wrong in why if asked == key))
        for key, choice in right.items()
    }
    options = {key: tuple(sorted(allowed)) for key, allowed in options.items()}
    for key, choice in answer.choices(options).items():
        if choice != right[key]:
            raise WrongAnswerError(f"{key}: not {choice}. {why[key, choice]}")
