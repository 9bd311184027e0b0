"""ONNX' operators that rearrange, cut, join, resize and reduce tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.kinds import GLOBAL_POOLING
from cornu.port.onnx import layers as onnx_layers
from cornu.port.onnx.constants import BATCH_SIZES, Constant, Sizes, made_of, shape_of
from cornu.port.onnx.images import zeros
from cornu.port.onnx.names import of_node


def measured(node: Any, sizes: Sizes) -> Constant:
    """The shape of a tensor, as a constant."""
    if node.kind == "Size":
        return made_of(np.array(math.prod(sizes[0])), np.array(math.prod(sizes[1])))
    cut = slice(node.attributes.get("start", 0), node.attributes.get("end"))
    return made_of(np.array(sizes[0][cut], np.int64), np.array(sizes[1][cut], np.int64))


def opened(reader: Any, node: Any) -> None:
    """Opens the batch axis of the shape that a node is given, in a file for batches of one size."""
    place = 3 if node.kind == "Resize" else 1
    x, shape = node.get(0), node.get(place)
    if not isinstance(x, KerasTensor) or not isinstance(shape, Constant) or not shape.is_fixed:
        return
    wanted = shape.array.tolist()
    if not wanted or wanted[0] != reader.fixed_batch or reader.sizes[x][0][0] != BATCH_SIZES[0]:
        return
    rest = reader.sizes[x][0][1:]
    if node.kind == "Reshape" and -1 not in wanted and math.prod(wanted[1:]) != math.prod(rest):
        return
    if node.kind == "Expand" and len(wanted) != x.ndim:
        return
    first, second = (np.array([batch, *wanted[1:]], np.int64) for batch in BATCH_SIZES)
    node.inputs[place] = made_of(first, second)


def axes_of(node: Any, number: int = 1, rank: int | None = None) -> tuple[int, ...] | None:
    """The setting `axes`, none of them negative."""
    axes = node.setting("axes", number)
    if axes is None:
        return None
    rank = node.get(0).ndim if rank is None else rank
    return tuple(sorted(axis % rank for axis in np.atleast_1d(axes).tolist()))


def _pooled(reader: Any, node: Any, x: KerasTensor) -> KerasTensor | None:
    """The global pooling behind x without the axes of size 1, where that is all that is wanted."""
    pooling = reader.made_by(x, *GLOBAL_POOLING)
    if pooling is None or not pooling.attributes["keepdims"]:
        return None
    if node.sizes[0] != tuple(sizes[:2] for sizes in reader.sizes[x]):
        return None
    attributes = {**pooling.attributes, "keepdims": False}
    made = reader.add(pooling.kind, node, x.node.args[0], **attributes)
    called = of_node(node)
    whole = pooling.name.startswith(f"{called}.")  # both are one layer, as `write_onnx` names them
    made.node.target.name = called if whole else pooling.name
    return made


def _reshape(reader: Any, node: Any) -> Any:
    x, (was, new) = node.get(0), (reader.sizes[node.get(0)], node.sizes[0])
    if was == new:
        return x
    if any(math.prod(a) != math.prod(b) for a, b in zip(was, new, strict=True)):
        raise node.refuse(f"makes {shape_of(new)} of {x.shape}", reader.advice)
    groups = _normalized_groups(reader, node, x)
    made = groups if groups is not None else _pooled(reader, node, x)
    if made is not None:
        return made
    shape = shape_of(new)
    follows_batch = all(s[:1] == n[:1] for s, n in zip(was, new, strict=True))
    if shape_of(was)[0] is None and shape[:1] == (None,) and follows_batch:
        if shape.count(None) > 2:
            raise node.refuse(f"makes several axes of open size {shape}")
        if len(shape) == 2 and x.ndim > 2:
            return reader.add("Flatten", node, x)
        target = tuple(-1 if size is None else size for size in shape[1:])
        return reader.add("Reshape", node, x, target_shape=target)
    if shape.count(None) > 1:
        raise node.refuse(f"makes several axes of open size {shape}")
    newshape = tuple(-1 if size is None else size for size in shape)
    return reader.add("reshape", node, x, newshape=newshape)


def _normalized_groups(reader: Any, node: Any, x: KerasTensor) -> KerasTensor | None:
    """Group normalization as it is written out: (N, groups, ...), normalized, and back."""
    layer = reader.made_by(x, "GroupNormalization")
    if layer is None or layer.parameters:
        return None
    inner = x.node.args[0]
    if inner.node.operation not in ("reshape", "Reshape") or reader.sizes[x][0][0] is None:
        return None
    source, groups = inner.node.args[0], layer.attributes["groups"]
    if reader.sizes[source] != node.sizes[0] or reader.sizes[inner][0][1] != groups:
        return None
    if source.ndim < 3 or reader.sizes[source][0][1] % groups:
        return None
    return reader.layer("GroupNormalization", node, (source,), {}, **layer.attributes)


def _flatten(reader: Any, node: Any) -> Any:
    x = node.get(0)
    axis = node.attributes.get("axis", 1)
    axis += x.ndim if axis < 0 else 0
    if axis != 1:
        return _reshape(reader, node)
    if x.ndim == 2:
        return x
    made = _pooled(reader, node, x)
    return made if made is not None else reader.add("Flatten", node, x)


def _squeeze(reader: Any, node: Any) -> Any:
    made = _pooled(reader, node, node.get(0))
    if made is not None:
        return made
    axes = axes_of(node)
    if axes is None:
        axes = tuple(i for i, size in enumerate(reader.sizes[node.get(0)][0]) if size == 1)
    return reader.add("squeeze", node, node.get(0), axis=axes)


def _unsqueeze(reader: Any, node: Any) -> Any:
    x = node.get(0)
    axes = axes_of(node, rank=len(node.sizes[0][0]))
    for count, axis in enumerate(axes):  # type: ignore[arg-type]
        last = count == len(axes) - 1  # type: ignore[arg-type]
        sizes = (
            node.sizes[0]
            if last
            else tuple((*one[:axis], 1, *one[axis:]) for one in reader.sizes[x])
        )
        x = reader.add("expand_dims", node, x, sizes=sizes, axis=axis)
    return x


def _transpose(reader: Any, node: Any) -> Any:
    x = node.get(0)
    axes = tuple(node.attributes.get("perm") or reversed(range(x.ndim)))
    return x if axes == tuple(range(x.ndim)) else reader.add("transpose", node, x, axes=axes)


def _concat(reader: Any, node: Any) -> Any:
    rank = next(one.ndim for one in node.inputs if isinstance(one, KerasTensor))
    if any(isinstance(one, Constant) for one in node.inputs):
        raise node.refuse("of constants has no counterpart")
    if len(node.inputs) == 1:
        return node.get(0)
    return reader.add("concatenate", node, *node.inputs, axis=node.attributes["axis"] % rank)


# -- cutting ---------------------------------------------------------------------------------------


def _cut(reader: Any, node: Any, x: KerasTensor, key: dict[int, Any], **more: Any) -> KerasTensor:
    """The part of a tensor that a slice or an integer picks along some axes."""
    whole = tuple(key.get(axis, slice(None)) for axis in range(x.ndim))
    return reader.add("get_item", node, x, key=whole, **more)


def _plain(node: Any, part: slice, both: tuple[int, int]) -> slice:
    """A slice without negative numbers, with None where it reaches the end."""
    if both[0] != both[1]:
        if part.indices(both[0]) == (0, both[0], 1) and part.indices(both[1]) == (0, both[1], 1):
            return slice(None)
        if min(part.start or 0, part.stop or 0) < 0 or (part.stop or 0) > min(both):
            raise node.refuse("counts from the end of an axis of open size")
        return part
    size = both[0]
    start, stop, step = part.indices(size)
    if step > 0:
        return slice(start or None, None if stop >= size else stop, None if step == 1 else step)
    return slice(None if start >= size - 1 else start, None if stop < 0 else stop, step)


def _slice(reader: Any, node: Any) -> Any:
    x = node.get(0)
    starts, ends = node.setting("starts", 1), node.setting("ends", 2)
    axes = node.setting("axes", 3) or list(range(len(starts)))
    steps = node.setting("steps", 4) or [1] * len(starts)
    key, flipped = {}, []
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis %= x.ndim
        both = (reader.sizes[x][0][axis], reader.sizes[x][1][axis])
        if step < 0:  # the end is counted from the end too: -1 - size is before the beginning
            end = None if end < -both[0] else end
        part = _plain(node, slice(start, end, step), both)
        if part == slice(None, None, -1):
            flipped.append(axis)
        elif part != slice(None):
            key[axis] = part
    if not key and not flipped:
        return x
    for count, axis in enumerate(flipped):
        done = not key and count == len(flipped) - 1
        sizes = node.sizes[0] if done else reader.sizes[x]
        x = reader.add("flip", node, x, sizes=sizes, axis=(axis,))
    return _cut(reader, node, x, key) if key else x


def _split(reader: Any, node: Any) -> Any:
    x, start, parts = node.get(0), 0, []
    axis = node.attributes.get("axis", 0) % x.ndim
    for sizes in node.sizes:
        size = sizes[0][axis]
        if size != sizes[1][axis]:
            raise node.refuse("cuts an axis of open size")
        whole = reader.sizes[x][0][axis]
        part = slice(start or None, None if start + size == whole else start + size)
        parts.append(_cut(reader, node, x, {axis: part}, sizes=sizes))
        start += size
    return parts


def _gather(reader: Any, node: Any) -> Any:
    data, indices = node.inputs
    axis = node.attributes.get("axis", 0)
    if isinstance(data, Constant):
        axis %= data.array.ndim
        if axis == 0 and data.array.ndim == 2 and data.is_fixed:
            return onnx_layers.gather_embedding(reader, node, data, indices)
        raise node.refuse(f"from constants of shape {data.array.shape} has no counterpart")
    axis %= data.ndim
    both = (reader.sizes[data][0][axis], reader.sizes[data][1][axis])
    if not isinstance(indices, Constant) or not indices.is_fixed:
        raise node.refuse("of computed places has no counterpart")
    if both[0] != both[1] or indices.array.ndim > 1:
        raise node.refuse(f"along axis {axis} of {data.shape} has no counterpart")
    places = [int(place) % both[0] for place in indices.array.ravel()]
    if indices.array.ndim == 0:
        return _cut(reader, node, data, {axis: places[0]})
    steps = set(np.diff(places).tolist()) or {1}
    if len(steps) == 1 and min(steps) > 0:
        part = slice(places[0], places[-1] + 1, steps.pop())
        return _cut(reader, node, data, {axis: _plain(node, part, both)})
    return reader.add("take", node, data, axis=axis, indices=np.array(places))


# -- padding, repeating, resizing ------------------------------------------------------------------


def _pad(reader: Any, node: Any) -> Any:
    x, mode = node.get(0), node.attributes.get("mode", "constant")
    if mode not in ("constant", "reflect", "edge"):
        raise node.refuse(f"with mode={mode!r} has no counterpart")
    pads = node.setting("pads", 1)
    axes = node.setting("axes", 3) or list(range(x.ndim))
    constant = node.setting("value", 2, 0.0)
    width = [[0, 0] for _ in range(x.ndim)]
    for place, axis in enumerate(axes):
        width[axis % x.ndim] = [pads[place], pads[len(axes) + place]]
    key = {
        axis: slice(max(-before, 0) or None, min(after, 0) or None)
        for axis, (before, after) in enumerate(width)
        if before < 0 or after < 0
    }
    added = tuple((max(before, 0), max(after, 0)) for before, after in width)
    grown = any(number for pair in added for number in pair)
    if key:  # negative numbers cut off
        cut = tuple(
            tuple(len(range(n)[key.get(axis, slice(None))]) for axis, n in enumerate(one))
            for one in reader.sizes[x]
        )
        both = list(zip(*reader.sizes[x], strict=True))
        parts = {axis: _plain(node, part, both[axis]) for axis, part in key.items()}
        x = _cut(reader, node, x, parts, sizes=cut if grown else node.sizes[0])
    if not grown:
        return x
    if mode == "constant" and constant == 0 and x.ndim in (4, 5) and not any(added[0] + added[1]):
        return zeros(reader, node, x, added[2:])
    value = constant if mode == "constant" else None
    return reader.add("pad", node, x, pad_width=added, constant_values=value, mode=mode)


def _tile(reader: Any, node: Any) -> Any:
    return reader.add("tile", node, node.get(0), repeats=tuple(node.setting("repeats", 1)))


def _expand(reader: Any, node: Any) -> Any:
    x, new = node.get(0), node.sizes[0]
    if reader.sizes[x] == new:
        return x
    for _ in range(len(new[0]) - x.ndim):
        sizes = tuple((1, *one) for one in reader.sizes[x])
        x = reader.add("expand_dims", node, x, sizes=sizes, axis=0)
    repeats = [
        tuple(n // old for n, old in zip(wanted, sizes, strict=True))
        for wanted, sizes in zip(new, reader.sizes[x], strict=True)
    ]
    if repeats[0] != repeats[1]:
        raise node.refuse("repeats a tensor for each of the batch")
    return reader.add("tile", node, x, repeats=repeats[0])


# -- reductions ------------------------------------------------------------------------------------


def _reduce(kind: str, before: str | None = None, after: str | None = None) -> Callable:
    def read(reader: Any, node: Any) -> Any:
        x, axes = node.get(0), axes_of(node)
        keepdims = bool(node.attributes.get("keepdims", 1))
        if not axes:
            if node.attributes.get("noop_with_empty_axes", 0):
                return x
            axes = tuple(range(x.ndim))
        if before is not None:
            x = reader.add(before, node, x, sizes=reader.sizes[x])
        images = {"mean": "GlobalAveragePooling2D", "max": "GlobalMaxPooling2D"}.get(kind)
        if images and x.ndim == 4 and axes == (2, 3):
            return reader.add(images, node, x, keepdims=keepdims, data_format="channels_first")
        made = reader.add(kind, node, x, axis=axes, keepdims=keepdims)
        return made if after is None else reader.add(after, node, made)

    return read


def _argmax(reader: Any, node: Any) -> Any:
    if node.attributes.get("select_last_index", 0):
        raise node.refuse("with select_last_index=1 has no counterpart")
    x = node.get(0)
    axis = node.attributes.get("axis", 0) % x.ndim
    if node.kind == "ArgMin":
        x = reader.add("negative", node, x, sizes=reader.sizes[x], to=x.dtype)
    keepdims = bool(node.attributes.get("keepdims", 1))
    return reader.add("argmax", node, x, axis=axis, keepdims=keepdims)


def _cumsum(reader: Any, node: Any) -> Any:
    if node.attributes.get("exclusive", 0) or node.attributes.get("reverse", 0):
        raise node.refuse("with exclusive=1 or reverse=1 has no counterpart")
    x = node.get(0)
    return reader.add("cumsum", node, x, axis=int(np.ravel(node.setting("axis", 1))[0]) % x.ndim)


def _einsum(reader: Any, node: Any) -> Any:
    return reader.add("einsum", node, *node.inputs, subscripts=node.attributes["equation"])


READERS = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Slice": _slice,
    "Split": _split,
    "Gather": _gather,
    "Pad": _pad,
    "Tile": _tile,
    "Expand": _expand,
    "ReduceMean": _reduce("mean"),
    "ReduceSum": _reduce("sum"),
    "ReduceMax": _reduce("max"),
    "ReduceMin": _reduce("min"),
    "ReduceProd": _reduce("prod"),
    "ReduceLogSumExp": _reduce("logsumexp"),
    "ReduceSumSquare": _reduce("sum", before="square"),
    "ReduceL1": _reduce("sum", before="absolute"),
    "ReduceL2": _reduce("sum", before="square", after="sqrt"),
    "ReduceLogSum": _reduce("sum", after="log"),
    "ArgMax": _argmax,
    "ArgMin": _argmax,
    "CumSum": _cumsum,
    "Einsum": _einsum,
}
