import numpy as np
from sklearn.datasets import load_digits
from tensorflow import keras
from tensorflow.keras import layers

digits = load_digits()
x = np.expand_dims(digits.images, -1) / 16.0
y = digits.target

inputs = keras.Input(shape=(8, 8, 1))
z = layers.Conv2D(16, 3, padding="same")(inputs)  # wrong: C201
#: z = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
z = layers.Conv2D(32, 3, padding="same")(z)  # wrong:
#: z = layers.Conv2D(32, 3, padding="same", activation="relu")(z)
z = layers.Flatten()(z)
outputs = layers.Dense(10, activation="softmax")(z)
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, batch_size=32, validation_split=0.1)
