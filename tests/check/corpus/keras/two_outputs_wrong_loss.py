import numpy as np
import keras
from keras.layers import Dense, Input
from keras.models import Model
from keras.utils import to_categorical

# a face: how old, and which of three expressions
rng = np.random.default_rng(64)
face = rng.normal(size=(500, 24)).astype("float32")
age = (face[:, 0] + 0.2 * rng.normal(size=500)).astype("float32")
expression = to_categorical(np.digitize(face[:, 1] - face[:, 2], [-0.6, 0.6]), 3)

inp = Input(shape=(24,))
h = Dense(64, activation="relu")(inp)
h = Dense(64, activation="relu")(h)
age_out = Dense(1, name="age")(h)
expression_out = Dense(3, activation="softmax", name="expression")(h)
model = Model(inputs=inp, outputs=[age_out, expression_out])
model.compile(  # found: C107
    optimizer="adam",
    loss={"age": "mse", "expression": "sparse_categorical_crossentropy"},  # wrong:
    #: loss={"age": "mse", "expression": "categorical_crossentropy"},
)
model.fit(face, {"age": age, "expression": expression}, epochs=40, batch_size=32)
