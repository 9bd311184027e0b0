# Why is my accuracy stuck at 50%?
import numpy as np
from sklearn.datasets import make_moons
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense

X, y = make_moons(500, noise=0.15, random_state=0)

model = Sequential()
model.add(Dense(16, input_shape=(2,), activation="relu"))
model.add(Dense(16, activation="relu"))
model.add(Dense(1, activation="softmax"))  # wrong: C105
#: model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, epochs=100, batch_size=16, verbose=1)
