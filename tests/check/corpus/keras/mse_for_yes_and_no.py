import numpy as np
import keras
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

data = load_breast_cancer()
X_train, X_test, y_train, y_test = train_test_split(data.data, data.target, random_state=0)
sc = StandardScaler()
X_train = sc.fit_transform(X_train)
X_test = sc.transform(X_test)

inputs = keras.layers.Input(shape=(30,))
x = keras.layers.Dense(16, activation="relu")(inputs)
output = keras.layers.Dense(1)(x)  # wrong: C112
#: output = keras.layers.Dense(1, activation="sigmoid")(x)
model = keras.models.Model(inputs, output)
model.compile(optimizer="adam", loss="mean_squared_error", metrics=["accuracy"])  # wrong: C112
#: model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X_train, y_train, epochs=30, batch_size=16)
print(model.evaluate(X_test, y_test))
