"""What a seed is, the same for every data set."""

from __future__ import annotations

from lossfn import _check

_LARGEST = 2**32 - 1


def as_seed(seed: int) -> int:
    """Refuse what is not a seed; NumPy takes None and draws anew at every call."""
    return _check.whole_number("seed", seed, 0, _LARGEST)
