"""MNIST with a small dense network: that of "Keras vs PyTorch", 784-128-20-10."""

from __future__ import annotations

import cornu as keras
from cornu.compare.experiment import Data, Experiment


def build() -> keras.Model:
    """The article's network, compiled."""
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(20, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="mnist_mlp",
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def data(rows: int | None) -> Data:
    """MNIST: the first nine tenths of its training images, and its test images."""
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    x, x_test = x.astype("float32") / 255, x_test.astype("float32") / 255
    kept = len(x) * 9 // 10
    train = x[:kept][:rows], y[:kept][:rows].astype("int64")
    return Data(
        train,
        (x_test, y_test.astype("int64")),
        (x[kept:], y[kept:].astype("int64")),
    )


experiment = Experiment(
    "mnist-mlp",
    build,
    data,
    epochs=10,
    batch_size=100,
    title="MNIST, dense network",
    description="Handwritten digits and a network 784-128-20-10 trained by Adam; a tenth of the "
    "training images is kept for validation.",
    source="Keras vs PyTorch",
)
