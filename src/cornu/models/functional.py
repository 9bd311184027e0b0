"""Functional: a model made from the graph between symbolic inputs and outputs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.context import current_context
from cornu.core.dtypes import to_numpy_dtype
from cornu.graph.graph import Graph
from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.layers import Input, InputLayer
from cornu.layers.layer import Layer
from cornu.models.graph_config import takes_graph, write_graph
from cornu.models.model import Model


class Functional(Model):
    """A model from symbolic tensors: what `Model(inputs, outputs)` makes.

    Args:
        inputs: symbolic tensor, or a list or dict of them.
        outputs: symbolic tensor, or a list or dict of them.
        name: by default `functional`, `functional_1`, ...

    Raises:
        ValueError: something other than symbolic tensors; outputs that the inputs do not lead to;
            two layers of one name.
    """

    public_module = "src.models.functional"  # where Keras writes that this class is
    deserializes_itself = True

    def __new__(cls, *args, **kwargs):
        return Layer.__new__(cls, *args, **kwargs)

    def __init__(self, inputs, outputs, name: str | None = None, trainable: bool = True, **kwargs):
        for what, structure in (("inputs", inputs), ("outputs", outputs)):
            for leaf in jax.tree_util.tree_leaves(structure):
                if not isinstance(leaf, KerasTensor):
                    raise ValueError(
                        f"Model({what}=...): expected symbolic tensors, such as "
                        f"cornu.Input(shape=(784,)) and what layers make of it; received "
                        f"{leaf!r} of type {type(leaf).__name__}"
                    )
        super().__init__(name=name, **kwargs)
        flat = jax.tree_util.tree_leaves(inputs)
        if not all(isinstance(tensor.node.target, InputLayer) for tensor in flat if tensor.node):
            inputs, outputs = _with_own_inputs(inputs, outputs)
        self._set_graph(inputs, outputs)
        if not trainable:
            self.trainable = False

    def _set_graph(self, inputs, outputs) -> None:
        self._input_structure = inputs
        self._output_structure = outputs
        # as in Keras, a list of one output is that output when the model is called
        self._result_structure = _only(outputs)
        self._graph = Graph(jax.tree_util.tree_leaves(inputs), jax.tree_util.tree_leaves(outputs))
        self._layers = [target for target in self._graph.targets if isinstance(target, Layer)]
        names = [target.name for target in self._graph.targets]
        for operation in names:
            if names.count(operation) > 1:
                raise ValueError(
                    f"the model has {names.count(operation)} layers named {operation!r}; "
                    "each needs a name of its own (name=...)"
                )
        self.output_names = [tensor.node.name for tensor in self._graph.outputs]
        self.built = True

    @property
    def graph(self) -> Graph:
        """The description of the network that `summary`, drawing and saving read."""
        return self._graph

    @property
    def layers(self) -> list[Layer]:
        """All layers, the inputs among them, from inputs to outputs."""
        return list(self._layers)

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs."""
        return list(self._graph.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs."""
        return list(self._graph.outputs)

    @property
    def input(self):
        """The symbolic input, or the nest of them."""
        return self._input_structure

    @property
    def output(self):
        """The symbolic output, or the nest of them."""
        return self._output_structure

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        return [tensor.node.name for tensor in self._graph.inputs]

    @property
    def input_shape(self):
        """The shape of the input, or the nest of shapes."""
        return jax.tree_util.tree_map(lambda tensor: tensor.shape, _only(self._input_structure))

    @property
    def output_shape(self):
        """The shape of the output, or the nest of shapes."""
        return jax.tree_util.tree_map(lambda tensor: tensor.shape, self._result_structure)

    def build(self, input_shape) -> None:
        """Nothing to do: the layers were built when the graph was."""

    def call(self, inputs, training=None, mask=None):
        """Runs the graph on arrays."""
        values = self._ordered_inputs(inputs)
        context = current_context()
        if mask is not None and context is not None:
            for value, one in zip(values, jax.tree_util.tree_leaves(mask), strict=False):
                context.set_mask(value, one)
        outputs = self._graph.run(values, _apply)
        structure = jax.tree_util.tree_structure(self._result_structure)
        return structure.unflatten(outputs)

    def _infer(self, args, kwargs):
        tensors = jax.tree_util.tree_leaves(args[0])
        if [t.shape for t in tensors] == [t.shape for t in self._graph.inputs]:
            return jax.tree_util.tree_map(
                lambda tensor: KerasTensor(tensor.shape, tensor.dtype), self._result_structure
            )
        return super()._infer(args, kwargs)

    def _output_specs(self, inputs):
        return self._result_structure

    def _ordered_inputs(self, inputs: Any) -> list:
        """The inputs as the graph takes them: in its order, dtype and rank."""
        names = self.input_names
        if isinstance(inputs, dict) and not isinstance(self._input_structure, dict):
            missing = [name for name in names if name not in inputs]
            if missing:
                raise ValueError(f"no input is given for {missing[0]!r}; received {sorted(inputs)}")
            values = [inputs[name] for name in names]
        elif isinstance(inputs, dict) and isinstance(self._input_structure, dict):
            missing = [key for key in self._input_structure if key not in inputs]
            if missing:
                raise ValueError(f"no input is given for {missing[0]!r}; received {sorted(inputs)}")
            values = jax.tree_util.tree_leaves({key: inputs[key] for key in self._input_structure})
        else:
            values = jax.tree_util.tree_leaves(inputs)
        if len(values) != len(names):
            raise ValueError(
                f"the model takes {len(names)} input{'s' * (len(names) > 1)} "
                f"({', '.join(names)}), received {len(values)}"
            )
        return [
            _fitted(value, tensor) for value, tensor in zip(values, self._graph.inputs, strict=True)
        ]

    def get_config(self) -> dict:
        """The layers and how they are connected, in the form of Keras 3.

        For a subclass with a constructor of its own: the arguments of that.
        """
        if not takes_graph(type(self)):
            return super().get_config()
        return {
            "name": self.name,
            "trainable": self.trainable,
            **write_graph(self._graph, self._input_structure, self._output_structure),
        }

    def get_build_config(self) -> dict | None:
        """None: the graph holds the shapes."""
        return None


def _only(structure):
    """What is in a list of one, or the structure as it is."""
    single = isinstance(structure, (list, tuple)) and len(structure) == 1
    return structure[0] if single else structure


def _apply(node: Node, args: tuple, kwargs: dict):
    return node.target(*args, **kwargs)


def _fitted(value, tensor: KerasTensor):
    """An input in the dtype and rank of the graph's."""
    shape = np.shape(value) if not hasattr(value, "shape") else value.shape
    rank = len(tensor.shape)
    if isinstance(value, KerasTensor):
        return value
    value = jnp.asarray(value)
    if value.dtype != tensor.dtype:
        value = value.astype(to_numpy_dtype(tensor.dtype))
    if len(shape) == rank + 1 and shape[-1] == 1:
        value = value[..., 0]
    elif len(shape) == rank - 1 and tensor.shape[-1] == 1:
        value = value[..., None]
    if len(value.shape) != rank or any(
        want is not None and have != want
        for have, want in zip(value.shape[1:], tensor.shape[1:], strict=False)
    ):
        raise ValueError(
            f"input {tensor.name!r} takes arrays of shape {tensor.shape}, received {tuple(shape)}"
        )
    return value


def _with_own_inputs(inputs, outputs):
    """The part of a network between inner tensors, called again on inputs of its own."""
    fresh = jax.tree_util.tree_map(
        lambda tensor: Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name), inputs
    )
    graph = Graph(jax.tree_util.tree_leaves(inputs), jax.tree_util.tree_leaves(outputs))
    again = graph.run(jax.tree_util.tree_leaves(fresh), _apply)
    return fresh, jax.tree_util.tree_structure(outputs).unflatten(again)
