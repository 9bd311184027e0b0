"""Cross-entropy of one-hot targets and a probability for each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.reporting import warn
from cornu.losses.elementwise import inside, power
from cornu.losses.loss import LossFunctionWrapper
from cornu.losses.shapes import check_one_hot, operands


def _prepared(
    name: str, y_true: Any, y_pred: Any, label_smoothing: float, axis: int
) -> tuple[jax.Array, jax.Array]:
    if isinstance(axis, bool):
        raise ValueError(f"{name}(axis={axis!r}): axis must be an integer")
    y_true, y_pred = operands(y_true, y_pred)
    check_one_hot(name, y_true, y_pred, axis)
    classes = y_pred.shape[axis]
    if classes == 1:
        # the same text for every size of batch, so that it is printed once
        shape = ", ".join(map(str, (None, *y_pred.shape[1:])))
        warn(
            f"{name}: the outputs of shape ({shape}) have one class, whose probability is "
            "always 1. For two classes and one output use binary_crossentropy",
            SyntaxWarning,
        )
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / classes
    return y_true, y_pred


def _normalized(probabilities: jax.Array, axis: int) -> jax.Array:
    """Divided by their sum, and held off 0 and 1."""
    return inside(probabilities / jnp.sum(probabilities, axis=axis, keepdims=True))


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> jax.Array:
    """`-sum(y_true * log(y_pred))` over the classes.

    Args:
        y_true: one-hot classes, or probabilities, `(batch, ..., classes)`.
        y_pred: probabilities, same shape; they are divided by their sum and held between the fuzz
            factor `config.epsilon()` and 1 minus it.
        from_logits: whether `y_pred` are logits, that is, no softmax was applied. Default `False`.
        label_smoothing: from 0 to 1; the share of the target that is spread evenly over the
            classes. Default 0.
        axis: the axis of classes. Default -1.

    Returns:
        The shape without that axis, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that differ; targets that are class numbers.

    Source: documentation of `keras.losses.categorical_crossentropy`.

    >>> round(float(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.6931
    """
    y_true, y_pred = _prepared("categorical_crossentropy", y_true, y_pred, label_smoothing, axis)
    if from_logits:
        log_probabilities = jax.nn.log_softmax(y_pred, axis=axis)
    else:
        log_probabilities = jnp.log(_normalized(y_pred, axis))
    return -jnp.sum(y_true * log_probabilities, axis=axis)


def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> jax.Array:
    """Categorical cross-entropy, each class's term times `alpha * (1 - p)**gamma`.

    Samples that are already right count less.

    Args:
        y_true: one-hot classes, or probabilities, `(batch, ..., classes)`.
        y_pred: probabilities, same shape.
        alpha: weight of every class, or one for each. Default 0.25.
        gamma: how much less; 0 is plain, weighted cross-entropy. Default 2.
        from_logits: whether `y_pred` are logits. Default `False`.
        label_smoothing: from 0 to 1; the share of the target that is spread evenly over the
            classes. Default 0.
        axis: the axis of classes. Default -1.

    Returns:
        The shape without that axis, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that differ; targets that are class numbers.

    Source: T. Lin et al., "Focal loss for dense object detection", https://arxiv.org/abs/1708.02002.

    >>> round(float(categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
    0.0433
    """
    name = "categorical_focal_crossentropy"
    y_true, y_pred = _prepared(name, y_true, y_pred, label_smoothing, axis)
    if from_logits:
        y_pred = jax.nn.softmax(y_pred, axis=axis)
    p = _normalized(y_pred, axis)
    weight = power(1.0 - p, gamma) * jnp.asarray(alpha, p.dtype)
    return jnp.sum(weight * -y_true * jnp.log(p), axis=axis)


class CategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of one-hot targets and probabilities: for a softmax output.

    Args:
        from_logits: whether outputs are logits, that is, the last layer has no softmax. Default
            `False`.
        label_smoothing: from 0 to 1; the share of the target that is spread evenly over the
            classes. Default 0.
        axis: the axis of classes. Default -1.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"categorical_crossentropy"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., classes)`, see `Loss`. For targets that are class
    numbers there is `SparseCategoricalCrossentropy`.

    Source: documentation of `keras.losses.CategoricalCrossentropy`.

    >>> round(float(CategoricalCrossentropy(from_logits=True)([[0.0, 1.0]], [[3.0, 3.0]])), 4)
    0.6931
    """

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            categorical_crossentropy,
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


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Categorical cross-entropy in which samples that are already right count less.

    Args:
        alpha: weight of every class, or one for each. Default 0.25.
        gamma: how much less; 0 is plain, weighted cross-entropy. Default 2.
        from_logits: whether outputs are logits. Default `False`.
        label_smoothing: from 0 to 1; the share of the target that is spread evenly over the
            classes. Default 0.
        axis: the axis of classes. Default -1.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"categorical_focal_crossentropy"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., classes)`, see `Loss`.

    Source: T. Lin et al., "Focal loss for dense object detection", https://arxiv.org/abs/1708.02002.

    >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 4)
    0.0433
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_focal_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            categorical_focal_crossentropy,
            name=name,
            reduction=reduction,
            dtype=dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.alpha = alpha
        self.gamma = gamma
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis
