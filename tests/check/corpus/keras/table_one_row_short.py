import numpy as np
from keras.models import Sequential
from keras.layers import Dense, Embedding, Flatten

texts = ["well done", "good work", "great effort", "nice work", "excellent", "weak",
         "poor effort", "not good", "poor work", "could have done better"] * 5
labels = np.array([1, 1, 1, 1, 1, 0, 0, 0, 0, 0] * 5)

word_index = {}
for text in texts:
    for word in text.split():
        word_index.setdefault(word, len(word_index) + 1)
vocab_size = len(word_index)  # wrong:
#: vocab_size = len(word_index) + 1

max_length = 4
docs = np.zeros((len(texts), max_length), dtype=int)
for i, text in enumerate(texts):
    ids = [word_index[word] for word in text.split()]
    docs[i, : len(ids)] = ids

model = Sequential()
model.add(Embedding(vocab_size, 8))  # found: C516
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(docs, labels, epochs=50, verbose=0)
