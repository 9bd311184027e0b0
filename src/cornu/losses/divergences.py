"""Losses between distributions and directions: Kullback-Leibler, Poisson, cosine similarity."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.dtypes import epsilon
from cornu.losses.loss import LossFunctionWrapper
from cornu.losses.shapes import check_elementwise, operands, same_rank


def kl_divergence(y_true: Any, y_pred: Any) -> jax.Array:
    """`sum(y_true * log(y_true / y_pred))` over the last axis.

    Both are held between the fuzz factor `config.epsilon()` and 1.

    Args:
        y_true: target probabilities, `(batch, ..., classes)`.
        y_pred: output probabilities, same shape.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.kl_divergence`.

    >>> round(float(kl_divergence([[1.0, 0.0]], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    y_true, y_pred = operands(y_true, y_pred)
    check_elementwise("kl_divergence", y_true, y_pred)
    y_true = jnp.clip(y_true, epsilon(), 1)
    y_pred = jnp.clip(y_pred, epsilon(), 1)
    return jnp.sum(y_true * jnp.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> jax.Array:
    """`mean(y_pred - y_true * log(y_pred + epsilon))` over the last axis.

    It is, up to a constant, the negative log-likelihood of counts under a Poisson distribution.

    Args:
        y_true: target counts, `(batch, ..., units)`.
        y_pred: output rates, positive, same shape.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.poisson`.

    >>> round(float(poisson([[3.0]], [[1.0]])[0]), 4)
    1.0
    """
    y_true, y_pred = operands(y_true, y_pred)
    check_elementwise("poisson", y_true, y_pred)
    return jnp.mean(y_pred - y_true * jnp.log(y_pred + epsilon()), axis=-1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> jax.Array:
    """The negated cosine of the angle between targets and outputs: -1 where they point alike.

    Args:
        y_true: targets, `(batch, ..., units)`.
        y_pred: outputs, same shape.
        axis: the axis that holds the vectors. Default -1.

    Returns:
        From -1 to 1, the shape without that axis, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.cosine_similarity`.

    >>> cosine_similarity([[0.0, 1.0]], [[0.0, 2.0]]).tolist()
    [-1.0]
    """
    y_true, y_pred = same_rank(*operands(y_true, y_pred))
    check_elementwise("cosine_similarity", y_true, y_pred)
    return -jnp.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


def _unit(x: jax.Array, axis: int) -> jax.Array:
    """Vectors of length 1; those shorter than epsilon are only multiplied by 1 / epsilon."""
    square = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
    short = square <= epsilon() ** 2
    # The inner where keeps derivatives finite. A vector of zeros has no direction, and none to
    # move in: its derivative is 0.
    scale = jnp.where(short, 1 / epsilon(), jax.lax.rsqrt(jnp.where(short, 1, square)))
    return x * jnp.where(square == 0, 0, scale)


class KLDivergence(LossFunctionWrapper):
    """Kullback-Leibler divergence of the outputs from the targets.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"kl_divergence"`.
        dtype: as for `Loss`. Default `None`.

    Called with probabilities `(batch, ..., classes)`, see `Loss`.

    Source: documentation of `keras.losses.KLDivergence`.

    >>> round(float(KLDivergence()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
    0.6931
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "kl_divergence",
        dtype: Any = None,
    ):
        super().__init__(kl_divergence, name=name, reduction=reduction, dtype=dtype)


class Poisson(LossFunctionWrapper):
    """`y_pred - y_true * log(y_pred)`, for outputs that are the rates of counts.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"poisson"`.
        dtype: as for `Loss`. Default `None`.

    Called with counts and positive rates `(batch, ..., units)`, see `Loss`.

    Source: documentation of `keras.losses.Poisson`.

    >>> round(float(Poisson()([[3.0]], [[1.0]])), 4)
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "poisson",
        dtype: Any = None,
    ):
        super().__init__(poisson, name=name, reduction=reduction, dtype=dtype)


class CosineSimilarity(LossFunctionWrapper):
    """The negated cosine of the angle between targets and outputs.

    Args:
        axis: the axis that holds the vectors. Default -1.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"cosine_similarity"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., units)`, see `Loss`.

    Source: documentation of `keras.losses.CosineSimilarity`.

    >>> float(CosineSimilarity()([[0.0, 1.0]], [[0.0, 2.0]]))
    -1.0
    """

    defaults_left_out = {"axis": -1}

    def __init__(
        self,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "cosine_similarity",
        dtype: Any = None,
    ):
        super().__init__(cosine_similarity, name=name, reduction=reduction, dtype=dtype, axis=axis)
        self.axis = axis
