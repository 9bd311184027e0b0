import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

rng = np.random.default_rng(14)
flower = rng.integers(0, 2, 200)
x_train = rng.integers(0, 180, (200, 16, 16, 3)).astype("float32")
x_train[flower == 1, 4:12, 4:12, 1] += 75
x_train = x_train / 255.0

model = keras.Sequential([
    keras.Input(shape=(16, 16, 3)),
    layers.Rescaling(1.0 / 255),  # wrong: C513
    layers.Conv2D(16, 3, activation="relu"),
    layers.MaxPooling2D(),
    layers.Flatten(),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x_train, flower, epochs=15, batch_size=16, validation_split=0.2)
