"""Callbacks that save the model while it trains: ModelCheckpoint and BackupAndRestore."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.callbacks.callback import Callback, only_if
from cornu.callbacks.monitor import MonitorCallback
from cornu.core.reporting import warn
from cornu.utils.progress import print_message


def replace_file(filepath: str, write: Callable[[str], Any], who: str) -> None:
    """Writes a file so that at any time either the old one or the whole new one is there.

    Args:
        filepath: the file; missing folders are made.
        write: called with the path to write to, in the same folder and with the same ending.
        who: begins the error message.

    Raises:
        OSError: it cannot be written; the message names the file and the cause.
    """
    try:
        target = os.path.realpath(filepath)  # a link stays a link
        folder, name = os.path.split(target)
        if os.path.isdir(target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        os.makedirs(folder, exist_ok=True)
        temporary = os.path.join(folder, f".{os.getpid()}-{os.urandom(4).hex()}-{name}")
        try:
            write(temporary)
            # A disk that is full, or a network folder, may say so only now.
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.remove(temporary)
            raise
    except (OSError, RuntimeError) as error:  # h5py raises RuntimeError while closing a file
        number, cause = _cause(error)
        if number is None and not isinstance(error, OSError):
            raise
        message = f"{who} cannot write {filepath!r}: {cause}"
        if os.path.isfile(filepath):
            message += ". The file saved there before is unchanged"
        raise (OSError(message) if number is None else OSError(number, message)) from error


def _cause(error: Exception) -> tuple[int | None, str]:
    """The error number and the words for it; h5py hides them in a long text."""
    number = getattr(error, "errno", None)
    hidden = re.search(r"errno = (\d+)", str(error))
    if number is None and hidden:
        number = int(hidden[1])
    if number is not None:
        return number, os.strerror(number)
    return None, getattr(error, "strerror", None) or str(error)


class _BatchCounter:
    """Says when `every` batches have passed since it last said so."""

    def __init__(self, every: int):
        self.every = every
        self.waiting = 0
        self.last: int | None = None

    def due(self, batch: int) -> bool:
        """Counts the batches up to `batch`; several may have passed since the last call."""
        begins_epoch = self.last is None or batch <= self.last
        self.waiting += batch + 1 if begins_epoch else batch - self.last  # type: ignore[operator]
        self.last = batch
        if self.waiting < self.every:
            return False
        self.waiting = 0
        return True


def _check_save_freq(who: str, save_freq: Any) -> None:
    integer = isinstance(save_freq, (int, np.integer)) and not isinstance(save_freq, bool)
    if save_freq != "epoch" and not (integer and save_freq > 0):
        raise ValueError(
            f"{who}(save_freq={save_freq!r}): expected 'epoch' or a positive number of batches"
        )


class ModelCheckpoint(MonitorCallback):
    """Saves the model, or its weights, after every epoch or every so many batches.

    A file is written beside its target and then put in its place, so that a full disk or an
    interruption leaves the last good file.

    Args:
        filepath: string or path ending in `.keras` (or `.h5`), or in `.weights.h5` with
            `save_weights_only`. It may contain `{epoch}` (from 1), `{batch}` (from 1; with a
            number as `save_freq`) and names in the logs: `"{epoch:02d}-{val_loss:.2f}.keras"`.
        monitor: name of the value in the logs that tells the best. Default `"val_loss"`.
        verbose: 1 says what it does. Default 0.
        save_best_only: whether to save only when the monitored value is the best so far; where it
            is missing it warns and saves. Default False.
        save_weights_only: whether to save the weights instead of the whole model. Default False.
        mode: `"min"`, `"max"` or `"auto"`, as the value's name tells. Default `"auto"`.
        save_freq: `"epoch"`, or a number of batches; training then stops at every batch to count
            them. Default `"epoch"`.
        initial_value_threshold: with `save_best_only`, the value to be bettered at first. By
            default the first is saved.

    Raises:
        ValueError: an unknown `save_freq`, or a `filepath` with another ending.
        KeyError: in training, where `filepath` contains a name that the logs lack.
        OSError: in training, where a file cannot be written; the message names it and the cause.

    >>> ModelCheckpoint("best.keras", save_best_only=True).needs_batches
    False
    >>> ModelCheckpoint("latest.weights.h5", save_weights_only=True, save_freq=100).needs_batches
    True
    """

    def __init__(
        self,
        filepath: str | os.PathLike,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ):
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        _check_save_freq("ModelCheckpoint", save_freq)
        endings = (".weights.h5",) if save_weights_only else (".keras", ".h5")
        if not self.filepath.endswith(endings):
            raise ValueError(
                f"ModelCheckpoint(filepath={self.filepath!r}, save_weights_only="
                f"{save_weights_only}): the filepath must end in {' or '.join(endings)}"
            )
        self._counter = _BatchCounter(0 if save_freq == "epoch" else int(save_freq))
        self._current_epoch = 0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._current_epoch = epoch

    @only_if(lambda self: self.save_freq != "epoch")
    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.save_freq != "epoch" and self._counter.due(batch):
            self._save(self._current_epoch, batch, logs or {})

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs or {})

    def _save(self, epoch: int, batch: int | None, logs: dict) -> None:
        path = self._path(epoch, batch, logs)
        wanted, best = self._wants(epoch, path, logs)
        if not wanted:
            return
        if self.save_weights_only:
            save = self.model.save_weights
        else:
            save = self.model.save
        replace_file(path, lambda temporary: save(temporary, overwrite=True), "ModelCheckpoint")
        self.best = best  # only now: a model that was not saved is not the best one saved
        self._say(epoch, f"finished saving model to {path}")

    def _wants(self, epoch: int, path: str, logs: dict) -> tuple[bool, float | None]:
        """Whether to save, and the value of the best model afterwards."""
        if not self.save_best_only:
            self._say(epoch, f"saving model to {path}")
            return True, self.best
        current = logs.get(self.monitor)
        if current is None:
            warn(f"Can save best model only with {self.monitor} available.")
            return True, self.best
        if np.ndim(current) > 0:
            warn(
                "Can save best model only when `monitor` is a scalar value. "
                f"Received: {current}. Falling back to `save_best_only=False`.",
            )
            return True, self.best
        best = "None" if self.best is None else f"{self.best:.5f}"
        if self.is_improvement(current, self.best):
            self._say(
                epoch,
                f"{self.monitor} improved from {best} to {current:.5f}, saving model to {path}",
            )
            return True, current
        self._say(epoch, f"{self.monitor} did not improve from {best}")
        return False, self.best

    def _say(self, epoch: int, what: str) -> None:
        if self.verbose:
            print_message(f"\nEpoch {epoch + 1}: {what}")

    def _path(self, epoch: int, batch: int | None, logs: dict) -> str:
        names = {"epoch": epoch + 1, **logs}
        if batch is not None:
            names.setdefault("batch", batch + 1)
        try:
            return self.filepath.format(**names)
        except KeyError as error:
            raise KeyError(
                f"Failed to format this callback filepath: {self.filepath!r}. {error} is not among "
                f"{', '.join(map(repr, names))}"
            ) from error


class BackupAndRestore(Callback):
    """Backs up the state of training, and takes it up again when `fit` is started anew.

    The weights, the optimizer's state and the epoch's number are written to a folder; a later `fit`
    with the same folder goes on from there. The folder is deleted when training has finished. The
    model must be built before `fit`.

    Args:
        backup_dir: the folder, used for nothing else.
        save_freq: `"epoch"`, or a number of batches; training then stops at every batch to count
            them, and a restart begins with the epoch that was interrupted. Default `"epoch"`.
        double_checkpoint: whether to keep the backup before the last one too, to fall back on it
            where the last cannot be read. Default False.
        delete_checkpoint: whether to delete the folder when training has finished. Default True.

    Raises:
        ValueError: an empty `backup_dir`, an unknown `save_freq`, or in training a model that is
            not built.

    >>> BackupAndRestore("backup").needs_batches
    False
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike,
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError(f"BackupAndRestore(backup_dir={backup_dir!r}): give a folder's path")
        if save_freq is not False:  # False: no backups while training, as in Keras
            _check_save_freq("BackupAndRestore", save_freq)
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._counter = _BatchCounter(0 if isinstance(save_freq, str) else int(save_freq))
        self._epoch = 0

    def _files(self, which: str) -> tuple[str, str]:
        """The paths of the weights and of the number of the epoch to go on with."""
        names = f"{which}.weights.h5", f"{which}.json"
        return os.path.join(self.backup_dir, names[0]), os.path.join(self.backup_dir, names[1])

    def on_train_begin(self, logs: dict | None = None) -> None:
        if not self.model.built:
            raise ValueError(
                "BackupAndRestore: the model must be built before fit() for its weights to be "
                "restored; call it on a batch of data, or give it an Input"
            )
        unreadable: Exception | None = None
        for which in ("latest", "previous"):
            if all(map(os.path.exists, self._files(which))):
                try:
                    return self._restore(*self._files(which))
                except (OSError, ValueError) as error:
                    unreadable = unreadable or error
        if unreadable is not None:
            raise unreadable
        return None

    def _restore(self, weights: str, state: str) -> None:
        with open(state, encoding="utf-8") as file:
            epoch = json.load(file)["epoch"]
        optimizer = self.model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.model.trainable_variables)  # so that its state can be loaded
        self.model.load_weights(weights)
        self.model._initial_epoch = epoch

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch + 1
        if self.save_freq == "epoch":
            self._save()

    @only_if(lambda self: not isinstance(self.save_freq, (str, bool)))
    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if not isinstance(self.save_freq, (str, bool)) and self._counter.due(batch):
            self._save()

    def _save(self) -> None:
        latest = self._files("latest")
        if self.double_checkpoint and all(map(os.path.exists, latest)):
            for path, kept in zip(latest, self._files("previous"), strict=True):
                os.replace(path, kept)
        weights, state = latest
        who = "BackupAndRestore"
        replace_file(weights, lambda path: self.model.save_weights(path, overwrite=True), who)

        def write_state(path: str) -> None:
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"epoch": self._epoch}, file)

        replace_file(state, write_state, who)

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.delete_checkpoint:
            shutil.rmtree(self.backup_dir, ignore_errors=True)
