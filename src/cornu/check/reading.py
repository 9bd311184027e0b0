"""Reading: what running somebody's program up to its training has shown."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import sys
from collections.abc import Iterator, Sequence

from cornu.check.facts import Facts
from cornu.core.main_program import main_program


@dataclasses.dataclass(eq=False)
class Reading:
    """What is known of a program.

    Attributes:
        facts: one for each network that is trained with a loss of its own.
        error: what the program died of before enough was known, or None.
        reached_training: whether it came as far as training.
        output: what it has printed.
    """

    facts: list[Facts] = dataclasses.field(default_factory=list)
    error: BaseException | None = None
    reached_training: bool = False
    output: str = ""


class Enough(BaseException):
    """Raised in a program once enough is known; no `except Exception` of the program catches it."""


def execute(path: str | os.PathLike, arguments: Sequence[str] = ()) -> Reading:
    """Runs a Python file as `python path arguments` would, and keeps back what it prints.

    `Enough` ends it without an error, and so does `sys.exit()`.

    Args:
        path: the file.
        arguments: what the program finds in `sys.argv[1:]`.

    Returns:
        A reading with its `output` and, where the program died, the `error`.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"cornu check: there is no file {os.fspath(path)!r}")
    reading, printed = Reading(), io.StringIO()
    with main_program(path, arguments) as run, _kept_back(printed):
        try:
            run()
        except Enough:
            pass
        except SystemExit as stop:
            if stop.code not in (None, 0):
                reading.error = stop
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            reading.error = error
    reading.output = printed.getvalue()
    return reading


@contextlib.contextmanager
def _kept_back(printed: io.StringIO) -> Iterator[None]:
    """Nothing is printed, asked for or shown in a window."""
    stdin, backend = sys.stdin, os.environ.get("MPLBACKEND")
    sys.stdin = io.StringIO("")
    # "agg" draws into memory, and its show() returns at once
    os.environ["MPLBACKEND"] = "agg"
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            yield
    finally:
        sys.stdin = stdin
        if backend is None:
            os.environ.pop("MPLBACKEND", None)
        else:
            os.environ["MPLBACKEND"] = backend
