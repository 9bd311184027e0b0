"""Convolution of each channel by itself, the way that a CPU does it fastest; channels last.

There is no matrix product in it: each output is a sum of a few products, one for each place in the
window. Written out as such, on arrays moved by the place, it is one pass over the images in vector
instructions, channels side by side. What XLA makes of it as a grouped convolution takes twenty to
two hundred times as long.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jax import lax

from cornu.ops import _patches
from cornu.ops._patches import Windows, in_blocks, padded

# Into how many pieces the rows of an image are cut for the kernel's gradient, and how many products
# may be written out for it in the program. XLA sums over all but the channels without vector
# instructions; adding up the pieces first leaves it a seventh of that. Four pieces take about as
# long, two twice as long.
_PIECES, _MOST_PRODUCTS = 7, 256

# With more windows for each channel than this, inputs are repeated for them; with fewer each window
# is gone through by itself, which takes half the time but a program that grows with their number.
_MOST_PASSES = 4


def convolve(inputs: jax.Array, kernel: jax.Array, windows: Windows) -> jax.Array:
    """(images, *spatial, channels) to (images, *places, channels * multiplier)."""
    *window, channels, multiplier = kernel.shape
    if 1 < multiplier <= _MOST_PASSES:
        each = [convolve(inputs, one, windows) for one in jnp.split(kernel, multiplier, -1)]
        outputs = jnp.stack(each, -1)
        return outputs.reshape(*outputs.shape[:-2], channels * multiplier)
    factors = kernel.reshape(*window, channels * multiplier)
    return _sum(padded(_repeated(inputs, multiplier), windows), factors, windows)


def inputs_gradient(
    shape: tuple[int, ...], kernel: jax.Array, gradient: jax.Array, windows: Windows
) -> jax.Array:
    """The gradient of the inputs: the turned kernel over the outputs' gradient, spread by strides.

    It costs what a convolution without strides does: the zeros between are gone over too, which is
    cheaper than to add up what comes from each place of the window.
    """
    *window, channels, multiplier = kernel.shape
    if 1 < multiplier <= _MOST_PASSES:
        kernels, slopes = jnp.split(kernel, multiplier, -1), _apart(gradient, multiplier)
        each = [inputs_gradient(shape, *one, windows) for one in zip(kernels, slopes, strict=True)]
        return sum(each[1:], each[0])
    around = [(0, 0, 0)]
    for length, count, size, step, gap, (low, _) in zip(
        shape[1:-1], gradient.shape[1:-1], window, *_settings(windows), strict=True
    ):
        around.append((gap * (size - 1) - low, length + low - (count - 1) * step - 1, step - 1))
    spread = lax.pad(gradient, jnp.zeros((), gradient.dtype), [*around, (0, 0, 0)])
    factors = jnp.flip(kernel, tuple(range(len(window)))).reshape(*window, -1)
    ones = (1,) * len(window)
    result = _sum(spread, factors, Windows(ones, ((0, 0),) * len(window), windows.dilation))
    if multiplier > 1:
        result = jnp.sum(result.reshape(*result.shape[:-1], channels, multiplier), -1)
    return result


def kernel_gradient(
    inputs: jax.Array, kernel_shape: tuple[int, ...], gradient: jax.Array, windows: Windows
) -> jax.Array:
    """The gradient of the kernel: for each place the inputs there times the outputs' gradient."""
    *window, channels, multiplier = kernel_shape
    if 1 < multiplier <= _MOST_PASSES:
        shape = (*window, channels, 1)
        each = [
            kernel_gradient(inputs, shape, one, windows) for one in _apart(gradient, multiplier)
        ]
        return jnp.concatenate(each, -1)
    wide = jnp.promote_types(inputs.dtype, jnp.float32)
    places = math.prod(window)
    counts = gradient.shape[1:-1]
    pieces = max(1, min(_PIECES, counts[0], _MOST_PRODUCTS // places))
    rows = -(-counts[0] // pieces)
    # the rows that the last piece lacks: zeros in the gradient, whatever they meet in the images
    lacking = rows * pieces - counts[0]

    def images(total, start, count):
        block = _repeated(lax.dynamic_slice_in_dim(inputs, start, count), multiplier)
        block = _longer(padded(block, windows), lacking * windows.strides[0]).astype(wide)
        slopes = lax.dynamic_slice_in_dim(gradient, start, count)
        slopes = _longer(slopes, lacking).astype(wide)
        sums = []
        for first in _offsets(window, windows.dilation):
            parts = []
            for piece in range(pieces):
                begin = [first[0] + piece * rows * windows.strides[0], *first[1:]]
                values = _strided(block, begin, (rows, *counts[1:]), windows.strides)
                parts.append(
                    values * lax.slice_in_dim(slopes, piece * rows, (piece + 1) * rows, axis=1)
                )
            sums.append(sum(parts[1:], parts[0]))
        stacked = jnp.stack(sums)
        return total + jnp.sum(stacked, tuple(range(1, stacked.ndim - 1)))

    row_bytes = math.prod(counts[1:]) * gradient.shape[-1] * wide.itemsize
    together = max(1, min(inputs.shape[0], _patches.BLOCK_BYTES // (places * rows * row_bytes)))
    total = jnp.zeros((places, gradient.shape[-1]), wide)
    total = in_blocks(inputs.shape[0], together, images, total)
    return total.reshape(kernel_shape).astype(inputs.dtype)


def _settings(windows: Windows) -> tuple:
    return windows.strides, windows.dilation, windows.padding


def _apart(gradient: jax.Array, multiplier: int) -> list[jax.Array]:
    """The gradient of the outputs of the first window of each channel, of the second, ..."""
    each = gradient.reshape(*gradient.shape[:-1], -1, multiplier)
    return [each[..., number] for number in range(multiplier)]


def _repeated(inputs: jax.Array, multiplier: int) -> jax.Array:
    """Each channel as often as it has windows."""
    return inputs if multiplier == 1 else jnp.repeat(inputs, multiplier, -1)


def _sum(block: jax.Array, factors: jax.Array, windows: Windows) -> jax.Array:
    """The sum over the window of padded images times factors (*window, channels)."""
    window = factors.shape[:-1]
    counts = tuple(
        (length - gap * (size - 1) - 1) // step + 1
        for length, size, step, gap in zip(
            block.shape[1:-1], window, windows.strides, windows.dilation, strict=True
        )
    )
    # half precision is summed up in float32
    wide = jnp.promote_types(block.dtype, jnp.float32)
    rows = factors.reshape(-1, factors.shape[-1]).astype(wide)
    parts = [
        _strided(block, first, counts, windows.strides).astype(wide) * rows[number]
        for number, first in enumerate(_offsets(window, windows.dilation))
    ]
    return sum(parts[1:], parts[0]).astype(block.dtype)


def _offsets(window: tuple[int, ...], dilation: tuple[int, ...]) -> Iterator[list[int]]:
    """Where in the images the elements of the window at the first place are.

    >>> list(_offsets((1, 2), (1, 3)))
    [[0, 0], [0, 3]]
    """
    for element in itertools.product(*map(range, window)):
        yield [i * gap for i, gap in zip(element, dilation, strict=True)]


def _strided(
    block: jax.Array, first: list[int], counts: tuple[int, ...], strides: tuple[int, ...]
) -> jax.Array:
    """So many elements of each spatial axis from the first on, a stride apart."""
    ends = [
        low + (count - 1) * step + 1
        for low, count, step in zip(first, counts, strides, strict=True)
    ]
    return lax.slice(
        block, (0, *first, 0), (block.shape[0], *ends, block.shape[-1]), (1, *strides, 1)
    )


def _longer(block: jax.Array, rows: int) -> jax.Array:
    """With rows of zeros after the others."""
    if rows == 0:
        return block
    around = [(0, rows if axis == 1 else 0, 0) for axis in range(block.ndim)]
    return lax.pad(block, jnp.zeros((), block.dtype), around)
