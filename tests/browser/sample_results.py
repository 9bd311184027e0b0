"""Results of comparisons that nobody ran: everything that a report can show, made with NumPy."""

from __future__ import annotations

import base64

import numpy as np

TITLES = {
    "cornu": "Cornu",
    "torch": "PyTorch",
    "keras": "Keras",
    "numpy": "NumPy",
    "sklearn": "scikit-learn",
    "keras-torch": "Keras on PyTorch",
}
_SPEED = {"cornu": 1.6, "torch": 27.4, "keras": 86.0, "numpy": 18.3, "sklearn": 15.5}

_PROGRAM = '''"""Two moons with {title}."""

import numpy as np
import {module}


def load():
    """The data: 900 rows to train, 100 to test."""
    with np.load("moons.npz") as file:
        return file["x"], file["y"]  # float32, int64


class Settings:
    epochs, batch_size = 200, 32


@profile
def build(units=(25, 50, 50, 25)):
    layers = [{module}.Dense(n, activation="relu") for n in units]
    return {module}.Sequential([*layers, {module}.Dense(1, activation="sigmoid")])


model = build()
model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])
x, y = load()
settings = dict(epochs=Settings.epochs, batch_size=32, validation_split=0.1)
history = model.fit(x[:900], y[:900], shuffle=True, callbacks=[], verbose=0, **settings)
loss, accuracy = model.evaluate(x[900:], y[900:], verbose=0)
print(f"loss {{loss:.4f}}, accuracy {{accuracy:.1%}}")
'''
_SECTIONS = [
    ("other", 1, 6),
    ("load", 7, 12),
    ("train", 13, 16),
    ("define", 17, 23),
    ("compile", 24, 24),
    ("load", 25, 25),
    ("train", 26, 27),
    ("evaluate", 28, 29),
]


def encoded(values: np.ndarray) -> str:
    """Base64 of values as uint8."""
    return base64.b64encode(np.asarray(values).astype(np.uint8).tobytes()).decode()


def _program(name: str) -> dict:
    title = TITLES[name]
    return {
        "framework": name,
        "title": title,
        "file": f"programs/{name}/moons.py",
        "text": _PROGRAM.format(title=title, module=name.replace("-", "_")),
        "lines": 19,
        "sections": [{"step": s, "first": a, "last": b} for s, a, b in _SECTIONS],
    }


def _same_start(random: np.random.Generator, names: list[str], parting: str | None) -> dict:
    steps = np.unique(np.linspace(1, 5800, 700).astype(int))
    base = 0.7 * np.exp(-steps / 1500) + 0.03
    noisy = base * (1 + 0.25 * random.standard_normal(len(steps)))
    dtypes = {}
    for dtype, size, tolerance in (("float64", 1e-16, 1e-8), ("float32", 6e-8, 1e-4)):
        frameworks = {}
        for place, name in enumerate(names):
            growth = size * (1 + place) * np.exp(steps / 1900) * random.uniform(0.3, 2, len(steps))
            verdict = {
                "same": True,
                "kind": "same" if dtype == "float64" else "rounding",
                "largest": float(growth.max()),
                "step": None if dtype == "float64" else 258 + (place == 2),
                "epoch": None if dtype == "float64" else 9,
                "place": None,
                "cause": None,
                "text": f"{TITLES[name]} follows Cornu over all 5,800 steps",
            }
            loss = noisy
            if name == parting:
                growth = 0.2 + 0.1 * random.uniform(0, 1, len(steps))
                loss = noisy * (1 + growth)
                cause = "softmax is applied before CrossEntropyLoss, which applies it again"
                verdict |= {"same": False, "kind": "different", "largest": float(growth.max())}
                verdict |= {"step": 1, "epoch": 1, "place": "the loss", "cause": cause}
                verdict["text"] = f"{TITLES[name]} and Cornu part at step 1, at the loss"
            growth[3] = 0.0
            entry = {
                "loss": loss.tolist(),
                "epochs": {
                    "loss": base[::29].tolist(),
                    "accuracy": (1 - base[::29] / 2).tolist(),
                    "val_loss": base[::29].tolist(),
                    "val_accuracy": (1 - base[::29] / 2).tolist(),
                },
            }
            if name != "cornu":
                entry |= {"difference": growth.tolist(), "verdict": verdict}
            frameworks[name] = entry
        dtypes[dtype] = {
            "tolerance": tolerance,
            "steps": 5800,
            "steps_per_epoch": 29,
            "step": steps.tolist(),
            "frameworks": frameworks,
        }
    return {"seed": 0, "dtypes": dtypes}


def _run(random: np.random.Generator, seed: int, epochs: int, place: int) -> dict:
    at = np.arange(1, epochs + 1)
    scale = 1 + 0.1 * random.standard_normal() + 0.05 * place
    loss = 0.68 * np.exp(-at * scale / (0.3 * epochs)) + 0.05
    noise = 0.01 * random.standard_normal(epochs)
    accuracy = np.clip(1 - 0.55 * loss + noise / 2, 0, 1)
    history = {
        "loss": (loss + noise).tolist(),
        "accuracy": accuracy.tolist(),
        "val_loss": (loss * 1.1 + 2 * noise).tolist(),
        "val_accuracy": np.clip(accuracy - 0.01 + noise, 0, 1).tolist(),
    }
    test = {"loss": float(loss[-1]), "accuracy": float(accuracy[-1])}
    return {"seed": seed, "history": history, "test": test}


def _own_habits(random, names: list[str], epochs: int, classes: int, rows: int) -> dict:
    frameworks = {}
    for place, name in enumerate(names):
        matrix = random.integers(0, 4, (classes, classes)) + np.diag(
            [rows // classes - 3] * classes
        )
        wrong = []
        for i in range(20):
            label = int(random.integers(classes))
            said = (
                (label + 1 + i) % classes
                if (label + 1 + i) % classes != label
                else (label + 1) % classes
            )
            wrong.append(
                {"row": i, "label": label, "predicted": said, "probability": 0.99 - i / 60}
            )
        speed = _SPEED.get(name, 120.0)
        frameworks[name] = {
            "runs": [_run(random, seed, epochs, place) for seed in range(5)],
            "timing": {
                "import_s": 0.9 + place,
                "first_epoch_s": 2.1 + place,
                "epoch_ms": speed,
                "process_s": 2.5 + 0.2 * speed,
                "peak_memory_mb": 410.0 + 90 * place,
                "package_mb": 312.0 + 800 * place,
            },
            "confusion": matrix.tolist(),
            "wrong": wrong,
            "habits": ["weights: Glorot uniform, bias 0", "epsilon of Adam: 1e-07"][
                : 2 - place % 2
            ],
        }
    return {"seeds": [0, 1, 2, 3, 4], "frameworks": frameworks}


def moons_movie(random: np.random.Generator, names: list[str], frames: int = 24) -> dict:
    """A boundary that bends, epoch by epoch."""
    rows, columns = 36, 48
    extent = (-1.5, 2.5, -1.0, 1.5)
    x = -1.5 + (np.arange(columns) + 0.5) * 4 / columns
    y = -1.0 + (np.arange(rows) + 0.5) * 2.5 / rows
    across, up = np.meshgrid(x, y)
    angle = random.uniform(0, np.pi, 60)
    upper = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle), 1 + 0 * angle], 1)
    points = np.concatenate([upper, lower])
    points[:, :2] += 0.1 * random.standard_normal((120, 2))
    epochs = np.unique(np.linspace(1, 200, frames).astype(int)).tolist()
    series = []
    for place, name in enumerate(names):
        pictures, losses = [], []
        for i in range(len(epochs)):
            bend = (i + 1) / len(epochs) * (1 - 0.1 * place)
            height = 0.25 + bend * 0.75 * np.sin(np.pi * (across + 0.5 + 0.2 * place) / 1.1)
            probability = 1 / (1 + np.exp((up - height) * 1.5 * (1 + 4 * bend)))
            pictures.append(encoded(255 * probability))
            losses.append(0.69 * np.exp(-3 * bend) + 0.02 * place)
        curves = {"loss": losses, "accuracy": [1 - loss / 1.5 for loss in losses]}
        series.append({"name": name, "title": TITLES[name], "frames": pictures, "curves": curves})
    return {
        "kind": "boundary",
        "title": "Two moons",
        "extent": list(extent),
        "shape": [rows, columns],
        "epochs": epochs,
        "classes": ["0", "1"],
        "axes": ["x1", "x2"],
        "points": points.round(3).tolist(),
        "series": series,
    }


def _environment() -> dict:
    return {
        "date": "2026-03-04 12:30",
        "command": "cornu compare moons --with torch,keras,numpy,sklearn -o results/moons",
        "python": "3.11.7",
        "platform": "Linux-6.1-x86_64",
        "processor": "AMD EPYC 7B13",
        "cores": 2,
        "memory_gb": 24.0,
        "packages": {"cornu": "0.1.0", "jax": "0.10.2", "torch": "2.13.0", "keras": "3.15.1"},
        "commit": "10ddbb0",
        "seeds": [0, 1, 2, 3, 4],
    }


def _framework(name: str, status: str = "finished", **more) -> dict:
    entry = {"name": name, "title": TITLES[name], "version": "1.2.3", "status": status}
    return {**entry, "reason": None, "last_lines": None, "resumed": False, "notes": [], **more}


def moons_results() -> dict:
    """Two classes, two features: a movie; one framework skipped, one failed, one parting."""
    random = np.random.default_rng(0)
    names = ["cornu", "torch", "keras", "numpy"]
    dense = [("dense", 25, 75), ("dense_1", 50, 1300), ("dense_2", 50, 2550), ("dense_3", 25, 1275)]
    network = [{"name": "input", "kind": "Input", "detail": "", "inputs": [], "shape": [None, 2]}]
    for name, units, parameters in [*dense, ("dense_4", 1, 26)]:
        detail = f"{units}, {'sigmoid' if units == 1 else 'relu'}"
        node = {"name": name, "kind": "Dense", "detail": detail, "shape": [None, units]}
        network.append({**node, "inputs": [network[-1]["name"]], "parameters": parameters})
    return {
        "format": 1,
        "experiment": {
            "name": "moons",
            "title": "Two moons",
            "description": "Two half circles of points with noise, told apart by a small network.",
            "source": "moons-with-keras",
            "epochs": 200,
            "batch_size": 32,
            "rows": {"train": 900, "validation": 0, "test": 100},
            "classes": ["0", "1"],
            "features": ["x1", "x2"],
            "loss": "binary_crossentropy",
            "optimizer": "SGD, learning rate 0.01",
            "parameters": 5226,
        },
        "network": network,
        "frameworks": [
            *(_framework(name) for name in names),
            _framework("sklearn", "skipped", reason="scikit-learn is not installed"),
            _framework(
                "keras-torch",
                "failed",
                reason="the program ended with exit status 1",
                last_lines=[
                    "Traceback (most recent call last):",
                    "RuntimeError: shapes <2> and <3>",
                ],
            ),
        ],
        "same_start": _same_start(random, names, "numpy"),
        "own_habits": _own_habits(random, names, 200, 2, 100),
        "images": None,
        "movie": moons_movie(random, names),
        "programs": [_program(name) for name in names],
        "differences": {
            "torch": [
                {
                    "what": "initial weights of a dense layer",
                    "source": "Glorot uniform, bias 0",
                    "target": "uniform within 1/sqrt(inputs), bias too",
                    "done": "written out: the program initializes as Cornu does",
                    "where": ["dense", "dense_1"],
                },
                {
                    "what": "epsilon of Adam",
                    "source": "1e-07",
                    "target": "1e-08",
                    "done": "given to the optimizer",
                    "where": [],
                },
            ]
        },
        "findings": [
            {
                "code": "C502",
                "severity": "warning",
                "message": "argmax over one sigmoid unit is always class 0",
                "layer": "dense_4",
                "advice": "compare with one half: (p > 0.5)",
            }
        ],
        "environment": _environment(),
    }


def _branched_network() -> list[dict]:
    rows = [
        ("input", "Input", "", [], [28, 28, 1], 0),
        ("conv2d", "Conv2D", "32, 3 x 3, relu", ["input"], [26, 26, 32], 320),
        ("pool", "MaxPooling2D", "2 x 2", ["conv2d"], [13, 13, 32], 0),
        ("left", "Conv2D", "64, 3 x 3, same, relu", ["pool"], [13, 13, 64], 18496),
        ("left_2", "Conv2D", "64, 3 x 3, same, relu", ["left"], [13, 13, 64], 36928),
        ("right", "Conv2D", "64, 1 x 1", ["pool"], [13, 13, 64], 2112),
        ("add", "Add", "", ["left_2", "right"], [13, 13, 64], 0),
        ("average", "GlobalAveragePooling2D", "", ["add"], [64], 0),
        ("dropout", "Dropout", "0.5", ["average"], [64], 0),
        ("dense", "Dense", "10, softmax", ["dropout"], [10], 650),
    ]
    names = ("name", "kind", "detail", "inputs", "shape", "parameters")
    network = [dict(zip(names, row, strict=True)) for row in rows]
    for node in network:
        node["shape"] = [None, *node["shape"]]
    return network


def digits_results() -> dict:
    """Ten classes with pictures, a network with branches, five frameworks, nothing wrong."""
    random = np.random.default_rng(1)
    names = ["cornu", "torch", "keras", "numpy", "sklearn"]
    pictures = {}
    for row in range(20):
        picture = np.zeros((28, 28))
        for at in range(4 + row % 3, 24):
            picture[at, 8 + (at * (row + 3)) % 11 : 14 + (at * (row + 3)) % 11] = 255 - 5 * at
        pictures[str(row)] = encoded(picture)
    return {
        "format": 1,
        "experiment": {
            "name": "mnist-cnn",
            "title": "MNIST, a convolutional network",
            "description": "Handwritten digits.",
            "source": "mnist-two-ways",
            "epochs": 12,
            "batch_size": 128,
            "rows": {"train": 54000, "validation": 6000, "test": 10000},
            "classes": [str(i) for i in range(10)],
            "features": None,
            "loss": "categorical_crossentropy",
            "optimizer": "Adam, learning rate 0.001",
            "parameters": 58506,
        },
        "network": _branched_network(),
        "frameworks": [_framework(name, resumed=name == "torch") for name in names],
        "same_start": _same_start(random, names[:4], None),
        "own_habits": _own_habits(random, names, 12, 10, 10000),
        "images": {"shape": [28, 28], "rows": pictures},
        "movie": None,
        "programs": [_program(name) for name in names],
        "differences": {},
        "findings": [],
        "environment": _environment(),
    }
