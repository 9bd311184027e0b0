import numpy as np
import keras
from sklearn.datasets import make_regression

X, y = make_regression(n_samples=500, n_features=6, noise=5, random_state=1)
y = y / y.std()
train = slice(0, 400)
test = slice(400, 500)

model = keras.Sequential([
    keras.layers.Dense(32, activation="relu", input_shape=(6,)),
    keras.layers.Dense(32, activation="relu"),
    keras.layers.Dense(1, activation="relu"),  # wrong: C115
    #: keras.layers.Dense(1),
])
model.compile(optimizer="adam", loss="mse")
model.fit(X[train], y[train], epochs=80, batch_size=20, validation_data=(X[test], y[test]))
