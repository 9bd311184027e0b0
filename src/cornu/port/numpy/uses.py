"""What NumPy programs have in the place of layers with weights and of spatial layers."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.ops._windows import same_padding
from cornu.port import kinds
from cornu.port.network import Operation


@dataclasses.dataclass
class Use:
    """One layer of a program.

    Attributes:
        template: the name of its class's source.
        settings: what the class is made with; only what is not the default.
        flags: what its class must be able to do.
        rank: the number of spatial axes, where the source depends on it.
        variant: what is added to the class's name where a network needs several of its kind.
        arguments: the node's tensors and constants, where not all of them are given on.
    """

    template: str
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    flags: set[str] = dataclasses.field(default_factory=set)
    rank: int = 0
    variant: str = ""
    arguments: tuple | None = None


def not_default(settings: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value != defaults.get(name)}


# -- layers with weights ---------------------------------------------------------------------------


def bias_flags_use(operation: Operation) -> set[str]:
    return {"bias"} if "bias" in operation.parameters else {"no_bias"}


def dense_use(node: Node, operation: Operation, attributes: dict) -> Use:
    rank = {"rank"} if node.inputs[0].ndim > 2 else set()
    return Use("Dense", flags=bias_flags_use(operation) | rank)


def affine_use(operation: Operation) -> tuple[set[str], str]:
    """Flags and variant for the weights of a normalization."""
    names = ("gamma", "beta")
    missing = "".join(name.capitalize() for name in names if name not in operation.parameters)
    return set(operation.parameters) & set(names), f"Without{missing}" if missing else ""


def batch_normalization_use(node: Node, operation: Operation, attributes: dict) -> Use:
    flags, variant = affine_use(operation)
    axis = attributes["axis"]
    axis = axis[0] if isinstance(axis, (tuple, list)) else axis
    settings = {key: attributes[key] for key in ("momentum", "epsilon")}
    if axis % node.inputs[0].ndim != node.inputs[0].ndim - 1:
        settings["axis"] = axis
        flags.add("axis")
    if not operation.trainable:
        settings["frozen"] = True
        flags.add("frozen")
    return Use("BatchNormalization", settings, flags, variant=variant)


def layer_normalization_use(node: Node, operation: Operation, attributes: dict) -> Use:
    flags, variant = affine_use(operation)
    ndim = node.inputs[0].ndim
    axis = tuple(int(axis) - ndim for axis in attributes["axis"])
    if sorted(axis) != list(range(-len(axis), 0)):
        raise operation.refuse(f"normalizes axes {attributes['axis']}, which are not the last ones")
    return Use(
        "LayerNormalization",
        {"axis": axis, "epsilon": attributes["epsilon"]},
        flags,
        variant=variant,
    )


def group_normalization_use(node: Node, operation: Operation, attributes: dict) -> Use:
    flags, variant = affine_use(operation)
    ndim = node.inputs[0].ndim
    axis = attributes.get("axis", -1)
    axis = axis[0] if isinstance(axis, (tuple, list)) else axis
    if axis % ndim != ndim - 1:
        raise operation.refuse("does not normalize the last axis")
    groups = attributes["groups"]
    if groups == -1:
        groups = node.inputs[0].shape[-1]
    settings = {"groups": groups, "epsilon": attributes["epsilon"]}
    return Use("GroupNormalization", settings, flags, variant=variant)


def embedding_use(node: Node, operation: Operation, attributes: dict) -> Use:
    if attributes.get("mask_zero"):
        raise operation.refuse("has mask_zero=True: NumPy programs know no masks")
    return Use("Embedding")


def unit_normalization_use(node: Node, operation: Operation, attributes: dict) -> Use:
    axis = attributes["axis"]
    return Use("UnitNormalization", {"axis": tuple(axis) if np.ndim(axis) else (axis,)})


# -- spatial layers --------------------------------------------------------------------------------


def pairs_of(node: Node, sizes: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """What is added before and after each spatial axis of a layer's input."""
    attributes = node.attributes
    padding = attributes.get("padding", "valid")
    rank = len(sizes)
    if padding == "valid":
        return ((0, 0),) * rank
    if padding != "same":
        return tuple((int(before), int(after)) for before, after in padding)
    lengths = node.inputs[0].shape[1:-1]
    gaps = attributes.get("dilation_rate", (1,) * rank)
    found = []
    for length, size, stride, gap in zip(lengths, sizes, attributes["strides"], gaps, strict=True):
        if length is None and stride != 1:
            raise node.target.refuse(
                "has 'same' padding and strides, and images of open size",
                "Give the network's Input the size of its images",
            )
        # with steps of one the length does not matter
        found.append(same_padding(length or 1000, size, stride, gap))
    return tuple((int(before), int(after)) for before, after in found)


def windowed_use(
    node: Node, operation: Operation, template: str, sizes: tuple[int, ...], padding: bool = True
) -> Use:
    attributes, rank = node.attributes, len(sizes)
    settings: dict[str, Any] = {"strides": tuple(attributes["strides"])}
    if padding:
        settings["padding"] = pairs_of(node, sizes)
    settings["dilation"] = tuple(attributes.get("dilation_rate", (1,) * rank))
    ones = (1,) * rank
    defaults = {"strides": ones, "padding": ((0, 0),) * rank, "dilation": ones}
    settings = not_default(settings, defaults)
    return Use(template, settings, set(settings) | bias_flags_use(operation), rank)


def convolution_use(node: Node, operation: Operation, attributes: dict) -> Use:
    use = windowed_use(node, operation, "Conv", tuple(attributes["kernel_size"]))
    if attributes.get("groups", 1) != 1:
        use.settings["groups"] = attributes["groups"]
        use.flags.add("groups")
    return use


def depthwise_use(node: Node, operation: Operation, attributes: dict) -> Use:
    use = windowed_use(node, operation, "DepthwiseConv", tuple(attributes["kernel_size"]))
    if operation.parameters["kernel"].shape[-1] != 1:
        use.flags.add("multiplier")
    return use


def transposed_use(node: Node, operation: Operation, attributes: dict) -> Use:
    if attributes.get("groups", 1) != 1:
        raise operation.refuse("has groups: NumPy programs have no grouped transposed convolutions")
    use = windowed_use(
        node, operation, "ConvTranspose", tuple(attributes["kernel_size"]), padding=False
    )
    cropping = tuple((int(before), int(after)) for before, after in attributes["cropping"])
    if any(one for pair in cropping for one in pair):
        use.settings["cropping"] = cropping
        use.flags.add("cropping")
        if any(one < 0 for pair in cropping for one in pair):
            use.flags.add("negative")
    return use


def pooling_use(node: Node, operation: Operation, attributes: dict) -> Use:
    size = tuple(attributes["pool_size"])
    rank, padding = len(size), pairs_of(node, size)
    settings: dict[str, Any] = {"size": size}
    template = "MaxPooling" if node.operation.startswith("Max") else "AveragePooling"
    if tuple(attributes["strides"] or size) != size:
        settings["strides"] = tuple(attributes["strides"])
    if any(one for pair in padding for one in pair):
        settings["padding"] = padding
        if attributes.get("count_padding"):
            settings["count_padding"] = True
    flags = set(settings) - {"size"}
    return Use(template, settings, {flag.removesuffix("_padding") for flag in flags}, rank)


def global_pooling_use(node: Node, operation: Operation, attributes: dict) -> Use:
    settings = {"keepdims": True} if attributes.get("keepdims") else {}
    template = node.operation[:-2]
    return Use(template, settings, set(settings), kinds.rank(node.operation))


def up_sampling_use(node: Node, operation: Operation, attributes: dict) -> Use:
    rank = kinds.rank(node.operation)
    size = attributes["size"]
    size = tuple(size) if np.ndim(size) else (size,) * rank
    how = attributes.get("interpolation", "nearest")
    if how == "nearest":
        return Use("UpSampling", {"size": size}, rank=rank)
    if how == "bilinear" and rank == 2:
        return Use("BilinearUpSampling", {"size": size}, rank=rank)
    raise operation.refuse(f"has interpolation={how!r}: NumPy programs have nearest and bilinear")


def edges_use(name: str, template: str):
    def make(node: Node, operation: Operation, attributes: dict) -> Use:
        pairs = attributes[name]
        if not np.ndim(pairs):
            pairs = (pairs,) * kinds.rank(node.operation)
        if np.ndim(pairs) == 1 and kinds.rank(node.operation) == 1:
            pairs = (pairs,)
        pairs = tuple((one, one) if not np.ndim(one) else tuple(one) for one in pairs)
        return Use(template, {name: pairs}, rank=kinds.rank(node.operation))

    return make
