"""Transformations of images, with the shapes, types and ranges of torchvision's.

They take what torchvision's take: pictures of Pillow, and tensors with the channels before the
rows and columns; where Pillow isn't installed, arrays stand for pictures.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cornu.check.torch_harmless import NotStoodIn
from cornu.check.torch_vision_images import (
    changed,
    crop,
    gray,
    is_picture,
    pad,
    pair,
    resize,
    size_of,
    to_picture,
    to_tensor,
)


class InterpolationMode(enum.Enum):
    """How values between pixels are found."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


class Transform:
    """One that leaves everything as it is; the others are made of it.

    Args:
        args, kwargs: kept for nothing.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def __call__(self, image: Any) -> Any:
        return image

    @staticmethod
    def get_params(*args: Any, **kwargs: Any) -> Any:
        """What is drawn at random."""
        raise NotStoodIn("torchvision is not installed, and cornu check has no such get_params")

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


# -- of several ----------------------------------------------------------------------------------


class Compose(Transform):
    """Several, one after the other."""

    def __init__(self, transforms: Sequence[Callable]):
        self.transforms = transforms

    def __call__(self, image):
        for transform in self.transforms:
            image = transform(image)
        return image

    def __repr__(self) -> str:
        return f"Compose({list(self.transforms)})"


class Lambda(Transform):
    """A function."""

    def __init__(self, lambd: Callable):
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__}")
        self.lambd = lambd

    def __call__(self, image):
        return self.lambd(image)


# -- from one kind to another --------------------------------------------------------------------


class ToTensor(Transform):
    """A picture or array of bytes as float32 from 0 to 1, the channels first."""

    def __call__(self, image):
        import torch

        if isinstance(image, torch.Tensor) or not (
            is_picture(image) or isinstance(image, np.ndarray)
        ):
            raise TypeError(f"pic should be PIL Image or ndarray. Got {type(image)}")
        tensor = to_tensor(image)
        if tensor.dtype == torch.uint8:
            return tensor.to(torch.get_default_dtype()) / 255
        return tensor


class PILToTensor(Transform):
    """A picture as a tensor of the same numbers, the channels first."""

    def __call__(self, image):
        if not is_picture(image):
            raise TypeError(f"pic should be PIL Image. Got {type(image)}")
        return to_tensor(image)


class ToImage(Transform):
    """A picture, array or tensor as a tensor of the same numbers."""

    def __call__(self, image):
        return to_tensor(image)


class ToPILImage(Transform):
    """A tensor or array as a picture."""

    def __init__(self, mode: str | None = None):
        self.mode = mode

    def __call__(self, image):
        if is_picture(image):
            raise TypeError(f"pic should be Tensor or ndarray. Got {type(image)}.")
        return to_picture(to_tensor(image), self.mode)


class ConvertImageDtype(Transform):
    """Another type of number, and the range that goes with it: 0 to 255 or 0 to 1."""

    def __init__(self, dtype: Any):
        self.dtype = dtype

    def __call__(self, image):
        import torch

        old, new = image.dtype, self.dtype
        if old.is_floating_point == new.is_floating_point:
            return image.to(new)
        if new.is_floating_point:
            return image.to(new) / torch.iinfo(old).max
        most = torch.iinfo(new).max
        return (image * (most + 1 - 1e-3)).clamp(0, most).to(new)


class ToDtype(ConvertImageDtype):
    """Another type of number, and with `scale=True` the range that goes with it."""

    def __init__(self, dtype: Any, scale: bool = False):
        super().__init__(dtype)
        self.scale = scale

    def __call__(self, image):
        import torch

        if not isinstance(image, torch.Tensor):
            return image
        return super().__call__(image) if self.scale else image.to(self.dtype)


class Normalize(Transform):
    """Minus a mean and divided by a standard deviation, each channel by its own."""

    def __init__(self, mean: Any, std: Any, inplace: bool = False):
        self.mean, self.std, self.inplace = mean, std, inplace

    def __call__(self, image):
        import torch

        if not isinstance(image, torch.Tensor):
            raise TypeError(f"img should be Tensor Image. Got {type(image)}")
        if not image.is_floating_point():
            raise TypeError(
                f"Input tensor should be a float tensor. Got tensor with dtype {image.dtype}."
            )
        mean = torch.as_tensor(self.mean, dtype=image.dtype).flatten()
        std = torch.as_tensor(self.std, dtype=image.dtype).flatten()
        if bool((std == 0).any()):
            raise ValueError("std evaluated to zero, leading to division by zero.")
        image = image if self.inplace else image.clone()
        # in place, so that three means for one channel are an error, as there
        return image.sub_(mean[:, None, None]).div_(std[:, None, None])

    def __repr__(self) -> str:
        return f"Normalize(mean={self.mean}, std={self.std})"


# -- sizes ---------------------------------------------------------------------------------------


class Resize(Transform):
    """Another size; of a single number the shorter side."""

    def __init__(self, size: Any, interpolation: Any = None, *args: Any, **kwargs: Any):
        self.size, self.interpolation = size, interpolation

    def __call__(self, image):
        height, width = size_of(image)
        size = list(self.size) if isinstance(self.size, (tuple, list)) else [self.size]
        if len(size) == 1:
            short = size[0]
            if height <= width:
                size = [short, int(short * width / height)]
            else:
                size = [int(short * height / width), short]
        mode = getattr(self.interpolation, "value", self.interpolation)
        return changed(image, lambda one: resize(one, size, mode in ("nearest", 0)))


class CenterCrop(Transform):
    """The middle."""

    def __init__(self, size: Any):
        self.size = pair(size)

    def __call__(self, image):
        return changed(image, self._middle)

    def _middle(self, one):
        height, width = self.size
        rows, columns = max(0, height - one.shape[-2]), max(0, width - one.shape[-1])
        left, top = columns // 2, rows // 2
        one = pad(one, (left, top, columns - left, rows - top))
        top = round((one.shape[-2] - height) / 2)
        return crop(one, top, round((one.shape[-1] - width) / 2), height, width)


class Pad(Transform):
    """A border around."""

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant"):
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def __call__(self, image):
        return changed(image, lambda one: pad(one, self.padding, self.fill, self.padding_mode))


class FiveCrop(Transform):
    """The corners and the middle."""

    def __init__(self, size: Any):
        self.size = pair(size)

    def __call__(self, image):
        (rows, columns), (height, width) = size_of(image), self.size
        corners = [(top, left) for top in (0, rows - height) for left in (0, columns - width)]
        crops = [
            changed(image, lambda one, at=corner: crop(one, *at, height, width))
            for corner in corners
        ]
        return (*crops, CenterCrop(self.size)(image))


class Grayscale(Transform):
    """Without colours."""

    def __init__(self, num_output_channels: int = 1):
        self.num_output_channels = num_output_channels

    def __call__(self, image):
        return changed(image, lambda one: gray(one, self.num_output_channels))
