import numpy as np
from keras.layers import Dense
from keras.models import Sequential

# predict tomorrow's temperature from the last seven days
rng = np.random.default_rng(4)
days = np.arange(800)
celsius = 12 + 10 * np.sin(days / 365 * 2 * np.pi) + rng.normal(0, 2, 800)
window = 7
X = np.array([celsius[i : i + window] for i in range(len(celsius) - window)])
y = celsius[window:]
X = (X - 12) / 10

model = Sequential()
model.add(Dense(32, activation="relu", input_dim=window))
model.add(Dense(1, activation="tanh"))  # wrong: C115
#: model.add(Dense(1))
model.compile(loss="mae", optimizer="adam")
model.fit(X, y, epochs=100, batch_size=32)
