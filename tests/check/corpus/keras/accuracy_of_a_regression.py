import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow.keras.layers import Dense, Input
from tensorflow.keras.models import Model

X, y = load_diabetes(return_X_y=True)
X = StandardScaler().fit_transform(X)
y = (y - y.mean()) / y.std()
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)

inp = Input(shape=(10,))
h = Dense(32, activation="relu")(inp)
out = Dense(1, activation="linear")(h)
model = Model(inp, out)
model.compile(optimizer="adam", loss="mse", metrics=["accuracy"])  # wrong: C114
#: model.compile(optimizer="adam", loss="mse", metrics=["mae"])
model.fit(X_train, y_train, epochs=60, batch_size=16, validation_data=(X_test, y_test))
