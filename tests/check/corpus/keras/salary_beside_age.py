import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

rng = np.random.default_rng(33)
n = 600
df = pd.DataFrame({
    "Age": rng.integers(18, 70, n),
    "EstimatedSalary": rng.integers(15000, 150000, n),
    "Children": rng.integers(0, 4, n),
})
df["Purchased"] = ((df.Age > 42) | (df.EstimatedSalary > 90000)).astype(int)

X = df[["Age", "EstimatedSalary", "Children"]].values.astype("float32")
y = df["Purchased"].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, random_state=0)
#: scaler = StandardScaler()
#: X_train = scaler.fit_transform(X_train)
#: X_test = scaler.transform(X_test)

ann = Sequential()
ann.add(Dense(units=6, activation="relu", input_shape=(3,)))  # found: C501 C502
ann.add(Dense(units=6, activation="relu"))
ann.add(Dense(units=1, activation="sigmoid"))
ann.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
ann.fit(X_train, y_train, batch_size=32, epochs=100)  # found: C501 C502
