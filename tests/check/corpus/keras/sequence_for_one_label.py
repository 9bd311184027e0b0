import numpy as np
import tensorflow as tf

# is the sine wave rising faster than it should?
rng = np.random.default_rng(21)
fast = rng.integers(0, 2, 400)
t = np.linspace(0, 6, 30)
waves = np.sin(t * (1 + fast[:, None])) + rng.normal(0, 0.2, (400, 30))
waves = waves[:, :, np.newaxis]

model = tf.keras.Sequential()
model.add(tf.keras.layers.LSTM(32, return_sequences=True, input_shape=(30, 1)))
model.add(tf.keras.layers.LSTM(16, return_sequences=True))  # wrong: C213
#: model.add(tf.keras.layers.LSTM(16))
model.add(tf.keras.layers.Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(waves, fast, epochs=20, batch_size=32, validation_split=0.1)
