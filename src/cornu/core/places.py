"""Where in a user's program something was made."""

from __future__ import annotations

import sys
from typing import NamedTuple

from cornu.core.reporting import users_line


class Place(NamedTuple):
    """A line of a program.

    Attributes:
        file: path of the file, or what Python calls the text, such as "<stdin>".
        line: counted from 1.
    """

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def caller_place() -> Place | None:
    """The line outside Cornu that the running call came from; None where there is none."""
    line = users_line(sys._getframe(1))
    return None if line is None else Place(line.file, line.number)
