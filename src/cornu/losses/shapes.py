"""Targets and outputs as arrays of one dtype, whose shapes fit each other or are complained of."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtypes import floatx, is_float, to_numpy_dtype
from cornu.core.variable import Variable


def as_floats(x: Any) -> jax.Array:
    """An array of float dtype: `x` itself, or `x` in the default float type."""
    x = jnp.asarray(x)
    return x if is_float(x.dtype) else x.astype(floatx())


def operands(y_true: Any, y_pred: Any) -> tuple[jax.Array, jax.Array]:
    """Outputs as a float array, and targets in the same dtype."""
    y_pred = as_floats(y_pred)
    return jnp.asarray(y_true).astype(y_pred.dtype), y_pred


def as_arrays(values: Any, dtype: str) -> Any:
    """An array of some dtype; or a list, tuple or dict of them where arrays were given in one."""
    if isinstance(values, (list, tuple, dict)) and not _is_numbers(values):
        return jax.tree.map(lambda leaf: _as_array(leaf, dtype), values)
    return _as_array(values, dtype)


def _is_numbers(values: Any) -> bool:
    """Whether it is an array written as a list: of numbers, or of lists of numbers."""
    if isinstance(values, (list, tuple)):
        return all(_is_numbers(value) for value in values)
    return isinstance(values, (bool, int, float, np.generic))


def _as_array(x: Any, dtype: str) -> jax.Array:
    x = x.value if isinstance(x, Variable) else x
    if not isinstance(x, jax.Array):
        # on the host, where a change of dtype has nothing to compile
        x = jnp.asarray(np.asarray(x).astype(to_numpy_dtype(dtype)))
    return x if x.dtype == dtype else x.astype(dtype)


def same_rank(first: jax.Array, second: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Both with the same number of axes, where they differ in a last axis of length 1.

    Of `(batch,)` and `(batch, 1)` the first gets the axis; with more axes it is taken away. Arrays
    that differ in any other way stay as they are.

    >>> [a.shape for a in same_rank(jnp.ones(3), jnp.ones((3, 1)))]
    [(3, 1), (3, 1)]
    """
    if first.ndim == second.ndim + 1 and first.shape[-1] == 1:
        if second.ndim == 1:
            return first, second[:, None]
        return first[..., 0], second
    if second.ndim == first.ndim + 1 and second.shape[-1] == 1:
        if first.ndim == 1:
            return first[:, None], second
        return first, second[..., 0]
    return first, second


def check_elementwise(name: str, y_true: jax.Array, y_pred: jax.Array) -> None:
    """ValueError where targets and outputs can't be compared element by element.

    Axes of length 1 are repeated, as in Keras. Arrays of different rank are not compared: Keras
    would line up their last axes, and so samples with features.
    """
    true, pred = y_true.shape, y_pred.shape
    if not pred:
        raise ValueError(f"{name}: outputs must have at least one axis, received a single number")
    if true == pred or not true:
        return
    if len(true) == len(pred) and all(
        a == b or 1 in (a, b) for a, b in zip(true, pred, strict=True)
    ):
        return
    raise ValueError(
        f"{name}: targets of shape {true} do not fit outputs of shape {pred}. {fix(true, pred)}"
    )


def check_same(name: str, y_true: jax.Array, y_pred: jax.Array) -> None:
    """ValueError where targets and outputs differ in shape."""
    true, pred = y_true.shape, y_pred.shape
    if true == pred:
        return
    raise ValueError(
        f"{name}: targets of shape {true} do not fit outputs of shape {pred}; they must have the "
        f"same shape. {fix(true, pred)}"
    )


def check_one_hot(name: str, y_true: jax.Array, y_pred: jax.Array, axis: int) -> None:
    """ValueError where targets aren't one row of class probabilities per row of outputs."""
    true, pred = y_true.shape, y_pred.shape
    if not pred:
        raise ValueError(f"{name}: outputs must have an axis of classes, received a single number")
    if true == pred:
        return
    classes = pred[axis]
    if len(true) == len(pred) - 1 or (len(true) == len(pred) and true[axis] == 1 < classes):
        sparse = "sparse_categorical_crossentropy"
        raise ValueError(
            f"{name}: targets of shape {true} are one class number per sample, but the outputs of "
            f"shape {pred} need one row of {classes} probabilities. Use the loss {sparse!r}, or "
            f"turn the labels into rows with utils.to_categorical(y, {classes})"
        )
    raise ValueError(
        f"{name}: targets of shape {true} do not fit outputs of shape {pred}; they must have the "
        f"same shape. {fix(true, pred)}"
    )


def fix(true: tuple[int, ...], pred: tuple[int, ...]) -> str:
    """What to change so that targets and outputs of these shapes fit."""
    if true[:1] != pred[:1] and len(true) == len(pred):
        return f"There are targets for {true[0]} samples and outputs for {pred[0]}"
    if len(true) <= 1 < len(pred) and pred[-1] > 1:
        return (
            f"There is one number per sample, but the last layer has {pred[-1]} units: give it 1 "
            "unit, or use 'sparse_categorical_crossentropy' if the numbers are classes"
        )
    if len(true) == len(pred):
        if pred[-1] == 1 and true[-1] > 1:
            return (
                f"The last layer has 1 unit: give it {true[-1]}, or one number per sample as target"
            )
        if true[:-1] == pred[:-1]:
            return f"The last layer has {pred[-1]} units: give it {true[-1]}"
    return f"Reshape the targets to {pred}, or change the last layer so that it gives {true}"
