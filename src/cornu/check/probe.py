"""Measuring a compiled model: one forward and backward pass, and a few training steps on copies."""

from __future__ import annotations

import math
import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.check.facts import Facts, Measured, Operation, Probe
from cornu.core.compilation import compile_quickly, lower
from cornu.core.context import CallContext, call_context
from cornu.core.dtypes import is_float
from cornu.core.variable import bind
from cornu.data.source import ArraySource, Block

# Rows of the pass: enough for a share of dead units, and quick for any network.
_ROWS, _FEWEST_ROWS = 128, 8
# All outputs of the pass together.
_PASS_BYTES = 2**25
# The share of a bounded activation's range within which a value counts as at its bound.
_AT_BOUND = 0.01
# Training steps tried with each learning rate: at most, and at least where they are slow.
_MOST_STEPS, _LEAST_STEPS = 30, 5
# Seconds that all tried steps together may take.
_SECONDS = 0.8
# Copies of larger networks would not be worth their memory.
_MOST_BYTES = 2**28


def measure(model: Any, facts: Facts, source: ArraySource, rates: bool = True) -> Probe:
    """Measures a model without changing it.

    Args:
        model: compiled, built, its optimizer built.
        facts: what was read of it; the measurements are keyed by its operations.
        source: the training data.
        rates: whether to try learning rates too, which needs the compiled training program.

    Returns:
        The measurements; also put into `facts.probe`.
    """
    probe = Probe()
    program = model._program
    _one_pass(model, program, facts, source, probe)
    if rates:
        _try_rates(model, program, facts, source, probe)
    facts.probe = probe
    return probe


def _one_pass(model: Any, program: Any, facts: Facts, source: ArraySource, probe: Probe) -> None:
    rows = np.linspace(0, source.rows - 1, min(_rows(facts), source.rows)).astype(int)
    x, y, weight = jax.tree_util.tree_map(lambda leaf: np.asarray(leaf[rows]), source.data)
    variables = [*program.trainable, *program.others, *program.metric_variables]
    count = len(program.trainable)
    of_layer = _by_layer(facts)
    keys: list[tuple[str, int]] = []

    def run(x, y, weight):
        """The loss, the part of it that regularizers add, and each layer's output."""
        seen: list = []
        keys.clear()
        calls: dict[str, int] = {}

        def watch(layer, outputs):
            call = calls.get(layer.name, 0)
            calls[layer.name] = call + 1
            leaves = jax.tree_util.tree_leaves(outputs)
            if (layer.name, call) in of_layer and leaves and is_float(leaves[0].dtype):
                keys.append((layer.name, call))
                seen.append(leaves[0])

        with call_context(CallContext(True)) as context:
            context.watcher = watch
            accepts = model.call_accepts_training
            outputs = model(x, training=True) if accepts else model(x)
            context.watcher = None
            loss = model.compute_loss_of(x, y, outputs, weight, True)
            penalty = sum((jnp.sum(extra) for extra in model.losses), start=jnp.float32(0))
        return loss, penalty, seen

    def objective(trained, rest, batch):
        (loss, penalty, seen), _ = bind(run, variables)([*trained, *rest], *batch)
        return loss, (penalty, seen)

    def passed(values, batch):
        (loss, (penalty, seen)), gradients = jax.value_and_grad(objective, has_aux=True)(
            values[:count], values[count:], batch
        )
        return loss, penalty, seen, gradients

    # Run once, so the time to compile it is what counts: statistics are left to NumPy, and of the
    # compiler's work only the necessary is asked for.
    values = [variable._value for variable in variables]
    compiled = compile_quickly(lower(passed, (values, (x, y, weight))))
    loss, penalty, seen, gradients = jax.device_get(compiled(values, (x, y, weight)))
    probe.loss, probe.penalty = float(loss), float(penalty)
    for key, output in zip(keys, seen, strict=True):
        operation = of_layer[key]
        probe.operations[operation] = _statistics(np.asarray(output, "float32"), operation)
    number = {variable.path: place for place, variable in enumerate(program.trainable)}
    layers = {layer.name: layer for layer in model._walk()}
    for operation in facts.operations:
        kernel = operation.parameter("kernel")
        if kernel is None or operation.name not in layers:
            continue
        found = probe.operations.setdefault(operation, Measured())
        for variable in layers[operation.name].weights:
            if variable.name == kernel.name and variable.path in number:
                found.gradient = _rms(gradients[number[variable.path]])
                found.weight = _rms(variable.numpy())


def _rows(facts: Facts) -> int:
    """How many rows to run: fewer where their outputs, all kept, would not fit the memory."""
    row = sum(4 * math.prod(n or 1 for n in operation.shape[1:]) for operation in facts.operations)
    return max(_FEWEST_ROWS, min(_ROWS, _PASS_BYTES // max(row, 1)))


def _by_layer(facts: Facts) -> dict[tuple[str, int], Operation]:
    """The operation that makes the output of each call of a layer: the fused activation if any."""
    found: dict[tuple[str, int], Operation] = {}
    calls: dict[str, int] = {}
    for operation in facts.operations:
        if operation.fused:
            found[operation.name, calls[operation.name] - 1] = operation
        else:
            call = calls.get(operation.name, 0)
            calls[operation.name] = call + 1
            found[operation.name, call] = operation
    return found


def _statistics(array: np.ndarray, operation: Operation) -> Measured:
    features = np.moveaxis(array, operation.channel_axis, -1) if array.ndim > 1 else array[:, None]
    columns = features.reshape(-1, features.shape[-1])
    zero = columns == 0
    saturated: Any = 0.0
    if operation.function in ("sigmoid", "hard_sigmoid"):
        saturated = np.mean(np.abs(columns - 0.5) > 0.5 - _AT_BOUND)
    elif operation.function in ("tanh", "softsign"):
        saturated = np.mean(np.abs(columns) > 1 - 2 * _AT_BOUND)
    with np.errstate(all="ignore"):
        return Measured(
            mean=float(columns.mean()),
            std=float(columns.std()),
            feature_std=float(np.median(columns.std(axis=0))),
            zeros=float(zero.mean()),
            dead=float(zero.all(axis=0).mean()),
            saturated=float(saturated),
            finite=bool(np.isfinite(columns).all()),
        )


def _rms(array: Any) -> float:
    return float(np.sqrt(np.mean(np.square(np.asarray(array, "float64")))))


def _try_rates(model: Any, program: Any, facts: Facts, source: ArraySource, probe: Probe) -> None:
    """Trains copies for a few steps with the learning rate, a tenth and ten times of it.

    It is the compiled training program that runs, so that training need not compile it again.
    """
    rate: Any = getattr(model.optimizer, "_learning_rate", None)
    if program.eager or not hasattr(rate, "_value") or not program.trainable:
        return
    variables = program.train_variables
    if sum(variable._value.nbytes for variable in variables) > _MOST_BYTES:
        return
    block = _rows_in_fixed_order(source)
    original = [variable._value for variable in variables]
    written = float(np.asarray(rate._value))
    available = block.order.shape[0] // block.batch_size

    def step(start: int, count: int, reset: bool) -> float:
        """Trains copies on some batches; returns the mean loss since the last reset."""
        return program.run("train", block, start, count, reset).read()["loss"]

    def run(learning_rate: float, steps: int) -> tuple[float, float]:
        """The loss of the first batch before and after some steps."""
        for variable, value in zip(variables, original, strict=True):
            variable._value = jnp.copy(value)
        rate._value = jnp.asarray(learning_rate, rate._value.dtype)
        before = step(0, 1, True)
        done = 1
        while done < steps:
            start = done % available
            count = min(steps - done, available - start)
            step(start, count, False)
            done += count
        # measuring costs a step more, which changes nothing: all of this is on copies
        return before, step(0, 1, True)

    try:
        run(written, 1)  # compiles, where training has not yet
        began = time.perf_counter()
        step(0, 1, True)
        each = time.perf_counter() - began
        tried = [written, written * 10, written / 10]
        if each * _LEAST_STEPS * len(tried) > _SECONDS:
            tried = tried[:1]
        steps = int(min(_MOST_STEPS, max(_LEAST_STEPS, _SECONDS / each / len(tried))))
        probe.rate_steps = steps
        for learning_rate in tried:
            probe.rates[learning_rate] = run(learning_rate, steps)
    finally:
        for variable, value in zip(variables, original, strict=True):
            variable._value = value


def _rows_in_fixed_order(source: ArraySource):
    """The block of full batches, in an order that takes nothing from a generator in use."""
    _, count, rows = source._stretches()[0]
    order = np.random.Generator(np.random.PCG64(0)).permutation(source.rows)[: count * rows]
    if source._device_data is None:
        # put on the device as training will find it
        block = next(iter(source._resident(None)))
        return Block(block.data, order.astype(np.int32), count, rows)
    return Block(source._device_data, order.astype(np.int32), count, rows)
