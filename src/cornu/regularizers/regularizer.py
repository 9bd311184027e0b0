"""Penalties on the size of weights: L1, L2 and both."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.serialization import Serializable


class Regularizer(Serializable):
    """A penalty that a layer adds to the loss; the base class of all regularizers.

    A subclass defines `__call__(x)`, from a weight or an output to a scalar, and `get_config()`,
    which returns the arguments of its constructor.

    >>> class Largest(Regularizer):
    ...     def __call__(self, x):
    ...         return jnp.max(jnp.abs(x))
    >>> float(Largest()(jnp.asarray([1.0, -3.0])))
    3.0
    """

    def __call__(self, x: Any) -> Any:
        """The penalty: a scalar of the dtype of `x`; 0 unless a subclass says otherwise."""
        return 0.0

    def get_config(self) -> dict:
        """The arguments that make an equal regularizer."""
        raise NotImplementedError(
            f"{type(self).__name__} must define get_config() to be saved: "
            "return the arguments of its constructor"
        )


class L1L2(Regularizer):
    """`l1 * sum(abs(x)) + l2 * sum(x**2)`.

    Args:
        l1: factor of the sum of absolute values, from 0 on. Default 0.
        l2: factor of the sum of squares, from 0 on. Default 0.

    Raises:
        ValueError: a factor that is negative, infinite or no number.

    Called with any float array, it returns a scalar of the same dtype.

    Source: documentation of `keras.regularizers.L1L2`.

    >>> float(L1L2(l1=0.5, l2=0.25)(jnp.asarray([1.0, -2.0])))
    2.75
    """

    def __init__(self, l1: float | None = 0.0, l2: float | None = 0.0):
        self.l1 = factor_from_zero_on("L1L2", "l1", 0.0 if l1 is None else l1)
        self.l2 = factor_from_zero_on("L1L2", "l2", 0.0 if l2 is None else l2)

    def __call__(self, x: Any) -> jax.Array:
        x = jnp.asarray(x)
        terms = []
        if self.l1:
            terms.append(self.l1 * jnp.sum(jnp.abs(x)))
        if self.l2:
            terms.append(self.l2 * jnp.sum(jnp.square(x)))
        return sum(terms[1:], start=terms[0]) if terms else jnp.zeros((), x.dtype)

    def get_config(self) -> dict:
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """`l1 * sum(abs(x))`, which drives weights to exactly 0.

    Args:
        l1: the factor, from 0 on. Default 0.01.

    Raises:
        ValueError: a factor that is negative, infinite or no number.

    Called with any float array, it returns a scalar of the same dtype.

    Source: documentation of `keras.regularizers.L1`.

    >>> float(L1(0.5)(jnp.asarray([1.0, -2.0])))
    1.5
    """

    def __init__(self, l1: float | None = 0.01):
        self.l1 = factor_from_zero_on("L1", "l1", 0.01 if l1 is None else l1)

    def __call__(self, x: Any) -> jax.Array:
        return self.l1 * jnp.sum(jnp.abs(jnp.asarray(x)))

    def get_config(self) -> dict:
        return {"l1": self.l1}


class L2(Regularizer):
    """`l2 * sum(x**2)`, which keeps weights small.

    Args:
        l2: the factor, from 0 on. Default 0.01.

    Raises:
        ValueError: a factor that is negative, infinite or no number.

    Called with any float array, it returns a scalar of the same dtype.

    Source: documentation of `keras.regularizers.L2`.

    >>> float(L2(0.5)(jnp.asarray([1.0, -2.0])))
    2.5
    """

    def __init__(self, l2: float | None = 0.01):
        self.l2 = factor_from_zero_on("L2", "l2", 0.01 if l2 is None else l2)

    def __call__(self, x: Any) -> jax.Array:
        return self.l2 * jnp.sum(jnp.square(jnp.asarray(x)))

    def get_config(self) -> dict:
        return {"l2": self.l2}


def factor_from_zero_on(owner: str, name: str, value: Any) -> float:
    """The value as a float; ValueError, naming the owner, where it is negative or no number."""
    number = isinstance(value, (int, float, np.integer, np.floating))
    if not number or not math.isfinite(value) or value < 0:
        raise ValueError(f"{owner}({name}={value!r}): {name} must be a finite number, 0 or greater")
    return float(value)
