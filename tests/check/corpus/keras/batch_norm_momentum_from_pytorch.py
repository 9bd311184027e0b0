import numpy as np
from sklearn.datasets import make_classification
from tensorflow.keras import layers, models

X, y = make_classification(n_samples=1000, n_features=16, n_informative=10, n_classes=3, random_state=0)

model = models.Sequential()
model.add(layers.Dense(64, use_bias=False, input_shape=(16,)))
model.add(layers.BatchNormalization(momentum=1.0))  # wrong: C404
#: model.add(layers.BatchNormalization(momentum=0.9))
model.add(layers.Activation("relu"))
model.add(layers.Dense(3, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=20, batch_size=50, validation_split=0.2)
