import numpy as np
import pandas as pd
from keras import layers, models
from sklearn.model_selection import KFold

rng = np.random.default_rng(3)
frame = pd.DataFrame({
    "crim": rng.gamma(0.5, 7, 404),
    "rm": rng.normal(6.3, 0.7, 404),
    "tax": rng.integers(187, 711, 404),
    "lstat": rng.gamma(3, 4, 404),
})
train_targets = (9 * frame.rm - 0.6 * frame.lstat - 26).clip(5, 50).values  # thousands
train_data = frame.values
train_data -= train_data.mean(axis=0)
train_data /= train_data.std(axis=0)


def build_model():
    model = models.Sequential()
    model.add(layers.Dense(64, activation="relu", input_shape=(train_data.shape[1],)))
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dense(1))
    model.compile(optimizer="rmsprop", loss="mse", metrics=["mae"])
    return model


for train, val in KFold(4).split(train_data):
    model = build_model()
    model.fit(train_data[train], train_targets[train], epochs=100, batch_size=1, verbose=0)
    print(model.evaluate(train_data[val], train_targets[val], verbose=0))
