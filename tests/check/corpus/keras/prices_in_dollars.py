import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

rng = np.random.default_rng(55)
n = 500
houses = pd.DataFrame({
    "rooms": rng.integers(1, 9, n),
    "sqft": rng.integers(500, 4000, n),
    "age": rng.integers(0, 90, n),
})
houses["price"] = 50000 + 150 * houses.sqft + 10000 * houses.rooms - 500 * houses.age

X = StandardScaler().fit_transform(houses[["rooms", "sqft", "age"]])
y = houses["price"].values.reshape(-1, 1)  # wrong:
#: y = StandardScaler().fit_transform(houses["price"].values.reshape(-1, 1))
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)

model = Sequential()
model.add(Dense(64, input_dim=3, activation="relu"))
model.add(Dense(1, activation="linear"))  # found: C515 C401
model.compile(loss="mean_squared_error", optimizer="sgd")  # found: C515 C401
model.fit(X_train, y_train, epochs=50, batch_size=16)  # found: C515
