"""Reading a Cornu model into a `Network`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from cornu import activations
from cornu.core.places import Place
from cornu.graph.graph import Graph
from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.layers import Layer
from cornu.models.tracing import graph_of, traced_graph
from cornu.port import kinds
from cornu.port.network import Names, Network, Observed, Operation, Origin, PortError, apply
from cornu.port.read_training import read_training


def read_model(model: Any) -> Network:
    """The network of a built model: Sequential, Functional, or a subclass with a plain `call`.

    Args:
        model: a `cornu.Model`; its weights are read, nothing is changed.

    Returns:
        A Network with images as the model has them. Observed tensors have the model's symbolic
        tensors as keys, weights the model's Variables.

    Raises:
        PortError: a layer or an operation that has no counterpart in other frameworks, by name; a
            model that is not built.
    """
    graph = graph_of(model)
    if graph is None:
        try:
            graph = traced_graph(model)
        except PortError:
            raise
        except Exception as error:
            raise PortError(
                f"{type(model).__name__}.call cannot be followed with symbolic inputs: {error}",
                None,
                "Build the network of layers and cornu.ops",
            ) from error
    if graph is None:
        raise PortError(
            f"the model {getattr(model, 'name', model)!r} is not built",
            None,
            "Call it once, or give it an Input",
        )
    reader = _Reader()
    reader.read(graph)
    names = getattr(model, "output_names", None)
    network = Network(
        [reader.new[tensor] for tensor in graph.inputs],
        [reader.new[tensor] for tensor in graph.outputs],
        Names()(model.name),
        names if names and len(names) == len(graph.outputs) else None,
        read_training(model),
        reader.observed,
    )
    network.data_format = "channels_last"
    if any(one.attributes.get("data_format") == "channels_first" for one in network.operations):
        network.data_format = "channels_first"
    return network


class _Reader:
    """Makes operations of the nodes of a graph, and of the models within it."""

    def __init__(self) -> None:
        self.names = Names()
        self.new: dict[KerasTensor, KerasTensor] = {}
        self.observed: dict[KerasTensor, Observed] = {}
        self.operations: dict[Any, Operation] = {}
        self.place: str | None = None

    def read(self, graph: Graph, prefix: str = "") -> None:
        """Reads the nodes of a graph; those of its inputs only where they are not known yet."""
        for node in graph.nodes:
            if all(tensor in self.new for tensor in node.outputs):
                continue
            inner = graph_of(node.target) if node.inputs else None
            if inner is not None:
                self._read_inner(node, inner, prefix)
            else:
                self._read_node(node, prefix)

    def _read_inner(self, node: Node, inner: Graph, prefix: str) -> None:
        """A model that is called as a layer: its layers become the network's own."""
        outer = dict(self.new)
        for step in inner.nodes:  # of an earlier call of the same model
            for tensor in step.outputs:
                self.new.pop(tensor, None)
        for inside, outside in zip(inner.inputs, node.inputs, strict=True):
            self.new[inside] = outer[outside]
        self.read(inner, f"{prefix}{node.name}_")
        made = [self.new[tensor] for tensor in inner.outputs]
        for tensor, new in zip(node.outputs, made, strict=True):
            self.new[tensor] = new
            self.observed[new] = Observed(tensor)

    def _read_node(self, node: Node, prefix: str) -> None:
        place = getattr(node.target, "_place", None)
        self.place = f"{node.name} ({place})" if isinstance(place, Place) else node.name
        if len(node.outputs) != 1:
            raise PortError(
                f"{node.operation} {node.name!r} has {len(node.outputs)} outputs; that is not "
                "supported",
                self.place,
            )
        name = prefix + node.name
        if node.is_input:
            out = node.outputs[0]
            made = apply(
                Operation("InputLayer", self.names(name)), shape=out.shape, dtype=out.dtype
            )
        elif isinstance(node.target, Layer):
            made = self._layer(node, name)
        else:
            made = self._function(node, name)
        self.new[node.outputs[0]] = made
        self.observed[made] = Observed(node.outputs[0])

    # -- making nodes ------------------------------------------------------------------------------

    def step(
        self,
        kind: str,
        name: str,
        args: list[Any],
        shape: tuple,
        kept: str,
        layer: Any = None,
        role: str = "",
        **attributes: Any,
    ) -> KerasTensor:
        """Applies an operation; the one of a layer (in a role) is made once and shared.

        Args:
            kept: the dtype of what comes out.
        """
        key = (id(layer), role) if layer is not None else object()
        operation = self.operations.get(key)
        if operation is None:
            operation = Operation(kind, self.names(name), attributes, place=self.place)
            if layer is not None:
                operation.trainable = layer.trainable
                if not role:
                    self._add_weights(operation, layer)
            self.operations[key] = operation
        return apply(operation, *args, shape=shape, dtype=kept)

    def _add_weights(self, operation: Operation, layer: Layer) -> None:
        for name in kinds.WEIGHTS.get(operation.kind, ()):
            variable = getattr(layer, name, None)
            if variable is not None:
                operation.parameters[name] = variable.numpy()
                operation.origins[name] = Origin(variable)

    def refuse(self, what: str, advice: str = "") -> PortError:
        """The error for the node that is being read."""
        return PortError(what, self.place, advice)

    # -- layers ------------------------------------------------------------------------------------

    def _layer(self, node: Node, name: str) -> KerasTensor:
        layer, kind = node.target, type(node.target).__name__
        out = node.outputs[0]
        if type(layer).__module__.split(".")[0] != "cornu" or kind not in _LAYERS:
            raise self.refuse(
                f"the layer {kind} has no counterpart in other frameworks",
                "Write it with layers and cornu.ops that have one",
            )
        if layer.compute_dtype not in (layer.variable_dtype, "int32", "bool"):
            raise self.refuse(
                f"the layer {kind} computes in {layer.compute_dtype} with weights in "
                f"{layer.variable_dtype}",
                "Set the policy 'float32'",
            )
        inputs = [self.new[tensor] for tensor in node.inputs]
        settings = {k: v for k, v in layer.get_config().items() if k not in _NOT_SETTINGS}
        function = settings.pop("activation", None)
        made = _LAYERS[kind](self, node, name, inputs, settings)
        if kind != "Activation" and getattr(layer, "activation", None) is not None:
            kind, attributes = self._function_of(layer.activation, function, out.ndim)
            if attributes["function"] != "linear":
                made = self.step(
                    kind, f"{name}_{attributes['function']}", [made], out.shape, out.dtype,
                    layer, "activation", **attributes,
                )  # fmt: skip
        return made

    def _function_of(self, function: Any, config: Any, ndim: int) -> tuple[str, dict]:
        """Kind and settings of an activation function, or of a layer used as one."""
        if isinstance(function, Layer):
            kind = type(function).__name__
            if kind in _ACTIVATION_LAYERS:
                return "activation", _activation_settings(function, ndim)
            raise self.refuse(f"the activation {kind} cannot be carried over")
        name = getattr(function, "__name__", "")
        if getattr(activations, name, None) is not function:
            raise self.refuse(
                f"the activation {name or function!r} is a function of your own",
                "Write it with layers and cornu.ops",
            )
        return "activation", _activation(name, {}, ndim)

    # -- functions ---------------------------------------------------------------------------------

    def _function(self, node: Node, name: str) -> KerasTensor:
        reader = _FUNCTIONS.get(node.operation)
        if reader is None:
            raise self.refuse(f"the operation {node.operation!r} cannot be carried over")
        values = [self._value(one) for one in node.args]
        named = {key: self._value(one) for key, one in node.kwargs.items()}
        return reader(self, node, name, values, named)

    def _value(self, value: Any) -> Any:
        """An argument with the new network's tensors, and arrays as NumPy's."""
        if isinstance(value, KerasTensor):
            return self.new[value]
        if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
            return type(value)(self._value(one) for one in value)
        return np.asarray(value) if isinstance(value, jax.Array) else value


# -- layers: (reader, node, name, inputs, settings) -> output ------------------------------------

_NOT_SETTINGS = frozenset(
    {"name", "trainable", "dtype", "lora_rank", "lora_alpha", "quantization_config", "batch_shape"}
    | {"input_shape", "seed", "noise_shape", "build_config", "synchronized", "renorm"}
    | {"renorm_clipping", "renorm_momentum", "rms_scaling", "activity_regularizer", "autocast"}
)
_ACTIVATION_LAYERS = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "Softmax": "softmax",
}


def _positive(axis: int, ndim: int) -> int:
    return int(axis) % ndim


def _activation(name: str, given: dict, ndim: int) -> dict[str, Any]:
    """Settings of an activation function called with some arguments, its defaults written out."""
    attributes: dict[str, Any] = {"function": name, **_DEFAULTS.get(name, {}), **given}
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
        attributes["axis"] = _positive(axis, ndim)
    return attributes


_DEFAULTS: dict[str, dict[str, Any]] = {
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


def _activation_settings(layer: Layer, ndim: int) -> dict[str, Any]:
    config = layer.get_config()
    given = {k: v for k, v in config.items() if k not in _NOT_SETTINGS and k != "supports_masking"}
    return _activation(_ACTIVATION_LAYERS[type(layer).__name__], given, ndim)


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
    settings["axis"] = _positive(settings["axis"], inputs[0].ndim)
    return _plain_layer(reader, node, name, inputs, settings)


def _layer_normalization(reader, node, name, inputs, settings):
    axes = settings["axis"]
    axes = axes if isinstance(axes, (list, tuple)) else [axes]
    settings["axis"] = tuple(sorted(_positive(axis, inputs[0].ndim) for axis in axes))
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
    return _as(reader, node, name, inputs, "transpose", axes=(0, *settings["dims"]))


def _as(reader, node, name, args, kind, **attributes):
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
        return _as(reader, node, name, inputs, kind)

    return read


def _concatenation(reader, node, name, inputs, settings):
    axis = _positive(settings["axis"], node.outputs[0].ndim)
    return _as(reader, node, name, inputs, "concatenate", axis=axis)


def _activation_layer(reader, node, name, inputs, settings):
    return _as(
        reader, node, name, inputs, "activation",
        **_activation_settings(node.target, node.outputs[0].ndim),
    )  # fmt: skip


def _activation_by_name(reader, node, name, inputs, settings):
    kind, attributes = reader._function_of(node.target.activation, None, node.outputs[0].ndim)
    return _as(reader, node, name, inputs, kind, **attributes)


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
    return _as(reader, node, name, inputs, "ActivityRegularization", **settings)


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
        made = _as(reader, node, name, inputs, "Identity")
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
    return _as(reader, node, name, inputs, "Identity")


_LAYERS: dict[str, Callable] = {
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
    **dict.fromkeys(_ACTIVATION_LAYERS, _activation_layer),
    "Add": _merge("add"),
    "Subtract": _merge("subtract"),
    "Multiply": _merge("multiply"),
    "Average": _merge("average"),
    "Maximum": _merge("maximum"),
    "Minimum": _merge("minimum"),
}
for _rank in (1, 2, 3):
    for _what in ("Conv{}D", "DepthwiseConv{}D", "MaxPooling{}D", "AveragePooling{}D"):
        _LAYERS[_what.format(_rank)] = _windowed
    _LAYERS[f"Conv{_rank}DTranspose"] = _transposed
    _LAYERS[f"SeparableConv{_rank}D"] = _separable
    _LAYERS[f"SpatialDropout{_rank}D"] = _spatial_dropout
    for _what in ("GlobalMaxPooling{}D", "GlobalAveragePooling{}D", "UpSampling{}D"):
        _LAYERS[_what.format(_rank)] = _plain_layer
    for _what in ("ZeroPadding{}D", "Cropping{}D"):
        _LAYERS[_what.format(_rank)] = _edges


# -- functions: (reader, node, name, arguments, named arguments) -> output -----------------------


def _argument(values, named, position, name, default=None):
    if len(values) > position:
        return values[position]
    return named.get(name, default)


def _elementwise(kind):
    def read(reader, node, name, values, named):
        args = [*values, *named.values()]
        return _as(reader, node, name, args, kind)

    return read


def _unary(kind):
    def read(reader, node, name, values, named):
        x = _argument(values, named, 0, "x")
        return _as(reader, node, name, [x], kind)

    return read


def _activated(function):
    def read(reader, node, name, values, named):
        positions = list(_DEFAULTS.get(function, {}))
        given = dict(zip(positions, values[1:], strict=False))
        given.update({key: value for key, value in named.items() if key != "x"})
        settings = _activation(function, given, node.outputs[0].ndim)
        return _as(reader, node, name, values[:1] or [named["x"]], "activation", **settings)

    return read


def _reduction(kind):
    def read(reader, node, name, values, named):
        x = _argument(values, named, 0, "x")
        axis = _argument(values, named, 1, "axis")
        keepdims = bool(_argument(values, named, 2, "keepdims", False))
        axes = (
            range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else [axis]
        )
        axes = tuple(sorted(_positive(one, x.ndim) for one in axes))
        return _as(reader, node, name, [x], kind, axis=axes, keepdims=keepdims)

    return read


def _several(kind):
    def read(reader, node, name, values, named):
        xs = _argument(values, named, 0, "xs" if kind == "concatenate" else "x")
        axis = _argument(values, named, 1, "axis", -1 if kind == "concatenate" else 0)
        return _as(reader, node, name, list(xs), kind, axis=_positive(axis, node.outputs[0].ndim))

    return read


def _op_reshape(reader, node, name, values, named):
    x = _argument(values, named, 0, "x")
    shape = tuple(_argument(values, named, 1, "newshape"))
    return _as(reader, node, name, [x], "reshape", newshape=tuple(int(one) for one in shape))


def _op_transpose(reader, node, name, values, named):
    x = _argument(values, named, 0, "x")
    axes = _argument(values, named, 1, "axes") or tuple(reversed(range(x.ndim)))
    axes = tuple(_positive(axis, x.ndim) for axis in axes)
    return _as(reader, node, name, [x], "transpose", axes=axes)


def _op_swapaxes(reader, node, name, values, named):
    x = values[0]
    one, two = (
        _positive(_argument(values, named, place, key), x.ndim)
        for place, key in ((1, "axis1"), (2, "axis2"))
    )
    axes = list(range(x.ndim))
    axes[one], axes[two] = axes[two], axes[one]
    return _as(reader, node, name, [x], "transpose", axes=tuple(axes))


def _op_expand_dims(reader, node, name, values, named):
    x, axis = _argument(values, named, 0, "x"), _argument(values, named, 1, "axis")
    if isinstance(axis, (tuple, list)):
        raise reader.refuse("expand_dims with several axes cannot be carried over")
    return _as(reader, node, name, [x], "expand_dims", axis=_positive(axis, x.ndim + 1))


def _op_squeeze(reader, node, name, values, named):
    x, axis = _argument(values, named, 0, "x"), _argument(values, named, 1, "axis")
    if axis is None:
        axis = [place for place, size in enumerate(x.shape) if size == 1]
    axes = axis if isinstance(axis, (tuple, list)) else [axis]
    axes = tuple(sorted(_positive(one, x.ndim) for one in axes))
    return _as(reader, node, name, [x], "squeeze", axis=axes)


def _op_get_item(reader, node, name, values, named):
    x, key = values[0], _argument(values, named, 1, "key")
    key = key if isinstance(key, tuple) else (key,)
    if Ellipsis in key:
        place = key.index(Ellipsis)
        missing = x.ndim - len(key) + 1
        key = (*key[:place], *(slice(None),) * missing, *key[place + 1 :])
    key = (*key, *(slice(None),) * (x.ndim - len(key)))
    if not all(isinstance(one, (int, np.integer, slice)) for one in key):
        raise reader.refuse("an index that is no number and no slice cannot be carried over")
    return _as(reader, node, name, [x], "get_item", key=key)


def _op_pad(reader, node, name, values, named):
    x, width = _argument(values, named, 0, "x"), _argument(values, named, 1, "pad_width")
    mode = _argument(values, named, 2, "mode", "constant")
    value = _argument(values, named, 3, "constant_values")
    width = np.broadcast_to(np.asarray(width), (x.ndim, 2)).tolist()
    return _as(
        reader, node, name, [x], "pad", pad_width=tuple(map(tuple, width)), mode=mode,
        constant_values=0.0 if value is None else float(value),
    )  # fmt: skip


def _op_clip(reader, node, name, values, named):
    x = _argument(values, named, 0, "x")
    low, high = _argument(values, named, 1, "x_min"), _argument(values, named, 2, "x_max")
    return _as(reader, node, name, [x], "clip", x_min=low, x_max=high)


def _op_cast(reader, node, name, values, named):
    dtype = str(node.outputs[0].dtype)
    return _as(reader, node, name, [values[0]], "cast", dtype=dtype)


def _op_argmax(reader, node, name, values, named):
    x, axis = _argument(values, named, 0, "x"), _argument(values, named, 1, "axis")
    if axis is None:
        raise reader.refuse("argmax without an axis cannot be carried over")
    keepdims = bool(_argument(values, named, 2, "keepdims", False))
    return _as(reader, node, name, [x], "argmax", axis=_positive(axis, x.ndim), keepdims=keepdims)


_FUNCTIONS: dict[str, Callable] = {
    **{kind: _elementwise(kind) for kind in kinds.ELEMENTWISE - {"average"}},
    **{kind: _reduction(kind) for kind in kinds.REDUCTIONS},
    **{
        kind: _unary(kind)
        for kind in kinds.UNARY
        if kind.islower() and kind not in ("activation", "clip", "cast")
    },
    **{
        name: _activated(name)
        for name in vars(activations)
        if name.islower() and callable(getattr(activations, name))
        and name not in ("get", "serialize", "deserialize")
    },
    "abs": _unary("absolute"),
    "divide": _elementwise("true_divide"),
    "amax": _reduction("max"),
    "amin": _reduction("min"),
    "concatenate": _several("concatenate"),
    "stack": _several("stack"),
    "reshape": _op_reshape,
    "transpose": _op_transpose,
    "swapaxes": _op_swapaxes,
    "expand_dims": _op_expand_dims,
    "squeeze": _op_squeeze,
    "get_item": _op_get_item,
    "pad": _op_pad,
    "clip": _op_clip,
    "cast": _op_cast,
    "argmax": _op_argmax,
    "matmul": _elementwise("matmul"),
}  # fmt: skip
