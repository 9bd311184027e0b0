"""Rules about the form of labels against the output's width: C106, C107."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cornu.check.facts import Facts, Output
from cornu.check.rule import Finding, rule
from cornu.check.rules.label_forms import (
    REGRESSION,
    SIGMOIDS,
    SOFTMAXES,
    are_values,
    columns,
    edit_loss,
    form,
    has_numbers,
    is_binary_loss,
    label_values,
    last,
    last_function,
    over_classes,
    width,
    word,
)

_COLUMN_FORMS = ("one-hot", "at most one", "multi-hot", "distribution", "shares", "values")


@rule(
    "C106",
    "output-width",
    "error",
    "the output has no unit for some of the labels, or units that the loss compares with the wrong "
    "labels",
)
def output_width(facts: Facts) -> Iterator[Finding]:
    """Number of output units against number of classes or columns of the labels.

    ## What it does
    Compares the width of the output with the labels: classes by number, one-hot columns, the one
    column of binary labels, the columns of values. One unit under a loss over classes is found too.
    Far more units than classes are noted.

    ## Why it hurts
    A class without a unit cannot be predicted; JAX and TensorFlow on a GPU do not even stop, they
    give NaN. One unit under a categorical cross-entropy is divided by itself: the loss is always 0.
    One label against several units is compared with all of them.

    ## Example
        Dense(9, activation="softmax"),           # labels 0 ... 9
        model.compile(loss="sparse_categorical_crossentropy")

    ## Fix
        Dense(10, activation="softmax"),
    """
    for output in facts.outputs:
        loss, labels, units = output.loss, output.labels, width(output)
        if loss is None or units is None:
            continue
        operation = last(output)
        if over_classes(loss) and units == 1:
            yield from _one_unit(facts, output)
            continue
        if labels is None or loss.kind == "custom":
            continue
        kind = form(output)
        if over_classes(loss) and has_numbers(output) and kind in ("binary", "whole numbers"):
            yield from _classes(facts, output)
        elif (
            (over_classes(loss) or is_binary_loss(loss) or loss.kind in REGRESSION)
            and kind in _COLUMN_FORMS
            and labels.array.ndim == len(operation.shape) == 2
            and (wanted := columns(output)) != units
            and not (facts.framework == "torch" and loss.kind in REGRESSION)  # C117
            and not (has_numbers(output) and over_classes(loss))  # C107, C113
        ):
            yield _wanted(facts, output, wanted)
        elif (
            is_binary_loss(loss)
            and kind == "binary"
            and units > 1
            and len(operation.shape) == 2
            and labels.array.ndim <= 2
            and has_numbers(output)
            and loss.expects in ("probabilities", "logits")
            and last_function(output) not in (None, "tanh")
        ):
            yield Finding(
                message=f"the output {operation.name!r} has {units} units under {loss.written}, "
                "the labels are one column of 0 and 1",
                fix=f"give the output one unit, or use {word(facts, 'classes')}"
                + ("" if facts.framework == "torch" else ' with activation="softmax"'),
                at=operation,
            )
        elif (
            loss.kind in REGRESSION
            and facts.framework != "torch"
            and labels.array.ndim == 1
            and len(operation.shape) == 2
            and units > 1
            and kind in ("values", "shares")
        ):
            yield _wanted(facts, output, 1)


def _wanted(facts: Facts, output: Output, wanted: int) -> Finding:
    operation = last(output)
    return Finding(
        message=f"the output {operation.name!r} has {width(output)} "
        f"unit{'s' * (width(output) != 1)}, the labels have {wanted} "
        f"column{'s' * (wanted != 1)}",
        fix=f"give the output {wanted} unit{'s' * (wanted != 1)}",
        at=operation,
    )


def _one_unit(facts: Facts, output: Output) -> Iterator[Finding]:
    """A single unit under a cross-entropy over classes; a softmax over it is C105."""
    loss = output.loss
    assert loss is not None
    if loss.applies == "softmax" or last_function(output) in (*SOFTMAXES, None):
        return
    if are_values(output) or form(output) == "shares":
        return  # C113
    classes = _class_count(output)
    many = classes is not None and classes > 2
    yield Finding(
        message=f"the output {last(output).name!r} has one unit under {loss.written}, which needs "
        "one for each class",
        why="the unit is divided by the sum of all units, itself: it counts as 1 for every row and "
        "the loss does not depend on the weights",
        fix=f"give the output {classes} units and a softmax"
        if many
        else "for two classes use "
        + (
            "nn.BCEWithLogitsLoss()"
            if facts.framework == "torch"
            else 'loss="binary_crossentropy" with activation="sigmoid"'
        ),
        at=last(output),
        place=None if many else loss.place,
        edit=edit_loss(facts, loss, "binary_crossentropy")
        if not many and last_function(output) in SIGMOIDS and facts.framework != "torch"
        else None,
    )


def _class_count(output: Output) -> int | None:
    kind = form(output)
    if kind == "one-hot":
        return columns(output)
    found = label_values(output)
    if kind in ("binary", "whole numbers") and found is not None and len(found):
        return int(found[-1]) + 1 if kind == "whole numbers" else 2
    return None


def _classes(facts: Facts, output: Output) -> Iterator[Finding]:
    labels, units, found = output.labels, width(output), label_values(output)
    loss = output.loss
    assert labels is not None
    assert loss is not None
    assert units is not None
    if loss.labels == "one-hot" or found is None or not len(found) or found[0] < 0:
        return  # C107, C108
    highest = int(found[-1])
    if highest >= units and not is_shifted(found, units):
        yield Finding(
            message=f"the output {last(output).name!r} has {units} units, the labels go up to "
            f"{highest}",
            fix=f"give the output {highest + 1} units",
            at=last(output),
        )
    elif (
        labels.complete
        # with 20 rows for each unit a class that exists would have occurred
        and labels.rows >= 20 * units
        and labels.array.ndim <= 2
        and len(output.operation.shape) == 2
        and units >= 2 * (highest + 1)
    ):
        yield Finding(
            message=f"the output {last(output).name!r} has {units} units, the labels have only "
            f"{highest + 1} classes",
            why="units that are never right cost memory and a little accuracy",
            fix=f"give the output {highest + 1} units",
            at=last(output),
            severity="note",
        )


def is_shifted(found: np.ndarray, units: int) -> bool:
    """Whether these are as many classes as there are units, or fewer, with other numbers."""
    return bool(found[0] > 0 and len(found) <= units)


@rule(
    "C107",
    "one-hot-against-sparse",
    "error",
    "the loss reads the labels in another form than they have: it stops with an error about "
    "shapes, or compares the wrong numbers",
)
def one_hot_against_sparse(facts: Facts) -> Iterator[Finding]:
    """One-hot labels under a loss for class numbers, or the reverse.

    ## What it does
    Finds one-hot labels under `sparse_categorical_crossentropy`, class numbers under
    `categorical_crossentropy`, and in PyTorch class numbers of shape (rows, 1) or one-hot integers
    under `CrossEntropyLoss`.

    ## Why it hurts
    At best fitting stops with "shapes are incompatible"; where shapes happen to fit, the number of
    a class is taken for its probability.

    ## Example
        y = to_categorical(y)
        model.compile(loss="sparse_categorical_crossentropy")

    ## Fix
        y = to_categorical(y)
        model.compile(loss="categorical_crossentropy")
    """
    for output in facts.outputs:
        loss, labels, units = output.loss, output.labels, width(output)
        if loss is None or labels is None or not over_classes(loss) or not units or units < 2:
            continue
        kind, rank = form(output), len(output.operation.shape)
        shape = labels.array.shape
        if loss.labels == "one-hot" and kind in ("binary", "whole numbers") and has_numbers(output):
            yield Finding(
                message=f"{loss.written} wants one-hot labels, {labels.name} are class numbers of "
                f"shape {shown(shape)}",
                fix=f'use loss="sparse_{loss.kind}"'
                if loss.kind == "categorical_crossentropy"
                else "make the labels one-hot: keras.utils.to_categorical(y)",
                at=last(output),
                place=loss.place,
                edit=edit_loss(facts, loss, f"sparse_{loss.kind}")
                if loss.written == "categorical_crossentropy"
                else None,
            )
        elif loss.labels == "classes" and kind == "one-hot" and labels.array.ndim == rank:
            torch = facts.framework == "torch"
            yield Finding(
                message=f"{loss.written} wants class numbers, {labels.name} are one-hot of shape "
                f"{shown(shape)}",
                fix="give the loss y.argmax(dim=1)"
                if torch
                else 'use loss="categorical_crossentropy", or labels of y.argmax(axis=-1)',
                at=last(output),
                place=loss.place,
                edit=edit_loss(facts, loss, "categorical_crossentropy")
                if loss.written == "sparse_categorical_crossentropy"
                else None,
            )
        elif facts.framework == "torch" and rank == 2:
            if len(shape) == 2 and shape[1] == 1 and labels.dtype == "int64":
                yield Finding(
                    message=f"{loss.written} wants class numbers of shape (rows,), the labels have "
                    f"shape {shown(shape)}",
                    fix="give the loss y.squeeze(1)",
                    at=last(output),
                    place=loss.place,
                )
            elif kind == "one-hot" and labels.dtype == "int64" and shape[-1] == units:
                yield Finding(
                    message=f"{loss.written} takes integers for class numbers of shape (rows,), "
                    f"the labels are one-hot of shape {shown(shape)}",
                    fix="give the loss y.argmax(dim=1), or y.float()",
                    at=last(output),
                    place=loss.place,
                )


def shown(shape: tuple) -> str:
    return str(tuple(int(size) for size in shape))
