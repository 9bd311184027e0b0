"""What the training programs of every framework share: the job, the data, what is recorded.

Imported by the file beside it that is run; NumPy is all that it needs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import math
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_before = time.perf_counter()
import numpy as np  # noqa: E402  (its time is taken)

NUMPY_SECONDS = time.perf_counter() - _before

# Keras' bound on probabilities in a cross-entropy; the same for all, so that figures compare.
EPSILON = 1e-7


class Job:
    """What a process is asked to do; the attributes are those of `cornu.compare.jobs.Job`."""

    def __init__(self) -> None:
        with open(sys.argv[1], encoding="utf-8") as file:
            self.__dict__.update(json.load(file))
        self.start = time.perf_counter()
        # what programs print goes to the log; the pipe is for events
        self._events = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        self.output = Path(self.output)
        self.import_s = NUMPY_SECONDS  # every framework imports it
        # as many rows at a time as in training, so that the memory is that of training
        self.predict_rows = self.batch_size

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"a job has no {name!r}")

    def tell(self, **event: Any) -> None:
        """Sends an event to the process that waits."""
        self._events.write(json.dumps(event) + "\n")

    @contextlib.contextmanager
    def importing(self) -> Iterator[None]:
        """Within the block the framework is imported; its time is noted."""
        before = time.perf_counter()
        yield
        self.import_s += time.perf_counter() - before

    def rows(self, part: str, dtype: str | None = None) -> tuple[np.ndarray, np.ndarray]:
        """x and y of "train", "validation" or "test"; binary labels as a column."""
        folder = Path(self.data)
        x, y = np.load(folder / f"{part}_x.npy"), np.load(folder / f"{part}_y.npy")
        x = x.astype(dtype or self.dtype, copy=False)
        if self.task != "classes":
            y = y.reshape(len(y), -1).astype(dtype or self.dtype)
        return x, y

    def order(self, epoch: int) -> np.ndarray:
        """The order of the training rows in an epoch, the same in every framework."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.train_rows)

    def program_module(self) -> Any:
        """The program, imported under its own name."""
        path = Path(self.program)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        return module

    def write(self, result: dict[str, Any], **arrays: np.ndarray) -> None:
        """Writes what was found, for the process that waits."""
        np.savez(self.output / "arrays.npz", **arrays)
        result["import_s"] = self.import_s
        with open(self.output / "result.json", "w", encoding="utf-8") as file:
            json.dump(result, file)
        self.tell(done=True)


# -- figures ---------------------------------------------------------------------------------------


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -logits))


def softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def headed(outputs: np.ndarray, head: str | None) -> np.ndarray:
    """Probabilities of what a network gives: `head` is what its loss applies, or None."""
    if head is None:
        return outputs
    return {"softmax": softmax, "sigmoid": sigmoid}[head](outputs)


def figures(task: str, outputs: np.ndarray, y: np.ndarray) -> dict[str, float | None]:
    """The loss without penalties, and the accuracy, of probabilities (or of a regression).

    None where an output is no finite number.
    """
    outputs = np.asarray(outputs, "float64").reshape(len(y), -1)
    if not np.isfinite(outputs).all():  # it has diverged
        return {"loss": None} if task == "regression" else {"loss": None, "accuracy": None}
    if task == "regression":
        return {"loss": float(np.mean((outputs - y.reshape(outputs.shape)) ** 2))}
    bounded = np.clip(outputs, EPSILON, 1 - EPSILON)
    if task == "binary":
        y = y.reshape(outputs.shape)
        losses = -(y * np.log(bounded) + (1 - y) * np.log(1 - bounded))
        right = (outputs > 0.5) == (y > 0.5)
    else:
        losses = -np.log(bounded[np.arange(len(y)), y.astype(int).ravel()])
        right = outputs.argmax(axis=1) == y.ravel()
    return {"loss": float(losses.mean()), "accuracy": float(right.mean())}


def fingerprint(arrays: list[np.ndarray]) -> list[float]:
    """Two numbers for each array that no transposition changes: sum and norm."""
    found: list[float] = []
    for array in arrays:
        flat = np.asarray(array).ravel()
        found += [float(flat.sum(dtype="float64")), float(np.sqrt(np.vdot(flat, flat)))]
    return found


# -- same start ------------------------------------------------------------------------------------


class Steps:
    """Notes the loss of every step, the weights before it, and figures after every epoch.

    Args:
        job: what is asked.
        weights: gives the weights as arrays, in the order of the network.
        predict: probabilities for rows.
    """

    def __init__(self, job: Job, weights: Callable[[], list], predict: Callable):
        self.job, self.weights, self.predict = job, weights, predict
        self.x, self.y = job.rows("validation")
        self.sizes = [int(np.size(array)) for array in weights()]
        self.losses: list[float] = []
        self.prints: list[list[float]] = []
        self.epochs: dict[str, list[float | None]] = {
            "loss": [],
            "val_loss": [],
            "val_accuracy": [],
        }
        self._first = 0
        self._rows: list[int] = []

    def before(self, loss: float, rows: int) -> None:
        """A step: its loss, before the weights are changed."""
        self.prints.append(fingerprint(self.weights()))
        self.losses.append(loss)
        self._rows.append(rows)

    def add(self, penalty: float) -> None:
        """Something is added to the loss of the step."""
        self.losses[-1] += penalty

    def epoch_end(self) -> None:
        """An epoch is over."""
        losses, rows = self.losses[self._first :], self._rows[self._first :]
        self._first = len(self.losses)
        found = figures(self.job.task, self.predict(self.x), self.y)
        self.epochs["loss"].append(float(np.average(losses, weights=rows)))
        for name, value in found.items():
            self.epochs[f"val_{name}"].append(value)
        self.job.tell(epoch=len(self.epochs["loss"]), loss=self.epochs["loss"][-1])

    def is_epoch_over(self) -> bool:
        """Whether all rows were seen since the last epoch ended."""
        return sum(self._rows[self._first :]) >= self.job.train_rows

    def finish(self) -> None:
        """Writes it all."""
        if len(self.epochs["loss"]) != self.job.epochs:
            raise RuntimeError(no_epochs(self.job, len(self.epochs["loss"])))
        self.prints.append(fingerprint(self.weights()))
        self.job.write(
            {"epochs": self.epochs, "sizes": self.sizes},
            losses=np.array(self.losses, "float64"),
            prints=np.array(self.prints, "float64"),
        )


def no_epochs(job: Job, found: int) -> str:
    return (
        f"{job.program}: {found} of {job.epochs} epochs were seen. Its train() has to call "
        "loss_function for each batch and print a line at the end of each epoch, as the programs "
        "of cornu port do"
    )


# -- own habits ------------------------------------------------------------------------------------


class Epochs:
    """Notes time, loss and accuracy of each epoch of several runs; what the first one predicts.

    Args:
        job: what is asked.
    """

    def __init__(self, job: Job):
        self.job = job
        self.x, self.y = job.rows("validation")
        self.test_x, self.test_y = job.rows("test")
        self.grid = np.load(job.grid).astype(job.dtype) if job.grid else None
        self.frames: list[np.ndarray] = []
        self.runs: list[dict[str, Any]] = []
        self.timing: dict[str, float | None] = {}
        self.test: np.ndarray | None = None
        self._paused = 0.0

    def begin(self, seed: int, predict: Callable) -> None:
        """A run begins, right before it trains.

        Args:
            seed: of the run.
            predict: probabilities for rows, as the network is at the time.
        """
        self.predict = predict
        self._seconds: list[float] = []
        self._stopped: float | None = None
        self.history: dict[str, list[float | None]] = {}
        self.runs.append({"seed": seed, "history": self.history})
        self._began = time.perf_counter()

    def stop(self) -> None:
        """Stops the clock: what follows up to the end of the epoch is no training."""
        self._stopped = time.perf_counter()

    def epoch_end(self, loss: float | None, accuracy: float | None) -> None:
        """An epoch of the run is over; measures validation with the clock stopped."""
        stopped, self._stopped = self._stopped or time.perf_counter(), None
        self._seconds.append(stopped - self._began)
        if len(self.runs) == 1 and len(self._seconds) == 1:
            self.timing["first_epoch_s"] = time.time() - self.job.spawned
        found = figures(self.job.task, self.predict(self.x), self.y)
        values = {"loss": loss, "accuracy": accuracy}
        values.update({f"val_{name}": value for name, value in found.items()})
        for name, value in values.items():
            known = value is not None and math.isfinite(value)
            if known or name in self.history or (len(self._seconds) == 1 and name in found):
                self.history.setdefault(name, []).append(float(value) if known else None)
        is_frame = len(self.runs) == 1 and len(self._seconds) in self.job.frames
        if self.grid is not None and is_frame:
            self.frames.append(np.asarray(self.predict(self.grid), "float32"))
        self.job.tell(run=len(self.runs), epoch=len(self._seconds), loss=loss)
        self._began = time.perf_counter()
        self._paused += self._began - stopped

    def end(self) -> None:
        """The run is over: the figures of the test rows."""
        if len(self._seconds) != self.job.epochs:
            raise RuntimeError(no_epochs(self.job, len(self._seconds)))
        if len(self.runs) == 1:
            # the first one is compiled, and warms up
            later = self._seconds[1:]
            self.timing["epoch_ms"] = 1000 * statistics.median(later) if later else None
            self.timing["process_s"] = time.time() - self.job.spawned - self._paused
            self.timing["peak_memory_mb"] = peak_memory_mb()
        outputs = np.asarray(self.predict(self.test_x), "float32")
        self.runs[-1]["test"] = figures(self.job.task, outputs, self.test_y)
        if self.test is None:
            self.test = outputs.reshape(len(self.test_y), -1)

    def finish(self) -> None:
        """Writes it all."""
        arrays = {"test": self.test}
        if self.frames:
            arrays["frames"] = np.stack(self.frames)
        self.job.write({"runs": self.runs, "timing": self.timing}, **arrays)


def peak_memory_mb() -> float:
    """The most memory that the process has held, in MiB."""
    # what getrusage says counts the process that started this one, too
    with contextlib.suppress(OSError), open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


class Batches:
    """Adds up the loss and the accuracy of the batches of an epoch, weighted by their rows."""

    def __init__(self) -> None:
        self.losses: list[tuple[float, int]] = []
        self.right: list[tuple[float, int]] = []

    def take(self) -> tuple[float | None, float | None]:
        """The means, and starts afresh."""
        means = []
        for pairs in (self.losses, self.right):
            count = sum(rows for _, rows in pairs)
            means.append(sum(v * rows for v, rows in pairs) / count if count else None)
        self.losses, self.right = [], []
        return means[0], means[1]

    @property
    def rows(self) -> int:
        """How many rows were seen."""
        return sum(rows for _, rows in self.losses)
