from keras.models import Sequential
from keras.layers import Activation, Dense
from keras.utils import to_categorical
from sklearn.datasets import load_digits

digits = load_digits()
x = digits.data / 16.0
y = to_categorical(digits.target)

model = Sequential()
model.add(Dense(64, input_dim=64))
model.add(Activation("relu"))
model.add(Dense(10))
model.add(Activation("relu"))  # wrong: C120
model.add(Activation("softmax"))
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=30, batch_size=32, validation_split=0.1)
