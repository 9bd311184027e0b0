"""Images in files, as Pillow's images and as arrays."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from cornu.core.dtypes import floatx, to_numpy_dtype
from cornu.core.image import standardize_data_format
from cornu.core.reporting import warn

_MODES = {"grayscale": "L", "rgb": "RGB", "rgba": "RGBA"}
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError("images are read and written by Pillow: pip install pillow") from None
    return Image


def load_img(
    path: str | os.PathLike | io.BytesIO,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Reads an image file.

    Args:
        path: the file, or its bytes in an `io.BytesIO`.
        color_mode: "rgb" (default), "rgba" or "grayscale".
        target_size: (rows, columns) to resize to. Default `None`, as it is.
        interpolation: "nearest" (default), "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: whether to cut the middle out first that has the target's aspect ratio.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: an unknown color mode or interpolation.
        TypeError: something that is no path.

    Source: `keras.utils.load_img`.
    """
    pillow = _pillow()
    if color_mode not in _MODES:
        raise ValueError(f"load_img(color_mode={color_mode!r}): expected one of {list(_MODES)}")
    if interpolation not in _INTERPOLATIONS:
        raise ValueError(
            f"load_img(interpolation={interpolation!r}): expected one of {list(_INTERPOLATIONS)}"
        )
    if not isinstance(path, (str, bytes, os.PathLike, io.BytesIO)):
        raise TypeError(f"load_img: expected a path, received a {type(path).__name__}")
    image = pillow.open(path)
    image.load()
    # more than 8 bits of gray stay as they are
    if image.mode != _MODES[color_mode] and not (
        color_mode == "grayscale" and image.mode in ("I;16", "I")
    ):
        image = image.convert(_MODES[color_mode])
    if target_size is None or image.size == (target_size[1], target_size[0]):
        return image
    rows, columns = target_size
    box = None
    if keep_aspect_ratio:
        width, height = image.size
        used = min(width, height * columns // rows), min(height, width * rows // columns)
        left, top = (width - used[0]) // 2, (height - used[1]) // 2
        box = (left, top, left + used[0], top + used[1])
    return image.resize((columns, rows), getattr(pillow.Resampling, interpolation.upper()), box=box)


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """An image as an array.

    Args:
        img: a `PIL.Image.Image`, or anything that NumPy makes two or three axes of.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        dtype: default `None`, the global float type.

    Returns:
        (rows, columns, channels), or (channels, rows, columns); 0 to 255 for an 8-bit image.

    Raises ValueError for another number of axes.

    Source: `keras.utils.img_to_array`.

    >>> img_to_array(np.zeros((4, 5), "uint8")).shape
    (4, 5, 1)
    """
    array = np.asarray(img, dtype=to_numpy_dtype(dtype or floatx()))
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise ValueError(
            f"img_to_array: expected (rows, columns) or (rows, columns, channels), received "
            f"{array.shape}"
        )
    if standardize_data_format(data_format) == "channels_first":
        array = array.transpose(2, 0, 1)
    return array


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Any:
    """An array as an image.

    Args:
        x: (rows, columns, channels), or (channels, rows, columns); 1, 3 or 4 channels.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        scale: whether to stretch the values to 0 to 255. Default True.
        dtype: computed in. Default `None`, the global float type.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: Pillow is not installed.
        ValueError: another shape.

    Source: `keras.utils.array_to_img`.

    >>> array_to_img(np.zeros((4, 5, 3))).size
    (5, 4)
    """
    pillow = _pillow()
    array = np.asarray(x, dtype=to_numpy_dtype(dtype or floatx()))
    if array.ndim != 3:
        raise ValueError(f"array_to_img: expected three axes, received {array.shape}")
    if standardize_data_format(data_format) == "channels_first":
        array = array.transpose(1, 2, 0)
    if scale:
        array = array - array.min()
        array = array / (array.max() or 1.0) * 255
    channels = array.shape[2]
    if channels == 1:
        gray = array[:, :, 0]
        return pillow.fromarray(gray.astype("int32" if gray.max() > 255 else "uint8"))
    if channels not in (3, 4):
        raise ValueError(f"array_to_img: expected 1, 3 or 4 channels, received {channels}")
    return pillow.fromarray(array.astype("uint8"))


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Writes an array to an image file.

    Args:
        path: the file, or a file object.
        x, data_format, scale: as for `array_to_img`.
        file_format: "png", "jpeg", ... Default `None`, by the file's name.
        **kwargs: for Pillow's `Image.save`.

    Source: `keras.utils.save_img`.
    """
    if file_format is None and isinstance(path, (str, os.PathLike)):
        file_format = Path(path).suffix[1:].lower()
    if file_format == "jpg":
        file_format = "jpeg"
    image = array_to_img(x, data_format, scale)
    if image.mode == "RGBA" and file_format == "jpeg":
        warn("save_img: a JPEG file has no transparency; it is left out")
        image = image.convert("RGB")
    image.save(path, format=file_format, **kwargs)
