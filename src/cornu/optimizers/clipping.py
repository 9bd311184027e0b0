"""Clipping of gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np


def clip_by_norm(gradient: Any, clipnorm: float) -> Any:
    """The gradient, scaled down where its L2 norm is above `clipnorm`.

    >>> clip_by_norm(np.float32([3, 4]), 2.5).tolist()
    [1.5, 2.0]
    """
    # One by one: to take the norms of several in one operation saves kernels, but makes all wait
    # for each other, which costs a small network on a CPU more than the kernels do.
    scale = _scale(jnp.sqrt(_sum_of_squares(gradient)), clipnorm)
    return gradient * scale.astype(gradient.dtype)


def global_norm(gradients: Sequence[Any]) -> Any:
    """The L2 norm of all the gradients together: a scalar.

    >>> float(global_norm([np.ones((3, 3), "float32"), np.ones(7, "float32")]))
    4.0
    """
    return jnp.sqrt(sum(_sum_of_squares(gradient) for gradient in gradients))


def clip_by_global_norm(gradients: Sequence[Any], clipnorm: float) -> list:
    """The gradients, all scaled down alike where their common L2 norm is above `clipnorm`.

    An infinite or undefined norm makes them all NaN, so that it cannot go unnoticed.

    Source: Pascanu et al., "On the difficulty of training recurrent neural networks" (2013),
    arXiv:1211.5063.

    >>> [g.tolist() for g in clip_by_global_norm([np.float32([3]), np.float32([4])], 10.0)]
    [[3.0], [4.0]]
    """
    norm = global_norm(gradients)
    scale = jnp.where(jnp.isfinite(norm), _scale(norm, clipnorm), np.nan)
    return [gradient * scale.astype(gradient.dtype) for gradient in gradients]


def _sum_of_squares(gradient: Any) -> Any:
    # in float32 at least: a sum of float16 squares soon overflows
    dtype = jnp.promote_types(gradient.dtype, "float32")
    return jnp.sum(jnp.square(gradient.astype(dtype)))


def _scale(norm: Any, clipnorm: float) -> Any:
    # one number for a whole gradient, so that the product fuses into the update; never 0 / 0
    return clipnorm / jnp.maximum(norm, clipnorm)
