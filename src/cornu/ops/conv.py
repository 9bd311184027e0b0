"""Convolution, lowered for the device that runs it.

A GPU or TPU runs `lax.conv_general_dilated` best. On a CPU, inside a compiled loop, that is many
times slower than gathering each window into a row ("patches") and one matrix product; so there the
result and both gradients are matrix products. Patches are as many times larger than the input as a
window has elements, so they are made for a few examples at a time, which also keeps them in cache.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from cornu.ops._windows import per_axis, places, same_padding, spatial_axes

# Patches of one block: about what stays in a core's outer cache beside the result.
_BLOCK_BYTES = 4 * 2**20


def conv(
    inputs: Any,
    kernel: Any,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str = "channels_last",
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> jax.Array:
    """The sums of products of a kernel with each window of the inputs.

    Args:
        inputs: (batch, sizes..., channels), or (batch, channels, sizes...) for "channels_first".
        kernel: (window sizes..., channels / groups, filters).
        strides: distance between windows. Default 1.
        padding: "valid", or "same" with the odd element after, as in Keras. Default "valid".
        data_format: "channels_last" or "channels_first".
        dilation: distance between the elements of a window. Default 1.
        groups: parts that channels and filters are split into. Default 1.

    Returns:
        (batch, places..., filters), or (batch, filters, places...).

    Raises:
        ValueError: a window that does not fit; channels that do not fit the kernel.

    >>> conv(jnp.ones((1, 4, 4, 1)), jnp.ones((3, 3, 1, 2))).shape
    (1, 2, 2, 2)
    """
    axes = spatial_axes("conv", inputs, data_format)
    rank = len(axes)
    steps = per_axis("conv", "strides", strides, rank)
    gaps = per_axis("conv", "dilation", dilation, rank)
    sizes = [inputs.shape[axis] for axis in axes]
    channels = inputs.shape[-1 if data_format == "channels_last" else 1]
    if kernel.ndim != inputs.ndim or kernel.shape[-2] * groups != channels:
        raise ValueError(
            f"conv: inputs of shape {tuple(inputs.shape)} have {channels} channels, a kernel of "
            f"shape {tuple(kernel.shape)} in {groups} group(s) takes {kernel.shape[-2] * groups}"
        )
    window = kernel.shape[:rank]
    for size, length, step, gap in zip(window, sizes, steps, gaps, strict=True):
        places("conv", inputs.shape, length, size, step, padding, gap)
    pads = tuple(
        same_padding(length, size, step, gap) if padding == "same" else (0, 0)
        for length, size, step, gap in zip(sizes, window, steps, gaps, strict=True)
    )
    if groups != 1 or jax.default_backend() != "cpu":
        return _native(inputs, kernel, steps, pads, gaps, groups, data_format)
    if data_format == "channels_first":
        inputs = jnp.moveaxis(inputs, 1, -1)
    if any(any(pad) for pad in pads):
        inputs = lax.pad(
            inputs,
            jnp.zeros((), inputs.dtype),
            [(0, 0, 0), *((before, after, 0) for before, after in pads), (0, 0, 0)],
        )
    outputs = _products(inputs, kernel, _Windows(window, steps, gaps))
    return jnp.moveaxis(outputs, -1, 1) if data_format == "channels_first" else outputs


class _Windows(NamedTuple):
    """Sizes of a window, the distance between windows, the distance between its elements."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]
    gaps: tuple[int, ...]

    def places(self, lengths: Sequence[int]) -> tuple[int, ...]:
        """How many windows there are along each axis."""
        return tuple(
            (length - gap * (size - 1) - 1) // step + 1
            for length, size, step, gap in zip(lengths, *self, strict=True)
        )

    def offsets(self) -> list[tuple[int, ...]]:
        """Where each element of a window lies from its start, in the order of a kernel's rows."""
        grids = [()]
        for size, gap in zip(self.sizes, self.gaps, strict=True):
            grids = [(*grid, i * gap) for grid in grids for i in range(size)]
        return grids


def _native(inputs, kernel, strides, pads, gaps, groups, data_format) -> jax.Array:
    letters = "DHW"[-len(strides) :]
    order = f"N{letters}C" if data_format == "channels_last" else f"NC{letters}"
    return lax.conv_general_dilated(
        inputs,
        kernel,
        strides,
        pads,
        rhs_dilation=gaps,
        dimension_numbers=(order, f"{letters}IO", order),
        feature_group_count=groups,
    )


def _patches(inputs, windows: _Windows):
    """(rows, window elements * channels): each window of the inputs as a row."""
    places = windows.places(inputs.shape[1:-1])
    ends = [(count - 1) * step + 1 for count, step in zip(places, windows.strides, strict=True)]
    parts = [
        lax.slice(
            inputs,
            (0, *offset, 0),
            (inputs.shape[0], *(o + e for o, e in zip(offset, ends, strict=True)), inputs.shape[-1]),
            (1, *windows.strides, 1),
        )
        for offset in windows.offsets()
    ]
    patches = jnp.concatenate(parts, -1)
    return patches.reshape(-1, patches.shape[-1])


def _block(batch: int, places: Sequence[int], row: int, itemsize: int) -> int:
    """How many examples to take at a time: a divisor of the batch whose patches stay small."""
    most = max(1, _BLOCK_BYTES // max(1, math.prod(places) * row * itemsize))
    return max(size for size in range(1, min(batch, most) + 1) if batch % size == 0)


def _in_blocks(array, size: int):
    return array.reshape(array.shape[0] // size, size, *array.shape[1:])


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _products(inputs, kernel, windows: _Windows):
    """The convolution as matrix products; inputs padded, channels last."""
    places = windows.places(inputs.shape[1:-1])
    filters = kernel.shape[-1]
    matrix = kernel.reshape(-1, filters)
    batch = inputs.shape[0]
    if batch == 0:
        return jnp.zeros((0, *places, filters), inputs.dtype)
    size = _block(batch, places, matrix.shape[0], inputs.dtype.itemsize)

    def one(block):
        return (_patches(block, windows) @ matrix).reshape(size, *places, filters)

    if size == batch:
        return one(inputs)
    return lax.map(one, _in_blocks(inputs, size)).reshape(batch, *places, filters)


def _forward(inputs, kernel, windows):
    return _products(inputs, kernel, windows), (inputs, kernel)


def _backward(windows: _Windows, saved, gradient):
    # two separate results: where one of them is not needed it is not computed
    inputs, kernel = saved
    return _input_gradient(inputs, kernel, gradient, windows), _kernel_gradient(
        inputs, kernel, gradient, windows
    )


_products.defvjp(_forward, _backward)


def _kernel_gradient(inputs, kernel, gradient, windows: _Windows):
    """The sum over all windows of patch times gradient."""
    batch, filters = inputs.shape[0], kernel.shape[-1]
    row = kernel.size // filters
    size = _block(batch, gradient.shape[1:-1], row, inputs.dtype.itemsize)

    def one(block, grad):
        # filters first: both operands are then contracted along their rows as they lie in memory
        return lax.dot_general(
            grad.reshape(-1, filters), _patches(block, windows), (((0,), (0,)), ((), ()))
        )

    if size == batch:
        total = one(inputs, gradient)
    else:
        total, _ = lax.scan(
            lambda total, blocks: (total + one(*blocks), None),
            jnp.zeros((filters, row), gradient.dtype),
            (_in_blocks(inputs, size), _in_blocks(gradient, size)),
        )
    return total.T.reshape(kernel.shape)


def _input_gradient(inputs, kernel, gradient, windows: _Windows):
    """Each gradient times the kernel, added up where the windows lie over each other."""
    batch, channels, filters = inputs.shape[0], inputs.shape[-1], kernel.shape[-1]
    lengths, places = inputs.shape[1:-1], gradient.shape[1:-1]
    matrix = kernel.reshape(-1, filters).T
    size = _block(batch, places, matrix.shape[1], gradient.dtype.itemsize)
    zero = jnp.zeros((), gradient.dtype)

    def one(grad):
        parts = (grad.reshape(-1, filters) @ matrix).reshape(*grad.shape[:-1], -1)
        total = None
        for i, offset in enumerate(windows.offsets()):
            spread = [
                (o, length - o - ((count - 1) * step + 1), step - 1)
                for o, length, count, step in zip(
                    offset, lengths, places, windows.strides, strict=True
                )
            ]
            part = lax.pad(
                parts[..., i * channels : (i + 1) * channels],
                zero,
                [(0, 0, 0), *spread, (0, 0, 0)],
            )
            total = part if total is None else total + part
        return total

    if size == batch:
        return one(gradient)
    return lax.map(one, _in_blocks(gradient, size)).reshape(inputs.shape)
