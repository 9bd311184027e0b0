"""What cannot be read from PyTorch is refused in one sentence, with its place."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from .torch_ports import function, refused  # noqa: E402


class Branching(nn.Module):
    def forward(self, x):
        if x.sum() > 0:
            return x
        return -x


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.scale * x


class TiedDecoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(4, 2)

    def forward(self, x):
        return F.linear(self.enc(x), self.enc.weight.t())


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x):
        self.count += 1
        return x * self.count


def partly(x):
    x = x * 1
    x[:, 0] = 0
    return x


def view_changed(x):
    x = x * 1
    x[:, 0].add_(1)
    return x


REFUSED = {
    "branch": (Branching(), "data-dependent control flow"),
    "item": (function(lambda x: x * x.max().item()), r".item()"),
    "numpy": (function(lambda x: torch.from_numpy(x.numpy())), "out of PyTorch"),
    "parameter": (Scaled(), "the parameter 'scale' is used by mul"),
    "tied": (TiedDecoder(), "'enc.weight' of Dense 'enc' is also the kernel of another Dense"),
    "buffer": (Counting(), "changes 'count'"),
    "part": (function(partly), "changes a part of a tensor in place"),
    "view": (function(view_changed), "changes a part of a tensor in place"),
    "fft": (function(lambda x: torch.fft.rfft(x).real), "aten.fft_rfft.default"),
    "random": (function(lambda x: x + torch.randn_like(x)), "draws random numbers"),
    "batch_size": (function(lambda x: x / x.size(0)), "the size of the batch"),
    "corners": (
        function(
            lambda x: F.interpolate(
                x.view(-1, 1, 2, 2), scale_factor=2, mode="bilinear", align_corners=True
            )
        ),
        "align_corners=True",
    ),
    "factor": (
        function(lambda x: F.interpolate(x.view(-1, 1, 2, 2), size=3)),
        "no whole multiple",
    ),
    "adaptive": (
        function(lambda x: F.adaptive_avg_pool2d(x.view(-1, 1, 2, 2), (2, 3))),
        "windows of several sizes",
    ),
    "batch_statistics": (nn.BatchNorm1d(4, track_running_stats=False), "track_running_stats"),
    "cumulative": (nn.BatchNorm1d(4, momentum=None), "momentum=None"),
    "weight_norm": (nn.utils.parametrizations.weight_norm(nn.Linear(4, 2)), "is computed"),
    "constant_output": (function(lambda x: torch.ones(3)), "does not depend on its inputs"),
    "wrong_example": (nn.Linear(5, 2), "fails for the example (2, 4) float32"),
    "lazy": (nn.LazyLinear(3), "of a lazy module"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    module, sentence = REFUSED[name]
    message = refused(module, torch.zeros(2, 4))
    assert sentence in message
    assert "\n" not in message


def test_refusals_name_the_place():
    assert refused(Branching(), torch.zeros(2, 4)).startswith(
        "forward (test_port_read_torch_refused.py:"
    )
    inside = nn.Sequential(nn.Linear(4, 4), Scaled())
    assert refused(inside, torch.zeros(2, 4)).startswith("1 (test_port_read_torch_refused.py:")
