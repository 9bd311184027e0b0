from keras.models import Sequential
from keras.layers import Dense
from keras.utils import to_categorical
from sklearn.datasets import load_digits

digits = load_digits()
X = digits.data / 16.0
y = to_categorical(digits.target, num_classes=10)

model = Sequential()
model.add(Dense(128, activation="relu", input_shape=(64,)))
model.add(Dense(64, activation="softmax"))  # wrong: C219
#: model.add(Dense(64, activation="relu"))
model.add(Dense(10, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, epochs=25, batch_size=64, validation_split=0.2)
