"""Reading a compiled model of Cornu's into `Facts`."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from cornu import activations, losses, metrics
from cornu.check.facts import (
    Facts,
    Loss,
    Metric,
    Operation,
    OptimizerFacts,
    Output,
    Parameter,
    Training,
)
from cornu.check.statistics import ArrayFacts
from cornu.core import naming
from cornu.core.places import Place
from cornu.core.variable import Variable
from cornu.graph.graph import Graph
from cornu.graph.node import Node
from cornu.layers import Layer
from cornu.models.tracing import graph_of, traced_graph
from cornu.optimizers.schedules import LearningRateSchedule
from cornu.train.targets import flat_targets, per_output

# Layers that are an activation function and nothing else.
_ACTIVATION_LAYERS = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "PReLU": "prelu",
    "ELU": "elu",
    "Softmax": "softmax",
}
_ACTIVATION_FUNCTIONS = frozenset(
    name for name in vars(activations) if callable(getattr(activations, name)) and name.islower()
)
_ROLES = {
    "kernel": "kernel",
    "embeddings": "kernel",
    "depthwise_kernel": "kernel",
    "pointwise_kernel": "kernel",
    "bias": "bias",
    "gamma": "scale",
    "scale": "scale",
    "beta": "offset",
    "moving_mean": "moving mean",
    "moving_variance": "moving variance",
    "recurrent_kernel": "recurrent kernel",
}


def read_model(
    model: Any,
    x: Any = None,
    y: Any = None,
    validation_data: Any = None,
    training: Training | None = None,
    complete: bool = True,
) -> Facts:
    """What is known of a model.

    Args:
        model: a `cornu.Model`, built.
        x, y: NumPy or JAX arrays of (rows, ...), or nests of them, of the training data; or None.
        validation_data: `(x, y)` of the same kind, or None.
        training: how it will be trained, or None.
        complete: False where x and y are one batch of a stream.

    Returns:
        Facts; of a network whose inside cannot be followed (its `call` looks at values), the inside
        is one operation. Nothing about the model is changed.
    """
    operations, ends, names = _operations(model)
    outputs = [Output(name, end) for name, end in zip(names, ends, strict=True)]
    _add_losses(model, outputs, y)
    training = training or Training()
    places = getattr(model, "_places", {})
    training.compile_place = training.compile_place or places.get("compile")
    validation_x, validation_y = (validation_data or (None, None))[:2]
    if y is not None:
        for output, labels in _labels(outputs, y):
            output.labels = ArrayFacts(labels, f"the labels of {output.name}", complete)
    if validation_y is not None:
        for output, labels in _labels(outputs, validation_y):
            output.validation_labels = ArrayFacts(
                labels, f"the validation labels of {output.name}", complete
            )
    trainable = model.trainable_variables
    called = _inside({operation.name for operation in operations}, model)
    return Facts(
        framework="cornu",
        operations=operations,
        outputs=outputs,
        inputs=_arrays(x, "x", complete),
        validation_inputs=_arrays(validation_x, "the validation data", complete),
        optimizer=_optimizer(model.optimizer, places.get("optimizer")),
        training=training,
        parameters=sum(int(np.prod(variable.shape)) for variable in trainable),
        unused=[
            (layer.name, type(layer).__name__, layer._place)
            for layer in _leaves(model)
            if layer.name not in called
        ]
        # of a network whose inside is unknown nothing is known to be unused
        if len(operations) > 2
        else [],
    )


def _leaves(model: Any) -> list[Layer]:
    return [layer for layer in model._walk() if layer is not model and not layer._sublayers()]


def _inside(names: set[str], model: Any) -> set[str]:
    """The names of called layers, and of all layers inside them."""
    found = set(names)
    for layer in model._walk():
        if layer.name in names:
            found |= {inner.name for inner in layer._walk()}
    return found


def _arrays(data: Any, name: str, complete: bool) -> list[ArrayFacts]:
    if isinstance(data, dict):
        return [ArrayFacts(value, str(key), complete) for key, value in sorted(data.items())]
    leaves = jax.tree_util.tree_leaves(data)
    several = len(leaves) > 1
    return [
        ArrayFacts(leaf, f"{name}[{i}]" if several else name, complete)
        for i, leaf in enumerate(leaves)
    ]


def _labels(outputs: list[Output], y: Any) -> list[tuple[Output, Any]]:
    try:
        flat = flat_targets(y, [output.name for output in outputs], len(outputs))
    except ValueError:
        return []
    return [(out, one) for out, one in zip(outputs, flat, strict=True) if one is not None]


# -- the network -----------------------------------------------------------------------------------


def _operations(model: Any) -> tuple[list[Operation], list[Operation], list[str]]:
    """The operations in computing order, those that make the outputs, and the outputs' names."""
    reader = _Reader()
    graph = graph_of(model)
    if graph is not None:
        made = reader.read(graph)
        names = list(model.output_names or _numbered(graph.outputs))
        return reader.operations, made, names
    try:
        graph = traced_graph(model)
        if graph is not None:
            made = reader.read(graph)
            return reader.operations, made, list(model.output_names or _numbered(graph.outputs))
    except Exception:  # code of the user's that asks for values: its inside stays unknown
        pass
    whole = Operation(type(model).__name__, model.name, place=model._place)
    entrance = Operation("Input", "input")
    whole.inputs = [entrance]
    return [entrance, whole], [whole], list(model.output_names or ["output"])[:1]


def _numbered(outputs: list) -> list[str]:
    return [f"output_{number}" for number in range(len(outputs))]


class _Reader:
    """Makes operations of the nodes of graphs, of models within models too."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self._of_tensor: dict[int, Operation] = {}

    def read(self, graph: Graph) -> list[Operation]:
        """Reads a graph; returns the operations that make its outputs."""
        for node in graph.nodes:
            if all(id(tensor) in self._of_tensor for tensor in node.outputs):
                continue  # an input of a model within, which something here has made already
            inner = graph_of(node.target) if node.inputs else None
            if inner is not None and len(inner.inputs) == len(node.inputs):
                # the same model may be called again: its tensors then mean other operations
                for inside, outside in zip(inner.inputs, node.inputs, strict=True):
                    self._of_tensor[id(inside)] = self._of_tensor[id(outside)]
                for step in inner.nodes:
                    for tensor in step.outputs:
                        if not any(tensor is entrance for entrance in inner.inputs):
                            self._of_tensor.pop(id(tensor), None)
                made = self.read(inner)
                for tensor, operation in zip(node.outputs, made, strict=True):
                    self._of_tensor[id(tensor)] = operation
                continue
            operation = self._add(node)
            for tensor in node.outputs:
                self._of_tensor[id(tensor)] = operation
        return [self._of_tensor[id(tensor)] for tensor in graph.outputs]

    def _add(self, node: Node) -> Operation:
        layer = node.target
        first = node.outputs[0]
        kind, settings, fused = _describe(node)
        operation = Operation(
            kind=kind,
            name=node.name,
            settings=settings,
            inputs=[self._of_tensor[id(tensor)] for tensor in node.inputs],
            shape=tuple(first.shape),
            dtype=str(first.dtype),
            parameters=_parameters(layer),
            place=getattr(layer, "_place", None),
            channels_first=settings.get("data_format") == "channels_first",
            trainable=getattr(layer, "trainable", True),
            call=node.call_index,
        )
        self.operations.append(operation)
        if fused is None:
            return operation
        follow = Operation(
            kind="activation",
            name=node.name,
            settings={"function": fused, "axis": -1},
            inputs=[operation],
            shape=operation.shape,
            dtype=operation.dtype,
            place=operation.place,
            channels_first=operation.channels_first,
            fused=True,
            trainable=operation.trainable,
            call=node.call_index,
        )
        self.operations.append(follow)
        return follow


def _describe(node: Node) -> tuple[str, dict, str | None]:
    """Kind, settings and fused activation of a node."""
    layer = node.target
    if node.is_input:
        return "Input", {}, None
    if not isinstance(layer, Layer):
        plain = {key: value for key, value in node.kwargs.items() if _is_plain(value)}
        if node.operation in _ACTIVATION_FUNCTIONS:
            return "activation", {"axis": -1, **plain, "function": node.operation}, None
        return node.operation, plain, None
    kind = type(layer).__name__
    settings = {
        name: _plain(value) for name, value in _config(layer).items() if not name.startswith("_")
    }
    if kind in _ACTIVATION_LAYERS:
        return "activation", {"axis": -1, **settings, "function": _ACTIVATION_LAYERS[kind]}, None
    function = _function_name(getattr(layer, "activation", None))
    if kind == "Activation":
        return ("activation", {"axis": -1, "function": function}, None)
    if function in (None, "linear") or hasattr(layer, "recurrent_activation"):
        return kind, settings, None
    return kind, settings, function


def _config(layer: Layer) -> dict:
    try:
        return layer.get_config()
    except Exception:  # a layer of the user's without a configuration, or with a faulty one
        return {}


def _function_name(function: Any) -> str | None:
    if function is None:
        return None
    if isinstance(function, Layer):
        return _ACTIVATION_LAYERS.get(type(function).__name__, type(function).__name__)
    return getattr(function, "__name__", type(function).__name__)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str, tuple, list))


def _plain(value: Any) -> Any:
    """Settings as rules read them: a regularizer as its factors, an object as its class name."""
    if isinstance(value, dict) and "class_name" in value:
        config = value.get("config") or {}
        name = value["class_name"]
        if name in ("L1", "L2", "L1L2", "OrthogonalRegularizer"):
            return {
                "l1": float(config.get("l1", 0.0) or 0.0),
                "l2": float(config.get("l2", 0.0) or 0.0),
            }
        return name
    return value


def _parameters(layer: Any) -> list[Parameter]:
    if not isinstance(layer, Layer):
        return []
    found = []
    for variable in layer.weights:
        name = variable.name
        shape = tuple(variable.shape)
        role = _ROLES.get(name, "other")
        found.append(
            Parameter(
                name=name,
                role=role,
                shape=shape,
                trainable=variable.trainable and layer.trainable,
                read=variable.numpy,
                # of a window that sees one channel Keras counts all of them as inputs, wrongly
                fan=None if "Depthwise" in type(layer).__name__ else _fan(name, shape),
            )
        )
    return found


def _fan(name: str, shape: tuple) -> tuple[int, int] | None:
    """Inputs and outputs of a unit: of a kernel (window..., inputs, outputs)."""
    if name not in ("kernel", "recurrent_kernel") or len(shape) < 2:
        return None
    window = int(np.prod(shape[:-2]))
    return int(shape[-2]) * window, int(shape[-1]) * window


# -- loss, metrics, optimizer ----------------------------------------------------------------------

_EXPECTS = {
    "categorical_crossentropy": ("probabilities", "one-hot"),
    "categorical_focal_crossentropy": ("probabilities", "one-hot"),
    "sparse_categorical_crossentropy": ("probabilities", "classes"),
    "binary_crossentropy": ("probabilities", "binary"),
    "binary_focal_crossentropy": ("probabilities", "binary"),
    "kl_divergence": ("probabilities", "one-hot"),
    "poisson": ("values", "values"),
    "mean_squared_error": ("values", "values"),
    "mean_absolute_error": ("values", "values"),
    "mean_absolute_percentage_error": ("values", "values"),
    "mean_squared_logarithmic_error": ("values", "values"),
    "huber": ("values", "values"),
    "log_cosh": ("values", "values"),
    "hinge": ("values", "signs"),
    "squared_hinge": ("values", "signs"),
    "categorical_hinge": ("values", "one-hot"),
}


def _add_losses(model: Any, outputs: list[Output], y: Any) -> None:
    arguments = getattr(model, "_compile_arguments", {})
    names = [output.name for output in outputs]
    place = getattr(model, "_places", {}).get("compile")
    given = arguments.get("loss")
    if isinstance(given, (list, tuple)) and len(given) == 1 and len(names) == 1:
        given = given[0]
    try:
        each = per_output(given, names, "loss")
        measured = [
            [*_listed(one), *_listed(two)]
            for one, two in zip(
                _metrics_of(arguments.get("metrics"), names),
                _metrics_of(arguments.get("weighted_metrics"), names),
                strict=True,
            )
        ]
    except ValueError:  # compile's own message says it when training starts
        return
    labels = {id(output): one for output, one in _labels(outputs, y)} if y is not None else {}
    for output, one, several in zip(outputs, each, measured, strict=True):
        target = labels.get(id(output))
        if one is not None:
            output.loss = _loss(one, place, output, target)
        output.metrics = [_metric(metric, place, output, target) for metric in several]


def _metrics_of(given: Any, names: list[str]) -> list:
    if not isinstance(given, dict) and len(names) == 1:
        return [given]
    return per_output(given, names, "metrics")


def _listed(value: Any) -> list:
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return [one for item in value for one in _listed(item)]
    return [value]


def _by_shape(prefix: str, output: Output, target: Any) -> str | None:
    """What "accuracy" or "crossentropy" means for an output, as Keras resolves it."""
    if target is None or not output.operation.shape:
        return None
    resolved = metrics.for_output(
        prefix,
        jax.ShapeDtypeStruct(tuple(np.shape(target)), str(target.dtype)),
        jax.ShapeDtypeStruct(tuple(output.operation.shape), "float32"),
    )
    return naming.to_snake_case(type(resolved).__name__)


def _loss(given: Any, place: Place | None, output: Output, target: Any) -> Loss:
    written = given if isinstance(given, str) else getattr(given, "__name__", type(given).__name__)
    if given in ("crossentropy", "ce"):
        kind = _by_shape("crossentropy", output, target) or "custom"
        settings: dict = {}
    else:
        found = losses.get(given)
        inner = getattr(found, "fn", found)
        kind = getattr(inner, "__name__", type(found).__name__)
        if kind not in _EXPECTS and getattr(losses, kind, None) is not inner:
            kind = "custom"
        settings = {
            key: value
            for key, value in getattr(found, "_fn_kwargs", {}).items()
            if _is_plain(value)
        }
    expects, labels = _EXPECTS.get(kind, (None, None))
    if settings.get("from_logits"):
        expects = "logits"
    return Loss(
        kind=kind,
        written=written,
        expects=expects,  # type: ignore[arg-type]
        labels=labels,
        class_axis=settings.get("axis", -1),
        place=getattr(given, "_place", None) or place,
        settings=settings,
    )


def _metric(given: Any, place: Place | None, output: Output, target: Any) -> Metric:
    written = given if isinstance(given, str) else getattr(given, "__name__", type(given).__name__)
    if written in ("accuracy", "acc"):
        kind = _by_shape("accuracy", output, target) or "accuracy"
    else:
        found = metrics.get(given)
        inner = getattr(found, "_fn", getattr(found, "fn", None))
        kind = getattr(inner, "__name__", naming.to_snake_case(type(found).__name__))
    return Metric(kind=kind, written=written, place=getattr(given, "_place", None) or place)


def _optimizer(optimizer: Any, place: Place | None) -> OptimizerFacts | None:
    if optimizer is None:
        return None
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    name = type(inner).__name__
    try:
        config = inner.get_config()
    except Exception:  # an optimizer of another library, or of the user's own
        config = {}
    settings = {
        key: value for key, value in config.items() if isinstance(value, (int, float, bool))
    }
    rate = getattr(inner, "_learning_rate", None)
    schedule = None
    if isinstance(rate, LearningRateSchedule):
        schedule = lambda step: float(np.asarray(rate(step)))  # noqa: E731
        settings["learning_rate"] = schedule(0)
    elif isinstance(rate, Variable):
        # without the digits that float32 adds: 0.001, not 0.0010000000474974513
        settings["learning_rate"] = float(f"{float(rate.numpy()):.6g}")
    return OptimizerFacts(
        kind=name.lower(),
        written=name,
        settings=settings,
        schedule=schedule,
        place=getattr(inner, "_place", None) or place,
    )
