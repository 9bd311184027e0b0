"""Results: plain data of networks and numbers."""

import json
import math

import numpy as np

import cornu
from cornu import layers
from cornu.compare.results import network_as_data, plain
from cornu.port.keras.read_model import read_model


def test_layers_have_their_activation_and_their_inputs():
    image = cornu.Input((8, 8, 1), name="image")
    x = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="conv")(image)
    a = layers.Conv2D(4, 1, name="a")(x)
    b = layers.ReLU(name="b")(x)
    x = layers.Flatten(name="flat")(layers.Add(name="sum")([a, b]))
    outputs = layers.Dense(3, activation="softmax", name="digit")(layers.Dropout(0.5)(x))
    model = cornu.Model(image, outputs)
    model.compile("sgd", "sparse_categorical_crossentropy")
    found = {one["name"]: one for one in network_as_data(read_model(model))}
    assert found["image"]["kind"] == "Input"
    assert found["conv"]["detail"] == "4, 3x3, 2x2, same, relu"
    assert found["conv"]["shape"] == [None, 4, 4, 4]
    assert found["a"]["inputs"] == ["conv"]
    assert found["b"]["inputs"] == ["conv"]  # beside another layer it is a node of its own
    assert sorted(found["sum"]["inputs"]) == ["a", "b"]
    assert found["digit"]["detail"] == "3, softmax"
    assert found["digit"]["parameters"] == 4 * 4 * 4 * 3 + 3
    assert "rate 0.5" in [one["detail"] for one in found.values()]


def test_numbers_become_json():
    given = {"a": np.array([[1.5, np.nan]]), 2: (np.int64(3), math.inf), "b": [np.bool_(True)]}
    assert plain(given) == {"a": [[1.5, None]], "2": [3, None], "b": [True]}
    json.dumps(plain(given), allow_nan=False)
