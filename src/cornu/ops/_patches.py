"""Convolution as matrix products, the way that a CPU does it fastest; channels last throughout.

The windows of the images are copied out, side by side, into a matrix of patches: one row for each
place of the window, one column for each of its elements. The convolution is that matrix times the
kernel; the kernel's gradient is the matrix, turned, times the gradient of the outputs; and the
gradient of the images is the gradient of the patches with every element added where it came from.

The patches are never there all at once. They are made and used up block by block, a few images or
a few rows of one image at a time, so that they stay in the processor's cache: that doubles the
speed, and it bounds the memory whatever the size of the images.

Source: K. Chellapilla, S. Puri, P. Simard, "High performance convolutional neural networks for
document processing", 2006.
"""

from __future__ import annotations

import itertools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

# The patches of one block, in bytes. Larger blocks leave the cache: four times this size costs a
# third more time, all patches at once twice the time. Smaller ones cost more rounds of the loop.
BLOCK_BYTES = 1_400_000


class Windows(NamedTuple):
    """The windows of a convolution along its spatial axes."""

    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]


def convolve(inputs: jax.Array, kernel: jax.Array, windows: Windows) -> jax.Array:
    """The convolution: (images, *spatial, channels) to (images, *places, filters)."""
    plan = _plan(inputs.shape, kernel.shape, windows, inputs.dtype.itemsize)
    matrix = kernel.reshape(-1, kernel.shape[-1])

    def of_rows(block):
        return _matrix_product(_patches(block, plan), matrix, ((block.ndim - 1,), (0,)))

    def images(outputs, start, count):
        block = padded(lax.dynamic_slice_in_dim(inputs, start, count), windows)
        if plan.rows == plan.places[0]:
            return lax.dynamic_update_slice_in_dim(outputs, of_rows(block), start, 0)

        def rows(outputs, row, count):
            part = of_rows(_rows_under(block, row, count, plan))
            return lax.dynamic_update_slice(outputs, part, (start, row) + (0,) * (part.ndim - 2))

        return in_blocks(plan.places[0], plan.rows, rows, outputs)

    outputs = jnp.zeros((inputs.shape[0], *plan.places, kernel.shape[-1]), inputs.dtype)
    return in_blocks(inputs.shape[0], plan.images, images, outputs)


def kernel_gradient(
    inputs: jax.Array, kernel_shape: tuple[int, ...], gradient: jax.Array, windows: Windows
) -> jax.Array:
    """The gradient of the kernel: patches times the gradient of the outputs, over all places."""
    plan = _plan(inputs.shape, kernel_shape, windows, inputs.dtype.itemsize)
    filters = kernel_shape[-1]
    elements = math.prod(kernel_shape[:-1])

    def product(block, gradient):
        patches = _patches(block, plan).reshape(-1, elements)
        return _matrix_product(gradient.reshape(-1, filters), patches, ((0,), (0,)), jnp.float32)

    def images(total, start, count):
        block = padded(lax.dynamic_slice_in_dim(inputs, start, count), windows)
        slopes = lax.dynamic_slice_in_dim(gradient, start, count)
        if plan.rows == plan.places[0]:
            return total + product(block, slopes)

        def rows(total, row, count):
            part = lax.dynamic_slice_in_dim(slopes, row, count, 1)
            return total + product(_rows_under(block, row, count, plan), part)

        return in_blocks(plan.places[0], plan.rows, rows, total)

    total = jnp.zeros((filters, elements), jnp.promote_types(inputs.dtype, jnp.float32))
    total = in_blocks(inputs.shape[0], plan.images, images, total)
    return total.T.reshape(kernel_shape).astype(inputs.dtype)


def inputs_gradient(
    shape: tuple[int, ...], kernel: jax.Array, gradient: jax.Array, windows: Windows
) -> jax.Array:
    """The gradient of the inputs: that of the patches, each element added where it came from."""
    plan = _plan(shape, kernel.shape, windows, gradient.dtype.itemsize)
    matrix = kernel.reshape(-1, kernel.shape[-1])
    zero = jnp.zeros((), gradient.dtype)

    def to_rows(slopes, lengths):
        """The gradient of the padded rows under a block of places."""
        patches = _matrix_product(slopes, matrix, ((slopes.ndim - 1,), (1,)))
        total = None
        for number, (first, end) in enumerate(_spans(slopes.shape[1:-1], plan)):
            part = lax.slice_in_dim(
                patches, number * plan.channels, (number + 1) * plan.channels, axis=-1
            )
            around = [
                (low, length - high, step - 1)
                for low, high, length, step in zip(first, end, lengths, plan.strides, strict=True)
            ]
            part = lax.pad(part, zero, [(0, 0, 0), *around, (0, 0, 0)])
            total = part if total is None else total + part
        return total

    def images(result, start, count):
        slopes = lax.dynamic_slice_in_dim(gradient, start, count)
        if plan.rows == plan.places[0]:
            total = to_rows(slopes, plan.lengths)
        else:

            def rows(total, row, count):
                part = lax.dynamic_slice_in_dim(slopes, row, count, 1)
                length = _reach(count, 0, plan)
                part = to_rows(part, (length, *plan.lengths[1:]))
                first = row * plan.strides[0]
                before = lax.dynamic_slice_in_dim(total, first, length, 1)
                return lax.dynamic_update_slice_in_dim(total, before + part, first, 1)

            total = jnp.zeros((count, *plan.lengths, plan.channels), gradient.dtype)
            total = in_blocks(plan.places[0], plan.rows, rows, total)
        return lax.dynamic_update_slice_in_dim(result, padded(total, windows, -1), start, 0)

    return in_blocks(shape[0], plan.images, images, jnp.zeros(shape, gradient.dtype))


class _Plan(NamedTuple):
    """How a convolution is cut into blocks: of whole images, or of rows of one image."""

    images: int  # in a block
    rows: int  # of places in a block: all of them unless one image is a block too large
    places: tuple[int, ...]  # of the window, along each spatial axis
    lengths: tuple[int, ...]  # of the padded spatial axes
    window: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    channels: int


def _plan(
    shape: tuple[int, ...], kernel_shape: tuple[int, ...], windows: Windows, itemsize: int
) -> _Plan:
    images, *lengths, channels = shape
    window = kernel_shape[:-2]
    lengths = [
        length + low + high for length, (low, high) in zip(lengths, windows.padding, strict=True)
    ]
    counts = tuple(
        (length - gap * (size - 1) - 1) // step + 1
        for length, size, step, gap in zip(
            lengths, window, windows.strides, windows.dilation, strict=True
        )
    )
    row_bytes = math.prod(counts[1:]) * math.prod(window) * channels * itemsize
    rows = max(1, min(counts[0], BLOCK_BYTES // row_bytes))
    together = max(1, min(images, BLOCK_BYTES // (row_bytes * counts[0])))
    if math.prod(window) == 1 and not any(map(any, windows.padding)):
        rows, together = counts[0], images  # the patches are the images themselves
    return _Plan(
        together, rows, counts, tuple(lengths), window, windows.strides, windows.dilation, channels
    )


def in_blocks(count: int, size: int, update, state):
    """`state = update(state, start, length)` for one block after another, the last one smaller."""
    blocks, rest = divmod(count, size)
    if blocks == 1:
        state = update(state, 0, size)
    else:
        state = lax.fori_loop(0, blocks, lambda i, state: update(state, i * size, size), state)
    return update(state, blocks * size, rest) if rest else state


def _reach(count: int, axis: int, plan: _Plan) -> int:
    """How many elements of a padded axis lie under so many neighbouring places."""
    return (count - 1) * plan.strides[axis] + plan.dilation[axis] * (plan.window[axis] - 1) + 1


def _rows_under(block: jax.Array, row: Any, count: int, plan: _Plan) -> jax.Array:
    """The part of padded images under some rows of places."""
    return lax.dynamic_slice_in_dim(block, row * plan.strides[0], _reach(count, 0, plan), 1)


def _spans(counts: tuple[int, ...], plan: _Plan):
    """For each element of the window, where in the padded images its first and last values are."""
    for element in itertools.product(*map(range, plan.window)):
        first = [i * gap for i, gap in zip(element, plan.dilation, strict=True)]
        yield (
            first,
            [
                low + (count - 1) * step + 1
                for low, count, step in zip(first, counts, plan.strides, strict=True)
            ],
        )


def _patches(block: jax.Array, plan: _Plan) -> jax.Array:
    """The windows of padded images: (images, *places, elements of the window * channels)."""
    counts = [
        (length - gap * (size - 1) - 1) // step + 1
        for length, size, step, gap in zip(
            block.shape[1:-1], plan.window, plan.strides, plan.dilation, strict=True
        )
    ]
    images, channels = block.shape[0], block.shape[-1]
    return lax.concatenate(
        [
            lax.slice(block, (0, *first, 0), (images, *end, channels), (1, *plan.strides, 1))
            for first, end in _spans(tuple(counts), plan)
        ],
        block.ndim - 1,
    )


def padded(block: jax.Array, windows: Windows, sign: int = 1) -> jax.Array:
    """Images with the padding around them, or with `sign` -1 without it."""
    if not any(map(any, windows.padding)):
        return block
    around = [(sign * low, sign * high, 0) for low, high in windows.padding]
    return lax.pad(block, jnp.zeros((), block.dtype), [(0, 0, 0), *around, (0, 0, 0)])


def _matrix_product(left, right, axes, dtype=None) -> jax.Array:
    """Sums over one axis of each; half precision is summed up in float32."""
    wide = jnp.promote_types(left.dtype, jnp.float32)
    product = lax.dot_general(left, right, (axes, ((), ())), preferred_element_type=wide)
    return product.astype(left.dtype if dtype is None else wide)
