import numpy as np
import pandas as pd
from keras.models import Sequential
from keras.layers import Dense, Dropout, LSTM

rng = np.random.default_rng(100)
close = pd.Series(1200 + np.cumsum(rng.normal(0.5, 8, 400)), name="Close")
data = close.values.reshape(-1, 1)  # wrong:
#: data = ((close - close.mean()) / close.std()).values.reshape(-1, 1)

X_train, y_train = [], []
for i in range(60, len(data)):
    X_train.append(data[i - 60 : i, 0])
    y_train.append(data[i, 0])
X_train, y_train = np.array(X_train), np.array(y_train)
X_train = np.reshape(X_train, (X_train.shape[0], X_train.shape[1], 1))

regressor = Sequential()
regressor.add(LSTM(units=50, return_sequences=True, input_shape=(60, 1)))  # found: C501 C515
regressor.add(Dropout(0.2))
regressor.add(LSTM(units=50))
regressor.add(Dropout(0.2))
regressor.add(Dense(units=1))
regressor.compile(optimizer="adam", loss="mean_squared_error")
regressor.fit(X_train, y_train, epochs=100, batch_size=32)  # found: C501 C515
