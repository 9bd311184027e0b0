import numpy as np
from keras.layers import Dense
from keras.models import Sequential

# admission: gpa 0-4, gre 200-800, rank 1-4
rng = np.random.default_rng(19)
gre = rng.integers(200, 801, 400)
gpa = np.round(rng.uniform(2, 4, 400), 2)
rank = rng.integers(1, 5, 400)
X = np.column_stack([gre, gpa, rank]).astype("float32")
#: X = (X - X.mean(axis=0)) / X.std(axis=0)
y = (gre / 200 + gpa - rank > 2.5).astype("float32")

model = Sequential()
model.add(Dense(16, activation="sigmoid", input_shape=(3,)))  # found: C306
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=100, batch_size=20, validation_split=0.2)  # found: C501 C502
