import numpy as np
from keras.layers import LSTM, Dense
from keras.models import Sequential
from sklearn.preprocessing import MinMaxScaler

# temperature of every hour: the next from the last 24
hours = np.arange(1500)
temperature = 10 + 6 * np.sin(hours * 2 * np.pi / 24) + np.random.normal(0, 0.5, 1500)
train, test = temperature[:1200].reshape(-1, 1), temperature[1200:].reshape(-1, 1)
scaler = MinMaxScaler()
train = scaler.fit_transform(train)
test = scaler.transform(test)


def split_sequence(sequence, n_steps):
    X, y = [], []
    for i in range(len(sequence) - n_steps):
        X.append(sequence[i : i + n_steps])
        y.append(sequence[i + n_steps, 0])
    return np.array(X), np.array(y)


X, y = split_sequence(train, 24)
X_test, y_test = split_sequence(test, 24)
model = Sequential()
model.add(LSTM(50, activation="relu", input_shape=(24, 1)))
model.add(Dense(1))
model.compile(optimizer="adam", loss="mse")
model.fit(X, y, epochs=50, batch_size=32, shuffle=False, validation_data=(X_test, y_test))
