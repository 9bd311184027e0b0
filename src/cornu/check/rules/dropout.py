"""C205, C206, C207, C208, C217, C218: dropout and normalization in the wrong place."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from cornu.check.facts import (
    CONVOLUTIONS,
    DROPOUT,
    LINEAR,
    POOLING,
    TRANSPARENT,
    Facts,
    Operation,
    Output,
    through,
)
from cornu.check.rule import Finding, rule
from cornu.check.rules.paths import (
    function_of,
    is_autoencoder,
    is_frozen,
    is_torch,
    listed,
    named,
    next_weighted,
    onward,
    sole_consumer,
)
from cornu.check.source import argument, constant, last_name

_RESHAPING = TRANSPARENT - DROPOUT
# The rate that is told as a warning; below, the shift of the variance is small.
_STRONG = 0.5


def _rate(operation: Operation) -> float | None:
    rate = operation.settings.get("rate")
    return float(rate) if isinstance(rate, int | float) else None


@rule(
    "C205",
    "dropout-before-batch-norm",
    "warning",
    "dropout changes the variance while training only, so that the variance that batch "
    "normalization remembers is wrong when the network predicts",
)
def dropout_before_batch_norm(facts: Facts) -> Iterator[Finding]:
    """Dropout whose result goes into batch normalization.

    ## What it does
    Looks for a dropout directly before a batch normalization: with nothing, an activation, pooling
    or reshaping between. From a rate of 0.5 it is a warning, below it a note.

    ## Why it hurts
    Dropping a share p of the values and scaling the rest by 1 / (1 - p) raises the mean square by 1
    / (1 - p): it doubles at 0.5. Batch normalization learns that variance as its moving variance.
    When predicting nothing is dropped, and the values are divided by a number that does not belong
    to them (Li et al., "Understanding the disharmony between dropout and batch normalization by
    variance shift", 2019).

    ## Example
        model.add(Dropout(0.5))
        model.add(BatchNormalization())

    ## Fix
        model.add(BatchNormalization())
        model.add(Dropout(0.5))
    """
    for operation in facts.of_kind("BatchNormalization"):
        current: Operation | None = operation.inputs[0] if operation.inputs else None
        while current is not None and current.kind not in DROPOUT:
            if (current.kind not in _RESHAPING | POOLING and function_of(current) is None) or len(
                current.inputs
            ) != 1:
                current = None
            else:
                current = current.inputs[0]
        rate = _rate(current) if current is not None else None
        if current is None or not rate or is_frozen(operation):
            continue
        yield Finding(
            message=f"{named(current)}, which drops {rate:.0%}, stands before the batch "
            f"normalization `{operation.name}`",
            fix=f"move `{current.name}` behind `{operation.name}`",
            at=current,
            severity="warning" if rate >= _STRONG else "note",
        )


@rule(
    "C206",
    "dropout-after-output",
    "error",
    "a share of the answers is replaced by zeros at random, and the network is punished for them",
)
def dropout_after_output(facts: Facts) -> Iterator[Finding]:
    """Dropout on what the network gives to the loss.

    ## What it does
    Looks for a dropout with no layer with weights between it and the loss.

    ## Why it hurts
    While it trains, each probability becomes 0 with the dropout's rate, whatever the network says:
    the cross-entropy of a dropped correct class is about 16 (Keras clips at 1e-7) and its gradient
    is nothing. Other values are scaled up, and no longer sum to 1. Predicted values of a regression
    are zero just as often.

    ## Example
        model.add(Dense(10, activation="softmax"))
        model.add(Dropout(0.5))

    ## Fix
        model.add(Dropout(0.5))
        model.add(Dense(10, activation="softmax"))
    """
    for output in facts.outputs:
        if output.loss is None:
            continue
        current = output.operation
        while len(current.inputs) == 1 and (
            current.kind in _RESHAPING or function_of(current) is not None
        ):
            current = current.inputs[0]
        if current.kind not in DROPOUT or not _rate(current) or not current.inputs:
            continue
        source = through(current.inputs[0])
        # noise on an embedding is a way to make views of it for a contrastive loss; what is
        # rectified or comes from elsewhere is no output layer's
        certain = function_of(source) in ("softmax", "sigmoid", "log_softmax")
        if not certain and (output.loss.kind == "custom" or source.kind not in LINEAR):
            continue
        yield Finding(
            message=f"`{current.name}` drops {_rate(current):.0%} of the output of {named(source)}",
            fix=f"remove `{current.name}`, or move it before `{source.name}`",
            at=current,
        )


# Hinton et al. used 0.5 in hidden layers; above 0.7 few units of usual layers are left.
_HIGHEST_RATE = 0.7


@rule(
    "C207",
    "dropout-rate",
    "warning",
    "so few values are left that the layers behind learn from noise",
)
def dropout_rate(facts: Facts) -> Iterator[Finding]:
    """Dropout that drops most values: mostly a rate that was meant as the share to keep.

    ## What it does
    Looks for a rate above 0.7. A rate of 1 drops everything and is an error.

    ## Why it hurts
    `rate` (PyTorch: `p`) is the share that is *dropped*. TensorFlow 1 had `keep_prob`, the share
    that is kept, and code and papers of its time give 0.8 or 0.9 for a light dropout. Srivastava et
    al. ("Dropout", 2014) found dropping 0.2 of the inputs and 0.5 of hidden units to be good.

    ## Example
        model.add(Dropout(0.8))      # 80 % meant to be kept

    ## Fix
        model.add(Dropout(0.2))
    """
    for operation in facts.of_kind(*DROPOUT):
        rate = _rate(operation)
        if rate is None or rate <= _HIGHEST_RATE or operation.call > 0:
            continue
        name = "p" if is_torch(facts) else "rate"
        kept = round(1 - rate, 6)
        yield Finding(
            message=f"`{operation.name}` drops {rate:.0%} of the values"
            + (": nothing is left" if rate >= 1 else f" and keeps {kept:.0%}"),
            fix=f"`{name}` is the share that is dropped: write {kept:g} if {rate:g} was to be "
            "kept, or use 0.5 or less"
            if rate < 1
            else f"`{name}` is the share that is dropped: 0.2 to 0.5 is usual",
            at=operation,
            severity="error" if rate >= 1 else None,
        )


@rule(
    "C208",
    "bias-before-batch-norm",
    "note",
    "batch normalization takes the mean away, and the bias with it",
)
def bias_before_batch_norm(facts: Facts) -> Iterator[Finding]:
    """A layer's bias directly before a batch normalization.

    ## What it does
    Looks for dense layers and convolutions with a bias whose output goes straight into a batch
    normalization that has an offset of its own. Told once for a network.

    ## Why it hurts
    It does not harm, it is idle: whatever is added to a channel is taken away with the channel's
    mean. The gradient of the bias is zero; its values cost memory, and the optimizer's time (Ioffe
    and Szegedy, "Batch normalization", 2015, section 3.2).

    ## Example
        model.add(Conv2D(32, 3))
        model.add(BatchNormalization())

    ## Fix
        model.add(Conv2D(32, 3, use_bias=False))
        model.add(BatchNormalization())
    """
    idle = []
    for operation in facts.operations:
        following = sole_consumer(facts, operation)
        if (
            operation.kind in LINEAR
            and following is not None
            and following.kind == "BatchNormalization"
            and operation.call == 0
            and not is_frozen(operation)
            and operation.parameter("bias") is not None
            and following.parameter("offset") is not None
        ):
            idle.append(operation)
    if idle:
        name = "bias" if is_torch(facts) else "use_bias"
        yield Finding(
            message=f"the bias of {listed(idle)} is taken away by the batch normalization behind",
            fix=f"give {'it' if len(idle) == 1 else 'them'} `{name}=False`",
            at=idle[0],
        )


@rule(
    "C217",
    "normalized-or-narrow-output",
    "warning",
    "what the network knows has to pass through a place that lets too little through",
)
def normalized_or_narrow_output(facts: Facts) -> Iterator[Finding]:
    """Batch normalization behind the output layer, or a hidden layer of one unit.

    ## What it does
    Looks for a batch normalization between the output layer and the loss, and for a hidden dense
    layer of width 1 that all information has to pass. Embeddings under losses of one's own,
    autoencoders and scores of attention are left alone.

    ## Why it hurts
    Behind a softmax, normalized values are no probabilities any more, and can be negative: their
    logarithm is not a number. On logits or predicted values the result for a row depends on which
    other rows are in its batch while training, and on moving averages afterwards: the two differ. A
    layer of one unit tells the next layer a single number; for ten classes it has to line them up.

    ## Example
        model.add(Dense(10, activation="softmax"))
        model.add(BatchNormalization())

    ## Fix
        model.add(BatchNormalization())
        model.add(Dense(10, activation="softmax"))
    """
    for output in facts.outputs:
        if output.loss is not None and output.loss.kind != "custom":
            yield from _normalized(output)
    autoencoder = any(is_autoencoder(output) for output in facts.outputs)
    for operation in facts.of_kind("Dense"):
        if operation.width != 1 or len(operation.shape) != 2 or autoencoder or operation.call > 0:
            continue
        entering = operation.inputs[0].width if operation.inputs else None
        behind = next_weighted(facts, operation)
        # a chain: what joins or branches off carries information past it
        if behind is None or behind.kind != "Dense" or entering is None or entering < 2:
            continue
        if any(
            step.kind not in TRANSPARENT | {"BatchNormalization"} and function_of(step) is None
            for step in onward(facts, operation)
            if step.index < behind.index
        ):
            continue
        yield Finding(
            message=f"the hidden layer `{operation.name}` has one unit: `{behind.name}` gets a "
            "single number",
            fix=f"give `{operation.name}` more units, or remove it",
            at=operation,
        )


def _normalized(output: Output) -> Iterator[Finding]:
    """A batch normalization between the last layer with weights and the loss."""
    current, last = output.operation, None
    while len(current.inputs) == 1 and current.kind not in LINEAR:
        if current.kind == "BatchNormalization":
            source = through(current.inputs[0])
            function = function_of(source)
            if function in ("softmax", "sigmoid") and last is None:
                severity = "error"
            elif source.kind == "Dense" and last not in ("relu", "leaky_relu", "elu"):
                severity = "warning"
            elif source.kind in CONVOLUTIONS and last in (None, "softmax", "sigmoid"):
                severity = "note"  # as in SegNet, which trains
            else:
                return
            yield Finding(
                message=f"the batch normalization `{current.name}` stands behind the output layer "
                f"{named(source)}",
                fix=f"remove `{current.name}`, or move it before the output layer",
                at=current,
                severity=severity,  # type: ignore[arg-type]
            )
            return
        last = function_of(current) or last
        current = current.inputs[0]


_DROPOUT_FUNCTIONS = (
    *("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"),
    "feature_alpha_dropout",
)
_DROPOUT_MODULES = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout")


@rule(
    "C218",
    "functional-dropout-always-on",
    "warning",
    "values are dropped when the network predicts too: its answers are worse, and differ each time",
)
def functional_dropout_always_on(facts: Facts) -> Iterator[Finding]:
    """PyTorch dropout that `eval()` does not switch off.

    ## What it does
    Reads the program's text for `F.dropout(x, p)` without `training=self.training`, and for a
    dropout module made within `forward`.

    ## Why it hurts
    The argument `training` of `F.dropout` is True unless it is given: the function knows nothing of
    the module it is called in. A module that is made within `forward` is new in each call, and new
    modules are in training mode. Either way `model.eval()` changes nothing, and validation and
    prediction run with units dropped.

    ## Example
        x = F.dropout(x, 0.5)

    ## Fix
        x = F.dropout(x, 0.5, training=self.training)
    """
    source = facts.source
    for operation in facts.of_kind(*DROPOUT):
        if operation.settings.get("always_on") and (source is None or operation.place is None):
            yield Finding(
                message=f"{named(operation)} drops values in `eval()` mode too",
                fix="add `training=self.training`",
                at=operation,
            )
    if source is None or not is_torch(facts):
        return
    for call in source.calls(*_DROPOUT_FUNCTIONS):
        function = call.func
        if not isinstance(function, ast.Attribute) or last_name(function.value) not in (
            "F",
            "functional",
        ):
            continue
        training = argument(call, "training", 2)
        if any(keyword.arg is None for keyword in call.keywords) or (
            training is not None and constant(training) is not True
        ):
            continue
        if constant(argument(call, "p", 1)) in (0, 0.0):
            continue
        # written out as True is mostly meant: Monte Carlo dropout
        yield Finding(
            message=f"`{ast.unparse(call)}` drops values in `eval()` mode too",
            fix="add `training=self.training`",
            layer=function.attr,
            place=source.place(call),
            severity="note" if training is not None else None,
        )
    for call in source.calls(*_DROPOUT_MODULES):
        outer = next(source.around(call, ast.FunctionDef), None)
        called = source.parents.get(call)
        if (
            isinstance(outer, ast.FunctionDef)
            and outer.name == "forward"
            and isinstance(called, ast.Call)
            and called.func is call
        ):
            yield Finding(
                message=f"`{ast.unparse(call)}` is made anew in each `forward`, in training mode",
                fix="make it once in `__init__`: `self.dropout = nn.Dropout(...)`",
                layer=last_name(call.func),
                place=source.place(call),
            )
