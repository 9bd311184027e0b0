"""Operations over sliding windows, with Keras' arguments: convolution and pooling.

How they are computed on each device is in `cornu.ops.conv` and `cornu.ops.pooling`.

>>> import numpy as np
>>> from cornu import ops
>>> ops.max_pool(np.arange(4.0, dtype="float32").reshape(1, 4, 1), 2)[0, :, 0].tolist()
[1.0, 3.0]
"""

from __future__ import annotations

import jax.numpy as jnp

from cornu.core.image import standardize_data_format
from cornu.graph.node import operation
from cornu.ops._define import as_array
from cornu.ops.conv import conv as _conv
from cornu.ops.pooling import average_pool as _average_pool
from cornu.ops.pooling import max_pool as _max_pool


@operation
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """The sums of products of a kernel with each window of the inputs.

    Args:
        inputs: (batch, sizes..., channels), or as `data_format` says.
        kernel: (window sizes..., channels / groups, filters); the number of groups follows from
            the channels.
        strides: distance between windows, an integer or one for each size. Default 1.
        padding: "valid" or "same". Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dilation_rate: distance between the points within a window. Default 1.

    >>> conv(jnp.ones((1, 4, 1)), jnp.ones((2, 1, 1)))[0, :, 0].tolist()
    [2.0, 2.0, 2.0]
    """
    inputs, kernel = jnp.asarray(as_array(inputs)), jnp.asarray(as_array(kernel))
    data_format = standardize_data_format(data_format)
    channels = inputs.shape[-1 if data_format == "channels_last" else 1]
    rank = inputs.ndim - 2
    if kernel.ndim != inputs.ndim or channels % kernel.shape[-2]:
        raise ValueError(
            f"conv: a kernel of shape {kernel.shape} does not fit inputs of shape {inputs.shape}; "
            f"it must be ({rank} sizes, channels / groups, filters)"
        )
    return _conv(
        inputs.astype(kernel.dtype),
        kernel,
        strides=_several(strides, rank),
        padding=padding,
        data_format=data_format,
        dilation=_several(dilation_rate, rank),
        groups=channels // kernel.shape[-2],
    )


@operation
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The largest value of each window, channel by channel.

    Args:
        inputs: (batch, sizes..., channels), or as `data_format` says.
        pool_size: of the window, an integer or one for each size.
        strides: distance between windows. Default `None`, `pool_size`.
        padding: "valid" or "same". Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.

    >>> max_pool(jnp.array([[[1.0], [3.0]]]), 2).tolist()
    [[[3.0]]]
    """
    return _pooled(_max_pool, inputs, pool_size, strides, padding, data_format)


@operation
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The mean of each window, channel by channel.

    Args:
        inputs: (batch, sizes..., channels), or as `data_format` says.
        pool_size: of the window, an integer or one for each size.
        strides: distance between windows. Default `None`, `pool_size`.
        padding: "valid" or "same". Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.

    >>> average_pool(jnp.array([[[1.0], [3.0]]]), 2).tolist()
    [[[2.0]]]
    """
    return _pooled(_average_pool, inputs, pool_size, strides, padding, data_format)


def _pooled(pool, inputs, pool_size, strides, padding, data_format):
    inputs = jnp.asarray(as_array(inputs))
    rank = inputs.ndim - 2
    return pool(
        inputs,
        _several(pool_size, rank),
        strides=_several(pool_size if strides is None else strides, rank),
        padding=padding,
        data_format=standardize_data_format(data_format),
    )


def _several(value, rank: int) -> tuple[int, ...]:
    return (value,) * rank if isinstance(value, int) else tuple(value)
