"""Applying the rules to a network."""

from __future__ import annotations

import contextlib
import gc
import linecache
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cornu.check.diagnostic import Diagnostic, worst_first
from cornu.core import hooks
from cornu.core.check_settings import checked_codes, is_ignored
from cornu.core.places import caller_place
from cornu.utils.progress import end_line

# a comment of our own: flake8 and ruff have codes that look like ours, and other meanings for them
_IGNORED_HERE = re.compile(r"#\s*cornu:\s*ignore(?:\[(?P<codes>[^\]]*)\])?")
# Findings told already in this process: a program may train the same network a thousand times.
_told: set[tuple] = set()


class Findings(list):
    """Diagnostics, the worst first; prints as a linter's lines."""

    @property
    def errors(self) -> list[Diagnostic]:
        """Those of severity "error"."""
        return [one for one in self if one.severity == "error"]

    @property
    def warnings(self) -> list[Diagnostic]:
        """Those of severity "warning"."""
        return [one for one in self if one.severity == "warning"]

    @property
    def codes(self) -> list[str]:
        """The codes, each once, in order."""
        return sorted({one.code for one in self})

    def __repr__(self) -> str:
        if not self:
            return "<no findings>"
        return f"<{len(self)} finding{'s' * (len(self) > 1)}: {', '.join(self.codes)}>"

    def __str__(self) -> str:
        from cornu.check.report import as_text

        return as_text(self)


def all_rules() -> dict:
    """All rules by code: `cornu.check.Rule` objects."""
    import cornu.check.programs
    import cornu.check.rules  # noqa: F401  # both register theirs
    from cornu.check.rule import registered

    return registered()


def find(facts: Any, ignore: Iterable[str] = ()) -> Findings:
    """Applies all rules to facts.

    Args:
        facts: `Facts` of a network.
        ignore: codes that are not told, besides those of `cornu.config.set_check`.
    """
    ignore = checked_codes(ignore)
    found: list[Diagnostic] = []
    for code, rule in all_rules().items():
        if not is_ignored(code, ignore):
            found += rule.apply(facts)
    kept: dict[tuple, Diagnostic] = {}
    for one in found:
        if not _is_ignored_on_its_line(one):
            # a layer that is applied twice is told once
            kept.setdefault((one.code, one.message, one.place), one)
    return Findings(worst_first(list(kept.values())))


def _is_ignored_on_its_line(finding: Diagnostic) -> bool:
    """Whether the line ends in `# cornu: ignore`, or in `# cornu: ignore[C101]`."""
    if finding.place is None:
        return False
    comment = _IGNORED_HERE.search(linecache.getline(finding.place.file, finding.place.line))
    if comment is None:
        return False
    codes = comment["codes"]
    return codes is None or finding.code.startswith(tuple(re.findall(r"C\d+", codes)))


def check_model(
    model: Any,
    x: Any = None,
    y: Any = None,
    settings: dict | None = None,
    ignore: Sequence[str] = (),
    measure: bool = True,
) -> Findings:
    """What is wrong with a compiled model and how it is to be trained; see `Model.check`.

    Args:
        settings: what `fit` will be given besides data, by name.
    """
    from cornu.check.read_fit import facts_of_training

    settings = {"place": caller_place(), **(settings or {})}
    return find(facts_of_training(model, x, y, settings, measure), ignore)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Within the block, no garbage is collected: Ctrl-C in JAX's part of it would be lost."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def before_fit(
    model: Any, source: Any, settings: dict, ignore: Sequence[str] = (), again: bool = False
) -> Any:
    """Tells what is wrong, a line for each finding, as `fit` begins; notes are left to `check`.

    Args:
        model, source, settings: see `cornu.check.read_fit.facts_of_fit`.
        ignore: codes that are not told.
        again: whether the same network was checked with the same data before.

    Returns:
        A callback that goes on watching while the network trains, or None.
    """
    from cornu.check.read_fit import facts_of_fit
    from cornu.check.watch import Watch

    ignore = checked_codes(ignore)

    def say(finding: Diagnostic) -> None:
        if not is_ignored(finding.code, ignore) and not _is_ignored_on_its_line(finding):
            _tell(finding)

    try:
        with _no_collection():
            facts = facts_of_fit(model, source, settings)
            if not again:
                for finding in find(facts, ignore):
                    _tell(finding)
            return Watch(facts, say)
    except Exception:
        # a mistake in a rule must not keep anyone from training
        if os.environ.get("CORNU_CHECK") == "strict":
            raise
        return None


def _tell(finding: Diagnostic) -> None:
    """Prints a finding, once in a process."""
    from cornu.check.report import line

    key = finding.code, finding.message, finding.place
    # what is found while a network trains is told nowhere else
    told_here = finding.severity != "note" or finding.code.startswith("C7")
    if told_here and key not in _told:
        _told.add(key)
        end_line()  # a progress bar may stand on it
        print(line(finding), file=sys.stderr, flush=True)


hooks.check_model = check_model
hooks.before_fit = before_fit
