"""Loss and metrics against the epoch: of one training, or of several on the same axes."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from cornu.plot.colors import BLUE, CLASS_COLORS, ORANGE, line_colors
from cornu.plot.figures import several_axes, tidy

BANDS = ("confidence", "deviation", "range")


class Record(NamedTuple):
    """What is drawn of one training: values by name, each `(epochs,)` or `(epochs, replicas)`."""

    values: dict[str, np.ndarray]
    epochs: np.ndarray

    def places(self, values: np.ndarray) -> np.ndarray:
        """The epochs, from 1, to which values belong.

        Validation that was done every few epochs only has fewer values than there are epochs.
        """
        if len(values) in (0, len(self.epochs)):
            return self.epochs[: len(values)]
        every = max(1, len(self.epochs) // len(values))
        due = self.epochs[self.epochs % every == 0]
        return due if len(due) == len(values) else np.arange(1, len(values) + 1)


def history(
    history: Any,
    metrics: Sequence[str] | str | None = None,
    *,
    band: str | None = "confidence",
    log_scale: bool = False,
    title: str | None = None,
    figsize: tuple[float, float] | None = None,
    ax: Any = None,
) -> Any:
    """Draws loss and metrics against the epoch, those of validation dashed.

    Args:
        history: what `fit` returned, or its dict `history` of lists `(epochs,)`; or several in a
            dict by name, drawn on the same axes in a colour each. An entry with a replica axis,
            `(epochs, replicas)`, is drawn as its mean with a band.
        metrics: names to draw, without `val_`, one to each axes. Default None: all that the
            histories have, the learning rate left out.
        band: how far the band of replicas reaches: `"confidence"` is the 95% confidence interval of
            their mean (Student's t), `"deviation"` one standard deviation to both sides, `"range"`
            from the lowest to the highest; None for no band. Default `"confidence"`.
        log_scale: whether the values' axis is logarithmic. Default False.
        title: of the figure. Default None, for none.
        figsize: width and height in inches. Default None: 4.5 x 3.6 for each metric.
        ax: matplotlib axes to draw on, as many as there are metrics. Default None: a new figure.

    Returns:
        The matplotlib `Figure`.

    Raises:
        ValueError: a metric that no history has, another number of axes than of metrics, or an
            unknown `band`.
        TypeError: something that is no history.

    Source of the confidence interval: Student, "The probable error of a mean", Biometrika 6, 1908.

    >>> from cornu import plot
    >>> figure = plot.history({"loss": [0.9, 0.5, 0.4], "val_loss": [0.8, 0.6, 0.6]})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['training', 'validation']
    """
    if band not in (*BANDS, None):
        raise ValueError(f"plot.history(band={band!r}): expected one of {', '.join(BANDS)} or None")
    records = _records(history)
    names = _metrics(records, metrics)
    figure, axes = several_axes("plot.history", len(names), ax, figsize, (4.5, 3.6))
    alone = len(records) == 1 and None in records
    colors: dict[Any, str] = {} if alone else line_colors(map(str, records))
    for place, name in zip(axes, names, strict=True):
        for label, record in records.items():
            color = _color_of_metric(name, names) if alone else colors[str(label)]
            for key, style, which in ((name, "-", "training"), (f"val_{name}", "--", "validation")):
                values = record.values.get(key)
                if values is not None and len(values):
                    text = which if alone else str(label) if style == "-" else None
                    draw_band(place, record.places(values), values, color, style, text, band)
        dashed = any(f"val_{name}" in record.values for record in records.values())
        finish(place, name, log_scale=log_scale, explain_dashes=dashed and not alone)
    if title:
        figure.suptitle(title)
    return figure


def draw_band(
    axes: Any,
    epochs: np.ndarray,
    values: np.ndarray,
    color: str,
    style: str = "-",
    label: str | None = None,
    band: str | None = "confidence",
    width: float = 1.8,
) -> None:
    """Draws values `(epochs,)`, or of `(epochs, replicas)` the mean and a band around it."""
    label = label or "_nolegend_"
    if values.ndim == 1:
        mean = values
    else:
        mean, low, high = mean_and_band(values, band)
        if low is not None:
            axes.fill_between(epochs, low, high, color=color, alpha=0.18, linewidth=0)
    # a single epoch has no line
    marker = "o" if len(values) == 1 else ""
    axes.plot(epochs, mean, style, color=color, label=label, linewidth=width, marker=marker)


def mean_and_band(
    values: np.ndarray, band: str | None = "confidence"
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """The mean over replicas and a band around it; what is not finite is left out.

    Args:
        values: `(epochs, replicas)`.
        band: as for `history`. Default `"confidence"`.

    Returns:
        Mean, lower and upper bound, each `(epochs,)`; None for the bounds where there is only one
        replica, or no band.

    Source of the confidence interval: Student, "The probable error of a mean", Biometrika 6, 1908.
    The quantile of Student's t is SciPy's `stdtrit`.

    >>> mean, low, high = mean_and_band(np.array([[1.0, 3.0]]), "deviation")
    >>> print(mean, low.round(3), high.round(3))
    [2.] [0.586] [3.414]
    """
    known = np.isfinite(values)
    count = known.sum(axis=1)
    kept = np.where(known, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = kept.sum(axis=1) / count
        if band is None or values.shape[1] < 2:
            return mean, None, None
        if band == "range":
            return (
                mean,
                np.where(count > 0, np.where(known, values, np.inf).min(axis=1), np.nan),
                np.where(count > 0, np.where(known, values, -np.inf).max(axis=1), np.nan),
            )
        squares = np.where(known, values - mean[:, None], 0.0) ** 2
        reach = np.sqrt(squares.sum(axis=1) / (count - 1))
        if band == "confidence":
            from scipy.special import stdtrit  # JAX brings SciPy

            reach = reach / np.sqrt(count) * stdtrit(np.maximum(count - 1, 1), 0.975)
    return mean, mean - reach, mean + reach


def finish(
    axes: Any, name: str, log_scale: bool = False, explain_dashes: bool = False, unit: str = "epoch"
) -> None:
    """Title, axes, legend and grid of one metric's curves."""
    axes.set(title=name, xlabel=unit)
    with contextlib.suppress(AttributeError):  # axes of one's own may have any locator
        axes.xaxis.get_major_locator().set_params(integer=True)
    if log_scale:
        axes.set_yscale("log")
    if explain_dashes:
        axes.plot([], [], "--", color="gray", label="validation", linewidth=1.8)
    if any(not line.get_label().startswith("_") for line in axes.lines):
        axes.legend(frameon=False)
    tidy(axes)


def as_values(entry: Any) -> np.ndarray:
    """A history's entry as floats, `(epochs,)` or `(epochs, replicas)`; None becomes NaN.

    >>> as_values([0.5, None, 1])
    array([0.5, nan, 1. ])
    """
    values = np.asarray(entry, dtype=float)
    return values if values.ndim < 3 else values.reshape(len(values), -1)


def _records(given: Any) -> dict[Any, Record]:
    """The histories by name; under None the only one that has no name."""
    if isinstance(given, Mapping) and given and all(_is_history(one) for one in given.values()):
        return {name: _record(one) for name, one in given.items()}
    return {None: _record(given)}


def _is_history(given: Any) -> bool:
    return isinstance(given, Mapping) or hasattr(given, "history")


def _record(given: Any) -> Record:
    epochs = getattr(given, "epoch", None)
    while not isinstance(given, Mapping):
        if not hasattr(given, "history"):
            raise TypeError(
                f"plot.history: received a {type(given).__name__}; expected what fit returned, its "
                "dict of lists, or a dict of several of these by name"
            )
        given = given.history  # of a model that is the History, of that the dict
    values = {str(name): as_values(entry) for name, entry in given.items()}
    values = {name: entry for name, entry in values.items() if entry.ndim}
    longest = max(map(len, values.values()), default=0)
    # after a second fit the history is longer than the list of the last fit's epochs
    known = isinstance(epochs, (list, tuple)) and len(epochs) == longest
    places = np.asarray(epochs) + 1 if known else np.arange(1, longest + 1)
    return Record(values, places)


def _metrics(records: dict[Any, Record], wanted: Sequence[str] | str | None) -> list[str]:
    had = {name for record in records.values() for name in record.values}
    if wanted is not None:
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        for name in names:
            if name not in had and f"val_{name}" not in had:
                raise ValueError(
                    f"plot.history(metrics={wanted!r}): no history has {name!r}; there are "
                    f"{', '.join(sorted(had)) or 'none'}"
                )
        return names
    found: dict[str, None] = {}
    for first in ("loss", "accuracy"):
        if first in had or f"val_{first}" in had:
            found[first] = None
    for record in records.values():
        found.update((name.removeprefix("val_"), None) for name in record.values)
    found.pop("learning_rate", None)
    if not found:
        raise ValueError("plot.history: there is nothing in the history; was the model trained?")
    return list(found)


def _color_of_metric(name: str, names: Sequence[str]) -> str:
    fixed = {"loss": ORANGE, "accuracy": BLUE}
    if name in fixed:
        return fixed[name]
    others = [one for one in names if one not in fixed]
    rest = [color for color in CLASS_COLORS if color not in fixed.values()]
    return rest[others.index(name) % len(rest)]
