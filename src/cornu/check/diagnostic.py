"""Diagnostic: one thing that is wrong with a network or its training, and how to mend it."""

from __future__ import annotations

import dataclasses
from typing import Literal

from cornu.core.places import Place

Severity = Literal["error", "warning", "note"]

# the worst first
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclasses.dataclass(frozen=True)
class Edit:
    """A change of one line that is certain to be right.

    Attributes:
        place: the line.
        old: text on that line, exactly as it stands there.
        new: what replaces it.
    """

    place: Place
    old: str
    new: str


@dataclasses.dataclass(frozen=True)
class Diagnostic:
    """One finding.

    Attributes:
        code: stable, "C" and three digits: "C101".
        name: of the rule, in kebab case: "softmax-twice".
        severity: "error": training cannot give what is wanted, or stops; "warning": it will very
            likely be worse than it could be; "note": worth knowing.
        message: one sentence of what is wrong, with the names and numbers of this network.
        why: one sentence of what it does to training.
        fix: the exact change that mends it, as an instruction.
        layer: name of the layer or argument where it is, or None.
        place: the line of the program that made it, or None where that isn't known.
        edit: the change as text, where it is certain; `cornu check --fix` writes it.
    """

    code: str
    name: str
    severity: Severity
    message: str
    why: str = ""
    fix: str = ""
    layer: str | None = None
    place: Place | None = None
    edit: Edit | None = None

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.code} {self.message}"

    def to_dict(self) -> dict:
        """Plain data, as `cornu check --format json` writes it."""
        plain = dataclasses.asdict(self)
        plain["file"], plain["line"] = self.place or (None, None)
        del plain["place"]
        if self.edit is not None:
            plain["edit"] = {
                "line": self.edit.place.line,
                "old": self.edit.old,
                "new": self.edit.new,
            }
        return plain


def worst_first(findings: list[Diagnostic]) -> list[Diagnostic]:
    """Sorted by severity, then by place, then by code."""
    return sorted(
        findings,
        key=lambda d: (
            SEVERITIES.index(d.severity),
            d.place or Place("", 0),
            d.code,
        ),
    )
