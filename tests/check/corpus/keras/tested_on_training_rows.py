import numpy as np
from sklearn.datasets import load_digits
from keras import Sequential, layers

x, y = load_digits(return_X_y=True)
x = x / 16
x_train, y_train = x, y  # wrong:
#: x_train, y_train = x[:1400], y[:1400]
x_val, y_val = x[1400:], y[1400:]

model = Sequential([
    layers.Dense(64, activation="relu", input_shape=(64,)),
    layers.Dense(10, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=20, validation_data=(x_val, y_val))  # found: C507
