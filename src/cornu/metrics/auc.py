"""AUC: the area under a curve over all thresholds."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtypes import epsilon
from cornu.metrics._counting import Thresholds, count, evenly_distributed
from cornu.metrics._shapes import divide_or_zero
from cornu.metrics.base import Metric

_CURVES = ("ROC", "PR", "PRGAIN")
_SUMMATION_METHODS = ("interpolation", "minoring", "majoring")


class AUC(Metric):
    """The area under the ROC or the precision-recall curve, as a sum over thresholds.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels 0 or 1 and probabilities of the
    same shape, `(batch, labels)` with `multi_label`, and weights of that shape or one for each
    sample. An update takes time in proportion to batch plus thresholds.

    Args:
        num_thresholds: how many thresholds make the curve, 200 by default; at least 2.
        curve: "ROC" (recall over false positive rate, the default), "PR" (precision over recall)
            or "PRGAIN" (precision gain over recall gain).
        summation_method: "interpolation" (the default: the middle of each interval; for "PR", Davis
            and Goadrich's interpolation of counts), "minoring" or "majoring" (the lower or the
            upper end of each interval).
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype of the result; by default the default float type.
        thresholds: list of thresholds in [0, 1] instead of `num_thresholds` even ones; one just
            below 0 and one just above 1 are added.
        multi_label: whether every column is a task of its own, and the result their mean; by
            default all values are taken together.
        num_labels: with `multi_label`, the number of columns; by default that of the first batch.
        label_weights: weights of the columns, in the mean with `multi_label`, else in the counts.
        from_logits: whether predictions are logits, which are put through a sigmoid first.

    Raises:
        ValueError: an unknown curve or summation method, fewer than 2 thresholds, or `num_labels`
            without `multi_label`.

    Source: Davis and Goadrich 2006, "The relationship between precision-recall and ROC curves";
    Flach and Kull 2015, "Precision-recall-gain curves".

    >>> metric = AUC(num_thresholds=3)
    >>> metric.update_state(np.array([0, 0, 1, 1]), np.array([0, 0.5, 0.3, 0.9]))
    >>> float(metric.result())
    0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype=None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights=None,
        from_logits: bool = False,
    ):
        super().__init__(name=name, dtype=dtype)
        self.curve = _one_of("curve", curve, _CURVES)
        self.summation_method = _one_of("summation_method", summation_method, _SUMMATION_METHODS)
        self._init_from_thresholds = thresholds is not None
        if thresholds is not None:
            inner = sorted(float(value) for value in thresholds)
            evenly = evenly_distributed([0.0, *inner, 1.0])
        else:
            if num_thresholds <= 1:
                raise ValueError(
                    f"AUC(num_thresholds={num_thresholds}): expected an integer greater than 1"
                )
            inner = [step / (num_thresholds - 1) for step in range(1, num_thresholds - 1)]
            evenly = True
        # just outside [0, 1], so that predictions of exactly 0 and 1 are on the right side
        self._thresholds = Thresholds([-epsilon(), *inner, 1.0 + epsilon()], evenly=evenly)
        self.num_thresholds = len(self._thresholds)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = (
            None if label_weights is None else np.asarray(label_weights, self.dtype)
        )
        self._from_logits = from_logits
        self._built = False
        if num_labels and not multi_label:
            raise ValueError(
                f"AUC(num_labels={num_labels}): the number of labels is needed only with "
                "multi_label=True"
            )
        if not multi_label or num_labels:
            self._make_variables(num_labels)

    @property
    def thresholds(self) -> list[float]:
        """The thresholds, with the one below 0 and the one above 1."""
        return list(self._thresholds.values)

    def build(self, y_true, y_pred) -> None:
        """Makes the variables for predictions of a shape `(batch, labels)`."""
        if self._built:
            return
        if len(y_pred.shape) != 2:
            raise ValueError(
                "AUC(multi_label=True): expected predictions of shape (batch, labels), received "
                f"{tuple(y_pred.shape)}"
            )
        self._make_variables(y_pred.shape[1])

    def _make_variables(self, labels: int | None) -> None:
        shape = (self.num_thresholds,) if labels is None else (self.num_thresholds, labels)
        self.true_positives = self.add_variable(shape, name="true_positives")
        self.false_positives = self.add_variable(shape, name="false_positives")
        self.true_negatives = self.add_variable(shape, name="true_negatives")
        self.false_negatives = self.add_variable(shape, name="false_negatives")
        self._built = True

    def update_state(self, y_true, y_pred, sample_weight=None) -> None:
        """Adds a batch of labels 0 or 1 and predictions of the same shape."""
        y_pred = jnp.asarray(y_pred)
        self.build(y_true, y_pred)
        if self._from_logits:
            y_pred = jax.nn.sigmoid(y_pred)
        counts = count(
            self.name,
            y_true,
            y_pred,
            self._thresholds,
            sample_weight=sample_weight,
            multi_label=self.multi_label,
            label_weights=self.label_weights,
        )
        self.true_positives.assign(self.true_positives.value + counts.true_positives)
        self.false_positives.assign(self.false_positives.value + counts.false_positives)
        self.true_negatives.assign(self.true_negatives.value + counts.true_negatives)
        self.false_negatives.assign(self.false_negatives.value + counts.false_negatives)

    def result(self) -> jax.Array:
        """The area, a scalar."""
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self.interpolate_pr_auc()
        x, y = self._curve()
        if self.summation_method == "interpolation":
            height = (y[:-1] + y[1:]) / 2
        elif self.summation_method == "minoring":
            height = jnp.minimum(y[:-1], y[1:])
        else:
            height = jnp.maximum(y[:-1], y[1:])
        return self._total((x[:-1] - x[1:]) * height)

    def interpolate_pr_auc(self) -> jax.Array:
        """The area under the precision-recall curve, with counts interpolated between thresholds.

        Between two thresholds, true positives t are taken to grow linearly with positive
        predictions p, t = intercept + slope p, as Davis and Goadrich (2006, section 4) do. The
        integral of precision t/p over recall t/positives is then, with d for the difference over
        the interval, slope (dt + intercept log(p1/p0)) / positives.
        """
        t = self.true_positives.value
        p = t + self.false_positives.value
        dt = t[:-1] - t[1:]
        slope = divide_or_zero(dt, jnp.maximum(p[:-1] - p[1:], 0))
        intercept = t[1:] - slope * p[1:]
        # with no positive predictions at the upper threshold, precision is constant below it
        some = (p[:-1] > 0) & (p[1:] > 0)
        ratio = jnp.where(some, p[:-1] / jnp.where(some, p[1:], 1), 1)
        positives = jnp.maximum(t[1:] + self.false_negatives.value[1:], 0)
        return self._total(divide_or_zero(slope * (dt + intercept * jnp.log(ratio)), positives))

    def _curve(self) -> tuple[jax.Array, jax.Array]:
        """The curve's points, one for each threshold."""
        tp, fp = self.true_positives.value, self.false_positives.value
        tn, fn = self.true_negatives.value, self.false_negatives.value
        if self.curve == "ROC":
            return divide_or_zero(fp, fp + tn), divide_or_zero(tp, tp + fn)
        if self.curve == "PR":
            return divide_or_zero(tp, tp + fn), divide_or_zero(tp, tp + fp)
        scale = divide_or_zero(tp + fn, tn + fp)
        recall_gain = jnp.maximum(1 - scale * divide_or_zero(fn, tp), 0)
        precision_gain = 1 - scale * divide_or_zero(fp, tp)
        # the gains of a threshold without true positives, where they are not defined
        return jnp.where(tp == 0, 0, recall_gain), jnp.where(tp == 0, 1, precision_gain)

    def _total(self, areas) -> jax.Array:
        if not self.multi_label:
            return jnp.sum(areas)
        by_label = jnp.sum(areas, axis=0)
        if self.label_weights is None:
            return jnp.mean(by_label)
        weights = self.label_weights
        return divide_or_zero(jnp.sum(by_label * weights), np.sum(weights))

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        config = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self._from_logits,
        }
        if self._init_from_thresholds:  # even thresholds follow from their number
            config["thresholds"] = self.thresholds[1:-1]
        return config


def _one_of(argument: str, value, known: tuple[str, ...]) -> str:
    name = getattr(value, "value", value)
    for choice in known:
        if isinstance(name, str) and name.lower() == choice.lower():
            return choice
    raise ValueError(f"AUC({argument}={value!r}): expected one of {', '.join(known)}")
