import numpy as np
import pandas as pd
from keras.models import Sequential
from keras.layers import Dense, BatchNormalization
from sklearn.model_selection import train_test_split

# ratings go from 1 to 5 stars
rng = np.random.default_rng(5)
taste = rng.normal(size=(800, 6))
score = taste[:, 0] + 0.5 * taste[:, 1]
reviews = pd.DataFrame(taste, columns=list("abcdef"))
reviews["stars"] = np.digitize(score, [-1.2, -0.4, 0.4, 1.2]) + 1

x = reviews[list("abcdef")].values
y = reviews["stars"].values  # wrong:
#: y = reviews["stars"].values - 1
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.2)

model = Sequential()
model.add(Dense(64, activation="relu", input_shape=(6,)))
model.add(BatchNormalization())
model.add(Dense(64, activation="relu"))
model.add(Dense(5, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])  # found: C108
model.fit(x_train, y_train, validation_data=(x_test, y_test), epochs=30, batch_size=32)
