"""ONNX' operators over images without weights, read as layers; and what convolutions share."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.onnx.constants import Sizes, shape_of

Pairs = tuple[tuple[int, int], ...]


def spatial(node: Any) -> int:
    """The number of spatial axes of a node's first input."""
    rank = node.get(0).ndim - 2
    if rank not in (1, 2, 3):
        raise node.refuse(f"over {rank} spatial axes has no counterpart; 1, 2 and 3 have")
    return rank


def ones(node: Any, name: str) -> tuple[int, ...]:
    """A setting with one number for each spatial axis, by default 1."""
    return tuple(node.attributes.get(name) or [1] * spatial(node))


def padding(reader: Any, node: Any, window: tuple[int, ...], strides: tuple[int, ...]) -> Pairs:
    """What is added before and after each spatial axis; auto_pad is worked out."""
    rank = spatial(node)
    mode = node.attributes.get("auto_pad", "NOTSET")
    if mode == "NOTSET":
        pads = node.attributes.get("pads") or [0] * 2 * rank
        return tuple((pads[i], pads[rank + i]) for i in range(rank))
    if mode == "VALID":
        return ((0, 0),) * rank
    both = [_same(s[2:], window, strides, mode) for s in reader.sizes[node.get(0)]]
    if both[0] != both[1]:
        raise node.refuse(f"has auto_pad={mode} over an axis of open size")
    return both[0]


def _same(
    sizes: tuple[int, ...],
    window: tuple[int, ...],
    strides: tuple[int, ...],
    mode: str = "SAME_UPPER",
) -> Pairs:
    pairs = []
    for size, reach, stride in zip(sizes, window, strides, strict=True):
        total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
        before = total // 2 if mode == "SAME_UPPER" else total - total // 2
        pairs.append((before, total - before))
    return tuple(pairs)


def called(reader: Any, node: Any, pairs: Pairs, window: tuple, strides: tuple) -> str | Pairs:
    """The padding by Keras' name for it, where it has one for these sizes."""
    if not any(number for pair in pairs for number in pair):
        return "valid"
    both = [_same(sizes[2:], window, strides) for sizes in reader.sizes[node.get(0)]]
    return "same" if both[0] == both[1] == pairs else pairs


# -- pooling ---------------------------------------------------------------------------------------


def pool(reader: Any, node: Any) -> Any:
    x, rank = node.get(0), spatial(node)
    window, strides = tuple(node.attributes["kernel_shape"]), ones(node, "strides")
    if any(one != 1 for one in ones(node, "dilations")):
        raise node.refuse(f"with dilations={node.attributes['dilations']} has no counterpart")
    pairs = padding(reader, node, window, strides)
    extra = _ceiling(reader, node, window, strides, pairs)
    name, settings = f"MaxPooling{rank}D", {}
    counts = bool(node.attributes.get("count_include_pad", 0))
    if node.kind == "AveragePool":
        name, settings = f"AveragePooling{rank}D", {"count_padding": False}
        if counts and any(n for pair in pairs for n in pair):
            if any(extra):  # zeros that count, and places behind them that do not
                x = zeros(reader, node, x, pairs)
                pairs = ((0, 0),) * rank
            else:
                settings["count_padding"] = True
    pairs = tuple((b, a + more) for (b, a), more in zip(pairs, extra, strict=True))
    same = not settings.get("count_padding") and x is node.get(0)
    plain: Any = "valid" if not any(n for pair in pairs for n in pair) else pairs
    return reader.add(
        name,
        node,
        x,
        pool_size=window,
        strides=strides,
        padding=called(reader, node, pairs, window, strides) if same else plain,
        data_format="channels_first",
        **settings,
    )


def _ceiling(reader: Any, node: Any, window: tuple, strides: tuple, pairs: Pairs) -> list[int]:
    """How far the last windows reach beyond the padded input, with ceil_mode."""
    if not node.attributes.get("ceil_mode", 0):
        return [0] * len(pairs)
    both = []
    for sizes, outcome in zip(reader.sizes[node.get(0)], node.sizes[0], strict=True):
        extra = []
        for i, (before, after) in enumerate(pairs):
            padded = sizes[2 + i] + before + after
            count = -(-(padded - window[i]) // strides[i]) + 1
            if (count - 1) * strides[i] >= sizes[2 + i] + before:
                count -= 1  # a window has to begin within the input
            if count != outcome[2 + i]:
                raise node.refuse("with ceil_mode=1 and these pads is not understood")
            extra.append(max((count - 1) * strides[i] + window[i] - padded, 0))
        both.append(extra)
    if both[0] != both[1]:
        raise node.refuse("has ceil_mode=1 over an axis of open size")
    return both[0]


def zeros(reader: Any, node: Any, x: KerasTensor, pairs: Pairs, **settings: Any) -> KerasTensor:
    """Zeros around images."""

    def grown(sizes: tuple[int, ...]) -> tuple[int, ...]:
        return (*sizes[:2], *(n + b + a for n, (b, a) in zip(sizes[2:], pairs, strict=True)))

    sizes: Sizes = (grown(reader.sizes[x][0]), grown(reader.sizes[x][1]))
    return reader.add(
        f"ZeroPadding{len(pairs)}D",
        node,
        x,
        sizes=sizes,
        to=x.dtype,
        padding=pairs,
        data_format="channels_first",
    )


def global_pool(reader: Any, node: Any) -> Any:
    what = "Max" if node.kind == "GlobalMaxPool" else "Average"
    return reader.add(
        f"Global{what}Pooling{spatial(node)}D",
        node,
        node.get(0),
        keepdims=True,
        data_format="channels_first",
    )


# -- resizing -------------------------------------------------------------------------------------


def _resize(reader: Any, node: Any) -> Any:
    x, sizes = node.get(0), reader.sizes[node.get(0)]
    mode = node.attributes.get("mode", "nearest")
    where = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    nearest = node.attributes.get("nearest_mode", "round_prefer_floor")
    if node.kind == "Upsample" or node.opset < 11:
        where, nearest = "asymmetric", "floor"
    factors = [b // a for a, b in zip(sizes[0], node.sizes[0][0], strict=True)]
    exact = all(
        tuple(a * f for a, f in zip(one, factors, strict=True)) == new
        for one, new in zip(sizes, node.sizes[0], strict=True)
    )
    if not exact or factors[:2] != [1, 1]:
        raise node.refuse(
            f"from {x.shape} to {shape_of(node.sizes[0])} has no counterpart: only whole multiples "
            "of the sizes of images have"
        )
    if all(factor == 1 for factor in factors):
        return x
    rank = spatial(node)
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(mode, mode)
    how = f"with mode={mode!r}, coordinate_transformation_mode={where!r}"
    if mode == "nearest":
        if not all(_repeats(sizes[0][2 + i], factors[2 + i], where, nearest) for i in range(rank)):
            raise node.refuse(f"{how}, nearest_mode={nearest!r} does not repeat each place")
    elif (
        rank != 2
        or where not in ("half_pixel", "pytorch_half_pixel")
        or (mode == "bicubic" and not _is_keras_cubic(node))
    ):
        raise node.refuse(f"{how} has no counterpart")
    settings = {"interpolation": mode} if rank == 2 else {}
    return reader.add(
        f"UpSampling{rank}D",
        node,
        x,
        size=factors[2] if rank == 1 else tuple(factors[2:]),
        data_format="channels_first",
        **settings,
    )


def _is_keras_cubic(node: Any) -> bool:
    """Whether bicubic interpolation is that of Keras: a = -0.5, no places outside."""
    return node.attributes.get("cubic_coeff_a", -0.75) == -0.5 and bool(
        node.attributes.get("exclude_outside", 0)
    )


def _repeats(size: int, factor: int, where: str, nearest: str) -> bool:
    """Whether the nearest place is the one that repeating each place gives."""
    new = np.arange(size * factor)
    if where == "asymmetric":
        place = new / factor
    elif where in ("half_pixel", "pytorch_half_pixel"):
        place = (new + 0.5) / factor - 0.5
    elif where == "align_corners":
        place = new * (size - 1) / max(size * factor - 1, 1)
    else:
        return False
    rounded = {
        "floor": np.floor(place),
        "ceil": np.ceil(place),
        "round_prefer_floor": np.ceil(place - 0.5),
        "round_prefer_ceil": np.floor(place + 0.5),
    }[nearest]
    return bool(np.array_equal(np.clip(rounded, 0, size - 1), new // factor))


# -- blocks of channels ----------------------------------------------------------------------------


def _depth_to_space(reader: Any, node: Any) -> Any:
    size = node.attributes["blocksize"]
    _, channels, high, wide = reader.sizes[node.get(0)][0]
    out = channels // size**2
    if node.attributes.get("mode", "DCR") == "DCR":
        shape, axes = (size, size, out, high, wide), (0, 3, 4, 1, 5, 2)
    else:
        shape, axes = (out, size, size, high, wide), (0, 1, 4, 2, 5, 3)
    return _moved(reader, node, shape, axes, (out, high * size, wide * size))


def _space_to_depth(reader: Any, node: Any) -> Any:
    if node.attributes.get("mode", "DCR") != "DCR":
        raise node.refuse(f"with mode={node.attributes['mode']} has no counterpart")
    size = node.attributes["blocksize"]
    _, channels, high, wide = reader.sizes[node.get(0)][0]
    shape = (channels, high // size, size, wide // size, size)
    new = (channels * size**2, high // size, wide // size)
    return _moved(reader, node, shape, (0, 3, 5, 1, 2, 4), new)


def _moved(reader: Any, node: Any, shape: tuple, axes: tuple, new: tuple) -> KerasTensor:
    x = node.get(0)
    if reader.sizes[x][0][1:] != reader.sizes[x][1][1:]:
        raise node.refuse("over axes of open size has no counterpart")
    sizes: Any = tuple((one[0], *shape) for one in reader.sizes[x])
    x = reader.add("Reshape", node, x, sizes=sizes, target_shape=shape)
    sizes = tuple(tuple(one[axis] for axis in axes) for one in sizes)
    x = reader.add("transpose", node, x, sizes=sizes, axes=axes)
    return reader.add("Reshape", node, x, target_shape=new)


READERS = {
    "MaxPool": pool,
    "AveragePool": pool,
    "GlobalAveragePool": global_pool,
    "GlobalMaxPool": global_pool,
    "Resize": _resize,
    "Upsample": _resize,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
