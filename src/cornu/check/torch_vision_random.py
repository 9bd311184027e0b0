"""Transformations of images that differ each time, with shapes and ranges of torchvision's."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from cornu.check.torch_vision_images import changed, crop, gray, pad, pair, resize, size_of, warp
from cornu.check.torch_vision_transforms import Compose, Transform

# Not that of the program, whose numbers would change.
_random = random.Random(0)


class RandomApply(Compose):
    """Several or none."""

    def __init__(self, transforms: Sequence[Callable], p: float = 0.5):
        super().__init__(transforms)
        self.p = p

    def __call__(self, image):
        return super().__call__(image) if _random.random() < self.p else image


class RandomChoice(Compose):
    """One of several."""

    def __init__(self, transforms: Sequence[Callable], p: Sequence[float] | None = None):
        super().__init__(transforms)
        self.p = p

    def __call__(self, image):
        return _random.choices(self.transforms, self.p)[0](image)


class RandomOrder(Compose):
    """Several in any order."""

    def __call__(self, image):
        for transform in _random.sample(list(self.transforms), len(self.transforms)):
            image = transform(image)
        return image


class RandomCrop(Transform):
    """A part from anywhere."""

    def __init__(
        self, size, padding=None, pad_if_needed=False, fill=0, padding_mode: str = "constant"
    ):
        self.size, self.padding, self.pad_if_needed = pair(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    def __call__(self, image):
        return changed(image, self._part)

    def _part(self, one):
        height, width = self.size
        if self.padding is not None:
            one = pad(one, self.padding, self.fill, self.padding_mode)
        if self.pad_if_needed:
            more = (max(0, width - one.shape[-1]), max(0, height - one.shape[-2]))
            one = pad(one, more, self.fill, self.padding_mode)
        return crop(one, *self.get_params(one, self.size))

    @staticmethod
    def get_params(img, output_size):
        """Top, left, height and width of a part."""
        (rows, columns), (height, width) = size_of(img), pair(output_size)
        if rows < height or columns < width:
            raise ValueError(
                f"Required crop size {(height, width)} is larger than input image size "
                f"{(rows, columns)}"
            )
        top, left = _random.randint(0, rows - height), _random.randint(0, columns - width)
        return top, left, height, width


class RandomResizedCrop(Transform):
    """A part from anywhere in another size."""

    def __init__(
        self, size, scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3), interpolation=None, antialias=True
    ):
        self.size, self.scale, self.ratio = pair(size), scale, ratio

    def __call__(self, image):
        return changed(image, self._part)

    def _part(self, one):
        rows, columns = one.shape[-2:]
        area = rows * columns * _random.uniform(*self.scale)
        ratio = math.exp(_random.uniform(*(math.log(one) for one in self.ratio)))
        width = max(1, min(columns, round(math.sqrt(area * ratio))))
        height = max(1, min(rows, round(math.sqrt(area / ratio))))
        top, left = _random.randint(0, rows - height), _random.randint(0, columns - width)
        return resize(crop(one, top, left, height, width), self.size)


class RandomHorizontalFlip(Transform):
    """Left and right exchanged."""

    axis = -1

    def __init__(self, p: float = 0.5):
        self.p = p

    def __call__(self, image):
        if _random.random() >= self.p:
            return image
        return changed(image, lambda one: one.flip(self.axis))


class RandomVerticalFlip(RandomHorizontalFlip):
    """Top and bottom exchanged."""

    axis = -2


class RandomAffine(Transform):
    """Turned, moved and in another scale."""

    def __init__(self, degrees, translate=None, scale=None, shear=None, *args, fill=0, **kwargs):
        self.degrees = (-degrees, degrees) if isinstance(degrees, (int, float)) else degrees
        self.translate, self.scale, self.fill = translate, scale, fill

    def __call__(self, image):
        angle = math.radians(_random.uniform(*self.degrees))
        scale = _random.uniform(*self.scale) if self.scale else 1.0
        across, down = (_random.uniform(-one, one) for one in self.translate or (0, 0))
        fill = self.fill[0] if isinstance(self.fill, (tuple, list)) else self.fill or 0
        return changed(image, lambda one: warp(one, angle, scale, across, down, fill))


class RandomRotation(RandomAffine):
    """Turned."""

    def __init__(self, degrees, *args, fill=0, **kwargs):
        super().__init__(degrees, fill=fill)


class RandomGrayscale(Transform):
    """Sometimes without colours, and with as many channels."""

    def __init__(self, p: float = 0.1):
        self.p = p

    def __call__(self, image):
        if _random.random() >= self.p:
            return image
        return changed(image, lambda one: gray(one, one.shape[-3]))


class ColorJitter(Transform):
    """Other brightness, contrast and saturation; the hue stays."""

    def __init__(self, brightness=0, contrast=0, saturation=0, hue=0):
        self.brightness, self.contrast = _around_one(brightness), _around_one(contrast)
        self.saturation = _around_one(saturation)

    def __call__(self, image):
        return changed(image, self._other)

    def _other(self, one):
        values = one.float()
        most = 1.0 if one.is_floating_point() else 255.0
        values = (values * _random.uniform(*self.brightness)).clamp(0, most)
        for mean, limits in (
            (gray(values, 1).mean(), self.contrast),
            (gray(values, 1), self.saturation),
        ):
            share = _random.uniform(*limits)
            values = (values * share + mean * (1 - share)).clamp(0, most)
        return values.to(one.dtype)


def _around_one(value: Any) -> Sequence[float]:
    return value if isinstance(value, (tuple, list)) else (max(0, 1 - value), 1 + value)


class RandomErasing(Transform):
    """A rectangle of a tensor overwritten."""

    def __init__(self, p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False):
        self.p, self.scale, self.value = p, scale, value

    def __call__(self, image):
        if _random.random() >= self.p:
            return image
        image, (rows, columns) = image.clone(), image.shape[-2:]
        share = math.sqrt(_random.uniform(*self.scale))
        height, width = max(1, int(rows * share)), max(1, int(columns * share))
        top, left = _random.randint(0, rows - height), _random.randint(0, columns - width)
        value = self.value if isinstance(self.value, (int, float)) else 0
        image[..., top : top + height, left : left + width] = value
        return image


# Those that people choose for variety: what they give has the shape and range of what they take.
AS_IT_IS = (
    *("GaussianBlur", "RandomPerspective", "RandomAutocontrast", "RandomEqualize"),
    *("RandomInvert", "RandomPosterize", "RandomSolarize", "RandomAdjustSharpness"),
    *("AutoAugment", "RandAugment", "TrivialAugmentWide", "AugMix", "ElasticTransform"),
)
