"""Initializers by name, and their configurations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from cornu.core import lookup, serialization
from cornu.core.dtypes import standardize_dtype, to_numpy_dtype
from cornu.core.naming import to_snake_case
from cornu.core.variable import Variable
from cornu.initializers import constants, distributions, scaling
from cornu.initializers.initializer import Initializer

_CLASSES: tuple[type[Initializer], ...] = (
    constants.Constant,
    constants.Identity,
    constants.Ones,
    constants.STFT,
    constants.Zeros,
    distributions.Orthogonal,
    distributions.RandomNormal,
    distributions.RandomUniform,
    distributions.TruncatedNormal,
    scaling.GlorotNormal,
    scaling.GlorotUniform,
    scaling.HeNormal,
    scaling.HeUniform,
    scaling.LecunNormal,
    scaling.LecunUniform,
    scaling.VarianceScaling,
)
KNOWN: dict[str, type[Initializer]] = {
    **{cls.__name__: cls for cls in _CLASSES},
    **{to_snake_case(cls.__name__): cls for cls in _CLASSES},
    "IdentityInitializer": constants.Identity,
    "OrthogonalInitializer": distributions.Orthogonal,
    "STFTInitializer": constants.STFT,
    "normal": distributions.RandomNormal,
    "uniform": distributions.RandomUniform,
    "one": constants.Ones,
    "zero": constants.Zeros,
}


def get(identifier: Any) -> Any:
    """The initializer meant by a name, a configuration, a class, an object, an array or a callable.

    Args:
        identifier: `"he_normal"`, `"HeNormal"`, what `serialize` wrote, an initializer or its
            class, any callable `(shape, dtype) -> array`, an array (which is then the initial
            value itself), or `None`.

    Returns:
        An initializer, or `None` for `None`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.
        TypeError: something that is none of the above.

    >>> type(get("he_normal")).__name__
    'HeNormal'
    """
    if isinstance(identifier, (np.ndarray, np.generic, jax.Array, Variable)):
        return _from_array(identifier)
    if isinstance(identifier, dict) and not identifier.get("module"):
        # without a module, "Identity" might be the layer of that name
        cls = KNOWN.get(identifier.get("class_name", ""))
        if cls is not None:
            identifier = {**identifier, "module": "keras.initializers", "class_name": cls.__name__}
    return lookup.resolve(identifier, "initializer", KNOWN, Initializer)


def _from_array(value: Any) -> Callable:
    value = np.asarray(value)

    def initial_value(shape: Any, dtype: Any = None) -> np.ndarray:
        if tuple(shape) != value.shape:
            raise ValueError(
                f"the array given as initializer has shape {value.shape}, "
                f"the variable has shape {tuple(shape)}"
            )
        return value.astype(to_numpy_dtype(standardize_dtype(dtype)))

    return initial_value


def serialize(initializer: Initializer) -> Any:
    """The configuration of an initializer, as Keras 3 writes it.

    Args:
        initializer: an initializer, or a function that is registered or can be found by name.

    >>> serialize(get("zeros"))["class_name"]
    'Zeros'
    """
    return serialization.serialize(initializer)


def deserialize(config: Any, custom_objects: dict | None = None) -> Any:
    """The initializer that `serialize` wrote.

    Args:
        config: a configuration dict, or a name.
        custom_objects: names to functions and classes of the user's. Default `None`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.

    >>> deserialize({"class_name": "Constant", "config": {"value": 2.0}}).value
    2.0
    """
    with serialization.custom_object_scope(custom_objects or {}):
        return get(config)
