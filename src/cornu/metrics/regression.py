"""Errors of predicted numbers."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.losses import (
    cosine_similarity as negative_cosine_similarity,
)
from cornu.losses import (
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from cornu.losses.shapes import check_elementwise, same_rank
from cornu.metrics.reduction import Mean, _FunctionMean


class MeanSquaredError(_FunctionMean):
    """The mean of squared errors, (y - p)^2.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and predictions of one shape,
    `(batch, ..., values)`, and weights of shape `(batch,)` or `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> import numpy as np
    >>> metric = MeanSquaredError()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[1, 1], [0, 0]]))
    >>> round(float(metric.result()), 4)
    0.25
    """

    def __init__(self, name: str | None = "mean_squared_error", dtype=None):
        super().__init__(mean_squared_error, name, dtype)


class MeanAbsoluteError(_FunctionMean):
    """The mean of absolute errors, |y - p|.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and predictions of one shape,
    `(batch, ..., values)`, and weights of shape `(batch,)` or `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> import numpy as np
    >>> metric = MeanAbsoluteError()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[1, 1], [0, 0]]))
    >>> round(float(metric.result()), 4)
    0.25
    """

    def __init__(self, name: str | None = "mean_absolute_error", dtype=None):
        super().__init__(mean_absolute_error, name, dtype)


class MeanAbsolutePercentageError(_FunctionMean):
    """The mean of absolute errors in percent of the label, 100 |y - p| / |y|.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and predictions of one shape,
    `(batch, ..., values)`, and weights of shape `(batch,)` or `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> import numpy as np
    >>> metric = MeanAbsolutePercentageError()
    >>> metric.update_state(np.array([[2.0, 4.0]]), np.array([[1.0, 4.0]]))
    >>> round(float(metric.result()), 4)
    25.0
    """

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype=None):
        super().__init__(mean_absolute_percentage_error, name, dtype)


class MeanSquaredLogarithmicError(_FunctionMean):
    """The mean of squared errors of logarithms, (log(1 + y) - log(1 + p))^2.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and predictions of one shape,
    `(batch, ..., values)`, and weights of shape `(batch,)` or `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> import numpy as np
    >>> metric = MeanSquaredLogarithmicError()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[1, 1], [0, 0]]))
    >>> round(float(metric.result()), 4)
    0.1201
    """

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype=None):
        super().__init__(mean_squared_logarithmic_error, name, dtype)


class LogCoshError(_FunctionMean):
    """The mean of log(cosh(p - y)): squared for small errors, absolute for large ones.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and predictions of one shape,
    `(batch, ..., values)`, and weights of shape `(batch,)` or `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> import numpy as np
    >>> metric = LogCoshError()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[1, 1], [0, 0]]))
    >>> round(float(metric.result()), 4)
    0.1084
    """

    def __init__(self, name: str | None = "logcosh", dtype=None):
        super().__init__(log_cosh, name, dtype)


class RootMeanSquaredError(Mean):
    """The square root of the mean of squared errors.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and predictions of one shape,
    `(batch, ..., values)`, and weights of shape `(batch,)` or of any of the first axes.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> import numpy as np
    >>> metric = RootMeanSquaredError()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[1, 1], [0, 0]]))
    >>> float(metric.result())
    0.5
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype=None):
        super().__init__(name, dtype)

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:  # type: ignore[override]
        """Adds a batch of labels and predictions."""
        y_true, y_pred = same_rank(jnp.asarray(y_true, self.dtype), jnp.asarray(y_pred, self.dtype))
        check_elementwise(self.name, y_true, y_pred)
        super().update_state(jnp.square(y_pred - y_true), sample_weight)

    def result(self) -> jax.Array:
        """The root, a scalar."""
        return jnp.sqrt(super().result())


class CosineSimilarity(_FunctionMean):
    """The mean of the cosine of the angle between label and prediction vectors: 1 is the best.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and predictions of one shape,
    `(batch, ..., values)`, and weights of shape `(batch,)` or `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.
        axis: the axis of the vectors, the last by default.

    Source: https://en.wikipedia.org/wiki/Cosine_similarity

    >>> import numpy as np
    >>> metric = CosineSimilarity()
    >>> metric.update_state(np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 1.0]]))
    >>> round(float(metric.result()), 4)
    0.5
    """

    _direction = "up"

    def __init__(self, name: str | None = "cosine_similarity", dtype=None, axis: int = -1):
        super().__init__(_cosine_similarity, name, dtype, axis=axis)
        self.axis = axis

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        config = super().get_config()
        if self.axis == -1:  # Keras never writes the axis; it reads one
            del config["axis"]
        return config


def _cosine_similarity(y_true, y_pred, axis: int = -1) -> jax.Array:
    # the loss is the negative of it
    return -negative_cosine_similarity(y_true, y_pred, axis=axis)
