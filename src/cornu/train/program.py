"""Program: what `compile` and `fit` make of a model.

A pure step `(values, batch) -> values` for training and for evaluation, `(values, x) -> outputs`
for prediction, each inside a compiled loop over a number of batches that is known only when it
runs, so that one compilation serves every length. The values are those of all variables that the
step may change; they are donated, and put back into the variables after each chunk.
"""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.cache import enable_compilation_cache
from cornu.core.compilation import compile_lowered, lower
from cornu.core.context import CallContext, call_context
from cornu.core.dtypes import floatx, to_numpy_dtype
from cornu.core.variable import Variable, bind

# Layers, metrics and optimizers are objects that may keep something while they run, so only one
# thread at a time runs their code; the compiling after it goes on side by side.
_tracing = threading.RLock()

# Which argument of a chunk is given away for the result to be made in. An evaluation only reads the
# weights: giving them away would cost a copy of them.
_DONATED: dict[str, tuple[int, ...]] = {"train": (0,), "test": (), "predict": (5,)}


class Program:
    """The compiled training, evaluation and prediction of one model.

    Args:
        model: an object with `train_targets`, `optimizer`, `compute_loss`, ... : a `models.Model`.
        eager: run each step in Python, uncompiled, for debugging.
    """

    def __init__(self, model, eager: bool = False):
        enable_compilation_cache()
        self.model = model
        self.eager = eager
        self._signature = model._signature()
        self.trainable: list[Variable] = model.trainable_variables
        self.others: list[Variable] = model.non_trainable_variables
        self.optimizer_variables: list[Variable] = (
            list(model.optimizer.variables) if model.optimizer is not None else []
        )
        known = {id(v) for v in (*self.trainable, *self.others)}
        self.metrics = model.metrics
        self.metric_variables: list[Variable] = []
        for metric in self.metrics:
            for variable in metric.variables:
                if id(variable) not in known:
                    known.add(id(variable))
                    self.metric_variables.append(variable)
        self.train_variables = [
            *self.trainable,
            *self.others,
            *self.optimizer_variables,
            *self.metric_variables,
        ]
        self.state_variables = [*self.trainable, *self.others, *self.metric_variables]
        self.log_names: dict[str, list[str]] = {}
        self.result_names: list[str] = []
        self._executables: dict[tuple, _Compiling] = {}
        self._output_specs: dict[tuple, Any] = {}
        self.waited = 0.0  # seconds that the last chunk waited for the compiler
        self.has_own_logs = model.has_own_logs

    def fits(self, model) -> bool:
        """Whether it was made for the variables that the model has now."""
        optimizer = model.optimizer
        return self._signature == model._signature() and (
            _ids(self.optimizer_variables)
            == _ids(optimizer.variables if optimizer is not None else ())
        )

    # -- steps: pure functions of values ----------------------------------------------------------

    def _forward(self, x, y, sample_weight, training: bool):
        """Runs the model and its loss; for use under `bind`."""
        model = self.model
        with call_context(CallContext(training)) as context:
            outputs = model(x, training=training) if _accepts_training(model) else model(x)
            loss = model.compute_loss_of(x, y, outputs, sample_weight, training)
            masks = context.masks_of(outputs)
        return loss, outputs, masks

    def _measure(self, loss, x, y, outputs, masks, sample_weight) -> dict:
        """Takes the batch into account in the metrics; for use under `bind`.

        Returns the logs that a model with a `compute_metrics` of its own gives for this batch.
        """
        model = self.model
        rows = jax.tree_util.tree_leaves(x)[0].shape[0]
        model.loss_tracker.update_state(loss, sample_weight=rows)
        with call_context(CallContext()) as context:
            if masks is not None:
                for output, mask in zip(
                    jax.tree_util.tree_leaves(outputs),
                    jax.tree_util.tree_leaves(masks),
                    strict=True,
                ):
                    context.set_mask(output, mask)
            return model.update_metrics(x, y, outputs, sample_weight)

    def train_step(self, values: list, batch: tuple) -> tuple[list, dict]:
        """The values after training on a batch `(x, y, sample_weight)`, and its own logs."""
        x, y, sample_weight = batch
        trained, others = len(self.trainable), len(self.others)
        train_values = values[:trained]
        # individual loss trackers are updated while the loss is computed
        inner = [*self.trainable, *self.others, *self.metric_variables]
        metric_start = trained + others + len(self.optimizer_variables)
        rest = [*values[trained : trained + others], *values[metric_start:]]
        optimizer = self.model.optimizer

        def objective(train_values):
            (loss, outputs, masks), new = bind(self._forward, inner)(
                [*train_values, *rest], x, y, sample_weight, True
            )
            scaled = optimizer.scale_loss(loss) if hasattr(optimizer, "scale_loss") else loss
            return scaled, (loss, outputs, masks, new[trained:])

        scale_inside = [*self.optimizer_variables]

        def differentiated(*_):
            return jax.value_and_grad(objective, has_aux=True)(train_values)

        ((_, (loss, outputs, masks, new)), gradients), _ = bind(differentiated, scale_inside)(
            values[trained + others : metric_start]
        )
        other_values, metric_values = new[:others], new[others:]
        updated = [*self.trainable, *self.optimizer_variables]
        _, applied = bind(lambda: optimizer.apply(gradients, self.trainable), updated)(
            [*train_values, *values[trained + others : metric_start]]
        )
        new_train, new_optimizer = applied[:trained], applied[trained:]
        own, metric_values = bind(self._measure, self.metric_variables)(
            metric_values, loss, x, y, outputs, masks, sample_weight
        )
        return [*new_train, *other_values, *new_optimizer, *metric_values], own

    def test_step(self, values: list, batch: tuple) -> tuple[list, dict]:
        """The values after evaluating on a batch; the batch's own logs."""
        x, y, sample_weight = batch

        def run():
            loss, outputs, masks = self._forward(x, y, sample_weight, False)
            return self._measure(loss, x, y, outputs, masks, sample_weight)

        own, new = bind(run, self.state_variables)(values)
        return new, own

    def predict_step(self, values: list, x) -> Any:
        """The outputs for a batch of inputs."""

        def run():
            with call_context(CallContext(False)):
                model = self.model
                return model(x, training=False) if _accepts_training(model) else model(x)

        outputs, _ = bind(run, self.state_variables)(values)
        return outputs

    # -- chunks: compiled loops over steps --------------------------------------------------------

    def _reset(self, variables: list[Variable], values: list, reset) -> list:
        """The metrics' values started afresh where `reset` is true."""

        def fresh():
            for metric in self.metrics:
                metric.reset_state()

        _, new = bind(fresh, variables)(values)
        return [
            value if start is value else jnp.where(reset, start, value)
            for value, start in zip(values, new, strict=True)
        ]

    def _results(self, variables: list[Variable], values: list) -> dict:
        results, _ = bind(self.model.get_metrics_result, variables)(values)
        self.result_names = list(results)
        return results

    def _stepping(self, kind: str, batch_size: int) -> Callable:
        """The loop of a chunk of training or evaluation."""
        step = self.train_step if kind == "train" else self.test_step
        variables = self.train_variables if kind == "train" else self.state_variables

        def chunk(values, data, order, start, count, reset):
            values = self._reset(variables, values, reset)

            def body(i, state):
                return step(state[0], _take(data, order, start + i, batch_size))

            own = {}
            if self.has_own_logs:
                shapes = jax.eval_shape(lambda: body(0, (values, {}))[1])
                own = jax.tree_util.tree_map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
            values, own = jax.lax.fori_loop(0, count, body, (values, own))
            results = self._results(variables, values) | own
            return values, _packed(results, self.log_names, kind)

        return chunk

    def _predicting(self, batch_size: int) -> Callable:
        """The loop of a chunk of prediction, which writes into the outputs of the whole block."""

        def chunk(values, data, order, start, count, outputs):
            def body(i, outputs):
                x = _take(data[0], order, start + i, batch_size)
                return jax.tree_util.tree_map(
                    lambda whole, part: jax.lax.dynamic_update_slice_in_dim(
                        whole, part, (start + i) * part.shape[0], 0
                    ),
                    outputs,
                    self.predict_step(values, x),
                )

            return jax.lax.fori_loop(0, count, body, outputs)

        return chunk

    def _empty_outputs(self, values: list, block) -> Any:
        """Room for the outputs of all batches of a block."""
        size = block.batch_size
        batches = block.order.shape[0] // size
        x = jax.tree_util.tree_map(
            lambda a: jax.ShapeDtypeStruct((size, *a.shape[1:]), a.dtype), block.data[0]
        )
        leaves, structure = jax.tree_util.tree_flatten(x)
        key = structure, tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        if key not in self._output_specs:
            with _tracing:
                self._output_specs[key] = jax.eval_shape(self.predict_step, values, x)
        specs = self._output_specs[key]
        return jax.tree_util.tree_map(
            lambda spec: jax.device_put(
                np.zeros((batches * spec.shape[0], *spec.shape[1:]), spec.dtype)
            ),
            specs,
        )

    def _compiling(self, kind: str, batch_size: int, arguments: tuple) -> _Compiling:
        """The compiled chunk for arguments of these shapes, or its compilation under way."""
        leaves, structure = jax.tree_util.tree_flatten(arguments[1:3])
        shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        # of the values, only the number of networks that they are for can vary
        key = (kind, batch_size, *(v.shape for v in arguments[0][:1]), structure, shapes)
        compiling = self._executables.get(key)
        if compiling is None:
            predicts = kind == "predict"
            chunk = self._predicting(batch_size) if predicts else self._stepping(kind, batch_size)
            specs = jax.tree_util.tree_map(_spec, arguments)
            compiling = _Compiling(lambda: compile_lowered(_traced(chunk, specs, _DONATED[kind])))
            self._executables[key] = compiling
        return compiling

    def _ready(self, kind: str, batch_size: int, arguments: tuple) -> Any:
        """The compiled chunk for arguments of these shapes, waited for."""
        compiling = self._compiling(kind, batch_size, arguments)
        before = time.perf_counter()
        executable = compiling.wait()
        self.waited = time.perf_counter() - before
        return executable

    def compile_ahead(self, kind: str, block) -> None:
        """Begins to compile for blocks of this shape in the background.

        Training, its smaller last batch and evaluation are then compiled side by side.
        """
        if not self.eager:
            values = [variable._value for variable in self._variables_of(kind)]
            self._compiling(kind, block.batch_size, self._arguments(values, block, 0, 1, True))

    def _variables_of(self, kind: str) -> list[Variable]:
        return self.train_variables if kind == "train" else self.state_variables

    @staticmethod
    def _arguments(values, block, start: int, count: int, reset: bool) -> tuple:
        return values, block.data, block.order, np.int32(start), np.int32(count), np.bool_(reset)

    def run(self, kind: str, block, start: int, count: int, reset: bool) -> Logs:
        """Trains or evaluates on `count` batches of a block, from batch `start`.

        The variables hold the new values afterwards. Returns the logs, not yet waited for.
        """
        variables = self._variables_of(kind)
        if self.eager:
            return self._run_eagerly(kind, variables, block, start, count, reset)
        values = [variable._value for variable in variables]
        arguments = self._arguments(values, block, start, count, reset)
        values, logs = self._ready(kind, block.batch_size, arguments)(*arguments)
        for variable, value in zip(variables, values, strict=True):
            variable._value = value
        return Logs(logs, self.log_names[kind])

    def _run_eagerly(self, kind, variables, block, start, count, reset) -> Logs:
        if reset:
            for metric in self.metrics:
                metric.reset_state()
        step = self.train_step if kind == "train" else self.test_step
        own: dict = {}
        order = np.asarray(block.order)
        for i in range(start, start + count):
            rows = order[i * block.batch_size : (i + 1) * block.batch_size]
            batch = jax.tree_util.tree_map(lambda a, rows=rows: a[rows], block.data)
            values, own = step([variable._value for variable in variables], batch)
            for variable, value in zip(variables, values, strict=True):
                variable._value = value
        results = self.model.get_metrics_result() | own
        self.result_names = list(results)
        return Logs(_packed(results, self.log_names, kind), self.log_names[kind])

    def predict(self, block, start: int, count: int, outputs: Any = None) -> Any:
        """The outputs of a block, with those of `count` batches from batch `start` written in.

        `outputs` is what an earlier call for the same block returned; it is not to be used again.
        """
        values = [variable._value for variable in self.state_variables]
        if self.eager:
            return self._predict_eagerly(values, block, start, count, outputs)
        if outputs is None:
            outputs = self._empty_outputs(values, block)
        arguments = (values, block.data, block.order, np.int32(start), np.int32(count), outputs)
        return self._ready("predict", block.batch_size, arguments)(*arguments)

    def _predict_eagerly(self, values, block, start, count, outputs) -> Any:
        order = np.asarray(block.order)
        size = block.batch_size
        batches = len(order) // size
        for i in range(start, start + count):
            rows = order[i * size : (i + 1) * size]
            x = jax.tree_util.tree_map(lambda a, rows=rows: a[rows], block.data[0])
            parts = jax.tree_util.tree_map(np.asarray, self.predict_step(values, x))
            if outputs is None:
                outputs = jax.tree_util.tree_map(
                    lambda a: np.zeros((batches * a.shape[0], *a.shape[1:]), a.dtype), parts
                )
            for whole, part in zip(
                jax.tree_util.tree_leaves(outputs), jax.tree_util.tree_leaves(parts), strict=True
            ):
                whole[i * part.shape[0] : (i + 1) * part.shape[0]] = part
        return outputs


_compiler_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@atexit.register
def _wait_for_compilations() -> None:
    """A thread that is still inside the compiler while the interpreter goes away would abort it."""
    for thread in list(_compiler_threads):
        thread.join()


class _Compiling:
    """A compilation in a thread of its own.

    Compiling takes seconds and cannot be interrupted; waiting for a thread can, so that Ctrl-C is
    answered at once. Compiling changes nothing, so one that is left unfinished does no harm.
    """

    def __init__(self, work: Callable[[], Any]):
        self._result: Any = None
        self._error: BaseException | None = None
        self._work: Callable[[], Any] | None = work
        self._thread = threading.Thread(target=self._run, daemon=True, name="cornu-compile")
        _compiler_threads.add(self._thread)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._work()  # type: ignore[misc]
        except BaseException as error:  # it has to reach the thread that waits
            self._error = error
        self._work = None

    def wait(self) -> Any:
        """The compiled function, as soon as it is there."""
        while self._result is None and self._error is None:
            self._thread.join(0.05)
        if self._error is not None:
            raise self._error
        return self._result


def _traced(function: Callable, specs: tuple, donate: tuple[int, ...]) -> Any:
    with _tracing:
        return lower(function, specs, donate)


def _spec(leaf) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype)


class Logs:
    """The logs of a chunk on the device; `read` waits for them."""

    __slots__ = ("_names", "_packed")

    def __init__(self, packed, names: list[str]):
        self._packed = packed
        self._names = names

    def read(self) -> dict[str, Any]:
        """The logs as Python floats (arrays for metrics that are not scalars), sorted by name."""
        scalars, others = self._packed
        values = dict(zip(self._names, np.asarray(scalars).tolist(), strict=False))
        values.update({name: np.asarray(value) for name, value in others.items()})
        return dict(sorted(values.items()))


def _packed(results: dict, names: dict[str, list[str]], kind: str):
    """All scalar logs in one array - one transfer from the device - and the others beside it."""
    scalars = {name: value for name, value in results.items() if np.ndim(value) == 0}
    names[kind] = list(scalars)
    # float32 at least: the mean of many losses is finer than half precision
    dtype = jnp.promote_types(to_numpy_dtype(floatx()), "float32")
    values = [jnp.asarray(value, dtype) for value in scalars.values()]
    packed = jnp.stack(values) if values else jnp.zeros((0,))
    return packed, {name: value for name, value in results.items() if name not in scalars}


def _take(data, order, index, batch_size: int):
    """The rows of one batch."""
    rows = jax.lax.dynamic_slice(order, (index * batch_size,), (batch_size,))
    batch = jax.tree_util.tree_map(lambda a: a.at[rows].get(mode="promise_in_bounds"), data)
    # What follows must compile to the same code wherever the rows come from, so that a streamed run
    # gives the same bits as one on the device.
    return jax.lax.optimization_barrier(batch)


def _accepts_training(model) -> bool:
    return model.call_accepts_training


def _ids(variables) -> list[int]:
    return [id(variable) for variable in variables]
