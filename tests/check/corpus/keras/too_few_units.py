import numpy as np
from sklearn.datasets import load_digits
from keras import Sequential
from keras.layers import Dense, Flatten
from keras.utils import to_categorical

digits = load_digits()
X = digits.images / 16
y = to_categorical(digits.target)

model = Sequential([
    Flatten(input_shape=(8, 8)),
    Dense(64, activation="relu"),
    Dense(9, activation="softmax"),  # wrong: C106
    #: Dense(10, activation="softmax"),
])
model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=20, batch_size=64)
