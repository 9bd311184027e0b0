"""Rules: what is looked for, each with a stable code and a page."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from cornu.check.diagnostic import Diagnostic, Edit, Severity
from cornu.check.facts import Facts, Operation
from cornu.core.places import Place


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a rule yields; the rule adds its code and name.

    Attributes:
        message, fix: see `Diagnostic`.
        at: the operation it is about: its name becomes the layer, its place the place.
        layer, place: where `at` does not say it.
        why: where another reason than the rule's own fits.
        severity: where it differs from the rule's.
        edit: the change as text, where it is certain.
    """

    message: str
    fix: str
    at: Operation | None = None
    layer: str | None = None
    place: Place | None = None
    why: str | None = None
    severity: Severity | None = None
    edit: Edit | None = None


@dataclasses.dataclass(frozen=True)
class Rule:
    """One thing that is looked for.

    Attributes:
        code, name, severity: see `Diagnostic`.
        why: one sentence of what it does to training.
        find: yields a `Finding` for each place where it is found.
        page: what `cornu check --explain CODE` prints: the docstring of `find`.
    """

    code: str
    name: str
    severity: Severity
    why: str
    find: Callable[[Facts], Iterable[Finding]]

    @property
    def page(self) -> str:
        """What it does, why it hurts, an example, the fix."""
        return inspect.cleandoc(self.find.__doc__ or "")

    def apply(self, facts: Facts) -> Iterator[Diagnostic]:
        """The diagnostics for a network."""
        return map(self.diagnostic, self.find(facts))

    def diagnostic(self, finding: Finding) -> Diagnostic:
        """A finding with this rule's code, name, severity and reason."""
        at = finding.at
        return Diagnostic(
            code=self.code,
            name=self.name,
            severity=finding.severity or self.severity,
            message=finding.message,
            why=finding.why or self.why,
            fix=finding.fix,
            layer=finding.layer or (at.name if at is not None else None),
            place=finding.place or (at.place if at is not None else None),
            edit=finding.edit,
        )


_rules: dict[str, Rule] = {}


def rule(code: str, name: str, severity: Severity, why: str) -> Callable:
    """Decorator: registers a function `Facts -> findings` as a rule. Its docstring is its page."""

    def register(find: Callable[[Facts], Iterable[Finding]]) -> Any:
        if code in _rules:
            raise ValueError(f"the code {code} is that of {_rules[code].name!r} already")
        _rules[code] = Rule(code, name, severity, why, find)
        return find

    return register


def registered() -> dict[str, Rule]:
    """All rules imported so far, by code, in order."""
    return dict(sorted(_rules.items()))
