import numpy as np
import tensorflow as tf
from tensorflow.keras import Input, Model
from tensorflow.keras.layers import Activation, Dense, Dropout

rng = np.random.default_rng(11)
heart_rate = rng.normal(75, 12, 400)
pressure = rng.normal(125, 15, 400)
x = np.stack([(heart_rate - 75) / 12, (pressure - 125) / 15], axis=1).astype("float32")
sick = (x[:, 0] + x[:, 1] > 0.5).astype("float32")

inp = Input(shape=(2,), name="vitals")
h = Dense(16, activation="relu")(inp)
h = Dropout(0.2)(h)
out = Dense(1)(h)
out = Activation("softmax", name="sick")(out)  # wrong: C105
#: out = Activation("sigmoid", name="sick")(out)
model = Model(inputs=inp, outputs=out)
model.compile(tf.keras.optimizers.Adam(learning_rate=0.001), "binary_crossentropy", metrics=["accuracy"])
model.fit(x, sick, epochs=50, batch_size=32, validation_split=0.1)
