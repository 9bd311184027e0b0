"""Programs written for Keras, run until they train: what is found in them, and what is not run."""

import subprocess
import sys
import textwrap

import pytest

from cornu.check.programs import check_program, framework_of
from cornu.check.read_keras import read_keras_program
from cornu.check.stand_ins import stand_ins

HEAD = """
import numpy as np
import keras
from keras import layers
x = np.random.default_rng(0).normal(size=(90, 4)).astype("float32")
y = np.arange(90) % 3
"""


@pytest.fixture
def program(tmp_path):
    def write(text, head=HEAD):
        path = tmp_path / "program.py"
        path.write_text(head + textwrap.dedent(text))
        return path

    return write


RIGHT = """
model = keras.Sequential([
    layers.Dense(8, activation="relu", input_shape=(4,)),
    layers.Dense(3, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
print("before")
model.fit(x, y, epochs=50, batch_size=10, validation_split=0.1, verbose=0)
open("trained", "w")
"""


def test_a_program_is_run_up_to_its_first_fit(program, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    reading = read_keras_program(program(RIGHT))
    assert reading.reached_training
    assert reading.error is None
    assert reading.output == "before\n"
    assert capsys.readouterr().out == ""
    assert not (tmp_path / "trained").exists()
    (facts,) = reading.facts
    assert facts.framework == "keras"
    training = facts.training
    assert (training.rows, training.batch_size, training.epochs) == (81, 10, 50)
    assert training.has_validation
    assert training.validation_split == 0.1
    assert (
        training.place.line
        == facts.source.text.splitlines().index(
            "model.fit(x, y, epochs=50, batch_size=10, validation_split=0.1, verbose=0)"
        )
        + 1
    )
    assert facts.outputs[0].classes == 3
    assert facts.probe.rates


def test_train_on_batch_is_training_too(program):
    text = RIGHT.replace("model.fit(x, y, epochs=50", "model.train_on_batch(x[:10], y[:10])\n#")
    reading = read_keras_program(program(text))
    assert reading.reached_training
    assert reading.facts[0].training.rows == 10


def test_what_a_program_is_given(program):
    text = """
    import sys
    layers.Dense(int(sys.argv[1]))
    assert __name__ == "__main__"
    print(sys.argv[1:])
    """
    reading = read_keras_program(program(text), ["3"])
    assert reading.error is None
    assert reading.output == "['3']\n"
    assert not reading.reached_training


def test_layers_that_are_not_computed_yet_are_known_by_their_shapes(program):
    text = """
    model = keras.Sequential([
        layers.Embedding(100, 16),
        layers.Bidirectional(layers.LSTM(8, return_sequences=True)),
        layers.TimeDistributed(layers.Dense(5)),
        layers.GRU(4),
        layers.Dense(3, activation="softmax"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.ones((90, 12), "int32"), y)
    """
    reading = read_keras_program(program(text))
    assert reading.error is None
    shapes = [o.shape for o in reading.facts[0].operations if not o.fused]
    assert shapes == [
        *((None, 12), (None, 12, 16), (None, 12, 16), (None, 12, 5), (None, 4), (None, 3)),
    ]


APPLICATION = """
base = keras.applications.VGG16(include_top=False, weights="imagenet", input_shape=(64, 64, 3))
base.trainable = False
h = layers.Flatten()(base.output)
model = keras.Model(base.input, layers.Dense(3, activation="softmax")(h))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(keras.applications.vgg16.preprocess_input(np.ones((90, 64, 64, 3))), y)
"""


def test_a_pretrained_base_is_known_by_its_shape(program):
    reading = read_keras_program(program(APPLICATION))
    assert reading.error is None
    assert [o.shape for o in reading.facts[0].operations if not o.fused] == [
        *((None, 64, 64, 3), (None, 2, 2, 512), (None, 2048), (None, 3))
    ]


def test_stand_ins_are_gone_afterwards():
    import cornu

    with stand_ins():
        before = cornu.layers.Dense
        assert cornu.layers.Dense is before
    assert "SpectralNormalization" not in vars(cornu.layers)


def test_labels_that_do_not_fit_are_found_not_raised(program):
    text = RIGHT.replace("model.fit(x, y,", "model.fit(x, y + 1,")
    found, reading = check_program(program(text))
    assert reading.reached_training
    assert "C108" in found.codes
    assert "C001" not in found.codes


def test_an_error_of_the_program_is_told_at_its_line(program):
    found, _ = check_program(program("n = 3\nmodel = undefined(n)\n"))
    assert found.codes == ["C001"]
    assert found[0].place.line == len(HEAD.splitlines()) + 2
    assert "undefined" in found[0].message


def test_a_missing_file_is_no_fault_of_the_program(program):
    found, reading = check_program(program("open('no such file.csv')\n"))
    assert found.codes == ["C002"]
    assert found[0].severity == "note"
    assert not reading.reached_training


def test_what_was_compiled_before_an_error_is_checked(program):
    text = RIGHT.replace('print("before")', "model.summary()\nraise OSError('no data')").replace(
        '"softmax"', '"linear"'
    )
    found, _ = check_program(program(text))
    assert {"C002", "C103"} <= set(found.codes)


@pytest.mark.parametrize(
    ("text", "framework"),
    [
        ("import keras", "keras"),
        ("from tensorflow.keras.layers import Dense", "keras"),
        ("import cornu as keras", "keras"),
        ("from torch import nn", "torch"),
        ("import torch, keras\nmodel.fit(x)", "keras"),
        ("import torch, keras\nloss.backward()", "torch"),
        ("import numpy", None),
    ],
)
def test_the_framework_is_what_is_imported(text, framework):
    assert framework_of(text) == framework


def run_check(*arguments, folder):
    return subprocess.run(
        [sys.executable, "-m", "cornu", "check", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=300,
    )


def test_the_command(program, tmp_path):
    wrong = program(RIGHT.replace('"softmax"', '"linear"'))
    result = run_check(wrong, "--no-measure", "--ignore", "C4", folder=tmp_path)
    assert result.returncode == 1, result.stderr
    first, *_, last = result.stdout.splitlines()
    assert first.startswith("program.py:")
    assert "C103 error" in first
    assert "1 error" in last
    assert run_check("nothing.py", folder=tmp_path).returncode == 2


def test_explain(tmp_path):
    result = run_check("--explain", "C103", folder=tmp_path)
    assert result.returncode == 0
    assert "C103" in result.stdout
    assert "Why it hurts" in result.stdout
    listed = run_check("--explain", "all", folder=tmp_path).stdout
    assert "logits-as-probabilities" in listed
    unknown = run_check("--explain", "C999", folder=tmp_path)
    assert unknown.returncode == 2
    assert "--explain all" in unknown.stderr


TENSORFLOW = """
import tensorflow as tf
from sklearn.datasets import load_iris
x, y = load_iris(return_X_y=True)
"""


def test_a_program_may_ask_tensors_for_their_values(program):
    head = "import keras, numpy as np\nfrom keras import layers\nx, y = np.eye(4), np.eye(4)\n"
    text = """
    model = keras.Sequential([layers.Dense(8, "relu", input_dim=4), layers.Dense(4, "softmax")])
    print(model(x[:1].astype("float32")).numpy())
    model.compile("adam", "categorical_crossentropy")
    model.fit(x, y, epochs=100)
    """
    _, reading = check_program(program(text, head))
    assert reading.error is None
    assert reading.reached_training


def test_what_cornu_lacks_of_tensorflow_is_no_fault_of_the_program(program):
    found, _ = check_program(program("tf.raw_ops.Add(x=1, y=2)", TENSORFLOW))
    assert [(one.code, one.severity) for one in found] == [("C002", "note")]


def test_a_network_with_every_layer_frozen(program):
    text = """
    model = keras.Sequential([layers.Dense(8, "relu", input_dim=4), layers.Dense(3, "softmax")])
    FREEZE
    model.compile("adam", "sparse_categorical_crossentropy")
    AFTERWARDS
    model.fit(x, y, epochs=50)
    """
    freeze = "model.trainable = False"
    found, _ = check_program(program(text.replace("FREEZE", freeze).replace("AFTERWARDS", "")))
    assert ("C415", "error") in [(one.code, one.severity) for one in found]
    # as a GAN does with its discriminator: Keras 2 goes on training what it compiled
    found, _ = check_program(program(text.replace("FREEZE", "").replace("AFTERWARDS", freeze)))
    assert "C415" not in found.codes


def test_text_as_labels(program):
    found, _ = check_program(program(RIGHT, HEAD + 'y = np.array(["a", "b", "c"])[y]\n'))
    assert [(one.code, one.place.line) for one in found.errors] == [("C110", 15)]


def test_fit_trains_for_one_epoch_unless_told_otherwise(program):
    text = RIGHT.replace("epochs=50, ", "")
    reading = read_keras_program(program(text))
    assert reading.facts[0].training.epochs == 1
    once = RIGHT.replace("model.fit(x, y, epochs=50", "model.train_on_batch(x[:10], y[:10])\n#")
    assert read_keras_program(program(once)).facts[0].training.epochs is None
