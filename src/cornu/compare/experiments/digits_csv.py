"""Kaggle's digit recognizer: the network of "Deep dive into neural networks - Keras"."""

from __future__ import annotations

import numpy as np

import cornu as keras
from cornu.compare.experiment import Data, Experiment

ROWS = 42_000  # as Kaggle's train.csv has


def build() -> keras.Model:
    """The article's network 784-20-15-10 with its penalties, compiled."""

    def penalty() -> keras.Regularizer:
        return keras.regularizers.L2(0.01)

    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(20, activation="relu", name="l1", kernel_regularizer=penalty()),
            keras.layers.Dense(15, activation="relu", name="l2", kernel_regularizer=penalty()),
            keras.layers.Dense(
                10, activation="softmax", name="output", kernel_regularizer=penalty()
            ),
        ],
        name="digits_csv",
    )
    model.compile(
        optimizer=keras.optimizers.Adam(),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def data(rows: int | None) -> Data:
    """As many of MNIST's digits as Kaggle gives, a fifth kept for validation; pixels 0 to 255."""
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()

    def flat(images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), 784).astype("float32")

    x, y = flat(x[:ROWS]), y[:ROWS].astype("int64")
    kept = ROWS * 4 // 5
    return Data(
        (x[:kept][:rows], y[:kept][:rows]),
        (flat(x_test), y_test.astype("int64")),
        (x[kept:], y[kept:]),
    )


experiment = Experiment(
    "digits-csv",
    build,
    data,
    epochs=50,
    batch_size=128,
    title="Digits from a CSV file",
    description="Handwritten digits as Kaggle's digit recognizer gives them, pixels 0 to 255 as "
    "they are, and a network 784-20-15-10 with L2 penalties, trained by Adam.",
    source="Deep dive into neural networks: Keras",
)
