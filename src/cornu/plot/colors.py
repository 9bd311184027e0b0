"""The colours of every picture: the same framework and the same class look the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable

BLUE, ORANGE, INK, PALE = "#2b6cb0", "#dd6b20", "#1a202c", "#f7f5f0"
LIGHT_BLUE, LIGHT_ORANGE = "#8db7e6", "#f3b084"

FRAMEWORK_COLORS: dict[str, str] = {
    "cornu": BLUE,
    "torch": ORANGE,
    "keras": "#c53030",
    "keras-jax": "#0f766e",
    "keras-torch": "#9d174d",
    "keras-tensorflow": "#6b46c1",
    "numpy": "#2f855a",
    "sklearn": "#b7791f",
}
FURTHER_COLORS = ("#4a5568", "#00a3c4", "#d53f8c")

# of classes, by their index; two classes are blue and orange
CLASS_COLORS = (
    BLUE,
    ORANGE,
    "#2f855a",
    "#c53030",
    "#6b46c1",
    "#d69e2e",
    "#0f766e",
    "#d53f8c",
    "#4a5568",
    "#00a3c4",
)


def color_of(name: str, place: int = 0) -> str:
    """The colour of a framework in every picture of a comparison.

    Args:
        name: `"cornu"`, `"torch"`, ...; another name takes one of three further colours.
        place: which of them: its place among those that are shown. Default 0.

    Returns:
        The colour, `"#rrggbb"`, to be seen on a light ground.

    >>> color_of("torch"), color_of("keras-torch", 5), color_of("another", 5)
    ('#dd6b20', '#9d174d', '#d53f8c')
    """
    return FRAMEWORK_COLORS.get(name, FURTHER_COLORS[place % len(FURTHER_COLORS)])


def class_color(index: int) -> str:
    """The colour of a class; after ten they begin again.

    >>> class_color(0), class_color(11) == class_color(1)
    ('#2b6cb0', True)
    """
    return CLASS_COLORS[index % len(CLASS_COLORS)]


def line_colors(names: Iterable[str]) -> dict[str, str]:
    """A colour for each of several lines: a framework's own, else one that is free.

    >>> line_colors(["adam", "cornu", "sgd"])
    {'adam': '#dd6b20', 'cornu': '#2b6cb0', 'sgd': '#2f855a'}
    """
    names = list(names)
    taken = {FRAMEWORK_COLORS[name] for name in names if name in FRAMEWORK_COLORS}
    free = [color for color in CLASS_COLORS if color not in taken] or list(CLASS_COLORS)
    others = [name for name in names if name not in FRAMEWORK_COLORS]
    chosen = {name: free[place % len(free)] for place, name in enumerate(others)}
    return {name: FRAMEWORK_COLORS.get(name) or chosen[name] for name in names}
