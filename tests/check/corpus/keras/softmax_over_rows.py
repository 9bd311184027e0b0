import numpy as np
import tensorflow as tf
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X).astype("float32")
Y = np.eye(3)[y]

inputs = tf.keras.Input((4,))
hidden = tf.keras.layers.Dense(16, activation="relu")(inputs)
logits = tf.keras.layers.Dense(3)(hidden)
outputs = tf.keras.layers.Softmax(axis=0)(logits)  # wrong: C119
#: outputs = tf.keras.layers.Softmax(axis=-1)(logits)
model = tf.keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(X, Y, epochs=100, batch_size=10)
