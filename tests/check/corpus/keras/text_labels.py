import pandas as pd
import numpy as np
from sklearn.datasets import load_iris
from sklearn.preprocessing import LabelEncoder
from keras.models import Sequential
from keras.layers import Dense

data = load_iris(as_frame=True)
df = data.frame
df["species"] = [data.target_names[i] for i in df["target"]]
x = df.drop(columns=["target", "species"]).to_numpy()
x = (x - x.mean(0)) / x.std(0)
y = df["species"].to_numpy()  # wrong:
#: y = LabelEncoder().fit_transform(df["species"])

model = Sequential()
model.add(Dense(10, activation="relu", input_shape=(4,)))
model.add(Dense(3, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x, y, epochs=150, batch_size=5)  # found: C110
