"""lossfn.theory against mpmath, SciPy, and every prefix code that there is."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from lossfn import theory

BASES = [2, math.e, 10, 3.5, 0.5]
RTOL = 1e-14

DISTRIBUTIONS = {
    "fair coin": [0.5, 0.5],
    "one symbol": [1.0],
    "certain": [0.0, 1.0, 0.0],
    "nearly certain": [1 - 1e-12, 1e-12],
    "tiny": [1.0, 1e-300, 5e-324],
    "with a zero": [0.7, 0.0, 0.3],
    "thirds": [1 / 3, 1 / 3, 1 / 3],
    "uneven": [0.42, 0.31, 0.15, 0.08, 0.04],
}
PAIRS = {
    "equal": ([0.42, 0.31, 0.27], [0.42, 0.31, 0.27]),
    "swapped": ([0.9, 0.1], [0.1, 0.9]),
    "wide": ([0.5, 0.5, 0.0], [1e-300, 0.3, 0.7]),
    "subnormal model": ([1.0, 0.0], [5e-324, 1.0]),
    "shared zero": ([0.6, 0.0, 0.4], [0.3, 0.0, 0.7]),
    "zero in the truth": ([1.0, 0.0], [0.75, 0.25]),
    "uneven": ([0.42, 0.31, 0.15, 0.12], [0.1, 0.2, 0.3, 0.4]),
}


def distributions(smallest: int = 0, sizes: tuple[int, int] = (1, 8)):
    """Draw counts that may lie far apart, divided by their sum."""
    count = st.integers(smallest, 3) | st.integers(smallest, 10**6)
    counts = st.lists(count, min_size=sizes[0], max_size=sizes[1]).filter(any)
    return counts.map(lambda drawn: np.array(drawn) / sum(drawn))


def pairs(smallest_q: int = 0, sizes: tuple[int, int] = (1, 8)):
    """Draw two distributions over the same symbols."""
    return st.integers(*sizes).flatmap(
        lambda size: st.tuples(
            distributions(sizes=(size, size)),
            distributions(smallest_q, sizes=(size, size)),
        )
    )


dyadic = st.integers(1, 12).flatmap(
    # Splitting a symbol in two halves, again and again, leaves powers of 1/2.
    lambda size: st.lists(st.integers(0, 11), min_size=size, max_size=size).map(
        lambda splits: split_in_halves([i % (n + 1) for n, i in enumerate(splits)])
    )
)


def split_in_halves(which: list[int]) -> np.ndarray:
    q = [1.0]
    for index in which:
        q[index] /= 2
        q.append(q[index])
    return np.array(q)


def refused(error: type[Exception], message: str):
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def exact_cross_entropy(p, q, base) -> mpmath.mpf:
    with mpmath.workdps(60):
        terms = (mpmath.mpf(a) * -mpmath.log(b) for a, b in zip(p, q, strict=True) if a)
        return mpmath.fsum(terms) / mpmath.log(base)


def exact_kl_divergence(p, q) -> mpmath.mpf:
    with mpmath.workdps(60):
        return mpmath.fsum(
            mpmath.mpf(a) * mpmath.log(mpmath.mpf(a) / mpmath.mpf(b))
            for a, b in zip(p, q, strict=True)
            if a
        )


# --- surprise, entropy, cross entropy, divergence, perplexity -------------------------


@pytest.mark.parametrize("base", BASES)
def test_surprise_is_minus_the_logarithm(base):
    p = [1.0, 0.9, 0.5, 1e-3, 1e-300]
    expected = [float(-mpmath.log(value) / mpmath.log(base)) for value in p]
    np.testing.assert_allclose(theory.surprise(p, base=base), expected, rtol=RTOL)


def test_surprise_in_bits_at_powers_of_two_is_whole():
    exponents = np.arange(1075)
    np.testing.assert_array_equal(theory.surprise(0.5**exponents), exponents)


def test_surprise_at_the_impossible_is_infinite_and_at_the_certain_is_plus_zero():
    assert theory.surprise(0.0) == np.inf
    assert math.copysign(1, theory.surprise(1.0)) == 1


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("p", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_entropy_is_exact(p, base):
    expected = float(exact_cross_entropy(p, p, base))
    np.testing.assert_allclose(theory.entropy(p, base=base), expected, rtol=RTOL)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("p", "q"), PAIRS.values(), ids=PAIRS)
def test_cross_entropy_is_exact(p, q, base):
    expected = float(exact_cross_entropy(p, q, base))
    np.testing.assert_allclose(
        theory.cross_entropy(p, q, base=base), expected, rtol=RTOL
    )


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("p", "q"), PAIRS.values(), ids=PAIRS)
def test_kl_divergence_is_exact(p, q, base):
    expected = float(exact_kl_divergence(p, q)) / math.log(base)
    np.testing.assert_allclose(
        theory.kl_divergence(p, q, base=base), expected, rtol=1e-13
    )


def test_kl_divergence_of_close_distributions_keeps_its_digits():
    p = np.array([0.42, 0.31, 0.27])
    q = p + np.array([3e-9, -1e-9, -2e-9])
    exact = float(exact_kl_divergence(p, q))
    # The difference of two entropies has lost every digit of it.
    assert theory.kl_divergence(p, q, base=math.e) == pytest.approx(
        exact, rel=1e-6, abs=0
    )
    difference = theory.cross_entropy(p, q) - theory.entropy(p)
    assert difference * math.log(2) != pytest.approx(exact, rel=0.5, abs=0)


@given(distributions())
def test_entropy_agrees_with_scipy(p):
    expected = scipy.stats.entropy(p, base=2)
    np.testing.assert_allclose(theory.entropy(p), expected, rtol=1e-12, atol=1e-15)


@given(pairs())
def test_kl_divergence_agrees_with_scipy(pair):
    p, q = pair
    expected = scipy.special.rel_entr(p, q).sum()
    np.testing.assert_allclose(
        theory.kl_divergence(p, q, base=math.e), expected, rtol=1e-12, atol=1e-15
    )


@given(pairs())
def test_cross_entropy_is_entropy_plus_divergence(pair):
    p, q = pair
    np.testing.assert_allclose(
        theory.cross_entropy(p, q),
        theory.entropy(p) + theory.kl_divergence(p, q),
        rtol=1e-12,
        atol=1e-14,
    )


@given(pairs())
def test_the_divergence_is_never_negative_and_zero_only_for_equals(pair):
    p, q = pair
    divergence = theory.kl_divergence(p, q)
    assert divergence >= 0
    # Counts up to 8e6: different probabilities differ by far more than rounding.
    assert (divergence > 1e-16) == bool((np.abs(p - q) > 1e-15).any())


def test_a_rounded_model_does_not_make_the_divergence_negative():
    # q sums to a little more than 1, and the formula alone gives -1.1e-16 nats.
    p, q = [0.5, 0.5], [0.5, np.nextafter(0.5, 1)]
    assert exact_kl_divergence(p, q) < 0
    assert theory.kl_divergence(p, q) == 0


@given(distributions())
def test_entropy_lies_between_zero_and_that_of_equal_chances(p):
    assert 0 <= theory.entropy(p) <= math.log2(len(p)) * (1 + 1e-15)


@pytest.mark.parametrize("size", [1, 2, 3, 8, 100])
def test_equal_chances_reach_the_bound(size):
    p = np.full(size, 1 / size)
    np.testing.assert_allclose(theory.entropy(p), math.log2(size), rtol=RTOL)
    np.testing.assert_allclose(theory.perplexity(p), size, rtol=RTOL)


@given(pairs(smallest_q=1), pairs(smallest_q=1))
def test_independent_parts_add_up(first, second):
    def joint(a, b):
        return np.outer(a, b).ravel()

    p, q = (joint(a, b) for a, b in zip(first, second, strict=True))
    for function in (theory.cross_entropy, theory.kl_divergence):
        parts = function(*first) + function(*second)
        np.testing.assert_allclose(function(p, q), parts, rtol=1e-11, atol=1e-14)


@given(pairs(smallest_q=1, sizes=(12, 12)))
def test_the_chain_rule(pair):
    # A pair (x, y): first x, then y given x.
    p, q = (joint.reshape(3, 4) for joint in pair)
    p_x, q_x = p.sum(1), q.sum(1)
    occurs = p_x > 0
    p_given, q_given = p[occurs] / p_x[occurs, None], q[occurs] / q_x[occurs, None]
    for function in (theory.cross_entropy, theory.kl_divergence):
        given_x = (p_x[occurs] * function(p_given, q_given)).sum()
        np.testing.assert_allclose(
            function(p.ravel(), q.ravel()),
            function(p_x, q_x) + given_x,
            rtol=1e-11,
            atol=1e-14,
        )


@pytest.mark.parametrize(
    ("p", "q"), [([1.0, 0.0], [0.0, 1.0]), ([0.3, 0.7, 0.0], [0.0, 0.5, 0.5])]
)
def test_a_model_that_rules_out_what_happens_is_infinitely_wrong(p, q):
    # Warnings are errors here, so this also shows that there is none.
    assert theory.cross_entropy(p, q) == np.inf
    assert theory.kl_divergence(p, q) == np.inf
    assert theory.perplexity(p, q) == np.inf


def test_one_infinite_row_leaves_the_others_alone():
    p, q = [[0.5, 0.5], [0.5, 0.5]], [[1.0, 0.0], [0.5, 0.5]]
    np.testing.assert_array_equal(theory.cross_entropy(p, q), [np.inf, 1])
    np.testing.assert_array_equal(theory.kl_divergence(p, q), [np.inf, 0])


def test_divergence_is_not_symmetric():
    p, q = [0.5, 0.5], [1.0, 0.0]
    assert theory.kl_divergence(p, q) == np.inf
    assert theory.kl_divergence(q, p) == 1


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("p", "q"), PAIRS.values(), ids=PAIRS)
def test_a_change_of_base_divides_by_a_logarithm(p, q, base):
    for function in (theory.cross_entropy, theory.kl_divergence):
        np.testing.assert_allclose(
            function(p, q, base=base),
            function(p, q, base=math.e) / math.log(base),
            rtol=RTOL,
        )
    np.testing.assert_allclose(
        theory.entropy(p, base=base),
        theory.entropy(p, base=math.e) / math.log(base),
        rtol=RTOL,
    )


@given(pairs(smallest_q=1))
def test_perplexity_is_the_power_in_every_base(pair):
    p, q = pair
    nats = theory.cross_entropy(p, q, base=math.e)
    np.testing.assert_allclose(theory.perplexity(p, q), np.exp(nats), rtol=1e-12)
    alone = np.exp(theory.entropy(p, base=math.e))
    np.testing.assert_allclose(theory.perplexity(p), alone, rtol=1e-12)


def test_a_perplexity_past_the_largest_float_is_infinite():
    assert theory.perplexity([1.0, 0.0], [5e-324, 1.0]) == np.inf


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_a_batch_equals_a_loop_over_any_axis(axis):
    rng = np.random.default_rng(seed=3)
    p, q = rng.dirichlet(np.ones(4), size=(2, 2, 3))
    p, q = np.moveaxis(p, -1, axis), np.moveaxis(q, -1, axis)
    rows = list(np.ndindex(2, 3))

    def row(array, index):
        return np.moveaxis(array, axis, -1)[index]

    for function in (theory.entropy, theory.perplexity):
        expected = [function(row(p, index)) for index in rows]
        result = function(p, axis=axis)
        assert result.shape == (2, 3)
        np.testing.assert_allclose(result.ravel(), expected, rtol=RTOL)
    for function in (theory.cross_entropy, theory.kl_divergence, theory.perplexity):
        expected = [function(row(p, index), row(q, index)) for index in rows]
        result = function(p, q, axis=axis)
        assert result.shape == (2, 3)
        np.testing.assert_allclose(result.ravel(), expected, rtol=RTOL)


def test_an_empty_batch_has_no_values():
    assert theory.entropy(np.ones((0, 3))).shape == (0,)


def test_float32_distributions_are_accepted_and_computed_in_float64():
    p = np.array([0.1, 0.2, 0.7], dtype=np.float32)
    assert theory.entropy(p).dtype == np.float64
    np.testing.assert_allclose(theory.entropy(p), theory.entropy(p.astype(float)))


# --- codes ----------------------------------------------------------------------------


def lengths(code) -> list[int]:
    return [len(word) for word in code]


def is_prefix_free(code) -> bool:
    return not any(b.startswith(a) for a, b in itertools.permutations(code, 2))


def shortest_expected_length(weights: list[int]) -> int:
    """Try every list of lengths that Kraft's inequality allows."""
    # No optimal code of K symbols has a codeword longer than K - 1.
    choices = range(1, max(2, len(weights)))
    return min(
        sum(w * n for w, n in zip(weights, tried, strict=True))
        for tried in itertools.product(choices, repeat=len(weights))
        if sum(Fraction(1, 2**n) for n in tried) <= 1
    )


WEIGHTS = [
    *itertools.product(range(4), repeat=3),
    *itertools.combinations_with_replacement((0, 1, 2, 3, 5), 4),
    *itertools.combinations_with_replacement((1, 2, 4, 7), 5),
    (1, 1, 2, 3, 5, 8),
    (13, 1, 5, 2, 8, 3),
    (1,),
    (1, 0),
]


def test_no_prefix_code_is_shorter_than_huffmans():
    for weights in filter(any, WEIGHTS):
        code = theory.huffman_code(np.array(weights) / sum(weights))
        total = sum(w * n for w, n in zip(weights, lengths(code), strict=True))
        assert total == shortest_expected_length(weights), weights


@given(distributions())
def test_huffmans_code_is_a_full_prefix_code(q):
    code = theory.huffman_code(q)
    assert is_prefix_free(code)
    assert theory.kraft_sum(code) == (1 if len(q) > 1 else 0.5)


@given(distributions())
def test_huffmans_expected_length_is_within_one_bit_of_the_entropy(q):
    length = theory.expected_code_length(q, theory.huffman_code(q))
    if q.max() == 1:
        assert length == 1
    else:
        assert theory.entropy(q) * (1 - RTOL) <= length < theory.entropy(q) + 1


def test_huffmans_code_obeys_no_such_bound_under_another_distribution():
    p, q = [0.0, 1.0], [0.99, 0.01]
    length = theory.expected_code_length(p, theory.huffman_code(q))
    assert length == 1 < theory.cross_entropy(p, q)
    p, q = [0.0, 0.0, 1.0, 0.0], [0.36, 0.34, 0.26, 0.04]
    length = theory.expected_code_length(p, theory.huffman_code(q))
    assert length == 3 > theory.cross_entropy(p, q) + 1


@given(pairs(smallest_q=1))
def test_shannons_expected_length_is_within_one_bit_of_the_cross_entropy(pair):
    p, q = pair
    code = theory.shannon_code(q)
    assert is_prefix_free(code)
    length, bits = theory.expected_code_length(p, code), theory.cross_entropy(p, q)
    if len(q) == 1:
        assert code == ("0",)
    else:
        assert bits * (1 - RTOL) <= length < bits + 1


@given(pairs(smallest_q=1))
def test_shannons_bounds_hold_for_each_symbol(pair):
    q = pair[1]
    for n, probability in zip(lengths(theory.shannon_code(q)), q.tolist(), strict=True):
        share = Fraction(probability) / sum(map(Fraction, q.tolist()))
        assert Fraction(1, 2**n) <= share
        assert n == 1 or Fraction(1, 2 ** (n - 1)) > share


@pytest.mark.parametrize("power", [1, 2, 3, 29, 52])
def test_shannons_length_of_a_power_of_two_is_not_rounded_up(power):
    q = [0.5**power, 1 - 0.5**power]
    assert len(theory.shannon_code(q)[0]) == power


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        # Sums that are 1 only after rounding: lengths of 1 and 1 would leave no room.
        ([0.5, 0.5, 2.0**-60], [2, 2, 61]),
        ([1.0, 2.0**-60], [1, 61]),
        ([0.5, 0.5 + 1e-7], [2, 1]),
        ([0.1] * 10, [4] * 10),
        ([1.0, 5e-324], [1, 1075]),
    ],
)
def test_shannons_code_allows_for_a_sum_that_is_not_quite_one(q, expected):
    code = theory.shannon_code(q)
    assert lengths(code) == expected
    assert is_prefix_free(code)


@given(dyadic, st.randoms(use_true_random=False))
def test_for_a_dyadic_model_both_codes_reach_the_cross_entropy(q, random):
    p = np.array([random.randint(0, 9) for _ in q]) + np.eye(len(q))[0]
    p /= p.sum()
    for code in (theory.huffman_code(q), theory.shannon_code(q)):
        assert lengths(code) == [-math.frexp(share)[1] + 1 for share in q]
        length = theory.expected_code_length(p, code)
        assert length == pytest.approx(theory.cross_entropy(p, q), rel=1e-15)


def test_blocks_bring_the_length_per_symbol_to_the_cross_entropy():
    p, q = np.array([0.6, 0.4]), np.array([0.9, 0.1])
    block_p, block_q = np.ones(1), np.ones(1)
    for size in range(1, 9):
        block_p, block_q = (
            np.outer(block_p, p).ravel(),
            np.outer(block_q, q).ravel(),
        )
        code = theory.shannon_code(block_q)
        length = theory.expected_code_length(block_p, code) / size
        bits = theory.cross_entropy(p, q)
        assert bits <= length < bits + 1 / size


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ([1.0], ("0",)),
        ([0.5, 0.5], ("0", "1")),
        ([0.25] * 4, ("00", "01", "10", "11")),
        # A tie of 0.2 with 0.2 takes the earlier one; then 0.2 goes before 0.1 + 0.2.
        ([0.2, 0.5, 0.2, 0.1], ("110", "0", "10", "111")),
        ([0.125, 0.5, 0.125, 0.25], ("110", "0", "111", "10")),
        # The two of 1/3 that were there first go before the 1/3 made of 1/6 + 1/6.
        ([1 / 6, 1 / 3, 1 / 6, 1 / 3], ("00", "01", "10", "11")),
        # Symbols of probability 0 get codewords too.
        ([0.0, 1.0, 0.0], ("10", "0", "11")),
    ],
)
def test_huffmans_code_is_fixed_down_to_its_ties(q, expected):
    assert theory.huffman_code(q) == expected


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ([1.0], ("0",)),
        ([0.125, 0.5, 0.125, 0.25], ("110", "0", "111", "10")),
        ([0.6, 0.3, 0.1], ("0", "10", "1100")),
    ],
)
def test_shannons_code_is_canonical(q, expected):
    assert theory.shannon_code(q) == expected


def test_kraft_sum_counts_lengths_only():
    assert theory.kraft_sum(["0", "0", "01"]) == 1.25
    assert theory.kraft_sum(("0" * 2000,)) == 0


@given(st.data())
def test_decoding_undoes_encoding(data):
    q = data.draw(distributions(smallest=1))
    symbols = data.draw(st.lists(st.integers(0, len(q) - 1), max_size=40))
    for code in (theory.huffman_code(q), theory.shannon_code(q)):
        bits = theory.encode(symbols, code)
        assert len(bits) == sum(len(code[symbol]) for symbol in symbols)
        assert theory.decode(bits, code) == symbols


def test_encoded_samples_have_the_expected_length():
    rng = np.random.default_rng(seed=5)
    p, q = np.array([0.1, 0.2, 0.7]), np.array([0.5, 0.25, 0.25])
    code = theory.huffman_code(q)
    samples = rng.choice(3, size=20_000, p=p)
    mean = len(theory.encode(samples, code)) / samples.size
    # Four standard errors: the length is 1 or 2, so its deviation is at most a half.
    expected = theory.cross_entropy(p, q)
    assert mean == pytest.approx(expected, abs=4 * 0.5 / math.sqrt(samples.size))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64])
def test_symbols_may_have_any_integer_dtype(dtype):
    assert theory.encode(np.array([1, 0], dtype=dtype), ["0", "10"]) == "100"


# --- what is refused ------------------------------------------------------------------

FAIR = [0.5, 0.5]
TWO = ["0", "1"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: theory.surprise(1.5), "p must lie in [0, 1], got 1.5"),
        (
            lambda: theory.surprise([0.5, np.nan]),
            "p must lie in [0, 1], got nan at index (1,)",
        ),
        (
            lambda: theory.entropy([0.5, 0.7]),
            "p must sum to 1 along axis 0, got a sum of 1.2",
        ),
        (
            lambda: theory.entropy([FAIR, [0.5, 0.4]]),
            "p must sum to 1 along axis 1, got a sum of 0.9 at index (1,)",
        ),
        (
            lambda: theory.entropy([-0.5, 1.5]),
            "p must lie in [0, 1], got -0.5 at index (0,)",
        ),
        (
            lambda: theory.entropy([np.nan, 1.0]),
            "p must lie in [0, 1], got nan at index (0,)",
        ),
        (
            lambda: theory.entropy([]),
            "p must sum to 1 along axis 0, got a sum of 0",
        ),
        (
            lambda: theory.entropy(1.0),
            "axis must name an axis of an array, got a scalar",
        ),
        (
            lambda: theory.entropy(FAIR, axis=1),
            "axis must lie in [-1, 1), got 1",
        ),
        (
            lambda: theory.entropy(FAIR, base=0),
            "base must be positive and finite, got 0.0",
        ),
        (
            lambda: theory.surprise(FAIR, base=-2),
            "base must be positive and finite, got -2.0",
        ),
        (lambda: theory.kl_divergence(FAIR, FAIR, base=1), "base must not be 1, got 1"),
        (
            lambda: theory.cross_entropy(FAIR, [0.5, 0.4]),
            "q must sum to 1 along axis 0, got a sum of 0.9",
        ),
        (
            lambda: theory.cross_entropy([FAIR], FAIR),
            "p and q must have the same shape, got (1, 2) and (2,)",
        ),
        (
            lambda: theory.kl_divergence(FAIR, [FAIR, FAIR]),
            "p and q must have the same shape, got (2,) and (2, 2)",
        ),
        (
            lambda: theory.perplexity(FAIR, [1.0]),
            "p and q must have the same shape, got (2,) and (1,)",
        ),
        (
            lambda: theory.huffman_code([FAIR]),
            "q must be one distribution, got shape (1, 2)",
        ),
        (
            lambda: theory.huffman_code([0.5, 0.6]),
            "q must sum to 1 along axis 0, got a sum of 1.1",
        ),
        (
            lambda: theory.shannon_code([0.5, 0.0, 0.5]),
            "q must be positive, got 0.0 at index (1,)",
        ),
        (
            lambda: theory.shannon_code([FAIR]),
            "q must be one distribution, got shape (1, 2)",
        ),
        (
            lambda: theory.expected_code_length([1.0], TWO),
            "p and code must have the same shape, got (1,) and (2,)",
        ),
        (
            lambda: theory.expected_code_length([FAIR], TWO),
            "p must be one distribution, got shape (1, 2)",
        ),
        (
            lambda: theory.expected_code_length(FAIR, ["1", "10"]),
            "code must be prefix-free, got '1', which begins '10'",
        ),
        (
            lambda: theory.encode([0], ["01", "00", "01"]),
            "code must be prefix-free, got '01', which begins '01'",
        ),
        (
            lambda: theory.kraft_sum(["0", ""]),
            "code must hold strings of 0 and 1, got '' at index 1",
        ),
        (
            lambda: theory.decode("0", ["0", "1a"]),
            "code must hold strings of 0 and 1, got '1a' at index 1",
        ),
        (
            lambda: theory.kraft_sum([]),
            "code must hold at least one codeword, got []",
        ),
        (
            lambda: theory.encode([0, 2], TWO),
            "symbols must lie in [0, 2), got 2 at index (1,)",
        ),
        (
            lambda: theory.encode([-1], TWO),
            "symbols must lie in [0, 2), got -1 at index (0,)",
        ),
        (
            lambda: theory.encode([[0, 1]], TWO),
            "symbols must be a vector, got shape (1, 2)",
        ),
        (
            lambda: theory.decode("0110", ["00", "01", "100"]),
            "bits must be codewords end to end, got '10' at index 2",
        ),
        (
            lambda: theory.decode("0110", ["0", "10", "111"]),
            "bits must be codewords end to end, got '110' at index 1",
        ),
        (
            lambda: theory.decode("01x", TWO),
            "bits must be codewords end to end, got 'x' at index 2",
        ),
    ],
)
def test_a_bad_value_is_refused(call, message):
    with refused(ValueError, message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: theory.entropy(["a", "b"]),
            "p must be an array of numbers, got ['a', 'b']",
        ),
        (
            lambda: theory.cross_entropy(FAIR, None),
            "q must be an array of numbers, got None",
        ),
        (
            lambda: theory.entropy(FAIR, axis=0.5),
            "axis must be an integer, got 0.5",
        ),
        (
            lambda: theory.encode([0.0], TWO),
            "symbols must have an integer dtype, got float64",
        ),
        (
            lambda: theory.encode([True], TWO),
            "symbols must have an integer dtype, got bool",
        ),
        (
            lambda: theory.kraft_sum("01"),
            "code must be a sequence of strings, got '01'",
        ),
        (
            lambda: theory.decode("0", {"0": 1}),
            "code must be a sequence of strings, got {'0': 1}",
        ),
        (
            lambda: theory.expected_code_length(FAIR, ["0", 1]),
            "code must hold strings, got 1 at index 1",
        ),
        (lambda: theory.decode([0, 1], TWO), "bits must be a string, got list"),
    ],
)
def test_a_bad_kind_of_value_is_refused(call, message):
    with refused(TypeError, message):
        call()
