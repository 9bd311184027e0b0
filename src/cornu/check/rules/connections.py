"""C214, C215, C216: layers and inputs that are left out, and more parameters than data."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cornu.check.facts import (
    DROPOUT,
    LINEAR,
    NORMALIZATION,
    RECURRENT,
    Facts,
    before,
)
from cornu.check.rule import Finding, rule
from cornu.check.rules.dropped import dropped_results
from cornu.check.rules.paths import function_of, is_autoencoder, is_frozen, is_torch, named

_WITH_WEIGHTS = LINEAR | RECURRENT | NORMALIZATION | {"Embedding", "MultiHeadAttention"}
# Parts of ready networks that are often left out: their classifiers and auxiliary outputs.
_OFTEN_LEFT_OUT = ("aux", "fc", "classifier", "head", "pooler", "avgpool", "logits")


@rule(
    "C214",
    "layer-never-used",
    "warning",
    "the network that trains is not the one that was written down",
)
def layer_never_used(facts: Facts) -> Iterator[Finding]:
    """A layer that the program makes and never calls.

    ## What it does
    Looks for layers with weights that belong to the network and were not called in its forward
    pass; an unused dropout is noted. In a PyTorch `forward` it also finds calls whose result
    nothing takes: `F.relu(x)` alone on a line. Where half of all layers are unused (they belong to
    another part of the program), or it is the classifier of a ready network, nothing is told.

    ## Why it hurts
    It does nothing. Mostly the call was forgotten, or another layer was called twice in its place
    (`self.conv2` made, `self.conv1` called again), which then shares its weights.

    ## Example
        x = torch.relu(self.fc1(x))
        return self.fc3(x)            # self.fc2 is never called

    ## Fix
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.fc3(x)
    """
    if not is_torch(facts) and any(
        operation.parameters
        and operation.kind not in _WITH_WEIGHTS
        and function_of(operation) is None
        for operation in facts.operations
    ):
        return  # a wrapper or a layer of the user's own: which layers it calls within is not seen
    yield from _dropped(facts)
    weighted = [entry for entry in facts.unused if entry[1] in _WITH_WEIGHTS]
    used = {operation.name for operation in facts.operations if operation.kind in _WITH_WEIGHTS}
    if len(weighted) >= max(1, len(used)):
        return
    for name, kind, place in facts.unused:
        parts = name.lower().replace("/", ".").split(".")
        if len(parts) > 1 and any(part.startswith(_OFTEN_LEFT_OUT) for part in parts):
            continue
        if kind in _WITH_WEIGHTS:
            severity = "warning" if len(parts) <= 2 else "note"
        elif kind in DROPOUT and len(parts) == 1:
            severity = "note"
        else:
            continue
        yield Finding(
            message=f"the layer `{name}` ({kind}) is made and never used",
            fix=f"call `{name}` in the forward pass, or remove it",
            layer=name,
            place=place,
            severity=severity,  # type: ignore[arg-type]
        )


def _dropped(facts: Facts) -> Iterator[Finding]:
    if is_torch(facts) and facts.source is not None:
        for name, statement in dropped_results(facts.source):
            yield Finding(
                message=f"the result of {name}(...) is dropped: nothing takes it",
                fix=f"assign it: x = {name}(...)"
                if isinstance(statement, ast.Expr)
                else f"use the result of {name}(...), or remove the call",
                place=facts.source.place(statement),
            )


@rule(
    "C215",
    "input-not-connected",
    "warning",
    "the network cannot learn from data that it does not look at",
)
def input_not_connected(facts: Facts) -> Iterator[Finding]:
    """An input that no output depends on.

    ## What it does
    Looks for inputs of a Keras network from which no path leads to an output; and for an output
    that depends on no input at all, which is an error.

    ## Why it hurts
    The data given for that input plays no part. Mostly a layer was called on the wrong tensor
    (`x = Dense(32)(left)` twice), or the result of a merge was not handed on.

    ## Example
        both = Concatenate()([left, right])
        result = Dense(1)(left)

    ## Fix
        both = Concatenate()([left, right])
        result = Dense(1)(both)
    """
    inputs = list(facts.of_kind("Input"))
    reached = set()
    for output in facts.outputs:
        reached |= {output.operation, *before(output.operation)}
    idle = [operation for operation in inputs if operation not in reached]
    # of a PyTorch network, inputs are whatever it takes, also for what no loss is known of
    if not inputs or not facts.outputs or is_torch(facts):
        return
    if len(idle) == len(inputs):
        yield Finding(
            message="no output of the network depends on its input",
            fix="connect the layers to the input",
            at=facts.outputs[0].operation,
            severity="error",
        )
        return
    for operation in idle:
        yield Finding(
            message=f"no output depends on the input {named(operation)}",
            fix=f"use `{operation.name}` in the network, or take it out of its inputs",
            at=operation,
        )


# Trainable values for each row from which it is told. Networks with more parameters than rows do
# generalize (Zhang et al., "Understanding deep learning requires rethinking generalization", 2017),
# so the number alone is no fault until it is absurd.
_MANY, _ABSURD = 300, 10_000
_LEAST_ROWS = 50


@rule(
    "C216",
    "more-parameters-than-data",
    "note",
    "a network with so many values can learn every row by heart, noise included",
)
def more_parameters_than_data(facts: Facts) -> Iterator[Finding]:
    """A network of dense layers with hundreds of values for each row of data.

    ## What it does
    Divides the number of trainable values by the rows, for networks of dense layers only. Above 300
    it is noted, above 10,000 a warning. Convolutional, recurrent and pretrained networks, dropout,
    weight regularization, early stopping and autoencoders are reasons to stay silent; so are fewer
    than 50 rows.

    ## Why it hurts
    Such a network reaches a training loss of zero on random labels too (Zhang et al., 2017): its
    training loss says nothing. It may still predict well, so watch the validation loss.

    ## Example
        # 150 rows of 4 features
        model.add(Dense(1024, activation="relu"))
        model.add(Dense(1024, activation="relu"))

    ## Fix
        model.add(Dense(16, activation="relu"))
        model.add(Dense(16, activation="relu"))
    """
    rows = facts.training.rows
    kinds = {operation.kind for operation in facts.operations}
    if rows is None or rows < _LEAST_ROWS or not facts.parameters:
        return
    if any(is_autoencoder(output) for output in facts.outputs):
        return  # each row has as many targets as values
    if kinds & (_WITH_WEIGHTS - NORMALIZATION - {"Dense"}) or kinds & DROPOUT:
        return
    if not kinds & {"Dense"} or any(is_frozen(o) for o in facts.operations if o.parameters):
        return
    regularized = any(
        operation.settings.get("kernel_regularizer") for operation in facts.operations
    )
    optimizer = facts.optimizer.settings if facts.optimizer is not None else {}
    if regularized or optimizer.get("weight_decay") or "EarlyStopping" in facts.training.callbacks:
        return
    ratio = facts.parameters / rows
    if ratio <= _MANY:
        return
    yield Finding(
        message=f"{facts.parameters:,} trainable values for {rows:,} rows: {ratio:,.0f} for each",
        fix="use fewer or narrower layers, dropout, or weight decay, and watch the validation loss",
        at=max(
            (o for o in facts.of_kind("Dense")),
            key=lambda o: sum(_count(p.shape) for p in o.parameters),
        ),
        severity="warning" if ratio > _ABSURD else None,
    )


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for axis in shape:
        count *= axis
    return count
