"""Experiments run in real frameworks, each in a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cornu.cli import main
from cornu.compare.experiments import mnist_mlp
from cornu.compare.programs import write_same_start
from cornu.port.keras.read_model import read_model

pytest.importorskip("torch")
pytest.importorskip("keras")
pytest.importorskip("sklearn")

SMALL = """
import numpy as np
import cornu
from cornu.compare import Data, Experiment

def build():
    model = cornu.Sequential([
        cornu.Input((3,)),
        cornu.layers.Dense(8, activation="tanh"),
        cornu.layers.Dropout(0.3),
        cornu.layers.Dense(4, activation="softmax"),
    ], name="small")
    model.compile(cornu.optimizers.{optimizer}, "sparse_categorical_crossentropy",
                  metrics=["accuracy"])
    return model

def data(rows):
    x = np.random.default_rng(0).normal(size=(90, 3)).astype("float32")
    y = np.abs(x).argmax(axis=1) + (x[:, 0] > 0)
    return Data((x[:50], y[:50]), (x[50:], y[50:]))

experiment = Experiment("small", build, data, epochs=3, batch_size=16, seeds=2,
                        programs={programs})
"""


def compared(tmp_path, *arguments):
    """The exit status and the results of a comparison."""
    folder = tmp_path / "results"
    status = main(["compare", *map(str, arguments), "-o", str(folder)])
    return status, json.loads((folder / "results.json").read_text())


def experiment(tmp_path, programs=None, optimizer="Adam(0.01)"):
    file = tmp_path / "small.py"
    file.write_text(SMALL.format(programs=programs or {}, optimizer=optimizer))
    return file


def verdicts(results, dtype="float64"):
    frameworks = results["same_start"]["dtypes"][dtype]["frameworks"]
    return {name: one["verdict"] for name, one in frameworks.items() if "verdict" in one}


def torch_program(tmp_path, read, change):
    """The PyTorch program of a network, changed as somebody might have written it."""
    written = write_same_start(read, "torch", tmp_path / "written")
    text = written.file.read_text()
    changed = change(text)
    assert changed != text
    file = tmp_path / "own_torch.py"
    file.write_text(changed)
    return file


def test_moons_lie_on_each_other_for_the_whole_run(tmp_path):
    status, results = compared(
        tmp_path, "moons", "--with", "torch,keras,numpy", "--mode", "same-start"
    )
    assert status == 0
    run = results["same_start"]["dtypes"]["float64"]
    assert run["steps"] == 5800
    for name in ("torch", "keras", "numpy"):
        verdict = verdicts(results)[name]
        assert verdict["kind"] == "same", verdict
        assert verdict["largest"] < 1e-8
        ends = run["frameworks"][name]["epochs"], run["frameworks"]["cornu"]["epochs"]
        assert ends[0]["val_loss"][-1] == pytest.approx(ends[1]["val_loss"][-1], rel=1e-8)
        in_float32 = verdicts(results, "float32")[name]
        assert in_float32["same"]
        assert in_float32["largest"] < 1e-4


@pytest.mark.skipif("CORNU_DATA" not in os.environ, reason="needs MNIST: CORNU_DATA is not set")
def test_a_dense_network_on_mnist_lies_on_the_others(tmp_path):
    status, results = compared(
        *(tmp_path, "mnist-mlp", "--with", "torch,keras,numpy", "--mode", "same-start"),
        *("--rows", 8050, "--epochs", 2, "--dtypes", "float64"),
    )
    assert status == 0
    for name in ("torch", "keras", "numpy"):
        assert verdicts(results)[name]["kind"] == "same"
        assert verdicts(results)[name]["largest"] < 1e-8


@pytest.mark.skipif("CORNU_DATA" not in os.environ, reason="needs MNIST: CORNU_DATA is not set")
def test_softmax_twice_parts_at_the_first_step_at_the_loss(tmp_path):
    own = torch_program(
        tmp_path,
        lambda: read_model(mnist_mlp.build()),
        lambda text: text.replace(
            "return self.dense_2(x)", "return F.softmax(self.dense_2(x), dim=1)"
        ),
    )
    status, results = compared(
        *(tmp_path, "mnist-mlp", "--with", "torch,numpy", "--mode", "same-start"),
        *("--rows", 500, "--epochs", 1, "--program", f"torch={own}"),
    )
    assert status == 1
    for dtype in ("float64", "float32"):
        verdict = verdicts(results, dtype)["torch"]
        assert (verdict["kind"], verdict["step"]) == ("different", 1)
        assert verdict["place"] == "the loss"
        assert "softmax twice" in verdict["cause"]
        assert verdicts(results, dtype)["numpy"]["same"]


@pytest.mark.parametrize(
    ("wrong", "place", "cause"),
    [
        # PyTorch's own Adam, whose epsilon counts after the second moment is corrected
        (
            lambda text: text.replace("return KerasAdam(", "return torch.optim.Adam("),
            "the optimizer",
            "the optimizers differ",
        ),
        (lambda text: text.replace("lr=0.01", "lr=0.02"), "the optimizer", "learning_rate"),
        (lambda text: text.replace("torch.tanh(", "torch.sigmoid("), "the layer", "tanh"),
    ],
    ids=["epsilon", "learning rate", "activation"],
)
def test_a_program_that_is_another_is_told_with_its_cause(tmp_path, wrong, place, cause):
    file = experiment(tmp_path)
    namespace: dict = {}
    exec(file.read_text(), namespace)
    own = torch_program(tmp_path, lambda: read_model(namespace["build"]()), wrong)
    status, results = compared(
        *(tmp_path, file, "--with", "torch", "--mode", "same-start"),
        *("--program", f"torch={own}", "--dtypes", "float64"),
    )
    verdict = verdicts(results)["torch"]
    assert status == 1
    assert verdict["kind"] == "different"
    assert verdict["step"] == (1 if "tanh" in cause else 2)
    assert place in verdict["place"]
    assert cause in verdict["cause"]


LOGITS = """
import numpy as np
import cornu
from cornu.compare import Data, Experiment

def build():
    model = cornu.Sequential([
        cornu.Input((3,)),
        cornu.layers.Dense(8),
        cornu.layers.BatchNormalization(),
        cornu.layers.Activation("relu"),
        cornu.layers.Dense(1),
    ], name="logits")
    model.compile("sgd", cornu.losses.BinaryCrossentropy(from_logits=True))
    return model

def data(rows):
    x = np.random.default_rng(0).normal(size=(90, 3)).astype("float32")
    y = (x.sum(axis=1) > 0).astype("int64")
    return Data((x[:50], y[:50]), (x[50:], y[50:]))

experiment = Experiment("logits", build, data, epochs=2, batch_size=16, seeds=1)
"""


def test_logits_and_batch_normalization(tmp_path):
    file = tmp_path / "logits.py"
    file.write_text(LOGITS)
    status, results = compared(tmp_path, file, "--with", "torch,keras,numpy")
    assert status == 0
    frameworks = results["same_start"]["dtypes"]["float64"]["frameworks"]
    for name in ("torch", "keras", "numpy"):
        assert verdicts(results)[name]["kind"] == "same", verdicts(results)[name]
    # PyTorch's running variances are n / (n - 1) times larger, so its validation is its own
    for name in ("keras", "numpy"):
        for figure in ("val_loss", "val_accuracy"):
            ours, theirs = (frameworks[f]["epochs"][figure] for f in ("cornu", name))
            assert theirs == pytest.approx(ours, rel=1e-8)
    for one in results["own_habits"]["frameworks"].values():
        assert all(0.5 <= wrong["probability"] <= 1 for wrong in one["wrong"])


def test_a_keras_program_of_ones_own_is_without_dropout_too(tmp_path):
    file = experiment(tmp_path)
    namespace: dict = {}
    exec(file.read_text(), namespace)
    from cornu.port.keras.write_keras import write_keras_files

    own = write_keras_files(read_model(namespace["build"]()), tmp_path / "own")[0]
    assert "Dropout(0.3)" in own.read_text()
    status, results = compared(
        *(tmp_path, file, "--with", "keras", "--mode", "same-start"),
        *("--program", f"keras={own}", "--dtypes", "float64"),
    )
    assert (status, verdicts(results)["keras"]["kind"]) == (0, "same")


def test_every_framework_by_its_own_habits(tmp_path):
    file = experiment(tmp_path, optimizer="SGD(0.1)")
    status, results = compared(tmp_path, file, "--with", "torch,keras,numpy,sklearn")
    assert status == 0
    found = {one["name"]: one for one in results["frameworks"]}
    # scikit-learn has no dropout, and says so
    assert found["sklearn"]["status"] == "skipped"
    assert "dropout" in found["sklearn"]["reason"].lower()
    own = results["own_habits"]["frameworks"]
    assert list(own) == ["cornu", "torch", "keras", "numpy"]
    for one in own.values():
        assert [run["seed"] for run in one["runs"]] == [0, 1]
        for run in one["runs"]:
            for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
                assert np.isfinite(run["history"][name]).all()
                assert len(run["history"][name]) == 3
        assert np.sum(one["confusion"]) == 40
        right = np.trace(one["confusion"]) / 40
        assert right == pytest.approx(one["runs"][0]["test"]["accuracy"])
        assert all(value > 0 for value in one["timing"].values())
    # different seeds start differently, in each framework
    for one in own.values():
        first, second = (run["history"]["loss"][0] for run in one["runs"])
        assert first != second
    # what port's programs are, not what somebody wrote for this
    texts = {one["framework"]: one["text"] for one in results["programs"]}
    assert "nn.Dropout(0.3)" in texts["torch"]
    assert "import keras" in texts["keras"]
    assert (tmp_path / "results" / "report.html").stat().st_size > 10_000


def test_what_is_finished_is_not_run_again(tmp_path, capsys):
    file = experiment(tmp_path)
    own = tmp_path / "numpy_program.py"
    own.write_text("import numpy\nraise RuntimeError('the moon is full')\n")
    settings = ("--with", "numpy,torch", "--mode", "own-habits")
    status, results = compared(tmp_path, file, *settings, "--program", f"numpy={own}")
    assert status == 1
    found = {one["name"]: one for one in results["frameworks"]}
    assert found["numpy"]["status"] == "failed"
    assert any("the moon is full" in line for line in found["numpy"]["last_lines"])
    assert [found[name]["status"] for name in ("cornu", "torch")] == ["finished"] * 2
    assert list(results["own_habits"]["frameworks"]) == ["cornu", "torch"]
    assert "the moon is full" in capsys.readouterr().out

    results_of = tmp_path / "results" / "runs" / "torch-own-habits" / "result.json"
    written = results_of.stat().st_mtime_ns
    status, results = compared(tmp_path, file, *settings)
    assert status == 0
    found = {one["name"]: one for one in results["frameworks"]}
    assert [found[name]["resumed"] for name in ("cornu", "numpy", "torch")] == [True, False, True]
    assert results_of.stat().st_mtime_ns == written
    # what is asked for is another thing now
    _, results = compared(tmp_path, file, *settings, "--epochs", 2)
    assert not any(one["resumed"] for one in results["frameworks"])
    assert results_of.stat().st_mtime_ns != written


@pytest.mark.skipif(sys.platform == "win32", reason="interrupts are sent otherwise there")
def test_an_interrupted_comparison_goes_on(tmp_path):
    file = experiment(tmp_path)
    folder = tmp_path / "results"
    command = [sys.executable, "-m", "cornu", "compare", str(file), "--with", "torch,numpy"]
    command += ["--mode", "own-habits", "-o", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finished = folder / "runs" / "cornu-own-habits" / "key.json"
    limit = time.monotonic() + 120
    while not finished.is_file() and time.monotonic() < limit and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not (folder / "results.json").exists()
    status, results = compared(tmp_path, file, "--with", "torch,numpy", "--mode", "own-habits")
    assert status == 0
    assert next(one for one in results["frameworks"] if one["name"] == "cornu")["resumed"]


def test_programs_run_on_their_own(tmp_path):
    file = experiment(tmp_path)
    compared(tmp_path, file, "--with", "torch,numpy", "--mode", "own-habits")
    x = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(20) % 4)
    for framework in ("torch", "numpy"):
        folder = tmp_path / "results" / "programs" / framework
        alone = tmp_path / "alone" / framework
        shutil.copytree(folder, alone)
        command = [sys.executable, str(next(Path(alone).glob("*.py"))), str(tmp_path / "data.npz")]
        done = subprocess.run(
            [*command, "--epochs", "1"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "accuracy" in done.stdout
