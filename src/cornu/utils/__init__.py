"""Small helpers around training: label encoding, seeds, progress."""

from cornu.core.random import set_random_seed
from cornu.core.serialization import (
    custom_object_scope,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)
from cornu.core.serialization import (
    custom_object_scope as CustomObjectScope,
)
from cornu.core.serialization import deserialize as deserialize_keras_object
from cornu.core.serialization import serialize as serialize_keras_object
from cornu.utils.files import get_file
from cornu.utils.images import array_to_img, img_to_array, load_img, save_img
from cornu.utils.numerical import normalize, to_categorical
from cornu.utils.progress import Progbar
from cornu.utils.py_dataset import PyDataset
from cornu.utils.sequences import pad_sequences

Sequence = PyDataset

__all__ = [
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "array_to_img",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_file",
    "get_registered_name",
    "get_registered_object",
    "img_to_array",
    "load_img",
    "normalize",
    "pad_sequences",
    "register_keras_serializable",
    "save_img",
    "serialize_keras_object",
    "set_random_seed",
    "to_categorical",
]
