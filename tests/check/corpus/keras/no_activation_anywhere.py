import numpy as np
import pandas as pd
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split
from keras.models import Sequential
from keras.layers import Dense

X, y = make_circles(n_samples=1000, noise=0.05, factor=0.4, random_state=0)
df = pd.DataFrame({"x1": X[:, 0], "x2": X[:, 1], "label": y})
X_train, X_test, y_train, y_test = train_test_split(
    df[["x1", "x2"]], df["label"], test_size=0.2, random_state=0
)

model = Sequential()
model.add(Dense(100, input_shape=(2,)))  # wrong: C201
#: model.add(Dense(100, activation="relu", input_shape=(2,)))
model.add(Dense(100))  # wrong:
#: model.add(Dense(100, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=50, validation_data=(X_test, y_test))
