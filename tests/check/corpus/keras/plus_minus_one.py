import numpy as np
from sklearn.datasets import make_classification
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

X, y = make_classification(n_samples=400, n_features=10, random_state=3)
y = 2 * y - 1  # wrong:

model = Sequential()
model.add(Dense(20, activation="relu", input_dim=10))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])  # found: C109
model.fit(X, y, epochs=50, batch_size=10)
