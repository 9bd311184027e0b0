"""Activations that look at a whole axis: softmax, its logarithm, sparsemax."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.activations.arrays import as_floats
from cornu.core.reporting import warn
from cornu.graph import operation
from cornu.graph.node import is_traced_again


@operation
def softmax(x: Any, axis: int | Sequence[int] = -1) -> jax.Array:
    """`exp(x) / sum(exp(x))` along an axis: scores to probabilities that sum to 1.

    Warns where the axis has length 1: the result is then 1 whatever the input.

    Args:
        x: float, `(..., classes)` where `axis` is the last one; the logits.
        axis: the axis, or several taken together, along which the result sums to 1. Default -1.

    Returns:
        Numbers in [0, 1], same shape and dtype as `x`.

    Source: documentation of `keras.activations.softmax`.

    >>> softmax([[0.0, 0.0, -1000.0]]).tolist()
    [[0.5, 0.5, 0.0]]
    """
    x = as_floats(x)
    one = isinstance(axis, int) and -x.ndim <= axis < x.ndim and x.shape[axis] == 1
    if one and not is_traced_again(x):
        warn(
            f"softmax over axis {axis}, which has length 1, always gives 1; for a single unit use "
            "sigmoid"
        )
    return jax.nn.softmax(x, axis=_axes(axis))


@operation
def log_softmax(x: Any, axis: int | Sequence[int] = -1) -> jax.Array:
    """The logarithm of `softmax`, computed so that it stays finite.

    Args:
        x: float, `(..., classes)` where `axis` is the last one; the logits.
        axis: the axis, or several taken together, along which the exponentials sum to 1.
            Default -1.

    Returns:
        Numbers up to 0, same shape and dtype as `x`.

    Source: documentation of `keras.activations.log_softmax`.

    >>> log_softmax([[1000.0, 0.0]]).tolist()
    [[0.0, -1000.0]]
    """
    return jax.nn.log_softmax(as_floats(x), axis=_axes(axis))


@operation
def sparsemax(x: Any, axis: int = -1) -> jax.Array:
    """`max(x - tau, 0)` along an axis, with `tau` from the largest entries: sparse probabilities.

    The numbers are those of Keras 3, which divides the sum of the *running* sums of the supported
    entries by their count. Where one entry alone is supported that is the paper's result; where
    several are, it is smaller and does not sum to 1.

    Args:
        x: float, `(..., classes)` where `axis` is the last one.
        axis: the axis that is normalized. Default -1.

    Returns:
        Numbers from 0 on, same shape and dtype as `x`.

    Source: A. Martins, R. Astudillo, https://arxiv.org/abs/1602.02068, as computed by
    `keras.activations.sparsemax`.

    >>> sparsemax([[3.0, 1.0, 0.5]]).tolist()
    [[1.0, 0.0, 0.0]]
    """
    x = as_floats(x)
    descending = -jnp.sort(-x, axis=axis)
    running = jnp.cumsum(descending, axis=axis)
    count = jnp.arange(1, x.shape[axis] + 1, dtype=x.dtype)
    count = jnp.expand_dims(count, [i for i in range(x.ndim) if i != axis % x.ndim])
    supported = descending - (running - 1) / count > 0
    total = jnp.sum(jnp.where(supported, running, 0), axis=axis, keepdims=True)
    number = jnp.sum(supported, axis=axis, keepdims=True)
    return jnp.maximum(x - (total - 1) / number, 0)


def _axes(axis: int | Sequence[int]) -> int | tuple[int, ...]:
    return axis if isinstance(axis, int) else tuple(axis)
