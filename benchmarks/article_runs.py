"""One measurement of `articles.py`: trains one network with one library, in this process alone.

    python benchmarks/article_runs.py epochs moons cornu data.npz --epochs 60
    python benchmarks/article_runs.py process moons cornu data.npz --epochs 200

`epochs` warms up, then times further epochs, and prints JSON: `ms` for each epoch and `compile_s`,
what the first epoch took beyond the later ones. `process` trains and ends: its caller times it.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np

# a network: units or layers, what it is trained with, and rows in a batch
BATCH_SIZES = {"moons": 32, "mnist_mlp": 100, "mnist_cnn": 128}
HIDDEN = {"moons": (25, 50, 50, 25), "mnist_mlp": (128, 20)}
# how a library is called here: (module, Keras' backend)
KERAS_LIKE = {
    "cornu": ("cornu", None),
    "keras-jax": ("keras", "jax"),
    "keras-tensorflow": ("keras", "tensorflow"),
}
TORCH = ("torch-eager", "torch-fused", "torch-compile")


def load(path: str) -> tuple[np.ndarray, np.ndarray]:
    """x (rows, ...) float32 and y, integer classes (rows,)."""
    with np.load(path) as file:
        return file["x"], file["y"]


# -- the Keras way --------------------------------------------------------------------------------


def keras_trainer(library: str, network: str, x, y) -> Callable[[int], None]:
    """A function that trains for a number of epochs with `fit`."""
    module, backend = KERAS_LIKE[library]
    if backend:
        os.environ["KERAS_BACKEND"] = backend
    k = importlib.import_module(module)
    model = keras_network(k, network)
    if network != "moons":
        y = k.utils.to_categorical(y, 10)

    def train(epochs: int) -> None:
        model.fit(x, y, batch_size=BATCH_SIZES[network], epochs=epochs, verbose=0)

    return train


def keras_network(k, network: str):
    """The compiled network, by Keras' own names in `k`."""
    layers = k.layers
    if network == "mnist_cnn":
        model = k.Sequential(
            [
                k.Input((28, 28, 1)),
                layers.Conv2D(32, (3, 3), activation="relu"),
                layers.Conv2D(64, (3, 3), activation="relu"),
                layers.MaxPooling2D((2, 2)),
                layers.Dropout(0.25),
                layers.Flatten(),
                layers.Dense(128, activation="relu"),
                layers.Dropout(0.5),
                layers.Dense(10, activation="softmax"),
            ]
        )
        optimizer, loss = k.optimizers.Adadelta(learning_rate=1.0), "categorical_crossentropy"
    else:
        hidden = [layers.Dense(units, activation="relu") for units in HIDDEN[network]]
        if network == "moons":
            model = k.Sequential([k.Input((2,)), *hidden, layers.Dense(1, activation="sigmoid")])
            optimizer, loss = "sgd", "binary_crossentropy"
        else:
            model = k.Sequential([k.Input((784,)), *hidden, layers.Dense(10, "softmax")])
            optimizer, loss = "adam", "categorical_crossentropy"
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    return model


# -- PyTorch, by hand -----------------------------------------------------------------------------


def torch_trainer(variant: str, network: str, x, y) -> Callable[[int], None]:
    """A hand-written loop: rows on the device, batches by permuted row numbers.

    As `fit` does, it keeps the running loss and accuracy, without waiting for them in each step.
    """
    import torch
    from torch import nn

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = torch_network(nn, network).to(device)
    binary = network == "moons"
    # the losses take what comes before the last activation, as is PyTorch's custom
    criterion = nn.BCEWithLogitsLoss() if binary else nn.CrossEntropyLoss()
    optimizer = torch_optimizer(torch, variant, network, model.parameters())
    if network == "mnist_cnn":
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    inputs = torch.from_numpy(x).to(device)
    labels = torch.from_numpy(y.astype("float32" if binary else "int64")).to(device)
    if binary:
        labels = labels[:, None]
    forward = torch.compile(model) if variant == "torch-compile" else model
    rows, size = len(x), BATCH_SIZES[network]

    def train(epochs: int) -> None:
        model.train()
        for _ in range(epochs):
            total = torch.zeros((), device=device)
            correct = torch.zeros((), device=device)
            order = torch.randperm(rows, device=device)
            for start in range(0, rows, size):
                part = order[start : start + size]
                batch, wanted = inputs[part], labels[part]
                optimizer.zero_grad(set_to_none=True)
                outputs = forward(batch)
                loss = criterion(outputs, wanted)
                loss.backward()
                optimizer.step()
                with torch.no_grad():
                    total += loss.detach() * len(part)
                    found = (
                        (outputs > 0) == (wanted > 0.5) if binary else outputs.argmax(1) == wanted
                    )
                    correct += found.sum()
            float(total), float(correct)

    return train


def torch_network(nn, network: str):
    """The network up to what comes before the last activation."""
    if network == "mnist_cnn":
        return nn.Sequential(
            nn.Conv2d(1, 32, 3),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(0.25),
            nn.Flatten(),
            nn.Linear(9216, 128),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(128, 10),
        )
    units = [2 if network == "moons" else 784, *HIDDEN[network]]
    parts = []
    for before, after in itertools.pairwise(units):
        parts += [nn.Linear(before, after), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(units[-1], 1 if network == "moons" else 10))


def torch_optimizer(torch, variant: str, network: str, parameters):
    """The network's optimizer, with Keras' settings, in the form that the variant measures."""
    fast = variant != "torch-eager"
    if network == "moons":
        return torch.optim.SGD(parameters, lr=0.01, fused=fast or None)
    if network == "mnist_mlp":
        return torch.optim.Adam(parameters, lr=0.001, eps=1e-7, fused=fast or None)
    # Adadelta has no fused form; the one over lists of tensors is its fastest
    return torch.optim.Adadelta(parameters, lr=1.0, rho=0.95, eps=1e-7, foreach=fast or None)


# -- scikit-learn ---------------------------------------------------------------------------------


def sklearn_trainer(network: str, x, y) -> Callable[[int], None]:
    """`MLPClassifier`, going on from where it is."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    if network == "mnist_cnn":
        raise ImportError("scikit-learn has no convolution")
    solver = (
        {"solver": "sgd", "learning_rate_init": 0.01, "momentum": 0.0, "nesterovs_momentum": False}
        if network == "moons"
        else {"solver": "adam", "learning_rate_init": 0.001, "epsilon": 1e-7}
    )
    model = MLPClassifier(
        HIDDEN[network],
        batch_size=BATCH_SIZES[network],
        alpha=0.0,
        tol=0.0,
        n_iter_no_change=10**9,
        warm_start=True,
        **solver,
    )

    def train(epochs: int) -> None:
        model.max_iter = epochs
        model.fit(x, y)

    return train


# -- measuring ------------------------------------------------------------------------------------


def trainer(library: str, network: str, path: str) -> Callable[[int], None]:
    """The function that trains a network for a number of epochs with a library."""
    x, y = load(path)
    if library in KERAS_LIKE:
        return keras_trainer(library, network, x, y)
    if library in TORCH:
        return torch_trainer(library, network, x, y)
    return sklearn_trainer(network, x, y)


def measure_epochs(train: Callable[[int], None], epochs: int) -> dict:
    """The time of an epoch once everything is compiled, and what came before."""
    start = time.perf_counter()
    train(1)
    first = time.perf_counter() - start
    train(1)
    start = time.perf_counter()
    train(epochs)
    each = (time.perf_counter() - start) / epochs
    return {"ms": 1000 * each, "compile_s": max(0.0, first - each)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("epochs", "process"))
    parser.add_argument("network", choices=tuple(BATCH_SIZES))
    parser.add_argument("library", choices=(*KERAS_LIKE, *TORCH, "scikit-learn"))
    parser.add_argument("data")
    parser.add_argument("--epochs", type=int, required=True)
    given = parser.parse_args()
    train = trainer(given.library, given.network, given.data)
    if given.kind == "process":
        train(given.epochs)
        return
    json.dump(measure_epochs(train, given.epochs), sys.stdout)


if __name__ == "__main__":
    main()
