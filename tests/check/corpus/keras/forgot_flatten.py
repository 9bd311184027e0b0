import numpy as np
import keras
from keras.layers import Conv2D, Dense, MaxPooling2D, Flatten

# cats against dogs, much too small
rng = np.random.default_rng(1)
is_dog = rng.integers(0, 2, 200)
photos = rng.integers(0, 256, (200, 24, 24, 3)).astype("float32")
photos[is_dog == 1, 8:16, 8:16, 0] = 250
photos /= 255

model = keras.Sequential()
model.add(Conv2D(16, (3, 3), activation="relu", input_shape=(24, 24, 3)))
model.add(MaxPooling2D((2, 2)))
model.add(Conv2D(32, (3, 3), activation="relu"))
model.add(MaxPooling2D((2, 2)))  # wrong:
#: model.add(MaxPooling2D((2, 2)))
#: model.add(Flatten())
model.add(Dense(32, activation="relu"))  # found: C203
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(photos, is_dog, batch_size=20, epochs=15, validation_split=0.2)
