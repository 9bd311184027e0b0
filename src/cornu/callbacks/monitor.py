"""Callbacks that watch a value and act on it: EarlyStopping, TerminateOnNaN, and their base."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cornu.callbacks.callback import Callback
from cornu.core.reporting import warn
from cornu.utils.progress import print_message


class MonitorCallback(Callback):
    """Base of the callbacks that ask whether a monitored value has improved.

    Args:
        monitor: name of the value in the epoch's logs. Default `"val_loss"`.
        mode: `"min"` (less is better), `"max"` or `"auto"`: a loss is minimized, a metric has a
            direction of its own. Default `"auto"`; anything else warns and means `"auto"`.
        baseline: the value to be bettered at first; by default the first one that is seen.
        min_delta: the least change that counts as an improvement; its sign is ignored. Default 0.

    >>> watch = MonitorCallback(monitor="loss", min_delta=0.1)
    >>> watch.is_improvement(0.45, 0.5), watch.is_improvement(0.35, 0.5)
    (False, True)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        mode: str = "auto",
        baseline: float | None = None,
        min_delta: float = 0,
    ):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warn(
                f"{type(self).__name__}(mode={mode!r}) is unknown, falling back to 'auto'; "
                "expected 'auto', 'min' or 'max'",
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self._direction: str | None = None

    @property
    def direction(self) -> str:
        """`"min"` or `"max"`; ValueError where `mode="auto"` cannot tell."""
        if self._direction is None:
            self._direction = self.mode if self.mode != "auto" else self._infer_direction()
        return self._direction

    def is_improvement(self, value: float, reference: float | None) -> bool:
        """Whether `value` is better than `reference` (None: nothing yet) by more than min_delta."""
        if reference is None:
            return True
        if self.direction == "max":
            return _less(reference, value - self.min_delta)
        return _less(value + self.min_delta, reference)

    def _infer_direction(self) -> str:
        name = self.monitor.removeprefix("val_")
        for metric in _metrics(self._model):
            # A network with several outputs puts the output's name before the metric's.
            known = getattr(metric, "name", None)
            direction = getattr(metric, "_direction", None)
            if direction is not None and known and (name == known or name.endswith(f"_{known}")):
                return "max" if direction == "up" else "min"
        if name == "loss" or name.endswith("_loss"):
            return "min"
        raise ValueError(
            f"{type(self).__name__}(monitor={self.monitor!r}): whether that is to be maximized or "
            "minimized cannot be told from its name. Pass mode='max' or mode='min'"
        )


def _less(left: float, right: float) -> bool:
    # In float32, the type the values were computed in: in float64, 0.4999 + 0.0001 < 0.5 would
    # count a change of exactly min_delta as an improvement or not, as rounding happens to fall.
    with np.errstate(over="ignore"):
        return bool(np.float32(left) < np.float32(right))


def _metrics(model: Any) -> list:
    """The model's metrics, those inside a container of metrics included."""
    found = []
    for metric in getattr(model, "metrics", None) or ():
        inner = getattr(metric, "metrics", None)
        found += list(inner) if isinstance(inner, (list, tuple)) else [metric]
    return found


class EarlyStopping(MonitorCallback):
    """Stops training when a monitored value has stopped improving.

    Args:
        monitor: name of the value in the epoch's logs. Default `"val_loss"`.
        min_delta: the least change that counts as an improvement. Default 0.
        patience: number of epochs without improvement after which training stops. Default 0.
        verbose: 1 says what it does. Default 0.
        mode: `"min"`, `"max"` or `"auto"`, as the value's name tells. Default `"auto"`.
        baseline: epochs count as improvement only when they are better than this too. By default
            there is none.
        restore_best_weights: whether the model ends with the weights of its best epoch, whatever
            the baseline, instead of those of the last. Default False.
        start_from_epoch: number of epochs before it begins to watch. Default 0.

    Attributes:
        stopped_epoch: index of the epoch at whose end training was stopped, or 0.
        best_epoch: index of the best epoch.

    Warns where the monitored value is not in the logs.

    >>> import types
    >>> model = types.SimpleNamespace(stop_training=False)
    >>> callback = EarlyStopping(monitor="loss", patience=2)
    >>> callback.set_model(model)
    >>> callback.on_train_begin()
    >>> for epoch, loss in enumerate([0.5, 0.4, 0.45, 0.41]):
    ...     callback.on_epoch_end(epoch, {"loss": loss})
    >>> model.stop_training, callback.best_epoch, callback.stopped_epoch
    (True, 1, 3)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._reset()

    def _reset(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights: list | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.is_improvement(current, self.best):
            self.best = current
            self._keep(epoch)
            if self.is_improvement(current, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def _keep(self, epoch: int) -> None:
        self.best_epoch = epoch
        if self.restore_best_weights:
            self.best_weights = self.model.get_weights()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print_message(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                epoch = self.best_epoch + 1
                print_message(f"Restoring model weights from the end of the best epoch: {epoch}.")
            self.model.set_weights(self.best_weights)

    def get_monitor_value(self, logs: dict | None) -> float | None:
        """The monitored value in the logs; None, with a warning, where it is not there."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warn_missing(self, logs, "Early stopping conditioned on metric")
        return value


def warn_missing(callback: MonitorCallback, logs: dict | None, what: str) -> None:
    """Warns that the logs lack the monitored value, and says what they have."""
    warn(
        f"{what} `{callback.monitor}` which is not available. "
        f"Available metrics are: {','.join(logs or ())}",
    )


class TerminateOnNaN(Callback):
    """Stops training when the loss becomes NaN or infinite.

    The loss in the logs is the mean over the epoch so far, in which one such batch stays visible
    until the epoch's end. So looking at the end of each stretch of batches that ran at once, a few
    times a second, misses none and does not slow training; the batch named is the stretch's last.

    Args:
        raise_error: raise an error, so that no other callback's `on_train_end` runs, instead of
            stopping as `model.stop_training = True` does. Default False.

    Raises:
        RuntimeError: during training, with `raise_error=True`.

    >>> import types
    >>> model = types.SimpleNamespace(stop_training=False)
    >>> callback = TerminateOnNaN()
    >>> callback.set_model(model)
    >>> callback.on_train_batch_end(7, {"loss": float("nan")})
    Batch 7: Invalid loss, terminating training
    >>> model.stop_training
    True
    """

    per_chunk = True

    def __init__(self, raise_error: bool = False):
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. "
                "Terminating training immediately."
            )
        print_message(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
