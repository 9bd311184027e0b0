"""In which weights and settings two operations that correspond differ, in words."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port.network import Operation
from cornu.port.proof.form import padding_of
from cornu.port.proof.matching import Matching
from cornu.port.proof.proof import Gap, Mismatch

# Weights are carried over, not computed: what differs by more than the last bit of float32 differs.
_EXACT = 1.5e-7
# A setting that went through float32 comes back with its error.
_CLOSE = 1e-6

# Settings that say nothing of what is computed, or that are seen elsewhere: sizes in the weights,
# regularizers in the loss.
_IGNORED = frozenset(
    {"data_format", "units", "filters", "kernel_size", "use_bias", "center", "scale", "input_dim"}
    | {"output_dim", "mask_zero", "name", "trainable", "dtype", "training", "size", "axes", "key"}
    | {"target_shape", "newshape", "depth_multiplier", "indices", "seed", "noise_shape", "l1", "l2"}
    | {"subscripts", "repeats", "n", "activation", "batch_shape"}
)
_IGNORED_ENDS = ("_initializer", "_regularizer", "_constraint")
_DEFAULTS: dict[str, Any] = {
    "dilation_rate": 1,
    "groups": 1,
    "count_padding": False,
    "negative_slope": 0.0,
    "threshold": 0.0,
    "max_value": None,
    "approximate": False,
    "alpha": 1.0,
    "axis": None,
    "keepdims": False,
}
# Settings that only training shows.
TRAINING_ONLY = frozenset({"momentum", "rate", "stddev"})


def differing_settings(node: Node, other: Node) -> Iterator[tuple[str, Any, Any]]:
    """Name and values of each setting in which two nodes of the same kind differ."""
    mine, its = _settings(node), _settings(other)
    for name in dict.fromkeys((*mine, *its)):
        if (name not in mine or name not in its) and name not in _DEFAULTS:
            continue  # one of the frameworks does not have it
        if name == "padding" and node.attributes[name] == other.attributes[name]:
            continue  # the same word, which means other numbers with another dilation
        one, two = mine.get(name, _DEFAULTS.get(name)), its.get(name, _DEFAULTS.get(name))
        if not _equal(one, two) and not _same_in_effect(name, one, two):
            yield name, one, two


def _same_in_effect(name: str, one: Any, two: Any) -> bool:
    if name == "axis" and None in (one, two):
        return True
    # one number stands for all axes
    flat = [np.ravel(value).tolist() for value in (one, two) if value is not None]
    if len(flat) == 2 and all(isinstance(v, (int, float)) for f in flat for v in f):
        return _equal(sorted(set(flat[0])), sorted(set(flat[1]))) and 1 in map(len, flat)
    return False


def _settings(node: Node) -> dict[str, Any]:
    settings = {
        name: value
        for name, value in node.attributes.items()
        if name not in _IGNORED and not name.endswith(_IGNORED_ENDS)
    }
    if "pool_size" in settings and settings.get("strides") is None:
        settings["strides"] = settings["pool_size"]
    if "padding" in settings and node.inputs:
        settings["padding"] = padding_of(node)
        if not np.any(settings["padding"]):
            settings.pop("count_padding", None)
    rank = node.outputs[0].ndim
    axis = settings.get("axis")
    if axis is not None:
        axes = axis if isinstance(axis, (tuple, list)) else (axis,)
        settings["axis"] = tuple(sorted(int(one) % rank for one in axes))
    return settings


def _equal(one: Any, two: Any) -> bool:
    if isinstance(one, (tuple, list, np.ndarray)) and isinstance(two, (tuple, list, np.ndarray)):
        return len(one) == len(two) and all(map(_equal, one, two))
    if isinstance(one, (int, float)) and isinstance(two, (int, float)):
        return math.isclose(one, two, rel_tol=_CLOSE, abs_tol=1e-30)
    return one == two


def compare_operations(
    found: Matching, lost: set[KerasTensor], trains: bool
) -> Iterator[tuple[Operation, Mismatch]]:
    """The weights and settings that differ, with the operation of the first network.

    Args:
        found: what corresponds.
        lost: the tensors of the first network on whose way to the outputs the values part.
        trains: whether both networks can be trained, so that what only training shows counts.
    """
    seen = set()
    for tensor, partner in found.tensors.items():
        node: Node = tensor.node
        other: Node = partner.node
        mine: Operation = node.target
        its: Operation = other.target
        if found.operations.get(mine) is not its or mine in seen:
            continue
        seen.add(mine)
        for mismatch in _compare_weights(mine, its, node, trains):
            yield mine, mismatch
        if node.operation != other.operation:
            continue
        for name, one, two in differing_settings(node, other):
            if name in TRAINING_ONLY and not trains:
                continue
            if name not in TRAINING_ONLY and _makes_up_for(found, lost, node, other):
                continue
            text = f"{name} of {_named(mine, its)} is {_shown(one)} in the first, {_shown(two)} "
            yield mine, Mismatch("attribute", mine.name, its.name, text + "in the second")
        if trains and mine.parameters and its.parameters and mine.trainable != its.trainable:
            which = "first" if mine.trainable else "second"
            text = f"{_named(mine, its)} is trained in the {which} alone"
            yield mine, Mismatch("attribute", mine.name, its.name, text)


def _makes_up_for(found: Matching, lost: set[KerasTensor], node: Node, other: Node) -> bool:
    """Whether what is done before two nodes, or behind them, makes up for their settings."""
    tensor = node.outputs[0]
    gap = found.gap(tensor, other.outputs[0])
    if gap is None:
        return False
    if gap.relative > found.close:
        return tensor not in lost
    gaps = [found.gap(one, two) for one, two in zip(node.inputs, other.inputs, strict=False)]
    return any(gap is not None and gap.relative > found.close for gap in gaps)


def _named(mine: Operation, its: Operation) -> str:
    name = f"{mine.kind} {mine.name!r}"
    return name if mine.name == its.name else f"{name} ({its.name!r} in the second)"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _compare_weights(
    mine: Operation, its: Operation, node: Node, trains: bool
) -> Iterator[Mismatch]:
    for name in dict.fromkeys((*mine.parameters, *its.parameters)):
        one, two = mine.parameters.get(name), its.parameters.get(name)
        title = f"{name} of {_named(mine, its)}"
        if one is None or two is None:
            if not trains and _does_nothing(name, one if two is None else two):
                continue
            which = "second" if two is None else "first"
            text = f"the {which} has no {title}"
            yield Mismatch("weight", mine.name, its.name, text)
            continue
        gap = Gap.between(one, two)
        if gap.relative > _EXACT:
            text = f"{title} {_how_weights_differ(name, mine, its, node)}"
            yield Mismatch("weight", mine.name, its.name, text, gap=gap)


def _does_nothing(name: str, weight: Any) -> bool:
    """Whether a weight leaves values as they are."""
    return bool(np.all(weight == (1 if name in ("gamma", "moving_variance") else 0)))


def _how_weights_differ(name: str, mine: Operation, its: Operation, node: Node) -> str:
    one, two = mine.parameters[name], its.parameters[name]
    if one.shape != two.shape:
        return f"has shape {one.shape} in the first, {two.shape} in the second"
    for other, weight in its.parameters.items():
        theirs = mine.parameters.get(other)
        if other == name or weight.shape != one.shape or theirs is None:
            continue
        if _close(weight, one) and _close(two, theirs) and not _close(one, two):
            return f"and {other} are exchanged"
    if name == "moving_variance" and _close(one, np.square(two)):
        return "is a standard deviation in the second"
    if name == "moving_variance" and _close(np.square(one), two):
        return "is a standard deviation in the first"
    order = _other_order(one, two, node)
    if order:
        return f"holds the same numbers in another order: {order}"
    if two.any() and one.any():
        factor = float(np.vdot(one, two) / np.vdot(one, one))
        shown = f"{factor:.6g}"
        if shown != "1" and _close(one * factor, two):
            return f"is {shown} times as large in the second"
    elif not two.any():
        return "is zero in the second"
    elif not one.any():
        return "is zero in the first"
    differing = np.abs(one.astype("float64") - two) > _EXACT * np.abs(one).max()
    count = int(differing.sum())
    place = tuple(int(i) for i in np.argwhere(differing)[0])
    if count == 1:
        return f"differs at {list(place)}: {one[place]:.6g} and {two[place]:.6g}"
    return f"differs in {count} of {one.size} numbers"


def _close(one: np.ndarray, two: np.ndarray) -> bool:
    return one.shape == two.shape and Gap.between(one, two).relative <= 1e-6


def _other_order(one: np.ndarray, two: np.ndarray, node: Node) -> str:
    """How the numbers of a weight are rearranged, or "" where they are others."""
    if not np.array_equal(np.sort(one, None), np.sort(two, None)):
        return ""
    for axes in _permutations(one.ndim):
        moved = one.transpose(axes)
        if moved.shape == two.shape and np.array_equal(moved, two):
            return "it is transposed" if one.ndim == 2 else f"its axes are in the order {axes}"
    for axis in range(one.ndim):
        if np.array_equal(np.flip(one, axis), two):
            return f"axis {axis} is reversed"
    if one.ndim > 2 and np.array_equal(one[::-1, ::-1], two):
        return "the window is turned by half a turn"
    if node.operation.startswith("Depthwise") and one.shape == two.shape:
        exchanged = np.moveaxis(one, -1, -2).reshape(one.shape)
        back = np.moveaxis(two, -1, -2).reshape(one.shape)
        if np.array_equal(exchanged, two) or np.array_equal(back, one):
            return "its channels and the filters of each are exchanged"
    image = _flattened_image(node)
    if image is not None and one.ndim == 2 and math.prod(image) == len(one):
        first = np.arange(len(one)).reshape(image)
        moved = np.moveaxis(first, -1, 0).ravel()
        sizes = f"({', '.join(map(str, image))})"
        if np.array_equal(one[moved], two) or np.array_equal(one, two[moved]):
            return (
                f"its rows stand for an image of shape {sizes} flattened with the channels first "
                "in one, last in the other"
            )
        return f"its rows, which stand for an image of shape {sizes}, are in another order"
    if one.ndim == 2 and np.array_equal(np.sort(one, 0), np.sort(two, 0)):
        return "its rows are in another order"
    if np.array_equal(np.sort(one, -1), np.sort(two, -1)):
        return "its last axis is in another order"
    return "not by exchanging axes"


def _permutations(rank: int) -> Iterator[tuple[int, ...]]:
    import itertools

    for axes in itertools.permutations(range(rank)):
        if axes != tuple(range(rank)):
            yield axes


def _flattened_image(node: Node) -> tuple[int, ...] | None:
    """The shape of the image, without the batch axis, whose entries a Dense layer takes."""
    while node.inputs:
        tensor = node.inputs[0]
        if tensor.ndim > 2 and None not in tensor.shape[1:]:
            return tuple(size or 0 for size in tensor.shape[1:])
        node = tensor.node
        if node is None or node.target.parameters:
            return None
    return None
