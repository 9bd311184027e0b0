"""True and false positives at any number of thresholds: what precision, recall and AUC count."""

from __future__ import annotations

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtypes import epsilon, floatx
from cornu.losses.shapes import check_same, same_rank
from cornu.metrics._shapes import spread

NEVER = -1e10
"""Score of classes outside the top k, and Keras' threshold below everything else."""


class Counts(NamedTuple):
    """Weights of positive predictions and of labels: per threshold (and per label), and in all."""

    true_positives: jax.Array
    false_positives: jax.Array
    positives: jax.Array
    negatives: jax.Array

    @property
    def false_negatives(self) -> jax.Array:
        """Positive labels not predicted, per threshold."""
        return self.positives - self.true_positives

    @property
    def true_negatives(self) -> jax.Array:
        """Negative labels not predicted, per threshold."""
        return self.negatives - self.false_positives


class Thresholds:
    """The thresholds that predictions have to exceed, and the way to count with them.

    Args:
        values: the thresholds; in any order.
        evenly: whether they divide [0, 1] evenly, up to a fuzz on the first and last.
    """

    def __init__(self, values, evenly: bool | None = None):
        self.values = [float(value) for value in values]
        self.evenly = evenly_distributed(self.values) if evenly is None else evenly
        # a first threshold just below 0 is exceeded by every prediction
        self.first_below_zero = self.values[0] < 0.0 or self.values[-1] > 1.0
        array = np.asarray(self.values, floatx())
        self._order = np.argsort(array, kind="stable")
        self._sorted = array[self._order]

    def __len__(self) -> int:
        return len(self.values)

    def exceeded(self, scores) -> jax.Array:
        """How many thresholds each score exceeds."""
        if self.evenly:
            highest = len(self) - 1
            count = jnp.ceil(jnp.clip(scores, 0.0, 1.0) * highest)
            if self.first_below_zero:
                count = jnp.maximum(count, 1)
            return count.astype(jnp.int32)
        scores = jnp.where(jnp.isnan(scores), -jnp.inf, scores)  # NaN exceeds nothing
        return jnp.searchsorted(self._sorted, scores, side="left").astype(jnp.int32)

    def as_given(self, sorted_counts) -> jax.Array:
        """Counts per sorted threshold, put into the order in which thresholds were given."""
        if np.array_equal(self._order, np.arange(len(self))):
            return sorted_counts
        return sorted_counts[np.argsort(self._order)]


def evenly_distributed(thresholds) -> bool:
    """Whether at least three thresholds divide [0, 1] evenly.

    >>> evenly_distributed([0.0, 0.5, 1.0]), evenly_distributed([0.0, 0.4, 1.0])
    (True, False)
    """
    if len(thresholds) < 3:
        return False
    even = np.linspace(0.0, 1.0, len(thresholds), dtype=np.float32)
    return bool(np.allclose(np.asarray(thresholds, dtype=float), even, atol=epsilon()))


def parse_thresholds(owner: str, thresholds, default: float) -> Thresholds:
    """Thresholds from a number, a list or None; ValueError where one is outside [0, 1]."""
    if thresholds is None:
        return Thresholds([default])
    given = list(thresholds) if isinstance(thresholds, (list, tuple, np.ndarray)) else [thresholds]
    wrong = [value for value in given if value is None or not 0 <= value <= 1]
    if wrong or not given:
        raise ValueError(
            f"{owner}(thresholds={thresholds}): thresholds must be numbers in [0, 1]"
            + (f", received {wrong}" if wrong else "")
        )
    return Thresholds(given)


def count(
    owner: str,
    y_true,
    y_pred,
    thresholds: Thresholds,
    top_k: int | None = None,
    class_id: int | None = None,
    sample_weight=None,
    multi_label: bool = False,
    label_weights=None,
) -> Counts:
    """Counts of a batch. A prediction is positive where it is greater than the threshold.

    Args:
        owner: name of the metric, for messages.
        y_true: labels, anything but 0 is positive; shape `(batch, ...)`.
        y_pred: scores of the same shape.
        thresholds: to be exceeded.
        top_k: if given, only the `top_k` highest scores of the last axis can be positive.
        class_id: if given, only this entry of the last axis counts.
        sample_weight: weights of shape `(batch,)` or of the labels' shape, or None.
        multi_label: whether columns are counted apart.
        label_weights: weights of the columns, or None.

    Returns:
        Counts of shape `(thresholds,)`, or `(thresholds, labels)` with `multi_label`.
    """
    dtype = floatx()
    y_pred, y_true = same_rank(jnp.asarray(y_pred, dtype), jnp.asarray(y_true))
    check_same(owner, y_true, y_pred)
    if sample_weight is not None:
        sample_weight = jnp.asarray(sample_weight, dtype)
        if sample_weight.ndim != y_true.ndim:
            sample_weight = sample_weight[..., None]  # one weight for all values of a sample
    if top_k is not None:
        y_pred = _only_top_k(y_pred, top_k)
    if class_id is not None:
        if y_pred.ndim == 1:
            raise ValueError(
                f"{owner}(class_id={class_id}): y_pred must have the shape (batch, classes), "
                f"received {y_pred.shape}"
            )
        y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
    weight = None
    if sample_weight is not None:
        weight = spread(owner, sample_weight, y_pred.shape)
    if label_weights is not None and not multi_label:
        columns = spread(owner, jnp.asarray(label_weights, dtype)[None], y_pred.shape)
        weight = columns if weight is None else weight * columns
    positive = y_true.astype(bool)
    if len(thresholds) == 1 and not multi_label:
        return _count_one(positive, y_pred > np.asarray(thresholds.values[0], dtype), weight)
    return _count_many(positive, y_pred, weight, thresholds, multi_label)


def _count_one(positive, predicted, weight) -> Counts:
    dtype = floatx()

    def total(chosen):
        if weight is None:
            return jnp.sum(chosen, dtype=dtype)
        return jnp.sum(jnp.where(chosen, weight, 0))

    return Counts(
        total(positive & predicted)[None],
        total(~positive & predicted)[None],
        total(positive),
        total(~positive),
    )


def _count_many(positive, scores, weight, thresholds: Thresholds, multi_label: bool) -> Counts:
    """One histogram of how many thresholds each score exceeds; then sums from its upper end.

    That takes time in proportion to predictions plus thresholds, not to their product.
    """
    columns = scores.shape[-1] if multi_label else 1
    bins = len(thresholds) + 1
    index = thresholds.exceeded(scores) + bins * positive.astype(jnp.int32)
    if multi_label:
        index += np.arange(columns, dtype=np.int32) * (2 * bins)
    amounts = 1 if weight is None else weight.reshape(-1)
    histogram = jnp.zeros(columns * 2 * bins, floatx())
    histogram = histogram.at[index.reshape(-1)].add(amounts, mode="drop")
    # entry i of the sums: the weight of scores that exceed at least i thresholds
    sums = jax.lax.cumsum(histogram.reshape(columns, 2, bins), axis=2, reverse=True)
    negative, positive = sums[:, 0].T, sums[:, 1].T
    if not multi_label:
        negative, positive = negative[:, 0], positive[:, 0]
    return Counts(
        thresholds.as_given(positive[1:]),
        thresholds.as_given(negative[1:]),
        positive[0],
        negative[0],
    )


def _only_top_k(scores, k: int) -> jax.Array:
    if not 0 < k <= scores.shape[-1]:
        raise ValueError(
            f"top_k={k}: expected a number from 1 to the {scores.shape[-1]} scores of a sample"
        )
    best = jax.lax.top_k(scores, k)[1]
    rows = math.prod(scores.shape[:-1])
    chosen = jnp.zeros((rows, scores.shape[-1]), bool)
    chosen = chosen.at[np.arange(rows)[:, None], best.reshape(rows, k)].set(True)
    return jnp.where(chosen.reshape(scores.shape), scores, NEVER)
