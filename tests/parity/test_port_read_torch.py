"""PyTorch modules, as people write them, read into networks that compute the same."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

import cornu  # noqa: E402
from cornu.port.torch.read import exported, read_torch  # noqa: E402

from .torch_networks import (  # noqa: E402
    IMAGE,
    NETWORKS,
    LeNet,
    PreActivation,
    ResNet,
    Siamese,
)
from .torch_ports import agrees, filled, function, kinds, names, refused  # noqa: E402

# JAX holds 64-bit integers in 32 bits unless told otherwise
pytestmark = pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    torch.manual_seed(0)
    build, example = NETWORKS[name]
    network = agrees(build(), *example)
    assert network.unused == []
    assert network.notes == []


# -- one thing at a time ---------------------------------------------------------------------------

LAYERS = {
    "conv_same": (lambda: nn.Conv2d(4, 6, 4, padding="same"), "Conv2D"),
    "conv_one_group": (lambda: nn.Conv2d(4, 6, (3, 2), (2, 1), (1, 0), groups=2), "Conv2D"),
    "depthwise": (lambda: nn.Conv2d(4, 8, 3, padding=1, groups=4), "DepthwiseConv2D"),
    "transposed": (lambda: nn.ConvTranspose2d(4, 3, 3, 2, 1, 1), "Conv2DTranspose"),
    "transposed_wide": (lambda: nn.ConvTranspose2d(4, 3, 4, 2, 1, dilation=1), "Conv2DTranspose"),
    "transposed_far": (lambda: nn.ConvTranspose2d(4, 3, 2, 3, 0, 2), "Conv2DTranspose"),
    "linear": (lambda: nn.Linear(8, 3, bias=False), "Dense"),
    "batch_norm": (lambda: nn.BatchNorm2d(4, eps=1e-3, momentum=0.3), "BatchNormalization"),
    "batch_norm_plain": (lambda: nn.BatchNorm2d(4, affine=False), "BatchNormalization"),
    "layer_norm": (lambda: nn.LayerNorm((8, 8)), "LayerNormalization"),
    "layer_norm_plain": (
        lambda: nn.LayerNorm(8, elementwise_affine=False),
        "LayerNormalization",
    ),
    "group_norm": (lambda: nn.GroupNorm(2, 4, eps=1e-4), "GroupNormalization"),
    "instance_norm": (lambda: nn.InstanceNorm2d(4, affine=True), "GroupNormalization"),
    "prelu": (lambda: nn.PReLU(4), "PReLU"),
    "prelu_one": (nn.PReLU, "PReLU"),
    "max_pool": (lambda: nn.MaxPool2d(3, 2, 1), "MaxPooling2D"),
    "max_pool_ceil": (lambda: nn.MaxPool2d(3, 2, ceil_mode=True), "MaxPooling2D"),
    "avg_pool_counted": (lambda: nn.AvgPool2d(3, 2, 1), "AveragePooling2D"),
    "avg_pool_uncounted": (
        lambda: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        "AveragePooling2D",
    ),
    "avg_pool_ceil": (lambda: nn.AvgPool2d(3, 2, ceil_mode=True), "AveragePooling2D"),
    "adaptive_one": (lambda: nn.AdaptiveAvgPool2d(1), "GlobalAveragePooling2D"),
    "adaptive_max_one": (lambda: nn.AdaptiveMaxPool2d(1), "GlobalMaxPooling2D"),
    "adaptive": (lambda: nn.AdaptiveAvgPool2d((2, 4)), "AveragePooling2D"),
    "adaptive_max": (lambda: nn.AdaptiveMaxPool2d(4), "MaxPooling2D"),
    "adaptive_none": (lambda: nn.AdaptiveAvgPool2d((None, 1)), "AveragePooling2D"),
    "nearest": (lambda: nn.Upsample(scale_factor=(2, 3)), "UpSampling2D"),
    "nearest_to": (lambda: nn.Upsample(size=(16, 24)), "UpSampling2D"),
    "zero_pad": (lambda: nn.ZeroPad2d((1, 0, 2, 1)), "ZeroPadding2D"),
    "constant_pad": (lambda: nn.ConstantPad2d(1, 2.5), "pad"),
    "reflection_pad": (lambda: nn.ReflectionPad2d(2), "pad"),
    "replication_pad": (lambda: nn.ReplicationPad2d((1, 2, 0, 0)), "pad"),
    "dropout": (lambda: nn.Dropout(0.3), "Dropout"),
    "dropout2d": (lambda: nn.Dropout2d(0.3), "SpatialDropout2D"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    torch.manual_seed(0)
    build, kind = LAYERS[name]
    if not hasattr(cornu.layers, kind) and kind != "pad":
        pytest.skip(f"cornu.layers has no {kind} yet")
    network = agrees(nn.Sequential(build()), IMAGE)
    assert kinds(network) == [kind]
    assert network.operations[1].name == "layer_0"


@pytest.mark.parametrize(
    "activation",
    [
        *(nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(0.2), nn.ELU(0.5), nn.SELU(), nn.CELU(0.7)),
        *(nn.GELU(), nn.GELU("tanh"), nn.Sigmoid(), nn.LogSigmoid(), nn.Hardsigmoid(), nn.Tanh()),
        *(nn.Hardtanh(), nn.Hardtanh(0, 4), nn.Softmax(1), nn.LogSoftmax(-1), nn.Softplus()),
        *(nn.Softshrink(), nn.Hardshrink(), nn.SiLU(), nn.Hardswish(), nn.Mish(), nn.GLU(1)),
        nn.Threshold(0.1, 2.0),
    ],
    ids=str,
)
def test_activations(activation):
    assert kinds(agrees(nn.Sequential(activation), torch.zeros(2, 4, 3))) == ["activation"]


def test_bounds_that_are_no_activation_clip():
    assert kinds(agrees(nn.Hardtanh(-2, 3), torch.zeros(2, 4))) == ["clip"]
    agrees(nn.Sequential(nn.Softplus(beta=2), nn.Softmin(1), nn.Tanhshrink()), torch.zeros(2, 4))


FUNCTIONS = {
    "arithmetic": (lambda x: 2 * x - (1 - x) / 3 + x**2 + abs(x) ** 0.5, None),
    "alpha": (lambda x: torch.add(x, x, alpha=3) - torch.sub(x, 1, alpha=2), None),
    "in_place": (lambda x: x.clone().mul_(2).add_(1).clamp_(min=0), None),
    "comparison": (lambda x: torch.where((x > 0) & (x < 1), x, 0.5), None),
    "mask": (lambda x: x.masked_fill(x < 0, -1.0) * (x > -0.5).float(), None),
    "clamp": (lambda x: x.clamp(-0.5, 0.5) + torch.clamp(x, max=1), ["clip", "minimum", "add"]),
    "mean": (lambda x: x.mean(dim=(2, 3)), ["GlobalAveragePooling2D"]),
    "mean_kept": (lambda x: x.mean((-1, -2), keepdim=True), ["GlobalAveragePooling2D"]),
    "amax": (lambda x: x.amax((2, 3)), ["GlobalMaxPooling2D"]),
    "sum": (lambda x: x.sum(1).sum(-1, keepdim=True), ["sum", "sum"]),
    "max": (lambda x: x.max(dim=1)[0] + x.min(1).values, None),
    "max_both": (lambda x: x.max(dim=1), ["max", "argmax"]),
    "var": (lambda x: x.var(1) + x.std((1, 2), unbiased=False).unsqueeze(1), None),
    "norm": (lambda x: F.normalize(x.flatten(1), dim=1) + x.flatten(1).norm(dim=1)[:, None], None),
    "logsumexp": (lambda x: torch.logsumexp(x, 1), ["logsumexp"]),
    "cumsum": (lambda x: x.cumsum(1), ["cumsum"]),
    "view": (lambda x: x.view(x.size(0), -1), ["Flatten"]),
    "reshape": (lambda x: x.reshape(-1, 16, 16), ["Reshape"]),
    "flatten_some": (lambda x: x.flatten(2), ["Reshape"]),
    "permute": (lambda x: x.permute(0, 2, 3, 1), ["transpose"]),
    "there_and_back": (lambda x: x.movedim(1, -1).swapaxes(1, 2).transpose(-1, 1).mT, None),
    "squeeze": (lambda x: x[:, :1].squeeze(1).unsqueeze(-1), None),
    "index": (lambda x: x[:, 0] + x[:, -1] * x[:, 1:3, ..., 0].sum(1)[:, None, None], None),
    "stride": (lambda x: x[..., ::2, 1::3], ["get_item", "get_item"]),
    "none": (lambda x: x[:, None].mean(1), ["expand_dims", "mean"]),
    "pick": (lambda x: x[:, [2, 0]], ["take"]),
    "index_select": (lambda x: x.index_select(2, torch.tensor([0, 3])), ["take"]),
    "chunk": (lambda x: torch.cat(x.chunk(2, 1)[::-1], 1), ["get_item", "get_item", "concatenate"]),
    "split": (lambda x: x.split([1, 3], 1)[1] * x.split(3, dim=1)[0].mean(2, keepdim=True), None),
    "unbind": (lambda x: torch.unbind(x, 1)[0] * torch.unbind(x, 1)[2], None),
    "stack": (lambda x: torch.stack([x, x.relu()], dim=1), ["activation", "stack"]),
    "matmul": (lambda x: x @ x.transpose(-1, -2), ["transpose", "matmul"]),
    "bmm": (lambda x: torch.bmm(x[:, 0], x[:, 1]), None),
    "einsum": (lambda x: torch.einsum("bchw,bciw->bhi", x, x), ["einsum"]),
    "expand": (lambda x: x[:, :1].expand(-1, 4, -1, -1) * x, None),
    "expand_alone": (lambda x: x[:, :1].expand(-1, 3, -1, -1), ["get_item", "tile"]),
    "repeat": (lambda x: x.repeat(1, 2, 1, 1).repeat_interleave(2, dim=2), ["tile", "take"]),
    "flip": (lambda x: x.flip(2).roll(1, 3), ["flip", "take"]),
    "ones": (lambda x: x[:, :, 0, 0] + torch.ones(x.shape[0], 1), None),
    "constants": (lambda x: x * torch.arange(x.size(3)).float().view(1, 1, 1, -1), ["multiply"]),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2), None),
    "channel_shuffle": (lambda x: F.channel_shuffle(x, 2), None),
    "crop": (lambda x: F.pad(x, (-1, -2, 1, 0)), ["get_item", "ZeroPadding2D"]),
    "interpolate": (lambda x: F.interpolate(x, size=(16, 16)), ["UpSampling2D"]),
    "interpolate_bilinear": (
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
        ["UpSampling2D"],
    ),
    "interpolate_nothing": (lambda x: F.interpolate(x, size=x.shape[-2:]).relu(), ["activation"]),
    "blur": (lambda x: F.conv2d(x, torch.ones(4, 1, 3, 3) / 9, padding=1, groups=4), None),
    "lerp": (lambda x: torch.lerp(x, x.relu(), 0.3).addcmul(x, x, value=0.5), None),
    "response_norm": (nn.LocalResponseNorm(2), None),
    "cast": (lambda x: x.double().float() * (x.long() // 2), None),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    torch.manual_seed(0)
    forward, expected = FUNCTIONS[name]
    network = agrees(function(forward), IMAGE)
    if expected is not None:
        assert kinds(network) == expected


def test_names_are_those_of_the_modules():
    network = read_torch(ResNet(), torch.zeros(1, 3, 16, 16))
    assert names(network)[:9] == [
        *("stem_0", "stem_1", "stem_2", "stem_3"),
        *("layer1_0_conv1", "layer1_0_bn1", "layer1_0_relu", "layer1_0_conv2", "layer1_0_bn2"),
    ]
    assert "layer2_0_downsample_0" in names(network)
    assert network.name == "res_net"
    place = next(one.place for one in network.operations if one.name == "layer1_0_conv1")
    assert place.startswith("layer1.0.conv1 (torch_networks.py:")
    assert read_torch(LeNet(), torch.zeros(1, 1, 16, 16), name="mine").name == "mine"


def test_shared_layers_are_one_operation():
    network = read_torch(Siamese(), (torch.zeros(1, 5), torch.zeros(1, 5)))
    assert len({one.name for one in network.operations if one.kind == "Dense"}) == 3
    assert len([node for node in network.nodes if node.operation == "Dense"]) == 5


def test_tied_names_are_one_weight():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
            self.b.weight, self.b.bias = self.a.weight, self.a.bias

        def forward(self, x):
            return self.b(self.a(x))

    network = agrees(Tied(), torch.zeros(2, 3))
    assert len(network.operations) == 2
    assert network.operations[1].origins["kernel"].key == "a.weight"


def test_weights_are_copies_in_their_dtype():
    module = nn.Linear(3, 2).double()
    network = read_torch(module, np.zeros((1, 3)))
    assert network.operations[1].parameters["kernel"].dtype == "float64"
    before = network.operations[1].parameters["kernel"].copy()
    with torch.no_grad():
        module.weight.zero_()
    np.testing.assert_array_equal(network.operations[1].parameters["kernel"], before)


def test_bfloat16_weights_keep_their_dtype():
    network = read_torch(nn.Linear(3, 2).to(torch.bfloat16), np.zeros((1, 3)))
    assert str(network.operations[1].parameters["kernel"].dtype) == "bfloat16"


def test_training_flags_stay():
    module = ResNet()
    module.layer1.eval()
    before = [one.training for one in module.modules()]
    read_torch(module, torch.zeros(1, 3, 16, 16))
    assert [one.training for one in module.modules()] == before


def test_examples_of_every_form():
    class Two(nn.Module):
        def forward(self, a, b):
            return a * 2 + b

    zeros = np.zeros((1, 3))
    for example in ((zeros, zeros), {"a": zeros, "b": torch.zeros(1, 3)}, [zeros, zeros]):
        network = read_torch(Two(), example)
        assert [tensor.name for tensor in network.inputs] == ["a", "b"]
        assert [tensor.shape for tensor in network.inputs] == [(None, 3)] * 2

    class Batch(nn.Module):
        def forward(self, batch):
            return {"u": batch["a"] + 1, "v": batch["b"]}

    network = read_torch(Batch(), {"a": zeros, "b": zeros})
    assert network.output_names == ["u", "v"]


def test_exported_programs_and_graph_modules():
    module = filled(ResNet())
    example = torch.zeros(2, 3, 16, 16)
    program = exported(module, example)
    assert exported(program, None) is program
    of_program = read_torch(program)
    of_graph = read_torch(torch.fx.symbolic_trace(module), example)
    for network in (of_program, of_graph):
        assert kinds(network) == kinds(read_torch(module, example))
    assert names(of_program) == names(read_torch(module, example))


def test_saved_programs(tmp_path):
    program = torch.export.export(PreActivation().eval(), (IMAGE,))
    torch.export.save(program, tmp_path / "program.pt2")
    network = read_torch(torch.export.load(tmp_path / "program.pt2"))
    assert network.inputs[0].shape == (None, 4, 8, 8)
    assert kinds(network) == ["BatchNormalization", "activation", "Conv2D", "add"]
    assert network.nodes[-1].args[1] is network.nodes[2].outputs[0]


def test_a_fixed_batch_is_the_batch_axis():
    network = agrees(function(lambda x: x.view(4, -1) * 2), torch.zeros(4, 3, 2), rows=4)
    assert network.outputs[0].shape == (None, 6)
    assert "fixes the size of the batch at 4" in network.notes[0]


def test_no_grad_stops_the_gradient():
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.Linear(3, 4), nn.Linear(4, 2)

        def forward(self, x):
            with torch.no_grad():
                x = self.body(x).relu()
            return self.head(x)

    network = agrees(Frozen(), torch.zeros(2, 3))
    assert kinds(network) == ["Dense", "activation", "stop_gradient", "Dense"]
    assert [one.trainable for one in network.operations if one.parameters] == [False, True]


def test_frozen_layers_are_not_trainable():
    module = LeNet()
    module.conv1.requires_grad_(False)
    network = read_torch(module, torch.zeros(1, 1, 16, 16))
    trainable = {one.name: one.trainable for one in network.operations if one.parameters}
    assert trainable == {"conv1": False, "conv2": True, "fc1": True, "fc2": True}


def test_unused_parameters_are_told():
    module = LeNet()
    module.extra = nn.Linear(2, 2)
    network = read_torch(module, torch.zeros(1, 1, 16, 16))
    assert network.unused == ["extra.weight", "extra.bias"]
    assert "extra.weight" in network.notes[0]


def test_dropout_that_is_always_on():
    network = read_torch(function(lambda x: F.dropout(x, 0.3)), torch.zeros(2, 4))
    assert network.operations[1].attributes == {"rate": 0.3, "training": True}
    assert "on also when the network predicts" in network.notes[0]


def test_padding_row_of_an_embedding():
    network = agrees(nn.Embedding(5, 3, padding_idx=2), torch.zeros(2, 4, dtype=torch.long))
    assert kinds(network) == ["Embedding", "not_equal", "expand_dims", "cast", "multiply"]
    module = nn.Embedding(5, 3, padding_idx=2)
    with torch.no_grad():
        module.weight[2] = 1
    assert "is not zero" in refused(module, torch.zeros(2, 4, dtype=torch.long))


def test_in_place_changes_reach_every_name_of_a_tensor():
    def twice(x):
        y = x * 1
        z = y
        z += 1
        y.relu_()
        return z, y.view(-1)

    agrees(function(twice), torch.zeros(2, 4))

    def dropped(x):  # in eval mode a dropout gives back the tensor itself
        y = x * 1
        z = F.dropout(y, 0.5, training=False)
        z.add_(1)
        return y

    assert "changes a part of a tensor in place" in refused(function(dropped), torch.zeros(2, 4))


def test_rows_of_sequences_become_rows():
    network = read_torch(
        function(lambda x: x.view(-1, 3).tanh().view(-1, 5, 3)), torch.zeros(2, 5, 3)
    )
    assert kinds(network) == ["reshape", "activation", "reshape"]
    assert [node.outputs[0].shape for node in network.nodes[1:]] == [
        (None, 3),
        (None, 3),
        (None, 5, 3),
    ]


def test_padding_that_does_not_count():
    pooling = nn.AvgPool2d(3, 2, 1, count_include_pad=False)
    attributes = read_torch(pooling, IMAGE).operations[1].attributes
    assert attributes["padding"] == ((1, 1), (1, 1))
    assert attributes["count_padding"] is False
