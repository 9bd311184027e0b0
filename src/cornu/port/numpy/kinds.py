"""The class that a NumPy program has for each kind of node, and what it is made with."""

from __future__ import annotations

from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port import kinds
from cornu.port.network import Operation, PortError
from cornu.port.numpy.uses import (
    Use,
    batch_normalization_use,
    convolution_use,
    dense_use,
    depthwise_use,
    edges_use,
    embedding_use,
    global_pooling_use,
    group_normalization_use,
    layer_normalization_use,
    not_default,
    pooling_use,
    transposed_use,
    unit_normalization_use,
    up_sampling_use,
)
from cornu.port.source_text import Code, indexing


def use_of(node: Node) -> Use:
    """What a program has in the place of a node.

    Raises:
        PortError: a kind of node, or settings, that NumPy programs cannot have.
    """
    kind, operation = node.operation, node.target
    attributes = node.attributes
    if kind in _SIMPLE:
        template, names = _SIMPLE[kind]
        return Use(template, {new: attributes[old] for new, old in names.items()})
    if kind in _NO_GRADIENT:
        return Use("NoGradient", {"function": Code(f"np.{_NO_GRADIENT[kind]}")})
    if kind in kinds.SPATIAL and attributes.get("data_format") == "channels_first":
        raise operation.refuse("has its channels first", "Change the network's layout before")
    for family, maker in _MAKERS.items():
        if kind == family or (kind in kinds.SPATIAL and kind.startswith(family)):
            if family == "Conv" and kind.endswith("Transpose"):
                maker = transposed_use
            return maker(node, operation, attributes)
    raise PortError(
        f"{kind} {operation.name!r} has no counterpart in NumPy programs", operation.place
    )


# The kinds whose settings are given on: class, and settings by the names they have there.
_SIMPLE: dict[str, tuple[str, dict[str, str]]] = {
    "GaussianNoise": ("GaussianNoise", {"stddev": "stddev"}),
    "GaussianDropout": ("GaussianDropout", {"rate": "rate"}),
    "AlphaDropout": ("AlphaDropout", {"rate": "rate"}),
    "SpatialDropout1D": ("SpatialDropout", {"rate": "rate"}),
    "SpatialDropout2D": ("SpatialDropout", {"rate": "rate"}),
    "SpatialDropout3D": ("SpatialDropout", {"rate": "rate"}),
    "Flatten": ("Flatten", {}),
    "Identity": ("Identity", {}),
    "stop_gradient": ("StopGradient", {}),
    "RepeatVector": ("RepeatVector", {"n": "n"}),
    "transpose": ("Transpose", {"axes": "axes"}),
    "expand_dims": ("ExpandDims", {"axis": "axis"}),
    "squeeze": ("Squeeze", {"axis": "axis"}),
    "cast": ("Cast", {"dtype": "dtype"}),
    "flip": ("Flip", {"axis": "axis"}),
    "cumsum": ("CumSum", {"axis": "axis"}),
    "stack": ("Stack", {"axis": "axis"}),
    "matmul": ("MatMul", {}),
    "negative": ("Negative", {}),
    "absolute": ("Absolute", {}),
    "exp": ("Exp", {}),
    "expm1": ("Expm1", {}),
    "log": ("Log", {}),
    "log1p": ("Log1p", {}),
    "log2": ("Log2", {}),
    "sqrt": ("Sqrt", {}),
    "rsqrt": ("RSqrt", {}),
    "square": ("Square", {}),
    "reciprocal": ("Reciprocal", {}),
    "sin": ("Sin", {}),
    "cos": ("Cos", {}),
    "tan": ("Tan", {}),
    "erf": ("Erf", {}),
    "where": ("Where", {}),
    "power": ("Power", {}),
}
_NO_GRADIENT = {
    **{name: name for name in ("sign", "floor", "ceil", "round", "logical_not", "floor_divide")},
    **{name: name for name in ("less", "less_equal", "greater", "greater_equal", "equal")},
    **{name: name for name in ("not_equal", "logical_and", "logical_or")},
}


# -- functions -------------------------------------------------------------------------------------

# Class and the names of its settings; with the value that is its default.
_ACTIVATIONS: dict[str, tuple[str, dict[str, tuple[str, Any]]]] = {
    "relu6": ("ReLU6", {}),
    "leaky_relu": ("LeakyReLU", {"slope": ("negative_slope", None)}),
    "elu": ("ELU", {"alpha": ("alpha", 1.0)}),
    "selu": ("SELU", {}),
    "celu": ("CELU", {"alpha": ("alpha", 1.0)}),
    "sigmoid": ("Sigmoid", {}),
    "log_sigmoid": ("LogSigmoid", {}),
    "hard_sigmoid": ("HardSigmoid", {}),
    "tanh": ("Tanh", {}),
    "hard_tanh": ("HardTanh", {}),
    "softmax": ("Softmax", {"axis": ("axis", -1)}),
    "log_softmax": ("LogSoftmax", {"axis": ("axis", -1)}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "silu": ("SiLU", {}),
    "hard_silu": ("HardSiLU", {}),
    "mish": ("Mish", {}),
    "exponential": ("Exp", {}),
    "tanh_shrink": ("TanhShrink", {}),
    "hard_shrink": ("HardShrink", {"threshold": ("threshold", 0.5)}),
    "soft_shrink": ("SoftShrink", {"threshold": ("threshold", 0.5)}),
    "threshold": (
        "Threshold",
        {"threshold": ("threshold", None), "default_value": ("default_value", None)},
    ),
    "glu": ("GLU", {"axis": ("axis", -1)}),
    "linear": ("Identity", {}),
}


def _activation(node: Node, operation: Operation, attributes: dict) -> Use:
    function = attributes["function"]
    if function == "relu":
        given = {
            "max_value": attributes.get("max_value"),
            "slope": attributes.get("negative_slope") or 0.0,
            "threshold": attributes.get("threshold") or 0.0,
        }
        settings = not_default(given, {"max_value": None, "slope": 0.0, "threshold": 0.0})
        if set(settings) == {"slope"}:
            return Use("LeakyReLU", settings)
        return Use("GeneralReLU" if settings else "ReLU", settings)
    if function == "gelu":
        return Use("ApproximateGELU" if attributes.get("approximate") else "GELU")
    if function not in _ACTIVATIONS:
        raise operation.refuse(f"({function}) has no counterpart in NumPy programs")
    template, names = _ACTIVATIONS[function]
    settings = {}
    for new, (old, default) in names.items():
        value = attributes.get(old, default)
        if old == "axis" and value == node.inputs[0].ndim - 1:
            value = -1
        if value != default:
            settings[new] = value
    return Use(template, settings)


def _dropout(node: Node, operation: Operation, attributes: dict) -> Use:
    if attributes.get("training"):
        return Use("Dropout", {"rate": attributes["rate"], "always": True}, {"always"})
    return Use("Dropout", {"rate": attributes["rate"]})


def _reshape(node: Node, operation: Operation, attributes: dict) -> Use:
    if node.operation == "Reshape":
        return Use("Reshape", {"shape": tuple(attributes["target_shape"])})
    shape = tuple(attributes["newshape"])
    if node.outputs[0].shape[0] is None:
        # the batch axis is the first one, and open
        return Use("Reshape", {"shape": shape[1:]})
    return Use("Reshape", {"shape": shape}, {"whole"}, variant="Whole")


def _get_item(node: Node, operation: Operation, attributes: dict) -> Use:
    return Use("GetItem", {"key": Code(f"np.s_[{indexing(attributes['key'])}]")})


def _pad(node: Node, operation: Operation, attributes: dict) -> Use:
    settings: dict[str, Any] = {"pad_width": tuple(tuple(p) for p in attributes["pad_width"])}
    mode = attributes.get("mode", "constant")
    if mode not in ("constant", "reflect", "edge", "symmetric", "wrap"):
        raise operation.refuse(f"has mode={mode!r}")
    if mode != "constant":
        settings["mode"] = mode
    elif attributes.get("constant_values"):
        value = attributes["constant_values"]
        settings["constant_values"] = Code("-np.inf") if value == -np.inf else value
    return Use("Pad", settings)


def _concatenate(node: Node, operation: Operation, attributes: dict) -> Use:
    axis = attributes["axis"]
    last = axis in (-1, node.outputs[0].ndim - 1)
    return Use("Concatenate", {} if last else {"axis": axis})


def _elementwise(template: str, **settings: Any):
    def make(node: Node, operation: Operation, attributes: dict) -> Use:
        out = node.outputs[0].shape
        same = all(isinstance(arg, KerasTensor) and arg.shape == out for arg in node.args)
        return Use(template, dict(settings), set() if same else {"broadcast"})

    return make


def _reduction(template: str):
    def make(node: Node, operation: Operation, attributes: dict) -> Use:
        axis = tuple(int(axis) for axis in attributes["axis"])
        settings: dict[str, Any] = {"axis": axis[0] if len(axis) == 1 else axis}
        if attributes.get("keepdims"):
            settings["keepdims"] = True
        return Use(template, settings)

    return make


def _take(node: Node, operation: Operation, attributes: dict) -> Use:
    settings = {"axis": attributes["axis"]} if attributes.get("axis") else {}
    arguments = node.args
    if "indices" in attributes:
        arguments = (*node.args, np.asarray(attributes["indices"]))
    return Use("Take", settings, arguments=tuple(arguments))


def _tile(node: Node, operation: Operation, attributes: dict) -> Use:
    repeats = tuple(attributes["repeats"])
    missing = node.inputs[0].ndim - len(repeats)
    if missing < 0:
        raise operation.refuse("makes new axes")
    return Use("Tile", {"repeats": (1,) * missing + repeats})


def _argmax(node: Node, operation: Operation, attributes: dict) -> Use:
    axis, keepdims = attributes["axis"], bool(attributes.get("keepdims"))
    more = ", keepdims=True" if keepdims else ""
    return Use("NoGradient", {"function": Code(f"lambda x: x.argmax(axis={axis}{more})")})


def _clip(node: Node, operation: Operation, attributes: dict) -> Use:
    low, high = attributes.get("x_min"), attributes.get("x_max")
    settings = {
        "low": Code("-np.inf") if low is None else low,
        "high": Code("np.inf") if high is None else high,
    }
    return Use("Clip", settings)


def _rescaling(node: Node, operation: Operation, attributes: dict) -> Use:
    settings = {"scale": attributes["scale"], "offset": attributes.get("offset", 0.0)}
    return Use("Rescaling", not_default(settings, {"offset": 0.0}))


_MAKERS: dict[str, Any] = {
    "Dense": dense_use,
    "DepthwiseConv": depthwise_use,
    "Conv": convolution_use,
    "BatchNormalization": batch_normalization_use,
    "LayerNormalization": layer_normalization_use,
    "GroupNormalization": group_normalization_use,
    "UnitNormalization": unit_normalization_use,
    "Embedding": embedding_use,
    "PReLU": lambda node, operation, attributes: Use("PReLU"),
    "MaxPooling": pooling_use,
    "AveragePooling": pooling_use,
    "GlobalMaxPooling": global_pooling_use,
    "GlobalAveragePooling": global_pooling_use,
    "UpSampling": up_sampling_use,
    "ZeroPadding": edges_use("padding", "ZeroPadding"),
    "Cropping": edges_use("cropping", "Cropping"),
    "activation": _activation,
    "Dropout": _dropout,
    "Reshape": _reshape,
    "reshape": _reshape,
    "get_item": _get_item,
    "pad": _pad,
    "concatenate": _concatenate,
    "add": _elementwise("Add"),
    "average": _elementwise("Average"),
    "multiply": _elementwise("Multiply"),
    "maximum": _elementwise("Extreme", function=Code("np.maximum")),
    "minimum": _elementwise("Extreme", function=Code("np.minimum")),
    "subtract": _elementwise("Subtract"),
    "true_divide": _elementwise("Divide"),
    "arctan2": _elementwise("Arctan2"),
    "mean": _reduction("Mean"),
    "sum": _reduction("Sum"),
    "max": _reduction("Max"),
    "min": _reduction("Min"),
    "prod": _reduction("Prod"),
    "var": _reduction("Var"),
    "std": _reduction("Std"),
    "logsumexp": _reduction("LogSumExp"),
    "take": _take,
    "tile": _tile,
    "argmax": _argmax,
    "clip": _clip,
    "Rescaling": _rescaling,
}
