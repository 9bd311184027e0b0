import numpy as np
from keras.layers import Concatenate, Dense, Input
from keras.models import Model

rng = np.random.default_rng(30)
house = rng.normal(size=(500, 6))
area = rng.normal(size=(500, 3))
value = house[:, 0] - area[:, 1] + 0.1 * rng.normal(size=500)

a = Input(shape=(6,), name="house")
b = Input(shape=(3,), name="area")  # found: C215
h1 = Dense(16, activation="relu")(a)
h2 = Dense(16, activation="relu")(a)  # wrong:
#: h2 = Dense(16, activation="relu")(b)
both = Concatenate()([h1, h2])
z = Dense(8, activation="relu")(both)
price = Dense(1)(z)
model = Model(inputs=[a, b], outputs=price)
model.compile(optimizer="adam", loss="mse")
model.fit([house, area], value, epochs=80, batch_size=32)
