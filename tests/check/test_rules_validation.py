"""C415 and C517: networks that cannot train, and validation data of another scale."""

import numpy as np
import pytest

import cornu
from cornu import layers

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (200, 12)).astype("float32")
Y = RNG.integers(0, 3, 200)


def network():
    model = cornu.Sequential(
        [
            cornu.Input((12,)),
            layers.Dense(8, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def codes(model, x, validation=None):
    found = model.check(x, Y, validation_data=validation, verbose=0, measure=False)
    return [code for code in found.codes if code in ("C415", "C517")]


@pytest.mark.parametrize(
    ("train", "validation", "expected"),
    [
        (X / 255, X, ["C517"]),
        (X, X / 255, ["C517"]),
        (X / 255, X / 255, []),
        ((X - 128) / 74, X / 255, []),
        (X / 255, X[:5], []),
    ],
)
def test_validation_scaled_otherwise(train, validation, expected):
    assert codes(network(), train, (validation, Y[: len(validation)])) == expected


def test_one_wild_column_is_another_matter():
    validation = X / 255
    validation[:, 3] *= 1e4
    assert codes(network(), X / 255, (validation, Y)) == []


def test_nothing_to_train():
    model = network()
    assert codes(model, X / 255) == []
    model.trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    assert codes(model, X / 255) == ["C415"]


def test_a_frozen_base_with_a_head_is_right():
    model = network()
    model.layers[0].trainable = False
    model.compile("adam", "sparse_categorical_crossentropy")
    assert codes(model, X / 255) == []
