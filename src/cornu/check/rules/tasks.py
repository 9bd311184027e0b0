"""Rules about the task that labels and loss speak of: C111-C113, C116, C118."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cornu.check.facts import Facts, Output
from cornu.check.rule import Finding, rule
from cornu.check.rules.label_forms import (
    REGRESSION,
    SIGMOIDS,
    TOY_ROWS,
    are_values,
    columns,
    edit_activation,
    edit_loss,
    form,
    has_accuracy,
    has_numbers,
    is_binary_loss,
    is_classes_against_units,
    label_values,
    labels_are_inputs,
    last,
    last_function,
    loss_for,
    over_classes,
    width,
    word,
)
from cornu.check.rules.targets import is_out_of_range

_ZERO_ONE = ("binary", "one-hot", "multi-hot", "at most one")


@rule(
    "C111",
    "tanh-for-0-1",
    "error",
    "tanh gives values from -1 to 1: below 0 there is no probability, and its middle, 0, is a "
    "label",
)
def tanh_for_zero_one(facts: Facts) -> Iterator[Finding]:
    """Tanh output for labels 0 and 1.

    ## What it does
    Finds a tanh as the output's activation where all labels are 0 or 1, under binary cross-entropy
    (an error) or a regression loss (a warning).

    ## Why it hurts
    Binary cross-entropy takes logarithms of the output; those of negative numbers are cut off, with
    a gradient of 0. Under mean squared error, 0 sits where tanh is steepest and 1 where it is flat:
    the output cannot settle at either, and a threshold of 0.5 is not the middle.

    ## Example
        Dense(1, activation="tanh"),
        model.compile(loss="binary_crossentropy")

    ## Fix
        Dense(1, activation="sigmoid"),
        model.compile(loss="binary_crossentropy")
    """
    for output in facts.outputs:
        if not _is_tanh_for_zero_one(output, facts):
            continue
        loss, operation = output.loss, last(output)
        assert loss is not None
        yield Finding(
            message=f"the output {operation.name!r} ends in tanh, from -1 to 1, but the labels are "
            "0 and 1",
            fix=f"use {word(facts, 'sigmoid')} on the output",
            at=operation,
            severity="error" if is_binary_loss(loss) else "warning",
            edit=edit_activation(facts, operation, "tanh", "sigmoid"),
        )


def _is_tanh_for_zero_one(output: Output, facts: Facts) -> bool:
    loss, labels = output.loss, output.labels
    if loss is None or labels is None or last(output).function != "tanh":
        return False
    if form(output) not in _ZERO_ONE or labels.array.ndim > 2:
        return False
    if is_binary_loss(loss):
        return loss.expects == "probabilities"
    return (
        loss.kind in REGRESSION
        and labels.rows >= TOY_ROWS
        and _both(output)
        and not labels_are_inputs(output, facts)
    )


def _both(output: Output) -> bool:
    """Whether both 0 and 1 occur: a GAN's batch has only one of them."""
    assert output.labels is not None
    return output.labels.low != output.labels.high


@rule(
    "C112",
    "regression-loss-on-classes",
    "warning",
    "the squared error of a probability has almost no gradient where the network is surely wrong, "
    "so training is slower and stays further from the best",
)
def regression_loss_on_classes(facts: Facts) -> Iterator[Finding]:
    """A regression loss such as mean squared error on classes.

    ## What it does
    Finds mean squared or absolute error and their relatives where the labels are classes: one-hot,
    0 and 1 for a sigmoid, or class numbers against several units (an error: each unit is compared
    with the number of the class). Tables of fewer than 8 rows, such as XOR, are left alone.

    ## Why it hurts
    The gradient of (p - y)^2 through a sigmoid is 2 (p - y) p (1 - p): for p near 1 and y = 0 it is
    nearly 0, where that of cross-entropy is p - y = 1. Class numbers moreover make class 2 "twice"
    class 1. Source: Golik, Doetsch, Ney, "Cross-Entropy vs. Squared Error Training", Interspeech
    2013.

    ## Example
        Dense(3, activation="softmax"),
        model.compile(loss="mse", metrics=["accuracy"])

    ## Fix
        model.compile(loss="categorical_crossentropy", metrics=["accuracy"])
    """
    for output in facts.outputs:
        loss, labels = output.loss, output.labels
        if loss is None or labels is None or loss.kind not in REGRESSION:
            continue
        operation, function = last(output), last_function(output)
        if is_classes_against_units(output) and has_numbers(output):
            yield Finding(
                message=f"{loss.written} compares each of the {width(output)} units of "
                f"{operation.name!r} with the number of the class",
                why="all units are pulled to the same number, the mean of the class numbers",
                fix=f"use {word(facts, 'classes')}"
                + (
                    ""
                    if facts.framework == "torch" or function == "softmax"
                    else ' with activation="softmax"'
                ),
                at=operation,
                place=loss.place,
                severity="error",
            )
            continue
        if labels.rows < TOY_ROWS or labels_are_inputs(output, facts):
            continue
        kind = form(output)
        if function is None or function == "tanh":
            continue  # C111; a value from -1 to 1 is a value
        measured = has_accuracy(output)
        if kind == "one-hot" and labels.array.ndim == 2 and columns(output) == width(output):
            wanted = _class_loss(facts, function)
        elif kind == "binary" and width(output) == 1 and _both(output) and labels.array.ndim <= 2:
            if function not in SIGMOIDS and not measured:
                continue  # a linear output on 0 and 1 may be least squares, on purpose
            wanted = _binary_loss(facts, function)
        elif (
            kind == "whole numbers"
            and labels.is_classes
            and width(output) == 1
            and measured
            and function in ("linear", "relu")
        ):
            found = label_values(output)
            wanted = (
                f'use loss="sparse_categorical_crossentropy" and {int(found[-1]) + 1} units with '
                'activation="softmax"'
                if found is not None
                else word(facts, "classes")
            )
        else:
            continue
        yield Finding(
            message=f"{loss.written} is a loss for values, {labels.name} are classes",
            fix=wanted,
            at=operation,
            place=loss.place,
        )


def _class_loss(facts: Facts, function: str) -> str:
    if facts.framework == "torch":
        return "use nn.CrossEntropyLoss()" + (
            f", without the {function}" if function != "linear" else ""
        )
    return 'use loss="categorical_crossentropy"' + (
        "" if function == "softmax" else ' with activation="softmax"'
    )


def _binary_loss(facts: Facts, function: str) -> str:
    if facts.framework == "torch":
        return "use nn.BCELoss()" if function in SIGMOIDS else "use nn.BCEWithLogitsLoss()"
    return 'use loss="binary_crossentropy"' + (
        "" if function in SIGMOIDS else ' with activation="sigmoid"'
    )


@rule(
    "C113",
    "classification-loss-on-values",
    "error",
    "a cross-entropy reads labels as classes or probabilities; measured values are neither, so the "
    "loss has no least value or none that means anything",
)
def classification_loss_on_values(facts: Facts) -> Iterator[Finding]:
    """A cross-entropy on measured values.

    ## What it does
    Finds prices, temperatures and other values as labels of a cross-entropy. Shares between 0 and 1
    are fine under the binary one, rows of shares that add up to 1 under the categorical one.

    ## Why it hurts
    With y = 200,000 the binary cross-entropy falls without a bound; the sparse one takes 3.7 for
    class 3, or stops because there is no such unit.

    ## Example
        Dense(1), model.compile(loss="binary_crossentropy")      # y: prices

    ## Fix
        Dense(1), model.compile(loss="mean_squared_error")
    """
    for output in facts.outputs:
        loss, labels = output.loss, output.labels
        if loss is None or labels is None or not loss.is_crossentropy:
            continue
        kind = form(output)
        one = has_numbers(output)
        wrong = are_values(output) or (
            over_classes(loss) and one and kind == "shares" and _is_not_rounded(output)
        )
        if not wrong or is_out_of_range(output):
            continue
        function = last_function(output)
        yield Finding(
            message=f"{loss.written} is a loss for classes, {labels.name} are values from "
            f"{labels.low:g} to {labels.high:g}",
            fix=f"use {word(facts, 'values')}"
            + (f" and remove the {function}" if function in ("softmax", "sigmoid") else ""),
            at=last(output),
            place=loss.place,
        )


def _is_not_rounded(output: Output) -> bool:
    assert output.labels is not None
    values = output.labels.values
    return values is None or len(values[0]) > 2


@rule(
    "C116",
    "binary-loss-on-classes",
    "warning",
    "the loss judges every unit for itself: with classes that exclude each other most of it is "
    "about units that are easily 0",
)
def binary_loss_on_classes(facts: Facts) -> Iterator[Finding]:
    """Binary cross-entropy on more than two classes.

    ## What it does
    Finds binary cross-entropy on a softmax over three or more classes, and on class numbers above 1
    (an error). On one-hot labels with sigmoid units it is noted.

    ## Why it hurts
    With ten classes nine of ten terms say "not this one". Keras 2.2 and before moreover took
    "accuracy" under this loss for binary accuracy, 0.9 from the start. Class numbers such as 7 are
    no probabilities: the loss falls without a bound.

    ## Example
        Dense(10, activation="softmax"),
        model.compile(loss="binary_crossentropy")

    ## Fix
        Dense(10, activation="softmax"),
        model.compile(loss="categorical_crossentropy")
    """
    for output in facts.outputs:
        loss, units = output.loss, width(output)
        if loss is None or not is_binary_loss(loss) or units is None:
            continue
        operation, function, kind = last(output), last_function(output), form(output)
        labels = output.labels
        if kind == "whole numbers" and has_numbers(output) and not are_values(output):
            found = label_values(output)
            if found is None or len(found) < 3 or function is None:
                continue
            count = int(found[-1]) + 1
            yield Finding(
                message=f"{loss.written} wants the labels 0 and 1, the classes go from "
                f"{int(found[0])} to {int(found[-1])}",
                why="labels above 1 are no probabilities: the loss falls below 0 without a bound",
                fix=f"use {word(facts, 'classes')} with {count} units"
                + (
                    " without an activation"
                    if facts.framework == "torch"
                    else ' and activation="softmax"'
                ),
                at=operation,
                place=loss.place,
                severity="error",
            )
        elif function == "softmax" and units > 1 and kind not in ("multi-hot", "values", "text"):
            if units == 2 and loss.expects != "logits":
                continue  # the same as the categorical one
            if kind == "binary":
                continue  # C106: one column of labels against several units
            torch = facts.framework == "torch"
            yield Finding(
                message=f"{loss.written} judges each unit for itself, but the {units} units of "
                f"{operation.name!r} are a softmax over classes",
                fix="use nn.CrossEntropyLoss() and remove the softmax"
                if torch
                else f"use {loss_for(facts, output)}",
                at=operation,
                place=loss.place,
                severity="error" if loss.expects == "logits" else "warning",
                edit=edit_loss(facts, loss, "categorical_crossentropy")
                if loss.written == "binary_crossentropy" and kind == "one-hot"
                else None,
            )
        elif (
            kind == "one-hot"
            and units > 2
            and labels is not None
            and labels.array.ndim == 2
            and labels.rows >= 32
            and function in (*SIGMOIDS, "linear")
            and not labels_are_inputs(output, facts)
        ):
            yield Finding(
                message=f"every label has exactly one of {units} classes, and {loss.written} "
                "judges each class for itself",
                fix=f"use {_class_loss(facts, str(function)).removeprefix('use ')}",
                at=operation,
                place=loss.place,
                severity="note",
            )


@rule(
    "C118",
    "softmax-for-independent-labels",
    "warning",
    "the probabilities of a softmax add up to 1, so two labels of a row can never both be likely",
)
def softmax_for_independent_labels(facts: Facts) -> Iterator[Finding]:
    """Softmax, or a loss over classes, where rows have several labels.

    ## What it does
    Finds labels with several 1s in a row under a softmax output or a categorical cross-entropy.

    ## Why it hurts
    A row with two labels gets at best 0.5 for each, one with none cannot be expressed; a threshold
    of 0.5 then finds almost nothing.

    ## Example
        Dense(20, activation="softmax"),        # tags: several for each picture
        model.compile(loss="categorical_crossentropy")

    ## Fix
        Dense(20, activation="sigmoid"),
        model.compile(loss="binary_crossentropy")
    """
    for output in facts.outputs:
        loss, function, labels = output.loss, last_function(output), output.labels
        if loss is None or labels is None or loss.kind == "custom":
            continue
        if form(output) != "multi-hot" or columns(output) != width(output):
            continue
        classes = over_classes(loss) and loss.labels in ("one-hot", "one-hot or classes")
        if function != "softmax" and not classes:
            continue
        rows = labels.sample.reshape(-1, columns(output)).sum(axis=-1)
        several = float(np.mean(rows > 1))
        if several < 0.05:
            continue
        torch = facts.framework == "torch"
        what = "a softmax" if function == "softmax" else f"{loss.written}, a loss over classes"
        yield Finding(
            message=f"{several:.0%} of the rows have several labels, the output "
            f"{last(output).name!r} is under {what}",
            fix="use nn.BCEWithLogitsLoss() on the output without an activation"
            if torch
            else 'use activation="sigmoid" with loss="binary_crossentropy"',
            at=last(output),
            place=None if function == "softmax" else loss.place,
            severity="error" if is_binary_loss(loss) else "warning",
            edit=edit_activation(facts, last(output), "softmax", "sigmoid")
            if is_binary_loss(loss) and not torch
            else None,
        )
