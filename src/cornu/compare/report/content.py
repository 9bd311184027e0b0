"""What the parts of the report ask of the results: who took part, how they are shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from cornu.plot.player.page import escape, line_styles


@dataclasses.dataclass(frozen=True)
class Content:
    """The results of a comparison, with the frameworks' names, titles and line styles at hand.

    Attributes:
        results: the results, plain data.
        frameworks: every framework of the comparison, in the order of display.
        styles: the colour and dashes of each one's lines, by name.
    """

    results: Mapping[str, Any]
    frameworks: list[dict[str, Any]]
    styles: dict[str, dict[str, str]]

    @classmethod
    def of(cls, results: Mapping[str, Any]) -> Content:
        """From results, with names that only occur in a part of them put at the end."""
        frameworks = [dict(entry) for entry in results.get("frameworks") or []]
        found = [entry["name"] for entry in frameworks]
        for name in _named(results):
            if name not in found:
                found.append(name)
                frameworks.append({"name": name, "title": name, "status": "finished"})
        return cls(results, frameworks, line_styles(found))

    def part(self, name: str) -> Any:
        """One part of the results; an empty dictionary where there is none."""
        return self.results.get(name) or {}

    @property
    def names(self) -> list[str]:
        """The names of all frameworks."""
        return [entry["name"] for entry in self.frameworks]

    def title(self, name: str) -> str:
        """What a framework is called."""
        for entry in self.frameworks:
            if entry["name"] == name:
                return str(entry.get("title") or name)
        return name

    def ordered(self, group: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
        """The entries of a dictionary by framework, in the order of display."""
        group = group or {}
        return [(name, group[name]) for name in self.names if group.get(name) is not None]

    def sign(self, name: str) -> str:
        """A short piece of the framework's line, as SVG."""
        style = self.styles.get(name, {"color": "var(--soft)", "dash": ""})
        dash = f' stroke-dasharray="{style["dash"]}"' if style["dash"] else ""
        return (
            '<svg class="sign" viewBox="0 0 27 11" aria-hidden="true"><line x1="1" y1="6" x2="26"'
            f' y2="6" style="stroke:{style["color"]}"{dash}/></svg>'
        )

    def label(self, name: str) -> str:
        """The framework's sign and title, as HTML."""
        return f'<span class="framework">{self.sign(name)} {escape(self.title(name))}</span>'


def _named(results: Mapping[str, Any]) -> list[str]:
    names: list[str] = []
    for entry in ((results.get("same_start") or {}).get("dtypes") or {}).values():
        names += (entry or {}).get("frameworks") or {}
    names += (results.get("own_habits") or {}).get("frameworks") or {}
    names += [entry["framework"] for entry in results.get("programs") or []]
    names += [entry["name"] for entry in (results.get("movie") or {}).get("series") or []]
    return list(dict.fromkeys(names))
