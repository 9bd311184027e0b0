import numpy as np
import keras
from sklearn.datasets import load_digits
from keras.utils import to_categorical

X, y = load_digits(return_X_y=True)
X = X / 16.0
np.random.shuffle(X)  # wrong:
np.random.shuffle(y)  # wrong: C514
#: idx = np.random.permutation(len(X))
#: X, y = X[idx], y[idx]
y = to_categorical(y)

model = keras.Sequential()
model.add(keras.layers.Dense(64, activation="relu", input_shape=(64,)))
model.add(keras.layers.Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, epochs=30, batch_size=32, validation_split=0.2)
