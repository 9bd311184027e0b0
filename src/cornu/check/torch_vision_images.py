"""What transformations of images are made of: pictures, arrays and tensors, and their pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def pictures() -> Any:
    """Pillow's module of images, or None where it isn't installed."""
    try:
        from PIL import Image
    except ImportError:
        return None
    return Image


def is_picture(value: Any) -> bool:
    """Whether a value is a picture of Pillow's, or an array where there is no Pillow."""
    image = pictures()
    return isinstance(value, np.ndarray if image is None else image.Image)


def to_tensor(image: Any) -> Any:
    """The numbers of an image as a tensor with the channels before the rows and columns."""
    import torch

    if isinstance(image, torch.Tensor):
        return image
    is_array = isinstance(image, np.ndarray)
    array = image if is_array else np.array(image)
    if array.dtype == bool and not is_array:
        array = array.astype(np.uint8) * 255
    if array.ndim == 2:
        array = array[:, :, None]
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def to_picture(tensor: Any, mode: str | None = None) -> Any:
    """A tensor of an image as a picture; floats go from 0 to 1."""
    if tensor.is_floating_point() and mode != "F":
        tensor = (tensor * 255).byte()
    array = tensor.numpy()
    array = array.transpose(1, 2, 0) if array.ndim == 3 else array
    array = array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
    image = pictures()
    if image is None:
        return array
    picture = image.fromarray(array)
    return picture if mode is None or picture.mode == mode else picture.convert(mode)


def changed(image: Any, change: Callable[[Any], Any]) -> Any:
    """An image after a change of its numbers, as the kind of thing that it was."""
    import torch

    if isinstance(image, torch.Tensor):
        return change(image)
    if not is_picture(image):
        raise TypeError(f"Unexpected type {type(image)}")
    return to_picture(change(to_tensor(image)), "F" if _is_float(image) else None)


def _is_float(image: Any) -> bool:
    return getattr(image, "mode", "") == "F"


def size_of(image: Any) -> tuple[int, int]:
    """Rows and columns."""
    if is_picture(image) and not isinstance(image, np.ndarray):
        return image.size[::-1]
    rows, columns = to_tensor(image).shape[-2:]
    return rows, columns


def pair(size: Any) -> tuple[int, int]:
    """Rows and columns of a size that may be one number."""
    if isinstance(size, (tuple, list)):
        return (int(size[0]), int(size[-1]))
    return (int(size), int(size))


def _as_batch(one: Any, change: Callable[[Any], Any]) -> Any:
    """Changes a tensor of an image as floats, as one of a batch, and rounds what were integers."""
    import torch

    batch = one.float().reshape(-1, *one.shape[-3:])
    made = change(batch)
    made = made.reshape(*one.shape[:-3], *made.shape[-3:])
    if not one.is_floating_point():
        limits = torch.iinfo(one.dtype)
        made = made.round().clamp(limits.min, limits.max)
    return made.to(one.dtype)


def resize(one: Any, size: Sequence[int], nearest: bool = False) -> Any:
    """A tensor of an image in another size."""
    from torch.nn import functional

    def change(batch):
        if nearest:
            return functional.interpolate(batch, tuple(size), mode="nearest")
        return functional.interpolate(batch, tuple(size), mode="bilinear", antialias=True)

    return one if tuple(one.shape[-2:]) == tuple(size) else _as_batch(one, change)


def crop(one: Any, top: int, left: int, height: int, width: int) -> Any:
    """A part of a tensor of an image."""
    return one[..., top : top + height, left : left + width]


def pad(one: Any, padding: Any, fill: Any = 0, mode: str = "constant") -> Any:
    """A tensor of an image with a border: of all sides, of (across, down), or of all four sides."""
    from torch.nn import functional

    sides = [padding] if isinstance(padding, int) else list(padding)
    left, top, right, bottom = (sides * 4)[:4]
    if not (left or top or right or bottom):
        return one
    border = (left, right, top, bottom)
    if mode == "constant":
        fill = fill[0] if isinstance(fill, (tuple, list)) else fill
        return functional.pad(one, border, value=fill)
    kind = {"edge": "replicate", "symmetric": "reflect"}.get(mode, mode)
    return _as_batch(one, lambda batch: functional.pad(batch, border, mode=kind))


def warp(one: Any, angle: float, scale: float, across: float, down: float, fill: float) -> Any:
    """A tensor of an image turned (in radians) and scaled around its middle, and moved.

    Args:
        one: the tensor.
        angle, scale: how far.
        across, down: as shares of the width and height.
        fill: the value of what comes in from outside.
    """
    import torch

    rows, columns = one.shape[-2:]
    y, x = np.mgrid[:rows, :columns]
    y, x = y - (rows - 1) / 2 - down * rows, x - (columns - 1) / 2 - across * columns
    cosine, sine = math.cos(angle) / scale, math.sin(angle) / scale
    top = np.rint(cosine * y + sine * x + (rows - 1) / 2).astype(int)
    left = np.rint(cosine * x - sine * y + (columns - 1) / 2).astype(int)
    inside = (top >= 0) & (top < rows) & (left >= 0) & (left < columns)
    values = one.numpy()[..., top.clip(0, rows - 1), left.clip(0, columns - 1)]
    return torch.from_numpy(np.where(inside, values, np.asarray(fill, values.dtype)))


def gray(one: Any, channels: int) -> Any:
    """A tensor of an image without its colours, weighed as ITU-R BT.601 says."""
    import torch

    if one.shape[-3] >= 3:
        red, green, blue = (one.select(-3, place).float() for place in range(3))
        values = (0.299 * red + 0.587 * green + 0.114 * blue).unsqueeze(-3)
        one = (values if one.is_floating_point() else values.round()).to(one.dtype)
    return one if channels == 1 else torch.cat([one] * channels, -3)
