import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler
from keras.models import Sequential
from keras.layers import BatchNormalization, Dense

X, y = load_diabetes(return_X_y=True)
X = StandardScaler().fit_transform(X)
y = StandardScaler().fit_transform(y.reshape(-1, 1))

model = Sequential()
model.add(Dense(32, input_dim=10, activation="relu"))
model.add(BatchNormalization())
model.add(Dense(1))
model.add(BatchNormalization())  # wrong: C217
model.compile(loss="mse", optimizer="adam")
model.fit(X, y, epochs=60, batch_size=16, validation_split=0.2)
