"""Convolution of images, signals and volumes, lowered for the device that it runs on.

On a GPU or TPU it is XLA's own convolution. On a CPU that one is several times slower than a matrix
product, and inside a compiled training loop slower again by an order of magnitude, its gradients
most of all: XLA brings a convolution into the one form that its fast routine takes only outside of
loops. So on a CPU the convolution and both its gradients are matrix products with a matrix of
patches (`ops._patches`).

Which of the two is meant is decided when a program is lowered for a device
(`jax.lax.platform_dependent`), so a process that has both kinds of device gets each its own.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from cornu.core.image import standardize_data_format
from cornu.graph.node import operation
from cornu.ops import _patches
from cornu.ops._patches import Windows
from cornu.ops._windows import per_axis, places, same_padding, spatial_axes

# Windows of more places than this use XLA's convolution: each place is written out in the program,
# which takes longer to compile the more there are.
_MOST_PLACES = 128


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
    if groups != 1 or not _has_patches(inputs, kernel):
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


def _windows(inputs, kernel, axes, strides, padding, dilation_rate) -> Windows:
    """Where the windows are, once the arguments are checked."""
    count = len(axes)
    strides = per_axis("conv", "strides", strides, count)
    dilation = per_axis("conv", "dilation_rate", dilation_rate, count)
    pads = []
    for axis, size, step, gap in zip(axes, kernel.shape, strides, dilation, strict=False):
        length = inputs.shape[axis]
        places("conv", inputs.shape, length, size, step, padding, gap)
        pads.append(same_padding(length, size, step, gap) if padding == "same" else (0, 0))
    return Windows(strides, tuple(pads), dilation)


def _has_patches(inputs, kernel) -> bool:
    """Whether the patches of a convolution can be written out."""
    sizes = [*inputs.shape, *kernel.shape]
    return (
        jnp.issubdtype(inputs.dtype, jnp.floating)
        and all(isinstance(size, int) and size > 0 for size in sizes)
        and math.prod(kernel.shape[:-2]) <= _MOST_PLACES
    )


def _by_xla(inputs, kernel, windows: Windows, data_format: str, groups: int = 1) -> jax.Array:
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
def _conv(inputs: jax.Array, kernel: jax.Array, windows: Windows, data_format: str) -> jax.Array:
    def native(inputs, kernel):
        return _by_xla(inputs, kernel, windows, data_format)

    def patches(inputs, kernel):
        inputs = _channels_last(inputs, data_format)
        return _back(_patches.convolve(inputs, kernel, windows), data_format)

    return lax.platform_dependent(inputs, kernel, cpu=patches, default=native)


def _conv_forward(inputs, kernel, windows: Windows, data_format: str):
    return _conv(inputs, kernel, windows, data_format), (inputs, kernel)


def _conv_backward(windows: Windows, data_format: str, saved, gradient):
    def native(argument, *operands):
        pull_back = jax.vjp(
            functools.partial(_by_xla, windows=windows, data_format=data_format), *operands[:2]
        )[1]
        return pull_back(operands[2])[argument]

    def patches_inputs(inputs, kernel, gradient):
        inputs, gradient = (_channels_last(x, data_format) for x in (inputs, gradient))
        return _back(_patches.inputs_gradient(inputs.shape, kernel, gradient, windows), data_format)

    def patches_kernel(inputs, kernel, gradient):
        inputs, gradient = (_channels_last(x, data_format) for x in (inputs, gradient))
        return _patches.kernel_gradient(inputs, kernel.shape, gradient, windows)

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
