"""What programs tell TensorFlow about devices, logging, graphs: names that change no result."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax

import cornu
from cornu.dialects.older_backend import Session, nothing


class PhysicalDevice(NamedTuple):
    """A device as `tf.config.list_physical_devices` lists it."""

    name: str
    device_type: str


def gpu_device_name() -> str:
    """`"/device:GPU:0"` where there is a GPU, an empty string otherwise."""
    return "/device:GPU:0" if list_physical_devices("GPU") else ""


def is_gpu_available(*args: Any, **kwargs: Any) -> bool:
    """Whether there is a GPU."""
    return bool(list_physical_devices("GPU"))


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


def list_local_devices() -> list[PhysicalDevice]:
    """The devices, as `device_lib.list_local_devices` of TensorFlow 1 listed them."""
    return list_physical_devices()


class Settings:
    """Settings of TensorFlow 1's sessions: any may be set, none says anything here."""

    def __init__(self, *args: Any, **kwargs: Any):
        vars(self).update(kwargs)

    def __getattr__(self, name: str) -> Settings:
        if name.startswith("__"):
            raise AttributeError(name)
        inner = Settings()
        setattr(self, name, inner)
        return inner


@contextlib.contextmanager
def device(name: Any = None) -> Iterator[None]:
    """Within the block, computations stay where Cornu has them: the fastest device there is."""
    yield


class Strategy:
    """Stands for `tf.distribute`'s strategies where they have one device."""

    num_replicas_in_sync = 1

    def __init__(self, *args: Any, **kwargs: Any):
        pass

    def scope(self) -> Any:
        """Changes nothing."""
        return device()


def function(func: Any = None, **kwargs: Any) -> Any:
    """`tf.function`: the function itself, which a compiled program traces all the same."""
    return (lambda one: one) if func is None else func


class TrainOptimizers:
    """`tf.train` of TensorFlow 1: its optimizers, with the defaults that they had."""

    @staticmethod
    def AdamOptimizer(
        learning_rate: Any = 0.001,
        beta1: Any = 0.9,
        beta2: Any = 0.999,
        epsilon: Any = 1e-8,
        **_: Any,
    ) -> Any:
        return cornu.optimizers.Adam(learning_rate, beta1, beta2, epsilon)

    @staticmethod
    def GradientDescentOptimizer(learning_rate: Any, **_: Any) -> Any:
        return cornu.optimizers.SGD(learning_rate)

    @staticmethod
    def MomentumOptimizer(
        learning_rate: Any,
        momentum: Any,
        use_locking: Any = False,
        name: Any = None,
        use_nesterov: bool = False,
    ) -> Any:
        return cornu.optimizers.SGD(learning_rate, momentum, use_nesterov)

    @staticmethod
    def RMSPropOptimizer(
        learning_rate: Any,
        decay: Any = 0.9,
        momentum: Any = 0.0,
        epsilon: Any = 1e-10,
        use_locking: Any = False,
        centered: bool = False,
        name: Any = None,
    ) -> Any:
        return cornu.optimizers.RMSprop(learning_rate, decay, momentum, epsilon, centered)

    @staticmethod
    def AdagradOptimizer(learning_rate: Any, initial_accumulator_value: Any = 0.1, **_: Any) -> Any:
        return cornu.optimizers.Adagrad(learning_rate, initial_accumulator_value)

    @staticmethod
    def AdadeltaOptimizer(
        learning_rate: Any = 0.001, rho: Any = 0.95, epsilon: Any = 1e-8, **_: Any
    ) -> Any:
        return cornu.optimizers.Adadelta(learning_rate, rho, epsilon)


TRAIN = {
    name: value.__func__
    for name, value in vars(TrainOptimizers).items()
    if isinstance(value, staticmethod)
}
# Of TensorFlow 1, at the top of `tensorflow` and of `tensorflow.compat.v1`.
FIRST: dict[str, Any] = {
    **dict.fromkeys(("ConfigProto", "GPUOptions", "OptimizerOptions"), Settings),
    **dict.fromkeys(("Session", "InteractiveSession", "Graph"), Session),
    **dict.fromkeys(
        (
            *("disable_eager_execution", "disable_v2_behavior", "disable_v2_tensorshape"),
            *("enable_eager_execution", "enable_v2_behavior", "global_variables_initializer"),
            *("local_variables_initializer", "tables_initializer", "reset_default_graph"),
            *("enable_resource_variables", "disable_resource_variables"),
        ),
        nothing,
    ),
    "get_default_graph": Session,
}
SETTINGS: dict[str, Any] = {
    "device": device,
    "executing_eagerly": lambda: True,
    "function": function,
    "get_logger": lambda: logging.getLogger("tensorflow"),
}
CONFIG: dict[str, Any] = {
    "list_physical_devices": list_physical_devices,
    "list_logical_devices": list_physical_devices,
    "get_visible_devices": list_physical_devices,
    **dict.fromkeys(
        (
            *("set_visible_devices", "set_logical_device_configuration", "run_functions_eagerly"),
            *("set_soft_device_placement", "experimental_run_functions_eagerly"),
        ),
        nothing,
    ),
    "LogicalDeviceConfiguration": Settings,
}
EXPERIMENTAL: dict[str, Any] = {
    "list_physical_devices": list_physical_devices,
    "list_logical_devices": list_physical_devices,
    "get_visible_devices": list_physical_devices,
    **dict.fromkeys(
        (
            *("set_memory_growth", "set_visible_devices", "set_virtual_device_configuration"),
            *("enable_op_determinism", "enable_tensor_float_32_execution"),
        ),
        nothing,
    ),
    "VirtualDeviceConfiguration": Settings,
}
THREADING: dict[str, Any] = {
    "set_inter_op_parallelism_threads": nothing,
    "set_intra_op_parallelism_threads": nothing,
}
LOGGING: dict[str, Any] = {
    "set_verbosity": nothing,
    "DEBUG": 10,
    "INFO": 20,
    "WARN": 30,
    "WARNING": 30,
    "ERROR": 40,
    "FATAL": 50,
}


def parts() -> dict[str, dict[str, Any]]:
    """The members of the modules below `tensorflow`, by their path."""
    return {
        "autograph": {"set_verbosity": nothing},
        "autograph.experimental": {"do_not_convert": function},
        "config": CONFIG,
        "config.experimental": EXPERIMENTAL,
        "config.optimizer": {"set_jit": nothing},
        "config.threading": THREADING,
        "distribute": {"MirroredStrategy": Strategy, "OneDeviceStrategy": Strategy},
        "logging": LOGGING,
        "python": {},
        "python.client": {},
        "python.client.device_lib": {"list_local_devices": list_local_devices},
        "test": {
            "gpu_device_name": gpu_device_name,
            "is_built_with_cuda": is_gpu_available,
            "is_gpu_available": is_gpu_available,
        },
        "train": TRAIN,
    }
