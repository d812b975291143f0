r"""Entropy, cross entropy, KL divergence, perplexity, and the codes they measure.

Throughout, p is the truth and q the model. Every quantity is an expected number of
digits: with ``base=2``, the default, of bits; with ``base=math.e`` the unit is the nat.
By continuity an outcome that p gives no probability adds nothing; one that q alone
gives no probability makes the result infinite.

A prefix code is a sequence of codewords, strings of ``0`` and ``1`` of which none
begins another. Codeword k stands for symbol k.

Examples:
    >>> p, q = [0.5, 0.25, 0.25], [0.25, 0.25, 0.5]
    >>> float(cross_entropy(p, q))
    1.75
    >>> expected_code_length(p, huffman_code(q))
    1.75
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from lossfn import _check


def surprise(p: ArrayLike, *, base: float = 2) -> np.ndarray:
    r"""Surprise at an event of probability p.

    .. math:: s(p) = -\log_b p

    Args:
        p: Probabilities of events, of any shape. They need not sum to one.
        base: The base b of the logarithm; 2 gives bits, ``math.e`` gives nats.

    Returns:
        The surprise at each event, of the shape of p; infinite where p is 0.

    Raises:
        TypeError: If p or the base is not of numbers.
        ValueError: If an entry is not in [0, 1], or the base not positive or 1.

    Examples:
        >>> surprise([1, 0.5, 0.125, 0])
        array([ 0.,  1.,  3., inf])

    References:
        C. E. Shannon (1948), A mathematical theory of communication, Bell System
        Technical Journal 27.
    """
    return _surprise(_check.in_range("p", p, 0, 1), base)


def entropy(p: ArrayLike, *, axis: int = -1, base: float = 2) -> np.ndarray:
    r"""Entropy of a distribution: its expected surprise.

    .. math:: H(p) = -\sum_k p_k \log_b p_k

    Args:
        p: Distributions along ``axis``.
        axis: The axis of the outcomes.
        base: The base b of the logarithm; 2 gives bits, ``math.e`` gives nats.

    Returns:
        The entropy, of the shape of p without ``axis``.

    Raises:
        TypeError: If an argument is not of numbers, or the axis not an integer.
        ValueError: If p is not a distribution along ``axis``, the axis is out of range,
            or the base is not positive or is 1.

    Examples:
        >>> entropy([[0.5, 0.5], [1, 0]])
        array([1., 0.])

    References:
        T. M. Cover and J. A. Thomas (2006), Elements of Information Theory, sec. 2.1.
    """
    p = _check.as_probabilities("p", p, axis)
    return _expectation(p, _surprise(p, base), axis)


def cross_entropy(
    p: ArrayLike, q: ArrayLike, *, axis: int = -1, base: float = 2
) -> np.ndarray:
    r"""Cross entropy: the expected surprise of one who believes q where p is true.

    .. math:: H(p, q) = -\sum_k p_k \log_b q_k

    It is at least :math:`H(p)`, and equal to it only for :math:`q = p`.

    Args:
        p: True distributions along ``axis``.
        q: The model's distributions, of the shape of p; nothing is broadcast.
        axis: The axis of the outcomes.
        base: The base b of the logarithm; 2 gives bits, ``math.e`` gives nats.

    Returns:
        The cross entropy, of the shape of p without ``axis``; infinite where q is 0 and
        p is not.

    Raises:
        TypeError: If an argument is not of numbers, or the axis not an integer.
        ValueError: If p or q is not a distribution along ``axis``, their shapes differ,
            the axis is out of range, or the base is not positive or is 1.

    Examples:
        >>> float(cross_entropy([0, 1], [0.75, 0.25]))
        2.0

    References:
        T. M. Cover and J. A. Thomas (2006), Elements of Information Theory, sec. 5.4.
    """
    p, q = _distributions(p, q, axis)
    return _expectation(p, _surprise(q, base), axis)


def kl_divergence(
    p: ArrayLike, q: ArrayLike, *, axis: int = -1, base: float = 2
) -> np.ndarray:
    r"""Kullback-Leibler divergence: the expected surprise that believing q adds.

    .. math:: D(p \| q) = \sum_k p_k \log_b \frac{p_k}{q_k} = H(p, q) - H(p)

    It is not computed as that difference, of which rounding leaves nothing when p and q
    are close.

    Args:
        p: True distributions along ``axis``.
        q: The model's distributions, of the shape of p; nothing is broadcast.
        axis: The axis of the outcomes.
        base: The base b of the logarithm; 2 gives bits, ``math.e`` gives nats.

    Returns:
        The divergence, of the shape of p without ``axis``; infinite where q is 0 and p
        is not. In a base above 1 it is never negative.

    Raises:
        TypeError: If an argument is not of numbers, or the axis not an integer.
        ValueError: If p or q is not a distribution along ``axis``, their shapes differ,
            the axis is out of range, or the base is not positive or is 1.

    Examples:
        >>> kl_divergence([[0.5, 0.5], [1, 0]], [[0.5, 0.5], [0.25, 0.75]])
        array([0., 2.])

    References:
        S. Kullback and R. A. Leibler (1951), On information and sufficiency, Annals of
        Mathematical Statistics 22.
    """
    p, q = _distributions(p, q, axis)
    base = _check.log_base(base)
    nats = _expectation(p, _log_ratio(p, q), axis)
    # Rounding can leave a sum that should be 0 a little below it.
    return np.maximum(nats, 0.0) / math.log(base)


def perplexity(
    p: ArrayLike, q: ArrayLike | None = None, *, axis: int = -1
) -> np.ndarray:
    r"""Perplexity: how many equally likely outcomes would be as surprising.

    .. math:: 2^{H(p, q)}, \quad H \text{ in bits}

    It does not depend on the base: with :math:`H` in nats it is :math:`e^{H}`.

    Args:
        p: True distributions along ``axis``.
        q: The model's distributions, of the shape of p; p itself if None.
        axis: The axis of the outcomes.

    Returns:
        The perplexity, of the shape of p without ``axis``, at least 1; infinite where q
        is 0 and p is not.

    Raises:
        TypeError: If an argument is not of numbers, or the axis not an integer.
        ValueError: If p or q is not a distribution along ``axis``, their shapes differ,
            or the axis is out of range.

    Examples:
        >>> float(perplexity([0.25, 0.25, 0.25, 0.25]))
        4.0

    References:
        F. Jelinek, R. L. Mercer, L. R. Bahl and J. K. Baker (1977), Perplexity: a
        measure of the difficulty of speech recognition tasks, Journal of the Acoustical
        Society of America 62.
    """
    bits = entropy(p, axis=axis) if q is None else cross_entropy(p, q, axis=axis)
    with np.errstate(over="ignore"):
        return np.exp2(bits)


def huffman_code(q: ArrayLike) -> tuple[str, ...]:
    r"""Prefix code of the least expected length for symbols that follow q.

    The two least likely symbols are merged into one that stands for both, until one is
    left; each merge adds a digit to the codewords of the symbols in it. The expected
    length :math:`L` under q itself satisfies

    .. math:: H(q) \le L < H(q) + 1

    unless one symbol is certain: its codeword must still have one digit. Under another
    distribution p, no such bound holds around :math:`H(p, q)`: see
    :func:`shannon_code`.

    Of equally likely symbols the one created first is merged first, and the codewords
    are canonical: in alphabetical order they go from short to long, and among those of
    one length from the first symbol to the last. So q alone decides the code.

    Args:
        q: One distribution, shape (K,). A symbol of probability 0 gets a codeword too.

    Returns:
        The K codewords.

    Raises:
        TypeError: If q is not of numbers.
        ValueError: If q is not one distribution.

    Examples:
        >>> huffman_code([0.2, 0.5, 0.2, 0.1])
        ('110', '0', '10', '111')
        >>> huffman_code([1.0])
        ('0',)

    References:
        D. A. Huffman (1952), A method for the construction of minimum-redundancy codes,
        Proceedings of the IRE 40.
    """
    q = _one_distribution("q", q)
    lengths = [0] * q.size
    # Ties go to the smaller number, which is the order of creation.
    heap = [(weight, symbol, [symbol]) for symbol, weight in enumerate(q.tolist())]
    heapq.heapify(heap)
    for created in range(q.size, 2 * q.size - 1):
        weight, _, symbols = heapq.heappop(heap)
        other_weight, _, other_symbols = heapq.heappop(heap)
        merged = symbols + other_symbols
        for symbol in merged:
            lengths[symbol] += 1
        heapq.heappush(heap, (weight + other_weight, created, merged))
    return _canonical_code(lengths if q.size > 1 else [1])


def shannon_code(q: ArrayLike) -> tuple[str, ...]:
    r"""Prefix code whose every codeword is as long as q's surprise, rounded up.

    .. math:: -\log_2 q_k \le \ell_k = \lceil -\log_2 q_k \rceil < -\log_2 q_k + 1

    Since this holds symbol by symbol, the expected length under any p satisfies

    .. math:: H(p, q) \le \sum_k p_k \ell_k < H(p, q) + 1

    except for a single symbol, whose codeword must still have one digit. Such lengths
    are those of a prefix code by Kraft's inequality: their :math:`2^{-\ell_k} \le q_k`
    sum to at most 1. Codewords are canonical, as in :func:`huffman_code`.

    Args:
        q: One distribution, shape (K,), with no zero. What it lacks to a sum of exactly
            1 is made up for by dividing by the sum.

    Returns:
        The K codewords.

    Raises:
        TypeError: If q is not of numbers.
        ValueError: If q is not one distribution, or a symbol has probability 0 and so
            would need an infinite codeword.

    Examples:
        >>> shannon_code([0.6, 0.3, 0.1])
        ('0', '10', '1100')

    References:
        T. M. Cover and J. A. Thomas (2006), Elements of Information Theory, sec. 5.4.
    """
    q = _one_distribution("q", q)
    _check.all_valid("q", q, q > 0, "be positive")
    # A rounded logarithm, or a sum that rounding left at 1, can land on the wrong side
    # of an integer, and Kraft's inequality then fails; fractions are exact.
    exact = [Fraction(probability) for probability in q.tolist()]
    total = sum(exact)
    return _canonical_code([_shannon_length(total / part) for part in exact])


def kraft_sum(code: Sequence[str]) -> float:
    r"""Sum :math:`\sum_k 2^{-\ell_k}` over the lengths of the codewords.

    A prefix code with given lengths exists if and only if this is at most 1. At 1 no
    further codeword can be added.

    Args:
        code: Strings of ``0`` and ``1``. Only their lengths matter: they need not be a
            prefix code.

    Returns:
        The sum.

    Raises:
        TypeError: If the code is not a sequence of strings.
        ValueError: If a codeword is empty or has another character, or there is none.

    Examples:
        >>> kraft_sum(["0", "10", "11"]), kraft_sum(["0", "1", "00"])
        (1.0, 1.25)

    References:
        T. M. Cover and J. A. Thomas (2006), Elements of Information Theory, sec. 5.2.
    """
    return math.fsum(0.5 ** len(word) for word in _codewords(code))


def expected_code_length(p: ArrayLike, code: Sequence[str]) -> float:
    r"""Mean number of bits per symbol when symbols follow p.

    .. math:: L = \sum_k p_k \ell_k

    Args:
        p: One distribution, shape (K,).
        code: A prefix code of K codewords, of lengths :math:`\ell_k`.

    Returns:
        The expected length in bits.

    Raises:
        TypeError: If p is not of numbers, or the code not a sequence of strings.
        ValueError: If p is not one distribution, the code is no prefix code, or their
            sizes differ.

    Examples:
        >>> expected_code_length([0.5, 0.25, 0.25], ["0", "10", "11"])
        1.5

    References:
        T. M. Cover and J. A. Thomas (2006), Elements of Information Theory, sec. 5.1.
    """
    code = _prefix_code(code)
    p = _one_distribution("p", p)
    _check.same_shape("p", p.shape, "code", (len(code),))
    lengths = np.array([len(word) for word in code], dtype=np.float64)
    return float((p * lengths).sum())


def encode(symbols: ArrayLike, code: Sequence[str]) -> str:
    """Write symbols one after another as their codewords.

    Args:
        symbols: Integers in [0, K), shape (N,); N may be 0.
        code: A prefix code of K codewords.

    Returns:
        The codewords, joined without anything between them.

    Raises:
        TypeError: If the symbols are not integers, or the code not a sequence of
            strings.
        ValueError: If the symbols are no vector, one is out of range, or the code is no
            prefix code.

    Examples:
        >>> encode([2, 0, 1], ["0", "10", "11"])
        '11010'
    """
    code = _prefix_code(code)
    symbols = np.asarray(symbols)
    if symbols.ndim != 1:
        shape = _check.shape_text(symbols.shape)
        raise ValueError(f"symbols must be a vector, got shape {shape}")
    if not symbols.size:
        return ""
    _check.integer("symbols", symbols.dtype)
    inside = (symbols >= 0) & (symbols < len(code))
    _check.all_valid("symbols", symbols, inside, f"lie in [0, {len(code)})")
    return "".join(code[symbol] for symbol in symbols)


def decode(bits: str, code: Sequence[str]) -> list[int]:
    """Read the symbols back: the inverse of :func:`encode`.

    No codeword begins another, so the first one that the bits begin with is the right
    one.

    Args:
        bits: A string of ``0`` and ``1``.
        code: A prefix code of K codewords.

    Returns:
        The symbols, integers in [0, K).

    Raises:
        TypeError: If the bits are not a string, or the code not a sequence of strings.
        ValueError: If the bits are not codewords end to end, or the code is no prefix
            code.

    Examples:
        >>> decode("11010", ["0", "10", "11"])
        [2, 0, 1]
    """
    code = _prefix_code(code)
    if not isinstance(bits, str):
        raise TypeError(f"bits must be a string, got {type(bits).__name__}")
    symbol_of = {word: symbol for symbol, word in enumerate(code)}
    longest = max(map(len, code))
    symbols, start = [], 0
    while start < len(bits):
        ends = range(start + 1, min(start + longest, len(bits)) + 1)
        end = next((end for end in ends if bits[start:end] in symbol_of), None)
        if end is None:
            raise ValueError(
                "bits must be codewords end to end, "
                f"got {bits[start : start + longest]!r} at index {start}"
            )
        symbols.append(symbol_of[bits[start:end]])
        start = end
    return symbols


def _surprise(probabilities: np.ndarray, base: float) -> np.ndarray:
    base = _check.log_base(base)
    with np.errstate(divide="ignore"):
        if base == 2:  # exact at powers of 2, as the quotient of two logarithms is not
            logarithm = np.log2(probabilities)
        else:
            logarithm = np.log(probabilities) / math.log(base)
    return 0.0 - logarithm  # not -logarithm, which is -0.0 for a certain event


def _expectation(p: np.ndarray, values: np.ndarray, axis: int) -> np.ndarray:
    # What p gives no probability adds nothing, an infinite value included.
    with np.errstate(invalid="ignore"):
        return np.where(p == 0, 0.0, p * values).sum(axis=axis)


def _log_ratio(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Return log(p / q) in nats; where p is 0, anything."""
    # Within a factor of 2, q - p is exact, and log1p keeps what log(p) - log(q)
    # cancels. Farther apart nothing cancels, and p / q could overflow.
    is_near = np.abs(q - p) <= p / 2
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(is_near, -np.log1p((q - p) / p), np.log(p) - np.log(q))


def _distributions(
    p: ArrayLike, q: ArrayLike, axis: int
) -> tuple[np.ndarray, np.ndarray]:
    p = _check.as_probabilities("p", p, axis)
    q = _check.as_floats("q", q)
    _check.same_shape("p", p.shape, "q", q.shape)
    return p, _check.as_probabilities("q", q, axis)


def _one_distribution(name: str, value: ArrayLike) -> np.ndarray:
    array = _check.as_probabilities(name, value)
    if array.ndim != 1:
        shape = _check.shape_text(array.shape)
        raise ValueError(f"{name} must be one distribution, got shape {shape}")
    return array


def _shannon_length(inverse: Fraction) -> int:
    """Return the smallest l, at least 1, with 2^l no less than 1/q."""
    return max(1, (math.ceil(inverse) - 1).bit_length())


def _canonical_code(lengths: Sequence[int]) -> tuple[str, ...]:
    """Return codewords of these lengths, which must satisfy Kraft's inequality."""
    code = [""] * len(lengths)
    number = previous = 0
    for symbol in sorted(range(len(lengths)), key=lengths.__getitem__):
        # The next free codeword, with zeros appended up to its length.
        number <<= lengths[symbol] - previous
        code[symbol] = format(number, f"0{lengths[symbol]}b")
        number, previous = number + 1, lengths[symbol]
    return tuple(code)


def _codewords(code: Sequence[str]) -> tuple[str, ...]:
    if isinstance(code, str) or not isinstance(code, Sequence):
        raise TypeError(f"code must be a sequence of strings, got {code!r}")
    for index, word in enumerate(code):
        if not isinstance(word, str):
            raise TypeError(f"code must hold strings, got {word!r} at index {index}")
        if not word or set(word) - {"0", "1"}:
            raise ValueError(
                f"code must hold strings of 0 and 1, got {word!r} at index {index}"
            )
    if not code:
        raise ValueError(f"code must hold at least one codeword, got {code!r}")
    return tuple(code)


def _prefix_code(code: Sequence[str]) -> tuple[str, ...]:
    code = _codewords(code)
    # In alphabetical order, a word that begins others comes right before one of them.
    in_order = sorted(code)
    for word, longer in itertools.pairwise(in_order):
        if longer.startswith(word):
            raise ValueError(
                f"code must be prefix-free, got {word!r}, which begins {longer!r}"
            )
    return code
