"""The functions of TensorFlow that stand beside Keras in programs, by `cornu.ops`.

They are called the way TensorFlow has them: `axis` of `tf.argmax` is 0 unless it is given, and
every one takes a `name`, which means nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax

from cornu import ops

# Of one tensor, and of two.
_ONE = (
    "abs acos:arccos asin:arcsin atan:arctan ceil cos cosh erf exp expm1 floor log log1p "
    "log_sigmoid logical_not negative reciprocal rsqrt round sigmoid sign sin sinh softplus "
    "softsign sqrt square tan tanh is_nan:isnan is_inf:isinf is_finite:isfinite"
)
_TWO = (
    "add subtract multiply divide floordiv:floor_divide mod pow:power maximum minimum "
    "divide_no_nan equal not_equal greater greater_equal less less_equal logical_and logical_or "
    "atan2:arctan2 floormod:mod truediv:divide"
)
_REDUCTIONS = "sum mean max min prod all any logsumexp std:std variance:var"


def _pairs(names: str) -> list[tuple[str, Callable]]:
    found = []
    for one in names.split():
        theirs, _, ours = one.partition(":")
        found.append((theirs, getattr(ops, ours or theirs)))
    return found


def of_one(operation: Callable) -> Callable:
    def function(x: Any, name: str | None = None) -> Any:
        return operation(x)

    return function


def _of_two(operation: Callable) -> Callable:
    def function(x: Any, y: Any, name: str | None = None) -> Any:
        return operation(x, y)

    return function


def _reduction(operation: Callable) -> Callable:
    def function(
        input_tensor: Any, axis: Any = None, keepdims: bool = False, name: str | None = None
    ) -> Any:
        axis = tuple(axis) if isinstance(axis, list) else axis
        return operation(input_tensor, axis=axis, keepdims=keepdims)

    return function


# -- shapes and parts ----------------------------------------------------------------------------


def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """Another dtype."""
    return ops.cast(x, dtype)


def reshape(tensor: Any, shape: Any, name: str | None = None) -> Any:
    """Another shape."""
    return ops.reshape(tensor, tuple(int(size) for size in shape))


def transpose(a: Any, perm: Any = None, conjugate: bool = False, name: str | None = None) -> Any:
    """The axes in another order."""
    return ops.transpose(a, perm)


def concat(values: Sequence[Any], axis: int, name: str = "concat") -> Any:
    """Tensors joined along an axis."""
    return ops.concatenate(values, axis)


def stack(values: Sequence[Any], axis: int = 0, name: str = "stack") -> Any:
    """Tensors along a new axis."""
    return ops.stack(values, axis)


def split(value: Any, num_or_size_splits: Any, axis: int = 0, name: str = "split") -> list:
    """Equal parts, or parts of given sizes."""
    if not isinstance(num_or_size_splits, int):
        ends, total = [], 0
        for size in num_or_size_splits[:-1]:
            total += int(size)
            ends.append(total)
        num_or_size_splits = ends
    return list(ops.split(value, num_or_size_splits, axis))


def expand_dims(input: Any, axis: int = -1, name: str | None = None) -> Any:
    """A new axis of size 1."""
    return ops.expand_dims(input, axis)


def squeeze(input: Any, axis: Any = None, name: str | None = None) -> Any:
    """Without the axes of size 1."""
    return ops.squeeze(input, tuple(axis) if isinstance(axis, list) else axis)


def tile(input: Any, multiples: Any, name: str | None = None) -> Any:
    """Repeated along the axes."""
    return ops.tile(input, tuple(int(one) for one in multiples))


def gather(params: Any, indices: Any, axis: int = 0, name: str | None = None) -> Any:
    """Parts along an axis, by their numbers."""
    return ops.take(params, indices, axis=axis)


def shape(input: Any, name: str | None = None) -> Any:
    """The sizes of the axes."""
    return ops.shape(input)


def rank(input: Any, name: str | None = None) -> int:
    """The number of axes."""
    return len(ops.shape(input))


def size(input: Any, name: str | None = None) -> Any:
    """The number of elements."""
    return ops.size(input)


def zeros(shape: Any, dtype: Any = "float32", name: str | None = None) -> Any:
    """All 0."""
    return ops.zeros(tuple(shape) if isinstance(shape, list) else shape, dtype)


def ones(shape: Any, dtype: Any = "float32", name: str | None = None) -> Any:
    """All 1."""
    return ops.ones(tuple(shape) if isinstance(shape, list) else shape, dtype)


def zeros_like(input: Any, dtype: Any = None, name: str | None = None) -> Any:
    """All 0, of the same shape."""
    return ops.zeros_like(input, dtype)


def ones_like(input: Any, dtype: Any = None, name: str | None = None) -> Any:
    """All 1, of the same shape."""
    return ops.ones_like(input, dtype)


def fill(dims: Any, value: Any, name: str | None = None) -> Any:
    """All the same."""
    return ops.full(tuple(dims), value)


def range_(
    start: Any, limit: Any = None, delta: Any = 1, dtype: Any = None, name: str = "range"
) -> Any:
    """Numbers at equal distances."""
    if limit is None:
        start, limit = 0, start
    return ops.arange(start, limit, delta, dtype)


def one_hot(
    indices: Any,
    depth: int,
    on_value: Any = None,
    off_value: Any = None,
    axis: int = -1,
    dtype: Any = None,
    name: str | None = None,
) -> Any:
    """Numbers of classes as rows with one 1."""
    rows = ops.one_hot(indices, depth, axis=axis, dtype=dtype or "float32")
    if on_value is None and off_value is None:
        return rows
    on, off = (1 if on_value is None else on_value), (0 if off_value is None else off_value)
    return rows * (on - off) + off


def where(condition: Any, x: Any = None, y: Any = None, name: str | None = None) -> Any:
    """`x` where the condition holds, `y` elsewhere; without them, where it holds, (n, axes)."""
    if x is None and y is None:
        return ops.stack(ops.nonzero(condition), axis=-1)
    return ops.where(condition, x, y)


def argmax(
    input: Any, axis: int | None = None, output_type: Any = "int64", name: str | None = None
) -> Any:
    """Where the largest is along an axis, the first unless it is given."""
    return ops.argmax(input, axis=0 if axis is None else axis)


def argmin(
    input: Any, axis: int | None = None, output_type: Any = "int64", name: str | None = None
) -> Any:
    """Where the smallest is along an axis, the first unless it is given."""
    return ops.argmin(input, axis=0 if axis is None else axis)


def clip_by_value(t: Any, clip_value_min: Any, clip_value_max: Any, name: Any = None) -> Any:
    """Within bounds."""
    return ops.clip(t, clip_value_min, clip_value_max)


def matmul(
    a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False, name: str | None = None
) -> Any:
    """The matrix product."""
    if transpose_a:
        a = ops.swapaxes(a, -1, -2)
    if transpose_b:
        b = ops.swapaxes(b, -1, -2)
    return ops.matmul(a, b)


def norm(
    tensor: Any, ord: Any = "euclidean", axis: Any = None, keepdims: bool = False, name: Any = None
) -> Any:
    """The length, along an axis or of all."""
    if axis is None:
        tensor, axis = ops.reshape(tensor, (-1,)), 0 if not keepdims else None
    return ops.norm(tensor, ord=None if ord == "euclidean" else ord, axis=axis, keepdims=keepdims)


def identity(input: Any, name: str | None = None) -> Any:
    """The tensor itself."""
    return input


def stop_gradient(input: Any, name: str | None = None) -> Any:
    """The tensor, as a constant to the gradient."""
    return ops.stop_gradient(input)


def print_(*inputs: Any, **kwargs: Any) -> None:
    """Prints the values as they are computed."""
    jax.debug.print(" ".join("{}" for _ in inputs), *inputs)


def softmax(logits: Any, axis: int = -1, name: str | None = None) -> Any:
    """Probabilities along an axis."""
    return ops.softmax(logits, axis=-1 if axis is None else axis)


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None) -> Any:
    """Divided by its length."""
    squares = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(squares, epsilon))


_REDUCED = {f"reduce_{name}": _reduction(operation) for name, operation in _pairs(_REDUCTIONS)}
MATH: dict[str, Callable] = {
    **{name: of_one(operation) for name, operation in _pairs(_ONE)},
    **{name: _of_two(operation) for name, operation in _pairs(_TWO)},
    **_REDUCED,
    "argmax": argmax,
    "argmin": argmin,
    "l2_normalize": l2_normalize,
    "softmax": softmax,
}
# what is in tf.math only
_MATH_ONLY = (
    *("ceil", "erf", "expm1", "log", "log1p", "log_sigmoid", "reciprocal", "rsqrt", "softplus"),
    *("softsign", "is_nan", "is_inf", "is_finite", "divide_no_nan", "mod", "floordiv", "floormod"),
    *("truediv", "l2_normalize", "softmax", "reduce_std", "reduce_variance"),
)
TOP: dict[str, Any] = {
    **{name: function for name, function in MATH.items() if name not in _MATH_ONLY},
    **{
        function.__name__: function
        for function in (
            *(cast, reshape, transpose, concat, stack, split, expand_dims, squeeze, tile, gather),
            *(shape, rank, size, zeros, ones, zeros_like, ones_like, fill, one_hot, where),
            *(clip_by_value, matmul, norm, identity, stop_gradient),
        )
    },
    "einsum": lambda equation, *inputs, **_: ops.einsum(equation, *inputs),
    "eye": lambda num_rows, num_columns=None, dtype="float32", **_: ops.eye(
        num_rows, num_columns, dtype=dtype
    ),
    "is_tensor": ops.is_tensor,
    "linspace": lambda start, stop, num, name=None, axis=0: ops.linspace(
        start, stop, num, axis=axis
    ),
    "print": print_,
    "range": range_,
    "tensordot": lambda a, b, axes, name=None: ops.tensordot(a, b, axes),
    "unstack": lambda value, num=None, axis=0, name=None: ops.unstack(value, num, axis),
}
LINALG: dict[str, Callable] = {
    "matmul": matmul,
    "norm": norm,
    "normalize": lambda tensor, ord="euclidean", axis=None, name=None: (
        ops.divide(tensor, norm(tensor, ord, axis, True)),
        norm(tensor, ord, axis, True),
    ),
}
