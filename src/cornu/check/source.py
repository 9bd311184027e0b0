"""Source: the text of the program that is checked, and what rules ask of it."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from typing import Any

from cornu.core.places import Place


class Source:
    """A program's text.

    Args:
        file: its path, as findings will name it.
        text: the program.

    Attributes:
        file, text: as given.
        tree: its syntax tree, or None where it is no valid Python.
    """

    def __init__(self, file: str, text: str):
        self.file = file
        self.text = text
        try:
            self.tree: ast.Module | None = ast.parse(text)
        except (SyntaxError, ValueError):
            self.tree = None

    @functools.cached_property
    def lines(self) -> list[str]:
        """The lines, without their ends."""
        return self.text.splitlines()

    def line(self, number: int) -> str:
        """A line, counted from 1; "" beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def place(self, node: ast.AST) -> Place:
        """Where a piece of syntax begins."""
        return Place(self.file, getattr(node, "lineno", 1))

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """Calls whose function's last name is one of these: "fit" finds `model.fit(...)`."""
        for node in self.walk():
            if isinstance(node, ast.Call) and last_name(node.func) in names:
                yield node

    def walk(self) -> Iterator[Any]:
        """All pieces of syntax in the order in which they stand in the text."""
        return iter(self._in_order)

    @functools.cached_property
    def _in_order(self) -> list[Any]:
        if self.tree is None:
            return []
        found: list[Any] = [node for node in ast.walk(self.tree) if hasattr(node, "lineno")]
        return sorted(found, key=lambda node: (node.lineno, node.col_offset))

    @functools.cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The piece of syntax around each piece."""
        if self.tree is None:
            return {}
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def around(self, node: ast.AST, *kinds: type) -> Iterator[ast.AST]:
        """The pieces of syntax of some kinds around one, innermost first."""
        current = self.parents.get(node)
        while current is not None:
            if isinstance(current, kinds):
                yield current
            current = self.parents.get(current)

    def assigned(self, name: str, before: Any) -> ast.expr | None:
        """What a plain name was last given above a line, as far as the text shows it."""
        latest = None
        for node in self.walk():
            if node.lineno > before.lineno:
                break
            if isinstance(node, ast.Assign) and node.lineno < before.lineno:
                for target in node.targets:
                    if isinstance(target, ast.Name) and target.id == name:
                        latest = node.value
        return latest


def last_name(node: ast.AST) -> str | None:
    """`fit` of `model.fit`, `CrossEntropyLoss` of `nn.CrossEntropyLoss`."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


def argument(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """An argument of a call by its name, or by its position."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is not None and position < len(call.args):
        return call.args[position]
    return None


def constant(node: ast.AST | None):
    """The value of a literal, such as 0.5, -1 or "relu"; None for anything else."""
    if node is None:
        return None
    try:
        return ast.literal_eval(node)
    except (ValueError, SyntaxError, TypeError):
        return None
