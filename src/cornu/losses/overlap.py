"""Losses of segmentation: how little two regions overlap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.dtypes import epsilon
from cornu.losses.loss import LossFunctionWrapper
from cornu.losses.shapes import check_elementwise, operands


def dice(y_true: Any, y_pred: Any, axis: int | Sequence[int] | None = None) -> jax.Array:
    """`1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred))`.

    Args:
        y_true: 0 or 1, or probabilities, `(batch, ...)`.
        y_pred: probabilities, same shape.
        axis: the axis, or axes, of the sums; `[1, 2, 3]` for one loss per image. Default `None`,
            all of them, which gives one loss for the whole batch.

    Returns:
        The shape without those axes, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: F. Milletari et al., "V-Net", https://arxiv.org/abs/1606.04797.

    >>> round(float(dice([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333
    """
    y_true, y_pred = operands(y_true, y_pred)
    check_elementwise("dice", y_true, y_pred)
    axes = _axes(axis)
    overlap = jnp.sum(y_true * y_pred, axis=axes)
    total = jnp.sum(y_true, axis=axes) + jnp.sum(y_pred, axis=axes)
    return 1 - 2.0 * overlap / (total + epsilon())


def tversky(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: int | Sequence[int] | None = None,
) -> jax.Array:
    """`1 - tp / (tp + alpha * a + beta * b)`: Dice's loss with a weight for each kind of error.

    `tp` is `sum(y_true * y_pred)`, `a` is `sum(y_true * (1 - y_pred))`, which Keras calls false
    positives, and `b` is `sum((1 - y_true) * y_pred)`, which it calls false negatives.

    Args:
        y_true: 0 or 1, or probabilities, `(batch, ...)`.
        y_pred: probabilities, same shape.
        alpha: weight of what is missing in `y_pred`. Default 0.5.
        beta: weight of what is too much in `y_pred`. Default 0.5.
        axis: the axis, or axes, of the sums. Default `None`, all of them.

    Returns:
        The shape without those axes, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: S. Salehi et al., "Tversky loss function for image segmentation using 3D fully
    convolutional deep networks", https://arxiv.org/abs/1706.05721.

    >>> round(float(tversky([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333
    """
    y_true, y_pred = operands(y_true, y_pred)
    check_elementwise("tversky", y_true, y_pred)
    axes = _axes(axis)
    overlap = jnp.sum(y_true * y_pred, axis=axes)
    missing = jnp.sum(y_true * (1 - y_pred), axis=axes)
    too_much = jnp.sum((1 - y_true) * y_pred, axis=axes)
    return 1 - overlap / (overlap + missing * alpha + too_much * beta + epsilon())


def _axes(axis: int | Sequence[int] | None) -> int | tuple[int, ...] | None:
    return axis if axis is None or isinstance(axis, int) else tuple(axis)


class Dice(LossFunctionWrapper):
    """1 minus the Dice coefficient of targets and outputs, for segmentation.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"dice"`.
        axis: the axis, or axes, of the sums; `[1, 2, 3]` for one loss per image. Default `None`,
            all of them.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ...)` between 0 and 1, see `Loss`.

    Source: F. Milletari et al., "V-Net", https://arxiv.org/abs/1606.04797.

    >>> round(float(Dice()([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "dice",
        axis: int | Sequence[int] | None = None,
        dtype: Any = None,
    ):
        super().__init__(dice, name=name, reduction=reduction, dtype=dtype, axis=axis)
        self.axis = axis


class Tversky(LossFunctionWrapper):
    """Dice's loss with a weight for what is missing and one for what is too much.

    Args:
        alpha: weight of what is missing in the outputs. Default 0.5.
        beta: weight of what is too much in the outputs. Default 0.5.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"tversky"`.
        axis: the axis, or axes, of the sums. Default `None`, all of them.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ...)` between 0 and 1, see `Loss`.

    Source: S. Salehi et al., https://arxiv.org/abs/1706.05721.

    >>> round(float(Tversky()([1.0, 1.0, 0.0], [1.0, 0.0, 0.0])), 4)
    0.3333
    """

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "tversky",
        axis: int | Sequence[int] | None = None,
        dtype: Any = None,
    ):
        super().__init__(
            tversky, name=name, reduction=reduction, dtype=dtype, alpha=alpha, beta=beta, axis=axis
        )
        self.alpha = alpha
        self.beta = beta
        self.axis = axis
