"""Numbers as a reader wants them, means with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, TypeGuard

# 0.975 quantiles of Student's t for 1 to 30 degrees of freedom (NIST/SEMATECH e-Handbook of
# Statistical Methods, 1.3.6.7.2)
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)
_NORMAL = 1.959964
NOTHING = "\u2013"
TIMES = "\u00d7"


def known(value: Any) -> TypeGuard[float]:
    """Whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def student_t(freedom: int) -> float:
    """The 0.975 quantile of Student's t distribution: half a 95 % interval, in standard errors.

    Beyond the table by the expansion 26.7.5 of Abramowitz and Stegun, Handbook of Mathematical
    Functions.

    >>> student_t(4), round(student_t(100), 3)
    (2.776, 1.984)
    """
    if freedom <= len(_T):
        return _T[freedom - 1]
    z = _NORMAL
    return z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)


def mean_and_half(values: Iterable[Any]) -> tuple[float | None, float | None, int]:
    """The mean, half its 95 % t-interval (None for fewer than two values) and how many there are.

    >>> mean_and_half([0.9, 1.0, None, 0.95])
    (0.95..., 0.124..., 3)
    """
    numbers = [float(value) for value in values if known(value)]
    n = len(numbers)
    if not n:
        return None, None, 0
    mean = math.fsum(numbers) / n
    if n == 1:
        return mean, None, 1
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in numbers) / (n - 1))
    return mean, student_t(n - 1) * spread / math.sqrt(n), n


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
