"""Functions, methods and operators of PyTorch: what stands in `forward` for each node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port.source_text import Code, call, indexing, literal
from cornu.port.torch.source_expressions import (
    COMPARISON,
    PRODUCT,
    SUM,
    Arguments,
    Buffer,
    Expression,
    escaped,
    function,
    method,
    number,
)
from cornu.port.torch.source_functions import (
    activation,
    global_pooling,
    pad,
    pooling,
    up_sampling,
    zero_padding,
)


def expression_of(node: Node, buffer: Buffer) -> Expression:
    """What computes a node that is no module; PortError where PyTorch has nothing that does."""
    kind = node.operation
    arguments = Arguments(node, buffer)
    maker = _MAKERS.get(kind)
    if maker is None:
        raise node.target.refuse("has no counterpart in PyTorch")
    made = maker(node, arguments, node.attributes)
    return made if isinstance(made, Expression) else Expression(made)


# -- operators -------------------------------------------------------------------------------------


def _operator(symbol: str, level: int) -> Callable:
    def make(node: Node, arguments: Arguments, settings: dict) -> Expression:
        text = arguments(0, level or SUM)
        for i in range(1, len(arguments)):
            part, sign = arguments(i, level + 1), symbol
            if symbol in "+-" and part.startswith("-"):  # a negative number
                part, sign = part[1:], "-" if symbol == "+" else "+"
            text += f" {sign} {part}"
        return Expression(text, level)

    return make


def _average(node: Node, arguments: Arguments, settings: dict) -> Expression:
    total = " + ".join(arguments(i, SUM + (i > 0)) for i in range(len(arguments)))
    return Expression(f"({total}) / {len(arguments)}", PRODUCT)


def _extreme(name: str, limit: str) -> Callable:
    def make(node: Node, arguments: Arguments, settings: dict) -> str:
        # numbers first: they become limits
        order = sorted(range(len(arguments)), key=lambda i: not arguments.is_number(i))
        tensors = [i for i in order if not arguments.is_number(i)]
        text = arguments(tensors[0])
        for i in tensors[1:]:
            text = f"torch.{name}({text}, {arguments(i)})"
        for i in order:
            if arguments.is_number(i):
                text = f"torch.clamp({text}, {limit}={arguments(i)})"
        return text

    return make


def _of_tensors(name: str) -> Callable:
    def make(node: Node, arguments: Arguments, settings: dict) -> str:
        parts = ", ".join(arguments(i, tensor=True) for i in range(len(arguments)))
        return f"{name}({parts})"

    return make


def _where(node: Node, arguments: Arguments, settings: dict) -> str:
    condition = node.args[0]
    text = arguments(0, tensor=True)
    if isinstance(condition, KerasTensor) and condition.dtype != "bool":
        text = f"{arguments(0, SUM)} != 0"
    return f"torch.where({text}, {arguments(1)}, {arguments(2)})"


def _power(node: Node, arguments: Arguments, settings: dict) -> str:
    return f"torch.pow({arguments(0)}, {arguments(1)})"


def _clip(node: Node, arguments: Arguments, settings: dict) -> str:
    given = {"min": settings.get("x_min"), "max": settings.get("x_max")}
    return function("torch.clamp", [], {k: v for k, v in given.items() if v is not None})


_CASTS = {"float32": "float", "float64": "double", "float16": "half", "bool": "bool"}
_CASTS |= {"int32": "int", "int64": "long", "bfloat16": "bfloat16"}


def _cast(node: Node, arguments: Arguments, settings: dict) -> str:
    dtype = str(settings.get("dtype") or node.outputs[0].dtype)
    if dtype in _CASTS:
        return method(_CASTS[dtype])
    return method("to", [Code(f"torch.{dtype}")])


def _rescaling(node: Node, arguments: Arguments, settings: dict) -> Expression:
    scale, offset = (
        arguments.buffer(node, np.asarray(value, "float32")) if np.ndim(value) else number(value)
        for value in (settings["scale"], settings["offset"])
    )
    scaled = f"{{0:{PRODUCT}}} * {scale}"
    if offset in ("0", "0.0"):
        return Expression(scaled, PRODUCT)
    return Expression(f"{scaled} + {offset}".replace("+ -", "- "), SUM)


# -- axes ------------------------------------------------------------------------------------------


def _reduction(name: str, **always: Any) -> Callable:
    def make(node: Node, arguments: Arguments, settings: dict) -> str:
        axes, ndim = tuple(settings["axis"]), node.inputs[0].ndim
        keep = {**always, **({"keepdim": True} if settings.get("keepdims") else {})}
        if len(axes) == ndim and not settings.get("keepdims") and name != "logsumexp":
            return method(name, [], keep)
        return method(name, [axes if len(axes) > 1 else axes[0]], keep)

    return make


def _product(node: Node, arguments: Arguments, settings: dict) -> str:
    keep = {"keepdim": True} if settings.get("keepdims") else {}
    text = "{0:4}"
    for axis in sorted(settings["axis"], reverse=True):
        text += "." + call("prod", [axis], keep)
    return text


def _joined(name: str) -> Callable:
    def make(node: Node, arguments: Arguments, settings: dict) -> str:
        parts = ", ".join(arguments(i, tensor=True) for i in range(len(arguments)))
        return f"{name}([{parts}], {settings['axis']})"

    return make


def _flatten(node: Node, arguments: Arguments, settings: dict) -> str:
    return "torch.flatten({0}, 1)"


def _reshape(node: Node, arguments: Arguments, settings: dict) -> str:
    if node.operation == "Reshape":
        shape = [-1 if size is None else int(size) for size in settings["target_shape"]]
        if shape == [-1] or (len(shape) == 1 and node.inputs[0].ndim > 1):
            return "torch.flatten({0}, 1)"
        if -1 in shape:
            return "{0:4}.reshape(len({0}), " + ", ".join(map(str, shape)) + ")"
        return method("reshape", [-1, *shape])
    shape = [-1 if size is None else int(size) for size in settings["newshape"]]
    return method("reshape", shape)


def _squeeze(node: Node, arguments: Arguments, settings: dict) -> str:
    axes = tuple(settings["axis"])
    return method("squeeze", [axes if len(axes) > 1 else axes[0]])


def _repeat_vector(node: Node, arguments: Arguments, settings: dict) -> str:
    return method("unsqueeze", [1]) + f".expand(-1, {settings['n']}, -1)"


def _transpose(node: Node, arguments: Arguments, settings: dict) -> str:
    axes = tuple(settings["axes"])
    moved = [axis for axis, now in enumerate(axes) if axis != now]
    return method("transpose", moved) if len(moved) == 2 else method("permute", axes)


def _get_item(node: Node, arguments: Arguments, settings: dict) -> str:
    key = list(settings["key"])
    if any(isinstance(one, slice) and (one.step or 1) < 0 for one in key):
        raise node.target.refuse("steps backwards, which PyTorch's slices cannot")
    while len(key) > 1 and key[-1] == slice(None):
        key.pop()
    return f"{{0:4}}[{escaped(indexing(key))}]"


def _take(node: Node, arguments: Arguments, settings: dict) -> str:
    indices = np.asarray(settings["indices"]).astype("int64")
    before = ":, " * settings["axis"]
    return f"{{0:4}}[{before}{arguments.buffer(node, indices)}]"


def _argmax(node: Node, arguments: Arguments, settings: dict) -> str:
    return method(
        "argmax", [settings["axis"]], {"keepdim": True} if settings.get("keepdims") else {}
    )


def _tile(node: Node, arguments: Arguments, settings: dict) -> str:
    repeats = settings["repeats"]
    repeats = [repeats] if isinstance(repeats, int) else list(repeats)
    missing = node.inputs[0].ndim - len(repeats)
    return method("repeat", [*([1] * missing), *repeats])


def _flip(node: Node, arguments: Arguments, settings: dict) -> str:
    axes = settings["axis"]
    return method("flip", list(axes) if isinstance(axes, (tuple, list)) else [axes])


def _unit_normalization(node: Node, arguments: Arguments, settings: dict) -> str:
    axes = settings["axis"]
    if isinstance(axes, (tuple, list)):
        axes = tuple(axes) if len(axes) > 1 else axes[0]
    return function("F.normalize", [], {"dim": axes})


def _einsum(node: Node, arguments: Arguments, settings: dict) -> str:
    parts = ", ".join(arguments(i, tensor=True) for i in range(len(arguments)))
    return f"torch.einsum({literal(settings['subscripts'])}, {parts})"


def _dropout(node: Node, arguments: Arguments, settings: dict) -> str:
    if node.operation != "Dropout":
        raise node.target.refuse("that is never switched off has no counterpart in PyTorch")
    return function("F.dropout", [settings["rate"]])


def _unary(name: str) -> Callable:
    return lambda node, arguments, settings: f"torch.{name}({{0}})"


_MAKERS: dict[str, Callable] = {
    "activation": activation,
    "Dropout": _dropout,
    "clip": _clip,
    "cast": _cast,
    "Rescaling": _rescaling,
    "negative": lambda *_: Expression("-{0:4}", PRODUCT),
    "absolute": _unary("abs"),
    "stop_gradient": lambda *_: "{0:4}.detach()",
    **{
        name: _unary(name)
        for name in (
            *("exp", "expm1", "log", "log1p", "log2", "sqrt", "rsqrt", "square", "reciprocal"),
            *("sign", "sin", "cos", "tan", "erf", "floor", "ceil", "round", "logical_not"),
        )
    },
    "add": _operator("+", SUM),
    "subtract": _operator("-", SUM),
    "multiply": _operator("*", PRODUCT),
    "true_divide": _operator("/", PRODUCT),
    "floor_divide": _operator("//", PRODUCT),
    "mod": _operator("%", PRODUCT),
    "matmul": _operator("@", PRODUCT),
    "less": _operator("<", COMPARISON),
    "less_equal": _operator("<=", COMPARISON),
    "greater": _operator(">", COMPARISON),
    "greater_equal": _operator(">=", COMPARISON),
    "equal": _operator("==", COMPARISON),
    "not_equal": _operator("!=", COMPARISON),
    "average": _average,
    "maximum": _extreme("maximum", "min"),
    "minimum": _extreme("minimum", "max"),
    "power": _power,
    "where": _where,
    "arctan2": _of_tensors("torch.atan2"),
    "logical_and": _of_tensors("torch.logical_and"),
    "logical_or": _of_tensors("torch.logical_or"),
    "mean": _reduction("mean"),
    "sum": _reduction("sum"),
    "max": _reduction("amax"),
    "min": _reduction("amin"),
    "prod": _product,
    "var": _reduction("var", correction=0),
    "std": _reduction("std", correction=0),
    "logsumexp": _reduction("logsumexp"),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "reshape": _reshape,
    "expand_dims": lambda node, arguments, settings: method("unsqueeze", [settings["axis"]]),
    "squeeze": _squeeze,
    "RepeatVector": _repeat_vector,
    "concatenate": _joined("torch.cat"),
    "stack": _joined("torch.stack"),
    "transpose": _transpose,
    "get_item": _get_item,
    "pad": pad,
    "argmax": _argmax,
    "take": _take,
    "tile": _tile,
    "cumsum": lambda node, arguments, settings: method("cumsum", [settings["axis"]]),
    "einsum": _einsum,
    "flip": _flip,
    "UnitNormalization": _unit_normalization,
}
for _rank in (1, 2, 3):
    _MAKERS[f"MaxPooling{_rank}D"] = _MAKERS[f"AveragePooling{_rank}D"] = pooling
    _MAKERS[f"GlobalMaxPooling{_rank}D"] = global_pooling
    _MAKERS[f"GlobalAveragePooling{_rank}D"] = global_pooling
    _MAKERS[f"UpSampling{_rank}D"] = up_sampling
    _MAKERS[f"ZeroPadding{_rank}D"] = zero_padding
    _MAKERS[f"SpatialDropout{_rank}D"] = _dropout
for _kind in ("AlphaDropout", "GaussianNoise", "GaussianDropout"):
    _MAKERS[_kind] = _dropout
