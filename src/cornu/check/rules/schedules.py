"""A rule about how the learning rate changes: C407."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from cornu.check.facts import Facts
from cornu.check.rule import Finding, rule
from cornu.check.rules.rates import number, total_steps
from cornu.check.source import argument, constant, last_name

# A schedule that has fallen to this share of its start within the first tenth of training.
_FALLEN, _EARLY = 1e-3, 0.1


@rule(
    "C407",
    "decay-too-fast",
    "warning",
    "once the learning rate has gone, the rest of the epochs changes nothing",
)
def decay_too_fast(facts: Facts) -> Iterator[Finding]:
    """The learning rate falls so fast that training ends soon after its start.

    ## What it does
    It follows the schedule over the planned steps and finds one that is below a thousandth of its
    start from the first tenth of the training on: mostly a number of epochs given where steps
    are counted. It finds old Keras' `decay=` of 0.1 and more (it divides the rate by
    `1 + decay * step`), and PyTorch schedulers with a factor for epochs that are stepped after
    each batch.

    ## Why it hurts
    The sum of the remaining learning rates bounds how far weights can still move; with a fall by
    1000 within a tenth of the steps the other nine tenths do nothing.

    ## Example
        CosineDecay(0.1, decay_steps=epochs)          # steps are counted, not epochs
        SGD(learning_rate=0.1, decay=0.9)             # meant as momentum

        for batch in loader:
            ...
            scheduler.step()                          # ExponentialLR(optimizer, gamma=0.9)

    ## Fix
        CosineDecay(0.1, decay_steps=epochs * steps_per_epoch)
        SGD(learning_rate=0.1, momentum=0.9)

        for epoch in range(epochs):
            for batch in loader: ...
            scheduler.step()
    """
    optimizer = facts.optimizer
    if optimizer is None:
        return
    steps = total_steps(facts)
    stepped = list(_stepped_per_batch(facts, steps))
    if stepped:
        yield from stepped
        return
    if optimizer.schedule is not None and steps is not None and steps >= 40:
        moments = np.unique(np.linspace(_EARLY * steps, steps - 1, 9).astype(int))
        start = max(optimizer.schedule(0), optimizer.schedule(1))
        later = max(optimizer.schedule(int(moment)) for moment in moments)
        if start > 0 and later < _FALLEN * start:
            yield Finding(
                message=(
                    f"the learning rate falls from {number(start)} to {number(later)} within "
                    f"{int(moments[0])} of {steps} steps"
                ),
                fix=(
                    "step the scheduler once an epoch, not after each batch, or let it fall slower"
                    if facts.framework == "torch"
                    else "count the schedule's length in optimizer steps: "
                    f"epochs * {facts.training.steps}"
                ),
                place=optimizer.schedule_place or optimizer.place,
            )
            return
    decay = optimizer.settings.get("decay", _written_decay(facts))
    if isinstance(decay, (int, float)) and decay >= 0.1 and (steps is None or steps >= 200):
        after = steps or 1000
        yield Finding(
            message=(
                f"decay={number(decay)} divides the learning rate by "
                f"{1 + decay * after:.0f} within {after} steps"
            ),
            fix=(
                f"use momentum={number(decay)} if that was meant, or decay=1e-4"
                if decay < 1 and "momentum" not in optimizer.given
                else "use decay=1e-4, or leave it out"
            ),
            place=optimizer.place,
        )


def _written_decay(facts: Facts) -> float | None:
    """`decay=` as a Keras program writes it: later versions know no such setting."""
    optimizer, source = facts.optimizer, facts.source
    if facts.framework == "torch" or source is None or optimizer is None:
        return None
    if optimizer.place is None:
        return None
    for call in source.calls(optimizer.written.split(".")[-1]):
        if call.lineno <= optimizer.place.line <= (call.end_lineno or call.lineno):
            return constant(argument(call, "decay"))
    return None


def _stepped_per_batch(facts: Facts, steps: int | None) -> Iterator[Finding]:
    """PyTorch: a scheduler that is made for epochs, stepped after each batch, as the text shows."""
    source = facts.source
    if facts.framework != "torch" or source is None:
        return
    for call in source.calls("ExponentialLR", "StepLR"):
        statement = source.parents.get(call)
        gamma = constant(
            argument(call, "gamma", 1 if last_name(call.func) == "ExponentialLR" else 2)
        )
        every = constant(argument(call, "step_size", 1)) if last_name(call.func) == "StepLR" else 1
        if gamma is None and last_name(call.func) == "StepLR":
            gamma = 0.1  # StepLR's default
        if not isinstance(statement, ast.Assign) or not isinstance(gamma, (int, float)):
            continue
        if not isinstance(every, int) or every < 1 or not 0 < gamma < 1:
            continue
        names = {target.id for target in statement.targets if isinstance(target, ast.Name)}
        for step in source.calls("step"):
            owner = step.func.value if isinstance(step.func, ast.Attribute) else None
            if not isinstance(owner, ast.Name) or owner.id not in names:
                continue
            loop = next(source.around(step, ast.For, ast.While, ast.FunctionDef), None)
            if not isinstance(loop, (ast.For, ast.While)) or not any(
                isinstance(node, ast.Call)
                and last_name(node.func) == "backward"
                and next(source.around(node, ast.For, ast.While), None) is loop
                for node in ast.walk(loop)
            ):
                continue
            outer = next(source.around(loop, ast.For, ast.While), None)
            if outer is None:  # one loop alone: its turns may be epochs of one batch each
                continue
            early = int(_EARLY * steps) if steps else 100
            if gamma ** (early // every) < _FALLEN:
                yield Finding(
                    message=(
                        f"{owner.id}.step() runs after each batch: {last_name(call.func)} takes "
                        f"the learning rate to {gamma ** (early // every):.1g} of its start within "
                        f"{early} batches"
                    ),
                    fix=f"move {owner.id}.step() out of the loop over batches",
                    place=source.place(step),
                )
                return
