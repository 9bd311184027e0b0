"""`summary()` without Keras: numbers, kinds of models, bad arguments, the terminal's width."""

import sys

import numpy as np
import pytest

import cornu
from cornu import layers, ops


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "130")


def _text(model, **kwargs):
    texts = []
    assert model.summary(print_fn=texts.append, **kwargs) is None
    assert len(texts) == 1
    return texts[0]


def _rows(text):
    """The cells of each row that names a layer."""
    lines = [line for line in text.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_the_whole_text():
    model = cornu.Sequential(
        [cornu.Input((2,)), layers.Dense(3, name="first"), layers.BatchNormalization(name="bn")],
        name="small",
    )
    assert _text(model, line_length=50) == (
        'Model: "small"\n'
        "┏━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┳━━━━━━━━━┓\n"
        "┃ Layer (type)        ┃ Output Shape   ┃ Param # ┃\n"
        "┡━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━╇━━━━━━━━━┩\n"
        "│ first (Dense)       │ (None, 3)      │       9 │\n"
        "├─────────────────────┼────────────────┼─────────┤\n"
        "│ bn                  │ (None, 3)      │      12 │\n"
        "│ (BatchNormalizatio… │                │         │\n"
        "└─────────────────────┴────────────────┴─────────┘\n"
        " Total params: 21 (84.00 B)\n"
        " Trainable params: 15 (60.00 B)\n"
        " Non-trainable params: 6 (24.00 B)\n"
    )


def test_optimizer_and_large_numbers():
    model = cornu.Sequential([cornu.Input((1000,)), layers.Dense(1000)])
    model.compile("adam", "mse")
    assert "Optimizer" not in _text(model)
    model.optimizer.build(model.trainable_variables)
    text = _text(model)
    assert " Total params: 3,003,002 (11.46 MB)\n" in text
    assert " Trainable params: 1,001,000 (3.82 MB)\n" in text
    assert " Optimizer params: 2,002,002 (7.64 MB)\n" in text


def test_connections_and_operations():
    a, b = cornu.Input((3,), name="a"), cornu.Input((3,), name="b")
    shared = layers.Dense(3, name="shared")
    h = shared(a) / 2 + shared(b)
    model = cornu.Model([a, b], layers.Concatenate(name="join")([h, ops.abs(b)]))
    rows = {row[0]: row[1:] for row in _rows(_text(model, line_length=110))}
    assert rows["shared (Dense)"] == ["(None, 3)", "12", "a[0][0], b[0][0]"]
    assert rows["true_divide (TrueDivide)"] == ["(None, 3)", "0", "shared[0][0]"]
    assert rows["add (Add)"][2] == "true_divide[0][0],"  # and on the next line, shared[1][0]
    assert rows["a (InputLayer)"][2] == "-"


def test_nested_models_and_what_is_trained():
    inner = cornu.Sequential([cornu.Input((3,)), layers.Dense(2, name="deep")], name="inner")
    model = cornu.Sequential([cornu.Input((3,)), inner, layers.ReLU(name="relu")])
    inner.trainable = False
    rows = _rows(_text(model, expand_nested=True, show_trainable=True, line_length=110))
    assert rows == [
        ["inner (Sequential)", "(None, 2)", "8", "N"],
        ["└ deep (Dense)", "(None, 2)", "8", "N"],
        ["relu (ReLU)", "(None, 2)", "0", "-"],
    ]


def test_models_that_are_not_built():
    class Network(cornu.Model):
        def __init__(self):
            super().__init__()
            self.one = layers.Dense(2, name="one")

        def call(self, inputs):
            return self.one(inputs)

    model = Network()
    assert _rows(_text(model)) == [["one (Dense)", "?", "0 (unbuilt)"]]
    model.build((None, 3))
    assert _rows(_text(model)) == [["one (Dense)", "(None, 2)", "8"]]
    model = cornu.Sequential([layers.Dense(2, name="one")])
    assert " Total params: 0 (0.00 B)" in _text(model)
    model.predict(np.zeros((5, 3), "float32"), verbose=0)
    assert _rows(_text(model)) == [["one (Dense)", "(None, 2)", "8"]]


def test_a_shape_that_a_layer_cannot_tell_is_a_question_mark():
    class Odd(layers.Layer):
        def call(self, inputs):
            return inputs

        def compute_output_shape(self, input_shape):
            raise NotImplementedError

    class Network(cornu.Model):
        def __init__(self):
            super().__init__()
            self.odd = Odd(name="odd")

        def call(self, inputs):
            return self.odd(inputs)

    model = Network()
    model(np.zeros((2, 3), "float32"))
    assert _rows(_text(model)) == [["odd (Odd)", "?", "0"]]


def test_names_are_not_taken_for_markup():
    model = cornu.Sequential([cornu.Input((2,)), layers.Dense(3, name="[bold]x")], name="[red]")
    text = _text(model)
    assert 'Model: "[red]"' in text
    assert "[bold]x (Dense)" in text


def test_layer_range():
    model = cornu.Sequential(
        [cornu.Input((2,)), *(layers.Dense(2, name=f"dense_{i}") for i in "abcd")]
    )
    names = [row[0] for row in _rows(_text(model, layer_range=["dense_b", "dense_c"]))]
    assert names == ["dense_b (Dense)", "dense_c (Dense)"]
    with pytest.raises(ValueError, match=r"no layer matches 'x'; there are dense_a, dense_b"):
        _text(model, layer_range=["dense_a", "x"])
    for wrong in (["a"], ["a", 2]):
        with pytest.raises(ValueError, match="expected two names"):
            _text(model, layer_range=wrong)


def test_too_narrow():
    model = cornu.Sequential([cornu.Input((2,)), layers.Dense(3)])
    with pytest.raises(ValueError, match=r"line_length=12.*'Param #' would be 3 characters"):
        _text(model, line_length=12)


@pytest.mark.parametrize(("columns", "width"), [("70", 66), ("300", 88)])
def test_width_of_the_terminal(columns, width, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", columns)
    model = cornu.Sequential([cornu.Input((2,)), layers.Dense(3)])
    model.summary()
    out = capsys.readouterr().out
    # rich takes off what the borders of the columns need
    assert max(map(len, out.splitlines())) == max(map(len, _text(model).splitlines())) <= width
    assert "\x1b" not in out


def test_rich_waits_until_it_is_needed():
    import subprocess

    code = "import cornu, sys; sys.exit(any(m in sys.modules for m in ('rich', 'h5py')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
