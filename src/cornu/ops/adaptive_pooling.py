"""Pooling to a given number of windows, whatever the size of the input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.image import standardize_data_format
from cornu.graph.node import operation
from cornu.ops._windows import per_axis, spatial_axes
from cornu.ops.pooling import average_pool, max_pool


@operation
def adaptive_average_pool(
    inputs: Any, output_size: int | tuple[int, ...], data_format: str | None = None
) -> jax.Array:
    """The mean of each of so many windows, spread evenly over the input.

    Of `n` elements and `m` windows the i-th goes from `floor(i * n / m)` to `ceil((i + 1) * n / m)`
    exclusively: neighbours overlap where `m` does not divide `n`.

    Args:
        inputs: (batch, *spatial, channels), or (batch, channels, *spatial) for `channels_first`;
            one to three spatial axes, float.
        output_size: the number of windows along each spatial axis; one integer for all of them.
        data_format: `"channels_last"` or `"channels_first"`. Default `None`, the one set for all
            layers.

    Returns:
        The means: as `inputs`, with spatial axes of `output_size`.

    Raises ValueError for malformed arguments.

    Source: the arguments and windows are those of `keras.ops.adaptive_average_pool`.

    >>> import numpy as np
    >>> signal = np.arange(5.0, dtype="float32").reshape(1, 5, 1)
    >>> adaptive_average_pool(signal, 2)[0, :, 0].tolist()
    [1.0, 3.0]
    """
    return _by_axis("adaptive_average_pool", average_pool, inputs, output_size, data_format)


@operation
def adaptive_max_pool(
    inputs: Any, output_size: int | tuple[int, ...], data_format: str | None = None
) -> jax.Array:
    """The largest element of each of so many windows, spread evenly over the input.

    Args:
        inputs: (batch, *spatial, channels), or (batch, channels, *spatial) for `channels_first`;
            one to three spatial axes, float.
        output_size: the number of windows along each spatial axis; one integer for all of them.
        data_format: `"channels_last"` or `"channels_first"`. Default `None`, the one set for all
            layers.

    Returns:
        The maxima: as `inputs`, with spatial axes of `output_size`. The windows are those of
        `adaptive_average_pool`.

    Raises ValueError for malformed arguments.

    Source: the arguments and windows are those of `keras.ops.adaptive_max_pool`.

    >>> import numpy as np
    >>> signal = np.arange(5.0, dtype="float32").reshape(1, 5, 1)
    >>> adaptive_max_pool(signal, 2)[0, :, 0].tolist()
    [2.0, 4.0]
    """
    return _by_axis("adaptive_max_pool", max_pool, inputs, output_size, data_format)


def _by_axis(
    name: str, pool: Callable, inputs: Any, output_size: Any, data_format: str | None
) -> jax.Array:
    """One axis after the other: as in Keras, where it decides which of equal maxima counts."""
    inputs = jnp.asarray(inputs)
    data_format = standardize_data_format(data_format)
    axes = spatial_axes(name, inputs, data_format)
    for axis, count in zip(
        axes, per_axis(name, "output_size", output_size, len(axes)), strict=True
    ):

        def along(width: int, step: int, inputs=inputs, axis=axis) -> jax.Array:
            size, strides = ([n if one == axis else 1 for one in axes] for n in (width, step))
            return pool(inputs, size, strides, "valid", data_format)

        inputs = _pooled(along, inputs.shape[axis], count, axis)
    return inputs


def _pooled(along: Callable, length: int, count: int, axis: int) -> jax.Array:
    """An axis of some length pooled by so many windows; `along` pools it by equal windows."""
    first = np.arange(count) * length // count
    widths = -(-np.arange(1, count + 1) * length // count) - first
    if length % count == 0:
        return along(length // count, length // count)
    # windows of two widths: all there are of either, side by side, and of these the ones wanted
    parts, taken, before = [], np.zeros(count, int), 0
    for width in np.unique(widths).tolist():
        parts.append(along(width, 1))
        taken[widths == width] = first[widths == width] + before
        before += length - width + 1
    return jnp.take(jnp.concatenate(parts, axis), taken, axis)
