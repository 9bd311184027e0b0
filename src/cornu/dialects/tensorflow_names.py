"""The little of TensorFlow itself that Keras programs use beside `tf.keras`."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import cornu
from cornu.core.random import set_random_seed

# The release whose `tf.keras` is Keras 3.15; programs print it and compare with it.
_VERSION = "2.21.0"
_KNOWN = (
    "tf.keras, tf.random.set_seed, tf.test.gpu_device_name, tf.config.list_physical_devices, "
    "tf.constant, tf.convert_to_tensor"
)
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


class PhysicalDevice(NamedTuple):
    """A device as `tf.config.list_physical_devices` lists it."""

    name: str
    device_type: str


def gpu_device_name() -> str:
    """`"/device:GPU:0"` where there is a GPU, an empty string otherwise."""
    return "/device:GPU:0" if list_physical_devices("GPU") else ""


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that JAX found, of one type ("CPU", "GPU", "TPU") or all of them."""
    kinds = [
        {"cuda": "GPU", "rocm": "GPU"}.get(device.platform, device.platform.upper())
        for device in jax.devices()
    ]
    if "CPU" not in kinds:
        kinds.insert(0, "CPU")
    return [
        PhysicalDevice(f"/physical_device:{kind}:{kinds[:place].count(kind)}", kind)
        for place, kind in enumerate(kinds)
        if device_type in (None, kind)
    ]


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


@functools.cache
def modules() -> dict[str, ModuleType]:
    """What `import tensorflow` and its submodules give a program, by name."""
    tensorflow = TensorFlowModule("tensorflow", "What of TensorFlow a Keras program needs.")
    members: dict[str, Any] = {
        "__path__": [],
        "__version__": _VERSION,
        "keras": cornu,
        "constant": constant,
        "convert_to_tensor": convert_to_tensor,
        "Tensor": jax.Array,
        **{dtype: dtype for dtype in _DTYPES},
    }
    found: dict[str, ModuleType] = {"tensorflow": tensorflow}
    for name, functions in (
        ("random", {"set_seed": set_random_seed}),
        ("test", {"gpu_device_name": gpu_device_name}),
        ("config", {"list_physical_devices": list_physical_devices}),
    ):
        inner = TensorFlowModule(f"tensorflow.{name}")
        vars(inner).update(functions)
        members[name] = found[inner.__name__] = inner
    vars(tensorflow).update(members)
    return found


def is_ours(other: ModuleType) -> bool:
    """Whether a module is one of those made here."""
    return isinstance(other, TensorFlowModule)
