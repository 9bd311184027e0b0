"""Hinge errors: how far predictions are on the wrong side, or too near to it."""

from __future__ import annotations

from cornu.losses import categorical_hinge, hinge, squared_hinge
from cornu.metrics.reduction import _FunctionMean


class Hinge(_FunctionMean):
    """The mean of max(1 - y p, 0).

    `update_state(y_true, y_pred, sample_weight=None)` takes labels -1 or 1 (0 is read as -1)
    and predictions of the same shape, `(batch, ..., values)`, and weights of shape `(batch,)` or
    `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    Source: https://en.wikipedia.org/wiki/Hinge_loss

    >>> import numpy as np
    >>> metric = Hinge()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[0.6, 0.4], [0.4, 0.6]]))
    >>> round(float(metric.result()), 4)
    1.3
    """

    def __init__(self, name: str | None = "hinge", dtype=None):
        super().__init__(hinge, name, dtype)


class SquaredHinge(_FunctionMean):
    """The mean of max(1 - y p, 0)^2.

    `update_state(y_true, y_pred, sample_weight=None)` takes labels -1 or 1 (0 is read as -1)
    and predictions of the same shape, `(batch, ..., values)`, and weights of shape `(batch,)` or
    `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    Source: https://en.wikipedia.org/wiki/Hinge_loss

    >>> import numpy as np
    >>> metric = SquaredHinge()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[0.6, 0.4], [0.4, 0.6]]))
    >>> round(float(metric.result()), 4)
    1.86
    """

    def __init__(self, name: str | None = "squared_hinge", dtype=None):
        super().__init__(squared_hinge, name, dtype)


class CategoricalHinge(_FunctionMean):
    """The mean of max(1 + highest score of a wrong class - score of the right one, 0).

    `update_state(y_true, y_pred, sample_weight=None)` takes one-hot labels
    and predictions of the same shape, `(batch, ..., values)`, and weights of shape `(batch,)` or
    `(batch, ...)`.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    Source: https://en.wikipedia.org/wiki/Hinge_loss

    >>> import numpy as np
    >>> metric = CategoricalHinge()
    >>> metric.update_state(np.array([[0, 1], [0, 0]]), np.array([[0.6, 0.4], [0.4, 0.6]]))
    >>> round(float(metric.result()), 4)
    1.4
    """

    def __init__(self, name: str | None = "categorical_hinge", dtype=None):
        super().__init__(categorical_hinge, name, dtype)
