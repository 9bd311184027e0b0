"""The curves of the results, as what the chart script draws."""

from __future__ import annotations

from typing import Any

from cornu.compare.amounts import number, share_interval
from cornu.compare.report.content import Content
from cornu.compare.report.numbers import known
from cornu.compare.statistics import has_diverged, mean_and_interval

# Where curves lie on each other the first is drawn widest and palest, so that every one is seen.
_NESTED_WIDTHS = (6.0, 3.5, 2.0, 1.2)


def step_charts(content: Content) -> dict[str, list[dict[str, Any]]]:
    """For each dtype of the same start: the loss a step, and the difference from Cornu's."""
    return {
        dtype: _dtype_charts(content, dtype, entry)
        for dtype, entry in (content.part("same_start").get("dtypes") or {}).items()
        if entry
    }


def _dtype_charts(content: Content, dtype: str, entry: dict[str, Any]) -> list[dict[str, Any]]:
    steps = entry.get("step") or []
    losses, apart, marks = [], [], []
    for place, (name, found) in enumerate(content.ordered(entry.get("frameworks"))):
        line = {"key": name, "label": content.title(name), **content.styles[name]}
        if found.get("loss"):
            width = _NESTED_WIDTHS[min(place, len(_NESTED_WIDTHS) - 1)]
            wide = {"width": width, "opacity": 0.45 if place == 0 else 0.9}
            losses.append({**line, **wide, "x": steps, "y": found["loss"]})
        if found.get("difference"):
            apart.append({**line, "width": 1.6, "x": steps, "y": found["difference"]})
        verdict = found.get("verdict") or {}
        if verdict.get("kind") == "different" and known(verdict.get("step")):
            label = f"{content.title(name)} parts at step {verdict['step']:,}"
            marks.append({"x": verdict["step"], "key": name, "label": label})
    charts = []
    if losses:
        charts.append(
            {
                "title": f"Loss of each step, {dtype}",
                "x": {"label": "step"},
                "y": {"label": "loss", "format": "number"},
                "series": losses,
                "marks": marks,
            }
        )
    if apart:
        limit = entry.get("tolerance")
        lines = (
            [{"y": limit, "label": f"tolerance {number(limit)}"}]
            if known(limit) and limit > 0
            else []
        )
        charts.append(
            {
                "title": f"Relative difference of the loss from Cornu's, {dtype}",
                "x": {"label": "step"},
                "y": {"label": "relative difference", "format": "number", "log": True},
                "series": apart,
                "lines": lines,
                # labelled in the chart above; here the curves leave no room
                "marks": [{**mark, "label": ""} for mark in marks],
            }
        )
    return charts


def band(runs: list[dict[str, Any]], key: str) -> dict[str, list[float | None]]:
    """A curve's mean over runs and its 95 % interval, an entry an epoch.

    Runs that diverged are left out, as they are of the means on the rows to test; if all did, the
    curves are those of all, as far as they go.

    >>> band([{"history": {"loss": [1.0, 0.5]}}, {"history": {"loss": [2.0]}}], "loss")["y"]
    [1.5, 0.5]
    """
    runs = [run for run in runs if not has_diverged(run)] or runs
    curves = [(run.get("history") or {}).get(key) or [] for run in runs]
    found: dict[str, list[float | None]] = {"y": [], "low": [], "high": []}
    for epoch in range(max((len(curve) for curve in curves), default=0)):
        values = [c[epoch] for c in curves if epoch < len(c) and known(c[epoch])]
        mean, half = mean_and_interval(values)
        found["y"].append(mean)
        sides = (None, None) if mean is None or half is None else (mean - half, mean + half)
        found["low"].append(sides[0])
        found["high"].append(sides[1])
    return found


def habit_charts(content: Content) -> list[dict[str, Any]]:
    """Loss and metrics an epoch, means with bands; training and validation on equal axes."""
    habits = content.ordered(content.part("own_habits").get("frameworks"))
    keys: list[str] = []
    for _, found in habits:
        for run in found.get("runs") or []:
            keys += [key for key in run.get("history") or {} if key not in keys]
    bases = list(dict.fromkeys(key.removeprefix("val_") for key in keys))
    # loss and accuracy first, whatever else was logged
    bases.sort(key=lambda base: (base != "loss", base != "accuracy"))
    charts = []
    for base in bases:
        pair = [_habit_chart(content, habits, key) for key in (base, f"val_{base}") if key in keys]
        values = [
            value
            for chart in pair
            for series in chart["series"]
            for value in series["y"]
            if known(value)
        ]
        if not values:
            continue
        share = "acc" in base and min(values) >= 0 and max(values) <= 1
        for chart in pair:
            chart["y"]["group"] = base
            chart["y"]["format"] = "percent" if share else "number"
            if share:
                chart["y"]["atMost"] = 1
                for series in chart["series"]:
                    _cut(series)
            elif min(values) >= 0:
                chart["y"]["atLeast"] = 0
        charts += pair
    return charts


def _cut(series: dict[str, Any]) -> None:
    """Cuts the band of a share at 0 and 1."""
    for epoch, (mean, high) in enumerate(zip(series["y"], series["high"], strict=True)):
        if mean is not None and high is not None:
            ends = share_interval(mean, high - mean)
            series["low"][epoch], series["high"][epoch] = ends


def _habit_chart(content: Content, habits: list[tuple[str, Any]], key: str) -> dict[str, Any]:
    base = key.removeprefix("val_")
    series = []
    for name, found in habits:
        curve = band(found.get("runs") or [], key)
        if any(known(value) for value in curve["y"]):
            epochs = list(range(1, len(curve["y"]) + 1))
            line = {"key": name, "label": content.title(name), **content.styles[name]}
            series.append({**line, "x": epochs, **curve})
    where = "validation" if key.startswith("val_") else "training"
    return {
        "title": f"{base.replace('_', ' ').capitalize()}, {where}",
        "x": {"label": "epoch"},
        "y": {"label": base.replace("_", " ")},
        "series": series,
    }
