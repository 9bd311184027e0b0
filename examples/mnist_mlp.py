"""MNIST with a small dense network, 784-128-20-10: the Keras side of "Keras vs PyTorch".

python examples/mnist_mlp.py
"""

import argparse
import time

import cornu as keras


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rows", type=int, help="train on this many images instead of all 60,000")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()

    keras.utils.set_random_seed(options.seed)
    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    x_train = x_train[: options.rows].astype("float32") / 255
    x_test = x_test[: options.rows].astype("float32") / 255
    y_train = keras.utils.to_categorical(y_train[: options.rows], 10)
    y_test = keras.utils.to_categorical(y_test[: options.rows], 10)

    model = keras.Sequential(
        [
            keras.Input(shape=(28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dense(20, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.summary()
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])

    start = time.perf_counter()
    model.fit(x_train, y_train, batch_size=100, epochs=options.epochs, validation_split=0.1)
    print(f"Trained {options.epochs} epochs in {time.perf_counter() - start:.1f} s")

    loss, accuracy = model.evaluate(x_test, y_test, batch_size=100, verbose=0)
    print(f"Test loss: {loss:.4f}")
    print(f"Test accuracy: {accuracy:.4f}")


if __name__ == "__main__":
    main()
