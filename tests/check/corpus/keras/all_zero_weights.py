import numpy as np
import keras
from keras.layers import Dense
from sklearn.datasets import make_moons

X, y = make_moons(n_samples=400, noise=0.2, random_state=0)

model = keras.Sequential()
model.add(Dense(16, activation="relu", kernel_initializer="zeros", input_dim=2))  # wrong: C301
#: model.add(Dense(16, activation="relu", kernel_initializer="he_normal", input_dim=2))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, epochs=100, batch_size=16)
