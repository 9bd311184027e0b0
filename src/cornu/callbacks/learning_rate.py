"""Callbacks that change the learning rate from epoch to epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.callbacks.callback import Callback
from cornu.callbacks.monitor import MonitorCallback, warn_missing
from cornu.core.reporting import warn
from cornu.utils.progress import print_message


def _optimizers(model: Any) -> list[tuple[str, Any]]:
    """The model's optimizers with the names to tell them apart: usually one, without a name."""
    several = getattr(model.optimizer, "optimizers", None)
    if several is None:
        return [("", model.optimizer)]
    return [(optimizer.name, optimizer) for optimizer in several]


def read_learning_rates(model: Any) -> dict[str, float]:
    """The learning rates by the name under which they are logged, `learning_rate`."""
    return {
        f"learning_rate_{name}" if name else "learning_rate": _learning_rate(optimizer)
        for name, optimizer in _optimizers(model)
    }


def _learning_rate(optimizer: Any) -> float:
    return float(np.asarray(optimizer.learning_rate))


class LearningRateScheduler(Callback):
    """Sets the learning rate at the beginning of every epoch; logs it as `learning_rate`.

    Args:
        schedule: function `(epoch, learning_rate) -> learning_rate`; `epoch` counts from 0, the
            learning rate given and returned is a float. The older form `(epoch)` works as well.
        verbose: 1 says what it sets. Default 0.

    Raises:
        ValueError: in training, where `schedule` returns something that is not a float, or the
            optimizer has no learning rate.

    >>> import types
    >>> model = types.SimpleNamespace(optimizer=types.SimpleNamespace(learning_rate=0.1))
    >>> callback = LearningRateScheduler(lambda epoch, rate: rate * 0.5, verbose=1)
    >>> callback.set_model(model)
    >>> callback.on_epoch_begin(0)
    <BLANKLINE>
    Epoch 1: LearningRateScheduler setting learning rate to 0.05.
    >>> model.optimizer.learning_rate
    0.05
    """

    def __init__(self, schedule: Callable, verbose: int = 0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        for name, optimizer in _optimizers(self.model):
            if not hasattr(optimizer, "learning_rate"):
                raise ValueError(
                    "LearningRateScheduler: the model's optimizer, "
                    f"{type(optimizer).__name__}, has no learning_rate to set"
                )
            rate = self._ask(epoch, _learning_rate(optimizer))
            optimizer.learning_rate = rate
            if self.verbose:
                whose = f"{name} " if name else ""
                print_message(
                    f"\nEpoch {epoch + 1}: LearningRateScheduler setting {whose}learning rate "
                    f"to {rate}."
                )

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if logs is not None:
            logs.update(read_learning_rates(self.model))

    def _ask(self, epoch: int, current: float) -> float:
        if _takes_two(self.schedule):
            rate = self.schedule(epoch, current)
        else:
            rate = self.schedule(epoch)
        if not isinstance(rate, (float, np.floating)):
            array = not isinstance(rate, (bool, int, str)) and hasattr(rate, "dtype")
            if not array or np.shape(rate) != () or not np.issubdtype(rate.dtype, np.floating):
                raise ValueError(
                    "LearningRateScheduler: the output of the `schedule` function should be a "
                    f"float. Got: {rate!r} for epoch {epoch}"
                )
        return float(rate)


def _takes_two(function: Callable) -> bool:
    """Whether a function can be called with two arguments; True where that cannot be known."""
    try:
        inspect.signature(function).bind(0, 0.0)
    except TypeError:
        return False
    except ValueError:  # written in C, without a signature
        return True
    return True


class ReduceLROnPlateau(MonitorCallback):
    """Reduces the learning rate when a monitored value has stopped improving; logs it.

    Args:
        monitor: name of the value in the epoch's logs. Default `"val_loss"`.
        factor: the learning rate is multiplied by it; less than 1. Default 0.1.
        patience: number of epochs without improvement before a reduction. Default 10.
        verbose: 1 says what it does. Default 0.
        mode: `"min"`, `"max"` or `"auto"`, as the value's name tells. Default `"auto"`.
        min_delta: the least change that counts as an improvement. Default 1e-4.
        cooldown: number of epochs after a reduction during which it does not count. Default 0.
        min_lr: the learning rate is never made less. Default 0.
        **kwargs: accepted as in Keras, ignored with a warning.

    Raises:
        ValueError: `factor` is 1 or more.

    Warns where the monitored value is not in the logs.

    >>> import types
    >>> model = types.SimpleNamespace(optimizer=types.SimpleNamespace(learning_rate=0.1))
    >>> callback = ReduceLROnPlateau(monitor="loss", factor=0.5, patience=2)
    >>> callback.set_model(model)
    >>> callback.on_train_begin()
    >>> for epoch, loss in enumerate([0.5, 0.5, 0.5]):
    ...     callback.on_epoch_end(epoch, {"loss": loss})
    >>> model.optimizer.learning_rate
    0.05
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ValueError(
                f"ReduceLROnPlateau(factor={factor}): a factor >= 1.0 would not reduce the "
                "learning rate; give one below 1"
            )
        if kwargs:
            warn(
                f"ReduceLROnPlateau: unknown arguments are ignored: {', '.join(kwargs)}",
            )
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self._reset()

    def _reset(self) -> None:
        self.best = None
        self.cooldown_counter = 0
        self.wait = 0

    def in_cooldown(self) -> bool:
        """Whether the last reduction is so recent that epochs do not count."""
        return self.cooldown_counter > 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = {} if logs is None else logs
        logs.update(read_learning_rates(self.model))
        current = logs.get(self.monitor)
        if current is None:
            warn_missing(self, logs, "Learning rate reduction is conditioned on metric")
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self.is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience and self._reduce(epoch):
                self.cooldown_counter = self.cooldown
                self.wait = 0

    def _reduce(self, epoch: int) -> bool:
        reduced = False
        for name, optimizer in _optimizers(self.model):
            old = _learning_rate(optimizer)
            # min_lr is rounded as the learning rate was when it was stored
            if old <= np.float32(self.min_lr):
                continue
            new = max(old * self.factor, self.min_lr)
            optimizer.learning_rate = new
            reduced = True
            if self.verbose:
                whose = f" {name}" if name else ""
                print_message(
                    f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing{whose} learning rate "
                    f"to {new}."
                )
        return reduced
