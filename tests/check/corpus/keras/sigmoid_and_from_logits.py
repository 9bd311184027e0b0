# telling spam from ham
import numpy as np
from sklearn.datasets import make_classification
from sklearn.preprocessing import StandardScaler
from tensorflow import keras
from tensorflow.keras import layers

X, y = make_classification(n_samples=600, n_features=20, n_informative=8, random_state=1)
X = StandardScaler().fit_transform(X)


def build_model():
    inputs = keras.Input(shape=(20,))
    x = layers.Dense(32, activation="relu")(inputs)
    x = layers.Dropout(0.3)(x)
    outputs = layers.Dense(1, activation="sigmoid")(x)
    return keras.Model(inputs, outputs)


model = build_model()
loss = keras.losses.BinaryCrossentropy(from_logits=True)  # wrong: C102
#: loss = keras.losses.BinaryCrossentropy()
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss, metrics=["accuracy"])
model.fit(X, y, batch_size=32, epochs=40, validation_split=0.2)
