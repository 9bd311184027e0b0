"""Where the values of two networks part, and what the networks differ in there."""

from __future__ import annotations

from collections.abc import Sequence

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port import kinds
from cornu.port.proof.matching import Matching, token
from cornu.port.proof.proof import Gap, Mismatch


def lost_tensors(
    found: Matching, outputs: Sequence[KerasTensor], others: Sequence[KerasTensor]
) -> set[KerasTensor]:
    """The tensors of the first network whose values the second has not, so that outputs differ.

    Values that differ but that nothing behind them shows are none: one network may pad before a
    pooling and the other in it.

    Args:
        found: what corresponds.
        outputs, others: the outputs that are compared, of each network.
    """
    pairs = zip(outputs, others, strict=True)
    lost = {tensor for tensor, other in pairs if not found.are_equal(tensor, other)}
    for node in reversed(found.a.nodes):
        if node.outputs[0] in lost:
            for source in node.inputs:
                if not found.has_equal(source) and source.node.operation != "InputLayer":
                    lost.add(source)
    return lost


def first_lost(found: Matching, lost: set[KerasTensor]) -> Node | None:
    """The first node of the first network from which on the values differ."""
    for node in found.a.nodes:
        if node.outputs[0] in lost and not any(tensor in lost for tensor in node.inputs):
            return node
    return None


def explain(found: Matching, node: Node) -> Mismatch:
    """What is different at the node where the values part, weights and settings being equal."""
    tensor = node.outputs[0]
    other = found.tensors.get(tensor)
    if other is None or other.node.operation == "InputLayer":
        return _missing(found, node)
    gap = found.gap(tensor, other)
    mine = f"{node.operation} {node.name!r}"
    if token(node) != token(other.node):
        text = f"{mine} is {_article(other.node)} in the second"
        return Mismatch("computation", node.name, other.node.name, text, gap=gap)
    wiring = _wiring(found, node, other.node)
    if wiring is not None:
        wiring.gap = gap
        return wiring
    if gap is not None and gap.absolute == float("inf") and _shapes_differ(found, tensor, other):
        one, two = found.values_a[tensor].shape, found.values_b[other].shape
        text = f"{mine} has an output of shape {one}, in the second of {two}"
        return Mismatch("shape", node.name, other.node.name, text)
    text = f"{mine} computes something else in the second, with equal weights and settings"
    return Mismatch("computation", node.name, other.node.name, text, gap=gap)


def _shapes_differ(found: Matching, tensor: KerasTensor, other: KerasTensor) -> bool:
    return found.values_a[tensor].shape != found.values_b[other].shape


def _missing(found: Matching, node: Node) -> Mismatch:
    """The second network has nothing in the place of a node."""
    mine = f"{node.operation} {node.name!r}"
    function = node.attributes.get("function")
    if function is not None:
        mine += f" ({function})"
    taken = [found.tensors.get(source) for source in node.inputs]
    paired = set(found.tensors.values())
    for other in found.b.nodes:
        if other.inputs and other.inputs == taken and other.outputs[0] not in paired:
            text = f"in the place of {mine} the second has {_article(other)}"
            gap = found.gap(node.outputs[0], other.outputs[0])
            return Mismatch("computation", node.name, other.name, text, gap=gap)
    return Mismatch("missing", node.name, None, f"the second has no {mine}")


def _article(node: Node) -> str:
    function = node.attributes.get("function")
    return f"{node.operation} {node.name!r}" + (f" ({function})" if function else "")


def _wiring(found: Matching, node: Node, other: Node) -> Mismatch | None:
    """How the inputs of two nodes that correspond differ, or None where they do not."""
    mine, its = list(node.inputs), list(other.inputs)
    name = f"{node.operation} {node.name!r}"
    if len(mine) == len(its):
        equal = [found.are_equal(one, two) for one, two in zip(mine, its, strict=True)]
        if all(equal):
            return None
        if all(any(found.are_equal(one, two) for two in its) for one in mine):
            if len(mine) > 1:
                text = f"{name} takes its inputs in another order in the second"
                return Mismatch("order", node.name, other.name, text)
            return None
    for two in its:
        if any(found.are_equal(one, two) for one in mine):
            continue
        if two not in found.values_b:
            continue
        partner = next((one for one, its in found.tensors.items() if its is two), None)
        extra = _extra(found, mine, two)
        if extra is not None and _is_elsewhere(found, extra):
            text = f"{name} takes {_source(mine)} in the first, {_source(its)} in the second"
            return Mismatch("order", node.name, other.name, text)
        if extra is not None:
            text = f"the second has {_article(extra)} before {name}, which the first has not"
            return Mismatch("extra", node.name, extra.name, text)
        if partner is not None and partner not in mine:
            text = f"{name} takes {_source(mine)} in the first, {_source(its)} in the second"
            return Mismatch("order", node.name, other.name, text)
    if len(mine) != len(its):
        text = f"{name} has {len(mine)} inputs in the first, {len(its)} in the second"
        return Mismatch("order", node.name, other.name, text)
    return None


def _is_elsewhere(found: Matching, node: Node) -> bool:
    """Whether the first network has what a node of the second does, at another place."""
    return any(
        token(one) == token(node) and one.outputs[0] not in found.tensors for one in found.a.nodes
    )


def _source(tensors: Sequence[KerasTensor]) -> str:
    return " and ".join(f"the output of {one.node.name!r}" for one in tensors)


def _extra(found: Matching, mine: Sequence[KerasTensor], tensor: KerasTensor) -> Node | None:
    """The node of the second network that stands between what a node should take and does."""
    paired = set(found.tensors.values())
    waiting = [tensor]
    while waiting:
        now = waiting.pop(0)
        node = now.node
        if now in paired or node.operation in kinds.ONLY_IN_TRAINING:
            continue
        if any(found.are_equal(one, source) for source in node.inputs for one in mine):
            return node
        waiting += node.inputs
    return None


def unmatched_in_training(found: Matching) -> list[Mismatch]:
    """Dropout and noise that one of two networks lacks."""
    mismatches = []
    for node in found.a.nodes:
        if node.operation in kinds.DROPOUT and node.outputs[0] not in found.tensors:
            text = f"the second has no {_article(node)}"
            mismatches.append(Mismatch("missing", node.name, None, text))
    paired = set(found.tensors.values())
    for node in found.b.nodes:
        if node.operation in kinds.DROPOUT and node.outputs[0] not in paired:
            text = f"the second has {_article(node)}, which the first has not"
            mismatches.append(Mismatch("extra", None, node.name, text))
    return mismatches


def unmatched_weights(found: Matching) -> list[Mismatch]:
    """Layers with weights that one of two networks lacks."""
    mismatches = []
    taken = set(found.operations.values())
    for operation in found.a.operations:
        if operation.parameters and operation not in found.operations:
            text = f"the second has no {operation.kind} {operation.name!r}"
            mismatches.append(Mismatch("missing", operation.name, None, text))
    for operation in found.b.operations:
        if operation.parameters and operation not in taken:
            text = f"the second has {operation.kind} {operation.name!r}, which the first has not"
            mismatches.append(Mismatch("extra", None, operation.name, text))
    return mismatches


def order_of(found: Matching, name: str | None) -> int:
    """The place of an operation of the first network, by name."""
    for number, node in enumerate(found.a.nodes):
        if node.name == name:
            return number
    return len(found.a.nodes)


def measured(mismatch: Mismatch, quantity: str, dtype: str, gap: Gap | None) -> Mismatch:
    """A mismatch with where its values were seen to part."""
    mismatch.quantity, mismatch.dtype = quantity, dtype
    mismatch.gap = mismatch.gap or gap
    return mismatch
