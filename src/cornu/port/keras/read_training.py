"""Reading how a compiled Cornu model is trained."""

from __future__ import annotations

from typing import Any

import numpy as np

from cornu import losses
from cornu.core import naming
from cornu.core.variable import Variable
from cornu.optimizers.schedules import LearningRateSchedule
from cornu.port.keras import torch_optimizers
from cornu.port.network import PortError
from cornu.port.training import Loss, Optimizer, Schedule, Training
from cornu.train.targets import per_output


def read_training(model: Any) -> Training | None:
    """Loss, optimizer and metrics of a model; None where it is not compiled.

    Raises:
        PortError: a loss of the user's own, or what else has no counterpart.
    """
    arguments = getattr(model, "_compile_arguments", None)
    if not arguments or getattr(model, "optimizer", None) is None:
        return None
    names = list(model.output_names or ["output"])
    given = arguments.get("loss")
    if given is None:
        return None
    if isinstance(given, (list, tuple)) and len(given) == 1 and len(names) == 1:
        given = given[0]
    each = per_output(given, names, "loss")
    weights = arguments.get("loss_weights")
    if weights is None:
        weights = [1.0] * len(names)
    elif isinstance(weights, dict):
        weights = [weights.get(name, 1.0) for name in names]
    shapes = [tensor.shape for tensor in getattr(model, "outputs", None) or []]
    shapes += [None] * (len(names) - len(shapes))
    return Training(
        losses=[
            None if one is None else _loss(one, float(weight), shape)
            for one, weight, shape in zip(each, weights, shapes, strict=True)
        ],
        optimizer=_optimizer(model.optimizer),
        metrics=_metrics(arguments.get("metrics")),
    )


# What Keras takes where a loss is given by its name, which says nothing of its settings.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "sparse_categorical_crossentropy": {"from_logits": False, "ignore_class": None, "axis": -1},
    "categorical_crossentropy": {"from_logits": False, "label_smoothing": 0.0, "axis": -1},
    "binary_crossentropy": {"from_logits": False, "label_smoothing": 0.0, "axis": -1},
    "huber": {"delta": 1.0},
}


def _loss(given: Any, weight: float, shape: tuple | None) -> Loss:
    found = losses.get(given)
    function = getattr(found, "fn", found)
    kind = getattr(function, "__name__", type(found).__name__)
    if getattr(losses, kind, None) is not function:
        known = naming.to_snake_case(type(found).__name__)
        own = type(found).__module__.split(".")[0] != "cornu"
        if own or getattr(losses, known, None) is None:
            raise PortError(
                f"the loss {kind!r} is a function of your own",
                None,
                "Port the network without it (compile it with a loss of cornu.losses)",
            )
        kind = known
    settings = {**_DEFAULTS.get(kind, {}), **getattr(found, "_fn_kwargs", {})}
    if settings.get("axis") is not None and shape is not None:
        settings["axis"] = settings["axis"] % len(shape)
    settings["reduction"] = getattr(found, "reduction", "sum_over_batch_size")
    return Loss(kind, settings, weight)


def _optimizer(given: Any) -> Optimizer:
    optimizer = getattr(given, "inner_optimizer", given)
    kind = type(optimizer).__name__
    formulas = {cls: name for name, cls in torch_optimizers.CLASSES.items()}
    if type(optimizer).__module__.split(".")[0] != "cornu" or kind == "OptaxOptimizer":
        raise PortError(f"the optimizer {kind} has no counterpart in other frameworks")
    settings = dict(optimizer.get_config())
    settings.pop("name", None)
    if type(optimizer) in formulas:
        kind, settings["formula"] = formulas[type(optimizer)], "torch"
    rate = getattr(optimizer, "_learning_rate", None)
    if isinstance(rate, LearningRateSchedule):
        config = dict(rate.get_config())
        config.pop("name", None)
        settings["learning_rate"] = Schedule(type(rate).__name__, config)
    elif isinstance(rate, Variable):
        # without the digits that float32 adds: 0.001, not 0.0010000000474974513
        settings["learning_rate"] = float(f"{float(rate.numpy()):.6g}")
    elif rate is not None:
        settings["learning_rate"] = float(np.asarray(rate))
    excluded = getattr(optimizer, "_undecayed_names", None)
    if excluded or getattr(optimizer, "_undecayed", None):
        settings["exclude_from_weight_decay"] = list(excluded or ())
    return Optimizer(kind, settings)


def _metrics(given: Any) -> list[str]:
    """Names of metrics; those that have none in other frameworks are left out."""
    if given is None:
        return []
    if isinstance(given, dict):
        given = list(given.values())
    found: list[str] = []
    for one in given if isinstance(given, (list, tuple)) else [given]:
        if isinstance(one, (list, tuple)):
            found += _metrics(one)
        else:
            name = one if isinstance(one, str) else getattr(one, "name", None)
            found.append(str(name or getattr(one, "__name__", type(one).__name__)))
    return ["accuracy" if name == "acc" else name for name in found]
