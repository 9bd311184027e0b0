"""The nodes of an exported PyTorch program, one at a time, and the table of those that are known.

Each module `aten_*` holds readers for a family of ATen operations: functions
`(call, *arguments as the operation's schema names them) -> tensor`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.network import Operation, Origin, PortError, apply
from cornu.port.torch.aten_weights import Weight, as_weight, to_numpy

_READERS: dict[str, Callable] = {}


def aten(*names: str) -> Callable[[Callable], Callable]:
    """Decorator: this function reads these operations ("relu", or one overload: "max.dim").

    An operation that works in place ("relu_") is read as the other one.
    """

    def register(function: Callable) -> Callable:
        for name in names:
            _READERS[name] = function
        return function

    return register


def reader_of(target: Any) -> Callable | None:
    """What reads an ATen operation; None where nothing does."""
    name = target._schema.name.split("::")[-1]
    for wanted in (name, name.rstrip("_")):
        found = _READERS.get(f"{wanted}.{target._overloadname}") or _READERS.get(wanted)
        if found is not None:
            return found
    return None


@dataclasses.dataclass(frozen=True, eq=False)
class Filled:
    """A tensor of one number, of a size that depends on the batch's: torch.zeros(len(x), 3)."""

    value: float
    sizes: tuple

    def array(self, dtype: str) -> np.ndarray:
        """A constant that has the size 1 where that of the batch is."""
        shape = [known_size(size) or 1 for size in self.sizes]
        return np.full(shape, self.value, dtype)


def known_size(size: Any) -> int | None:
    """A size that PyTorch gives; None where it is open."""
    return size if isinstance(size, int) else size.node.maybe_as_int()


def dtype_name(dtype: Any) -> str:
    """The name of a torch.dtype: "float32"."""
    return str(dtype).removeprefix("torch.")


# -- one node --------------------------------------------------------------------------------------

_FRAME = re.compile(r'File "(.+?)", line (\d+)')


def place_of(node: Any) -> str | None:
    """Where a node of an exported program was made: "layer1.0.conv1 (net.py:12)"."""
    path, _ = module_of(node)
    frames = [
        (file, line)
        for file, line in _FRAME.findall(node.meta.get("stack_trace") or "")
        if not is_inside_torch(file)
    ]
    line = f"{PurePath(frames[-1][0]).name}:{frames[-1][1]}" if frames else ""
    if path and line:
        return f"{path} ({line})"
    return path or line or None


def is_inside_torch(file: str) -> bool:
    """Whether a file is PyTorch's own, or no file."""
    return file.startswith(("torch/", "<")) or "/torch/" in file.replace("\\", "/")


def module_of(node: Any) -> tuple[str, bool]:
    """The path of the innermost module in which a node was made, and whether it is of torch.nn."""
    stack = modules_of(node)
    if not stack:
        return "", False
    path, kind = stack[-1]
    return path, kind.startswith("torch.nn.modules.")


def modules_of(node: Any) -> list[tuple[str, str]]:
    """The paths and classes ("torch.nn.modules.fold.Fold") of the modules around a node."""
    return [
        (path, kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}")
        for path, kind in (node.meta.get("nn_module_stack") or {}).values()
        if not path.startswith("_empty")
    ]


class Call:
    """A node while it is read.

    Args:
        reading: the reading of the whole program.
        node: of the exported graph.

    Attributes:
        shape, dtype: of the output; a list's are those of its first tensor.
        place: for messages.
    """

    def __init__(self, reading: Any, node: Any):
        self.reading, self.node = reading, node
        self.place = place_of(node)
        self.path, self.is_leaf = module_of(node)
        self.operation = node.target._schema.name.split("::")[-1].rstrip("_")
        value = node.meta.get("val")
        first = value[0] if isinstance(value, (list, tuple)) and value else value
        self.shape: tuple = reading.open_shape(first.shape) if hasattr(first, "shape") else ()
        self.dtype: str = dtype_name(first.dtype) if hasattr(first, "dtype") else "float32"

    def refuse(self, what: str, advice: str = "") -> PortError:
        """The error that says that this node cannot be carried over."""
        return PortError(what, self.place, advice)

    def name(self, wanted: str | None = None) -> str:
        """A name for an operation, from the module's path where it is one of torch.nn."""
        if self.is_leaf and self.path and wanted is None:
            return self.reading.names(self.path)
        own = wanted or self.operation
        return self.reading.names(f"{self.path}.{own}" if self.path else own)

    def make(
        self,
        kind: str,
        *args: Any,
        shape: Sequence[int | None] | None = None,
        dtype: str | None = None,
        called: str | None = None,
        **attributes: Any,
    ) -> KerasTensor:
        """Applies an operation without weights.

        Args:
            kind: of `cornu.port.kinds`.
            *args: tensors and constants.
            shape, dtype: those of the node's output by default.
            called: what names it within its module; by default the module's name, or ATen's.
            **attributes: its settings.
        """
        dtype = dtype or self.dtype
        if kind == "cast":
            attributes["dtype"] = dtype
        operation = Operation(kind, self.name(called), attributes, place=self.place)
        return apply(operation, *args, shape=self.shape if shape is None else shape, dtype=dtype)

    def layer(
        self,
        kind: str,
        weights: dict[str, tuple[Any, Callable | None]],
        x: KerasTensor,
        **attributes: Any,
    ) -> KerasTensor:
        """Applies a layer with weights; one that was applied before is shared.

        Args:
            kind: of `cornu.port.kinds`.
            weights: by Keras' names, what is a `Weight` or a constant, and a change of it.
            x: the input.
            **attributes: the settings.
        """
        for name, (value, _) in weights.items():
            if isinstance(value, KerasTensor):
                raise self.refuse(
                    f"the {name} of {self.operation} is computed by the network",
                    "Only weights and constants may be weights of a layer",
                )
        held = {name: (as_weight(value), change) for name, (value, change) in weights.items()}
        operation = self.reading.owners.shared(kind, held, attributes, self)
        if operation is None:
            operation = self._new_layer(kind, held, attributes)
            self.reading.owners.remember(operation, held)
        return apply(operation, x, shape=self.shape, dtype=self.dtype)

    def _new_layer(self, kind: str, held: dict, attributes: dict) -> Operation:
        keys = [weight.key for weight, _ in held.values() if weight.key]
        parent, _, last = (keys or ["weight"])[0].rpartition(".")
        wanted = (parent or self.path or self.operation) if last in _USUAL else keys[0]
        operation = Operation(kind, self.reading.names(wanted), attributes)
        operation.place = self.place
        learned = []
        for name, (weight, change) in held.items():
            array = to_numpy(weight.tensor)
            operation.parameters[name] = array if change is None else change(array)
            changes = weight.changes if change is None else (*weight.changes, change)
            if weight.key is not None:
                operation.origins[name] = Origin(weight.key, changes)
            if name not in ("moving_mean", "moving_variance"):
                learned.append(weight.requires_grad)
        operation.trainable = any(learned) or not learned
        if any(learned) and not all(learned):
            self.reading.partly_frozen.append(operation)
        return operation

    def operand(self, value: Any, dtype: str | None = None) -> Any:
        """An argument of an arithmetic operation: a tensor, a number or an array.

        Args:
            value: what the node has.
            dtype: what a tensor of another dtype is cast to.
        """
        import torch

        if isinstance(value, Weight):
            if value.requires_grad and value.is_parameter:
                raise self.refuse(*loose_parameter(value, self.operation))
            value = value.tensor
        if isinstance(value, torch.Tensor):
            return value.item() if value.ndim == 0 else to_numpy(value)
        if isinstance(value, Filled):
            return value.array(dtype or self.dtype)
        if isinstance(value, (torch.SymInt, torch.SymFloat)):
            raise self.refuse(f"{self.operation} computes with the size of the batch")
        if isinstance(value, KerasTensor) and dtype not in (None, value.dtype):
            return self.make("cast", value, shape=value.shape, dtype=dtype, called="cast")
        return value

    def tensor(self, value: Any) -> KerasTensor:
        """The argument that must be computed by the network."""
        if isinstance(value, KerasTensor):
            return value
        if isinstance(value, Weight) and value.requires_grad:
            raise self.refuse(
                f"the parameter {value.key!r} is the input of {self.operation}",
                "Only what the network computes may be",
            )
        raise self.refuse(f"{self.operation} of a constant is not supported")

    def input_sizes(self, number: int = 0) -> tuple:
        """The sizes of an argument, open ones as PyTorch writes them."""
        return tuple(self.node.args[number].meta["val"].shape)

    @property
    def sizes(self) -> tuple:
        """The sizes of the output, open ones as PyTorch writes them."""
        return tuple(self.node.meta["val"].shape)

    def axis(self, axis: int, rank: int | None = None) -> int:
        """An axis as it is counted from the front."""
        return axis % (len(self.shape) if rank is None else rank)


def loose_parameter(weight: Weight, operation: str) -> tuple[str, str]:
    """What to say of a trainable parameter in plain arithmetic, and the advice."""
    what = f"the parameter {weight.key!r} is used by {operation}"
    if operation in ("mul", "multiply") and sum(size > 1 for size in weight.shape) == 1:
        return (
            f"{what}: a trainable gain for each channel is not carried over yet",
            "Multiply it into the weight and the bias of the layer before it, or freeze it "
            "(requires_grad_(False))",
        )
    return (
        f"{what}, and no layer of Keras holds such a weight",
        "Use a layer of torch.nn, or freeze it (requires_grad_(False))",
    )


# Last parts of the names of weights that do not distinguish them within a module.
_USUAL = frozenset({"weight", "bias", "running_mean", "running_var"})


def pairs(values: Any, rank: int) -> tuple[int, ...]:
    """One number for each spatial axis, of a list that may hold a single one."""
    values = [values] if isinstance(values, int) else list(values)
    return tuple(int(v) for v in (values * rank if len(values) == 1 else values))
