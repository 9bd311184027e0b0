import numpy as np
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x = x / 16.0
rng = np.random.default_rng(0)
left, right = rng.integers(0, len(x), (2, 4000))
same = y[left] == y[right]
keep = same | (rng.random(4000) < 0.11)
pairs, labels = [x[left][keep], x[right][keep]], same[keep].astype("float32")


def euclidean_distance(vects):
    a, b = vects
    return ops.sqrt(ops.maximum(ops.sum(ops.square(a - b), axis=1, keepdims=True), 1e-7))


tower = keras.Sequential([keras.Input((64,)), layers.Dense(64, activation="relu"), layers.Dense(16)])
input_1, input_2 = keras.Input((64,)), keras.Input((64,))
distance = layers.Lambda(euclidean_distance, output_shape=(1,))([tower(input_1), tower(input_2)])
normal_layer = layers.BatchNormalization()(distance)
output = layers.Dense(1, activation="sigmoid")(normal_layer)
model = keras.Model([input_1, input_2], output)
model.compile(loss="binary_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(pairs, labels, batch_size=16, epochs=10)
