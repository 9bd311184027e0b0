"""Expressions with places for the arguments of a node."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port.source_text import Code, call, literal

# How tightly the parts of an expression hold together.
COMPARISON, SUM, PRODUCT, ATOM = 0, 1, 2, 4


@dataclasses.dataclass
class Expression:
    """A piece of source with places for the arguments of its node.

    Attributes:
        template: format string; `{0}` is where the first argument can stand as it is, `{0:4}` where
            it has to hold together as tightly as an ATOM.
        level: how tightly it holds together itself.
    """

    template: str
    level: int = ATOM


@dataclasses.dataclass
class Piece:
    """An expression whose arguments are filled in, to be an argument itself."""

    text: str
    level: int = ATOM

    def __format__(self, wanted: str) -> str:
        return f"({self.text})" if self.level < int(wanted or 0) else self.text


# Makes a buffer of a constant of a node: (node, array) -> "self.name".
Buffer = Callable[[Node, np.ndarray], str]


class Arguments:
    """The arguments of a node as they stand in a template."""

    def __init__(self, node: Node, buffer: Buffer):
        self.node, self.buffer = node, buffer
        self.places: dict[int, int] = {}
        for place, arg in enumerate(node.args):
            if isinstance(arg, KerasTensor):
                self.places[place] = len(self.places)

    def __call__(self, place: int, level: int | str = "", tensor: bool = False) -> str:
        """One argument; a number is made a buffer where only a tensor will do."""
        if place in self.places:
            return (
                f"{{{self.places[place]}:{level}}}" if level != "" else f"{{{self.places[place]}}}"
            )
        value = self.node.args[place]
        if np.ndim(value) or tensor:
            value = np.asarray(value)
            if value.dtype == np.float64 and "float64" not in self.node.outputs[0].dtype:
                value = value.astype(self.node.outputs[0].dtype)
            return self.buffer(self.node, value)
        return number(value)

    def __len__(self) -> int:
        return len(self.node.args)

    def is_number(self, place: int) -> bool:
        """Whether an argument is a constant of one element without axes."""
        return place not in self.places and not np.ndim(self.node.args[place])


def number(value: Any) -> str:
    """A number as source; of float32 no more digits than make the same float32.

    >>> number(np.float32(0.1))
    '0.1'
    """
    if isinstance(value, np.ndarray):
        value = value[()]
    if isinstance(value, np.floating):
        value = float(str(value))
    return literal(value)


def method(name: str, arguments: Sequence[Any] = (), settings: dict | None = None) -> str:
    """A method of the first argument."""
    return "{0:4}." + escaped(call(name, arguments, settings or {}))


def function(name: str, arguments: Sequence[Any] = (), settings: dict | None = None) -> str:
    """A function of the first argument and of others that are no tensors."""
    text = escaped(call(name, [Code("\0"), *arguments], settings or {}))
    return text.replace("\0", "{0}")


def escaped(text: str) -> str:
    """Source without places, as a template."""
    return text.replace("{", "{{").replace("}", "}}")
