"""ONNX' operators on each element: activations, arithmetic, comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.onnx import layers as onnx_layers
from cornu.port.onnx.constants import Constant, made_of
from cornu.port.onnx.layers import exact

# -- activations: the function, and its settings with their defaults in the standard ---------------


def _activation(function: str, **settings: tuple[str, float]) -> Callable:
    def read(reader: Any, node: Any) -> Any:
        found = {name: exact(node, *of) for name, of in settings.items()}
        return reader.add("activation", node, node.get(0), function=function, **found)

    return read


def _function(kind: str) -> Callable:
    return lambda reader, node: reader.add(kind, node, node.get(0))


def _gelu(reader: Any, node: Any) -> Any:
    approximate = node.attributes.get("approximate", "none") == "tanh"
    return reader.add("activation", node, node.get(0), function="gelu", approximate=approximate)


def _swish(reader: Any, node: Any) -> Any:
    if node.attributes.get("alpha", 1.0) == 1:
        return reader.add("activation", node, node.get(0), function="silu")
    x = node.get(0)
    steep = reader.add("multiply", node, x, exact(node, "alpha", 1.0))
    steep = reader.add("activation", node, steep, function="sigmoid")
    return reader.add("multiply", node, x, steep)


def _hard_sigmoid(reader: Any, node: Any) -> Any:
    alpha, beta = exact(node, "alpha", 0.2), exact(node, "beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-7 and beta == 0.5:
        return reader.add("activation", node, node.get(0), function="hard_sigmoid")
    line = reader.add("multiply", node, node.get(0), alpha)
    line = reader.add("add", node, line, beta)
    return reader.add("clip", node, line, x_min=0.0, x_max=1.0)


def _shrink(reader: Any, node: Any) -> Any:
    threshold, bias = exact(node, "lambd", 0.5), exact(node, "bias", 0.0)
    if bias not in (0.0, threshold):
        raise node.refuse(f"with lambd={threshold} and bias={bias} has no counterpart")
    function = "soft_shrink" if bias else "hard_shrink"
    return reader.add("activation", node, node.get(0), function=function, threshold=threshold)


def _thresholded_relu(reader: Any, node: Any) -> Any:
    return reader.add(
        "activation",
        node,
        node.get(0),
        function="threshold",
        threshold=exact(node, "alpha", 1.0),
        default_value=0.0,
    )


def _softmax(reader: Any, node: Any) -> Any:
    x = node.get(0)
    function = "softmax" if node.kind == "Softmax" else "log_softmax"
    axis = node.attributes.get("axis", -1 if node.opset >= 13 else 1) % x.ndim
    sizes = reader.sizes[x]
    behind = [one for one in sizes[0][axis + 1 :] if one != 1]
    if node.opset >= 13 or not behind:
        return reader.add("activation", node, x, function=function, axis=axis)
    # before opset 13, over all axes from this one on
    if axis == 0:
        raise node.refuse("is over the batch axis")
    flat = tuple((*one[:axis], int(np.prod(one[axis:]))) for one in sizes)
    made = reader.add("reshape", node, x, sizes=flat, newshape=(-1, *flat[0][1:]))
    made = reader.add("activation", node, made, sizes=flat, function=function, axis=axis)
    return reader.add("reshape", node, made, newshape=(-1, *sizes[0][1:]))


def _clip(reader: Any, node: Any) -> Any:
    x = node.get(0)
    bounds = [node.setting("min", 1), node.setting("max", 2)]
    # the attributes of older versions are float32; what is written short is meant
    low, high = (None if one is None else float(str(np.float32(one))) for one in bounds)
    low = None if low is None or low <= np.finfo(np.float32).min else low
    high = None if high is None or high >= np.finfo(np.float32).max else high
    if not x.dtype.startswith("float"):
        low, high = (None if one is None else int(one) for one in (low, high))
        return reader.add("clip", node, x, x_min=low, x_max=high)
    if (low, high) == (0.0, 6.0):
        return reader.add("activation", node, x, function="relu6")
    if low == 0.0:
        settings = {} if high is None else {"max_value": high}
        return reader.add("activation", node, x, function="relu", **settings)
    if (low, high) == (-1.0, 1.0):
        return reader.add("activation", node, x, function="hard_tanh")
    if low is None or high is None:
        if low is None and high is None:
            return x
        kind = "minimum" if low is None else "maximum"
        return reader.add(kind, node, x, high if low is None else low)
    return reader.add("clip", node, x, x_min=low, x_max=high)


def _cast(reader: Any, node: Any) -> Any:
    x, dtype = node.get(0), node.dtypes[0]
    if isinstance(x, Constant):  # made like a tensor
        return made_of(x.at(0).astype(dtype), x.at(1).astype(dtype))
    return x if x.dtype == dtype else reader.add("cast", node, x, dtype=dtype)


def _same(reader: Any, node: Any) -> Any:
    if node.kind == "Dropout" and node.opset >= 12:
        training = node.constant(2, "training_mode")
        if training is not None and training.array.any():
            raise node.refuse(
                "is switched on (training_mode)", "Export the network in evaluation mode"
            )
    return node.get(0)


# -- arithmetic ------------------------------------------------------------------------------------


def _sides(node: Any) -> tuple[KerasTensor, Constant] | None:
    """The tensor and the constant of a node that has one of each."""
    a, b = node.inputs
    if isinstance(a, Constant) == isinstance(b, Constant):
        return None
    return (b, a) if isinstance(a, Constant) else (a, b)


def _slim(value: Any, rank: int) -> Any:
    """A constant with one entry as a number, where that does not change the rank of the result."""
    if isinstance(value, Constant) and value.array.size == 1 and value.array.ndim <= rank:
        return value.then(lambda array: array.reshape(()))
    return value


def _binary(kind: str) -> Callable:
    def read(reader: Any, node: Any) -> Any:
        rank = min(one.ndim for one in node.inputs if isinstance(one, KerasTensor))
        return reader.add(kind, node, *(_slim(one, rank) for one in node.inputs))

    return read


def _add(reader: Any, node: Any) -> Any:
    sides = _sides(node)
    made = None if sides is None else onnx_layers.with_bias(reader, node, *sides)
    return made if made is not None else _binary("add")(reader, node)


def _multiply(reader: Any, node: Any) -> Any:
    sides = _sides(node)
    made = None if sides is None else onnx_layers.with_scale(reader, node, *sides)
    return made if made is not None else _binary("multiply")(reader, node)


def _several(kind: str) -> Callable:
    def read(reader: Any, node: Any) -> Any:
        if len(node.inputs) == 1:
            return node.get(0)
        return _binary(kind)(reader, node)

    return read


def _divide(reader: Any, node: Any) -> Any:
    if node.dtypes[0].startswith(("float", "bfloat")):
        return _binary("true_divide")(reader, node)
    if node.dtypes[0].startswith("uint"):  # ONNX cuts off towards zero
        return _binary("floor_divide")(reader, node)
    raise node.refuse("of signed integers, which rounds towards zero, has no counterpart")


def _mod(reader: Any, node: Any) -> Any:
    if node.attributes.get("fmod", 0):
        raise node.refuse("with fmod=1 has no counterpart")
    return _binary("mod")(reader, node)


READERS = {
    "Relu": _activation("relu"),
    "LeakyRelu": _activation("leaky_relu", negative_slope=("alpha", 0.01)),
    "Elu": _activation("elu", alpha=("alpha", 1.0)),
    "Celu": _activation("celu", alpha=("alpha", 1.0)),
    "Gelu": _gelu,
    "Swish": _swish,
    "HardSwish": _activation("hard_silu"),
    "HardSigmoid": _hard_sigmoid,
    "Mish": _activation("mish"),
    "Shrink": _shrink,
    "ThresholdedRelu": _thresholded_relu,
    "Softmax": _softmax,
    "LogSoftmax": _softmax,
    "Clip": _clip,
    "Cast": _cast,
    "CastLike": _cast,
    "Identity": _same,
    "Dropout": _same,
    "Add": _add,
    "Mul": _multiply,
    "Sub": _binary("subtract"),
    "Div": _divide,
    "Mod": _mod,
    "Pow": _binary("power"),
    "Sum": _several("add"),
    "Mean": _several("average"),
    "Max": _several("maximum"),
    "Min": _several("minimum"),
    **{
        name: _binary(kind)
        for name, kind in {
            "Less": "less",
            "LessOrEqual": "less_equal",
            "Greater": "greater",
            "GreaterOrEqual": "greater_equal",
            "Equal": "equal",
            "And": "logical_and",
            "Or": "logical_or",
            "Xor": "not_equal",
            "Where": "where",
        }.items()
    },
    **{
        name: _activation(function)
        for name, function in {
            "Sigmoid": "sigmoid",
            "Tanh": "tanh",
            "Softplus": "softplus",
            "Softsign": "softsign",
        }.items()
    },
    **{
        name: _function(kind)
        for name, kind in {
            "Exp": "exp",
            "Log": "log",
            "Sqrt": "sqrt",
            "Reciprocal": "reciprocal",
            "Neg": "negative",
            "Abs": "absolute",
            "Sign": "sign",
            "Floor": "floor",
            "Ceil": "ceil",
            "Round": "round",
            "Erf": "erf",
            "Sin": "sin",
            "Cos": "cos",
            "Tan": "tan",
            "Not": "logical_not",
        }.items()
    },
}


def _selu(reader: Any, node: Any) -> Any:
    # the standard's defaults are Keras' constants, rounded to float32
    alpha, gamma = exact(node, "alpha", 1.6732632), exact(node, "gamma", 1.0507010)
    if abs(alpha - 1.6732632) > 1e-5 or abs(gamma - 1.0507010) > 1e-5:
        raise node.refuse(f"with alpha={alpha} and gamma={gamma} has no counterpart")
    return reader.add("activation", node, node.get(0), function="selu")


READERS["Selu"] = _selu
