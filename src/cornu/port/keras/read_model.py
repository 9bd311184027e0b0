"""Reading a Cornu model into a `Network`."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from cornu import activations
from cornu.core.places import Place
from cornu.graph.graph import Graph
from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.layers import Layer
from cornu.models.tracing import graph_of, traced_graph
from cornu.port import kinds
from cornu.port.keras.read_functions import FUNCTIONS
from cornu.port.keras.read_layers import (
    ACTIVATION_LAYERS,
    LAYERS,
    NOT_SETTINGS,
    activation,
    activation_settings,
)
from cornu.port.keras.read_training import read_training
from cornu.port.network import Names, Network, Observed, Operation, Origin, PortError, apply


def read_model(model: Any) -> Network:
    """The network of a built model: Sequential, Functional, or a subclass with a plain `call`.

    Args:
        model: a `cornu.Model`; its weights are read, nothing is changed.

    Returns:
        A Network with images as the model has them. Observed tensors have the model's symbolic
        tensors as keys, weights the model's Variables.

    Raises:
        PortError: a layer or an operation that has no counterpart in other frameworks, by name; a
            model that is not built.
    """
    graph = graph_of(model)
    if graph is None:
        try:
            graph = traced_graph(model)
        except PortError:
            raise
        except Exception as error:
            raise PortError(
                f"{type(model).__name__}.call cannot be followed with symbolic inputs: {error}",
                None,
                "Build the network of layers and cornu.ops",
            ) from error
    if graph is None:
        raise PortError(
            f"the model {getattr(model, 'name', model)!r} is not built",
            None,
            "Call it once, or give it an Input",
        )
    reader = _Reader()
    reader.read(graph)
    names = getattr(model, "output_names", None)
    network = Network(
        [reader.new[tensor] for tensor in graph.inputs],
        [reader.new[tensor] for tensor in graph.outputs],
        Names()(model.name),
        names if names and len(names) == len(graph.outputs) else None,
        read_training(model),
        reader.observed,
    )
    network.data_format = "channels_last"
    if any(one.attributes.get("data_format") == "channels_first" for one in network.operations):
        network.data_format = "channels_first"
    return network


class _Reader:
    """Makes operations of the nodes of a graph, and of the models within it."""

    def __init__(self) -> None:
        self.names = Names()
        self.new: dict[KerasTensor, KerasTensor] = {}
        self.observed: dict[KerasTensor, Observed] = {}
        self.operations: dict[Any, Operation] = {}
        self.place: str | None = None

    def read(self, graph: Graph, prefix: str = "") -> None:
        """Reads the nodes of a graph; those of its inputs only where they are not known yet."""
        for node in graph.nodes:
            if all(tensor in self.new for tensor in node.outputs):
                continue
            inner = graph_of(node.target) if node.inputs else None
            if inner is not None:
                self._read_inner(node, inner, prefix)
            else:
                self._read_node(node, prefix)

    def _read_inner(self, node: Node, inner: Graph, prefix: str) -> None:
        """A model that is called as a layer: its layers become the network's own."""
        outer = dict(self.new)
        for step in inner.nodes:  # of an earlier call of the same model
            for tensor in step.outputs:
                self.new.pop(tensor, None)
        for inside, outside in zip(inner.inputs, node.inputs, strict=True):
            self.new[inside] = outer[outside]
        self.read(inner, f"{prefix}{node.name}_")
        made = [self.new[tensor] for tensor in inner.outputs]
        for tensor, new in zip(node.outputs, made, strict=True):
            self.new[tensor] = new
            self.observed[new] = Observed(tensor)

    def _read_node(self, node: Node, prefix: str) -> None:
        place = getattr(node.target, "_place", None)
        self.place = f"{node.name} ({place})" if isinstance(place, Place) else node.name
        if len(node.outputs) != 1:
            raise PortError(
                f"{node.operation} {node.name!r} has {len(node.outputs)} outputs; that is not "
                "supported",
                self.place,
            )
        name = prefix + node.name
        if node.is_input:
            out = node.outputs[0]
            made = apply(
                Operation("InputLayer", self.names(name)), shape=out.shape, dtype=out.dtype
            )
        elif isinstance(node.target, Layer):
            made = self._layer(node, name)
        else:
            made = self._function(node, name)
        self.new[node.outputs[0]] = made
        self.observed[made] = Observed(node.outputs[0])

    # -- making nodes ------------------------------------------------------------------------------

    def step(
        self,
        kind: str,
        name: str,
        args: list[Any],
        shape: tuple,
        kept: str,
        layer: Any = None,
        role: str = "",
        **attributes: Any,
    ) -> KerasTensor:
        """Applies an operation; the one of a layer (in a role) is made once and shared.

        Args:
            kept: the dtype of what comes out.
        """
        key = (id(layer), role) if layer is not None else object()
        operation = self.operations.get(key)
        if operation is None:
            operation = Operation(kind, self.names(name), attributes, place=self.place)
            if layer is not None:
                operation.trainable = layer.trainable
                if not role:
                    self._add_weights(operation, layer)
            self.operations[key] = operation
        return apply(operation, *args, shape=shape, dtype=kept)

    def _add_weights(self, operation: Operation, layer: Layer) -> None:
        for name in kinds.WEIGHTS.get(operation.kind, ()):
            variable = getattr(layer, name, None)
            if variable is not None:
                operation.parameters[name] = variable.numpy()
                operation.origins[name] = Origin(variable)

    def refuse(self, what: str, advice: str = "") -> PortError:
        """The error for the node that is being read."""
        return PortError(what, self.place, advice)

    # -- layers ------------------------------------------------------------------------------------

    def _layer(self, node: Node, name: str) -> KerasTensor:
        layer, kind = node.target, type(node.target).__name__
        out = node.outputs[0]
        if type(layer).__module__.split(".")[0] != "cornu" or kind not in LAYERS:
            raise self.refuse(
                f"the layer {kind} has no counterpart in other frameworks",
                "Write it with layers and cornu.ops that have one",
            )
        if layer.compute_dtype not in (layer.variable_dtype, "int32", "bool"):
            raise self.refuse(
                f"the layer {kind} computes in {layer.compute_dtype} with weights in "
                f"{layer.variable_dtype}",
                "Set the policy 'float32'",
            )
        inputs = [self.new[tensor] for tensor in node.inputs]
        settings = {k: v for k, v in layer.get_config().items() if k not in NOT_SETTINGS}
        function = settings.pop("activation", None)
        if kind in kinds.SPATIAL:  # some layers only know one
            settings.setdefault("data_format", "channels_last")
        made = LAYERS[kind](self, node, name, inputs, settings)
        if kind != "Activation" and getattr(layer, "activation", None) is not None:
            kind, attributes = self._function_of(layer.activation, function, out.ndim)
            if attributes["function"] != "linear":
                made = self.step(
                    kind, f"{name}_{attributes['function']}", [made], out.shape, out.dtype,
                    layer, "activation", **attributes,
                )  # fmt: skip
        return made

    def _function_of(self, function: Any, config: Any, ndim: int) -> tuple[str, dict]:
        """Kind and settings of an activation function, or of a layer used as one."""
        if isinstance(function, Layer):
            kind = type(function).__name__
            if kind in ACTIVATION_LAYERS:
                return "activation", activation_settings(function, ndim)
            raise self.refuse(f"the activation {kind} cannot be carried over")
        name = getattr(function, "__name__", "")
        if getattr(activations, name, None) is not function:
            raise self.refuse(
                f"the activation {name or function!r} is a function of your own",
                "Write it with layers and cornu.ops",
            )
        return "activation", activation(name, {}, ndim)

    # -- functions ---------------------------------------------------------------------------------

    def _function(self, node: Node, name: str) -> KerasTensor:
        reader = FUNCTIONS.get(node.operation)
        if reader is None:
            raise self.refuse(f"the operation {node.operation!r} cannot be carried over")
        values = [self._value(one) for one in node.args]
        named = {key: self._value(one) for key, one in node.kwargs.items()}
        return reader(self, node, name, values, named)

    def _value(self, value: Any) -> Any:
        """An argument with the new network's tensors, and arrays as NumPy's."""
        if isinstance(value, KerasTensor):
            return self.new[value]
        if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
            return type(value)(self._value(one) for one in value)
        return np.asarray(value) if isinstance(value, jax.Array) else value
