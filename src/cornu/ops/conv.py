"""Convolution of images, signals and volumes, lowered for the device that it runs on.

On a GPU or TPU it is XLA's own convolution. On a CPU that one is several times slower than a matrix
product, and inside a compiled training loop slower again by an order of magnitude, its gradients
most of all: XLA brings a convolution into the one form that its fast routine takes only outside of
loops. So on a CPU the windows are copied out, side by side, into a matrix of patches, and the
convolution and both its gradients are matrix products with it. The patches are never there all at
once: they are made and used up block by block, each small enough to stay in the processor's cache,
which doubles the speed and bounds the memory whatever the size of the images.

Which of the two is meant is decided when a program is lowered for a device
(`jax.lax.platform_dependent`), so a process that has both kinds of device gets each its own.
"""

from __future__ import annotations

import functools
import itertools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from cornu.core.image import standardize_data_format
from cornu.graph.node import operation
from cornu.ops._windows import per_axis, places, same_padding, spatial_axes

# The patches of one block, in bytes. Larger blocks leave the cache: four times this size costs a
# third more time, all patches at once twice the time. Smaller ones cost more rounds of the loop.
_BLOCK_BYTES = 1_400_000

# Windows of more places than this use XLA's convolution: each place is written out in the program,
# which takes longer to compile the more there are.
_MOST_PLACES = 128


class _Windows(NamedTuple):
    """The windows of a convolution along its spatial axes."""

    strides: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]


@operation
def conv(
    inputs: Any,
    kernel: Any,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
    groups: int | None = None,
) -> jax.Array:
    """Convolution over one, two or three spatial axes (cross-correlation: no flipped kernel).

    Args:
        inputs: (batch, *spatial, channels), or (batch, channels, *spatial) for `channels_first`.
        kernel: (*window, channels / groups, filters), whatever the data format.
        strides: the distance between windows along each spatial axis; one integer for all of them.
            Default 1.
        padding: `"valid"`, only whole windows, or `"same"`, zeros around the input such that there
            are `ceil(size / stride)` windows, the odd one after it. Default `"valid"`.
        data_format: `"channels_last"` or `"channels_first"`. Default `None`, the one set for all
            layers.
        dilation_rate: the distance between neighbouring elements of a window along each spatial
            axis; one integer for all of them. Default 1.
        groups: into how many groups the channels are split, each with its share of the filters.
            Default `None`, the channels of the input over those of the kernel.

    Returns:
        (batch, *places, filters), or (batch, filters, *places) for `channels_first`, in the dtype
        that inputs and kernel promote to.

    Raises ValueError for a window that does not fit the input, for numbers of channels, filters and
    groups that do not go together, and for malformed arguments.

    Source: V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016; the
    arguments are those of `keras.ops.conv`.

    >>> import numpy as np
    >>> images = np.ones((1, 4, 4, 3), "float32")
    >>> conv(images, np.ones((3, 3, 3, 8), "float32")).shape
    (1, 2, 2, 8)
    >>> conv(images, np.ones((3, 3, 3, 1), "float32"), padding="same")[0, :, :, 0].tolist()[0]
    [12.0, 18.0, 18.0, 12.0]
    """
    inputs, kernel = jnp.asarray(inputs), jnp.asarray(kernel)
    dtype = jnp.promote_types(inputs.dtype, kernel.dtype)
    inputs, kernel = inputs.astype(dtype), kernel.astype(dtype)
    data_format = standardize_data_format(data_format)
    axes = spatial_axes("conv", inputs, data_format)
    groups = _groups(inputs, kernel, data_format, groups)
    windows = _windows(inputs, kernel, axes, strides, padding, dilation_rate)
    if groups != 1 or not _has_patches(inputs, kernel, windows):
        return _by_xla(inputs, kernel, windows, data_format, groups)
    return _conv(inputs, kernel, windows, data_format)


def _groups(inputs, kernel, data_format: str, groups: int | None) -> int:
    """The number of groups, once the shapes are found to go together."""
    if kernel.ndim != inputs.ndim:
        raise ValueError(
            f"conv: an input of shape {inputs.shape} needs a kernel of {inputs.ndim} axes, "
            f"(*window, channels, filters); it has shape {kernel.shape}"
        )
    channels = inputs.shape[-1 if data_format == "channels_last" else 1]
    *_, taken, filters = kernel.shape
    if groups is None:
        groups = channels // taken if taken and channels % taken == 0 else 0
    if groups < 1 or channels != groups * taken:
        raise ValueError(
            f"conv: the input of shape {inputs.shape} ({data_format}) has {channels} channels; the "
            f"kernel of shape {kernel.shape} takes {taken}"
            + (f" in each of {groups} groups" if groups > 1 else "")
            + ". The channels of the input must be those of the kernel times the number of groups"
        )
    if filters % groups:
        raise ValueError(
            f"conv: the {filters} filters of the kernel of shape {kernel.shape} cannot be shared "
            f"out evenly among {groups} groups"
        )
    return groups


def _windows(inputs, kernel, axes, strides, padding, dilation_rate) -> _Windows:
    """Where the windows are, once the arguments are checked."""
    count = len(axes)
    strides = per_axis("conv", "strides", strides, count)
    dilation = per_axis("conv", "dilation_rate", dilation_rate, count)
    pads = []
    for axis, size, step, gap in zip(axes, kernel.shape, strides, dilation, strict=False):
        length = inputs.shape[axis]
        places("conv", inputs.shape, length, size, step, padding, gap)
        pads.append(same_padding(length, size, step, gap) if padding == "same" else (0, 0))
    return _Windows(strides, tuple(pads), dilation)


def _has_patches(inputs, kernel, windows: _Windows) -> bool:
    """Whether the patches of a convolution can be written out."""
    sizes = [*inputs.shape, *kernel.shape]
    return (
        jnp.issubdtype(inputs.dtype, jnp.floating)
        and all(isinstance(size, int) and size > 0 for size in sizes)
        and math.prod(kernel.shape[:-2]) <= _MOST_PLACES
    )


def _by_xla(inputs, kernel, windows: _Windows, data_format: str, groups: int = 1) -> jax.Array:
    spatial = "DHW"[-len(windows.strides) :]
    images = f"N{spatial}C" if data_format == "channels_last" else f"NC{spatial}"
    return lax.conv_general_dilated(
        inputs,
        kernel,
        windows.strides,
        windows.padding,
        rhs_dilation=windows.dilation,
        dimension_numbers=(images, f"{spatial}IO", images),
        feature_group_count=groups,
    )


# -- which lowering ------------------------------------------------------------------------------


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _conv(inputs: jax.Array, kernel: jax.Array, windows: _Windows, data_format: str) -> jax.Array:
    def native(inputs, kernel):
        return _by_xla(inputs, kernel, windows, data_format)

    def patches(inputs, kernel):
        inputs = _channels_last(inputs, data_format)
        return _back(_forward(inputs, kernel, windows), data_format)

    return lax.platform_dependent(inputs, kernel, cpu=patches, default=native)


def _conv_forward(inputs, kernel, windows: _Windows, data_format: str):
    return _conv(inputs, kernel, windows, data_format), (inputs, kernel)


def _conv_backward(windows: _Windows, data_format: str, saved, gradient):
    def native(argument, *operands):
        pull_back = jax.vjp(
            functools.partial(_by_xla, windows=windows, data_format=data_format), *operands[:2]
        )[1]
        return pull_back(operands[2])[argument]

    def patches_inputs(inputs, kernel, gradient):
        inputs, gradient = (_channels_last(x, data_format) for x in (inputs, gradient))
        return _back(_inputs_gradient(inputs.shape, kernel, gradient, windows), data_format)

    def patches_kernel(inputs, kernel, gradient):
        inputs, gradient = (_channels_last(x, data_format) for x in (inputs, gradient))
        return _kernel_gradient(inputs, kernel.shape, gradient, windows)

    # Two decisions, not one for both: so the gradient that nobody asks for, that of the images of
    # a network's first layer, drops out of the program.
    return tuple(
        lax.platform_dependent(
            *saved, gradient, cpu=patches, default=functools.partial(native, argument)
        )
        for argument, patches in enumerate((patches_inputs, patches_kernel))
    )


_conv.defvjp(_conv_forward, _conv_backward)


def _channels_last(array: jax.Array, data_format: str) -> jax.Array:
    return array if data_format == "channels_last" else jnp.moveaxis(array, 1, -1)


def _back(array: jax.Array, data_format: str) -> jax.Array:
    return array if data_format == "channels_last" else jnp.moveaxis(array, -1, 1)


# -- convolution as patches and a matrix product, channels last ----------------------------------


def _forward(inputs: jax.Array, kernel: jax.Array, windows: _Windows) -> jax.Array:
    """The convolution: (images, *spatial, channels) to (images, *places, filters)."""
    plan = _plan(inputs.shape, kernel.shape, windows, inputs.dtype.itemsize)
    matrix = kernel.reshape(-1, kernel.shape[-1])

    def of_rows(block):
        return _matrix_product(_patches(block, plan), matrix, ((block.ndim - 1,), (0,)))

    def images(outputs, start, count):
        block = _padded(lax.dynamic_slice_in_dim(inputs, start, count), windows)
        if plan.rows == plan.places[0]:
            return lax.dynamic_update_slice_in_dim(outputs, of_rows(block), start, 0)

        def rows(outputs, row, count):
            part = of_rows(_rows_under(block, row, count, plan))
            return lax.dynamic_update_slice(outputs, part, (start, row) + (0,) * (part.ndim - 2))

        return _in_blocks(plan.places[0], plan.rows, rows, outputs)

    outputs = _empty((inputs.shape[0], *plan.places, kernel.shape[-1]), inputs.dtype)
    return _in_blocks(inputs.shape[0], plan.images, images, outputs)


def _kernel_gradient(
    inputs: jax.Array, kernel_shape: tuple[int, ...], gradient: jax.Array, windows: _Windows
) -> jax.Array:
    """The gradient of the kernel: patches times the gradient of the outputs, over all places."""
    plan = _plan(inputs.shape, kernel_shape, windows, inputs.dtype.itemsize)
    filters = kernel_shape[-1]
    elements = math.prod(kernel_shape[:-1])

    def product(block, gradient):
        patches = _patches(block, plan).reshape(-1, elements)
        return _matrix_product(gradient.reshape(-1, filters), patches, ((0,), (0,)), jnp.float32)

    def images(total, start, count):
        block = _padded(lax.dynamic_slice_in_dim(inputs, start, count), windows)
        slopes = lax.dynamic_slice_in_dim(gradient, start, count)
        if plan.rows == plan.places[0]:
            return total + product(block, slopes)

        def rows(total, row, count):
            part = lax.dynamic_slice_in_dim(slopes, row, count, 1)
            return total + product(_rows_under(block, row, count, plan), part)

        return _in_blocks(plan.places[0], plan.rows, rows, total)

    total = jnp.zeros((filters, elements), jnp.promote_types(inputs.dtype, jnp.float32))
    total = _in_blocks(inputs.shape[0], plan.images, images, total)
    return total.T.reshape(kernel_shape).astype(inputs.dtype)


def _inputs_gradient(
    shape: tuple[int, ...], kernel: jax.Array, gradient: jax.Array, windows: _Windows
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
            total = _in_blocks(plan.places[0], plan.rows, rows, total)
        return lax.dynamic_update_slice_in_dim(result, _unpadded(total, windows), start, 0)

    return _in_blocks(shape[0], plan.images, images, _empty(shape, gradient.dtype))


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
    shape: tuple[int, ...], kernel_shape: tuple[int, ...], windows: _Windows, itemsize: int
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
    rows = max(1, min(counts[0], _BLOCK_BYTES // row_bytes))
    together = max(1, min(images, _BLOCK_BYTES // (row_bytes * counts[0])))
    return _Plan(
        together, rows, counts, tuple(lengths), window, windows.strides, windows.dilation, channels
    )


def _in_blocks(count: int, size: int, update, state):
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


def _padded(block: jax.Array, windows: _Windows) -> jax.Array:
    if not any(map(any, windows.padding)):
        return block
    around = [(low, high, 0) for low, high in windows.padding]
    return lax.pad(block, jnp.zeros((), block.dtype), [(0, 0, 0), *around, (0, 0, 0)])


def _unpadded(block: jax.Array, windows: _Windows) -> jax.Array:
    if not any(map(any, windows.padding)):
        return block
    around = [(-low, -high, 0) for low, high in windows.padding]
    return lax.pad(block, jnp.zeros((), block.dtype), [(0, 0, 0), *around, (0, 0, 0)])


def _matrix_product(left, right, axes, dtype=None) -> jax.Array:
    """Sums over one axis of each; half precision is summed up in float32."""
    wide = jnp.promote_types(left.dtype, jnp.float32)
    product = lax.dot_general(left, right, (axes, ((), ())), preferred_element_type=wide)
    return product.astype(left.dtype if dtype is None else wide)


def _empty(shape: tuple[int, ...], dtype) -> jax.Array:
    """An array whose every element is about to be written."""
    return lax.empty(shape, dtype)
