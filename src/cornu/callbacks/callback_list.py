"""CallbackList: what the training loop calls, and what calls each callback that listens."""

from __future__ import annotations

import contextlib
from typing import Any

from cornu.callbacks.callback import HOOKS, Callback
from cornu.callbacks.loggers import History, ProgbarLogger


class CallbackList(Callback):
    """Several callbacks, called together and in their order.

    A stage calls only the callbacks that override its hook, so a hook that nobody overrides costs
    next to nothing. `logs` reach the callbacks as one new dict of Python floats, ordered by name;
    what a callback adds to it (such as `learning_rate`) the later ones see.

    A loop that runs several batches at once asks `needs_batches` (`needs_test_batches`,
    `needs_predict_batches`). Where it is True, `on_train_batch_begin` and `on_train_batch_end` are
    called around every batch; otherwise `on_train_chunk_end` is called after each stretch of
    batches, for the callbacks that set `per_chunk`.

    Args:
        callbacks: a callback, or a list of them, which may be nested. Default None.
        add_history: whether a `History` is added where there is none. Default False.
        add_progbar: whether a `ProgbarLogger` is added where there is none. Default False.
        model: the model that they work on. Default None.
        **params: given to each callback's `set_params`: `epochs`, `steps`, `verbose`.

    Raises:
        TypeError: something that is not a callback, such as a class instead of an object.

    >>> callbacks = CallbackList([Callback()], add_history=True)
    >>> len(callbacks.callbacks), callbacks.needs_batches
    (2, False)
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ):
        super().__init__()
        self.callbacks = _flatten(callbacks)
        self._history = self._find(History)
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        if add_progbar and self._find(ProgbarLogger) is None:
            self.callbacks.append(ProgbarLogger())
        self._in_training = False
        self.set_model(model)
        self.set_params(params)
        self._find_hooks()

    def _find(self, kind: type) -> Any:
        found = [callback for callback in self.callbacks if isinstance(callback, kind)]
        return found[-1] if found else None

    def append(self, callback: Callback) -> None:
        """Adds a callback behind the others."""
        for each in _flatten(callback):
            each.set_model(self._model)
            if self.params:
                each.set_params(self.params)
            self.callbacks.append(each)
        self._find_hooks()

    def set_params(self, params: dict | None) -> None:
        """Gives `verbose`, `epochs` and `steps` to every callback."""
        self.params = params
        if params:
            for callback in self.callbacks:
                callback.set_params(params)

    def set_model(self, model: Any) -> None:
        """Gives the model to every callback."""
        # Not the model's truth value: a container-like model may be empty and so false.
        if model is None:
            return
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def _find_hooks(self) -> None:
        """Looks up once who listens to what, so that calling a hook is one look and a loop."""
        self._hooks = {
            name: tuple(
                getattr(callback, name) for callback in self.callbacks if _has_work(callback, name)
            )
            for name in HOOKS
        }
        for stage in ("train", "test", "predict"):
            name = f"on_{stage}_batch_end"
            self._hooks[f"on_{stage}_chunk_end"] = tuple(
                getattr(callback, name)
                for callback in self.callbacks
                if getattr(callback, "per_chunk", False) and _has_work(callback, name)
            )
        self._needing = {
            name: any(getattr(callback, name, True) for callback in self.callbacks)
            for name in ("needs_batches", "needs_test_batches", "needs_predict_batches")
        }

    @property
    def needs_batches(self) -> bool:
        """Whether any callback needs training to stop after every batch."""
        return self._needing["needs_batches"]

    @property
    def needs_test_batches(self) -> bool:
        """Whether any callback needs evaluation to stop after every batch."""
        return self._needing["needs_test_batches"]

    @property
    def needs_predict_batches(self) -> bool:
        """Whether any callback needs prediction to stop after every batch."""
        return self._needing["needs_predict_batches"]

    def watches_chunks(self, stage: str) -> bool:
        """Whether any callback follows `stage` - "train", "test" or "predict" - as it goes on."""
        return bool(self._hooks[f"on_{stage}_chunk_end"])

    def waiting(self, stage: str, what: str) -> contextlib.AbstractContextManager:
        """A block of `stage` in which the progress bar, if there is one, says what it waits for."""
        bar = self._find(ProgbarLogger)
        return contextlib.nullcontext() if bar is None else bar.waiting(stage, what)

    def _stage(self, name: str, logs: dict | None) -> None:
        hooks = self._hooks[name]
        if hooks:
            logs = python_logs(logs)
            for hook in hooks:
                hook(logs)

    def _epoch(self, name: str, epoch: int, logs: dict | None) -> None:
        hooks = self._hooks[name]
        if hooks:
            logs = python_logs(logs)
            for hook in hooks:
                hook(epoch, logs)

    def _batch(self, name: str, batch: int, logs: dict | None) -> None:
        hooks = self._hooks[name]
        if hooks:
            logs = python_logs(logs)
            for hook in hooks:
                # by keyword, as in Keras: a function given to LambdaCallback may rely on it
                hook(batch, logs=logs)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """`fit` begins."""
        self._in_training = True
        self._find_hooks()
        self._stage("on_train_begin", logs)

    def on_train_end(self, logs: dict | None = None) -> None:
        """`fit` ends; `logs` are those of the last epoch."""
        self._stage("on_train_end", logs)
        self._in_training = False

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """An epoch begins."""
        self._epoch("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """An epoch and its validation are done."""
        self._epoch("on_epoch_end", epoch, logs)

    def on_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """The older name of `on_train_batch_begin`."""
        self._batch("on_batch_begin", batch, logs)

    def on_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """The older name of `on_train_batch_end`."""
        self._batch("on_batch_end", batch, logs)

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """A batch of training begins."""
        self._batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """A batch of training is done."""
        self._batch("on_train_batch_end", batch, logs)

    def on_train_chunk_end(self, last_batch: int, logs: dict | None = None) -> None:
        """The batches up to `last_batch`, run at once, are done; for `per_chunk` callbacks."""
        self._batch("on_train_chunk_end", last_batch, logs)

    def on_test_begin(self, logs: dict | None = None) -> None:
        """`evaluate`, or the validation within `fit`, begins."""
        if not self._in_training:
            self._find_hooks()
        self._stage("on_test_begin", logs)

    def on_test_end(self, logs: dict | None = None) -> None:
        """`evaluate`, or the validation within `fit`, ends."""
        self._stage("on_test_end", logs)

    def on_test_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """A batch of evaluation begins."""
        self._batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """A batch of evaluation is done."""
        self._batch("on_test_batch_end", batch, logs)

    def on_test_chunk_end(self, last_batch: int, logs: dict | None = None) -> None:
        """The batches up to `last_batch`, run at once, are done; for `per_chunk` callbacks."""
        self._batch("on_test_chunk_end", last_batch, logs)

    def on_predict_begin(self, logs: dict | None = None) -> None:
        """`predict` begins."""
        if not self._in_training:
            self._find_hooks()
        self._stage("on_predict_begin", logs)

    def on_predict_end(self, logs: dict | None = None) -> None:
        """`predict` ends."""
        self._stage("on_predict_end", logs)

    def on_predict_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        """A batch of prediction begins."""
        self._batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """A batch of prediction is done."""
        self._batch("on_predict_batch_end", batch, logs)

    def on_predict_chunk_end(self, last_batch: int, logs: dict | None = None) -> None:
        """The batches up to `last_batch`, run at once, are done; for `per_chunk` callbacks."""
        self._batch("on_predict_chunk_end", last_batch, logs)


def python_logs(logs: dict | None) -> dict:
    """A new dict of Python floats, ordered by name; nested dicts are flattened.

    What cannot be a float (a batch's outputs) stays as it is.

    >>> import numpy as np
    >>> python_logs({"loss": np.float32(0.5), "accuracy": 1})
    {'accuracy': 1.0, 'loss': 0.5}
    """
    if not logs:
        return {}
    result = {}
    for name in sorted(logs):
        value = logs[name]
        if type(value) is float:
            result[name] = value
        elif isinstance(value, dict):
            result.update(python_logs(value))
        elif getattr(value, "ndim", 0) > 0:
            result[name] = value
        else:
            try:
                result[name] = float(value)
            except (TypeError, ValueError):
                result[name] = value
    return result


def _has_work(callback: Any, name: str) -> bool:
    if isinstance(callback, Callback):
        return callback._has_work(name)
    return hasattr(callback, name)  # an object that only looks like a callback


def _flatten(callbacks: Any) -> list:
    if callbacks is None:
        return []
    if isinstance(callbacks, (list, tuple)):
        return [each for item in callbacks for each in _flatten(item)]
    if isinstance(callbacks, type):
        raise TypeError(
            f"callbacks: received the class {callbacks.__name__}; give an object made from it, "
            f"{callbacks.__name__}(...)"
        )
    if not hasattr(callbacks, "set_model") or not hasattr(callbacks, "set_params"):
        raise TypeError(
            f"callbacks: received {callbacks!r}, a {type(callbacks).__name__}; expected objects of "
            "a class derived from cornu.callbacks.Callback"
        )
    return [callbacks]
