import numpy as np
from tensorflow.keras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from tensorflow.keras.models import Sequential

rng = np.random.default_rng(12)
number = rng.integers(0, 3, 300)
x = rng.normal(0, 0.1, (300, 16, 16, 1)).clip(0, 1)
for i, n in enumerate(number):
    x[i, :, 2 + 5 * n : 5 + 5 * n] += 0.6

model = Sequential()
model.add(Conv2D(16, 3, padding="same", activation="relu", input_shape=(16, 16, 1)))
model.add(MaxPooling2D(4))
model.add(Conv2D(32, 3, padding="same", activation="relu"))
model.add(MaxPooling2D(4))  # wrong: C209
#: model.add(MaxPooling2D(2))
model.add(Conv2D(64, 3, padding="same", activation="relu"))
model.add(Flatten())
model.add(Dense(3, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, number, epochs=10, batch_size=16)
