"""Separable convolution: a depthwise one, then one of the channels of each place."""

from __future__ import annotations

from typing import Any

import jax

from cornu.graph.node import operation
from cornu.ops.conv import conv
from cornu.ops.depthwise import depthwise_conv


@operation
def separable_conv(
    inputs: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: int | tuple[int, ...] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | tuple[int, ...] = 1,
) -> jax.Array:
    """Convolution of each channel by itself, then of all channels of each place.

    Args:
        inputs: (batch, *spatial, channels), or (batch, channels, *spatial) for `channels_first`.
        depthwise_kernel: (*window, channels, multiplier).
        pointwise_kernel: (*ones, channels * multiplier, filters).
        strides, padding, data_format, dilation_rate: of the first, as for `depthwise_conv`.

    Returns:
        (batch, *places, filters), or (batch, filters, *places) for `channels_first`.

    Raises ValueError as `depthwise_conv` does.

    Source: the arguments are those of `keras.ops.separable_conv`.

    >>> import numpy as np
    >>> images = np.ones((1, 4, 4, 2), "float32")
    >>> kernels = np.ones((3, 3, 2, 1), "float32"), np.ones((1, 1, 2, 5), "float32")
    >>> separable_conv(images, *kernels).shape
    (1, 2, 2, 5)
    """
    between = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(between, pointwise_kernel, 1, "valid", data_format)
