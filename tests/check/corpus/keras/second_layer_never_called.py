import numpy as np
from sklearn.datasets import make_moons
import tensorflow as tf


class MoonNet(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = tf.keras.layers.Dense(32, activation="relu")
        self.dense2 = tf.keras.layers.Dense(32, activation="relu")  # found: C214
        self.out = tf.keras.layers.Dense(1, activation="sigmoid")

    def call(self, inputs):
        x = self.dense1(inputs)
        return self.out(x)  # wrong:
        #: x = self.dense2(x)
        #: return self.out(x)


X, y = make_moons(800, noise=0.2, random_state=4)
model = MoonNet()
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=50, batch_size=32, validation_split=0.2)
