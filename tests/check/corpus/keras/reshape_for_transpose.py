# EEG: 4 electrodes, 60 samples each
import numpy as np
from keras.layers import Conv1D, Dense, GlobalMaxPooling1D, Input, Permute, Reshape
from keras.models import Model

rng = np.random.default_rng(2)
stimulus = rng.integers(0, 2, 300)
t = np.arange(60)
eeg = rng.normal(size=(300, 4, 60))
eeg += np.where(stimulus, 1.5, 0)[:, None, None] * np.sin(t / 3)

inp = Input(shape=(4, 60))
h = Reshape((60, 4))(inp)  # wrong: C204
#: h = Permute((2, 1))(inp)
h = Conv1D(16, 7, activation="relu")(h)
h = GlobalMaxPooling1D()(h)
out = Dense(1, activation="sigmoid")(h)
model = Model(inputs=inp, outputs=out)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(eeg, stimulus, batch_size=16, epochs=30, validation_split=0.15)
