import numpy as np
from sklearn.datasets import load_digits
from tensorflow.keras import layers, models

X, y = load_digits(return_X_y=True)
X = X.reshape((-1, 8, 8, 1)) / 16.0

model = models.Sequential()
model.add(layers.Input((8, 8, 1)))
model.add(layers.Conv2D(16, 3, padding="same"))  # wrong: C208
#: model.add(layers.Conv2D(16, 3, padding="same", use_bias=False))
model.add(layers.BatchNormalization())
model.add(layers.Activation("relu"))
model.add(layers.MaxPooling2D())
model.add(layers.Flatten())
model.add(layers.Dense(10, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, batch_size=64, epochs=12)
