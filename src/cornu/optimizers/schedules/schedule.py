"""The base of all learning rate schedules, and their configurations."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import serialization
from cornu.core.serialization import Serializable
from cornu.core.variable import Variable
from cornu.optimizers.values import scalar, scalar_type


class LearningRateSchedule(Serializable):
    """A learning rate as a function of the training step; given to any optimizer.

    Derive from it and write `__call__`; write `get_config` too if the schedule is to be saved.

    >>> class Halving(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5 ** (step // 100)
    >>> float(Halving()(250))
    0.025
    """

    public_module = "optimizers.schedules"

    def __call__(self, step: Any) -> Any:
        """The learning rate (scalar) at `step`, the number of batches trained so far (scalar).

        Raises NotImplementedError unless a subclass defines it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define __call__(self, step), which returns the learning "
            "rate at that step"
        )

    def get_config(self) -> dict:
        """The arguments that make an equal schedule.

        Raises NotImplementedError unless a subclass defines it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define get_config() to be written to a configuration"
        )


def float_step(step: Any) -> tuple[ModuleType, Any]:
    """The step as a float, and the module to compute with.

    Inside a compiled program that is `jax.numpy`. Outside of one, as when a callback logs the
    learning rate, NumPy gives the same value and has nothing to compile.

    >>> module, step = float_step(3)
    >>> module.__name__, float(step)
    ('numpy', 3.0)
    """
    module, step = given_step(step)
    return module, step.astype(scalar_type())


def given_step(step: Any) -> tuple[ModuleType, Any]:
    """The step in the type it came in, and the module to compute with, as `float_step`.

    >>> given_step(np.int32(3))[1].dtype.name
    'int32'
    """
    if isinstance(step, Variable):
        step = step.value
    if isinstance(step, jax.core.Tracer):
        return jnp, step
    return np, np.asarray(step)[()]


def whole_periods(step: Any, period: float) -> Any:
    """How many times the period has passed at `step`, rounded down, as a float.

    A compiled program may multiply by `1 / period` where the source divides, and so miss the step
    at which a period ends by one; integers are divided exactly.

    >>> float(whole_periods(21, 7))
    3.0
    """
    module, step = given_step(step)
    if module.issubdtype(step.dtype, np.integer) and float(period).is_integer():
        return (step // step.dtype.type(period)).astype(scalar_type())
    return module.floor(step.astype(scalar_type()) / scalar(period))


def positive(owner: Any, name: str, value: Any) -> Any:
    """The value; ValueError where it is not above zero.

    >>> positive("owner", "decay_steps", 10)
    10
    """
    if value <= 0:
        raise ValueError(f"{type(owner).__name__}({name}={value!r}): {name} must be positive")
    return value


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict:
    """The configuration of a schedule, as Keras writes it.

    >>> from cornu.optimizers.schedules import ExponentialDecay
    >>> serialize(ExponentialDecay(0.1, decay_steps=100, decay_rate=0.9))["class_name"]
    'ExponentialDecay'
    """
    return serialization.serialize(learning_rate_schedule)


def deserialize(config: dict, custom_objects: dict | None = None) -> LearningRateSchedule:
    """The schedule that a configuration describes.

    Args:
        config: `{"class_name": ..., "config": {...}}`.
        custom_objects: names of the user's classes to the classes. None by default.

    Raises:
        ValueError: the class is not known, or is not a schedule.

    >>> config = {"initial_learning_rate": 0.1, "decay_steps": 10}
    >>> float(deserialize({"class_name": "PolynomialDecay", "config": config})(0)).__round__(6)
    0.1
    """
    schedule = serialization.deserialize(config, custom_objects=custom_objects)
    if not isinstance(schedule, LearningRateSchedule) and not callable(schedule):
        raise ValueError(
            f"{config!r} does not describe a learning rate schedule: expected a dict with "
            "'class_name' and 'config'"
        )
    return schedule
