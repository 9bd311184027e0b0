"""Activations by name, and their names in configurations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cornu.activations import normalizing, rectified, smooth
from cornu.core import lookup, serialization

FUNCTIONS: dict[str, Callable] = {
    function.__name__: function
    for function in (
        rectified.relu,
        rectified.leaky_relu,
        rectified.relu6,
        rectified.linear,
        rectified.hard_sigmoid,
        rectified.hard_silu,
        rectified.hard_tanh,
        rectified.hard_shrink,
        rectified.soft_shrink,
        rectified.threshold,
        rectified.sparse_plus,
        rectified.sparse_sigmoid,
        smooth.sigmoid,
        smooth.tanh,
        smooth.tanh_shrink,
        smooth.softplus,
        smooth.softsign,
        smooth.log_sigmoid,
        smooth.exponential,
        smooth.squareplus,
        smooth.elu,
        smooth.selu,
        smooth.celu,
        smooth.gelu,
        smooth.silu,
        smooth.mish,
        smooth.glu,
        normalizing.softmax,
        normalizing.log_softmax,
        normalizing.sparsemax,
    )
}
ALIASES: dict[str, Callable] = {"swish": smooth.silu, "hard_swish": rectified.hard_silu}


def get(identifier: Any) -> Callable:
    """The activation meant by a name, a configuration, a callable or `None` (`linear`).

    Args:
        identifier: `"relu"`, `"swish"`, ..., what `serialize` wrote, any callable, or `None`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.
        TypeError: something that is neither a name nor callable.

    >>> get("relu").__name__, get(None).__name__
    ('relu', 'linear')
    """
    if identifier is None:
        return rectified.linear
    return lookup.resolve(identifier, "activation", {**FUNCTIONS, **ALIASES})


def serialize(activation: Callable) -> Any:
    """The form in which a layer's configuration holds an activation.

    Args:
        activation: any activation function or object.

    Returns:
        The plain name for Cornu's own functions, a configuration dict for others.

    A lambda has no name to be found by: its configuration holds the function itself, good for a
    copy made in the program, and cannot be written to a file.

    >>> serialize(get("swish"))
    'silu'
    """
    name = getattr(activation, "__name__", None)
    if name is not None and FUNCTIONS.get(name) is activation:
        return name
    return serialization.serialize(activation)


def deserialize(config: Any, custom_objects: dict | None = None) -> Callable:
    """The activation that `serialize` wrote.

    Args:
        config: a name or a configuration dict.
        custom_objects: names to functions and classes of the user's. Default `None`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.

    >>> deserialize("tanh").__name__
    'tanh'
    """
    with serialization.custom_object_scope(custom_objects or {}):
        return get(config)
