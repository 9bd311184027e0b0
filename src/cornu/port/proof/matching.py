"""Which tensor and operation of one network stand for which of the other."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port import kinds
from cornu.port.network import Network, Operation
from cornu.port.proof.proof import Gap

Values = dict[KerasTensor, np.ndarray]


@dataclasses.dataclass(eq=False)
class Matching:
    """How two networks correspond.

    Attributes:
        a, b: the networks.
        values_a, values_b: of their tensors, for the same batch.
        tensors: tensors of a to those of b that stand for them.
        operations: operations of a to those of b.
        close: how far apart equal values may be, relative to the largest.
        floor: values below this are rounding.
    """

    a: Network
    b: Network
    values_a: Values
    values_b: Values
    close: float
    tensors: dict[KerasTensor, KerasTensor] = dataclasses.field(default_factory=dict)
    operations: dict[Operation, Operation] = dataclasses.field(default_factory=dict)
    floor: float = 0.0

    def gap(self, tensor: KerasTensor, other: KerasTensor) -> Gap | None:
        """How far apart the values of two tensors are; None where one cannot be seen."""
        if tensor not in self.values_a or other not in self.values_b:
            return None
        return Gap.between(self.values_a[tensor], self.values_b[other], self.floor)

    def are_equal(self, tensor: KerasTensor, other: KerasTensor) -> bool:
        """Whether two tensors have the same values."""
        gap = self.gap(tensor, other)
        return gap is not None and gap.relative <= self.close

    def has_equal(self, tensor: KerasTensor) -> bool:
        """Whether a tensor of a has the values of the one that stands for it in b."""
        return tensor in self.tensors and self.are_equal(tensor, self.tensors[tensor])

    def pair(self, node: Node, other: Node) -> None:
        """Notes that two nodes correspond."""
        self.tensors[node.outputs[0]] = other.outputs[0]
        if node.target not in self.operations and other.target not in self._taken:
            self.operations[node.target] = other.target

    @property
    def _taken(self) -> set[Operation]:
        return set(self.operations.values())


def match(a: Network, b: Network, values_a: Values, values_b: Values, close: float) -> Matching:
    """Finds what corresponds: first by the values computed, then by name, then by place.

    Args:
        a, b: networks with the same inputs.
        values_a, values_b: of their tensors for the same batch.
        close: the largest relative difference of values that are the same.
    """
    largest = [float(np.abs(v).max()) for v in values_a.values() if v.size and _is_number(v)]
    found = Matching(a, b, values_a, values_b, close, floor=1e-6 * max(largest, default=0.0))
    for tensor, other in inputs_paired(a, b):
        found.pair(tensor.node, other.node)
    free = [node for node in b.nodes if node.operation != "InputLayer"]
    left = [node for node in a.nodes if node.operation != "InputLayer"]
    left = _by_value(found, left, free)
    left = _by_name(found, left, free)
    left = _by_place(found, left, free)
    _by_kind(found, left, free)
    return found


def inputs_paired(a: Network, b: Network) -> list[tuple[KerasTensor, KerasTensor]]:
    """The inputs of two networks: by name where all names are the same, else in order."""
    others = {tensor.node.name: tensor for tensor in b.inputs}
    if {tensor.node.name for tensor in a.inputs} == set(others):
        return [(tensor, others[tensor.node.name]) for tensor in a.inputs]
    return list(zip(a.inputs, b.inputs, strict=False))


def _is_number(array: np.ndarray) -> bool:
    return np.issubdtype(array.dtype, np.number) and bool(np.isfinite(array).all())


def token(node: Node) -> tuple:
    """What a node does, without its numbers: its kind, and the function of an activation."""
    return node.operation, node.attributes.get("function")


def _by_value(found: Matching, left: list[Node], free: list[Node]) -> list[Node]:
    """Pairs nodes with the same values; returns those of a that found none."""
    marks = {id(n): _mark(found.values_b.get(n.outputs[0])) for n in free}
    unpaired = []
    for node in left:
        tensor = node.outputs[0]
        mark = _mark(found.values_a.get(tensor))
        equal = [
            other
            for other in free
            if mark is not None
            and _may_be(mark, marks[id(other)], found)
            and _may_stand_for(node, other)
            and found.are_equal(tensor, other.outputs[0])
        ]
        if not equal:
            unpaired.append(node)
            continue
        inputs = [found.tensors.get(one) for one in node.inputs]
        # the least of them: what is most alike
        best = min(
            equal,
            key=lambda other: (
                found.operations.get(node.target) not in (None, other.target),
                token(other) != token(node),
                other.inputs != inputs,
                other.name != node.name,
            ),
        )
        found.pair(node, best)
        free.remove(best)
    return unpaired


def _may_stand_for(node: Node, other: Node) -> bool:
    """Whether one of them may do what the other does: dropout, for one, only by dropout."""
    if {node.operation, other.operation} & kinds.DROPOUT:
        return node.operation == other.operation
    if node.target.parameters and other.target.parameters:
        return node.operation == other.operation
    # a layer with weights may happen to leave values as they are
    return not node.target.parameters and not other.target.parameters


def _mark(array: np.ndarray | None) -> tuple | None:
    """Something of an array that is quickly compared."""
    if array is None:
        return None
    if not array.size or not np.issubdtype(array.dtype, np.number):
        return array.shape, 0.0, 0.0
    with np.errstate(all="ignore"):
        return array.shape, float(np.abs(array).max()), float(array.reshape(-1)[-1])


def _may_be(mark: tuple, other: tuple | None, found: Matching) -> bool:
    if other is None or mark[0] != other[0]:
        return False
    allowed = found.close * max(abs(mark[1]), abs(other[1]), found.floor) * 1.01
    # written so that values that are no numbers pass, to be looked at in full
    return not (abs(mark[1] - other[1]) > allowed or abs(mark[2] - other[2]) > allowed)


def _alike(node: Node, other: Node) -> bool:
    """Whether two nodes of one name may be the same layer."""
    if node.operation == other.operation:
        return True
    return bool(node.target.parameters) and set(node.target.parameters) == set(
        other.target.parameters
    )


def _by_name(found: Matching, left: list[Node], free: list[Node]) -> list[Node]:
    unpaired = []
    for node in left:
        same = [
            other
            for other in free
            if other.name == node.name
            and other.call_index == node.call_index
            and _alike(node, other)
        ]
        known = found.operations.get(node.target)
        if known is not None:  # an operation that is shared, and known already
            same = [other for other in free if other.target is known][:1] or same
        if same:
            found.pair(node, same[0])
            free.remove(same[0])
        else:
            unpaired.append(node)
    return unpaired


def _by_place(found: Matching, left: list[Node], free: list[Node]) -> list[Node]:
    """Pairs nodes of the same kind that stand at the same place among those paired already."""
    pairs = {t.node: o.node for t, o in found.tensors.items()}
    numbers = {id(node): ("paired", n) for n, node in enumerate(pairs)}
    numbers |= {id(other): ("paired", n) for n, other in enumerate(pairs.values())}

    def tokens(nodes: Iterable[Node]) -> list[tuple]:
        return [numbers.get(id(n)) or (*token(n), n.outputs[0].shape[1:]) for n in nodes]

    matcher = difflib.SequenceMatcher(None, tokens(found.a.nodes), tokens(found.b.nodes), False)
    for i, j, size in matcher.get_matching_blocks():
        mine, its = found.a.nodes[i : i + size], found.b.nodes[j : j + size]
        for node, other in zip(mine, its, strict=True):
            if id(node) not in numbers:
                found.pair(node, other)
                free.remove(other)
    paired = {id(tensor.node) for tensor in found.tensors}
    return [node for node in left if id(node) not in paired]


def _by_kind(found: Matching, left: list[Node], free: list[Node]) -> None:
    """Pairs what is left of each kind in order: first with equal shapes of weights or outputs."""
    for exactly in (True, False):
        for node in list(left):
            for other in free:
                if node.operation != other.operation:
                    continue
                if exactly and _shapes(node) != _shapes(other):
                    continue
                if not node.target.parameters:
                    paired = _has_paired_input(found, node, other)
                    if paired is False or (paired is None and not exactly):
                        continue
                found.pair(node, other)
                free.remove(other)
                left.remove(node)
                break


def _has_paired_input(found: Matching, node: Node, other: Node) -> bool | None:
    """Whether an input of one node stands for one of the other's; None where none is known."""
    known = [found.tensors[tensor] for tensor in node.inputs if tensor in found.tensors]
    return any(tensor in known for tensor in other.inputs) if known else None


def _shapes(node: Node) -> tuple:
    weights = tuple(sorted((k, v.shape) for k, v in node.target.parameters.items()))
    return (weights,) if weights else (token(node), node.outputs[0].shape[1:])
