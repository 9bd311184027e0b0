"""Losses of targets that are class numbers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from cornu.losses.elementwise import inside, power
from cornu.losses.loss import LossFunctionWrapper, counts_where
from cornu.losses.shapes import as_floats


def _class_numbers(name: str, y_true: Any, y_pred: jax.Array, axis: int) -> jax.Array:
    """Targets as int32, one for each position of the outputs without their axis of classes."""
    y_true = jnp.asarray(y_true)
    if not y_pred.ndim:
        raise ValueError(f"{name}: outputs must have an axis of classes, received a single number")
    axis %= y_pred.ndim
    wanted = y_pred.shape[:axis] + y_pred.shape[axis + 1 :]
    shape = y_true.shape
    if len(shape) == y_pred.ndim:
        if shape[axis] == 1:
            y_true = jnp.squeeze(y_true, axis)
        elif shape[-1] == 1:
            y_true = y_true[..., 0]
    if y_true.shape != wanted:
        classes = y_pred.shape[axis]
        fix = f"Reshape the targets to {wanted}: one class number for each row of outputs"
        if len(shape) == y_pred.ndim and shape[axis] > 1:
            fix = (
                "They look one-hot: use the loss 'categorical_crossentropy', or turn them into "
                f"class numbers with y.argmax({axis - y_pred.ndim})"
            )
            if shape[axis] != classes:
                fix += f"; and give the last layer {shape[axis]} units"
        elif shape[:1] != wanted[:1] and shape:
            fix = f"There are targets for {shape[0]} samples and outputs for {wanted[0]}"
        raise ValueError(
            f"{name}: targets of shape {shape} do not fit outputs of shape {y_pred.shape}, which "
            f"hold {classes} classes. {fix}"
        )
    return y_true.astype("int32")


def _of_class(values: jax.Array, classes: jax.Array, axis: int) -> jax.Array:
    """The value of each row at its class; of a number out of range, that of the nearest class."""
    index = jnp.expand_dims(classes, axis)
    return jnp.squeeze(jnp.take_along_axis(values, index, axis, mode="clip"), axis)


def _where_known(classes: jax.Array, count: int, values: jax.Array, other: Any) -> jax.Array:
    return jnp.where((classes >= 0) & (classes < count), values, other)


def _is_counted(
    y_true: Any, y_pred: Any, losses: jax.Array, ignore_class: int | None = None, **_: Any
) -> jax.Array | None:
    if ignore_class is None:
        return None
    return jnp.reshape(jnp.asarray(y_true) != ignore_class, losses.shape)


@counts_where(_is_counted)
def sparse_categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    ignore_class: int | None = None,
    axis: int = -1,
) -> jax.Array:
    """`-log(y_pred[class])`: the cross-entropy of targets that are class numbers.

    Args:
        y_true: class numbers from 0 on, of any dtype, `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: probabilities, `(batch, ..., classes)`; they are divided by their sum and held
            between the fuzz factor `config.epsilon()` and 1 minus it.
        from_logits: whether `y_pred` are logits, that is, no softmax was applied. Default `False`.
        ignore_class: class number whose samples have loss 0. Default `None`.
        axis: the axis of classes of `y_pred`. Default -1.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`. As in Keras, a class number out of range has loss
        0.

    Raises:
        ValueError: shapes that do not fit; targets that are one-hot.

    Source: documentation of `keras.losses.sparse_categorical_crossentropy`.

    >>> losses = sparse_categorical_crossentropy([0, 1], [[0.5, 0.5], [0.75, 0.25]])
    >>> [round(float(loss), 4) for loss in losses]
    [0.6931, 1.3863]
    """
    y_pred = as_floats(y_pred)
    classes = _class_numbers("sparse_categorical_crossentropy", y_true, y_pred, axis)
    # Only the class's own entry needs a logarithm: half the time of a product with one-hot rows,
    # with the same rounding.
    if from_logits:
        largest = jax.lax.stop_gradient(jnp.max(y_pred, axis=axis, keepdims=True))
        shifted = y_pred - largest
        total = jnp.log(jnp.sum(jnp.exp(shifted), axis=axis))
        losses = total - _of_class(shifted, classes, axis)
    else:
        probability = _of_class(y_pred, classes, axis) / jnp.sum(y_pred, axis=axis)
        losses = -jnp.log(inside(probability))
    losses = _where_known(classes, y_pred.shape[axis], losses, 0)
    return losses if ignore_class is None else jnp.where(classes != ignore_class, losses, 0)


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> jax.Array:
    """`(1 - y_pred[class]**q) / q`: between cross-entropy and absolute error, for noisy labels.

    Args:
        y_true: class numbers from 0 on, `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: probabilities, `(batch, ..., classes)`.
        q: from 0 (cross-entropy) to 1 (absolute error), neither included.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit; targets that are one-hot.

    Source: Z. Zhang, M. Sabuncu, https://arxiv.org/abs/1805.07836.

    >>> categorical_generalized_cross_entropy([0], [[0.25, 0.75]], q=0.5).tolist()
    [1.0]
    """
    y_pred = as_floats(y_pred)
    classes = _class_numbers("categorical_generalized_cross_entropy", y_true, y_pred, -1)
    losses = (1.0 - power(_of_class(y_pred, classes, -1), q)) / q
    return _where_known(classes, y_pred.shape[-1], losses, 1 / q)


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Cross-entropy of class numbers and probabilities: for a softmax output.

    Args:
        from_logits: whether outputs are logits, that is, the last layer has no softmax. Default
            `False`.
        ignore_class: class number whose samples do not count, in the mean either. Default `None`.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        axis: the axis of classes. Default -1.
        name: default `"sparse_categorical_crossentropy"`.
        dtype: as for `Loss`. Default `None`.

    Called with class numbers `(batch, ...)` or `(batch, ..., 1)` and outputs
    `(batch, ..., classes)`, see `Loss`. For one-hot targets there is `CategoricalCrossentropy`.

    Source: documentation of `keras.losses.SparseCategoricalCrossentropy`.

    >>> round(float(SparseCategoricalCrossentropy()([0, 1], [[0.5, 0.5], [0.5, 0.5]])), 4)
    0.6931
    """

    defaults_left_out = {"axis": -1}

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
    ):
        super().__init__(
            sparse_categorical_crossentropy,
            name=name,
            reduction=reduction,
            dtype=dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """A loss between cross-entropy and absolute error, which wrong labels disturb less.

    Args:
        q: from 0 (cross-entropy) to 1 (absolute error), neither included. Default 0.5.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"categorical_generalized_cross_entropy"`.
        dtype: as for `Loss`. Default `None`.

    Called with class numbers `(batch, ...)` and probabilities `(batch, ..., classes)`, see `Loss`.

    Raises:
        ValueError: a `q` that is not between 0 and 1.

    Source: Z. Zhang, M. Sabuncu, https://arxiv.org/abs/1805.07836.

    >>> float(CategoricalGeneralizedCrossEntropy()([0], [[0.25, 0.75]]))
    1.0
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ):
        if not 0 < q < 1:
            raise ValueError(
                f"CategoricalGeneralizedCrossEntropy(q={q!r}): q must be between 0 and 1"
            )
        super().__init__(
            categorical_generalized_cross_entropy,
            name=name,
            reduction=reduction,
            dtype=dtype,
            q=q,
        )
        self.q = q
