"""PyTorch networks as people write them, with small sizes: what a port has to read.

Every network is a classifier, a regressor or an autoencoder in the manner of tutorials, model
collections and notebooks. `CASES` names them; `build()` of each gives the module and an example.
"""

# People name what they return, and write super() in both ways.
# ruff: noqa: RET504, RUF007, RUF046, UP008

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn as nn  # noqa: E402
import torch.nn.functional as F  # noqa: E402


def unsettle(module: nn.Module) -> nn.Module:
    """Give every normalization statistics, scale and offset that are far from 0 and 1."""
    norms = (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm)
    for part in module.modules():
        if isinstance(part, norms):
            if part.weight is not None:
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.normal_(part.bias, 0.0, 0.3)
            if getattr(part, "running_mean", None) is not None:
                nn.init.normal_(part.running_mean, 0.0, 0.3)
                nn.init.uniform_(part.running_var, 0.5, 2.0)
    return module


# -- 1: the first network of every tutorial: functions, no layers for activations ---------------


class DigitNet(nn.Module):
    """Bytes in, log-probabilities out; scaling and standardisation inside the network."""

    def __init__(self, mean=0.1307, std=0.3081):
        super(DigitNet, self).__init__()
        self.conv1 = nn.Conv2d(1, 4, kernel_size=5)
        self.conv2 = nn.Conv2d(4, 6, kernel_size=3)
        self.conv2_drop = nn.Dropout2d()
        self.fc1 = nn.Linear(6 * 3 * 2, 12)
        self.fc2 = nn.Linear(12, 10)
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        x = x.float() / 255
        x = (x - self.mean) / self.std
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.max_pool2d(self.conv2_drop(self.conv2(x)), 2)
        x = F.relu_(x)
        x = x.view(-1, 36)
        x = F.relu(self.fc1(x))
        x = F.dropout(x, training=self.training)
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)


def digit_net():
    return DigitNet(), torch.randint(0, 256, (3, 1, 20, 16), dtype=torch.uint8)


# -- 2: residual network with downsample ----------------------------------------------------------


def conv3x3(in_planes, out_planes, stride=1):
    return nn.Conv2d(in_planes, out_planes, 3, stride=stride, padding=1, bias=False)


class BasicBlock(nn.Module):
    expansion = 1

    def __init__(self, inplanes, planes, stride=1, downsample=None):
        super(BasicBlock, self).__init__()
        self.conv1 = conv3x3(inplanes, planes, stride)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = conv3x3(planes, planes)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample
        self.stride = stride

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        out = self.relu(out)
        return out


class ResNet(nn.Module):
    def __init__(self, block, layers, num_classes=5):
        super(ResNet, self).__init__()
        self.inplanes = 4
        self.conv1 = nn.Conv2d(3, 4, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = self._make_layer(block, 4, layers[0])
        self.layer2 = self._make_layer(block, 6, layers[1], stride=2)
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(6 * block.expansion, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")

    def _make_layer(self, block, planes, blocks, stride=1):
        downsample = None
        if stride != 1 or self.inplanes != planes * block.expansion:
            downsample = nn.Sequential(
                nn.Conv2d(self.inplanes, planes * block.expansion, 1, stride=stride, bias=False),
                nn.BatchNorm2d(planes * block.expansion),
            )
        layers = [block(self.inplanes, planes, stride, downsample)]
        self.inplanes = planes * block.expansion
        for _ in range(1, blocks):
            layers.append(block(self.inplanes, planes))
        return nn.Sequential(*layers)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer1(x)
        x = self.layer2(x)
        x = self.avgpool(x)
        x = torch.flatten(x, 1)
        return self.fc(x)


def resnet():
    return ResNet(BasicBlock, [1, 2]), torch.randn(3, 3, 23, 18)


# -- 3: inverted residuals, squeeze and excitation ------------------------------------------------


class ConvBNReLU(nn.Sequential):
    def __init__(self, in_planes, out_planes, kernel_size=3, stride=1, groups=1):
        padding = (kernel_size - 1) // 2
        super(ConvBNReLU, self).__init__(
            nn.Conv2d(
                in_planes, out_planes, kernel_size, stride, padding, groups=groups, bias=False
            ),
            nn.BatchNorm2d(out_planes, eps=1e-3, momentum=0.01),
            nn.ReLU6(inplace=True),
        )


class SELayer(nn.Module):
    def __init__(self, channel, reduction=4):
        super(SELayer, self).__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(channel, channel // reduction, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channel // reduction, channel, bias=False),
            nn.Hardsigmoid(),
        )

    def forward(self, x):
        b, c, _, _ = x.size()
        y = self.avg_pool(x).view(b, c)
        y = self.fc(y).view(b, c, 1, 1)
        return x * y.expand_as(x)


class InvertedResidual(nn.Module):
    def __init__(self, inp, oup, stride, expand_ratio, use_se=False):
        super(InvertedResidual, self).__init__()
        hidden_dim = int(round(inp * expand_ratio))
        self.use_res_connect = stride == 1 and inp == oup
        layers = []
        if expand_ratio != 1:
            layers.append(ConvBNReLU(inp, hidden_dim, kernel_size=1))
        layers.append(ConvBNReLU(hidden_dim, hidden_dim, stride=stride, groups=hidden_dim))
        layers.append(SELayer(hidden_dim) if use_se else nn.Identity())
        layers.extend([nn.Conv2d(hidden_dim, oup, 1, 1, 0, bias=False), nn.BatchNorm2d(oup)])
        self.conv = nn.Sequential(*layers)

    def forward(self, x):
        if self.use_res_connect:
            return x + self.conv(x)
        return self.conv(x)


class MobileNet(nn.Module):
    # t, c, n, s, se
    settings = ((1, 4, 1, 1, False), (2, 6, 2, 2, True))

    def __init__(self, num_classes=4, dropout=0.2):
        super(MobileNet, self).__init__()
        input_channel = 4
        features = [ConvBNReLU(3, input_channel, stride=2)]
        for t, c, n, s, se in self.settings:
            for i in range(n):
                stride = s if i == 0 else 1
                features.append(InvertedResidual(input_channel, c, stride, t, se))
                input_channel = c
        features.append(ConvBNReLU(input_channel, 8, kernel_size=1))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(8, 8), nn.Hardswish(), nn.Linear(8, num_classes)
        )

    def forward(self, x):
        x = self.features(x)
        x = x.mean([2, 3])
        x = self.classifier(x)
        return x


def mobilenet():
    return MobileNet(), torch.randn(3, 3, 16, 14)


# -- 4: channel shuffle ---------------------------------------------------------------------------


def channel_shuffle(x, groups):
    batchsize, num_channels, height, width = x.size()
    channels_per_group = num_channels // groups
    x = x.view(batchsize, groups, channels_per_group, height, width)
    x = torch.transpose(x, 1, 2).contiguous()
    x = x.view(batchsize, -1, height, width)
    return x


class ShuffleUnit(nn.Module):
    def __init__(self, inp, oup, stride):
        super().__init__()
        self.stride = stride
        branch = oup // 2
        if stride > 1:
            self.branch1 = nn.Sequential(
                nn.Conv2d(inp, inp, 3, stride, 1, groups=inp, bias=False),
                nn.BatchNorm2d(inp),
                nn.Conv2d(inp, branch, 1, bias=False),
                nn.BatchNorm2d(branch),
                nn.ReLU(inplace=True),
            )
        else:
            self.branch1 = nn.Sequential()
        self.branch2 = nn.Sequential(
            nn.Conv2d(inp if stride > 1 else branch, branch, 1, bias=False),
            nn.BatchNorm2d(branch),
            nn.ReLU(inplace=True),
            nn.Conv2d(branch, branch, 3, stride, 1, groups=branch, bias=False),
            nn.BatchNorm2d(branch),
            nn.Conv2d(branch, branch, 1, bias=False),
            nn.BatchNorm2d(branch),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        if self.stride == 1:
            x1, x2 = x.chunk(2, dim=1)
            out = torch.cat((x1, self.branch2(x2)), dim=1)
        else:
            out = torch.cat((self.branch1(x), self.branch2(x)), dim=1)
        return channel_shuffle(out, 2)


class ShuffleNet(nn.Module):
    def __init__(self, num_classes=3):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.ReLU6())
        self.stages = nn.ModuleList([ShuffleUnit(4, 8, 2), ShuffleUnit(8, 8, 1)])
        self.conv5 = nn.Conv2d(8, 10, 1)
        self.fc = nn.Linear(10, num_classes)

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        x = F.leaky_relu(self.conv5(x), 0.1)
        x = F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)
        return self.fc(x)


def shufflenet():
    return ShuffleNet(), torch.randn(3, 3, 14, 12)


# -- 5: dense blocks ------------------------------------------------------------------------------


class DenseLayer(nn.Module):
    def __init__(self, num_input_features, growth_rate, bn_size, drop_rate):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(num_input_features)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(num_input_features, bn_size * growth_rate, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bn_size * growth_rate)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bn_size * growth_rate, growth_rate, 3, padding=1, bias=False)
        self.drop_rate = float(drop_rate)

    def forward(self, inputs):
        x = torch.cat(inputs, 1)
        x = self.conv1(self.relu1(self.norm1(x)))
        x = self.conv2(self.relu2(self.norm2(x)))
        if self.drop_rate > 0:
            x = F.dropout(x, p=self.drop_rate, training=self.training)
        return x


class DenseBlock(nn.ModuleDict):
    def __init__(self, num_layers, num_input_features, growth_rate, bn_size=2, drop_rate=0.1):
        super().__init__()
        for i in range(num_layers):
            layer = DenseLayer(
                num_input_features + i * growth_rate, growth_rate, bn_size, drop_rate
            )
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, init_features):
        features = [init_features]
        for _, layer in self.items():
            features.append(layer(features))
        return torch.cat(features, 1)


class Transition(nn.Sequential):
    def __init__(self, num_input_features, num_output_features):
        super().__init__()
        self.add_module("norm", nn.BatchNorm2d(num_input_features))
        self.add_module("relu", nn.ReLU(inplace=True))
        self.add_module("conv", nn.Conv2d(num_input_features, num_output_features, 1, bias=False))
        self.add_module("pool", nn.AvgPool2d(kernel_size=2, stride=2))


class DenseNet(nn.Module):
    def __init__(self, growth_rate=3, num_init_features=4, num_classes=6):
        super().__init__()
        self.features = nn.Sequential(
            OrderedDict(
                [
                    ("conv0", nn.Conv2d(3, num_init_features, 3, padding=1, bias=False)),
                    ("norm0", nn.BatchNorm2d(num_init_features)),
                    ("relu0", nn.ReLU(inplace=True)),
                    ("pool0", nn.MaxPool2d(kernel_size=3, stride=2, padding=1)),
                ]
            )
        )
        n = num_init_features
        for i, num_layers in enumerate((2, 2)):
            self.features.add_module(f"denseblock{i + 1}", DenseBlock(num_layers, n, growth_rate))
            n = n + num_layers * growth_rate
            if i == 0:
                self.features.add_module(f"transition{i + 1}", Transition(n, n // 2))
                n = n // 2
        self.features.add_module("norm5", nn.BatchNorm2d(n))
        self.classifier = nn.Linear(n, num_classes)

    def forward(self, x):
        features = self.features(x)
        out = F.relu(features, inplace=True)
        out = F.adaptive_avg_pool2d(out, (1, 1))
        out = torch.flatten(out, 1)
        out = self.classifier(out)
        return out


def densenet():
    return DenseNet(), torch.randn(3, 3, 17, 13)


# -- 6: U-Net, in both of its usual kinds, with sizes that do not halve evenly ---------------------


class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels, mid_channels=None):
        super().__init__()
        if not mid_channels:
            mid_channels = out_channels
        self.double_conv = nn.Sequential(
            nn.Conv2d(in_channels, mid_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(mid_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(mid_channels, out_channels, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.double_conv(x)


class Up(nn.Module):
    def __init__(self, in_channels, out_channels, bilinear=True):
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = DoubleConv(in_channels, out_channels, in_channels // 2)
        else:
            self.up = nn.ConvTranspose2d(in_channels, in_channels // 2, kernel_size=2, stride=2)
            self.conv = DoubleConv(in_channels, out_channels)

    def forward(self, x1, x2):
        x1 = self.up(x1)
        diff_y = x2.size()[2] - x1.size()[2]
        diff_x = x2.size()[3] - x1.size()[3]
        x1 = F.pad(x1, [diff_x // 2, diff_x - diff_x // 2, diff_y // 2, diff_y - diff_y // 2])
        x = torch.cat([x2, x1], dim=1)
        return self.conv(x)


class UNet(nn.Module):
    def __init__(self, n_channels=2, n_classes=1, bilinear=False):
        super().__init__()
        factor = 2 if bilinear else 1
        self.inc = DoubleConv(n_channels, 4)
        self.down1 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(4, 8))
        self.down2 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(8, 16 // factor))
        self.up1 = Up(16, 8 // factor, bilinear)
        self.up2 = Up(8, 4, bilinear)
        self.outc = nn.Conv2d(4, n_classes, kernel_size=1)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        x = self.up1(x3, x2)
        x = self.up2(x, x1)
        logits = self.outc(x)
        return logits


def unet(bilinear=False):
    return UNet(bilinear=bilinear), torch.randn(2, 2, 15, 11)


class FPN(nn.Module):
    """A feature pyramid: coarse maps enlarged to the next finer one, and added."""

    def __init__(self, n_classes=3):
        super().__init__()
        self.enc = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in ((3, 4), (4, 6), (6, 8))
        )
        self.lateral = nn.ModuleList([nn.Conv2d(c, 5, 1) for c in (4, 6, 8)])
        self.smooth = nn.Conv2d(5, 5, 3, padding=1)
        self.head = nn.Conv2d(5, n_classes, 1)

    def _upsample_add(self, x, y):
        _, _, h, w = y.size()
        return F.interpolate(x, size=(h, w), mode="bilinear", align_corners=False) + y

    def forward(self, x):
        size = x.shape[-2:]
        maps = []
        for conv in self.enc:
            x = F.elu(conv(x))
            maps.append(x)
        p = self.lateral[-1](maps[-1])
        for lateral, c in zip(reversed(self.lateral[:-1]), reversed(maps[:-1]), strict=True):
            p = self._upsample_add(p, lateral(c))
        p = self.head(self.smooth(p))
        return F.interpolate(p, size=size, mode="nearest")


def fpn():
    return FPN(), torch.randn(2, 3, 18, 13)


# -- 7: convolutions over the words of a sentence --------------------------------------------------


class TextCNN(nn.Module):
    def __init__(
        self, vocab_size=30, embed_dim=7, class_num=3, kernel_num=4, kernel_sizes=(2, 3, 4)
    ):
        super(TextCNN, self).__init__()
        self.embed = nn.Embedding(vocab_size, embed_dim, padding_idx=0)
        self.convs = nn.ModuleList([nn.Conv2d(1, kernel_num, (k, embed_dim)) for k in kernel_sizes])
        self.dropout = nn.Dropout(0.5)
        self.fc1 = nn.Linear(len(kernel_sizes) * kernel_num, class_num)

    def forward(self, x):
        x = self.embed(x)  # (N, W, D)
        x = x.unsqueeze(1)  # (N, 1, W, D)
        x = [F.relu(conv(x)).squeeze(3) for conv in self.convs]
        x = [F.max_pool1d(i, i.size(2)).squeeze(2) for i in x]
        x = torch.cat(x, 1)
        x = self.dropout(x)
        logit = self.fc1(x)
        return logit


def text_cnn():
    return TextCNN(), torch.randint(0, 30, (4, 11))


class TextCNN1d(nn.Module):
    """The other way to write it: Conv1d behind a permute, the maximum by a tensor method."""

    def __init__(self, n_vocab=30, embed=6, filters=(3, 4), k=5, n_out=2):
        super().__init__()
        self.embedding = nn.Embedding(n_vocab, embed)
        self.convs = nn.ModuleList(nn.Conv1d(embed, k, kernel_size=fs) for fs in filters)
        self.fc = nn.Linear(len(filters) * k, n_out)

    def forward(self, text):
        embedded = self.embedding(text).permute(0, 2, 1)
        conved = [conv(embedded).relu() for conv in self.convs]
        pooled = [c.max(dim=2).values for c in conved]
        return self.fc(torch.cat(pooled, dim=-1))


def text_cnn_1d():
    return TextCNN1d(), torch.randint(0, 30, (4, 9))


# -- 8: dilated causal convolutions ---------------------------------------------------------------


class CausalConv1d(nn.Conv1d):
    def __init__(self, in_channels, out_channels, kernel_size, dilation=1, bias=True):
        self.left_padding = (kernel_size - 1) * dilation
        super(CausalConv1d, self).__init__(
            in_channels, out_channels, kernel_size, dilation=dilation, bias=bias
        )

    def forward(self, x):
        return super(CausalConv1d, self).forward(F.pad(x, (self.left_padding, 0)))


class WaveNetBlock(nn.Module):
    def __init__(self, channels, skip_channels, dilation):
        super().__init__()
        self.conv = CausalConv1d(channels, 2 * channels, 2, dilation=dilation)
        self.res = nn.Conv1d(channels, channels, 1)
        self.skip = nn.Conv1d(channels, skip_channels, 1)

    def forward(self, x):
        a, b = self.conv(x).chunk(2, dim=1)
        z = torch.tanh(a) * torch.sigmoid(b)
        return x + self.res(z), self.skip(z)


class WaveNet(nn.Module):
    """The distribution of the next of `classes` levels at each of the times."""

    def __init__(self, classes=8, channels=6, skip_channels=5, layers=3, stacks=1):
        super().__init__()
        self.start = CausalConv1d(1, channels, 2)
        self.blocks = nn.ModuleList(
            WaveNetBlock(channels, skip_channels, 2**i)
            for _ in range(stacks)
            for i in range(layers)
        )
        self.end1 = nn.Conv1d(skip_channels, skip_channels, 1)
        self.end2 = nn.Conv1d(skip_channels, classes, 1)

    def forward(self, x):
        x = self.start(x)
        skips = 0
        for block in self.blocks:
            x, skip = block(x)
            skips = skips + skip
        return self.end2(F.relu(self.end1(F.relu(skips))))


def wavenet():
    return WaveNet(), torch.randn(3, 1, 16)


class Chomp1d(nn.Module):
    def __init__(self, chomp_size):
        super().__init__()
        self.chomp_size = chomp_size

    def forward(self, x):
        return x[:, :, : -self.chomp_size].contiguous()


class TemporalBlock(nn.Module):
    def __init__(self, n_inputs, n_outputs, kernel_size, dilation, dropout=0.2):
        super().__init__()
        padding = (kernel_size - 1) * dilation
        self.conv1 = nn.Conv1d(n_inputs, n_outputs, kernel_size, padding=padding, dilation=dilation)
        self.chomp1 = Chomp1d(padding)
        self.relu1 = nn.ReLU()
        self.dropout1 = nn.Dropout(dropout)
        self.net = nn.Sequential(self.conv1, self.chomp1, self.relu1, self.dropout1)
        self.downsample = nn.Conv1d(n_inputs, n_outputs, 1) if n_inputs != n_outputs else None
        self.relu = nn.ReLU()

    def forward(self, x):
        out = self.net(x)
        res = x if self.downsample is None else self.downsample(x)
        return self.relu(out + res)


class TCN(nn.Module):
    """Takes (N, time, features) and answers from the last time."""

    def __init__(self, input_size=3, output_size=2, num_channels=(4, 4, 5)):
        super().__init__()
        layers = []
        for i, channels in enumerate(num_channels):
            before = input_size if i == 0 else num_channels[i - 1]
            layers += [TemporalBlock(before, channels, 3, dilation=2**i)]
        self.tcn = nn.Sequential(*layers)
        self.linear = nn.Linear(num_channels[-1], output_size)

    def forward(self, x):
        y = self.tcn(x.transpose(1, 2))
        return self.linear(y[:, :, -1])


def tcn():
    return TCN(), torch.randn(3, 12, 3)


# -- 9: MLP-Mixer and ConvNeXt: patches, transposes, LayerNorm -------------------------------------


class DropPath(nn.Module):
    def __init__(self, drop_prob=0.0):
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x):
        if self.drop_prob == 0.0 or not self.training:
            return x
        keep_prob = 1 - self.drop_prob
        shape = (x.shape[0],) + (1,) * (x.ndim - 1)
        return x * x.new_empty(shape).bernoulli_(keep_prob).div_(keep_prob)


class Mlp(nn.Module):
    def __init__(self, in_features, hidden_features=None, act_layer=nn.GELU, drop=0.0):
        super().__init__()
        hidden_features = hidden_features or in_features
        self.fc1 = nn.Linear(in_features, hidden_features)
        self.act = act_layer()
        self.fc2 = nn.Linear(hidden_features, in_features)
        self.drop = nn.Dropout(drop)

    def forward(self, x):
        x = self.drop(self.act(self.fc1(x)))
        x = self.drop(self.fc2(x))
        return x


class MixerBlock(nn.Module):
    def __init__(self, dim, seq_len, mlp_ratio=(0.5, 2.0), drop=0.0, drop_path=0.0):
        super().__init__()
        tokens_dim, channels_dim = (int(r * dim) for r in mlp_ratio)
        norm_layer = partial(nn.LayerNorm, eps=1e-6)
        self.norm1 = norm_layer(dim)
        self.mlp_tokens = Mlp(seq_len, tokens_dim, drop=drop)
        self.drop_path = DropPath(drop_path) if drop_path > 0.0 else nn.Identity()
        self.norm2 = norm_layer(dim)
        self.mlp_channels = Mlp(dim, channels_dim, drop=drop)

    def forward(self, x):
        x = x + self.drop_path(self.mlp_tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2))
        x = x + self.drop_path(self.mlp_channels(self.norm2(x)))
        return x


class MlpMixer(nn.Module):
    def __init__(self, img_size=(12, 8), patch=4, dim=10, depth=2, num_classes=4, drop=0.1):
        super().__init__()
        num_patches = (img_size[0] // patch) * (img_size[1] // patch)
        self.stem = nn.Conv2d(3, dim, kernel_size=patch, stride=patch)
        self.blocks = nn.Sequential(
            *[MixerBlock(dim, num_patches, drop=drop) for _ in range(depth)]
        )
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.head = nn.Linear(dim, num_classes) if num_classes > 0 else nn.Identity()

    def forward(self, x):
        x = self.stem(x).flatten(2).transpose(1, 2)
        x = self.blocks(x)
        x = self.norm(x)
        x = x.mean(dim=1)
        return self.head(x)


def mlp_mixer():
    return MlpMixer(), torch.randn(3, 3, 12, 8)


class ConvNeXtBlock(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, kernel_size=7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1 = nn.Linear(dim, 4 * dim)
        self.act = nn.GELU()
        self.pwconv2 = nn.Linear(4 * dim, dim)

    def forward(self, x):
        shortcut = x
        x = self.dwconv(x)
        x = x.permute(0, 2, 3, 1)  # (N, C, H, W) -> (N, H, W, C)
        x = self.pwconv2(self.act(self.pwconv1(self.norm(x))))
        x = x.permute(0, 3, 1, 2)
        return shortcut + x


class ConvNeXt(nn.Module):
    def __init__(self, num_classes=3, dims=(4, 6)):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, dims[0], 2, 2), nn.GroupNorm(1, dims[0]))
        self.stages = nn.ModuleList()
        self.downs = nn.ModuleList()
        for i, d in enumerate(dims):
            self.downs.append(nn.Identity() if i == 0 else nn.Conv2d(dims[i - 1], d, 2, 2))
            self.stages.append(ConvNeXtBlock(d))
        self.norm = nn.LayerNorm(dims[-1])
        self.head = nn.Linear(dims[-1], num_classes)

    def forward_features(self, x):
        x = self.stem(x)
        for i in range(len(self.stages)):
            x = self.downs[i](x)
            x = self.stages[i](x)
        return self.norm(x.mean([-2, -1]))

    def forward(self, x):
        return self.head(self.forward_features(x))


def convnext():
    return ConvNeXt(), torch.randn(3, 3, 12, 16)


# -- 10: tables: several embeddings beside numbers -------------------------------------------------


class TabularModel(nn.Module):
    def __init__(self, emb_szs, n_cont, out_sz, layers, p=0.3, y_range=None):
        super().__init__()
        self.embeds = nn.ModuleList([nn.Embedding(ni, nf) for ni, nf in emb_szs])
        self.emb_drop = nn.Dropout(p)
        self.bn_cont = nn.BatchNorm1d(n_cont)
        self.y_range = y_range
        layer_list = []
        n_in = sum(nf for ni, nf in emb_szs) + n_cont
        for i in layers:
            layer_list.append(nn.Linear(n_in, i))
            layer_list.append(nn.ReLU(inplace=True))
            layer_list.append(nn.BatchNorm1d(i))
            layer_list.append(nn.Dropout(p))
            n_in = i
        layer_list.append(nn.Linear(layers[-1], out_sz))
        self.layers = nn.Sequential(*layer_list)

    def forward(self, x_cat, x_cont):
        embeddings = []
        for i, e in enumerate(self.embeds):
            embeddings.append(e(x_cat[:, i]))
        x = torch.cat(embeddings, 1)
        x = self.emb_drop(x)
        x_cont = self.bn_cont(x_cont)
        x = torch.cat([x, x_cont], 1)
        x = self.layers(x)
        if self.y_range is not None:
            low, high = self.y_range
            x = torch.sigmoid(x) * (high - low) + low
        return x


def tabular():
    module = TabularModel([(5, 3), (3, 2), (4, 2)], 6, 1, [10, 6], y_range=(-1.0, 5.5))
    x_cat = torch.stack([torch.randint(0, n, (5,)) for n in (5, 3, 4)], dim=1)
    return module, (x_cat, torch.randn(5, 6))


class NeuMF(nn.Module):
    """Recommendation: a product of factors beside a network, user and item as two columns."""

    def __init__(self, num_users=7, num_items=9, mf_dim=3, layers=(8, 4)):
        super(NeuMF, self).__init__()
        self.mf_user_embed = nn.Embedding(num_users, mf_dim)
        self.mf_item_embed = nn.Embedding(num_items, mf_dim)
        self.mlp_user_embed = nn.Embedding(num_users, layers[0] // 2)
        self.mlp_item_embed = nn.Embedding(num_items, layers[0] // 2)
        self.fc_layers = nn.ModuleList()
        for in_size, out_size in zip(layers[:-1], layers[1:], strict=True):
            self.fc_layers.append(nn.Linear(in_size, out_size))
        self.affine_output = nn.Linear(layers[-1] + mf_dim, 1)

    def forward(self, user_indices, item_indices):
        mlp = torch.cat(
            [self.mlp_user_embed(user_indices), self.mlp_item_embed(item_indices)], dim=-1
        )
        mf = torch.mul(self.mf_user_embed(user_indices), self.mf_item_embed(item_indices))
        for idx, _ in enumerate(range(len(self.fc_layers))):
            mlp = self.fc_layers[idx](mlp)
            mlp = nn.ReLU()(mlp)
        vector = torch.cat([mlp, mf], dim=-1)
        return torch.sigmoid(self.affine_output(vector)).view(-1)


def neumf():
    return NeuMF(), (torch.randint(0, 7, (6,)), torch.randint(0, 9, (6,)))


# -- 11: autoencoder -------------------------------------------------------------------------------


class AutoEncoder(nn.Module):
    def __init__(self, latent=5):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4, 6, 3, stride=2, padding=1),
            nn.BatchNorm2d(6, momentum=0.05),
            nn.LeakyReLU(0.2),
            nn.Flatten(start_dim=1),
            nn.Linear(6 * 4 * 3, latent),
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, 6 * 4 * 3),
            nn.ReLU(True),
            nn.Unflatten(dim=1, unflattened_size=(6, 4, 3)),
            nn.ConvTranspose2d(6, 4, 3, stride=2, padding=1, output_padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(True),
            nn.ConvTranspose2d(4, 1, 3, stride=2, padding=1, output_padding=1),
        )

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        return torch.sigmoid(self.decoder(z))

    def forward(self, x):
        return self.decode(self.encode(x))


def autoencoder():
    return AutoEncoder(), torch.rand(3, 1, 16, 12)


# -- 12: VGG from a list ---------------------------------------------------------------------------

VGG_CFG = [4, "M", 6, 6, "M", 8, "M"]


def make_layers(cfg, batch_norm=False):
    layers = []
    in_channels = 3
    for v in cfg:
        if v == "M":
            layers += [nn.MaxPool2d(kernel_size=2, stride=2)]
        else:
            conv2d = nn.Conv2d(in_channels, v, kernel_size=3, padding=1)
            if batch_norm:
                layers += [conv2d, nn.BatchNorm2d(v), nn.ReLU(inplace=True)]
            else:
                layers += [conv2d, nn.ReLU(inplace=True)]
            in_channels = v
    return nn.Sequential(*layers)


class VGG(nn.Module):
    def __init__(self, features, num_classes=7):
        super(VGG, self).__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((2, 3))
        self.classifier = nn.Sequential(
            nn.Linear(8 * 2 * 3, 10),
            nn.ReLU(True),
            nn.Dropout(),
            nn.Linear(10, 10),
            nn.ReLU(True),
            nn.Dropout(p=0.4),
            nn.Linear(10, num_classes),
        )

    def forward(self, x):
        x = self.features(x)
        x = self.avgpool(x)
        x = x.view(x.size(0), -1)
        x = self.classifier(x)
        return x


def vgg():
    return VGG(make_layers(VGG_CFG, batch_norm=True)), torch.randn(3, 3, 33, 25)


# -- 13: one network, two images -------------------------------------------------------------------


class SiameseNetwork(nn.Module):
    def __init__(self):
        super(SiameseNetwork, self).__init__()
        self.cnn1 = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(1, 3, kernel_size=3),
            nn.ReLU(inplace=True),
            nn.BatchNorm2d(3),
            nn.Conv2d(3, 4, kernel_size=3, stride=3),
            nn.ReLU(inplace=True),
        )
        self.fc1 = nn.Sequential(nn.Linear(4 * 3 * 4, 8), nn.Sigmoid())
        self.out = nn.Linear(8, 1)

    def num_flat_features(self, x):
        size = x.size()[1:]
        num_features = 1
        for s in size:
            num_features *= s
        return num_features

    def forward_once(self, x):
        output = self.cnn1(x)
        output = output.view(output.size()[0], self.num_flat_features(output))
        output = self.fc1(output)
        return output

    def forward(self, input1, input2):
        output1 = self.forward_once(input1)
        output2 = self.forward_once(input2)
        distance = torch.abs(output1 - output2)
        return self.out(distance)


def siamese():
    return SiameseNetwork(), (torch.randn(4, 1, 11, 12), torch.randn(4, 1, 11, 12))


# -- 14: a radiance field: harmonics, skip connections, two outputs --------------------------------


class Embedder(nn.Module):
    def __init__(self, num_freqs):
        super().__init__()
        self.register_buffer("freqs", 2.0 ** torch.arange(num_freqs))

    def forward(self, x):
        angles = torch.einsum("ni,f->nif", x, self.freqs).reshape(x.shape[0], -1)
        return torch.cat([x, torch.sin(angles), angles.cos()], dim=-1)


class NeRF(nn.Module):
    def __init__(self, D=4, W=8, num_freqs=3, skips=(2,)):
        super(NeRF, self).__init__()
        self.D = D
        self.skips = skips
        self.embed = Embedder(num_freqs)
        in_ch = 3 + 3 * 2 * num_freqs
        self.pts_linears = nn.ModuleList(
            [nn.Linear(in_ch, W)]
            + [nn.Linear(W + in_ch if i in skips else W, W) for i in range(1, D)]
        )
        self.heads = nn.ModuleDict({"alpha": nn.Linear(W, 1), "rgb": nn.Linear(W + 3, 3)})

    def forward(self, x):
        pts, views = torch.split(x, [3, 3], dim=-1)
        h = pts = self.embed(pts)
        for i, _ in enumerate(self.pts_linears):
            if i in self.skips:
                h = torch.cat([pts, h], -1)
            h = self.pts_linears[i](h)
            h = F.relu(h)
        alpha = F.softplus(self.heads["alpha"](h))
        rgb = torch.sigmoid(self.heads["rgb"](torch.cat([h, views], -1)))
        return rgb, alpha


def nerf():
    return NeRF(), torch.randn(5, 6)


# -- 15: a set of points: shared layers, the largest over the points, a learned rotation -----------


class TNet(nn.Module):
    def __init__(self, k=3):
        super().__init__()
        self.k = k
        self.conv1 = nn.Conv1d(k, 6, 1)
        self.bn1 = nn.BatchNorm1d(6)
        self.fc1 = nn.Linear(6, 5)
        self.bn2 = nn.BatchNorm1d(5)
        self.fc2 = nn.Linear(5, k * k)
        self.register_buffer("eye", torch.eye(k).flatten())

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = torch.max(x, 2, keepdim=True)[0]
        x = x.view(-1, 6)
        x = F.relu(self.bn2(self.fc1(x)))
        x = self.fc2(x) + self.eye
        return x.view(-1, self.k, self.k)


class PointNet(nn.Module):
    def __init__(self, num_classes=4):
        super().__init__()
        self.stn = TNet(3)
        self.conv1 = nn.Conv1d(3, 6, 1)
        self.conv2 = nn.Conv1d(6, 8, 1)
        self.bn1 = nn.BatchNorm1d(6)
        self.bn2 = nn.BatchNorm1d(8)
        self.fc = nn.Linear(8, num_classes)

    def forward(self, x):
        trans = self.stn(x)
        x = x.transpose(2, 1)
        x = torch.bmm(x, trans)
        x = x.transpose(2, 1)
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.bn2(self.conv2(x))
        x = torch.max(x, 2)[0]
        return self.fc(x)


def pointnet():
    return PointNet(), torch.randn(4, 3, 10)


# -- 16: parallel branches, two tasks --------------------------------------------------------------


class Inception(nn.Module):
    def __init__(self, in_channels, pool_features):
        super().__init__()
        self.branches = nn.ModuleDict(
            {
                "1x1": nn.Conv2d(in_channels, 3, 1),
                "3x3": nn.Sequential(nn.Conv2d(in_channels, 2, 1), nn.Conv2d(2, 4, 3, padding=1)),
                "1x5": nn.Conv2d(in_channels, 2, (1, 5), padding=(0, 2)),
            }
        )
        self.branch_pool = nn.Conv2d(in_channels, pool_features, 1)

    def forward(self, x):
        outputs = [branch(x) for branch in self.branches.values()]
        pooled = F.avg_pool2d(x, kernel_size=3, stride=1, padding=1)
        outputs.append(self.branch_pool(pooled))
        return torch.cat(outputs, 1).relu_()


class FaceNet(nn.Module):
    """Age and group of a face from the standardised image."""

    def __init__(self, normalize=True, groups=3):
        super().__init__()
        self.normalize = normalize
        if normalize:
            self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
            self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.backbone = nn.Sequential(Inception(3, 2), nn.MaxPool2d(2, ceil_mode=True))
        self.mixed = Inception(11, 3)
        self.age = nn.Sequential(nn.Linear(12 * 2, 6), nn.PReLU(), nn.Linear(6, 1))
        self.group = nn.Linear(12 * 2, groups)

    def forward(self, x):
        if self.normalize:
            x = (x - self.mean) / self.std
        x = self.mixed(self.backbone(x))
        avg = x.mean(dim=(-2, -1))
        peak = torch.amax(x, dim=(2, 3))
        x = torch.cat((avg, peak), dim=1)
        return self.age(x).squeeze(1), self.group(x)


def facenet():
    return FaceNet(), torch.rand(3, 3, 9, 12)


# -- what to train them with -----------------------------------------------------------------------


@dataclass
class Case:
    build: Callable[[], tuple[nn.Module, Any]]
    loss: Any
    optimizer: Callable[[Any], torch.optim.Optimizer]
    target: Callable[[np.random.Generator, int], Any]  # (generator, N) -> what `fit` takes


def classes(n_classes, *shape):
    return lambda rng, n: rng.integers(0, n_classes, (n, *shape))


def one_hot(n_classes):
    return lambda rng, n: np.eye(n_classes, dtype=np.float32)[rng.integers(0, n_classes, n)]


def numbers(*shape):
    return lambda rng, n: rng.random((n, *shape), dtype=np.float32)


def bits(*shape):
    return lambda rng, n: rng.integers(0, 2, (n, *shape)).astype(np.float32)


adam = partial(torch.optim.Adam, lr=1e-3)
adamw = partial(torch.optim.AdamW, lr=3e-3, weight_decay=0.05)
sgd = partial(torch.optim.SGD, lr=0.01)
momentum = partial(torch.optim.SGD, lr=0.02, momentum=0.9, weight_decay=1e-4)
nesterov = partial(torch.optim.SGD, lr=0.02, momentum=0.9, nesterov=True)
rmsprop = partial(torch.optim.RMSprop, lr=1e-3, alpha=0.9, eps=0.0316, momentum=0.9)

CASES = {
    "digit_net": Case(digit_net, nn.NLLLoss(), sgd, classes(10)),
    "resnet": Case(resnet, nn.CrossEntropyLoss(), momentum, classes(5)),
    # Keras smooths rows of probabilities only: its targets are no class numbers any more
    "mobilenet": Case(mobilenet, nn.CrossEntropyLoss(label_smoothing=0.1), rmsprop, one_hot(4)),
    "shufflenet": Case(shufflenet, nn.CrossEntropyLoss(), nesterov, classes(3)),
    "densenet": Case(densenet, nn.CrossEntropyLoss(), adam, classes(6)),
    "unet": Case(unet, nn.BCEWithLogitsLoss(), adam, bits(15, 11, 1)),
    "unet_bilinear": Case(partial(unet, True), nn.BCEWithLogitsLoss(), adam, bits(15, 11, 1)),
    "fpn": Case(fpn, nn.CrossEntropyLoss(), sgd, classes(3, 18, 13)),
    "text_cnn": Case(text_cnn, nn.CrossEntropyLoss(), adam, classes(3)),
    "text_cnn_1d": Case(text_cnn_1d, nn.CrossEntropyLoss(), adamw, classes(2)),
    "wavenet": Case(wavenet, nn.CrossEntropyLoss(), adam, classes(8, 16)),
    "tcn": Case(tcn, nn.SmoothL1Loss(), adam, numbers(2)),
    "mlp_mixer": Case(mlp_mixer, nn.CrossEntropyLoss(), adamw, classes(4)),
    "convnext": Case(convnext, nn.CrossEntropyLoss(), adamw, classes(3)),
    "tabular": Case(tabular, nn.MSELoss(), adam, numbers(1)),
    "neumf": Case(neumf, nn.BCELoss(), adam, bits()),
    "autoencoder": Case(autoencoder, nn.MSELoss(), adam, numbers(16, 12, 1)),
    "vgg": Case(vgg, nn.CrossEntropyLoss(), momentum, classes(7)),
    "siamese": Case(siamese, nn.BCEWithLogitsLoss(), adam, bits(1)),
    "nerf": Case(
        nerf,
        [nn.MSELoss(), nn.L1Loss()],
        adam,
        lambda rng, n: [numbers(3)(rng, n), numbers(1)(rng, n)],
    ),
    "pointnet": Case(pointnet, nn.CrossEntropyLoss(), adam, classes(4)),
    "facenet": Case(
        facenet,
        [nn.L1Loss(), nn.CrossEntropyLoss()],
        adam,
        lambda rng, n: [numbers()(rng, n), classes(3)(rng, n)],
    ),
}


def build(name: str) -> tuple[nn.Module, Any]:
    """The module of that name, in evaluation mode, and its example; the same every time."""
    torch.manual_seed(sum(map(ord, name)))
    module, example = CASES[name].build()
    return unsettle(module).eval(), example


def another_batch(example: Any) -> Any:
    """Inputs of the same kind as the example's, one more of them."""
    if isinstance(example, tuple):
        return tuple(map(another_batch, example))
    again = torch.cat([example.flip(0), example[:1]])
    return again.roll(1, 0) * 0.8 + 0.1 if again.is_floating_point() else again.roll(1, 0)
