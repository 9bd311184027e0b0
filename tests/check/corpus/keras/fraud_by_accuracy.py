import numpy as np
import keras
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

# 1 % of all card payments are fraud
X, y = make_classification(
    n_samples=4000, n_features=12, n_informative=6, weights=[0.99], flip_y=0, random_state=3
)
X = StandardScaler().fit_transform(X)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

model = keras.Sequential()
model.add(keras.layers.Dense(16, activation="relu", input_shape=(12,)))
model.add(keras.layers.Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])  # wrong: C509
#: model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["AUC"])
model.fit(X_train, y_train, epochs=20, validation_data=(X_test, y_test))  # wrong: C509
#: model.fit(X_train, y_train, epochs=20, validation_data=(X_test, y_test), class_weight={0: 1, 1: 50})
