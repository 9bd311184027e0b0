"""Losses of regression: squared, absolute, relative and logarithmic errors, Huber, log-cosh."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.dtypes import epsilon
from cornu.losses.loss import LossFunctionWrapper
from cornu.losses.shapes import check_elementwise, operands, same_rank


def _fitted(name: str, y_true: Any, y_pred: Any) -> tuple[jax.Array, jax.Array]:
    y_true, y_pred = same_rank(*operands(y_true, y_pred))
    check_elementwise(name, y_true, y_pred)
    return y_true, y_pred


def mean_squared_error(y_true: Any, y_pred: Any) -> jax.Array:
    """`mean((y_true - y_pred)**2)` over the last axis.

    Args:
        y_true: targets, `(batch, ..., units)`.
        y_pred: outputs, same shape.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.mean_squared_error`.

    >>> mean_squared_error([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
    [2.0]
    """
    y_true, y_pred = _fitted("mean_squared_error", y_true, y_pred)
    return jnp.mean(jnp.square(y_true - y_pred), axis=-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> jax.Array:
    """`mean(abs(y_true - y_pred))` over the last axis.

    Args:
        y_true: targets, `(batch, ..., units)`.
        y_pred: outputs, same shape.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.mean_absolute_error`.

    >>> mean_absolute_error([[0.0, 1.0]], [[2.0, 1.0]]).tolist()
    [1.0]
    """
    y_true, y_pred = _fitted("mean_absolute_error", y_true, y_pred)
    return jnp.mean(jnp.abs(y_true - y_pred), axis=-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> jax.Array:
    """`100 * mean(abs((y_true - y_pred) / y_true))` over the last axis.

    Targets nearer to 0 than the fuzz factor `config.epsilon()` are divided by that.

    Args:
        y_true: targets, `(batch, ..., units)`.
        y_pred: outputs, same shape.

    Returns:
        Percent, `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.mean_absolute_percentage_error`.

    >>> mean_absolute_percentage_error([[4.0, 2.0]], [[3.0, 2.0]]).tolist()
    [12.5]
    """
    y_true, y_pred = _fitted("mean_absolute_percentage_error", y_true, y_pred)
    relative = (y_true - y_pred) / jnp.maximum(jnp.abs(y_true), epsilon())
    return 100.0 * jnp.mean(jnp.abs(relative), axis=-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> jax.Array:
    """`mean((log(y_true + 1) - log(y_pred + 1))**2)` over the last axis.

    Numbers below the fuzz factor `config.epsilon()` count as that.

    Args:
        y_true: targets from 0 on, `(batch, ..., units)`.
        y_pred: outputs from 0 on, same shape.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.mean_squared_logarithmic_error`.

    >>> round(float(mean_squared_logarithmic_error([[0.0]], [[math.e - 1]])[0]), 5)
    1.0
    """
    y_true, y_pred = _fitted("mean_squared_logarithmic_error", y_true, y_pred)
    log_pred = jnp.log(jnp.maximum(y_pred, epsilon()) + 1.0)
    log_true = jnp.log(jnp.maximum(y_true, epsilon()) + 1.0)
    return jnp.mean(jnp.square(log_pred - log_true), axis=-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> jax.Array:
    """Half the squared error up to `delta`, a straight line beyond; mean over the last axis.

    Args:
        y_true: targets, `(batch, ..., units)`.
        y_pred: outputs, same shape.
        delta: the error where the parabola becomes a line. Default 1.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: P. Huber, "Robust estimation of a location parameter", 1964.

    >>> huber([[0.0], [0.0]], [[1.0], [3.0]]).tolist()
    [0.5, 2.5]
    """
    y_true, y_pred = _fitted("huber", y_true, y_pred)
    error = y_pred - y_true
    size = jnp.abs(error)
    line = delta * size - 0.5 * delta**2
    return jnp.mean(jnp.where(size <= delta, 0.5 * jnp.square(error), line), axis=-1)


def log_cosh(y_true: Any, y_pred: Any) -> jax.Array:
    """`mean(log(cosh(y_pred - y_true)))` over the last axis.

    About half the squared error where it is small, and the absolute error less `log(2)` where it
    is large.

    Args:
        y_true: targets, `(batch, ..., units)`.
        y_pred: outputs, same shape.

    Returns:
        `(batch, ...)`, in the dtype of `y_pred`.

    Raises:
        ValueError: shapes that do not fit.

    Source: documentation of `keras.losses.log_cosh`.

    >>> round(float(log_cosh([[0.0]], [[100.0]])[0]), 4)
    99.3069
    """
    y_true, y_pred = _fitted("log_cosh", y_true, y_pred)
    error = y_pred - y_true
    return jnp.mean(error + jax.nn.softplus(-2.0 * error) - math.log(2), axis=-1)


class MeanSquaredError(LossFunctionWrapper):
    """The mean of squared errors, `(y_true - y_pred)**2`.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"mean_squared_error"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., units)`, see `Loss`; a target for each output.

    Source: documentation of `keras.losses.MeanSquaredError`.

    >>> float(MeanSquaredError()([[0.0, 1.0]], [[2.0, 1.0]]))
    2.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_error",
        dtype: Any = None,
    ):
        super().__init__(mean_squared_error, name=name, reduction=reduction, dtype=dtype)


class MeanAbsoluteError(LossFunctionWrapper):
    """The mean of absolute errors, `abs(y_true - y_pred)`.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"mean_absolute_error"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., units)`, see `Loss`; a target for each output.

    Source: documentation of `keras.losses.MeanAbsoluteError`.

    >>> float(MeanAbsoluteError()([[0.0, 1.0]], [[2.0, 1.0]]))
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_error",
        dtype: Any = None,
    ):
        super().__init__(mean_absolute_error, name=name, reduction=reduction, dtype=dtype)


class MeanAbsolutePercentageError(LossFunctionWrapper):
    """The mean of absolute errors in percent of the targets.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"mean_absolute_percentage_error"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., units)`, see `Loss`; a target for each output.

    Source: documentation of `keras.losses.MeanAbsolutePercentageError`.

    >>> float(MeanAbsolutePercentageError()([[4.0, 2.0]], [[3.0, 2.0]]))
    12.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_absolute_percentage_error",
        dtype: Any = None,
    ):
        super().__init__(
            mean_absolute_percentage_error, name=name, reduction=reduction, dtype=dtype
        )


class MeanSquaredLogarithmicError(LossFunctionWrapper):
    """The mean of squared differences of logarithms, `(log(y_true + 1) - log(y_pred + 1))**2`.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"mean_squared_logarithmic_error"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., units)` from 0 on, see `Loss`.

    Source: documentation of `keras.losses.MeanSquaredLogarithmicError`.

    >>> round(float(MeanSquaredLogarithmicError()([[0.0]], [[math.e - 1]])), 5)
    1.0
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "mean_squared_logarithmic_error",
        dtype: Any = None,
    ):
        super().__init__(
            mean_squared_logarithmic_error, name=name, reduction=reduction, dtype=dtype
        )


class Huber(LossFunctionWrapper):
    """Half the squared error up to `delta`, a straight line beyond: outliers pull less.

    Args:
        delta: the error where the parabola becomes a line. Default 1.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"huber_loss"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., units)`, see `Loss`; a target for each output.

    Source: P. Huber, "Robust estimation of a location parameter", 1964.

    >>> float(Huber()([[0.0], [0.0]], [[1.0], [3.0]]))
    1.5
    """

    defaults_left_out = {"delta": 1.0}

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "huber_loss",
        dtype: Any = None,
    ):
        super().__init__(huber, name=name, reduction=reduction, dtype=dtype, delta=delta)
        self.delta = delta


class LogCosh(LossFunctionWrapper):
    """The mean of `log(cosh(y_pred - y_true))`, much like Huber's loss but smooth everywhere.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"log_cosh"`.
        dtype: as for `Loss`. Default `None`.

    Called with targets and outputs `(batch, ..., units)`, see `Loss`; a target for each output.

    Source: documentation of `keras.losses.LogCosh`.

    >>> round(float(LogCosh()([[0.0]], [[100.0]])), 4)
    99.3069
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "log_cosh",
        dtype: Any = None,
    ):
        super().__init__(log_cosh, name=name, reduction=reduction, dtype=dtype)
