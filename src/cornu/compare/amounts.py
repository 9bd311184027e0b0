"""Times, sizes, shares and losses as people read them."""

from __future__ import annotations

import math


def duration(seconds: float | None) -> str:
    """A time for people.

    >>> duration(0.0016), duration(0.41), duration(8.94), duration(75), duration(7325)
    ('1.6 ms', '410 ms', '8.9 s', '1 min 15 s', '2 h 2 min')
    """
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{_digits(seconds * 1000)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def size(megabytes: float | None) -> str:
    """A size for people.

    >>> size(8.13), size(410.2), size(2512.0)
    ('8.1 MB', '410 MB', '2.5 GB')
    """
    if megabytes is None:
        return "-"
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{_digits(megabytes)} MB"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def percentage(share: float | None, half: float | None = None) -> str:
    """A share in percent, with half its interval.

    >>> percentage(0.978), percentage(0.978, 0.0042), percentage(None)
    ('97.8 %', '97.8 ± 0.4 %', '-')
    """
    if share is None:
        return "-"
    digits = 1 if half is None or half >= 0.0005 or half == 0 else 2
    behind = "" if half is None else f" ± {100 * half:.{digits}f}"
    return f"{100 * share:.{digits}f}{behind} %"


def number(value: float | None, half: float | None = None) -> str:
    """A loss, or a difference, with half its interval.

    >>> number(0.06931), number(0.0693, 0.00213), number(3.1e-15), number(0)
    ('0.0693', '0.0693 ± 0.0021', '3.1e-15', '0')
    """
    if value is None:
        return "-"
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f}"
    if abs(value) < 1e-3 or abs(value) >= 1e5:
        return f"{value:.1e}" + (f" ± {half:.1e}" if half is not None else "")
    digits = max(0, 4 - len(str(int(abs(value))))) + (abs(value) < 1000)
    return f"{value:.{digits}f}" + (f" ± {half:.{digits}f}" if half is not None else "")
