"""Networks with the structure and the names of torchvision's, and initial weights."""

from __future__ import annotations

import enum
import functools
import inspect
from collections.abc import Callable
from typing import Any

from cornu.check import torch_vision_transforms as transforms
from cornu.check.torch_harmless import NotStoodIn

# Blocks of each stage (He et al., "Deep Residual Learning for Image Recognition", 2015, table 1).
_RESNETS = {
    "resnet18": ("BasicBlock", [2, 2, 2, 2]),
    "resnet34": ("BasicBlock", [3, 4, 6, 3]),
    "resnet50": ("Bottleneck", [3, 4, 6, 3]),
    "resnet101": ("Bottleneck", [3, 4, 23, 3]),
    "resnet152": ("Bottleneck", [3, 8, 36, 3]),
}
# Convolutions of each stage (Simonyan and Zisserman, "Very Deep Convolutional Networks for
# Large-Scale Image Recognition", 2014, table 1).
_VGGS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
# Expansion, channels, blocks and first stride of each stage (Sandler et al., "MobileNetV2: Inverted
# Residuals and Linear Bottlenecks", 2018, table 2).
_MOBILE = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)
_IMAGENET = 1000  # classes


def contents(pretrained: Callable[[Any], None]) -> dict[str, dict[str, Any]]:
    """The modules of torchvision.models and what is in them.

    Args:
        pretrained: called with each network that is asked for with trained weights.
    """
    parts = {"resnet": _resnets(), "vgg": _vggs(), "alexnet": _alexnets(), "mobilenet": _mobiles()}
    families: dict[str, dict[str, Any]] = {}
    for family, (classes, makers) in parts.items():
        names: dict[str, Any] = {cls.__name__: cls for cls in classes}
        for cls in classes:
            cls.__module__, cls.__qualname__ = f"torchvision.models.{family}", cls.__name__
        for name, make in makers.items():
            weights = _weights(name)
            names[name] = _maker(name, make, weights, pretrained)
            names[weights.__name__] = weights
        families[family] = names
    families["mobilenetv2"] = families["mobilenet"]
    every = {name: one for names in families.values() for name, one in names.items()}
    every["get_model"] = lambda name, **settings: every[name](**settings)
    return {"torchvision.models": every} | {
        f"torchvision.models.{family}": names for family, names in families.items()
    }


class _Weights(enum.Enum):
    """Trained weights."""

    @property
    def transforms(self) -> Callable:
        """Gives what images go through before."""
        return _preparation

    @property
    def meta(self) -> dict[str, Any]:
        """What is known of them."""
        return {"categories": [f"class {number}" for number in range(_IMAGENET)]}


def _weights(name: str) -> Any:
    """The enumeration of the trained weights of a network."""
    title = name.replace("resnet", "ResNet").replace("vgg", "VGG").replace("_bn", "_BN")
    title = {"alexnet": "AlexNet", "mobilenet_v2": "MobileNet_V2"}.get(name, title)
    members = {"IMAGENET1K_V1": 1, "DEFAULT": 1}
    if title in ("ResNet50", "ResNet101", "ResNet152", "MobileNet_V2"):
        members = {"IMAGENET1K_V1": 1, "IMAGENET1K_V2": 2, "DEFAULT": 2}
    made: Any = _Weights
    return made(f"{title}_Weights", members, module="torchvision.models")


def _preparation(*args: Any, **kwargs: Any) -> Callable:
    """What images go through before a network that was trained on ImageNet."""

    def prepare(image: Any) -> Any:
        image = transforms.CenterCrop(224)(transforms.Resize(256)(image))
        if transforms.is_picture(image):
            image = transforms.ToTensor()(image)
        elif not image.is_floating_point():
            image = image.float() / 255
        return transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])(image)

    return prepare


def _maker(name: str, make: Callable, kinds: Any, pretrained: Callable[[Any], None]) -> Callable:
    """The function that makes a network, with trained weights or not."""

    def maker(*args: Any, weights: Any = None, progress: bool = True, **settings: Any) -> Any:
        wanted = bool(settings.pop("pretrained", args[0] if args else False) or weights)
        if wanted and settings.get("num_classes", _IMAGENET) != _IMAGENET:
            raise ValueError(
                f"The parameter 'num_classes' expected value {_IMAGENET} but got "
                f"{settings['num_classes']} instead."
            )
        try:
            inspect.signature(make).bind(**settings)
        except TypeError as error:
            raise NotStoodIn(
                f"torchvision is not installed, and cornu check's {name} differs: {error}"
            ) from error
        model = make(**settings)
        if wanted:
            pretrained(model)
        return model

    maker.__name__ = maker.__qualname__ = name
    maker.__module__ = "torchvision.models"
    return maker


def _begin(model: Any, spread_of_linear: float | None) -> None:
    """Initial values as torchvision's networks have them.

    Args:
        model: the network.
        spread_of_linear: the standard deviation of the kernels of its linear layers, or None for
            PyTorch's own values.
    """
    from torch import nn

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear) and spread_of_linear is not None:
            nn.init.normal_(module.weight, 0, spread_of_linear)
            nn.init.zeros_(module.bias)


# -- ResNet --------------------------------------------------------------------------------------


def _resnets() -> tuple[list[type], dict[str, Callable]]:
    from torch import nn

    def convolution(inputs: int, outputs: int, window: int, stride: int = 1) -> Any:
        return nn.Conv2d(inputs, outputs, window, stride, padding=window // 2, bias=False)

    class Block(nn.Module):
        expansion = 1

        def forward(self, x):
            carried = x if self.downsample is None else self.downsample(x)
            return self.relu(self.residual(x) + carried)

    class BasicBlock(Block):
        """Two convolutions and what goes around them."""

        def __init__(self, inplanes, planes, stride=1, downsample=None, norm_layer=None):
            super().__init__()
            norm = norm_layer or nn.BatchNorm2d
            self.conv1, self.bn1 = convolution(inplanes, planes, 3, stride), norm(planes)
            self.relu = nn.ReLU(inplace=True)
            self.conv2, self.bn2 = convolution(planes, planes, 3), norm(planes)
            self.downsample, self.stride = downsample, stride

        def residual(self, x):
            return self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))

    class Bottleneck(Block):
        """Three convolutions, the one in the middle narrow, and what goes around them."""

        expansion = 4

        def __init__(self, inplanes, planes, stride=1, downsample=None, norm_layer=None):
            super().__init__()
            norm = norm_layer or nn.BatchNorm2d
            self.conv1, self.bn1 = convolution(inplanes, planes, 1), norm(planes)
            self.conv2, self.bn2 = convolution(planes, planes, 3, stride), norm(planes)
            self.conv3, self.bn3 = convolution(planes, 4 * planes, 1), norm(4 * planes)
            self.relu = nn.ReLU(inplace=True)
            self.downsample, self.stride = downsample, stride

        def residual(self, x):
            x = self.relu(self.bn1(self.conv1(x)))
            return self.bn3(self.conv3(self.relu(self.bn2(self.conv2(x)))))

    class ResNet(nn.Module):
        """Four stages of blocks, the mean over all places, and a linear layer."""

        def __init__(
            self, block, layers, num_classes=_IMAGENET, zero_init_residual=False, norm_layer=None
        ):
            super().__init__()
            self._norm_layer = norm_layer or nn.BatchNorm2d
            self.inplanes = 64
            self.conv1 = convolution(3, 64, 7, 2)
            self.bn1 = self._norm_layer(64)
            self.relu = nn.ReLU(inplace=True)
            self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
            self.layer1 = self._make_layer(block, 64, layers[0])
            self.layer2 = self._make_layer(block, 128, layers[1], 2)
            self.layer3 = self._make_layer(block, 256, layers[2], 2)
            self.layer4 = self._make_layer(block, 512, layers[3], 2)
            self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
            self.fc = nn.Linear(512 * block.expansion, num_classes)
            _begin(self, None)
            for one in self.modules():
                if zero_init_residual and isinstance(one, Block):
                    nn.init.zeros_((one.bn3 if isinstance(one, Bottleneck) else one.bn2).weight)

        def _make_layer(self, block, planes, blocks, stride=1):
            norm, outputs = self._norm_layer, planes * block.expansion
            around = None
            if stride != 1 or self.inplanes != outputs:
                change = convolution(self.inplanes, outputs, 1, stride)
                around = nn.Sequential(change, norm(outputs))
            found = [block(self.inplanes, planes, stride, around, norm_layer=norm)]
            self.inplanes = outputs
            found += [block(outputs, planes, norm_layer=norm) for _ in range(1, blocks)]
            return nn.Sequential(*found)

        def forward(self, x):
            x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
            x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
            return self.fc(self.avgpool(x).flatten(1))

    blocks = {"BasicBlock": BasicBlock, "Bottleneck": Bottleneck}
    makers: dict[str, Callable] = {
        name: functools.partial(ResNet, blocks[block], layers)
        for name, (block, layers) in _RESNETS.items()
    }
    return [BasicBlock, Bottleneck, ResNet], makers


# -- VGG and AlexNet -----------------------------------------------------------------------------


def _vggs() -> tuple[list[type], dict[str, Callable]]:
    from torch import nn

    class VGG(nn.Module):
        """Stages of convolutions, and three linear layers."""

        def __init__(self, features, num_classes=_IMAGENET, init_weights=True, dropout=0.5):
            super().__init__()
            self.features = features
            self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
            hidden = [
                *(nn.Linear(512 * 7 * 7, 4096), nn.ReLU(True), nn.Dropout(dropout)),
                *(nn.Linear(4096, 4096), nn.ReLU(True), nn.Dropout(dropout)),
            ]
            self.classifier = nn.Sequential(*hidden, nn.Linear(4096, num_classes))
            if init_weights:
                _begin(self, 0.01)

        def forward(self, x):
            return self.classifier(self.avgpool(self.features(x)).flatten(1))

    def make(stages, normalized, **settings):
        layers: list[Any] = []
        channels = 3
        for width, count in zip((64, 128, 256, 512, 512), stages, strict=True):
            for _ in range(count):
                layers.append(nn.Conv2d(channels, width, 3, padding=1))
                layers += [nn.BatchNorm2d(width)] if normalized else []
                layers.append(nn.ReLU(True))
                channels = width
            layers.append(nn.MaxPool2d(2, 2))
        return VGG(nn.Sequential(*layers), **settings)

    makers: dict[str, Callable] = {}
    for depth, stages in _VGGS.items():
        makers[f"vgg{depth}"] = functools.partial(make, stages, False)
        makers[f"vgg{depth}_bn"] = functools.partial(make, stages, True)
    return [VGG], makers


def _alexnets() -> tuple[list[type], dict[str, Callable]]:
    from torch import nn

    class AlexNet(nn.Module):
        """Five convolutions (Krizhevsky, "One weird trick", 2014), and three linear layers."""

        def __init__(self, num_classes=_IMAGENET, dropout=0.5):
            super().__init__()
            self.features = nn.Sequential(
                *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(True), nn.MaxPool2d(3, 2)),
                *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(True), nn.MaxPool2d(3, 2)),
                *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(True)),
                *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(True)),
                *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(True), nn.MaxPool2d(3, 2)),
            )
            self.avgpool = nn.AdaptiveAvgPool2d((6, 6))
            self.classifier = nn.Sequential(
                *(nn.Dropout(dropout), nn.Linear(256 * 6 * 6, 4096), nn.ReLU(True)),
                *(nn.Dropout(dropout), nn.Linear(4096, 4096), nn.ReLU(True)),
                nn.Linear(4096, num_classes),
            )

        def forward(self, x):
            return self.classifier(self.avgpool(self.features(x)).flatten(1))

    return [AlexNet], {"alexnet": AlexNet}


# -- MobileNet -----------------------------------------------------------------------------------


def _mobiles() -> tuple[list[type], dict[str, Callable]]:
    from torch import nn

    def convolution(inputs: int, outputs: int, window: int, stride: int = 1, groups: int = 1):
        made = nn.Conv2d(
            inputs, outputs, window, stride, padding=window // 2, groups=groups, bias=False
        )
        return nn.Sequential(made, nn.BatchNorm2d(outputs), nn.ReLU6(True))

    class InvertedResidual(nn.Module):
        """A wide block of depthwise convolution between narrow ends."""

        def __init__(self, inp, oup, stride, expand_ratio):
            super().__init__()
            width = round(inp * expand_ratio)
            layers = [convolution(inp, width, 1)] if expand_ratio != 1 else []
            layers.append(convolution(width, width, 3, stride, groups=width))
            layers += [nn.Conv2d(width, oup, 1, bias=False), nn.BatchNorm2d(oup)]
            self.conv = nn.Sequential(*layers)
            self.stride, self.use_res_connect = stride, stride == 1 and inp == oup

        def forward(self, x):
            return x + self.conv(x) if self.use_res_connect else self.conv(x)

    class MobileNetV2(nn.Module):
        """Stages of inverted residuals, the mean over all places, and a linear layer."""

        def __init__(self, num_classes=_IMAGENET, dropout=0.2):
            super().__init__()
            layers: list[Any] = [convolution(3, 32, 3, 2)]
            channels = 32
            for expansion, width, count, stride in _MOBILE:
                for place in range(count):
                    first = stride if place == 0 else 1
                    layers.append(InvertedResidual(channels, width, first, expansion))
                    channels = width
            layers.append(convolution(channels, 1280, 1))
            self.last_channel = 1280
            self.features = nn.Sequential(*layers)
            self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(1280, num_classes))
            _begin(self, 0.01)

        def forward(self, x):
            return self.classifier(self.features(x).mean((2, 3)))

    return [InvertedResidual, MobileNetV2], {"mobilenet_v2": MobileNetV2}
