"""Means with their intervals, which runs they are of, and thinned series."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def t_within(t: float, degrees: int) -> float:
    """The probability that Student's t lies between -t and t.

    Args:
        t: at least 0.
        degrees: degrees of freedom, at least 1.

    Source: M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4:
    finite sums, exact for every whole number of degrees.

    >>> round(t_within(2.776445, 4), 6), round(t_within(1.0, 1), 6)
    (0.95, 0.5)
    """
    angle = math.atan2(t, math.sqrt(degrees))
    cosine, odd = math.cos(angle), degrees % 2
    total = 0.0
    term = cosine if odd else 1.0
    # the powers of the cosine up to degrees - 2
    for power in range(odd, degrees - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    total *= math.sin(angle)
    return 2 / math.pi * (angle + total) if odd else total


@functools.cache
def t_quantile(degrees: int, confidence: float = 0.95) -> float:
    """The t beyond which, on either side, Student's t lies with `1 - confidence`.

    Args:
        degrees: degrees of freedom: one less than there are values.
        confidence: between 0 and 1. Default 0.95.

    Raises:
        ValueError: no degree of freedom, or a confidence that is not between 0 and 1.

    >>> round(t_quantile(4), 3), round(t_quantile(1), 3), round(t_quantile(30), 3)
    (2.776, 12.706, 2.042)
    """
    if degrees < 1:
        raise ValueError(f"t_quantile(degrees={degrees}): an interval needs at least two values")
    if not 0 < confidence < 1:
        raise ValueError(f"t_quantile(confidence={confidence}): must be between 0 and 1")
    low, high = 0.0, 1.0
    while t_within(high, degrees) < confidence:
        low, high = high, 2 * high
    for _ in range(100):
        middle = (low + high) / 2
        if t_within(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def mean_and_interval(
    values: Sequence[float | None], confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """The mean of values, and half the length of its confidence interval by Student's t.

    Args:
        values: one for each independent run; None and NaN are left out.
        confidence: of the interval. Default 0.95.

    Returns:
        `(mean, half)`: the interval is mean - half to mean + half. `half` is None for one value,
        of which nothing follows about others; both are None where there is none.

    >>> mean, half = mean_and_interval([0.96, 0.97, 0.98, 0.97, 0.97])
    >>> f"{mean:.3f} ± {half:.4f}"
    '0.970 ± 0.0088'
    >>> mean_and_interval([0.5]), mean_and_interval([None])
    ((0.5, None), (None, None))
    """
    known = [float(value) for value in values if value is not None and not math.isnan(value)]
    if not known:
        return None, None
    mean = math.fsum(known) / len(known)
    if len(known) == 1:
        return mean, None
    if not all(map(math.isfinite, known)):
        return mean, None
    variance = math.fsum((value - mean) ** 2 for value in known) / (len(known) - 1)
    error = math.sqrt(variance / len(known))
    return mean, t_quantile(len(known) - 1, confidence) * error


# -- several runs of one framework -----------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What several runs of one framework came to on the rows to test.

    Attributes:
        every: how many runs there are.
        used: those that the means are of, the same for loss and accuracy.
        diverged: those whose loss was no number in the end; no mean has them.
        loss: the mean and half its 95 % interval, each None where there is none.
        accuracy: the same of the accuracy.
    """

    every: int
    used: list[Mapping[str, Any]]
    diverged: list[Mapping[str, Any]]
    loss: tuple[float | None, float | None]
    accuracy: tuple[float | None, float | None]


def has_diverged(run: Mapping[str, Any]) -> bool:
    """Whether a run was tested and its loss is no number.

    >>> has_diverged({"test": {"loss": None, "accuracy": None}}), has_diverged({"test": None})
    (True, False)
    """
    test = run.get("test") or {}
    return "loss" in test and not _is_number(test["loss"])


def outcome(runs: Iterable[Mapping[str, Any]] | None) -> Outcome:
    """The means over runs, and of which runs they are.

    Args:
        runs: each with `"test": {"loss": ..., "accuracy": ...}`. What is missing in one run and
            there in another takes that run out of every mean.

    >>> runs = [{"test": {"loss": loss, "accuracy": 0.5}} for loss in (0.7, 0.9, None)]
    >>> found = outcome(runs)
    >>> found.loss[0], found.accuracy[0], len(found.used), len(found.diverged)
    (0.8, 0.5, 2, 1)
    """
    every = list(runs or [])
    diverged = [run for run in every if has_diverged(run)]
    others = [run for run in every if not has_diverged(run)]
    keys = [
        key
        for key in ("loss", "accuracy")
        if any(_is_number((run.get("test") or {}).get(key)) for run in others)
    ]
    used = [
        run
        for run in others
        if keys and all(_is_number((run.get("test") or {}).get(key)) for key in keys)
    ]
    loss, accuracy = (
        mean_and_interval([run["test"].get(key) for run in used] if key in keys else [])
        for key in ("loss", "accuracy")
    )
    return Outcome(len(every), used, diverged, loss, accuracy)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)


# -- series ----------------------------------------------------------------------------------------


def thinned(length: int, most: int) -> list[int]:
    """Which of a series' entries to keep so that few are left: evenly, the first and last always.

    Args:
        length: of the series.
        most: how many may be kept, at least 2.

    Returns:
        Their places, from 0, growing.

    Raises:
        ValueError: `most` below 2.

    >>> thinned(10, 4), thinned(3, 100), thinned(0, 5)
    ([0, 3, 6, 9], [0, 1, 2], [])
    """
    if most < 2:
        raise ValueError(f"thinned(most={most}): must be at least 2, the first and the last")
    if length <= most:
        return list(range(length))
    # whole numbers only: rounding half up, so that steps differ by at most one
    parts = most - 1
    return [(2 * number * (length - 1) + parts) // (2 * parts) for number in range(most)]
