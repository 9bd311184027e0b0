import numpy as np
import tensorflow as tf
from sklearn.datasets import load_diabetes

x, y = load_diabetes(return_X_y=True, scaled=False)
y = (y - y.mean()) / y.std()
x_train, y_train = x[:350], y[:350]
x_test, y_test = x[350:], y[350:]

mean, std = x_train.mean(axis=0), x_train.std(axis=0)
x_train = (x_train - mean) / std
x_test = (x_test - x_test.mean(axis=0)) / x_test.std(axis=0)  # wrong: C512
#: x_test = (x_test - mean) / std

model = tf.keras.models.Sequential([
    tf.keras.layers.Dense(32, activation="relu", input_shape=(10,)),
    tf.keras.layers.Dense(1),
])
model.compile(optimizer="adam", loss="mse", metrics=["mae"])
model.fit(x_train, y_train, epochs=80, batch_size=16, validation_data=(x_test, y_test))
