"""Networks in a form in which they can be compared: a convolution holds the padding before it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port import kinds
from cornu.port.network import Network, Operation, apply


def with_padding_in(network: Network) -> Network:
    """The network with zeros that are added before a convolution as that convolution's padding.

    Frameworks differ in what padding their convolutions take; the rest stands before them.

    Args:
        network: in one image layout throughout. It is not changed.
    """
    consumers = network.consumers()
    applied: dict[Operation, int] = {}
    for node in network.nodes:
        applied[node.target] = applied.get(node.target, 0) + 1
    made: dict[Operation, Operation] = {}

    def make(node: Node, args: tuple) -> KerasTensor:
        operation = made.setdefault(node.target, node.target.copy())
        before = node.inputs[0].node if node.inputs else None
        zeros = _zeros(before) if before is not None and _is_convolution(node) else None
        alone = before is not None and len(consumers[before.outputs[0]]) == 1
        is_output = before is not None and before.outputs[0] in network.outputs
        if zeros is not None and alone and not is_output and applied[node.target] == 1:
            operation.attributes["padding"] = tuple(
                (a + c, b + d) for (a, b), (c, d) in zip(zeros, padding_of(node), strict=True)
            )
            # the new tensor that the padding takes
            args = (args[0].node.args[0], *args[1:])
        out = node.outputs[0]
        return apply(operation, *args, shape=out.shape, dtype=out.dtype)

    return network.rebuild(make)


def _is_convolution(node: Node) -> bool:
    kind = node.operation
    is_convolution = kind.startswith(("Conv", "DepthwiseConv")) and not kind.endswith("Transpose")
    return is_convolution and isinstance(padding_of(node), tuple)


def _zeros(node: Node) -> tuple | None:
    """The pairs of zeros that a node adds to the spatial axes of images, or None."""
    if node.operation.startswith("ZeroPadding"):
        return tuple(node.attributes["padding"])
    if node.operation != "pad" or node.attributes.get("mode", "constant") != "constant":
        return None
    width = [tuple(pair) for pair in node.attributes["pad_width"]]
    if node.attributes.get("constant_values") or any(width[0]) or any(width[-1]):
        return None
    return tuple(width[1:-1]) if len(width) > 2 else None


def padding_of(node: Node) -> Any:
    """The padding of a spatial layer as pairs, also where it is written as a word.

    The word, where the size of the image has to be known for it and is not.
    """
    padding, attributes = node.attributes["padding"], node.attributes
    if padding not in ("same", "valid"):
        return tuple(tuple(pair) for pair in padding)
    rank = kinds.rank(node.operation)
    if padding == "valid":
        return ((0, 0),) * rank
    window = attributes.get("kernel_size") or attributes["pool_size"]
    shape = node.inputs[0].shape
    sizes = shape[2:] if attributes.get("data_format") == "channels_first" else shape[1:-1]
    strides = attributes.get("strides")
    if strides is None:
        strides = attributes.get("pool_size", 1)
    given = (sizes, window, strides, attributes.get("dilation_rate", 1))
    per_axis = [np.broadcast_to(np.array(one, object), rank) for one in given]
    pairs = []
    for size, width, stride, dilation in zip(*per_axis, strict=True):
        reach = dilation * (width - 1) + 1
        total = reach - 1
        if stride != 1:
            if size is None:
                return padding
            total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
        pairs.append((int(total // 2), int(total - total // 2)))
    return tuple(pairs)
