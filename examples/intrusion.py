"""Which attack is this network flow? A classifier for CICIDS2017, 76-76-76-13.

    python examples/intrusion.py --data cicids2017/improved --output intrusion
    tensorboard --logdir intrusion/logs

The network of "Reimplementing the neural network classifier with keras": 76 standardized features,
Adam at 0.004 with the article's decay, batches of 64, 30 epochs. First it shows what cost the
article's author days: which loss belongs to which last layer.
"""

import argparse
import logging
import os
import time
from pathlib import Path

from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

import cornu as keras

RATE, BATCH = 0.004, 64


def build(features: int, classes: int, last_activation: str | None) -> keras.Model:
    """The functional network; without a last activation it gives logits."""
    inputs = keras.Input(shape=(features,), name="flow")
    hidden = keras.layers.Dense(features, activation="relu", name="dense_1")(inputs)
    hidden = keras.layers.Dense(features, activation="relu", name="dense_2")(hidden)
    outputs = keras.layers.Dense(classes, activation=last_activation, name="output")(hidden)
    return keras.Model(inputs, outputs, name="intrusion")


def compare_losses(x, y, validation, classes: int) -> None:
    """Trains one network three ways, from the same weights on the same batches.

    The first two are one formula. Trained, they part a little: the loss on probabilities takes
    nothing for less likely than 1e-7, and some of these flows lie 100 deviations from the mean.
    """
    sparse = keras.losses.SparseCategoricalCrossentropy
    ways = {
        "softmax, loss on probabilities": ("softmax", sparse()),
        "logits, loss with from_logits=True": (None, sparse(from_logits=True)),
        # PyTorch's habit, and the article's mistake: a linear output is no probability
        "logits, loss on probabilities (wrong)": (None, sparse()),
    }
    print("One network three ways, from the same weights on the same batches:")
    print(f"{'':40}{'first loss':>11}{'3 epochs':>10}{'validation accuracy':>21}")
    weights = None
    for name, (activation, loss) in ways.items():
        model = build(x.shape[1], classes, activation)
        weights = weights or model.get_weights()
        model.set_weights(weights)
        model.compile(optimizer=keras.optimizers.Adam(RATE), loss=loss, metrics=["accuracy"])
        before, _ = model.evaluate(x[:BATCH], y[:BATCH], verbose=0)
        history = model.fit(x, y, batch_size=BATCH, epochs=3, shuffle=False, verbose=0)
        _, accuracy = model.evaluate(*validation, batch_size=1024, verbose=0)
        print(f"  {name:<38}{before:11.5f}{history.history['loss'][-1]:10.4f}{accuracy:21.4f}")


def report(name: str, true, predicted) -> None:
    """The article's four figures; the two classes are benign (0) and attack (all others)."""
    attack, alarm = true > 0, predicted > 0
    print(f"{name}, {len(true):,} flows:")
    macro = f1_score(true, predicted, average="macro")
    print(f"  all classes: accuracy {accuracy_score(true, predicted):.4f}, F1 {macro:.4f}")
    two = f1_score(attack, alarm)
    print(f"  two classes: accuracy {accuracy_score(attack, alarm):.4f}, F1 {two:.4f}")


def main() -> None:
    default = Path(os.environ.get("CORNU_DATA", "."), "cicids2017", "improved")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=default, help="a folder of CICIDS2017 files")
    parser.add_argument("--balance", type=int, help="resample to so many training flows a class")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--rows", type=int, help="train on this many flows instead of all")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--output", type=Path, default=Path("intrusion"), help="for the results")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    # the loader says in its log what it leaves out
    logging.basicConfig(format="%(message)s")
    logging.getLogger("cornu").setLevel(logging.INFO)

    data = keras.datasets.cicids2017.load_data(options.data, balance=options.balance)
    x_train, y_train = (part[: options.rows] for part in data.train)
    classes = len(data.class_names)
    keras.utils.set_random_seed(options.seed)
    compare_losses(x_train, y_train, data.validation, classes)

    model = build(x_train.shape[1], classes, "softmax")
    model.summary()
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=RATE),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    # time-based decay on top of the rate of the epoch before, as in the article's notebook
    decay = RATE / options.epochs
    callbacks = [
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / (1 + decay * epoch)),
        keras.callbacks.TensorBoard(str(options.output / "logs"), histogram_freq=1),
    ]
    start = time.perf_counter()
    history = model.fit(
        x_train,
        y_train,
        batch_size=BATCH,
        epochs=options.epochs,
        validation_data=data.validation,
        callbacks=callbacks,
        verbose=2,
    )
    print(f"Trained {options.epochs} epochs in {time.perf_counter() - start:.1f} s\n")

    for name, (x, true) in (("Validation", data.validation), ("Test", data.test)):
        predicted = model.predict(x, batch_size=1024, verbose=0).argmax(axis=1)
        report(name, true, predicted)
    matrix = confusion_matrix(true, predicted, labels=range(classes))
    print("\nConfusion matrix of the test flows (row: true class, column: predicted)")
    for name, row in zip(data.class_names, matrix, strict=True):
        print(f"{name:>16}", *(f"{count:5d}" for count in row))
    for name, figure in (
        ("confusion.png", keras.plot.confusion_matrix(matrix, class_names=data.class_names)),
        ("curves.png", history.plot(["loss", "accuracy"])),
    ):
        figure.savefig(options.output / name)
        print("Drew", options.output / name)


if __name__ == "__main__":
    main()
