"""Running somebody's Python file as the program of this process."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType


@contextlib.contextmanager
def main_program(path: str | os.PathLike, arguments: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Within the block, a file is `__main__`, as after `python path arguments`.

    Args:
        path: the file.
        arguments: what the program finds in `sys.argv[1:]`.

    Yields:
        What runs it; raises whatever the program raises.
    """
    file = os.path.abspath(path)
    program = ModuleType("__main__")
    program.__file__ = file
    vars(program).update(__builtins__=__builtins__, __cached__=None)

    def run() -> None:
        with io.open_code(file) as source:
            code = compile(source.read(), file, "exec")
        exec(code, vars(program))

    before = sys.argv, sys.path[:], sys.modules["__main__"]
    sys.argv = [os.fspath(path), *arguments]
    sys.path.insert(0, os.path.dirname(os.path.realpath(path)))
    sys.modules["__main__"] = program
    try:
        yield run
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"] = before
