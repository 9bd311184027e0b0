import numpy as np
from tensorflow import keras

# bikes rented per hour
rng = np.random.default_rng(8)
hour = rng.integers(0, 24, 600)
temp = rng.normal(15, 8, 600)
rented = 20 + 10 * np.sin(hour / 24 * 6.28) + 0.8 * temp + rng.normal(0, 2, 600)
x = np.column_stack([np.sin(hour / 24 * 6.28), np.cos(hour / 24 * 6.28), (temp - 15) / 8])

model = keras.Sequential()
model.add(keras.layers.Dense(32, activation="relu", input_shape=(3,)))
model.add(keras.layers.Dense(1, activation="sigmoid"))  # wrong: C113 C115
#: model.add(keras.layers.Dense(1))
model.compile(optimizer="adam", loss="binary_crossentropy")  # wrong: C113 C115
#: model.compile(optimizer="adam", loss="mse")
model.fit(x, rented, epochs=200, batch_size=32)
