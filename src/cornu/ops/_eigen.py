"""Convolution by XLA's fast CPU routine, in the one form that it takes; channels last throughout.

XLA hands a convolution to Eigen if its axes are in the order (images, *spatial, channels) and
(*window, channels, filters) and the kernel is not to be turned around. The gradients that JAX
derives are not in that form: inside a loop, where XLA does not rearrange them, they fall to a plain
nest of loops that takes a hundred times as long. Both gradients of a convolution are convolutions
themselves, so here they are written as such: each array is brought into the order first.

Source: V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax

from cornu.ops._patches import Windows


def convolve(inputs: jax.Array, kernel: jax.Array, windows: Windows) -> jax.Array:
    """The convolution: (images, *spatial, channels) to (images, *places, filters)."""
    return _convolve(inputs, kernel, windows.strides, windows.padding, windows.dilation)


def inputs_gradient(
    shape: tuple[int, ...], kernel: jax.Array, gradient: jax.Array, windows: Windows
) -> jax.Array:
    """The gradient of the inputs, for strides of 1: the turned kernel over the outputs' gradient.

    Each input was seen by the windows that end at it or up to a window's length later; so the
    kernel goes over the gradient from its last element to its first, filters for channels.
    """
    padding = []
    for axis, (gap, (low, _)) in enumerate(zip(windows.dilation, windows.padding, strict=True)):
        reach = gap * (kernel.shape[axis] - 1)
        before = reach - low
        padding.append((before, shape[axis + 1] - gradient.shape[axis + 1] + reach - before))
    spatial = tuple(range(len(padding)))
    turned = jnp.flip(kernel, spatial).swapaxes(-1, -2)
    return _convolve(gradient, turned, (1,) * len(padding), padding, windows.dilation)


def kernel_gradient(
    inputs: jax.Array, kernel_shape: tuple[int, ...], gradient: jax.Array, windows: Windows
) -> jax.Array:
    """The gradient of the kernel: the outputs' gradient as a kernel that goes over the inputs.

    The sum runs over images and places; so the images are the channels of that convolution, and
    channels its images. What were strides is the distance between elements of its window, and the
    other way round.
    """
    padding, used = [], [slice(None)]
    for axis, (stride, gap, (low, _)) in enumerate(
        zip(windows.strides, windows.dilation, windows.padding, strict=True)
    ):
        length = inputs.shape[axis + 1]
        reach = stride * (gradient.shape[axis + 1] - 1) + gap * (kernel_shape[axis] - 1) + 1
        after = reach - length - low  # negative where the last inputs are under no window
        padding.append((low, max(after, 0)))
        used.append(slice(length + min(after, 0)))
    images_last = jnp.moveaxis(inputs[tuple(used)], (0, -1), (-1, 0))
    window = jnp.moveaxis(gradient, 0, -2)
    result = _convolve(images_last, window, windows.dilation, padding, windows.strides)
    return jnp.moveaxis(result, 0, -2)


def _convolve(inputs, kernel, strides, padding, dilation) -> jax.Array:
    """XLA's convolution; half precision is summed up in float32, the only other one Eigen has."""
    spatial = "DHW"[2 - inputs.ndim :]
    images = f"N{spatial}C"
    result = lax.conv_general_dilated(
        inputs.astype(jnp.float32),
        kernel.astype(jnp.float32),
        strides,
        padding,
        rhs_dilation=dilation,
        dimension_numbers=(images, f"{spatial}IO", images),
    )
    return result.astype(inputs.dtype)
