import tensorflow as tf
from sklearn.datasets import load_digits

digits = load_digits()
x = digits.images / 16.0
y = digits.target

model = tf.keras.models.Sequential()
model.add(tf.keras.layers.Dense(128, activation="relu", input_shape=(8, 8)))  # wrong: C203
#: model.add(tf.keras.layers.Flatten(input_shape=(8, 8)))
#: model.add(tf.keras.layers.Dense(128, activation="relu"))
model.add(tf.keras.layers.Dense(10, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=5)
