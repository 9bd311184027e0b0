"""Lets Cornu's classes and methods understand what earlier years' Keras was told, while installed.

`import cornu` alone stays as strict as Keras 3.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import cornu
from cornu.core import hooks
from cornu.dialects import older_layers, older_names, older_training
from cornu.dialects.older_modules import older_module
from cornu.layers import Layer
from cornu.models import Model
from cornu.models.training import Trainer
from cornu.optimizers import Optimizer

# (owner, name, what was there): put back by `uninstall`
_replaced: list[tuple[Any, str, Any]] = []
_ABSENT = object()

# Names of Keras 1 and 2 that are private modules of Cornu's.
_OPTIMIZERS = {
    one.lower(): one for one in ("SGD", "RMSprop", "Adam", "Adagrad", "Adadelta", "Adamax", "Nadam")
}


def install() -> None:
    """From now on older arguments, methods and names are understood in this process."""
    if _replaced:
        return
    for cls in _below(Layer):
        if cls.__module__.split(".")[0] == "cornu" and "__init__" in vars(cls):
            _replace(cls, "__init__", older_layers.translated(vars(cls)["__init__"]))
    _replace(Model, "__new__", staticmethod(_new_model(Model.__new__)))
    for cls in _below(Optimizer):
        if "__init__" in vars(cls):
            change = older_training.optimizer_arguments
            _replace(cls, "__init__", _translated_class(vars(cls)["__init__"], change))
    _replace(
        Optimizer, "lr", property(older_training.learning_rate, older_training.set_learning_rate)
    )
    for cls in (
        cornu.callbacks.ReduceLROnPlateau,
        cornu.callbacks.TensorBoard,
        cornu.callbacks.ModelCheckpoint,
    ):
        change = older_training.callback_arguments
        _replace(cls, "__init__", _translated_class(vars(cls)["__init__"], change))
    _replace(
        Trainer,
        "compile",
        older_training.translated(Trainer.compile, older_training.compile_arguments),
    )
    for name in (
        *("fit", "evaluate", "predict"),
        *("train_on_batch", "test_on_batch", "predict_on_batch"),
    ):
        method = older_training.translated(vars(Trainer)[name], older_training.fit_arguments)
        _replace(Trainer, name, method)
    for method in (
        older_training.fit_generator,
        older_training.evaluate_generator,
        older_training.predict_generator,
        older_training.predict_classes,
        older_training.predict_proba,
    ):
        _replace(Model, method.__name__, method)
    for name, today in _OPTIMIZERS.items():
        _replace(cornu.optimizers, name, getattr(cornu.optimizers, today))
    for name in ("core", "normalization", "pooling", "preprocessing"):
        _replace(cornu.layers, name, older_module(f"layers.{name}"))
    _replace(cornu.utils, "to_categorical", _to_categorical(cornu.utils.to_categorical))
    hooks.missing_name = older_names.find


def uninstall() -> None:
    """Takes `install` back."""
    hooks.missing_name = None
    while _replaced:
        owner, name, before = _replaced.pop()
        if before is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _replace(owner: Any, name: str, value: Any) -> None:
    _replaced.append((owner, name, vars(owner).get(name, _ABSENT)))
    setattr(owner, name, value)


def _below(cls: type) -> Iterator[type]:
    """The classes derived from one, and from those."""
    one: type
    for one in cls.__subclasses__():
        yield one
        yield from _below(one)


def _translated_class(init: Callable, translate: Callable) -> Callable:
    """The `__init__` of a class, which then understands the arguments of earlier years."""

    @functools.wraps(init)
    def __init__(self, *args, **kwargs):
        args, kwargs = translate(type(self), args, kwargs)
        init(self, *args, **kwargs)

    return __init__


def _new_model(new: Callable) -> Callable:
    """`Model.__new__`, which tells by `inputs` and `outputs` what kind of model is meant."""

    @functools.wraps(new)
    def __new__(cls, *args, **kwargs):
        if cls is Model:
            renamed = {"input": "inputs", "output": "outputs"}
            kwargs = older_layers.rename("Model", kwargs, renamed)
        return new(cls, *args, **kwargs)

    return __new__


def _to_categorical(today: Callable) -> Callable:
    """`to_categorical(y, nb_classes)` of Keras 1, `to_categorical(y, num_classes, dtype)` of 2."""

    @functools.wraps(today)
    def to_categorical(*args, **kwargs):
        kwargs = older_layers.rename(
            "to_categorical", kwargs, {"y": "x", "nb_classes": "num_classes"}
        )
        dtype = kwargs.pop("dtype", None)
        if len(args) > 2:
            args, dtype = args[:2], args[2]
        rows = today(*args, **kwargs)
        return rows if dtype is None else rows.astype(dtype)

    return to_categorical
