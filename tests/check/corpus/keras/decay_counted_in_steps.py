import tensorflow as tf
from sklearn.datasets import load_digits

X, y = load_digits(return_X_y=True)
X = X / 16

epochs = 30
batch_size = 32
schedule = tf.keras.optimizers.schedules.ExponentialDecay(
    0.1, decay_steps=1, decay_rate=0.9  # wrong:
    #: 0.1, decay_steps=len(X) // batch_size, decay_rate=0.9
)
model = tf.keras.Sequential([
    tf.keras.layers.Dense(64, activation="relu", input_shape=(64,)),
    tf.keras.layers.Dense(10, activation="softmax"),
])
optimizer = tf.keras.optimizers.SGD(learning_rate=schedule)  # found: C407
model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=epochs, batch_size=batch_size)
