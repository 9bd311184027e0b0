"""How often the label is among the highest scores."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from cornu.core.dtypes import floatx
from cornu.metrics.reduction import _FunctionMean


def top_k_categorical_accuracy(y_true, y_pred, k: int = 5) -> jax.Array:
    """1 where the one-hot label's score is among the `k` highest, 0 elsewhere.

    Args:
        y_true: one-hot labels of shape `(batch, ..., classes)`.
        y_pred: probabilities or logits of the same shape.
        k: how many of the highest scores count, 5 by default.

    Returns:
        Zeros and ones of shape `(batch, ...)`, in the default float type.

    Raises:
        ValueError: labels that are not one-hot of that shape.

    >>> import numpy as np
    >>> scores = np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    >>> top_k_categorical_accuracy(np.eye(3)[[1, 2]], scores, k=2).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    if y_true.ndim == 0 or y_true.shape[-1] != y_pred.shape[-1]:
        raise ValueError(
            f"top_k_categorical_accuracy: expected one-hot labels of the shape of the predictions, "
            f"{y_pred.shape}, received y_true of shape {y_true.shape}; for integer labels use "
            "sparse_top_k_categorical_accuracy"
        )
    return _in_top_k("top_k_categorical_accuracy", jnp.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(
    y_true, y_pred, k: int = 5, from_sorted_ids: bool = False
) -> jax.Array:
    """1 where the integer label's score is among the `k` highest, 0 elsewhere.

    Args:
        y_true: integer labels of shape `(batch, ...)`.
        y_pred: probabilities or logits of shape `(batch, ..., classes)`; with `from_sorted_ids`,
            class numbers of shape `(batch, ..., at least k)`, the likeliest first.
        k: how many of the highest scores count, 5 by default.
        from_sorted_ids: whether `y_pred` holds class numbers rather than scores.

    Returns:
        Zeros and ones of the shape of `y_true`, in the default float type.

    Raises:
        ValueError: labels of another shape than the predictions.

    >>> import numpy as np
    >>> scores = np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    >>> sparse_top_k_categorical_accuracy(np.array([1, 2]), scores, k=2).tolist()
    [1.0, 0.0]
    """
    y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
    owner = "sparse_top_k_categorical_accuracy"
    if not from_sorted_ids:
        return _in_top_k(owner, y_true.astype(jnp.int32), y_pred, k)
    label, best = _rows(owner, y_true.astype(y_pred.dtype), y_pred)
    matches = jnp.any(label[:, None] == best[:, :k], axis=1)
    return matches.astype(floatx()).reshape(y_true.shape)


class TopKCategoricalAccuracy(_FunctionMean):
    """How often the one-hot label's score is among the `k` highest.

    `update_state(y_true, y_pred, sample_weight=None)`: see `top_k_categorical_accuracy`.

    Args:
        k: how many of the highest scores count, 5 by default.
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> import numpy as np
    >>> metric = TopKCategoricalAccuracy(k=1)
    >>> metric.update_state(np.array([[0, 0, 1], [0, 1, 0]]),
    ...                     np.array([[0.1, 0.9, 0.8], [0.05, 0.95, 0]]))
    >>> float(metric.result())
    0.5
    """

    _direction = "up"

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype=None):
        super().__init__(top_k_categorical_accuracy, name, dtype, k=k)
        self.k = k


class SparseTopKCategoricalAccuracy(_FunctionMean):
    """How often the integer label's score is among the `k` highest.

    `update_state(y_true, y_pred, sample_weight=None)`: see `sparse_top_k_categorical_accuracy`.

    Args:
        k: how many of the highest scores count, 5 by default.
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.
        from_sorted_ids: whether predictions are class numbers, the likeliest first, not scores.

    >>> import numpy as np
    >>> metric = SparseTopKCategoricalAccuracy(k=1)
    >>> metric.update_state(np.array([2, 1]), np.array([[0.1, 0.9, 0.8], [0.05, 0.95, 0]]))
    >>> float(metric.result())
    0.5
    """

    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype=None,
        from_sorted_ids: bool = False,
    ):
        super().__init__(
            sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )
        self.k = k
        self.from_sorted_ids = from_sorted_ids

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        config = super().get_config()
        if not self.from_sorted_ids:  # Keras writes it only where it says something
            del config["from_sorted_ids"]
        return config


def _in_top_k(owner: str, label, scores, k: int) -> jax.Array:
    shape = label.shape
    label, rows = _rows(owner, label, scores)
    own = jnp.take_along_axis(rows, label[:, None], axis=-1)
    # a label out of range reads NaN; NaN is never among the best
    own = jnp.where(jnp.isnan(own), -jnp.inf, own)
    higher = jnp.sum(rows > own, axis=-1, dtype=jnp.int32)
    return (higher < k).astype(floatx()).reshape(shape)


def _rows(owner: str, label, scores):
    """Labels as a vector, scores as a matrix of as many rows."""
    if label.size != math.prod(scores.shape[:-1]):
        raise ValueError(
            f"{owner}: y_true of shape {label.shape} does not fit y_pred of shape {scores.shape}; "
            f"give labels of shape {scores.shape[:-1]}"
        )
    return label.reshape(-1), scores.reshape(-1, scores.shape[-1])
