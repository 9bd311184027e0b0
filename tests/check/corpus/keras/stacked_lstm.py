# passengers of an airline, 12 months back
import numpy as np
from sklearn.preprocessing import MinMaxScaler
from keras.models import Sequential
from keras.layers import LSTM, Dense, Dropout

months = np.arange(240)
passengers = 120 + 1.5 * months + 30 * np.sin(months * 2 * np.pi / 12)
scaler = MinMaxScaler(feature_range=(0, 1))
series = scaler.fit_transform(passengers.reshape(-1, 1))


def create_dataset(dataset, look_back=12):
    dataX, dataY = [], []
    for i in range(len(dataset) - look_back):
        dataX.append(dataset[i : i + look_back, 0])
        dataY.append(dataset[i + look_back, 0])
    return np.array(dataX), np.array(dataY)


trainX, trainY = create_dataset(series[:180])
trainX = np.reshape(trainX, (trainX.shape[0], trainX.shape[1], 1))

model = Sequential()
model.add(LSTM(50, input_shape=(12, 1)))  # wrong:
#: model.add(LSTM(50, return_sequences=True, input_shape=(12, 1)))
model.add(Dropout(0.2))
model.add(LSTM(50))  # found: C213
model.add(Dense(1))
model.compile(loss="mean_squared_error", optimizer="adam")
model.fit(trainX, trainY, epochs=100, batch_size=4, verbose=2)
