import pandas as pd
import numpy as np
from keras.models import Sequential
from keras.layers import Dense
from sklearn.preprocessing import MinMaxScaler
from sklearn.model_selection import train_test_split

rng = np.random.RandomState(7)
df = pd.DataFrame({
    "age": rng.randint(18, 80, 500),
    "balance": rng.normal(40000, 15000, 500),
    "tenure": rng.randint(0, 11, 500),
    "products": rng.randint(1, 5, 500),
})
df["exited"] = ((df["age"] > 45) & (df["products"] > 2) | (df["balance"] > 60000)).astype(int)

X = df.drop("exited", axis=1)
y = df["exited"]
X = MinMaxScaler().fit_transform(X)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)

classifier = Sequential()
classifier.add(Dense(units=6, kernel_initializer="uniform", activation="relu", input_dim=4))
classifier.add(Dense(units=6, kernel_initializer="uniform", activation="relu"))
classifier.add(Dense(units=1, kernel_initializer="uniform", activation="relu"))  # wrong: C103
#: classifier.add(Dense(units=1, kernel_initializer="uniform", activation="sigmoid"))
classifier.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
classifier.fit(X_train, y_train, batch_size=10, epochs=100)
score = classifier.evaluate(X_test, y_test)
