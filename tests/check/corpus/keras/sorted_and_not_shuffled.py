from keras.layers import Dense
from keras.models import Sequential
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

iris = load_iris()
X = StandardScaler().fit_transform(iris.data)
y = to_categorical(iris.target)

model = Sequential()
model.add(Dense(16, activation="relu", input_dim=4))
model.add(Dense(3, activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
model.fit(X, y, epochs=100, batch_size=10, shuffle=False)  # wrong: C505
#: model.fit(X, y, epochs=100, batch_size=10, shuffle=True)
