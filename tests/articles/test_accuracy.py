"""The articles' networks reach the accuracy that they are known for."""

import os

import numpy as np
import pytest

import cornu

pytestmark = pytest.mark.slow

SEEDS = range(5)


@pytest.fixture
def mnist(data_folder):
    """MNIST in [0, 1] with one-hot labels: `(x_train, y_train), (x_test, y_test)`."""
    (x_train, y_train), (x_test, y_test) = cornu.datasets.mnist.load_data()
    return tuple(
        (x.astype("float32") / 255, cornu.utils.to_categorical(y, 10))
        for x, y in ((x_train, y_train), (x_test, y_test))
    )


@pytest.fixture(scope="module")
def keras():
    """Real Keras on JAX."""
    os.environ["KERAS_BACKEND"] = "jax"
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "jax":
        pytest.skip(f"keras runs on {keras.backend.backend()}, not on JAX")
    return keras


def test_mnist_mlp(mnist):
    (x, y), test = mnist
    cornu.utils.set_random_seed(1)
    model = cornu.Sequential(
        [
            cornu.Input(shape=(28, 28)),
            cornu.layers.Flatten(),
            cornu.layers.Dense(128, activation="relu"),
            cornu.layers.Dense(20, activation="relu"),
            cornu.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.fit(x, y, batch_size=100, epochs=10, validation_split=0.1, verbose=0)
    accuracy = model.evaluate(*test, verbose=0)[1]
    print(f"MNIST MLP, 10 epochs: {accuracy:.4f}")
    assert accuracy >= 0.975


def test_mnist_cnn(mnist):
    (x, y), (x_test, y_test) = mnist
    cornu.utils.set_random_seed(1)
    model = cornu.Sequential(
        [
            cornu.Input(shape=(28, 28, 1)),
            cornu.layers.Conv2D(32, kernel_size=(3, 3), activation="relu"),
            cornu.layers.Conv2D(64, (3, 3), activation="relu"),
            cornu.layers.MaxPooling2D(pool_size=(2, 2)),
            cornu.layers.Dropout(0.25),
            cornu.layers.Flatten(),
            cornu.layers.Dense(128, activation="relu"),
            cornu.layers.Dropout(0.5),
            cornu.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        loss="categorical_crossentropy",
        optimizer=cornu.optimizers.Adadelta(learning_rate=1.0),
        metrics=["accuracy"],
    )
    model.fit(x[..., None], y, batch_size=128, epochs=3, verbose=0)
    accuracy = model.evaluate(x_test[..., None], y_test, batch_size=128, verbose=0)[1]
    print(f"MNIST CNN, 3 epochs: {accuracy:.4f}")
    assert accuracy >= 0.987


def moons_accuracy(library, seed: int) -> float:
    """Test accuracy of 2-25-50-50-25-1 on the moons, in Cornu or Keras."""
    datasets = pytest.importorskip("sklearn.datasets")
    selection = pytest.importorskip("sklearn.model_selection")
    # 1,000 points to test on: of the article's 100, each is a whole point of accuracy
    x, y = datasets.make_moons(n_samples=1900, noise=0.2, random_state=100)
    x_train, x_test, y_train, y_test = selection.train_test_split(
        x, y, test_size=1000, random_state=42
    )
    library.utils.set_random_seed(seed)
    layers = [library.layers.Dense(units, activation="relu") for units in (25, 50, 50, 25)]
    model = library.Sequential(
        [library.Input(shape=(2,)), *layers, library.layers.Dense(1, activation="sigmoid")]
    )
    model.compile(loss="binary_crossentropy", optimizer="sgd", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=200, verbose=0)
    return model.evaluate(x_test, y_test, verbose=0)[1]


def intrusion_accuracy(library, data, seed: int) -> float:
    """Validation accuracy of 76-76-76-13 on the flows, in Cornu or Keras."""
    library.utils.set_random_seed(seed)
    inputs = library.Input(shape=(data.train[0].shape[1],))
    hidden = library.layers.Dense(76, activation="relu")(inputs)
    hidden = library.layers.Dense(76, activation="relu")(hidden)
    outputs = library.layers.Dense(len(data.class_names), activation="softmax")(hidden)
    model = library.Model(inputs, outputs)
    model.compile(
        optimizer=library.optimizers.Adam(0.004),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    decay = 0.004 / 10
    schedule = library.callbacks.LearningRateScheduler(lambda e, rate: rate / (1 + decay * e))
    model.fit(*data.train, batch_size=64, epochs=10, callbacks=[schedule], verbose=0)
    return model.evaluate(*data.validation, batch_size=1024, verbose=0)[1]


def test_moons_as_keras(keras):
    own = [moons_accuracy(cornu, seed) for seed in SEEDS]
    theirs = [moons_accuracy(keras, seed) for seed in SEEDS]
    print(f"Cornu {np.round(own, 4)}, Keras {np.round(theirs, 4)}")
    assert abs(np.mean(own) - np.mean(theirs)) <= 0.01
    assert np.mean(own) > 0.95


# Keras reads its learning rate in a way that NumPy 2 warns of
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_intrusion_as_keras(keras, data_folder):
    folder = data_folder / "cicids2017" / "improved"
    if not folder.is_dir():
        pytest.skip(f"the flows are not in {folder}")
    data = cornu.datasets.cicids2017.load_data(folder)
    own = [intrusion_accuracy(cornu, data, seed) for seed in SEEDS]
    theirs = [intrusion_accuracy(keras, data, seed) for seed in SEEDS]
    print(f"Cornu {np.round(own, 4)}, Keras {np.round(theirs, 4)}")
    assert abs(np.mean(own) - np.mean(theirs)) <= 0.01
    assert np.mean(own) > 0.97
