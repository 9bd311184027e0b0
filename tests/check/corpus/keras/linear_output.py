import numpy as np
from keras.layers import Dense
from keras.models import Sequential

rng = np.random.default_rng(0)
x = rng.normal(size=(400, 12))
y = np.eye(4)[x[:, :4].argmax(axis=1)]

model = Sequential()
model.add(Dense(32, activation="relu", input_dim=12))
model.add(Dense(4))  # wrong: C103
#: model.add(Dense(4, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x, y, epochs=30, batch_size=32, validation_split=0.2)
