# 4 kinds of clothes
import numpy as np
from tensorflow.keras import layers, models
from tensorflow.keras.utils import to_categorical

rng = np.random.default_rng(9)
prototypes = rng.random((4, 14, 14))
kind = rng.integers(0, 4, 480)
pictures = np.clip(prototypes[kind] + rng.normal(0, 0.25, (480, 14, 14)), 0, 1)
pictures = pictures[..., np.newaxis]
labels = to_categorical(kind, 4)

model = models.Sequential()
model.add(layers.Conv2D(16, (3, 3), activation="relu", input_shape=(14, 14, 1)))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Flatten())
model.add(layers.Dense(32, activation="relu"))
model.add(layers.Dense(4, activation="softmax"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])  # wrong: C116
#: model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(pictures, labels, epochs=10, batch_size=32, validation_split=0.2)
