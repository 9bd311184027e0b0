"""Arguments and values of optimizers, checked and converted."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtypes import floatx
from cornu.core.variable import Variable


def scalar_type() -> Any:
    """The type of learning rates and the like: float64 where networks are, else float32.

    >>> scalar_type().__name__
    'float32'
    """
    return np.float64 if floatx() == "float64" else np.float32


def scalar(value: Any) -> Any:
    """A number as a learning rate is one."""
    return scalar_type()(value)


def as_array(value: Any) -> Any:
    """The array of a variable, number or array; floats as `scalar_type`.

    >>> as_array(0.5).dtype.name
    'float32'
    """
    value = value.value if isinstance(value, Variable) else value
    return value if isinstance(value, jax.Array) else jnp.asarray(value, scalar_type())


def as_float(owner: Any, name: str, value: Any) -> float:
    """The value as a float; ValueError where it is not a real number.

    >>> as_float("owner", "learning_rate", 1)
    1.0
    """
    if isinstance(value, Variable):
        value = value.value
    if isinstance(value, (bool, str)) or value is None or np.shape(value) != ():
        kind = "a float" + (", a LearningRateSchedule or a function" * (name == "learning_rate"))
        raise ValueError(
            f"{type(owner).__name__}({name}={value!r}): Argument `{name}` should be {kind}"
        )
    return float(value)


def check_fraction(owner: Any, name: str, value: Any) -> float:
    """The value; ValueError where it is not a number from 0 to 1.

    >>> check_fraction("owner", "momentum", 0.9)
    0.9
    """
    if not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(
            f"{type(owner).__name__}({name}={value!r}): `{name}` must be a float between 0 and 1"
        )
    return value


def copy_of(value: Any) -> jax.Array:
    """The array of a variable, or an array, in memory of its own.

    A training program takes over the memory of its state, so no two variables may share theirs.

    >>> copy_of(Variable(np.ones(2))).tolist()
    [1.0, 1.0]
    """
    value = value.value if isinstance(value, Variable) else value
    if isinstance(value, jax.core.Tracer):
        return value
    # unlike jnp.copy, this has nothing to compile
    return jax.device_put(value, value.sharding, may_alias=False)
