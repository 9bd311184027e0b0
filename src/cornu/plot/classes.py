"""What a classifier takes for what: confusion matrices, and the examples that it gets wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.plot.colors import INK
from cornu.plot.figures import figure_for, new_figure


def confusion_matrix(
    y_true: Any,
    y_pred: Any = None,
    *,
    class_names: Sequence[Any] | None = None,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Any = None,
) -> Any:
    """Draws a confusion matrix: counts, coloured by their share of the true class.

    Args:
        y_true: the true classes, integers `(rows,)` or one-hot `(rows, classes)`; or, without
            `y_pred`, the matrix itself, integers `(classes, classes)`; row: true class, column:
            predicted class.
        y_pred: predicted classes, integers `(rows,)`, or what `predict` gave: probabilities
            `(rows, classes)`, or of the second of two classes `(rows, 1)`. Default None.
        class_names: of the classes. Default None: their indices.
        title: of the picture. Default None, for none.
        figsize: width and height in inches. Default None: as many as the classes need.
        ax: matplotlib axes to draw on. Default None: a new figure.

    Returns:
        The matplotlib `Figure`.

    Raises:
        ValueError: a matrix that isn't square, another number of names than of classes, or of
            predictions than of true classes.

    >>> from cornu import plot
    >>> figure = plot.confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], class_names=["cat", "dog"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1', '1', '2']
    """
    names = None if class_names is None else list(class_names)
    if y_pred is None:
        matrix = np.asarray(y_true)
    else:
        matrix = count_confusions(y_true, y_pred, len(names) if names else 0)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(
            f"plot.confusion_matrix: received a matrix of shape {matrix.shape}; expected "
            "(classes, classes), or true classes and predictions"
        )
    count = len(matrix)
    names = list(range(count)) if names is None else names
    if len(names) != count:
        raise ValueError(
            f"plot.confusion_matrix(class_names=...): received {len(names)} names for {count} "
            "classes"
        )
    side = 2.2 + 0.44 * count
    figure, axes = figure_for(ax, figsize, (side, side))
    shares = shares_of(matrix)
    # the right guesses would outshine the wrong ones, which are what one looks for
    axes.imshow(np.sqrt(shares), cmap="Blues", vmin=0, vmax=1.15)
    for row, column in np.argwhere(matrix):
        shown = matrix[row, column]
        axes.text(
            column,
            row,
            f"{shown}" if shown == int(shown) else f"{shown:.2f}",
            ha="center",
            va="center",
            fontsize=9 if shown < 1000 else 7.5,
            color="white" if shares[row, column] > 0.4 else INK,
        )
    name_classes(axes, names)
    if title:
        axes.set_title(title)
    return figure


def wrong_examples(
    x: Any,
    y_true: Any,
    y_pred: Any,
    count: int = 24,
    *,
    class_names: Sequence[Any] | None = None,
    figsize: tuple[float, float] | None = None,
) -> Any:
    """Draws the images whose wrong prediction the network was surest of, the surest first.

    Args:
        x: images `(rows, height, width)`, gray, in any range; `(rows, height, width, channels)`
            with 1, 3 or 4 channels, colours from 0 to 1 or 0 to 255; or `(rows, pixels)` of square
            gray images.
        y_true: the true classes, integers `(rows,)` or one-hot `(rows, classes)`.
        y_pred: what `predict` gave: probabilities `(rows, classes)`, or of the second of two
            classes `(rows, 1)`.
        count: how many images at most. Default 24.
        class_names: of the classes. Default None: their indices.
        figsize: width and height in inches. Default None: as many as the images need.

    Returns:
        The matplotlib `Figure`.

    Raises:
        ValueError: `x` has not the shape of images, or another number of rows than `y_pred`.

    >>> import numpy as np
    >>> from cornu import plot
    >>> figure = plot.wrong_examples(np.zeros((2, 8, 8)), [0, 1], [[0.9, 0.1], [0.8, 0.2]])
    >>> figure.axes[0].get_title()
    '1 taken for 0\\n80.0% sure'
    """
    images = _as_images(np.asarray(x))
    labels = as_classes(y_true)
    probabilities = as_probabilities(y_pred)
    if not len(images) == len(labels) == len(probabilities):
        raise ValueError(
            f"plot.wrong_examples: received {len(images)} images, {len(labels)} true classes and "
            f"{len(probabilities)} predictions; expected as many of each"
        )
    chosen = most_confidently_wrong(labels, probabilities, count)
    columns = 8 if len(chosen) > 6 else 6
    rows = max(1, -(-len(chosen) // columns))
    size = figsize or (1.25 * columns, 1.5 * rows + 0.5)
    figure, grid = new_figure(*size, columns, rows, squeeze=False)
    figure.suptitle(
        "The mistakes that the network was surest of" if len(chosen) else "Not one is wrong"
    )
    for axes in grid.ravel():
        axes.set_axis_off()
    for axes, row in zip(grid.ravel(), chosen, strict=False):
        true, guess = labels[row], probabilities[row].argmax()
        axes.imshow(images[row], cmap="gray_r", interpolation="nearest")
        said = (class_names[true], class_names[guess]) if class_names is not None else (true, guess)
        between = " taken for " if len(f"{said[0]}{said[1]}") < 5 else "\ntaken for "
        axes.set_title(
            f"{said[0]}{between}{said[1]}\n{probabilities[row, guess]:.1%} sure",
            fontsize=9,
            color=INK,
        )
    return figure


def shares_of(matrix: np.ndarray) -> np.ndarray:
    """Of counts `(classes, classes)` the share of their true class; 0 where it has no rows."""
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


def name_classes(axes: Any, names: Sequence[Any]) -> None:
    """Writes the classes' names beside and below a confusion matrix."""
    slanted = max((len(str(name)) for name in names), default=0) > 2
    turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(range(len(names)), names, **turned)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


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


def count_confusions(y_true: Any, y_pred: Any, classes: int = 0) -> np.ndarray:
    """How often each class was taken for each.

    Args:
        y_true, y_pred: as for `confusion_matrix`.
        classes: how many classes at least. Default 0: as many as there are in either.

    Returns:
        int `(classes, classes)`; row: true class, column: predicted class.

    >>> count_confusions([0, 1, 1], [[0.2], [0.9], [0.4]])
    array([[1, 0],
           [1, 1]])
    """
    true, predicted = as_classes(y_true), np.asarray(y_pred)
    if predicted.ndim > 1 and predicted.shape[-1] > 1:
        classes = max(classes, predicted.shape[-1])
    elif np.any(predicted != np.floor(predicted)):  # no classes: probabilities of the second
        predicted = predicted > 0.5
    predicted = as_classes(predicted)
    if true.shape != predicted.shape:
        raise ValueError(
            f"plot.confusion_matrix: received {len(true)} true classes and {len(predicted)} "
            "predictions; expected as many of each"
        )
    classes = max([classes, *(true + 1), *(predicted + 1)])
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, (true, predicted), 1)
    return matrix


def as_classes(labels: Any) -> np.ndarray:
    """Classes as integers `(rows,)`, of integers or one-hot rows.

    >>> as_classes([[0, 1], [1, 0]]), as_classes([[2.0], [0.0]])
    (array([1, 0]), array([2, 0]))
    """
    values = np.asarray(labels)
    if values.ndim > 1 and values.shape[-1] > 1:
        return values.argmax(axis=-1)
    return values.ravel().astype(int)


def as_probabilities(outputs: Any) -> np.ndarray:
    """Probabilities `(rows, classes)`, also where only that of the second class is given.

    >>> as_probabilities([[0.25]])
    array([[0.75, 0.25]])
    """
    values = np.asarray(outputs, dtype=float)
    values = values.reshape(len(values), -1)
    return np.hstack([1 - values, values]) if values.shape[1] == 1 else values


def _as_images(x: np.ndarray) -> np.ndarray:
    side = round(x[0].size ** 0.5) if len(x) else 0
    if x.ndim == 2 and side * side == x.shape[1]:
        return x.reshape(len(x), side, side)
    if x.ndim == 4 and x.shape[-1] == 1:
        return x[..., 0]
    if x.ndim == 4 and x.shape[-1] in (3, 4):
        is_bytes = x.dtype.kind in "ui" or (x.size and x.max() > 1)
        return np.clip(x / 255 if is_bytes else x, 0, 1)
    if x.ndim != 3:
        raise ValueError(
            f"plot.wrong_examples: received x of shape {x.shape}; expected (rows, height, width), "
            "(rows, height, width, channels) or (rows, pixels) of square images"
        )
    return x
