"""What checking costs: the rules, and the measurements of `model.check()`.

    python benchmarks/check.py

Prints seconds for the MNIST networks of the articles. The training program is compiled before the
clock starts, since training needs it anyway; the probe's own compilation is counted, with a cold
cache. The second table is an epoch with the watching callback and without, interleaved.
"""

import os
import statistics
import tempfile
import time

os.environ.setdefault("CORNU_CACHE_DIR", tempfile.mkdtemp())

import numpy as np

import cornu
from cornu.check.checking import find
from cornu.check.probe import measure
from cornu.check.read_fit import facts_of_fit
from cornu.data.source import make_source

ROUNDS = 7


def mlp():
    layers = cornu.layers
    model = cornu.Sequential(
        [
            cornu.Input((784,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(20, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model, (784,), 100


def cnn():
    layers = cornu.layers
    model = cornu.Sequential(
        [
            cornu.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(cornu.optimizers.Adadelta(1.0), "categorical_crossentropy", metrics=["accuracy"])
    return model, (28, 28, 1), 128


def checked(build) -> None:
    model, shape, batch = build()
    rng = np.random.default_rng(0)
    # of MNIST's size and scale: what the rules find does not matter here
    x = rng.random((54_000, *shape), dtype="float32")
    y = cornu.utils.to_categorical(rng.integers(0, 10, 54_000), 10)
    source = make_source(x, y, None, batch, True)
    program = model._prepare(source, "fit", trains=True)
    settings = {"epochs": 10, "batch_size": batch, "shuffle": True, "validation_data": None}
    for block in source.shapes():
        program.compile_ahead("train", block)
    for compiling in list(program._executables.values()):
        compiling.wait()
    cornu.check.all_rules()
    began = time.perf_counter()
    facts = facts_of_fit(model, source, settings)
    find(facts)
    static = time.perf_counter()
    measure(model, facts, source)
    measured = time.perf_counter()
    steps = facts.probe.rate_steps
    measure(model, facts, source, rates=False)
    passed = time.perf_counter()
    print(
        f"{build.__name__:4} rules {static - began:.2f} s, measurements {measured - static:.2f} s "
        f"(one pass, compiled before, {passed - measured:.2f} s; {steps} steps with each learning "
        "rate)"
    )


def watched() -> None:
    from sklearn.datasets import make_moons

    x, y = make_moons(1000, noise=0.2, random_state=100)
    models = {}
    for check in (True, False):
        model = cornu.Sequential(
            [
                cornu.Input((2,)),
                *[cornu.layers.Dense(u, activation="relu") for u in (25, 50, 50, 25)],
                cornu.layers.Dense(1, activation="sigmoid"),
            ]
        )
        model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
        model.fit(x, y, verbose=0, check=check)
        models[check] = model
    seconds: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(ROUNDS):
        for check, model in models.items():
            began = time.perf_counter()
            model.fit(x, y, epochs=200, verbose=0, check=check)
            seconds[check].append((time.perf_counter() - began) / 200)
    with_check, without = (statistics.median(seconds[check]) for check in (True, False))
    print(
        f"moons, an epoch: {1000 * with_check:.3f} ms watched, {1000 * without:.3f} ms not: "
        f"{with_check / without:.3f}x"
    )


if __name__ == "__main__":
    checked(mlp)
    checked(cnn)
    watched()
