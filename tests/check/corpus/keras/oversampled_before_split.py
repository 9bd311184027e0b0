import numpy as np
import pandas as pd
from keras.layers import Dense
from keras.models import Sequential
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.utils import resample

X, y = make_classification(n_samples=1000, n_features=8, weights=[0.85], random_state=4)
df = pd.DataFrame(X)
df["fraud"] = y

#: df, test = train_test_split(df, test_size=0.2, random_state=1)
majority = df[df.fraud == 0]
minority = df[df.fraud == 1]
minority_up = resample(minority, replace=True, n_samples=len(majority), random_state=1)  # found: C508
df = pd.concat([majority, minority_up])
train, test = train_test_split(df, test_size=0.2, random_state=1)  # wrong:
#: train = df.sample(frac=1, random_state=1)

model = Sequential()
model.add(Dense(16, activation="relu", input_dim=8))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(
    train.drop("fraud", axis=1),
    train["fraud"],
    validation_data=(test.drop("fraud", axis=1), test["fraud"]),
    epochs=30,
)
