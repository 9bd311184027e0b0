import numpy as np
from keras.models import Sequential
from keras.layers import Dense, Embedding, Flatten

rng = np.random.default_rng(42)
max_words, maxlen = 60, 20
data = rng.integers(1, max_words, (500, maxlen))
labels = (data[:, :5].min(axis=1) < 8).astype("float32")

model = Sequential()
model.add(Embedding(max_words, 8, input_length=maxlen))  # wrong:
#: model.add(Embedding(max_words, 8, input_length=maxlen))
#: model.add(Flatten())
model.add(Dense(32, activation="relu"))  # found: C203
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["acc"])
model.fit(data, labels, epochs=10, batch_size=32, validation_split=0.2)
