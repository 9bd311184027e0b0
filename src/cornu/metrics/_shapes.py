"""How labels, predictions and weights of different shapes are brought together."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np


def match_ranks(first, second, widen: bool = True):
    """Takes away, or adds, a last axis of size 1 where ranks differ by one.

    Of `(batch, 1)` and `(batch,)`, the vector becomes `(batch, 1)`, or with `widen` off the matrix
    becomes a vector; of higher ranks, the longer one always loses its axis. Anything else is
    returned as it is.

    >>> [a.shape for a in match_ranks(np.ones((4, 1)), np.ones(4))]
    [(4, 1), (4, 1)]
    >>> [a.shape for a in match_ranks(np.ones((4, 3)), np.ones((4, 3, 1)))]
    [(4, 3), (4, 3)]
    """
    if second.ndim > first.ndim:
        second, first = match_ranks(second, first, widen)
    elif first.ndim == second.ndim + 1 and first.shape[-1] == 1:
        if second.ndim == 1 and widen:
            second = second[:, None]
        else:
            first = first[..., 0]
    return first, second


def check_fit(owner: str, y_true, y_pred, hint: str = "") -> None:
    """ValueError where labels and predictions cannot be held against each other."""
    if y_true.shape == y_pred.shape:
        return
    try:
        fits = y_true.ndim == y_pred.ndim and np.broadcast_shapes(y_true.shape, y_pred.shape)
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"{owner}: y_true of shape {y_true.shape} does not fit y_pred of shape "
            f"{y_pred.shape}; give both the same shape{hint}"
        )


def spread(owner: str, sample_weight, shape: tuple[int, ...]) -> jax.Array:
    """The weights repeated to a shape; ValueError where they do not fit it."""
    if sample_weight.shape == shape:
        return sample_weight
    try:
        return jnp.broadcast_to(sample_weight, shape)
    except ValueError:
        raise ValueError(
            f"{owner}: sample_weight of shape {sample_weight.shape} does not fit values of shape "
            f"{shape}; give one weight for each sample, or one for each value"
        ) from None


def masked_weight(sample_weight, mask, dtype: str):
    """The weights, or None: zero where the mask is False."""
    if sample_weight is not None:
        sample_weight = jnp.asarray(sample_weight, dtype)
    if mask is None:
        return sample_weight
    mask = jnp.asarray(mask).astype(dtype)
    if sample_weight is None:
        return mask
    mask, sample_weight = match_ranks(mask, sample_weight)
    return sample_weight * mask


def divide_or_zero(numerator, denominator) -> jax.Array:
    """The quotient, and 0 where the denominator is 0."""
    empty = denominator == 0
    return jnp.where(empty, 0, numerator / jnp.where(empty, 1, denominator))
