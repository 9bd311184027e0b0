"""What values and words the page shows beside `cornu.compare.amounts`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, TypeGuard

from cornu.plot.player.page import escape


def known(value: Any) -> TypeGuard[float]:
    """Whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


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


def unbroken(text: str) -> str:
    """Text as HTML in which no line ends within 1e-8, or between a number and its unit.

    >>> unbroken("at most 1e-8")
    'at most <span class="unbroken">1e-8</span>'
    >>> unbroken("95.1 ± 0.4 % of 3 seeds").replace(chr(160), "_")
    '95.1_±_0.4_% of 3 seeds'
    """
    text = re.sub(r"\d[\d.]*e-\d+", r'<span class="unbroken">\g<0></span>', escape(text))
    return re.sub(r"(?<=\d) (?=(?:%|±|(?:us|ms|s|min|h|MB|GB)\b))|(?<=±) ", "\u00a0", text)
