"""The graph of a functional model as a configuration of Keras 3, and back."""

from __future__ import annotations

import inspect
from typing import Any

import jax

from cornu.core.serialization import deserialize, serialize
from cornu.graph.graph import Graph
from cornu.graph.node import FunctionOperation, Node
from cornu.graph.tensor import KerasTensor
from cornu.layers import InputLayer
from cornu.saving.operations import is_operation, read_operation, write_operation


def takes_graph(cls: type) -> bool:
    """Whether the constructor of a model class takes inputs and outputs, as `Model`'s does."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    kinds = {parameter.kind for parameter in parameters}
    passes_on = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= kinds
    return passes_on or [one.name for one in parameters[:2]] == ["inputs", "outputs"]


def write_graph(graph: Graph, inputs: Any, outputs: Any) -> dict:
    """The layers and operations of a graph, each with what it is applied to, and the ends.

    Args:
        graph: of the model.
        inputs, outputs: the nests of its symbolic inputs and outputs.
    """
    return _Writer(graph).write(inputs, outputs)


class _Writer:
    def __init__(self, graph: Graph):
        self.targets = graph.targets
        # an application is named by its place among those in this network
        self.nodes: dict[int, list[Node]] = {}
        for node in sorted(graph.nodes, key=lambda node: node.call_index):
            self.nodes.setdefault(id(node.target), []).append(node)

    def write(self, inputs: Any, outputs: Any) -> dict:
        return {
            "layers": [self._entry(target) for target in self.targets],
            "input_layers": jax.tree_util.tree_map(self._end, inputs),
            "output_layers": jax.tree_util.tree_map(self._end, outputs),
        }

    def _history(self, tensor: KerasTensor) -> list:
        place = self.nodes[id(tensor.node.target)].index(tensor.node)
        return [tensor.node.name, place, tensor.index]

    def _end(self, tensor: KerasTensor) -> list:
        name, place, index = self._history(tensor)
        return [name, place + _offset(tensor.node.target), index]

    def _entry(self, target: Any) -> dict:
        nodes = [node for node in self.nodes[id(target)] if not node.is_input]
        if isinstance(target, FunctionOperation):
            return write_operation(target, nodes, self._argument)
        entry = serialize(target)
        entry["name"] = target.name
        entry["inbound_nodes"] = [
            {"args": self._argument(list(node.args)), "kwargs": self._argument(node.kwargs)}
            for node in nodes
        ]
        return entry

    def _argument(self, value: Any) -> Any:
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


def _offset(target: Any) -> int:
    """What Keras adds to the place of an application at an end of the network.

    It counts from 1 for functional models inside, which had an application of their own to begin
    with in older releases.
    """
    return 1 if any(base.__name__ == "Functional" for base in type(target).__mro__) else 0


class _NotYet(Exception):
    """A tensor that no application met so far makes."""


def read_graph(config: dict, custom_objects: dict | None = None) -> tuple[Any, Any]:
    """The nests of symbolic inputs and outputs of the graph that a configuration describes.

    Raises ValueError where it names a class or an operation that is not known, or does not hold
    together.
    """
    return _Reader(custom_objects).read(config)


class _Reader:
    def __init__(self, custom_objects: dict | None):
        self.custom_objects = custom_objects
        self.targets: dict[str, Any] = {}
        self.arguments: dict[str, Any] = {}
        self.made: dict[tuple[str, int], list] = {}

    def read(self, config: dict) -> tuple[Any, Any]:
        calls = []
        for entry in config["layers"]:
            name = entry.get("name") or entry["config"]["name"]
            self._make(name, entry)
            calls += [
                (name, place, node) for place, node in enumerate(entry.get("inbound_nodes") or ())
            ]
        while calls:
            waiting = [call for call in calls if not self._apply(*call)]
            if len(waiting) == len(calls):
                raise ValueError(
                    f"the configuration of {config.get('name')!r} does not hold together: no layer "
                    f"makes what {waiting[0][0]!r} is applied to"
                )
            calls = waiting
        return self._ends(config["input_layers"]), self._ends(config["output_layers"])

    def _make(self, name: str, entry: dict) -> None:
        if is_operation(entry):
            self.targets[name], self.arguments[name] = read_operation(entry)
            return
        target = deserialize(entry, self.custom_objects)
        self.targets[name] = target
        if isinstance(target, InputLayer):
            self.made[name, 0] = jax.tree_util.tree_leaves(target.output)

    def _apply(self, name: str, place: int, node: Any) -> bool:
        """Applies a layer; False where what it is applied to is not there yet."""
        if not isinstance(node, dict):
            raise ValueError(
                f"the configuration says in the way of Keras 2 what {name!r} is applied to; open "
                "and save it in Keras 3"
            )
        try:
            args, kwargs = self._filled(node["args"]), self._filled(node["kwargs"])
        except _NotYet:
            return False
        target = self.targets[name]
        if isinstance(target, FunctionOperation):
            args, kwargs = self.arguments[name](args, kwargs)
            outputs = target.record(tuple(args), kwargs)
        else:
            outputs = target(*args, **kwargs)
        self.made[name, place] = jax.tree_util.tree_leaves(outputs)
        return True

    def _tensor(self, name: str, place: int, index: int) -> KerasTensor:
        if (name, place) not in self.made:
            if name not in self.targets:
                raise ValueError(f"the configuration refers to a layer {name!r} that it lacks")
            raise _NotYet
        return self.made[name, place][index]

    def _filled(self, value: Any) -> Any:
        """An argument with symbolic tensors and objects in the place of their descriptions."""
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                return self._tensor(*value["config"]["keras_history"])
            if "class_name" in value and "config" in value:
                return deserialize(value, self.custom_objects)
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._filled(item) for item in value]
        return value

    def _ends(self, value: Any) -> Any:
        if _is_history(value):
            name, place, index = value
            try:
                return self._tensor(name, place - _offset(self.targets.get(name)), index)
            except _NotYet:
                raise ValueError(
                    f"the configuration ends in application {place} of {name!r}, which it lacks"
                ) from None
        if isinstance(value, dict):
            return {key: self._ends(item) for key, item in value.items()}
        return [self._ends(item) for item in value]


def _is_history(value: Any) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )
