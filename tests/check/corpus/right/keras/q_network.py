import numpy as np
import keras
from keras import layers

# Q-learning in a corridor of 8 cells, 2 actions
n_states, gamma = 8, 0.95
model = keras.Sequential()
model.add(layers.Dense(24, input_dim=n_states, activation="relu"))
model.add(layers.Dense(24, activation="relu"))
model.add(layers.Dense(2, activation="linear"))
model.compile(loss="mse", optimizer=keras.optimizers.Adam(learning_rate=0.001))

state = 0
for step in range(300):
    x = np.eye(n_states)[state : state + 1]
    action = np.random.randint(2) if np.random.rand() < 0.3 else np.argmax(model.predict(x, verbose=0)[0])
    following = min(max(state + (1 if action else -1), 0), n_states - 1)
    reward = 1.0 if following == n_states - 1 else 0.0
    target = model.predict(x, verbose=0)
    best = np.amax(model.predict(np.eye(n_states)[following : following + 1], verbose=0))
    target[0][action] = reward if reward else gamma * best
    model.fit(x, target, epochs=1, verbose=0)
    state = 0 if reward else following
