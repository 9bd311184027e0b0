"""A Cornu model as one side of a comparison."""

from __future__ import annotations

import contextlib
import copy
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu import losses
from cornu.core import dtypes
from cornu.core.compilation import compile_quickly, lower
from cornu.core.context import CallContext, call_context
from cornu.core.variable import bind
from cornu.data.source import make_source
from cornu.graph.graph import Graph
from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.layers.layer import accepts_training
from cornu.models.tracing import graph_of
from cornu.port.keras.read_model import read_model
from cornu.port.proof.runner import Runner, Trained, Weights, in_dtype, looked_at

# A graph is copied by following its nodes, a few calls for each layer of the deepest network.
_RECURSION = 100_000


class ModelRunner(Runner):
    """A built Cornu model; its own loss, optimizer and training step where it is compiled."""

    def __init__(self, model: Any):
        network = read_model(model)
        super().__init__(f"Cornu model {model.name!r}", network)
        self.model = model
        self.has_loss = bool(model.compiled and model._compile_arguments.get("loss"))
        self.has_optimizer = self.has_loss and model.optimizer is not None
        observed = network.observed
        self._graph = Graph(
            [observed[tensor].key for tensor in network.inputs],
            [observed[tensor].key for tensor in network.outputs],
        )
        self._twins: dict[str, _Twin] = {}

    def _forget_loss(self):
        self._twins = {}

    def _twin(self, dtype: str) -> _Twin:
        if dtype not in self._twins:
            self._twins[dtype] = _Twin(self.model, self._graph, dtype, self.has_loss)
        return self._twins[dtype]

    def values(self, inputs, dtype, training=False):
        with precision(dtype):
            twin = self._twin(dtype)
            state = [variable._value for variable in twin.variables]
            seen, _ = twin.forward(self._given(inputs), state, training)
        found = self._tensors(seen)
        for tensor, layer in self._before_activations():
            if (layer, 0) in seen:
                found.setdefault(tensor, seen[layer, 0][0])
        found.update(zip(self.network.inputs, map(np.asarray, inputs), strict=True))
        return found

    def _before_activations(self) -> Iterator[tuple[KerasTensor, Any]]:
        """Tensors between a layer and the activation that it holds, with what names both."""
        observed = self.network.observed
        for tensor, key, number in self._keys:
            node = tensor.node
            if number or node.operation != "activation" or not node.inputs:
                continue
            before = node.inputs[0]
            if before not in observed and len(self.network.consumers()[before]) == 1:
                yield before, key

    def gradients(self, inputs, targets, dtype):
        with precision(dtype):
            twin = self._twin(dtype)
            _, loss, gradients = twin.step(
                self._given(inputs), self._targets(targets), twin.start(self, inputs, targets)
            )
            return float(loss), self._of(twin, twin.program.trainable, gradients)

    def train(self, batches, dtype, inputs):
        with precision(dtype):
            twin = self._twin(dtype)
            state = twin.start(self, *batches[0])
            found, wanted = [], {}
            for number, (x, y) in enumerate(batches, 1):
                state, loss, _ = twin.step(self._given(x), self._targets(y), state)
                found.append(float(loss))
                if number in looked_at(len(batches)):
                    wanted[number] = self._of(twin, twin.program.train_variables, state)
            after = dict(zip(twin.program.train_variables, state, strict=True))
            now = [after.get(variable, variable._value) for variable in twin.variables]
            _, outputs = twin.forward(self._given(inputs), now, False)
        return Trained(found, wanted, self._outputs(outputs))

    def _of(self, twin: _Twin, variables: Sequence, values: Sequence) -> Weights:
        known = dict(zip(variables, values, strict=True))
        return self._weights(lambda key: known.get(twin.variable(key)))


class _Twin:
    """A copy of a model that computes in a dtype, without dropout, and lets its values be seen."""

    def __init__(self, model: Any, graph: Graph, dtype: str, has_loss: bool):
        memo: dict = {}
        with _deep_recursion():
            self.model, self.graph = copy.deepcopy((model, graph), memo)
        self.dtype = dtype
        self._memo, self._original = memo, (model, graph)  # ids in memo stay those of the originals
        self._seen: dict[Any, list] | None = None
        self._prepare()
        self._compile(has_loss)
        self.variables = list(self.model.variables)
        self.program: Any = None
        self._compiled: dict[Any, Any] = {}
        self._captured: dict[str, Any] = {}

    def variable(self, original: Any) -> Any:
        """The copy of a variable of the model."""
        return self._memo.get(id(original))

    # -- the copy ----------------------------------------------------------------------------------

    def _prepare(self) -> None:
        policy = dtypes.DTypePolicy(self.dtype)
        graphs: dict[int, Graph] = {id(self.graph): self.graph}
        for layer in self.model._walk():
            if layer._policy.compute_dtype.startswith(("float", "bfloat")):
                layer._policy = policy
            if hasattr(layer, "_active"):  # dropout and noise
                layer._active = False
            if callable(getattr(layer, "activation", None)):
                layer.activation = self._watched(layer.activation)
            inner = graph_of(layer)
            if inner is not None:
                graphs[id(inner)] = inner
        for variable in self.model.variables:
            if dtypes.is_float(variable._dtype):
                variable._dtype = self.dtype
                value = np.asarray(variable._value).astype(self.dtype)
                variable._value = jax.device_put(value)
        known = {**self._memo_of_tensors()}
        for graph in graphs.values():
            for node in graph.nodes:
                for tensor in (*node.inputs, *node.outputs):
                    if dtypes.is_float(tensor.dtype):
                        tensor.dtype = self.dtype
            graph.run = self._recording(graph, known)  # type: ignore[method-assign]

    def _memo_of_tensors(self) -> dict[int, KerasTensor]:
        """The model's tensors by the ids of their copies."""
        found = {}
        graphs = [self._original[1], *map(graph_of, self._original[0]._walk())]
        for graph in graphs:
            for node in graph.nodes if graph is not None else ():
                for tensor in node.outputs:
                    if id(tensor) in self._memo:
                        found[id(self._memo[id(tensor)])] = tensor
        return found

    def _recording(self, graph: Graph, originals: dict[int, KerasTensor]) -> Callable:
        """`graph.run` that lets the outputs of every node be seen."""

        def run(values, call):
            def seen(node: Node, args, kwargs):
                # what casts to float32 follows the dtype computed in
                args = tuple(map(self._followed, args))
                kwargs = {key: self._followed(value) for key, value in kwargs.items()}
                if self._seen is None:
                    return call(node, args, kwargs)
                self._before = []
                outputs = call(node, args, kwargs)
                before, self._before = self._before, []
                leaves = jax.tree_util.tree_leaves(outputs)
                for tensor, value in zip(node.outputs, leaves, strict=True):
                    key = originals.get(id(tensor))
                    self._seen.setdefault(key, []).append(value)
                    if len(before) == 1:
                        self._seen.setdefault((key, 0), []).append(before[0])
                return outputs

            return Graph.run(graph, values, seen)

        return run

    def _followed(self, value: Any) -> Any:
        return self.dtype if isinstance(value, str) and value == "float32" else value

    def _watched(self, activation: Callable) -> Callable:
        """An activation that lets be seen what it is applied to."""

        def watched(inputs, *args, **kwargs):
            if self._seen is not None:
                self._before.append(inputs)
            return activation(inputs, *args, **kwargs)

        return watched

    _before: list

    def _compile(self, has_loss: bool) -> None:
        """Gives the copy the model's own loss and a fresh optimizer of the same settings."""
        arguments = dict(self.model._compile_arguments) if has_loss else {}
        loss: Any = arguments.get("loss")
        if loss is None:
            outputs = len(self.graph.outputs)
            product = _Product()
            loss = product if outputs == 1 else [_Product() for _ in range(outputs)]
        for one in jax.tree_util.tree_leaves(loss, is_leaf=lambda leaf: not _is_nest(leaf)):
            if isinstance(one, losses.Loss):
                one._dtype = self.dtype
        optimizer: Any = arguments.get("optimizer") or "sgd"
        if not isinstance(optimizer, str):
            optimizer = type(optimizer).from_config(_plain_rate(optimizer.get_config()))
        # metrics are left out: they only take time to compile
        self.model.compile(
            optimizer, loss, loss_weights=arguments.get("loss_weights"), auto_scale_loss=False
        )

    # -- computing ---------------------------------------------------------------------------------

    def forward(self, inputs: list, state: list, training: bool) -> tuple[dict, list]:
        """What is seen of the model for some inputs and values of its variables; its outputs."""
        inputs = [in_dtype(x, self.dtype) for x in inputs]
        key = training, tuple(x.shape for x in inputs)
        if key not in self._compiled:
            keys: list = []

            def run(inputs):
                self._seen = {}
                try:
                    with call_context(CallContext(training)):
                        outputs = self._outputs(inputs, training)
                    keys[:] = [(k, len(v)) for k, v in self._seen.items()]
                    return [one for v in self._seen.values() for one in v], outputs
                finally:
                    self._seen = None

            def pure(state, inputs):
                return bind(run, self.variables)(state, inputs)[0]

            self._compiled[key] = compile_quickly(lower(pure, (state, inputs))), keys
        function, keys = self._compiled[key]
        seen, outputs = jax.device_get(function(state, inputs))
        seen = iter(seen)
        return {k: [next(seen) for _ in range(count)] for k, count in keys}, outputs

    def _outputs(self, inputs: list, training: bool) -> list:
        if graph_of(self.model) is None:  # a subclass: the graph that was traced of it
            return self.graph.run(inputs, lambda node, args, kwargs: node.target(*args, **kwargs))
        nested = inputs if len(inputs) > 1 else inputs[0]
        accepts = accepts_training(self.model)
        outputs = self.model(nested, training=training) if accepts else self.model(nested)
        return jax.tree_util.tree_leaves(outputs)

    def start(self, runner: ModelRunner, inputs: Sequence, targets: Sequence) -> list:
        """The values of all that training changes, before the first step."""
        if self.program is None:
            x, y = self._nested(runner._given(inputs), runner._targets(targets))
            source = make_source(x, y, None, len(inputs[0]), False, None)
            self.program = self.model._prepare(source, "train_on_batch", trains=True)
            optimizer = self.model.optimizer
            apply, measure = optimizer.apply, self.program._measure

            def applied(gradients, variables=None):
                self._captured["gradients"] = list(gradients)
                return apply(gradients, variables)

            def measured(loss, *rest):
                self._captured["loss"] = loss
                return measure(loss, *rest)

            optimizer.apply, self.program._measure = applied, measured
        return [variable._value for variable in self.program.train_variables]

    def _nested(self, inputs: list, targets: list) -> tuple[Any, Any]:
        x = [in_dtype(one, self.dtype) for one in inputs]
        y = [None if one is None else in_dtype(one, self.dtype) for one in targets]
        return (x if len(x) > 1 else x[0]), (y if len(y) > 1 else y[0])

    def step(self, inputs: list, targets: list, state: list) -> tuple[list, Any, list]:
        """The program's own training step: values after it, loss, gradients."""
        x, y = self._nested(inputs, targets)
        batch = (x, y, None)
        key = "step", tuple(x.shape for x in inputs)
        if key not in self._compiled:

            def step(state, batch):
                new, _ = self.program.train_step(state, batch)
                return new, self._captured.pop("loss"), self._captured.pop("gradients")

            self._compiled[key] = compile_quickly(lower(step, (state, batch)))
        return self._compiled[key](state, batch)


class _Product(losses.Loss):
    """The sum of the outputs times given factors: a loss for a network that has none."""

    def __init__(self) -> None:
        super().__init__(name="product", reduction="sum")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return jnp.sum(y_true * y_pred, axis=tuple(range(1, y_pred.ndim)))


@contextlib.contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Within the block, floats are of a dtype by default, and JAX computes in float64 if asked."""
    before = dtypes.floatx()
    with jax.enable_x64(dtype == "float64"):
        dtypes.set_floatx(dtype)
        try:
            yield
        finally:
            dtypes.set_floatx(before)


@contextlib.contextmanager
def _deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _plain_rate(config: dict) -> dict:
    """A configuration without the digits that float32 adds to a learning rate: 0.001."""
    rate = config.get("learning_rate")
    return {**config, "learning_rate": float(f"{rate:.6g}")} if isinstance(rate, float) else config


def _is_nest(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict))
