"""`keras.applications` for a program that is checked: networks known by their shapes.

A pretrained base is one layer here, with the output shape that it has in Keras and no weights. What
a program puts behind it is what can be wrong, and what is checked.

Source of shapes: documentation of `keras.applications`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

import cornu
from cornu.check.stand_ins import StandIn

# Channels of the last feature map, which is a 32nd as high and wide as the picture.
_CHANNELS = {
    "vgg16": ("VGG16", 512, "caffe", 224),
    "vgg19": ("VGG19", 512, "caffe", 224),
    "resnet50": ("ResNet50", 2048, "caffe", 224),
    "resnet": ("ResNet50 ResNet101 ResNet152", 2048, "caffe", 224),
    "resnet_v2": ("ResNet50V2 ResNet101V2 ResNet152V2", 2048, "tf", 224),
    "inception_v3": ("InceptionV3", 2048, "tf", 299),
    "inception_resnet_v2": ("InceptionResNetV2", 1536, "tf", 299),
    "xception": ("Xception", 2048, "tf", 299),
    "mobilenet": ("MobileNet", 1024, "tf", 224),
    "mobilenet_v2": ("MobileNetV2", 1280, "tf", 224),
    "mobilenet_v3": ("MobileNetV3Small MobileNetV3Large", 960, "none", 224),
    "densenet": ("DenseNet121 DenseNet169 DenseNet201", 1024, "torch", 224),
    "nasnet": ("NASNetMobile NASNetLarge", 1056, "tf", 224),
    "efficientnet": (" ".join(f"EfficientNetB{n}" for n in range(8)), 1280, "none", 224),
    "efficientnet_v2": ("EfficientNetV2B0 EfficientNetV2S EfficientNetV2M", 1280, "none", 224),
    "convnext": ("ConvNeXtTiny ConvNeXtSmall ConvNeXtBase", 768, "none", 224),
}
_OWN = {"MobileNetV3Small": 576, "DenseNet169": 1664, "DenseNet201": 1920, "NASNetLarge": 4032}
_STRIDE = 32
# Means and deviations of ImageNet's channels, as Keras' preprocess_input has them.
_MEANS = {"caffe": (103.939, 116.779, 123.68), "torch": (0.485, 0.456, 0.406)}
_DEVIATIONS = (0.229, 0.224, 0.225)


class PretrainedBase(StandIn):
    """A pretrained network, without its weights."""

    def __init__(self, channels: int, classes: int | None, pooling: str | None, **kwargs):
        super().__init__(**kwargs)
        self._shape_given = channels, classes, pooling

    def get_config(self) -> dict:
        return {"name": self.name, "pretrained": True}

    def shape_of(self, shape):
        channels, classes, pooling = self._shape_given
        if classes is not None:
            return (shape[0], classes)
        if pooling is not None:
            return (shape[0], channels)
        return (shape[0], *(None if n is None else -(-n // _STRIDE) for n in shape[1:3]), channels)


def _network(name: str, channels: int, size: int):
    def build(
        include_top: bool = True,
        weights: Any = "imagenet",
        input_tensor: Any = None,
        input_shape: tuple | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        **kwargs,
    ):
        inputs = input_tensor
        if inputs is None:
            default = (size, size, 3) if include_top else (None, None, 3)
            inputs = cornu.Input(shape=input_shape or default)
        top = classes if include_top else None
        base = PretrainedBase(channels, top, pooling, name=f"{name.lower()}_layers")
        return cornu.Model(inputs, base(inputs), name=kwargs.get("name") or name.lower())

    build.__name__ = name
    return build


def _preprocessing(mode: str):
    def preprocess_input(x, data_format=None, **kwargs):
        """Pixels from 0 to 255 as the network takes them."""
        x = np.asarray(x, "float32")
        if mode == "tf":
            return x / 127.5 - 1
        if mode == "caffe":
            return x[..., ::-1] - np.array(_MEANS["caffe"], "float32")
        if mode == "torch":
            return ((x / 255 - np.array(_MEANS["torch"])) / np.array(_DEVIATIONS)).astype("float32")
        return x

    return preprocess_input


def applications() -> dict[str, ModuleType]:
    """The modules by what they are called below `cornu`: "applications", "applications.vgg16"."""
    whole = ModuleType("cornu.applications")
    whole.__path__ = []
    found = {"applications": whole}
    for file, (names, channels, mode, size) in _CHANNELS.items():
        module = ModuleType(f"cornu.applications.{file}")
        for name in names.split():
            network = _network(name, _OWN.get(name, channels), size)
            setattr(module, name, network)
            setattr(whole, name, network)
        module.preprocess_input = _preprocessing(mode)  # type: ignore[attr-defined]
        setattr(whole, file, module)
        found[f"applications.{file}"] = module
    return found
