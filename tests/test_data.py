"""The data sets are scikit-learn's, split the same way every time."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn import datasets

from lossfn import data

SEEDS = (0, 1, 2024)
LOADERS = {
    "digits": data.load_digits,
    "digit properties": data.load_digit_properties,
    "digit detector": lambda *, seed: data.load_digit_detector(digit=8, seed=seed),
    "breast cancer": data.load_breast_cancer,
}
each_loader = pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
each_seed = pytest.mark.parametrize("seed", SEEDS)


def rows(features):
    """Return the rows as a sorted list of tuples, to compare sets with repeats."""
    return sorted(map(tuple, np.asarray(features).tolist()))


def with_labels(features, labels):
    return np.column_stack([features, labels])


@each_seed
def test_digits_are_those_of_scikit_learn(seed):
    images, digits = datasets.load_digits(return_X_y=True)
    split = data.load_digits(seed=seed)
    ours = with_labels(
        np.concatenate([split.x_train, split.x_test]) * 16,
        np.concatenate([split.y_train, split.y_test]),
    )
    assert rows(ours) == rows(with_labels(images, digits))


@each_seed
def test_breast_cancer_is_that_of_scikit_learn_with_the_labels_turned_round(seed):
    measured, benign = datasets.load_breast_cancer(return_X_y=True)
    split = data.load_breast_cancer(seed=seed)
    # Standardised columns keep their order, which finds each example again.
    ours = np.concatenate([split.x_train, split.x_test])
    order = np.lexsort(np.round(ours, 9).T)
    expected_order = np.lexsort(measured.T)
    malignant = np.concatenate([split.y_train, split.y_test])
    assert np.array_equal(malignant[order], 1 - benign[expected_order])
    restored = ours[order] @ np.diag(measured.std(axis=0)) + measured.mean(axis=0)
    for column in range(measured.shape[1]):
        correlation = np.corrcoef(
            restored[:, column], measured[expected_order][:, column]
        )
        assert correlation[0, 1] == pytest.approx(1, abs=1e-12)


def test_malignant_masses_are_larger_and_rarer():
    names = list(datasets.load_breast_cancer().feature_names)
    split = data.load_breast_cancer(seed=0)
    radius = split.x_train[:, names.index("mean radius")]
    malignant = split.y_train == 1
    assert radius[malignant].mean() > 0.9
    assert radius[~malignant].mean() < -0.5
    assert malignant.sum() < (~malignant).sum()
    assert list(datasets.load_breast_cancer().target_names) == ["malignant", "benign"]


@each_seed
def test_breast_cancer_is_standardised_by_its_training_part(seed):
    split = data.load_breast_cancer(seed=seed)
    np.testing.assert_allclose(split.x_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(split.x_train.std(axis=0), 1, rtol=1e-12)
    assert np.abs(split.x_test.mean(axis=0)).max() > 0.01


@each_seed
def test_pixels_are_shares_of_ink(seed):
    split = data.load_digits(seed=seed)
    for part in (split.x_train, split.x_test):
        assert part.min() == 0
        assert part.max() == 1


@pytest.mark.parametrize(
    ("load", "shapes", "dtype"),
    [
        (LOADERS["digits"], [(1347, 64), (450, 64), (1347,), (450,)], np.int64),
        (
            LOADERS["digit properties"],
            [(1347, 64), (450, 64), (1347, 3), (450, 3)],
            np.float64,
        ),
        (LOADERS["digit detector"], [(1347, 64), (450, 64), (1347,), (450,)], "f8"),
        (LOADERS["breast cancer"], [(426, 30), (143, 30), (426,), (143,)], "f8"),
    ],
    ids=LOADERS,
)
def test_sizes_and_dtypes(load, shapes, dtype):
    split = load(seed=3)
    assert [part.shape for part in split] == shapes
    assert {part.dtype for part in (split.x_train, split.x_test)} == {np.dtype("f8")}
    assert {part.dtype for part in (split.y_train, split.y_test)} == {np.dtype(dtype)}


@each_seed
def test_every_digit_keeps_its_share(seed):
    split = data.load_digits(seed=seed)
    total = np.bincount(datasets.load_digits().target)
    np.testing.assert_allclose(np.bincount(split.y_test), total / 4, atol=1)
    np.testing.assert_allclose(np.bincount(split.y_train), total * 3 / 4, atol=1)


@each_seed
def test_malignant_masses_keep_their_share(seed):
    split = data.load_breast_cancer(seed=seed)
    share = 212 / 569
    assert split.y_train.mean() == pytest.approx(share, abs=1 / 426)
    assert split.y_test.mean() == pytest.approx(share, abs=1 / 143)


@each_seed
@each_loader
def test_no_example_is_in_both_parts(load, seed):
    split = load(seed=seed)
    assert not set(rows(split.x_train)) & set(rows(split.x_test))


@each_loader
def test_the_seed_decides_the_split(load):
    first, again, other = load(seed=7), load(seed=7), load(seed=8)
    for part, same in zip(first, again, strict=True):
        assert np.array_equal(part, same)
    assert not np.array_equal(first.x_train, other.x_train)


@pytest.mark.parametrize(
    ("name", "has_property"),
    [
        ("even", lambda digit: digit % 2 == 0),
        (
            "prime",
            lambda digit: digit > 1 and all(digit % n for n in range(2, digit)),
        ),
        ("has a loop", lambda digit: str(digit) in "04689"),
    ],
    ids=list(data.DIGIT_PROPERTIES),
)
def test_properties_are_what_they_are_called(name, has_property):
    members = tuple(digit for digit in range(10) if has_property(digit))
    assert data.DIGIT_PROPERTIES[name] == members
    digits, properties = (
        load(seed=4) for load in (data.load_digits, data.load_digit_properties)
    )
    column = list(data.DIGIT_PROPERTIES).index(name)
    expected = [float(has_property(int(digit))) for digit in digits.y_test]
    assert properties.y_test[:, column].tolist() == expected


@pytest.mark.parametrize("digit", range(10))
def test_detector_says_whether_it_is_the_digit(digit):
    digits = data.load_digits(seed=4)
    detector = data.load_digit_detector(digit=digit, seed=4)
    assert np.array_equal(detector.x_train, digits.x_train)
    assert set(np.unique(detector.y_train)) == {0.0, 1.0}
    assert np.array_equal(detector.y_train == 1, digits.y_train == digit)
    assert np.array_equal(detector.y_test == 1, digits.y_test == digit)
    assert 0.09 < detector.y_train.mean() < 0.11


def test_the_digit_loaders_share_one_split():
    digits, properties = data.load_digits(seed=9), data.load_digit_properties(seed=9)
    assert np.array_equal(digits.x_train, properties.x_train)
    assert np.array_equal(digits.x_test, properties.x_test)


@each_loader
def test_the_seed_has_no_default(load):
    with pytest.raises(TypeError, match=r"required keyword-only argument: 'seed'$"):
        load()


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (None, TypeError, "seed must be an integer, got None"),
        (0.5, TypeError, "seed must be an integer, got 0.5"),
        ("0", TypeError, "seed must be an integer, got '0'"),
        (-1, ValueError, "seed must lie in [0, 4294967295], got -1"),
        (2**32, ValueError, "seed must lie in [0, 4294967295], got 4294967296"),
    ],
)
@each_loader
def test_refused_seeds(load, seed, error, message):
    with pytest.raises(error) as caught:
        load(seed=seed)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("digit", "error", "message"),
    [
        (10, ValueError, "digit must lie in [0, 9], got 10"),
        (-1, ValueError, "digit must lie in [0, 9], got -1"),
        (8.0, TypeError, "digit must be an integer, got 8.0"),
        (None, TypeError, "digit must be an integer, got None"),
    ],
)
def test_refused_digits(digit, error, message):
    with pytest.raises(error) as caught:
        data.load_digit_detector(digit=digit, seed=0)
    assert str(caught.value) == message


@each_loader
def test_without_scikit_learn_the_error_says_what_to_install(load, monkeypatch):
    # None in sys.modules is how Python marks a module that cannot be imported.
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(ImportError) as caught:
        load(seed=0)
    assert str(caught.value) == (
        "the data sets come from scikit-learn, which is not installed; "
        "pip install lossfn[data]"
    )


def test_importing_the_module_imports_neither_scikit_learn_nor_tensorflow():
    code = (
        "import sys, lossfn.data; "
        "print(sorted({'sklearn', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
