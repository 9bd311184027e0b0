import numpy as np
import pandas as pd
from keras import layers, models
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(2)
passengers = pd.DataFrame({
    "fare": rng.gamma(2, 15, 500),
    "age": rng.normal(30, 14, 500),
    "sibsp": rng.integers(0, 4, 500),
})
passengers["survived"] = (passengers.fare - 0.4 * passengers.age > 18).astype(int)
passengers.loc[rng.choice(500, 80, replace=False), "age"] = np.nan  # as in the real table

#: passengers["age"] = passengers["age"].fillna(passengers["age"].median())
features = StandardScaler().fit_transform(passengers[["fare", "age", "sibsp"]])

model = models.Sequential()
model.add(layers.Dense(16, activation="relu", input_shape=(3,)))
model.add(layers.Dense(1, activation="sigmoid"))
model.compile("adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(features, passengers["survived"], epochs=50)  # found: C503
