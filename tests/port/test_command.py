"""`cornu port` in a shell: files, table, proof, exit status, and what it says where it cannot."""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest

from cornu.cli import main

PROGRAM = """
import keras
from keras import layers

def build():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="conv"),
            layers.BatchNormalization(name="bn"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax", name="out"),
        ],
        name="tiny",
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model

def sized(units):
    return keras.Sequential([keras.Input((3,)), layers.Dense(units)])

def masked():
    return keras.Sequential(
        [keras.Input((3,)), layers.Embedding(5, 2, mask_zero=True, name="words"), layers.Dense(1)]
    )

number = 3

raise_if_run = __name__ == "__main__" and 1 / 0
"""

pytestmark = pytest.mark.usefixtures("own_keras_names")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(PROGRAM)
    return tmp_path


def test_to_numpy(folder, capsys):
    assert main(["port", "net.py:build", "--to", "numpy", "-o", "out", "--steps", "3"]) == 0
    printed = capsys.readouterr().out
    assert "are the same network" in printed
    assert "the softmax moved from the network into the loss" in " ".join(printed.split())
    assert {path.name for path in (folder / "out").iterdir()} == {
        *("tiny.py", "tiny.npz", "proof.json", "PORT.md")
    }
    proof = json.loads((folder / "out" / "proof.json").read_text())
    assert proof["same"]
    assert {part["dtype"] for part in proof["parts"]} == {"float32", "float64"}
    data = folder / "data.npz"
    x = np.random.default_rng(0).normal(size=(40, 8, 8, 2)).astype("float32")
    np.savez(data, x=x, y=np.arange(40) % 3)
    done = subprocess.run(
        [sys.executable, "out/tiny.py", str(data), "--epochs", "2"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_to_cornu_as_json(folder, capsys):
    assert main(["port", "net.py:build", "--to", "cornu", "--format", "json", "--steps", "2"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["source"], report["target"], report["differences"]) == ("keras", "cornu", [])
    assert report["proof"]["same"]
    assert (folder / "tiny-cornu" / "tiny.keras").is_file()


def test_data_of_the_user(folder, capsys):
    x = np.random.default_rng(0).normal(size=(20, 8, 8, 2)).astype("float32")
    np.savez("data.npz", x=x, y=np.arange(20) % 3)
    arguments = ["--steps", "2", "--data", "data.npz", "-o", "out"]
    assert main(["port", "net.py:build", "--to", "numpy", *arguments]) == 0
    capsys.readouterr()
    np.savez("wrong.npz", images=np.ones(3))
    assert main(["port", "net.py:build", "--to", "numpy", "--data", "wrong.npz"]) == 2
    assert "wrong.npz has no array x; it has images" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["net.py:build"], "say where to: --to torch"),
        (["net.py", "--to", "numpy"], "Name the function that makes the network: net.py:build"),
        (
            ["net.py:nothing", "--to", "numpy"],
            "net.py has no 'nothing'. It has build, masked, sized",
        ),
        (["net.py:sized", "--to", "numpy"], "net.py:sized needs units"),
        (["net.py:number", "--to", "numpy"], "gives int, which is no network"),
        (["net.py:masked", "--to", "numpy"], "mask_zero=True"),
        (["none.keras", "--to", "numpy"], "there is no file 'none.keras'"),
        (["weights.npz", "--to", "numpy"], "holds weights and no network"),
        (["notes.txt", "--to", "numpy"], "notes.txt is no network"),
    ],
)
def test_says_what_is_wrong(folder, capsys, arguments, sentence):
    (folder / "weights.npz").write_bytes(b"")
    (folder / "notes.txt").write_text("")
    assert main(["port", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("cornu port: ")
    assert sentence in error
    assert not list(folder.glob("*-numpy"))


def test_place_of_what_cannot_be_carried(folder, capsys):
    main(["port", "net.py:masked", "--to", "numpy"])
    assert "net.py:24" in capsys.readouterr().err


def test_weights_into_a_program(folder, capsys):
    main(["port", "net.py:build", "--to", "cornu", "--no-proof", "-o", "one"])
    capsys.readouterr()
    weights = "one/tiny.weights.h5"
    assert main(["port", weights, "--into", "net.py:build", "-o", "again.keras"]) == 0
    assert "conv/kernel" in capsys.readouterr().out
    from cornu.saving import load_model

    for one, two in zip(
        load_model("one/tiny.keras").get_weights(),
        load_model("again.keras").get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(("to", "package"), [("torch", "torch"), ("onnx", "onnx")])
def test_says_what_is_not_installed(folder, capsys, monkeypatch, to, package):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == package else found(name)
    )
    assert main(["port", "net.py:build", "--to", to]) == 2
    assert f'pip install "cornu[{to}]"' in capsys.readouterr().err
    assert not list(folder.glob(f"*-{to}"))
