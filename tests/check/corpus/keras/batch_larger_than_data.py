from keras.models import Sequential
from keras.layers import Dense
from sklearn.datasets import load_wine
from sklearn.preprocessing import StandardScaler

X, y = load_wine(return_X_y=True)
X = StandardScaler().fit_transform(X)

model = Sequential()
model.add(Dense(16, activation="relu", input_dim=13))
model.add(Dense(3, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=40, batch_size=512)  # wrong: C405 C406
#: model.fit(X, y, epochs=40, batch_size=16)
