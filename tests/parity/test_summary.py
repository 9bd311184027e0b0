"""`summary()` prints what Keras prints, character for character."""

import numpy as np
import pytest

import cornu
from cornu.core import naming

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")


def sequential(k):
    return k.Sequential(
        [
            k.Input((28, 28, 1)),
            k.layers.Rescaling(1 / 255),
            k.layers.Conv2D(3, 3, activation="relu"),
            k.layers.MaxPooling2D(),
            k.layers.BatchNormalization(name="a_rather_long_name_that_has_to_be_wrapped_somewhere"),
            k.layers.Flatten(),
            k.layers.Dropout(0.5),
            k.layers.Dense(1200),
        ]
    )


def deferred(k):
    return k.Sequential(
        [
            k.layers.Rescaling(2.0),
            k.layers.Flatten(),
            k.layers.Reshape((-1,)),
            k.layers.Dense(4),
            k.layers.Activation("relu"),
            k.layers.ReLU(),
            k.layers.BatchNormalization(),
            k.layers.Dropout(0.5),
            k.layers.Dense(2),
        ],
        name="not_yet",
    )


def deferred_then_built(k):
    model = deferred(k)
    model.build((None, 3, 2))
    return model


def empty(k):
    return k.Sequential()


def chain(k):
    """Functional, but one layer after another: no column of connections."""
    inputs = k.Input((4,))
    h = k.layers.Dense(3, name="brackets[bold]")(inputs)
    return k.Model(inputs, k.ops.exp(h / 2 + 1), name="chain")


def forked(k):
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    shared = k.layers.Dense(4, name="shared")
    inner = k.Sequential([k.Input((4,)), k.layers.Dense(3), k.layers.ReLU()], name="inner")
    deep = k.Input((3,))
    nested = k.Model(deep, [inner(k.layers.Dense(4)(deep)), k.layers.Dense(2)(deep)], name="nested")
    left, right = inner(shared(a)), inner(shared(b))
    one, two = nested(k.layers.Concatenate()([left, right])[:, :3])
    summed = left * 2 - right
    return k.Model([a, b], {"one": one, "two": k.layers.Add()([two, two]), "sum": summed})


def twice(k):
    """One input, one output, but a layer is used twice."""
    inputs = k.Input((3,))
    layer = k.layers.Dense(3)
    return k.Model(inputs, layer(layer(inputs)))


def unused_outputs(k):
    inputs = k.Input((3,))
    h = k.layers.Dense(3)(inputs)
    k.layers.Dense(7)(h)  # an application outside of the model
    return k.Model(inputs, [h, k.layers.Dense(2)(h)])


def partly_frozen(k):
    model = k.Sequential([k.Input((3,)), k.layers.Dense(5), k.layers.ReLU(), k.layers.Dense(2)])
    model.layers[0].trainable = False
    return model


def half_precision(k):
    policy = "mixed_bfloat16"
    return k.Sequential(
        [k.Input((3,)), k.layers.Dense(5, dtype=policy), k.layers.Dense(2, dtype="float16")]
    )


def _subclass(k):
    class Network(k.Model):
        def __init__(self):
            super().__init__()
            self.flat = k.layers.Flatten()
            self.dense = k.layers.Dense(3)
            self.drop = k.layers.Dropout(0.1)
            self.inner = k.Sequential([k.layers.Dense(4), k.layers.Dense(2)])
            self.more = [k.layers.Dense(1), k.layers.LayerNormalization()]
            self.join = k.layers.Concatenate()

        def call(self, inputs):
            flat = self.flat(inputs)
            h = self.join([self.drop(self.dense(flat)), flat])
            return self.more[1](self.more[0](self.inner(h)))

    return Network()


def subclass_not_built(k):
    return _subclass(k)


def subclass_called_on_symbols(k):
    model = _subclass(k)
    model(k.Input((2, 3)))
    return model


NETWORKS = [
    sequential,
    deferred,
    deferred_then_built,
    empty,
    chain,
    forked,
    twice,
    unused_outputs,
    partly_frozen,
    half_precision,
    subclass_not_built,
    subclass_called_on_symbols,
]


def _text(model, **kwargs):
    lines = []
    model.summary(print_fn=lines.append, **kwargs)
    assert len(lines) == 1
    return lines[0]


def _start_names():
    keras.utils.clear_session()
    naming.reset_names()


@pytest.fixture(autouse=True)
def _same_names_and_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "130")
    _start_names()


@pytest.mark.parametrize("network", NETWORKS)
def test_text_is_keras_text(network):
    theirs, ours = network(keras), network(cornu)
    for kwargs in (
        {},
        {"line_length": 60},
        {"line_length": 80},
        {"line_length": 120},
        {"expand_nested": True, "show_trainable": True, "line_length": 110},
        {"line_length": 100, "positions": [0.3, 0.5, 0.7, 1.0]},
    ):
        assert _text(ours, **kwargs) == _text(theirs, **kwargs)


@pytest.mark.parametrize("columns", ["50", "80", "200"])
def test_width_follows_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    assert _text(forked(cornu)) == _text(forked(keras))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_optimizer_is_counted_once_it_is_built(optimizer):
    theirs, ours = partly_frozen(keras), partly_frozen(cornu)
    for model in (theirs, ours):
        model.compile(optimizer, "mse")
    assert _text(ours) == _text(theirs)
    assert "Optimizer" not in _text(ours)
    for model in (theirs, ours):
        model.fit(np.zeros((4, 3), "float32"), np.zeros((4, 2), "float32"), verbose=0)
    assert _text(ours) == _text(theirs)
    assert "Optimizer params" in _text(ours)


def test_layer_range():
    theirs, ours = sequential(keras), sequential(cornu)
    for names in (["conv2d", "flatten"], ["flatten", "max.*"], ["conv", "d"]):
        assert _text(ours, layer_range=names) == _text(theirs, layer_range=names)


def test_printed_in_colour_as_keras_does(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    forked(keras).summary(expand_nested=True, show_trainable=True)
    theirs = capsys.readouterr().out
    forked(cornu).summary(expand_nested=True, show_trainable=True)
    assert capsys.readouterr().out == theirs
    assert "\x1b[38;5;34m" in theirs
