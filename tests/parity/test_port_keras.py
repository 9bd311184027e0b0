"""Generated Keras programs, run by real Keras."""

import os
import runpy
import subprocess
import sys

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import cornu  # noqa: E402
from cornu.port.keras.read_model import read_model  # noqa: E402
from cornu.port.keras.write_keras import write_keras_files  # noqa: E402
from cornu.port.numpy.write import write_numpy  # noqa: E402
from cornu.port.training import Loss, Optimizer, Training  # noqa: E402

from ..port import networks  # noqa: E402
from ..port.test_keras_source import NETWORKS  # noqa: E402


@pytest.mark.parametrize("name", NETWORKS)
def test_keras_has_the_same_outputs(name, tmp_path):
    model = networks.filled(getattr(networks, name)())
    network = read_model(model)
    network.name = name
    program, _, whole = write_keras_files(network, tmp_path)
    x = networks.batch(model)
    given = x if len(x) > 1 else x[0]
    for other in (runpy.run_path(str(program))["load"](), keras.saving.load_model(whole)):
        found = keras.ops.convert_to_numpy(other(given, training=False))
        np.testing.assert_allclose(found, np.asarray(model(given)), atol=1e-5)


def batches(rows=8, steps=20):
    rng = np.random.default_rng(0)
    for _ in range(steps):
        yield rng.normal(size=(rows, 6)).astype("float32"), rng.integers(0, 3, rows)


@pytest.mark.parametrize("formula", [None, "torch"])
@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adamax"])
def test_keras_takes_the_same_steps(kind, formula, tmp_path):
    """The program in Keras and that in NumPy: of two frameworks with one formula."""
    model = networks.filled(
        cornu.Sequential([cornu.Input((6,)), cornu.layers.Dense(8, "tanh"), cornu.layers.Dense(3)])
    )
    network = read_model(model)
    settings = {
        "SGD": {"momentum": 0.9, "nesterov": True},
        "Adam": {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3},
        "AdamW": {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3, "weight_decay": 0.1},
        "RMSprop": {"rho": 0.9, "momentum": 0.5, "epsilon": 1e-3},
        "Adagrad": {"initial_accumulator_value": 0.0, "epsilon": 1e-3},
        "Adamax": {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3},
    }[kind]
    if formula == "torch" and kind not in ("AdamW",):
        settings["l2"] = 0.01
    network.training = Training(
        [Loss("sparse_categorical_crossentropy", {"from_logits": True})],
        Optimizer(kind, {"learning_rate": 0.01, "formula": formula, **settings}),
    )
    network.name = "net"
    program, *_ = write_keras_files(network, tmp_path)
    other = runpy.run_path(str(program))["load"]()
    module = write_numpy(network, "float64")
    for x, y in batches():
        other.train_on_batch(x, y)
        module.optimizer.step(module.gradients_of_loss(module.network, x, y)[2])
    for weight, (key, wanted) in zip(other.weights, module.network.parameters.items(), strict=True):
        found = keras.ops.convert_to_numpy(weight.value)
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=2e-5, err_msg=key)


def test_the_program_runs_alone(tmp_path):
    model = networks.moons()
    model.compile(cornu.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    network = read_model(model)
    network.name = "moons"
    write_keras_files(network, tmp_path)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2)).astype("float32")
    np.savez(tmp_path / "data.npz", x=x, y=(x[:, 0] > 0).astype("int32"))
    code = (
        "import sys, runpy; sys.modules['cornu'] = None; "
        "sys.argv = ['moons.py', 'data.npz', '--epochs', '5']; "
        "runpy.run_path('moons.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.split("'accuracy': ")[1].split(",")[0].split("}")[0]) > 0.8
