import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)
ads = rng.normal(size=(1000, 8)).astype(np.float32)
clicked = (ads @ rng.normal(size=8) > 0).astype(np.float32)

model = tf.keras.models.Sequential([
    tf.keras.layers.Dense(32, activation="tanh", input_shape=(8,)),
    tf.keras.layers.Dense(1, activation="tanh"),  # wrong: C111
    #: tf.keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(ads, clicked, batch_size=50, epochs=25)
