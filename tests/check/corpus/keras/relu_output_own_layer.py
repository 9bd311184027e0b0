import tensorflow as tf
from sklearn.datasets import make_moons


class Linear(tf.keras.layers.Layer):
    def __init__(self, units):
        super(Linear, self).__init__()
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True
        )
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", trainable=True)

    def call(self, inputs):
        return tf.matmul(inputs, self.w) + self.b


X, y = make_moons(600, noise=0.1, random_state=5)
inputs = tf.keras.Input(shape=(2,))
x = Linear(32)(inputs)
x = tf.nn.relu(x)
x = Linear(32)(x)
x = tf.nn.relu(x)
outputs = tf.keras.layers.Dense(1, activation="softmax")(x)  # wrong: C105
#: outputs = tf.keras.layers.Dense(1, activation="sigmoid")(x)
model = tf.keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=60, batch_size=32)
