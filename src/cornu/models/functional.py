"""Functional: a model made from the graph between symbolic inputs and outputs."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import naming
from cornu.core.context import current_context
from cornu.core.serialization import deserialize, serialize
from cornu.core.dtypes import to_numpy_dtype
from cornu.graph.graph import Graph
from cornu.graph.node import FunctionOperation, Node
from cornu.graph.tensor import KerasTensor
from cornu.layers import Input, InputLayer
from cornu.layers.layer import Layer
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

    public_module = "models"
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
        super().__init__(name=name or naming.unique_name("functional"), **kwargs)
        flat = jax.tree_util.tree_leaves(inputs)
        if not all(isinstance(tensor.node.target, InputLayer) for tensor in flat if tensor.node):
            inputs, outputs = _with_own_inputs(inputs, outputs)
        self._set_graph(inputs, outputs)
        if not trainable:
            self.trainable = False

    def _set_graph(self, inputs, outputs) -> None:
        self._input_structure = inputs
        self._output_structure = outputs
        self._graph = Graph(
            jax.tree_util.tree_leaves(inputs), jax.tree_util.tree_leaves(outputs)
        )
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
        return jax.tree_util.tree_map(lambda tensor: tensor.shape, self._input_structure)

    @property
    def output_shape(self):
        """The shape of the output, or the nest of shapes."""
        return jax.tree_util.tree_map(lambda tensor: tensor.shape, self._output_structure)

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
        structure = jax.tree_util.tree_structure(self._output_structure)
        return structure.unflatten(outputs)

    def _infer(self, args, kwargs):
        tensors = jax.tree_util.tree_leaves(args[0])
        if [t.shape for t in tensors] == [t.shape for t in self._graph.inputs]:
            return jax.tree_util.tree_map(
                lambda tensor: KerasTensor(tensor.shape, tensor.dtype), self._output_structure
            )
        return super()._infer(args, kwargs)

    def _output_specs(self, inputs):
        return self._output_structure

    def _ordered_inputs(self, inputs: Any) -> list:
        """The inputs as the graph takes them: in its order, dtype and rank."""
        names = self.input_names
        if isinstance(inputs, dict) and not isinstance(self._input_structure, dict):
            missing = [name for name in names if name not in inputs]
            if missing:
                raise ValueError(
                    f"no input is given for {missing[0]!r}; received {sorted(inputs)}"
                )
            values = [inputs[name] for name in names]
        elif isinstance(inputs, dict) and isinstance(self._input_structure, dict):
            missing = [key for key in self._input_structure if key not in inputs]
            if missing:
                raise ValueError(
                    f"no input is given for {missing[0]!r}; received {sorted(inputs)}"
                )
            values = jax.tree_util.tree_leaves(
                {key: inputs[key] for key in self._input_structure}
            )
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
        """The layers and how they are connected, in the form of Keras 3."""
        if type(self).__mro__[1] is not Model and type(self) is not Functional:
            own = type(self).get_config
            if own is not Functional.get_config:
                return own(self)
        return {
            "name": self.name,
            "trainable": self.trainable,
            "layers": [self._operation_config(target) for target in self._graph.targets],
            "input_layers": self._ends(self._input_structure),
            "output_layers": self._ends(self._output_structure),
        }

    def _nodes_of(self, target) -> list[Node]:
        nodes = [node for node in self._graph.nodes if node.target is target]
        return sorted(nodes, key=lambda node: node.call_index)

    def _history(self, tensor: KerasTensor) -> list:
        nodes = self._nodes_of(tensor.node.target)
        return [tensor.node.name, nodes.index(tensor.node), tensor.index]

    def _ends(self, structure):
        histories = jax.tree_util.tree_map(self._history, structure)
        return histories

    def _operation_config(self, target) -> dict:
        config = serialize(target)
        config["name"] = target.name
        config["inbound_nodes"] = [
            {"args": self._argument(list(node.args)), "kwargs": self._argument(node.kwargs)}
            for node in self._nodes_of(target)
            if not node.is_input
        ]
        return config

    def _argument(self, value):
        if isinstance(value, KerasTensor):
            return {
                "class_name": "__keras_tensor__",
                "config": {
                    "shape": list(value.shape),
                    "dtype": value.dtype,
                    "keras_history": self._history(value),
                },
            }
        if isinstance(value, (list, tuple)):
            return [self._argument(item) for item in value]
        if isinstance(value, dict):
            return {key: self._argument(item) for key, item in value.items()}
        return serialize(value)

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        """A new model, with fresh weights, from what `get_config` gave here or in Keras 3."""
        inputs, outputs = _rebuilt(config, custom_objects)
        model = Functional(
            inputs, outputs, name=config.get("name"), trainable=config.get("trainable", True)
        )
        if cls is not Functional and issubclass(cls, Model):
            model.__class__ = cls if issubclass(cls, Functional) else type(
                cls.__name__, (cls, Functional), {"__module__": cls.__module__}
            )
        return model

    def get_build_config(self) -> dict | None:
        """None: the graph holds the shapes."""
        return None


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


def _rebuilt(config: dict, custom_objects: dict | None) -> tuple[Any, Any]:
    """The symbolic inputs and outputs of a graph described by a configuration."""
    targets = {}
    calls = []
    for entry in config["layers"]:
        target = deserialize(entry, custom_objects)
        targets[entry["name"]] = target
        calls += [
            (entry["name"], index, node) for index, node in enumerate(entry["inbound_nodes"])
        ]
    made: dict[tuple[str, int], list] = {
        (name, 0): jax.tree_util.tree_leaves(target.output)
        for name, target in targets.items()
        if isinstance(target, InputLayer)
    }

    class NotYet(Exception):
        pass

    def filled(value):
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                name, index, place = value["config"]["keras_history"]
                if (name, index) not in made:
                    raise NotYet
                return made[name, index][place]
            if "class_name" in value and "config" in value:
                return deserialize(value, custom_objects)
            return {key: filled(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [filled(item) for item in value]
        return value

    while calls:
        waiting = []
        for name, index, node in calls:
            try:
                args, kwargs = filled(node["args"]), filled(node["kwargs"])
            except NotYet:
                waiting.append((name, index, node))
                continue
            target = targets[name]
            if isinstance(target, FunctionOperation):
                outputs = target.record(tuple(args), kwargs)
            else:
                outputs = target(*args, **kwargs)
            made[name, index] = jax.tree_util.tree_leaves(outputs)
        if len(waiting) == len(calls):
            raise ValueError(
                f"the configuration of {config.get('name')!r} refers to tensors that no layer "
                f"makes (at {waiting[0][0]!r})"
            )
        calls = waiting

    def ends(value):
        if _is_history(value):
            name, index, place = value
            return made[name, index][place]
        if isinstance(value, dict):
            return {key: ends(item) for key, item in value.items()}
        tensors = [ends(item) for item in value]
        return tensors[0] if len(tensors) == 1 else tensors

    return ends(config["input_layers"]), ends(config["output_layers"])


def _is_history(value) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )
