"""How a user is told of something: which line a warning points at, what a traceback shows."""

from __future__ import annotations

import contextlib
import functools
import linecache
import os
import sys
import threading
import types
import warnings
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import jax

_PACKAGE = str(Path(__file__).parent.parent) + os.sep
# Frames of these are no lines of the user's. Python's own modules are those through which Cornu
# and JAX call themselves.
MACHINERY = (
    _PACKAGE,
    str(Path(jax.__file__).parent) + os.sep,
    *(str(module.__file__) for module in (contextlib, functools, threading)),
)
_LIBRARY = str(Path(os.__file__).parent) + os.sep
_Error = TypeVar("_Error", bound=BaseException)


class _Line(NamedTuple):
    """A line that is being run, and the variables of its module."""

    file: str
    number: int
    module: dict[str, Any]


# The line of the user's that has called fit or the like: what a thread that works for it is about.
_calling: _Line | None = None


def set_calling(line: _Line | None) -> _Line | None:
    """Says which line of the user's the work of other threads is for; returns the one before."""
    global _calling
    before, _calling = _calling, line
    return before


def users_line(frame: types.FrameType | None) -> _Line | None:
    """The innermost line outside Cornu and JAX, from a frame outwards; None where there is none."""
    while frame is not None and frame.f_code.co_filename.startswith(MACHINERY):
        frame = frame.f_back
    if frame is None:
        return None
    return _Line(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """A warning that points at the user's own line, however deep within Cornu it comes about.

    In a thread of Cornu's it points at the line that called `fit` or the like. A text that stays
    the same (without the size of the batch, say) is printed once for each such line.
    """
    line = users_line(sys._getframe(1)) or _calling
    if line is None:
        warnings.warn(text, category, stacklevel=2)
        return
    warnings.warn_explicit(
        text,
        category,
        line.file,
        line.number,
        line.module.get("__name__", "<unknown>"),
        line.module.setdefault("__warningregistry__", {}),
    )


def shortened(error: _Error) -> _Error:
    """An error whose message says all, with the frames of Cornu and JAX out of its traceback.

    These are the errors that Cornu raises itself, those that the user's own code (a loss, a
    generator) raises while Cornu runs it, and Ctrl-C: what is left are the lines of the program.
    Any other error keeps all frames, and so does every one where the environment has
    `CORNU_TRACEBACK=full`.
    """
    if os.environ.get("CORNU_TRACEBACK") == "full" or not _says_all(error):
        return error
    notes = getattr(error, "__notes__", None)
    if notes:  # JAX notes that it has cut frames of its own
        error.__notes__ = [note for note in notes if "JAX has removed" not in note]
    return error.with_traceback(_without_machinery(error.__traceback__))


def _says_all(error: BaseException) -> bool:
    last = error.__traceback__
    if last is None:
        return False
    while last.tb_next is not None:
        last = last.tb_next
    file = last.tb_frame.f_code.co_filename
    told = isinstance(error, KeyboardInterrupt) or getattr(error, "is_sentence", False)
    if told or not _is_installed(file):
        return True
    return file.startswith(_PACKAGE) and linecache.getline(file, last.tb_lineno).strip().startswith(
        "raise"
    )


def _is_installed(file: str) -> bool:
    """Whether a file is Cornu's, another package's or Python's own: none of the user's."""
    return file.startswith((_PACKAGE, _LIBRARY, "<frozen")) or "site-packages" in file


def _without_machinery(trace: types.TracebackType | None) -> types.TracebackType | None:
    kept = []
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(MACHINERY):
            kept.append(trace)
        trace = trace.tb_next
    shorter: types.TracebackType | None = None
    for one in reversed(kept):
        shorter = types.TracebackType(shorter, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return shorter
