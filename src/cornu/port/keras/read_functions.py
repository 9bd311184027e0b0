"""Reading the functions of a Cornu model: `FUNCTIONS`, a function for each of `cornu.ops`.

Each takes `(reader, node, name, values, named)` - the reader, the model's node, a name for the
operation, its arguments by position and by name - and returns the output.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cornu import activations
from cornu.port import kinds
from cornu.port.keras.read_layers import DEFAULTS, activation, applied, positive


def _argument(values, named, position, name, default=None):
    if len(values) > position:
        return values[position]
    return named.get(name, default)


def _elementwise(kind):
    def read(reader, node, name, values, named):
        args = [*values, *named.values()]
        return applied(reader, node, name, args, kind)

    return read


def _unary(kind):
    def read(reader, node, name, values, named):
        x = _argument(values, named, 0, "x")
        return applied(reader, node, name, [x], kind)

    return read


def _activated(function):
    def read(reader, node, name, values, named):
        positions = list(DEFAULTS.get(function, {}))
        given = dict(zip(positions, values[1:], strict=False))
        given.update({key: value for key, value in named.items() if key != "x"})
        settings = activation(function, given, node.outputs[0].ndim)
        return applied(reader, node, name, values[:1] or [named["x"]], "activation", **settings)

    return read


def _reduction(kind):
    def read(reader, node, name, values, named):
        x = _argument(values, named, 0, "x")
        axis = _argument(values, named, 1, "axis")
        keepdims = bool(_argument(values, named, 2, "keepdims", False))
        axes = (
            range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else [axis]
        )
        axes = tuple(sorted(positive(one, x.ndim) for one in axes))
        return applied(reader, node, name, [x], kind, axis=axes, keepdims=keepdims)

    return read


def _several(kind):
    def read(reader, node, name, values, named):
        xs = _argument(values, named, 0, "xs" if kind == "concatenate" else "x")
        axis = _argument(values, named, 1, "axis", -1 if kind == "concatenate" else 0)
        return applied(
            reader, node, name, list(xs), kind, axis=positive(axis, node.outputs[0].ndim)
        )

    return read


def _op_reshape(reader, node, name, values, named):
    x = _argument(values, named, 0, "x")
    shape = tuple(_argument(values, named, 1, "newshape"))
    return applied(reader, node, name, [x], "reshape", newshape=tuple(int(one) for one in shape))


def _op_transpose(reader, node, name, values, named):
    x = _argument(values, named, 0, "x")
    axes = _argument(values, named, 1, "axes") or tuple(reversed(range(x.ndim)))
    axes = tuple(positive(axis, x.ndim) for axis in axes)
    return applied(reader, node, name, [x], "transpose", axes=axes)


def _op_swapaxes(reader, node, name, values, named):
    x = values[0]
    one, two = (
        positive(_argument(values, named, place, key), x.ndim)
        for place, key in ((1, "axis1"), (2, "axis2"))
    )
    axes = list(range(x.ndim))
    axes[one], axes[two] = axes[two], axes[one]
    return applied(reader, node, name, [x], "transpose", axes=tuple(axes))


def _op_expand_dims(reader, node, name, values, named):
    x, axis = _argument(values, named, 0, "x"), _argument(values, named, 1, "axis")
    if isinstance(axis, (tuple, list)):
        raise reader.refuse("expand_dims with several axes cannot be carried over")
    return applied(reader, node, name, [x], "expand_dims", axis=positive(axis, x.ndim + 1))


def _op_squeeze(reader, node, name, values, named):
    x, axis = _argument(values, named, 0, "x"), _argument(values, named, 1, "axis")
    if axis is None:
        axis = [place for place, size in enumerate(x.shape) if size == 1]
    axes = axis if isinstance(axis, (tuple, list)) else [axis]
    axes = tuple(sorted(positive(one, x.ndim) for one in axes))
    return applied(reader, node, name, [x], "squeeze", axis=axes)


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
    return applied(reader, node, name, [x], "get_item", key=key)


def _op_pad(reader, node, name, values, named):
    x, width = _argument(values, named, 0, "x"), _argument(values, named, 1, "pad_width")
    mode = _argument(values, named, 2, "mode", "constant")
    value = _argument(values, named, 3, "constant_values")
    width = np.broadcast_to(np.asarray(width), (x.ndim, 2)).tolist()
    return applied(
        reader, node, name, [x], "pad", pad_width=tuple(map(tuple, width)), mode=mode,
        constant_values=0.0 if value is None else float(value),
    )  # fmt: skip


def _op_clip(reader, node, name, values, named):
    x = _argument(values, named, 0, "x")
    low, high = _argument(values, named, 1, "x_min"), _argument(values, named, 2, "x_max")
    return applied(reader, node, name, [x], "clip", x_min=low, x_max=high)


def _op_cast(reader, node, name, values, named):
    dtype = str(node.outputs[0].dtype)
    return applied(reader, node, name, [values[0]], "cast", dtype=dtype)


def _op_argmax(reader, node, name, values, named):
    x, axis = _argument(values, named, 0, "x"), _argument(values, named, 1, "axis")
    if axis is None:
        raise reader.refuse("argmax without an axis cannot be carried over")
    keepdims = bool(_argument(values, named, 2, "keepdims", False))
    return applied(
        reader, node, name, [x], "argmax", axis=positive(axis, x.ndim), keepdims=keepdims
    )


def _op_einsum(reader, node, name, values, named):
    subscripts, *operands = values
    return applied(reader, node, name, operands, "einsum", subscripts=subscripts)


FUNCTIONS: dict[str, Callable] = {
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
    "einsum": _op_einsum,
    "matmul": _elementwise("matmul"),
}  # fmt: skip
