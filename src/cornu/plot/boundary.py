"""The plane as a classifier of two features sees it: whose class a point would be taken for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.plot.colors import INK, LIGHT_BLUE, LIGHT_ORANGE, PALE, class_color
from cornu.plot.figures import figure_for, require

# Bands of probability: enough to look smooth, few enough for a GIF's 256 colours; odd, so that
# the palest lies about the boundary.
BANDS = 17
Extent = tuple[float, float, float, float]


def decision_boundary(
    model: Any,
    x: Any,
    y: Any = None,
    *,
    class_names: Sequence[Any] | None = None,
    axis_names: Sequence[str] = ("x1", "x2"),
    resolution: int = 200,
    margin: float = 0.15,
    from_logits: bool | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Any = None,
) -> Any:
    """Draws how a classifier of two features divides the plane, and points over it.

    The stronger the colour, the surer the model. Between two classes a dashed line is where the
    probability is one half; between several a line is where two are as probable.

    Args:
        model: has `predict`, giving `(rows, 1)` for two classes or `(rows, classes)`; or, as in
            scikit-learn, `predict_proba`.
        x: the points to show, `(rows, 2)`.
        y: their classes, integers `(rows,)` or one-hot `(rows, classes)`. Default None: the points
            are gray.
        class_names: of the classes. Default None: `"class 0"`, ...
        axis_names: of the two features. Default `("x1", "x2")`.
        resolution: points of the grid along the first axis. Default 200.
        margin: how far the picture reaches beyond the points, as a share of their range.
            Default 0.15.
        from_logits: whether the outputs are logits, with no sigmoid or softmax applied. Default
            None: as the model's loss says, else they are where they are no probabilities.
        title: of the picture. Default None, for none.
        figsize: width and height in inches. Default None: 5.2 x 4.2.
        ax: matplotlib axes to draw on. Default None: a new figure.

    Returns:
        The matplotlib `Figure`.

    Raises:
        ValueError: `x` has not two features, or `y` another number of rows.

    >>> import numpy as np
    >>> import cornu
    >>> model = cornu.Sequential([cornu.layers.Dense(1, activation="sigmoid")])
    >>> x = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> figure = cornu.plot.decision_boundary(model, x, [0, 1])
    >>> figure.axes[0].get_xlabel()
    'x1'
    """
    points = as_points("plot.decision_boundary", x)
    labels, given_names = labels_of("plot.decision_boundary", y, len(points))
    extent = extent_of(points, margin)
    grid, shape = grid_over(extent, resolution)
    if hasattr(model, "predict_proba"):
        outputs, from_logits = model.predict_proba(grid), False
    else:
        outputs = model.predict(grid, batch_size=len(grid), verbose=0)
    if from_logits is None:
        from_logits = says_logits(model)
    probabilities = class_probabilities(outputs, from_logits).reshape(*shape, -1)
    figure, axes = figure_for(ax, figsize, (5.2, 4.2))
    draw_plane(axes, probabilities, extent, points, labels, class_names or given_names)
    axes.set(xlabel=axis_names[0], ylabel=axis_names[1])
    if title:
        axes.set_title(title)
    return figure


# -- the grid and what the model says there ------------------------------------------------------


def middles(low: float, high: float, count: int) -> np.ndarray:
    """The middles of `count` equal parts of an interval: where the pixels of an image stand.

    >>> middles(0, 1, 4)
    array([0.125, 0.375, 0.625, 0.875])
    """
    return low + (np.arange(count) + 0.5) * (high - low) / count


def as_points(owner: str, x: Any) -> np.ndarray:
    """Points as floats, `(rows, 2)`; ValueError names the owner."""
    points = np.asarray(x, dtype=float)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(
            f"{owner}: received x of shape {points.shape}; expected (rows, 2): a plane has two "
            "features"
        )
    return points


def labels_of(owner: str, y: Any, rows: int) -> tuple[np.ndarray | None, list[str] | None]:
    """The points' classes as integers from 0, and their names where they are no such integers.

    >>> labels_of("", [-1, 1, 1], 3)
    (array([0, 1, 1]), ['-1', '1'])
    """
    if y is None:
        return None, None
    values = np.asarray(y)
    if values.ndim > 1 and values.shape[-1] > 1:
        values = values.argmax(axis=-1)
    values = values.ravel()
    if len(values) != rows:
        raise ValueError(f"{owner}: received {len(values)} labels for {rows} points")
    if values.dtype.kind in "biuf" and not np.any((values < 0) | (values != np.floor(values))):
        return values.astype(int), None
    names, indices = np.unique(values, return_inverse=True)
    return indices.ravel(), [str(name) for name in names]


def extent_of(points: np.ndarray, margin: float) -> Extent:
    """Left, right, bottom and top of a picture that shows all points."""
    low, high = points.min(axis=0), points.max(axis=0)
    beyond = margin * (high - low)
    beyond[high == low] = 1.0
    (left, bottom), (right, top) = low - beyond, high + beyond
    return float(left), float(right), float(bottom), float(top)


def grid_over(extent: Extent, resolution: int) -> tuple[np.ndarray, tuple[int, int]]:
    """The points of a grid, float32 `(rows * columns, 2)` from the bottom row up; its shape."""
    left, right, bottom, top = extent
    # features of very different scales are no reason for a grid of one row
    proportion = min(max((top - bottom) / (right - left), 0.5), 1.5)
    shape = max(2, round(resolution * proportion)), max(2, resolution)
    across, up = middles(left, right, shape[1]), middles(bottom, top, shape[0])
    return np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype("float32"), shape


def says_logits(model: Any) -> bool | None:
    """Whether the model's loss takes logits; None where it doesn't say."""
    return getattr(getattr(model, "loss", None), "from_logits", None) or None


def class_probabilities(outputs: Any, from_logits: bool | None = None) -> np.ndarray:
    """What a classifier gives, as probabilities.

    Args:
        outputs: `(rows, 1)` or `(rows,)` for two classes, or `(rows, classes)`.
        from_logits: whether sigmoid or softmax is still to be applied. Default None: where a value
            lies outside of 0 to 1.

    Returns:
        Of two classes the probability of the second, `(rows,)`; of more `(rows, classes)`.

    >>> class_probabilities([[0.0], [2.0]]).round(3)
    array([0.5  , 0.881])
    >>> class_probabilities([[0.25, 0.75]])
    array([0.75])
    """
    values = np.asarray(outputs, dtype=float)
    values = np.nan_to_num(values.reshape(len(values), -1), nan=0.5)
    if from_logits is None:
        from_logits = bool(np.any((values < -1e-6) | (values > 1 + 1e-6)))
    if values.shape[1] == 1:
        values = values[:, 0]
        return 1 / (1 + np.exp(-np.clip(values, -700, 700))) if from_logits else values.clip(0, 1)
    if from_logits:
        values = np.exp(values - values.max(axis=1, keepdims=True))
    # a sigmoid for each class need not add up to 1
    values = values / np.maximum(values.sum(axis=1, keepdims=True), 1e-30)
    return values[:, 1] if values.shape[1] == 2 else values


# -- drawing -------------------------------------------------------------------------------------


class Shades:
    """Probabilities as colours: each class' own, the paler the less sure.

    Args:
        classes: how many.
    """

    def __init__(self, classes: int):
        from matplotlib.colors import LinearSegmentedColormap, to_rgb

        self.classes = classes
        if classes == 2:
            steps: list[list[Any]] = [[LIGHT_BLUE, PALE, LIGHT_ORANGE]]
        else:
            light = [0.55 * np.array(to_rgb(class_color(c))) + 0.45 for c in range(classes)]
            steps = [[PALE, tuple(color)] for color in light]
        maps = [LinearSegmentedColormap.from_list("classes", each, N=BANDS) for each in steps]
        colors = np.stack([each(np.arange(BANDS)) for each in maps])
        # four bytes of colour as one number: one look-up for each pixel
        self._colors = np.ascontiguousarray((colors * 255).astype("uint8")).view("uint32")[..., 0]

    def __call__(self, probabilities: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """The picture, uint8 `(height, width, 4)`, its top row first.

        Args:
            probabilities: `(rows, columns, 1)`, of the second of two classes, or
                `(rows, columns, classes)`; the bottom row first.
            size: width and height.
        """
        fine = refined(probabilities, size)[::-1]
        if self.classes == 2:
            bands = np.clip(fine[..., 0] * BANDS, 0, BANDS - 1).astype("uint8")
            colors = self._colors[0][bands]
        else:
            sure = (fine.max(axis=-1) * self.classes - 1) / (self.classes - 1)
            bands = np.clip(sure * BANDS, 0, BANDS - 1).astype("uint8")
            winner = fine.argmax(axis=-1)
            colors = self._colors[winner, bands]
            colors[_edges(winner)] = np.frombuffer(bytes([26, 32, 44, 255]), "uint32")[0]  # INK
        return colors.view("uint8").reshape(*colors.shape, 4)


def refined(probabilities: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A grid's values between its points: `(height, width, classes)` of `(rows, columns, classes)`.

    imshow would do it much more slowly.
    """
    from PIL import Image

    planes = np.moveaxis(np.asarray(probabilities, "float32"), -1, 0)
    fine = [
        np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC))
        for plane in np.ascontiguousarray(planes)
    ]
    return np.stack(fine, axis=-1)


def line_at_half(probabilities: np.ndarray, extent: Extent) -> tuple[np.ndarray, np.ndarray]:
    """The points where the probability `(rows, columns, 1)` is one half; NaN between two pieces."""
    require("contourpy")  # matplotlib brings it
    import contourpy

    rows, columns = probabilities.shape[:2]
    fine = refined(probabilities, (2 * columns, 2 * rows))[..., 0]
    left, right, bottom, top = extent
    across, up = middles(left, right, 2 * columns), middles(bottom, top, 2 * rows)
    pieces = contourpy.contour_generator(across, up, fine).lines(0.5)
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([part for piece in pieces for part in (piece, gap)] or [gap])
    return points[:, 0], points[:, 1]


def draw_points(
    axes: Any, points: np.ndarray, labels: np.ndarray | None, names: Sequence[str]
) -> list:
    """Draws points, in the colour of their class; returns the artists."""
    if labels is None:
        groups = [(points, "#718096", "_nolegend_")]
    else:
        groups = [(points[labels == c], class_color(c), name) for c, name in enumerate(names)]
    # many points hide each other and what is behind them
    size = 6.5 if len(points) <= 300 else 4.5 if len(points) <= 2000 else 2.5
    return [
        axes.plot(
            *group.T,
            "o",
            color=color,
            markeredgecolor="white",
            markeredgewidth=0.9 if size > 3 else 0.3,
            markersize=size,
            label=name,
        )[0]
        for group, color, name in groups
    ]


def draw_legend(axes: Any, below: float = -0.03) -> None:
    """The classes' names under a plane."""
    _, labels = axes.get_legend_handles_labels()
    if labels:
        markers_only = not any("boundary" in label for label in labels)
        longest = max(map(len, labels))
        axes.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, below),
            ncols=max(2, min(len(labels), 5, 40 // (longest + 1))),
            frameon=False,
            fontsize=10,
            **({"handlelength": 1.0, "columnspacing": 1.4} if markers_only else {}),
        )


def names_of(classes: int, labels: np.ndarray | None, names: Sequence[Any] | None) -> list[str]:
    """A name for each class: those given, else `class 0` and so on."""
    if labels is not None and len(labels):
        classes = max(classes, int(labels.max()) + 1)
    given = [] if names is None else [str(name) for name in names]
    return [*given, *(f"class {index}" for index in range(len(given), classes))][:classes]


def draw_plane(
    axes: Any,
    probabilities: np.ndarray,
    extent: Extent,
    points: np.ndarray,
    labels: np.ndarray | None,
    class_names: Sequence[Any] | None,
) -> None:
    """Draws a whole plane: colours, boundary, points and their legend.

    Args:
        axes: of matplotlib.
        probabilities: as for `Shades`.
        extent: left, right, bottom and top.
        points, labels: `(rows, 2)` and integers `(rows,)`.
        class_names: or None.
    """
    classes = max(2, probabilities.shape[2])
    rows, columns = probabilities.shape[:2]
    scale = max(1, round(600 / columns))
    picture = Shades(classes)(probabilities, (scale * columns, scale * rows))
    axes.imshow(picture, extent=extent, aspect="auto", interpolation="nearest")
    if classes == 2:
        line = line_at_half(probabilities, extent)
        axes.plot(*line, "--", color=INK, linewidth=1.8, label="boundary 0.5", zorder=3)
    draw_points(axes, points, labels, names_of(classes, labels, class_names))
    left, right, bottom, top = extent
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=9)
    draw_legend(axes, -0.14)


def _edges(winner: np.ndarray) -> np.ndarray:
    """Where a pixel and its neighbour belong to different classes, two pixels wide."""
    edges = np.zeros(winner.shape, bool)
    down, right = winner[1:] != winner[:-1], winner[:, 1:] != winner[:, :-1]
    edges[1:] |= down
    edges[:-1] |= down
    edges[:, 1:] |= right
    edges[:, :-1] |= right
    return edges
