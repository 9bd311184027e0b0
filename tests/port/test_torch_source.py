"""The text of PyTorch programs: what stands where, as a person would have written it."""

import ast
import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import cornu
from cornu import layers as L
from cornu.port.heads import logits_out
from cornu.port.keras.read_model import read_model
from cornu.port.layout import change_layout
from cornu.port.network import Network, Operation, PortError, apply, entrance
from cornu.port.torch.source_optimizers import optimizer_source
from cornu.port.torch.write import (
    torch_source,
    torch_weights,
    weight_names,
    write_torch_files,
)
from cornu.port.training import Optimizer, Schedule

from .networks import NETWORKS, lenet, resnet18, unet


def source_of(model, **options):
    return torch_source(logits_out(change_layout(read_model(model), "channels_first")), **options)


def forward(text):
    """The lines of `forward`."""
    lines = text.split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith("    def forward"))
    end = next(i for i, line in enumerate(lines) if i > start and not line.startswith("     "))
    return [line.strip() for line in lines[start + 1 : end]]


def compiled(build):
    model = build()
    several = len(model.outputs) > 1
    model.compile("adam", ["mse"] * len(model.outputs) if several else "mse")
    return model


def classifier(*layers, loss="sparse_categorical_crossentropy", optimizer="sgd"):
    model = cornu.Sequential(layers)
    model.compile(optimizer, loss)
    return model


def test_lenet():
    model = cornu.Sequential(
        [
            L.Input((28, 28, 1)),
            L.Conv2D(6, 5, padding="same", activation="tanh", name="conv1"),
            L.AveragePooling2D(2),
            L.Conv2D(16, 5, activation="tanh", name="conv2"),
            L.AveragePooling2D(2),
            L.Flatten(),
            L.Dense(120, activation="tanh", name="fc1"),
            L.Dense(10, activation="softmax", name="fc2"),
        ],
        name="lenet",
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    text = source_of(model)
    assert "class Lenet(nn.Module):" in text
    assert "        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)\n" in text
    assert "        self.fc1 = nn.Linear(400, 120)\n" in text
    assert forward(text) == [
        "x = F.avg_pool2d(torch.tanh(self.conv1(x)), 2)",
        "x = F.avg_pool2d(torch.tanh(self.conv2(x)), 2)",
        "x = torch.flatten(x, 1)",
        "x = torch.tanh(self.fc1(x))",
        "return self.fc2(x)",
    ]
    assert "\nloss_function = nn.CrossEntropyLoss()\n" in text
    assert "return F.softmax(compute(model, x, batch_size, device), dim=1)" in text
    assert 'torch.from_numpy(data["x"]).float().permute(0, 3, 1, 2)' in text


def test_residual_block():
    inputs = x = L.Input((8, 8, 4))
    out = L.Conv2D(4, 3, padding="same", use_bias=False, name="conv1")(x)
    out = L.ReLU()(L.BatchNormalization(name="bn1")(out))
    out = L.Conv2D(4, 3, padding="same", use_bias=False, name="conv2")(out)
    out = L.BatchNormalization(name="bn2")(out)
    x = L.ReLU()(L.Add()([out, x]))
    out = L.BatchNormalization(name="bn3")(L.Conv2D(8, 1, strides=2, name="conv3")(x))
    short = L.BatchNormalization(name="bn4")(L.Conv2D(8, 1, strides=2, name="conv4")(x))
    x = L.ReLU()(L.Add()([out, short]))
    text = source_of(cornu.Model(inputs, L.GlobalAveragePooling2D()(x)))
    assert forward(text) == [
        "out = F.relu(self.bn1(self.conv1(x)))",
        "out = self.bn2(self.conv2(out))",
        "x = F.relu(out + x)",
        "out = self.bn3(self.conv3(x))",
        "identity = self.bn4(self.conv4(x))",
        "x = F.relu(out + identity)",
        "return x.mean((2, 3))",
    ]


def test_skip_connections():
    lines = forward(source_of(unet()))
    assert any(line.startswith("skip1 = ") for line in lines)
    assert any("torch.cat([x, skip1], 1)" in line for line in lines)


def test_no_needless_transposes():
    for build in NETWORKS:
        lines = forward(source_of(build()))
        moved = [line for line in lines if "permute(" in line or ".transpose(" in line]
        # an embedding has its features last, a convolution wants them first
        allowed = {"two_inputs": 1, "conv1d": 1}.get(build.__name__, 0)
        assert len(moved) <= allowed, (build.__name__, moved)


@pytest.mark.parametrize("build", NETWORKS, ids=lambda build: build.__name__)
def test_is_python_and_needs_only_torch(build):
    for model in (build(), compiled(build)):
        tree = ast.parse(source_of(model))
        modules = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        modules |= {
            node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
        }
        known = {"argparse", "math", "bisect", "pathlib", "numpy", "torch", "safetensors"}
        assert modules <= known, modules


PROGRAMS = {
    **{build.__name__: lambda build=build: compiled(build) for build in NETWORKS},
    "forward": lenet,
    "penalties": lambda: classifier(
        L.Input((9,)),
        L.Dense(8, kernel_regularizer="l1l2", bias_regularizer="l2", kernel_constraint="max_norm"),
        L.GaussianNoise(0.1),
        L.ActivityRegularization(l2=0.1),
        L.Dense(3, activation="softmax"),
        optimizer=cornu.optimizers.RMSprop(momentum=0.5, centered=True, global_clipnorm=1.0),
    ),
    "schedule": lambda: classifier(
        L.Input((9,)),
        L.Dense(3, activation="sigmoid"),
        loss=cornu.losses.BinaryFocalCrossentropy(label_smoothing=0.1),
        optimizer=cornu.optimizers.SGD(
            cornu.optimizers.schedules.CosineDecayRestarts(0.1, 10, m_mul=0.9, alpha=0.1),
            momentum=0.9,
            weight_decay=0.1,
            clipnorm=1.0,
        ),
    ),
}


@pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="ruff is not installed")
def test_lint_and_format(tmp_path):
    for name, build in PROGRAMS.items():
        model = build()
        (tmp_path / f"{name}.py").write_text(source_of(model))
        (tmp_path / f"{name}_pt.py").write_text(source_of(model, weights="weights.pt"))
    for arguments in (
        ["check", "--isolated", "--select", "E,F,W,I,UP,B", "."],
        ["format", "--isolated", "--diff", "."],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, "--no-cache"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


# -- weights ---------------------------------------------------------------------------------------


def test_weights_are_laid_out_as_torch_has_them():
    model = cornu.Sequential(
        [
            L.Input((8, 8, 3)),
            L.Conv2D(6, (3, 2), name="conv"),
            L.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise"),
            L.Conv2DTranspose(4, 2, strides=2, name="up"),
            L.BatchNormalization(name="norm", scale=False),
            L.Flatten(),
            L.Dense(5, name="fc"),
        ]
    )
    network = change_layout(read_model(model), "channels_first")
    state = torch_weights(network)
    assert {name: array.shape for name, array in state.items()} == {
        "conv.weight": (6, 3, 3, 2),
        "conv.bias": (6,),
        "depthwise.weight": (12, 1, 3, 3),
        "depthwise.bias": (12,),
        "up.weight": (12, 4, 2, 2),
        "up.bias": (4,),
        "norm.weight": (4,),
        "norm.bias": (4,),
        "norm.running_mean": (4,),
        "norm.running_var": (4,),
        "norm.num_batches_tracked": (),
        "fc.weight": (5, state["fc.weight"].shape[1]),
        "fc.bias": (5,),
    }
    kernel = model.layers[1].kernel.numpy()
    assert np.array_equal(state["depthwise.weight"][2 * 1 + 1, 0], kernel[:, :, 1, 1])
    named = weight_names(network)
    assert not {"norm.num_batches_tracked", "norm.weight"} & named.keys()
    assert named["norm.bias"][1] == "beta"
    text = torch_source(network)
    assert "self.norm.weight.requires_grad_(False)" in text


def test_names_that_modules_have_already():
    x = entrance("x", (None, 3))
    settings = {"units": 2, "use_bias": False}
    kernel = {"kernel": np.ones((3, 2), "float32")}
    made = apply(Operation("Dense", "train", settings, kernel), x, shape=(None, 2))
    network = Network([x], [made])
    assert list(torch_weights(network)) == ["train_1.weight"]
    assert "return self.train_1(x)" in torch_source(network)


def test_names_that_the_program_has_already(tmp_path):
    pytest.importorskip("safetensors")
    one, two = entrance("torch", (None, 3)), entrance("x", (None, 3))
    made = apply(Operation("add", "plus"), one, two, shape=(None, 3))
    network = Network([one, two], [made], "torch", ["a/b"])
    text = torch_source(network)
    assert "def forward(self, torch_1, x):\n        return torch_1 + x\n" in text
    assert "a_b=outputs.numpy()" in text
    program, weights = write_torch_files(network, tmp_path / "new")
    assert program.name == "torch_net.py"
    assert program.read_text() == text
    assert weights.exists()


# -- training --------------------------------------------------------------------------------------


def test_defaults_are_translated():
    text = source_of(compiled(resnet18))
    assert "# Keras' momentum 0.99 is 0.01 in PyTorch, whose running variance is unbiased" in text
    assert "eps=0.001, momentum=0.01)" in text
    assert "KerasAdam(model.parameters(), lr=0.001, betas=(0.9, 0.999), eps=1e-7)" in text


def test_formula_of_torch_needs_no_class():
    settings = {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
    made = optimizer_source(Optimizer("Adam", {**settings, "l2": 0.1, "formula": "torch"}))
    assert not made.classes
    assert made.make == (
        "torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.9, 0.999), eps=1e-8, "
        "weight_decay=0.1)"
    )


def test_penalty_stands_beside_the_loss():
    text = source_of(PROGRAMS["penalties"]())
    assert "loss = loss_function(output, target) + penalty(model)" in text
    assert "            constrain(model)\n" in text
    assert "            clip_gradients(model)\n" in text


# -- refusals --------------------------------------------------------------------------------------


def test_refusals():
    x = entrance("x", (None, 3, 8, 8))

    def refused(kind, name, match, shape=(None, 3, 8, 8), **settings):
        made = apply(Operation(kind, name, settings, place="layer (file.py:3)"), x, shape=shape)
        with pytest.raises(PortError, match=match) as error:
            torch_source(Network([x], [made]))
        assert name in str(error.value)
        assert "file.py:3" in str(error.value)

    first = {"data_format": "channels_first"}
    refused("UpSampling2D", "up", "bicubic", size=(2, 2), interpolation="bicubic", **first)
    refused("activation", "act", "sparsemax", function="sparsemax")
    refused("get_item", "item", "backwards", key=(slice(None), slice(None, None, -1)))
    refused("AlphaDropout", "drop", "never switched off", rate=0.1, training=True)


def test_refuses_open_sizes_that_padding_depends_on():
    inputs = L.Input((None, None, 3))
    model = cornu.Model(inputs, L.Conv2D(2, 3, strides=2, padding="same", name="down")(inputs))
    with pytest.raises(PortError, match="'down' has padding='same' with strides=2"):
        source_of(model)


def test_refuses_optimizers_that_torch_lacks():
    settings = {"learning_rate": 0.1}
    with pytest.raises(PortError, match="Ftrl has no counterpart in PyTorch"):
        optimizer_source(Optimizer("Ftrl", dict(settings)))
    with pytest.raises(PortError, match="use_ema"):
        optimizer_source(Optimizer("SGD", {**settings, "use_ema": True}))
    with pytest.raises(PortError, match="schedule Mine"):
        optimizer_source(Optimizer("SGD", {"learning_rate": Schedule("Mine")}))
