"""Constraints by name, and their configurations."""

from __future__ import annotations

from typing import Any

from cornu.constraints.constraint import Constraint, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from cornu.core import lookup, serialization
from cornu.core.naming import to_snake_case

_CLASSES = (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)
KNOWN: dict[str, type[Constraint]] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
}


def get(identifier: Any) -> Any:
    """The constraint meant by a name, a configuration, a class, an object or a callable.

    Args:
        identifier: `"max_norm"`, `"MaxNorm"`, what `serialize` wrote, a constraint or its class,
            any callable from an array to an array, or `None`.

    Returns:
        A constraint, or `None` for `None`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.
        TypeError: something that is none of the above.

    >>> get("max_norm").max_value
    2
    """
    return lookup.resolve(identifier, "constraint", KNOWN, Constraint)


def serialize(constraint: Constraint) -> Any:
    """The configuration of a constraint, as Keras 3 writes it.

    Args:
        constraint: a constraint, or a function that is registered or can be found by name.

    >>> serialize(MaxNorm(3))["config"]
    {'max_value': 3, 'axis': 0}
    """
    return serialization.serialize(constraint)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The constraint that `serialize` wrote.

    Args:
        config: a configuration dict, or a name.
        custom_objects: names to functions and classes of the user's. Default `None`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.

    >>> deserialize({"class_name": "UnitNorm", "config": {"axis": 1}}).axis
    1
    """
    with serialization.custom_object_scope(custom_objects or {}):
        return get(config)
