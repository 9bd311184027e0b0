"""Arithmetic and reductions of PyTorch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.torch.aten import Call, Filled, aten
from cornu.port.torch.aten_refusals import about_rows

# -- of one tensor ---------------------------------------------------------------------------------

_UNARY = {
    "neg": "negative",
    "abs": "absolute",
    "exp": "exp",
    "expm1": "expm1",
    "log": "log",
    "log1p": "log1p",
    "log2": "log2",
    "sqrt": "sqrt",
    "rsqrt": "rsqrt",
    "square": "square",
    "reciprocal": "reciprocal",
    "sign": "sign",
    "sgn": "sign",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "erf": "erf",
    "special_erf": "erf",
    "floor": "floor",
    "ceil": "ceil",
    "round": "round",
    "logical_not": "logical_not",
}


@aten(*_UNARY, "negative", "absolute", "bitwise_not")
def _unary(call: Call, self: Any) -> KerasTensor:
    other = {"negative": "negative", "absolute": "absolute", "bitwise_not": "logical_not"}
    if call.operation == "bitwise_not" and call.dtype != "bool":
        raise call.refuse("bitwise_not of numbers is not supported")
    x = call.tensor(self)
    if call.operation not in ("logical_not", "bitwise_not"):
        x = call.operand(x, call.dtype)
    return call.make({**_UNARY, **other}[call.operation], x)


@aten("clamp", "clip")
def _clamp(call: Call, self: Any, min: Any = None, max: Any = None) -> KerasTensor:
    x = call.operand(call.tensor(self), call.dtype)
    if all(isinstance(one, (int, float)) for one in (min, max)):
        return call.make("clip", x, x_min=min, x_max=max)
    if min is not None:
        x = call.make("maximum", x, call.operand(min, call.dtype))
    if max is not None:
        x = call.make("minimum", x, call.operand(max, call.dtype))
    return x


@aten("clamp_min")
def _clamp_min(call: Call, self: Any, min: Any) -> KerasTensor:
    return _clamp(call, self, min)


@aten("clamp_max")
def _clamp_max(call: Call, self: Any, max: Any) -> KerasTensor:
    return _clamp(call, self, None, max)


@aten("contiguous", "clone", "alias", "lift_fresh_copy", "lift_fresh", "positive", "view_copy")
def _unchanged(call: Call, self: Any, **unused: Any) -> KerasTensor:
    return call.tensor(self)


@aten("detach")
def _detach(call: Call, self: Any) -> KerasTensor:
    return call.make("stop_gradient", call.tensor(self))


@aten("to", "_to_copy", "type_as", "float", "double", "half", "long", "int", "bool")
def _to(call: Call, self: Any, **unused: Any) -> KerasTensor:
    return call.operand(call.tensor(self), call.dtype)


# -- of several ------------------------------------------------------------------------------------


def binary(call: Call, kind: str, one: Any, other: Any, called: str | None = None) -> KerasTensor:
    """Arithmetic of two, both of the output's dtype."""
    return call.make(
        kind, call.operand(one, call.dtype), call.operand(other, call.dtype), called=called
    )


def _scaled(call: Call, value: Any, factor: Any) -> Any:
    """A tensor or number times a number."""
    if factor == 1:
        return value
    value = call.operand(value, call.dtype)
    if not isinstance(value, KerasTensor):
        return value * factor
    return call.make("multiply", value, factor, shape=value.shape, called="scaled")


@aten("add")
def _add(call: Call, self: Any, other: Any, alpha: Any = 1) -> KerasTensor:
    return binary(call, "add", self, _scaled(call, other, alpha))


@aten("sub", "subtract")
def _sub(call: Call, self: Any, other: Any, alpha: Any = 1) -> KerasTensor:
    return binary(call, "subtract", self, _scaled(call, other, alpha))


@aten("rsub")
def _rsub(call: Call, self: Any, other: Any, alpha: Any = 1) -> KerasTensor:
    return binary(call, "subtract", other, _scaled(call, self, alpha))


@aten("mul", "multiply")
def _mul(call: Call, self: Any, other: Any) -> KerasTensor:
    if call.dtype == "bool":
        return call.make("logical_and", call.operand(self), call.operand(other))
    return binary(call, "multiply", self, other)


@aten("div", "divide", "true_divide")
def _div(call: Call, self: Any, other: Any, rounding_mode: Any = None) -> KerasTensor:
    if rounding_mode == "floor":
        return _floor_divide(call, self, other)
    if rounding_mode is not None:
        raise call.refuse(f"division with rounding_mode={rounding_mode!r} has no counterpart")
    return binary(call, "true_divide", self, other)


@aten("floor_divide")
def _floor_divide(call: Call, self: Any, other: Any) -> KerasTensor:
    return binary(call, "floor_divide", self, other)


@aten("remainder")
def _remainder(call: Call, self: Any, other: Any) -> KerasTensor:
    return binary(call, "mod", self, other)


@aten("maximum")
def _maximum(call: Call, self: Any, other: Any) -> KerasTensor:
    return binary(call, "maximum", self, other)


@aten("minimum")
def _minimum(call: Call, self: Any, other: Any) -> KerasTensor:
    return binary(call, "minimum", self, other)


@aten("pow")
def _pow(call: Call, self: Any, exponent: Any) -> KerasTensor:
    if isinstance(exponent, (int, float)) and exponent in (1, 2, 0.5, -1, -0.5):
        names = {2: "square", 0.5: "sqrt", -1: "reciprocal", -0.5: "rsqrt"}
        x = call.operand(call.tensor(self), call.dtype)
        return x if exponent == 1 else call.make(names[exponent], x)
    if isinstance(exponent, float) and exponent.is_integer():
        exponent = int(exponent)  # a product, which negative numbers have a gradient of
    power = call.operand(exponent, call.dtype)
    return call.make("power", call.operand(self, call.dtype), power)


@aten("lerp")
def _lerp(call: Call, self: Any, end: Any, weight: Any) -> KerasTensor:
    way = call.make("subtract", call.operand(end), call.operand(self), called="way")
    part = call.make("multiply", way, call.operand(weight), called="part")
    return call.make("add", call.operand(self), part)


@aten("addcmul")
def _addcmul(call: Call, self: Any, tensor1: Any, tensor2: Any, value: Any) -> KerasTensor:
    product = binary(call, "multiply", tensor1, tensor2, "product")
    return binary(call, "add", self, _scaled(call, product, value))


@aten("addcdiv")
def _addcdiv(call: Call, self: Any, tensor1: Any, tensor2: Any, value: Any) -> KerasTensor:
    ratio = binary(call, "true_divide", tensor1, tensor2, "ratio")
    return binary(call, "add", self, _scaled(call, ratio, value))


_COMPARISONS = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
    "logical_and": "logical_and",
    "logical_or": "logical_or",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "__and__": "logical_and",
    "__or__": "logical_or",
}


@aten(*_COMPARISONS, "__and", "__or")
def _compare(call: Call, self: Any, other: Any) -> KerasTensor:
    name = call.operation if call.operation in _COMPARISONS else f"{call.operation}__"
    if "and" in name or "or" in name:
        kinds = {getattr(one, "dtype", None) for one in (self, other)}
        if "logical" not in name and not all("bool" in str(kind) for kind in kinds):
            raise call.refuse(f"{name} of numbers is not supported")
    return call.make(_COMPARISONS[name], call.operand(self), call.operand(other), called=name)


@aten("where")
def _where(call: Call, condition: Any, self: Any = None, other: Any = None) -> KerasTensor:
    if self is None:
        raise call.refuse(*about_rows(call))
    values = (call.operand(self, call.dtype), call.operand(other, call.dtype))
    return call.make("where", call.operand(condition), *values)


@aten("masked_fill")
def _masked_fill(call: Call, self: Any, mask: Any, value: Any) -> KerasTensor:
    return _where(call, mask, value, self)


@aten("one_hot")
def _one_hot(call: Call, self: Any, num_classes: int) -> KerasTensor:
    x = call.tensor(self)
    if num_classes < 1:
        raise call.refuse("one_hot without num_classes depends on the values")
    wide = call.make(
        "expand_dims", x, shape=(*x.shape, 1), dtype=x.dtype, called="wide", axis=x.ndim
    )
    numbers = np.arange(num_classes, dtype=x.dtype)
    equal = call.make("equal", wide, numbers, dtype="bool", called="is_class")
    return call.make("cast", equal)


# -- reductions ------------------------------------------------------------------------------------


def axes_of(call: Call, x: KerasTensor, dim: Any) -> tuple[int, ...]:
    if dim is None or (isinstance(dim, (list, tuple)) and not dim):
        return tuple(range(x.ndim))
    return tuple(sorted(d % x.ndim for d in ([dim] if isinstance(dim, int) else dim)))


def reduction(
    call: Call, kind: str, x: KerasTensor, dim: Any, keepdim: bool, called: str | None = None
) -> KerasTensor:
    """A reduction; that over both axes of an image is a pooling."""
    axes = axes_of(call, x, dim)
    pooling = {"mean": "Average", "max": "Max"}.get(kind)
    if pooling and x.ndim in (4, 5) and axes == tuple(range(2, x.ndim)):
        kind = f"Global{pooling}Pooling{x.ndim - 2}D"
        settings: dict[str, Any] = {"keepdims": bool(keepdim), "data_format": "channels_first"}
        return call.make(kind, x, called=called, **settings)
    return call.make(kind, x, called=called, axis=axes, keepdims=bool(keepdim))


@aten("mean", "sum", "amax", "amin", "logsumexp")
def _reduce(
    call: Call, self: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> KerasTensor:
    kind = {"amax": "max", "amin": "min"}.get(call.operation, call.operation)
    return reduction(call, kind, call.operand(call.tensor(self), call.dtype), dim, keepdim)


@aten("prod")
def _prod(
    call: Call, self: Any, dim: Any = None, keepdim: bool = False, dtype: Any = None
) -> KerasTensor:
    return reduction(call, "prod", call.operand(call.tensor(self), call.dtype), dim, keepdim)


@aten("max", "min")
def _extreme(
    call: Call, self: Any, dim: Any = None, keepdim: bool = False, other: Any = None
) -> Any:
    if other is not None:
        return binary(call, f"{call.operation}imum", self, other)
    x = call.tensor(self)
    value = reduction(call, call.operation, x, dim, keepdim)
    if dim is None:
        return value
    if call.operation == "max" and 1 in call.reading.used_parts(call.node):
        index = call.make(
            "argmax", x, dtype="int64", called="argmax", axis=dim % x.ndim, keepdims=keepdim
        )
        return value, index
    return value, None


@aten("argmax")
def _argmax(call: Call, self: Any, dim: Any, keepdim: bool) -> KerasTensor:
    x = call.tensor(self)
    if dim is None:
        raise call.refuse("argmax over the whole batch is not supported")
    return call.make("argmax", x, axis=dim % x.ndim, keepdims=keepdim)


@aten("var", "std")
def _spread(
    call: Call,
    self: Any,
    dim: Any = None,
    unbiased: bool = True,
    correction: Any = None,
    keepdim: bool = False,
) -> KerasTensor:
    x = call.tensor(self)
    correction = int(unbiased) if correction is None else correction
    value = reduction(call, call.operation, x, dim, keepdim, None if correction == 0 else "spread")
    if correction == 0:
        return value
    sizes = [x.shape[axis] for axis in axes_of(call, x, dim)]
    if None in sizes:
        raise call.refuse(f"an unbiased {call.operation} over the batch", "Use unbiased=False")
    count = math.prod(sizes)  # type: ignore[arg-type]
    if count <= correction:
        raise call.refuse(f"an unbiased {call.operation} of {count} numbers")
    factor = count / (count - correction)
    factor = math.sqrt(factor) if call.operation == "std" else factor
    return call.make("multiply", value, factor)


@aten("cumsum")
def _cumsum(call: Call, self: Any, dim: int, dtype: Any = None) -> KerasTensor:
    x = call.operand(call.tensor(self), call.dtype)
    return call.make("cumsum", x, axis=dim % x.ndim)


# -- tensors of the batch's size -------------------------------------------------------------------


@aten("zeros", "zeros_like", "new_zeros")
def _zeros(call: Call, **unused: Any) -> Filled:
    return Filled(0.0, call.sizes)


@aten("ones", "ones_like", "new_ones")
def _ones(call: Call, **unused: Any) -> Filled:
    return Filled(1.0, call.sizes)


@aten("full", "full_like", "new_full")
def _full(call: Call, fill_value: Any, **unused: Any) -> Filled:
    return Filled(float(fill_value), call.sizes)
