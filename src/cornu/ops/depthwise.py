"""Depthwise convolution, lowered for the device that it runs on.

On a GPU or TPU it is XLA's own, with as many groups as channels; on a CPU a sum of products
(`ops._depthwise`), which is twenty to two hundred times as fast there.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from cornu.core.image import standardize_data_format
from cornu.graph.node import operation
from cornu.ops import _depthwise
from cornu.ops._devices import back, by_xla, channels_last, gradients, is_written_out
from cornu.ops._patches import Windows
from cornu.ops._windows import spatial_axes, windows_of


@operation
def depthwise_conv(
    inputs: Any,
    kernel: Any,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> jax.Array:
    """Convolution of each channel by itself, with one or more windows for each.

    Args:
        inputs: (batch, *spatial, channels), or (batch, channels, *spatial) for `channels_first`.
        kernel: (*window, channels, multiplier), whatever the data format.
        strides: the distance between windows along each spatial axis; one integer for all of them.
            Default 1.
        padding: `"valid"`, only whole windows, or `"same"`, zeros around the input such that there
            are `ceil(size / stride)` windows, the odd one after it. Default `"valid"`.
        data_format: `"channels_last"` or `"channels_first"`. Default `None`, the one set for all
            layers.
        dilation_rate: the distance between neighbouring elements of a window along each spatial
            axis; one integer for all of them. Default 1.

    Returns:
        (batch, *places, channels * multiplier), or (batch, channels * multiplier, *places) for
        `channels_first`, the outputs of the first channel first, in the dtype that inputs and
        kernel promote to.

    Raises ValueError for a window that does not fit the input, for numbers of channels that differ,
    and for malformed arguments.

    Source: the arguments are those of `keras.ops.depthwise_conv`.

    >>> import numpy as np
    >>> images = np.ones((1, 4, 4, 2), "float32")
    >>> kernel = np.ones((3, 3, 2, 1), "float32") * np.array([[1.0], [2.0]], "float32")
    >>> depthwise_conv(images, kernel)[0, 0, 0].tolist()
    [9.0, 18.0]
    """
    inputs, kernel = jnp.asarray(inputs), jnp.asarray(kernel)
    dtype = jnp.promote_types(inputs.dtype, kernel.dtype)
    inputs, kernel = inputs.astype(dtype), kernel.astype(dtype)
    data_format = standardize_data_format(data_format)
    axes = spatial_axes("depthwise_conv", inputs, data_format)
    _check(inputs, kernel, data_format)
    windows = windows_of("depthwise_conv", inputs, kernel, axes, strides, padding, dilation_rate)
    if not is_written_out(inputs, kernel):
        return _by_xla(inputs, kernel, windows, data_format)
    return by_channel(inputs, kernel, windows, data_format)


def _check(inputs, kernel, data_format: str) -> None:
    if kernel.ndim != inputs.ndim:
        raise ValueError(
            f"depthwise_conv: an input of shape {inputs.shape} needs a kernel of {inputs.ndim} "
            f"axes, (*window, channels, multiplier); it has shape {kernel.shape}"
        )
    channels = inputs.shape[-1 if data_format == "channels_last" else 1]
    if kernel.shape[-2] != channels:
        raise ValueError(
            f"depthwise_conv: the input of shape {inputs.shape} ({data_format}) has {channels} "
            f"channels; the kernel of shape {kernel.shape}, (*window, channels, multiplier), takes "
            f"{kernel.shape[-2]}"
        )


# -- which lowering ------------------------------------------------------------------------------


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def by_channel(
    inputs: jax.Array, kernel: jax.Array, windows: Windows, data_format: str
) -> jax.Array:
    """The convolution of each channel with its windows, (*window, channels, multiplier)."""

    def on_cpu(inputs, kernel):
        found = _depthwise.convolve(channels_last(inputs, data_format), kernel, windows)
        return back(found, data_format)

    native = functools.partial(_by_xla, windows=windows, data_format=data_format)
    return lax.platform_dependent(inputs, kernel, cpu=on_cpu, default=native)


def _forward(inputs, kernel, windows: Windows, data_format: str):
    return by_channel(inputs, kernel, windows, data_format), (inputs, kernel)


def _backward(windows: Windows, data_format: str, saved, gradient):
    def inputs_gradient(inputs, kernel, gradient):
        inputs, gradient = (channels_last(x, data_format) for x in (inputs, gradient))
        found = _depthwise.inputs_gradient(inputs.shape, kernel, gradient, windows)
        return back(found, data_format)

    def kernel_gradient(inputs, kernel, gradient):
        inputs, gradient = (channels_last(x, data_format) for x in (inputs, gradient))
        return _depthwise.kernel_gradient(inputs, kernel.shape, gradient, windows)

    native = functools.partial(_by_xla, windows=windows, data_format=data_format)
    return gradients(native, (inputs_gradient, kernel_gradient), saved, gradient)


by_channel.defvjp(_forward, _backward)


def _by_xla(inputs, kernel, windows: Windows, data_format: str) -> jax.Array:
    *window, channels, multiplier = kernel.shape
    kernel = kernel.reshape(*window, 1, channels * multiplier)
    return by_xla(inputs, kernel, windows, data_format, channels)
