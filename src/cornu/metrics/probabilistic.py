"""Measures of predicted probabilities."""

from __future__ import annotations

import jax.numpy as jnp

from cornu.losses import (
    binary_crossentropy,
    categorical_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from cornu.metrics._shapes import masked_weight
from cornu.metrics.reduction import _FunctionMean


class KLDivergence(_FunctionMean):
    """The mean Kullback-Leibler divergence of predictions from labels, sum of y log(y / p).

    `update_state(y_true, y_pred, sample_weight=None)` takes probabilities of shape
    `(batch, ..., classes)` and weights of shape `(batch,)` or `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    Source: https://en.wikipedia.org/wiki/Kullback%E2%80%93Leibler_divergence

    >>> import numpy as np
    >>> metric = KLDivergence()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[0.6, 0.4], [0.4, 0.6]]))
    >>> round(float(metric.result()), 4)
    0.4581
    """

    def __init__(self, name: str | None = "kl_divergence", dtype=None):
        super().__init__(kl_divergence, name, dtype)


class Poisson(_FunctionMean):
    """The mean of p - y log(p), the Poisson likelihood's loss of counts.

    `update_state(y_true, y_pred, sample_weight=None)` takes counts and predicted rates of one
    shape, `(batch, ..., values)`, and weights of shape `(batch,)` or `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    Source: https://en.wikipedia.org/wiki/Poisson_regression

    >>> import numpy as np
    >>> metric = Poisson()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[1, 1], [0, 0]]))
    >>> round(float(metric.result()), 4)
    0.5
    """

    def __init__(self, name: str | None = "poisson", dtype=None):
        super().__init__(poisson, name, dtype)


class BinaryCrossentropy(_FunctionMean):
    """The mean cross-entropy of labels 0 or 1, -y log(p) - (1 - y) log(1 - p).

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and probabilities of one shape,
    `(batch, ..., values)`, and weights of shape `(batch,)` or `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.
        from_logits: whether predictions are logits; by default they are probabilities.
        label_smoothing: a number in [0, 1] by which labels are moved towards 0.5; 0 by default.

    Source: https://en.wikipedia.org/wiki/Cross-entropy

    >>> import numpy as np
    >>> metric = BinaryCrossentropy()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[0.6, 0.4], [0.4, 0.6]]))
    >>> round(float(metric.result()), 4)
    0.8149
    """

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype=None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ):
        super().__init__(
            binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


class CategoricalCrossentropy(_FunctionMean):
    """The mean cross-entropy of one-hot labels, - sum of y log(p) over the classes.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels and probabilities of one shape,
    `(batch, ..., classes)`, and weights of shape `(batch,)` or `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.
        from_logits: whether predictions are logits; by default they are probabilities.
        label_smoothing: a number in [0, 1] by which labels are moved towards the uniform
            distribution; 0 by default.
        axis: the class axis, the last by default.

    Source: https://en.wikipedia.org/wiki/Cross-entropy

    >>> import numpy as np
    >>> metric = CategoricalCrossentropy()
    >>> metric.update_state(np.array([[0, 1, 0], [0, 0, 1]]),
    ...                     np.array([[0.05, 0.95, 0], [0.1, 0.8, 0.1]]))
    >>> round(float(metric.result()), 4)
    1.1769
    """

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype=None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ):
        super().__init__(
            categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


class SparseCategoricalCrossentropy(_FunctionMean):
    """The mean cross-entropy of integer labels, -log of the label's probability.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels of shape `(batch, ...)`,
    probabilities of shape `(batch, ..., classes)` and weights of the labels' shape or `(batch,)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.
        from_logits: whether predictions are logits; by default they are probabilities.
        ignore_class: a label whose samples count as 0; with weights they are left out of the mean,
            as in Keras.
        axis: the class axis, the last by default.

    Source: https://en.wikipedia.org/wiki/Cross-entropy

    >>> import numpy as np
    >>> metric = SparseCategoricalCrossentropy()
    >>> metric.update_state(np.array([1, 2]), np.array([[0.05, 0.95, 0], [0.1, 0.8, 0.1]]))
    >>> round(float(metric.result()), 4)
    1.1769
    """

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype=None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ):
        super().__init__(
            sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def update_state(  # type: ignore[override]
        self, y_true, y_pred, sample_weight=None, mask=None
    ) -> None:
        """Adds a batch of labels and predictions."""
        if self.ignore_class is not None and not (sample_weight is None and mask is None):
            y_true, y_pred = jnp.asarray(y_true), jnp.asarray(y_pred)
            counted = y_true != self.ignore_class
            if counted.ndim == y_pred.ndim and counted.shape[-1] == 1:
                counted = counted[..., 0]
            sample_weight = masked_weight(sample_weight, mask, self.dtype)
            mask = counted
        super().update_state(y_true, y_pred, sample_weight, mask)
