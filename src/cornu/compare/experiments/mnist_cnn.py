"""MNIST with two convolutions: the network of "MNIST Two Ways", trained by Adadelta."""

from __future__ import annotations

import cornu as keras
from cornu.compare.experiment import Data, Experiment


def build() -> keras.Model:
    """The article's network, compiled."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="mnist_cnn",
    )
    model.compile(
        loss="sparse_categorical_crossentropy",
        optimizer=keras.optimizers.Adadelta(learning_rate=1.0),
        metrics=["accuracy"],
    )
    return model


def data(rows: int | None) -> Data:
    """MNIST, one channel last; the test images are validated on, as in the article."""
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    train = x[:rows, :, :, None].astype("float32") / 255, y[:rows].astype("int64")
    test = x_test[:, :, :, None].astype("float32") / 255, y_test.astype("int64")
    return Data(train, test)


experiment = Experiment(
    "mnist-cnn",
    build,
    data,
    epochs=3,
    batch_size=128,
    title="MNIST, convolutional network",
    description="Handwritten digits and two convolutions, a pooling and two dense layers, with "
    "dropout, trained by Adadelta. The article trains 12 epochs on all 60,000 images: that is "
    "--rows 60000 --epochs 12.",
    source="MNIST Two Ways",
    rows=3_000,
    seeds=2,
    same_start_epochs=1,
)
