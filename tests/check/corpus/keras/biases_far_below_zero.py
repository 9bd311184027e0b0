import numpy as np
import keras
from keras import layers
from sklearn.datasets import make_classification

X, y = make_classification(600, n_features=12, n_informative=6, random_state=9)

model = keras.Sequential()
model.add(keras.Input((12,)))
model.add(
    layers.Dense(  # found: C305
        32,
        activation="relu",
        bias_initializer=keras.initializers.Constant(-20),  # wrong:
        #: bias_initializer="zeros",
    )
)
model.add(layers.Dense(1, activation="sigmoid"))
model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=30)
