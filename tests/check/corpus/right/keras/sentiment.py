import numpy as np
import tensorflow as tf

vocab_size, embedding_dim, max_length = 1000, 16, 60
rng = np.random.default_rng(20)
labels = rng.integers(0, 2, 600)
padded = np.zeros((600, max_length), dtype=np.int32)
for row, label in zip(padded, labels):
    length = rng.integers(10, max_length)
    row[:length] = rng.integers(2, vocab_size, length)
    row[:4] = rng.integers(2, 50, 4) + 50 * label

model = tf.keras.Sequential([
    tf.keras.layers.Embedding(vocab_size, embedding_dim),
    tf.keras.layers.GlobalAveragePooling1D(),
    tf.keras.layers.Dense(24, activation="relu"),
    tf.keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(padded, labels, epochs=30, validation_split=0.2, verbose=2)
