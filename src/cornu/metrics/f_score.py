"""F-scores: the harmonic mean of precision and recall."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.core.dtypes import epsilon
from cornu.metrics._shapes import spread
from cornu.metrics.base import Metric

_AVERAGES = (None, "micro", "macro", "weighted")


class FBetaScore(Metric):
    """The mean of precision and recall in which recall weighs `beta` times as much.

    (1 + beta^2) precision recall / (beta^2 precision + recall), for each class.
    `update_state(y_true, y_pred, sample_weight=None)` takes one-hot (or multi-hot) labels and
    scores of shape `(batch, classes)`, and weights of shape `(batch,)` or of that shape.

    Args:
        average: how the classes' scores become one: "micro" counts over all classes, "macro" is
            their mean, "weighted" their mean weighted by the number of labels of each. With None,
            the default, the result is a vector of shape `(classes,)`.
        beta: a positive float, 1.0 by default.
        threshold: a float in (0, 1] that a score must exceed to be a positive prediction; with
            None, the default, the highest score of a sample is.
        name: the name in the logs.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: an argument outside its range, or labels or predictions that are not matrices.

    Source: https://en.wikipedia.org/wiki/F-score

    >>> import numpy as np
    >>> metric = FBetaScore(beta=2.0, threshold=0.5)
    >>> metric.update_state(np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0]]),
    ...                     np.array([[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]))
    >>> np.asarray(metric.result()).round(4)
    array([0.3846, 0.9091, 0.8333], dtype=float32)
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype=None,
    ):
        super().__init__(name=name, dtype=dtype)
        owner = type(self).__name__
        if average not in _AVERAGES:
            raise ValueError(
                f"{owner}(average={average!r}): expected None, 'micro', 'macro' or 'weighted'"
            )
        if not isinstance(beta, float) or beta <= 0.0:
            raise ValueError(f"{owner}(beta={beta!r}): expected a float greater than 0")
        if threshold is not None and not (isinstance(threshold, float) and 0.0 < threshold <= 1.0):
            raise ValueError(
                f"{owner}(threshold={threshold!r}): expected None or a float in (0, 1]"
            )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._built = False

    def build(self, y_true, y_pred) -> None:
        """Makes the variables for predictions of a shape `(batch, classes)`."""
        if len(y_pred.shape) != 2 or tuple(y_true.shape)[1:] != tuple(y_pred.shape)[1:]:
            raise ValueError(
                f"{self.name}: expected one-hot labels and scores of shape (batch, classes), "
                f"received y_true of shape {tuple(y_true.shape)} and y_pred of shape "
                f"{tuple(y_pred.shape)}"
            )
        if self._built:
            return
        shape = () if self.average == "micro" else (y_pred.shape[1],)
        self.true_positives = self.add_variable(shape, dtype=self.dtype, name="true_positives")
        self.false_positives = self.add_variable(shape, dtype=self.dtype, name="false_positives")
        self.false_negatives = self.add_variable(shape, dtype=self.dtype, name="false_negatives")
        self.intermediate_weights = self.add_variable(
            shape, dtype=self.dtype, name="intermediate_weights"
        )
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Adds a batch of one-hot labels and scores of shape `(batch, classes)`."""
        y_true, y_pred = jnp.asarray(y_true, self.dtype), jnp.asarray(y_pred, self.dtype)
        self.build(y_true, y_pred)
        if self.threshold is None:
            highest = jnp.max(y_pred, axis=-1, keepdims=True)
            # a row of zeros predicts nothing; the bound is Keras'
            predicted = (y_pred >= highest) & (jnp.abs(y_pred) > 1e-9)
        else:
            predicted = y_pred > self.threshold
        predicted = predicted.astype(self.dtype)
        actual = y_true
        if sample_weight is not None:
            weight = jnp.asarray(sample_weight, self.dtype)
            weight = weight[:, None] if weight.ndim == 1 else weight
            weight = spread(self.name, weight, y_pred.shape)
            predicted, actual = predicted * weight, y_true * weight
        axis = None if self.average == "micro" else 0
        # false counts are what is left of all: three sums in place of four
        right = jnp.sum(predicted * y_true, axis=axis)
        actual = jnp.sum(actual, axis=axis)
        self.true_positives.assign(self.true_positives.value + right)
        self.false_positives.assign(
            self.false_positives.value + (jnp.sum(predicted, axis=axis) - right)
        )
        self.false_negatives.assign(self.false_negatives.value + (actual - right))
        self.intermediate_weights.assign(self.intermediate_weights.value + actual)

    def result(self) -> jax.Array:
        """The score: a scalar, or with `average=None` a vector of shape `(classes,)`."""
        fuzz, square = epsilon(), self.beta**2
        right = self.true_positives.value
        precision = right / (right + self.false_positives.value + fuzz)
        recall = right / (right + self.false_negatives.value + fuzz)
        score = precision * recall / (square * precision + recall + fuzz) * (1 + square)
        if self.average is None:
            return score
        if self.average == "weighted":
            weight = self.intermediate_weights.value
            return jnp.sum(score * (weight / (jnp.sum(weight) + fuzz)))
        return jnp.mean(score)

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


class F1Score(FBetaScore):
    """The harmonic mean of precision and recall, 2 precision recall / (precision + recall).

    `update_state(y_true, y_pred, sample_weight=None)` takes one-hot (or multi-hot) labels and
    scores of shape `(batch, classes)`, and weights of shape `(batch,)` or of that shape.

    Args:
        average: how the classes' scores become one: "micro", "macro", "weighted", as in
            `FBetaScore`, or None, the default, for a vector of shape `(classes,)`.
        threshold: a float in (0, 1] that a score must exceed to be a positive prediction; with
            None, the default, the highest score of a sample is.
        name: the name in the logs.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: an argument outside its range, or labels or predictions that are not matrices.

    Source: https://en.wikipedia.org/wiki/F-score

    >>> import numpy as np
    >>> metric = F1Score(average="macro", threshold=0.5)
    >>> metric.update_state(np.array([[1, 1], [1, 0], [0, 1]]),
    ...                     np.array([[0.9, 0.6], [0.2, 0.6], [0.1, 0.8]]))
    >>> round(float(metric.result()), 4)
    0.7333
    """

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype=None,
    ):
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        config = super().get_config()
        del config["beta"]
        return config
