"""What PyTorch does with axes: reshaping, turning, slicing, joining."""

from __future__ import annotations

from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.torch.aten import Call, Filled, aten, known_size
from cornu.port.torch.aten_layers import dense
from cornu.port.torch.aten_refusals import about_picking, about_rows
from cornu.port.torch.aten_weights import Transposed, Weight, to_numpy

# -- the same values in another shape --------------------------------------------------------------


@aten("view", "reshape", "flatten", "unflatten", "ravel", "view_as", "reshape_as", "_unsafe_view")
def _reshape(call: Call, self: Any, **arguments: Any) -> KerasTensor:
    if "dtype" in arguments:
        raise call.refuse("view(dtype), which reads numbers as others, is not supported")
    return reshaped(call, call.tensor(self))


def reshaped(call: Call, x: KerasTensor) -> KerasTensor:
    """A tensor in the shape of the node's output, whichever way it was asked for."""
    before, after = call.input_sizes(), call.sizes
    if call.shape == x.shape and _same(before, after):
        return x
    keeps_batch = bool(before and after) and x.shape[0] is None and call.shape[0] is None
    keeps_batch = keeps_batch and _same(before[:1], after[:1])
    if call.shape.count(None) > 1:
        raise call.refuse(f"reshaping to {call.shape} leaves several sizes open")
    if keeps_batch and len(call.shape) == 2 and x.ndim > 2:
        return call.make("Flatten", x, called=None if call.is_leaf else "flatten")
    if keeps_batch and len(call.shape) > 1:
        return call.make("Reshape", x, target_shape=call.shape[1:])
    newshape = tuple(-1 if size is None else size for size in call.shape)
    return call.make("reshape", x, newshape=newshape)


def _same(one: tuple, other: tuple) -> bool:
    """Whether sizes are the same, open ones included."""
    return len(one) == len(other) and all(str(a) == str(b) for a, b in zip(one, other, strict=True))


@aten("unsqueeze")
def _unsqueeze(call: Call, self: Any, dim: int) -> KerasTensor:
    return call.make("expand_dims", call.tensor(self), axis=call.axis(dim))


@aten("squeeze")
def _squeeze(call: Call, self: Any, dim: Any = None) -> KerasTensor:
    x = call.tensor(self)
    sizes = call.input_sizes()
    dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    axes = tuple(d % x.ndim for d in dims if x.shape[d] is not None and sizes[d] == 1)
    return call.make("squeeze", x, axis=axes) if axes else x


# -- other orders of axes --------------------------------------------------------------------------


def _transpose(call: Call, x: Any, axes: list[int]) -> KerasTensor:
    x = call.tensor(x)
    if axes == sorted(axes):
        return x
    return call.make("transpose", x, axes=tuple(axes))


@aten("permute")
def _permute(call: Call, self: Any, dims: list) -> KerasTensor:
    return _transpose(call, self, [d % len(dims) for d in dims])


@aten("transpose", "swapaxes", "swapdims")
def _swap(
    call: Call,
    self: Any,
    dim0: int | None = None,
    dim1: int | None = None,
    axis0: int = 0,
    axis1: int = 0,
) -> KerasTensor:
    first, second = (axis0, axis1) if dim0 is None or dim1 is None else (dim0, dim1)
    axes = list(range(len(call.shape)))
    axes[first], axes[second] = axes[second], axes[first]
    return _transpose(call, self, axes)


@aten("t", "numpy_T", "mT", "matrix_H", "mH")
def _matrix_transpose(call: Call, self: Any) -> KerasTensor:
    axes = list(range(len(call.shape)))
    if call.operation == "numpy_T":
        axes.reverse()
    elif len(axes) > 1:
        axes[-2:] = axes[-1], axes[-2]
    return _transpose(call, self, axes)


@aten("movedim", "moveaxis")
def _move(call: Call, self: Any, source: Any, destination: Any) -> KerasTensor:
    marked = np.empty(range(len(call.shape)), bool)  # axis 3 has the size 3
    return _transpose(call, self, list(np.moveaxis(marked, source, destination).shape))


# -- parts -----------------------------------------------------------------------------------------


def _item(call: Call, x: KerasTensor, axis: int, part: Any, shape: tuple, called: str | None):
    key = tuple(part if number == axis else slice(None) for number in range(x.ndim))
    return call.make("get_item", x, shape=shape, called=called, key=key)


@aten("slice")
def _slice(call: Call, self: Any, dim: int, start: Any, end: Any, step: int) -> KerasTensor:
    x = call.tensor(self)
    dim, before = dim % x.ndim, call.input_sizes()
    if step == 1 and _same(before, call.sizes):
        return x
    size = x.shape[dim]
    if size is not None:
        start, end, step = slice(start, end, step).indices(size)
        part = slice(start or None, None if end == size else end, None if step == 1 else step)
    elif not all(one is None or isinstance(one, int) for one in (start, end)):
        raise call.refuse("a slice that depends on the size of the batch")
    else:
        part = slice(start or None, None if end is None or end > 2**62 else end, step)
    return _item(call, x, dim, part, call.shape, None)


@aten("narrow")
def _narrow(call: Call, self: Any, dim: int, start: int, length: int) -> KerasTensor:
    return _slice(call, self, dim, start, start + length, 1)


@aten("select")
def _select(call: Call, self: Any, dim: int, index: int) -> KerasTensor:
    x = call.tensor(self)
    dim = dim % x.ndim
    size = x.shape[dim]
    if size is None and index < 0:
        raise call.refuse("the last entry of the batch is picked")
    return _item(call, x, dim, index if size is None else index % size, call.shape, None)


@aten("chunk", "split", "split_with_sizes", "tensor_split", "unsafe_split", "unsafe_chunk")
def _split(call: Call, self: Any, dim: int = 0, **arguments: Any) -> tuple:
    x = call.tensor(self)
    dim %= x.ndim
    if x.shape[dim] is None:
        raise call.refuse("the batch is split")
    used, parts, start = call.reading.used_parts(call.node), [], 0
    for number, value in enumerate(call.node.meta["val"]):
        stop = start + int(value.shape[dim])
        part: KerasTensor | None = None
        if number in used:
            key = slice(start or None, None if stop == x.shape[dim] else stop)
            shape = call.reading.open_shape(value.shape)
            part = _item(call, x, dim, key, shape, f"{call.operation}_{number}")
        parts.append(part)
        start = stop
    return tuple(parts)


@aten("unbind")
def _unbind(call: Call, self: Any, dim: int) -> tuple:
    x = call.tensor(self)
    dim %= x.ndim
    if x.shape[dim] is None:
        raise call.refuse("the rows of the batch are taken apart")
    used = call.reading.used_parts(call.node)
    return tuple(
        _item(call, x, dim, number, call.shape, f"unbind_{number}") if number in used else None
        for number in range(len(call.node.meta["val"]))
    )


def _take(call: Call, x: KerasTensor, index: Any, axis: int) -> KerasTensor:
    index = index.tensor if isinstance(index, Weight) else index
    if isinstance(index, KerasTensor):
        raise call.refuse(*(about_rows if index.dtype == "bool" else about_picking)(call))
    numbers = to_numpy(index)
    if numbers.dtype == bool:
        (numbers,) = np.nonzero(numbers)
    if numbers.ndim != 1 or x.shape[axis] is None:
        raise call.refuse(f"indexing with an array of shape {numbers.shape} is not supported")
    return call.make("take", x, axis=axis, indices=numbers % x.shape[axis])


@aten("index_select")
def _index_select(call: Call, self: Any, dim: int, index: Any) -> KerasTensor:
    x = call.tensor(self)
    return _take(call, x, index, dim % x.ndim)


@aten("index.Tensor")
def _index(call: Call, self: Any, indices: list) -> KerasTensor:
    given = [axis for axis, index in enumerate(indices) if index is not None]
    if len(given) != 1:
        raise call.refuse("indexing with several arrays at once is not supported")
    return _take(call, call.tensor(self), indices[given[0]], given[0])


# -- several as one --------------------------------------------------------------------------------


def _each(call: Call, tensors: list) -> list:
    if not any(isinstance(one, KerasTensor) for one in tensors):
        raise call.refuse(f"{call.operation} of constants is not supported")
    if not all(isinstance(one, KerasTensor) for one in tensors):
        raise call.refuse(
            f"{call.operation} with a constant or a parameter has no counterpart",
            "Use padding in the place of zeros",
        )
    return [call.operand(one, call.dtype) for one in tensors]


@aten("cat", "concat", "concatenate", "hstack", "vstack")
def _cat(call: Call, tensors: list, dim: int = 0) -> KerasTensor:
    rank = len(call.shape)
    if call.operation == "hstack":
        dim = 1
    if any(isinstance(one, KerasTensor) and one.ndim != rank for one in tensors):
        raise call.refuse(f"{call.operation} of tensors of different ranks is not supported")
    filled = _with_zeros(call, tensors, dim % rank)
    if filled is not None:
        return filled
    return call.make("concatenate", *_each(call, tensors), axis=dim % rank)


def _with_zeros(call: Call, tensors: list, axis: int) -> KerasTensor | None:
    """One tensor between constants that are zeros of the batch's size, as padding."""
    real = [number for number, one in enumerate(tensors) if isinstance(one, KerasTensor)]
    rest = [one for one in tensors if not isinstance(one, KerasTensor)]
    if len(real) != 1 or not rest or not all(isinstance(one, Filled) for one in rest):
        return None
    if any(one.value != 0 for one in rest):
        return None
    before = sum(int(one.sizes[axis]) for one in tensors[: real[0]])
    after = sum(int(one.sizes[axis]) for one in tensors[real[0] + 1 :])
    widths = tuple((before, after) if a == axis else (0, 0) for a in range(len(call.shape)))
    x = tensors[real[0]]
    return call.make("pad", x, pad_width=widths, mode="constant", constant_values=0)


@aten("stack")
def _stack(call: Call, tensors: list, dim: int) -> KerasTensor:
    return call.make("stack", *_each(call, tensors), axis=dim % len(call.shape))


# -- repeated --------------------------------------------------------------------------------------


@aten("expand", "expand_as", "broadcast_to")
def _expand(call: Call, self: Any, **arguments: Any) -> KerasTensor:
    x = call.tensor(self)
    before, after = call.input_sizes(), call.sizes
    if _same(before, after) or _is_only_broadcast(call):
        return x
    repeats = [1] * (len(after) - len(before))
    if repeats:
        raise call.refuse(f"{call.operation} with more axes than before", "Use unsqueeze first")
    for old, new in zip(before, after, strict=True):
        if known_size(new) is None and old == 1:
            raise call.refuse("a tensor is repeated for every row of the batch")
        repeats.append(1 if _same((old,), (new,)) else new)
    return call.make("tile", x, repeats=tuple(repeats))


def _is_only_broadcast(call: Call) -> bool:
    """Whether only arithmetic uses the node, which repeats what it needs itself."""
    names = {"add", "sub", "mul", "div", "where", "maximum", "minimum", "rsub", "pow"}
    return all(
        getattr(user.target, "_schema", None) is not None
        and user.target._schema.name.split("::")[-1].rstrip("_") in names
        and all(
            tuple(map(str, other.meta["val"].shape)) == tuple(map(str, user.meta["val"].shape))
            for other in user.all_input_nodes
            if hasattr(other.meta.get("val"), "shape")
        )
        for user in call.node.users
    )


@aten("repeat", "tile")
def _repeat(call: Call, self: Any, repeats: Any = None, dims: Any = None) -> KerasTensor:
    x = call.tensor(self)
    given = list(dims if repeats is None else repeats)
    if not all(isinstance(one, int) for one in given):
        raise call.refuse("a tensor is repeated as often as the batch has rows")
    if len(given) > x.ndim:
        raise call.refuse(f"{call.operation} with more axes than before", "Use unsqueeze first")
    given = [1] * (x.ndim - len(given)) + given
    return call.make("tile", x, repeats=tuple(given)) if set(given) != {1} else x


@aten("repeat_interleave.self_int")
def _repeat_interleave(
    call: Call, self: Any, repeats: int, dim: Any, output_size: Any
) -> KerasTensor:
    x = call.tensor(self)
    if dim is None or not isinstance(repeats, int) or x.shape[dim % x.ndim] is None:
        raise call.refuse("repeat_interleave of the batch, or of all axes as one")
    axis = dim % x.ndim
    size: int = x.shape[axis]
    return call.make("take", x, axis=axis, indices=np.repeat(np.arange(size), repeats))


@aten("flip")
def _flip(call: Call, self: Any, dims: list) -> KerasTensor:
    x = call.tensor(self)
    for dim in dims:
        x = call.make("flip", x, axis=dim % x.ndim)
    return x


@aten("roll")
def _roll(call: Call, self: Any, shifts: list, dims: list) -> KerasTensor:
    x = call.tensor(self)
    if not dims:
        raise call.refuse("roll of all axes as one")
    for shift, dim in zip(shifts, dims, strict=True):
        size = x.shape[dim]
        if size is None:
            raise call.refuse("roll of the batch")
        x = call.make("take", x, axis=dim % x.ndim, indices=(np.arange(size) - shift) % size)
    return x


@aten("einsum")
def _einsum(call: Call, equation: str, tensors: list, path: Any = None) -> KerasTensor:
    left, arrow, right = equation.replace(" ", "").partition("->")
    if "..." in left:
        raise call.refuse(f"einsum({equation!r}) with an ellipsis is not supported")
    if not arrow:
        letters = sorted(set(left) - {","})
        right = "".join(letter for letter in letters if left.count(letter) == 1)
    if len(tensors) == 2 and any(isinstance(one, Weight) for one in tensors):
        return _einsum_with_weight(call, left, right, tensors)
    operands = [call.operand(one, call.dtype) for one in tensors]
    return call.make("einsum", *operands, subscripts=f"{left}->{right}")


def _einsum_with_weight(call: Call, left: str, right: str, tensors: list) -> KerasTensor:
    """A product with a matrix along the last axis is a Dense layer."""
    one, other = left.split(",")
    x, weight = tensors
    is_dense = (
        isinstance(x, KerasTensor)
        and isinstance(weight, Weight)
        and len(other) == 2
        and one[-1] in other
        and right == one[:-1] + other.replace(one[-1], "")
    )
    if not is_dense:
        operands = [call.operand(tensor, call.dtype) for tensor in tensors]
        return call.make("einsum", *operands, subscripts=f"{left}->{right}")
    return dense(call, x, weight, None, None if other[0] == one[-1] else Transposed((1, 0)))
