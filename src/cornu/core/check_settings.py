"""Whether networks are checked before they train, and which findings nobody wants to hear."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CODE = re.compile(r"C\d{3}|C\d{1,2}")

_enabled = True
_ignored: frozenset[str] = frozenset()


def set_check(enabled: bool = True, ignore: Iterable[str] = ()) -> None:
    """Says whether `fit` checks the network before it trains, and what is left out.

    Args:
        enabled: whether it does. True when the process starts.
        ignore: codes of findings that are not told, such as "C502"; "C5" stands for all that begin
            with it. This replaces what an earlier call said.

    Raises:
        ValueError: something that is not a code.

    >>> set_check(ignore=["C502"])
    >>> ignored_findings()
    frozenset({'C502'})
    >>> set_check()
    """
    global _enabled, _ignored
    _enabled, _ignored = bool(enabled), frozenset(checked_codes(ignore))


def checked_codes(ignore: Iterable[str]) -> tuple[str, ...]:
    """The codes of findings to leave out, from one or several.

    Raises ValueError for what is no code of a finding, nor the beginning of some.
    """
    codes = (ignore,) if isinstance(ignore, str) or not isinstance(ignore, Iterable) else ignore
    for code in codes:
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise ValueError(
                f'{code!r} is not the code of a finding: expected one like "C101" or "C1"'
            )
    return tuple(codes)


def is_check_enabled() -> bool:
    """Whether `fit` checks the network before it trains."""
    return _enabled


def ignored_findings() -> frozenset[str]:
    """The codes of findings that are not told."""
    return _ignored


def is_ignored(code: str, ignore: Iterable[str] = ()) -> bool:
    """Whether a finding is not to be told."""
    return code.startswith((*_ignored, *ignore))
