import numpy as np
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense
from tensorflow.keras.utils import to_categorical
from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split

X, labels = make_blobs(n_samples=500, centers=4, n_features=2, cluster_std=1.2, random_state=2)
X = (X - X.mean(axis=0)) / X.std(axis=0)
y = to_categorical(labels)
trainX, testX, trainy, testy = train_test_split(X, y, test_size=0.5, random_state=1)

model = Sequential()
model.add(Dense(50, input_dim=2, activation="relu", kernel_initializer="he_uniform"))
model.add(Dense(4, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])  # wrong: C107
#: model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
history = model.fit(trainX, trainy, validation_data=(testX, testy), epochs=100, verbose=0)
