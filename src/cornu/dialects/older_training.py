"""Arguments and methods of training as Keras 1 and Keras 2 had them, in today's words."""

from __future__ import annotations

import functools
import inspect
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from cornu.dialects.older_layers import rename
from cornu.dialects.years import program_text, reads_log
from cornu.models import Model
from cornu.optimizers.schedules import InverseTimeDecay

# One thread reads ahead, whatever a program asks for.
_READING = {
    *("workers", "use_multiprocessing", "max_queue_size"),
    *("nb_worker", "pickle_safe", "max_q_size", "wait_time"),
}

# The names that logs had before Keras 2.3 and TensorFlow 2.0; since then they are those that were
# given to `compile` (release notes of Keras 2.3.0).
_OLDER_LOGS = {
    "accuracy": "acc",
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
}
_LOSSES = {"cosine_proximity": "cosine_similarity", "cosine": "cosine_similarity"}


# -- optimizers ----------------------------------------------------------------------------------


def optimizer_arguments(cls: type, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments of an optimizer: `lr`, `decay`, `epsilon=None` of Keras 1 and 2.

    Raises:
        ValueError: an argument that would change what is computed and cannot.
    """
    owner = cls.__name__
    kwargs = rename(owner, kwargs, {"lr": "learning_rate"})
    if kwargs.get("epsilon", 0) is None:  # Keras 2: the global one, which is every default's
        del kwargs["epsilon"]
    if kwargs.get("clipnorm", 0) in (0, 0.0):
        kwargs.pop("clipnorm", None)  # Keras 1 and 2: no clipping
    if kwargs.get("clipvalue", 0) in (0, 0.0):
        kwargs.pop("clipvalue", None)
    kwargs.pop("jit_compile", None)
    momentum_decay = kwargs.pop("schedule_decay", 0.004)  # Nadam's, by which momentum grows
    if momentum_decay != 0.004:
        raise ValueError(f"{owner}(schedule_decay={momentum_decay}): it is 0.004 and cannot be set")
    decay = kwargs.pop("decay", None)
    if decay:
        rate = args[0] if args else kwargs.pop("learning_rate", None)
        if rate is None:
            rate = inspect.signature(cls).parameters["learning_rate"].default
        if callable(rate):
            raise ValueError(
                f"{owner}(learning_rate={rate!r}, decay={decay}): a schedule gives the learning "
                "rate; leave decay out"
            )
        # Keras 2: lr / (1 + decay * iterations)
        kwargs["learning_rate"] = InverseTimeDecay(float(rate), 1, float(decay))
        args = args[1:]
        if args:
            raise TypeError(f"{owner}: give the arguments after the learning rate by name")
    return args, kwargs


def learning_rate(optimizer: Any) -> Any:
    """`optimizer.lr`, as the learning rate was called."""
    return optimizer.learning_rate


def set_learning_rate(optimizer: Any, value: Any) -> None:
    """`optimizer.lr = value`."""
    optimizer.learning_rate = value


# -- compile, fit, evaluate, predict -------------------------------------------------------------


def compile_arguments(model: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments of `compile`.

    In Keras 1 and 2 the third is the metrics; names of metrics become those that the program
    finds in the logs.

    Raises ValueError for an argument that cannot be honoured.
    """
    kwargs = dict(kwargs)
    names = ("optimizer", "loss", "metrics", "loss_weights")
    if len(args) > 2 and _are_metrics(args[2]):
        given = dict(zip(names, args[:4], strict=False))
        twice = [name for name in given if name in kwargs]
        if twice or len(args) > 4:
            raise TypeError("Model.compile: give the arguments after the metrics by name")
        args, kwargs = (), {**given, **kwargs}
    kwargs.pop("class_mode", None)  # Keras 0: what predict_classes was to return
    for name in ("target_tensors", "sample_weight_mode", "distribute"):
        value = kwargs.pop(name, None)
        if value is not None:
            raise ValueError(f"Model.compile({name}={value!r}): {name} is gone; leave it out")
    if isinstance(kwargs.get("loss"), str):
        kwargs["loss"] = _LOSSES.get(kwargs["loss"], kwargs["loss"])
    if kwargs.get("metrics") is not None:
        kwargs["metrics"] = _as_logged(kwargs["metrics"], program_text())
    return args, kwargs


def _are_metrics(value: Any) -> bool:
    leaves = jax.tree_util.tree_leaves(value)
    return bool(leaves) and any(isinstance(one, str) or callable(one) for one in leaves)


def _as_logged(metrics: Any, text: str) -> Any:
    """The metrics, named as the program's year named them in logs where it reads them so."""

    def named(metric: Any) -> Any:
        older = _OLDER_LOGS.get(metric) if isinstance(metric, str) else None
        if older and reads_log(text, older) and not reads_log(text, metric):
            return older
        return metric

    if isinstance(metrics, str):  # one, without a list around it
        return [named(metrics)]
    return jax.tree_util.tree_map(named, metrics)


def fit_arguments(model: Any, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments of `fit`, `evaluate`, `predict` and their like."""
    kwargs = rename("Model.fit", kwargs, {"nb_epoch": "epochs", "samples": "steps"})
    kwargs = {key: value for key, value in kwargs.items() if key not in _READING}
    if kwargs.pop("reset_metrics", True) is False:
        raise ValueError(
            "reset_metrics=False: the metrics are those of the batch; keep a Mean to add them up"
        )
    if kwargs.pop("show_accuracy", False) and not model._compile_arguments.get("metrics"):
        # Keras 0: asked for in fit, not in compile
        model.compile(**{**model._compile_arguments, "metrics": ["acc"]})
    return args, kwargs


class _Signature(inspect.Signature):
    """A signature that binds the older arguments too, under today's names."""

    translate: Callable[[Any, tuple, dict], tuple[tuple, dict]]

    def bind(self, /, *args: Any, **kwargs: Any) -> inspect.BoundArguments:
        rest, kwargs = self.translate(args[0], args[1:], kwargs)
        return super().bind(args[0], *rest, **kwargs)


def translated(method: Callable, translate: Callable) -> Callable:
    """A method that understands the arguments of earlier years."""

    @functools.wraps(method)
    def call(self, *args, **kwargs):
        args, kwargs = translate(self, args, kwargs)
        return method(self, *args, **kwargs)

    today = inspect.signature(method)
    signature = _Signature(list(today.parameters.values()))
    signature.translate = translate
    call.__signature__ = signature  # type: ignore[attr-defined]
    return call


# -- methods that are gone -----------------------------------------------------------------------


def fit_generator(self: Model, generator: Any, *args: Any, **kwargs: Any) -> Any:
    """Keras 1 and 2: `fit` for data that yields batches.

    Keras 1 counted an epoch in rows (`samples_per_epoch`), Keras 2 in batches (`steps_per_epoch`).
    """
    keras_1 = {"samples_per_epoch", "nb_epoch", "nb_val_samples", "nb_worker", "max_q_size"}
    of_keras_1 = not keras_1.isdisjoint(kwargs)
    names = ("samples_per_epoch" if of_keras_1 else "steps_per_epoch", "epochs", "verbose")
    given = dict(zip((*names, "callbacks", "validation_data"), args, strict=False))
    kwargs = {**given, **rename("Model.fit_generator", kwargs, {"nb_epoch": "epochs"})}
    if len(args) > len(given):
        raise TypeError("Model.fit_generator: give the arguments after validation_data by name")
    samples = kwargs.pop("samples_per_epoch", None)
    if samples is not None:
        generator, kwargs["steps_per_epoch"] = _counted(generator, samples)
    samples = kwargs.pop("nb_val_samples", None)
    if samples is not None and kwargs.get("validation_data") is not None:
        data = kwargs["validation_data"]
        if not isinstance(data, (tuple, list)):
            kwargs["validation_data"], kwargs["validation_steps"] = _counted(data, samples)
    steps = kwargs.get("steps_per_epoch")
    if steps is not None:
        kwargs["steps_per_epoch"] = steps = int(steps)
        if hasattr(generator, "__len__") and steps > len(generator):
            generator = _round_and_round(generator)
    return self.fit(generator, **kwargs)


def _round_and_round(batches: Any) -> Iterator:
    """The batches of a sequence without an end, as these methods took them."""
    while True:
        yield from (batches[index] for index in range(len(batches)))
        if hasattr(batches, "on_epoch_end"):
            batches.on_epoch_end()


def evaluate_generator(self: Model, generator: Any, steps: Any = None, **kwargs: Any) -> Any:
    """Keras 1 and 2: `evaluate` for data that yields batches."""
    generator, kwargs = _steps(generator, steps, kwargs)
    return self.evaluate(generator, **kwargs)


def predict_generator(self: Model, generator: Any, steps: Any = None, **kwargs: Any) -> Any:
    """Keras 1 and 2: `predict` for data that yields batches."""
    generator, kwargs = _steps(generator, steps, kwargs)
    return self.predict(generator, **kwargs)


def _steps(generator: Any, steps: Any, kwargs: dict) -> tuple[Any, dict]:
    kwargs = {"verbose": 0, **kwargs}  # as they had it
    samples = kwargs.pop("val_samples", None)
    if samples is not None:
        generator, steps = _counted(generator, samples)
    if steps is not None and not hasattr(generator, "__len__"):
        kwargs["steps"] = int(steps)
    elif steps is not None:
        kwargs["steps"] = min(int(steps), len(generator))
    return generator, kwargs


def _counted(generator: Any, samples: float) -> tuple[Any, int]:
    """The generator, and the number of its batches that hold so many rows."""
    size = getattr(generator, "batch_size", None)
    if size is None:
        first = generator[0] if hasattr(generator, "__getitem__") else next(generator)
        size = len(jax.tree_util.tree_leaves(first)[0])
        if not hasattr(generator, "__getitem__"):
            generator = itertools.chain([first], generator)
    return generator, max(1, math.ceil(samples / size))


def predict_classes(self: Model, x: Any, *args: Any, **kwargs: Any) -> np.ndarray:
    """Keras 1 and 2: the class of each row.

    Of several outputs, the largest one's number, (rows,); of one output, 1 where it is above 0.5,
    (rows, 1), as both had it.
    """
    outputs = self.predict(x, *args, **kwargs)
    if outputs.shape[-1] > 1:
        return outputs.argmax(axis=-1)
    return (outputs > 0.5).astype("int32")


def predict_proba(self: Model, x: Any, *args: Any, **kwargs: Any) -> np.ndarray:
    """Keras 1 and 2: `predict`, by another name."""
    return self.predict(x, *args, **kwargs)


# -- callbacks -----------------------------------------------------------------------------------

_TENSORBOARD = {
    *("write_grads", "batch_size", "embeddings_layer_names", "embeddings_data"),
}


def callback_arguments(cls: type, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
    """The arguments of callbacks.

    Raises ValueError for one that cannot be honoured.
    """
    owner = cls.__name__
    if owner == "ReduceLROnPlateau":
        kwargs = rename(owner, kwargs, {"epsilon": "min_delta"})
    if owner == "TensorBoard":
        kwargs = {key: value for key, value in kwargs.items() if key not in _TENSORBOARD}
    if owner == "ModelCheckpoint" and kwargs.get("period") is not None:
        kwargs = dict(kwargs)
        if (period := kwargs.pop("period")) != 1:
            raise ValueError(
                f"ModelCheckpoint(period={period}): epochs cannot be skipped any more; give "
                f"save_freq, the number of batches in {period} epochs"
            )
    return args, kwargs
