"""Layers, written as ONNX' operators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.port import kinds


def channels_first(node: Node) -> None:
    """Refuses a layer with its channels last, in which ONNX has none."""
    if node.attributes.get("data_format") == "channels_last":
        raise node.target.refuse(
            "has its channels last, in which ONNX has no layers",
            'Write cornu.port.layout.change_layout(network, "channels_first")',
        )


def flat(pairs: Any) -> list[int]:
    """Pairs as ONNX has them: all that is before, then all that is after."""
    return [int(before) for before, _ in pairs] + [int(after) for _, after in pairs]


def same_pairs(sizes: Any, window: Any, strides: Any) -> list[tuple[int, int]]:
    """What Keras' "same" adds; the odd one behind."""
    pairs = []
    for size, reach, stride in zip(sizes, window, strides, strict=True):
        total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
        pairs.append((total // 2, total - total // 2))
    return pairs


def padding(node: Node, window: Any) -> dict[str, Any]:
    """The attributes for a layer's padding."""
    given, sizes = node.attributes["padding"], node.inputs[0].shape[2:]
    if given == "valid":
        return {"pads": [0] * 2 * len(sizes)}
    if given != "same":
        return {"pads": flat(given)}
    if None in sizes:
        return {"auto_pad": "SAME_UPPER"}
    return {"pads": flat(same_pairs(sizes, window, node.attributes["strides"]))}


def moved(w: Any, x: str, rank: int, axis: int) -> tuple[str, list[int] | None]:
    """x with an axis in the place of the channels, and the permutation that takes it back."""
    if axis == 1:
        return x, None
    axes = [0, axis, *(i for i in range(1, rank) if i != axis)]
    return w.add("Transpose", x, perm=axes), np.argsort(axes).tolist()


# -- dense, convolutions ---------------------------------------------------------------------------


def _dense(w: Any, node: Node) -> str:
    op, x = node.target, w.floating(node)
    kernel = w.weight(op, "kernel")
    if not op.attributes["use_bias"]:
        return w.add("MatMul", x, kernel)
    bias = w.weight(op, "bias")
    if node.inputs[0].ndim == 2:
        return w.add("Gemm", x, kernel, bias)
    return w.add("Add", w.add("MatMul", x, kernel), bias)


def _conv(w: Any, node: Node) -> str:
    channels_first(node)
    op, given = node.target, node.attributes
    window, dilation = list(given["kernel_size"]), list(given["dilation_rate"])
    if node.operation.startswith("Depthwise"):
        channels = op.parameters["kernel"].shape[-2]
        groups = channels

        def change(kernel: np.ndarray) -> np.ndarray:
            return np.moveaxis(kernel, (-2, -1), (0, 1)).reshape(-1, 1, *window)

    else:
        groups = given["groups"]

        def change(kernel: np.ndarray) -> np.ndarray:
            return np.moveaxis(kernel, (-1, -2), (0, 1))

    inputs = [w.floating(node), w.weight(op, "kernel", change)]
    if given["use_bias"]:
        inputs.append(w.weight(op, "bias"))
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    return w.add(
        "Conv",
        *inputs,
        kernel_shape=window,
        strides=list(given["strides"]),
        dilations=dilation,
        group=groups,
        **padding(node, reach),
    )


def _conv_transpose(w: Any, node: Node) -> str:
    channels_first(node)
    op, given = node.target, node.attributes
    inputs = [
        w.floating(node),
        w.weight(op, "kernel", lambda kernel: np.moveaxis(kernel, (-1, -2), (0, 1))),
    ]
    strides = list(given["strides"])
    cropping = [tuple(map(int, pair)) for pair in given["cropping"]]
    # places behind the end that only the bias reaches are output_padding, which has to be
    # smaller than the stride; others are added before the bias is
    far = any(b < 0 or -a >= s for (b, a), s in zip(cropping, strides, strict=True))
    if given["use_bias"] and not far:
        inputs.append(w.weight(op, "bias"))
    cut = [(max(b, 0), max(a, 0)) for b, a in cropping]
    settings = {}
    if not far and any(a < 0 for _, a in cropping):
        settings["output_padding"] = [max(-a, 0) for _, a in cropping]
    y = w.add(
        "ConvTranspose",
        *inputs,
        kernel_shape=list(given["kernel_size"]),
        strides=strides,
        dilations=list(given["dilation_rate"]),
        group=given.get("groups", 1),
        pads=flat(cut),
        **settings,
    )
    if far:
        wider = [(0, 0), (0, 0), *((max(-b, 0), max(-a, 0)) for b, a in cropping)]
        y = w.add("Pad", y, w.integers(flat(wider), "pads"))
        if given["use_bias"]:
            shape = (-1, *(1,) * len(strides))
            y = w.add("Add", y, w.weight(op, "bias", lambda bias: bias.reshape(shape)))
    return y


def _embedding(w: Any, node: Node) -> str:
    (ids,) = node.inputs
    whole = w.dtype(ids) in (np.dtype("int32"), np.dtype("int64"))
    indices = w.input(node) if whole else w.input(node, 0, np.int64)
    return w.add("Gather", w.weight(node.target, "embeddings"), indices, axis=0)


def _prelu(w: Any, node: Node) -> str:
    return w.add("PRelu", w.floating(node), w.weight(node.target, "alpha"))


# -- normalization ---------------------------------------------------------------------------------


def _batch_normalization(w: Any, node: Node) -> str:
    op, given = node.target, node.attributes
    rank, axis = node.inputs[0].ndim, given["axis"]
    size = op.parameters["moving_mean"].shape
    x, back = moved(w, w.floating(node), rank, axis)
    y = w.add(
        "BatchNormalization",
        x,
        w.weight(op, "gamma") if given["scale"] else w.filled(op, "ones", 1, size),
        w.weight(op, "beta") if given["center"] else w.filled(op, "zeros", 0, size),
        w.weight(op, "moving_mean"),
        w.weight(op, "moving_variance"),
        epsilon=float(given["epsilon"]),
        momentum=float(given["momentum"]),
    )
    return y if back is None else w.add("Transpose", y, perm=back)


def _layer_normalization(w: Any, node: Node) -> str:
    op, given = node.target, node.attributes
    (tensor,) = node.inputs
    axes = sorted(given["axis"])
    others = [axis for axis in range(tensor.ndim) if axis not in axes]
    order = [*others, *axes]
    x = w.floating(node)
    is_last = order == list(range(tensor.ndim))
    if not is_last:
        x = w.add("Transpose", x, perm=order)
    sizes = [tensor.shape[axis] for axis in axes]
    inputs = [x, w.weight(op, "gamma") if given["scale"] else w.filled(op, "ones", 1, sizes)]
    if given["center"]:
        inputs.append(w.weight(op, "beta"))
    y = w.add("LayerNormalization", *inputs, axis=-len(axes), epsilon=float(given["epsilon"]))
    return y if is_last else w.add("Transpose", y, perm=np.argsort(order).tolist())


def _group_normalization(w: Any, node: Node) -> str:
    # ONNX has it in a form that fits only from opset 21 on; this is how PyTorch writes it too
    op, given = node.target, node.attributes
    (tensor,) = node.inputs
    axis, groups = given["axis"], given["groups"]
    shape = [tensor.shape[axis], *(n for i, n in enumerate(tensor.shape) if i not in (0, axis))]
    x, back = moved(w, w.floating(node), tensor.ndim, axis)
    y = w.add("Reshape", x, w.integers((0, groups, -1), "groups"))
    y = w.add(
        "InstanceNormalization",
        y,
        w.filled(op, "ones", 1, groups),
        w.filled(op, "zeros", 0, groups),
        epsilon=float(given["epsilon"]),
    )
    whole = w.add("Shape", x) if None in shape else w.integers((-1, *shape), "shape")
    y = w.add("Reshape", y, whole)
    along = (-1, *(1,) * (tensor.ndim - 2))
    if given["scale"]:
        y = w.add("Mul", y, w.weight(op, "gamma", lambda gamma: gamma.reshape(along)))
    if given["center"]:
        y = w.add("Add", y, w.weight(op, "beta", lambda beta: beta.reshape(along)))
    return y if back is None else w.add("Transpose", y, perm=back)


def _unit_normalization(w: Any, node: Node) -> str:
    axes = node.attributes["axis"]
    axes = [axes] if isinstance(axes, int) else list(axes)
    x = w.floating(node)
    norm = w.add("ReduceSum", w.add("Mul", x, x), w.integers(axes, "axes"), keepdims=1)
    norm = w.add("Sqrt", w.add("Max", norm, w.number(1e-12, "epsilon")))  # Keras' smallest square
    return w.add("Div", x, norm)


def _rescaling(w: Any, node: Node) -> str:
    x = w.floating(node)
    scale, offset = node.attributes["scale"], node.attributes.get("offset", 0.0)
    y = w.add("Mul", x, w.number(scale, "scale"))
    return w.add("Add", y, w.number(offset, "offset")) if np.any(offset) else y


# -- pooling, resizing, borders --------------------------------------------------------------------


def _pooling(w: Any, node: Node) -> str:
    channels_first(node)
    given, is_max = node.attributes, node.operation.startswith("Max")
    window, strides = list(given["pool_size"]), list(given["strides"])
    settings: dict[str, Any] = {"kernel_shape": window, "strides": strides}
    settings.update(padding(node, window))
    counts = bool(given.get("count_padding", False)) and given["padding"] != "same"
    pads, x = settings.get("pads"), w.floating(node)
    if pads and any(n >= k for n, k in zip(pads, window * 2, strict=True)):
        if not is_max and not counts:
            raise node.target.refuse(f"adds {pads} around windows of {window}, which ONNX cannot")
        rank = len(window)
        wider = [0, 0, *pads[:rank], 0, 0, *pads[rank:]]
        border = w.number(-np.inf if is_max else 0.0, "border")
        x = w.add("Pad", x, w.integers(wider, "pads"), border)
        settings["pads"] = [0] * len(pads)
    if is_max:
        return w.add("MaxPool", x, **settings)
    return w.add("AveragePool", x, count_include_pad=int(counts), **settings)


def _global_pooling(w: Any, node: Node) -> str:
    channels_first(node)
    kind = "GlobalMaxPool" if "Max" in node.operation else "GlobalAveragePool"
    y = w.add(kind, w.floating(node))
    return y if node.attributes.get("keepdims", False) else w.add("Flatten", y, axis=1)


def _up_sampling(w: Any, node: Node) -> str:
    channels_first(node)
    how = node.attributes.get("interpolation", "nearest")
    size = np.ravel(node.attributes["size"]).tolist()  # a number for one axis
    scales = w.constant(np.asarray([1, 1, *size], np.float32), "scales")
    settings: dict[str, Any]
    if how == "nearest":
        settings = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    elif how in ("bilinear", "bicubic") and len(size) == 2:
        settings = {"coordinate_transformation_mode": "half_pixel"}
        if how == "bicubic":  # Keys' cubic, and only places within the image, as in JAX
            settings.update(cubic_coeff_a=-0.5, exclude_outside=1)
    else:
        raise node.target.refuse(f"with interpolation={how!r} has no counterpart in ONNX")
    mode = {"bilinear": "linear", "bicubic": "cubic"}.get(how, how)
    return w.add("Resize", w.input(node), "", scales, mode=mode, **settings)


def _zero_padding(w: Any, node: Node) -> str:
    channels_first(node)
    pairs = [(0, 0), (0, 0), *node.attributes["padding"]]
    return w.add("Pad", w.input(node), w.integers(flat(pairs), "pads"))


def _cropping(w: Any, node: Node) -> str:
    channels_first(node)
    pairs = node.attributes["cropping"]
    starts = [before for before, _ in pairs]
    ends = [-after if after else np.iinfo(np.int64).max for _, after in pairs]
    axes = range(2, 2 + len(pairs))
    return w.add(
        "Slice",
        w.input(node),
        w.integers(starts, "starts"),
        w.integers(ends, "ends"),
        w.integers(axes, "axes"),
    )


def _family(family: str, write: Any) -> dict[str, Any]:
    return {
        kind: write for kind in (family.format(rank) for rank in (1, 2, 3)) if kind in kinds.KINDS
    }


WRITERS: dict[str, Any] = {
    "Dense": _dense,
    **_family("Conv{}D", _conv),
    **_family("DepthwiseConv{}D", _conv),
    **_family("Conv{}DTranspose", _conv_transpose),
    "Embedding": _embedding,
    "PReLU": _prelu,
    "BatchNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "GroupNormalization": _group_normalization,
    "UnitNormalization": _unit_normalization,
    "Rescaling": _rescaling,
    **_family("MaxPooling{}D", _pooling),
    **_family("AveragePooling{}D", _pooling),
    **_family("GlobalMaxPooling{}D", _global_pooling),
    **_family("GlobalAveragePooling{}D", _global_pooling),
    **_family("UpSampling{}D", _up_sampling),
    **_family("ZeroPadding{}D", _zero_padding),
    **_family("Cropping{}D", _cropping),
}
