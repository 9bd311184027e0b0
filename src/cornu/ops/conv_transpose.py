"""Transposed convolution, lowered for the device that it runs on.

It is what the gradient of a convolution's inputs is, with an array in the place of the gradient. So
on a CPU the two are one piece of code, and what is its own gradient there is the convolution here.
On a GPU or TPU it is XLA's own.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from cornu.core.image import standardize_data_format
from cornu.graph.node import operation
from cornu.ops import _eigen, _patches
from cornu.ops._devices import (
    back,
    channels_last,
    eigen_takes,
    gradients,
    is_written_out,
    transposed_by_xla,
)
from cornu.ops._patches import Windows
from cornu.ops._windows import per_axis, spatial_axes


@operation
def conv_transpose(
    inputs: Any,
    kernel: Any,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    output_padding: int | tuple[int, ...] | None = None,
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> jax.Array:
    """Transposed convolution over one, two or three spatial axes.

    Each input is multiplied by the whole kernel, put in its place, `strides` after that of its
    neighbour, and all are added up.

    Args:
        inputs: (batch, *spatial, channels), or (batch, channels, *spatial) for `channels_first`.
        kernel: (*window, filters, channels), whatever the data format.
        strides: the distance between the places of neighbouring inputs along each spatial axis; one
            integer for all of them. Default 1.
        padding: `"valid"`, all that the windows reach, or `"same"`, cut down on both sides to
            `size * strides`. Default `"valid"`.
        output_padding: how many elements longer than `(size - 1) * strides` plus the window
            (`"valid"`), or plus 1 for an odd and 0 for an even window (`"same"`), each spatial axis
            is. Default `None`: as long as `padding` says, and no shorter than `size * strides`.
        data_format: `"channels_last"` or `"channels_first"`. Default `None`, the one set for all
            layers.
        dilation_rate: the distance between neighbouring elements of a window along each spatial
            axis; one integer for all of them. Default 1.

    Returns:
        (batch, *places, filters), or (batch, filters, *places) for `channels_first`, in the dtype
        that inputs and kernel promote to.

    Raises ValueError for numbers of channels that do not go together and for malformed arguments.

    Source: V. Dumoulin, F. Visin, "A guide to convolution arithmetic for deep learning", 2016; the
    arguments are those of `keras.ops.conv_transpose`.

    >>> import numpy as np
    >>> signal = np.array([1.0, 0.0, 2.0], "float32").reshape(1, 3, 1)
    >>> window = np.array([1.0, 2.0, 3.0], "float32").reshape(3, 1, 1)
    >>> conv_transpose(signal, window, strides=2)[0, :, 0].tolist()
    [1.0, 2.0, 3.0, 0.0, 2.0, 4.0, 6.0]
    >>> conv_transpose(signal, window, strides=2, padding="same").shape
    (1, 6, 1)
    """
    inputs, kernel = jnp.asarray(inputs), jnp.asarray(kernel)
    dtype = jnp.promote_types(inputs.dtype, kernel.dtype)
    inputs, kernel = inputs.astype(dtype), kernel.astype(dtype)
    data_format = standardize_data_format(data_format)
    axes = spatial_axes("conv_transpose", inputs, data_format)
    _check(inputs, kernel, data_format)
    padding = padding.lower() if isinstance(padding, str) else padding
    strides = per_axis("conv_transpose", "strides", strides, len(axes))
    dilation = per_axis("conv_transpose", "dilation_rate", dilation_rate, len(axes))
    added = _added(output_padding, len(axes))
    crops = tuple(
        _crop(size, step, padding, more, gap)
        for size, step, more, gap in zip(kernel.shape, strides, added, dilation, strict=False)
    )
    windows = Windows(strides, tuple((low, max(high, 0)) for low, high in crops), dilation)
    lengths = [
        _reach(inputs.shape[axis], size, step, gap) - low - high
        for axis, size, step, gap, (low, high) in zip(
            axes, kernel.shape, strides, dilation, windows.padding, strict=False
        )
    ]
    if is_written_out(inputs, kernel) and all(length > 0 for length in lengths):
        shape = (inputs.shape[0], *lengths, kernel.shape[-2])
        outputs = _conv_transpose(inputs, kernel, shape, windows, data_format, eigen_takes(inputs))
    else:
        outputs = transposed_by_xla(inputs, kernel, windows, data_format)
    if any(high < 0 for _, high in crops):  # beyond what the windows reach there are zeros
        after = [(0, 0, 0)] * inputs.ndim
        for axis, (_, high) in zip(axes, crops, strict=True):
            after[axis] = (0, max(-high, 0), 0)
        outputs = lax.pad(outputs, jnp.zeros((), outputs.dtype), after)
    return outputs


def transposed_length(
    length: int, size: int, stride: int, padding: str, output_padding: int | None, dilation: int = 1
) -> int:
    """How long a transposed convolution makes an axis.

    Args:
        length: of the axis, in elements.
        size: elements in the window.
        stride: distance between the places of neighbouring inputs.
        padding: `"valid"` or `"same"`.
        output_padding: as for `conv_transpose`, for this axis.
        dilation: distance between neighbouring elements of the window. Default 1.

    >>> transposed_length(8, 3, 2, "valid", None), transposed_length(8, 3, 2, "same", None)
    (17, 16)
    """
    low, high = _crop(size, stride, padding, output_padding, dilation)
    return _reach(length, size, stride, dilation) - low - high


def _reach(length: int, size: int, stride: int, dilation: int) -> int:
    """How many elements the windows of so many inputs cover."""
    return (length - 1) * stride + dilation * (size - 1) + 1


def _crop(
    size: int, stride: int, padding: str, output_padding: int | None, dilation: int
) -> tuple[int, int]:
    """How much of what the windows cover is cut off before and after; negative: zeros are added.

    Source: `keras.layers.Conv2DTranspose`. With "same" and no `output_padding`, `size * stride` are
    left; the odd element is cut off after, as a convolution with "same" adds it there.
    """
    reach = dilation * (size - 1) + 1
    if padding == "valid":
        more = max(stride - reach, 0) if output_padding is None else output_padding
        return 0, -more
    if padding != "same":
        raise ValueError(f"conv_transpose(padding={padding!r}): padding must be 'valid' or 'same'")
    # both sides together, beyond what one element covers
    kept = stride + reach - 2 if output_padding is None else reach + reach % 2 - 2 + output_padding
    before = min(-(-kept // 2), reach - 1)
    return reach - 1 - before, reach - 1 - (kept - before)


def _added(output_padding: Any, count: int) -> tuple[int | None, ...]:
    """The `output_padding` of each axis."""
    if output_padding is None:
        return (None,) * count
    several = (
        (output_padding,) * count
        if isinstance(output_padding, (int, np.integer))
        else tuple(output_padding)
    )
    whole = all(isinstance(more, (int, np.integer)) and more >= 0 for more in several)
    if len(several) != count or not whole:
        raise ValueError(
            f"conv_transpose(output_padding={output_padding!r}): output_padding must be an integer "
            "of at least 0"
            + (f" or {count} of them, one for each spatial axis" if count > 1 else "")
        )
    return tuple(int(more) for more in several)


def _check(inputs, kernel, data_format: str) -> None:
    if kernel.ndim != inputs.ndim:
        raise ValueError(
            f"conv_transpose: an input of shape {inputs.shape} needs a kernel of {inputs.ndim} "
            f"axes, (*window, filters, channels); it has shape {kernel.shape}"
        )
    channels = inputs.shape[-1 if data_format == "channels_last" else 1]
    if kernel.shape[-1] != channels:
        raise ValueError(
            f"conv_transpose: the input of shape {inputs.shape} ({data_format}) has {channels} "
            f"channels; the kernel of shape {kernel.shape}, (*window, filters, channels), takes "
            f"{kernel.shape[-1]}"
        )


# -- which lowering ------------------------------------------------------------------------------


@functools.partial(jax.custom_vjp, nondiff_argnums=(2, 3, 4, 5))
def _conv_transpose(
    inputs: jax.Array,
    kernel: jax.Array,
    shape: tuple[int, ...],
    windows: Windows,
    data_format: str,
    eigen: bool,
) -> jax.Array:
    """The outputs, of a shape given with the channels last."""

    def native(inputs, kernel):
        return transposed_by_xla(inputs, kernel, windows, data_format)

    def on_cpu(inputs, kernel):
        # Eigen would go over inputs spread apart by the strides, most of it zeros
        by_eigen = eigen and all(stride == 1 for stride in windows.strides)
        found = (_eigen if by_eigen else _patches).inputs_gradient(
            shape, kernel, channels_last(inputs, data_format), windows
        )
        return back(found, data_format)

    return lax.platform_dependent(inputs, kernel, cpu=on_cpu, default=native)


def _forward(inputs, kernel, shape, windows: Windows, data_format: str, eigen: bool):
    outputs = _conv_transpose(inputs, kernel, shape, windows, data_format, eigen)
    return outputs, (inputs, kernel)


def _backward(shape, windows: Windows, data_format: str, eigen: bool, saved, gradient):
    def native(inputs, kernel):
        return transposed_by_xla(inputs, kernel, windows, data_format)

    def inputs_gradient(inputs, kernel, gradient):
        convolve = (_eigen if eigen else _patches).convolve
        return back(convolve(channels_last(gradient, data_format), kernel, windows), data_format)

    def kernel_gradient(inputs, kernel, gradient):
        by_eigen = eigen and math.prod(kernel.shape[:-2]) > 1
        return (_eigen if by_eigen else _patches).kernel_gradient(
            channels_last(gradient, data_format),
            kernel.shape,
            channels_last(inputs, data_format),
            windows,
        )

    return gradients(native, (inputs_gradient, kernel_gradient), saved, gradient)


_conv_transpose.defvjp(_forward, _backward)
