"""The network learns quantiles, keeps their order if told to, and repeats itself."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import norm

from lossfn import train

LEVELS = (0.1, 0.5, 0.9)


@functools.cache
def curved():
    """A parabola with noise that grows to the right: features, target."""
    rng = np.random.default_rng(8)
    x = rng.uniform(-2, 2, size=600)
    return x[:, None], x**2 + np.exp(x / 2) * rng.normal(size=600)


def true_quantiles(x):
    return x[:, None] ** 2 + np.exp(x[:, None] / 2) * norm.ppf(LEVELS)


@functools.cache
def fitted(non_crossing=True, steps=600, seed=0):
    return train.fit_quantile_network(
        *curved(), quantiles=LEVELS, seed=seed, non_crossing=non_crossing, steps=steps
    )


def mean_pinball(target, predictions, levels):
    """Write the loss out in NumPy, apart from the package."""
    errors = target[:, None] - predictions
    levels = np.array(levels)
    return np.where(errors > 0, levels * errors, (levels - 1) * errors).mean()


each_kind = pytest.mark.parametrize(
    "non_crossing", [True, False], ids=["non-crossing", "free"]
)


# --- what it learns ----------------------------------------------------------


@each_kind
def test_it_comes_near_the_true_quantiles_where_lines_do_not(non_crossing):
    x = np.linspace(-1.8, 1.8, 200)
    network = fitted(non_crossing).predict(x[:, None])
    lines = train.fit_quantiles(*curved(), quantiles=LEVELS).predict(x[:, None])
    errors = [
        np.sqrt(np.mean((found - true_quantiles(x)) ** 2, axis=0))
        for found in (network, lines)
    ]
    assert np.all(errors[0] < 0.35)
    assert np.all(errors[0] < errors[1] / 3)


@each_kind
def test_the_share_below_is_the_level(non_crossing):
    features, target = curved()
    below = np.mean(target[:, None] < fitted(non_crossing).predict(features), axis=0)
    np.testing.assert_allclose(below, LEVELS, atol=0.02)


@each_kind
def test_the_history_ends_at_the_loss_of_the_predictions(non_crossing):
    features, target = curved()
    network = fitted(non_crossing)
    assert network.steps[0] == 0
    assert network.steps[-1] == 600
    assert np.all(np.diff(network.steps) > 0)
    assert len(network.steps) == len(network.losses)
    assert network.losses[-1] < network.losses[0] / 1.5
    expected = mean_pinball(target, network.predict(features), LEVELS)
    assert network.losses[-1] == pytest.approx(expected, rel=1e-12)


def test_without_hidden_layers_it_comes_near_the_lines_and_not_below_their_loss():
    features, target = curved()
    arguments = dict(features=features, target=target, quantiles=LEVELS)
    network = train.fit_quantile_network(
        **arguments, seed=0, hidden=(), non_crossing=False, steps=2000
    )
    lines = train.fit_quantiles(**arguments)
    smallest = lines.loss.mean()
    assert smallest <= network.losses[-1] < smallest * 1.001
    np.testing.assert_allclose(
        network.predict(features), lines.predict(features), atol=0.1
    )


def test_it_starts_at_the_quantiles_of_the_sample():
    # Without features that tell examples apart, the weights of the layers do nothing.
    target = np.random.default_rng(3).normal(size=101)
    for non_crossing in (True, False):
        network = train.fit_quantile_network(
            np.ones((101, 1)),
            target,
            quantiles=LEVELS,
            seed=0,
            non_crossing=non_crossing,
            steps=2,
            learning_rate=1e-9,
        )
        expected = np.quantile(target, LEVELS)
        np.testing.assert_allclose(network.predict([[1.0]])[0], expected, atol=1e-6)


# --- order -------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("hidden", [(), (8,), (16, 16)], ids=str)
def test_the_non_crossing_network_never_crosses(seed, hidden):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(25, 2))
    network = train.fit_quantile_network(
        features,
        rng.standard_cauchy(size=25),
        quantiles=np.arange(1, 20) / 20,
        seed=seed,
        hidden=hidden,
        steps=200,
        learning_rate=0.03,
    )
    for size in (1, 10, 1e6):
        predictions = network.predict(size * rng.normal(size=(2000, 2)))
        assert np.all(np.isfinite(predictions))
        assert np.all(np.diff(predictions, axis=1) >= 0)


def test_the_free_network_does_cross_on_the_same_problem():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(25, 2))
    network = train.fit_quantile_network(
        features,
        rng.standard_cauchy(size=25),
        quantiles=np.arange(1, 20) / 20,
        seed=0,
        non_crossing=False,
        steps=200,
        learning_rate=0.03,
    )
    predictions = network.predict(rng.normal(size=(2000, 2)))
    assert np.any(np.diff(predictions, axis=1) < 0)


# --- repeating ---------------------------------------------------------------


def short(seed, features=None, target=None, **arguments):
    x, y = curved()
    return train.fit_quantile_network(
        x if features is None else features,
        y if target is None else target,
        quantiles=LEVELS,
        seed=seed,
        steps=40,
        **arguments,
    )


@each_kind
def test_a_seed_repeats_the_bits_whatever_other_generators_do(non_crossing):
    features, _ = curved()
    tf.random.set_seed(1)
    first = short(5, non_crossing=non_crossing)
    tf.random.set_seed(2)
    second = short(5, non_crossing=non_crossing)
    assert np.array_equal(first.losses, second.losses)
    assert np.array_equal(first.predict(features), second.predict(features))


def test_another_seed_gives_another_network():
    assert not np.array_equal(short(5).losses, short(6).losses)


def test_training_leaves_an_earlier_network_alone():
    features, _ = curved()
    first = short(5)
    before = first.predict(features)
    short(5)
    assert np.array_equal(first.predict(features), before)


def test_units_do_not_matter():
    features, target = curved()
    network = short(1)
    moved = short(1, 100 * features - 7, 3 * target + 5)
    np.testing.assert_allclose(moved.losses, 3 * network.losses, rtol=1e-6)
    np.testing.assert_allclose(
        moved.predict(100 * features - 7),
        3 * network.predict(features) + 5,
        rtol=1e-6,
        atol=1e-6,
    )


@each_kind
def test_a_target_without_spread_is_learnt(non_crossing):
    network = short(0, target=np.full(600, 4.0), non_crossing=non_crossing)
    predictions = network.predict(curved()[0])
    assert np.all(np.isfinite(predictions))
    np.testing.assert_allclose(predictions, 4, atol=1.5)


def test_shapes_and_dtypes():
    network = short(0, features=np.hstack([curved()[0]] * 3))
    assert np.array_equal(network.quantiles, LEVELS)
    predictions = network.predict(np.zeros((7, 3)))
    assert predictions.shape == (7, 3)
    assert predictions.dtype == network.losses.dtype == np.float64
    assert network.steps.dtype == np.int64
    assert "object at 0x" not in repr(network)


@pytest.mark.parametrize("steps", [2, 3, 41])
def test_every_number_of_steps_is_made(steps):
    network = train.fit_quantile_network(
        *curved(), quantiles=LEVELS, seed=0, steps=steps
    )
    assert network.steps[-1] == steps


# --- what is refused ---------------------------------------------------------

REFUSED = {
    "a target of another number": (
        dict(target=np.ones(5)),
        ValueError,
        "target must have shape (6,), one number for each row of features, got (5,)",
    ),
    "features not finite": (
        dict(features=np.full((6, 1), np.nan)),
        ValueError,
        "features must be finite and below 1e+100, got nan at index (0, 0)",
    ),
    "quantiles that fall": (
        dict(quantiles=[0.9, 0.1]),
        ValueError,
        "quantiles must increase, got 0.1 at index (1,)",
    ),
    "a quantile of 1": (
        dict(quantiles=[0.5, 1.0]),
        ValueError,
        "quantiles must lie in (0, 1), got 1.0 at index (1,)",
    ),
    "no seed": (dict(seed=None), TypeError, "seed must be an integer, got None"),
    "a negative seed": (
        dict(seed=-1),
        ValueError,
        "seed must lie in [0, 4294967295], got -1",
    ),
    "one number of units": (
        dict(hidden=16),
        TypeError,
        "hidden must be a sequence of integers, got 16",
    ),
    "a layer without units": (
        dict(hidden=(8, 0)),
        ValueError,
        "hidden[1] must be at least 1, got 0",
    ),
    "half a unit": (
        dict(hidden=(8.5,)),
        TypeError,
        "hidden[0] must be an integer, got 8.5",
    ),
    "one step": (dict(steps=1), ValueError, "steps must be at least 2, got 1"),
    "no learning rate": (
        dict(learning_rate=0.0),
        ValueError,
        "learning_rate must be positive and finite, got 0.0",
    ),
    "an answer that is not yes or no": (
        dict(non_crossing="yes"),
        TypeError,
        "non_crossing must be True or False, got 'yes'",
    ),
}


@pytest.mark.parametrize(("changed", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_arguments(changed, error, message):
    arguments = dict(
        features=np.arange(6.0)[:, None],
        target=np.arange(6.0),
        quantiles=[0.5],
        seed=0,
        steps=2,
    )
    with pytest.raises(error) as caught:
        train.fit_quantile_network(**{**arguments, **changed})
    assert str(caught.value) == message


def test_refused_features_of_predict():
    with pytest.raises(ValueError) as caught:
        fitted().predict(np.ones((2, 3)))
    assert str(caught.value) == (
        "features and training features must have the same shape, got (2, 3) and (2, 1)"
    )
