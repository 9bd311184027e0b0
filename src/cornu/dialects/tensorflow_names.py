"""The little of TensorFlow itself that Keras programs use beside `tf.keras`."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import cornu
from cornu.core.random import set_random_seed
from cornu.core.variable import Variable
from cornu.dialects import tensorflow_data, tensorflow_nn
from cornu.dialects import tensorflow_functions as functions
from cornu.dialects import tensorflow_settings as settings
from cornu.dialects.tensorflow_settings import gpu_device_name, list_physical_devices

# The release whose `tf.keras` is Keras 3.15; programs print it and compare with it.
_VERSION = "2.21.0"
_KNOWN = (
    "tf.keras, tf.random, tf.data.Dataset for arrays, the common functions on tensors with "
    "tf.math and tf.nn, and what programs set in tf.config"
)
__all__ = ["complaint", "gpu_device_name", "is_ours", "list_physical_devices", "modules"]
_DTYPES = (
    *("bfloat16", "float16", "float32", "float64"),
    *("int8", "int16", "int32", "int64"),
    *("uint8", "uint16", "uint32", "uint64", "bool"),
)


def complaint(name: str) -> str:
    """The sentence for a name of TensorFlow that is not here."""
    return f"{name}: Cornu runs programs written for Keras; of TensorFlow itself it has {_KNOWN}"


class TensorFlowModule(ModuleType):
    """A module that says so where it lacks a name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(complaint(f"{self.__name__}.{name}"))


def convert_to_tensor(
    value: Any, dtype: Any = None, dtype_hint: Any = None, name: str | None = None
) -> jax.Array:
    """An array on the device.

    Raises TypeError where `value` holds no numbers, such as text.

    >>> convert_to_tensor([1.0, 2.0]).shape
    (2,)
    """
    if not isinstance(value, jax.Array):
        value = np.asarray(value)
        if value.dtype.kind not in "biufc" and value.dtype != jnp.bfloat16:
            raise TypeError(
                f"a tensor of {value.dtype} was asked for; Cornu's tensors hold numbers, as JAX' do"
            )
    return jnp.asarray(value, dtype)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str = "Const") -> jax.Array:
    """An array on the device; one value, or a shape's worth of them, is laid out as `shape`.

    Raises TypeError where `value` holds no numbers, ValueError where it does not fill `shape`.

    >>> constant(1, shape=(2, 3)).shape
    (2, 3)
    """
    array = convert_to_tensor(value, dtype)
    if shape is None:
        return array
    return jnp.full(shape, array.ravel()[0]) if array.size == 1 else array.reshape(shape)


def variable(
    initial_value: Any, trainable: bool = True, name: str | None = None, dtype: Any = None, **_: Any
) -> Variable:
    """A variable with an initial value."""
    value = initial_value() if callable(initial_value) else initial_value
    return Variable(np.asarray(value), dtype=dtype, trainable=trainable, name=name)


def _set_seed(seed: int) -> None:
    set_random_seed(int(seed))


@functools.cache
def modules() -> dict[str, ModuleType]:
    """What `import tensorflow` and its submodules give a program, by name."""
    members: dict[str, Any] = {
        "__version__": _VERSION,
        "keras": cornu,
        "losses": cornu.losses,
        "metrics": cornu.metrics,
        "optimizers": cornu.optimizers,
        "constant": constant,
        "convert_to_tensor": convert_to_tensor,
        "Tensor": jax.Array,
        "Variable": variable,
        "newaxis": None,
        "set_random_seed": _set_seed,
        **{dtype: dtype for dtype in _DTYPES},
        **functions.TOP,
        **settings.SETTINGS,
        **settings.FIRST,
    }
    constants = ("constant_initializer", "random_normal_initializer", "zeros_initializer")
    classes = ("Constant", "RandomNormal", "Zeros")
    for name, cls in zip(constants, classes, strict=True):
        members[name] = getattr(cornu.initializers, cls)
    below = {
        **settings.parts(),
        "data": tensorflow_data.MEMBERS,
        "linalg": functions.LINALG,
        "math": functions.MATH,
        "nn": tensorflow_nn.NN,
        "random": {
            **tensorflow_nn.RANDOM,
            "set_seed": _set_seed,
            "set_random_seed": _set_seed,
        },
        "version": {"VERSION": _VERSION},
        "compat": {},
        "compat.v1": members,
        "compat.v2": members,
        "contrib": {},
    }
    found: dict[str, ModuleType] = {"tensorflow": _module("tensorflow", members)}
    for path, inner in below.items():
        found[f"tensorflow.{path}"] = _module(f"tensorflow.{path}", inner)
    for path in below:
        owner, _, last = f"tensorflow.{path}".rpartition(".")
        setattr(found[owner], last, found[f"tensorflow.{path}"])
        if "." not in path and path != "compat":  # as in TensorFlow 2's own compat.v1
            for first in ("v1", "v2"):
                setattr(found[f"tensorflow.compat.{first}"], path, found[f"tensorflow.{path}"])
    return found


def _module(name: str, members: dict[str, Any]) -> TensorFlowModule:
    module = TensorFlowModule(name, "What of TensorFlow a Keras program needs.")
    vars(module).update(members, __path__=[])
    return module


def is_ours(other: ModuleType) -> bool:
    """Whether a module is one of those made here."""
    return isinstance(other, TensorFlowModule)
