"""How fast the articles' networks train: Cornu beside Keras, PyTorch and scikit-learn.

    python benchmarks/articles.py [--only moons mlp cnn] [--rounds 5] [--quick] [--no-process]

Every contestant trains the same network on the same rows in a process of its own, all of which stay
alive; in each round each of them trains once, in turn, so that a busy moment of the machine hits
them all. What is printed are medians over the rounds and their ratios to Cornu's. Compilation and
the first epoch are shown apart. A second table times whole processes, from the start of Python to
the trained network. What is not installed is left out, and said.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

# rows, batch size, epochs timed together, epochs of the whole-process table
SIZES = {"moons": (900, 32, 20, 200), "mlp": (54_000, 100, 1, 10), "cnn": (3_840, 128, 1, 1)}
QUICK = {"moons": (900, 32, 5, 20), "mlp": (5_400, 100, 1, 2), "cnn": (640, 128, 1, 1)}
UNITS = {"moons": "ms per epoch", "mlp": "ms per epoch", "cnn": "ms per step"}
TITLES = {
    "moons": "moons 2-25-50-50-25-1, SGD, batch 32, 900 rows",
    "mlp": "MNIST 784-128-20-10, Adam, batch 100, 54,000 rows",
    "cnn": "MNIST CNN (conv 32, conv 64, pool, dense 128), Adadelta, batch 128",
}
CONTESTANTS = (
    ("cornu", "jax"),
    ("keras-jax", "keras"),
    ("keras-tensorflow", "tensorflow"),
    ("torch-eager", "torch"),
    ("torch-fused", "torch"),
    ("torch-compile", "torch"),
    ("scikit-learn", "sklearn"),
)


def data(network: str, rows: int):
    """Rows of the network's shapes; their values do not matter for the time."""
    rng = np.random.default_rng(0)
    if network == "moons":
        x = rng.normal(size=(rows, 2)).astype("float32")
        return x, (x[:, 0] * x[:, 1] > 0).astype("float32")
    shape = (rows, 784) if network == "mlp" else (rows, 28, 28, 1)
    return rng.random(shape, np.float32), rng.integers(0, 10, rows)


def keras_model(keras, network: str):
    """The network in Keras' words: for Keras and for Cornu."""
    layers = keras.layers
    if network == "moons":
        hidden = [layers.Dense(units, activation="relu") for units in (25, 50, 50, 25)]
        model = keras.Sequential(
            [keras.Input((2,)), *hidden, layers.Dense(1, activation="sigmoid")]
        )
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        return model
    if network == "mlp":
        parts = [
            keras.Input((784,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(20, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
        optimizer = "adam"
    else:
        parts = [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
        optimizer = keras.optimizers.Adadelta(1.0)
    model = keras.Sequential(parts)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def keras_trainer(name: str, network: str, rows: int, batch: int):
    """`train(epochs)` for Keras or Cornu."""
    if name == "cornu":
        import cornu as keras
    else:
        os.environ["KERAS_BACKEND"] = name.removeprefix("keras-")
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import keras
    x, y = data(network, rows)
    model = keras_model(keras, network)
    return lambda epochs: model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)


def torch_trainer(name: str, network: str, rows: int, batch: int):
    """`train(epochs)` for a loop written by hand: tensors in memory, no DataLoader."""
    import torch
    from torch import nn

    x, y = data(network, rows)
    if network == "moons":
        sizes = (2, 25, 50, 50, 25)
        hidden = [
            part for a, b in zip(sizes, sizes[1:], strict=False) for part in (nn.Linear(a, b), nn.ReLU())
        ]
        model = nn.Sequential(*hidden, nn.Linear(25, 1), nn.Sigmoid(), nn.Flatten(0))
        loss_of, make = nn.BCELoss(), lambda p, **k: torch.optim.SGD(p, 0.01, **k)
    elif network == "mlp":
        model = nn.Sequential(
            nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 20), nn.ReLU(), nn.Linear(20, 10)
        )
        loss_of, make = nn.CrossEntropyLoss(), lambda p, **k: torch.optim.Adam(p, **k)
    else:
        x = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
        model = nn.Sequential(
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5)),
            nn.Linear(128, 10),
        ).to(memory_format=torch.channels_last)
        loss_of = nn.CrossEntropyLoss()

        def make(parameters, fused=False):  # Adadelta has no fused form; foreach is its fastest
            return torch.optim.Adadelta(parameters, 1.0, rho=0.95, eps=1e-7, foreach=fused)

    optimizer = make(model.parameters(), **({"fused": True} if name != "torch-eager" else {}))
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)
    if network == "cnn":
        inputs = inputs.to(memory_format=torch.channels_last)

    def loss_at(rows_of_batch):
        outputs = model(inputs[rows_of_batch])
        return loss_of(outputs, labels[rows_of_batch]), outputs

    if name == "torch-compile":
        loss_at = torch.compile(loss_at)

    def train(epochs):
        for _ in range(epochs):
            order = torch.randperm(rows)
            total, correct = torch.zeros(()), torch.zeros(())
            for start in range(0, rows, batch):
                chosen = order[start : start + batch]
                optimizer.zero_grad(set_to_none=True)
                loss, outputs = loss_at(chosen)
                loss.backward()
                optimizer.step()
                with torch.no_grad():  # the loss and accuracy that the others report as well
                    total += loss.detach() * len(chosen)
                    if network == "moons":
                        correct += ((outputs > 0.5) == (labels[chosen] > 0.5)).sum()
                    else:
                        correct += (outputs.argmax(1) == labels[chosen]).sum()

    return train


def sklearn_trainer(name: str, network: str, rows: int, batch: int):
    """`train(epochs)` for MLPClassifier; it has no convolutions."""
    import warnings

    from sklearn.neural_network import MLPClassifier

    warnings.filterwarnings("ignore")
    x, y = data(network, rows)
    options = (
        {"hidden_layer_sizes": (25, 50, 50, 25), "solver": "sgd", "learning_rate_init": 0.01}
        if network == "moons"
        else {"hidden_layer_sizes": (128, 20), "solver": "adam"}
    )
    model = MLPClassifier(
        **options, momentum=0.0, alpha=0.0, batch_size=batch, n_iter_no_change=10**6, tol=0.0
    )

    def train(epochs):
        model.set_params(max_iter=epochs)
        model.fit(x, y)

    return train


def trainer(name: str, network: str, rows: int, batch: int):
    """`train(epochs)` of a contestant."""
    if name.startswith("torch"):
        return torch_trainer(name, network, rows, batch)
    if name == "scikit-learn":
        return sklearn_trainer(name, network, rows, batch)
    return keras_trainer(name, network, rows, batch)


def serve(name: str, network: str, rows: int, batch: int, epochs: int) -> None:
    """A contestant's process: trains once for every line it reads, and answers with the seconds."""
    start = time.perf_counter()
    train = trainer(name, network, rows, batch)
    train(1)
    print(time.perf_counter() - start, flush=True)
    train(epochs)
    for _ in sys.stdin:
        start = time.perf_counter()
        train(epochs)
        print(time.perf_counter() - start, flush=True)


def command(*arguments) -> list[str]:
    """This file in another process."""
    return [sys.executable, os.path.abspath(__file__), *map(str, arguments)]


def entrants(network: str) -> list[str]:
    """Who can take part here."""
    chosen = []
    for name, package in CONTESTANTS:
        if importlib.util.find_spec(package) is None:
            print(f"({name}: {package} is not installed)")
        elif not (name == "scikit-learn" and network == "cnn"):
            chosen.append(name)
    return chosen


def race(network: str, sizes: tuple, rounds: int) -> None:
    """Interleaved rounds; prints the table of a network."""
    rows, batch, epochs, _ = sizes
    names = entrants(network)
    processes, first = {}, {}
    for name in names:
        process = subprocess.Popen(
            command("--serve", name, network, rows, batch, epochs),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        answer = process.stdout.readline()
        if not answer:
            print(f"({name} failed)")
            continue
        processes[name], first[name] = process, float(answer)
    times: dict[str, list[float]] = {name: [] for name in processes}
    for _ in range(rounds):
        for name, process in processes.items():
            process.stdin.write("go\n")
            process.stdin.flush()
            times[name].append(float(process.stdout.readline()))
    for process in processes.values():
        process.stdin.close()
        process.wait()
    units = epochs * (-(-rows // batch) if network == "cnn" else 1)
    own = statistics.median(times["cornu"])
    print(f"\n{TITLES[network]}: {UNITS[network]}, median of {rounds} rounds\n")
    print("| | time | times Cornu's | import to first epoch, s |")
    print("| --- | ---: | ---: | ---: |")
    for name, values in times.items():
        middle = statistics.median(values)
        print(
            f"| {name} | {middle / units * 1e3:.3g} | {middle / own:.2f} | {first[name]:.1f} |",
            flush=True,
        )


def whole_processes(network: str, sizes: tuple, rounds: int) -> None:
    """From the start of Python to the trained network; Cornu with an empty and a full cache."""
    rows, batch, _, epochs = sizes
    folder = tempfile.mkdtemp(prefix="cornu-benchmark-")
    times: dict[str, list[float]] = {}

    def once(label: str, name: str, fresh: bool) -> None:
        if fresh:
            shutil.rmtree(folder, ignore_errors=True)
        start = time.perf_counter()
        done = subprocess.run(
            command("--train", name, network, rows, batch, epochs),
            env={**os.environ, "CORNU_CACHE_DIR": folder},
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode == 0:
            times.setdefault(label, []).append(time.perf_counter() - start)

    names = entrants(network)
    for _ in range(rounds):
        once("cornu, empty cache", "cornu", True)
        once("cornu, full cache", "cornu", False)
        for name in names[1:]:
            once(name, name, False)
    shutil.rmtree(folder, ignore_errors=True)
    own = statistics.median(times["cornu, empty cache"])
    print(f"\n{TITLES[network]}: whole process, {epochs} epochs, s, median of {rounds}\n")
    print("| | seconds | times Cornu's with an empty cache |")
    print("| --- | ---: | ---: |")
    for label, values in times.items():
        middle = statistics.median(values)
        print(f"| {label} | {middle:.2f} | {middle / own:.2f} |", flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=tuple(SIZES), default=tuple(SIZES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="little data, two rounds")
    parser.add_argument("--no-process", action="store_true", help="without whole processes")
    parser.add_argument("--no-epochs", action="store_true", help="whole processes only")
    parser.add_argument("--serve", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("--train", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    task = options.serve or options.train
    if task:
        name, network, rows, batch, epochs = *task[:2], *map(int, task[2:])
        if options.serve:
            serve(name, network, rows, batch, epochs)
        else:
            trainer(name, network, rows, batch)(epochs)
        return
    rounds = 2 if options.quick else options.rounds
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    for network in options.only:
        sizes = (QUICK if options.quick else SIZES)[network]
        if not options.no_epochs:
            race(network, sizes, rounds)
        if not options.no_process:
            whole_processes(network, sizes, max(1, rounds // 2))


if __name__ == "__main__":
    main()
