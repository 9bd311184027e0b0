"""Counts of right and wrong yes-or-no predictions; precision and recall."""

from __future__ import annotations

import jax

from cornu.core.variable import Variable
from cornu.metrics._counting import NEVER, Counts, count, parse_thresholds
from cornu.metrics._shapes import divide_or_zero
from cornu.metrics.base import Metric


class _Count(Metric):
    """One of the four counts, at each threshold."""

    _counted = ""

    def __init__(self, thresholds=None, name: str | None = None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self._thresholds = parse_thresholds(type(self).__name__, thresholds, default=0.5)
        self.thresholds = self._thresholds.values
        self.accumulator = self.add_variable((len(self.thresholds),), name="accumulator")

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Adds a batch of labels 0 or 1 and scores of the same shape."""
        counts = count(self.name, y_true, y_pred, self._thresholds, sample_weight=sample_weight)
        self.accumulator.assign(self.accumulator.value + getattr(counts, self._counted))

    def result(self) -> jax.Array:
        """The count; a vector of counts where there are several thresholds."""
        value = self.accumulator.value
        return value[0] if len(self.thresholds) == 1 else value

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """The number, or the sum of weights, of positive labels predicted as positive.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and scores of the same
    shape, and weights of that shape or one for each sample.

    Args:
        thresholds: a number or a list of numbers in [0, 1] that a score must exceed to be a
            positive prediction; 0.5 by default. The result has one value for each.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: thresholds outside [0, 1].

    >>> import numpy as np
    >>> metric = TruePositives()
    >>> metric.update_state(np.array([0, 1, 1, 1]), np.array([1, 0, 1, 1]))
    >>> float(metric.result())
    2.0
    """

    _counted = "true_positives"


class TrueNegatives(_Count):
    """The number, or the sum of weights, of negative labels predicted as negative.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and scores of the same
    shape, and weights of that shape or one for each sample.

    Args:
        thresholds: a number or a list of numbers in [0, 1] that a score must exceed to be a
            positive prediction; 0.5 by default. The result has one value for each.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: thresholds outside [0, 1].

    >>> import numpy as np
    >>> metric = TrueNegatives()
    >>> metric.update_state(np.array([0, 1, 0, 0]), np.array([1, 1, 0, 0]))
    >>> float(metric.result())
    2.0
    """

    _counted = "true_negatives"


class FalsePositives(_Count):
    """The number, or the sum of weights, of negative labels predicted as positive.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and scores of the same
    shape, and weights of that shape or one for each sample.

    Args:
        thresholds: a number or a list of numbers in [0, 1] that a score must exceed to be a
            positive prediction; 0.5 by default. The result has one value for each.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: thresholds outside [0, 1].

    >>> import numpy as np
    >>> metric = FalsePositives()
    >>> metric.update_state(np.array([0, 1, 0, 0]), np.array([0, 0, 1, 1]))
    >>> float(metric.result())
    2.0
    """

    _counted = "false_positives"


class FalseNegatives(_Count):
    """The number, or the sum of weights, of positive labels predicted as negative.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and scores of the same
    shape, and weights of that shape or one for each sample.

    Args:
        thresholds: a number or a list of numbers in [0, 1] that a score must exceed to be a
            positive prediction; 0.5 by default. The result has one value for each.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: thresholds outside [0, 1].

    >>> import numpy as np
    >>> metric = FalseNegatives()
    >>> metric.update_state(np.array([0, 1, 1, 1]), np.array([0, 1, 0, 0]))
    >>> float(metric.result())
    2.0
    """

    _counted = "false_negatives"


class _ShareOfTruePositives(Metric):
    """True positives divided by themselves and one of the other counts."""

    _direction = "up"
    _other = ""

    def __init__(
        self,
        thresholds=None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype=None,
    ):
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self._thresholds = parse_thresholds(
            type(self).__name__, thresholds, default=0.5 if top_k is None else NEVER
        )
        self.thresholds = self._thresholds.values
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, name="true_positives")
        setattr(self, self._other, self.add_variable(shape, name=self._other))

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Adds a batch of labels 0 or 1 and scores of the same shape."""
        counts: Counts = count(
            self.name,
            y_true,
            y_pred,
            self._thresholds,
            top_k=self.top_k,
            class_id=self.class_id,
            sample_weight=sample_weight,
        )
        other: Variable = getattr(self, self._other)
        self.true_positives.assign(self.true_positives.value + counts.true_positives)
        other.assign(other.value + getattr(counts, self._other))

    def result(self) -> jax.Array:
        """The share, 0 where there is nothing to share; a vector for several thresholds."""
        right = self.true_positives.value
        share = divide_or_zero(right, right + getattr(self, self._other).value)
        return share[0] if len(self.thresholds) == 1 else share

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_ShareOfTruePositives):
    """Of the positive predictions, the share that is right.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and scores of the same
    shape (one-hot labels for several classes), and weights of that shape or one for each sample.

    Args:
        thresholds: a number or a list of numbers in [0, 1] that a score must exceed to be a
            positive prediction; 0.5 by default, none with `top_k`. The result has one value for
            each. For logits use 0.
        top_k: if given, only the `top_k` highest scores of a sample are positive predictions.
        class_id: if given, only this class counts.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: thresholds outside [0, 1].

    Source: https://en.wikipedia.org/wiki/Precision_and_recall

    >>> import numpy as np
    >>> metric = Precision()
    >>> metric.update_state(np.array([0, 1, 1, 1]), np.array([1, 0, 1, 1]))
    >>> round(float(metric.result()), 4)
    0.6667
    """

    _other = "false_positives"


class Recall(_ShareOfTruePositives):
    """Of the positive labels, the share that is predicted as positive.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and scores of the same
    shape (one-hot labels for several classes), and weights of that shape or one for each sample.

    Args:
        thresholds: a number or a list of numbers in [0, 1] that a score must exceed to be a
            positive prediction; 0.5 by default, none with `top_k`. The result has one value for
            each. For logits use 0.
        top_k: if given, only the `top_k` highest scores of a sample are positive predictions.
        class_id: if given, only this class counts.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.

    Raises:
        ValueError: thresholds outside [0, 1].

    Source: https://en.wikipedia.org/wiki/Precision_and_recall

    >>> import numpy as np
    >>> metric = Recall()
    >>> metric.update_state(np.array([0, 1, 1, 1]), np.array([1, 0, 1, 1]))
    >>> round(float(metric.result()), 4)
    0.6667
    """

    _other = "false_negatives"
