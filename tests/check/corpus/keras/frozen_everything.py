import numpy as np
import keras
from keras import layers
from sklearn.datasets import load_digits

x, y = load_digits(return_X_y=True)
x = x / 16

# base.load_weights("trained_on_letters.weights.h5")
base = keras.Sequential([keras.Input((64,)), layers.Dense(64, activation="relu")], name="base")
model = keras.Sequential([base, layers.Dense(10, activation="softmax")])
for layer in model.layers:  # wrong:
    layer.trainable = False  # wrong:
#: for layer in model.layers[:-1]:
#:     layer.trainable = False
model.compile(  # found: C415
    optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"]
)
model.fit(x, y, epochs=20, batch_size=32)
