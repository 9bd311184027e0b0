"""From one loss per element to the number that is minimized: weights, masks, and the mean."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from cornu.losses.shapes import same_rank

REDUCTIONS = ("sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None)


def standardize_reduction(reduction: str | None) -> str | None:
    """The reduction itself; ValueError where it is none of the known ones."""
    if reduction not in REDUCTIONS:
        names = ", ".join(repr(name) for name in REDUCTIONS)
        raise ValueError(f"reduction={reduction!r}: expected one of {names}")
    return reduction


def reduce_weighted_values(
    values: Any,
    sample_weight: Any = None,
    mask: Any = None,
    reduction: str | None = "sum_over_batch_size",
    dtype: Any = None,
) -> jax.Array:
    """Weights elementwise losses and takes their sum or mean.

    Args:
        values: `(batch, ...)`, float.
        sample_weight: one weight per value, or per leading axis of the values, `(batch,)` for one
            per sample. Default `None`, all 1.
        mask: booleans; values where it is False do not count. Default `None`, all count.
        reduction: `"sum_over_batch_size"` or `"mean"` (the default): the sum divided by the number
            of values, with a mask of those that count; `"mean_with_sample_weight"`: divided by the
            sum of the weights; `"sum"`; `"none"` or `None`: the weighted values as they are.
        dtype: of the result. Default `None`, that of the values.

    Returns:
        A scalar, or with reduction `"none"` an array of the shape of `values`.

    Raises:
        ValueError: an unknown reduction; weights or a mask that do not fit the values.

    Source: the same function inside Keras 3.

    >>> float(reduce_weighted_values(jnp.asarray([1.0, 3.0]), sample_weight=[1.0, 0.0]))
    0.5
    """
    reduction = standardize_reduction(reduction)
    values = jnp.asarray(values, dtype)
    weight = None
    if mask is not None:
        weight = _mask_weight(jnp.asarray(mask), reduction, values.dtype)
    if sample_weight is not None:
        sample_weight = jnp.asarray(sample_weight).astype(values.dtype)
        if weight is None:
            weight = sample_weight
        else:
            weight, sample_weight = _aligned("mask", weight, sample_weight)
            weight = weight * sample_weight
    if weight is not None:
        values, weight = _aligned("losses", values, weight)
        values = values * weight
    if reduction in ("none", None) or values.shape in ((), (0,)):
        return values
    total = jnp.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weight is not None:
        return _divide_or_zero(total, jnp.sum(weight))
    return total / max(values.size, 1)


def _mask_weight(mask: jax.Array, reduction: str | None, dtype: Any) -> jax.Array:
    """A mask as weights; for a mean, such that dividing by all divides by those that count."""
    if reduction in ("mean", "sum_over_batch_size"):
        share = _divide_or_zero(jnp.asarray(mask.size, dtype), jnp.sum(mask.astype(dtype)))
        return jnp.where(mask.astype(bool), share, jnp.zeros((), dtype))
    return mask.astype(dtype)


def _divide_or_zero(numerator: jax.Array, denominator: jax.Array) -> jax.Array:
    empty = denominator == 0
    return jnp.where(empty, 0, numerator / jnp.where(empty, 1, denominator))


def _aligned(what: str, values: jax.Array, weight: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Both with the same number of axes: weights for leading axes get axes of length 1 behind."""
    given = weight.shape
    values, weight = same_rank(values, weight)
    if 0 < weight.ndim < values.ndim:
        weight = weight.reshape(weight.shape + (1,) * (values.ndim - weight.ndim))
    shapes = values.shape, weight.shape
    # A loss that is one number for the whole batch has no axis to be wrong about.
    fits = not all(shapes) or (
        values.ndim == weight.ndim
        and all(a == b or 1 in (a, b) for a, b in zip(*shapes, strict=True))
    )
    if not fits:
        raise ValueError(
            f"sample_weight or mask of shape {given} does not fit {what} of shape "
            f"{values.shape}; give one weight per sample, {values.shape[:1]}, or one per element"
        )
    return values, weight
