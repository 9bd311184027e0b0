from keras import regularizers
from keras.layers import Dense
from keras.models import Sequential
from sklearn.datasets import make_moons

X, y = make_moons(n_samples=600, noise=0.2, random_state=1)

model = Sequential()
model.add(Dense(64, input_dim=2, activation="relu", kernel_regularizer=regularizers.l2(1.0)))  # wrong: C408
#: model.add(Dense(64, input_dim=2, activation="relu", kernel_regularizer=regularizers.l2(1e-4)))
model.add(Dense(64, activation="relu", kernel_regularizer=regularizers.l2(1.0)))  # wrong:
#: model.add(Dense(64, activation="relu", kernel_regularizer=regularizers.l2(1e-4)))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, epochs=100, batch_size=32, validation_split=0.3)
