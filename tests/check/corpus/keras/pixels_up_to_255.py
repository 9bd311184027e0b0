import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, models
from sklearn.datasets import load_digits

# the digits as an 8 bit picture
digits = load_digits()
images = (digits.images * 255 / 16).astype("uint8")
train_images = images[:1500].reshape((1500, 64))  # wrong:
#: train_images = images[:1500].reshape((1500, 64)) / 255.0
test_images = images[1500:].reshape((-1, 64))  # wrong:
#: test_images = images[1500:].reshape((-1, 64)) / 255.0

model = models.Sequential()
model.add(layers.Dense(128, activation="relu", input_shape=(64,)))  # found: C501
model.add(layers.Dense(10, activation="softmax"))
model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_images, digits.target[:1500], epochs=30)  # found: C501
model.evaluate(test_images, digits.target[1500:])
