"""How well predictions follow the labels: Pearson's and Lin's correlation."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.core.dtypes import epsilon
from cornu.losses.shapes import check_elementwise, same_rank
from cornu.metrics.reduction import _FunctionMean


def pearson_correlation(y_true, y_pred, axis=-1) -> jax.Array:
    """Pearson's correlation of labels and predictions: their covariance over both deviations.

    Args:
        y_true: labels of shape `(batch, ..., values)`.
        y_pred: predictions of the same shape.
        axis: the axis, or axes, over which they are correlated; the last by default.

    Returns:
        A number in [-1, 1] for each sample, of shape `(batch, ...)`; NaN where either is constant.

    Source: https://en.wikipedia.org/wiki/Pearson_correlation_coefficient

    >>> import numpy as np
    >>> pearson_correlation(np.array([[0.0, 1.0, 2.0]]), np.array([[1.0, 3.0, 5.0]])).round(4)
    Array([1.], dtype=float32)
    """
    y_true, y_pred = _pair("pearson_correlation", y_true, y_pred)
    true_offset = y_true - y_true.mean(axis=axis, keepdims=True)
    pred_offset = y_pred - y_pred.mean(axis=axis, keepdims=True)
    true_scaled = true_offset / true_offset.std(axis=axis, keepdims=True)
    pred_scaled = pred_offset / pred_offset.std(axis=axis, keepdims=True)
    return (true_scaled * pred_scaled).mean(axis=axis)


def concordance_correlation(y_true, y_pred, axis=-1) -> jax.Array:
    """Lin's concordance: 2 cov / (both variances + squared difference of means).

    The covariance is Keras', which takes both offsets from the mean of the predictions.

    Args:
        y_true: labels of shape `(batch, ..., values)`.
        y_pred: predictions of the same shape.
        axis: the axis, or axes, over which they are correlated; the last by default.

    Returns:
        A number in [-1, 1] for each sample, of shape `(batch, ...)`.

    Source: https://en.wikipedia.org/wiki/Concordance_correlation_coefficient

    >>> import numpy as np
    >>> concordance_correlation(np.array([[0.0, 1.0, 2.0]]), np.array([[0.0, 1.0, 2.0]])).round(4)
    Array([1.], dtype=float32)
    """
    y_true, y_pred = _pair("concordance_correlation", y_true, y_pred)
    true_mean = y_true.mean(axis=axis, keepdims=True)
    pred_mean = y_pred.mean(axis=axis, keepdims=True)
    spread = (
        y_true.var(axis=axis, keepdims=True)
        + y_pred.var(axis=axis, keepdims=True)
        + jnp.square(true_mean - pred_mean)
    )
    covariance = (y_true - pred_mean) * (y_pred - pred_mean)
    return (2 * covariance / (spread + epsilon())).mean(axis=axis)


class PearsonCorrelation(_FunctionMean):
    """The mean over samples of Pearson's correlation of labels and predictions.

    `update_state(y_true, y_pred, sample_weight=None)`: see `pearson_correlation`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.
        axis: the axis, or axes, over which they are correlated; the last by default.

    >>> import numpy as np
    >>> metric = PearsonCorrelation()
    >>> metric.update_state(np.array([[0, 1, 0.5], [1, 1, 0.2]]),
    ...                     np.array([[0.1, 0.9, 0.5], [1, 0.9, 0.2]]))
    >>> round(float(metric.result()), 4)
    0.9967
    """

    _direction = "up"

    def __init__(self, name: str | None = "pearson_correlation", dtype=None, axis=-1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)
        self.axis = axis


class ConcordanceCorrelation(_FunctionMean):
    """The mean over samples of Lin's concordance of labels and predictions.

    `update_state(y_true, y_pred, sample_weight=None)`: see `concordance_correlation`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.
        axis: the axis, or axes, over which they are correlated; the last by default.

    >>> import numpy as np
    >>> metric = ConcordanceCorrelation()
    >>> metric.update_state(np.array([[0, 1, 0.5], [1, 1, 0.2]]),
    ...                     np.array([[0.1, 0.9, 0.5], [1, 0.9, 0.2]]))
    >>> round(float(metric.result()), 4)
    0.9816
    """

    _direction = "up"

    def __init__(self, name: str | None = "concordance_correlation", dtype=None, axis=-1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
        self.axis = axis


def _pair(owner: str, y_true, y_pred) -> tuple[jax.Array, jax.Array]:
    y_pred = jnp.asarray(y_pred)
    y_true, y_pred = same_rank(jnp.asarray(y_true, y_pred.dtype), y_pred)
    check_elementwise(owner, y_true, y_pred)
    return y_true, y_pred
