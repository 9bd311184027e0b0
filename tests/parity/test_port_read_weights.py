"""Files that PyTorch wrote, put into models."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

import cornu  # noqa: E402
from cornu import layers as L  # noqa: E402
from cornu.port.keras.read_weights import load_weights_into  # noqa: E402
from cornu.port.network import PortError  # noqa: E402
from cornu.port.weight_files import read_arrays  # noqa: E402


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 6, 5, bias=False),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(6 * 25, 20),
        nn.ReLU(),
        nn.Linear(20, 10),
    )


def lenet_in_keras():
    return cornu.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Conv2D(6, 5, padding="same"),
            L.BatchNormalization(epsilon=1e-5),
            L.ReLU(),
            L.AveragePooling2D(2),
            L.Conv2D(6, 5, use_bias=False, activation="relu"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(20, activation="relu"),
            L.Dense(10),
        ]
    )


def spread(module):
    """The module with statistics that are not the first ones."""
    torch.manual_seed(0)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if tensor.dtype.is_floating_point:
                tensor.copy_(torch.rand(tensor.shape) * 0.2 + 0.01)
    return module.eval()


def check(module, model, x):
    """The model takes what the module takes with the channels last, and gives the same."""
    first = np.moveaxis(x, -1, 1) if x.ndim > 2 and x.dtype.kind == "f" else x
    with torch.no_grad():
        wanted = module(torch.from_numpy(np.ascontiguousarray(first))).numpy()
    found = np.asarray(model(x))
    if found.ndim > 2:
        wanted = np.moveaxis(wanted, 1, -1)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def images(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("form", ["plain", "parallel", "checkpoint", "nested", "safetensors"])
def test_a_lenet_keeps_its_digits(tmp_path, form):
    module = spread(lenet())
    path = tmp_path / ("weights.safetensors" if form == "safetensors" else "weights.pt")
    state = module.state_dict()
    if form == "parallel":
        state = nn.DataParallel(module).state_dict()
    if form == "checkpoint":
        state = {"epoch": 3, "model_state_dict": state, "optimizer_state_dict": {}}
    if form == "nested":
        state = {"state_dict": {f"model.{key}": value for key, value in state.items()}}
    if form == "safetensors":
        pytest.importorskip("safetensors.torch").save_file(state, path)
    else:
        torch.save(state, path)
    model = lenet_in_keras()
    table = load_weights_into(model, path)
    assert len(table) == len(model.weights)
    check(module, model, images(3, 28, 28, 1))


def test_transposed_grouped_and_depthwise_kernels(tmp_path):
    module = spread(
        nn.Sequential(
            nn.Conv2d(4, 8, 3, groups=4),
            nn.Conv2d(8, 6, 3, groups=2),
            nn.ConvTranspose2d(6, 5, 2, stride=2),
            nn.PReLU(5),
            nn.GroupNorm(5, 5),
        )
    )
    model = cornu.Sequential(
        [
            L.Input((9, 9, 4)),
            L.DepthwiseConv2D(3, depth_multiplier=2),
            L.Conv2D(6, 3, groups=2),
            L.Conv2DTranspose(5, 2, strides=2),
            L.PReLU(shared_axes=[1, 2]),
            *([L.GroupNormalization(5, epsilon=1e-5)] if hasattr(L, "GroupNormalization") else []),
        ]
    )
    if not hasattr(L, "GroupNormalization"):
        module = module[:4]
    torch.save(module.state_dict(), tmp_path / "weights.pth")
    load_weights_into(model, tmp_path / "weights.pth")
    check(module, model, images(2, 9, 9, 4))


def test_sequences_and_embeddings(tmp_path):
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(11, 4)
            self.conv = nn.Conv1d(4, 3, 3)
            self.norm = nn.LayerNorm(3)

        def forward(self, x):
            return self.norm(self.conv(self.words(x).transpose(1, 2)).transpose(1, 2)).mean(1)

    module = spread(Words())
    model = cornu.Sequential(
        [
            L.Input((7,), dtype="int32"),
            L.Embedding(11, 4),
            L.Conv1D(3, 3),
            L.LayerNormalization(epsilon=1e-5),
            L.GlobalAveragePooling1D(),
        ]
    )
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    load_weights_into(model, tmp_path / "weights.pt")
    check(module, model, np.random.default_rng(0).integers(0, 11, (3, 7)).astype("int32"))


def test_half_precision(tmp_path):
    module = nn.Linear(3, 2).to(torch.bfloat16)
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    model = cornu.Sequential([L.Input((3,)), L.Dense(2)])
    load_weights_into(model, tmp_path / "weights.pt")
    np.testing.assert_array_equal(model.get_weights()[0], module.weight.detach().float().numpy().T)


def test_whole_modules_are_refused(tmp_path):
    torch.save(nn.Linear(3, 2), tmp_path / "module.pt")
    with pytest.raises(PortError, match="holds more than weights"):
        load_weights_into(lenet_in_keras(), tmp_path / "module.pt")


def test_another_network_is_refused(tmp_path):
    torch.save(nn.Linear(3, 2).state_dict(), tmp_path / "weights.pt")
    with pytest.raises(PortError, match=r"weight \(2, 3\), bias \(2,\) does not fit"):
        load_weights_into(lenet_in_keras(), tmp_path / "weights.pt")


def test_a_state_dict_within_a_checkpoint(tmp_path):
    module = lenet()
    state = {key: value.numpy() for key, value in module.state_dict().items()}
    torch.save(module.state_dict(), tmp_path / "weights.pt")
    torch.save({"epoch": 3, "state_dict": module.state_dict()}, tmp_path / "checkpoint.pth")
    for name in ("weights.pt", "checkpoint.pth"):
        found = read_arrays(str(tmp_path / name))
        assert list(found) == list(state)
        for key, value in state.items():
            np.testing.assert_array_equal(found[key], value)
    torch.save(3, tmp_path / "three.pt")
    with pytest.raises(PortError, match="not a state_dict"):
        read_arrays(str(tmp_path / "three.pt"))


def test_safetensors_as_its_own_library_writes_them(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    weights = {"fc.weight": np.ones((2, 3), "float32")}
    numpy.save_file(weights, tmp_path / "weights.safetensors")
    found = read_arrays(str(tmp_path / "weights.safetensors"))
    np.testing.assert_array_equal(found["fc.weight"], weights["fc.weight"])
