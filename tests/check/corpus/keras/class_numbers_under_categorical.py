import keras
from keras import layers
from sklearn import datasets
from sklearn.preprocessing import StandardScaler

iris = datasets.load_iris()
X, y = iris.data, iris.target
X = StandardScaler().fit_transform(X)

model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        layers.Dense(16, activation="relu"),
        layers.Dense(3, activation="softmax"),
    ]
)
model.compile(  # found: C107
    optimizer="adam",
    loss="categorical_crossentropy",  # wrong:
    #: loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
# ValueError: Shapes (None, 1) and (None, 3) are incompatible
model.fit(X, y, epochs=100, batch_size=16)
