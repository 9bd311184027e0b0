"""Running a program written for Keras."""

from __future__ import annotations

import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from cornu.dialects.names import install

_HERE = str(Path(__file__).resolve().parent)


def run_program(path: str, arguments: Sequence[str] = ()) -> int:
    """Runs a Python file as `python path arguments` would, with Keras' names meaning Cornu.

    Returns the exit status: 0, what the program gave to `sys.exit`, or 1 after an error, whose
    traceback is printed from the program's own lines on.

    Raises FileNotFoundError where there is no such file.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"cornu run: there is no file {path!r}")
    install()
    before = sys.argv, sys.path[:]
    sys.argv = [str(path), *arguments]
    sys.path[:0] = [str(file.resolve().parent)]
    try:
        runpy.run_path(str(file), run_name="__main__")
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return int(stop.code or 0)
        print(stop.code, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        _print_error(error, file)
        return 1
    finally:
        sys.argv, sys.path[:] = before
    return 0


def _print_error(error: BaseException, file: Path) -> None:
    """The traceback without the frames that led to the program."""
    trace = error.__traceback__
    own = str(file)
    while trace is not None and trace.tb_frame.f_code.co_filename not in (own, str(file.resolve())):
        trace = trace.tb_next
    missing = _missing_name(error)
    if missing:
        error.add_note(missing)
    traceback.print_exception(type(error), error, trace or error.__traceback__)


def _missing_name(error: BaseException) -> str | None:
    """What to say where a program asks for something of Keras that is not here."""
    if isinstance(error, ImportError) and (error.name or "").split(".")[0] == "cornu":
        return f"Cornu has no {error.name.replace('cornu', 'keras', 1)} of that name (yet)."
    owner = getattr(error, "obj", None)
    if isinstance(error, AttributeError) and getattr(owner, "__name__", "").startswith("cornu"):
        return f"Cornu has no {owner.__name__.replace('cornu', 'keras', 1)}.{error.name} (yet)."
    return None
