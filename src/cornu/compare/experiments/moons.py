"""Two moons: the network of "Non-linear classification with Keras", 2-25-50-50-25-1."""

from __future__ import annotations

import cornu as keras
from cornu.compare.experiment import Data, Experiment


def build() -> keras.Model:
    """The article's network, compiled."""
    model = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(25, activation="relu"),
            keras.layers.Dense(50, activation="relu"),
            keras.layers.Dense(50, activation="relu"),
            keras.layers.Dense(25, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        name="moons",
    )
    model.compile(loss="binary_crossentropy", optimizer="sgd", metrics=["accuracy"])
    return model


def data(rows: int | None) -> Data:
    """The article's thousand points, from scikit-learn; a tenth of them for the test."""
    try:
        from sklearn.datasets import make_moons
        from sklearn.model_selection import train_test_split
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "the experiment moons makes its points with scikit-learn; install it with "
            '`pip install "cornu[compare]"`'
        ) from None
    x, y = make_moons(n_samples=1000, noise=0.2, random_state=100)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.1, random_state=42)
    train = x_train[:rows].astype("float32"), y_train[:rows]
    return Data(train, (x_test.astype("float32"), y_test))


experiment = Experiment(
    "moons",
    build,
    data,
    epochs=200,
    batch_size=32,
    title="Two moons",
    description="A thousand points in the plane in two entangled classes, and a network "
    "2-25-50-50-25-1 trained by plain gradient descent.",
    source="Non-linear classification with Keras",
    feature_names=("x1", "x2"),
)
