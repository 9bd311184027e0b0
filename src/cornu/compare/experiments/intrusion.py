"""Network intrusions: "Reimplementing the neural network classifier with keras", 76-76-76-13."""

from __future__ import annotations

import os
from pathlib import Path

import cornu as keras
from cornu.compare.experiment import Data, Experiment, ExperimentError
from cornu.datasets import cicids2017

FEATURES, CLASSES, RATE, EPOCHS, BATCH = 76, 13, 0.004, 30, 64


def build() -> keras.Model:
    """The article's network, compiled."""
    flow = keras.Input((FEATURES,), name="flow")
    x = keras.layers.Dense(FEATURES, activation="relu", name="dense_1")(flow)
    x = keras.layers.Dense(FEATURES, activation="relu", name="dense_2")(x)
    attack = keras.layers.Dense(CLASSES, activation="softmax", name="output")(x)
    model = keras.Model(flow, attack, name="intrusion")
    model.compile(
        optimizer=keras.optimizers.Adam(RATE),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def data(rows: int | None) -> Data:
    """The flows of `$CORNU_DATA/cicids2017/improved`, standardized."""
    folder = Path(os.environ.get("CORNU_DATA", "."), "cicids2017", "improved")
    if not folder.is_dir():
        raise ExperimentError(
            f"the experiment intrusion needs the flows of CICIDS2017: there is no folder {folder}. "
            "Set CORNU_DATA to the folder that holds cicids2017/improved"
        )
    loaded = cicids2017.load_data(folder)
    x, y = loaded.train
    return Data((x[:rows], y[:rows]), loaded.test, loaded.validation)


experiment = Experiment(
    "intrusion",
    build,
    data,
    epochs=EPOCHS,
    batch_size=BATCH,
    title="Which attack is this network flow?",
    description="Flows of CICIDS2017 with 76 standardized features in 13 classes, and a network "
    "76-76-76-13 trained by Adam at 0.004.",
    source="Reimplementing the neural network classifier with keras",
    class_names=tuple(cicids2017.CLASSES),
)
