"""Values of an ONNX graph that are known before anything runs: weights, constants, sizes.

Exporters compute shapes with nodes (Shape, Gather, Concat, Mul, ...) because the size of the batch
is open. Such arithmetic is computed twice here, for two sizes of the batch: what differs between
the two is what follows the batch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cornu.port.network import Origin, PortError

# Two sizes for the open batch axis, and two for any other open axis. The first are primes, so that
# no product of other sizes is taken for one; the others can be halved often, as images are.
BATCH_SIZES = (83, 1009)
OPEN_SIZES = (224, 352)
Sizes = tuple[tuple[int, ...], tuple[int, ...]]


def shape_of(sizes: Sizes) -> tuple[int | None, ...]:
    """The shape that two sizes of the batch leave: None where they differ.

    >>> shape_of(((83, 4), (1009, 4)))
    (None, 4)
    """
    return tuple(a if a == b else None for a, b in zip(*sizes, strict=True))


@dataclasses.dataclass(frozen=True, eq=False)
class Constant:
    """A value that does not depend on the values of the inputs.

    Attributes:
        array: the value, at the first size of the batch.
        other: the value at the second size; None where it is the same.
        origin: the initializer that it is, and how it was rearranged; None where it was computed.
    """

    array: np.ndarray
    other: np.ndarray | None = None
    origin: Origin | None = None

    def at(self, number: int) -> np.ndarray:
        """The value at the first (0) or second (1) size of the batch."""
        return self.array if number == 0 or self.other is None else self.other

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same for every size of the batch."""
        return self.other is None

    @property
    def sizes(self) -> Sizes:
        """Its shape at both sizes of the batch."""
        return self.at(0).shape, self.at(1).shape

    def then(self, change: Callable[[np.ndarray], np.ndarray]) -> Constant:
        """It with its entries rearranged."""
        other = None if self.other is None else change(self.other)
        return Constant(change(self.array), other, self.origin and self.origin.then(change))


def made_of(first: np.ndarray, second: np.ndarray, origin: Origin | None = None) -> Constant:
    """The constant that has these values at the two sizes of the batch."""
    first, second = np.asarray(first), np.asarray(second)
    if first.shape == second.shape and np.array_equal(first, second):
        return Constant(first, None, origin)
    if first.shape[:1] == BATCH_SIZES[:1] and second.shape[:1] == BATCH_SIZES[1:]:
        rows = first[:1], second[:1]  # the same row for each of the batch: one row will do
        if np.array_equal(*rows) and all(
            np.array_equal(all_rows, np.broadcast_to(row, all_rows.shape))
            for all_rows, row in zip((first, second), rows, strict=True)
        ):
            return Constant(rows[0])
    return Constant(first, second)


def _rearranged(node: Any) -> Callable[[np.ndarray], np.ndarray] | None:
    """The change that a node makes to a weight, where it only rearranges it."""
    if node.kind == "Identity":
        return lambda array: array
    if node.kind == "Transpose":
        axes = node.attributes.get("perm")
        return lambda array: array.transpose(axes)
    if node.kind in ("Reshape", "Squeeze", "Unsqueeze", "Flatten"):
        shape = node.sizes[0][0]
        return lambda array: array.reshape(shape)
    return None


def fold(node: Any) -> list[Constant]:
    """The outputs of a node whose inputs are all constants."""
    first = node.inputs[0] if node.inputs else None
    if isinstance(first, Constant) and first.origin is not None and first.is_fixed:
        change = _rearranged(node)
        if change is not None:
            return [first.then(change)]
    fixed = all(one is None or one.is_fixed for one in node.inputs)
    at_first = _evaluate(node, 0)
    at_second = at_first if fixed else _evaluate(node, 1)
    return [made_of(a, b) for a, b in zip(at_first, at_second, strict=True)]


def _evaluate(node: Any, number: int) -> Sequence[np.ndarray]:
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    feeds = {
        name: one.at(number)
        for name, one in zip(node.proto.input, node.inputs, strict=True)
        if one is not None
    }
    empty = helper.make_tensor_value_info
    types = [empty(k, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape) for k, v in feeds.items()]
    graph = helper.make_graph(
        [node.proto], "folded", types, [helper.make_empty_tensor_value_info(o) for o in node.names]
    )
    model = helper.make_model(graph, opset_imports=node.opsets)
    try:
        with np.errstate(all="ignore"):
            return [np.asarray(value) for value in ReferenceEvaluator(model).run(None, feeds)]
    except Exception as error:
        raise PortError(
            f"the operator {node.kind}, all of whose inputs are constants, cannot be computed "
            f"({error})",
            node.place,
        ) from error
