"""The best of one measure where another reaches a given value, over many thresholds."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.metrics._counting import Thresholds, count
from cornu.metrics._shapes import divide_or_zero
from cornu.metrics.base import Metric


class _OperatingPoint(Metric):
    """The four counts at evenly spaced thresholds, and the best point under a constraint."""

    _direction = "up"
    _given = ""
    """Name of the argument: the measure that must reach a value."""

    def __init__(
        self,
        value: float,
        num_thresholds: int,
        class_id: int | None,
        name: str | None,
        dtype,
    ):
        owner = type(self).__name__
        if not 0 <= value <= 1:
            raise ValueError(f"{owner}({self._given}={value}): expected a number in [0, 1]")
        if num_thresholds <= 0:
            raise ValueError(
                f"{owner}(num_thresholds={num_thresholds}): expected a positive integer"
            )
        super().__init__(name=name, dtype=dtype)
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        if num_thresholds == 1:
            self._thresholds = Thresholds([0.5], evenly=False)
        else:
            steps = num_thresholds - 1
            self._thresholds = Thresholds(
                [step / steps for step in range(num_thresholds)], evenly=True
            )
        self.thresholds = self._thresholds.values
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.true_negatives = self.add_variable(shape, name="true_negatives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Adds a batch of labels 0 or 1 and scores of the same shape."""
        counts = count(
            self.name,
            y_true,
            y_pred,
            self._thresholds,
            class_id=self.class_id,
            sample_weight=sample_weight,
        )
        self.true_positives.assign(self.true_positives.value + counts.true_positives)
        self.false_positives.assign(self.false_positives.value + counts.false_positives)
        self.true_negatives.assign(self.true_negatives.value + counts.true_negatives)
        self.false_negatives.assign(self.false_negatives.value + counts.false_negatives)

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return {
            **super().get_config(),
            "class_id": self.class_id,
            "num_thresholds": self.num_thresholds,
            self._given: self.value,
        }

    def _sensitivity(self) -> jax.Array:
        right = self.true_positives.value
        return divide_or_zero(right, right + self.false_negatives.value)

    def _specificity(self) -> jax.Array:
        right = self.true_negatives.value
        return divide_or_zero(right, right + self.false_positives.value)

    def _precision(self) -> jax.Array:
        right = self.true_positives.value
        return divide_or_zero(right, right + self.false_positives.value)

    def _best(self, measure, constrained) -> jax.Array:
        """The greatest `measure` where `constrained` reaches the value; 0 where it never does."""
        return jnp.max(jnp.where(constrained >= self.value, measure, 0), initial=0)


class SensitivityAtSpecificity(_OperatingPoint):
    """The best sensitivity, tp / (tp + fn), where specificity is at least a given value.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and probabilities of the
    same shape, and weights of that shape or one for each sample.

    Args:
        specificity: the least specificity, tn / (tn + fp), in [0, 1].
        num_thresholds: how many thresholds are tried, 200 by default.
        class_id: if given, only this entry of the last axis counts.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: a specificity outside [0, 1], or no thresholds.

    Source: https://en.wikipedia.org/wiki/Sensitivity_and_specificity

    >>> import numpy as np
    >>> metric = SensitivityAtSpecificity(0.5)
    >>> metric.update_state(np.array([0, 0, 0, 1, 1]), np.array([0, 0.3, 0.8, 0.3, 0.8]))
    >>> float(metric.result())
    0.5
    """

    _given = "specificity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype=None,
    ):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)
        self.specificity = specificity

    def result(self) -> jax.Array:
        """The best sensitivity, a scalar; 0 where the specificity is never reached."""
        return self._best(self._sensitivity(), self._specificity())


class SpecificityAtSensitivity(_OperatingPoint):
    """The best specificity, tn / (tn + fp), where sensitivity is at least a given value.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and probabilities of the
    same shape, and weights of that shape or one for each sample.

    Args:
        sensitivity: the least sensitivity, tp / (tp + fn), in [0, 1].
        num_thresholds: how many thresholds are tried, 200 by default.
        class_id: if given, only this entry of the last axis counts.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: a sensitivity outside [0, 1], or no thresholds.

    Source: https://en.wikipedia.org/wiki/Sensitivity_and_specificity

    >>> import numpy as np
    >>> metric = SpecificityAtSensitivity(0.5)
    >>> metric.update_state(np.array([0, 0, 0, 1, 1]), np.array([0, 0.3, 0.8, 0.3, 0.8]))
    >>> round(float(metric.result()), 4)
    0.6667
    """

    _given = "sensitivity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype=None,
    ):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)
        self.sensitivity = sensitivity

    def result(self) -> jax.Array:
        """The best specificity, a scalar; 0 where the sensitivity is never reached."""
        return self._best(self._specificity(), self._sensitivity())


class PrecisionAtRecall(_OperatingPoint):
    """The best precision, tp / (tp + fp), where recall is at least a given value.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and probabilities of the
    same shape, and weights of that shape or one for each sample.

    Args:
        recall: the least recall, tp / (tp + fn), in [0, 1].
        num_thresholds: how many thresholds are tried, 200 by default.
        class_id: if given, only this entry of the last axis counts.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: a recall outside [0, 1], or no thresholds.

    Source: https://en.wikipedia.org/wiki/Precision_and_recall

    >>> import numpy as np
    >>> metric = PrecisionAtRecall(0.5)
    >>> metric.update_state(np.array([0, 0, 0, 1, 1]), np.array([0, 0.3, 0.8, 0.3, 0.8]))
    >>> float(metric.result())
    0.5
    """

    _given = "recall"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype=None,
    ):
        super().__init__(recall, num_thresholds, class_id, name, dtype)
        self.recall = recall

    def result(self) -> jax.Array:
        """The best precision, a scalar; 0 where the recall is never reached."""
        return self._best(self._precision(), self._sensitivity())


class RecallAtPrecision(_OperatingPoint):
    """The best recall, tp / (tp + fn), where precision is at least a given value.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and probabilities of the
    same shape, and weights of that shape or one for each sample.

    Args:
        precision: the least precision, tp / (tp + fp), in [0, 1].
        num_thresholds: how many thresholds are tried, 200 by default.
        class_id: if given, only this entry of the last axis counts.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: a precision outside [0, 1], or no thresholds.

    Source: https://en.wikipedia.org/wiki/Precision_and_recall

    >>> import numpy as np
    >>> metric = RecallAtPrecision(0.8)
    >>> metric.update_state(np.array([0, 0, 1, 1]), np.array([0, 0.5, 0.3, 0.9]))
    >>> float(metric.result())
    0.5
    """

    _given = "precision"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype=None,
    ):
        super().__init__(precision, num_thresholds, class_id, name, dtype)
        self.precision = precision

    def result(self) -> jax.Array:
        """The best recall, a scalar; 0 where the precision is never reached."""
        return self._best(self._sensitivity(), self._precision())
