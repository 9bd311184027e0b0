import numpy as np
import pandas as pd
from keras.models import Sequential
from keras.layers import Dense
from sklearn.preprocessing import StandardScaler

rng = np.random.RandomState(42)
n = 400
cars = pd.DataFrame({
    "year": rng.randint(2000, 2020, n),
    "km": rng.randint(1000, 250000, n),
    "hp": rng.randint(50, 300, n),
})
cars["price"] = 3.0 + 0.5 * (cars.year - 2000) + 0.04 * cars.hp - cars.km / 60000

X = StandardScaler().fit_transform(cars[["year", "km", "hp"]])
y = cars["price"].values  # in thousands

model = Sequential()
model.add(Dense(32, input_dim=3, activation="relu"))
model.add(Dense(32, activation="relu"))
model.add(Dense(1))
model.compile(loss="binary_crossentropy", optimizer="adam")  # wrong: C113
#: model.compile(loss="mean_squared_error", optimizer="adam")
model.fit(X, y, epochs=100, batch_size=16, validation_split=0.2)
