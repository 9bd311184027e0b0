"""The five networks of the articles, trained from the same weights on the same rows by Keras."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import cornu  # noqa: E402

# Keras' own variables, converted by NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# Not a multiple of 32, 64, 100 or 128: the last batch is a smaller one.
ROWS = 1530
EPOCHS = 5
LOSS_TOLERANCE = 1e-4
OUTPUT_TOLERANCE = 1e-5


class Case(NamedTuple):
    """A network, how it is compiled, and what it is trained on."""

    model: Any
    compile: Any
    data: Any
    batch_size: int


# -- data -----------------------------------------------------------------------------------------


def moons():
    datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.make_moons(n_samples=ROWS, noise=0.2, random_state=100)
    return x.astype("float32"), y


def _folder(name: str) -> Path:
    root = os.environ.get("CORNU_DATA")
    folder = Path(root or "") / name
    if not root or not folder.is_dir():
        pytest.skip(f"CORNU_DATA names no folder with {name}: the real data is not here")
    return folder


def _mnist():
    _folder("mnist")
    (x, y), _ = cornu.datasets.mnist.load_data()
    return x[:ROWS], y[:ROWS]


def flat_pixels():
    x, y = _mnist()
    return x.reshape(ROWS, 784).astype("float32") / 255, np.eye(10, dtype="float32")[y]


def raw_pixels():
    """As a CSV file of pixel values gives them: 0 to 255, integers."""
    x, y = _mnist()
    return x.reshape(ROWS, 784).astype("int64"), np.eye(10)[y]


def images():
    x, y = _mnist()
    return x[..., None].astype("float32") / 255, np.eye(10, dtype="float32")[y]


def flows():
    data = cornu.datasets.cicids2017.load_data(_folder("cicids2017") / "improved")
    x, y = data.train
    assert x.shape[1] == 76
    return x[:ROWS], y[:ROWS]


# -- networks: `k` is keras or cornu --------------------------------------------------------------


def moons_network(k):
    dense = k.layers.Dense
    return k.Sequential(
        [
            k.Input((2,)),
            *(dense(units, activation="relu") for units in (25, 50, 50, 25)),
            dense(1, activation="sigmoid"),
        ]
    )


def mnist_mlp(k):
    dense = k.layers.Dense
    return k.Sequential(
        [
            k.Input((784,)),
            dense(128, activation="relu"),
            dense(20, activation="relu"),
            dense(10, activation="softmax"),
        ]
    )


def mnist_cnn(k):
    layers = k.layers
    return k.Sequential(
        [
            k.Input((28, 28, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Dropout(0.0),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.0),
            layers.Dense(10, activation="softmax"),
        ]
    )


def digits_network(k):
    def dense(units, activation, name):
        return k.layers.Dense(
            units, activation=activation, name=name, kernel_regularizer=k.regularizers.l2(1e-2)
        )

    return k.Sequential(
        [
            k.Input((784,)),
            dense(20, "relu", "l1"),
            dense(15, "relu", "l2"),
            dense(10, "softmax", "output"),
        ]
    )


def intrusion_network(k, activation="softmax"):
    inputs = k.Input((76,))
    hidden = k.layers.Dense(76, activation="relu")(inputs)
    hidden = k.layers.Dense(76, activation="relu")(hidden)
    return k.Model(inputs, k.layers.Dense(13, activation=activation)(hidden))


def intrusion_logits(k):
    return intrusion_network(k, None)


def _adam_with_decay(k):
    rate = k.optimizers.schedules.InverseTimeDecay(0.004, decay_steps=24, decay_rate=0.5)
    return k.optimizers.Adam(rate)


CASES = {
    "moons": Case(
        moons_network,
        lambda k: {"optimizer": "sgd", "loss": "binary_crossentropy"},
        moons,
        32,
    ),
    "mnist_mlp": Case(
        mnist_mlp,
        lambda k: {"optimizer": "adam", "loss": "categorical_crossentropy"},
        flat_pixels,
        100,
    ),
    "mnist_cnn": Case(
        mnist_cnn,
        lambda k: {
            "optimizer": k.optimizers.Adadelta(learning_rate=1.0),
            "loss": k.losses.categorical_crossentropy,
        },
        images,
        128,
    ),
    "digits": Case(
        digits_network,
        lambda k: {"optimizer": k.optimizers.Adam(), "loss": "categorical_crossentropy"},
        raw_pixels,
        128,
    ),
    "intrusion": Case(
        intrusion_network,
        lambda k: {
            "optimizer": _adam_with_decay(k),
            "loss": k.losses.SparseCategoricalCrossentropy(),
        },
        flows,
        64,
    ),
    "intrusion_logits": Case(
        intrusion_logits,
        lambda k: {
            "optimizer": _adam_with_decay(k),
            "loss": k.losses.SparseCategoricalCrossentropy(from_logits=True),
        },
        flows,
        64,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_trains_as_in_keras(name):
    case = CASES[name]
    x, y = case.data()
    theirs, ours = case.model(keras), case.model(cornu)
    for k, model in ((keras, theirs), (cornu, ours)):
        model.compile(**case.compile(k), metrics=["accuracy"])
    ours.set_weights(theirs.get_weights())
    held_x, held_y = x[-400:], y[-400:]

    np.testing.assert_allclose(
        ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=OUTPUT_TOLERANCE
    )
    np.testing.assert_allclose(
        ours.evaluate(held_x, held_y, verbose=0),
        theirs.evaluate(held_x, held_y, verbose=0),
        rtol=OUTPUT_TOLERANCE,
        atol=OUTPUT_TOLERANCE,
    )

    arguments = {
        "batch_size": case.batch_size,
        "epochs": EPOCHS,
        "shuffle": False,
        "verbose": 0,
    }
    expected = theirs.fit(x, y, **arguments).history
    history = ours.fit(x, y, **arguments).history

    assert list(history) == list(expected)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=LOSS_TOLERANCE)
    assert history["loss"][-1] < history["loss"][0]

    # from the same trained weights: five epochs of float32 rounding are not what is compared here
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(
        ours.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=OUTPUT_TOLERANCE
    )
    np.testing.assert_allclose(
        ours.evaluate(x, y, verbose=0),
        theirs.evaluate(x, y, verbose=0),
        rtol=OUTPUT_TOLERANCE,
        atol=OUTPUT_TOLERANCE,
    )
