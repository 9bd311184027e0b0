"""What replicas cost: several networks trained at once, against one.

    python benchmarks/replicas.py                     # both networks
    python benchmarks/replicas.py --quick             # a check that it runs: small data, one round
    python benchmarks/replicas.py --only moons --rounds 15

One network and several take turns in each round, so that what else the machine does falls on both;
the ratio is the median of the rounds' own ratios. Three times are taken: an epoch of training that
is compiled already; the whole of a first `fit`, compiling and making of the copies included, in a
process that has compiled nothing before; and that process as a whole, from its start to its end.
The last two once with nothing in the cache of compiled programs and once with all. Let nothing else
run meanwhile: several networks use every core, one small network does not.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, NamedTuple

import numpy as np


class Network(NamedTuple):
    """A network, how much of it is trained, and how many at once."""

    title: str
    rows: int
    batch_size: int
    epochs: int  # of a whole fit
    timed_epochs: int  # of a turn when warm
    replicas: int
    goal: float  # at most so many times as long as one


FULL = {
    "moons": Network("moons 2-25-50-50-25-1, SGD, batch 32", 900, 32, 200, 200, 16, 4.0),
    "mnist_mlp": Network(
        "MNIST 784-128-20-10, Adam, batch 100, 54,000 rows", 54_000, 100, 10, 2, 8, 6.0
    ),
}
QUICK = {
    "moons": FULL["moons"]._replace(epochs=5, timed_epochs=5),
    "mnist_mlp": FULL["mnist_mlp"]._replace(rows=2_000, epochs=2),
}


def data(name: str, network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and labels."""
    if name == "moons":
        from articles import moons

        return moons(network.rows)
    from cornu.datasets import mnist

    (images, labels), _ = mnist.load_data()
    inputs = images[: network.rows].reshape(-1, 784).astype("float32") / 255
    return inputs, labels[: network.rows].astype("int64")


def build(name: str) -> Any:
    """The network, compiled."""
    import cornu
    from cornu import layers

    if name == "moons":
        hidden = [layers.Dense(units, activation="relu") for units in (25, 50, 50, 25)]
        model = cornu.Sequential(
            [cornu.Input((2,)), *hidden, layers.Dense(1, activation="sigmoid")]
        )
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        return model
    model = cornu.Sequential(
        [
            cornu.Input((784,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(20, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model: Any, x, y, network: Network, epochs: int, replicas: int | None) -> float:
    """Seconds that training takes."""
    start = time.perf_counter()
    model.fit(
        x,
        y,
        batch_size=network.batch_size,
        epochs=epochs,
        verbose=0,
        check=False,
        replicas=replicas,
    )
    return time.perf_counter() - start


def warm(name: str, network: Network, rounds: int) -> list[tuple[float, float]]:
    """Seconds an epoch of one and of all replicas, for each round."""
    from cornu.utils import set_random_seed

    set_random_seed(0)
    x, y = data(name, network)
    turns = [(build(name), None), (build(name), network.replicas)]
    for model, replicas in turns:
        fit(model, x, y, network, 2, replicas)  # compiles
    found = []
    for turn in range(rounds):
        seconds = {}
        for model, replicas in turns if turn % 2 else reversed(turns):
            spent = fit(model, x, y, network, network.timed_epochs, replicas)
            seconds[replicas] = spent / network.timed_epochs
        found.append((seconds[None], seconds[network.replicas]))
    return found


def whole(name: str, network: Network, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Seconds of a first fit and of its process, of one and of all replicas, for each round."""
    found: dict[str, list[tuple[float, float]]] = {}
    for turn in range(rounds):
        with tempfile.TemporaryDirectory() as cache:
            for state in ("cold", "warm"):
                seconds = {}
                counts = (1, network.replicas) if turn % 2 else (network.replicas, 1)
                for replicas in counts:
                    seconds[replicas] = _process(name, network, replicas, cache)
                for place, what in enumerate(("first fit", "process")):
                    pair = seconds[1][place], seconds[network.replicas][place]
                    found.setdefault(f"{what}, {state} cache", []).append(pair)
    return found


def _process(name: str, network: Network, replicas: int, cache: str) -> tuple[float, float]:
    command = [sys.executable, __file__, "--run", name, str(replicas), json.dumps(network)]
    start = time.perf_counter()
    done = subprocess.run(
        command,
        env={**os.environ, "CORNU_CACHE_DIR": cache},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stderr)
    return float(done.stdout.split()[-1]), seconds


def run_one(name: str, replicas: int, settings: list) -> None:
    """What a measured process does: one fit, whose seconds it prints."""
    network = Network(*settings)
    x, y = data(name, network)
    model = build(name)
    print(fit(model, x, y, network, network.epochs, replicas if replicas > 1 else None))


def line(what: str, pairs: list[tuple[float, float]], goal: float) -> str:
    """A line of the table."""
    one, many = (statistics.median(each) for each in zip(*pairs, strict=True))
    ratios = [b / a for a, b in pairs]
    middle = statistics.median(ratios)
    verdict = "met" if middle <= goal else "NOT met"
    return (
        f"| {what} | {one * 1e3:.1f} | {many * 1e3:.1f} | {middle:.2f} | "
        f"{min(ratios):.2f} - {max(ratios):.2f} | at most {goal:g}: {verdict} |"
    )


def main() -> None:
    """Measures and prints tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small data, one round")
    parser.add_argument("--only", nargs="+", choices=tuple(FULL), help="networks to measure")
    parser.add_argument("--rounds", type=int, help="rounds (9; with --quick 1)")
    parser.add_argument("--warm-only", action="store_true", help="leave out the whole processes")
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.run:
        name, replicas, settings = given.run
        run_one(name, int(replicas), json.loads(settings))
        return
    rounds = given.rounds or (1 if given.quick else 9)
    from articles import machine

    print(machine(), flush=True)
    for name, network in (QUICK if given.quick else FULL).items():
        if given.only and name not in given.only:
            continue
        print(f"\n### {network.title}: {network.replicas} replicas, {rounds} rounds\n")
        print(f"| | one, ms | {network.replicas}, ms | ratio | min - max | aim |")
        print("| --- | --- | --- | --- | --- | --- |")
        print(line("an epoch, compiled", warm(name, network, rounds), network.goal), flush=True)
        if not given.warm_only:
            for what, pairs in whole(name, network, -(-rounds // 3)).items():
                title = f"{what}, {network.epochs} epochs"
                print(line(title, pairs, network.goal), flush=True)


if __name__ == "__main__":
    main()
