import numpy as np
from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.utils import to_categorical

# red, green and blue balls on grey
rng = np.random.default_rng(17)
colour = rng.integers(0, 3, 240)
x_train = rng.integers(90, 160, (240, 20, 20, 3)).astype("float32")
for i, c in enumerate(colour):
    x, y = rng.integers(2, 12, 2)
    x_train[i, y : y + 6, x : x + 6, c] = rng.integers(200, 256)
y_train = to_categorical(colour)
#: x_train /= 255.0

model = Sequential()
model.add(Conv2D(16, (3, 3), activation="relu", input_shape=(20, 20, 3)))  # found: C501
model.add(MaxPooling2D())
model.add(Flatten())
model.add(Dense(32, activation="relu"))
model.add(Dense(3, activation="softmax"))
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=20, batch_size=16)  # found: C501
