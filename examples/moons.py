"""Two moons: a network that bends its decision boundary, filmed epoch by epoch.

    python examples/moons.py --output moons

The network of "Non-linear classification with Keras": 2-25-50-50-25-1, plain SGD, 200 epochs.
"""

import argparse
import time
from pathlib import Path

from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split

import cornu as keras


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--rows", type=int, default=1000, help="points, a tenth for testing")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output", type=Path, default=Path("moons"), help="folder for the film")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    keras.utils.set_random_seed(options.seed)
    x, y = make_moons(n_samples=options.rows, noise=0.2, random_state=100)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.1, random_state=42)

    model = keras.Sequential(
        [
            keras.Input(shape=(2,)),
            keras.layers.Dense(25, activation="relu"),
            keras.layers.Dense(50, activation="relu"),
            keras.layers.Dense(50, activation="relu"),
            keras.layers.Dense(25, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="sgd", metrics=["accuracy"])
    model.summary()

    # keeps the predictions on a grid after each epoch; the pictures are drawn afterwards
    film = keras.callbacks.DecisionBoundary(x_test, y_test, frames=None)
    start = time.perf_counter()
    model.fit(x_train, y_train, epochs=options.epochs, verbose=0, callbacks=[film])
    print(f"Trained {options.epochs} epochs in {time.perf_counter() - start:.1f} s")

    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test loss: {loss:.3f}")
    print(f"Test accuracy: {accuracy:.3f}")
    # One sigmoid unit gives the probability of class 1; argmax over that single column is always 0.
    predicted = (model.predict(x_test, verbose=0)[:, 0] > 0.5).astype(int)
    print(f"Test accuracy, from the predictions: {(predicted == y_test).mean():.3f}")

    start = time.perf_counter()
    path = film.save(options.output / "moons.gif", verbose=1)
    film.save(options.output / "moons.png")
    print(f"Drew {options.epochs} pictures in {time.perf_counter() - start:.1f} s: {path}")


if __name__ == "__main__":
    main()
