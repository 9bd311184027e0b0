"""What rearranges, cuts, joins and reduces tensors, written as ONNX' operators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.port.onnx.write_layers import flat

_END = np.iinfo(np.int64).max


def _reshape(w: Any, node: Node) -> str:
    x, shape = w.input(node), list(node.outputs[0].shape)
    if shape.count(None) > 1:
        if shape.count(None) > 2 or shape[0] is not None or node.inputs[0].shape[0] is not None:
            raise node.target.refuse(f"makes several axes of open size {tuple(shape)}")
        shape[0] = 0  # the batch axis, as it is
    return w.add("Reshape", x, w.integers([-1 if n is None else n for n in shape], "shape"))


def _flatten(w: Any, node: Node) -> str:
    return w.add("Flatten", w.input(node), axis=1)


def _repeat_vector(w: Any, node: Node) -> str:
    x = w.add("Unsqueeze", w.input(node), w.integers([1], "axes"))
    return w.add("Tile", x, w.integers([1, node.outputs[0].shape[1], 1], "repeats"))


def _axes(axis: Any) -> list[int]:
    return [int(axis)] if isinstance(axis, (int, np.integer)) else [int(one) for one in axis]


def _expand_dims(w: Any, node: Node) -> str:
    axes = w.integers(_axes(node.attributes["axis"]), "axes")
    return w.add("Unsqueeze", w.input(node), axes)


def _squeeze(w: Any, node: Node) -> str:
    axes = w.integers(_axes(node.attributes["axis"]), "axes")
    return w.add("Squeeze", w.input(node), axes)


def _transpose(w: Any, node: Node) -> str:
    return w.add("Transpose", w.input(node), perm=[int(one) for one in node.attributes["axes"]])


def _concatenate(w: Any, node: Node) -> str:
    dtype = w.dtype(node.outputs[0])
    values = [w.input(node, number, dtype) for number in range(len(node.args))]
    return w.add("Concat", *values, axis=node.attributes["axis"])


def _stack(w: Any, node: Node) -> str:
    axis, dtype = node.attributes["axis"], w.dtype(node.outputs[0])
    axes = w.integers([axis], "axes")
    values = [
        w.add("Unsqueeze", w.input(node, number, dtype), axes) for number in range(len(node.args))
    ]
    return w.add("Concat", *values, axis=axis)


def _get_item(w: Any, node: Node) -> str:
    key = node.attributes["key"]
    starts, ends, axes, steps, gone = [], [], [], [], []
    for axis, part in enumerate(key if isinstance(key, tuple) else (key,)):
        if not isinstance(part, slice):
            gone.append(axis)
            starts.append(int(part))
            ends.append(int(part) + 1 if part != -1 else _END)
            steps.append(1)
        elif part == slice(None):
            continue
        else:
            step = 1 if part.step is None else part.step
            first, last = (0, _END) if step > 0 else (_END, -_END)
            starts.append(first if part.start is None else part.start)
            ends.append(last if part.stop is None else part.stop)
            steps.append(step)
        axes.append(axis)
    y = w.input(node)
    if axes:
        lists = {"starts": starts, "ends": ends, "axes": axes}
        if any(step != 1 for step in steps):
            lists["steps"] = steps
        y = w.add("Slice", y, *(w.integers(values, name) for name, values in lists.items()))
    return w.add("Squeeze", y, w.integers(gone, "gone")) if gone else y


def _flip(w: Any, node: Node) -> str:
    axes = _axes(node.attributes["axis"])
    lists = {"starts": -1, "ends": -_END, "axes": None, "steps": -1}
    given = [
        w.integers(axes if value is None else [value] * len(axes), name)
        for name, value in lists.items()
    ]
    return w.add("Slice", w.input(node), *given)


def _pad(w: Any, node: Node) -> str:
    given = node.attributes
    pads = w.integers(flat(given["pad_width"]), "pads")
    mode, value = given.get("mode", "constant"), given.get("constant_values", 0) or 0
    if mode not in ("constant", "reflect", "edge"):
        raise node.target.refuse(f"with mode={mode!r} has no counterpart in ONNX")
    more = []
    if mode == "constant" and value:
        more.append(w.constant(np.asarray(value, w.dtype(node.outputs[0])), "value"))
    return w.add("Pad", w.input(node), pads, *more, mode=mode)


def _take(w: Any, node: Node) -> str:
    given = node.attributes
    indices = w.constant(np.asarray(given["indices"], np.int64), "indices")
    return w.add("Gather", w.input(node), indices, axis=int(given["axis"]))


def _tile(w: Any, node: Node) -> str:
    repeats = list(node.attributes["repeats"])
    repeats = [1] * (node.inputs[0].ndim - len(repeats)) + repeats
    return w.add("Tile", w.input(node), w.integers(repeats, "repeats"))


def _matmul(w: Any, node: Node) -> str:
    dtype = w.dtype(node.outputs[0])
    return w.add("MatMul", w.input(node, 0, dtype), w.input(node, 1, dtype))


def _einsum(w: Any, node: Node) -> str:
    dtype = w.dtype(node.outputs[0])
    values = [w.input(node, number, dtype) for number in range(len(node.args))]
    return w.add("Einsum", *values, equation=node.attributes["subscripts"])


def _cumsum(w: Any, node: Node) -> str:
    axis = w.constant(np.asarray(node.attributes["axis"], np.int64), "axis")
    return w.add("CumSum", w.input(node), axis)


# -- reductions ------------------------------------------------------------------------------------


def _reduced(w: Any, kind: str, x: str, axes: list[int], keepdims: bool) -> str:
    if kind == "ReduceSum" or w.opset >= 18:  # axes are an input in newer versions
        return w.add(kind, x, w.integers(axes, "axes"), keepdims=int(keepdims))
    return w.add(kind, x, axes=axes, keepdims=int(keepdims))


def _over(node: Node) -> tuple[list[int], bool]:
    axis = node.attributes.get("axis")
    axes = list(range(node.inputs[0].ndim)) if axis is None else _axes(axis)
    return axes, bool(node.attributes.get("keepdims", False))


def _reduction(kind: str) -> Callable:
    def write(w: Any, node: Node) -> str:
        x = w.input(node, 0, w.dtype(node.outputs[0]))
        return _reduced(w, kind, x, *_over(node))

    return write


def _variance(w: Any, node: Node) -> str:
    axes, keepdims = _over(node)
    x = w.floating(node)
    off = w.add("Sub", x, _reduced(w, "ReduceMean", x, axes, True))
    return _reduced(w, "ReduceMean", w.add("Mul", off, off), axes, keepdims)


def _deviation(w: Any, node: Node) -> str:
    return w.add("Sqrt", _variance(w, node))


def _argmax(w: Any, node: Node) -> str:
    keepdims = int(bool(node.attributes.get("keepdims", False)))
    y = w.add("ArgMax", w.input(node), axis=node.attributes["axis"], keepdims=keepdims)
    dtype = w.dtype(node.outputs[0])
    if dtype == np.dtype("int64"):
        return y
    return w.add("Cast", y, to=w.onnx.helper.np_dtype_to_tensor_dtype(dtype))


WRITERS: dict[str, Callable] = {
    "Flatten": _flatten,
    "Reshape": _reshape,
    "reshape": _reshape,
    "RepeatVector": _repeat_vector,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "transpose": _transpose,
    "concatenate": _concatenate,
    "stack": _stack,
    "get_item": _get_item,
    "flip": _flip,
    "pad": _pad,
    "take": _take,
    "tile": _tile,
    "matmul": _matmul,
    "einsum": _einsum,
    "cumsum": _cumsum,
    "mean": _reduction("ReduceMean"),
    "sum": _reduction("ReduceSum"),
    "max": _reduction("ReduceMax"),
    "min": _reduction("ReduceMin"),
    "prod": _reduction("ReduceProd"),
    "logsumexp": _reduction("ReduceLogSumExp"),
    "var": _variance,
    "std": _deviation,
    "argmax": _argmax,
}
