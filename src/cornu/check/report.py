"""Findings as text: lines as a linter prints them, JSON, SARIF."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence

import cornu
from cornu.check.diagnostic import Diagnostic
from cornu.check.rule import Rule


def shown_path(file: str) -> str:
    """A path as people read it: relative to the working directory where that is shorter."""
    if file.startswith("<"):
        return file
    try:
        relative = os.path.relpath(file)
    except ValueError:  # another drive
        return file
    return relative if len(relative) < len(file) else file


def line(finding: Diagnostic) -> str:
    """One line: `file:line: code severity: message. Fix: ...`."""
    where = ""
    if finding.place is not None:
        where = f"{shown_path(finding.place.file)}:{finding.place.line}: "
    fix = f" {_advice(finding.fix)}" if finding.fix else ""
    return f"{where}{finding.code} {finding.severity}: {_sentence(finding.message)}{fix}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."


def _advice(text: str) -> str:
    """The fix as a sentence; code that it may begin with stays as it is."""
    word = text.partition(" ")[0]
    return _sentence(text[:1].upper() + text[1:] if word.isalpha() else text)


def as_text(findings: Iterable[Diagnostic]) -> str:
    """The findings, a line each, and how many there are."""
    findings = list(findings)
    if not findings:
        return "No findings."
    return "\n".join([*map(line, findings), summary(findings)])


def summary(findings: Sequence[Diagnostic]) -> str:
    """How many findings there are of each severity."""
    parts = []
    for severity in ("error", "warning", "note"):
        count = sum(one.severity == severity for one in findings)
        if count:
            parts.append(f"{count} {severity}{'s' * (count > 1)}")
    if not parts:
        return "No findings."
    return f"Found {', '.join(parts)}. `cornu check --explain {findings[0].code}` says more."


def as_json(findings: Iterable[Diagnostic]) -> str:
    """A JSON list of objects with the fields of `Diagnostic`."""
    return json.dumps([one.to_dict() for one in findings], indent=2)


def as_sarif(findings: Iterable[Diagnostic]) -> str:
    """SARIF 2.1.0, which editors and code hosts read.

    Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
    """
    from cornu.check.checking import all_rules

    findings = list(findings)
    known = all_rules()
    codes = sorted({one.code for one in findings})
    results = []
    for one in findings:
        result: dict = {
            "ruleId": one.code,
            "ruleIndex": codes.index(one.code),
            "level": one.severity,
            "message": {"text": f"{_sentence(one.message)} {_advice(one.fix)}".strip(" .") + "."},
        }
        if one.place is not None:
            result["locations"] = [
                {
                    "physicalLocation": {
                        "artifactLocation": {
                            "uri": shown_path(one.place.file).replace(os.sep, "/")
                        },
                        "region": {"startLine": max(1, one.place.line)},
                    }
                }
            ]
        results.append(result)
    described = [
        {
            "id": code,
            "name": known[code].name,
            "shortDescription": {"text": known[code].page.partition("\n")[0]},
            "fullDescription": {"text": known[code].page},
        }
        if code in known
        else {"id": code}
        for code in codes
    ]
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "cornu check",
                        "version": cornu.__version__,
                        "rules": described,
                    }
                },
                "results": results,
            }
        ],
    }
    return json.dumps(document, indent=2)


def print_findings(findings: Sequence[Diagnostic]) -> None:
    """Prints the findings in colour where the terminal has any."""
    from rich.console import Console
    from rich.text import Text

    colors = {"error": "bold red", "warning": "yellow", "note": "cyan"}
    # a linter's lines are to be read by editors too: they are not broken at the terminal's width
    console = Console(soft_wrap=True, highlight=False)
    for one in findings:
        text = Text()
        if one.place is not None:
            text.append(f"{shown_path(one.place.file)}:{one.place.line}: ", style="bold")
        text.append(one.code, style=colors[one.severity])
        text.append(f" {one.severity}: ", style=colors[one.severity])
        text.append(_sentence(one.message))
        if one.fix:
            text.append(f" {_advice(one.fix)}", style="green")
        console.print(text)
    console.print(summary(findings))


def print_page(rule: Rule) -> None:
    """Prints the page of a rule."""
    from rich.console import Console
    from rich.markdown import Markdown

    title, _, rest = rule.page.partition("\n")
    console = Console()
    console.print(
        Markdown(f"# {rule.code} {rule.name}\n\n{title}\n\nSeverity: {rule.severity}.\n\n{rest}")
    )
