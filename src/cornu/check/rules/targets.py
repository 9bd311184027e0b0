"""Rules about metrics and the range of targets: C114, C115."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cornu.check.facts import Facts, Output
from cornu.check.rule import Finding, rule
from cornu.check.rules.label_forms import (
    RANGES,
    REGRESSION,
    columns,
    edit_activation,
    form,
    has_numbers,
    is_binary_loss,
    is_classes_against_units,
    label_values,
    last,
    last_function,
    over_classes,
    width,
)

_ZERO_ONE = ("binary", "one-hot", "multi-hot", "at most one")


@rule(
    "C114",
    "metric-does-not-fit",
    "warning",
    "the number shown while training says nothing about how good the network is",
)
def metric_does_not_fit(facts: Facts) -> Iterator[Finding]:
    """A metric that does not fit the task.

    ## What it does
    Finds accuracy where labels are measured values, binary accuracy on a softmax over more than two
    classes, categorical accuracy (an argmax) on one unit, and categorical accuracy on class
    numbers.

    ## Why it hurts
    Accuracy counts predictions that equal the label exactly: for values that is never, so it stays
    near 0 however good the network is. Binary accuracy over ten one-hot columns is 0.9 for a
    network that knows nothing. The argmax of one unit is always 0.

    ## Example
        model.compile(loss="mse", metrics=["accuracy"])      # y: prices

    ## Fix
        model.compile(loss="mse", metrics=["mean_absolute_error"])
    """
    for output in facts.outputs:
        loss, labels = output.loss, output.labels
        kind, units = form(output), width(output)
        for metric in output.metrics:
            if "accuracy" not in metric.kind and metric.kind != "acc":
                continue
            problem = fix = None
            severity = None
            if (
                loss is not None
                and loss.kind in REGRESSION
                and labels is not None
                and (kind == "values" or (kind in ("shares", "whole numbers") and _many(output)))
            ):
                problem = f"{metric.written} counts labels met exactly, {labels.name} are values"
                fix = (
                    "measure how far they are away: (outputs - targets).abs().mean()"
                    if facts.framework == "torch"
                    else 'use metrics=["mean_absolute_error"]'
                )
                severity = None if columns(output) <= 1 or has_numbers(output) else "note"
            elif metric.kind == "binary_accuracy" and (
                last_function(output) == "softmax"
                and units is not None
                and units > 2
                and kind in ("one-hot", None)
            ):
                problem = (
                    f"{metric.written} counts each of the {units} units of a softmax for itself: "
                    f"it is {1 - 2 / units:.2f} or more for a network that always names one class"
                )
                fix = 'use metrics=["categorical_accuracy"]'
            elif units == 1 and metric.kind in (
                "categorical_accuracy",
                "sparse_categorical_accuracy",
            ):
                if over_classes(loss):
                    continue  # C105, C106: the loss has the same fault
                problem = f"{metric.written} takes the argmax of one unit, which is always 0"
                fix = 'use metrics=["binary_accuracy"]'
            elif (
                metric.kind == "categorical_accuracy"
                and metric.written not in ("accuracy", "acc")
                and labels is not None
                and kind in ("binary", "whole numbers")
                and has_numbers(output)
                and not (loss is not None and loss.labels == "one-hot")  # C107
            ):
                problem = f"{metric.written} wants one-hot labels, {labels.name} are class numbers"
                fix = 'use metrics=["sparse_categorical_accuracy"]'
            if problem and fix:
                yield Finding(
                    message=problem,
                    fix=fix,
                    at=last(output),
                    place=metric.place,
                    severity=severity,  # type: ignore[arg-type]
                )


def _many(output: Output) -> bool:
    found = label_values(output)
    return found is None or len(found) > 20


@rule(
    "C115",
    "targets-outside-output-range",
    "error",
    "the output's activation cannot give these values: the loss stays high and the activation is "
    "driven to its end, where its gradient vanishes",
)
def targets_outside_output_range(facts: Facts) -> Iterator[Finding]:
    """Targets that the output's activation cannot reach.

    ## What it does
    Compares the labels with the range of the activation: sigmoid and softmax from 0 to 1, tanh (and
    an LSTM as the last layer) from -1 to 1, ReLU from 0. Fewer than 1 of 100 values outside are
    left alone, fewer than 1 of 20 are a warning.

    ## Why it hurts
    A sigmoid asked for 20 goes to 1 and stays: the prediction is the same for every row. A ReLU
    asked for negative values gives 0, with a gradient of 0.

    ## Example
        Dense(1, activation="sigmoid"),       # y: degrees, 0 to 35
        model.compile(loss="mse")

    ## Fix
        Dense(1),
        model.compile(loss="mse")
    """
    for output in facts.outputs:
        if not is_out_of_range(output):
            continue
        labels, operation, function = output.labels, last(output), last_function(output)
        assert labels is not None
        assert function is not None
        low, high = RANGES[function]
        share = _share_outside(output)
        reach = f"from {low:g} to {high:g}" if np.isfinite(high) else f"from {low:g} up"
        if operation.function is None:
            fix = "add a Dense layer without an activation behind it"
            if facts.framework == "torch":
                fix = "add an nn.Linear behind it"
        elif is_binary_loss(output.loss):
            fix = "scale the labels to lie between 0 and 1 (pixels: / 255)"
        else:
            fix = f"remove the {function} from the output, or scale the labels to lie {reach}"
        yield Finding(
            message=f"the output {operation.name!r} gives values {reach} ({function}), "
            f"{labels.name} go from {labels.low:g} to {labels.high:g}",
            fix=fix,
            at=operation,
            severity="error" if share >= 0.05 else "warning",
            edit=edit_activation(facts, operation, function, None)
            if operation.fused and not is_binary_loss(output.loss) and low == 0.0
            else None,
        )


def is_out_of_range(output: Output) -> bool:
    loss, labels, function = output.loss, output.labels, last_function(output)
    if loss is None or labels is None or function not in RANGES:
        return False
    if loss.kind not in REGRESSION and not (
        # an autoencoder on pixels; a column of values under a cross-entropy is C113
        is_binary_loss(loss) and form(output) == "values" and not has_numbers(output)
    ):
        return False
    if form(output) in ("text", None) or is_classes_against_units(output):
        return False
    if function == "softmax" and width(output) == 1:
        return False  # C105
    return _share_outside(output) >= 0.01


def _share_outside(output: Output) -> float:
    assert output.labels is not None
    low, high = RANGES[str(last_function(output))]
    values = output.labels.finite
    # a little beyond is rounding, or data scaled by the training part alone
    return float(np.mean((values < low - 0.05) | (values > high + 0.05))) if values.size else 0.0
