"""New models from models and from their configurations."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jax

from cornu.core.serialization import deserialize, serialize
from cornu.graph import FunctionOperation, KerasTensor, Node
from cornu.layers import Input, InputLayer
from cornu.layers.layer import Layer
from cornu.models.functional import Functional
from cornu.models.graph_config import takes_graph
from cornu.models.model import Model
from cornu.models.sequential import Sequential


def model_from_config(config: dict, custom_objects: dict | None = None) -> Model:
    """A new model, with fresh weights, from a configuration.

    Args:
        config: what `cornu.saving.serialize_keras_object(model)` gives, or `json.loads` of
            `model.to_json()`, here or in Keras 3.
        custom_objects: dict from name to class or function, for those of your own that are not
            registered.

    Raises ValueError where it names a class or function that is not known.

    >>> from cornu import Sequential, layers, saving
    >>> config = saving.serialize_keras_object(Sequential([Input((2,)), layers.Dense(3)]))
    >>> model_from_config(config).output_shape
    (None, 3)
    """
    model = deserialize(config, custom_objects)
    if not isinstance(model, Model):
        raise ValueError(
            f"model_from_config: the configuration describes a {type(model).__name__}, not a model"
        )
    return model


def model_from_json(json_string: str, custom_objects: dict | None = None) -> Model:
    """A new model, with fresh weights, from what `model.to_json()` gave here or in Keras 3.

    Args:
        json_string: the JSON.
        custom_objects: as for `model_from_config`.

    Raises ValueError for what is no JSON, or names a class or function that is not known.

    >>> from cornu import Sequential, layers
    >>> model = Sequential([Input((2,)), layers.Dense(3)])
    >>> model_from_json(model.to_json()).output_shape
    (None, 3)
    """
    try:
        config = json.loads(json_string)
    except json.JSONDecodeError as error:
        raise ValueError(f"model_from_json: the string is no JSON: {error}") from None
    return model_from_config(config, custom_objects)


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable | None = None,
    call_function: Callable | None = None,
    recursive: bool = False,
) -> Model:
    """A model of the same layers with weights of its own, freshly initialized.

    A compiled model gives a compiled one.

    Args:
        model: a model.
        input_tensors: symbolic tensors to build a `Sequential` or functional model on, nested as
            its inputs are; by default new inputs of the same shapes.
        clone_function: `layer -> layer`, makes the layer that takes a layer's place; by default one
            of the same configuration. Not asked for inputs.
        call_function: `(layer, *args, **kwargs) -> outputs`, applies a new layer in a functional
            model; by default calls it.
        recursive: whether `clone_function` is asked for the layers of models inside, and not for
            those models themselves.

    Raises:
        ValueError: tensors that do not fit; an option that this kind of model does not take.

    >>> from cornu import Sequential, layers
    >>> clone_model(Sequential([Input((2,)), layers.Dense(3)])).count_params()
    9
    """
    cloner = _Cloner(clone_function, call_function, recursive)
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError(
                "clone_model(call_function=...): the layers of a Sequential are listed, not "
                "called; use clone_function"
            )
        return cloner.sequential(model, input_tensors)
    if isinstance(model, Functional) and (
        takes_graph(type(model)) or clone_function is not None or input_tensors is not None
    ):
        return cloner.functional(model, input_tensors)
    for name, value in (
        ("input_tensors", input_tensors),
        ("clone_function", clone_function),
        ("call_function", call_function),
    ):
        if value is not None:
            raise ValueError(
                f"clone_model({name}=...): only Sequential and functional models can be taken "
                f"apart, {model.name!r} is a {type(model).__name__}"
            )
    return deserialize(serialize(model), {type(model).__name__: type(model)})


class _Cloner:
    """Makes one new layer for each layer, wherever that is used."""

    def __init__(self, clone: Callable | None, call: Callable | None, recursive: bool):
        self.clone = clone or _fresh_copy
        self.call = call
        self.recursive = recursive
        self.made: dict[int, Any] = {}

    def layer(self, layer: Layer) -> Any:
        """The layer in the place of a layer."""
        if id(layer) not in self.made:
            if self.recursive and isinstance(layer, Sequential):
                new: Any = self.sequential(layer, None)
            elif self.recursive and isinstance(layer, Functional):
                new = self.functional(layer, None)
            else:
                new = self.clone(layer)
            self.made[id(layer)] = new
        return self.made[id(layer)]

    def sequential(self, model: Sequential, input_tensors: Any) -> Model:
        layers = [self.layer(layer) for layer in model.layers]
        first = next(iter(model._layers), None)
        if input_tensors is not None:
            tensors = jax.tree_util.tree_leaves(input_tensors)
            if len(tensors) != 1 or not isinstance(tensors[0], KerasTensor):
                raise ValueError(
                    "clone_model(input_tensors=...): a Sequential takes one symbolic tensor, "
                    f"received {input_tensors!r}"
                )
            layers.insert(0, _input_for(tensors[0]))
        elif isinstance(first, InputLayer):
            layers.insert(0, InputLayer.from_config(first.get_config()))
        new = Sequential(layers, name=model.name, trainable=model.trainable)
        return _compiled_like(model, new)

    def functional(self, model: Functional, input_tensors: Any) -> Model:
        if input_tensors is None:
            inputs = jax.tree_util.tree_map(
                lambda tensor: Input(
                    batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.node.name
                ),
                model.input,
            )
        else:
            inputs = _like(model.input, input_tensors)
        flat = model.graph.run(jax.tree_util.tree_leaves(inputs), self._apply)
        outputs = jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(model.output), flat)
        cls = type(model) if takes_graph(type(model)) else Functional
        return _compiled_like(model, cls(inputs, outputs, name=model.name))

    def _apply(self, node: Node, args: tuple, kwargs: dict) -> Any:
        target = node.target
        if isinstance(target, FunctionOperation):
            if id(target) not in self.made:
                self.made[id(target)] = FunctionOperation(target.function, target.name)
            return self.made[id(target)].record(args, kwargs)
        layer = self.layer(target)
        return layer(*args, **kwargs) if self.call is None else self.call(layer, *args, **kwargs)


def _fresh_copy(layer: Layer) -> Layer:
    config = serialize(layer)
    config = {key: config[key] for key in ("module", "class_name", "config", "registered_name")}
    return deserialize(config, {type(layer).__name__: type(layer)})


def _input_for(tensor: KerasTensor) -> Any:
    """An entrance for a symbolic tensor: the one that it comes from, or a new one like it."""
    if tensor.node is not None and isinstance(tensor.node.target, InputLayer):
        return tensor
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype)


def _like(inputs: Any, tensors: Any) -> Any:
    """The given tensors in the nest that a model's inputs have."""
    flat = jax.tree_util.tree_leaves(tensors)
    structure: Any = jax.tree_util.tree_structure(inputs)
    if any(not isinstance(tensor, KerasTensor) for tensor in flat):
        raise ValueError(f"clone_model(input_tensors={tensors!r}): expected symbolic tensors")
    if len(flat) != structure.num_leaves:
        raise ValueError(
            f"clone_model(input_tensors=...): the model has {structure.num_leaves} inputs, "
            f"received {len(flat)}"
        )
    return structure.unflatten(flat)


def _compiled_like(model: Model, new: Model) -> Model:
    config = model.get_compile_config() if model.compiled else None
    if config:
        new.compile_from_config(config)
    return new
