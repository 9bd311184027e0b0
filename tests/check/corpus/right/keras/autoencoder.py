import numpy as np
from keras.layers import Dense, Input
from keras.models import Model
from sklearn.datasets import load_digits

x = load_digits().data.astype("float32") / 16.0
x_train, x_test = x[:1500], x[1500:]

encoding_dim = 12
input_img = Input(shape=(64,))
encoded = Dense(encoding_dim, activation="relu")(input_img)
decoded = Dense(64, activation="sigmoid")(encoded)
autoencoder = Model(input_img, decoded)
autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
autoencoder.fit(
    x_train, x_train, epochs=50, batch_size=256, shuffle=True, validation_data=(x_test, x_test)
)
