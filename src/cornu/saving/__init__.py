"""Saving and loading models, and the register of classes that files may name."""

from cornu.core.serialization import (
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from cornu.core.serialization import custom_object_scope as CustomObjectScope
from cornu.core.serialization import deserialize as deserialize_keras_object
from cornu.core.serialization import serialize as serialize_keras_object
from cornu.saving.files import load_model, load_weights, save_model, save_weights

__all__ = [
    "CustomObjectScope",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
