from keras.models import Sequential
from keras.layers import Activation, Dense
from keras.utils import to_categorical
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler
from sklearn.utils import shuffle

iris = load_iris()
X, y = shuffle(iris.data, iris.target, random_state=0)
X = StandardScaler().fit_transform(X)
y = to_categorical(y)

model = Sequential()
model.add(Dense(12, input_dim=4, activation="relu"))
model.add(Dense(3, activation="softmax"))
model.add(Activation("softmax"))  # wrong: C202
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, epochs=100, batch_size=8, validation_split=0.2)
