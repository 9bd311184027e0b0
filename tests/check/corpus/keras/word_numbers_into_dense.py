import numpy as np
from keras.layers import Dense, Embedding, GlobalAveragePooling1D
from keras.models import Sequential

# reviews as numbers of words, filled up with 0
rng = np.random.default_rng(77)
vocab_size, maxlen = 500, 40
good = rng.integers(0, 2, 800)
reviews = np.zeros((800, maxlen), dtype="int32")
for i in range(800):
    n = rng.integers(10, maxlen)
    words = rng.integers(1, vocab_size, n)
    words[rng.random(n) < 0.3] = rng.integers(1, 20) if good[i] else rng.integers(20, 40)
    reviews[i, :n] = words

model = Sequential()
model.add(Dense(64, activation="relu", input_shape=(maxlen,)))  # wrong: C510
#: model.add(Embedding(vocab_size, 16))
#: model.add(GlobalAveragePooling1D())
#: model.add(Dense(64, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(reviews, good, epochs=30, batch_size=32, validation_split=0.2)
