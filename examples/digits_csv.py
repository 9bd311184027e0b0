"""Kaggle's digit recognizer: from train.csv to curves, mistakes and submission.csv.

    python examples/digits_csv.py --train train.csv --test test.csv --output digits

The network of "Deep dive into neural networks - Keras", 784-20-15-10 with L2, and the evaluation
and the predictions that the article leaves open. Without --train, both files are made from MNIST.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

import cornu as keras


def write_csv(path: Path, images: np.ndarray, labels: np.ndarray | None) -> Path:
    """Writes images as Kaggle does: a header, then label (if known) and 784 pixels a line."""
    digits = [str(number) for number in range(256)]
    columns = [f"pixel{number}" for number in range(784)]
    with open(path, "w") as file:
        print(*(["label"] if labels is not None else []), *columns, sep=",", file=file)
        for row, image in enumerate(images.reshape(len(images), 784)):
            label = f"{labels[row]}," if labels is not None else ""
            print(label + ",".join([digits[pixel] for pixel in image]), file=file)
    return path


def make_files(folder: Path, rows: int | None) -> tuple[Path, Path]:
    """A train.csv and a test.csv from MNIST, as many rows as Kaggle's train.csv has."""
    (x_train, y_train), (x_test, _) = keras.datasets.mnist.load_data()
    count = min(rows or 42_000, 42_000)
    print(f"Writing {count:,} digits of MNIST to {folder / 'train.csv'}")
    return (
        write_csv(folder / "train.csv", x_train[:count], y_train[:count]),
        write_csv(folder / "test.csv", x_test[:rows], None),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, help="label,pixel0,...,pixel783")
    parser.add_argument("--test", type=Path, help="pixel0,...,pixel783")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--rows", type=int, help="use this many rows instead of all")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output", type=Path, default=Path("digits"), help="for the results")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    train_file, test_file = options.train, options.test
    if train_file is None:
        train_file, test_file = make_files(options.output, options.rows)

    frame = pd.read_csv(train_file, nrows=options.rows)
    # The pixels stay 0 to 255, as in the article: scaled to 0...1, an L2 penalty as strong as this
    # one would not let the weights grow, and the same network ends 3 points lower.
    x = frame.drop(columns="label").to_numpy("float32")
    digits = frame["label"].to_numpy()
    y = keras.utils.to_categorical(digits, 10)

    keras.utils.set_random_seed(options.seed)
    penalty = keras.regularizers.L2(0.01)
    model = keras.Sequential(
        [
            keras.Input(shape=(784,)),
            keras.layers.Dense(20, activation="relu", name="l1", kernel_regularizer=penalty),
            keras.layers.Dense(15, activation="relu", name="l2", kernel_regularizer=penalty),
            keras.layers.Dense(10, activation="softmax", name="output", kernel_regularizer=penalty),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(), loss="categorical_crossentropy", metrics=["accuracy"]
    )
    model.summary()
    start = time.perf_counter()
    history = model.fit(
        x, y, validation_split=0.2, batch_size=128, epochs=options.epochs, verbose=2
    )
    print(f"Trained {options.epochs} epochs in {time.perf_counter() - start:.1f} s")

    print("\nEvaluation, on the last fifth of the rows, which was not trained on")
    kept = int(len(x) * (1 - 0.2))
    x_kept, true = x[kept:], digits[kept:]
    probabilities = model.predict(x_kept, batch_size=1024, verbose=0)
    predicted = probabilities.argmax(axis=1)
    print(f"Validation accuracy: {(predicted == true).mean():.4f}")
    matrix = confusion_matrix(true, predicted, labels=range(10))
    print("Confusion matrix (row: true digit, column: predicted)")
    print(matrix)
    images = x_kept.reshape(-1, 28, 28)
    for name, figure in (
        ("curves.png", history.plot()),
        ("confusion.png", keras.plot.confusion_matrix(matrix)),
        ("wrong.png", keras.plot.wrong_examples(images, true, probabilities)),
    ):
        figure.savefig(options.output / name)
        print(f"Drew {options.output / name}")

    if test_file is not None:
        unknown = pd.read_csv(test_file, nrows=options.rows).to_numpy("float32")
        labels = model.predict(unknown, batch_size=1024, verbose=0).argmax(axis=1)
        submission = pd.DataFrame({"ImageId": np.arange(1, len(labels) + 1), "Label": labels})
        submission.to_csv(options.output / "submission.csv", index=False)
        print(f"Predicted {len(labels):,} digits: {options.output / 'submission.csv'}")


if __name__ == "__main__":
    main()
