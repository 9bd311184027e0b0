"""Experiment: a network, its training and its data, to be run in several frameworks."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cornu.core.serialization import did_you_mean

# The built-in experiments, by the name that `cornu compare` takes: the module that has them.
BUILT_IN = {
    "moons": "moons",
    "mnist-mlp": "mnist_mlp",
    "mnist-cnn": "mnist_cnn",
    "digits-csv": "digits_csv",
    "intrusion": "intrusion",
}


class ExperimentError(ValueError):
    """An experiment that cannot be run, and why."""


@dataclasses.dataclass
class Data:
    """The rows of an experiment.

    Attributes:
        train: `(x, y)`: x (rows, ...) float32 with images channels last; y (rows,): integer
            classes, 0 or 1 for a network with one output, floats (rows, outputs) for a regression.
        test: `(x, y)`: what the final figures, the confusion matrix and the mistakes are of.
        validation: `(x, y)`: what the curves are of, besides training; None for the test rows.
    """

    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray] | None = None


@dataclasses.dataclass
class Experiment:
    """A network, its training and its data.

    A file for `cornu compare` assigns one to the name `experiment`.

    Args:
        name: short, for files and the command line.
        build: makes the network: a compiled Cornu model with one input, one output and a loss. It
            is called anew for each run, behind `set_random_seed`.
        data: makes the rows; called with the most training rows that are wanted, or None.
        epochs: how long to train.
        batch_size: rows in a step.
        title: for people. Default the name.
        description: a sentence or two on what it is and where it comes from.
        source: the name of the article or paper, or None.
        class_names: of the classes; default their numbers.
        feature_names: of the columns of x, where they are few; with two of them the decision
            boundary is drawn.
        rows: the most training rows that are taken unless the command says otherwise; None for all.
        seeds: how many differently seeded runs each framework's own habits are shown with.
        same_start_epochs: how long to train from the same start; default `epochs`.
        programs: programs to run in the place of those that are written here, by framework: files
            in the form that `cornu port` writes.

    Raises:
        ExperimentError: a number of epochs, rows or seeds that is not positive.

    >>> import cornu
    >>> def build():
    ...     model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1, "sigmoid")])
    ...     model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    ...     return model
    >>> def data(rows):
    ...     x = np.random.default_rng(0).normal(size=(40, 2)).astype("float32")
    ...     y = (x[:, 0] > 0).astype("int64")
    ...     return Data(train=(x[:32], y[:32]), test=(x[32:], y[32:]))
    >>> experiment = Experiment("line", build, data, epochs=3, batch_size=8)
    >>> experiment.title
    'line'
    """

    name: str
    build: Callable[[], Any]
    data: Callable[[int | None], Data]
    epochs: int
    batch_size: int
    title: str = ""
    description: str = ""
    source: str | None = None
    class_names: Sequence[str] | None = None
    feature_names: Sequence[str] | None = None
    rows: int | None = None
    seeds: int = 5
    same_start_epochs: int | None = None
    programs: Mapping[str, str | os.PathLike] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self.title = self.title or self.name
        self.same_start_epochs = self.same_start_epochs or self.epochs
        for key in ("epochs", "batch_size", "seeds", "same_start_epochs", "rows"):
            value = getattr(self, key)
            if key == "rows" and value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ExperimentError(
                    f"Experiment({key}={value!r}): {key} must be a positive integer"
                )


def load_experiment(source: str) -> Experiment:
    """The experiment of a built-in name, or of a Python file that assigns `experiment`.

    Raises:
        ExperimentError: no such name, or nothing of that kind in the file.
        FileNotFoundError: no such file.
    """
    if source in BUILT_IN:
        module = importlib.import_module(f"cornu.compare.experiments.{BUILT_IN[source]}")
        return module.experiment
    if not source.endswith(".py"):
        raise ExperimentError(
            f"no experiment is named {source!r}{did_you_mean(source, BUILT_IN) or '.'} "
            f"There are {', '.join(BUILT_IN)}, and files.py that assign `experiment`"
        )
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {source!r}")
    name = f"cornu_experiment_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # a program may import what lies beside it
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    found = getattr(module, "experiment", None)
    if not isinstance(found, Experiment):
        raise ExperimentError(
            f"{source} assigns no `experiment`: it should end with "
            "experiment = cornu.compare.Experiment(name, build, data, epochs, batch_size)"
        )
    beside = path.resolve().parent
    found.programs = {key: beside / file for key, file in found.programs.items()}
    return found
