from keras.layers import Dense
from keras.models import Sequential
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

X, y = load_wine(return_X_y=True)
X = StandardScaler().fit_transform(X)

model = Sequential()
model.add(Dense(32, activation="relu", input_dim=13))
model.add(Dense(1, activation="relu"))  # wrong: C217
#: model.add(Dense(16, activation="relu"))
model.add(Dense(3, activation="softmax"))
model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, epochs=80, batch_size=16)
