import numpy as np
import tensorflow as tf
from sklearn.datasets import make_regression

X, y = make_regression(n_samples=300, n_features=20, noise=10, random_state=2)
y = y / 100

model = tf.keras.Sequential([
    tf.keras.layers.Dense(64, activation="relu", input_shape=(20,)),
    tf.keras.layers.Dense(64, activation="relu"),
    tf.keras.layers.Dense(1),
])
sgd = tf.keras.optimizers.SGD(learning_rate=0.5, momentum=0.9)  # wrong: C401
#: sgd = tf.keras.optimizers.SGD(learning_rate=0.005, momentum=0.9)
model.compile(loss="mse", optimizer=sgd)
model.fit(X, y, epochs=50, batch_size=10)  # loss: nan
