"""Running a program written for Keras."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Sequence
from pathlib import Path

import jax

import cornu
from cornu.core import main_program as _main_program
from cornu.core.main_program import main_program
from cornu.dialects.names import install

# Frames of these start the program.
_START = (__file__, _main_program.__file__)
# Frames inside these are the machinery's, not the program's.
_MACHINERY = tuple(f"{Path(module.__file__).parent}{os.sep}" for module in (cornu, jax))  # type: ignore[arg-type]


def run_program(path: str | os.PathLike, arguments: Sequence[str] = ()) -> int:
    """Runs a Python file as `python path arguments` would, with Keras' names meaning Cornu.

    The names keep that meaning in this process until `uninstall()`.

    Args:
        path: the file.
        arguments: what the program finds in `sys.argv[1:]`.

    Returns:
        The exit status: 0, what the program gave to `sys.exit`, or 1 after an error. Of the error's
        traceback the frames inside Cornu and JAX are left out, unless the environment has
        `CORNU_TRACEBACK=full`.

    Raises:
        FileNotFoundError: there is no such file.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"cornu run: there is no file {os.fspath(path)!r}")
    install()
    try:
        with main_program(path, arguments) as run:
            run()
            _wait_for_threads()
    except SystemExit as stop:
        return _status(stop.code)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        _print_error(error)
        return 1
    return 0


def _status(code) -> int:
    """What `sys.exit(code)` ends the process with."""
    if code is None or isinstance(code, int):
        return int(code or 0)
    print(code, file=sys.stderr)
    return 1


def _wait_for_threads() -> None:
    """Waits for the threads that the program has left running, as Python does at the end."""
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            thread.join()


def _print_error(error: BaseException) -> None:
    """Prints the error with the program's own frames."""
    sys.stdout.flush()
    of_array = isinstance(error, AttributeError) and isinstance(error.obj, jax.Array)
    if of_array and error.name == "numpy":  # type: ignore[attr-defined]
        error.add_note("Tensors are JAX arrays here: np.asarray(tensor) gives the NumPy array.")
    trace = traceback.TracebackException.from_exception(error)
    full = os.environ.get("CORNU_TRACEBACK") == "full"
    left_out = not full and _is_no_sentence(trace)
    _trim(trace, _START if full else _MACHINERY)
    print("".join(trace.format()), end="", file=sys.stderr)
    if left_out:
        print(
            "(The frames inside Cornu are left out; CORNU_TRACEBACK=full shows them.)",
            file=sys.stderr,
        )


def _is_no_sentence(trace: traceback.TracebackException) -> bool:
    """Whether an error came about inside Cornu otherwise than by Cornu raising it."""
    stack = [frame for frame in trace.stack if frame.filename not in _START]
    machinery = [frame.filename.startswith(_MACHINERY) for frame in stack]
    if not any(machinery):
        return False
    last = stack[-1]
    if machinery[-1]:
        return not (last.line or "").startswith("raise")
    return "site-packages" in last.filename


def _trim(trace: traceback.TracebackException, machinery: tuple[str, ...]) -> None:
    """Takes the machinery's frames out of a traceback, and the errors that it caught itself."""
    for link in ("__cause__", "__context__"):
        earlier = getattr(trace, link)
        if earlier is None:
            continue
        # a traceback begins where the error was caught
        if not earlier.stack or earlier.stack[0].filename.startswith(machinery):
            setattr(trace, link, None)
        else:
            _trim(earlier, machinery)
    trace.stack[:] = [frame for frame in trace.stack if not frame.filename.startswith(machinery)]
    notes = getattr(trace, "__notes__", None)
    if notes:  # JAX notes that it has cut its own frames
        trace.__notes__ = [note for note in notes if "JAX has removed" not in note]
