"""Hinge losses: no loss once an output is on the right side by a margin."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from cornu.losses.loss import LossFunctionWrapper
from cornu.losses.shapes import check_elementwise, check_one_hot, operands


def hinge(y_true: Any, y_pred: Any) -> jax.Array:
    """`mean(max(1 - y_true * y_pred, 0))` over the last axis.

    Args:
        y_true: -1 or 1, `(batch, ..., units)`; targets that are all 0 or 1 are taken as -1 and 1.
        y_pred: outputs, same shape.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.hinge`.

    >>> hinge([[-1.0, 1.0]], [[0.5, 2.0]]).tolist()
    [0.75]
    """
    return jnp.mean(_shortfall("hinge", y_true, y_pred), axis=-1)


def squared_hinge(y_true: Any, y_pred: Any) -> jax.Array:
    """`mean(max(1 - y_true * y_pred, 0)**2)` over the last axis.

    Args:
        y_true: -1 or 1, `(batch, ..., units)`; targets that are all 0 or 1 are taken as -1 and 1.
        y_pred: outputs, same shape.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.squared_hinge`.

    >>> squared_hinge([[-1.0, 1.0]], [[0.5, 2.0]]).tolist()
    [1.125]
    """
    return jnp.mean(jnp.square(_shortfall("squared_hinge", y_true, y_pred)), axis=-1)


def _shortfall(name: str, y_true: Any, y_pred: Any) -> jax.Array:
    y_true, y_pred = operands(y_true, y_pred)
    check_elementwise(name, y_true, y_pred)
    zero_or_one = jnp.all((y_true == 0) | (y_true == 1))
    y_true = jnp.where(zero_or_one, 2.0 * y_true - 1.0, y_true)
    return jnp.maximum(1.0 - y_true * y_pred, 0.0)


def categorical_hinge(y_true: Any, y_pred: Any) -> jax.Array:
    """`max(neg - pos + 1, 0)`: the right class's output should exceed the others' by 1.

    `pos` is `sum(y_true * y_pred)`, `neg` is `max((1 - y_true) * y_pred)`.

    Args:
        y_true: one-hot classes, `(batch, ..., classes)`.
        y_pred: outputs, same shape.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.categorical_hinge`.

    >>> categorical_hinge([[0.0, 1.0]], [[0.25, 0.5]]).tolist()
    [0.75]
    """
    y_true, y_pred = operands(y_true, y_pred)
    check_one_hot("categorical_hinge", y_true, y_pred, -1)
    pos = jnp.sum(y_true * y_pred, axis=-1)
    neg = jnp.max((1.0 - y_true) * y_pred, axis=-1)
    return jnp.maximum(neg - pos + 1.0, 0.0)


class Hinge(LossFunctionWrapper):
    """The mean of `max(1 - y_true * y_pred, 0)`.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"hinge"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets -1 or 1 (or all 0 or 1) and outputs `(batch, ..., units)`, see `Loss`.

    Source: documentation of `keras.losses.Hinge`.

    >>> float(Hinge()([[-1.0, 1.0]], [[0.5, 2.0]]))
    0.75
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "hinge",
        dtype: Any = None,
    ):
        super().__init__(hinge, name=name, reduction=reduction, dtype=dtype)


class SquaredHinge(LossFunctionWrapper):
    """The mean of `max(1 - y_true * y_pred, 0)**2`.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"squared_hinge"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets -1 or 1 (or all 0 or 1) and outputs `(batch, ..., units)`, see `Loss`.

    Source: documentation of `keras.losses.SquaredHinge`.

    >>> float(SquaredHinge()([[-1.0, 1.0]], [[0.5, 2.0]]))
    1.125
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "squared_hinge",
        dtype: Any = None,
    ):
        super().__init__(squared_hinge, name=name, reduction=reduction, dtype=dtype)


class CategoricalHinge(LossFunctionWrapper):
    """By how much the right class's output fails to exceed the others' by 1.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"categorical_hinge"`.
        dtype: as for `Loss`. Default `None`.

    Called with one-hot targets and outputs `(batch, ..., classes)`, see `Loss`.

    Source: documentation of `keras.losses.CategoricalHinge`.

    >>> float(CategoricalHinge()([[0.0, 1.0]], [[0.25, 0.5]]))
    0.75
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_hinge",
        dtype: Any = None,
    ):
        super().__init__(categorical_hinge, name=name, reduction=reduction, dtype=dtype)
