"""Rules about the values, type and shape of labels: C108-C110, C117."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cornu.check.facts import Facts, Output
from cornu.check.rule import Finding, rule
from cornu.check.rules.label_forms import (
    REGRESSION,
    are_values,
    form,
    has_numbers,
    is_binary_loss,
    is_classes_against_units,
    label_values,
    last,
    last_function,
    over_classes,
    width,
    word,
)
from cornu.check.rules.labels import is_shifted, shown


@rule(
    "C108",
    "labels-out-of-range",
    "error",
    "labels that no unit of the output stands for give NaN, an error or a class that is never "
    "predicted",
)
def labels_out_of_range(facts: Facts) -> Iterator[Finding]:
    """Class numbers outside 0 ... classes - 1.

    ## What it does
    Finds class labels below 0, labels that start at 1, and numbers with gaps that go beyond the
    output's units. Values that the loss leaves out (`ignore_index`, `ignore_class`) are fine. Under
    a binary cross-entropy it finds two labels that are not 0 and 1.

    ## Why it hurts
    Classes count from 0: labels 1 ... 10 with 10 units have no unit for 10 and none that is right
    for unit 0. On a GPU that is NaN or a crash far from the cause. A binary cross-entropy with
    labels of 2 falls without a bound.

    ## Example
        y = labels                    # 1, 2, 3
        Dense(3, activation="softmax")

    ## Fix
        y = labels - 1                # 0, 1, 2
    """
    for output in facts.outputs:
        loss, labels, units = output.loss, output.labels, width(output)
        if loss is None or labels is None or form(output) != "whole numbers" or units is None:
            continue
        found = label_values(output)
        if found is None or not len(found) or not has_numbers(output) or are_values(output):
            continue
        low, high = int(found[0]), int(found[-1])
        if is_binary_loss(loss):
            if len(found) == 2 and units == 1:
                yield Finding(
                    message=f"{loss.written} wants the labels 0 and 1, {labels.name} are {low} and "
                    f"{high}",
                    fix="subtract 1 from the labels"
                    if (low, high) == (1, 2)
                    else f"use y == {high} as labels, as 0 and 1",
                    at=last(output),
                    place=loss.place,
                )
        elif over_classes(loss) and loss.labels != "one-hot" and units > 1:
            if list(found) == [-1, 0, 1]:
                continue  # C109
            if low < 0:
                problem = f"go down to {low}"
                fix = "number the classes from 0"
            elif high >= units and is_shifted(found, units):
                problem = f"go from {low} to {high}"
                fix = (
                    f"subtract {low} from the labels"
                    if high - low < units
                    else "number the classes from 0: np.unique(y, return_inverse=True)[1]"
                )
            else:
                continue
            yield Finding(
                message=f"{labels.name} {problem}, the {units} units of {last(output).name!r} "
                f"stand for 0 to {units - 1}",
                fix=fix,
                at=last(output),
                place=loss.place,
            )


@rule(
    "C109",
    "signs-as-labels",
    "error",
    "a cross-entropy with a label of -1 has no least value: the loss falls below 0 and on, and the "
    "network learns nothing",
)
def signs_as_labels(facts: Facts) -> Iterator[Finding]:
    """Labels -1 and 1 under a cross-entropy.

    ## What it does
    Finds labels of -1 and 1 (or -1, 0 and 1 as class numbers) under a cross-entropy.

    ## Why it hurts
    Cross-entropy reads a label as a probability or a class number; -1 is neither. The binary one
    becomes -(-1) log p - 2 log(1 - p) or so, which falls without a bound.

    ## Example
        y = np.where(price_rises, 1, -1)
        model.compile(loss="binary_crossentropy")

    ## Fix
        y = np.where(price_rises, 1, 0)
    """
    for output in facts.outputs:
        loss, labels = output.loss, output.labels
        if loss is None or labels is None or not loss.is_crossentropy:
            continue
        kind = form(output)
        three = (
            over_classes(loss)
            and kind == "whole numbers"
            and (found := label_values(output)) is not None
            and list(found) == [-1, 0, 1]
        )
        if kind == "signs" or three:
            tanh = last_function(output) == "tanh"
            yield Finding(
                message=f"{labels.name} are -1{', 0' if three else ''} and 1, {loss.written} wants "
                f"{'0, 1 and 2' if three else '0 and 1'}",
                fix=("add 1 to the labels" if three else "use (y + 1) / 2 as labels")
                + (f", and {word(facts, 'sigmoid')} in place of tanh" if tanh else ""),
                at=last(output),
                place=loss.place,
            )


@rule(
    "C110",
    "labels-dtype",
    "error",
    "the loss cannot compute with labels of this type: training stops at the first step",
)
def labels_dtype(facts: Facts) -> Iterator[Finding]:
    """Labels of a type that the loss does not take.

    ## What it does
    Finds strings as labels, and in PyTorch: class numbers that are not int64 under
    `CrossEntropyLoss` and `NLLLoss`, integers under `BCELoss`, `BCEWithLogitsLoss` and `HuberLoss`,
    and float64 under `BCELoss` and `HuberLoss`.

    ## Why it hurts
    It stops at the first step with a message such as "expected scalar type Long but found Float" or
    "could not convert string to float".

    ## Example
        y = torch.tensor(labels, dtype=torch.float32)     # 0., 1., 2.
        loss = nn.CrossEntropyLoss()(output, y)

    ## Fix
        y = torch.tensor(labels, dtype=torch.long)
    """
    for output in facts.outputs:
        loss, labels = output.loss, output.labels
        if loss is None or labels is None:
            continue
        kind = form(output)
        if kind == "text":
            example = str(labels.array.ravel()[0])
            yield Finding(
                message=f"{labels.name} are text, such as {example!r}",
                fix="number the classes: y = np.unique(y, return_inverse=True)[1]"
                if loss.is_crossentropy or loss.labels == "classes"
                else "convert the labels to numbers: y = y.astype('float32')",
                at=last(output),
                place=loss.place or facts.training.place,
            )
        elif facts.framework == "torch" and (wanted := _torch_type(output)) is not None:
            yield Finding(
                message=f"{loss.written} wants labels of the type {wanted}, they are "
                f"{labels.dtype}",
                fix="give the loss y.long()" if wanted == "int64" else "give the loss y.float()",
                at=last(output),
                place=loss.place,
            )


def _torch_type(output: Output) -> str | None:
    """The type that PyTorch's loss stops without (tried with torch 2.13)."""
    loss, labels = output.loss, output.labels
    assert loss is not None
    assert labels is not None
    integer = labels.dtype in ("int64", "int32", "int16", "int8", "uint8", "bool")
    if over_classes(loss) and has_numbers(output) and width(output) != 1:
        numbers = form(output) in ("binary", "whole numbers")
        # (rows, 1) is C107's where it is int64; any other type stops first
        return "int64" if numbers and labels.dtype not in ("int64", "uint8") else None
    if is_binary_loss(loss) and integer and labels.dtype != "bool":
        return "float32"
    if (loss.kind == "huber" and loss.written.startswith("Huber")) or loss.written == "BCELoss":
        return "float32" if integer or labels.dtype == "float64" else None
    return None


@rule(
    "C117",
    "shapes-broadcast",
    "error",
    "every prediction is compared with every label, not with its own: the best the network can do "
    "is to give the mean of all labels",
)
def shapes_broadcast(facts: Facts) -> Iterator[Finding]:
    """Output and labels whose shapes differ and are broadcast.

    ## What it does
    Compares the shapes with which an elementwise loss of PyTorch's (`MSELoss`, `L1Loss`,
    `SmoothL1Loss`, `HuberLoss`, `BCELoss`) was called.

    ## Why it hurts
    Predictions of shape (n, 1) against labels of shape (n,) give n x n differences. The loss falls
    to the variance of the labels and stays there: the network predicts their mean. `BCELoss` and
    `BCEWithLogitsLoss` stop with an error instead. PyTorch warns once, in a line that is easily
    missed.

    ## Example
        loss = nn.MSELoss()(model(x), y)               # (32, 1) and (32,)

    ## Fix
        loss = nn.MSELoss()(model(x), y.unsqueeze(1))
    """
    for output in facts.outputs:
        loss = output.loss
        if loss is None or loss.prediction_shape is None or loss.target_shape is None:
            continue
        given, target = tuple(loss.prediction_shape), tuple(loss.target_shape)
        binary = is_binary_loss(loss)
        if given == target or not given or not (loss.kind in REGRESSION or binary):
            continue
        if not target or is_classes_against_units(output):
            continue  # a number for all is a choice (a GAN's 0 or 1); C112, C116
        if binary and len(given) == len(target) == 2:
            continue  # C106
        try:
            together = np.broadcast_shapes(given, target)
        except ValueError:
            together = None
        if together is None:
            effect = "which do not fit"
        elif binary:
            effect = f"which {loss.written} does not take"
        elif together == given and len(given) == len(target):
            effect = "so that labels are repeated along an axis"
        elif int(np.prod(together)) == int(np.prod(given)) == int(np.prod(target)):
            continue  # a batch of one row, or an axis of size 1 more
        else:
            effect = f"which broadcast to {shown(together)}: each prediction meets each label"
        yield Finding(
            message=f"{loss.written} compares predictions of shape {shown(given)} with labels of "
            f"shape {shown(target)}, {effect}",
            fix=_reshaping(given, target),
            at=last(output),
            place=loss.place,
        )


def _reshaping(given: tuple, target: tuple) -> str:
    if given == (*target, 1):
        return f"give the loss y.unsqueeze({len(target)}), or output.squeeze({len(target)})"
    if (*given, 1) == target:
        return f"give the loss y.squeeze({len(given)})"
    if int(np.prod(given)) == int(np.prod(target)):
        return "give the loss y.view_as(output)"
    return "give the output and the labels the same shape"
