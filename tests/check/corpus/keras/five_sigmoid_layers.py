from sklearn.datasets import load_digits
from sklearn.preprocessing import MinMaxScaler
from keras.models import Sequential
from keras.layers import Dense
from keras.optimizers import SGD
from keras.utils import to_categorical

X, y = load_digits(return_X_y=True)
X = MinMaxScaler().fit_transform(X)
Y = to_categorical(y)

model = Sequential()
model.add(Dense(100, activation="sigmoid", input_dim=64))  # wrong: C212 C307
#: model.add(Dense(100, activation="relu", input_dim=64))
for _ in range(4):
    model.add(Dense(100, activation="sigmoid"))  # wrong:
    #: model.add(Dense(100, activation="relu"))
model.add(Dense(10, activation="softmax"))
model.compile(optimizer=SGD(learning_rate=0.1), loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(X, Y, epochs=50, batch_size=32)
