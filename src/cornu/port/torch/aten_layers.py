"""Layers with weights, and dropout, of PyTorch."""

from __future__ import annotations

from typing import Any

from cornu.graph.tensor import KerasTensor
from cornu.port.torch.aten import Call, aten, pairs
from cornu.port.torch.aten_weights import Reshaped, Transposed, Weight, as_weight

# -- products --------------------------------------------------------------------------------------


@aten("linear")
def _linear(call: Call, input: Any, weight: Any, bias: Any = None) -> KerasTensor:
    if isinstance(weight, KerasTensor):
        return _product_with_tensor(call, input, weight, bias)
    return dense(call, call.tensor(input), as_weight(weight), bias, Transposed((1, 0)))


def _product_with_tensor(call: Call, input: Any, weight: KerasTensor, bias: Any) -> KerasTensor:
    """`linear` with a kernel that the network computes."""
    shape = (*weight.shape[:-2], weight.shape[-1], weight.shape[-2])
    axes = (*range(weight.ndim - 2), weight.ndim - 1, weight.ndim - 2)
    turned = call.make("transpose", weight, shape=shape, called="transpose", axes=axes)
    made = call.make("matmul", call.operand(input), turned)
    return made if bias is None else call.make("add", made, call.operand(bias), called="add")


def dense(
    call: Call, x: KerasTensor, weight: Weight, bias: Any, change: Transposed | None
) -> KerasTensor:
    """A product with a weight, and the addition behind it where that is of a bias."""
    if weight.tensor.ndim != 2:
        raise call.refuse(f"{call.operation} with a weight of shape {weight.shape}")
    units = weight.shape[0 if change else 1]
    if bias is None:
        bias = call.reading.bias_behind(call.node, units)
    weights: dict[str, tuple[Any, Any]] = {"kernel": (weight, change)}
    if bias is not None:
        shape = tuple(bias.shape) if isinstance(bias, Weight) else None
        if shape is not None and shape != (units,):
            raise call.refuse(f"a bias of shape {shape} for {units} units")
        weights["bias"] = (bias, None)
    return call.layer("Dense", weights, x, units=units, use_bias=bias is not None)


@aten("matmul", "mm", "bmm")
def _matmul(call: Call, self: Any = None, other: Any = None, mat2: Any = None) -> KerasTensor:
    other = mat2 if other is None else other
    if isinstance(other, Weight) and other.tensor.ndim == 2 and isinstance(self, KerasTensor):
        return dense(call, self, other, None, None)
    return call.make("matmul", call.operand(self, call.dtype), call.operand(other, call.dtype))


@aten("addmm")
def _addmm(call: Call, self: Any, mat1: Any, mat2: Any, beta: Any, alpha: Any) -> KerasTensor:
    if beta != 1 or alpha != 1:
        raise call.refuse(f"addmm with beta={beta}, alpha={alpha}", "Write the factors out")
    if isinstance(mat2, Weight) and isinstance(mat1, KerasTensor):
        return dense(call, mat1, mat2, self, None)
    made = call.make("matmul", call.operand(mat1), call.operand(mat2))
    return call.make("add", made, call.operand(self), called="add")


@aten("baddbmm")
def _baddbmm(call: Call, self: Any, batch1: Any, batch2: Any, beta: Any, alpha: Any) -> KerasTensor:
    return _addmm(call, self, batch1, batch2, beta, alpha)


# -- convolutions ----------------------------------------------------------------------------------


def _same_if_it_is(padding: tuple, window: tuple, strides: tuple, dilation: tuple) -> Any:
    """The pairs of a padding, or Keras' word where it means them whatever the size."""
    if not any(before or after for before, after in padding):
        return "valid"
    total = [d * (w - 1) for w, d in zip(window, dilation, strict=True)]
    same = tuple((t // 2, t - t // 2) for t in total)
    return "same" if set(strides) == {1} and same == padding else padding


@aten("conv1d", "conv2d", "conv3d")
def _convolution(
    call: Call,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> KerasTensor:
    x, weight = call.tensor(input), _kernel(call, weight)
    rank = weight.tensor.ndim - 2
    if x.ndim != rank + 2:
        raise call.refuse(
            f"{call.operation} of an input of {x.ndim} axes", "Images need a batch axis"
        )
    filters, per_group, *window = weight.shape
    strides, rates = pairs(stride, rank), pairs(dilation, rank)
    if isinstance(padding, str):
        added: Any = padding
    else:
        sizes = tuple((size, size) for size in pairs(padding, rank))
        added = _same_if_it_is(sizes, tuple(window), strides, rates)
    settings: dict[str, Any] = {
        "kernel_size": tuple(window),
        "strides": strides,
        "padding": added,
        "dilation_rate": rates,
        "use_bias": bias is not None,
        "data_format": "channels_first",
    }
    behind = tuple(range(2, rank + 2))
    if groups > 1 and per_group == 1 and filters % groups == 0 and rank < 3:
        multiplier = filters // groups
        kind, settings["depth_multiplier"] = f"DepthwiseConv{rank}D", multiplier
        change: Any = _Depthwise(groups, multiplier, behind)
    else:
        kind, settings["filters"], settings["groups"] = f"Conv{rank}D", filters, groups
        change = Transposed((*behind, 1, 0))
    weights: dict[str, tuple[Any, Any]] = {"kernel": (weight, change)}
    if bias is not None:
        weights["bias"] = (bias, None)
    return call.layer(kind, weights, x, **settings)


def _kernel(call: Call, weight: Any) -> Weight:
    if isinstance(weight, KerasTensor):
        raise call.refuse(f"{call.operation} with a kernel that the network computes")
    return as_weight(weight)


class _Depthwise:
    """A change of a kernel: filters (channels * multiplier) to (*window, channels, multiplier)."""

    def __init__(self, channels: int, multiplier: int, behind: tuple[int, ...]):
        self.channels, self.multiplier, self.behind = channels, multiplier, behind

    def __call__(self, array: Any) -> Any:
        return array.reshape(self.channels, self.multiplier, *array.shape[2:]).transpose(
            (*self.behind, 0, 1)
        )


@aten("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def _transposed(
    call: Call,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> KerasTensor:
    x, weight = call.tensor(input), _kernel(call, weight)
    rank = weight.tensor.ndim - 2
    if x.ndim != rank + 2:
        raise call.refuse(
            f"{call.operation} of an input of {x.ndim} axes", "Images need a batch axis"
        )
    _, per_group, *window = weight.shape
    cut = zip(pairs(padding, rank), pairs(output_padding, rank), strict=True)
    weights: dict[str, tuple[Any, Any]] = {
        "kernel": (weight, Transposed((*range(2, rank + 2), 1, 0)))
    }
    if bias is not None:
        weights["bias"] = (bias, None)
    return call.layer(
        f"Conv{rank}DTranspose",
        weights,
        x,
        filters=per_group * groups,
        kernel_size=tuple(window),
        strides=pairs(stride, rank),
        cropping=tuple((before, before - more) for before, more in cut),
        dilation_rate=pairs(dilation, rank),
        groups=groups,
        use_bias=bias is not None,
        data_format="channels_first",
    )


# -- normalization ---------------------------------------------------------------------------------


@aten("batch_norm")
def _batch_norm(
    call: Call,
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> KerasTensor:
    if running_mean is None or training:
        raise call.refuse(
            "batch normalization with the statistics of the batch also when it predicts "
            "(track_running_stats=False) has no counterpart",
            "Keep running statistics, or use GroupNorm or InstanceNorm",
        )
    live = call.reading.module_at(call.path)
    if live is not None and getattr(live, "momentum", 0.0) is None:
        raise call.refuse(
            "batch normalization with momentum=None (a cumulative average) has no counterpart",
            "Give it a momentum, such as 0.1",
        )
    given: dict[str, tuple[Any, Any]] = {"gamma": (weight, None), "beta": (bias, None)}
    weights = {name: one for name, one in given.items() if one[0] is not None}
    weights["moving_mean"] = (running_mean, None)
    weights["moving_variance"] = (running_var, None)
    return call.layer(
        "BatchNormalization",
        weights,
        call.tensor(input),
        axis=1,
        # without the digits of 1 - 0.1 in binary: 0.9, not 0.90000000000000002
        momentum=float(f"{1.0 - momentum:.12g}"),
        epsilon=eps,
        center=bias is not None,
        scale=weight is not None,
    )


def _affine(weight: Any, bias: Any) -> tuple[dict[str, tuple[Any, Any]], dict[str, bool]]:
    weights = {"gamma": (weight, None), "beta": (bias, None)}
    given = {name: one for name, one in weights.items() if one[0] is not None}
    return given, {"center": bias is not None, "scale": weight is not None}


@aten("layer_norm")
def _layer_norm(
    call: Call,
    input: Any,
    normalized_shape: list,
    weight: Any,
    bias: Any,
    eps: float,
    cudnn_enable: bool,
) -> KerasTensor:
    x = call.tensor(input)
    axes = tuple(range(x.ndim - len(normalized_shape), x.ndim))
    weights, settings = _affine(weight, bias)
    return call.layer("LayerNormalization", weights, x, axis=axes, epsilon=eps, **settings)


@aten("group_norm")
def _group_norm(
    call: Call,
    input: Any,
    num_groups: int,
    weight: Any,
    bias: Any,
    eps: float,
    cudnn_enabled: bool,
) -> KerasTensor:
    weights, settings = _affine(weight, bias)
    x = call.tensor(input)
    return call.layer(
        "GroupNormalization", weights, x, groups=num_groups, axis=1, epsilon=eps, **settings
    )


@aten("instance_norm")
def _instance_norm(
    call: Call,
    input: Any,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> KerasTensor:
    x = call.tensor(input)
    if not use_input_stats:
        raise call.refuse(
            "instance normalization with running statistics has no counterpart",
            "Use track_running_stats=False",
        )
    weights, settings = _affine(weight, bias)
    return call.layer(
        "GroupNormalization", weights, x, groups=x.shape[1], axis=1, epsilon=eps, **settings
    )


# -- embedding and PReLU ---------------------------------------------------------------------------


@aten("embedding")
def _embedding(
    call: Call,
    weight: Any,
    indices: Any,
    padding_idx: int,
    scale_grad_by_freq: bool,
    sparse: bool,
) -> KerasTensor:
    if scale_grad_by_freq:
        raise call.refuse("an embedding with scale_grad_by_freq has no counterpart")
    if isinstance(weight, KerasTensor):
        raise call.refuse("an embedding whose table the network computes")
    weight, ids = as_weight(weight), call.tensor(indices)
    rows, size = weight.shape
    made = call.layer(
        "Embedding",
        {"embeddings": (weight, None)},
        ids,
        input_dim=rows,
        output_dim=size,
        mask_zero=False,
    )
    if padding_idx < 0 or not weight.requires_grad:
        return made
    if weight.tensor[padding_idx].any():
        raise call.refuse(
            f"the embedding {weight.key!r} keeps its row {padding_idx} (padding_idx) from being "
            "trained, and that row is not zero",
            "Set the row to zero, or leave padding_idx out",
        )
    # the row is zero and gets no gradient: what is made of it is multiplied by zero
    real = call.make(
        "not_equal", ids, padding_idx, shape=ids.shape, dtype="bool", called="is_not_padding"
    )
    shape = (*ids.shape, 1)
    wide = call.make(
        "expand_dims", real, shape=shape, dtype="bool", called="expand_dims", axis=ids.ndim
    )
    mask = call.make("cast", wide, shape=shape, called="mask")
    return call.make("multiply", made, mask, called="masked")


@aten("prelu")
def _prelu(call: Call, self: Any, weight: Any) -> KerasTensor:
    x, weight = call.tensor(self), _kernel(call, weight)
    spatial = x.ndim - 2
    if weight.tensor.numel() == 1:
        shape, shared = (1,) * (x.ndim - 1), tuple(range(1, x.ndim))
    else:
        shape, shared = (weight.tensor.numel(), *(1,) * spatial), tuple(range(2, x.ndim))
    alpha = (weight, Reshaped(shape) if shape != weight.shape else None)
    return call.layer("PReLU", {"alpha": alpha}, x, shared_axes=shared)


# -- dropout ---------------------------------------------------------------------------------------


def _dropout(call: Call, kind: str, input: Any, p: float, train: bool) -> KerasTensor:
    x = call.tensor(input)
    if p == 0:
        return x
    settings: dict[str, Any] = {"rate": p}
    if train:
        settings["training"] = True
        call.reading.note(
            f"{call.place or call.node.name}: this dropout is on also when the network predicts "
            "(F.dropout without training=self.training); the port keeps it on"
        )
    if kind.startswith("Spatial"):
        settings["data_format"] = "channels_first"
    return call.make(kind, x, **settings)


@aten("dropout")
def _plain_dropout(call: Call, input: Any, p: float, train: bool) -> KerasTensor:
    return _dropout(call, "Dropout", input, p, train)


@aten("alpha_dropout")
def _alpha_dropout(call: Call, input: Any, p: float, train: bool) -> KerasTensor:
    return _dropout(call, "AlphaDropout", input, p, train)


@aten("feature_dropout")
def _feature_dropout(call: Call, input: Any, p: float, train: bool) -> KerasTensor:
    spatial = len(call.shape) - 2
    kind = f"SpatialDropout{spatial}D" if 1 <= spatial <= 3 else "Dropout"
    return _dropout(call, kind, input, p, train)
