"""The pictures that the demo and the examples draw: curves, confusion matrices, digits."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

BLUE, ORANGE, INK, PALE = "#2b6cb0", "#dd6b20", "#1a202c", "#f7f5f0"
LIGHT_BLUE, LIGHT_ORANGE = "#8db7e6", "#f3b084"


def require(*modules: str, extra: str = "demo") -> None:
    """Sees that the modules are installed; ModuleNotFoundError says which extra brings them.

    Args:
        modules: import names.
        extra: the extra of Cornu that has them. Default `"demo"`.

    >>> require("numpy")
    """
    for name in modules:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] != name.split(".")[0]:
                raise
            package = {"sklearn": "scikit-learn"}.get(name, name)
            raise ModuleNotFoundError(
                f"{package} is not installed; install it with: pip install 'cornu[{extra}]'",
                name=name,
            ) from None


def new_figure(width: float, height: float, columns: int = 1, rows: int = 1) -> tuple[Any, Any]:
    """A figure that needs no display, and its axes as `Figure.subplots` gives them.

    Args:
        width, height: in inches, at 100 dots each.
        columns, rows: of axes. Default 1.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns)


def tidy(axes: Any) -> None:
    """Leaves of the frame only the two sides that carry numbers, and a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)


def save_curves(path: str | Path, history: Mapping[str, Sequence[float]]) -> Path:
    """Draws loss and accuracy against the epoch, those of validation dashed.

    Args:
        path: the PNG to write.
        history: `fit(...).history`; of other names than loss, accuracy and their `val_` nothing is
            drawn.

    Returns:
        The path.
    """
    figure, axes = new_figure(9, 3.6, columns=2)
    for place, name, color in ((axes[0], "loss", ORANGE), (axes[1], "accuracy", BLUE)):
        for key, style, label in ((name, "-", "training"), (f"val_{name}", "--", "validation")):
            if key in history:
                epochs = range(1, len(history[key]) + 1)
                place.plot(epochs, history[key], style, color=color, label=label, linewidth=1.8)
        place.set(title=name, xlabel="epoch")
        place.xaxis.get_major_locator().set_params(integer=True)
        if place.lines:
            place.legend(frameon=False)
        tidy(place)
    figure.savefig(path)
    return Path(path)


def save_confusion(path: str | Path, matrix: np.ndarray, names: Sequence[Any]) -> Path:
    """Draws a confusion matrix: counts, coloured by their share of the true class.

    Args:
        path: the PNG to write.
        matrix: integers `(classes, classes)`; row: true class, column: predicted class.
        names: of the classes.

    Returns:
        The path.
    """
    matrix = np.asarray(matrix)
    count = len(names)
    side = 2.2 + 0.44 * count
    figure, axes = new_figure(side, side)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    # the right guesses would outshine the wrong ones, which are what one looks for
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1.15)
    for row, column in np.argwhere(matrix):
        shown = matrix[row, column]
        axes.text(
            column,
            row,
            f"{shown}",
            ha="center",
            va="center",
            fontsize=9 if shown < 1000 else 7.5,
            color="white" if shares[row, column] > 0.4 else INK,
        )
    slanted = max(len(str(name)) for name in names) > 2
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(range(count), names, **turned)
    axes.set_yticks(range(count), names)
    axes.set(xlabel="predicted", ylabel="true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.savefig(path)
    return Path(path)


def most_confidently_wrong(labels: np.ndarray, probabilities: np.ndarray, count: int) -> np.ndarray:
    """The rows whose wrong prediction the network was surest of, the surest first.

    Args:
        labels: integers `(rows,)`.
        probabilities: `(rows, classes)`.
        count: how many rows at most.

    Returns:
        Indices of rows, int `(at most count,)`.

    >>> most_confidently_wrong(np.array([0, 1, 1]), np.array([[.9, .1], [.6, .4], [.8, .2]]), 2)
    array([2, 1])
    """
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1))][:count]


def save_wrong_digits(
    path: str | Path,
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    count: int = 24,
) -> Path:
    """Draws the images whose wrong prediction the network was surest of.

    Args:
        path: the PNG to write.
        images: `(rows, height, width)`, any range.
        labels: integers `(rows,)`.
        probabilities: `(rows, classes)`.
        count: how many images at most. Default 24.

    Returns:
        The path.
    """
    chosen = most_confidently_wrong(labels, probabilities, count)
    columns = 8 if len(chosen) > 6 else 6
    rows = max(1, -(-len(chosen) // columns))
    figure, grid = new_figure(1.25 * columns, 1.5 * rows + 0.5, columns, rows)
    figure.suptitle(
        "The mistakes that the network was surest of" if len(chosen) else "Not one is wrong"
    )
    for axes in np.ravel(grid):
        axes.set_axis_off()
    for axes, row in zip(np.ravel(grid), chosen, strict=False):
        guess = probabilities[row].argmax()
        axes.imshow(images[row], cmap="gray_r", interpolation="nearest")
        axes.set_title(
            f"{labels[row]} taken for {guess}\n{probabilities[row, guess]:.1%} sure",
            fontsize=9,
            color=INK,
        )
    figure.savefig(path)
    return Path(path)
