"""The figures of the book: arrays in, Axes out.

One style (:func:`use_style`) and the few plots that chapters share. The colours are
told apart by colour-blind readers, and every curve also has a line style of its own,
so that a figure can be read without its colours. A function draws on the Axes it is
given, or on a new figure, and returns the Axes; showing it is the caller's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from lossfn import _check

# The palette of Okabe and Ito (2008), "Color Universal Design".
BLACK = "#000000"
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#767676"

# The order in which curves take them. Yellow is too pale for a line on white.
LINE_COLORS = (BLUE, VERMILLION, GREEN, BLACK, PURPLE, ORANGE)
LINE_STYLES = ("-", "--", "-.", ":", (0, (6, 1.5, 1, 1.5, 1, 1.5)), (0, (10, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")

_INK = "#1a1a1a"
_STYLE = {
    # 960 pixels: sharp in a column of 700, and 11-point text is readable on a phone.
    "figure.figsize": (6.0, 3.6),
    "figure.dpi": 160,
    "figure.constrained_layout.use": True,
    # White also behind the labels, for the page may be dark.
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    # The one font that comes with matplotlib: the same figure on every machine.
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "legend.fontsize": 10,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.8,
    "lines.linewidth": 2.0,
    "lines.markersize": 6,
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    # Long enough for a reader to see which dashes are meant.
    "legend.handlelength": 3.0,
    "axes.formatter.useoffset": False,
    "axes.prop_cycle": cycler(color=LINE_COLORS) + cycler(linestyle=LINE_STYLES),
}

_BAR_WIDTH = 0.4
_DIGIT_SIDE = 8
_DIGIT_COLUMNS = 6


class Reliability(NamedTuple):
    """What a model said and what happened, in bins of what it said.

    Attributes:
        predicted: the mean probability in each bin, shape (B,).
        observed: the share of outcomes that are 1 in each bin, shape (B,).
        count: the number of examples in each bin, shape (B,), at least 1.

    Examples:
        >>> bins = reliability([0.1, 0.2, 0.9], [0, 1, 1], bins=2)
        >>> for said, happened, count in zip(*bins):
        ...     print(f"{count} said {said:.2f}, and {happened:.2f} happened")
        2 said 0.15, and 0.50 happened
        1 said 0.90, and 1.00 happened
    """

    predicted: np.ndarray
    observed: np.ndarray
    count: np.ndarray


def use_style() -> None:
    """Set the style of the book's figures, for every figure made afterwards.

    Calling it again changes nothing.

    Examples:
        >>> use_style()
        >>> mpl.rcParams["figure.facecolor"]
        'white'

    References:
        M. Okabe and K. Ito, "Color Universal Design", 2008.
    """
    mpl.rcParams.update(_STYLE)


def plot_curves(
    x: np.ndarray,
    curves: Mapping[str, np.ndarray],
    *,
    xlabel: str,
    ylabel: str,
    logx: bool = False,
    logy: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Plot one or more curves over the same axis.

    Each curve has its own colour and line style; two or more get a legend. A value that
    is not finite, or not positive on a logarithmic axis, is left out.

    Args:
        x: where the curves are known, shape (N,).
        curves: from the name of a curve to its values, shape (N,); at most six.
        xlabel: the label of the horizontal axis, with its unit.
        ylabel: the label of the vertical axis, with its unit.
        logx: whether the horizontal axis is logarithmic.
        logy: whether the vertical axis is logarithmic.
        ax: the Axes to draw on; a new figure if None.

    Returns:
        The Axes.

    Raises:
        TypeError: if ``curves`` is not a mapping or holds something but numbers.
        ValueError: if ``curves`` is empty or holds too many, or shapes differ.

    Examples:
        >>> z = np.linspace(-4, 4, 9)
        >>> curves = {"right": np.logaddexp(0, -z), "wrong": np.logaddexp(0, z)}
        >>> ax = plot_curves(z, curves, xlabel="logit", ylabel="loss (nats)")
        >>> [line.get_label() for line in ax.lines]
        ['right', 'wrong']
    """
    x = _vector("x", x)
    curves = _named("curves", curves)
    values = {name: _like(f"curves[{name!r}]", y, "x", x) for name, y in curves.items()}
    ax = _axes(ax)
    for name, y in values.items():
        ax.plot(x, y, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if logx:
        ax.set_xscale("log")
    if logy:
        ax.set_yscale("log")
    return _with_legend(ax)


def plot_distributions(
    p: np.ndarray,
    q: np.ndarray,
    *,
    labels: Sequence[str],
    names: tuple[str, str] = ("truth p", "model q"),
    ax: Axes | None = None,
) -> Axes:
    """Plot two distributions side by side as grouped bars, the second one hatched.

    Args:
        p: the true probabilities, shape (K,).
        q: the model's probabilities, shape (K,).
        labels: the name of each outcome, K of them.
        names: what the legend calls ``p`` and ``q``.
        ax: the Axes to draw on; a new figure if None.

    Returns:
        The Axes.

    Raises:
        TypeError: if ``p`` or ``q`` is not an array of numbers.
        ValueError: if ``p`` or ``q`` is not one distribution, or sizes differ.

    Examples:
        >>> ax = plot_distributions([0.7, 0.3], [0.5, 0.5], labels=["sun", "rain"])
        >>> ax.get_ylabel()
        'probability'
    """
    p = _check.as_probabilities("p", _vector("p", p))
    q = _check.as_probabilities("q", _like("q", q, "p", p))
    _check.same_shape("labels", (len(labels),), "p", p.shape)
    ax = _axes(ax)
    left = np.arange(len(p)) - _BAR_WIDTH / 2
    ax.bar(left, p, _BAR_WIDTH, color=BLUE, label=names[0])
    ax.bar(
        left + _BAR_WIDTH,
        q,
        _BAR_WIDTH,
        color=ORANGE,
        edgecolor=_INK,
        hatch="//",
        label=names[1],
    )
    ax.set_xticks(range(len(p)), labels)
    ax.grid(visible=False, axis="x")
    ax.set_ylabel("probability")
    return _with_legend(ax)


def plot_precision_recall(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    *,
    base_rate: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot precision against recall, for one or more models.

    Args:
        curves: from the name of a model to its recall and its precision, in this order,
            two arrays of the same shape (N,) in [0, 1]; at most six. An N of 1 is drawn
            as a point.
        base_rate: the share of positive examples, which is the precision of answering
            "yes" to everything; drawn as a horizontal line, if given.
        ax: the Axes to draw on; a new figure if None.

    Returns:
        The Axes.

    Raises:
        TypeError: if ``curves`` is not a mapping or holds something but numbers.
        ValueError: if ``curves`` is empty or holds too many, shapes differ, or a value
            is not in [0, 1].

    Examples:
        >>> recall, precision = [1.0, 0.5, 0.0], [0.1, 0.8, 1.0]
        >>> ax = plot_precision_recall({"model": (recall, precision)}, base_rate=0.1)
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('recall', 'precision')
    """
    checked = {
        name: _recall_and_precision(f"curves[{name!r}]", *pair)
        for name, pair in _named("curves", curves).items()
    }
    if base_rate is not None:
        base_rate = float(_check.in_range("base_rate", base_rate, 0, 1))
    ax = _axes(ax)
    for (name, pair), marker in zip(checked.items(), MARKERS, strict=False):
        point = {"marker": marker, "linestyle": "none"} if pair[0].size == 1 else {}
        ax.plot(*pair, label=name, **point)
    if base_rate is not None:
        ax.axhline(base_rate, color=GREY, linestyle=":", label="always yes")
    ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
    return _with_legend(ax)


def reliability(
    probabilities: np.ndarray, outcomes: np.ndarray, *, bins: int = 10
) -> Reliability:
    """Compare predicted probabilities with how often the event happened.

    The examples are put into bins of equal width in the predicted probability. In each
    bin, a calibrated model's mean prediction is the share of outcomes that are 1.

    Args:
        probabilities: the predicted probability of outcome 1, shape (N,), in [0, 1].
        outcomes: what happened, 0 or 1, shape (N,).
        bins: the number of bins; those without an example are left out.

    Returns:
        Three arrays, one entry for each bin with an example.

    Raises:
        TypeError: if an argument is not of numbers.
        ValueError: if shapes differ or a value is out of range.

    Examples:
        >>> reliability([0.1, 0.2, 0.9], [0, 1, 1], bins=2).observed
        array([0.5, 1. ])

    References:
        M. H. DeGroot and S. E. Fienberg, "The comparison and evaluation of
        forecasters", The Statistician 32, 12-22, 1983.
    """
    probabilities = _check.in_range("probabilities", probabilities, 0, 1)
    probabilities = _vector("probabilities", probabilities)
    outcomes = _like("outcomes", outcomes, "probabilities", probabilities)
    _check.all_valid("outcomes", outcomes, np.isin(outcomes, (0, 1)), "be 0 or 1")
    _check.integer("bins", np.asarray(bins).dtype.name)
    bins = int(_check.positive("bins", bins))
    # A probability of 1 belongs to the last bin, which is closed.
    chosen = np.minimum((probabilities * bins).astype(int), bins - 1)
    count = np.bincount(chosen, minlength=bins)
    used = count > 0
    predicted = np.bincount(chosen, probabilities, bins)[used] / count[used]
    observed = np.bincount(chosen, outcomes, bins)[used] / count[used]
    return Reliability(predicted, observed, count[used])


def expected_calibration_error(
    probabilities: np.ndarray, outcomes: np.ndarray, *, bins: int = 10
) -> float:
    r"""Sum up a reliability diagram: how far its points are from the diagonal.

    With the mean prediction :math:`\bar p_b`, the share :math:`\bar y_b` of outcomes
    that are 1, and the number of examples :math:`n_b` of each bin of
    :func:`reliability`,

    .. math::
        \mathrm{ECE} = \sum_b \frac{n_b}{N} \, \lvert \bar p_b - \bar y_b \rvert .

    For a classifier of many classes, pass the largest probability of each example, its
    confidence, and whether the answer was right. A calibrated model does not reach 0:
    chance alone moves :math:`\bar y_b`, and the more so the fewer examples a bin has.

    Args:
        probabilities: the predicted probability of outcome 1, shape (N,), in [0, 1].
        outcomes: what happened, 0 or 1, shape (N,).
        bins: the number of bins of equal width.

    Returns:
        The error, from 0 to 1.

    Raises:
        TypeError: if an argument is not of numbers.
        ValueError: if shapes differ or a value is out of range.

    Examples:
        Said 0.2 where 1 of 2 happened, and 0.9 where it did:

        >>> error = expected_calibration_error([0.2, 0.2, 0.9], [0, 1, 1], bins=2)
        >>> round(error, 6)  # 2/3 * 0.3 + 1/3 * 0.1
        0.233333

    References:
        M. P. Naeini, G. F. Cooper and M. Hauskrecht, "Obtaining Well Calibrated
        Probabilities Using Bayesian Binning", AAAI Conference on Artificial
        Intelligence, 2901-2907, 2015.
    """
    diagram = reliability(probabilities, outcomes, bins=bins)
    gaps = np.abs(diagram.predicted - diagram.observed)
    return float(np.average(gaps, weights=diagram.count))


def plot_reliability(
    probabilities: Mapping[str, np.ndarray],
    outcomes: np.ndarray,
    *,
    bins: int = 10,
    ax: Axes | None = None,
) -> Axes:
    """Plot the reliability diagram of one or more models of the same outcomes.

    The numbers are those of :func:`reliability`. A calibrated model lies on the
    diagonal; below it, the model expects the event more often than it happens.

    Args:
        probabilities: from the name of a model to its predicted probabilities of
            outcome 1, shape (N,), in [0, 1]; at most six.
        outcomes: what happened, 0 or 1, shape (N,).
        bins: the number of bins of equal width; those without an example are left out.
        ax: the Axes to draw on; a new figure if None.

    Returns:
        The Axes.

    Raises:
        TypeError: if ``probabilities`` is not a mapping, or an argument not of numbers.
        ValueError: if shapes differ, a value is out of range, or the mapping is empty
            or holds too many.

    Examples:
        >>> ax = plot_reliability({"model": [0.1, 0.2, 0.9]}, [0, 1, 1], bins=2)
        >>> [line.get_label() for line in ax.lines]
        ['calibrated', 'model']
    """
    diagrams = {
        name: reliability(p, outcomes, bins=bins)
        for name, p in _named("probabilities", probabilities).items()
    }
    ax = _axes(ax)
    ax.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="calibrated")
    styles = zip(LINE_COLORS, LINE_STYLES, MARKERS, strict=True)
    for (name, diagram), (color, linestyle, marker) in zip(
        diagrams.items(), styles, strict=False
    ):
        ax.plot(
            diagram.predicted,
            diagram.observed,
            color=color,
            linestyle=linestyle,
            marker=marker,
            label=name,
        )
    ax.set(xlabel="mean predicted probability", ylabel="share that happened")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    return _with_legend(ax)


def plot_digits(
    images: np.ndarray,
    titles: Sequence[str] | None = None,
    *,
    columns: int = _DIGIT_COLUMNS,
    ax: Axes | None = None,
) -> Axes:
    """Show images of digits in a grid, dark ink on white, with a title above each.

    Args:
        images: the share of ink in each pixel, shape (N, 64) or (N, 8, 8), in [0, 1].
        titles: what to write above each image, N of them; nothing if None.
        columns: the number of images in a row.
        ax: the Axes to draw on; a new figure if None.

    Returns:
        The Axes, which holds all the images.

    Raises:
        TypeError: if ``images`` is not an array of numbers, ``columns`` no integer.
        ValueError: if ``images`` has another shape or values out of range, or the
            number of titles differs.

    Examples:
        >>> ax = plot_digits(np.zeros((3, 64)), ["3", "8", "9"])
        >>> len(ax.images), [text.get_text() for text in ax.texts]
        (3, ['3', '8', '9'])
    """
    images = _as_images(images)
    titles = [""] * len(images) if titles is None else list(titles)
    _check.same_shape("titles", (len(titles),), "images", (len(images),))
    _check.integer("columns", np.asarray(columns).dtype.name)
    columns = min(int(_check.positive("columns", columns)), len(images))
    rows = -(-len(images) // columns)
    if ax is None:
        width = mpl.rcParams["figure.figsize"][0]
        height = width / max(columns, _DIGIT_COLUMNS) * rows * 1.25
        ax = plt.subplots(figsize=(width, height))[1]
    for index, (image, title) in enumerate(zip(images, titles, strict=True)):
        row, column = divmod(index, columns)
        _draw_digit(ax, image, title, left=1.15 * column, top=-1.4 * row)
    ax.set(xlim=(0, 1.15 * columns - 0.15), ylim=(0.4 - 1.4 * rows, 0.3))
    ax.set_axis_off()
    return ax


def _draw_digit(
    ax: Axes, image: np.ndarray, title: str, *, left: float, top: float
) -> None:
    extent = (left, left + 1, top - 1, top)
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=extent)
    ax.text(left + 0.5, top + 0.06, title, ha="center", va="bottom")


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots()[1] if ax is None else ax


def _with_legend(ax: Axes) -> Axes:
    if len(ax.get_legend_handles_labels()[1]) > 1:
        ax.legend()
    return ax


def _vector(name: str, value: object) -> np.ndarray:
    array = _check.as_floats(name, value)
    if array.ndim != 1 or not array.size:
        raise ValueError(
            f"{name} must be a vector with at least one entry, "
            f"got shape {_check.shape_text(array.shape)}"
        )
    return array


def _like(name: str, value: object, other_name: str, other: np.ndarray) -> np.ndarray:
    array = _check.as_floats(name, value)
    _check.same_shape(name, array.shape, other_name, other.shape)
    return array


def _named(name: str, value: object) -> Mapping:
    if not isinstance(value, Mapping):
        raise TypeError(
            f"{name} must be a mapping from names to arrays, got {type(value).__name__}"
        )
    if not 1 <= len(value) <= len(LINE_STYLES):
        raise ValueError(
            f"{name} must hold from 1 to {len(LINE_STYLES)} entries, got {len(value)}"
        )
    return value


def _recall_and_precision(
    name: str, recall: object, precision: object
) -> tuple[np.ndarray, np.ndarray]:
    recall = _vector(f"{name}[0]", _check.in_range(f"{name}[0]", recall, 0, 1))
    precision = _check.in_range(f"{name}[1]", precision, 0, 1)
    return recall, _like(f"{name}[1]", precision, f"{name}[0]", recall)


def _as_images(value: object) -> np.ndarray:
    images = _check.in_range("images", value, 0, 1)
    flat, square = (_DIGIT_SIDE**2,), (_DIGIT_SIDE, _DIGIT_SIDE)
    if images.shape[1:] not in (flat, square) or not images.size:
        raise ValueError(
            "images must have shape (N, 64) or (N, 8, 8), "
            f"got {_check.shape_text(images.shape)}"
        )
    return images.reshape(-1, _DIGIT_SIDE, _DIGIT_SIDE)
