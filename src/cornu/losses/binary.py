"""Cross-entropy of outputs that are each a probability of its own."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from cornu.losses.elementwise import inside, power
from cornu.losses.loss import LossFunctionWrapper
from cornu.losses.shapes import check_same, operands


def _smoothed(y_true: jax.Array, label_smoothing: float) -> jax.Array:
    if not label_smoothing:
        return y_true
    return y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing


def _crossentropy(y_true: jax.Array, y_pred: jax.Array) -> jax.Array:
    """Elementwise cross-entropy of probabilities, held off 0 and 1 by the fuzz factor."""
    y_pred = inside(y_pred)
    return -(y_true * jnp.log(y_pred) + (1.0 - y_true) * jnp.log(1.0 - y_pred))


def _crossentropy_of_logits(y_true: jax.Array, logits: jax.Array) -> jax.Array:
    """The same of log-odds: `-y log(sigmoid(x)) - (1 - y) log(sigmoid(-x))`.

    Both logarithms share `log(1 + exp(-abs(x)))`; what is left of each is exact, so that nothing
    cancels, in the value or the derivative, for large `x` on the right side.
    """
    shared = jnp.log1p(jnp.exp(-jnp.abs(logits)))
    return y_true * jnp.maximum(-logits, 0) + (1.0 - y_true) * jnp.maximum(logits, 0) + shared


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> jax.Array:
    """`mean(-y_true * log(y_pred) - (1 - y_true) * log(1 - y_pred))` over an axis.

    Args:
        y_true: 0 or 1, or probabilities, `(batch, ..., units)`.
        y_pred: probabilities, same shape; they are held between the fuzz factor
            `config.epsilon()` and 1 minus it.
        from_logits: whether `y_pred` are log-odds, that is, no sigmoid was applied. Default
            `False`.
        label_smoothing: from 0 to 1; how far targets are moved towards 0.5. Default 0.
        axis: the axis of the mean. Default -1.

    Returns:
        The shape without that axis, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that differ.

    Source: documentation of `keras.losses.binary_crossentropy`.

    >>> round(float(binary_crossentropy([[1.0, 0.0]], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    y_true, y_pred = operands(y_true, y_pred)
    check_same("binary_crossentropy", y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing)
    losses = (_crossentropy_of_logits if from_logits else _crossentropy)(y_true, y_pred)
    return jnp.mean(losses, axis=axis)


def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> jax.Array:
    """Binary cross-entropy times `(1 - p)**gamma`, `p` the probability given to the right class.

    Samples that are already right count less.

    Args:
        y_true: 0 or 1, or probabilities, `(batch, ..., units)`.
        y_pred: probabilities, same shape.
        apply_class_balancing: whether class 1 is weighted by `alpha` and class 0 by `1 - alpha`.
            Default `False`.
        alpha: weight of class 1. Default 0.25.
        gamma: how much less; 0 is plain cross-entropy. Default 2.
        from_logits: whether `y_pred` are log-odds. Default `False`.
        label_smoothing: from 0 to 1; how far targets are moved towards 0.5. Default 0.
        axis: the axis of the mean. Default -1.

    Returns:
        The shape without that axis, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that differ.

    Source: T. Lin et al., "Focal loss for dense object detection", https://arxiv.org/abs/1708.02002.

    >>> round(float(binary_focal_crossentropy([[1.0, 0.0]], [[0.5, 0.5]])[0]), 4)
    0.1733
    """
    y_true, y_pred = operands(y_true, y_pred)
    check_same("binary_focal_crossentropy", y_true, y_pred)
    y_true = _smoothed(y_true, label_smoothing)
    if from_logits:
        y_pred = jax.nn.sigmoid(y_pred)
    right = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    losses = power(1.0 - right, gamma) * _crossentropy(y_true, y_pred)
    if apply_class_balancing:
        losses = losses * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return jnp.mean(losses, axis=axis)


class BinaryCrossentropy(LossFunctionWrapper):
    """Cross-entropy of targets 0 or 1 and probabilities: for a sigmoid output.

    Args:
        from_logits: whether outputs are log-odds, that is, the last layer has no sigmoid. Default
            `False`.
        label_smoothing: from 0 to 1; how far targets are moved towards 0.5. Default 0.
        axis: the axis of the mean. Default -1.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"binary_crossentropy"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., units)`, see `Loss`.

    Source: documentation of `keras.losses.BinaryCrossentropy`.

    >>> round(float(BinaryCrossentropy(from_logits=True)([[1.0, 0.0]], [[0.0, 0.0]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            binary_crossentropy,
            name=name,
            reduction=reduction,
            dtype=dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Binary cross-entropy in which samples that are already right count less.

    Args:
        apply_class_balancing: whether class 1 is weighted by `alpha` and class 0 by `1 - alpha`.
            Default `False`.
        alpha: weight of class 1. Default 0.25.
        gamma: how much less; 0 is plain cross-entropy. Default 2.
        from_logits: whether outputs are log-odds. Default `False`.
        label_smoothing: from 0 to 1; how far targets are moved towards 0.5. Default 0.
        axis: the axis of the mean. Default -1.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"binary_focal_crossentropy"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., units)`, see `Loss`.

    Source: T. Lin et al., "Focal loss for dense object detection", https://arxiv.org/abs/1708.02002.

    >>> round(float(BinaryFocalCrossentropy()([[1.0, 0.0]], [[0.5, 0.5]])), 4)
    0.1733
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "binary_focal_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            binary_focal_crossentropy,
            name=name,
            reduction=reduction,
            dtype=dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.apply_class_balancing = apply_class_balancing
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
