"""Maximum and average over sliding windows of images, signals and volumes.

On a GPU or TPU the maximum is XLA's `reduce_window`. On a CPU the gradient that XLA derives from it
(`select_and_scatter`) runs element by element, so there both are written as one slice for each
place in the window: XLA turns them into a pass or two of vector instructions, together with the
activation before the pooling, and training through a pooling is about four times faster.

Either way the whole gradient of a window goes to its first maximum, in the order of rows, as in
Keras: after a ReLU, windows full of equal zeros are the rule, so the choice shows in training.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from cornu.core.image import standardize_data_format
from cornu.graph.node import operation
from cornu.ops._windows import per_axis, places, same_padding, spatial_axes

# Windows of more places than this stay with XLA's `reduce_window`: the slices are written out in
# the program one by one, and compiling hundreds of them costs more than they save.
_MOST_PLACES = 64


class _Windows(NamedTuple):
    """Sliding windows over every axis of an array, batch and channels included."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]


@operation
def max_pool(
    inputs: Any,
    pool_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """The largest element of each window.

    Args:
        inputs: (batch, *spatial, channels), or (batch, channels, *spatial) for `channels_first`;
            one to three spatial axes, any real dtype.
        pool_size: the window's length along each spatial axis; one integer for all of them.
        strides: the distance between windows. Default `None`, `pool_size`: they do not overlap.
        padding: `"valid"`, only whole windows, or `"same"`, `ceil(size / stride)` of them, those at
            the edges being smaller. Default `"valid"`.
        data_format: `"channels_last"` or `"channels_first"`. Default `None`, the one set for all
            layers.

    Returns:
        The maxima: as `inputs`, with shorter spatial axes. Where elements of a window are equal,
        its gradient goes to the first.

    Raises ValueError for a window that does not fit the input and for malformed arguments.

    Source: the arguments are those of `keras.ops.max_pool`.

    >>> import numpy as np
    >>> images = np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1)
    >>> max_pool(images, 2)[0, :, :, 0].tolist()
    [[5.0, 7.0], [13.0, 15.0]]
    """
    inputs = jnp.asarray(inputs)
    windows = _windows("max_pool", inputs, pool_size, strides, padding, data_format)
    if not jnp.issubdtype(inputs.dtype, jnp.inexact) or math.prod(windows.sizes) > _MOST_PLACES:
        return _largest(inputs, windows)
    return _max_pool(inputs, windows)


@operation
def average_pool(
    inputs: Any,
    pool_size: int | tuple[int, ...],
    strides: int | tuple[int, ...] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> jax.Array:
    """The mean of each window; what `"same"` adds at the edges is not counted.

    Args:
        inputs: (batch, *spatial, channels), or (batch, channels, *spatial) for `channels_first`;
            one to three spatial axes, float.
        pool_size: the window's length along each spatial axis; one integer for all of them.
        strides: the distance between windows. Default `None`, `pool_size`: they do not overlap.
        padding: `"valid"`, only whole windows, or `"same"`, `ceil(size / stride)` of them, those at
            the edges being smaller. Default `"valid"`.
        data_format: `"channels_last"` or `"channels_first"`. Default `None`, the one set for all
            layers.

    Returns:
        The means: as `inputs`, with shorter spatial axes.

    Raises ValueError for a window that does not fit the input and for malformed arguments.

    Source: the arguments are those of `keras.ops.average_pool`.

    >>> import numpy as np
    >>> images = np.arange(9.0, dtype="float32").reshape(1, 3, 3, 1)
    >>> average_pool(images, 2, padding="same")[0, :, :, 0].tolist()
    [[2.0, 3.5], [6.5, 8.0]]
    """
    inputs = jnp.asarray(inputs)
    windows = _windows("average_pool", inputs, pool_size, strides, padding, data_format)
    zero = np.zeros((), inputs.dtype)
    if math.prod(windows.sizes) > _MOST_PLACES:
        sums = lax.reduce_window(inputs, zero, lax.add, *windows)
    else:  # a sum of slices: its gradient is three times faster than that of reduce_window
        counts = _counts(inputs.shape, windows)
        slices = _at_places(_padded(inputs, windows, zero), counts, windows)
        sums = functools.reduce(jnp.add, (values for _, values in slices))
    return sums / _elements(inputs.shape, windows).astype(sums.dtype)


def _windows(name, inputs, pool_size, strides, padding, data_format) -> _Windows:
    """The windows of a pooling over all axes, once its arguments are checked."""
    axes = spatial_axes(name, inputs, standardize_data_format(data_format))
    pool_size = per_axis(name, "pool_size", pool_size, len(axes))
    strides = pool_size if strides is None else per_axis(name, "strides", strides, len(axes))
    sizes, steps, pads = [1] * inputs.ndim, [1] * inputs.ndim, [(0, 0)] * inputs.ndim
    for axis, size, step in zip(axes, pool_size, strides, strict=True):
        length = inputs.shape[axis]
        places(name, inputs.shape, length, size, step, padding)
        sizes[axis], steps[axis] = size, step
        if padding == "same":
            pads[axis] = same_padding(length, size, step)
    return _Windows(tuple(sizes), tuple(steps), tuple(pads))


def _largest(inputs: jax.Array, windows: _Windows) -> jax.Array:
    return lax.reduce_window(inputs, _lowest(inputs.dtype), lax.max, *windows)


def _lowest(dtype) -> np.ndarray:
    """What no element is below: the padding that a maximum does not see."""
    if dtype == jnp.bool_:
        return np.zeros((), dtype)
    lowest = -np.inf if jnp.issubdtype(dtype, jnp.inexact) else jnp.iinfo(dtype).min
    return np.asarray(lowest, dtype)


# -- which lowering ------------------------------------------------------------------------------


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _max_pool(inputs: jax.Array, windows: _Windows) -> jax.Array:
    def by_xla(inputs):
        return _largest(inputs, windows)

    def by_place(inputs):
        slices = _at_places(_padded(inputs, windows), _counts(inputs.shape, windows), windows)
        return functools.reduce(jnp.maximum, (values for _, values in slices))

    return lax.platform_dependent(inputs, cpu=by_place, default=by_xla)


def _max_pool_forward(inputs: jax.Array, windows: _Windows):
    largest = _max_pool(inputs, windows)
    return largest, (inputs, largest)


def _max_pool_backward(windows: _Windows, saved, gradient: jax.Array):
    def by_xla(inputs, largest, gradient):
        return jax.vjp(lambda inputs: _largest(inputs, windows), inputs)[1](gradient)[0]

    to_first = _to_first_of_tiles if windows.sizes == windows.strides else _to_first
    by_place = functools.partial(to_first, windows=windows)
    return (lax.platform_dependent(*saved, gradient, cpu=by_place, default=by_xla),)


_max_pool.defvjp(_max_pool_forward, _max_pool_backward)


# -- the maximum and its gradient, place by place ------------------------------------------------


def _counts(shape: tuple[int, ...], windows: _Windows) -> tuple[int, ...]:
    """How many windows there are along each axis."""
    return tuple(
        (low + length + high - size) // step + 1
        for length, size, step, (low, high) in zip(shape, *windows, strict=True)
    )


def _padded(inputs: jax.Array, windows: _Windows, value: Any = None) -> jax.Array:
    """The inputs with what `"same"` adds around them: by default what a maximum does not see."""
    if not any(map(any, windows.padding)):
        return inputs
    around = [(low, high, 0) for low, high in windows.padding]
    return lax.pad(inputs, _lowest(inputs.dtype) if value is None else value, around)


def _at_places(padded: jax.Array, counts: tuple[int, ...], windows: _Windows):
    """For each place in the window, in the order of rows: where it is, its element of each window.

    >>> windows = _Windows((1, 2), (1, 2), ((0, 0), (0, 0)))
    >>> [(place, values.tolist()) for place, values in _at_places(jnp.eye(2), (2, 1), windows)]
    [((0, 0), [[1.0], [0.0]]), ((0, 1), [[0.0], [1.0]])]
    """
    for place in itertools.product(*map(range, windows.sizes)):
        ends = [
            first + (count - 1) * step + 1
            for first, count, step in zip(place, counts, windows.strides, strict=True)
        ]
        yield place, lax.slice(padded, place, ends, windows.strides)


def _to_first_of_tiles(inputs, largest, gradient, windows: _Windows) -> jax.Array:
    """The gradient of the maxima of windows that lie side by side: each input is in one at most.

    The number of the first maximum's place is spread over its window, and each element of the
    window that finds its own number takes the gradient.
    """
    counts = largest.shape
    slices = [values for _, values in _at_places(_padded(inputs, windows), counts, windows)]
    winner = jnp.full(counts, len(slices) - 1, jnp.int32)
    for number in reversed(range(len(slices) - 1)):
        winner = jnp.where(slices[number] == largest, np.int32(number), winner)
    # every axis in two: the number of the window, and the place in it
    own = np.arange(len(slices), dtype=np.int32)
    own = own.reshape([n for size in windows.sizes for n in (1, size)])
    apart = tuple(range(1, 2 * len(counts), 2))
    zero = np.zeros((), gradient.dtype)
    taken = jnp.where(jnp.expand_dims(winner, apart) == own, jnp.expand_dims(gradient, apart), zero)
    whole = taken.reshape([n * size for n, size in zip(counts, windows.sizes, strict=True)])
    around = [
        (-low, length + low - n * size, 0)
        for length, n, size, (low, _) in zip(
            inputs.shape, counts, windows.sizes, windows.padding, strict=True
        )
    ]
    return lax.pad(whole, zero, around)


def _to_first(inputs, largest, gradient, windows: _Windows) -> jax.Array:
    """The gradient of the maxima of windows that overlap, or that leave gaps.

    For each place in the window: the windows whose maximum it is, and that have none earlier, keep
    their gradient; spread apart by the strides and moved to the place, it is added to the gradient
    of the inputs.
    """
    zero = np.zeros((), gradient.dtype)
    free = np.ones((), bool)
    parts = []
    for place, values in _at_places(_padded(inputs, windows), largest.shape, windows):
        hit = values == largest
        around = [
            (first - low, length + low - first - (count - 1) * step - 1, step - 1)
            for first, (low, _), length, count, step in zip(
                place, windows.padding, inputs.shape, largest.shape, windows.strides, strict=True
            )
        ]
        parts.append(lax.pad(jnp.where(hit & free, gradient, zero), zero, around))
        free = free & ~hit
    return functools.reduce(jnp.add, parts)


def _elements(shape: tuple[int, ...], windows: _Windows) -> np.ndarray:
    """How many elements each window holds, padding left out; it broadcasts over the means."""
    counts = np.ones((1,) * len(shape), np.float32)
    for axis, (length, size, step, (low, high)) in enumerate(zip(shape, *windows, strict=True)):
        starts = np.arange(0, low + length + high - size + 1, step) - low
        inside = np.minimum(starts + size, length) - np.maximum(starts, 0)
        if (inside == inside[:1]).all():
            inside = inside[:1]
        counts = counts * inside.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return counts
