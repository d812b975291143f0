"""The figures hold the numbers they were given, and can be read without colour."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt

from lossfn import plot


@pytest.fixture(autouse=True)
def _own_figures():
    """Draw without a screen, and leave the style and the figures as they were."""
    plt.switch_backend("agg")
    with mpl.rc_context():
        plot.use_style()
        yield
    plt.close("all")


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def luminance(color):
    """Return the relative luminance of WCAG 2."""
    channels = np.array(colors.to_rgb(color))
    linear = np.where(
        channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
    )
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast_on_white(color):
    return 1.05 / (luminance(color) + 0.05)


def test_the_style_set_twice_is_the_style_set_once():
    once = dict(mpl.rcParams)
    plot.use_style()
    assert dict(mpl.rcParams) == once


def test_the_style_does_not_choose_how_figures_are_shown():
    with mpl.rc_context():
        mpl.rcdefaults()
        default = dict(mpl.rcParams)
        plot.use_style()
        changed = {key for key in default if mpl.rcParams[key] != default[key]}
    groups = {key.split(".")[0] for key in changed - {"savefig.facecolor"}}
    assert groups <= {
        *("figure", "axes", "font", "xtick", "ytick"),
        *("legend", "text", "grid", "lines", "hatch"),
    }
    assert "axes.prop_cycle" in changed


def test_figures_are_white_and_text_on_them_is_dark():
    figure, ax = plt.subplots()
    assert colors.to_hex(figure.get_facecolor()) == "#ffffff"
    assert colors.to_hex(ax.get_facecolor()) == "#ffffff"
    assert contrast_on_white(ax.xaxis.label.get_color()) > 12
    assert not ax.spines["top"].get_visible()
    assert not ax.spines["right"].get_visible()


def test_figures_are_sharp_in_a_column_of_700_pixels():
    figure, _ = plt.subplots()
    assert figure.bbox.width == pytest.approx(960)


def test_curves_differ_in_colour_and_in_line_style():
    assert len(set(plot.LINE_COLORS)) == len(plot.LINE_COLORS)
    assert len(set(plot.LINE_STYLES)) == len(plot.LINE_STYLES) == len(plot.MARKERS)
    cycle = list(mpl.rcParams["axes.prop_cycle"])
    assert [entry["color"] for entry in cycle] == list(plot.LINE_COLORS)
    assert [entry["linestyle"] for entry in cycle] == list(plot.LINE_STYLES)
    assert min(contrast_on_white(color) for color in plot.LINE_COLORS) > 2


def test_curves_hold_the_data_and_their_names():
    x = np.linspace(-2, 2, 5)
    curves = {"square": x**2, "cube": x**3}
    ax = plot.plot_curves(x, curves, xlabel="logit", ylabel="loss (nats)")
    assert [line.get_label() for line in ax.lines] == ["square", "cube"]
    for line, values in zip(ax.lines, curves.values(), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), x)
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert legend_of(ax) == ["square", "cube"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("logit", "loss (nats)")
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "linear")


def test_one_curve_needs_no_legend():
    ax = plot.plot_curves([1, 2], {"only": [3, 4]}, xlabel="x", ylabel="y")
    assert ax.get_legend() is None


def test_logarithmic_axes():
    ax = plot.plot_curves(
        [1, 10], {"only": [3, 4]}, xlabel="x", ylabel="y", logx=True, logy=True
    )
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_curves_may_hold_values_that_are_not_finite():
    y = [0.0, np.inf, np.nan, 2.0]
    ax = plot.plot_curves([1, 2, 3, 4], {"only": y}, xlabel="x", ylabel="y", logy=True)
    ax.figure.canvas.draw()
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), y)


def test_distributions_are_bars_side_by_side():
    p, q = [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]
    ax = plot.plot_distributions(p, q, labels=["a", "b", "c"])
    first, second = ax.containers
    np.testing.assert_allclose([bar.get_height() for bar in first], p)
    np.testing.assert_allclose([bar.get_height() for bar in second], q)
    for position, (left, right) in enumerate(zip(first, second, strict=True)):
        assert left.get_x() + left.get_width() == pytest.approx(right.get_x())
        assert right.get_x() == pytest.approx(position)
        assert not left.get_hatch()
        assert right.get_hatch()
    assert [text.get_text() for text in ax.get_xticklabels()] == ["a", "b", "c"]
    assert legend_of(ax) == ["truth p", "model q"]
    assert ax.get_ylabel() == "probability"


def test_precision_recall_holds_curves_points_and_the_base_rate():
    recall, precision = np.array([1.0, 0.5, 0.0]), np.array([0.1, 0.8, 1.0])
    ax = plot.plot_precision_recall(
        {"curve": (recall, precision), "point": ([0.4], [0.7])}, base_rate=0.1
    )
    curve, point, always_yes = ax.lines
    np.testing.assert_array_equal(curve.get_xdata(), recall)
    np.testing.assert_array_equal(curve.get_ydata(), precision)
    assert (point.get_xdata(), point.get_ydata()) == ([0.4], [0.7])
    assert curve.get_marker() == "None"
    assert (point.get_marker(), point.get_linestyle()) == ("s", "None")
    assert list(always_yes.get_ydata()) == [0.1, 0.1]
    assert legend_of(ax) == ["curve", "point", "always yes"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("recall", "precision")


def test_precision_recall_without_a_base_rate():
    ax = plot.plot_precision_recall({"curve": ([0, 1], [1, 0.5])})
    assert len(ax.lines) == 1


def test_reliability_agrees_with_scikit_learn():
    calibration = pytest.importorskip("sklearn.calibration")
    generator = np.random.default_rng(0)
    probabilities = generator.uniform(0.15, 0.95, size=500)
    outcomes = (generator.uniform(size=500) < probabilities).astype(float)
    ours = plot.reliability(probabilities, outcomes, bins=7)
    observed, predicted = calibration.calibration_curve(
        outcomes, probabilities, n_bins=7
    )
    np.testing.assert_allclose(ours.observed, observed, rtol=1e-12)
    np.testing.assert_allclose(ours.predicted, predicted, rtol=1e-12)
    assert ours.count.sum() == 500


def test_reliability_leaves_out_empty_bins_and_closes_the_last():
    ours = plot.reliability([0, 0.05, 0.5, 1], [0, 1, 1, 1], bins=4)
    np.testing.assert_allclose(ours.predicted, [0.025, 0.5, 1])
    np.testing.assert_allclose(ours.observed, [0.5, 1, 1])
    assert ours.count.tolist() == [2, 1, 1]


def test_a_forecast_that_is_right_by_construction_lies_on_the_diagonal():
    probabilities = np.repeat([0.1, 0.3, 0.7], 10)
    outcomes = np.concatenate([np.arange(10) < 10 * p for p in (0.1, 0.3, 0.7)])
    ours = plot.reliability(probabilities, outcomes, bins=10)
    np.testing.assert_allclose(ours.predicted, ours.observed)


def test_the_calibration_error_is_the_mean_distance_of_an_example_from_the_diagonal():
    generator = np.random.default_rng(2)
    probabilities = generator.uniform(size=300)
    outcomes = (generator.uniform(size=300) < probabilities**2).astype(float)
    expected = 0.0
    for low in np.arange(4) / 4:
        chosen = (probabilities >= low) & (probabilities < low + 1 / 4)
        expected += abs(np.sum(probabilities[chosen] - outcomes[chosen])) / 300
    ours = plot.expected_calibration_error(probabilities, outcomes, bins=4)
    assert ours == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("said", "outcomes", "expected"),
    [
        (0.5, [0, 1], 0.0),
        (1.0, [1, 1], 0.0),
        (1.0, [0, 0], 1.0),
        (0.75, [0, 1], 0.25),
        (0.25, [0, 1], 0.25),
    ],
)
def test_the_calibration_error_of_one_level_is_its_gap(said, outcomes, expected):
    assert plot.expected_calibration_error([said, said], outcomes) == expected


def test_the_reliability_diagram_holds_the_diagonal_and_the_models():
    outcomes = [0, 1, 0, 1]
    models = {"good": [0.1, 0.9, 0.2, 0.8], "poor": [0.6, 0.4, 0.6, 0.4]}
    ax = plot.plot_reliability(models, outcomes, bins=5)
    diagonal, good, poor = ax.lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    for line, probabilities in zip((good, poor), models.values(), strict=True):
        expected = plot.reliability(probabilities, outcomes, bins=5)
        np.testing.assert_array_equal(line.get_xdata(), expected.predicted)
        np.testing.assert_array_equal(line.get_ydata(), expected.observed)
    assert good.get_marker() != poor.get_marker()
    assert good.get_linestyle() != poor.get_linestyle()
    assert legend_of(ax) == ["calibrated", "good", "poor"]


@pytest.mark.parametrize("shape", [(7, 64), (7, 8, 8)], ids=str)
def test_digits_are_in_a_grid_in_reading_order(shape):
    images = np.random.default_rng(1).uniform(size=shape)
    titles = [str(number) for number in range(7)]
    ax = plot.plot_digits(images, titles, columns=3)
    assert len(ax.images) == 7
    for image, expected in zip(ax.images, images.reshape(7, 8, 8), strict=True):
        np.testing.assert_array_equal(image.get_array(), expected)
    corners = [(image.get_extent()[0], -image.get_extent()[3]) for image in ax.images]
    assert len(set(corners)) == 7
    assert sorted(corners, key=lambda corner: corner[::-1]) == corners
    assert len({left for left, _ in corners}) == 3
    assert [text.get_text() for text in ax.texts] == titles
    assert ax.images[0].get_cmap().name == "gray_r"
    assert ax.images[0].get_clim() == (0, 1)


def test_digits_need_no_titles():
    ax = plot.plot_digits(np.zeros((2, 64)))
    assert [text.get_text() for text in ax.texts] == ["", ""]


PLOTS = {
    "curves": lambda ax: plot.plot_curves(
        [1, 2], {"y": [3, 4]}, xlabel="x", ylabel="y", ax=ax
    ),
    "distributions": lambda ax: plot.plot_distributions(
        [0.5, 0.5], [0.1, 0.9], labels="ab", ax=ax
    ),
    "precision_recall": lambda ax: plot.plot_precision_recall(
        {"model": ([0, 1], [1, 0.5])}, ax=ax
    ),
    "reliability": lambda ax: plot.plot_reliability(
        {"model": [0.1, 0.9]}, [0, 1], ax=ax
    ),
    "digits": lambda ax: plot.plot_digits(np.zeros((2, 64)), ax=ax),
}


@pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS)
def test_a_plot_is_drawn_where_it_is_told_or_on_a_new_figure(draw):
    _, ax = plt.subplots()
    assert draw(ax) is ax
    assert len(plt.get_fignums()) == 1
    new = draw(None)
    assert new is not ax
    assert len(plt.get_fignums()) == 2
    new.figure.canvas.draw()


def curves_of(curves, x=(1, 2)):
    return plot.plot_curves(x, curves, xlabel="x", ylabel="y")


REFUSED = {
    "curves not a mapping": (
        lambda: curves_of([[1, 2]]),
        TypeError,
        "curves must be a mapping from names to arrays, got list",
    ),
    "no curves": (
        lambda: curves_of({}),
        ValueError,
        "curves must hold from 1 to 6 entries, got 0",
    ),
    "too many curves": (
        lambda: curves_of({str(n): [1, 2] for n in range(7)}),
        ValueError,
        "curves must hold from 1 to 6 entries, got 7",
    ),
    "a curve of another length": (
        lambda: curves_of({"a": [1, 2], "b": [1]}),
        ValueError,
        "curves['b'] and x must have the same shape, got (1,) and (2,)",
    ),
    "x not a vector": (
        lambda: curves_of({"a": [[1, 2]]}, x=[[1, 2]]),
        ValueError,
        "x must be a vector with at least one entry, got shape (1, 2)",
    ),
    "x empty": (
        lambda: curves_of({"a": []}, x=[]),
        ValueError,
        "x must be a vector with at least one entry, got shape (0,)",
    ),
    "p not a distribution": (
        lambda: plot.plot_distributions([0.5, 0.6], [0.5, 0.5], labels="ab"),
        ValueError,
        "p must sum to 1 along axis 0, got a sum of 1.1",
    ),
    "q of another size": (
        lambda: plot.plot_distributions([0.5, 0.5], [1.0], labels="ab"),
        ValueError,
        "q and p must have the same shape, got (1,) and (2,)",
    ),
    "too few labels": (
        lambda: plot.plot_distributions([0.5, 0.5], [0.5, 0.5], labels="a"),
        ValueError,
        "labels and p must have the same shape, got (1,) and (2,)",
    ),
    "precision above 1": (
        lambda: plot.plot_precision_recall({"a": ([0.5], [1.5])}),
        ValueError,
        "curves['a'][1] must lie in [0, 1], got 1.5 at index (0,)",
    ),
    "precision of another length": (
        lambda: plot.plot_precision_recall({"a": ([0.5, 1], [0.5])}),
        ValueError,
        "curves['a'][1] and curves['a'][0] must have the same shape, got (1,) and (2,)",
    ),
    "base rate": (
        lambda: plot.plot_precision_recall({"a": ([0.5], [0.5])}, base_rate=10),
        ValueError,
        "base_rate must lie in [0, 1], got 10.0",
    ),
    "logits for probabilities": (
        lambda: plot.reliability([-2.0, 2.0], [0, 1]),
        ValueError,
        "probabilities must lie in [0, 1], got -2.0 at index (0,)",
    ),
    "outcomes in between": (
        lambda: plot.reliability([0.2, 0.8], [0, 0.5]),
        ValueError,
        "outcomes must be 0 or 1, got 0.5 at index (1,)",
    ),
    "outcomes of another shape": (
        lambda: plot.reliability([0.2, 0.8], [[0], [1]]),
        ValueError,
        "outcomes and probabilities must have the same shape, got (2, 1) and (2,)",
    ),
    "no bins": (
        lambda: plot.reliability([0.2, 0.8], [0, 1], bins=0),
        ValueError,
        "bins must be positive and finite, got 0.0",
    ),
    "half a bin": (
        lambda: plot.reliability([0.2, 0.8], [0, 1], bins=2.5),
        TypeError,
        "bins must have an integer dtype, got float64",
    ),
    "a calibration error of probabilities out of range": (
        lambda: plot.expected_calibration_error([0.5, 1.5], [0, 1]),
        ValueError,
        "probabilities must lie in [0, 1], got 1.5 at index (1,)",
    ),
    "an array for a mapping": (
        lambda: plot.plot_reliability(np.array([0.2, 0.8]), [0, 1]),
        TypeError,
        "probabilities must be a mapping from names to arrays, got ndarray",
    ),
    "images of another size": (
        lambda: plot.plot_digits(np.zeros((2, 63))),
        ValueError,
        "images must have shape (N, 64) or (N, 8, 8), got (2, 63)",
    ),
    "no images": (
        lambda: plot.plot_digits(np.zeros((0, 64))),
        ValueError,
        "images must have shape (N, 64) or (N, 8, 8), got (0, 64)",
    ),
    "one image without its axis": (
        lambda: plot.plot_digits(np.zeros(64)),
        ValueError,
        "images must have shape (N, 64) or (N, 8, 8), got (64,)",
    ),
    "pixels not scaled": (
        lambda: plot.plot_digits(np.full((1, 64), 16.0)),
        ValueError,
        "images must lie in [0, 1], got 16.0 at index (0, 0)",
    ),
    "too few titles": (
        lambda: plot.plot_digits(np.zeros((2, 64)), ["one"]),
        ValueError,
        "titles and images must have the same shape, got (1,) and (2,)",
    ),
    "no columns": (
        lambda: plot.plot_digits(np.zeros((2, 64)), columns=0),
        ValueError,
        "columns must be positive and finite, got 0.0",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_arguments(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message
    assert not plt.get_fignums()
