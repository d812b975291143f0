"""The fit is the minimum of its objective, as scikit-learn finds it too."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from scipy import optimize
from sklearn.linear_model import LogisticRegression

from lossfn import data, nn, train

SOFTMAX = nn.softmax_cross_entropy_with_logits
SPARSE = nn.sparse_softmax_cross_entropy_with_logits
SIGMOID = nn.sigmoid_cross_entropy_with_logits
L2 = 1e-2


def weighted(pos_weight, module=nn):
    return functools.partial(
        module.weighted_cross_entropy_with_logits, pos_weight=pos_weight
    )


def sklearn_fit(features, labels, *, l2=L2, class_weight=None, sample_weight=None):
    """Minimise the same objective with scikit-learn; coefficients (D, K), bias (K,)."""
    model = LogisticRegression(
        C=1 / (len(features) * l2),
        class_weight=class_weight,
        solver="newton-cg",
        tol=1e-12,
        max_iter=10_000,
    ).fit(features, labels, sample_weight=sample_weight)
    return model.coef_.T, model.intercept_


def assert_same_model(fit, weights, bias):
    """Six digits and more of every coefficient."""
    np.testing.assert_allclose(fit.weights, weights, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(fit.bias, bias, rtol=1e-7, atol=1e-7)


@pytest.fixture(scope="module")
def cancer():
    return data.load_breast_cancer(seed=0)


@pytest.fixture(scope="module")
def digits():
    return data.load_digits(seed=0)


@pytest.fixture(scope="module")
def overlapping():
    """A small problem whose classes overlap, so that it has a minimum without l2."""
    generator = np.random.default_rng(3)
    features = generator.normal(size=(60, 3))
    noise = generator.logistic(size=(60, 4))
    scores = features @ generator.normal(size=(3, 4)) + noise
    return features, scores.argmax(axis=1), (scores > 0).astype(float)


@pytest.mark.parametrize("module", [nn, tf.nn], ids=["lossfn.nn", "tf.nn"])
def test_binary_agrees_with_scikit_learn(cancer, module):
    fit = train.fit_linear(
        cancer.x_train,
        cancer.y_train,
        loss=module.sigmoid_cross_entropy_with_logits,
        outputs=1,
        l2=L2,
    )
    assert_same_model(fit, *sklearn_fit(cancer.x_train, cancer.y_train))


@pytest.mark.parametrize("module", [nn, tf.nn], ids=["lossfn.nn", "tf.nn"])
def test_sparse_multi_class_agrees_with_scikit_learn(digits, module):
    fit = train.fit_linear(
        digits.x_train,
        digits.y_train,
        loss=module.sparse_softmax_cross_entropy_with_logits,
        outputs=10,
        l2=L2,
    )
    weights, bias = sklearn_fit(digits.x_train, digits.y_train)
    # A softmax does not see a number added to every bias; ours add up to nothing.
    assert fit.bias.sum() == pytest.approx(0, abs=1e-9)
    assert_same_model(fit, weights, bias - bias.mean())


@pytest.mark.parametrize("module", [nn, tf.nn], ids=["lossfn.nn", "tf.nn"])
def test_dense_multi_class_agrees_with_scikit_learn(overlapping, module):
    features, classes, _ = overlapping
    fit = train.fit_linear(
        features,
        np.eye(4)[classes],
        loss=module.softmax_cross_entropy_with_logits,
        outputs=4,
        l2=L2,
    )
    weights, bias = sklearn_fit(features, classes)
    assert_same_model(fit, weights, bias - bias.mean())


def test_multi_label_agrees_with_one_scikit_learn_fit_per_label():
    split = data.load_digit_properties(seed=0)
    fit = train.fit_linear(split.x_train, split.y_train, loss=SIGMOID, outputs=3, l2=L2)
    fits = [sklearn_fit(split.x_train, labels) for labels in split.y_train.T]
    weights, bias = (
        np.concatenate(parts, axis=-1) for parts in zip(*fits, strict=True)
    )
    assert_same_model(fit, weights, bias)


@pytest.mark.parametrize("pos_weight", [0.2, 1.0, 10.0])
def test_pos_weight_agrees_with_scikit_learns_class_weight(pos_weight):
    split = data.load_digit_detector(digit=8, seed=0)
    fit = train.fit_linear(
        split.x_train, split.y_train, loss=weighted(pos_weight), outputs=1, l2=L2
    )
    expected = sklearn_fit(
        split.x_train, split.y_train, class_weight={0: 1.0, 1: pos_weight}
    )
    assert_same_model(fit, *expected)


def test_sample_weights_agree_with_scikit_learn(cancer):
    sample_weight = np.random.default_rng(0).uniform(0, 3, size=len(cancer.y_train))
    fit = train.fit_linear(
        cancer.x_train,
        cancer.y_train,
        loss=SIGMOID,
        outputs=1,
        l2=L2,
        sample_weight=sample_weight,
    )
    expected = sklearn_fit(cancer.x_train, cancer.y_train, sample_weight=sample_weight)
    assert_same_model(fit, *expected)


def test_an_example_of_weight_2_counts_as_two_examples(overlapping):
    features, classes, _ = overlapping
    twice = np.arange(60) < 10
    fit = functools.partial(train.fit_linear, loss=SPARSE, outputs=4)
    by_weight = fit(features, classes, sample_weight=1.0 + twice, l2=L2 * 70 / 60)
    by_copies = fit(
        np.concatenate([features, features[twice]]),
        np.concatenate([classes, classes[twice]]),
        l2=L2,
    )
    assert_same_model(by_weight, by_copies.weights, by_copies.bias)


def test_a_weighted_loss_equals_a_weighted_example(overlapping):
    features, _, labels = overlapping
    label = labels[:, 0]
    fit = functools.partial(train.fit_linear, features, label, outputs=1, l2=L2)
    by_loss = fit(loss=weighted(4.0))
    by_example = fit(loss=SIGMOID, sample_weight=np.where(label == 1, 4.0, 1.0))
    assert_same_model(by_loss, by_example.weights, by_example.bias)


def softmax_objective(parameters, features, one_hot, l2):
    """Write the objective out in NumPy, apart from the package."""
    weights, bias = parameters[:-1], parameters[-1]
    logits = features @ weights + bias
    log_sum = np.log(np.exp(logits).sum(axis=1))
    losses = log_sum - (one_hot * logits).sum(axis=1)
    return losses.mean() + l2 / 2 * (weights**2).sum()


def sigmoid_objective(parameters, features, labels, l2):
    weights, bias = parameters[:-1], parameters[-1]
    logits = features @ weights + bias
    losses = np.logaddexp(0, logits) - labels * logits
    return losses.sum(axis=1).mean() + l2 / 2 * (weights**2).sum()


WRITTEN_OUT = {
    "softmax": (SOFTMAX, softmax_objective),
    "sigmoid": (SIGMOID, sigmoid_objective),
}


@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize(("loss", "objective"), WRITTEN_OUT.values(), ids=WRITTEN_OUT)
def test_the_gradient_is_zero_by_finite_differences(overlapping, loss, objective, l2):
    features, classes, labels = overlapping
    labels = np.eye(4)[classes] if loss is SOFTMAX else labels
    fit = train.fit_linear(features, labels, loss=loss, outputs=4, l2=l2)
    found = np.vstack([fit.weights, fit.bias])

    def flat_objective(parameters):
        return objective(parameters.reshape(found.shape), features, labels, l2)

    assert fit.history[-1] == pytest.approx(flat_objective(found.ravel()), rel=1e-13)
    step = 1e-5
    slopes = [
        (flat_objective(found.ravel() + e) - flat_objective(found.ravel() - e))
        / (2 * step)
        for e in step * np.eye(found.size)
    ]
    np.testing.assert_allclose(slopes, 0, atol=1e-9)
    # Away from the minimum the same differences are not zero.
    assert (
        abs(optimize.approx_fprime(np.zeros(found.size), flat_objective)).max() > 1e-2
    )


@pytest.mark.parametrize(("loss", "objective"), WRITTEN_OUT.values(), ids=WRITTEN_OUT)
def test_the_minimum_is_that_of_a_general_optimiser(overlapping, loss, objective):
    features, classes, labels = overlapping
    labels = np.eye(4)[classes] if loss is SOFTMAX else labels
    fit = train.fit_linear(features, labels, loss=loss, outputs=4, l2=L2)
    shape = (4, 4)
    other = optimize.minimize(
        lambda flat: objective(flat.reshape(shape), features, labels, L2),
        np.zeros(16),
        tol=1e-12,
    )
    assert fit.history[-1] <= other.fun + 1e-14
    assert fit.history[-1] == pytest.approx(other.fun, rel=1e-9)


def test_the_history_falls_from_the_objective_at_zero_and_ends_flat(digits):
    fit = train.fit_linear(
        digits.x_train, digits.y_train, loss=SPARSE, outputs=10, l2=1e-3
    )
    assert fit.history[0] == pytest.approx(np.log(10), rel=1e-14)
    assert np.all(np.diff(fit.history) <= 1e-14)
    assert fit.history[1] < fit.history[0] - 0.5
    assert 5 <= len(fit.history) <= 20
    assert fit.gradient_norm < 1e-14


def undamped_newton(features, labels, l2, steps):
    """Return the objective at each full Newton step, in NumPy."""
    extended = np.column_stack([features, np.ones(len(features))])
    penalty = np.diag([l2] * features.shape[1] + [0.0])
    parameters, history = np.zeros(extended.shape[1]), []
    for _ in range(steps):
        logits = extended @ parameters
        losses = np.logaddexp(0, logits) - labels * logits
        history.append(losses.mean() + parameters @ penalty @ parameters / 2)
        chances = 1 / (1 + np.exp(-np.clip(logits, -700, 700)))
        gradient = extended.T @ (chances - labels) / len(labels) + penalty @ parameters
        curvature = chances * (1 - chances) / len(labels)
        hessian = (extended * curvature[:, None]).T @ extended + penalty
        parameters = parameters - np.linalg.solve(hessian, gradient)
    return np.array(history)


def test_steps_are_shortened_where_full_ones_would_go_too_far(cancer):
    l2 = 1e-8
    full_steps = undamped_newton(cancer.x_train, cancer.y_train, l2, steps=12)
    assert np.diff(full_steps).max() > 0.01
    fit = train.fit_linear(
        cancer.x_train, cancer.y_train, loss=SIGMOID, outputs=1, l2=l2
    )
    assert np.all(np.diff(fit.history) <= 1e-14)
    assert fit.history[-1] < full_steps.min() / 10
    assert fit.gradient_norm < 1e-14


def test_shapes_and_dtypes(overlapping):
    features, classes, _ = overlapping
    fit = train.fit_linear(features, classes, loss=SPARSE, outputs=4, l2=L2)
    assert (fit.weights.shape, fit.bias.shape) == ((3, 4), (4,))
    assert fit.weights.dtype == fit.bias.dtype == fit.history.dtype == np.float64
    assert isinstance(fit.gradient_norm, float)
    np.testing.assert_allclose(
        fit.logits(features), features @ fit.weights + fit.bias, rtol=1e-15
    )


def test_one_logit_per_example_follows_the_labels(overlapping):
    features, _, labels = overlapping
    fit = functools.partial(train.fit_linear, features, loss=SIGMOID, outputs=1, l2=L2)
    vector, column = fit(labels[:, 0]), fit(labels[:, :1])
    assert vector.logits(features).shape == (60,)
    assert column.logits(features).shape == (60, 1)
    assert np.array_equal(vector.logits(features), column.logits(features)[:, 0])


def test_float32_arrays_are_fitted_in_float64(overlapping):
    features, _, labels = overlapping
    rounded = features.astype(np.float32)
    fit = functools.partial(train.fit_linear, loss=SIGMOID, outputs=4, l2=L2)
    from_float32 = fit(rounded, labels.astype(np.float32))
    from_float64 = fit(rounded.astype(np.float64), labels)
    assert np.array_equal(from_float32.weights, from_float64.weights)


def test_features_that_repeat_each_other_share_the_weight():
    features = np.eye(2)[[0, 0, 0, 1, 1, 1]]
    labels = np.array([0.0, 1, 1, 1, 0, 0])
    fit = train.fit_linear(features, labels, loss=SIGMOID, outputs=1, l2=0.0)
    # Each group's best logit is the log odds of its share, and with the bias there are
    # many ways to reach it: the shortest one is found.
    np.testing.assert_allclose(
        fit.logits(features), np.repeat([np.log(2), -np.log(2)], 3), rtol=1e-12
    )
    np.testing.assert_allclose(fit.bias, 0, atol=1e-12)


@pytest.mark.parametrize("pos_weight", [0.25, 5.0])
def test_pos_weight_shifts_the_best_logit_by_its_logarithm(pos_weight):
    features = np.eye(2)[[0, 0, 0, 1, 1, 1]]
    labels = np.array([0.0, 1, 1, 1, 0, 0])
    fit = functools.partial(train.fit_linear, features, labels, outputs=1, l2=0.0)
    shift = fit(loss=weighted(pos_weight)).logits(features) - fit(loss=SIGMOID).logits(
        features
    )
    np.testing.assert_allclose(shift, np.log(pos_weight), rtol=1e-12)


SIX = np.arange(6.0)[:, None] - 2.5
NO_MINIMUM = (
    "the objective has no minimum: it keeps falling in a direction in which it has "
    "become flat, as on separable data without a penalty; use l2 > 0, and examples of "
    "every class"
)
NOT_CONVERGED = (
    "the fit did not converge in max_steps={} Newton steps: the last one still moved a "
    "logit by more than tolerance=1e-08; with little or no penalty on separable data "
    "there may be no minimum"
)
WRONG_DERIVATIVES = (
    "no step along the Newton direction lowers the objective: loss must be convex in "
    "logits, and its first and second derivatives those of its value"
)
WITHOUT_A_MINIMUM = {
    "separable": (
        dict(features=SIX, labels=(SIX[:, 0] > 0).astype(float), l2=0.0),
        NOT_CONVERGED.format(50),
    ),
    "a group of one class": (
        dict(
            features=np.eye(3)[[0, 0, 1, 1, 2, 2]],
            labels=np.array([0.0, 1, 1, 1, 0, 1]),
            l2=0.0,
        ),
        NO_MINIMUM,
    ),
    "one class only": (dict(features=SIX, labels=np.ones(6), l2=0.1), NO_MINIMUM),
    "a class without examples": (
        dict(
            features=SIX,
            labels=np.array([0, 0, 1, 0, 1, 1]),
            l2=0.1,
            loss=SPARSE,
            outputs=3,
        ),
        NO_MINIMUM,
    ),
    "too few steps": (
        dict(
            features=SIX,
            labels=np.array([0.0, 0, 1, 0, 1, 1]),
            l2=0.1,
            max_steps=2,
        ),
        NOT_CONVERGED.format(2),
    ),
}


@pytest.mark.parametrize(
    ("arguments", "message"), WITHOUT_A_MINIMUM.values(), ids=WITHOUT_A_MINIMUM
)
def test_no_minimum_is_an_error(arguments, message):
    with pytest.raises(RuntimeError) as caught:
        train.fit_linear(**{"loss": SIGMOID, "outputs": 1, **arguments})
    assert str(caught.value) == message


def test_a_penalty_gives_separable_data_a_minimum():
    labels = (SIX[:, 0] > 0).astype(float)
    fit = train.fit_linear(SIX, labels, loss=SIGMOID, outputs=1, l2=0.1)
    assert_same_model(fit, *sklearn_fit(SIX, labels, l2=0.1))


def test_tf_nns_weighted_loss_cannot_take_the_first_step_and_ours_can():
    # All features are positive, so that the sign of the gradient is that of the bias.
    features, labels = SIX + 3, np.array([0.0, 0, 1, 0, 1, 1])
    fit = functools.partial(train.fit_linear, features, labels, outputs=1, l2=L2)
    with pytest.raises(RuntimeError) as caught:
        fit(loss=weighted(20.0, tf.nn))
    assert str(caught.value) == WRONG_DERIVATIVES
    expected = sklearn_fit(features, labels, class_weight={0: 1.0, 1: 20.0})
    assert_same_model(fit(loss=weighted(20.0)), *expected)


def concave(*, labels, logits):
    return -SIGMOID(labels=labels, logits=logits)


def reduced(*, labels, logits):
    return tf.reduce_mean(SIGMOID(labels=labels, logits=logits))


def rounded(*, labels, logits):
    return tf.cast(SIGMOID(labels=labels, logits=logits), tf.float32)


def constant(*, labels, logits):
    return tf.ones_like(labels)


def infinite(*, labels, logits):
    return SIGMOID(labels=labels, logits=logits) / 0.0


def test_a_concave_loss_is_refused():
    labels = np.array([0.0, 0, 1, 0, 1, 1])
    with pytest.raises(RuntimeError) as caught:
        train.fit_linear(SIX, labels, loss=concave, outputs=1, l2=0.0)
    assert str(caught.value) == WRONG_DERIVATIVES


def flat(*, labels, logits):
    """Claim that a slope of 1 is all there is: the second derivative is 0."""
    return logits + 2.0


def test_a_second_derivative_of_zero_is_no_minimum():
    with pytest.raises(RuntimeError) as caught:
        train.fit_linear(np.zeros((4, 1)), np.ones(4), loss=flat, outputs=1, l2=0.0)
    assert str(caught.value) == (
        "the fit stopped at a gradient of norm 1, where the second derivative of loss "
        "is 0: it must be that of its value"
    )


NEGATIVE = "must be finite and not negative, got"
REFUSED = {
    "features a vector": (
        dict(features=np.ones(6)),
        ValueError,
        "features must have shape (N, D) with N and D at least 1, got (6,)",
    ),
    "features empty": (
        dict(features=np.ones((0, 2))),
        ValueError,
        "features must have shape (N, D) with N and D at least 1, got (0, 2)",
    ),
    "features not finite": (
        dict(features=np.where(SIX == 0.5, np.nan, SIX)),
        ValueError,
        "features must be finite, got nan at index (3, 0)",
    ),
    "labels of another number": (
        dict(labels=np.ones(5)),
        ValueError,
        "labels and features must have the same shape, got (5,) and (6,)",
    ),
    "labels without an axis": (
        dict(labels=1.0),
        ValueError,
        "labels and features must have the same shape, got () and (6,)",
    ),
    "no outputs": (
        dict(outputs=0),
        ValueError,
        "outputs must be positive and finite, got 0.0",
    ),
    "half an output": (
        dict(outputs=1.5),
        TypeError,
        "outputs must have an integer dtype, got float64",
    ),
    "negative l2": (dict(l2=-1.0), ValueError, f"l2 {NEGATIVE} -1.0"),
    "infinite l2": (dict(l2=np.inf), ValueError, f"l2 {NEGATIVE} inf"),
    "negative sample weight": (
        dict(sample_weight=[1, 1, -1, 1, 1, 1]),
        ValueError,
        f"sample_weight {NEGATIVE} -1.0 at index (2,)",
    ),
    "sample weight of another shape": (
        dict(sample_weight=np.ones((6, 1))),
        ValueError,
        "sample_weight and features must have the same shape, got (6, 1) and (6,)",
    ),
    "no tolerance": (
        dict(tolerance=0.0),
        ValueError,
        "tolerance must be positive and finite, got 0.0",
    ),
    "no steps": (
        dict(max_steps=0),
        ValueError,
        "max_steps must be positive and finite, got 0.0",
    ),
    "a reduced loss": (
        dict(loss=reduced),
        ValueError,
        "loss must return one value for each example, shape (N,) or (N, L) with "
        "N = 6, got shape ()",
    ),
    "a float32 loss": (
        dict(loss=rounded),
        TypeError,
        "loss must return float64 for float64 logits, got float32",
    ),
    "a constant loss": (
        dict(loss=constant),
        ValueError,
        "loss must depend on logits, got one that does not",
    ),
    "an infinite loss": (
        dict(loss=infinite),
        ValueError,
        "loss must be finite where all logits are 0, got a mean of inf",
    ),
}


@pytest.mark.parametrize(("changed", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_arguments(changed, error, message):
    arguments = dict(features=SIX, labels=np.ones(6), loss=SIGMOID, outputs=1, l2=0.1)
    with pytest.raises(error) as caught:
        train.fit_linear(**{**arguments, **changed})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (
            np.ones((2, 3)),
            "features and training features must have the same shape, "
            "got (2, 3) and (2, 1)",
        ),
        (
            np.ones(1),
            "features must have shape (N, D) with N and D at least 1, got (1,)",
        ),
    ],
)
def test_refused_features_of_logits(features, message):
    labels = np.array([0.0, 0, 1, 0, 1, 1])
    fit = train.fit_linear(SIX, labels, loss=SIGMOID, outputs=1, l2=0.1)
    with pytest.raises(ValueError) as caught:
        fit.logits(features)
    assert str(caught.value) == message
