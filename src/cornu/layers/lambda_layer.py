"""Lambda: any function as a layer."""

from __future__ import annotations

import base64
import inspect
import marshal
import types
from collections.abc import Callable
from typing import Any

import jax

from cornu import activations, ops
from cornu.core.serialization import (
    custom_object,
    deserialize,
    did_you_mean,
    lambda_configuration,
    serialize,
)
from cornu.graph.tensor import KerasTensor
from cornu.layers.layer import Layer


class Lambda(Layer):
    """A function of arrays as a layer. It has no weights; write a `Layer` where some are needed.

    A named function is saved by its name, and found again among the functions that the program
    registered or passes in `custom_objects`. The code of a lambda is written as Keras writes it,
    but code from a file is never run here.

    Input: what the function takes. Output: what it returns.

    Args:
        function: `(inputs, **arguments) -> outputs`; it may also take `mask` and `training`.
        output_shape: shape without the batch axis, or a function of the input shape. Default
            `None`, found by tracing the function.
        mask: the mask of the output, or a function `(inputs, mask) -> mask`. Default `None`.
        arguments: further keyword arguments for the function. Default `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.Lambda`.

    >>> import numpy as np
    >>> Lambda(lambda x: x ** 2)(np.array([[1.0, 3.0]], "float32")).tolist()
    [[1.0, 9.0]]
    """

    deserializes_itself = True

    def __init__(
        self,
        function: Callable,
        output_shape=None,
        mask=None,
        arguments: dict | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"Lambda(function={function!r}): function must be callable")
        self.function = function
        self.arguments = arguments or {}
        self.mask = mask
        self.supports_masking = mask is not None
        self._output_shape = output_shape
        taken = _argument_names(function)
        self._takes_mask, self._takes_training = "mask" in taken, "training" in taken

    def call(self, inputs, mask=None, training=None):
        arguments = dict(self.arguments)
        if self._takes_mask:
            arguments["mask"] = mask
        if self._takes_training:
            arguments["training"] = training
        return self.function(inputs, **arguments)

    def compute_output_spec(self, inputs, **kwargs):
        if self._output_shape is None:
            return super().compute_output_spec(inputs, **kwargs)
        if callable(self._output_shape):
            shapes = jax.tree_util.tree_map(lambda one: one.shape, inputs)
            return KerasTensor(self._output_shape(shapes), self.compute_dtype)
        rows = jax.tree_util.tree_leaves(inputs)[0].shape[0]
        return KerasTensor((rows, *self._output_shape), self.compute_dtype)

    def compute_mask(self, inputs, previous_mask=None):
        return self.mask(inputs, previous_mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict:
        config = {**super().get_config(), "function": _function_config(self.function)}
        if self._output_shape is not None:
            config["output_shape"] = _function_config(self._output_shape)
        if self.mask is not None:
            config["mask"] = _function_config(self.mask)
        config["arguments"] = serialize(self.arguments)
        return config

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None, safe_mode=None):
        """The layer of a configuration. Whatever `safe_mode`, code in it is not run."""
        config = {
            key: deserialize(value, custom_objects) if isinstance(value, dict) else value
            for key, value in config.items()
        }
        config["function"] = _found(config["function"], custom_objects)
        for key in ("output_shape", "mask"):
            if isinstance(config.get(key), str):
                config[key] = _found(config[key], custom_objects)
        if isinstance(config.get("output_shape"), list):
            config["output_shape"] = tuple(config["output_shape"])
        return cls(**config)


def _argument_names(function: Callable) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some built-in functions have no signature
        return []


def _function_config(function: Any) -> Any:
    """A function as Keras writes it; other values as they are."""
    if not callable(function):
        return serialize(function)
    name = getattr(function, "__name__", None)
    if name == "<lambda>" and isinstance(function, types.FunctionType):
        code = base64.encodebytes(marshal.dumps(function.__code__)).decode()
        closure = tuple(cell.cell_contents for cell in function.__closure__ or ())
        return lambda_configuration(
            function,
            {"code": code, "defaults": function.__defaults__, "closure": closure or None},
        )
    for package, module in ((ops, "keras.ops"), (activations, "keras.activations")):
        if name and getattr(package, name, None) is function:
            return {
                "module": module,
                "class_name": "function",
                "config": name,
                "registered_name": name,
            }
    return serialize(function)


def _found(function: Any, custom_objects: dict | None) -> Callable:
    """The function of a name: the user's, or one of Cornu's operations and activations."""
    if not isinstance(function, str):
        return function
    known = {name: getattr(ops, name) for name in ops.__all__}
    known |= {name: getattr(activations, name) for name in activations.__all__}
    for candidates in (custom_objects or {}, {function: custom_object(function)}, known):
        if candidates.get(function) is not None:
            return candidates[function]
    raise ValueError(
        f"Lambda: the function {function!r} is not known{did_you_mean(function, known)}. "
        "Pass it in custom_objects={...} or register it with "
        "cornu.saving.register_keras_serializable()"
    )
