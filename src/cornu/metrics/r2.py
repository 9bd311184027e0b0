"""R2: the share of the labels' variation that predictions explain."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.core.reporting import warn
from cornu.losses.shapes import same_rank
from cornu.metrics._shapes import spread
from cornu.metrics.base import Metric

_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")


class R2Score(Metric):
    """The coefficient of determination, 1 - sum (y - p)^2 / sum (y - mean y)^2.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and predictions of shape
    `(batch, outputs)`, and weights of shape `(batch,)` or the same shape.

    Args:
        class_aggregation: how the outputs' scores become one: "uniform_average", the default, is
            their mean, "variance_weighted_average" their mean weighted by the labels' variance;
            with None the result is a vector of shape `(outputs,)`.
        num_regressors: number of independent inputs, for the adjusted R2; 0, the default, for the
            plain one.
        name: the name in the logs.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: an unknown aggregation, a negative number, or data that are not matrices.

    Source: https://en.wikipedia.org/wiki/Coefficient_of_determination

    >>> import numpy as np
    >>> metric = R2Score()
    >>> metric.update_state(np.array([[1.0], [4.0], [3.0]]), np.array([[2.0], [4.0], [4.0]]))
    >>> round(float(metric.result()), 4)
    0.5714
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype=None,
    ):
        super().__init__(name=name, dtype=dtype)
        if class_aggregation not in _AGGREGATIONS:
            raise ValueError(
                f"R2Score(class_aggregation={class_aggregation!r}): expected None, "
                "'uniform_average' or 'variance_weighted_average'"
            )
        if num_regressors < 0:
            raise ValueError(f"R2Score(num_regressors={num_regressors}): expected 0 or more")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), name="num_samples")
        self._built = False

    def build(self, y_true, y_pred) -> None:
        """Makes the variables for predictions of a shape `(batch, outputs)`."""
        true_shape, pred_shape = tuple(y_true.shape), tuple(y_pred.shape)
        if len(true_shape) + len(pred_shape) == 3:  # a vector is taken as a column
            true_shape, pred_shape = (
                (*shape, 1) if len(shape) == 1 else shape for shape in (true_shape, pred_shape)
            )
        if len(pred_shape) != 2 or len(true_shape) != 2 or true_shape[1] != pred_shape[1]:
            raise ValueError(
                f"{self.name}: expected labels and predictions of shape (batch, outputs), received "
                f"y_true of shape {tuple(y_true.shape)} and y_pred of shape {tuple(y_pred.shape)}"
            )
        if self._built:
            return
        shape = (pred_shape[1],)
        self.squared_sum = self.add_variable(shape, name="squared_sum")
        self.sum = self.add_variable(shape, name="sum")
        self.total_mse = self.add_variable(shape, name="residual")
        self.count = self.add_variable(shape, name="count")
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Adds a batch of labels and predictions of shape `(batch, outputs)`."""
        y_true, y_pred = same_rank(jnp.asarray(y_true, self.dtype), jnp.asarray(y_pred, self.dtype))
        self.build(y_true, y_pred)
        weighted_true, squared_error = y_true, jnp.square(y_true - y_pred)
        count: jax.Array | int = y_true.shape[0]
        if sample_weight is not None:
            weight = jnp.asarray(sample_weight, self.dtype)
            weight = weight[:, None] if weight.ndim == 1 else weight
            weight = spread(self.name, weight, y_true.shape)
            weighted_true, squared_error = y_true * weight, squared_error * weight
            count = jnp.sum(weight, axis=0)
        self.sum.assign(self.sum.value + jnp.sum(weighted_true, axis=0))
        self.squared_sum.assign(self.squared_sum.value + jnp.sum(y_true * weighted_true, axis=0))
        self.total_mse.assign(self.total_mse.value + jnp.sum(squared_error, axis=0))
        self.count.assign(self.count.value + count)
        self.num_samples.assign(self.num_samples.value + y_true.size)

    def result(self) -> jax.Array:
        """The score: a scalar, or without aggregation a vector of shape `(outputs,)`."""
        total = self.squared_sum.value - self.sum.value * (self.sum.value / self.count.value)
        scores = 1 - self.total_mse.value / total
        scores = jnp.where(jnp.isinf(scores), 0.0, scores)  # constant labels
        if self.class_aggregation == "uniform_average":
            scores = jnp.mean(scores)
        elif self.class_aggregation == "variance_weighted_average":
            scores = jnp.sum(total * scores) / jnp.sum(total)
        return self._adjusted(scores) if self.num_regressors else scores

    def _adjusted(self, scores) -> jax.Array:
        samples, regressors = self.num_samples.value, self.num_regressors
        free = samples - regressors - 1
        if not isinstance(free, jax.core.Tracer) and float(free) <= 0:
            warn(
                f"{self.name}: {int(samples)} values are too few for an adjusted R2 with "
                f"num_regressors={regressors}; this is the plain R2",
            )
        adjusted = 1 - (1 - scores) * (samples - 1) / jnp.where(free > 0, free, 1)
        return jnp.where(free > 0, adjusted, scores)

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }
