"""The arithmetic that convolutions and poolings share: where a sliding window can stand."""

from __future__ import annotations

from typing import Any

import numpy as np

from cornu.ops._patches import Windows


def spatial_axes(name: str, inputs: Any, data_format: str) -> tuple[int, ...]:
    """The axes of an input that are neither the batch nor the channels: one to three of them.

    >>> spatial_axes("conv", np.zeros((8, 28, 28, 3)), "channels_last")
    (1, 2)
    """
    if not 3 <= inputs.ndim <= 5:
        raise ValueError(
            f"{name}: the input has shape {tuple(inputs.shape)}; it needs a batch axis, one to "
            "three spatial axes and a channels axis. ops.expand_dims adds a missing one"
        )
    first = 1 if data_format == "channels_last" else 2
    return tuple(range(first, first + inputs.ndim - 2))


def per_axis(name: str, argument: str, value: Any, count: int) -> tuple[int, ...]:
    """One positive integer for each of `count` axes; a single integer stands for all of them.

    >>> per_axis("conv", "strides", 2, 3)
    (2, 2, 2)
    """
    sizes = (value,) * count if isinstance(value, (int, np.integer)) else value
    if isinstance(sizes, (tuple, list, np.ndarray)) and len(sizes) == count:
        whole = [size for size in sizes if isinstance(size, (int, np.integer))]
        if len(whole) == count and all(size > 0 for size in whole):
            return tuple(int(size) for size in whole)
    raise ValueError(
        f"{name}({argument}={value!r}): {argument} must be a positive integer"
        + (f" or {count} of them, one for each spatial axis" if count > 1 else "")
    )


def places(
    name: str,
    shape: tuple[int, ...],
    length: int,
    size: int,
    stride: int,
    padding: str,
    dilation: int = 1,
) -> int:
    """How many places a window has along an axis.

    Args:
        name: of the operation, for the message.
        shape: of its whole input, for the message.
        length: of the axis, in elements.
        size: elements in the window.
        stride: distance between neighbouring places.
        padding: `"valid"`, only whole windows, or `"same"`, `ceil(length / stride)`.
        dilation: distance between neighbouring elements of the window. Default 1.

    Raises ValueError for another padding and where the window is longer than the axis.

    >>> places("conv", (1, 28, 28, 1), 28, 3, 1, "valid")
    26
    """
    if padding == "same":
        return -(-length // stride)
    if padding != "valid":
        raise ValueError(f"{name}(padding={padding!r}): padding must be 'valid' or 'same'")
    reach = dilation * (size - 1) + 1
    if reach > length:
        raise ValueError(
            f"{name}: a window of {reach} does not fit an axis of {length} in an input of shape "
            f"{tuple(shape)}. Use a smaller window, a larger input or padding='same'"
        )
    return (length - reach) // stride + 1


def same_padding(length: int, size: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """What `"same"` adds before and after an axis; the odd element goes after, as in TensorFlow.

    >>> same_padding(5, 2, 2), same_padding(28, 3, 1)
    ((0, 1), (1, 1))
    """
    reach = dilation * (size - 1) + 1
    total = max((-(-length // stride) - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


def windows_of(name: str, inputs, kernel, axes, strides, padding, dilation_rate) -> Windows:
    """Where the windows of an operation of some name are, once its arguments are checked."""
    count = len(axes)
    padding = padding.lower() if isinstance(padding, str) else padding
    strides = per_axis(name, "strides", strides, count)
    dilation = per_axis(name, "dilation_rate", dilation_rate, count)
    pads = []
    for axis, size, step, gap in zip(axes, kernel.shape, strides, dilation, strict=False):
        length = inputs.shape[axis]
        places(name, inputs.shape, length, size, step, padding, gap)
        pads.append(same_padding(length, size, step, gap) if padding == "same" else (0, 0))
    return Windows(strides, tuple(pads), dilation)
