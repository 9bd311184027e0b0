"""Callbacks while several networks train at once: what they are told, and what they may change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from cornu import callbacks as known
from cornu.callbacks.callback import Callback
from cornu.callbacks.callback_list import CallbackList, python_logs
from cornu.train.replicas import ReplicaProgram

# look at logs only
_READ_LOGS = frozenset(
    {
        known.History,
        known.CSVLogger,
        known.EarlyStopping,
        known.ProgbarLogger,
        known.TerminateOnNaN,
    }
)
# read and set the learning rate besides
_SET_RATE = frozenset({known.LearningRateScheduler, known.ReduceLROnPlateau})
_REFUSED: dict[type, str] = {
    known.ModelCheckpoint: "it saves one network. Save them after training: model.replicas.save()",
    known.BackupAndRestore: "it saves and restores the state of one network",
    known.SwapEMAWeights: "it swaps the weights of one network",
}


class ReplicaCallbacks(CallbackList):
    """Callbacks that are told the means over all replicas, but `History`: that is told all values.

    Every callback that may look at the model itself finds it as the first replica is. It may set
    the learning rate, for all of them, and nothing else.

    Args:
        callbacks, model, **params: as for `CallbackList`.
        program: the program that holds the replicas' values.
        verbose: as for `fit`.

    Raises:
        ValueError: a callback that saves or changes the weights of one network.
    """

    def __init__(self, callbacks: Any, program: ReplicaProgram, model: Any, verbose: Any, **params):
        if isinstance(callbacks, CallbackList):
            callbacks = callbacks.callbacks
        self._program = program
        self._quiet: set[int] = set()
        self._best: dict[int, tuple[list, dict]] = {}
        super().__init__(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            model=model,
            verbose=verbose,
            **params,
        )
        for callback in self.callbacks:
            self._must_fit(callback)
        self._history.seeds = program.seeds

    @staticmethod
    def _must_fit(callback: Any) -> None:
        name = type(callback).__name__
        for cls, why in _REFUSED.items():
            if isinstance(callback, cls):
                raise ValueError(f"fit(replicas=...) cannot use the callback {name}: {why}")
        restores = getattr(callback, "restore_best_weights", False)
        if restores and type(callback) is not known.EarlyStopping:
            raise ValueError(
                f"fit(replicas=...) cannot use the callback {name}: it restores the weights of one "
                "network"
            )

    def append(self, callback: Callback) -> None:
        """Adds what watches training: only the losses, as the model holds one network's weights."""
        callback.weights = False  # type: ignore[attr-defined]
        self._quiet.add(id(callback))
        super().append(callback)

    # -- what is told ---------------------------------------------------------------------------

    def _stage(self, name: str, logs: dict | None) -> None:
        self._tell(name, logs, lambda hook, logs: hook(logs))

    def _epoch(self, name: str, epoch: int, logs: dict | None) -> None:
        self._tell(name, logs, lambda hook, logs: hook(epoch, logs))

    def _batch(self, name: str, batch: int, logs: dict | None) -> None:
        self._tell(name, logs, lambda hook, logs: hook(batch, logs=logs))

    def _tell(self, name: str, logs: dict | None, call: Callable) -> None:
        hooks = self._hooks[name]
        if not hooks:
            return
        means = python_logs({key: mean(value) for key, value in (logs or {}).items()})
        for hook in hooks:
            callback = getattr(hook, "__self__", None)
            if isinstance(callback, known.History):
                call(hook, {**means, **(logs or {})})
            else:
                with self._first_replica(callback):
                    call(hook, means)

    @contextmanager
    def _first_replica(self, callback: Any) -> Iterator[None]:
        """A block in which the model is as the first replica; then, looks what was changed."""
        if type(callback) in _READ_LOGS or id(callback) in self._quiet:
            yield
            return
        program = self._program
        scalars = [v for v in program.optimizer_variables if v.ndim == 0]
        shown = program.show(0, scalars if type(callback) in _SET_RATE else None)
        yield
        measuring = {id(variable) for variable in program.metric_variables}
        for variable in program.train_variables:
            before = shown.get(id(variable))
            now = variable._value
            if before is None or now is before or id(variable) in measuring:
                continue
            if np.array_equal(np.asarray(before), np.asarray(now), equal_nan=True):
                continue
            held = program.all_values(variable)
            if all(variable is not one for one in scalars) or (held != held[0]).any():
                name = "a function" if callback is None else type(callback).__name__
                raise ValueError(
                    f"fit(replicas=...): the callback {name} changed {variable.path!r} of the "
                    "model, of which each replica has a value of its own"
                )
            program.set_all_values(variable, np.full(held.shape, np.asarray(now), held.dtype))

    # -- the best weights -----------------------------------------------------------------------

    def on_train_begin(self, logs: dict | None = None) -> None:
        """`fit` begins."""
        self._best = {}
        self._program.restored_logs = None
        super().on_train_begin(logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """An epoch and its validation are done."""
        super().on_epoch_end(epoch, logs)
        for stops in self._restoring():
            if stops.best is not None and stops.best_epoch == epoch:
                values = [(w, self._program.all_values(w)) for w in self._model.weights]
                known = {name: each[-1] for name, each in self._history.history.items()}
                self._best[id(stops)] = values, known

    def on_train_end(self, logs: dict | None = None) -> None:
        """`fit` ends; `logs` are those of the last epoch."""
        super().on_train_end(logs)
        for stops in self._restoring():
            if id(stops) not in self._best:
                continue
            best, self._program.restored_logs = self._best[id(stops)]
            for weight, values in best:
                self._program.set_all_values(weight, values)

    def _restoring(self) -> list:
        return [c for c in self.callbacks if getattr(c, "restore_best_weights", False)]


def mean(value: Any) -> Any:
    """The mean over replicas of a log, (replicas, ...); anything else as it is.

    >>> mean(np.array([0.25, 0.75])), mean(0.1)
    (0.5, 0.1)
    """
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        return value
    means = value.mean(axis=0)
    return float(means) if means.ndim == 0 else means
