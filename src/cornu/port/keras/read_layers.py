"""Reading the layers of a Cornu model: `LAYERS`, a function for each class.

Each takes `(reader, node, name, inputs, settings)` - the reader, the model's node, a name for the
operation, the tensors that it takes, the layer's configuration - and returns the output.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.layers import Layer
from cornu.port import kinds
from cornu.port.network import Operation, Origin, PortError

NOT_SETTINGS = frozenset(
    {"name", "trainable", "dtype", "lora_rank", "lora_alpha", "quantization_config", "batch_shape"}
    | {"input_shape", "seed", "noise_shape", "build_config", "synchronized", "renorm"}
    | {"renorm_clipping", "renorm_momentum", "rms_scaling", "activity_regularizer", "autocast"}
)
ACTIVATION_LAYERS = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "Softmax": "softmax",
}


def positive(axis: int, ndim: int) -> int:
    return int(axis) % ndim


def activation(name: str, given: dict, ndim: int) -> dict[str, Any]:
    """Settings of an activation function called with some arguments, its defaults written out."""
    attributes: dict[str, Any] = {"function": name, **DEFAULTS.get(name, {}), **given}
    if name == "relu":
        attributes = {k: v for k, v in attributes.items() if v not in (None, 0, 0.0)}
        if attributes == {"function": "relu", "max_value": 6} or attributes == {
            "function": "relu",
            "max_value": 6.0,
        }:
            return {"function": "relu6"}
    if "axis" in attributes:
        axis = attributes["axis"]
        if isinstance(axis, (list, tuple)):
            if len(axis) > 1:
                raise PortError(f"{name} over several axes cannot be carried over")
            axis = axis[0]
        attributes["axis"] = positive(axis, ndim)
    return attributes


DEFAULTS: dict[str, dict[str, Any]] = {
    "leaky_relu": {"negative_slope": 0.2},
    "elu": {"alpha": 1.0},
    "celu": {"alpha": 1.0},
    "gelu": {"approximate": False},
    "softmax": {"axis": -1},
    "log_softmax": {"axis": -1},
    "glu": {"axis": -1},
    "hard_shrink": {"threshold": 0.5},
    "soft_shrink": {"threshold": 0.5},
}


def activation_settings(layer: Layer, ndim: int) -> dict[str, Any]:
    config = layer.get_config()
    given = {k: v for k, v in config.items() if k not in NOT_SETTINGS and k != "supports_masking"}
    return activation(ACTIVATION_LAYERS[type(layer).__name__], given, ndim)


def _plain_layer(reader, node, name, inputs, settings):
    """A layer that means the same here."""
    out = node.outputs[0]
    kind = type(node.target).__name__
    return reader.step(kind, name, inputs, out.shape, out.dtype, node.target, **settings)


def _windowed(reader, node, name, inputs, settings):
    """A convolution or pooling: "causal" becomes pairs."""
    layer = node.target
    if settings.get("padding") == "causal":
        before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
        settings["padding"] = ((before, 0),)
    kind = type(layer).__name__
    if kind.startswith("AveragePooling"):
        settings["count_padding"] = False
    if kind.startswith("DepthwiseConv"):
        for what in ("initializer", "regularizer", "constraint"):
            settings[f"kernel_{what}"] = settings.pop(f"depthwise_{what}", None)
        settings.pop("filters", None), settings.pop("groups", None)
    return _raw(reader, node, name, inputs, settings, kind)


def _raw(reader, node, name, inputs, settings, kind):
    out = node.outputs[0]
    return reader.step(kind, name, inputs, out.shape, out.dtype, node.target, **settings)


def _edges(reader, node, name, inputs, settings):
    """What is added or cut off around the spatial axes, a pair for each."""
    for key in ("padding", "cropping"):
        if key in settings:
            pairs = settings[key]
            settings[key] = (tuple(pairs),) if np.ndim(pairs) == 1 else tuple(map(tuple, pairs))
    return _plain_layer(reader, node, name, inputs, settings)


def _transposed(reader, node, name, inputs, settings):
    """A transposed convolution: what is cut off its whole output, as pairs."""
    layer, out = node.target, node.outputs[0]
    padding, more = settings.pop("padding"), settings.pop("output_padding", None)
    rank = kinds.rank(type(layer).__name__)
    if more is None or isinstance(more, int):
        more = (more,) * rank
    settings["cropping"] = tuple(
        transposed_cropping(size, stride, dilation, padding, one)
        for size, stride, dilation, one in zip(
            layer.kernel_size, layer.strides, layer.dilation_rate, more, strict=True
        )
    )
    settings["groups"] = 1
    return reader.step(type(layer).__name__, name, inputs, out.shape, out.dtype, layer, **settings)


def transposed_cropping(
    window: int, stride: int, dilation: int, padding: str, output_padding: int | None
) -> tuple[int, int]:
    """What Keras' transposed convolution cuts off its whole output, before and after.

    Source: the padding that Keras computes for JAX,
    keras/src/backend/common/backend_utils.py.

    >>> transposed_cropping(3, 2, 1, "same", None), transposed_cropping(2, 2, 1, "valid", None)
    ((0, 1), (0, 0))
    """
    reach = dilation * (window - 1) + 1
    if padding == "valid":
        more = max(stride - reach, 0) if output_padding is None else output_padding
        return 0, -more
    total = stride + reach - 2 if output_padding is None else reach + reach % 2 - 2 + output_padding
    before = min(total // 2 + total % 2, reach - 1)
    return reach - 1 - before, reach - 1 - (total - before)


def _separable(reader, node, name, inputs, settings):
    layer, out = node.target, node.outputs[0]
    (tensor,) = inputs
    kind = type(layer).__name__
    rank = kinds.rank(kind)
    multiplier = layer.depth_multiplier
    depthwise = {
        key: settings[key]
        for key in ("kernel_size", "strides", "padding", "data_format", "dilation_rate")
    }
    if depthwise["padding"] == "causal":
        depthwise["padding"] = ((layer.dilation_rate[0] * (layer.kernel_size[0] - 1), 0),)
    for what in ("initializer", "regularizer", "constraint"):
        depthwise[f"kernel_{what}"] = settings.get(f"depthwise_{what}")
    first = layer.data_format == "channels_first"
    channels = tensor.shape[1 if first else -1] * multiplier
    places = out.shape[2:] if first else out.shape[1:-1]
    middle = (out.shape[0], channels, *places) if first else (out.shape[0], *places, channels)
    inner = reader.step(
        f"DepthwiseConv{rank}D", f"{name}_depthwise", [tensor], middle, out.dtype, layer,
        "depthwise", **depthwise, depth_multiplier=multiplier, use_bias=False,
    )  # fmt: skip
    _give(inner.node.target, "kernel", layer.depthwise_kernel)
    pointwise = {
        "filters": layer.filters,
        "kernel_size": (1,) * rank,
        "strides": (1,) * rank,
        "padding": "valid",
        "dilation_rate": (1,) * rank,
        "groups": 1,
        "data_format": layer.data_format,
        "use_bias": layer.use_bias,
        "bias_regularizer": settings.get("bias_regularizer"),
    }
    for what in ("initializer", "regularizer", "constraint"):
        pointwise[f"kernel_{what}"] = settings.get(f"pointwise_{what}")
    made = reader.step(
        f"Conv{rank}D", f"{name}_pointwise", [inner], out.shape, out.dtype, layer, "pointwise",
        **pointwise,
    )  # fmt: skip
    _give(made.node.target, "kernel", layer.pointwise_kernel)
    if layer.use_bias:
        _give(made.node.target, "bias", layer.bias)
    return made


def _give(operation: Operation, name: str, variable: Any) -> None:
    operation.parameters[name] = variable.numpy()
    operation.origins[name] = Origin(variable)


def _batch_normalization(reader, node, name, inputs, settings):
    settings["axis"] = positive(settings["axis"], inputs[0].ndim)
    return _plain_layer(reader, node, name, inputs, settings)


def _layer_normalization(reader, node, name, inputs, settings):
    axes = settings["axis"]
    axes = axes if isinstance(axes, (list, tuple)) else [axes]
    settings["axis"] = tuple(sorted(positive(axis, inputs[0].ndim) for axis in axes))
    if getattr(node.target, "rms_scaling", False):
        raise reader.refuse("LayerNormalization(rms_scaling=True) cannot be carried over")
    return _plain_layer(reader, node, name, inputs, settings)


def _embedding(reader, node, name, inputs, settings):
    if settings.get("mask_zero"):
        raise reader.refuse(
            "Embedding(mask_zero=True) passes a mask on, which cannot be carried over",
            "Leave mask_zero out",
        )
    for key in ("weights", "input_length"):
        settings.pop(key, None)
    return _plain_layer(reader, node, name, inputs, settings)


def _flatten(reader, node, name, inputs, settings):
    out, (tensor,) = node.outputs[0], inputs
    if settings.pop("data_format", None) == "channels_first" and tensor.ndim > 2:
        axes = (0, *range(2, tensor.ndim), 1)
        shape = tuple(tensor.shape[axis] for axis in axes)
        tensor = reader.step("transpose", f"{name}_order", [tensor], shape, out.dtype, axes=axes)
    return reader.step("Flatten", name, [tensor], out.shape, out.dtype, node.target)


def _reshape(reader, node, name, inputs, settings):
    settings["target_shape"] = tuple(node.outputs[0].shape[1:])
    if None in settings["target_shape"]:
        settings["target_shape"] = tuple(node.target.target_shape)
    return _plain_layer(reader, node, name, inputs, settings)


def _permute(reader, node, name, inputs, settings):
    return applied(reader, node, name, inputs, "transpose", axes=(0, *settings["dims"]))


def applied(reader, node, name, args, kind, **attributes):
    out = node.outputs[0]
    layer = node.target if isinstance(node.target, Layer) else None
    return reader.step(kind, name, args, out.shape, out.dtype, layer, **attributes)


def _merge(kind):
    def read(reader, node, name, inputs, settings):
        ndim = node.outputs[0].ndim
        if any(tensor.ndim != ndim for tensor in inputs):
            raise reader.refuse(
                f"{type(node.target).__name__} of tensors with {ndim} and fewer axes"
            )
        return applied(reader, node, name, inputs, kind)

    return read


def _concatenation(reader, node, name, inputs, settings):
    axis = positive(settings["axis"], node.outputs[0].ndim)
    return applied(reader, node, name, inputs, "concatenate", axis=axis)


def _activation_layer(reader, node, name, inputs, settings):
    return applied(
        reader, node, name, inputs, "activation",
        **activation_settings(node.target, node.outputs[0].ndim),
    )  # fmt: skip


def _activation_by_name(reader, node, name, inputs, settings):
    kind, attributes = reader._function_of(node.target.activation, None, node.outputs[0].ndim)
    return applied(reader, node, name, inputs, kind, **attributes)


def _prelu(reader, node, name, inputs, settings):
    axes = settings.get("shared_axes") or ()
    settings["shared_axes"] = tuple(axes)
    return _plain_layer(reader, node, name, inputs, settings)


def _dropout(reader, node, name, inputs, settings):
    layer = node.target
    if getattr(layer, "noise_shape", None) is not None:
        raise reader.refuse("Dropout(noise_shape=...) cannot be carried over")
    kept = {k: v for k, v in settings.items() if k in ("rate", "stddev", "data_format")}
    if node.kwargs.get("training"):
        kept["training"] = True
    return _plain_layer(reader, node, name, inputs, kept)


def _spatial_dropout(reader, node, name, inputs, settings):
    settings.setdefault("data_format", getattr(node.target, "data_format", "channels_last"))
    return _dropout(reader, node, name, inputs, settings)


def _penalty(reader, node, name, inputs, settings):
    return applied(reader, node, name, inputs, "ActivityRegularization", **settings)


def _rescaling(reader, node, name, inputs, settings):
    layer, ndim = node.target, node.outputs[0].ndim
    made = inputs[0]
    out = node.outputs[0]
    for role, kind, value in (("scale", "multiply", layer.scale), ("offset", "add", layer.offset)):
        value = np.asarray(value, "float64")
        if np.all(value == (1 if role == "scale" else 0)):
            continue
        whole = (1,) * (ndim - value.ndim) + value.shape
        value = value.astype(out.dtype).reshape(whole) if value.ndim else float(value)
        made = reader.step(kind, f"{name}_{role}", [made, value], out.shape, out.dtype, layer, role)
    if made is inputs[0]:
        made = applied(reader, node, name, inputs, "Identity")
    return made


def _normalization(reader, node, name, inputs, settings):
    layer, out = node.target, node.outputs[0]
    if layer.invert:
        raise reader.refuse("Normalization(invert=True) cannot be carried over")
    mean, variance = (np.asarray(one) for one in layer._statistics())
    deviation = np.maximum(np.sqrt(variance), 1e-7)
    mean, deviation = (
        one.reshape((1,) * (out.ndim - one.ndim) + one.shape).astype(str(out.dtype))
        for one in (mean, deviation)
    )
    less = reader.step(
        "subtract", f"{name}_mean", [inputs[0], mean], out.shape, out.dtype, layer, "mean"
    )
    return reader.step(
        "true_divide", f"{name}_deviation", [less, deviation], out.shape, out.dtype, layer, "std"
    )


def _identity(reader, node, name, inputs, settings):
    return applied(reader, node, name, inputs, "Identity")


LAYERS: dict[str, Callable] = {
    "Dense": _plain_layer,
    "Embedding": _embedding,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "RepeatVector": _plain_layer,
    "Permute": _permute,
    "Identity": _identity,
    "Activation": _activation_by_name,
    "PReLU": _prelu,
    "BatchNormalization": _batch_normalization,
    "GroupNormalization": _batch_normalization,
    "LayerNormalization": _layer_normalization,
    "Concatenate": _concatenation,
    "ActivityRegularization": _penalty,
    "Rescaling": _rescaling,
    "Normalization": _normalization,
    **dict.fromkeys(("Dropout", "GaussianDropout", "GaussianNoise", "AlphaDropout"), _dropout),
    **dict.fromkeys(ACTIVATION_LAYERS, _activation_layer),
    "Add": _merge("add"),
    "Subtract": _merge("subtract"),
    "Multiply": _merge("multiply"),
    "Average": _merge("average"),
    "Maximum": _merge("maximum"),
    "Minimum": _merge("minimum"),
}
for _rank in (1, 2, 3):
    for _what in ("Conv{}D", "DepthwiseConv{}D", "MaxPooling{}D", "AveragePooling{}D"):
        LAYERS[_what.format(_rank)] = _windowed
    LAYERS[f"Conv{_rank}DTranspose"] = _transposed
    LAYERS[f"SeparableConv{_rank}D"] = _separable
    LAYERS[f"SpatialDropout{_rank}D"] = _spatial_dropout
    for _what in ("GlobalMaxPooling{}D", "GlobalAveragePooling{}D", "UpSampling{}D"):
        LAYERS[_what.format(_rank)] = _plain_layer
    for _what in ("ZeroPadding{}D", "Cropping{}D"):
        LAYERS[_what.format(_rank)] = _edges
