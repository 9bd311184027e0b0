"""Times, sizes, shares, losses and verdicts in words, for the terminal and the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

NOTHING = "\u2013"
TIMES = "\u00d7"

# The words for the kinds of verdict, and how good each is: "good", "warn" or "bad".
_VERDICTS = {
    "same": ("same", "good"),
    "rounding": ("rounding", "warn"),
    "different": ("different", "bad"),
}


def duration(seconds: float | None) -> str:
    """A time for people.

    >>> duration(1.6e-6), duration(0.0016), duration(0.41), duration(8.94)
    ('1.6 us', '1.6 ms', '410 ms', '8.9 s')
    >>> duration(75), duration(7325), duration(None) == NOTHING
    ('1 min 15 s', '2 h 2 min', True)
    """
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if 0 < seconds < 0.9995e-3:
        return f"{_digits(seconds * 1e6)} us"
    if seconds < 0.9995:
        return f"{_digits(seconds * 1000)} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def size(megabytes: float | None) -> str:
    """A size for people.

    >>> size(8.13), size(410.2), size(2512.0)
    ('8.1 MB', '410 MB', '2.5 GB')
    """
    if megabytes is None or not math.isfinite(megabytes):
        return NOTHING
    if megabytes >= 999.5:
        return f"{megabytes / 1000:.1f} GB"
    return f"{_digits(megabytes)} MB"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def percentage(share: float | None, half: float | None = None, digits: int = 1) -> str:
    """A share in percent, with half its interval.

    An interval that leaves 0 to 100 % is told by its ends, cut there.

    Args:
        share: the share of one; None: unknown.
        half: half the length of its interval. Default none.
        digits: decimals, more where the interval is narrower than they show. Default 1.

    >>> percentage(0.978), percentage(0.978, 0.0042), percentage(0.978, digits=0)
    ('97.8 %', '97.8 ± 0.4 %', '98 %')
    >>> percentage(0.677, 1.24), percentage(0.99, 0.015)
    ('67.7 % (0 to 100 %)', '99.0 % (97.5 to 100 %)')
    """
    if share is None or not math.isfinite(share):
        return NOTHING
    if half is None:
        return f"{100 * share:.{digits}f} %"
    digits = _enough(100 * half, digits)
    low, high = share_interval(share, half)
    # what is equal but for the rounding of a sum is not cut
    if share - half < -1e-9 or share + half > 1 + 1e-9:
        ends = [f"{100 * end:.{digits if 0 < end < 1 else 0}f}" for end in (low, high)]
        return f"{100 * share:.{digits}f} % ({ends[0]} to {ends[1]} %)"
    return f"{100 * share:.{digits}f} ± {100 * half:.{digits}f} %"


def share_interval(share: float, half: float) -> tuple[float, float]:
    """The ends of a share's interval, cut at 0 and 1.

    >>> share_interval(0.75, 0.5)
    (0.25, 1.0)
    """
    return max(0.0, share - half), min(1.0, share + half)


def number(value: float | None, half: float | None = None) -> str:
    """A loss, or a difference, with half its interval; both have the same decimals.

    >>> number(0.06931), number(0.0693, 0.00213), number(0.66, 0.0045)
    ('0.0693', '0.0693 ± 0.0021', '0.6600 ± 0.0045')
    >>> number(3.1e-15), number(1e-8), number(1.04e-8), number(0), number(5277.3)
    ('3.1e-15', '1e-8', '1.0e-8', '0', '5,277')
    """
    if value is None:
        return NOTHING
    if value == 0 and not half:
        return "0"
    if not math.isfinite(value):
        return f"{value:.0f}"
    if max(abs(value), half or 0) < 1e-3 or abs(value) >= 1e9:
        return _power(value) + (f" ± {_power(half)}" if half is not None else "")
    digits = max(0, 4 - len(str(int(abs(value))))) + (abs(value) < 1000)
    if half is None:
        return f"{value:,.{digits}f}"
    digits = _enough(half, digits)
    return f"{value:,.{digits}f} ± {half:,.{digits}f}"


def _enough(half: float, digits: int) -> int:
    """At least so many decimals that half an interval is not shown as zero."""
    while half > 0 and digits < 8 and round(half, digits) == 0:
        digits += 1
    return digits


def _power(value: float) -> str:
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.1e}".split("e")
    if float(f"{mantissa}e{exponent}") == value:  # what was chosen, as a tolerance, not measured
        mantissa = mantissa.removesuffix(".0")
    return f"{mantissa}e{int(exponent)}"


def ratio(value: float | None, reference: float | None) -> str:
    """How many times as much; nothing where either is unknown or there is nothing to relate to.

    >>> [ratio(value, 2.0).replace(TIMES, "x") for value in (2.08, 54.6, 1.0, 0.12, 1e-6, None)]
    ['1.0x', '27x', '0.5x', '0.06x', '<0.001x', '']
    """
    if value is None or not reference or not math.isfinite(value / reference):
        return ""
    times = value / reference
    if times < 0.095:
        return (f"{times:.1g}" if times >= 0.001 else "<0.001") + TIMES
    return (f"{times:,.0f}" if times >= 9.95 else f"{times:.1f}") + TIMES


def seeds(used: int, every: int, diverged: int = 0) -> str:
    """How many runs a mean is of.

    Args:
        used: those that it is of.
        every: all that there are.
        diverged: those of them whose loss was no number in the end. Default 0.

    >>> seeds(3, 3), seeds(2, 3, 1), seeds(4, 5)
    ('3', '2 of 3 (1 diverged)', '4 of 5')
    """
    if used == every:
        return str(used)
    return f"{used} of {every}" + (f" ({diverged} diverged)" if diverged else "")


def verdict_kind(verdict: Mapping[str, Any]) -> str:
    """The kind of a verdict on the same start: "same", "rounding" or "different"."""
    return str(verdict.get("kind") or ("same" if verdict.get("same") else "different"))


def busy_machine(results: Mapping[str, Any]) -> str | None:
    """What to say of the times where the machine was busy with something else; else None.

    >>> busy_machine({"own_habits": {}, "environment": {"load": 3.1, "cores": 2}})
    'The machine was busy when this began (load 3.1 on 2 cores): times and ratios say little.'
    """
    where = results.get("environment") or {}
    load, cores = where.get("load"), where.get("cores")
    if results.get("own_habits") is None or not load or not cores or load < cores / 2:
        return None
    return (
        f"The machine was busy when this began (load {load:.1f} on {cores} cores): times and "
        "ratios say little."
    )


def verdict_word(verdict: Mapping[str, Any]) -> tuple[str, str]:
    """A word for a verdict on the same start, and how good that is.

    >>> verdict_word({"same": True, "kind": "rounding"}), verdict_word({"same": True})
    (('rounding', 'warn'), ('same', 'good'))
    """
    kind = verdict_kind(verdict)
    return _VERDICTS.get(kind, (kind, "bad"))
