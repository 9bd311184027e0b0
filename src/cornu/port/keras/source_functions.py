"""Functions of tensors as Keras programs write them, and names for the tensors."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu import ops
from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port.source_text import Code, call, indexing, literal

_OPERATORS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "true_divide": "/",
    "floor_divide": "//",
    "mod": "%",
    "power": "**",
    "matmul": "@",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
}
_LETTERS = ("x", "y", "z")


class Variables:
    """Which variable holds each tensor: few of them, each used again once its tensor is done with.

    Args:
        nodes: in computing order.
        kept: tensors that are needed at the end, with their names.
        taken: names that no variable may have.
    """

    def __init__(self, nodes: list[Node], kept: dict[KerasTensor, str], taken: set[str]):
        self.names: dict[KerasTensor, str] = {}
        last: dict[KerasTensor, int] = {}
        for number, node in enumerate(nodes):
            for tensor in node.inputs:
                last[tensor] = number
        for number, node in enumerate(nodes):
            out = node.outputs[0]
            dying = [self.names[t] for t in node.inputs if last[t] == number and t not in kept]
            if out in kept:
                self.names[out] = kept[out]
                continue
            live = {
                name
                for tensor, name in self.names.items()
                if tensor in kept or last.get(tensor, -1) > number
            }
            free = [name for name in (*_LETTERS, *dying) if name not in live | taken]
            free += [f"{node.name}{more}" for more in ("", "_out", *map(str, range(1, 99)))]
            self.names[out] = next(name for name in free if name not in live | taken)

    def __getitem__(self, tensor: KerasTensor) -> str:
        return self.names[tensor]


def function_text(node: Node, names: Variables, constant: Callable[[Node, Any], Code]) -> Code:
    """A node that is a function of `keras.ops`, as source.

    Args:
        node: of `keras_form`.
        names: of the tensors.
        constant: `(node, value) -> source` for constants among the arguments.
    """
    kind, settings = node.operation, dict(node.attributes)
    args = [
        Code(names[arg]) if isinstance(arg, KerasTensor) else constant(node, arg)
        for arg in node.args
    ]
    if kind == "get_item":
        return Code(f"{args[0]}[{indexing(settings['key'])}]")
    if kind in ("concatenate", "stack"):
        return call(f"ops.{kind}", [args], {"axis": settings["axis"]})
    if kind == "einsum":
        return call("ops.einsum", [settings["subscripts"], *args])
    if kind == "take":
        indices = constant(node, settings["indices"])
        return call("ops.take", [args[0], indices], {"axis": settings["axis"]})
    if kind == "negative":
        return Code(f"-{args[0]}")
    if kind in _OPERATORS and (kind == "add" or len(args) == 2):
        return Code(f" {_OPERATORS[kind]} ".join(args))
    if "axis" in settings and isinstance(settings["axis"], tuple) and len(settings["axis"]) == 1:
        settings["axis"] = settings["axis"][0]
    known = inspect.signature(getattr(ops, kind)).parameters
    settings = {
        name: _plain(value)
        for name, value in settings.items()
        if name not in known or not _equal(known[name].default, value)
    }
    if kind == "pad":
        args.append(Code(literal(settings.pop("pad_width"))))
        if settings.get("constant_values") == 0 or settings.get("mode", "constant") != "constant":
            settings.pop("constant_values", None)
        if settings.get("constant_values") == -np.inf:
            settings["constant_values"] = Code("-np.inf")
    for first in ("newshape", "axes", "dtype", "repeats"):
        if first in settings and kind != "argmax":
            args.append(Code(literal(settings.pop(first))))
    return call(f"ops.{kind}", args, settings)


def _equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
