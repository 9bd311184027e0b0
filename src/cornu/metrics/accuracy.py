"""How often predictions are right."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtypes import floatx
from cornu.losses.shapes import check_elementwise, same_rank
from cornu.metrics.reduction import _FunctionMean


def accuracy(y_true, y_pred) -> jax.Array:
    """1 where the prediction equals the label, 0 elsewhere.

    Args:
        y_true: labels of shape `(batch, ...)`.
        y_pred: predictions of the same shape.

    Returns:
        Zeros and ones of that shape, in the default float type.

    >>> accuracy(np.array([1, 2]), np.array([1, 3])).tolist()
    [1.0, 0.0]
    """
    y_pred = jnp.asarray(y_pred)
    y_true, y_pred = same_rank(jnp.asarray(y_true, y_pred.dtype), y_pred)
    check_elementwise("accuracy", y_true, y_pred)
    return (y_true == y_pred).astype(floatx())


def binary_accuracy(y_true, y_pred, threshold: float = 0.5) -> jax.Array:
    """1 where the prediction is on the label's side of a threshold, 0 elsewhere.

    Args:
        y_true: labels 0 or 1 of shape `(batch, ...)`.
        y_pred: probabilities of the same shape (or logits, with `threshold=0`).
        threshold: greater predictions mean 1, others 0; 0.5 by default.

    Returns:
        Zeros and ones of that shape, in the default float type.

    Raises:
        ValueError: shapes that do not fit each other.

    >>> binary_accuracy(np.array([1, 1, 0]), np.array([0.9, 0.4, 0.2])).tolist()
    [1.0, 0.0, 1.0]
    """
    y_true, y_pred = same_rank(jnp.asarray(y_true), jnp.asarray(y_pred))
    check_elementwise("binary_accuracy", y_true, y_pred)
    # a typed threshold: predictions in half precision are compared with 0.3, not with its rounding
    return (y_true == (y_pred > np.asarray(threshold, floatx()))).astype(floatx())


def categorical_accuracy(y_true, y_pred) -> jax.Array:
    """1 where the highest score is that of the one-hot label, 0 elsewhere.

    Args:
        y_true: one-hot labels (or label probabilities) of shape `(batch, ..., classes)`.
        y_pred: probabilities or logits of the same shape.

    Returns:
        Zeros and ones of shape `(batch, ...)`, in the default float type.

    Raises:
        ValueError: labels without a class axis of that size.

    >>> scores = np.array([[0.1, 0.9], [0.8, 0.2]])
    >>> categorical_accuracy(np.array([[0, 1], [0, 1]]), scores).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    _need_one_hot("categorical_accuracy", y_true, y_pred)
    label = jnp.argmax(y_true, axis=-1)
    if label.ndim == y_pred.ndim:  # labels (batch, 1, classes) of predictions (batch, classes)
        return _is_first(label[..., 0], y_pred).reshape(label.shape)
    return _is_first(label, y_pred)


def sparse_categorical_accuracy(y_true, y_pred) -> jax.Array:
    """1 where the highest score is that of the integer label, 0 elsewhere.

    Args:
        y_true: integer labels of shape `(batch, ...)` or `(batch, ..., 1)`.
        y_pred: probabilities or logits of shape `(batch, ..., classes)`.

    Returns:
        Zeros and ones of shape `(batch, ...)`, in the default float type.

    Raises:
        ValueError: labels with a class axis, or of another shape than the predictions.

    >>> sparse_categorical_accuracy(np.array([1, 0]), np.array([[0.1, 0.9], [0.2, 0.8]])).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    squeezed = y_true.ndim == y_pred.ndim and y_true.shape[-1] == 1
    label = y_true[..., 0] if squeezed else y_true
    _need_integers("sparse_categorical_accuracy", y_true, label, y_pred)
    matches = _is_first(label, y_pred)
    if not squeezed and matches.ndim > 1 and matches.shape[-1] == 1:
        matches = matches[..., 0]
    return matches


class Accuracy(_FunctionMean):
    """How often predictions equal labels.

    `update_state(y_true, y_pred, sample_weight=None)`: see `accuracy`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> metric = Accuracy()
    >>> metric.update_state(np.array([1, 2, 3, 4]), np.array([0, 2, 3, 4]))
    >>> float(metric.result())
    0.75
    """

    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype=None):
        super().__init__(accuracy, name, dtype)


class BinaryAccuracy(_FunctionMean):
    """How often predictions are on the side of a threshold that labels 0 and 1 say.

    `update_state(y_true, y_pred, sample_weight=None)`: see `binary_accuracy`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.
        threshold: greater predictions mean 1, others 0; 0.5 by default (0 for logits).

    >>> metric = BinaryAccuracy()
    >>> metric.update_state(np.array([[1], [1], [0], [0]]), np.array([[0.98], [1], [0], [0.6]]))
    >>> float(metric.result())
    0.75
    """

    _direction = "up"

    def __init__(self, name: str | None = "binary_accuracy", dtype=None, threshold: float = 0.5):
        super().__init__(binary_accuracy, name, dtype, threshold=threshold)
        self.threshold = threshold


class CategoricalAccuracy(_FunctionMean):
    """How often the highest score is that of the one-hot label.

    `update_state(y_true, y_pred, sample_weight=None)`: see `categorical_accuracy`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> metric = CategoricalAccuracy()
    >>> metric.update_state(np.eye(2), np.array([[0.1, 0.9], [0.3, 0.7]]))
    >>> float(metric.result())
    0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype=None):
        super().__init__(categorical_accuracy, name, dtype)


class SparseCategoricalAccuracy(_FunctionMean):
    """How often the highest score is that of the integer label.

    `update_state(y_true, y_pred, sample_weight=None)`: see `sparse_categorical_accuracy`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> metric = SparseCategoricalAccuracy()
    >>> metric.update_state(np.array([2, 1]), np.array([[0.1, 0.6, 0.3], [0.05, 0.95, 0]]))
    >>> float(metric.result())
    0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype=None):
        super().__init__(sparse_categorical_accuracy, name, dtype)


def _is_first(label, scores) -> jax.Array:
    """Whether `argmax(scores, -1)` is the label: 1 or 0 for each row, in the default float type.

    Counts the scores that argmax would prefer to the label's: higher ones, and equal ones before
    it. On CPU that is one vectorized pass, about ten times faster than XLA's argmax over 1,000
    classes, and no slower over ten.
    """
    index = label.astype(jnp.int32)
    if jnp.issubdtype(scores.dtype, jnp.floating):
        scores = jnp.where(jnp.isnan(scores), jnp.inf, scores)  # argmax takes the first NaN
    index = jnp.broadcast_to(index, scores.shape[:-1])[..., None]
    own = jnp.take_along_axis(scores, index, axis=-1, mode="clip")
    position = np.arange(scores.shape[-1], dtype=np.int32)
    preferred = jnp.where(position < index, scores >= own, scores > own)
    right = ~jnp.any(preferred, axis=-1) & (index[..., 0] >= 0)
    if not jnp.issubdtype(label.dtype, jnp.integer):
        right &= index[..., 0] == label  # a label of 1.5 is no class
    return right.astype(floatx())


def _need_one_hot(owner: str, y_true, y_pred) -> None:
    labels = y_true.shape
    if len(labels) == y_pred.ndim + 1 and labels[-2] == 1:
        labels = (*labels[:-2], labels[-1])
    if len(labels) != y_pred.ndim or not labels or labels[-1] != y_pred.shape[-1]:
        raise ValueError(
            f"{owner}: expected one-hot labels of the same shape as the predictions, "
            f"{y_pred.shape}, received y_true of shape {y_true.shape}; for integer labels use "
            f"sparse_{owner} ('accuracy' chooses by itself)"
        )
    check_elementwise(owner, y_true.reshape(labels), y_pred)


def _need_integers(owner: str, y_true, label, y_pred) -> None:
    try:
        fits = (
            label.ndim == y_pred.ndim - 1
            and np.broadcast_shapes(label.shape, y_pred.shape[:-1]) == y_pred.shape[:-1]
        )
    except ValueError:
        fits = False
    if not fits:
        dense = owner.removeprefix("sparse_")
        one_hot = y_true.shape == y_pred.shape
        raise ValueError(
            f"{owner}: expected integer labels of shape {y_pred.shape[:-1]} for predictions of "
            f"shape {y_pred.shape}, received y_true of shape {y_true.shape}"
            + (f"; for one-hot labels use {dense}" if one_hot else "")
            + " ('accuracy' chooses by itself)"
        )
