"""Where in a user's program something was made."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

_PACKAGE = str(Path(__file__).parent.parent) + os.sep
_MACHINERY = (_PACKAGE, "<frozen")


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
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        # the demo and what else lies in the package as a program is a user of it too
        if not file.startswith(_MACHINERY):
            return Place(file, frame.f_lineno)
        frame = frame.f_back  # type: ignore[assignment]
    return None
