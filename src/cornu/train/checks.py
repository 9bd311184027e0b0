"""Sentences for what does not fit, before anything is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from cornu.core.reporting import warn
from cornu.train.targets import Targets, flat_targets

# Of larger arrays of labels the first rows are looked at: what a check may cost, in each call of
# fit. Class numbers of any data set that fits a memory are below it.
_LOOKED_AT_BYTES = 64 * 2**20


def known_names(kind: str, given: Any, get: Callable, also: tuple[str, ...]) -> None:
    """Looks up every name in what `compile` was given; ValueError for an unknown one."""
    for leaf in jax.tree_util.tree_leaves(given):
        if isinstance(leaf, (int, float, np.ndarray)):
            raise ValueError(
                f"compile({kind}={leaf!r}): expected a name, a {kind} object or a function"
            )
        if isinstance(leaf, str) and leaf not in also:
            get(leaf)


def whole_numbers(method: str, **given: Any) -> None:
    """Raises TypeError for an argument that counts something and is no integer; None passes."""
    for name, value in given.items():
        if value is None or hasattr(value, "__index__"):
            continue
        advice = ""
        if isinstance(value, (float, np.floating)):
            whole = value == np.round(value)
            advice = f": write {value:.0f}" if whole else ": round it, or divide with //"
        raise TypeError(
            f"{method}({name}={value!r}): expected an integer, received a "
            f"{type(value).__name__}{advice}"
        )


def inputs_fit(model, x: Any, method: str) -> None:
    """Holds the shapes of the data against the inputs of a model whose inputs are known."""
    specs = getattr(model, "inputs", None) if model.built else None
    if not specs:
        return
    if isinstance(x, dict):
        names = [tensor.node.name for tensor in specs]
        missing = [name for name in names if name not in x]
        if missing and not isinstance(model.input, dict):
            raise ValueError(
                f"{method}: no data is given for the input {missing[0]!r}; received {sorted(x)}"
            )
        return
    leaves = jax.tree_util.tree_leaves(x)
    if len(leaves) != len(specs):
        raise ValueError(
            f"{method}: the model has {len(specs)} input{'s' * (len(specs) > 1)}, received "
            f"{len(leaves)} array{'s' * (len(leaves) != 1)}"
        )
    for leaf, tensor in zip(leaves, specs, strict=True):
        wanted, given = tensor.shape[1:], tuple(leaf.shape[1:])
        if _agree(given, wanted):
            continue
        if given[-1:] == (1,) and _agree(given[:-1], wanted):
            continue
        if wanted[-1:] == (1,) and _agree(given, wanted[:-1]):
            continue
        raise ValueError(
            f"{method}: the model takes rows of shape {wanted}, the data has rows of shape {given}"
            f"{_advice(tuple(leaf.shape), given, wanted)}"
        )


def _agree(given: tuple, wanted: tuple) -> bool:
    return len(given) == len(wanted) and all(
        want is None or have == want for have, want in zip(given, wanted, strict=True)
    )


def _advice(whole: tuple, given: tuple, wanted: tuple) -> str:
    if _agree(whole, wanted):
        return ". A single row needs a batch axis: x[None]"
    if len(wanted) == 1 and wanted[0] is not None and np.prod(given) == wanted[0]:
        return f". Reshape it with x.reshape(len(x), {wanted[0]}), or begin with a Flatten layer"
    if len(wanted) == len(given) + 1 and wanted[-1] is not None:
        return f". Add the channel axis with np.expand_dims(x, -1) if there is {wanted[-1]} channel"
    return ""


def labels_fit(targets: Targets | None, y: Any, method: str) -> None:
    """Holds integer classes against the width of the output; ValueError for one out of range."""
    if targets is None or y is None:
        return
    widths = targets.widths
    labels = flat_targets(y, targets.names, len(widths))
    for loss in targets.losses:
        width, array = widths[loss.place], labels[loss.place]
        if "SparseCategoricalCrossentropy" not in _kind(loss.function) or width is None:
            continue
        values = np.asarray(array)
        ignored = getattr(loss.function, "ignore_class", None)
        if ignored is not None:
            values = values[values != ignored]
        if not values.size:
            continue
        low, high = values.min(), values.max()
        if low < 0 or high >= width:
            hint = ""
            if low >= 1 and high == width:
                hint = ". They start at 1: subtract 1"
            elif low >= 0:
                hint = f". The last layer needs {int(high) + 1} units for classes up to {int(high)}"
            raise ValueError(
                f"{method}: the labels go from {low:g} to {high:g}, but the output "
                f"{targets.names[loss.place]!r} has {width} units, for classes 0 to {width - 1}"
                f"{hint}"
            )


def binary_labels_fit(
    targets: Targets | None, y: Any, sample_weight: Any, method: str, once: bool = False
) -> None:
    """Warns, once after `compile`, of labels outside 0 to 1 under a binary cross-entropy.

    The loss has no least value then. Keras trains on silently, so it is no error. What rounding
    has put a thousandth outside is let pass.

    Args:
        sample_weight: rows that weigh nothing may have any label.
        once: whether what has been looked at before is not looked at again: for single batches.
    """
    if targets is None or y is None or targets.labels_told or (once and targets.labels_seen):
        return
    targets.labels_seen = True
    labels = flat_targets(y, targets.names, len(targets.widths))
    for loss in targets.losses:
        name = getattr(getattr(loss.function, "fn", None), "__name__", "")
        if name not in ("binary_crossentropy", "binary_focal_crossentropy"):
            continue
        width, array = targets.widths[loss.place], labels[loss.place]
        if width not in (None, array.shape[-1] if array.ndim > 1 else 1):
            continue  # of which the loss itself complains
        values = _first_rows(array)
        if not values.size or _from_0_to_1(values):
            continue
        values = _weighing(values, sample_weight)
        if values.size and not _from_0_to_1(values):
            low, high = values.min(), values.max()
            targets.labels_told = True
            warn(
                f"{method}: the labels go from {low:g} to {high:g}, but {name} takes labels from "
                f"0 to 1; with others its value means nothing{_binary_advice(values, low, high)}"
            )


def _from_0_to_1(values: np.ndarray) -> bool:
    # said so that NaN, which is complained of elsewhere, passes
    return not (values.min() < -0.001 or values.max() > 1.001)


def _first_rows(array: Any) -> np.ndarray:
    if not array.ndim:
        return np.asarray(array)
    size = array.nbytes // max(len(array), 1)
    return np.asarray(array[: max(1, _LOOKED_AT_BYTES // max(size, 1))])


def _weighing(values: np.ndarray, sample_weight: Any) -> np.ndarray:
    """The labels of the rows that count, where there is one weight for each row."""
    if hasattr(sample_weight, "shape") and np.shape(sample_weight)[:1] >= values.shape[:1]:
        weight = np.asarray(sample_weight[: len(values)])
        if weight.shape == values.shape[: weight.ndim]:
            return values[weight != 0]
    return values


def _binary_advice(values: np.ndarray, low: float, high: float) -> str:
    if low == -1 and high == 1:
        return ". Use (y + 1) / 2, or the loss 'hinge', which takes -1 and 1"
    if not np.array_equal(values, np.round(values)):
        return ". Scale them into 0 to 1"
    if high == 255:
        return ". Divide them by 255"
    if low >= 1 and high == low + 1:
        return f". Subtract {low:g}"
    if low >= 0:
        return (
            f". For classes 0 to {high:g} use the loss 'sparse_categorical_crossentropy', and "
            f"{high + 1:g} units with softmax"
        )
    return ""


def _kind(function) -> str:
    inner = getattr(function, "fn", None)
    name = getattr(inner, "__name__", "")
    if name == "sparse_categorical_crossentropy":
        return "SparseCategoricalCrossentropy"
    return type(function).__name__


def labels_given(loss, y, method: str, is_stream: bool) -> None:
    """Raises ValueError where a loss has to compare the outputs with labels and there are none."""
    if loss is not None and y is None:
        advice = "pass (x, y)" if "validation_data" in method else "pass y"
        if is_stream:
            advice = "the data yields x alone, let it yield (x, y)"
        raise ValueError(
            f"{method}: the loss {loss!r} compares outputs with labels, and no labels were given: "
            f"{advice}"
        )


# What Keras lets a subclass replace and the compiled program does not call.
_STEPS = (
    "train_step",
    "test_step",
    "predict_step",
    "make_train_function",
    "make_test_function",
    "make_predict_function",
)


def no_own_steps(model) -> None:
    """Raises NotImplementedError where a model's class has a step of its own.

    The program would train without it, and nobody would be told.
    """
    for name in _STEPS:
        if hasattr(model, name):
            raise NotImplementedError(
                f"{type(model).__name__}.{name}: a {name} of one's own is not run by Cornu yet. "
                "Override compute_loss(x, y, y_pred, sample_weight) for another loss and "
                "compute_metrics for other metrics, call add_loss() in a layer, or write the loop "
                "with train_on_batch()"
            )
