"""The programs of `corpus/`: what is wrong in each, and the corrected twin."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
_TAG = re.compile(r"\s*# (?P<what>wrong|found):(?P<codes>[ C\d]*)$")


@dataclasses.dataclass(frozen=True)
class Twins:
    """A wrong program and its correction.

    Attributes:
        path: the file.
        wrong, right: the two programs' texts.
        codes: any of these findings will do.
        lines: where it may be told, counted from 1, in the wrong program.
    """

    path: Path
    wrong: str
    right: str
    codes: frozenset[str]
    lines: frozenset[int]

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}"


def read(path: Path) -> Twins:
    """Reads a file of the corpus."""
    wrong, right, codes, lines = [], [], set(), set()
    for text in path.read_text().splitlines():
        if text.lstrip().startswith("#:"):
            indent = text[: len(text) - len(text.lstrip())]
            right.append(indent + text.lstrip()[2:].removeprefix(" "))
            continue
        tag = _TAG.search(text)
        plain = text[: tag.start()] if tag else text
        wrong.append(plain)
        if tag and tag["codes"].strip():
            codes.update(tag["codes"].split())
            lines.add(len(wrong))
        if not tag or tag["what"] == "found":
            right.append(plain)
    if not codes:
        raise ValueError(f"{path}: no line says which finding is expected")
    return Twins(
        path, "\n".join(wrong) + "\n", "\n".join(right) + "\n", frozenset(codes), frozenset(lines)
    )


def programs(framework: str) -> list[Twins]:
    """All programs for a framework."""
    return [read(path) for path in sorted((FOLDER / framework).glob("*.py"))]


def right_programs(framework: str) -> list[Path]:
    """Correct programs that come near what rules look for."""
    return sorted((FOLDER / "right" / framework).glob("*.py"))
