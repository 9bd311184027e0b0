import numpy as np
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

x, y = load_digits(return_X_y=True)
x = x.reshape(-1, 8, 8, 1) / 16.0


def make_base():
    return keras.Sequential([
        keras.Input((8, 8, 1)),
        layers.Conv2D(32, 3, activation="relu", padding="same"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu", padding="same"),
        layers.GlobalAveragePooling2D(),
    ], name="base")


base = make_base()  # base.load_weights("base.weights.h5")
base.trainable = False

inputs = keras.Input((8, 8, 1))
h = base(inputs, training=False)
h = layers.Dropout(0.2)(h)
outputs = layers.Dense(10)(h)
model = keras.Model(inputs, outputs)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(x, y, epochs=20, batch_size=32, validation_split=0.1)
