"""Rules about the learning rate: C401, C402, C403."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

from cornu.check.diagnostic import Edit, Severity
from cornu.check.facts import (
    LINEAR,
    NORMALIZATION,
    RECTIFIED,
    RECURRENT,
    Facts,
    Operation,
    OptimizerFacts,
)
from cornu.check.rule import Finding, rule
from cornu.check.rules.rates import (
    NORMALIZED_STEP,
    USUAL,
    effective_rate,
    enough_reach,
    is_pretrained,
    may_change,
    number,
    rate_name,
    reach,
    total_steps,
)

# Plain gradient descent takes rates up to a few units for small sigmoid networks: Nielsen, "Neural
# Networks and Deep Learning" (2015), chapter 1, trains on MNIST at 3.0.
_SGD_LARGE, _SGD_IMPOSSIBLE = 10.0, 100.0
_ADADELTA_SMALL = 0.01


def _inputs_unscaled(facts: Facts) -> bool:
    """Whether inputs are far from the unit scale: diverging then has that cause, not the rate."""
    return any(
        given.is_numeric and given.array.ndim >= 2 and max(abs(given.low), abs(given.high)) > 20
        for given in facts.inputs
        if given.array.dtype.kind != "b"
    ) and not any(operation.kind == "Embedding" for operation in facts.operations)


def _is_normalized(operation: Operation) -> bool:
    """Whether the scale of its kernel doesn't matter, as a normalization follows."""
    return any(follower.kind in NORMALIZATION for follower in operation.consumers)


def _hidden_kernels(facts: Facts) -> list[tuple[Operation, float]]:
    """Layers before another layer, with the root mean square of their kernels."""
    layers = [op for op in facts.operations if op.kind in LINEAR | RECURRENT and op.trainable]
    found = []
    for operation in layers[:-1]:
        kernel = operation.parameter("kernel")
        if kernel is None or kernel.read is None or _is_normalized(operation):
            continue
        rms = float(np.sqrt(np.mean(np.square(np.asarray(kernel.read(), dtype="float64")))))
        if rms > 1e-6:  # kernels of zeros are the finding of another rule
            found.append((operation, rms))
    return found


@rule(
    "C401",
    "learning-rate-too-high",
    "warning",
    "steps that are too long jump over the minimum: the loss grows, or units saturate and stay so",
)
def learning_rate_too_high(facts: Facts) -> Iterator[Finding]:
    """The learning rate is far above what the optimizer can use on this network.

    ## What it does
    Where training steps could be tried on copies, it compares the loss of a batch before and after
    some steps with the program's learning rate and with a tenth of it: it finds a rate that makes
    the loss grow, become NaN or stay, while the tenth makes it fall. Where nothing could be tried,
    it compares the length of a step with the initial weights (Adam and its like change every weight
    by about the learning rate in each of the first steps), and the rate of gradient descent with
    the largest that are in use. A rate of 0 or below is an error.

    ## Why it hurts
    On a quadratic bowl gradient descent diverges once the rate is above 2 / curvature (Goodfellow,
    Bengio and Courville, "Deep Learning", 2016, section 4.3). With Adam at 0.1, a kernel of 784
    inputs, initially about 0.05 in size, is replaced by the first step; ReLU units die and softmax
    saturates. Adam's authors use 0.001 (Kingma and Ba, 2015).

    ## Example
        model.compile(optimizer=Adam(learning_rate=0.5), loss="categorical_crossentropy")
        optimizer = optim.Adam(model.parameters(), lr=0.5)

    ## Fix
        model.compile(optimizer=Adam(learning_rate=0.001), loss="categorical_crossentropy")
        optimizer = optim.Adam(model.parameters(), lr=0.001)
    """
    optimizer = facts.optimizer
    if optimizer is None or optimizer.learning_rate is None:
        return
    rate, name = optimizer.learning_rate, rate_name(facts)
    usual = USUAL.get(optimizer.kind)
    if not rate > 0:
        if rate == 0 and may_change(facts):
            return
        yield Finding(
            message=f"{optimizer.written} has a learning rate of {number(rate)}",
            fix=f"set {name}={usual or 0.001}",
            place=optimizer.place,
            severity="error",
            why="no step changes a weight" if rate == 0 else "each step goes up the loss",
        )
        return
    measured = _measured(facts, rate)
    if measured is not None:
        before, after, lower, lower_after = measured
        grew = not math.isfinite(after) or after > 2 * before
        if math.isfinite(before) and lower_after is not None:
            stuck = after > 0.98 * before and lower_after < 0.5 * before
            # far from the minimum a tenth may be too high as well, and yet keep its footing
            lost = not math.isfinite(after) or after > 100 * before
            held = math.isfinite(lower_after) and not lower_after > 0.01 * after
            if (grew and lower_after < 0.95 * before) or stuck or (lost and held):
                if not _inputs_unscaled(facts):
                    shown = f"{after:.3g}" if math.isfinite(after) else "NaN or infinity"
                    yield Finding(
                        message=(
                            f"{optimizer.written} with {name}={number(rate)} takes the loss of a "
                            f"batch from {before:.3g} to {shown} within "
                            f"{_probe_steps(facts)} steps; with {number(lower)} it "
                            f"{'falls' if lower_after < before else 'gets'} to {lower_after:.3g}"
                        ),
                        fix=f"set {name}={number(lower)}",
                        place=optimizer.place,
                        severity="warning" if math.isfinite(after) else "error",
                    )
                return
        if math.isfinite(after) and after < before:
            if facts.framework == "torch":
                # the one batch that was seen, again and again: any network can learn it by heart
                for finding in _by_table(facts, optimizer, rate, name):
                    yield dataclasses.replace(finding, severity="warning")
            return  # it works, however unusual it is
    yield from _by_table(facts, optimizer, rate, name)


def _by_table(facts: Facts, optimizer: OptimizerFacts, rate: float, name: str) -> Iterator[Finding]:
    usual = USUAL.get(optimizer.kind)
    severity: Severity
    if optimizer.kind in NORMALIZED_STEP:
        kernels = _hidden_kernels(facts)
        if not kernels or optimizer.schedule is not None:
            return
        operation, size = min(kernels, key=lambda pair: pair[1])
        if rate < size:
            return
        severity = "error" if rate >= 10 * size else "warning"
        yield Finding(
            message=(
                f"{optimizer.written} with {name}={number(rate)} changes each weight by about "
                f"{number(rate)} in a step; those of {operation.name!r} are about "
                f"{number(size)} in size"
            ),
            fix=f"set {name}={usual}",
            place=optimizer.place,
            severity=severity,
            why="the first steps replace the initial weights: units die or saturate",
        )
    elif optimizer.kind == "sgd":
        effective = effective_rate(optimizer) or 0.0
        layers = [op for op in facts.operations if op.kind in LINEAR | RECURRENT]
        clipped = any(optimizer.settings.get(key) for key in ("clipnorm", "clipvalue"))
        if len(layers) < 2 or clipped or optimizer.schedule is not None:
            return
        large = _SGD_LARGE
        if any(op.kind in NORMALIZATION for op in facts.operations):
            large *= 10
        elif not any(op.function in RECTIFIED for op in facts.operations):
            large *= 3
        if effective <= large:
            return
        momentum = optimizer.settings.get("momentum") or 0.0
        beside = f" and momentum={number(momentum)}" if momentum else ""
        yield Finding(
            message=f"{optimizer.written} has {name}={number(rate)}{beside}",
            fix=f"set {name}={usual}",
            place=optimizer.place,
            severity="error" if effective >= _SGD_IMPOSSIBLE and large == _SGD_LARGE else "warning",
        )


def _probe_steps(facts: Facts) -> int:
    return facts.probe.rate_steps if facts.probe is not None else 0


def _measured(facts: Facts, rate: float) -> tuple[float, float, float, float | None] | None:
    """(loss before, after, the next lower rate tried, the loss after with that), where measured."""
    rates = facts.probe.rates if facts.probe is not None else {}
    own = next((tried for tried in rates if math.isclose(tried, rate, rel_tol=1e-3)), None)
    if own is None:
        return None
    before, after = rates[own]
    if before <= 0:
        return None  # of such a loss it says nothing how many times larger another one is
    lower = [tried for tried in rates if tried < own * 0.99 and math.isfinite(rates[tried][1])]
    best = min(lower, key=lambda tried: rates[tried][1], default=None)
    if best is None:
        return before, after, rate, None
    return before, after, best, rates[best][1]


@rule(
    "C402",
    "learning-rate-too-low",
    "warning",
    "all steps together are too short to take the weights anywhere",
)
def learning_rate_too_low(facts: Facts) -> Iterator[Finding]:
    """The learning rate is so low that all of training changes next to nothing.

    ## What it does
    Where training steps could be tried on copies, it extends their progress over all steps of the
    training: it finds a rate with which less than a twentieth of the loss would go, while ten times
    the rate makes more than ten times the progress. Where nothing could be tried, it finds a rate
    below a thirtieth of the optimizer's usual one with which the planned steps cannot move a unit's
    sum by a few units. Low rates for weights that were trained before are right and not found.

    ## Why it hurts
    The time is spent and the network stays what its initial weights were. A network that starts
    from random weights needs each unit's sum to move by a few units; Adam moves a weight by no more
    than the learning rate in a step (Kingma and Ba, 2015, section 2.1).

    ## Example
        model.compile(optimizer=Adam(learning_rate=1e-7), loss="mse")
        optimizer = optim.SGD(model.parameters(), lr=1e-6)

    ## Fix
        model.compile(optimizer=Adam(learning_rate=1e-3), loss="mse")
        optimizer = optim.SGD(model.parameters(), lr=1e-2)
    """
    optimizer = facts.optimizer
    if optimizer is None or optimizer.schedule is not None:
        return
    rate, usual = optimizer.learning_rate, USUAL.get(optimizer.kind)
    if rate is None or rate <= 0 or usual is None or rate >= usual / 5:
        return
    name, steps = rate_name(facts), total_steps(facts)
    if is_pretrained(facts) or may_change(facts):
        return
    rates = facts.probe.rates if facts.probe is not None else {}
    tried = _probe_steps(facts)
    own = next((one for one in rates if math.isclose(one, rate, rel_tol=1e-3)), None)
    higher = [one for one in rates if one > rate * 5 and math.isfinite(rates[one][1])]
    if own is not None and higher and tried and steps is not None:
        before, after = rates[own]
        best = min(higher, key=lambda one: rates[one][1])
        gain, best_gain = before - after, rates[best][0] - rates[best][1]
        if not math.isfinite(before) or before <= 0 or gain * steps / tried >= 0.05 * before:
            return  # it learns
        if best_gain > 8 * gain and best_gain > 1e-3 * before:
            yield Finding(
                message=(
                    f"{optimizer.written} with {name}={number(rate)} took the loss of a batch "
                    f"from {before:.5g} to {after:.5g} in {tried} steps; all {steps} steps of the "
                    f"training at that pace take off less than a twentieth"
                ),
                fix=f"set {name}={number(usual)}",
                place=optimizer.place,
            )
            return
    effective = (effective_rate(optimizer) or rate) if optimizer.kind == "sgd" else rate
    far = reach(facts)
    if far is None:
        # no number of steps makes up for this: 100,000 of them are one usual step of 1000
        too_low = steps is None and effective <= usual * 1e-5
    else:
        limit = enough_reach(facts) / (1 if facts.source is not None else 10)
        too_low = effective < usual / 30 and far < limit
    if too_low:
        over = f" over {steps} steps" if steps is not None else ""
        yield Finding(
            message=f"{optimizer.written} has {name}={number(rate)}{over}: weights hardly move",
            fix=f"set {name}={number(usual)}",
            place=optimizer.place,
        )


@rule(
    "C403",
    "adadelta-default",
    "warning",
    "Adadelta finds its own step lengths and wants a learning rate of 1; at 0.001 steps are 1000 "
    "times too short",
)
def adadelta_default(facts: Facts) -> Iterator[Finding]:
    """Adadelta with Keras' default learning rate of 0.001.

    ## What it does
    It finds Adadelta with a learning rate of 0.01 or less, written or left at Keras' default.

    ## Why it hurts
    Adadelta was made to need no learning rate: its update is complete as it is (Zeiler, "ADADELTA:
    An Adaptive Learning Rate Method", 2012, algorithm 1). PyTorch, and Keras until 2.3, multiply it
    by 1; later Keras by 0.001. A small convolutional network on MNIST reaches 17 % after the epochs
    that give 97 % with 1.0.

    ## Example
        model.compile(optimizer="adadelta", loss="categorical_crossentropy")

    ## Fix
        model.compile(optimizer=Adadelta(learning_rate=1.0), loss="categorical_crossentropy")
    """
    optimizer = facts.optimizer
    if optimizer is None or optimizer.kind != "adadelta" or optimizer.schedule is not None:
        return
    rate, steps = optimizer.learning_rate, total_steps(facts)
    if rate is None or not 0 < rate <= _ADADELTA_SMALL or may_change(facts):
        return
    if steps is not None and rate * steps > 1000:  # long enough to make up for it
        return
    edit = None
    if facts.source is not None and optimizer.place is not None:
        line = facts.source.line(optimizer.place.line)
        if line.count("Adadelta()") == 1:
            edit = Edit(optimizer.place, "Adadelta()", f"Adadelta({rate_name(facts)}=1.0)")
    written = (
        "" if rate_name(facts) in optimizer.given or rate != 0.001 else ", the default of Keras,"
    )
    yield Finding(
        message=(
            f"{optimizer.written} has a learning rate of {number(rate)}{written} and will hardly "
            "train"
        ),
        fix=f"use Adadelta({rate_name(facts)}=1.0)",
        place=optimizer.place,
        edit=edit,
    )
