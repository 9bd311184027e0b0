"""PyTorch programs: what they compute beside the Cornu model they come from, and that they run."""

import copy
import inspect
import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import cornu  # noqa: E402
from cornu import layers as L  # noqa: E402
from cornu.port.torch.write import (  # noqa: E402
    torch_weights,
    write_torch,
    write_torch_files,
)

from ..port.networks import NETWORKS, batch, filled, lenet, two_inputs, unet  # noqa: E402
from .torch_programs import (  # noqa: E402
    check_outputs,
    functional,
    held,
    image,
    network_of,
    small,
)

# -- the networks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("build", NETWORKS, ids=lambda build: build.__name__)
def test_outputs(build):
    check_outputs(filled(build()))


# -- layers and functions --------------------------------------------------------------------------


LAYERS = {
    "conv same stride 2": lambda x: L.Conv2D(4, 3, strides=2, padding="same")(x),
    "conv same even window": lambda x: L.Conv2D(4, (2, 3), padding="same")(x),
    "conv dilated": lambda x: L.Conv2D(4, 3, dilation_rate=2, padding="same")(x),
    "conv groups": lambda x: L.Conv2D(6, 3, groups=3)(x),
    "depthwise": lambda x: L.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same")(x),
    "separable": lambda x: L.SeparableConv2D(5, 3, depth_multiplier=2)(x),
    "zero padding before conv": lambda x: L.Conv2D(4, 3, strides=2)(L.ZeroPadding2D(1)(x)),
    "uneven padding": lambda x: L.Conv2D(4, 3)(L.ZeroPadding2D(((0, 1), (2, 0)))(x)),
    "cropping": lambda x: L.Cropping2D(((1, 0), (1, 2)))(x),
    "max same": lambda x: L.MaxPooling2D(2, padding="same")(x),
    "max same 3": lambda x: L.MaxPooling2D(3, strides=2, padding="same")(x),
    "max same even": lambda x: L.MaxPooling2D(2, strides=1, padding="same")(x),
    "average same": lambda x: L.AveragePooling2D(2, padding="same")(x),
    "average same 3": lambda x: L.AveragePooling2D(3, strides=2, padding="same")(x),
    "average same even": lambda x: L.AveragePooling2D(2, strides=1, padding="same")(x),
    "average same 4": lambda x: L.AveragePooling2D(4, strides=3, padding="same")(x),
    "up nearest": lambda x: L.UpSampling2D((2, 3))(x),
    "up bilinear": lambda x: L.UpSampling2D(2, interpolation="bilinear")(x),
    "layer normalization": lambda x: L.LayerNormalization()(x),
    "layer normalization of all": lambda x: L.LayerNormalization(axis=(1, 2, 3))(x),
    "layer normalization of rows": lambda x: L.LayerNormalization(axis=1)(x),
    "group normalization": lambda x: L.GroupNormalization(3)(x),
    "batch normalization of rows": lambda x: L.BatchNormalization(axis=1)(x),
    "no scale": lambda x: L.BatchNormalization(scale=False)(L.LayerNormalization(center=False)(x)),
    "neither": lambda x: L.BatchNormalization(scale=False, center=False)(x),
    "prelu": lambda x: L.PReLU(shared_axes=(1, 2))(x),
    "prelu of each": lambda x: L.PReLU()(x),
    "softmax over rows": lambda x: L.Softmax(axis=1)(x),
    "leaky": lambda x: L.LeakyReLU(0.3)(x),
    "relu": lambda x: L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2)(x),
    "global max": lambda x: L.GlobalMaxPooling2D()(x),
    "global average": lambda x: L.GlobalAveragePooling2D(keepdims=True)(x),
    "flatten": lambda x: L.Dense(3)(L.Flatten()(L.Conv2D(2, 2)(x))),
    "dense on images": lambda x: L.Dense(4)(x),
    "permute": lambda x: L.Permute((3, 1, 2))(x),
    "noise": lambda x: L.GaussianNoise(0.1)(L.GaussianDropout(0.2)(L.SpatialDropout2D(0.3)(x))),
    "rescaling": lambda x: L.Rescaling(0.25, offset=-0.5)(x),
    "normalization": lambda x: L.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 2.0])(x),
    "merging": lambda x: L.Average()([L.Maximum()([x, L.ReLU()(x)]), L.Conv2D(3, 1)(x), x]),
    "minimum": lambda x: L.Minimum()([x, L.Conv2D(3, 1)(x)]),
    "subtract": lambda x: L.Subtract()([L.Conv2D(3, 1)(x), L.Multiply()([x, x])]),
}
for _kernel, _stride, _padding in ((3, 2, "same"), (4, 2, "same"), (2, 3, "valid"), (3, 1, "same")):
    LAYERS[f"transposed {_kernel}, {_stride}, {_padding}"] = (
        lambda x, k=_kernel, s=_stride, p=_padding: L.Conv2DTranspose(4, k, strides=s, padding=p)(x)
    )
LAYERS["transposed, output padding"] = lambda x: L.Conv2DTranspose(
    4, 3, strides=2, padding="same", output_padding=1
)(x)


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name):
    check_outputs(image(LAYERS[name]))


ops = cornu.ops
FUNCTIONS = {
    "squeeze and excite": lambda x: x * ops.sigmoid(ops.mean(x, axis=(1, 2), keepdims=True)),
    "arithmetic": lambda x: (x - 0.5) * 2.0 / (1.0 + ops.exp(-x)) - (1.0 - x),
    "power": lambda x: ops.power(ops.abs(x) + 1.0, 1.5) + 2.0**x,
    "comparison": lambda x: ops.where(x > 0.3, x, 0.1 * x),
    "extremes": lambda x: ops.maximum(x, 0.1) + ops.minimum(0.2, x),
    "clip": lambda x: ops.clip(x, -0.5, 0.5),
    "unary": lambda x: ops.tanh(ops.sqrt(ops.square(x) + 1.0)) + ops.log1p(ops.abs(x)),
    "reductions": lambda x: ops.var(x, axis=1) + ops.std(x, axis=1) + ops.sum(x, axis=1),
    "extreme reductions": lambda x: ops.max(x, axis=(1, 2)) - ops.min(x, axis=(1, 2)),
    "logsumexp": lambda x: ops.logsumexp(x, axis=-1),
    "reshape": lambda x: ops.reshape(x, (-1, 42, 3)),
    "transpose": lambda x: ops.transpose(x, (0, 2, 1, 3)),
    "item": lambda x: x[:, 1:5, ::2, 0],
    "concatenate": lambda x: ops.concatenate([x, ops.relu(x), -x], axis=1),
    "stack": lambda x: ops.stack([x, x + 1.0], axis=1),
    "expand and squeeze": lambda x: ops.squeeze(ops.expand_dims(x, 1) * 2.0, 1),
    "pad": lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 0), (1, 0))),
    "argmax": lambda x: ops.argmax(x, axis=-1),
    "matmul": lambda x: ops.matmul(x, np.arange(6, dtype="float32").reshape(3, 2)),
    "constant": lambda x: x + np.arange(3, dtype="float32"),
}
for _name in (
    *("relu6", "elu", "selu", "celu", "gelu", "sigmoid", "log_sigmoid", "hard_sigmoid", "tanh"),
    *("hard_tanh", "softmax", "log_softmax", "softplus", "softsign", "silu", "hard_silu", "mish"),
    *("exponential", "tanh_shrink", "hard_shrink", "soft_shrink"),
):
    FUNCTIONS[_name] = getattr(cornu.activations, _name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    check_outputs(image(FUNCTIONS[name]))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: L.MaxPooling1D(2, padding="same")(L.Conv1D(4, 3, padding="causal")(x)),
        lambda x: L.BatchNormalization()(L.Conv1DTranspose(4, 3, strides=2)(x)),
        lambda x: L.GlobalMaxPooling1D()(L.UpSampling1D(2)(L.AveragePooling1D(2)(x))),
        lambda x: L.BatchNormalization()(L.Dense(4)(x)),
        lambda x: L.Flatten()(L.SpatialDropout1D(0.2)(L.ZeroPadding1D(1)(x))),
        lambda x: L.GlobalAveragePooling1D()(L.Cropping1D((1, 2))(L.Conv1D(3, 2)(x))),
    ],
)
def test_sequences(make):
    check_outputs(functional((9, 5), make))


def test_volumes():
    check_outputs(
        functional((5, 6, 4, 2), lambda x: L.MaxPooling3D(2)(L.Conv3D(3, 2, padding="same")(x)))
    )


def test_shared_layer():
    shared = L.Conv2D(3, 3, strides=2, padding="same")
    network = check_outputs(image(lambda x: shared(shared(x)), (9, 8, 3)))
    assert len(torch_weights(network)) == 2
    dense = L.Dense(5, activation="relu")
    check_outputs(functional((5,), lambda x: dense(dense(x)) + x))


def test_embedding_of_floats():
    model = functional((6,), lambda x: L.Flatten()(L.Embedding(9, 4)(ops.abs(ops.floor(x)))))
    check_outputs(model)


# -- modules and programs --------------------------------------------------------------------------


def test_module_is_one_like_others():
    model = filled(lenet())
    model.compile("adam", "sparse_categorical_crossentropy")
    module = write_torch(network_of(model))
    assert "def forward(self, x):" in inspect.getsource(type(module))
    copied = copy.deepcopy(module)
    assert copied.program is module.program
    assert list(module.state_dict()) == list(torch_weights(network_of(model)))
    assert not module.training
    other = write_torch(network_of(model))
    assert other.program is not module.program


def test_predict_gives_probabilities():
    model = filled(lenet())
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    network = network_of(model)
    module = write_torch(network)
    (x,) = batch(model, 5)
    y = np.arange(5) % 10
    (given,) = held(network.input_layouts, [x], "float32")
    found = module.program.predict(module, given, batch_size=2)
    np.testing.assert_allclose(found, model.predict(x, verbose=0), rtol=1e-4, atol=1e-6)
    loss, accuracy = module.program.evaluate(module, given, torch.from_numpy(y))
    np.testing.assert_allclose([loss, accuracy], model.evaluate(x, y, verbose=0), rtol=1e-4)


def test_float64_stays():
    model = small()
    network = network_of(model)
    for operation in network.operations:
        for name, value in operation.parameters.items():
            operation.parameters[name] = value.astype("float64")
    module = write_torch(network)
    assert {one.dtype for one in module.state_dict().values()} == {torch.float64}


ALONE = """
import sys, runpy
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
assert not {"cornu", "jax", "keras"} & set(sys.modules), sorted(sys.modules)
"""


def run_program(folder, program, *arguments):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", ALONE, program, *map(str, arguments)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("weights", ["weights.safetensors", "weights.pt"])
def test_program_runs_alone(tmp_path, weights):
    if weights.endswith("safetensors"):
        pytest.importorskip("safetensors")
    model = filled(lenet())
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    program, _ = write_torch_files(network_of(model), tmp_path, weights)
    generator = np.random.default_rng(0)
    y = generator.integers(0, 10, 64)
    x = generator.normal(size=(64, *model.inputs[0].shape[1:])).astype("float32")
    x += y[:, None, None, None] - 4.5
    np.savez(tmp_path / "data.npz", x=x, y=y)
    before = run_program(tmp_path, program, "data.npz")
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert before == f"loss {loss:.4f}, accuracy {accuracy:.4f}\n"
    after = run_program(tmp_path, program, "data.npz", "--epochs", 4, "--save", "trained.bin")
    assert after.count("epoch") == 4
    assert float(after.split()[-3].rstrip(",")) < loss
    assert (tmp_path / "trained.bin").exists()


def test_program_of_several_inputs_and_outputs_runs_alone(tmp_path):
    model = filled(two_inputs())
    count = len(model.outputs)
    model.compile("rmsprop", ["mean_squared_error"] * count if count > 1 else "binary_crossentropy")
    program, _ = write_torch_files(network_of(model), tmp_path, "weights.pt")
    network = network_of(model)
    arrays = batch(model, 20)
    data = {t.node.name: a for t, a in zip(network.inputs, arrays, strict=True)}
    data["y"] = np.zeros((20, *model.outputs[0].shape[1:]), "float32")
    np.savez(tmp_path / "data.npz", **data)
    assert "epoch 2" in run_program(tmp_path, program, "data.npz", "--epochs", 2)


def test_program_without_training_runs_alone(tmp_path):
    model = filled(unet())
    program, _ = write_torch_files(network_of(model), tmp_path, "weights.pt")
    arrays = batch(model, 2)
    np.savez(tmp_path / "data.npz", x=arrays[0])
    run_program(tmp_path, program, "data.npz", "--save", "made.npz")
    (made,) = np.load(tmp_path / "made.npz").values()
    wanted = np.asarray(model(arrays[0])).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(made, wanted, rtol=1e-4, atol=1e-5)
