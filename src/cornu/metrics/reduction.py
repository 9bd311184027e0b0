"""Sums and means over batches, and the mean of any function of labels and predictions."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from cornu.core import serialization
from cornu.losses.shapes import same_rank
from cornu.metrics._shapes import divide_or_zero, masked_weight, spread
from cornu.metrics.base import Metric


class Sum(Metric):
    """The (weighted) sum of all values seen.

    `update_state(values, sample_weight=None, mask=None)` takes values of any shape, and weights of
    the same shape or of its first axes.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> total = Sum()
    >>> total.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    >>> float(total.result())
    4.0
    """

    def __init__(self, name: str | None = "sum", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), dtype=self.dtype, name="total")

    def update_state(self, values, sample_weight=None, mask=None) -> None:
        """Adds the sum of `values`."""
        values = jnp.asarray(values, self.dtype)
        weight = masked_weight(sample_weight, mask, self.dtype)
        if weight is not None:
            values, weight = same_rank(values, weight)
            if values.ndim > weight.ndim:
                values = values.sum(axis=tuple(range(weight.ndim, values.ndim)))
            values = values * spread(self.name, weight, values.shape)
        self.total.assign(self.total.value + jnp.sum(values))

    def result(self) -> jax.Array:
        """The sum, a scalar."""
        return self.total.value


class Mean(Metric):
    """The (weighted) mean of all values seen: their sum divided by the sum of their weights.

    `update_state(values, sample_weight=None, mask=None)` takes values of shape `(batch, ...)`; each
    sample counts once, with the mean of its values. Weights have that shape, or that of its first
    axes. With no values seen, or weights that sum to zero, the mean is 0.

    Args:
        name: the name in the logs.
        dtype: name of the dtype that is summed in; by default the default float type.

    >>> mean = Mean()
    >>> mean.update_state([1, 3, 5, 7])
    >>> float(mean.result())
    4.0
    >>> mean.reset_state()
    >>> mean.update_state([1, 3, 5, 7], sample_weight=[1, 1, 0, 0])
    >>> float(mean.result())
    2.0
    """

    def __init__(self, name: str | None = "mean", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), dtype=self.dtype, name="total")
        self.count = self.add_variable((), dtype=self.dtype, name="count")

    def update_state(self, values, sample_weight=None, mask=None) -> None:
        """Adds the sum of `values` and their number, or the sum of their weights."""
        values = jnp.asarray(values, self.dtype)
        weight = masked_weight(sample_weight, mask, self.dtype)
        count: jax.Array | int
        if weight is None:
            total, count = jnp.sum(values), values.shape[0] if values.ndim else 1
            per_sample = math.prod(values.shape[1:])
        else:
            values, weight = same_rank(values, weight)
            if values.ndim > weight.ndim:
                values = values.mean(axis=tuple(range(weight.ndim, values.ndim)))
            weight = spread(self.name, weight, values.shape)
            total, count = jnp.sum(values * weight), jnp.sum(weight)
            per_sample = math.prod(values.shape[1:])
            if per_sample != 1:
                count = count / per_sample
        # the mean of each sample's values, summed: one sum and one division by a known size
        self.total.assign(self.total.value + (total if per_sample == 1 else total / per_sample))
        self.count.assign(self.count.value + count)

    def result(self) -> jax.Array:
        """The mean, a scalar."""
        return divide_or_zero(self.total.value, self.count.value)


class MeanMetricWrapper(Mean):
    """The mean of a function of labels and predictions, over all samples seen.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)`, which returns a value for each sample.
        name: the name in the logs; by default made from the class's name.
        dtype: name of the dtype that is summed in; by default the default float type.
        **kwargs: further arguments of `fn`.

    >>> def squared(y_true, y_pred):
    ...     return (y_true - y_pred) ** 2
    >>> metric = MeanMetricWrapper(squared, name="squared")
    >>> metric.update_state(jnp.array([1.0, 2.0]), jnp.array([1.0, 4.0]))
    >>> float(metric.result())
    2.0
    """

    def __init__(self, fn: Callable, name: str | None = None, dtype=None, **kwargs):
        super().__init__(name=name, dtype=dtype)
        self._fn = fn
        self._fn_kwargs = kwargs
        if not hasattr(type(self), "_direction") and _is_loss(fn):
            self._direction = "down"

    def update_state(  # type: ignore[override]
        self, y_true, y_pred, sample_weight=None, mask=None
    ) -> None:
        """Adds the function's values for a batch.

        `mask`, of the shape of `y_pred` without its last axis, says which predictions count.
        """
        super().update_state(self._fn(y_true, y_pred, **self._fn_kwargs), sample_weight, mask)

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return {
            **super().get_config(),
            "fn": serialization.serialize(self._fn),
            **serialization.serialize(self._fn_kwargs),
        }

    @classmethod
    def from_config(cls, config: dict):
        """A metric made from what `get_config` returned.

        Raises ValueError where the function is neither Cornu's nor known as a custom object.
        """
        config = serialization.deserialize(config)
        if isinstance(config.get("fn"), str):
            from cornu.metrics.lookup import function_named  # it imports this module

            config["fn"] = function_named(config["fn"])
        return cls(**config)


class _FunctionMean(MeanMetricWrapper):
    """The mean of one of Cornu's own functions: the configuration holds its arguments only."""

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return {**Metric.get_config(self), **self._fn_kwargs}

    @classmethod
    def from_config(cls, config: dict):
        """A metric made from what `get_config` returned."""
        return cls(**config)


def _is_loss(function) -> bool:
    """Whether it is one of Cornu's losses: then less of it is better."""
    owner = function if hasattr(function, "__name__") else type(function)
    return (getattr(owner, "__module__", None) or "").startswith("cornu.losses")
