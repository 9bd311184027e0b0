import numpy as np
from tensorflow.keras import layers, losses, models, optimizers

rng = np.random.default_rng(27)
kinds = rng.integers(0, 2, 200)
scans = rng.normal(0.3, 0.1, (200, 20, 20, 1)).clip(0, 1)
scans[kinds == 1, 5:11, 5:11] += 0.3


def conv_block(x, filters):
    x = layers.Conv2D(filters, (3, 3), padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    return layers.MaxPooling2D((2, 2))(x)


img = layers.Input(shape=(20, 20, 1))
x = conv_block(img, 8)
x = conv_block(x, 16)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dense(16, activation="relu")(x)
prediction = layers.Dense(1, activation="sigmoid")(x)
model = models.Model(inputs=img, outputs=prediction)
model.compile(
    optimizer=optimizers.Adam(learning_rate=1e-3),
    loss=losses.BinaryCrossentropy(from_logits=True),  # wrong: C102
    #: loss=losses.BinaryCrossentropy(from_logits=False),
    metrics=["accuracy"],
)
model.fit(scans, kinds, epochs=15, batch_size=16)
