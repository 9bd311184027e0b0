# batches of CIFAR come as (3, 32, 32)
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Conv2D, Dense, Flatten, MaxPooling2D

rng = np.random.default_rng(13)
label = rng.integers(0, 2, 160)
flat = rng.integers(0, 200, (160, 3072))
data = flat.reshape(-1, 3, 32, 32) / 255.0
data[label == 1, 0, 10:20, 10:20] = 1.0
#: data = data.transpose(0, 2, 3, 1)

model = tf.keras.Sequential()
model.add(Conv2D(16, (3, 3), padding="same", activation="relu", input_shape=data.shape[1:]))  # found: C511
model.add(MaxPooling2D((2, 2), padding="same"))
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(data, label, epochs=20, batch_size=16)
