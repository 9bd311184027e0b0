"""The little of TensorFlow itself that Keras programs use beside `tf.keras`."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

import cornu
from cornu.core.random import set_random_seed

_KNOWN = (
    "tf.keras, tf.random.set_seed, tf.test.gpu_device_name, tf.config.list_physical_devices, "
    "tf.constant, tf.convert_to_tensor"
)


def complaint(name: str) -> str:
    """The sentence for a name of TensorFlow that is not here."""
    return f"{name}: Cornu runs programs written for Keras. Of TensorFlow itself it knows only {_KNOWN}"


class _Namespace(ModuleType):
    """A module that names what it lacks."""

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
    found = []
    for device in jax.devices():
        kind = {"cuda": "GPU", "rocm": "GPU"}.get(device.platform, device.platform.upper())
        found.append(PhysicalDevice(f"/physical_device:{kind}:{device.id}", kind))
    if not any(device.device_type == "CPU" for device in found):
        found.insert(0, PhysicalDevice("/physical_device:CPU:0", "CPU"))
    return [device for device in found if device_type in (None, device.device_type)]


def convert_to_tensor(value: Any, dtype=None, name: str | None = None) -> jax.Array:
    """An array on the device."""
    return jnp.asarray(value, dtype)


def constant(value: Any, dtype=None, shape=None, name: str = "Const") -> jax.Array:
    """An array on the device, of a shape if one is given."""
    array = jnp.asarray(value, dtype)
    return (
        array
        if shape is None
        else jnp.broadcast_to(array.ravel(), shape)
        if array.size == 1
        else array.reshape(shape)
    )


@functools.cache
def module() -> ModuleType:
    """The module that `import tensorflow` gives a program."""
    tensorflow = _Namespace("tensorflow", "What of TensorFlow a Keras program needs, on Cornu.")
    tensorflow.__path__ = []
    tensorflow.__version__ = "2.21.0"
    tensorflow.keras = cornu
    for name, members in (
        ("random", {"set_seed": set_random_seed}),
        ("test", {"gpu_device_name": gpu_device_name}),
        ("config", {"list_physical_devices": list_physical_devices}),
    ):
        namespace = _Namespace(f"tensorflow.{name}")
        vars(namespace).update(members)
        setattr(tensorflow, name, namespace)
    tensorflow.constant = constant
    tensorflow.convert_to_tensor = convert_to_tensor
    for dtype in [
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "bool",
    ]:
        setattr(tensorflow, dtype, dtype)
    return tensorflow


def is_ours(other: ModuleType) -> bool:
    """Whether a module is one of those made here."""
    return isinstance(other, _Namespace)
