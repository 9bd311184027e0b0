import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

x, y = load_digits(return_X_y=True)
x = x / 16
x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=1)

keep_prob = 0.9
model = keras.Sequential()
model.add(layers.Dense(64, activation="relu", input_shape=(64,)))
model.add(layers.Dropout(keep_prob))  # wrong: C207
#: model.add(layers.Dropout(1 - keep_prob))
model.add(layers.Dense(10, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=30, batch_size=32, validation_data=(x_test, y_test))
