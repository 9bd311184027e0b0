"""What cannot be read from PyTorch is refused in one sentence, with its place."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from .torch_ports import agrees, function, refused  # noqa: E402


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


class Gain(nn.Module):
    def __init__(self, *shape):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(shape))

    def forward(self, x):
        return x * self.gamma


class Inner(nn.Module):
    """A module of torch.nn of another's, and what is taken of its result."""

    def __init__(self, inner, prepare=lambda x: (x,), take=lambda result: result):
        super().__init__()
        self.inner, self.prepare, self.take = inner, prepare, take

    def forward(self, x):
        return self.take(self.inner(*self.prepare(x)))


def steps(x):
    return (x.view(-1, 2, 2),)


def thrice(x):
    return (x.view(-1, 1, 4),) * 3


def first(result):
    return result[0]


class PicksRows(nn.Module):
    def forward(self, x):
        return x[x[:, 0] > 0].sum(1)


class PicksEntries(nn.Module):
    def forward(self, x):
        index = x.argmax(1)
        return x[index]


class Selects(nn.Module):
    def forward(self, x):
        return torch.masked_select(x, x > 0).sum()


class Attends(nn.Module):
    def forward(self, x):
        q = x.view(-1, 2, 2)
        return F.scaled_dot_product_attention(q, q, q)


class Bessel(nn.Module):
    def forward(self, x):
        return torch.special.i0(x)


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


# What people reach for and is not carried over: what is said of it.
NOT_YET = {
    "lstm": (Inner(nn.LSTM(2, 3), steps, first), ["inner (", "nn.LSTM: recurrent", "nn.Conv1d"]),
    "gru": (Inner(nn.GRU(2, 3), steps, first), ["inner (", "nn.GRU: recurrent"]),
    "rnn": (Inner(nn.RNN(2, 3), steps, first), ["inner (", "nn.RNN: recurrent"]),
    "cell": (Inner(nn.GRUCell(4, 3)), ["inner (", "nn.GRUCell: recurrent"]),
    "attention": (
        Inner(nn.MultiheadAttention(4, 2, batch_first=True), thrice, first),
        ["inner (", "nn.MultiheadAttention: attention layers are not", "Write it out"],
    ),
    "encoder": (
        Inner(nn.TransformerEncoderLayer(2, 1, 4, batch_first=True), steps),
        ["inner.self_attn", "nn.TransformerEncoderLayer: attention layers are not"],
    ),
    "attention_function": (
        Attends(),
        ["in `return F.scaled_dot_product_attention(q, q, q)`: attention layers are not"],
    ),
    "bag": (
        Inner(nn.EmbeddingBag(9, 3), lambda x: (x.long(),)),
        ["inner (", "nn.EmbeddingBag is not carried over yet", "embedding(x).mean(1)"],
    ),
    "module": (
        Inner(nn.Unfold(2), lambda x: (x.view(-1, 1, 2, 2),)),
        ["inner (", "nn.Unfold (the operation aten.im2col.default) has no counterpart"],
    ),
    "function": (
        Bessel(),
        ["aten.special_i0.default in `return torch.special.i0(x)` has no counterpart. Write"],
    ),
    "rows": (
        PicksRows(),
        ["in `return x[x[:, 0] > 0].sum(1)` picks as many", "torch.where(mask, x, 0)"],
    ),
    "entries": (PicksEntries(), ["in `return x[index]` picks entries by", "F.one_hot"]),
    "selected": (
        Selects(),
        ["in `return torch.masked_select(x, x > 0).sum()` picks as many"],
    ),
    "gain": (Gain(4), ["gain for each channel is not carried over yet", "the layer before it"]),
    "gain_wide": (Gain(1, 4), ["'gamma'", "gain for each channel is not carried over yet"]),
    "order": (
        function(lambda x: F.pairwise_distance(x, x.relu(), p=3)),
        ["p=3 is not supported", "p=1 or p=2"],
    ),
    "shapes": (
        function(lambda x: F.cosine_similarity(x, x[:, :1])),
        ["(None, 4) and (None, 1)", "expand_as"],
    ),
    "corners": (REFUSED["corners"][0], ["Use align_corners=False", "nn.ConvTranspose2d"]),
    "factor": (REFUSED["factor"][0], ["are multiples of all its strides", "nn.ConvTranspose2d"]),
}


@pytest.mark.parametrize("name", NOT_YET)
def test_refusals_say_what_to_do(name):
    module, sentences = NOT_YET[name]
    message = refused(module, torch.ones(2, 4))
    for sentence in sentences:
        assert sentence in message


def test_attention_that_is_written_out_is_read():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            q, k, v = self.q(x), self.k(x), self.v(x)
            return torch.softmax(q @ k.transpose(-2, -1) / q.size(-1) ** 0.5, -1) @ v

    agrees(Attention(), torch.zeros(2, 5, 4))


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
