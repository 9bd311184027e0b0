"""C201, C202, C212, C219: what stands between layers with weights."""

from __future__ import annotations

from collections.abc import Iterator

from cornu.check.facts import (
    CONVOLUTIONS,
    LINEAR,
    NORMALIZATION,
    POOLING,
    RECTIFIED,
    RECURRENT,
    TRANSPARENT,
    Facts,
    Operation,
    Output,
    through,
)
from cornu.check.rule import Finding, rule
from cornu.check.rules.paths import (
    AVERAGE_POOLING,
    MAX_POOLING,
    PADDING,
    back_through,
    function_of,
    is_frozen,
    is_torch,
    listed,
    named,
    onward,
)

# Between two linear layers these leave the whole linear. Swapping axes is left out: a matrix for
# each axis is a way to mix both, and no matrix for all does the same with so few weights.
_KEEPS_LINEAR = (
    (TRANSPARENT - {"Permute", "transpose"}) | AVERAGE_POOLING | PADDING | {"BatchNormalization"}
)


@rule(
    "C201",
    "no-nonlinearity",
    "warning",
    "linear layers in a row compute what a single one can: the depth adds weights, but no power",
)
def no_nonlinearity(facts: Facts) -> Iterator[Finding]:
    """Layers with weights that follow one another with no activation function in between.

    ## What it does
    Looks for dense layers and convolutions whose output goes, unchanged or only scaled, averaged or
    reshaped, straight into the next one. Batch normalization and dropout do not help: they are
    linear when the network predicts. Left alone are pairs that are linear on purpose: a narrow
    layer between wider ones (a factorized matrix, the code of an autoencoder), depthwise with
    pointwise convolutions, a window cut into a row and a column, learned upsampling.

    ## Why it hurts
    A product of matrices is a matrix. However deep, the network can only draw straight boundaries:
    it cannot learn XOR (Minsky and Papert, Perceptrons, 1969). Keras' `Dense` and `Conv2D` have no
    activation unless one is given, and PyTorch's `nn.Linear` has none at all.

    ## Example
        model.add(Dense(64, input_shape=(20,)))
        model.add(Dense(64))
        model.add(Dense(1, activation="sigmoid"))

    ## Fix
        model.add(Dense(64, activation="relu", input_shape=(20,)))
        model.add(Dense(64, activation="relu"))
        model.add(Dense(1, activation="sigmoid"))
    """
    following = dict(_linear_pairs(facts))
    for first in facts.operations:
        if first not in following or first in following.values():
            continue
        chain = [first]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        lacking = chain[:-1]
        if is_torch(facts):
            fix = f"apply an activation to the output of {listed(lacking)}: `torch.relu(...)`"
        else:
            fix = f'give {listed(lacking)} an activation: `activation="relu"`'
        yield Finding(
            message=f"{listed(chain)} follow one another with nothing non-linear in between: "
            f"together they can do no more than one layer",
            fix=fix,
            at=first,
        )
    if not following:
        yield from _only_pooled(facts)


def _linear_pairs(facts: Facts) -> Iterator[tuple[Operation, Operation]]:
    for operation in facts.operations:
        if operation.kind not in LINEAR or not operation.inputs:
            continue
        source = back_through(operation.inputs[0], _KEEPS_LINEAR)
        if (
            source.kind in LINEAR
            and source is not operation
            and len(source.consumers) == 1
            and facts.output_of(source) is None
            and not _on_purpose(source, operation)
        ):
            yield source, operation


def _on_purpose(first: Operation, second: Operation) -> bool:
    """Whether two linear layers in a row are a known way to build."""
    if is_frozen(first) and is_frozen(second):
        return True  # somebody else's network
    for one in (first, second):
        # learned upsampling; windows for each channel alone, which pointwise ones then mix
        if "Transpose" in one.kind or "Depthwise" in one.kind:
            return True
        if (one.settings.get("groups") or 1) > 1:
            return True
    windows = [one.settings.get("kernel_size") for one in (first, second)]
    if all(isinstance(size, tuple | list) and 1 in size and max(size) > 1 for size in windows):
        return True  # a row, then a column
    entering, middle, leaving = first.inputs[0], first.width, second.width
    if entering.width is None or middle is None or leaving is None:
        return True
    return middle < min(entering.width, leaving)


def _only_pooled(facts: Facts) -> Iterator[Finding]:
    """Convolutions of a network that has nothing after any of them but max pooling."""
    bare = []
    for operation in facts.operations:
        if operation.kind not in CONVOLUTIONS or "Depthwise" in operation.kind:
            continue
        pooled = False
        for step in onward(facts, operation):
            if step.kind in MAX_POOLING:
                pooled = True
            elif step.kind in LINEAR and pooled:
                bare.append(operation)
                break
            elif step.kind not in _KEEPS_LINEAR:
                return
    if bare:
        yield Finding(
            message=f"after {listed(bare)} there is max pooling but no activation: "
            "pooling is the only thing there that is not linear",
            fix=f"apply torch.relu to the output of {listed(bare)}"
            if is_torch(facts)
            else f'give {listed(bare)} `activation="relu"`',
            at=bare[0],
            severity="note",
        )


# What the second of two activations does to the first one's values, where it is no help.
_TO_PROBABILITIES = frozenset({"softmax", "sigmoid", "log_softmax", "log_sigmoid", "hard_sigmoid"})
_NOT_NEGATIVE = frozenset({"relu", "relu6"}) | {"softmax", "sigmoid", "hard_sigmoid"}
_SAME_FOR_POSITIVE = frozenset({"relu", "leaky_relu", "elu", "prelu"})


@rule(
    "C202",
    "activation-twice",
    "warning",
    "the second function gets values that the first has squeezed already",
)
def activation_twice(facts: Facts) -> Iterator[Finding]:
    """One activation function directly behind another.

    ## What it does
    Looks for two activations with no layer with weights in between, most often one given as an
    argument of a layer and a second one as a layer of its own. ReLU behind ReLU changes nothing and
    is only noted. Softmax or sigmoid on top of probabilities is an error at the output. What a loss
    applies by itself is the matter of C101 and C102, and ReLU before softmax that of C120.

    ## Why it hurts
    Softmax of values between 0 and 1 is nearly uniform: with 10 classes no probability can exceed e
    / (e + 9) = 0.23, the cross-entropy cannot fall below 1.46, and gradients are small everywhere.
    Sigmoid of a sigmoid lies between 0.5 and 0.73, so every row is of the class 1.

    ## Example
        model.add(Dense(10, activation="softmax"))
        model.add(Activation("softmax"))

    ## Fix
        model.add(Dense(10, activation="softmax"))
    """
    for second in facts.operations:
        if function_of(second) is None or len(second.inputs) != 1:
            continue
        first = through(second.inputs[0])
        one, two = function_of(first), function_of(second)
        if one is None or two is None or "linear" in (one, two):
            continue
        output = next((out for out in facts.outputs if through(out.operation) is second), None)
        severity = _severity_of_two(one, two, output, second)
        if severity is None:
            continue
        if severity == "note":
            message = f"{named(second)} gets what {one} of `{first.name}` gives: it changes nothing"
            if two not in _SAME_FOR_POSITIVE and one != two:
                message = f"{named(second)} is applied to the result of {one} of `{first.name}`"
        else:
            message = (
                f"{two} is applied to the result of {one}: `{first.name}`, then `{second.name}`"
            )
        keep = two if {one, two} == {"relu", "leaky_relu"} else None
        if {one, two} & {"softmax", "log_softmax"} and one != two:
            keep = two if one in ("sigmoid", "tanh") else None
        # a ReLU inside the layer hides the leaky one behind it, which is the one that was meant
        fix = (
            f"remove the {one} of `{first.name}`"
            if keep
            else f"remove the {two} of `{second.name}`"
        )
        yield Finding(message=message, fix=fix, at=second, severity=severity)


def _severity_of_two(one: str, two: str, output: Output | None, second: Operation):
    """How bad two activations in a row are; None where they are no fault, or another rule's."""
    last = output is not None
    if one in RECTIFIED and two in _TO_PROBABILITIES:
        return None
    if two in _SAME_FOR_POSITIVE and one in _NOT_NEGATIVE:
        return "note"
    if one == "log_softmax" and two in ("softmax", "log_softmax"):
        return "note"  # the same probabilities come out
    if two == "softmax" and second.width == 1:
        return None  # C105
    if one in _TO_PROBABILITIES and two in _TO_PROBABILITIES:
        return "error" if last else "warning"
    if one == "tanh" and two in _TO_PROBABILITIES:
        # in attention, scores are often bounded by tanh before their softmax
        return "warning" if last else None
    if one in ("sigmoid", "tanh", "softmax") and two in ("tanh", "sigmoid", "softmax"):
        return "warning"
    if one == two or (one in RECTIFIED and two in RECTIFIED):
        return "note"
    return "warning" if one in RECTIFIED and two == "tanh" else None


# Layers in a row from which a saturating function is told of. Glorot and Bengio (2010) could not
# train sigmoid networks of four hidden layers; their last one stayed saturated.
_SIGMOIDS_NOTED, _SIGMOIDS_WARNED = 3, 4
# With Glorot's initial values tanh trains to about this depth.
_TANHS_NOTED = 6


@rule(
    "C212",
    "saturating-stack",
    "warning",
    "each layer multiplies the gradient by the slope of its activation: the first layers get "
    "almost none",
)
def saturating_stack(facts: Facts) -> Iterator[Finding]:
    """Many hidden layers in a row with sigmoid or tanh.

    ## What it does
    Counts layers one behind the other whose activation is sigmoid (from 3 a note, from 4 a warning)
    or tanh (from 6 a note, for classifiers), with no normalization and no connection around them.

    ## Why it hurts
    The slope of the sigmoid is at most 1/4: behind four of them less than 1/256 of the gradient
    arrives. Networks of four hidden sigmoid layers did not train in Glorot and Bengio's experiments
    ("Understanding the difficulty of training deep feedforward neural networks", 2010).

    ## Example
        model.add(Dense(64, activation="sigmoid"))   # four times

    ## Fix
        model.add(Dense(64, activation="relu"))      # four times
    """
    counts: dict[Operation, list[Operation]] = {}
    for operation in facts.operations:
        function = function_of(operation)
        if function not in ("sigmoid", "hard_sigmoid", "tanh", "softsign"):
            continue
        layer = back_through(operation.inputs[0]) if len(operation.inputs) == 1 else operation
        if layer.kind not in LINEAR or not layer.inputs or _is_end(facts, operation):
            continue
        past = through(layer.inputs[0], TRANSPARENT | POOLING)
        same = ("sigmoid" in (function_of(past) or "")) == ("sigmoid" in function)
        counts[operation] = [*(counts.get(past, []) if same else []), operation]
    longest = max(counts.values(), key=len, default=[])
    if not longest or any(step.kind in NORMALIZATION for step in facts.operations):
        return
    function = function_of(longest[0]) or ""
    if function in ("tanh", "softsign"):
        classifies = any(out.loss is not None and out.loss.is_crossentropy for out in facts.outputs)
        if len(longest) < _TANHS_NOTED or not classifies:
            return
    elif len(longest) < _SIGMOIDS_NOTED:
        return
    yield Finding(
        message=f"{len(longest)} hidden layers in a row end in {function}: {listed(longest)}",
        fix=f"use relu instead of {function} in the hidden layers"
        + ("" if is_torch(facts) else ': `activation="relu"`'),
        at=longest[0],
        severity="warning"
        if "sigmoid" in function and len(longest) >= _SIGMOIDS_WARNED
        else "note",
    )


def _is_end(facts: Facts, operation: Operation) -> bool:
    return any(through(output.operation) is operation for output in facts.outputs)


@rule(
    "C219",
    "softmax-hidden",
    "warning",
    "softmax lets the units of a layer share a total of 1: little of what they know gets through",
)
def softmax_hidden(facts: Facts) -> Iterator[Finding]:
    """Softmax, or one lonely sigmoid, as the activation of a hidden layer.

    ## What it does
    Looks for a softmax whose result goes straight into the next layer with weights. Weights of
    attention, gates and mixtures are multiplied with something and are left alone. A sigmoid in
    front of the output layer of a network that is rectified everywhere else is noted.

    ## Why it hurts
    The values of a softmax are positive and sum to 1: with 64 units they are about 0.016 each.
    Units cannot be active together, and the signal and its gradient shrink by the width of the
    layer.

    ## Example
        model.add(Dense(64, activation="softmax"))
        model.add(Dense(10, activation="softmax"))

    ## Fix
        model.add(Dense(64, activation="relu"))
        model.add(Dense(10, activation="softmax"))
    """
    hidden = [
        operation
        for operation in facts.operations
        if function_of(operation) and operation.consumers and not _is_end(facts, operation)
    ]
    for operation in hidden:
        if function_of(operation) != "softmax" or operation.width == 1:
            continue
        if not all(_leads_to_layer(facts, step) for step in operation.consumers):
            continue
        yield Finding(
            message=f"softmax is the activation of the hidden layer `{operation.name}`",
            fix="use `torch.relu` there, and keep softmax for the output"
            if is_torch(facts)
            else 'use `activation="relu"` there, and keep softmax for the output',
            at=operation,
        )
    rectified = [operation for operation in hidden if function_of(operation) in RECTIFIED]
    sigmoids = [operation for operation in hidden if function_of(operation) == "sigmoid"]
    if len(sigmoids) == 1 and rectified and _leads_to_layer(facts, sigmoids[0].consumers[0]):
        lone = sigmoids[0]
        layer = back_through(lone.inputs[0]) if len(lone.inputs) == 1 else lone
        if layer.kind == "Dense" and (layer.width or 0) > 1 and len(lone.consumers) == 1:
            yield Finding(
                message=f"`{lone.name}` is the only hidden layer with sigmoid; "
                f"the others have {function_of(rectified[0])}",
                fix=f"use {function_of(rectified[0])} there too",
                at=lone,
                severity="note",
                why="its slope is at most 1/4, and nothing at both ends",
            )


def _leads_to_layer(facts: Facts, step: Operation) -> bool:
    """Whether values arrive in a layer with weights as they are."""
    kinds = TRANSPARENT | POOLING | NORMALIZATION
    while step.kind in kinds and len(step.inputs) == len(step.consumers) == 1:
        step = step.consumers[0]
    return step.kind in LINEAR | RECURRENT and len(step.inputs) == 1
