"""Activations and functions of each element, written as ONNX' operators."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor

# -- activations -----------------------------------------------------------------------------------


def _activation(w: Any, node: Node) -> str:
    given = dict(node.attributes)
    function = given.pop("function")
    if function not in _ACTIVATIONS:
        raise node.target.refuse(f"with function={function!r} has no counterpart in ONNX")
    return _ACTIVATIONS[function](w, w.floating(node), **given)


def _plain(kind: str, **settings: str) -> Callable:
    """An operator; `settings` say which of its attributes is which setting."""

    def write(w: Any, x: str, **given: Any) -> str:
        return w.add(kind, x, **{name: float(given[of]) for name, of in settings.items()})

    return write


def _along(kind: str) -> Callable:
    return lambda w, x, axis=-1: w.add(kind, x, axis=axis)


def _relu(
    w: Any,
    x: str,
    max_value: float | None = None,
    negative_slope: float = 0.0,
    threshold: float = 0.0,
) -> str:
    if threshold:  # max_value, x, or negative_slope * (x - threshold)
        edge = w.number(threshold, "threshold")
        below = w.add("Mul", w.add("Sub", x, edge), w.number(negative_slope, "slope"))
        y = w.add("Where", w.add("Less", x, edge), below, x)
        return y if max_value is None else w.add("Min", y, w.number(max_value, "max"))
    if negative_slope:
        y = w.add("LeakyRelu", x, alpha=float(negative_slope))
        return y if max_value is None else w.add("Min", y, w.number(max_value, "max"))
    if max_value is None:
        return w.add("Relu", x)
    return w.add("Clip", x, w.number(0.0, "min"), w.number(max_value, "max"))


def _gelu(w: Any, x: str, approximate: bool = False) -> str:
    if w.opset >= 20:
        return w.add("Gelu", x, approximate="tanh" if approximate else "none")
    if approximate:
        cube = w.add("Mul", w.add("Mul", x, x), x)
        inner = w.add("Add", x, w.add("Mul", cube, w.number(0.044715, "cubic")))
        inner = w.add("Mul", inner, w.number(math.sqrt(2 / math.pi), "linear"))
        share = w.add("Tanh", inner)
    else:
        share = w.add("Erf", w.add("Div", x, w.number(math.sqrt(2), "sqrt2")))
    share = w.add("Add", share, w.number(1.0, "one"))
    return w.add("Mul", w.add("Mul", x, share), w.number(0.5, "half"))


def _threshold(w: Any, x: str, threshold: float, default_value: float) -> str:
    above = w.add("Greater", x, w.number(threshold, "threshold"))
    return w.add("Where", above, x, w.number(default_value, "default"))


def _glu(w: Any, x: str, axis: int = -1) -> str:
    more = {"num_outputs": 2} if w.opset >= 18 else {}
    value, gate = w.several("Split", 2, x, axis=axis, **more)
    return w.add("Mul", value, w.add("Sigmoid", gate))


def _hard_tanh(w: Any, x: str) -> str:
    return w.add("Clip", x, w.number(-1.0, "min"), w.number(1.0, "max"))


def _mish(w: Any, x: str) -> str:
    if w.opset >= 18:
        return w.add("Mish", x)
    return w.add("Mul", x, w.add("Tanh", w.add("Softplus", x)))


_ACTIVATIONS: dict[str, Callable] = {
    "linear": lambda w, x: x,
    "relu": _relu,
    "relu6": lambda w, x: _relu(w, x, max_value=6.0),
    "leaky_relu": _plain("LeakyRelu", alpha="negative_slope"),
    "elu": _plain("Elu", alpha="alpha"),
    "celu": _plain("Celu", alpha="alpha"),
    "selu": _plain("Selu"),
    "gelu": _gelu,
    "sigmoid": _plain("Sigmoid"),
    "log_sigmoid": lambda w, x: w.add("Neg", w.add("Softplus", w.add("Neg", x))),
    "hard_sigmoid": lambda w, x: w.add("HardSigmoid", x, alpha=1 / 6, beta=0.5),
    "tanh": _plain("Tanh"),
    "hard_tanh": _hard_tanh,
    "softmax": _along("Softmax"),
    "log_softmax": _along("LogSoftmax"),
    "softplus": _plain("Softplus"),
    "softsign": _plain("Softsign"),
    "silu": lambda w, x: w.add("Mul", x, w.add("Sigmoid", x)),
    "hard_silu": _plain("HardSwish"),
    "mish": _mish,
    "exponential": _plain("Exp"),
    "tanh_shrink": lambda w, x: w.add("Sub", x, w.add("Tanh", x)),
    "hard_shrink": _plain("Shrink", lambd="threshold"),
    "soft_shrink": _plain("Shrink", lambd="threshold", bias="threshold"),
    "threshold": _threshold,
    "glu": _glu,
}

# -- one argument ----------------------------------------------------------------------------------


def _unary(*kinds: str) -> Callable:
    """Operators one after the other."""
    return lambda w, node: functools.reduce(lambda x, kind: w.add(kind, x), kinds, w.input(node))


def _float_unary(*kinds: str) -> Callable:
    return lambda w, node: functools.reduce(lambda x, k: w.add(k, x), kinds, w.floating(node))


def _expm1(w: Any, node: Node) -> str:
    return w.add("Sub", w.add("Exp", w.floating(node)), w.number(1.0, "one"))


def _log1p(w: Any, node: Node) -> str:
    return w.add("Log", w.add("Add", w.floating(node), w.number(1.0, "one")))


def _log2(w: Any, node: Node) -> str:
    return w.add("Div", w.add("Log", w.floating(node)), w.number(math.log(2), "log2"))


def _square(w: Any, node: Node) -> str:
    x = w.input(node)
    return w.add("Mul", x, x)


def _clip(w: Any, node: Node) -> str:
    bounds = []
    dtype = w.dtype(node.outputs[0])
    for name in ("x_min", "x_max"):
        bound = node.attributes.get(name)
        bounds.append("" if bound is None else w.constant(np.asarray(bound, dtype), name))
    return w.add("Clip", w.input(node, 0, dtype), *bounds)


def _cast(w: Any, node: Node) -> str:
    return w.input(node, 0, w.dtype(node.outputs[0]))


# -- several arguments -----------------------------------------------------------------------------


def _common(w: Any, node: Node) -> np.dtype:
    """The dtype in which arguments are compared."""
    dtypes = [w.dtype(one) for one in node.inputs]
    if any(dtype == w.float for dtype in dtypes):
        return w.float
    constants = [arg for arg in node.args if not isinstance(arg, KerasTensor)]
    if any(np.asarray(arg).dtype.kind == "f" for arg in constants):
        return w.float
    return np.result_type(*dtypes)


def _args(w: Any, node: Node, dtype: Any = None) -> list[str]:
    dtype = w.dtype(node.outputs[0]) if dtype is None else dtype
    return [w.input(node, number, dtype) for number in range(len(node.args))]


def _folded(kind: str) -> Callable:
    """An operator of two values, for several from the left to the right."""
    return lambda w, node: functools.reduce(lambda a, b: w.add(kind, a, b), _args(w, node))


def _variadic(kind: str) -> Callable:
    return lambda w, node: w.add(kind, *_args(w, node))


def _compared(kind: str) -> Callable:
    return lambda w, node: w.add(kind, *_args(w, node, _common(w, node)))


def _logical(kind: str) -> Callable:
    return lambda w, node: w.add(kind, *_args(w, node, np.dtype(bool)))


def _not_equal(w: Any, node: Node) -> str:
    return w.add("Not", _compared("Equal")(w, node))


def _floor_divide(w: Any, node: Node) -> str:
    x, y = _args(w, node)
    if w.dtype(node.outputs[0]) == w.float:
        return w.add("Floor", w.add("Div", x, y))
    return w.add("Div", w.add("Sub", x, w.add("Mod", x, y)), y)  # Div cuts off towards zero


def _mod(w: Any, node: Node) -> str:
    x, y = _args(w, node)
    if w.dtype(node.outputs[0]) != w.float:
        return w.add("Mod", x, y)
    # Mod of floating-point numbers has the sign of the dividend
    return w.add("Sub", x, w.add("Mul", w.add("Floor", w.add("Div", x, y)), y))


def _where(w: Any, node: Node) -> str:
    dtype = w.dtype(node.outputs[0])
    condition = w.input(node, 0, np.dtype(bool))
    return w.add("Where", condition, w.input(node, 1, dtype), w.input(node, 2, dtype))


def _arctan2(w: Any, node: Node) -> str:
    y, x = _args(w, node)
    zero, half, whole = (w.number(n, "pi") for n in (0.0, math.pi / 2, math.pi))
    angle = w.add("Atan", w.add("Div", y, x))
    turn = w.add("Where", w.add("Less", y, zero), w.add("Neg", whole), whole)
    left = w.add("Where", w.add("Less", x, zero), w.add("Add", angle, turn), angle)
    upright = w.add("Mul", w.add("Sign", y), half)
    return w.add("Where", w.add("Equal", x, zero), upright, left)


WRITERS: dict[str, Callable] = {
    "activation": _activation,
    "clip": _clip,
    "cast": _cast,
    "negative": _unary("Neg"),
    "absolute": _unary("Abs"),
    "sign": _unary("Sign"),
    "logical_not": lambda w, node: w.add("Not", w.input(node, 0, np.dtype(bool))),
    "exp": _float_unary("Exp"),
    "log": _float_unary("Log"),
    "sqrt": _float_unary("Sqrt"),
    "rsqrt": _float_unary("Sqrt", "Reciprocal"),
    "reciprocal": _float_unary("Reciprocal"),
    "sin": _float_unary("Sin"),
    "cos": _float_unary("Cos"),
    "tan": _float_unary("Tan"),
    "erf": _float_unary("Erf"),
    "floor": _float_unary("Floor"),
    "ceil": _float_unary("Ceil"),
    "round": _float_unary("Round"),
    "expm1": _expm1,
    "log1p": _log1p,
    "log2": _log2,
    "square": _square,
    "add": _folded("Add"),
    "subtract": _folded("Sub"),
    "multiply": _folded("Mul"),
    "true_divide": _folded("Div"),
    "power": _folded("Pow"),
    "average": _variadic("Mean"),
    "maximum": _variadic("Max"),
    "minimum": _variadic("Min"),
    "mod": _mod,
    "floor_divide": _floor_divide,
    "less": _compared("Less"),
    "less_equal": _compared("LessOrEqual"),
    "greater": _compared("Greater"),
    "greater_equal": _compared("GreaterOrEqual"),
    "equal": _compared("Equal"),
    "not_equal": _not_equal,
    "logical_and": _logical("And"),
    "logical_or": _logical("Or"),
    "where": _where,
    "arctan2": _arctan2,
}
