from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler
from tensorflow import keras

X, y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)

model = keras.Sequential([
    keras.layers.Input(shape=(4,)),
    keras.layers.Dense(2048, activation="relu"),  # wrong:
    #: keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(2048, activation="relu"),  # wrong: C216
    #: keras.layers.Dense(16, activation="relu"),
    keras.layers.Dense(3, activation="softmax"),
])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=100, batch_size=16)
