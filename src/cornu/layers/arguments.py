"""Checks of the arguments of layers: each returns the value or says what is wrong with it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cornu.ops._windows import places


def positive_integer(layer: Any, name: str, value: Any) -> int:
    """A positive integer, NumPy's included.

    >>> positive_integer("Dense", "units", -3)
    Traceback (most recent call last):
    ValueError: Dense(units=-3): units must be a positive integer
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value <= 0:
        raise ValueError(f"{_name(layer)}({name}={value!r}): {name} must be a positive integer")
    return int(value)


def integers(layer: Any, name: str, value: Any, count: int, least: int = 1) -> tuple[int, ...]:
    """A tuple of `count` integers not below `least`; one integer stands for all of them.

    >>> integers("Conv2D", "strides", 2, 2)
    (2, 2)
    """
    several = (value,) * count if isinstance(value, (int, np.integer)) else value
    wanted = "a positive integer" if least == 1 else f"an integer of at least {least}"
    plural = "positive integers" if least == 1 else f"integers of at least {least}"
    error = ValueError(
        f"{_name(layer)}({name}={value!r}): {name} must be {wanted}"
        + (f" or {count} {plural}" if count > 1 else "")
    )
    try:
        sizes = tuple(several)
    except TypeError:
        raise error from None
    if len(sizes) != count:
        raise error
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < least:
            raise error
    return tuple(int(size) for size in sizes)


def padding_mode(layer: Any, value: Any, known: tuple[str, ...] = ("valid", "same")) -> str:
    """The name of a padding, in lower case.

    >>> padding_mode("Conv2D", "SAME")
    'same'
    """
    mode = value.lower() if isinstance(value, str) else value
    if mode not in known:
        choices = " or ".join(repr(item) for item in known)
        raise ValueError(f"{_name(layer)}(padding={value!r}): padding must be {choices}")
    return mode


def share(layer: Any, name: str, value: Any) -> float:
    """A number from 0 to 1.

    >>> share("Dropout", "rate", 1.5)
    Traceback (most recent call last):
    ValueError: Dropout(rate=1.5): rate must be a number from 0 to 1
    """
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise ValueError(f"{_name(layer)}({name}={value!r}): {name} must be a number from 0 to 1")
    return value


def refuse(layer: Any, **arguments: Any) -> None:
    """Says of arguments that Cornu does not have that they must be left at `None` or False.

    >>> refuse("Dense", lora_rank=4)
    Traceback (most recent call last):
    ValueError: Dense(lora_rank=4): lora_rank is not supported; leave it out
    """
    for name, value in arguments.items():
        if value is not None and value is not False:
            raise ValueError(
                f"{_name(layer)}({name}={value!r}): {name} is not supported; leave it out"
            )


def axes_within(layer: Any, axis: Any, shape: tuple) -> list[int]:
    """An axis or several as non-negative numbers, rising, all of them axes of a shape.

    >>> axes_within("LayerNormalization", [-1, 1], (None, 3, 4))
    [1, 2]
    """
    rank = len(shape)
    several = list(axis) if isinstance(axis, (list, tuple)) else [axis]
    for one in several:
        if not -rank <= one < rank:
            raise ValueError(
                f"{_name(layer)}(axis={axis!r}): an input of shape {tuple(shape)} has no axis {one}"
            )
    return sorted(one % rank for one in several)


def window_places(
    layer: Any,
    input_shape: tuple,
    data_format: str,
    windows: tuple,
    strides: tuple,
    padding: str,
    dilations: tuple | None = None,
) -> tuple:
    """How many places a sliding window has along each axis between batch and channels.

    Args:
        layer: whose window it is, for the message.
        input_shape: with batch and channels; `None` where a size is open, and so are its places.
        data_format: where the channels are.
        windows, strides, dilations: for each of the axes.
        padding: `"valid"`, only whole windows; `"same"` or `"causal"`, `ceil(size / stride)`.

    Raises ValueError where the window is longer than the axis.

    >>> window_places("MaxPooling2D", (None, 28, None, 3), "channels_last", (2, 2), (2, 2), "valid")
    (14, None)
    """
    sizes = input_shape[1:-1] if data_format == "channels_last" else input_shape[2:]
    padding = "same" if padding == "causal" else padding
    return tuple(
        None
        if size is None
        else places(_name(layer), input_shape, size, window, stride, padding, dilation)
        for size, window, stride, dilation in zip(
            sizes, windows, strides, dilations or (1,) * len(sizes), strict=True
        )
    )


def _name(layer: Any) -> str:
    return layer if isinstance(layer, str) else type(layer).__name__
