from sklearn.datasets import load_digits
from tensorflow.keras import Sequential
from tensorflow.keras.initializers import RandomNormal
from tensorflow.keras.layers import Dense

X, y = load_digits(return_X_y=True)
X = X / 16.0

init = RandomNormal(mean=0.0, stddev=1.0)  # wrong:
#: init = RandomNormal(mean=0.0, stddev=0.05)
model = Sequential()
model.add(Dense(256, activation="relu", input_shape=(64,), kernel_initializer=init))  # found: C303
model.add(Dense(256, activation="relu", kernel_initializer=init))  # found: C303
model.add(Dense(10, activation="softmax"))
model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=40, batch_size=32, validation_split=0.2)
