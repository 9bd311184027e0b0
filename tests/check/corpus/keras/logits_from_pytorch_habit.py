import numpy as np
from tensorflow import keras
from tensorflow.keras.layers import Conv2D, Dense, Flatten, MaxPooling2D


class Net(keras.Model):
    def __init__(self, num_classes=3):
        super().__init__()
        self.conv = Conv2D(8, 3, activation="relu")
        self.pool = MaxPooling2D()
        self.flatten = Flatten()
        self.fc = Dense(num_classes)  # wrong: C103
        #: self.fc = Dense(num_classes, activation="softmax")

    def call(self, x):
        x = self.pool(self.conv(x))
        return self.fc(self.flatten(x))


# bright spot on the left, in the middle or on the right
rng = np.random.default_rng(3)
labels = rng.integers(0, 3, 300)
images = rng.random((300, 12, 12, 1)) * 0.3
for i, label in enumerate(labels):
    images[i, 4:8, 4 * label : 4 * label + 4] += 0.7

model = Net()
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, epochs=20, batch_size=32)
