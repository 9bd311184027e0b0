"""Which frames of a running program are its user's own, and the loops that they are in."""

from __future__ import annotations

import ast
import linecache
import os
import re
import site
import sys
import sysconfig
from collections.abc import Iterator
from types import FrameType
from typing import Any

import cornu
from cornu.core.places import Place

_Scalars = (int, float, str, bool, type(None))


class UserFrames:
    """Finds the user's own frames.

    Args:
        path: the program, as findings will name it.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = os.fspath(path)
        self.main = os.path.abspath(path)
        folders = [sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")]
        folders += [*site.getsitepackages(), os.path.dirname(cornu.__file__)]
        self._others = tuple(os.path.join(os.path.abspath(folder), "") for folder in folders)
        self._is_user: dict[str, bool] = {}
        self._trees: dict[str, ast.Module | None] = {}

    def is_user(self, file: str) -> bool:
        """Whether a file is neither Python's, nor an installed package's, nor Cornu's."""
        known = self._is_user.get(file)
        if known is None:
            known = file == self.main or not (
                file.startswith(("<", *self._others)) or "site-packages" in file
            )
            self._is_user[file] = known
        return known

    def walk(self, frame: FrameType | None = None) -> Iterator[FrameType]:
        """The user's frames, innermost first."""
        frame = frame or sys._getframe(1)
        while frame is not None:
            if self.is_user(frame.f_code.co_filename):
                yield frame
            if frame.f_code.co_filename == self.main and frame.f_code.co_name == "<module>":
                return
            frame = frame.f_back

    def place_of(self, frame: FrameType) -> Place:
        """The line where a frame is."""
        file = frame.f_code.co_filename
        return Place(self.path if file == self.main else file, frame.f_lineno)

    def place(self, made: Any = None) -> Place | None:
        """The user's line that is being run.

        Args:
            made: an object being made: frames of its own `__init__` are looked through.
        """
        first = None
        for frame in self.walk(sys._getframe(1)):
            first = first or frame
            if made is None or not _is_method_of(frame, made):
                return self.place_of(frame)
        return self.place_of(first) if first is not None else None

    def last_return(self, function: Any) -> Place | None:
        """The line of the last `return` of a function of the user's."""
        code = getattr(function, "__code__", None)
        if code is None or not self.is_user(code.co_filename):
            return None
        tree = self.tree(code.co_filename)
        for one in ast.walk(tree) if tree is not None else ():
            if not isinstance(one, ast.FunctionDef) or one.name != code.co_name:
                continue
            if one.lineno <= code.co_firstlineno + len(one.decorator_list) <= (one.end_lineno or 0):
                lines = [part.lineno for part in ast.walk(one) if isinstance(part, ast.Return)]
                file = self.path if code.co_filename == self.main else code.co_filename
                return Place(file, max(lines)) if lines else None
        return None

    def tree(self, file: str) -> ast.Module | None:
        """The syntax tree of a file of the user's."""
        if file not in self._trees:
            try:
                with open(file, encoding="utf-8") as text:
                    self._trees[file] = ast.parse(text.read())
            except (OSError, SyntaxError, ValueError):
                self._trees[file] = None
        return self._trees[file]

    def mention(self, pattern: str) -> bool:
        """Whether a regular expression matches the text of the program or of its own modules."""
        files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
        for file in {self.main, *files}:
            if file and file.endswith(".py") and self.is_user(os.path.abspath(file)):
                text = "".join(linecache.getlines(os.path.abspath(file)))
                if re.search(pattern, text):
                    return True
        return False

    def loops(self) -> list[tuple[int | None, Any]]:
        """The `for` loops around the line that is being run, innermost first.

        Returns:
            Of each how often it runs (None where that isn't known), and what it runs over (None for
            a `range`, the syntax where the object isn't known).
        """
        found: list[tuple[int | None, Any]] = []
        for frame in self.walk(sys._getframe(1)):
            tree = self.tree(frame.f_code.co_filename)
            if tree is None:
                continue
            around = [
                node
                for node in ast.walk(tree)
                if isinstance(node, ast.For)
                and node.body[0].lineno <= frame.f_lineno <= (node.end_lineno or 0)
                and _function_around(tree, node) == _function_line(frame, tree)
            ]
            for node in sorted(around, key=lambda node: -node.lineno):
                found.append(_length(node.iter, frame))
        return found


def _is_method_of(frame: FrameType, made: Any) -> bool:
    code = frame.f_code
    return bool(code.co_argcount) and frame.f_locals.get(code.co_varnames[0]) is made


def _function_around(tree: ast.Module, node: ast.AST) -> int:
    """The line of the innermost function around a piece of syntax; 0 for none."""
    line = 0
    for one in ast.walk(tree):
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            inside = one.lineno < node.lineno <= (one.end_lineno or 0)  # type: ignore[attr-defined]
            if inside and one.lineno > line:
                line = one.lineno
    return line


def _function_line(frame: FrameType, tree: ast.Module) -> int:
    if frame.f_code.co_name == "<module>":
        return 0
    for one in ast.walk(tree):
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([one.lineno, *(mark.lineno for mark in one.decorator_list)])
            if one.name == frame.f_code.co_name and first == frame.f_code.co_firstlineno:
                return one.lineno
    return -1


def _length(node: ast.expr, frame: FrameType) -> tuple[int | None, Any]:
    """How often a loop over an expression runs, and the object it runs over."""
    while isinstance(node, ast.Call):
        called = node.func
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        if name in ("range", "trange"):
            numbers = [_value(one, frame) for one in node.args]
            if numbers and all(isinstance(one, int) for one in numbers):
                return len(range(*numbers)), None
            return None, None
        if name not in ("tqdm", "enumerate", "list", "track", "iter", "zip") or not node.args:
            return None, node
        node = node.args[0]
    if isinstance(node, (ast.List, ast.Tuple)):
        return len(node.elts), node
    over = _value(node, frame)
    if over is None:
        return None, node
    if isinstance(over, range):
        return len(over), None
    try:
        return len(over), over
    except Exception:
        return None, over


def _value(node: ast.expr, frame: FrameType) -> Any:
    """The value of an expression of names, attributes, numbers and arithmetic; else None.

    Nothing that could have an effect is run.
    """
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id, frame.f_globals.get(node.id))
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, frame)
        if owner is None:
            return None
        return vars(owner).get(node.attr) if hasattr(owner, "__dict__") else None
    if isinstance(node, ast.Subscript):
        owner, key = _value(node.value, frame), _value(node.slice, frame)
        if isinstance(owner, (dict, list, tuple)) and isinstance(key, _Scalars):
            try:
                return owner[key]  # type: ignore[index]
            except (LookupError, TypeError):
                return None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        inner = _value(node.args[0], frame)
        if node.func.id == "len" and inner is not None:
            try:
                return len(inner)
            except Exception:
                return None
        if node.func.id == "int" and isinstance(inner, (int, float)):
            return int(inner)
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, frame), _value(node.right, frame)
        if isinstance(left, (int, float)) and isinstance(right, (int, float)):
            return _arithmetic(node.op, left, right)
    return None


def _arithmetic(op: ast.operator, left: float, right: float) -> Any:
    try:
        match op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.FloorDiv():
                return left // right
            case ast.Div():
                return left / right
    except ZeroDivisionError:
        pass
    return None
