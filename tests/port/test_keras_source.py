"""Keras programs: what a person would have written, and the same network when they are run."""

import runpy
import subprocess
import sys

import numpy as np
import pytest

import cornu
from cornu import layers as L
from cornu import ops
from cornu.port.keras.read_model import read_model
from cornu.port.keras.write_keras import keras_source, write_keras, write_keras_files
from cornu.port.network import Network, Operation, PortError, apply, entrance
from cornu.port.training import Loss, Optimizer, Schedule, Training

from . import networks

NETWORKS = [
    *("moons", "mnist_mlp", "mnist_cnn", "digits", "intrusion", "lenet", "vgg_block", "resnet18"),
    *("mobilenet_block", "densenet_block", "unet", "inception_block", "autoencoder", "conv1d"),
    "two_inputs",
]


def build_lines(source):
    """What stands in `build`, without its docstring."""
    lines = source.split("def build():\n", 1)[1].split("\n\n\n")[0].split("\n")
    return "\n".join(line[4:] for line in lines[1:])


def test_a_chain_is_written_as_one():
    model = cornu.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Conv2D(32, (3, 3), activation="relu", padding="same"),
            L.MaxPooling2D((2, 2)),
            L.Dropout(0.25),
            L.Flatten(),
            L.Dense(10, activation="softmax", name="classes"),
        ],
        name="mnist",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert build_lines(keras_source(read_model(model))) == (
        """model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(10, activation="softmax", name="classes"),
    ],
    name="mnist",
)
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.001),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
return model"""
    )


def test_a_graph_uses_few_variables():
    inputs = L.Input((8, 8, 3))
    x = L.Conv2D(4, 3, padding="same", strides=1)(inputs)
    y = L.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    y = L.Conv2D(4, 3, padding="same")(y)
    x = L.Add()([x, y])
    model = cornu.Model(inputs, L.GlobalAveragePooling2D()(x), name="residual")
    assert build_lines(keras_source(read_model(model))) == (
        """inputs = keras.Input((8, 8, 3))
x = layers.Conv2D(4, 3, padding="same")(inputs)
y = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
y = layers.Conv2D(4, 3, padding="same")(y)
x = layers.Add()([x, y])
outputs = layers.GlobalAveragePooling2D()(x)
return keras.Model(inputs, outputs, name="residual")"""
    )


def test_functions_and_operators():
    inputs = L.Input((6, 4))
    x = ops.max(inputs[:, 1:] * 2 - 1, axis=2, keepdims=True) + inputs[:, :5]
    x = ops.transpose(ops.pad(x, [[0, 0], [1, 1], [0, 0]]), (0, 2, 1))
    model = cornu.Model(inputs, ops.exp(x) / 3, name="functions")
    assert build_lines(keras_source(read_model(model))) == (
        """inputs = keras.Input((6, 4))
x = inputs[:, 1:, :]
x = x * 2
x = x - 1
x = ops.max(x, axis=2, keepdims=True)
y = inputs[:, :5, :]
x = layers.Add()([x, y])
x = ops.pad(x, ((0, 0), (1, 1), (0, 0)))
x = layers.Permute((2, 1))(x)
x = ops.exp(x)
outputs = x / 3
return keras.Model(inputs, outputs, name="functions")"""
    )


def test_a_shared_layer_is_made_once():
    inputs = L.Input((3,))
    shared = L.Dense(3, activation="tanh", name="shared")
    model = cornu.Model(inputs, shared(shared(inputs)), name="twice")
    assert build_lines(keras_source(read_model(model))) == (
        """inputs = keras.Input((3,))
shared = layers.Dense(3, activation="tanh", name="shared")
x = shared(inputs)
outputs = shared(x)
return keras.Model(inputs, outputs, name="twice")"""
    )


def test_settings_are_written_as_objects_where_they_are():
    model = cornu.Sequential(
        [
            L.Input((4,)),
            L.Dense(
                3,
                kernel_initializer="he_normal",
                bias_initializer=cornu.initializers.RandomNormal(stddev=0.2),
                kernel_regularizer=cornu.regularizers.L2(0.01),
                activity_regularizer=None,
                kernel_constraint=cornu.constraints.MaxNorm(3),
                trainable=False,
            ),
        ],
        name="net",
    )
    text = build_lines(keras_source(read_model(model)))
    for part in (
        'kernel_initializer="he_normal"',
        "bias_initializer=keras.initializers.RandomNormal(stddev=0.2)",
        "kernel_regularizer=keras.regularizers.L2()",
        "kernel_constraint=keras.constraints.MaxNorm(max_value=3)",
        "trainable=False",
    ):
        assert part in text


def one_layer(**training):
    x = entrance("x", (None, 2))
    kernel = np.array([[1.0, -0.5], [0.25, 2.0]], "float32")
    dense = Operation("Dense", "fc", {"units": 2, "use_bias": False}, {"kernel": kernel})
    return Network([x], [apply(dense, x, shape=(None, 2))], training=Training(**training))


@pytest.mark.parametrize(
    ("optimizer", "wanted"),
    [
        (Optimizer("SGD", {"learning_rate": 0.1, "momentum": 0.0}), "SGD(learning_rate=0.1)"),
        (
            Optimizer("SGD", {"learning_rate": 0.1, "momentum": 0.9, "formula": "torch"}),
            "SGD(learning_rate=0.1, momentum=0.9)",
        ),
        (
            Optimizer("Adam", {"learning_rate": 0.1, "epsilon": 1e-7, "clipnorm": 1.0}),
            "Adam(learning_rate=0.1, clipnorm=1.0)",
        ),
        (
            Optimizer(
                "SGD",
                {
                    "learning_rate": Schedule(
                        "ExponentialDecay",
                        {
                            "initial_learning_rate": 0.1,
                            "decay_steps": 5,
                            "decay_rate": 0.5,
                            "staircase": False,
                        },
                    )
                },
            ),
            "keras.optimizers.schedules.ExponentialDecay(\n"
            "            initial_learning_rate=0.1, decay_steps=5, decay_rate=0.5\n"
            "        )",
        ),
    ],
)
def test_optimizers(optimizer, wanted):
    network = one_layer(losses=[Loss("mean_squared_error")], optimizer=optimizer)
    assert f"{wanted}" in build_lines(keras_source(network))


def test_pytorchs_adam_is_in_the_program(tmp_path):
    settings = {"learning_rate": 0.1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
    optimizer = Optimizer("Adam", {**settings, "l2": 0.02, "formula": "torch"})
    loss = Loss("sparse_categorical_crossentropy", {"from_logits": True})
    network = one_layer(losses=[loss], optimizer=optimizer)
    source = keras_source(network)
    assert "class TorchAdam(keras.optimizers.Adam):" in source
    assert "optimizer=TorchAdam(" in source
    assert "epsilon=1e-8" in source
    assert ">>>" not in source
    assert "loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)" in source
    # weight_decay in the gradient is a penalty in Keras
    assert "kernel_regularizer=keras.regularizers.L2()" in source
    write_keras_files(network, tmp_path, module="cornu")
    program = runpy.run_path(str(tmp_path / "network.py"))
    model = program["load"]()
    model.fit(np.ones((4, 2), "float32"), np.zeros(4), epochs=1, verbose=0)
    assert type(model.optimizer).__name__ == "TorchAdam"


def test_class_weights_are_refused():
    loss = Loss("sparse_categorical_crossentropy", {"class_weight": [1.0, 2.0]})
    with pytest.raises(PortError, match="class_weight"):
        keras_source(one_layer(losses=[loss]))


def test_an_unknown_module_is_refused():
    with pytest.raises(ValueError, match="module='tensorflow'"):
        keras_source(one_layer(), "tensorflow")


# Real Keras takes them all: tests/parity/test_port_keras.py
@pytest.mark.parametrize("name", ["moons", "digits", "unet", "conv1d", "two_inputs"])
def test_the_program_is_the_network(name, tmp_path):
    model = networks.filled(getattr(networks, name)())
    network = read_model(model)
    network.name = name
    paths = write_keras_files(network, tmp_path, module="cornu")
    assert [path.name for path in paths] == [f"{name}.py", f"{name}.weights.h5", f"{name}.keras"]
    x = networks.batch(model)
    program = runpy.run_path(str(paths[0]))
    wanted = model(x if len(x) > 1 else x[0])
    for other in (program["load"](), cornu.saving.load_model(paths[2])):
        found = other(x if len(x) > 1 else x[0])
        np.testing.assert_allclose(np.asarray(found), np.asarray(wanted), atol=1e-5)


def test_large_constants_are_beside_the_program(tmp_path):
    inputs = L.Input((7, 4))
    h = L.Dense(4)(inputs + np.linspace(0, 1, 28).reshape(7, 4).astype("float32"))
    model = networks.filled(cornu.Model(inputs, h * np.float32([1, 2, 3, 4]), name="net"))
    paths = write_keras_files(read_model(model), tmp_path, module="cornu")
    assert paths[-1].name == "net.constants.npz"
    other = runpy.run_path(str(paths[0]))["load"]()
    x = networks.batch(model)[0]
    np.testing.assert_allclose(other(x), model(x), atol=1e-6)


def test_write_keras(tmp_path):
    model = networks.filled(networks.digits())
    path = write_keras(read_model(model), tmp_path / "digits.keras")
    x = networks.batch(model)[0]
    np.testing.assert_allclose(cornu.saving.load_model(path)(x), model(x), atol=1e-6)


def test_programs_are_formatted_and_clean(tmp_path):
    pytest.importorskip("ruff")
    for module in ("keras", "cornu"):
        for name in NETWORKS:
            model = getattr(networks, name)()
            model.compile("adam", "mse")
            source = keras_source(read_model(model), module)
            (tmp_path / f"{module}_{name}.py").write_text(source)
        inputs, other = L.Input((3,)), L.Input((3,))
        shared = L.Dense(3, activation="tanh", name="a_name_that_is_long_as_names_can_be")
        model = cornu.Model([inputs, other], [shared(inputs), shared(other), other * 2])
        model.compile("sgd", ["mse", "mae", "mse"], loss_weights=[1, 0.5, 1])
        (tmp_path / f"{module}_shared.py").write_text(keras_source(read_model(model), module))
    for arguments in (
        ("check", "--select", "E,F,W,I", "--line-length", "88"),
        ("format", "--diff"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--isolated", "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


def test_a_program_trains_when_it_is_run(tmp_path):
    model = networks.moons()
    model.compile(cornu.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    network = read_model(model)
    network.name = "moons"
    write_keras_files(network, tmp_path, module="cornu")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2)).astype("float32")
    np.savez(tmp_path / "data.npz", x=x, y=(x[:, 0] > 0).astype("int32"))
    done = subprocess.run(
        [sys.executable, "moons.py", "data.npz", "--epochs", "5"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "'accuracy': " in done.stdout
    assert float(done.stdout.split("'accuracy': ")[1].split(",")[0].split("}")[0]) > 0.8
