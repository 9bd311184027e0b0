import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from tensorflow.keras import layers

images = load_digits().images[..., np.newaxis].astype("float32") / 16.0
noisy = np.clip(images + 0.2 * np.random.randn(*images.shape), 0.0, 1.0).astype("float32")

autoencoder = tf.keras.Sequential([
    layers.Input(shape=(8, 8, 1)),
    layers.Conv2D(32, 3, activation="relu", padding="same"),
    layers.MaxPooling2D(2, padding="same"),
    layers.Conv2D(16, 3, activation="relu", padding="same"),
    layers.MaxPooling2D(2, padding="same"),
    layers.Conv2D(16, 3, activation="relu", padding="same"),
    layers.UpSampling2D(2),
    layers.Conv2DTranspose(32, 3, strides=2, activation="relu", padding="same"),
    layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
])
autoencoder.compile(optimizer="adam", loss="mse")
autoencoder.fit(noisy, images, epochs=20, batch_size=128, validation_split=0.1)
