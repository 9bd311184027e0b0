"""What every picture begins with: a figure and its axes, and what must be installed."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np


def require(*modules: str, extra: str = "matplotlib") -> None:
    """Sees that the modules are installed; ModuleNotFoundError says which extra brings them.

    Args:
        modules: import names.
        extra: the extra of Cornu that has them. Default `"matplotlib"`.

    >>> require("numpy")
    """
    for name in modules:
        try:
            importlib.import_module(name)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] != name.split(".")[0]:
                raise
            package = {"sklearn": "scikit-learn", "PIL": "pillow"}.get(name, name)
            raise ModuleNotFoundError(
                f"{package} is not installed; install it with: pip install 'cornu[{extra}]'",
                name=name,
            ) from None


def new_figure(
    width: float, height: float, columns: int = 1, rows: int = 1, **layout: Any
) -> tuple[Any, Any]:
    """A figure that needs no display, and its axes as `Figure.subplots` gives them.

    Args:
        width, height: in inches, at 100 dots each.
        columns, rows: of axes. Default 1.
        **layout: more for `Figure.subplots`.
    """
    require("matplotlib")
    from cornu.plot.notebook_figure import NotebookFigure

    figure = NotebookFigure(figsize=(width, height), dpi=100, layout="constrained")
    return figure, figure.subplots(rows, columns, **layout)


def figure_for(
    ax: Any, figsize: tuple[float, float] | None, default: tuple[float, float]
) -> tuple[Any, Any]:
    """The figure and axes to draw one picture on: the given axes, or those of a new figure.

    Args:
        ax: matplotlib axes, or None for a new figure.
        figsize: width and height of a new figure in inches; None for the default.
        default: that.
    """
    if ax is not None:
        return ax.figure, ax
    return new_figure(*(figsize or default))


def several_axes(
    owner: str,
    count: int,
    ax: Any,
    figsize: tuple[float, float] | None,
    side: tuple[float, float],
    most: int = 3,
) -> tuple[Any, Sequence[Any]]:
    """A figure and axes for several pictures beside each other.

    Args:
        owner: the public function, for the error.
        count: how many pictures.
        ax: axes, or as many as there are pictures; None for a new figure.
        figsize: of a new figure in inches; None for `side` times columns and rows.
        side: width and height of one picture in inches.
        most: how many stand beside each other. Default 3.

    Raises:
        ValueError: another number of axes than of pictures.
    """
    if ax is not None:
        given = list(np.ravel(ax))
        if len(given) != count:
            raise ValueError(
                f"{owner}: {count} metrics are to be drawn on {len(given)} axes; give ax={count} "
                f"axes, or name in metrics=[...] which {len(given)} to draw"
            )
        return given[0].figure, given
    columns = next(n for n in (most, 2, 1) if count > n or count == n) if count != 4 else 2
    rows = -(-count // columns)
    figure, grid = new_figure(
        *(figsize or (side[0] * columns, side[1] * rows)), columns, rows, squeeze=False
    )
    axes = list(grid.ravel())
    for unused in axes[count:]:
        unused.set_axis_off()
    return figure, axes[:count]


def tidy(axes: Any) -> None:
    """Leaves of the frame only the two sides that carry numbers, and a faint grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
