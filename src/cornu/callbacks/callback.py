"""Callback: what a user's code that runs along with training derives from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from cornu.core.serialization import did_you_mean

HOOKS = (
    "on_train_begin",
    "on_train_end",
    "on_epoch_begin",
    "on_epoch_end",
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_end",
    "on_test_batch_begin",
    "on_test_batch_end",
    "on_predict_begin",
    "on_predict_end",
    "on_predict_batch_begin",
    "on_predict_batch_end",
)
# Unless overridden, the hook on the left calls the one on the right.
_CALLS = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}
_Hook = TypeVar("_Hook", bound=Callable)


def only_if(condition: Callable[[Any], bool]) -> Callable[[_Hook], _Hook]:
    """Marks a built-in hook that has something to do only for some settings of its callback."""

    def mark(hook: _Hook) -> _Hook:
        hook.only_if = condition  # type: ignore[attr-defined]
        return hook

    return mark


class Callback:
    """Base class for code that runs at the stages of `fit`, `evaluate` and `predict`.

    Override the hooks you need. `logs` maps names to floats: the running means of the loss and the
    metrics, at the end of an epoch with those of validation under `val_...` names.

    Training runs many batches in one compiled program, so a callback costs nothing for hooks that
    it does not override. One that overrides a batch hook makes the program stop after every batch
    (after every `steps_per_execution`), which slows the training of small networks. Where it is
    enough to be called a few times a second, set `per_chunk = True` on the class: the
    `on_..._batch_end` hooks are then called at the end of each stretch of batches that ran at once,
    with the index of its last batch; the `on_..._batch_begin` hooks are not called.

    Attributes:
        params: dict with `verbose`, `epochs` and `steps`, or None before training.
        model: the model being trained, or None before.
        per_chunk: whether batch hooks are called per stretch of batches. Default False.

    >>> class Announce(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, logs["loss"])
    >>> Announce().on_epoch_end(0, {"loss": 0.5})
    0 0.5
    >>> Announce().needs_batches
    False
    """

    per_chunk: bool = False
    # On the class, so that a subclass that forgets super().__init__() works.
    params: dict | None = None
    _model: Any = None

    def __init__(self) -> None:
        self.params = None
        self._model = None

    def set_params(self, params: dict | None) -> None:
        """Receives `verbose`, `epochs` and `steps` before training begins."""
        self.params = params

    def set_model(self, model: Any) -> None:
        """Receives the model before training begins."""
        self._model = model

    @property
    def model(self) -> Any:
        """The model being trained."""
        return self._model

    @property
    def needs_batches(self) -> bool:
        """Whether training has to stop after every batch to call this callback."""
        return self._needs("train")

    @property
    def needs_test_batches(self) -> bool:
        """Whether evaluation has to stop after every batch to call this callback."""
        return self._needs("test")

    @property
    def needs_predict_batches(self) -> bool:
        """Whether prediction has to stop after every batch to call this callback."""
        return self._needs("predict")

    def _needs(self, stage: str) -> bool:
        return not self.per_chunk and any(
            self._has_work(f"on_{stage}_batch_{end}") for end in ("begin", "end")
        )

    def _has_work(self, name: str) -> bool:
        """Whether calling the hook of that name would do anything."""
        hook = getattr(self, name)
        function = getattr(hook, "__func__", hook)
        if function is getattr(Callback, name):
            return name in _CALLS and self._has_work(_CALLS[name])
        condition = getattr(function, "only_if", None)
        return condition is None or condition(self)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Called when `fit` begins."""

    def on_train_end(self, logs: dict | None = None) -> None:
        """Called when `fit` ends, with the logs of the last epoch."""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Called when an epoch of training begins; `epoch` counts from 0."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Called when an epoch and its validation are done, with their logs."""

    def on_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """The older name of `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """The older name of `on_train_batch_end`."""

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Called before a batch of training; `batch` counts from 0 within the epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Called after a batch of training, with the means over the epoch so far."""
        self.on_batch_end(batch, logs=logs)

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Called when `evaluate`, or the validation within `fit`, begins."""

    def on_test_end(self, logs: dict | None = None) -> None:
        """Called when `evaluate`, or the validation within `fit`, ends, with its logs."""

    def on_test_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Called before a batch of evaluation or validation."""

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Called after a batch of evaluation or validation, with the means so far."""

    def on_predict_begin(self, logs: dict | None = None) -> None:
        """Called when `predict` begins."""

    def on_predict_end(self, logs: dict | None = None) -> None:
        """Called when `predict` ends."""

    def on_predict_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """Called before a batch of prediction."""

    def on_predict_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Called after a batch of prediction; `logs` may hold its `outputs`."""


class LambdaCallback(Callback):
    """A callback made of functions.

    Args:
        on_epoch_begin: called with `(epoch, logs)`. Default None, as for the others.
        on_epoch_end: called with `(epoch, logs)`.
        on_train_begin: called with `(logs)`.
        on_train_end: called with `(logs)`.
        on_train_batch_begin: called with `(batch, logs=logs)`; training then stops at every batch.
        on_train_batch_end: called with `(batch, logs=logs)`; training then stops at every batch,
            unless `per_chunk=True` is given.
        **kwargs: any other hook of `Callback`, or attributes of the callback.

    Raises:
        ValueError: a name that begins with `on_` and is not a hook.

    >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs))
    >>> callback.on_epoch_end(3, {"loss": 0.25})
    3 {'loss': 0.25}
    """

    def __init__(
        self,
        on_epoch_begin: Callable | None = None,
        on_epoch_end: Callable | None = None,
        on_train_begin: Callable | None = None,
        on_train_end: Callable | None = None,
        on_train_batch_begin: Callable | None = None,
        on_train_batch_end: Callable | None = None,
        **kwargs: Any,
    ):
        super().__init__()
        for name in kwargs:
            if name.startswith("on_") and name not in HOOKS:
                raise ValueError(
                    f"LambdaCallback({name}=...): Callback has no such hook"
                    f"{did_you_mean(name, HOOKS)}"
                )
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
        }
        given.update(kwargs)
        for name, value in given.items():
            if value is not None:
                setattr(self, name, value)
