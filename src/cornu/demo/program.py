"""The demo itself: moons, digits, and where the pictures are."""

from __future__ import annotations

import importlib.metadata
import sys
import time
from pathlib import Path

import cornu
from cornu import plot
from cornu.callbacks import Callback, DecisionBoundary
from cornu.plot.figures import require

MOONS_EPOCHS, DIGITS_EPOCHS = 200, 20


class EpochBar(Callback):
    """One progress bar for a whole training, counting epochs instead of steps.

    >>> import numpy as np
    >>> model = cornu.Sequential([cornu.layers.Dense(1)])
    >>> model.compile(loss="mse")
    >>> x = np.zeros((4, 2))
    >>> _ = model.fit(x, x[:, :1], epochs=3, verbose=0, callbacks=[EpochBar()])
    3/3 ━━━━━━━━━━━━━━━━━━━━ ...s/epoch - loss: 0.0000e+00
    """

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Begins the bar."""
        self._bar = cornu.utils.Progbar(
            (self.params or {}).get("epochs"), unit_name="epoch", stateless_metrics=[]
        )

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Moves the bar on and shows the epoch's logs."""
        self._bar.update(epoch + 1, [(name, float(value)) for name, value in (logs or {}).items()])


def run_demo(
    folder: Path, moons_epochs: int = MOONS_EPOCHS, digits_epochs: int = DIGITS_EPOCHS
) -> int:
    """Trains a network on two moons and one on 8x8 digits; draws what they learn.

    Args:
        folder: where the pictures go; made if it is not there.
        moons_epochs, digits_epochs: how long to train. Default 200 and 20.

    Returns:
        The exit status: 0, or 1 where matplotlib or scikit-learn is not installed.
    """
    start = time.perf_counter()
    try:
        require("matplotlib", "sklearn", extra="demo")
    except ModuleNotFoundError as error:
        print(f"cornu demo: {error}", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    import jax

    device = jax.devices()[0]
    print(
        f"Cornu {cornu.__version__} with JAX {importlib.metadata.version('jax')} "
        f"on {device.device_kind} ({device.platform})\n"
    )
    cornu.utils.set_random_seed(1)
    _moons(folder, moons_epochs)
    _digits(folder, digits_epochs)
    print(f"The pictures are in {folder.resolve()}")
    for name, what in (
        ("moons.gif", "the decision boundary, epoch by epoch"),
        ("moons.png", "the same at the end"),
        ("digits-curves.png", "loss and accuracy"),
        ("digits-confusion.png", "which digit is taken for which"),
        ("digits-wrong.png", "the mistakes that the network was surest of"),
    ):
        print(f"  {name:<20}  {what}")
    print(f"\nAll of it took {time.perf_counter() - start:.0f} s.")
    return 0


def _heading(text: str) -> None:
    bold, plain = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    print(f"{bold}{text}{plain}")


def _moons(folder: Path, epochs: int) -> None:
    from sklearn.datasets import make_moons
    from sklearn.model_selection import train_test_split

    _heading("Two moons: 1,000 points in the plane, two classes")
    x, y = make_moons(n_samples=1000, noise=0.2, random_state=100)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.1, random_state=42)
    model = cornu.Sequential(
        [
            cornu.Input(shape=(2,)),
            cornu.layers.Dense(25, activation="relu"),
            cornu.layers.Dense(50, activation="relu"),
            cornu.layers.Dense(50, activation="relu"),
            cornu.layers.Dense(25, activation="relu"),
            cornu.layers.Dense(1, activation="sigmoid"),
        ],
        name="moons",
    )
    model.compile(loss="binary_crossentropy", optimizer="sgd", metrics=["accuracy"])
    model.summary()
    film = DecisionBoundary(x_test, y_test, frames=None)
    print(f"Compiling, then training {epochs} epochs and keeping the boundary after each")
    model.fit(x_train, y_train, epochs=epochs, verbose=0, callbacks=[film, EpochBar()])
    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"Test accuracy {accuracy:.1%} on the {len(x_test)} points kept aside")
    print("Drawing the film")
    film.save(folder / "moons.gif", verbose=1)
    film.save(folder / "moons.png")
    print()


def _digits(folder: Path, epochs: int) -> None:
    from sklearn.datasets import load_digits
    from sklearn.metrics import confusion_matrix
    from sklearn.model_selection import train_test_split

    _heading("Handwritten digits: 1,797 images of 8x8 pixels, ten classes")
    digits = load_digits()
    images = (digits.images / 16).astype("float32")
    x_train, x_test, y_train, y_test = train_test_split(
        images, digits.target, test_size=0.2, random_state=42, stratify=digits.target
    )
    model = cornu.Sequential(
        [
            cornu.Input(shape=(8, 8)),
            cornu.layers.Reshape((8, 8, 1)),
            cornu.layers.Conv2D(16, 3, padding="same", activation="relu"),
            cornu.layers.Conv2D(32, 3, activation="relu"),
            cornu.layers.MaxPooling2D(),
            cornu.layers.Flatten(),
            cornu.layers.Dropout(0.25),
            cornu.layers.Dense(64, activation="relu"),
            cornu.layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    model.summary()
    print(f"Compiling, then training {epochs} epochs")
    history = model.fit(
        x_train,
        y_train,
        epochs=epochs,
        validation_split=0.1,
        verbose=0,
        callbacks=[EpochBar()],
    )
    probabilities = model.predict(x_test, batch_size=len(x_test), verbose=0)
    predicted = probabilities.argmax(axis=1)
    right = int((predicted == y_test).sum())
    print(f"Test accuracy {right / len(y_test):.1%}: {right} of {len(y_test)} images kept aside")
    matrix = confusion_matrix(y_test, predicted)
    print("Confusion matrix (row: true digit, column: predicted)")
    print(matrix, "\n")
    history.plot().savefig(folder / "digits-curves.png")
    plot.confusion_matrix(matrix).savefig(folder / "digits-confusion.png")
    plot.wrong_examples(x_test, y_test, probabilities, 8).savefig(folder / "digits-wrong.png")
