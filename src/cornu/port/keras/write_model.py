"""Writing a `Network` as a Cornu model."""

from __future__ import annotations

from typing import Any

import numpy as np

import cornu
from cornu import layers, ops
from cornu.core.dtypes import floatx
from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port import kinds
from cornu.port.keras.form import keras_form
from cornu.port.keras.write_training import compile_model, penalized
from cornu.port.network import Network, Operation


def write_model(network: Network, dtype: str | None = None) -> Any:
    """A Cornu model of a network: Sequential where it is a chain of layers, else Functional.

    Args:
        network: with images in any layout.
        dtype: of weights and computation. Default that of the network's weights.

    Returns:
        A built `cornu.Model` with the network's weights; compiled where the network has a training.

    Raises:
        PortError: what has no counterpart in Keras, by name.
    """
    network = keras_form(penalized(network))
    dtype = dtype or _dtype_of(network)
    made: dict[int, Any] = {}
    model: Any
    if _is_chain(network):
        chain = [_input(network.nodes[0], dtype)]
        chain += [_layer(node.target, dtype, made) for node in network.nodes[1:]]
        model = cornu.Sequential(chain, name=network.name)
    else:
        tensors: dict[KerasTensor, Any] = {}
        for node in network.nodes:
            tensors[node.outputs[0]] = (
                _input(node, dtype)
                if node.operation == "InputLayer"
                else _call(node, tensors, dtype, made)
            )
        inputs = [tensors[tensor] for tensor in network.inputs]
        outputs = [tensors[tensor] for tensor in network.outputs]
        model = cornu.Model(
            inputs[0] if len(inputs) == 1 else inputs,
            outputs[0] if len(outputs) == 1 else outputs,
            name=network.name,
        )
    for operation in network.operations:
        if operation.parameters:
            _set_weights(made[id(operation)], operation)
    if network.training is not None:
        compile_model(model, network.training)
    return model


def _dtype_of(network: Network) -> str:
    for _, _, value in network.weights():
        if value.dtype.kind == "f":
            return str(value.dtype)
    return floatx()


def _is_chain(network: Network) -> bool:
    """Whether each node is a layer that takes what the one before gives."""
    if len(network.inputs) != 1 or len(network.outputs) != 1 or len(network.nodes) < 2:
        return False
    if len({id(node.target) for node in network.nodes}) < len(network.nodes):
        return False
    before = network.nodes[0]
    for node in network.nodes[1:]:
        is_layer = node.operation[0].isupper() and "training" not in node.attributes
        if not is_layer or node.args != (before.outputs[0],):
            return False
        before = node
    return before.outputs[0] is network.outputs[0]


def _input(node: Node, dtype: str) -> Any:
    out = node.outputs[0]
    # JAX counts in int32
    kind = dtype if out.dtype.startswith("float") else out.dtype.replace("int64", "int32")
    return layers.Input(shape=out.shape[1:], dtype=kind, name=node.name)


def _layer(operation: Operation, dtype: str, made: dict[int, Any]) -> Any:
    """The layer of an operation, made once."""
    if id(operation) not in made:
        settings = {k: v for k, v in operation.attributes.items() if k != "training"}
        if dtype != floatx():
            settings["dtype"] = dtype
        layer = getattr(layers, operation.kind)(name=operation.name, **settings)
        layer.trainable = operation.trainable
        made[id(operation)] = layer
    return made[id(operation)]


def _call(node: Node, tensors: dict[KerasTensor, Any], dtype: str, made: dict[int, Any]) -> Any:
    args = [
        tensors[arg] if isinstance(arg, KerasTensor) else _constant(arg, dtype) for arg in node.args
    ]
    kind, settings = node.operation, node.attributes
    if kind[0].isupper():
        layer = _layer(node.target, dtype, made)
        given = {"training": True} if settings.get("training") else {}
        return layer(args if len(args) > 1 else args[0], **given)
    made_by_function = function(kind, args, settings)
    # names of their own, which no layer has
    made_by_function.node.name = made_by_function.node.target.name = node.name
    return made_by_function


def _constant(value: Any, dtype: str) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(dtype)
    return value


def function(kind: str, args: list, settings: dict) -> Any:
    """Calls a function of `cornu.ops` as a node of `keras_form` says."""
    if kind == "get_item":
        return args[0][tuple(settings["key"])]
    if kind == "concatenate" or kind == "stack":
        return getattr(ops, kind)(args, axis=settings["axis"])
    if kind == "take":
        return ops.take(args[0], settings["indices"], axis=settings["axis"])
    if kind == "einsum":
        return ops.einsum(settings["subscripts"], *args)
    if kind == "add" and len(args) > 2:
        total = args[0]
        for one in args[1:]:
            total = ops.add(total, one)
        return total
    return getattr(ops, kind)(*args, **settings)


def _set_weights(layer: Any, operation: Operation) -> None:
    for name in kinds.WEIGHTS[operation.kind]:
        if name in operation.parameters:
            getattr(layer, name).assign(operation.parameters[name])
