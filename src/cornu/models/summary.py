"""The table that `model.summary()` prints: layers, output shapes, numbers of parameters."""

from __future__ import annotations

import math
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax
import numpy as np

from cornu.core.dtypes import to_numpy_dtype
from cornu.core.variable import Variable
from cornu.graph import FunctionOperation, Graph, Node
from cornu.layers.layer import Layer, is_shape
from cornu.saving.operations import class_name


def print_summary(
    model,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Prints a model's layers, their output shapes and their numbers of parameters, as Keras does.

    Models that are not one chain of layers get a column that says where a layer's inputs come from:
    `dense[0][0]` is the first output of the first application of `dense`.

    Args:
        model: a model; layers that are not built yet are listed as such.
        line_length: width in characters; by default that of the terminal, at most 88 (108 with the
            column of connections, 12 more with `show_trainable`).
        positions: where the columns end, as fractions of the width.
        print_fn: called once with the whole text; by default it goes to standard output, in colour
            at a terminal.
        expand_nested: whether the layers of models inside are listed too.
        show_trainable: whether a column says which layers are trained.
        layer_range: two regular expressions: list from the first layer that matches the one to the
            last that matches the other.

    Raises:
        ValueError: a width too small for the columns; a range that matches no layer.

    >>> from cornu import Input, Sequential, layers
    >>> model = Sequential([Input((2,)), layers.Dense(3, name="only")], name="small")
    >>> print_summary(model, line_length=60, print_fn=lambda text: print(text[:15]))
    Model: "small"
    """
    from rich.console import Console
    from rich.markup import escape

    graph = model.graph if _is_functional(model) else None
    connected = graph is not None and not _is_chain(graph)
    table = _Table(connected, show_trainable, line_length, positions)
    targets = graph.targets if graph is not None else model.layers
    first, last = _range(targets, layer_range)
    for target in targets[first:last]:
        _add_rows(table, target, graph if connected else None, expand_nested, 0)

    if print_fn is None:
        console = Console(highlight=False)
    else:
        console = Console(highlight=False, force_terminal=False, color_system=None)
        console.begin_capture()
    console.print(_bold(f'Model: "{escape(model.name)}"'))
    console.print(table.finished())
    for line in _totals(model):
        console.print(line)
    if print_fn is not None:
        print_fn(console.end_capture())
    else:
        sys.stdout.flush()


# -- the table -----------------------------------------------------------------------------------


class _Table:
    """Rows under the headings that the model needs, in columns of fixed widths."""

    def __init__(
        self,
        connected: bool,
        show_trainable: bool,
        line_length: int | None,
        positions: Sequence[float] | None,
    ):
        # the widths are Keras': 88 or 108 characters, and 12 more for the last column
        if connected:
            width, ends = 108, positions or [0.3, 0.56, 0.74, 1.0]
        else:
            width, ends = 88, positions or [0.45, 0.80, 1.0]
        headings = [("Layer (type)", "left"), ("Output Shape", "left"), ("Param #", "right")]
        if connected:
            headings.append(("Connected to", "left"))
        if show_trainable:
            width += 12
            ends = [end * 0.90 for end in ends] + [1.0]
            headings.append(("Trainable", "center"))
        self.connected = connected
        self.show_trainable = show_trainable
        self.width = line_length or min(width, shutil.get_terminal_size().columns - 4)
        self.columns = []
        current = 0
        for (heading, justify), end in zip(headings, ends, strict=False):
            column = int(end * self.width) - current
            if column < 4:
                raise ValueError(
                    f"summary(line_length={self.width}, positions={list(ends)}): the column "
                    f"{heading!r} would be {column} characters wide; it needs 4"
                )
            self.columns.append((heading, justify, column))
            current += column
        self.rows: list[list[str]] = []

    def finished(self):
        """The table for rich to print."""
        from rich.table import Column, Table

        columns = [
            Column(heading, justify=justify, width=width)
            for heading, justify, width in self.columns
        ]
        table = Table(*columns, width=self.width, show_lines=True)
        for row in self.rows:
            table.add_row(*row)
        return table


def _add_rows(table: _Table, target: Any, graph: Graph | None, nested: bool, level: int) -> None:
    from rich.markup import escape

    indent = "   " * level + "└ " if level else ""
    kind = class_name(target) if isinstance(target, FunctionOperation) else type(target).__name__
    row = [
        f"{escape(indent + target.name)} ({_symbol(escape(kind))})",
        _output_shape(target),
        _parameters(target),
    ]
    if table.connected:
        row.append(_connections(target, graph))
    if table.show_trainable:
        row.append(_trainable(target))
    table.rows.append(row)
    if nested:
        for layer in getattr(target, "layers", ()):
            _add_rows(table, layer, graph, nested, level + 1)


def _parameters(target: Any) -> str:
    if isinstance(target, FunctionOperation):
        return _number(0)
    if not target.built:
        return f"{_number(0)} (unbuilt)"
    return _number(f"{target.count_params():,}")


def _trainable(target: Any) -> str:
    if not getattr(target, "weights", ()):
        return _bold("-")
    return _bold("Y", 34) if target.trainable else _bold("N", 9)


def _nodes(target: Any) -> list[Node]:
    return target.nodes if isinstance(target, FunctionOperation) else target._nodes


def _output_shape(target: Any) -> str:
    """The shapes that its last application gave, else those it was built for, else "?"."""
    nodes = _nodes(target)
    if nodes:
        structure: Any = nodes[-1].output_structure
        shapes = structure.unflatten([_Text(tensor.shape) for tensor in nodes[-1].outputs])
    else:
        built_for = getattr(target, "_build_shapes", None)
        if not built_for:
            return "?"
        try:
            shapes = _known_output_shape(target, built_for)
        except Exception:  # whatever its own code raises: the table is no place to fail
            return "?"
    leaves = jax.tree_util.tree_leaves(shapes)
    return leaves[0].text if len(leaves) == 1 else str(shapes)


def _known_output_shape(target: Layer, built_for: dict) -> Any:
    try:
        shape = getattr(target, "output_shape", None)
    except AttributeError:  # a Sequential without a shape yet
        shape = None
    if shape is None:
        shape = target.compute_output_shape(*built_for.values())
    return jax.tree_util.tree_map(_Text, shape, is_leaf=is_shape)


class _Text:
    """A shape as the table shows it; in a list or dict of several, without quotes."""

    def __init__(self, shape: Iterable):
        self.text = f"({', '.join(_number(size) for size in shape)})"

    def __repr__(self) -> str:
        return self.text


def _connections(target: Any, graph: Graph | None) -> str:
    """Where the inputs of its applications in the network come from."""
    inside = {id(node) for node in graph.nodes} if graph is not None else set()
    sources = [
        f"{tensor.node.name}[{_number(tensor.node.call_index)}][{_number(tensor.index)}]"
        for node in _nodes(target)
        if id(node) in inside
        for tensor in node.inputs
        if tensor.node is not None
    ]
    return ", ".join(sources) or "-"


# -- below the table -----------------------------------------------------------------------------


def _totals(model) -> list[str]:
    groups = [
        ("Trainable", model.trainable_weights),
        ("Non-trainable", model.non_trainable_weights),
    ]
    optimizer = getattr(model, "optimizer", None)
    if model.compiled and optimizer is not None and optimizer.built:
        groups.append(("Optimizer", optimizer.variables))
    everything = [variable for _, variables in groups for variable in variables]
    # each group by itself: one and the same variable in two groups counts twice, as in Keras
    count = sum(_count(variables) for _, variables in groups)
    size = sum(_bytes(variables) for _, variables in groups) if everything else 0
    lines = [_total("Total", count, size)]
    return lines + [
        _total(name, _count(variables), _bytes(variables)) for name, variables in groups
    ]


def _total(name: str, count: int, size: float) -> str:
    return f"{_bold(f' {name} params: ')}{_number(f'{count:,}')} ({_readable(size)})"


def _unique(variables: Iterable[Variable]) -> list[Variable]:
    return list({id(variable): variable for variable in variables}.values())


def _count(variables: Iterable[Variable]) -> int:
    return sum(math.prod(variable.shape) for variable in _unique(variables))


def _bytes(variables: Iterable[Variable]) -> int:
    return sum(
        math.prod(variable.shape) * np.dtype(to_numpy_dtype(variable.dtype)).itemsize
        for variable in _unique(variables)
    )


def _readable(size: float) -> str:
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024:
            return f"{size:.2f} {unit}"
        size /= 1024
    return f"{size:.2f} PB"


# -- which layers --------------------------------------------------------------------------------


def _is_functional(model) -> bool:
    return any(base.__name__ == "Functional" for base in type(model).__mro__)


def _is_chain(graph: Graph) -> bool:
    """Whether the network is layers one after another, each used once."""
    if len(graph.targets) != len(graph.nodes):
        return False
    if any(len(node.inputs) > 1 for node in graph.nodes):
        return False
    used = {id(tensor.node) for node in graph.nodes for tensor in node.inputs}
    return sum(id(node) not in used for node in graph.nodes) <= 1


def _range(targets: Sequence, layer_range: Sequence[str] | None) -> tuple[int, int]:
    """The first row, and the one behind the last."""
    if layer_range is None:
        return 0, len(targets)
    if len(layer_range) != 2 or not all(isinstance(name, str) for name in layer_range):
        raise ValueError(f"layer_range={layer_range!r}: expected two names of layers")
    found = [
        [place for place, target in enumerate(targets) if re.match(name, target.name)]
        for name in layer_range
    ]
    for name, places in zip(layer_range, found, strict=True):
        if not places:
            names = ", ".join(target.name for target in targets)
            raise ValueError(
                f"layer_range={layer_range!r}: no layer matches {name!r}; there are {names}"
            )
    lower, upper = found
    if min(lower) > max(upper):
        lower, upper = upper, lower
    return min(lower), max(upper) + 1


# -- rich markup: numbers green, open sizes cyan, classes blue, as in Keras' table ----------------


def _number(value: Any) -> str:
    return f"[color({45 if value is None else 34})]{value}[/]"


def _symbol(value: str) -> str:
    return f"[color(33)]{value}[/]"


def _bold(value: str, color: int | None = None) -> str:
    return f"[bold]{value}[/]" if color is None else f"[bold][color({color})]{value}[/][/]"
