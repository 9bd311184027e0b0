import numpy as np
import keras
from keras import layers, ops
from sklearn.datasets import load_digits


class Sampling(layers.Layer):
    """Draws z from the mean and the logarithm of the variance."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        epsilon = keras.random.normal(shape=ops.shape(z_mean), seed=self.seed_generator)
        divergence = 1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var)
        self.add_loss(-0.5 * ops.mean(ops.sum(divergence, axis=-1)) / 64)
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


x = load_digits().data / 16.0
inputs = keras.Input(shape=(64,))
h = layers.Dense(48, activation="relu")(inputs)
z_mean = layers.Dense(2, name="z_mean")(h)
z_log_var = layers.Dense(2, name="z_log_var")(h)
z = Sampling()([z_mean, z_log_var])
h = layers.Dense(48, activation="relu")(z)
outputs = layers.Dense(64, activation="sigmoid")(h)
vae = keras.Model(inputs, outputs)
vae.compile(optimizer="adam", loss="binary_crossentropy")
vae.fit(x, x, epochs=30, batch_size=128)
