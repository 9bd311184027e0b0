"""Functions that exporters write out in several operators, recognized as what they are.

An activation is recognized by its values, whatever the order in which its formula was written: the
part of the network between two tensors is computed for some numbers and compared.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port.network import Network, Operation, apply

# Where the functions are compared. The constants in a file are rounded to float32.
_POINTS = np.concatenate([np.linspace(-9, 9, 73), [-0.001, 0.001]])
_TOLERANCE = 1e-6
# The operators of a formula; the longest known, GELU by tanh with its cube multiplied out, has 9.
_LONGEST = 12

# Names that only say what the last operator of a formula was.
_GENERIC = frozenset({"mul", "div", "neg", "min", "sub", "clip"})

_erf = np.vectorize(math.erf, otypes=[float])


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _softplus(x: Any) -> Any:
    return np.logaddexp(x, 0)


_ACTIVATIONS: dict[str, Callable] = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "exponential": np.exp,
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "relu6": lambda x: np.clip(x, 0, 6),
    "silu": lambda x: x * _sigmoid(x),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
}
_FUNCTIONS: dict[str, Callable] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "true_divide": np.divide,
    "power": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "negative": np.negative,
    "absolute": np.abs,
    "square": np.square,
    "sqrt": np.sqrt,
    "reciprocal": np.reciprocal,
    "exp": np.exp,
    "log": np.log,
    "erf": _erf,
}
# What is looked for, and the settings of the activation that it becomes.
_WANTED: list[tuple[dict[str, Any], np.ndarray]] = [
    ({"function": "gelu", "approximate": False}, _POINTS * (1 + _erf(_POINTS / math.sqrt(2))) / 2),
    (
        {"function": "gelu", "approximate": True},
        _POINTS * (1 + np.tanh(math.sqrt(2 / math.pi) * (_POINTS + 0.044715 * _POINTS**3))) / 2,
    ),
    ({"function": "silu"}, _POINTS * _sigmoid(_POINTS)),
    ({"function": "mish"}, _POINTS * np.tanh(_softplus(_POINTS))),
    ({"function": "hard_silu"}, _ACTIVATIONS["hard_silu"](_POINTS)),
    ({"function": "hard_sigmoid"}, _ACTIVATIONS["hard_sigmoid"](_POINTS)),
    ({"function": "relu6"}, np.clip(_POINTS, 0, 6)),
    ({"function": "softsign"}, _ACTIVATIONS["softsign"](_POINTS)),
    ({"function": "log_sigmoid"}, -_softplus(-_POINTS)),
    ({"function": "tanh_shrink"}, _POINTS - np.tanh(_POINTS)),
    ({"function": "sigmoid"}, _sigmoid(_POINTS)),
]


def recognize(network: Network) -> Network:
    """The network with formulas replaced by the activations and normalizations that they are."""
    consumers = network.consumers()
    replaced: dict[int, Callable[[Callable], KerasTensor]] = {}
    outputs = set(network.outputs)

    def inner(tensor: KerasTensor, inside: set[int]) -> bool:
        """Whether only these nodes use a tensor."""
        return tensor not in outputs and all(id(node) in inside for node in consumers[tensor])

    for node in network.nodes:
        found = _activation(node, inner) or _normalization(node, inner)
        if found is not None:
            replaced[id(node)] = found
    if not replaced:
        return network
    new: dict[KerasTensor, KerasTensor] = {}

    def again(node: Node, args: tuple) -> KerasTensor:
        output = node.outputs[0]
        if id(node) in replaced:
            made = replaced[id(node)](new.__getitem__)
        else:
            made = apply(node.target, *args, shape=output.shape, dtype=output.dtype)
        new[output] = made
        return made

    for operation in network.operations:
        operation._calls = 0  # type: ignore[attr-defined]
    return network.rebuild(again)


# -- activations -----------------------------------------------------------------------------------


def _function(node: Node) -> Callable | None:
    """What a node does to each element, where that is known."""
    if node.operation == "activation":
        function = node.attributes["function"]
        is_plain = not node.attributes.keys() - {"function"}
        return _ACTIVATIONS.get(function) if is_plain else _bounded(node)
    if node.operation == "clip":
        bounds = node.attributes["x_min"], node.attributes["x_max"]
        return lambda x: np.clip(x, *bounds)
    return _FUNCTIONS.get(node.operation)


def _bounded(node: Node) -> Callable | None:
    if node.attributes.keys() == {"function", "max_value"}:
        return lambda x: np.clip(x, 0, node.attributes["max_value"])
    return None


def _activation(node: Node, inner: Callable) -> Callable | None:
    output = node.outputs[0]
    if node.operation not in ("multiply", "true_divide", "negative", "minimum", "subtract", "clip"):
        return None
    region = _region(node)
    inside: set[int] = set()
    for source in region:
        nodes: dict[int, Node] = {}
        with np.errstate(all="ignore"):
            values = _values(node, source, nodes, {})
        if values is None or len(nodes) < 2:
            continue
        inside = set(nodes)
        if not all(one is node or inner(one.outputs[0], inside) for one in nodes.values()):
            continue
        for settings, wanted in _WANTED:
            if np.allclose(values, wanted, rtol=_TOLERANCE, atol=_TOLERANCE):
                name = settings["function"] if node.name in _GENERIC else node.name
                made = Operation("activation", name, dict(settings), place=node.target.place)
                return functools.partial(_put, made, source, output)
    return None


def _put(made: Operation, source: KerasTensor, output: KerasTensor, new: Callable) -> KerasTensor:
    return apply(made, new(source), shape=output.shape, dtype=output.dtype)


def _region(root: Node) -> list[KerasTensor]:
    """Tensors from which a node may be computed element by element, the nearest first."""
    found: dict[KerasTensor, None] = {}
    waiting = [root]
    while waiting and len(found) <= _LONGEST:
        node = waiting.pop(0)
        if _function(node) is None:
            continue
        for tensor in node.inputs:
            if tensor.shape == root.outputs[0].shape and tensor not in found:
                found[tensor] = None
                waiting.append(tensor.node)
    return list(found)


def _values(
    node: Node, source: KerasTensor, nodes: dict[int, Node], known: dict[int, Any]
) -> np.ndarray | None:
    """A node's values where those of `source` are the points; None if it needs more than that."""
    if id(node) in known:
        return known[id(node)]
    function = _function(node)
    if function is None or len(nodes) > _LONGEST:
        return None
    nodes[id(node)] = node
    args: list[Any] = []
    for arg in node.args:
        if arg is source:
            args.append(_POINTS)
        elif isinstance(arg, KerasTensor):
            values = _values(arg.node, source, nodes, known)
            if values is None:
                return None
            args.append(values)
        elif np.size(arg) == 1:
            args.append(float(np.ravel(arg)[0]))
        else:
            return None
    known[id(node)] = function(*args) if len(args) < 3 else None
    return known[id(node)]


# -- layer normalization ---------------------------------------------------------------------------


def _made(value: Any, kind: str) -> Node | None:
    return value.node if isinstance(value, KerasTensor) and value.node.operation == kind else None


def _pair(node: Node) -> tuple[KerasTensor, Any] | None:
    """The tensor and the constant of a node with one of each."""
    if len(node.args) != 2 or len(node.inputs) != 1:
        return None
    a, b = node.args
    return (a, b) if isinstance(a, KerasTensor) else (b, a)


def _normalization(node: Node, inner: Callable) -> Callable | None:
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, over the last axes."""
    if node.operation != "add" or _pair(node) is None:
        return None
    scaled, beta = _pair(node)  # type: ignore[misc]
    multiply = _made(scaled, "multiply")
    if multiply is None or _pair(multiply) is None:
        return None
    normal, gamma = _pair(multiply)  # type: ignore[misc]
    divide = _made(normal, "true_divide")
    if divide is None or len(divide.inputs) != 2:
        return None
    centred, root = _made(divide.args[0], "subtract"), _made(divide.args[1], "sqrt")
    if centred is None or root is None or len(centred.inputs) != 2:
        return None
    x, mean = centred.args[0], _made(centred.args[1], "mean")
    shifted = _made(root.args[0], "add")
    if mean is None or mean.args[0] is not x or shifted is None or _pair(shifted) is None:
        return None
    variance, epsilon = _pair(shifted)  # type: ignore[misc]
    average = _made(variance, "mean")
    if average is None or np.size(epsilon) != 1:
        return None
    square = average.args[0].node
    axes = mean.attributes["axis"]
    sizes = x.shape[axes[0] :]
    if (
        not _is_square(square, centred.outputs[0])
        or average.attributes != mean.attributes
        or not mean.attributes["keepdims"]
        or axes != tuple(range(axes[0], x.ndim))
        or np.shape(gamma) != sizes
        or np.shape(beta) != sizes
    ):
        return None
    inside = [node, multiply, divide, centred, root, mean, shifted, average, square]
    ids = {id(one) for one in inside}
    if not all(inner(one.outputs[0], ids) for one in inside[1:]):
        return None
    made = Operation(
        "LayerNormalization",
        node.name,
        {
            "axis": axes,
            "epsilon": float(str(np.float32(np.ravel(epsilon)[0]))),
            "center": True,
            "scale": True,
        },
        {"gamma": np.asarray(gamma), "beta": np.asarray(beta)},
        place=node.target.place,
    )
    return functools.partial(_put, made, x, node.outputs[0])


def _is_square(node: Node, of: KerasTensor) -> bool:
    if node.operation == "square":
        return node.args[0] is of
    if node.operation == "power":
        return node.args[0] is of and np.size(node.args[1]) == 1 and node.args[1] == 2
    return node.operation == "multiply" and all(arg is of for arg in node.args)
