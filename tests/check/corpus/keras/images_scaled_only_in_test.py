import numpy as np
import keras
from keras.layers import Conv2D, Dense, Flatten
from sklearn.datasets import load_digits

digits = load_digits()
X = (digits.images * 16).clip(0, 255).reshape(-1, 8, 8, 1)
y = keras.utils.to_categorical(digits.target)

train_X, test_X = X[:1400], X[1400:]
train_X = train_X.astype("float32")  # wrong:
#: train_X = train_X.astype("float32") / 255
test_X = test_X.astype("float32") / 255

model = keras.Sequential()
model.add(Conv2D(16, 3, activation="relu", input_shape=(8, 8, 1)))  # found: C501
model.add(Flatten())
model.add(Dense(10, activation="softmax"))
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_X, y[:1400], epochs=10, validation_data=(test_X, y[1400:]))  # found: C501
