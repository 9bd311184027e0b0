"""Files of weights, put into models: all of them in the right place, or none."""

import json
import struct

import numpy as np
import pytest

import cornu
from cornu import layers as L
from cornu.port.keras.read_model import read_model
from cornu.port.keras.read_weights import load_weights_into
from cornu.port.network import PortError
from cornu.port.numpy.write import write_numpy_files
from cornu.port.weight_files import read_arrays

from . import networks


def lenet():
    return cornu.Sequential(
        [
            L.Input((10, 10, 1)),
            L.Conv2D(2, 3, name="conv1"),
            L.BatchNormalization(name="bn"),
            L.MaxPooling2D(),
            L.Flatten(),
            L.Dense(5, name="fc1"),
            L.Dense(5, name="fc2"),
        ]
    )


def torch_arrays(seed=0, **renamed):
    """The state_dict of the same network in PyTorch."""
    rng = np.random.default_rng(seed)
    shapes = {
        "conv1.weight": (2, 1, 3, 3),
        "conv1.bias": (2,),
        "bn.weight": (2,),
        "bn.bias": (2,),
        "bn.running_mean": (2,),
        "bn.running_var": (2,),
        "fc1.weight": (5, 32),
        "fc1.bias": (5,),
        "fc2.weight": (5, 5),
        "fc2.bias": (5,),
    }
    found = {key: rng.uniform(0.1, 1, shape).astype("float32") for key, shape in shapes.items()}
    found["bn.num_batches_tracked"] = np.array(7)
    for old, new in renamed.items():
        found = {
            key.replace(f"{old}.", f"{new}.", 1) if key.startswith(f"{old}.") else key: array
            for key, array in found.items()
        }
    return found


def computed(arrays, x):
    """What PyTorch computes: images (rows, columns), channels first when they are flattened."""
    w = arrays["conv1.weight"][:, 0]
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
    y = np.einsum("nhwij,fij->nfhw", windows, w) + arrays["conv1.bias"][:, None, None]
    mean, variance = arrays["bn.running_mean"], arrays["bn.running_var"]
    scale = arrays["bn.weight"] / np.sqrt(variance + 1e-3)
    y = (y - mean[:, None, None]) * scale[:, None, None] + arrays["bn.bias"][:, None, None]
    y = y.reshape(len(x), 2, 4, 2, 4, 2).max(axis=(3, 5)).reshape(len(x), -1)
    y = y @ arrays["fc1.weight"].T + arrays["fc1.bias"]
    return y @ arrays["fc2.weight"].T + arrays["fc2.bias"]


def saved(folder, arrays):
    path = folder / "weights.npz"
    np.savez(path, **arrays)
    return path


def check(model, arrays, table=None):
    x = np.random.default_rng(9).normal(size=(3, 10, 10)).astype("float32")
    np.testing.assert_allclose(model(x[..., None]), computed(arrays, x), rtol=1e-4, atol=1e-4)
    if table is not None:
        assert [row.variable for row in table] == [
            *("conv1/kernel", "conv1/bias", "bn/gamma", "bn/beta", "bn/moving_mean"),
            *("bn/moving_variance", "fc1/kernel", "fc1/bias", "fc2/kernel", "fc2/bias"),
        ]


def test_names_say_where_arrays_go(tmp_path):
    model, arrays = lenet(), torch_arrays()
    shuffled = dict(sorted(arrays.items(), reverse=True))
    table = load_weights_into(model, saved(tmp_path, shuffled))
    check(model, arrays, table)
    rows = {row.key: row.change for row in table}
    assert rows["conv1.weight"] == "transposed"
    assert rows["fc1.weight"] == "transposed, rearranged for channels last"
    assert rows["fc2.weight"] == "transposed"
    assert rows["bn.running_var"] == ""
    assert "fc1.weight" in str(table)


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.module.", "net.", "features.0."])
def test_prefixes_do_not_matter(tmp_path, prefix):
    model, arrays = lenet(), torch_arrays()
    changed = {prefix + key: array for key, array in arrays.items()}
    check(model, arrays, load_weights_into(model, saved(tmp_path, changed)))


def test_order_and_shape_say_it_where_names_do_not(tmp_path):
    model, arrays = lenet(), torch_arrays()
    changed = torch_arrays(conv1="0", bn="1", fc1="4", fc2="5")
    check(model, arrays, load_weights_into(model, saved(tmp_path, changed)))


def test_names_win_over_order(tmp_path):
    model = cornu.Sequential([L.Input((3,)), L.Dense(3, name="one"), L.Dense(3, name="two")])
    arrays = {f"{name}.{what}": np.full(shape, value, "float32")
              for name, value in (("two", 2), ("one", 1))
              for what, shape in (("weight", (3, 3)), ("bias", (3,)))}  # fmt: skip
    load_weights_into(model, saved(tmp_path, arrays))
    assert float(model.layers[0].bias[0]) == 1
    assert float(model.layers[1].bias[0]) == 2


def test_channels_first_models_take_kernels_as_they_are(tmp_path):
    model = cornu.Sequential(
        [
            L.Input((2, 4, 4)),
            L.MaxPooling2D(data_format="channels_first"),
            L.Flatten(),
            L.Dense(1, name="fc"),
        ]
    )
    kernel = np.arange(8.0, dtype="float32")[None]
    arrays = {"fc.weight": kernel, "fc.bias": np.zeros(1, "float32")}
    (row, _) = load_weights_into(model, saved(tmp_path, arrays))
    assert row.change == "transposed"
    assert np.array_equal(model.layers[-1].kernel, kernel.T)


def test_depthwise_kernels_and_shared_slopes(tmp_path):
    model = cornu.Sequential(
        [
            L.Input((5, 5, 3)),
            L.DepthwiseConv2D(2, depth_multiplier=2, use_bias=False, name="depthwise"),
            L.PReLU(shared_axes=[1, 2], name="act"),
        ]
    )
    rng = np.random.default_rng(0)
    weight, slope = rng.normal(size=(6, 1, 2, 2)), rng.normal(size=6)
    load_weights_into(model, saved(tmp_path, {"depthwise.weight": weight, "act.weight": slope}))
    x = rng.normal(size=(2, 5, 5, 3))
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(1, 2))
    y = np.einsum("nhwcij,fij->nhwcf", windows, weight[:, 0])
    y = np.stack([y[..., f // 2, f] for f in range(6)], axis=-1)
    y = np.where(y > 0, y, slope * y)
    np.testing.assert_allclose(model(x.astype("float32")), y, rtol=1e-4, atol=1e-5)


def test_nothing_is_loaded_where_something_does_not_fit(tmp_path):
    model, arrays = lenet(), torch_arrays()
    before = [np.array(value) for value in model.get_weights()]
    cases = {
        "fc2.weight": (
            np.zeros((5, 7)),
            r"fc2.weight \(5, 7\), fc2.bias \(5,\) does not fit Dense 'fc2', which takes "
            r"weight \(5, 5\), bias \(5,\)",
        ),
        "fc2.bias": (None, "does not fit Dense 'fc2'"),
        "fc3.weight": (np.zeros((5, 5)), r"no layer for fc3.weight \(5, 5\)"),
        "fc3.strange": (np.zeros(5), r"fc3.strange of shape \(5,\) is no weight"),
    }
    for key, (array, message) in cases.items():
        changed = {**arrays, key: array}
        if array is None:
            del changed[key]
        with pytest.raises(PortError, match=message):
            load_weights_into(model, saved(tmp_path, changed))
    missing = {key: array for key, array in arrays.items() if not key.startswith("fc2")}
    with pytest.raises(PortError, match="nothing for Dense 'fc2'"):
        load_weights_into(model, saved(tmp_path, missing))
    for value, was in zip(model.get_weights(), before, strict=True):
        assert np.array_equal(value, was)


def safetensors(arrays, types):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, array in arrays.items():
        content = array.tobytes()
        header[name] = {
            "dtype": types[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def test_safetensors(tmp_path):
    model, arrays = lenet(), torch_arrays()
    types = {"float32": "F32", "int64": "I64"}
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors(arrays, types))
    check(model, arrays, load_weights_into(model, path))
    half = {"a": np.array([1.0, -2.5], "float32").view("uint32").astype("uint32") >> 16}
    path.write_bytes(safetensors({"a": half["a"].astype("uint16")}, {"uint16": "BF16"}))
    assert read_arrays(str(path))["a"].tolist() == [1.0, -2.5]


def test_safetensors_are_read_in_the_order_of_numbers(tmp_path):
    path = tmp_path / "model.safetensors"
    names = [f"{number}.weight" for number in (10, 2, 1)]
    arrays = {name: np.ones(1, "float32") for name in names}
    path.write_bytes(safetensors(arrays, {"float32": "F32"}))
    assert list(read_arrays(str(path))) == ["1.weight", "2.weight", "10.weight"]


@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 8, b"\xff" * 8 + b"{}", b"\x02" + b"\x00" * 7 + b"[]"]
)
def test_damaged_safetensors(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(PortError, match=r"model\.safetensors"):
        load_weights_into(lenet(), path)


def test_weights_of_a_numpy_program(tmp_path):
    model = networks.filled(networks.digits())
    network = read_model(model)
    network.name = "digits"
    _, weights = write_numpy_files(network, tmp_path)
    other = networks.filled(networks.digits(), seed=1)
    load_weights_into(other, weights)
    x = networks.batch(model)[0]
    np.testing.assert_allclose(other(x), model(x), atol=1e-6)


def test_weights_as_a_list(tmp_path):
    model, other = networks.filled(lenet()), lenet()
    path = tmp_path / "list.npz"
    np.savez(path, *model.get_weights())
    load_weights_into(other, path)
    for value, was in zip(other.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(value, was)
    np.savez(path, *model.get_weights()[:-1])
    with pytest.raises(PortError, match="holds 9 arrays, and the model has 10 weights"):
        load_weights_into(other, path)


@pytest.mark.parametrize("name", ["model.weights.h5", "model.keras"])
def test_keras_files(tmp_path, name):
    model, other = networks.filled(lenet()), lenet()
    model.save(tmp_path / name) if name.endswith(".keras") else model.save_weights(tmp_path / name)
    table = load_weights_into(other, tmp_path / name)
    assert len(table) == 10
    for value, was in zip(other.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(value, was)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_weights_into(lenet(), tmp_path / "missing.npz")
    (tmp_path / "weights.txt").write_text("")
    with pytest.raises(PortError, match=r"weights\.txt is no file of weights"):
        load_weights_into(lenet(), tmp_path / "weights.txt")
    np.savez(tmp_path / "empty.npz")
    with pytest.raises(PortError, match="holds no arrays"):
        load_weights_into(lenet(), tmp_path / "empty.npz")
