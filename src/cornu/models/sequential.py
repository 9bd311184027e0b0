"""Sequential: layers one after another."""

from __future__ import annotations

from typing import Any

import jax

from cornu.core import naming
from cornu.core.initialized import SetByInit
from cornu.core.serialization import deserialize, serialize
from cornu.graph.tensor import KerasTensor
from cornu.layers import InputLayer
from cornu.layers.layer import Layer
from cornu.models.functional import Functional
from cornu.models.model import Model


class Sequential(Model):
    """Layers applied one after another, each to the output of the one before.

    Args:
        layers: list of layers; the first may be an `Input`. Without one (and without a layer that
            says `input_shape=`) the weights are made when the model first meets data.
        trainable: whether an optimizer may change the weights.
        name: by default `sequential`, `sequential_1`, ...

    Raises:
        TypeError: something that is not a layer.
        ValueError: two layers of one name.

    >>> from cornu import Input, layers
    >>> model = Sequential([Input((2,)), layers.Dense(25, activation="relu"), layers.Dense(1)])
    >>> model.output_shape, model.count_params()
    ((None, 1), 101)
    """

    public_module = ""
    deserializes_itself = True
    _layers: list[Layer] = SetByInit()  # type: ignore[assignment]

    def __new__(cls, *args, **kwargs):
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, layers=None, trainable: bool = True, name: str | None = None, **kwargs):
        super().__init__(name=name, **kwargs)
        self._layers = []
        self._tensors: list[KerasTensor] = []
        self._functional: Functional | None = None
        self._trainable = trainable
        for layer in layers or ():
            self._append(layer)
        self._connect()

    _untracked = Model._untracked | {"_functional"}

    def add(self, layer, rebuild: bool = True) -> None:
        """Puts a layer behind the last.

        Raises TypeError where it is not a layer, ValueError where its name is taken.
        """
        self._append(layer)
        if rebuild:
            self._connect()

    def _append(self, layer) -> None:
        if isinstance(layer, KerasTensor) and layer.node is not None:
            layer = layer.node.target
        if not isinstance(layer, Layer):
            raise TypeError(
                f"Sequential: expected a layer, received {layer!r} of type {type(layer).__name__}"
                + ("; it is a class: add () to make a layer" if isinstance(layer, type) else "")
            )
        if any(layer.name == other.name for other in self._layers):
            raise ValueError(
                f"Sequential: two layers are named {layer.name!r}; each needs a name of its own"
            )
        if isinstance(layer, InputLayer) and self._layers:
            raise ValueError(
                f"Sequential: {layer.name!r} is an Input, which can only be the first layer; "
                f"there are {len(self._layers)} before it"
            )
        if not self._layers and not isinstance(layer, InputLayer):
            shape = layer._declared_input_shape
            if shape is not None:
                self._layers.append(InputLayer(batch_shape=shape, dtype=layer.compute_dtype))
        self._layers.append(layer)

    def pop(self, rebuild: bool = True) -> Layer:
        """Takes the last layer off and returns it."""
        if not self.layers:
            raise ValueError("Sequential.pop(): the model has no layers")
        layer = self._layers.pop()
        if len(self._tensors) > len(self._layers):
            self._tensors.pop()
            layer._nodes.pop()
        if rebuild:
            self._connect()
        return layer

    def _connect(self) -> None:
        """Extends the graph by the layers it lacks, once the shape of the inputs is known."""
        self._program = None
        if not self._layers or not isinstance(self._layers[0], InputLayer):
            self._functional = None
            self.built = False
            return
        if not self._tensors:
            self._tensors = [self._layers[0].output]
        for layer in self._layers[len(self._tensors) :]:
            self._tensors.append(layer(self._tensors[-1]))
        if len(self._layers) > 1:
            # Keras' Sequential uses up an automatic name for the network inside it
            naming.unique_name("functional")
        self._functional = Functional(self._tensors[0], self._tensors[-1], name=self.name)
        self.output_names = self._functional.output_names
        self.built = True

    def build(self, input_shape=None) -> None:
        """Makes the weights for inputs of a shape, batch axis included."""
        if self._functional is not None or input_shape is None:
            return
        if not self._layers:
            raise ValueError(
                f"{self.name}: the model has no layers; add some before it is built or called"
            )
        shape = tuple(input_shape)
        self._layers.insert(
            0, InputLayer(batch_shape=(None, *shape[1:]), dtype=self._layers[0].compute_dtype)
        )
        try:
            self._connect()
        except Exception:
            del self._layers[0], self._tensors[:]
            raise
        self._build_shapes = {"input_shape": (None, *shape[1:])}

    def _need_functional(self, inputs: Any) -> Functional:
        if self._functional is None:
            leaves = jax.tree_util.tree_leaves(inputs)
            self.build(leaves[0].shape if leaves else None)
        if self._functional is None:
            raise ValueError(f"{self.name}: the model has no layers")
        return self._functional

    def call(self, inputs, training=None, mask=None):
        """Applies the layers one after another."""
        return self._need_functional(inputs).call(inputs, training=training, mask=mask)

    def _infer(self, args, kwargs):
        return self._need_functional(args[0])._infer(args, kwargs)

    def _output_specs(self, inputs):
        return self._need_functional(inputs)._result_structure

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the Input."""
        return self._layers[isinstance(next(iter(self._layers), None), InputLayer) :]

    def _required(self, what: str) -> Functional:
        if self._functional is None:
            raise AttributeError(
                f"{self.name} has no {what} yet: the shape of its inputs is not known. Begin it "
                "with an Input, or build(input_shape) it"
            )
        return self._functional

    @property
    def graph(self):
        """The description of the network."""
        return self._required("graph").graph

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic input, in a list."""
        return self._required("inputs").inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic output, in a list."""
        return self._required("outputs").outputs

    @property
    def input(self):
        """The symbolic input."""
        return self._required("input").input

    @property
    def output(self):
        """The symbolic output."""
        return self._required("output").output

    @property
    def input_shape(self):
        """The shape of the input."""
        return self._required("input_shape").input_shape

    @property
    def output_shape(self):
        """The shape of the output."""
        return self._required("output_shape").output_shape

    def get_config(self) -> dict:
        """The layers' configurations, in the form of Keras 3."""
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": serialize(self.dtype_policy),
            "layers": [serialize(layer) for layer in self._layers],
        }
        if self._functional is not None:
            config["build_input_shape"] = list(self._tensors[0].shape)
        return config

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        """A new model, with fresh weights, from what `get_config` gave here or in Keras 3."""
        model = cls(name=config.get("name"))
        for entry in config["layers"]:
            model._append(deserialize(entry, custom_objects))
        shape = config.get("build_input_shape")
        if isinstance(next(iter(model._layers), None), InputLayer):
            model._connect()
        elif shape:
            model.build(tuple(shape))
        if not config.get("trainable", True):
            model.trainable = False
        return model

    def get_build_config(self) -> dict | None:
        """The shape of the inputs."""
        if self._functional is None:
            return None
        return {"input_shape": list(self._tensors[0].shape)}
