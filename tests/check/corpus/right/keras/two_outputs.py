import numpy as np
import keras
from keras import layers

rng = np.random.default_rng(0)
customers = rng.normal(size=(600, 10))
age = (40 + 10 * customers[:, 0] + rng.normal(0, 1, 600) - 40) / 10
buys = (customers[:, 1] + customers[:, 2] > 0).astype("int32")

inputs = keras.Input((10,), name="customer")
h = layers.Dense(32, activation="relu")(inputs)
age_output = layers.Dense(1, name="age")(h)
buys_output = layers.Dense(1, activation="sigmoid", name="buys")(h)
model = keras.Model(inputs, [age_output, buys_output])
model.compile(
    optimizer="rmsprop",
    loss={"age": "mse", "buys": "binary_crossentropy"},
    loss_weights={"age": 0.5, "buys": 1.0},
    metrics={"buys": "accuracy"},
)
model.fit(customers, {"age": age, "buys": buys}, epochs=40, batch_size=32)
