import numpy as np
import pandas as pd
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler
from tensorflow import keras

wine = load_wine()
table = pd.DataFrame(wine.data, columns=wine.feature_names)
features = StandardScaler().fit_transform(table)
target = wine.target  # 0, 1, 2

model = keras.models.Sequential()
model.add(keras.layers.Dense(32, activation="relu", input_shape=(features.shape[1],)))
model.add(keras.layers.Dense(16, activation="relu"))
model.add(keras.layers.Dense(1, activation="sigmoid"))  # wrong: C106 C105 C108
#: model.add(keras.layers.Dense(3, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(features, target, epochs=60, batch_size=8)
