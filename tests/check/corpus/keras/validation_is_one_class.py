import numpy as np
import tensorflow as tf
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

X, y = load_wine(return_X_y=True)
X = StandardScaler().fit_transform(X)
#: order = np.random.permutation(len(X))
#: X, y = X[order], y[order]

model = tf.keras.Sequential([
    tf.keras.layers.Dense(20, activation="relu", input_shape=(13,)),
    tf.keras.layers.Dense(3, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=40, batch_size=16, validation_split=0.2)  # found: C506
