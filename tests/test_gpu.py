"""Training on a GPU: it is used without being asked, and gives the CPU's numbers."""

import jax
import numpy as np
import pytest

import cornu as keras
from cornu import layers


def _gpus():
    try:
        return jax.devices("gpu")
    except RuntimeError:
        return []


pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not _gpus(), reason="there is no GPU here"),
]


def _network():
    return keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(4, activation="softmax"),
        ]
    )


def _losses(device, weights):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(130, 12, 12, 1)).astype("float32")
    y = rng.integers(0, 4, 130)
    # full float32 products on the GPU, so that the two can be compared
    with jax.default_device(device), jax.default_matmul_precision("highest"):
        model = _network()
        model.set_weights(weights)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, batch_size=32, epochs=3, shuffle=False, verbose=0)
        return history.history["loss"], model.predict(x, verbose=0)


def test_gpu_is_used_without_being_asked():
    model = _network()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.zeros((8, 12, 12, 1), "float32"), np.zeros(8), verbose=0)
    assert model.weights[0].value.devices() <= set(_gpus())


def test_same_numbers_as_on_the_cpu():
    keras.utils.set_random_seed(3)
    weights = _network().get_weights()
    on_gpu, gpu_outputs = _losses(_gpus()[0], weights)
    on_cpu, cpu_outputs = _losses(jax.devices("cpu")[0], weights)
    np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-4)
    np.testing.assert_allclose(gpu_outputs, cpu_outputs, atol=1e-3)
