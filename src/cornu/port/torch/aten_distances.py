"""Norms, distances and similarities of PyTorch, written out in arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.torch.aten import Call, aten
from cornu.port.torch.aten_math import axes_of, reduction


@aten("linalg_vector_norm", "norm", "linalg_norm")
def _norm(
    call: Call, self: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, **more: Any
) -> KerasTensor:
    x = call.tensor(self)
    order = more.get("p", ord)
    order = 2 if order is None else order
    wide = x.shape
    if order == 1:
        size = call.make("absolute", x, shape=wide, called="absolute")
        return reduction(call, "sum", size, dim, keepdim)
    if order != 2 or (call.operation == "linalg_norm" and not isinstance(dim, (int, list))):
        raise call.refuse(f"the norm of order {order} is not supported", "Use the order 1 or 2")
    return _length(call, x, dim, keepdim)


def _length(
    call: Call,
    x: KerasTensor,
    dim: Any,
    keepdim: bool,
    called: str | None = None,
    shape: tuple | None = None,
) -> KerasTensor:
    """The Euclidean length; that of zeros has the gradient 0, where a root's would be infinite."""
    shape = call.shape if shape is None else shape
    squares = call.make("square", x, shape=x.shape, called="square")
    axes = axes_of(call, x, dim)
    total = call.make("sum", squares, shape=shape, called="total", axis=axes, keepdims=keepdim)
    settings: dict[str, Any] = {"shape": shape, "dtype": "bool", "called": "is_zero"}
    is_zero = call.make("equal", total, 0.0, **settings)
    safe = call.make("where", is_zero, 1.0, total, shape=shape, called="safe")
    root = call.make("sqrt", safe, shape=shape, called="sqrt")
    return call.make("where", is_zero, 0.0, root, shape=shape, called=called)


@aten("pairwise_distance")
def _pairwise_distance(
    call: Call, x1: Any, x2: Any, p: float = 2, eps: float = 1e-6, keepdim: bool = False
) -> KerasTensor:
    """The norm of x1 - x2 + eps along the last axis."""
    if p not in (1, 2):
        raise call.refuse(f"the distance of order p={p:g} is not supported", "Use p=1 or p=2")
    shape = _together(call, -1)
    one, other = call.operand(x1, call.dtype), call.operand(x2, call.dtype)
    way = call.make("subtract", one, other, shape=shape, called="difference")
    way = call.make("add", way, eps, shape=shape, called="shifted") if eps else way
    if p == 2:
        return _length(call, way, -1, keepdim)
    size = call.make("absolute", way, shape=shape, called="absolute")
    return reduction(call, "sum", size, -1, keepdim)


@aten("cosine_similarity")
def _cosine_similarity(
    call: Call, x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8
) -> KerasTensor:
    """The product of x1 and x2, each divided by its length, which is eps at least.

    The gradient is that of the length itself, also where it is less than eps: PyTorch bounds it
    under torch.no_grad().
    """
    shape = _together(call, dim)
    axis = dim % len(shape)
    parts = [
        _of_length_one(call, call.operand(value, call.dtype), axis, eps, f"{number}")
        for number, value in enumerate((x1, x2), 1)
    ]
    product = call.make("multiply", *parts, shape=shape, called="product")
    return call.make("sum", product, axis=(axis,), keepdims=False)


def _of_length_one(call: Call, x: Any, axis: int, eps: float, number: str) -> Any:
    """A tensor, or array of a constant, by its length along an axis."""
    if not isinstance(x, KerasTensor):
        return x / np.maximum(np.sqrt(np.sum(np.square(x), axis, keepdims=True)), eps)
    shape = tuple(1 if one == axis else size for one, size in enumerate(x.shape))

    def make(kind: str, *args: Any, called: str) -> KerasTensor:
        return call.make(kind, *args, shape=shape, called=f"{called}_{number}")

    length = _length(call, x, axis, True, f"length_{number}", shape)
    bounded = make("maximum", length, eps, called="bounded")
    missing = make("subtract", bounded, length, called="missing")
    constant = make("stop_gradient", missing, called="constant")
    length = make("add", length, constant, called="divisor")
    return call.make("true_divide", x, length, shape=x.shape, called=f"unit_{number}")


def _together(call: Call, dim: int) -> tuple:
    """The shape of both arguments together; they are of the same size along the axis `dim`."""
    one, other = (call.reading.open_shape(call.input_sizes(number)) for number in (0, 1))
    is_possible = len(one) == len(other) and one[dim] == other[dim]
    if not is_possible:
        raise call.refuse(
            f"{call.operation} of the shapes {one} and {other}",
            "Repeat the smaller one first: a.expand_as(b)",
        )
    return tuple(b if a == 1 else a for a, b in zip(one, other, strict=True))
