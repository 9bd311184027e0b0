"""One experiment in several frameworks: their curves on the same axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cornu.plot.colors import INK, color_of
from cornu.plot.curves import as_values, draw_band, finish, mean_and_band
from cornu.plot.figures import new_figure, tidy


def comparison(
    results: Mapping[str, Any],
    metrics: Sequence[str] | None = None,
    *,
    band: str | None = "confidence",
    figsize: tuple[float, float] | None = None,
) -> Any:
    """Draws what `cornu compare` found: every framework's curves, in a colour each.

    The upper row is the same start, where all curves must lie on each other (the first is drawn
    broad, the others within it): the metrics and, at its right, how far each framework's loss is
    from Cornu's, relatively, with the tolerance. The lower row is the frameworks' own habits:
    means over the seeds with a band, and at its right each seed's test result. Where a mode was not
    run, its row is left out.

    Args:
        results: the dictionary that is in `results.json`.
        metrics: names to draw. Default None: loss and accuracy, where they are there.
        band: as for `cornu.plot.history`. Default `"confidence"`: the 95% confidence interval of
            the mean.
        figsize: width and height in inches. Default None: 4.2 x 3.4 for each of the curves.

    Returns:
        The matplotlib `Figure`.

    Raises:
        ValueError: the results have no curves.

    >>> from cornu import plot
    >>> run = {"history": {"loss": [0.9, 0.4]}, "test": {"loss": 0.5}}
    >>> results = {"own_habits": {"frameworks": {"cornu": {"runs": [run, run]}}}}
    >>> [axes.get_title() for axes in plot.comparison(results).axes]
    ['own habits: loss', 'test loss']
    """
    same, own = _same_start(results), _own_habits(results)
    if not same and not own:
        raise ValueError("plot.comparison: no framework in the results has curves")
    shown = [name for name in _order(results) if name in {**same, **own}]
    titles = {
        entry["name"]: entry.get("title") or entry["name"]
        for entry in results.get("frameworks") or []
    }
    look = {name: (titles.get(name, name), color_of(name, n)) for n, name in enumerate(shown)}
    had = {key: None for curves in [*same.values(), *own.values()] for key in curves["epochs"]}
    names = list(metrics) if metrics is not None else [n for n in ("loss", "accuracy") if n in had]
    names = names or list(had)[:2]
    rows = bool(same) + bool(own)
    size = figsize or (4.2 * (len(names) + 1), 3.4 * rows)
    figure, grid = new_figure(*size, len(names) + 1, rows, squeeze=False)
    if title := (results.get("experiment") or {}).get("title"):
        figure.suptitle(title)
    if same:
        dtype = next(iter(same.values()))["dtype"]
        _draw_metrics(grid[0], f"same start, {dtype}", names, same, look)
        _draw_differences(grid[0][-1], results["same_start"]["dtypes"], look)
    if own:
        _draw_metrics(grid[-1], "own habits", names, own, look, band, lower=True)
        _draw_tests(grid[-1][-1], results["own_habits"]["frameworks"], names, look, band)
    return figure


def _order(results: Mapping[str, Any]) -> list[str]:
    """The frameworks' names as they are displayed, those that `frameworks` forgets at the end."""
    found = {entry["name"]: None for entry in results.get("frameworks") or []}
    for dtype in ((results.get("same_start") or {}).get("dtypes") or {}).values():
        found.update(dict.fromkeys(dtype.get("frameworks") or {}))
    found.update(dict.fromkeys((results.get("own_habits") or {}).get("frameworks") or {}))
    return list(found)


def _same_start(results: Mapping[str, Any]) -> dict[str, dict]:
    """Of each framework the curves by epoch, in the first dtype that has any."""
    for dtype, entry in ((results.get("same_start") or {}).get("dtypes") or {}).items():
        curves = {
            name: {"dtype": dtype, "epochs": {k: as_values(v) for k, v in run["epochs"].items()}}
            for name, run in (entry.get("frameworks") or {}).items()
            if run and run.get("epochs")
        }
        if curves:
            return curves
    return {}


def _own_habits(results: Mapping[str, Any]) -> dict[str, dict]:
    """Of each framework the curves of all its runs, `(epochs, runs)`."""
    found = {}
    for name, entry in ((results.get("own_habits") or {}).get("frameworks") or {}).items():
        runs = [run["history"] for run in (entry or {}).get("runs") or [] if run.get("history")]
        keys = {key: None for run in runs for key in run}
        if keys:
            found[name] = {"epochs": {key: _side_by_side(runs, key) for key in keys}}
    return found


def _side_by_side(runs: list[dict], key: str) -> np.ndarray:
    """The values of all runs, `(epochs, runs)`; NaN where one stopped earlier."""
    columns = [as_values(run.get(key) or []) for run in runs]
    values = np.full((max(map(len, columns)), len(columns)), np.nan)
    for place, column in enumerate(columns):
        values[: len(column), place] = column
    return values


def _draw_metrics(
    row: Any,
    mode: str,
    names: Sequence[str],
    found: dict,
    look: dict,
    band: str | None = None,
    lower: bool = False,
) -> None:
    for axes, name in zip(row, names, strict=False):
        drawn = [framework for framework in look if framework in found]
        for place, framework in enumerate(drawn):
            title, color = look[framework]
            # of curves that lie on each other the broader ones are to be seen beside the last
            width = 1.8 if lower else np.linspace(5.5, 1.2, len(drawn))[place]
            for key, style in ((name, "-"), (f"val_{name}", "--")):
                values = found[framework]["epochs"].get(key)
                if values is None or not np.isfinite(values).any():
                    continue
                label = title if style == "-" else None
                epochs = np.arange(1, len(values) + 1)
                draw_band(axes, epochs, values, color, style, label, band, width)
        dashed = any(f"val_{name}" in found[framework]["epochs"] for framework in drawn)
        finish(axes, f"{mode}: {name}", explain_dashes=dashed)


def _draw_differences(axes: Any, dtypes: Mapping[str, Any], look: dict) -> None:
    """How far each framework's loss is from Cornu's, step by step; one style for each dtype."""
    finish(axes, "difference of the loss from Cornu's", log_scale=True, unit="step")
    key = []
    for style, (dtype, entry) in zip(("-", ":", "-."), dtypes.items(), strict=False):
        steps = np.asarray(entry.get("step") or [], float)
        for name, run in (entry.get("frameworks") or {}).items():
            if not run or not run.get("difference") or name not in look:
                continue
            difference = as_values(run["difference"])
            # exactly equal has no place on a logarithmic axis
            difference = np.where(difference > 0, difference, np.nan)
            count = min(len(steps), len(difference))
            color = look[name][1]
            axes.plot(steps[:count], difference[:count], style, color=color, linewidth=1.2)
        key += axes.plot([], [], style, color="gray", linewidth=1.2, label=dtype)
        if entry.get("tolerance"):
            label = f"its tolerance, {entry['tolerance']:g}"
            line = axes.axhline(entry["tolerance"], color=INK, linestyle=style, label=label)
            line.set_linewidth(0.8)
            key.append(line)
    if key:
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * (high / low) ** 0.3)  # room for what the lines mean
        axes.legend(handles=key, loc="upper center", ncols=2, frameon=False, fontsize=8)


def _draw_tests(
    axes: Any, frameworks: Mapping[str, Any], names: Sequence[str], look: dict, band: str | None
) -> None:
    """The result on the test rows of each seed as a point, beside their mean with its band."""
    metric = "accuracy" if "accuracy" in names else names[0]
    shown: list[str] = []
    for name in look:
        runs = (frameworks.get(name) or {}).get("runs") or []
        tests = as_values([(run.get("test") or {}).get(metric) for run in runs])
        if not np.isfinite(tests).any():
            continue
        place, (title, color) = len(shown), look[name]
        shown.append(title)
        across = place - 0.15 + np.zeros(len(tests))
        axes.plot(across, tests, "o", color=color, alpha=0.5, markersize=5, markeredgewidth=0)
        mean, low, high = mean_and_band(tests[None], band)
        axes.plot([place + 0.15], mean, "_", color=color, markersize=16, markeredgewidth=2.5)
        if low is not None and high is not None:
            axes.plot([place + 0.15] * 2, [low[0], high[0]], color=color, linewidth=2)
    crowded = sum(map(len, shown)) > 30
    turned = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if crowded else {}
    axes.set_xticks(range(len(shown)), shown, **turned)
    axes.set(title=f"test {metric}", xlim=(-0.6, max(len(shown), 1) - 0.4))
    tidy(axes)
    if not shown:
        axes.set_axis_off()
