"""What of torchvision's transformations has which name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cornu.check import torch_vision_random, torch_vision_transforms
from cornu.check.torch_vision_images import changed, crop
from cornu.check.torch_vision_random import (
    AS_IT_IS,
    RandomAffine,
    RandomHorizontalFlip,
    RandomVerticalFlip,
)
from cornu.check.torch_vision_transforms import (
    CenterCrop,
    ConvertImageDtype,
    Grayscale,
    InterpolationMode,
    Normalize,
    Pad,
    PILToTensor,
    Resize,
    ToDtype,
    ToImage,
    ToPILImage,
    ToTensor,
    Transform,
)


def names() -> dict[str, Any]:
    """What is in torchvision.transforms."""
    from torch import nn

    found: dict[str, Any] = {"InterpolationMode": InterpolationMode}
    known = {**vars(torch_vision_transforms), **vars(torch_vision_random)}
    classes = {name: one for name, one in known.items() if _is_one(one)}
    classes |= {name: type(name, (Transform,), {}) for name in AS_IT_IS}
    for name, cls in classes.items():
        # modules there too, so that they can stand in an nn.Sequential
        members = {"__init__": _init(cls), "forward": vars(cls).get("__call__", cls.__call__)}
        found[name] = type(name, (cls, nn.Module), members)
        found[name].__module__ = "torchvision.transforms"
    # what they were called at first
    found |= {"Scale": found["Resize"], "RandomSizedCrop": found["RandomResizedCrop"]}
    return found


def _is_one(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Transform) and value is not Transform


def _init(cls: type) -> Callable:
    def init(self, *args, **kwargs):
        from torch import nn

        nn.Module.__init__(self)
        cls.__init__(self, *args, **kwargs)

    return init


def functions() -> dict[str, Any]:
    """What is in torchvision.transforms.functional."""
    return {
        "InterpolationMode": InterpolationMode,
        "to_tensor": lambda pic: ToTensor()(pic),
        "pil_to_tensor": lambda pic: PILToTensor()(pic),
        "to_image": lambda inpt: ToImage()(inpt),
        "to_pil_image": lambda pic, mode=None: ToPILImage(mode)(pic),
        "to_dtype": lambda inpt, dtype, scale=False: ToDtype(dtype, scale)(inpt),
        "convert_image_dtype": lambda image, dtype: ConvertImageDtype(dtype)(image),
        "normalize": lambda tensor, mean, std, inplace=False: Normalize(mean, std, inplace)(tensor),
        "resize": lambda img, size, *args, **kwargs: Resize(size, *args, **kwargs)(img),
        "center_crop": lambda img, output_size: CenterCrop(output_size)(img),
        "pad": lambda img, *args, **kwargs: Pad(*args, **kwargs)(img),
        "hflip": lambda img: RandomHorizontalFlip(1.0)(img),
        "vflip": lambda img: RandomVerticalFlip(1.0)(img),
        "rotate": lambda img, angle, *args, **kwargs: RandomAffine((angle, angle))(img),
        "rgb_to_grayscale": lambda img, num_output_channels=1: Grayscale(num_output_channels)(img),
        "crop": lambda img, top, left, height, width: changed(
            img, lambda one: crop(one, top, left, height, width)
        ),
    }
