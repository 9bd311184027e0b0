"""Convolution of images, signals and volumes, lowered for the device that it runs on.

On a GPU or TPU it is XLA's own convolution, and so are the gradients that JAX derives from it. On a
CPU those take between three and a hundred times as long as they could. There is one routine that
is fast, Eigen's, but XLA calls it only for convolutions written in one form and compiled with its
option (`ops._eigen`, `core.compilation`). Where it is not to be had - outside of a compiled
program, in float64, for volumes, for the gradient of inputs over which the window strides - the
convolution and its gradients are matrix products with a matrix of patches (`ops._patches`), which
any XLA does well.

What is meant for which kind of device is decided when a program is lowered for one
(`jax.lax.platform_dependent`), so a process that has both kinds gets each its own.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from cornu.core.image import standardize_data_format
from cornu.graph.node import operation
from cornu.ops import _eigen, _patches
from cornu.ops._devices import (
    back,
    by_xla,
    channels_last,
    eigen_takes,
    gradients,
    is_written_out,
)
from cornu.ops._patches import Windows
from cornu.ops._windows import spatial_axes, windows_of
from cornu.ops.depthwise import by_channel


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
    windows = windows_of("conv", inputs, kernel, axes, strides, padding, dilation_rate)
    if not is_written_out(inputs, kernel):
        return by_xla(inputs, kernel, windows, data_format, groups)
    *window, taken, filters = kernel.shape
    if groups > 1 and taken == 1:
        kernel = kernel.reshape(*window, groups, filters // groups)
        return by_channel(inputs, kernel, windows, data_format)
    return _conv(inputs, kernel, windows, data_format, groups, eigen_takes(inputs))


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


# -- which lowering ------------------------------------------------------------------------------


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4, 5))
def _conv(
    inputs: jax.Array,
    kernel: jax.Array,
    windows: Windows,
    data_format: str,
    groups: int,
    eigen: bool,
) -> jax.Array:
    def native(inputs, kernel):
        return by_xla(inputs, kernel, windows, data_format, groups)

    def on_cpu(inputs, kernel):
        convolve = (_eigen if eigen and groups == 1 else _patches).convolve
        each = _by_group(groups, lambda inputs, kernel: convolve(inputs, kernel, windows))
        return back(each(channels_last(inputs, data_format), kernel), data_format)

    return lax.platform_dependent(inputs, kernel, cpu=on_cpu, default=native)


def _conv_forward(inputs, kernel, windows, data_format, groups, eigen):
    return _conv(inputs, kernel, windows, data_format, groups, eigen), (inputs, kernel)


def _conv_backward(windows: Windows, data_format: str, groups: int, eigen: bool, saved, gradient):
    def native(inputs, kernel):
        return by_xla(inputs, kernel, windows, data_format, groups)

    def inputs_gradient(inputs, kernel, gradient):
        inputs, gradient = (channels_last(x, data_format) for x in (inputs, gradient))
        # Eigen would go over a gradient spread apart by the strides, most of it zeros
        by_eigen = eigen and groups == 1 and all(stride == 1 for stride in windows.strides)
        find = (_eigen if by_eigen else _patches).inputs_gradient
        shape = (*inputs.shape[:-1], inputs.shape[-1] // groups)
        each = _by_group(groups, lambda kernel, gradient: find(shape, kernel, gradient, windows))
        return back(each(kernel, gradient), data_format)

    def kernel_gradient(inputs, kernel, gradient):
        inputs, gradient = (channels_last(x, data_format) for x in (inputs, gradient))
        # a window of one element is a matrix product already
        by_eigen = eigen and groups == 1 and math.prod(kernel.shape[:-2]) > 1
        find = (_eigen if by_eigen else _patches).kernel_gradient
        shape = (*kernel.shape[:-1], kernel.shape[-1] // groups)
        each = _by_group(groups, lambda inputs, gradient: find(inputs, shape, gradient, windows))
        return each(inputs, gradient)

    return gradients(native, (inputs_gradient, kernel_gradient), saved, gradient)


_conv.defvjp(_conv_forward, _conv_backward)


def _by_group(groups: int, function: Callable) -> Callable:
    """The function applied to each group of what lies along the last axes of two arrays."""
    if groups == 1:
        return function

    def applied(*arrays):
        apart = [jnp.moveaxis(x.reshape(*x.shape[:-1], groups, -1), -2, 0) for x in arrays]
        result = jnp.moveaxis(jax.vmap(function)(*apart), 0, -2)
        return result.reshape(*result.shape[:-2], -1)

    return applied
