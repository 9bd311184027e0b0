"""Numbers as a reader wants them, means with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeGuard

from cornu.compare.statistics import mean_and_interval

NOTHING = "\u2013"
TIMES = "\u00d7"


def known(value: Any) -> TypeGuard[float]:
    """Whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def mean_and_half(values: Iterable[Any]) -> tuple[float | None, float | None, int]:
    """The mean, half its 95 % t-interval (None for fewer than two values) and how many there are.

    >>> mean_and_half([0.9, 1.0, None, 0.95])
    (0.95..., 0.124..., 3)
    """
    numbers = [float(value) for value in values if known(value)]
    return (*mean_and_interval(numbers), len(numbers))


def number(value: Any, digits: int = 3) -> str:
    """A number with a few significant digits.

    >>> number(0.123456), number(3.14e-15), number(5277), number(250.0)
    ('0.123', '3.1e-15', '5,277', '250')
    """
    if not known(value):
        return NOTHING
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e9 or size < 1e-3:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
    if size >= 10**digits or float(value).is_integer():
        return f"{value:,.0f}"
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{value:,.0f}"


def percent(value: Any, digits: int = 1) -> str:
    """A share of one as per cent.

    >>> percent(0.978).replace(chr(160), " "), percent(None) == NOTHING
    ('97.8 %', True)
    """
    return f"{100 * value:.{digits}f}\u00a0%" if known(value) else NOTHING


def seconds(value: Any) -> str:
    """A time given in seconds.

    >>> [seconds(s).replace(chr(160), " ") for s in (0.0000016, 0.0016, 0.25, 3.14, 95)]
    ['1.6 us', '1.6 ms', '250 ms', '3.14 s', '1 min 35 s']
    """
    if not known(value):
        return NOTHING
    if value < 1e-3:
        return f"{number(1e6 * value)}\u00a0us"
    if value < 1:
        return f"{number(1000 * value)}\u00a0ms"
    if value < 60:
        return f"{number(value)}\u00a0s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes:,}\u00a0min {rest}\u00a0s"


def megabytes(value: Any) -> str:
    """A size given in megabytes.

    >>> megabytes(12.34).replace(chr(160), " "), megabytes(2500).replace(chr(160), " ")
    ('12.3 MB', '2.5 GB')
    """
    if not known(value):
        return NOTHING
    return f"{number(value / 1000)}\u00a0GB" if value >= 1000 else f"{number(value)}\u00a0MB"


def count(value: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    >>> count(1, "seed"), count(5277, "parameter"), count(3, "class", "classes")
    ('1 seed', '5,277 parameters', '3 classes')
    """
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def listed(words: Iterable[str]) -> str:
    """Words with commas and "and".

    >>> listed(["Cornu", "PyTorch", "Keras"])
    'Cornu, PyTorch and Keras'
    """
    every = list(words)
    if not every:
        return ""
    return " and ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)
