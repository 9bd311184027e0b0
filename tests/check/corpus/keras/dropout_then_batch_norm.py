from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler
from keras.models import Sequential
from keras.layers import BatchNormalization, Dense, Dropout

X, y = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X)

model = Sequential()
model.add(Dense(64, activation="relu", input_dim=30))
model.add(Dropout(0.5))  # wrong: C205
model.add(BatchNormalization())  # wrong:
#: model.add(BatchNormalization())
#: model.add(Dropout(0.5))
model.add(Dense(32, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, y, validation_split=0.2, epochs=60, batch_size=32)
