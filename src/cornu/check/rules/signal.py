"""C304 to C308: what one forward and backward pass from the initial values has shown."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, isnan

import numpy as np

from cornu.check.facts import (
    DROPOUT,
    LINEAR,
    NORMALIZATION,
    RECURRENT,
    Facts,
    Measured,
    Operation,
    before,
    through,
)
from cornu.check.rule import Finding, rule
from cornu.check.rules.initial import initial_spread, kernels_all_zero, kernels_constant
from cornu.check.rules.paths import after, function_of, last_linear, listed, named
from cornu.check.rules.structure import saturating_stack
from cornu.check.statistics import ArrayFacts

# Inputs of such a size are a matter of the data (C501), as is all that follows from them.
_UNSCALED = 10.0


def _measured(facts: Facts) -> Iterator[tuple[Operation, Measured]]:
    """Operations whose output was measured, in computing order."""
    if facts.probe is None:
        return
    for operation in facts.operations:
        seen = facts.probe.operations.get(operation)
        if seen is not None and not (seen.finite and isnan(seen.mean)):
            yield operation, seen


def _is_told(facts: Facts) -> bool:
    """Whether the initial values themselves are the cause, which their own rules name."""
    return any(
        next(iter(check(facts)), None) is not None
        for check in (kernels_all_zero, kernels_constant, initial_spread)
    )


def _has_unscaled_inputs(facts: Facts) -> bool:
    return any(size > _UNSCALED for size in _input_sizes(facts))


def _input_sizes(facts: Facts) -> list[float]:
    """The largest size of a value of each input; ids that go into an embedding have none."""
    ids = any(operation.kind == "Embedding" for operation in facts.operations)
    return [
        max(abs(data.low), abs(data.high))
        for data in facts.inputs
        if data.is_numeric and data.finite.size and not (ids and data.is_integer)
    ]


def _inputs_are_finite(facts: Facts) -> bool:
    return not any(data.is_numeric and any(data.not_finite) for data in facts.inputs)


# How often larger than all inputs a signal may become. He's and Glorot's values keep it near 1, and
# residual networks without normalization reach some hundreds.
_EXPLODED = 1e4
# The share of a layer's values that still differs from row to row below which they are all alike.
_ALIKE = 1e-5


@rule(
    "C304",
    "signal-dies-or-explodes",
    "warning",
    "the last layers see the same for every row, or numbers too large to work with",
)
def signal_dies_or_explodes(facts: Facts) -> Iterator[Finding]:
    """A forward pass in which values become infinite, huge, or the same for every row.

    ## What it does
    Follows one batch through the network as it is before training. Values that are not finite are
    an error at the first layer that makes them; values ten thousand times larger than the inputs,
    or a layer whose values for different rows differ by less than a part in 100,000, are a warning.
    Where the initial weights (C301 to C303) or the data (C501, C503) are the cause, those rules say
    so.

    ## Why it hurts
    What is the same for every row tells nothing of them: no later layer can make a difference of
    it. Huge values make a huge loss, and gradients that throw the weights far away in the first
    step.

    ## Example
        x = torch.log(self.fc1(x))         # of negative values: NaN

    ## Fix
        x = torch.log1p(torch.relu(self.fc1(x)))
    """
    if facts.probe is None or not _inputs_are_finite(facts):
        return
    broken = {operation for operation, seen in _measured(facts) if not seen.finite}
    for operation in facts.operations:
        if operation in broken and not any(source in broken for source in before(operation)):
            yield Finding(
                message=f"the output of {named(operation)} is not finite on the first batch",
                fix="look for a division by zero, a logarithm or root of zero or less, or a loaded "
                "weight that is not a number",
                at=operation,
                severity="error",
                why="nothing can be learnt from NaN: one step makes all weights NaN",
            )
            return
    if broken or _is_told(facts) or next(iter(saturating_stack(facts)), None):
        return
    largest = max(_input_sizes(facts), default=1.0)
    for operation, seen in _measured(facts):
        size = float(np.hypot(seen.mean, seen.std))
        if size > _EXPLODED * max(1.0, largest) and operation.kind != "Input":
            yield Finding(
                message=f"values have grown to about {size:.2g} at {named(operation)}; the inputs "
                f"are at most {largest:.2g}",
                fix="use smaller initial weights, or a normalization layer before it",
                at=operation,
            )
            return
        computes = operation.kind in LINEAR or function_of(operation) is not None
        # of a layer half of whose units are off the median unit says nothing: C305 counts them
        if not computes or seen.dead >= 0.5 or not operation.consumers:
            continue
        fixed = any(step.kind in NORMALIZATION for step in operation.consumers)
        if not fixed and seen.feature_std < _ALIKE * size and _rows_differ(facts):
            yield Finding(
                message=f"the output of {named(operation)} is the same for every row, to "
                f"{seen.feature_std / size:.1g} of its size",
                fix="use larger initial weights, fewer layers, or a normalization layer before it",
                at=operation,
            )
            return


def _rows_differ(facts: Facts) -> bool:
    return bool(facts.inputs) and all(
        data.is_numeric and data.rows > 1 and data.std > 0 for data in facts.inputs
    )


# He et al.'s values leave about half of the units of a layer at 0 for one row, and few of them for
# all rows of a batch.
_DEAD = 0.9
_LEAST_UNITS = 8


@rule(
    "C305",
    "dead-units",
    "warning",
    "a ReLU that is 0 for every row has no gradient for any of them: it never comes back",
)
def dead_units(facts: Facts) -> Iterator[Finding]:
    """ReLU units that give 0 for every row of the first batch.

    ## What it does
    Counts the units of each rectified layer that are 0 for every row of a batch, before training.
    All of them is an error, more than nine in ten a warning. Up to half is usual in a small batch.

    ## Why it hurts
    Where a ReLU gives 0 its slope is 0. A unit that is 0 for all rows gets no gradient and stays
    dead; if all units of a layer are, nothing before that layer is trained. Large negative biases,
    negative inputs with positive weights, and values that are subtracted before a ReLU do this.

    ## Example
        model.add(Dense(64, activation="relu", bias_initializer=Constant(-10)))

    ## Fix
        model.add(Dense(64, activation="relu"))
    """
    if facts.probe is None or next(iter(kernels_all_zero(facts)), None) is not None:
        return
    if facts.inputs and len(_zero_inputs(facts)) == len(facts.inputs):
        return  # a unit without a bias is 0 there whatever its weights are: C504 tells of the data
    for operation, seen in _measured(facts):
        if function_of(operation) not in ("relu", "relu6") or not seen.dead >= _DEAD:
            continue
        units = operation.width
        all_dead = seen.dead >= 1.0
        if not all_dead and (units is None or units < _LEAST_UNITS):
            continue
        few = units is not None and units < _LEAST_UNITS
        yield Finding(
            message=f"{'all' if all_dead else f'{seen.dead:.0%} of'} units of {named(operation)} "
            "give 0 for every row of the first batch",
            fix="use more units, or `LeakyReLU`"
            if few
            else "look for large negative biases or inputs before it, or use a leaky ReLU",
            at=operation,
            severity="error" if all_dead and not few else None,
        )
        return  # what follows on a dead layer is no better


_SATURATED = 0.9


@rule(
    "C306",
    "saturated",
    "warning",
    "at its bounds a sigmoid or tanh has no slope, so that no gradient gets through",
)
def saturated(facts: Facts) -> Iterator[Finding]:
    """Sigmoid or tanh whose values stand at their bounds before training has begun.

    ## What it does
    Counts the values of each sigmoid and tanh that are within 1 % of a bound. More than nine in ten
    is told of. Where unscaled inputs (C501) or the initial weights (C303) are the cause, those
    rules say so. The output under a cross-entropy is left alone: its gradient is the probability
    minus the label, which no slope makes small.

    ## Why it hurts
    The slope of a sigmoid at 0.99 is 0.01, a twenty-fifth of its largest one; at 0.9999 it is
    0.0001. Layers before it get next to no gradient and learn next to nothing.

    ## Example
        model.add(Dense(64, activation="tanh"))      # on values of about 1000

    ## Fix
        model.add(BatchNormalization())
        model.add(Dense(64, activation="tanh"))
    """
    if facts.probe is None or _has_unscaled_inputs(facts) or _is_told(facts):
        return
    ends = {
        id(through(output.operation))
        for output in facts.outputs
        if output.loss is not None and output.loss.is_crossentropy
    }
    for operation, seen in _measured(facts):
        if seen.saturated > _SATURATED and operation.inputs and id(operation) not in ends:
            yield Finding(
                message=f"{seen.saturated:.0%} of the values of {named(operation)} stand at the "
                "bounds of its activation",
                fix="scale what goes in to about 1, or use smaller initial weights",
                at=operation,
            )
            return


# Between the first and the last layer, per weight. Unequal widths alone make a factor of hundreds.
_VANISHED, _GROWN = 1e-6, 1e5


@rule(
    "C307",
    "gradients-vanish-or-explode",
    "warning",
    "one learning rate cannot serve layers whose gradients differ by such a factor",
)
def gradients_vanish_or_explode(facts: Facts) -> Iterator[Finding]:
    """Gradients of the first layer that are a tiny part, or a huge multiple, of the last one's.

    ## What it does
    Compares the root mean square of the loss's gradient by the kernels, in one backward pass before
    training. A first layer with less than a millionth, or more than 100,000 times, of the last
    layer's is told of; a gradient that is not a number is an error.

    ## Why it hurts
    The first layers then stay as they were initialized while the last ones train (vanishing), or
    are thrown far away by the first step (exploding). Glorot and Bengio (2010); Pascanu et al., "On
    the difficulty of training recurrent neural networks" (2013).

    ## Example
        for _ in range(20): model.add(Dense(64, activation="sigmoid"))

    ## Fix
        for _ in range(20): model.add(Dense(64, activation="relu", kernel_initializer="he_normal"))
    """
    if facts.probe is None or not _inputs_are_finite(facts):
        return
    found = _gradients(facts)
    for operation, gradient in found:
        loss = facts.probe.loss
        if not isfinite(gradient):
            if loss is not None and isfinite(loss):
                kind = "not a number" if isnan(gradient) else "infinite"
                yield Finding(
                    message=f"the gradient of {named(operation)} is {kind}, though the loss is "
                    f"{loss:.3g}",
                    fix="look for a root or norm of zero behind it: add a small number first",
                    at=operation,
                    severity="error",
                    why="one step makes the weights NaN",
                )
            return
    found = [(operation, gradient) for operation, gradient in found if gradient > 0.0]
    if len(found) < 3 or _is_told(facts) or next(iter(saturating_stack(facts)), None):
        return
    (first, at_first), (last, at_last) = found[0], found[-1]
    if first not in set(before(last)):
        return
    ratio = at_first / at_last
    if _VANISHED < ratio < _GROWN:
        return
    yield Finding(
        message=f"the gradient of the first layer, `{first.name}`, is {ratio:.1g} of that of the "
        f"last one, `{last.name}`",
        fix="use ReLU with He's initial values, normalization layers or connections around layers"
        if ratio < 1
        else "use a normalization layer, smaller initial weights, or clip the gradients",
        at=first,
    )


def _gradients(facts: Facts) -> list[tuple[Operation, float]]:
    """Layers with a trained kernel and the size of its gradient, in computing order."""
    if facts.probe is None:
        return []
    found = []
    for operation in facts.operations:
        seen = facts.probe.operations.get(operation)
        kernel = operation.parameter("kernel")
        if operation.kind not in LINEAR | RECURRENT or operation.call > 0 or seen is None:
            continue
        if kernel is not None and kernel.trainable and seen.gradient is not None:
            found.append((operation, seen.gradient))
    return found


# Functions that are flat everywhere, or are meant to hold gradients back.
_FLAT = frozenset({"argmax", "argmin", "round", "floor", "ceil", "sign", "one_hot", "rint"})
_HELD = frozenset({"stop_gradient", "detach"})


@rule(
    "C308",
    "no-gradient",
    "error",
    "a layer without a gradient keeps its initial values, however long it trains",
)
def no_gradient(facts: Facts) -> Iterator[Finding]:
    """A trained layer whose gradient is exactly zero.

    ## What it does
    Looks for kernels that are to be trained and whose gradient by the loss is exactly 0 on a whole
    batch. Where another rule names the cause - dead units (C305), zeros as initial values (C301,
    and layers that begin with zeros on purpose), softmax over one unit (C105), a loss that is
    detached (C412), unscaled inputs (C501) - this one stays silent.

    ## Why it hurts
    The optimizer adds nothing to it. The cause lies between it and the loss: a function that is
    flat everywhere, such as rounding or argmax, or a result that is never used.

    ## Example
        x = torch.round(self.fc1(x))
        return self.fc2(x)

    ## Fix
        x = torch.sigmoid(self.fc1(x))
        return self.fc2(x)
    """
    found = _gradients(facts)
    still = [operation for operation, gradient in found if gradient == 0.0]
    if not still or facts.probe is None or _is_explained(facts, still):
        return
    flat = next(
        (
            step
            for step in facts.operations
            if step.kind in _FLAT and any(step in set(after(layer)) for layer in still)
        ),
        None,
    )
    if flat is not None:
        message = f"{listed(still)} has no gradient: `{flat.kind}` is flat everywhere"
        fix = f"take `{flat.kind}` out of what is trained; use it on predictions only"
    else:
        message = f"the gradient of {listed(still)} is exactly zero on a whole batch"
        fix = "look for a function without slope, or values at a bound, between it and the loss"
    yield Finding(
        message=message,
        fix=fix,
        at=flat or still[-1],
        severity="error" if len(still) == len(found) or flat is not None else "warning",
    )


def _zero_inputs(facts: Facts) -> list[ArrayFacts]:
    """Inputs that are 0 throughout, as far as they were seen."""
    return [
        given
        for given in facts.inputs
        if given.is_numeric and given.array.size and not given.array.any()
    ]


def _is_explained(facts: Facts, still: list[Operation]) -> bool:
    """Whether something else accounts for a gradient of zero."""
    assert facts.probe is not None
    kernels = {op for op in facts.operations if op.parameter("kernel") is not None}
    entered = all(kernels.isdisjoint(before(layer)) for layer in still)
    if _zero_inputs(facts) or (entered and not facts.inputs):
        return True  # a kernel's gradient is a multiple of what it is given: zeros, or not known
    behind = {step for layer in still for step in after(layer)}
    if any(step.kind in _HELD for step in behind):
        return True
    for operation in facts.operations:
        seen = facts.probe.operations.get(operation)
        if seen is not None and (not seen.finite or seen.dead >= 1.0):
            return True
        if operation.kind in DROPOUT and (operation.settings.get("rate") or 0) >= 1:
            return True  # C207
        for parameter in operation.parameters:
            # begun with zeros on purpose: the end of a residual branch, an output layer
            begins = parameter.trainable and parameter.role not in ("bias", "offset")
            if begins and parameter.read is not None and not np.any(parameter.read()):
                return True
    for output in facts.outputs:
        loss = output.loss
        if loss is None:
            continue
        last = last_linear(output)
        softmax = function_of(through(output.operation)) == "softmax"
        if not loss.requires_gradient:
            return True
        if last is not None and last.width == 1 and (softmax or loss.applies == "softmax"):
            return True
    reached = {
        step
        for output in facts.outputs
        if output.loss is not None
        for step in (output.operation, *before(output.operation))
    }
    if not all(layer in reached for layer in still):
        return True
    return _has_unscaled_inputs(facts)
