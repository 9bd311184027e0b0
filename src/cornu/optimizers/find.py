"""From a name, a configuration or an Optax transformation to the optimizer meant."""

from __future__ import annotations

from typing import Any

from cornu.core import lookup, serialization
from cornu.optimizers.adafactor import Adafactor
from cornu.optimizers.adagrad import Adadelta, Adagrad, RMSprop
from cornu.optimizers.adam import Adam, Adamax, AdamW
from cornu.optimizers.ftrl import Ftrl
from cornu.optimizers.lamb import Lamb
from cornu.optimizers.loss_scale import LossScaleOptimizer
from cornu.optimizers.multi import MultiOptimizer
from cornu.optimizers.muon import Muon
from cornu.optimizers.nadam import Nadam
from cornu.optimizers.optax_optimizer import OptaxOptimizer, is_optax
from cornu.optimizers.optimizer import Optimizer
from cornu.optimizers.schedule_free import ScheduleFreeAdamW
from cornu.optimizers.sgd import SGD, Lion

_BY_NAME = {
    cls.__name__.lower(): cls
    for cls in (
        *(SGD, RMSprop, Adam, AdamW, Adamax, Nadam, Adadelta, Adagrad, Adafactor, Ftrl, Lion),
        *(Lamb, Muon, ScheduleFreeAdamW),
    )
}
_BY_CLASS_NAME = {
    **_BY_NAME,
    **{cls.__name__.lower(): cls for cls in (LossScaleOptimizer, MultiOptimizer)},
}


def get(identifier: Any) -> Optimizer | None:
    """The optimizer meant.

    Args:
        identifier: a name ("adam", in any case; made with its defaults), a configuration, an
            optimizer (returned as it is), a class, an Optax gradient transformation, or None.

    Raises:
        ValueError: something that is none of these, or an unknown name; the message gives the
            nearest known one.

    >>> type(get("adam")).__name__
    'Adam'
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if is_optax(identifier):
        return OptaxOptimizer(identifier)
    if isinstance(identifier, str) or (
        isinstance(identifier, type) and issubclass(identifier, Optimizer)
    ):
        found = lookup.resolve(identifier, "optimizer", _BY_NAME, Optimizer)
        if isinstance(found, Optimizer):
            return found
    raise ValueError(
        f"Could not interpret optimizer identifier: {identifier!r}. Expected a name such as "
        "'adam', an optimizer of cornu.optimizers, a configuration or an Optax transformation"
    )


def serialize(optimizer: Optimizer) -> dict:
    """The configuration of an optimizer, as Keras writes it.

    >>> serialize(SGD(name="sgd"))["class_name"]
    'SGD'
    """
    return serialization.serialize(optimizer)


def deserialize(config: dict, custom_objects: dict | None = None) -> Optimizer:
    """The optimizer that a configuration describes.

    Args:
        config: `{"class_name": ..., "config": {...}}`; the class name in any case.
        custom_objects: names of the user's classes to the classes. None by default.

    Raises:
        ValueError: the class is not known, or is not an optimizer.

    >>> deserialize({"class_name": "sgd", "config": {"momentum": 0.5}}).momentum
    0.5
    """
    cls = _BY_CLASS_NAME.get(str(config.get("class_name", "")).lower())
    if cls is not None:
        config = {**config, "class_name": cls.__name__}
    optimizer = serialization.deserialize(config, custom_objects=custom_objects)
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"Could not interpret optimizer identifier: {config!r}")
    return optimizer
