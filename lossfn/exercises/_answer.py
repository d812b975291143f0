"""A student's answer: called with care, and what comes back as NumPy arrays."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from decimal import Decimal

import numpy as np


class WrongAnswerError(Exception):
    """An answer is wrong; the message says in words how.

    Examples:
        >>> raise WrongAnswerError("Your logarithm has base 2.")
        Traceback (most recent call last):
        lossfn.exercises._answer.WrongAnswerError: Your logarithm has base 2.
    """


class Answer:
    """An answer, which may be anything at all.

    Whatever goes wrong in it is the answer's fault, and is said in words.

    Attributes:
        name: What the exercise calls it.
        value: What was handed in.
    """

    def __init__(self, name: str, value: object):
        """Keep the answer."""
        self.name, self.value = name, value

    def function(self, *arguments: str) -> Answer:
        """Demand that the answer is a function that can take these arguments.

        Args:
            *arguments: The names of what it is called with, by position; a name with
                ``=`` at its end is a keyword.
        """
        self.written()
        if not callable(self.value):
            raise WrongAnswerError(
                f"{self.name} must be a function, got {_what(self.value)}."
            )
        positional = [name for name in arguments if not name.endswith("=")]
        keywords = {name[:-1]: None for name in arguments if name.endswith("=")}
        try:
            inspect.signature(self.value).bind(*positional, **keywords)
        except ValueError:  # a function that does not tell its arguments
            pass
        except TypeError as error:
            written = ", ".join([*positional, *(f"{k}=..." for k in keywords)])
            raise WrongAnswerError(
                f"{self.name} is called as {self.name}({written}), and cannot be: "
                f"{error}."
            ) from None
        return self

    def __call__(self, *arguments: object, **keywords: object) -> object:
        """Call the function, and return what it returns, unless that is None."""
        try:
            returned = self.value(*arguments, **keywords)
        except NotImplementedError:
            raise WrongAnswerError(
                f"{self.name} is still to be written: put your code in the place of "
                "the line that raises NotImplementedError."
            ) from None
        except (Exception, SystemExit) as error:
            given = _call(arguments, keywords)
            raise WrongAnswerError(
                f"Your function raised {type(error).__name__} when it was called with "
                f"{given}: {first_line(error)}"
            ) from None
        if returned is None:
            raise WrongAnswerError(
                "Your function returns None: does it end without a return?"
            )
        return returned

    def array(self, *arguments: object, **keywords: object) -> np.ndarray:
        """Call the function and return its numbers, in float64."""
        return as_array(self(*arguments, **keywords), "Your function returns")

    def refuses(self, *arguments: object, **keywords: object) -> bool:
        """Whether the function raises, or returns NaN, for what cannot be."""
        try:
            returned = self.value(*arguments, **keywords)
        except Exception:
            return True
        return bool(np.isnan(as_array(returned, "Your function returns")).any())

    def written(self) -> None:
        """Demand that there is an answer."""
        if self.value is None or self.value is Ellipsis:
            raise WrongAnswerError(
                f"{self.name} is still {self.value}: put your answer in its place."
            )

    def numbers(self, shape: tuple[int, ...] = ()) -> np.ndarray:
        """Demand that the answer is numbers of a shape, one number if it is ()."""
        self.written()
        if callable(self.value):
            wanted = "a number" if shape == () else "an array"
            raise WrongAnswerError(f"{self.name} must be {wanted}, got a function.")
        array = as_array(self.value, f"{self.name} is")
        if array.shape != shape:
            wanted = "one number" if shape == () else f"of shape {shape}"
            raise WrongAnswerError(
                f"{self.name} must be {wanted}, got shape {array.shape}."
            )
        return array

    def choices(self, options: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
        """Demand a dict that chooses one of the options for each of its keys."""
        self.written()
        if not isinstance(self.value, Mapping):
            raise WrongAnswerError(
                f"{self.name} must be a dict, got {_what(self.value)}."
            )
        for key, allowed in options.items():
            if key not in self.value:
                raise WrongAnswerError(f"{self.name} has no entry for {key!r}.")
            if self.value[key] is None or self.value[key] is Ellipsis:
                raise WrongAnswerError(f"Your choice for {key!r} is still to be made.")
            if self.value[key] not in allowed:
                raise WrongAnswerError(
                    f"The choice for {key!r} must be one of {', '.join(allowed)}, "
                    f"got {self.value[key]!r}."
                )
        return {key: self.value[key] for key in options}


def as_array(value: object, begins: str) -> np.ndarray:
    """Return numbers as float64, or say that they are none."""
    try:
        return np.asarray(value, dtype=np.float64)
    except OverflowError:
        raise WrongAnswerError(f"{begins} too large for a number.") from None
    except (TypeError, ValueError):
        raise WrongAnswerError(f"{begins} {_what(value)}, not numbers.") from None


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, with a full stop."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    shortened = line if len(line) <= 160 else line[:160] + "…"
    return shortened if shortened.endswith((".", "…", "?")) else f"{shortened}."


def written(value: object, digits: int = 4) -> str:
    """Write an argument, or a number, as a student would type it."""
    if hasattr(value, "numpy"):
        value = value.numpy()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, int) and abs(value) > 10**20:
        return f"{Decimal(value):.{digits - 1}e}"
    if isinstance(value, bool | int | str) or value is None:
        return repr(value)
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e15
        return str(int(value)) if whole else f"{value:.{digits}g}"
    if isinstance(value, list | tuple):
        inside = ", ".join(written(item) for item in value)
        return f"[{inside}]" if len(inside) <= 80 else f"an array of {_size(value)}"
    return _what(value)


def _size(values: object) -> str:
    return f"shape {np.shape(values)}"


def _call(arguments: tuple, keywords: Mapping[str, object]) -> str:
    parts = [written(value) for value in arguments]
    parts += [f"{name}={written(value)}" for name, value in keywords.items()]
    return ", ".join(parts) or "nothing"


def _what(value: object) -> str:
    if isinstance(value, bool | int | float):
        return f"the number {written(value)}"
    if isinstance(value, str):
        return f"the text {value!r}"
    if callable(value):
        return "a function"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
