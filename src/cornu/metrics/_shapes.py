"""Weights, masks and quotients: what all metrics share."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.losses.shapes import same_rank


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
    mask, sample_weight = same_rank(mask, sample_weight)
    if mask.ndim > sample_weight.ndim:  # one weight for all steps of a sequence
        missing = mask.ndim - sample_weight.ndim
        sample_weight = sample_weight.reshape(sample_weight.shape + (1,) * missing)
    return mask * spread("sample_weight and mask", sample_weight, mask.shape)


def divide_or_zero(numerator, denominator) -> jax.Array:
    """The quotient, and 0 where the denominator is 0."""
    empty = denominator == 0
    return jnp.where(empty, 0, numerator / jnp.where(empty, 1, denominator))
