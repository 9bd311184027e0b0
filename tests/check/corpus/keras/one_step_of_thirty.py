import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from keras.layers import Conv1D, Dense, Flatten
from keras.models import Sequential

X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X)
X = X.reshape((X.shape[0], 1, X.shape[1]))  # wrong:
#: X = X.reshape((X.shape[0], X.shape[1], 1))

model = Sequential()
model.add(Conv1D(32, 3, padding="same", activation="relu", input_shape=X.shape[1:]))  # found: C210
model.add(Flatten())
model.add(Dense(16, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=30, batch_size=32, validation_split=0.2)
