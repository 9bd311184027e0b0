"""How most operations are made: a function of `jax.numpy` under Keras' name and argument names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtypes import standardize_dtype
from cornu.core.variable import Variable
from cornu.graph.node import operation


def as_array(x: Any) -> Any:
    """What a `jax.numpy` function can take: Variables and lists turned into arrays."""
    if isinstance(x, Variable):
        return x.value
    if isinstance(x, (jax.Array, np.ndarray, np.generic, int, float, complex)):
        return x
    return jnp.asarray(x)


def as_arrays(xs: Any) -> list:
    """The same for each of several arrays."""
    return [as_array(x) for x in xs]


def device_dtype(dtype: Any) -> np.dtype:
    """The dtype that an array of this dtype has on the device: 64 bits only where JAX has them."""
    return jax.dtypes.canonicalize_dtype(jnp.dtype(standardize_dtype(dtype)))


def axes(axis: Any) -> Any:
    """An axis argument as `jax.numpy` takes it: lists become tuples."""
    return tuple(axis) if isinstance(axis, list) else axis


def named(function: Callable, name: str, doc: str, module: str) -> Callable:
    """The function as an operation of the network, under a name and with a docstring."""
    function.__name__ = function.__qualname__ = name
    function.__module__ = module
    function.__doc__ = doc
    return operation(function)


def unary(module: str) -> Callable:
    """Makes operations on each element of one array."""

    def make(name: str, function: Callable, summary: str) -> Callable:
        doc = f"""{summary}, element by element.

        Args:
            x: array, list, Variable or symbolic tensor of any shape.

        Returns:
            An array of the same shape.
        """
        return named(lambda x: function(as_array(x)), name, doc, module)

    return make


def binary(module: str) -> Callable:
    """Makes operations on pairs of elements of two arrays."""

    def make(name: str, function: Callable, summary: str) -> Callable:
        doc = f"""{summary}, element by element.

        Args:
            x1, x2: arrays, lists, numbers, Variables or symbolic tensors whose shapes broadcast.

        Returns:
            An array of the shape that the two broadcast to.
        """
        return named(lambda x1, x2: function(as_array(x1), as_array(x2)), name, doc, module)

    return make


def reduction(module: str) -> Callable:
    """Makes operations that fold axes of an array."""

    def make(name: str, function: Callable, summary: str) -> Callable:
        doc = f"""{summary} over some axes.

        Args:
            x: array, list, Variable or symbolic tensor of any shape.
            axis: an axis or a tuple of them. Default `None`, all axes.
            keepdims: whether folded axes stay, with size 1. Default False.

        Returns:
            An array without the folded axes.
        """

        def apply(x, axis=None, keepdims=False):
            return function(as_array(x), axis=axes(axis), keepdims=keepdims)

        return named(apply, name, doc, module)

    return make
