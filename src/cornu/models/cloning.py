"""New models from models and from their configurations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cornu.core.serialization import deserialize

if TYPE_CHECKING:
    from cornu.models.model import Model


def model_from_config(config: dict, custom_objects: dict | None = None) -> Model:
    """A new model from the configuration that `serialize` or a file gives.

    Raises ValueError where it names a class or function that is not known.
    """
    return deserialize(config, custom_objects)


def model_from_json(json_string: str, custom_objects: dict | None = None) -> Model:
    """A new model, with fresh weights, from what `model.to_json()` gave here or in Keras 3.

    >>> from cornu import Input, Sequential, layers
    >>> model = Sequential([Input((2,)), layers.Dense(3)])
    >>> model_from_json(model.to_json()).output_shape
    (None, 3)
    """
    return model_from_config(json.loads(json_string), custom_objects)


def clone_model(model: Model) -> Model:
    """A model of the same layers with weights of its own, freshly initialized.

    >>> from cornu import Input, Sequential, layers
    >>> clone_model(Sequential([Input((2,)), layers.Dense(3)])).count_params()
    9
    """
    return type(model).from_config(model.get_config())
