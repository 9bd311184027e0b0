"""Sentences for what does not fit, before anything is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from cornu.train.targets import Targets, flat_targets


def known_names(kind: str, given: Any, get: Callable, also: tuple[str, ...]) -> None:
    """Looks up every name in what `compile` was given; ValueError for an unknown one."""
    for leaf in jax.tree_util.tree_leaves(given):
        if isinstance(leaf, (int, float, np.ndarray)):
            raise ValueError(
                f"compile({kind}={leaf!r}): expected a name, a {kind} object or a function"
            )
        if isinstance(leaf, str) and leaf not in also:
            get(leaf)


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


def _kind(function) -> str:
    inner = getattr(function, "fn", None)
    name = getattr(inner, "__name__", "")
    if name == "sparse_categorical_crossentropy":
        return "SparseCategoricalCrossentropy"
    return type(function).__name__


def labels_given(loss, y, method: str) -> None:
    """Raises ValueError where a loss has to compare the outputs with labels and there are none."""
    if loss is not None and y is None:
        wanted = "(x, y)" if "validation_data" in method else "y"
        raise ValueError(
            f"{method}: the loss {loss!r} compares outputs with labels, and no labels were given: "
            f"pass {wanted}"
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
