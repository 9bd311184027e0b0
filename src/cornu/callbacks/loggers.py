"""Callbacks that write down how training goes: in memory, as CSV, on the terminal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

import numpy as np

from cornu.callbacks.callback import Callback
from cornu.utils.progress import Progbar, print_message


class History(Callback):
    """Records the logs of every epoch; `fit` adds one and returns it.

    Attributes:
        epoch: list of the epochs' indices, from 0.
        history: dict from a name (`loss`, `val_loss`, ...) to the list of its values, floats, one
            per epoch in which it was known.

    >>> history = History()
    >>> history.on_train_begin()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.on_epoch_end(1, {"loss": 0.25})
    >>> history.epoch, history.history
    ([0, 1], {'loss': [0.5, 0.25]})
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.epoch = []
        if self._model is not None:
            self._model.history = self

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch.append(epoch)
        history = self.history
        for name, value in (logs or {}).items():
            if name in history:
                history[name].append(value)
            else:
                history[name] = [value]

    def plot(self, metrics: Sequence[str] | str | None = None, **options: Any) -> Any:
        """Draws loss and metrics against the epoch, those of validation dashed.

        Args:
            metrics: names to draw, without `val_`. Default None: all but the learning rate.
            **options: `band`, `log_scale`, `title`, `figsize` and `ax`, as for
                `cornu.plot.history`.

        Returns:
            The matplotlib `Figure`; it shows itself in a notebook, and `savefig` saves it.

        Raises:
            ValueError: there is no such metric, or nothing was recorded.

        >>> history = History()
        >>> history.on_train_begin()
        >>> history.on_epoch_end(0, {"loss": 0.5})
        >>> [axes.get_title() for axes in history.plot().axes]
        ['loss']
        """
        from cornu import plot

        return plot.history(self, metrics, **options)


class CSVLogger(Callback):
    """Writes the logs of every epoch as a row of a CSV file.

    The columns are `epoch` and the names of the first epoch's logs in their order; where that epoch
    had no validation, a `val_` column is kept free for each. A value that is missing later is `NA`.

    Args:
        filename: the file, a string or path; its folder must exist.
        separator: between two values. Default `","`.
        append: whether an existing file is continued instead of written anew. Default False.

    Raises:
        OSError: the file cannot be written; the message names it and the cause.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "log.csv")
    >>> logger = CSVLogger(path)
    >>> logger.on_train_begin()
    >>> logger.on_epoch_end(0, {"loss": 0.5, "val_loss": 0.75})
    >>> logger.on_train_end()
    >>> with open(path) as file:
    ...     print(file.read().strip())
    epoch,loss,val_loss
    0,0.5,0.75
    """

    def __init__(self, filename: str | os.PathLike, separator: str = ",", append: bool = False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.append_header = True
        self.keys: list[str] | None = None
        self.csv_file: TextIO | None = None
        self.writer: Any = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._close()
        continues = self.append and os.path.exists(self.filename)
        self.append_header = not (continues and os.path.getsize(self.filename) > 0)
        self.keys = self.writer = None
        try:
            # newline="": the csv module writes its own line ends
            self.csv_file = open(  # noqa: SIM115
                self.filename, "a" if self.append else "w", newline="", encoding="utf-8"
            )
        except OSError as error:
            raise self._explain(error) from error

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = logs or {}
        if self.csv_file is None:
            raise ValueError("CSVLogger: on_epoch_end was called before on_train_begin")
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(name.startswith("val_") for name in self.keys):
                self.keys += [f"val_{name}" for name in self.keys]
        try:
            if self.writer is None:
                import csv

                self.writer = csv.writer(self.csv_file, delimiter=self.sep)
                if self.append_header:
                    self.writer.writerow(["epoch", *self.keys])
            row = (_cell(logs.get(name, "NA")) for name in self.keys)
            self.writer.writerow([epoch, *row])
            self.csv_file.flush()
        except OSError as error:
            raise self._explain(error) from error

    def on_train_end(self, logs: dict | None = None) -> None:
        self._close()
        self.writer = None

    def _close(self) -> None:
        if self.csv_file is not None:
            self.csv_file.close()
            self.csv_file = None

    def _explain(self, error: OSError) -> OSError:
        cause = error.strerror or str(error)
        return OSError(error.errno, f"CSVLogger cannot write {self.filename!r}: {cause}")


def _cell(value: Any) -> Any:
    """A value as it is written: a number or string as it is, several as `"[1, 2]"`."""
    several = isinstance(value, Iterable) and not isinstance(value, str)
    if several and not (isinstance(value, np.ndarray) and value.ndim == 0):
        return f'"[{", ".join(map(str, value))}]"'
    return value


class ProgbarLogger(Callback):
    """Draws the progress of `fit`, `evaluate` and `predict`; they add one unless `verbose=0`.

    With `verbose=1` it draws a bar (see `cornu.utils.Progbar`), with `verbose=2` it writes a line
    per epoch. The validation within `fit` is silent. Training is not slowed: the bar moves at the
    end of each stretch of batches that ran at once.

    >>> logger = ProgbarLogger()
    >>> logger.set_params({"verbose": 2, "epochs": 2, "steps": 10})
    >>> logger.on_epoch_begin(0)
    Epoch 1/2
    >>> logger.on_epoch_end(0, {"loss": 0.5})
    10/10 - 0s - ...s/step - loss: 0.5000
    """

    per_chunk = True

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._in_fit = False

    def set_params(self, params: dict | None) -> None:
        super().set_params(params)
        params = params or {}
        verbose = params.get("verbose", 1)
        try:
            self.verbose = 1 if verbose == "auto" else int(verbose)
        except (TypeError, ValueError):
            raise ValueError(f"verbose={verbose!r}: expected 0, 1, 2 or 'auto'") from None
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._in_fit = True

    def on_train_end(self, logs: dict | None = None) -> None:
        self._in_fit = False

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._start()
        if self.verbose and self.epochs > 1:
            print_message(f"Epoch {epoch + 1}/{self.epochs}")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._finish(logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._move(batch, logs)

    def on_test_begin(self, logs: dict | None = None) -> None:
        if not self._in_fit:
            self._start()

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if not self._in_fit:
            self._move(batch, logs)

    def on_test_end(self, logs: dict | None = None) -> None:
        if not self._in_fit:
            self._finish(logs)

    def on_predict_begin(self, logs: dict | None = None) -> None:
        self._start()

    def on_predict_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._move(batch, None)  # not the outputs that the logs hold

    def on_predict_end(self, logs: dict | None = None) -> None:
        self._finish(None)

    def waiting(self, stage: str, what: str) -> contextlib.AbstractContextManager:
        """A block in which a bar that is being drawn says what it waits for."""
        silent = self.progbar is None or (self._in_fit and stage != "train")
        if silent:
            return contextlib.nullcontext()
        assert self.progbar is not None
        return self.progbar.waiting(what)

    def _start(self) -> None:
        self.seen = 0
        # An empty list of values to average: the logs are running means already.
        self.progbar = Progbar(self.target, verbose=self.verbose, stateless_metrics=())

    def _move(self, batch: int, logs: dict | None) -> None:
        if self.progbar is None:
            self._start()
        assert self.progbar is not None
        self.seen = batch + 1
        self.progbar.update(self.seen, (logs or {}).items(), finalize=False)

    def _finish(self, logs: dict | None) -> None:
        if self.progbar is None:
            self._start()
        assert self.progbar is not None
        if self.target is None:  # now it is known, for the epochs to come
            self.target = self.progbar.target = self.seen
        # Fewer steps than planned where training was stopped within the epoch.
        done = self.seen or self.target
        self.progbar.update(done, (logs or {}).items(), finalize=True)
