"""PyTorch modules as people write them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

IMAGE = torch.zeros(2, 4, 8, 8)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 2 * 2, 20)
        self.fc2 = nn.Linear(20, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, self.num_flat_features(x))
        x = F.relu(self.fc1(x))
        return self.fc2(x)

    def num_flat_features(self, x):
        size = x.size()[1:]
        num_features = 1
        for s in size:
            num_features *= s
        return num_features


class BasicBlock(nn.Module):
    def __init__(self, inplanes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = None
        if stride != 1 or inplanes != planes:
            self.downsample = nn.Sequential(
                nn.Conv2d(inplanes, planes, 1, stride, bias=False), nn.BatchNorm2d(planes)
            )

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 4, 7, 2, 3, bias=False),
            nn.BatchNorm2d(4),
            nn.ReLU(True),
            nn.MaxPool2d(3, 2, 1),
        )
        self.layer1 = nn.Sequential(BasicBlock(4, 4), BasicBlock(4, 4))
        self.layer2 = nn.Sequential(BasicBlock(4, 6, 2), BasicBlock(6, 6))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        x = self.layer2(self.layer1(self.stem(x)))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class PreActivation(nn.Module):
    """ReLU in place of what the shortcut uses too: the shortcut sees what ReLU leaves."""

    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        x = self.bn(x)
        return self.conv(self.relu(x)) + x


class DoubleConv(nn.Sequential):
    def __init__(self, before, after):
        super().__init__(
            nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
        )


class UNet(nn.Module):
    def __init__(self, bilinear):
        super().__init__()
        self.down = nn.ModuleList([DoubleConv(3, 4), DoubleConv(4, 6)])
        self.pool = nn.MaxPool2d(2)
        self.middle = DoubleConv(6, 8)
        self.up = nn.ModuleList()
        for before, after in ((8, 6), (6, 4)):
            if bilinear:
                up = nn.Sequential(
                    nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                    nn.Conv2d(before, after, 1),
                )
            else:
                up = nn.ConvTranspose2d(before, after, 2, stride=2)
            self.up.append(nn.ModuleDict({"up": up, "conv": DoubleConv(2 * after, after)}))
        self.out = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
            x = self.pool(x)
        x = self.middle(x)
        for block, skip in zip(self.up, reversed(skips), strict=True):
            x = block["up"](x)
            dy, dx = skip.size(2) - x.size(2), skip.size(3) - x.size(3)
            x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
            x = block["conv"](torch.cat([skip, x], dim=1))
        return self.out(x)


class InvertedResidual(nn.Module):
    def __init__(self, before, after, stride, expand):
        super().__init__()
        hidden = before * expand
        self.use_res_connect = stride == 1 and before == after
        self.conv = nn.Sequential(
            nn.Conv2d(before, hidden, 1, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, after, 1, bias=False),
            nn.BatchNorm2d(after),
        )

    def forward(self, x):
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(InvertedResidual(3, 4, 2, 2), InvertedResidual(4, 4, 1, 3))
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(4, 5))

    def forward(self, x):
        return self.classifier(self.features(x).mean([2, 3]))


class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.branch1 = nn.Conv2d(3, 4, 1)
        self.branch5 = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Conv2d(2, 4, 5, padding=2))
        self.branch_pool = nn.Conv2d(3, 2, 1)

    def forward(self, x):
        pooled = F.avg_pool2d(x, kernel_size=3, stride=1, padding=1)
        outputs = [self.branch1(x), self.branch5(x), self.branch_pool(pooled)]
        return F.relu(torch.cat(outputs, 1), inplace=True)


class DenseBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(3 + 2 * n), nn.ReLU(True), nn.Conv2d(3 + 2 * n, 2, 3, padding=1)
            )
            for n in range(3)
        )
        self.norm = nn.BatchNorm2d(9)
        self.classifier = nn.Linear(9, 4)

    def forward(self, x):
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        x = F.relu(self.norm(torch.cat(features, 1)), inplace=True)
        x = F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)
        return self.classifier(x)


class Waves(nn.Module):
    """A 1-D convolutional network."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(2, 4, 5, stride=2, padding=1)
        self.conv2 = nn.Conv1d(4, 8, 3, dilation=2, groups=4)
        self.pool = nn.MaxPool1d(3, ceil_mode=True)
        self.fc = nn.Linear(8 * 2, 3)

    def forward(self, x):
        x = torch.tanh(self.conv1(x))
        x = self.pool(F.leaky_relu(self.conv2(x)))
        return F.log_softmax(self.fc(x.flatten(start_dim=1)), dim=-1)


class TextAndFeatures(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 4, padding_idx=0)
        self.fc = nn.Linear(4 + 3, 2)

    def forward(self, text, features):
        pooled = self.embedding(text).mean(dim=1)
        return self.fc(torch.cat((pooled, features), dim=1))


class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
        self.head = nn.Linear(3, 1)

    def forward(self, a, b):
        return torch.sigmoid(self.head(torch.abs(self.encoder(a) - self.encoder(b))))


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ELU(), nn.Flatten(), nn.Linear(64, 6)
        )
        self.decoder = nn.Sequential(
            nn.Linear(6, 64),
            nn.Unflatten(1, (4, 4, 4)),
            nn.ConvTranspose2d(4, 1, 3, stride=2, padding=1, output_padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


class ShuffleUnit(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1, groups=3)
        self.groups = 2

    def forward(self, x):
        x1, x2 = x.chunk(2, dim=1)
        x = torch.cat((x1, self.conv(x2)), dim=1)
        b, c, h, w = x.size()
        x = x.view(b, self.groups, c // self.groups, h, w)
        x = torch.transpose(x, 1, 2).contiguous()
        return x.view(b, -1, h, w)


class SqueezeExcite(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 6, 3, stride=2, padding=1, bias=False)
        self.fc1, self.fc2 = nn.Linear(6, 3), nn.Linear(3, 6)

    def forward(self, x):
        x = F.hardswish(self.conv(x))
        n, c = x.shape[:2]
        y = F.adaptive_avg_pool2d(x, 1).view(n, c)
        y = torch.sigmoid(self.fc2(F.silu(self.fc1(y)))).view(n, c, 1, 1)
        return x * y.expand_as(x)


class ByHand(nn.Module):
    """Weights without layers, as in a first tutorial."""

    def __init__(self):
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(6, 5))
        self.b1 = nn.Parameter(torch.randn(5))
        self.w2 = nn.Parameter(torch.randn(3, 5))
        self.register_buffer("mean", torch.randn(6))
        self.register_buffer("std", torch.rand(6) + 0.5)

    def forward(self, x):
        x = (x - self.mean) / self.std
        return F.linear((x @ self.w1 + self.b1).clamp(min=0), self.w2)


class Recurrent(nn.Module):
    """The same layer applied in a loop."""

    def __init__(self):
        super().__init__()
        self.first, self.cell = nn.Linear(4, 4), nn.Linear(8, 4)

    def forward(self, x):
        state = torch.tanh(self.first(x[:, 0]))
        for step in range(1, x.size(1)):
            state = torch.tanh(self.cell(torch.cat([x[:, step], state], dim=-1)))
        return state


class LastChannels(nn.Module):
    """A block that normalizes over the last axis, as ConvNeXt does."""

    def __init__(self):
        super().__init__()
        self.dwconv = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.norm = nn.LayerNorm(4, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(4, 8), nn.Linear(8, 4)

    def forward(self, x):
        shortcut = x
        x = self.dwconv(x).permute(0, 2, 3, 1)
        x = self.pwconv2(F.gelu(self.pwconv1(self.norm(x))))
        return shortcut + x.permute(0, 3, 1, 2)


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)
        self.policy, self.value = nn.Linear(8, 3), nn.Linear(8, 1)

    def forward(self, x):
        x = F.relu(self.body(x))
        return {"policy": F.softmax(self.policy(x), dim=1), "value": self.value(x).squeeze(1)}


class OptionA(nn.Module):
    """The shortcut without weights of the first residual networks."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, 2, 1)

    def forward(self, x):
        y = F.avg_pool2d(x, 1, 2)
        zeros = torch.zeros(y.size(0), 2, y.size(2), y.size(3))
        padded = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 1, 1))
        return F.relu(self.conv(x) + torch.cat([y, zeros], 1) + padded)


NETWORKS = {
    "lenet": (LeNet, (torch.zeros(1, 1, 16, 16),)),
    "resnet": (ResNet, (torch.zeros(2, 3, 16, 16),)),
    "preactivation": (PreActivation, (IMAGE,)),
    "unet": (lambda: UNet(False), (torch.zeros(2, 3, 8, 8),)),
    "unet_bilinear": (lambda: UNet(True), (torch.zeros(2, 3, 8, 8),)),
    "mobilenet": (MobileNet, (torch.zeros(2, 3, 8, 8),)),
    "inception": (Inception, (torch.zeros(2, 3, 6, 6),)),
    "densenet": (DenseBlock, (torch.zeros(2, 3, 6, 6),)),
    "waves": (Waves, (torch.zeros(4, 2, 20),)),
    "text": (TextAndFeatures, (torch.zeros(2, 5, dtype=torch.long), torch.zeros(2, 3))),
    "siamese": (Siamese, (torch.zeros(2, 5), torch.zeros(2, 5))),
    "autoencoder": (Autoencoder, (torch.zeros(2, 1, 8, 8),)),
    "shuffle": (ShuffleUnit, (torch.zeros(2, 6, 4, 4),)),
    "squeeze_excite": (SqueezeExcite, (IMAGE,)),
    "by_hand": (ByHand, (torch.zeros(2, 6),)),
    "recurrent": (Recurrent, (torch.zeros(2, 3, 4),)),
    "last_channels": (LastChannels, (IMAGE,)),
    "two_heads": (TwoHeads, (torch.zeros(2, 4),)),
    "option_a": (OptionA, (torch.zeros(2, 2, 8, 8),)),
}
