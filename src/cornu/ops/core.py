"""Operations on any array and on control flow: conversion, loops, branches, gradients.

>>> from cornu import ops
>>> ops.cast([1.7], "int32").tolist()
[1]
>>> ops.while_loop(lambda n: n < 10, lambda n: n * 2, 3).item()
12
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtypes import standardize_dtype
from cornu.core.variable import Variable
from cornu.graph.node import operation
from cornu.graph.tensor import KerasTensor
from cornu.ops._define import as_array, device_dtype


def shape(x: Any) -> tuple:
    """The sizes of an array; `None` where a symbolic tensor's size is open.

    >>> shape([[1, 2, 3]])
    (1, 3)
    """
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes.

    >>> ndim([[1, 2, 3]])
    2
    """
    return len(shape(x))


def size(x: Any) -> int:
    """The number of elements.

    >>> size([[1, 2, 3]])
    3
    """
    return int(np.prod(shape(x)))


def dtype(x: Any) -> str:
    """The name of an array's dtype.

    >>> dtype(np.zeros(1, "uint8"))
    'uint8'
    """
    return standardize_dtype(x.dtype)


def is_tensor(x: Any) -> bool:
    """Whether something is an array on the device.

    >>> is_tensor([1])
    False
    """
    return isinstance(x, jax.Array)


@operation
def cast(x, dtype):
    """The array in another dtype.

    >>> cast([True, False], "float32").tolist()
    [1.0, 0.0]
    """
    x = as_array(x)
    return jnp.asarray(x).astype(device_dtype(dtype))


@operation
def saturate_cast(x, dtype):
    """The array in another dtype, values that this cannot hold brought to its bounds.

    >>> saturate_cast([300.0, -1.0], "uint8").tolist()
    [255, 0]
    """
    x, to = jnp.asarray(as_array(x)), device_dtype(dtype)
    if to.kind == "b" or x.dtype == to or x.dtype.kind == "b":
        return x.astype(to)
    if jnp.issubdtype(to, jnp.integer) and jnp.issubdtype(x.dtype, jnp.integer):
        low = max(jnp.iinfo(to).min, jnp.iinfo(x.dtype).min)
        return jnp.clip(x, low, min(jnp.iinfo(to).max, jnp.iinfo(x.dtype).max)).astype(to)
    limits = jnp.finfo(to) if jnp.issubdtype(to, jnp.floating) else jnp.iinfo(to)
    x = x.astype(jnp.promote_types(x.dtype, "float32"))
    return jnp.clip(x, float(limits.min), float(limits.max)).astype(to)


def convert_to_tensor(x: Any, dtype=None, sparse: bool | None = None, ragged: bool | None = None):
    """An array on the device from a NumPy array, a list, a number or a Variable.

    Args:
        x: what to convert; symbolic tensors are returned as they are, or cast.
        dtype: of the result. Default `None`, that of `x`.
        sparse, ragged: accepted as in Keras; a true value is a ValueError.

    >>> convert_to_tensor([1.0, 2.0]).shape
    (2,)
    """
    if sparse or ragged:
        raise ValueError("convert_to_tensor: sparse and ragged tensors are not supported")
    if isinstance(x, KerasTensor):
        return x if dtype is None or x.dtype == standardize_dtype(dtype) else cast(x, dtype)
    x = as_array(x)
    if isinstance(x, jax.Array):
        return x if dtype is None else x.astype(device_dtype(dtype))
    # through NumPy, which has nothing to compile
    value = np.asarray(x)
    return jax.device_put(value.astype(device_dtype(value.dtype if dtype is None else dtype)))


def convert_to_numpy(x: Any) -> np.ndarray:
    """A NumPy copy of an array or a Variable.

    >>> convert_to_numpy([1, 2])
    array([1, 2])
    """
    return np.array(x.value if isinstance(x, Variable) else x)


@operation
def stop_gradient(variable):
    """The same values, through which no gradient flows.

    >>> jax.grad(lambda x: x * stop_gradient(x))(3.0).item()
    3.0
    """
    return jax.lax.stop_gradient(as_array(variable))


@operation
def unstack(x, num=None, axis=0):
    """The list of arrays that lie side by side along an axis; `num` is their number, if known.

    >>> [part.tolist() for part in unstack([[1, 2], [3, 4]])]
    [[1, 2], [3, 4]]
    """
    x = jnp.asarray(as_array(x))
    return [jax.lax.index_in_dim(x, i, axis, keepdims=False) for i in range(x.shape[axis])]


@operation
def cond(pred, true_fn, false_fn):
    """`true_fn()` where `pred` holds, `false_fn()` otherwise; both give the same shapes.

    >>> cond(True, lambda: 1, lambda: 2).item()
    1
    """
    return jax.lax.cond(as_array(pred), true_fn, false_fn)


def switch(index, branches: list[Callable], *operands):
    """What the `index`-th of several functions gives for the operands.

    >>> switch(1, [lambda x: x, lambda x: -x], 5).item()
    -5
    """
    return jax.lax.switch(as_array(index), branches, *operands)


def while_loop(cond: Callable, body: Callable, loop_vars, maximum_iterations: int | None = None):
    """Repeats `body` while `cond` holds, in the compiled program.

    Args:
        cond: `(*loop_vars) -> bool`.
        body: `(*loop_vars) -> loop_vars`, of the same shapes and dtypes.
        loop_vars: an array, or a tuple or list of them.
        maximum_iterations: at most so many times. Default `None`, no bound.

    >>> [x.item() for x in while_loop(lambda i, s: i < 4, lambda i, s: (i + 1, s + i), (0, 0))]
    [4, 6]
    """
    several = isinstance(loop_vars, (tuple, list))
    start = tuple(loop_vars) if several else (loop_vars,)

    def goes_on(state):
        count, values = state
        more = cond(*values)
        return more if maximum_iterations is None else more & (count < maximum_iterations)

    def step(state):
        count, values = state
        after = body(*values)
        return count + 1, tuple(after) if isinstance(after, (tuple, list)) else (after,)

    _, values = jax.lax.while_loop(goes_on, step, (0, start))
    return values if several else values[0]


def fori_loop(lower, upper, body_fun: Callable, init_val):
    """`init_val` put through `body_fun(i, value)` for each i from `lower` up to, not with, `upper`.

    >>> fori_loop(0, 4, lambda i, total: total + i, 0).item()
    6
    """
    return jax.lax.fori_loop(lower, upper, body_fun, init_val)


def scan(f: Callable, init, xs=None, length=None, reverse=False, unroll=1):
    """Carries a value through `f(carry, x) -> (carry, y)` for each x; returns carry and all ys.

    >>> carry, ys = scan(lambda c, x: (c + x, c), 0, np.arange(3))
    >>> carry.item(), ys.tolist()
    (3, [0, 0, 1])
    """
    return jax.lax.scan(f, init, xs, length=length, reverse=reverse, unroll=unroll)


def associative_scan(f: Callable, elems, reverse=False, axis=0):
    """All running results of an associative function of two arguments, computed as a tree.

    >>> associative_scan(lambda a, b: a + b, np.arange(4)).tolist()
    [0, 1, 3, 6]
    """
    return jax.lax.associative_scan(f, elems, reverse=reverse, axis=axis)


def map(f: Callable, xs):
    """`f` of each element along the first axis, one after another.

    >>> map(lambda x: x * 2, np.arange(3)).tolist()
    [0, 2, 4]
    """
    return jax.lax.map(f, xs)


def vectorized_map(function: Callable, elements):
    """`function` of each element along the first axis, all at once.

    >>> vectorized_map(lambda x: x * 2, np.arange(3)).tolist()
    [0, 2, 4]
    """
    return jax.vmap(function)(elements)


def vectorize(pyfunc: Callable, *, excluded=None, signature=None) -> Callable:
    """A function of scalars as a function of arrays that broadcast.

    >>> vectorize(lambda a, b: a + b)(np.arange(2), 10).tolist()
    [10, 11]
    """
    return jnp.vectorize(pyfunc, excluded=excluded or set(), signature=signature)


def custom_gradient(f: Callable) -> Callable:
    """Decorator: `f` returns its value and a function from the upstream gradient to its own.

    >>> @custom_gradient
    ... def double(x):
    ...     return x * 2, lambda upstream: upstream * 100
    >>> jax.grad(double)(1.0).item()
    100.0
    """
    inner = jax.custom_gradient(f)

    def call(*args, **kwargs):
        return inner(*(as_array(arg) for arg in args), **kwargs)

    return call
