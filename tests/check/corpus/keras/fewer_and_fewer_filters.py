import numpy as np
from sklearn.datasets import load_digits
from tensorflow.keras import Sequential
from tensorflow.keras.layers import Conv2D, Dense, Flatten, MaxPooling2D

x, y = load_digits(return_X_y=True)
x = x.reshape(-1, 8, 8, 1) / 16

model = Sequential([
    Conv2D(32, 3, padding="same", activation="relu", input_shape=(8, 8, 1)),  # wrong:
    #: Conv2D(8, 3, padding="same", activation="relu", input_shape=(8, 8, 1)),
    MaxPooling2D(),
    Conv2D(16, 3, padding="same", activation="relu"),
    MaxPooling2D(),
    Conv2D(8, 3, padding="same", activation="relu"),  # wrong: C211
    #: Conv2D(32, 3, padding="same", activation="relu"),
    Flatten(),
    Dense(10, activation="softmax"),
])
model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=15, validation_split=0.2)
