"""Constraints: what is done to a weight after each update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.dtypes import epsilon
from cornu.core.serialization import Serializable


class Constraint(Serializable):
    """Puts a weight back where it is allowed to be; the base class of all constraints.

    A subclass defines `__call__(w)`, from a weight to one of the same shape and dtype, and
    `get_config()`, which returns the arguments of its constructor.

    >>> class Rounded(Constraint):
    ...     def __call__(self, w):
    ...         return jnp.round(w)
    >>> Rounded()(jnp.asarray([0.4, 0.6])).tolist()
    [0.0, 1.0]
    """

    def __call__(self, w: Any) -> Any:
        """The constrained weight; the weight itself unless a subclass says otherwise."""
        return w

    def get_config(self) -> dict:
        """The arguments that make an equal constraint."""
        return {}


class MaxNorm(Constraint):
    """Scales down the vectors along an axis that are longer than `max_value`.

    Args:
        max_value: the longest norm allowed. Default 2.
        axis: the axis, or axes, along which a norm is taken: 0 (the default) for the weights into
            each unit of a kernel `(inputs, units)`, `[0, 1, 2]` for each filter of a kernel
            `(rows, columns, channels, filters)`.

    Called with a float array, it returns one of the same shape and dtype.

    Source: N. Srivastava et al., "Dropout: a simple way to prevent neural networks from
    overfitting", 2014.

    >>> w = MaxNorm(2.5)(jnp.asarray([[3.0], [4.0]]))
    >>> [round(float(x), 3) for x in w[:, 0]]
    [1.5, 2.0]
    """

    def __init__(self, max_value: float = 2, axis: int | Sequence[int] = 0):
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> jax.Array:
        w = jnp.asarray(w)
        norms = _norms(w, self.axis)
        return w * (jnp.clip(norms, 0, self.max_value) / (epsilon() + norms))

    def get_config(self) -> dict:
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """Sets negative weights to 0.

    Called with an array, it returns one of the same shape and dtype.

    >>> NonNeg()(jnp.asarray([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """

    def __call__(self, w: Any) -> jax.Array:
        return jnp.maximum(jnp.asarray(w), 0)


class UnitNorm(Constraint):
    """Scales the vectors along an axis to length 1.

    Args:
        axis: the axis, or axes, along which a norm is taken, as for `MaxNorm`. Default 0.

    Called with a float array, it returns one of the same shape and dtype.

    Source: documentation of `keras.constraints.UnitNorm`.

    >>> w = UnitNorm()(jnp.asarray([[3.0], [4.0]]))
    >>> [round(float(x), 3) for x in w[:, 0]]
    [0.6, 0.8]
    """

    def __init__(self, axis: int | Sequence[int] = 0):
        self.axis = axis

    def __call__(self, w: Any) -> jax.Array:
        w = jnp.asarray(w)
        return w / (epsilon() + _norms(w, self.axis))

    def get_config(self) -> dict:
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Scales the vectors along an axis so that their norm is between two bounds.

    Args:
        min_value: the shortest norm allowed. Default 0.
        max_value: the longest norm allowed. Default 1.
        rate: how much of the way to the bound is gone in one update, from 0 to 1. Default 1, all
            of it.
        axis: the axis, or axes, along which a norm is taken, as for `MaxNorm`. Default 0.

    Called with a float array, it returns one of the same shape and dtype.

    Source: documentation of `keras.constraints.MinMaxNorm`.

    >>> w = MinMaxNorm(10.0, 20.0)(jnp.asarray([[3.0], [4.0]]))
    >>> [round(float(x), 3) for x in w[:, 0]]
    [6.0, 8.0]
    """

    def __init__(
        self,
        min_value: float = 0.0,
        max_value: float = 1.0,
        rate: float = 1.0,
        axis: int | Sequence[int] = 0,
    ):
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> jax.Array:
        w = jnp.asarray(w)
        norms = _norms(w, self.axis)
        wanted = jnp.clip(norms, self.min_value, self.max_value)
        wanted = self.rate * wanted + (1 - self.rate) * norms
        return w * (wanted / (epsilon() + norms))

    def get_config(self) -> dict:
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


def _norms(w: jax.Array, axis: int | Sequence[int]) -> jax.Array:
    """Euclidean norms along the axis, kept as an axis of length 1."""
    axes = axis if isinstance(axis, int) else tuple(axis)
    return jnp.sqrt(jnp.sum(jnp.square(w), axis=axes, keepdims=True))
