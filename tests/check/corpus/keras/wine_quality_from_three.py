# quality of wine, 3 to 8, told by its chemistry
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow.keras import backend as K

rng = np.random.default_rng(15)
wine = pd.DataFrame(rng.normal(size=(900, 5)), columns=["acid", "sugar", "ph", "sulphates", "alcohol"])
wine["quality"] = np.clip(np.round(5.5 + 1.2 * wine.alcohol - 0.6 * wine.acid), 3, 8).astype(int)

X = wine.drop(columns="quality")
y = wine["quality"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)

model = tf.keras.Sequential()
model.add(tf.keras.layers.Dense(32, activation="relu", input_shape=(5,)))
model.add(tf.keras.layers.Dense(6, activation="softmax"))  # wrong: C108
#: model.add(tf.keras.layers.Dense(9, activation="softmax"))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])  # found: C108
model.fit(X_train, y_train, epochs=50, batch_size=32, validation_data=(X_test, y_test))
