"""Rules about the output's activation and what the loss takes it for: C101-C105."""

from __future__ import annotations

from collections.abc import Iterator

from cornu.check.facts import Facts, Operation, Output
from cornu.check.rule import Finding, rule
from cornu.check.rules.label_forms import (
    NO_PROBABILITIES,
    SIGMOIDS,
    SOFTMAXES,
    are_values,
    edit,
    edit_activation,
    edit_loss,
    edit_pattern,
    form,
    is_binary_loss,
    last,
    last_function,
    over_classes,
    width,
    word,
)


@rule(
    "C101",
    "softmax-twice",
    "error",
    "the second softmax sees numbers between 0 and 1 only, so no class can get far from the "
    "others: the loss cannot come near 0 and the gradients are small",
)
def softmax_twice(facts: Facts) -> Iterator[Finding]:
    """Softmax output under a loss that applies softmax itself.

    ## What it does
    Finds a softmax as the last operation before PyTorch's `CrossEntropyLoss`, or before a Keras
    cross-entropy with `from_logits=True`. A log-softmax there changes nothing and is only noted.

    ## Why it hurts
    The loss takes the output for logits. A probability of 1 for the right one of ten classes
    becomes e / (e + 9) = 0.23, so the loss stays above 1.46 however good the network is, and all
    gradients pass through a second, nearly flat softmax. Source: documentation of
    `torch.nn.CrossEntropyLoss`, "the input is expected to contain the unnormalized logits".

    ## Example
        self.layers = nn.Sequential(nn.Linear(784, 10), nn.Softmax(dim=1))
        loss = nn.CrossEntropyLoss()

    ## Fix
        self.layers = nn.Sequential(nn.Linear(784, 10))
        loss = nn.CrossEntropyLoss()
    """
    for output in facts.outputs:
        loss, function = output.loss, last_function(output)
        if loss is None or loss.applies != "softmax" or width(output) == 1:
            continue
        operation = last(output)
        if function == "log_softmax":
            yield Finding(
                message=f"{loss.written} applies log-softmax to an output that "
                f"{operation.name!r} has put through log-softmax already",
                why="the second changes nothing, it only costs time",
                fix="remove the log-softmax, or use nn.NLLLoss()"
                if facts.framework == "torch"
                else "remove the log-softmax",
                at=operation,
                severity="note",
            )
        elif function == "softmax":
            if facts.framework == "torch":
                fix = f"remove the softmax: {loss.written} applies it itself"
                change = edit_activation(facts, operation, "softmax", None)
            else:
                fix = f"remove from_logits=True from {loss.written}, or the softmax from the output"
                change = edit(facts.source, loss.place, "from_logits=True", "from_logits=False")
            yield Finding(
                message=f"the output {operation.name!r} ends in a softmax, and "
                f"{_as_written(loss)} applies softmax again",
                fix=fix,
                at=operation,
                place=(operation.place if facts.framework == "torch" else loss.place)
                or operation.place,
                edit=change,
            )


def _as_written(loss) -> str:
    return f"{loss.written}(from_logits=True)" if loss.settings.get("from_logits") else loss.written


@rule(
    "C102",
    "sigmoid-twice",
    "error",
    "the second sigmoid sees numbers between 0 and 1 only, so every probability lies between 0.5 "
    "and 0.73 and the loss cannot come near 0",
)
def sigmoid_twice(facts: Facts) -> Iterator[Finding]:
    """Sigmoid output under a loss that applies sigmoid itself.

    ## What it does
    Finds a sigmoid as the last operation before PyTorch's `BCEWithLogitsLoss`, or before Keras'
    `BinaryCrossentropy(from_logits=True)`.

    ## Why it hurts
    sigmoid(0) = 0.5 and sigmoid(1) = 0.73: the loss takes every row for class 1, and its value for
    rows of class 0 stays above 0.69. Source: documentation of `torch.nn.BCEWithLogitsLoss`.

    ## Example
        probability = torch.sigmoid(self.fc(x))
        loss = nn.BCEWithLogitsLoss()(probability, y)

    ## Fix
        loss = nn.BCEWithLogitsLoss()(self.fc(x), y)
    """
    for output in facts.outputs:
        loss, function = output.loss, last_function(output)
        if loss is None or loss.applies != "sigmoid":
            continue
        if function not in (*SIGMOIDS, "log_sigmoid"):
            continue
        operation = last(output)
        torch = facts.framework == "torch"
        yield Finding(
            message=f"the output {operation.name!r} ends in a {function}, and "
            f"{_as_written(loss)} applies sigmoid again",
            fix=f"remove the sigmoid, or use {word(facts, 'binary')}"
            if torch
            else f"remove from_logits=True from {loss.written}, or the sigmoid from the output",
            at=operation,
            place=(operation.place if torch else loss.place) or operation.place,
            edit=edit_activation(facts, operation, "sigmoid", None)
            if torch
            else edit(facts.source, loss.place, "from_logits=True", "from_logits=False"),
        )


@rule(
    "C103",
    "logits-as-probabilities",
    "error",
    "the loss takes the logarithm of numbers that are no probabilities: it is clipped, negative or "
    "NaN, and its gradient points nowhere useful",
)
def logits_as_probabilities(facts: Facts) -> Iterator[Finding]:
    """Linear, ReLU or tanh output under a loss that expects probabilities.

    ## What it does
    Finds a cross-entropy that takes its input for probabilities (Keras without `from_logits=True`,
    PyTorch's `BCELoss`) behind an output without softmax or sigmoid; and `NLLLoss`, which takes
    logarithms of probabilities, behind anything but a log-softmax.

    ## Why it hurts
    Keras cuts what it gets to between 1e-7 and 1 - 1e-7; where it cuts, the gradient is 0, and a
    logit below 0 never recovers. `NLLLoss` of a softmax is minus a probability: its gradient
    vanishes where the network is most wrong. PyTorch users meet it in Keras, because their
    cross-entropy applies softmax itself and Keras' does not.

    ## Example
        Dense(10),
        model.compile(loss="sparse_categorical_crossentropy")

    ## Fix
        Dense(10, activation="softmax"),
        model.compile(loss="sparse_categorical_crossentropy")
    """
    for output in facts.outputs:
        loss, function = output.loss, last_function(output)
        if loss is None or function is None or are_values(output):
            continue
        operation = last(output)
        if loss.expects == "log probabilities" and function in (
            (NO_PROBABILITIES - {"log_softmax", "log_sigmoid"}) | {"softmax"} | SIGMOIDS
        ):
            yield Finding(
                message=f"{loss.written} takes the logarithms of probabilities, but the output "
                f"{operation.name!r} ends in {_article(function)}",
                fix=f"use nn.CrossEntropyLoss() in place of {loss.written}"
                if function == "linear"
                else f"end in nn.LogSoftmax(dim=1) instead of the {function}",
                at=operation,
                place=loss.place if function == "linear" else None,
                edit=edit_loss(facts, loss, "CrossEntropyLoss")
                if function == "linear"
                else edit_activation(facts, operation, function, "log_softmax"),
            )
        elif (
            loss.expects == "probabilities"
            and loss.is_crossentropy
            and function in NO_PROBABILITIES
            and not _said_elsewhere(output, function)
        ):
            wanted = "sigmoid" if is_binary_loss(loss) else "softmax"
            yield Finding(
                message=f"{loss.written} expects probabilities, but the output "
                f"{operation.name!r} ends in {_article(function)}",
                fix=_probabilities(facts, output, wanted, function),
                at=operation,
                edit=_add_activation(facts, operation, wanted)
                if function == "linear"
                else edit_activation(facts, operation, function, wanted),
            )


def _said_elsewhere(output: Output, function: str) -> bool:
    """One unit under a loss over classes is C106; tanh with its labels is C109 or C111."""
    if over_classes(output.loss):
        return width(output) == 1
    return function == "tanh" and form(output) in ("binary", "signs", "one-hot", "multi-hot")


def _probabilities(facts: Facts, output: Output, wanted: str, function: str) -> str:
    loss = output.loss
    assert loss is not None
    if facts.framework == "torch":
        return "use nn.BCEWithLogitsLoss() on the output without an activation, or add nn.Sigmoid()"
    if function == "linear":
        return f'give the output activation="{wanted}", or make the loss with from_logits=True'
    return f'give the output activation="{wanted}" instead of "{function}"'


def _add_activation(facts: Facts, operation: Operation, function: str):
    """For `Dense(10)` on a line: the activation within."""
    if facts.framework == "torch" or operation.kind != "Dense":
        return None
    return edit_pattern(
        facts.source, operation.place, r"\bDense\((\d+)\)", rf'Dense(\1, activation="{function}")'
    )


def _article(function: str) -> str:
    if function == "linear":
        return "no activation"
    return f"{'an' if function[0] in 'aeiou' else 'a'} {function}"


@rule(
    "C104",
    "sigmoid-for-classes",
    "warning",
    "sigmoids judge every class for itself, the loss takes them for one distribution over classes: "
    "all units may be near 1 at once and training is slower and less sure",
)
def sigmoid_for_classes(facts: Facts) -> Iterator[Finding]:
    """Sigmoid output under a categorical cross-entropy.

    ## What it does
    Finds a sigmoid over several units under a cross-entropy over classes that exclude each other.

    ## Why it hurts
    A loss that applies softmax itself (`CrossEntropyLoss`, `from_logits=True`) sees logits between
    0 and 1: with ten classes it cannot come below 1.46, an error. Keras' categorical cross-entropy
    divides the sigmoids by their sum; the gradient then vanishes where all of them saturate.

    ## Example
        Dense(3, activation="sigmoid"),
        model.compile(loss="categorical_crossentropy")

    ## Fix
        Dense(3, activation="softmax"),
        model.compile(loss="categorical_crossentropy")
    """
    for output in facts.outputs:
        loss, function = output.loss, last_function(output)
        units = width(output)
        if loss is None or not over_classes(loss) or function not in SIGMOIDS:
            continue
        if units is None or units < 2 or loss.expects not in ("probabilities", "logits"):
            continue
        if form(output) in ("multi-hot", "values"):
            continue  # C118, C113
        operation = last(output)
        twice = loss.expects == "logits"
        torch = facts.framework == "torch"
        yield Finding(
            message=f"the output {operation.name!r} has {units} sigmoid units under "
            f"{_as_written(loss)}, which "
            + (
                "applies softmax to them"
                if twice
                else "takes them for one distribution over the classes"
            ),
            fix=f"remove the sigmoid: {loss.written} applies softmax itself"
            if torch
            else 'give the output activation="softmax"'
            + (" and remove from_logits=True" if twice else "")
            + ' (or, if a row may have several labels, loss="binary_crossentropy")',
            at=operation,
            severity="error" if twice else "warning",
            why="the loss sees logits between 0 and 1 only, so no class can get far from the others"
            if twice
            else None,
            edit=edit_activation(facts, operation, "sigmoid", None if torch else "softmax")
            if torch or not twice
            else None,
        )


@rule(
    "C105",
    "softmax-over-one-unit",
    "error",
    "the softmax of a single number is 1 whatever the number: the output never changes and no "
    "gradient flows",
)
def softmax_over_one_unit(facts: Facts) -> Iterator[Finding]:
    """Softmax along an axis of size 1.

    ## What it does
    Finds a softmax whose axis holds one value, and a loss that applies softmax to one unit. Within
    the network (attention over the wrong axis) it is a warning.

    ## Why it hurts
    exp(z) / exp(z) = 1: the prediction is 1 for every row and the gradient is exactly 0, so all
    layers below keep their initial values. Accuracy stays at the share of class 1.

    ## Example
        Dense(1, activation="softmax"),
        model.compile(loss="binary_crossentropy")

    ## Fix
        Dense(1, activation="sigmoid"),
        model.compile(loss="binary_crossentropy")
    """
    ends = {id(last(output)): output for output in facts.outputs}
    for operation in facts.of_kind("activation"):
        axis = operation.settings.get("axis", -1)
        shape = operation.shape
        if operation.function not in SOFTMAXES or not isinstance(axis, int) or len(shape) < 2:
            continue
        if not -len(shape) <= axis < len(shape) or axis % len(shape) == 0 or shape[axis] != 1:
            continue
        output = ends.get(id(operation))
        if output is None:
            yield Finding(
                message=f"{operation.name!r} is a softmax along axis {axis}, which has one value: "
                "it is always 1",
                fix="take the softmax along the axis over which the weights should add up to 1",
                at=operation,
                severity="warning",
            )
        else:
            values = form(output) in ("values", "shares") or are_values(output)
            yield Finding(
                message=f"the output {operation.name!r} is a softmax over one unit: it is always 1",
                fix="remove the softmax: these labels are values, not classes"
                if values
                else _for_two_classes(facts),
                at=operation,
                edit=edit_activation(facts, operation, "softmax", "sigmoid")
                if not values and is_binary_loss(output.loss)
                else None,
            )
    for output in facts.outputs:
        loss = output.loss
        if loss is None or loss.applies != "softmax" or width(output) != 1:
            continue
        if last_function(output) in SOFTMAXES or are_values(output):
            continue
        yield Finding(
            message=f"{_as_written(loss)} applies softmax to the one unit of "
            f"{last(output).name!r}: it is always 1 and the loss always the same",
            fix=_for_two_classes(facts),
            at=last(output),
            place=loss.place,
        )


def _for_two_classes(facts: Facts) -> str:
    if facts.framework == "torch":
        return "for two classes use nn.BCEWithLogitsLoss() on the one unit, without an activation"
    return 'for two classes use activation="sigmoid" with loss="binary_crossentropy"'
