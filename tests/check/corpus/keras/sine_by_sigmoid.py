import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import SGD

# learn y = sin(x)
x = np.linspace(-3, 3, 400).reshape(-1, 1)
y = np.sin(x)

model = Sequential()
model.add(Dense(40, input_dim=1, activation="tanh"))
model.add(Dense(40, activation="tanh"))
model.add(Dense(1, activation="sigmoid"))  # wrong: C115
#: model.add(Dense(1, activation="tanh"))
model.compile(loss="mean_squared_error", optimizer=SGD(learning_rate=0.05, momentum=0.9))
model.fit(x, y, epochs=300, batch_size=20)
