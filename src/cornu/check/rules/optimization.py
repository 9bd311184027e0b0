"""Rules about the optimizer's other settings and the length of training: C404, C405, C406, C408."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from cornu.check.facts import LINEAR, NORMALIZATION, Facts, Operation
from cornu.check.rule import Finding, rule
from cornu.check.rules.rates import (
    USUAL,
    enough_reach,
    is_pretrained,
    rate_name,
    reach,
    total_steps,
)

# Batch normalization that keeps less than this of its moving statistics from batch to batch follows
# single batches.
_FORGETS = 0.2
# Rows from which batches of a single row are worth a word: an epoch is as many updates.
_MANY_ROWS = 5000
# Of the initial weights' penalty and of the least penalty of a network that works, as shares of the
# loss of a network that knows nothing.
_INITIAL_SHARE, _NEEDED_SHARE = 0.25, 0.07
# Directions that a layer is taken to need at most: one for each class but one, up to this.
_MOST_DIRECTIONS = 30


@rule(
    "C404",
    "momentum-range",
    "error",
    "with a momentum of 1 or more, no step is ever forgotten: they add up and training diverges",
)
def momentum_range(facts: Facts) -> Iterator[Finding]:
    """A momentum outside the range that can work, of an optimizer or of batch normalization.

    ## What it does
    It finds an optimizer's momentum (`momentum`, `beta_1`, `beta_2`, `rho`) below 0, of 1 or more,
    or, for gradient descent, above 0.999. Of batch normalization it finds a momentum that
    never takes in a new value, and notes one that keeps almost nothing of the old ones: Keras'
    momentum is the share kept (default 0.99), PyTorch's the share of the new (default 0.1).

    ## Why it hurts
    Momentum m makes steps up to 1 / (1 - m) times longer (Sutskever et al., "On the importance of
    initialization and momentum in deep learning", 2013, use at most 0.999). Batch normalization
    predicts with its moving mean and variance: if these never change, or are those of the last
    batch alone, predictions differ from what was trained.

    ## Example
        SGD(learning_rate=0.01, momentum=9)
        nn.BatchNorm1d(64, momentum=0.99)       # copied from a Keras program

    ## Fix
        SGD(learning_rate=0.01, momentum=0.9)
        nn.BatchNorm1d(64, momentum=0.01)
    """
    optimizer = facts.optimizer
    if optimizer is not None:
        for name in ("momentum", "beta_1", "beta_2", "rho"):
            value = optimizer.settings.get(name)
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                continue
            shown = _torch_name(name) if facts.framework == "torch" else name
            good = {"beta_2": 0.999}.get(name, 0.9)
            if value >= 1 or value < 0:
                yield Finding(
                    message=f"{optimizer.written} has {shown}={value:g}, outside 0 to below 1",
                    fix=f"set {shown}={good}",
                    place=optimizer.place,
                    why=None if value >= 1 else "each step goes against the one before",
                )
            elif name == "momentum" and value > 0.999 and optimizer.kind == "sgd":
                yield Finding(
                    message=(
                        f"{optimizer.written} has momentum={value:g}: steps become "
                        f"{1 / (1 - value):.0f} times longer"
                    ),
                    fix=f"set momentum={good}",
                    place=optimizer.place,
                    severity="warning",
                    why="it overshoots for thousands of steps",
                )
    for operation in facts.of_kind("BatchNormalization"):
        kept = operation.settings.get("momentum")
        if not isinstance(kept, (int, float)) or not operation.trainable or operation.call:
            continue
        torch = facts.framework == "torch"
        written = f"momentum={1 - kept:.3g}" if torch else f"momentum={kept:g}"
        right = "momentum=0.1" if torch else "momentum=0.99"
        if kept >= 1 or kept < 0:
            yield Finding(
                message=f"{operation.name!r} has {written}: its moving statistics "
                + ("never change" if kept >= 1 else "swing away"),
                fix=f"set {right}",
                at=operation,
                severity="warning",
                why="prediction normalizes with statistics that are not those of the data",
            )
        elif kept <= _FORGETS:
            yield Finding(
                message=(
                    f"{operation.name!r} has {written}: its moving statistics are those of the "
                    "last batch or two"
                ),
                fix=f"set {right} ("
                + ("PyTorch" if torch else "Keras")
                + (" takes the share of the new value)" if torch else " takes the share kept)"),
                at=operation,
                severity="note",
                why="predictions depend on which batch came last",
            )


def _torch_name(name: str) -> str:
    return {"beta_1": "betas[0]", "beta_2": "betas[1]", "rho": "alpha"}.get(name, name)


@rule(
    "C405",
    "batch-size",
    "note",
    "the batch size sets how noisy a step is and how many steps an epoch has",
)
def batch_size(facts: Facts) -> Iterator[Finding]:
    """A batch size that cannot work, or is not what was meant.

    ## What it does
    It finds batches of one row with batch normalization over features (an error), notes batches of
    one row for 5,000 rows and more, and a batch size larger than the data that is written in the
    program, where that leaves few steps.

    ## Why it hurts
    Batch normalization subtracts the mean of the batch: of one row it leaves nothing but zeros.
    Steps of one row are noisy and cannot use the hardware: the same epoch takes many times as long.
    With a batch as large as the data an epoch is a single step (Keskar et al., 2017; Masters and
    Luschi, "Revisiting Small Batch Training for Deep Neural Networks", 2018, find 2 to 32 best).

    ## Example
        model.fit(x, y, batch_size=1)           # 60,000 rows

    ## Fix
        model.fit(x, y, batch_size=32)
    """
    training = facts.training
    rows, size = training.rows, training.batch_size
    if size == 1 and (rows is None or rows > 1):
        for operation in facts.of_kind("BatchNormalization"):
            if len(operation.shape) == 2 and operation.trainable:
                yield Finding(
                    message=(
                        f"{operation.name!r} normalizes batches of one row: its output does not "
                        "depend on the input"
                    ),
                    fix="train with batches of 32 rows",
                    place=training.place or operation.place,
                    layer=operation.name,
                    severity="error",
                    why="a single row minus its own mean is 0",
                )
                return
        open_sizes = any(None in operation.shape[1:] for operation in facts.operations)
        stateful = any(operation.settings.get("stateful") for operation in facts.operations)
        if rows is not None and rows >= _MANY_ROWS and not open_sizes and not stateful:
            yield Finding(
                message=f"batch_size=1 for {rows:,} rows: each epoch is {rows:,} noisy updates",
                fix="set batch_size=32",
                place=training.place,
            )
        return
    given, steps = training.given_batch_size, total_steps(facts)
    if given is not None and rows is not None and given > rows and rows > 1:
        if steps is not None and steps >= 200:  # full batches on purpose, and enough of them
            return
        yield Finding(
            message=f"batch_size={given:,} is more than the {rows:,} rows: an epoch is one step",
            fix=f"set batch_size={min(32, max(1, rows // 8))}",
            place=training.place,
        )


@rule(
    "C406",
    "few-steps",
    "note",
    "the weights cannot get from their initial values to good ones in so few steps",
)
def few_steps(facts: Facts) -> Iterator[Finding]:
    """So few optimizer steps that, at this learning rate, little can be learnt.

    ## What it does
    It multiplies steps, learning rate and the size of the inputs: how far all of training can move
    a unit's sum at most. Below a few units, the outputs stay near their initial values. It is
    silent for weights that were trained before, for schedules, and where `fit` is called in a loop.

    ## Why it hurts
    An update of Adam moves a weight by no more than about the learning rate (Kingma and Ba, 2015):
    ten steps at 0.001 move it by 0.01. XOR with 8 hidden units takes some thousand of them.

    ## Example
        model.fit(x, y, epochs=10)              # 4 rows: 10 steps

    ## Fix
        model.fit(x, y, epochs=2000)
    """
    steps, optimizer = total_steps(facts), facts.optimizer
    if steps is None or optimizer is None or is_pretrained(facts):
        return
    given, rows = facts.training.given_batch_size, facts.training.rows
    if given is not None and rows is not None and given > rows:
        return  # C405 says it
    far, rate = reach(facts), optimizer.learning_rate
    usual = USUAL.get(optimizer.kind)
    if far is None or rate is None or usual is None or rate <= 0 or rate < usual / 30:
        return  # C401 and C402 say it
    limit = enough_reach(facts)
    if far >= limit or steps >= 2000:
        return
    needed = math.ceil(steps * 3 * limit / max(far, 1e-9))
    per_epoch = facts.training.steps or 1
    yield Finding(
        message=(
            f"{facts.training.epochs} epochs of {per_epoch} steps are {steps} steps: at "
            f"{rate_name(facts)}={rate:g} the outputs hardly leave their initial values"
        ),
        fix=f"train for some {_rounded(max(2, math.ceil(needed / per_epoch)))} epochs, or use a "
        "higher learning rate",
        place=facts.training.place,
    )


def _rounded(value: int) -> int:
    """To one digit, upward: 2130 becomes 3000."""
    unit = 10 ** (len(str(value)) - 1)
    return math.ceil(value / unit) * unit


@rule(
    "C408",
    "regularization-outweighs-loss",
    "warning",
    "the cheapest way down is to make the weights small, not to fit the data",
)
def regularization_outweighs_loss(facts: Facts) -> Iterator[Finding]:
    """Weight penalties that cost more than the network can gain by fitting the data.

    ## What it does
    It adds up the penalties (`kernel_regularizer`, PyTorch's `weight_decay` for SGD and Adam) of
    the initial weights, and estimates the least that a network that works has to pay: for each
    layer a weight of about 1 for each direction that it must pass on. Both are compared with the
    loss of a network that knows nothing: log(classes), or the variance of the targets. Kernels that
    a normalization follows don't count: their scale changes nothing (van Laarhoven, 2017).

    ## Why it hurts
    If fitting the data brings less than the weights cost, the minimum is at small weights: the
    network underfits, or all its outputs become equal. With 0.01 on every layer of 784-20-15-10 the
    initial penalty is 0.68, where log(10) is 2.30, and a network that works pays 0.27 or more; 1e-4
    to 5e-4 is usual (Krizhevsky, Sutskever and Hinton, 2012: 5e-4 as weight decay).

    ## Example
        Dense(20, activation="relu", kernel_regularizer=l2(0.01))     # on every layer

    ## Fix
        Dense(20, activation="relu", kernel_regularizer=l2(1e-4))
    """
    gain = _possible_gain(facts)
    if gain is None:
        return
    loss, directions, size = gain
    initial = needed = 0.0
    counted: list[tuple[Operation, float, float]] = []
    seen: set[int] = set()
    for operation in facts.operations:
        l1, l2 = _penalties(facts, operation)
        kernel = operation.parameter("kernel")
        if not (l1 or l2) or kernel is None or not kernel.trainable or id(kernel) in seen:
            continue
        if operation.kind not in LINEAR or operation.call:
            continue
        if any(follower.kind in NORMALIZATION for follower in operation.consumers):
            continue
        seen.add(id(kernel))
        square, absolute = _sums(kernel)
        initial += l2 * square + l1 * absolute
        units = min(directions, operation.width or directions, _MOST_DIRECTIONS)
        # a kernel of some places meets as many neighbours that are alike: it may be smaller
        window = int(np.prod(kernel.shape[:-2])) if "Conv" in operation.kind else 1
        if facts.framework == "torch" and "Conv" in operation.kind:
            window = int(np.prod(kernel.shape[2:]))
        # a direction over several inputs has a larger sum of absolute values than of squares
        needed += units * size * (l2 + 3 * l1) / window
        counted.append((operation, l1, l2))
    if not counted:
        yield from _by_measured_penalty(facts)
        return
    if initial < _INITIAL_SHARE * loss or needed < _NEEDED_SHARE * loss:
        return
    strongest = max(max(l1, l2) for _, l1, l2 in counted)
    decay = facts.framework == "torch" and facts.optimizer is not None
    names = ", ".join(repr(operation.name) for operation, _, _ in counted[:4])
    more = f" and {len(counted) - 4} more" if len(counted) > 4 else ""
    if decay:
        written = f"weight_decay={facts.optimizer.settings.get('weight_decay'):g}"  # type: ignore[union-attr]
        fix = "set weight_decay=1e-4"
    else:
        kind = "l1" if any(l1 >= strongest for _, l1, _ in counted) else "l2"
        written = f"{kind}={strongest:g}"
        fix = f"set {kind}={'1e-5' if kind == 'l1' else '1e-4'} on each of these layers"
    yield Finding(
        message=(
            f"the penalty of {written} on {names}{more} begins at {initial:.2g}; not knowing "
            f"anything costs {loss:.2g}"
        ),
        fix=fix,
        at=None if decay else counted[0][0],
        place=facts.optimizer.place if decay and facts.optimizer else None,
        severity="error" if needed >= loss else None,
    )


def _sums(kernel) -> tuple[float, float]:
    """Sums of the squares and of the absolute values of a kernel."""
    if kernel.read is not None:
        values = np.asarray(kernel.read(), dtype="float64")
        return float(np.square(values).sum()), float(np.abs(values).sum())
    if kernel.fan is None:
        return 0.0, 0.0
    variance, count = 2 / sum(kernel.fan), float(np.prod(kernel.shape))
    return count * variance, count * math.sqrt(variance) * 0.8


def _penalties(facts: Facts, operation: Operation) -> tuple[float, float]:
    """(l1, l2) on its kernel, from its own settings or from the optimizer's weight decay."""
    given = operation.settings.get("kernel_regularizer")
    if isinstance(given, dict):
        return float(given.get("l1") or 0.0), float(given.get("l2") or 0.0)
    optimizer = facts.optimizer
    # decoupled decay (AdamW, all of Keras 3) is measured against the learning rate, not the loss
    if facts.framework == "torch" and optimizer is not None and optimizer.kind in ("sgd", "adam"):
        return 0.0, float(optimizer.settings.get("weight_decay") or 0.0) / 2
    return 0.0, 0.0


def _possible_gain(facts: Facts) -> tuple[float, int, float] | None:
    """(loss of a network that knows nothing, directions it has to pass on, their squared size)."""
    if len(facts.outputs) != 1 or facts.outputs[0].loss is None:
        return None
    output = facts.outputs[0]
    loss, width = output.loss, output.operation.width
    assert loss is not None
    if loss.is_crossentropy:
        if "binary" in loss.kind:
            return math.log(2) * (1.0 if width is None else 1), 1, 1.0
        classes = width or output.classes
        return (math.log(classes), classes - 1, 1.0) if classes and classes > 1 else None
    if loss.kind == "mean_squared_error" and output.labels is not None and output.labels.is_numeric:
        variance = output.labels.std**2
        layers = sum(operation.kind in LINEAR for operation in facts.operations)
        if not math.isfinite(variance) or variance <= 0 or not layers:
            return None
        # small targets need small weights only
        return variance, 1, min(1.0, variance ** (1 / layers))
    return None


def _by_measured_penalty(facts: Facts) -> Iterator[Finding]:
    """Penalties that layers add by other means, as measured with the first batch."""
    probe = facts.probe
    if probe is None or probe.loss is None or not probe.penalty > 0:
        return
    rest = probe.loss - probe.penalty
    if math.isfinite(rest) and rest > 0 and probe.penalty > 10 * rest:
        yield Finding(
            message=(
                f"{probe.penalty:.3g} of the loss of the first batch, {probe.loss:.3g}, is "
                "penalties that regularizers add"
            ),
            fix="make the regularizers' factors smaller, by 100 to begin with",
            place=facts.training.compile_place,
        )
