"""Programs for scikit-learn: that they train the same network, and what is refused."""

import re
import subprocess
import sys
import types
import warnings

import numpy as np
import pytest

import cornu
from cornu import layers as L
from cornu.compare.sklearn_program import sklearn_habits, sklearn_source
from cornu.port.keras.read_model import read_model
from cornu.port.network import PortError

pytest.importorskip("sklearn")

ROWS = 24


def chain(units, head, hidden="relu", shape=(3,), **settings):
    return cornu.Sequential(
        [
            L.Input(shape),
            *([L.Flatten()] if len(shape) > 1 else []),
            L.Dense(7, activation=hidden, **settings),
            L.Dense(5, activation=hidden, **settings),
            L.Dense(units, activation=head, **settings),
        ],
        name="small",
    )


def compiled(model, loss, optimizer="adam", **settings):
    model.compile(optimizer, loss, **settings)
    return model


def program(source):
    module = types.ModuleType("program")
    exec(compile(source, "program.py", "exec"), module.__dict__)
    return module


def data(kind, units, shape=(3,)):
    generator = np.random.default_rng(3)
    x = generator.normal(size=(ROWS, *shape)).astype("float32")
    if kind == "numbers":
        y = generator.permutation(np.arange(ROWS) % units)
    elif kind == "one-hot":
        y = np.eye(units)[generator.permutation(np.arange(ROWS) % units)]
    elif kind == "bits":
        y = generator.integers(0, 2, (ROWS, units)).astype("float32")
    else:
        y = generator.normal(size=(ROWS, units)).astype("float32")
    return x, y


CASES = {
    "classes": (3, "softmax", "sparse_categorical_crossentropy", "numbers"),
    "one-hot": (4, "softmax", "categorical_crossentropy", "one-hot"),
    "binary": (1, "sigmoid", "binary_crossentropy", "bits"),
    "several": (3, "sigmoid", "binary_crossentropy", "bits"),
    "regression": (1, None, "mse", "real"),
    "outputs": (2, None, "mse", "real"),
}
OPTIMIZERS = {
    "sgd": lambda: cornu.optimizers.SGD(0.1),
    "nesterov": lambda: cornu.optimizers.SGD(0.05, momentum=0.8, nesterov=True),
    "adam": lambda: cornu.optimizers.Adam(0.02, beta_1=0.8, epsilon=1e-3),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("case", CASES)
def test_it_trains_the_same_network(case, optimizer):
    units, head, loss, kind = CASES[case]
    hidden = {"classes": "relu", "binary": "tanh", "several": "sigmoid"}.get(case, "linear")
    model = chain(units, head, hidden, kernel_regularizer=cornu.regularizers.L2(0.02))
    compiled(model, loss, OPTIMIZERS[optimizer]())
    network = read_model(model)
    network.training.batch_size = ROWS  # the order of the rows has no part in it then
    source, _ = sklearn_source(network, own=False)
    made = program(source)
    x, y = data(kind, units)
    theirs = made.build(seed=1)
    made.train(theirs, x, y, epochs=1, batch_size=ROWS)
    # from here on both, with nothing that an optimizer remembers
    del theirs._optimizer
    weights = [w for pair in zip(theirs.coefs_, theirs.intercepts_, strict=True) for w in pair]
    model.set_weights([np.array(w, "float32") for w in weights])
    history = model.fit(x, y, batch_size=ROWS, epochs=3, verbose=0).history
    for epoch in range(3):
        made.train(theirs, x, y, epochs=1, batch_size=ROWS)
        of_theirs = theirs.loss_ * {"several": 1 / 3, "regression": 2}.get(case, 1)
        if case != "outputs":  # whose penalty scikit-learn does not halve with the error
            assert of_theirs == pytest.approx(history["loss"][epoch], rel=1e-4)
    found = [w for pair in zip(theirs.coefs_, theirs.intercepts_, strict=True) for w in pair]
    for mine, other in zip(model.get_weights(), found, strict=True):
        np.testing.assert_allclose(mine, other, rtol=2e-4, atol=2e-6)
    np.testing.assert_allclose(model.predict(x, verbose=0), made.predict(theirs, x), atol=5e-5)


@pytest.mark.parametrize("case", CASES)
def test_it_says_how_it_goes_and_warns_of_nothing(case, capsys):
    units, head, loss, kind = CASES[case]
    model = compiled(chain(units, head, shape=(2, 3)), loss, metrics=["accuracy"])
    made = program(sklearn_source(read_model(model))[0])
    x, y = data(kind, units, (2, 3))
    theirs = made.build(seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # more epochs than scikit-learn's max_iter, and a batch larger than the data
        made.train(theirs, x, y, epochs=210, batch_size=1000)
        value = made.evaluate(theirs, x, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 210
    pattern = r"epoch 210: loss \d+\.\d{4}"
    if kind == "real":
        assert re.fullmatch(pattern, lines[-1])
        np.testing.assert_allclose(value, np.square(made.predict(theirs, x) - y).mean())
    else:
        assert re.fullmatch(pattern + r", accuracy [01]\.\d{4}", lines[-1])
        expected = compiled(model, loss, metrics=["accuracy"])
        weights = [w for pair in zip(theirs.coefs_, theirs.intercepts_, strict=True) for w in pair]
        expected.set_weights([np.array(w, "float32") for w in weights])
        mine = expected.evaluate(x, y, verbose=0)
        np.testing.assert_allclose(mine, value, rtol=1e-3, atol=1e-5)
    assert made.predict(theirs, x).shape == (ROWS, units)


def test_each_epoch_has_an_order_of_its_own_and_a_seed_repeats_it():
    model = compiled(chain(3, "softmax"), "sparse_categorical_crossentropy", "sgd")
    made = program(sklearn_source(read_model(model))[0])
    x, y = data("numbers", 3)

    def orders(seed):
        theirs = made.build(seed)
        seen = []
        backward = theirs._backprop
        theirs._backprop = lambda *args: (seen.append(args[0].copy()), backward(*args))[1]
        made.train(theirs, x, y, epochs=2, batch_size=ROWS)
        return seen, theirs.coefs_[0]

    (first, second), weights = orders(5)
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first, axis=0), np.sort(second, axis=0))
    again, same = orders(5)
    assert np.array_equal(again[1], second)
    assert np.array_equal(weights, same)
    assert not np.array_equal(weights, orders(6)[1])


def test_what_is_written():
    model = compiled(chain(1, "sigmoid"), "binary_crossentropy", "sgd", metrics=["accuracy"])
    source, notes = sklearn_source(read_model(model))
    assert (
        """    return MLPClassifier(
        hidden_layer_sizes=(7, 5),
        activation="relu",
        solver="sgd",
        learning_rate_init=0.01,
        batch_size=32,
"""
        in source
    )
    assert len(source.splitlines()) <= 66
    assert notes == []
    assert "momentum of SGD: 0.9 with Nesterov's correction" in sklearn_habits(read_model(model))
    pinned, _ = sklearn_source(read_model(model), own=False)
    for line in ("momentum=0.0,", "nesterovs_momentum=False,", "alpha=0.0,"):
        assert f"        {line}\n" in pinned


def test_what_the_network_states_is_no_habit():
    optimizer = cornu.optimizers.SGD(0.1, momentum=0.5)
    model = chain(3, "softmax", kernel_regularizer=cornu.regularizers.L2(0.001))
    network = read_model(compiled(model, "sparse_categorical_crossentropy", optimizer))
    source, notes = sklearn_source(network)
    for line in ("momentum=0.5,", "nesterovs_momentum=False,", "alpha=0.064,", "batch_size=32,"):
        assert f"        {line}\n" in source
    assert "smaller last batch" in notes[0]
    assert not any("momentum" in habit for habit in sklearn_habits(network))


def test_two_classes_and_sums_are_noted():
    model = compiled(chain(2, "softmax"), "sparse_categorical_crossentropy")
    assert "one sigmoid unit" in sklearn_source(read_model(model))[1][0]
    made = program(sklearn_source(read_model(model))[0])
    x, y = data("numbers", 2)
    theirs = made.build(0)
    made.train(theirs, x, y, epochs=1)
    assert made.predict(theirs, x).shape == (ROWS, 2)
    assert np.isfinite(made.evaluate(theirs, x, y)).all()
    model = compiled(chain(1, None), "mse", cornu.optimizers.SGD(0.1))
    source, notes = sklearn_source(read_model(model))
    assert "learning_rate_init=0.2," in source
    assert "0.1 / 0.5" in notes[0]


def test_logits_are_the_same_network():
    loss = cornu.losses.SparseCategoricalCrossentropy(from_logits=True)
    given = sklearn_source(read_model(compiled(chain(3, None), loss)))
    same = compiled(chain(3, "softmax"), "sparse_categorical_crossentropy")
    assert given == sklearn_source(read_model(same))


def test_from_a_shell(tmp_path):
    model = compiled(chain(3, "softmax"), "sparse_categorical_crossentropy")
    (tmp_path / "small.py").write_text(sklearn_source(read_model(model))[0])
    x, y = data("numbers", 3)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    command = [sys.executable, "-W", "error", "small.py", "data.npz", "--epochs", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"epoch 1: .*\nepoch 2: .*\nloss \S+, accuracy \S+\n", done.stdout)


def layered(*layers, loss="sparse_categorical_crossentropy", optimizer="adam"):
    shape = (6, 6, 1) if isinstance(layers[0], L.Conv2D) else (3,)
    return compiled(cornu.Sequential([L.Input(shape), *layers]), loss, optimizer)


def forked():
    inputs = L.Input((3,))
    x = L.Dense(4, activation="relu")(inputs)
    outputs = L.Dense(3, activation="softmax")(L.Concatenate()([x, inputs]))
    return compiled(cornu.Model(inputs, outputs), "sparse_categorical_crossentropy")


def softmax():
    return L.Dense(3, activation="softmax")


REFUSED = {
    "no convolutions and no dropout": lambda: layered(
        L.Conv2D(2, 3), L.Dropout(0.5), L.Flatten(), softmax()
    ),
    "no dropout": lambda: layered(L.Dense(4), L.Dropout(0.5), softmax()),
    "no normalization layers": lambda: layered(L.Dense(4), L.BatchNormalization(), softmax()),
    "no concatenate": forked,
    "one activation for all": lambda: layered(L.Dense(4, "relu"), L.Dense(4, "tanh"), softmax()),
    "the activation gelu": lambda: layered(L.Dense(4, "gelu"), softmax()),
    "always have one": lambda: layered(L.Dense(4, "relu", use_bias=False), softmax()),
    "L2 penalties of kernels only": lambda: layered(L.Dense(3, "softmax", bias_regularizer="l2")),
    "one L2 penalty for all": lambda: layered(L.Dense(4, kernel_regularizer="l2"), softmax()),
    "kernel_constraint": lambda: layered(L.Dense(3, "softmax", kernel_constraint="non_neg")),
    "scikit-learn has SGD and Adam": lambda: layered(softmax(), optimizer="rmsprop"),
    "no such schedule": lambda: layered(
        softmax(),
        optimizer=cornu.optimizers.Adam(cornu.optimizers.schedules.CosineDecay(0.1, 10)),
    ),
    "clipnorm=1.0": lambda: layered(softmax(), optimizer=cornu.optimizers.SGD(0.1, clipnorm=1.0)),
    "amsgrad=True": lambda: layered(softmax(), optimizer=cornu.optimizers.Adam(amsgrad=True)),
    "takes the output of linear as probabilities": lambda: layered(L.Dense(3)),
    "which applies softmax itself": lambda: layered(
        softmax(), loss=cornu.losses.SparseCategoricalCrossentropy(from_logits=True)
    ),
    "label_smoothing": lambda: layered(
        softmax(), loss=cornu.losses.CategoricalCrossentropy(label_smoothing=0.1)
    ),
    "the loss huber": lambda: layered(L.Dense(1), loss="huber"),
    "tanh before the loss mean_squared_error": lambda: layered(L.Dense(1, "tanh"), loss="mse"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_scikit_learn_lacks(message):
    with pytest.raises(PortError, match=re.escape(message)):
        sklearn_source(read_model(REFUSED[message]()))


def test_a_network_without_a_loss():
    with pytest.raises(PortError, match="without a loss"):
        sklearn_source(read_model(chain(3, "softmax")))


def test_a_frozen_layer():
    model = chain(3, "softmax")
    model.layers[0].trainable = False
    compiled(model, "sparse_categorical_crossentropy")
    with pytest.raises(PortError, match="frozen"):
        sklearn_source(read_model(model))
