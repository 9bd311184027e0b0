"""ONNX' operators with weights, and those over images, read as layers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.network import Operation
from cornu.port.onnx.constants import Constant
from cornu.port.onnx.images import called, ones, padding, spatial
from cornu.port.onnx.names import of_node


def _reach(kernel_size: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    return tuple((k - 1) * d + 1 for k, d in zip(kernel_size, dilation, strict=True))


def _weights(node: Any, kernel: Constant | None, bias: Constant | None) -> dict[str, Constant]:
    if kernel is None:
        raise node.refuse("has no weights")
    return {"kernel": kernel} if bias is None else {"kernel": kernel, "bias": bias}


# -- dense -----------------------------------------------------------------------------------------


def dense(reader: Any, node: Any, x: KerasTensor, kernel: Constant, bias: Constant | None) -> Any:
    """x @ kernel + bias."""
    return reader.layer(
        "Dense",
        node,
        (x,),
        _weights(node, kernel, bias),
        units=kernel.array.shape[1],
        use_bias=bias is not None,
    )


def matmul(reader: Any, node: Any) -> Any:
    x, kernel = node.inputs
    if isinstance(kernel, Constant) and kernel.is_fixed and kernel.array.ndim == 2 and x.ndim > 1:
        return dense(reader, node, x, kernel, None)
    return reader.add("matmul", node, x, kernel)


def gemm(reader: Any, node: Any) -> Any:
    x, kernel, bias = node.get(0), node.get(1), node.get(2)
    alpha, beta = node.attributes.get("alpha", 1.0), node.attributes.get("beta", 1.0)

    def turned(value: Any, setting: str) -> Any:
        if not node.attributes.get(setting, 0):
            return value
        if isinstance(value, Constant):
            return value.then(np.transpose)
        sizes = tuple(one[::-1] for one in reader.sizes[value])
        return reader.add("transpose", node, value, sizes=sizes, to=value.dtype, axes=(1, 0))

    x, kernel = turned(x, "transA"), turned(kernel, "transB")
    if isinstance(x, KerasTensor) and isinstance(kernel, Constant):
        units = kernel.array.shape[1]
        if alpha != 1:
            kernel = Constant(np.asarray(kernel.array * alpha, kernel.array.dtype))
        if isinstance(bias, Constant) and bias.is_fixed:
            if beta != 1:
                bias = Constant(np.asarray(bias.array * beta, bias.array.dtype))
            if bias.array.size == units and bias.array.shape[-1:] == (units,):
                return dense(reader, node, x, kernel, bias.then(np.ravel))
            if bias.array.size == 1:
                return dense(
                    reader, node, x, kernel, Constant(np.repeat(bias.array.ravel(), units))
                )
        product = dense(reader, node, x, kernel, None)
    else:
        product = reader.add("matmul", node, x, kernel)
        if alpha != 1:
            product = reader.add("multiply", node, product, alpha)
    if bias is None:
        return product
    if beta != 1:
        if isinstance(bias, Constant):
            bias = Constant(np.asarray(bias.array * beta, bias.array.dtype))
        else:
            bias = reader.add("multiply", node, bias, beta, sizes=reader.sizes[bias])
    return reader.add("add", node, product, bias)


# -- convolutions ----------------------------------------------------------------------------------


def conv(reader: Any, node: Any) -> Any:
    x, weight = node.get(0), node.constant(1, "weights")
    bias = node.constant(2, "a bias")
    rank, channels = spatial(node), reader.sizes[x][0][1]
    filters, window = weight.array.shape[0], weight.array.shape[2:]
    groups = node.attributes.get("group", 1)
    strides, dilation = ones(node, "strides"), ones(node, "dilations")
    reach = _reach(window, dilation)
    pairs = padding(reader, node, reach, strides)
    settings = {
        "kernel_size": window,
        "strides": strides,
        "padding": called(reader, node, pairs, reach, strides),
        "dilation_rate": dilation,
        "use_bias": bias is not None,
        "data_format": "channels_first",
    }
    if groups == channels > 1 and rank < 3:
        multiplier = filters // groups
        kernel = weight.then(lambda w: w.reshape(channels, multiplier, *window))
        kernel = kernel.then(lambda w: np.moveaxis(w, (0, 1), (-2, -1)))
        return reader.layer(
            f"DepthwiseConv{rank}D",
            node,
            (x,),
            _weights(node, kernel, bias),
            depth_multiplier=multiplier,
            **settings,
        )
    kernel = weight.then(lambda w: np.moveaxis(w, (0, 1), (-1, -2)))
    return reader.layer(
        f"Conv{rank}D",
        node,
        (x,),
        _weights(node, kernel, bias),
        filters=filters,
        groups=groups,
        **settings,
    )


def conv_transpose(reader: Any, node: Any) -> Any:
    x, weight = node.get(0), node.constant(1, "weights")
    bias = node.constant(2, "a bias")
    rank, groups = spatial(node), node.attributes.get("group", 1)
    window = weight.array.shape[2:]
    strides, dilation = ones(node, "strides"), ones(node, "dilations")
    reach = _reach(window, dilation)
    extra = node.attributes.get("output_padding") or [0] * rank
    mode = node.attributes.get("auto_pad", "NOTSET")
    both = []
    for number, sizes in enumerate(reader.sizes[x]):
        whole = [(n - 1) * s + r for n, s, r in zip(sizes[2:], strides, reach, strict=True)]
        wanted = node.attributes.get("output_shape")
        if not wanted and mode.startswith("SAME"):
            wanted = [n * s for n, s in zip(sizes[2:], strides, strict=True)]
        pairs = []
        for i in range(rank):
            if wanted:
                total = whole[i] + extra[i] - wanted[-rank:][i]
                before = total // 2 if mode == "SAME_UPPER" else total - total // 2
                pairs.append((before, total - before - extra[i]))
            else:
                pads = node.attributes.get("pads") or [0] * 2 * rank
                pairs.append((pads[i], pads[rank + i] - extra[i]))
        expected = [w - b - a for w, (b, a) in zip(whole, pairs, strict=True)]
        if tuple(expected) != node.sizes[0][number][2:]:
            raise node.refuse(f"with output_shape={wanted} and auto_pad={mode} is not understood")
        both.append(tuple(pairs))
    if both[0] != both[1]:
        raise node.refuse("cuts an axis of open size to a given one")
    return reader.layer(
        f"Conv{rank}DTranspose",
        node,
        (x,),
        _weights(node, weight.then(lambda w: np.moveaxis(w, (0, 1), (-1, -2))), bias),
        filters=weight.array.shape[1] * groups,
        kernel_size=window,
        strides=strides,
        cropping=both[0],
        dilation_rate=dilation,
        groups=groups,
        use_bias=bias is not None,
        data_format="channels_first",
    )


# -- normalization, embedding ----------------------------------------------------------------------


def batch_normalization(reader: Any, node: Any) -> Any:
    if node.attributes.get("training_mode", 0):
        raise node.refuse(
            "normalizes by the batch (training_mode=1)", "Export the network in evaluation mode"
        )
    if not node.attributes.get("spatial", 1):
        raise node.refuse("with spatial=0 has no counterpart")
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    weights = {name: node.constant(i + 1, "weights") for i, name in enumerate(names)}
    no_scale, no_center = _absent(weights["gamma"], 1), _absent(weights["beta"], 0)
    if no_scale:
        del weights["gamma"]
    if no_center:
        del weights["beta"]
    return reader.layer(
        "BatchNormalization",
        node,
        (node.get(0),),
        weights,
        axis=1,
        momentum=exact(node, "momentum", 0.9),
        epsilon=exact(node, "epsilon", 1e-5),
        center=not no_center,
        scale=not no_scale,
    )


def exact(node: Any, name: str, default: float) -> float:
    """A number that the file holds as a float32, as it was before: 1e-3, not 0.0010000000475."""
    return float(str(np.float32(node.attributes.get(name, default))))


def _absent(constant: Constant, value: float) -> bool:
    """Whether weights only stand for a layer that has none, as `write_onnx` names them."""
    key = constant.origin.key if constant.origin is not None else ""
    return key.endswith((".ones", ".zeros")) and bool(np.all(constant.array == value))


def layer_normalization(reader: Any, node: Any) -> Any:
    x, gamma, beta = node.get(0), node.constant(1, "weights"), node.constant(2, "weights")
    first = node.attributes.get("axis", -1) % x.ndim
    sizes = reader.sizes[x][0][first:]
    weights = {} if _absent(gamma, 1) else {"gamma": gamma}
    if beta is not None:
        weights["beta"] = beta
    for name, one in weights.items():
        if one.array.shape != sizes:
            if one.array.size != math.prod(sizes):
                raise node.refuse(f"has weights of shape {one.array.shape}, not {sizes}")
            weights[name] = one.then(lambda array: array.reshape(sizes))
    return reader.layer(
        "LayerNormalization",
        node,
        (x,),
        weights,
        axis=tuple(range(first, x.ndim)),
        epsilon=exact(node, "epsilon", 1e-5),
        center=beta is not None,
        scale="gamma" in weights,
    )


def instance_normalization(reader: Any, node: Any) -> Any:
    return _groups(reader, node, reader.sizes[node.get(0)][0][1])


def group_normalization(reader: Any, node: Any) -> Any:
    return _groups(reader, node, node.attributes["num_groups"])


def _groups(reader: Any, node: Any, groups: int) -> Any:
    x, gamma, beta = node.get(0), node.constant(1, "weights"), node.constant(2, "weights")
    channels = reader.sizes[x][0][1]
    if gamma.array.size != channels:  # opset 18 has one for each group
        each = channels // groups
        gamma, beta = (Constant(np.repeat(one.array, each)) for one in (gamma, beta))
    # as GroupNormalization is written out: the weights follow in a Mul and an Add
    bare = bool(np.all(gamma.array == 1) and np.all(beta.array == 0))
    return reader.layer(
        "GroupNormalization",
        node,
        (x,),
        {} if bare else {"gamma": gamma, "beta": beta},
        groups=groups,
        axis=1,
        epsilon=exact(node, "epsilon", 1e-5),
        center=not bare,
        scale=not bare,
    )


def gather_embedding(reader: Any, node: Any, table: Constant, indices: KerasTensor) -> Any:
    """Rows of a table of constants."""
    return reader.layer(
        "Embedding",
        node,
        (indices,),
        {"embeddings": table},
        input_dim=table.array.shape[0],
        output_dim=table.array.shape[1],
        mask_zero=False,
    )


def prelu(reader: Any, node: Any) -> Any:
    x, slope = node.get(0), node.constant(1, "slopes")
    if reader.is_old and slope.array.ndim == 1 < slope.array.size:  # before opset 7, of channels
        slope = slope.then(lambda array: array.reshape(-1, *(1,) * (x.ndim - 2)))
    shape = slope.array.shape
    shape = (1,) * (x.ndim - len(shape)) + shape
    if shape[0] != 1 or len(shape) != x.ndim:
        raise node.refuse(f"has slopes of shape {shape}, which differ within a batch")
    return reader.layer(
        "PReLU",
        node,
        (x,),
        {"alpha": slope.then(lambda array: array.reshape(shape[1:]))},
        shared_axes=tuple(axis for axis in range(1, x.ndim) if shape[axis] == 1),
    )


# -- weights that come in nodes of their own -------------------------------------------------------


def with_bias(reader: Any, node: Any, x: KerasTensor, bias: Constant) -> KerasTensor | None:
    """The layer behind x with a bias, where that is what adding a constant to it means."""
    layer = reader.made_by(x, *_BIASED)
    turn = reader.made_by(x, "transpose") if layer is None else None
    inner = x if turn is None else x.node.args[0]
    if turn is not None:  # a convolution whose channels were put last
        layer = reader.made_by(inner, *_BIASED)
    if layer is None or layer.attributes.get("use_bias", layer.attributes.get("center")):
        return None
    name = "beta" if layer.kind == "GroupNormalization" else "bias"
    axis = x.ndim - 1 if layer.kind == "Dense" else 1
    if turn is not None:
        axis = turn.attributes["axes"].index(axis)
    if not _along(reader, x, bias, axis):
        return None
    setting = {"center": True} if name == "beta" else {"use_bias": True}
    made = _again(reader, node, inner, layer, {name: bias.then(np.ravel)}, setting)
    if turn is None:
        return made
    return reader.add("transpose", node, made, axes=turn.attributes["axes"])


def with_scale(reader: Any, node: Any, x: KerasTensor, scale: Constant) -> KerasTensor | None:
    """The group normalization behind x with a scale, where multiplying by a constant is that."""
    layer = reader.made_by(x, "GroupNormalization")
    if layer is None or layer.parameters or not _along(reader, x, scale, 1):
        return None
    return _again(reader, node, x, layer, {"gamma": scale.then(np.ravel)}, {"scale": True})


_BIASED = (
    *("Dense", "GroupNormalization", "DepthwiseConv1D", "DepthwiseConv2D"),
    *(f"Conv{rank}D{more}" for rank in (1, 2, 3) for more in ("", "Transpose")),
)


def _along(reader: Any, x: KerasTensor, constant: Constant, axis: int) -> bool:
    """Whether a constant has one entry for each place along an axis of a tensor."""
    shape = constant.array.shape
    shape = (1,) * (x.ndim - len(shape)) + shape
    expected = [1] * x.ndim
    expected[axis] = reader.sizes[x][0][axis]
    return constant.is_fixed and shape == tuple(expected)


def _again(
    reader: Any,
    node: Any,
    x: KerasTensor,
    layer: Operation,
    more: dict[str, Constant],
    settings: dict[str, Any],
) -> KerasTensor:
    weights = {k: Constant(v, None, layer.origins.get(k)) for k, v in layer.parameters.items()}
    source = x.node.args[0]
    made = reader.layer(
        layer.kind,
        node,
        (source,),
        {**weights, **more},
        sizes=reader.sizes[x],
        **{**layer.attributes, **settings},
    )
    if made.node.call_index == 0:
        called = of_node(node)
        keep = layer.kind != "GroupNormalization" or called in ("add", "mul")
        made.node.target.name = layer.name if keep else called
    return made


READERS = {
    "MatMul": matmul,
    "Gemm": gemm,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "InstanceNormalization": instance_normalization,
    "GroupNormalization": group_normalization,
    "PRelu": prelu,
}
