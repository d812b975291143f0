"""Networks that are trained together are trained as if each were alone."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from lossfn import losses, train

LOSS = losses.sparse_categorical_crossentropy
REPEATS, COUNT, WIDTH, HIDDEN, CLASSES = 3, 20, 4, 5, 3
STEPS = [1, 7, 40]


def fit_networks(features, labels, **changes):
    arguments = {
        "loss": LOSS,
        "hidden": HIDDEN,
        "outputs": CLASSES,
        "steps": STEPS,
        "seed": 0,
        "learning_rate": 0.05,
    }
    return train.fit_networks(features, labels, **{**arguments, **changes})


@pytest.fixture(scope="module")
def problem():
    generator = np.random.default_rng(5)
    features = generator.normal(size=(REPEATS, COUNT, WIDTH))
    return features, generator.integers(0, CLASSES, (REPEATS, COUNT))


@pytest.fixture(scope="module")
def fits(problem):
    return fit_networks(*problem)


def start_of(problem, **changes):
    """The networks before the first step, but for one that is too small to matter."""
    return fit_networks(*problem, steps=[1], learning_rate=1e-300, **changes)


def by_hand(arrays, features, labels, *, steps, l2, rate=0.05):
    """Train one network in NumPy, its gradient by the chain rule; return its logits."""
    arrays = [array.copy() for array in arrays]
    means, squares = ([np.zeros_like(a) for a in arrays] for _ in range(2))
    one_hot = np.eye(CLASSES)[labels]
    for step in range(1, steps + 1):
        inner, inner_bias, outer, outer_bias = arrays
        hidden = np.tanh(features @ inner + inner_bias)
        by_logits = special.softmax(hidden @ outer + outer_bias, axis=1) - one_hot
        by_logits /= len(features)
        by_hidden = (by_logits @ outer.T) * (1 - hidden**2)
        gradients = [
            features.T @ by_hidden + l2 * inner,
            by_hidden.sum(axis=0),
            hidden.T @ by_logits + l2 * outer,
            by_logits.sum(axis=0),
        ]
        for array, mean, square, gradient in zip(
            arrays, means, squares, gradients, strict=True
        ):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            scale = rate * np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            array -= scale * mean / (np.sqrt(square) + 1e-7)
    inner, inner_bias, outer, outer_bias = arrays
    return np.tanh(features @ inner + inner_bias) @ outer + outer_bias


@pytest.mark.parametrize("l2", [0.0, 0.1], ids=["no penalty", "a penalty"])
def test_a_network_is_the_one_that_is_trained_alone_by_hand(problem, l2):
    start = start_of(problem)
    ours = fit_networks(*problem, l2=l2).logits(problem[0])
    for repeat, (features, labels) in enumerate(zip(*problem, strict=True)):
        arrays = [
            array[0, repeat]
            for array in (
                start.hidden_weights,
                start.hidden_bias,
                start.weights,
                start.bias,
            )
        ]
        for index, steps in enumerate(STEPS):
            logits = by_hand(arrays, features, labels, steps=steps, l2=l2)
            np.testing.assert_allclose(ours[index, repeat], logits, atol=1e-9)


def test_what_is_kept_on_the_way_is_where_a_shorter_training_ends(problem, fits):
    for index, steps in enumerate(STEPS):
        shorter = fit_networks(*problem, steps=[steps])
        np.testing.assert_array_equal(shorter.weights[0], fits.weights[index])
    assert fits.steps.tolist() == STEPS


def test_a_network_does_not_see_the_data_of_the_others(problem, fits):
    features, labels = (array.copy() for array in problem)
    features[1:], labels[1:] = features[1:] + 1, 0
    other = fit_networks(features, labels)
    np.testing.assert_allclose(other.weights[:, 0], fits.weights[:, 0], rtol=1e-12)
    assert np.abs(other.weights[:, 1:] - fits.weights[:, 1:]).max() > 0.1


def test_training_lowers_the_loss_of_every_network(problem, fits):
    logits = fits.logits(problem[0])
    before, after = (
        LOSS(problem[1], z).numpy().mean(axis=-1) for z in (logits[0], logits[-1])
    )
    assert (after < before).all()


def test_the_same_seed_gives_the_same_start_under_every_loss(problem):
    start = start_of(problem)
    other = start_of(problem, loss=losses.generalized_crossentropy)
    np.testing.assert_array_equal(other.weights, start.weights)
    assert (start_of(problem, seed=1).weights != start.weights).all()


def test_the_start_has_the_stated_variance():
    features = np.zeros((50, 1, 40))
    start = start_of((features, np.zeros((50, 1), int)), hidden=30)
    assert start.hidden_weights.var() * 40 == pytest.approx(1, abs=0.02)
    assert start.weights.var() * 30 == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(start.hidden_bias, 0, atol=1e-300)


def test_a_rounding_error_at_the_start_stays_small(problem, fits):
    features, labels = problem
    other = fit_networks(features * (1 + 1e-12), labels)
    gap = np.abs(other.logits(features) - fits.logits(features)).max()
    assert 0 < gap < 1e-8


def test_floating_labels_and_one_output_serve_a_yes_or_no_loss(problem):
    features, labels = problem
    yes = (labels[..., None] == 0).astype(np.float32)
    fits = fit_networks(features, yes, loss=binary, outputs=1)
    assert fits.logits(features).shape == (len(STEPS), REPEATS, COUNT, 1)


def test_many_fits_in_a_row_do_not_make_tensorflow_warn(problem, monkeypatch):
    said = []
    logger = tf.get_logger()
    monkeypatch.setattr(logger, "warning", lambda *words: said.append(words))
    for seed in range(8):
        fit_networks(*problem, steps=[1], seed=seed)
    assert said == []


def binary(y_true, y_pred):
    return tf.squeeze(losses.binary_crossentropy(y_true, y_pred), axis=-1)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"features": "ink"}, TypeError, "features must be an array of numbers"),
        (
            {"features": np.zeros((COUNT, WIDTH))},
            ValueError,
            r"features must have shape \(R, N, D\), all at least 1, got \(20, 4\)",
        ),
        (
            {"features": np.full((REPEATS, COUNT, WIDTH), np.nan)},
            ValueError,
            r"features must be finite, got nan at index \(0, 0, 0\)",
        ),
        (
            {"labels": np.zeros((REPEATS, COUNT + 1), int)},
            ValueError,
            r"labels and features must have the same shape, got \(3, 21\) and \(3, 20",
        ),
        ({"steps": 5}, TypeError, "steps must be a sequence, got 5"),
        (
            {"steps": [5, 5]},
            ValueError,
            r"steps must increase and hold at least one, got \[5, 5\]",
        ),
        ({"steps": []}, ValueError, "steps must increase and hold at least one"),
        ({"steps": [0, 5]}, ValueError, r"steps\[0\] must be at least 1, got 0"),
        ({"hidden": 0}, ValueError, "hidden must be at least 1, got 0"),
        ({"outputs": 2.0}, TypeError, "outputs must be an integer, got 2.0"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"l2": -1.0}, ValueError, "l2 must lie in"),
        ({"l2": np.inf}, ValueError, "l2 must be a finite scalar, got inf"),
        ({"l2": [0.1, 0.2]}, ValueError, "l2 must be a finite scalar"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate must be positive"),
        (
            {"loss": lambda y_true, y_pred: tf.reduce_mean(LOSS(y_true, y_pred))},
            ValueError,
            r"loss must return one value for each example, shape \(3, 20\), got shape",
        ),
        (
            {"loss": lambda y_true, y_pred: tf.cast(LOSS(y_true, y_pred), tf.float32)},
            TypeError,
            "loss must return float64 for float64 logits, got float32",
        ),
        (
            {"loss": lambda y_true, y_pred: tf.math.log(-LOSS(y_true, y_pred))},
            ValueError,
            r"loss must be finite before the first step, got nan at index \(0, 0\)",
        ),
    ],
)
def test_a_bad_argument_is_named(problem, changes, error, message):
    arguments = {"features": problem[0], "labels": problem[1], **changes}
    with pytest.raises(error, match=message):
        fit_networks(arguments.pop("features"), arguments.pop("labels"), **arguments)


@pytest.mark.parametrize(
    "shape", [(COUNT, WIDTH), (REPEATS + 1, 2, WIDTH), (REPEATS, 2, WIDTH + 1)]
)
def test_features_that_do_not_fit_the_networks_are_refused(fits, shape):
    with pytest.raises(ValueError, match="features"):
        fits.logits(np.zeros(shape))
