"""Writes the list of all rules into docs/check.md.

python docs/check_rules.py
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from cornu.check import all_rules

PAGE = Path(__file__).with_name("check.md")
BEGIN = "<!-- the rules, written by docs/check_rules.py -->\n"
END = "<!-- end of the rules -->\n"

GROUPS = {
    "C0": "The program itself",
    "C1": "Output, loss and labels",
    "C2": "Structure",
    "C3": "Initial values",
    "C4": "Optimization",
    "C5": "Data",
    "C6": "Around the training, read from the program's text",
    "C7": "While a network trains",
}


def listed() -> str:
    """All rules, a heading for each hundred: code, name, severity and the first line of the page.

    Raises:
        KeyError: a rule of a hundred that has no heading yet.
    """
    parts: list[str] = []
    group = None
    for code, rule in all_rules().items():
        if code[:2] != group:
            group = code[:2]
            parts.append(f"\n### {group}xx: {GROUPS[group]}\n\n")
        first = rule.page.partition("\n")[0]
        item = f"- **{code}** `{rule.name}` ({rule.severity}): {first}"
        parts.append(
            textwrap.fill(
                item, 100, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
            )
            + "\n"
        )
    return "".join(parts) + "\n"


def with_rules(page: str) -> str:
    """The page with the list between its two marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + listed() + END + after


if __name__ == "__main__":
    PAGE.write_text(with_rules(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
