"""Layers of Keras that Cornu does not compute yet, known well enough to check a network with them.

They have the shapes and weights of Keras' layers, so that the rest of the network can be built and
looked at. They compute nothing: a network with one can be checked, not trained.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

import cornu
from cornu.core.keras_names import MISSING
from cornu.graph.tensor import KerasTensor
from cornu.layers import InputSpec, Layer
from cornu.layers.layer import is_shape

# Layers that give back the shape they take: normalization, augmentation of images, noise.
_LIKE_INPUT = ("SpectralNormalization", "ThresholdedReLU")


class StandIn(Layer):
    """A layer known by its shapes and weights only."""

    _arguments: tuple[tuple, dict]

    def call(self, *args, **kwargs):
        raise NotImplementedError(f"Cornu does not compute {type(self).__name__} yet")

    def compute_output_spec(self, inputs, *args, **kwargs):
        self._ensure_built((inputs,), {})
        shape = self.shape_of(_first(inputs).shape)
        return jax.tree_util.tree_map(
            lambda one: KerasTensor(one, self.compute_dtype), shape, is_leaf=is_shape
        )

    def shape_of(self, shape: tuple) -> Any:
        """The shape of the output for one of the input."""
        return shape

    def get_config(self) -> dict:
        return {"name": self.name, "trainable": self.trainable, **self.given}

    @property
    def given(self) -> dict:
        """The arguments that the program wrote, with the defaults of the others."""
        args, kwargs = self._arguments
        try:
            bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs)
        except TypeError:
            return dict(kwargs)
        bound.apply_defaults()
        found = dict(bound.arguments)
        found.pop("self", None)
        found.update(found.pop("kwargs", {}))
        return {key: value for key, value in found.items() if value is not None or key == "name"}


def _first(inputs: Any) -> Any:
    return jax.tree_util.tree_leaves(inputs)[0]


class _Recurrent(StandIn):
    gates = 1

    def __init__(
        self,
        units: int,
        activation="tanh",
        use_bias: bool = True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs,
    ):
        own = {"name", "input_shape", "input_dim", "batch_input_shape", "batch_size", "trainable"}
        super().__init__(**{key: value for key, value in kwargs.items() if key in own | {"dtype"}})
        self.units = int(units)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.recurrent_activation = kwargs.get("recurrent_activation", "sigmoid")
        self.input_spec = InputSpec(ndim=3)

    def build(self, input_shape):
        wide = self.units * self.gates
        self.add_weight((input_shape[-1] or 1, wide), name="kernel")
        self.add_weight((self.units, wide), "orthogonal", name="recurrent_kernel")
        self.add_weight((wide,), "zeros", name="bias")

    def shape_of(self, shape):
        last = (shape[0], self.units)
        out = (shape[0], shape[1], self.units) if self.return_sequences else last
        if not self.return_state:
            return out
        return [out, *([last] * self.states)]

    states = 1


class LSTM(_Recurrent):
    """Long short-term memory."""

    gates, states = 4, 2


class GRU(_Recurrent):
    """Gated recurrent unit."""

    gates = 3


class SimpleRNN(_Recurrent):
    """Fully connected recurrence."""


class _Wrapper(StandIn):
    def __init__(self, layer: Layer, **kwargs):
        self._options = {key: kwargs.pop(key) for key in ("merge_mode",) if key in kwargs}
        super().__init__(**kwargs)
        self.layer = layer

    def get_config(self) -> dict:
        inner = self.layer.get_config()
        return {**inner, "name": self.name, "layer": type(self.layer).__name__}


class Bidirectional(_Wrapper):
    """A recurrent layer run both ways."""

    def __init__(self, layer: Layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.input_spec = InputSpec(ndim=3)
        self.recurrent_activation = "sigmoid"

    def build(self, input_shape):
        self.layer.build(input_shape)
        self.layer.built = True

    def shape_of(self, shape):
        shapes = self.layer.shape_of(shape)
        whole = shapes[0] if isinstance(shapes, list) else shapes
        if self._options.get("merge_mode", "concat") == "concat":
            whole = (*whole[:-1], 2 * whole[-1])
        return [whole, *shapes[1:], *shapes[1:]] if isinstance(shapes, list) else whole


class TimeDistributed(_Wrapper):
    """A layer applied to each time step."""

    def shape_of(self, shape):
        inner = (shape[0], *shape[2:])
        spec = self.layer.compute_output_spec(KerasTensor(inner, self.compute_dtype))
        self.layer.built = True
        return (shape[0], shape[1], *_first(spec).shape[1:])


class Resizing(StandIn):
    """Images of another size."""

    def __init__(self, height: int, width: int, **kwargs):
        super().__init__(name=kwargs.get("name"))
        self.size = height, width

    def shape_of(self, shape):
        return (shape[0], *self.size, shape[-1])


class MultiHeadAttention(StandIn):
    """Attention of several heads."""

    def __init__(self, num_heads: int, key_dim: int, **kwargs):
        super().__init__(name=kwargs.get("name"))

    def build(self, *shapes):
        pass

    def compute_output_spec(self, query, value=None, *args, **kwargs):
        self.built = True
        return KerasTensor(query.shape, self.compute_dtype)


class _Unknown(StandIn):
    """A layer of which nothing but its name is known: it gives back the shape it takes."""

    def __init__(self, *args, **kwargs):
        own = {"name", "input_shape", "batch_input_shape", "trainable"}
        super().__init__(**{key: value for key, value in kwargs.items() if key in own})

    def _ensure_built(self, args, kwargs):
        self.built = True


def _named(base: type, name: str, **members) -> type:
    return type(name, (base,), {**members, "__doc__": base.__doc__})


def _classes() -> dict[str, type]:
    known: dict[str, Any] = {
        one.__name__: one
        for one in (LSTM, GRU, SimpleRNN, Bidirectional, TimeDistributed, Resizing)
    }
    known["MultiHeadAttention"] = MultiHeadAttention
    known["CuDNNLSTM"], known["CuDNNGRU"] = _named(LSTM, "LSTM"), _named(GRU, "GRU")
    for name in (*_LIKE_INPUT, *MISSING["layers"].split()):
        known.setdefault(name, _named(_Unknown, name))
    return known


@contextlib.contextmanager
def stand_ins() -> Iterator[None]:
    """Within the block, `cornu.layers` has every layer of Keras, and `cornu` its applications."""
    from cornu.check.applications import applications

    added: list[tuple[Any, str]] = []
    modules = {f"cornu.{name}": module for name, module in applications().items()}
    sys.modules.update(modules)
    setattr(cornu, "applications", modules["cornu.applications"])  # noqa: B010  # for mypy
    added.append((cornu, "applications"))
    made: dict[str, Callable] = {}
    for name, cls in _classes().items():
        if name not in vars(cornu.layers):
            made[name] = cls
            setattr(cornu.layers, name, cls)
            added.append((cornu.layers, name))
    public = cornu.layers.__all__
    cornu.layers.__all__ = [*public, *made]  # for `from keras.layers import *`
    # of the model's answer to a few rows, TensorFlow programs ask the values: `model(x).numpy()`
    tensor: Any = type(jax.numpy.zeros(()))
    tensor.numpy = lambda self: np.asarray(self)
    try:
        yield
    finally:
        del tensor.numpy
        cornu.layers.__all__ = public
        for module, name in added:
            delattr(module, name)
        for name in modules:
            sys.modules.pop(name, None)


def has_stand_in(model: Any) -> bool:
    """Whether a network has a layer that computes nothing."""
    return any(isinstance(layer, StandIn) for layer in model._walk())
