"""What the rules about outputs, losses and labels ask of `Facts`."""

from __future__ import annotations

import re

import numpy as np

from cornu.check.diagnostic import Edit
from cornu.check.facts import LINEAR, Facts, Loss, Operation, Output, through
from cornu.check.source import Source
from cornu.core.places import Place

# Losses that take the difference between output and label, or what comes near it.
REGRESSION = frozenset(
    {"mean_squared_error", "mean_absolute_error", "huber", "log_cosh", "smooth_l1"}
    | {"mean_absolute_percentage_error", "mean_squared_logarithmic_error"}
)
SIGMOIDS = frozenset({"sigmoid", "hard_sigmoid"})
SOFTMAXES = frozenset({"softmax", "log_softmax"})
# Where an activation ends: no output lies outside.
RANGES: dict[str, tuple[float, float]] = {
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "relu6": (0.0, 6.0),
}
# Functions that can give values that are no probabilities.
NO_PROBABILITIES = frozenset(
    {"linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "prelu"}
    | {"mish", "tanh", "softplus", "softsign", "log_softmax", "log_sigmoid", "exponential"}
)
# Below so many rows it is a toy (XOR has four), where much is done for the sake of showing it.
TOY_ROWS = 8


def last(output: Output) -> Operation:
    """The operation that makes the output's values: reshaping and dropout are looked through."""
    return through(output.operation)


def last_function(output: Output) -> str | None:
    """The function applied last, "linear" for none; None where that isn't known.

    Beyond `Output.activation`: an average over positions of a linear layer is linear, and a
    recurrent layer ends in its own activation.
    """
    operation = last(output)
    if operation.kind.startswith("GlobalAveragePooling") and operation.inputs:
        inner = through(operation.inputs[0])
        return "linear" if inner.kind in LINEAR else None
    if operation.kind in ("LSTM", "GRU", "SimpleRNN"):
        function = operation.settings.get("activation", "tanh")
        return function if function in RANGES or function == "linear" else None
    return output.activation


def width(output: Output) -> int | None:
    """How many units or channels the output has; 1 for an output of shape (rows,)."""
    shape = output.operation.shape
    if not shape:
        return None
    if len(shape) == 1:
        return 1
    loss = output.loss
    if loss is not None and loss.class_axis == 1 and len(shape) > 2:
        return shape[1]
    return shape[-1]


def form(output: Output) -> str | None:
    """What the labels of an output look like, one of these, or None where that isn't known.

    A row of several columns: "one-hot", "at most one" (0 or 1, some rows all 0), "multi-hot"
    (0 or 1, some rows with several 1s), "distribution" (shares that add up to 1), "shares" (from 0
    to 1), "signs" or "values". A number for each place: "binary" (0 and 1), "signs" (-1 and 1),
    "whole numbers", "shares", "values". And "text".
    """
    labels = output.labels
    if labels is None or not labels.array.size:
        return None
    if is_text(labels.array):
        return "text"
    if not labels.is_numeric or not labels.finite.size:
        return None
    return _form_of_places(output) if has_numbers(output) else _form_of_rows(output)


def is_text(array: np.ndarray) -> bool:
    """Whether an array holds strings."""
    if array.dtype.kind == "O":
        return isinstance(array.ravel()[0], str) if array.size else False
    return array.dtype.kind in "US"


def has_numbers(output: Output) -> bool:
    """Whether the labels are one number for each place, rather than a row with several columns."""
    assert output.labels is not None
    array = output.labels.array
    if array.ndim <= 1 or array.shape[-1] == 1:
        return True
    shape = tuple(output.operation.shape)
    if not shape or array.ndim != len(shape) - 1:
        return False
    first = output.loss is not None and output.loss.class_axis == 1
    places = shape[2:] if first else shape[1:-1]
    fit = all(one in (None, size) for one, size in zip(places, array.shape[1:], strict=True))
    # one-hot rows, of a network whose output has an axis too many (C203)
    return fit or array.shape[-1] != shape[1 if first else -1]


def columns(output: Output) -> int:
    """How many columns the labels of a place have."""
    assert output.labels is not None
    array = output.labels.array
    if has_numbers(output):
        return 1
    return array.shape[_class_axis(output)]


def _class_axis(output: Output) -> int:
    assert output.labels is not None
    first = output.loss is not None and output.loss.class_axis == 1
    return 1 if first and output.labels.array.ndim > 2 else -1


def _form_of_rows(output: Output) -> str:
    assert output.labels is not None
    labels = output.labels
    rows = np.moveaxis(labels.sample, _class_axis(output), -1)
    rows = rows.reshape(-1, rows.shape[-1])
    if ((rows == 0) | (rows == 1)).all():
        ones = rows.sum(axis=-1)
        if (ones == 1).all():
            return "one-hot"
        return "at most one" if ones.max() <= 1 else "multi-hot"
    if labels.low >= 0 and labels.high <= 1:
        return "distribution" if np.allclose(rows.sum(axis=-1), 1, atol=1e-3) else "shares"
    return "signs" if (np.abs(labels.finite) == 1).all() else "values"


def _form_of_places(output: Output) -> str:
    labels = output.labels
    assert labels is not None
    if not labels.is_integer:
        return "shares" if labels.low >= 0 and labels.high <= 1 else "values"
    found = label_values(output)
    if found is None or not len(found):
        return "whole numbers"
    if set(found) <= {0, 1}:
        return "binary"
    return "signs" if list(found) == [-1, 1] else "whole numbers"


def label_values(output: Output) -> np.ndarray | None:
    """The different labels in order, without those that the loss leaves out; None for too many."""
    labels = output.labels
    if labels is None or labels.values is None or not labels.is_numeric:
        return None
    found = labels.values[0]
    if found.dtype.kind == "f":
        found = found[np.isfinite(found)]
    settings = output.loss.settings if output.loss is not None else {}
    for left_out in (settings.get("ignore_index", -100), settings.get("ignore_class")):
        if left_out is not None:
            found = found[found != left_out]
    return found


def are_values(output: Output) -> bool:
    """Whether labels given to a cross-entropy are measurements rather than classes."""
    kind = form(output)
    if kind == "values":
        return True
    if kind != "whole numbers" or width(output) != 1:
        return False
    found = label_values(output)
    # prices and ages: more different numbers than anybody has classes for one unit
    return found is None or len(found) > 20


def labels_are_inputs(output: Output, facts: Facts) -> bool:
    """Whether a network is trained to give its own input: an autoencoder."""
    labels = output.labels
    if labels is None:
        return False
    for x in facts.inputs:
        if x.array is labels.array:
            return True
        if (
            x.array.size == labels.array.size
            and x.array.size
            and x.is_numeric
            and labels.is_numeric
        ):
            one, two = x.array.reshape(-1), labels.array.reshape(-1)
            step = max(1, one.size // 10_000)
            if np.array_equal(one[::step], two[::step]):
                return True
    return False


def is_classes_against_units(output: Output) -> bool:
    """Whether each output of several is compared with the number of the class, by broadcasting."""
    found = label_values(output)
    units = width(output)
    return bool(
        output.labels is not None
        and units is not None
        and units > 2
        and form(output) in ("whole numbers", "binary")
        and len(output.operation.shape) == 2
        and found is not None
        and len(found)
        and found[0] >= 0
        and found[-1] < units
    )


def has_accuracy(output: Output) -> bool:
    """Whether a kind of accuracy is measured."""
    return any("accuracy" in metric.kind or metric.kind == "acc" for metric in output.metrics)


def over_classes(loss: Loss | None) -> bool:
    """Whether a loss is a cross-entropy over classes that exclude each other."""
    return loss is not None and loss.is_crossentropy and "binary" not in loss.kind


def is_binary_loss(loss: Loss | None) -> bool:
    """Whether a loss is the cross-entropy of each unit for itself."""
    return loss is not None and loss.is_crossentropy and "binary" in loss.kind


# -- words of the frameworks -----------------------------------------------------------------------

_TORCH = {
    "softmax": "nn.Softmax",
    "log_softmax": "nn.LogSoftmax",
    "sigmoid": "nn.Sigmoid",
    "tanh": "nn.Tanh",
    "relu": "nn.ReLU",
    "relu6": "nn.ReLU6",
    "classes": "nn.CrossEntropyLoss()",
    "one-hot": "nn.CrossEntropyLoss()",
    "binary": "nn.BCELoss()",
    "binary logits": "nn.BCEWithLogitsLoss()",
    "values": "nn.MSELoss()",
}
_KERAS = {
    "classes": 'loss="sparse_categorical_crossentropy"',
    "one-hot": 'loss="categorical_crossentropy"',
    "binary": 'loss="binary_crossentropy"',
    "binary logits": "loss=BinaryCrossentropy(from_logits=True)",
    "values": 'loss="mean_squared_error"',
}


def word(facts: Facts, what: str) -> str:
    """An activation or loss as a program of the framework writes it."""
    if facts.framework == "torch":
        return _TORCH.get(what, what)
    return _KERAS.get(what, f'activation="{what}"')


def loss_for(facts: Facts, output: Output) -> str:
    """The loss over classes for the labels as they are."""
    return word(facts, "classes" if form(output) in ("binary", "whole numbers") else "one-hot")


# -- changes of a line -----------------------------------------------------------------------------


def edit(source: Source | None, place: Place | None, old: str, new: str) -> Edit | None:
    """A change on the line of a place, where the text stands there once; else None."""
    if source is None or place is None or source.file != place.file:
        return None
    return Edit(place, old, new) if source.line(place.line).count(old) == 1 else None


def edit_pattern(source: Source | None, place: Place | None, pattern: str, new: str) -> Edit | None:
    """The same for a regular expression; `new` may refer to its groups."""
    if source is None or place is None or source.file != place.file:
        return None
    found = list(re.finditer(pattern, source.line(place.line)))
    if len(found) != 1:
        return None
    return edit(source, place, found[0].group(0), found[0].expand(new))


def edit_activation(
    facts: Facts, operation: Operation | None, old: str, new: str | None
) -> Edit | None:
    """Another activation, or none, on the line that makes it."""
    if operation is None:
        return None
    source, place = facts.source, operation.place
    if facts.framework == "torch":
        modules = {
            "softmax": r"nn\.Softmax\((?:dim\s*=\s*)?-?\d*\)",
            "sigmoid": r"nn\.Sigmoid\(\)",
            "tanh": r"nn\.Tanh\(\)",
            "relu": r"nn\.ReLU\((?:inplace\s*=\s*)?(?:True|False)?\)",
        }
        made = {"sigmoid": "nn.Sigmoid()", "log_softmax": "nn.LogSoftmax(dim=1)"}
        if old not in modules:
            return None
        return edit_pattern(source, place, modules[old], made.get(new or "", "nn.Identity()"))
    if new is None:
        return edit_pattern(source, place, rf",\s*activation\s*=\s*['\"]{old}['\"]", "")
    return edit_pattern(
        source, place, rf"(activation\s*=\s*|Activation\()(['\"]){old}\2", rf"\1\g<2>{new}\2"
    )


def edit_loss(facts: Facts, loss: Loss, new: str) -> Edit | None:
    """Another loss's name on the line that names it, a string of Keras' or a class of PyTorch's."""
    return edit_pattern(facts.source, loss.place, rf"\b{re.escape(loss.written)}\b", new)
