"""Regularizers by name, and their configurations."""

from __future__ import annotations

from typing import Any

from cornu.core import lookup, serialization
from cornu.regularizers.orthogonality import OrthogonalRegularizer
from cornu.regularizers.regularizer import L1, L1L2, L2, Regularizer

KNOWN: dict[str, type[Regularizer]] = {
    "L1": L1,
    "l1": L1,
    "L2": L2,
    "l2": L2,
    "L1L2": L1L2,
    "l1l2": L1L2,
    "l1_l2": L1L2,
    "OrthogonalRegularizer": OrthogonalRegularizer,
    "orthogonal_regularizer": OrthogonalRegularizer,
}


def get(identifier: Any) -> Any:
    """The regularizer meant by a name, a configuration, a class, an object or a callable.

    Args:
        identifier: `"l2"`, `"L2"`, what `serialize` wrote, a regularizer or its class, any callable
            from an array to a scalar, or `None`.

    Returns:
        A regularizer, or `None` for `None`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.
        TypeError: something that is none of the above.

    >>> get("l2").l2
    0.01
    """
    return lookup.resolve(identifier, "regularizer", KNOWN, Regularizer)


def serialize(regularizer: Regularizer) -> Any:
    """The configuration of a regularizer, as Keras 3 writes it.

    Args:
        regularizer: a regularizer, or a function that is registered or can be found by name.

    >>> serialize(L2(0.5))["config"]
    {'l2': 0.5}
    """
    return serialization.serialize(regularizer)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The regularizer that `serialize` wrote.

    Args:
        config: a configuration dict, or a name.
        custom_objects: names to functions and classes of the user's. Default `None`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.

    >>> deserialize({"class_name": "L1", "config": {"l1": 0.5}}).l1
    0.5
    """
    with serialization.custom_object_scope(custom_objects or {}):
        return get(config)
