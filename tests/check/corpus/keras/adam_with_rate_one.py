from keras.models import Sequential
from keras.layers import Dense
from keras.optimizers import Adam
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x_train, x_test, y_train, y_test = train_test_split(x / 16.0, y, test_size=0.2)

model = Sequential()
model.add(Dense(64, activation="relu", input_shape=(64,)))
model.add(Dense(64, activation="relu"))
model.add(Dense(10, activation="softmax"))
opt = Adam(learning_rate=1.0)  # wrong: C401
#: opt = Adam(learning_rate=0.001)
model.compile(loss="sparse_categorical_crossentropy", optimizer=opt, metrics=["accuracy"])
model.fit(x_train, y_train, epochs=20, batch_size=32, validation_data=(x_test, y_test))
