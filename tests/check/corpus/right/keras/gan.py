import numpy as np
from keras.layers import Dense, Input, LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam

latent_dim = 5


def real_samples(n):
    x1 = np.random.rand(n) - 0.5
    return np.column_stack([x1, x1**2]), np.ones((n, 1))


def fake_samples(generator, n):
    return generator.predict(np.random.randn(n, latent_dim), verbose=0), np.zeros((n, 1))


discriminator = Sequential([Dense(25, input_dim=2), LeakyReLU(0.2), Dense(1, activation="sigmoid")])
discriminator.compile(loss="binary_crossentropy", optimizer=Adam(0.0002, 0.5), metrics=["accuracy"])
generator = Sequential([Dense(15, input_dim=latent_dim), LeakyReLU(0.2), Dense(2)])

discriminator.trainable = False
z = Input(shape=(latent_dim,))
combined = Model(z, discriminator(generator(z)))
combined.compile(loss="binary_crossentropy", optimizer=Adam(0.0002, 0.5))

for step in range(2000):
    x_real, y_real = real_samples(64)
    x_fake, y_fake = fake_samples(generator, 64)
    discriminator.train_on_batch(x_real, y_real)
    discriminator.train_on_batch(x_fake, y_fake)
    combined.train_on_batch(np.random.randn(64, latent_dim), np.ones((64, 1)))
