"""What a user may pass as data - arrays, lists, pandas - as nests of NumPy arrays, checked."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

from cornu.core import dtypes
from cornu.core.reporting import warn
from cornu.core.variable import Variable


def standardize(value: Any, name: str) -> Any:
    """The same nest with arrays the device can hold in the place of what the user gave.

    Args:
        value: an array, a list of numbers, a pandas DataFrame or Series, a torch or TensorFlow
            tensor; or a list, tuple or dict of them; or None.
        name: "x", "y" or "sample_weight": for the messages.

    Raises:
        ValueError: text, objects, ragged lists: what cannot become numbers.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: standardize(item, f"{name}[{key!r}]") for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(standardize(item, f"{name}[{i}]") for i, item in enumerate(value))
    if isinstance(value, list) and any(_is_array(item) for item in value):
        return [standardize(item, f"{name}[{i}]") for i, item in enumerate(value)]
    return _array(value, name)


def _is_array(value) -> bool:
    return hasattr(value, "__array__") and np.ndim(value) > 0


def _array(value, name: str):
    if isinstance(value, jax.Array):
        return value
    if isinstance(value, Variable):
        return value.value
    if hasattr(value, "dtypes") and hasattr(value, "columns"):
        _check_columns(value, name)
    if hasattr(value, "detach"):  # a torch tensor, which may live elsewhere or carry a gradient
        value = value.detach().cpu().numpy()
    try:
        array = value if isinstance(value, np.ndarray) else np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"{name}: the rows have different lengths, so they do not make an array ({error})"
        ) from None
    if array.dtype == object:
        try:
            array = array.astype(dtypes.to_numpy_dtype(dtypes.floatx()))
        except (TypeError, ValueError):
            raise ValueError(
                f"{name}: an array of Python objects (first: {array.flat[0]!r}) is not numbers; "
                "convert it with .astype('float32'), or encode text as integers"
            ) from None
    if array.dtype.kind in "USMm":
        raise ValueError(
            f"{name}: holds {'text' if array.dtype.kind in 'US' else 'dates or times'} "
            f"(first: {array.flat[0]!r}); a network computes with numbers. "
            "Encode it first, for instance classes as integers 0, 1, 2, ..."
        )
    if array.dtype == np.float64:
        return array.astype(dtypes.to_numpy_dtype(dtypes.floatx()))
    if array.dtype in (np.int64, np.uint64):
        return _narrowed(array, name)
    return array


def _narrowed(array: np.ndarray, name: str) -> np.ndarray:
    """64-bit integers as 32-bit ones, which is what JAX computes with."""
    if array.size and (array.max() >= 2**31 or array.min() < -(2**31)):
        raise ValueError(
            f"{name}: holds integers beyond 32 bits (from {array.min()} to {array.max()}); "
            "convert it to floats with .astype('float32')"
        )
    return array.astype(np.int32)


def _check_columns(frame, name: str) -> None:
    for column, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if getattr(dtype, "kind", "f") in "OUSMm" or str(dtype) in ("category", "string", "str"):
            try:
                frame[column].to_numpy().astype(np.float32)
            except (TypeError, ValueError):
                raise ValueError(
                    f"{name}: column {column!r} holds {frame[column].iloc[0]!r} ({dtype}); a "
                    "network computes with numbers. Drop the column or encode it as integers"
                ) from None


def unpack_x_y_sample_weight(data: Any) -> tuple:
    """`(x, y, sample_weight)` from what a generator yields or `validation_data` holds."""
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if 1 <= len(data) <= 3:
        return (*data, None, None)[:3]
    raise ValueError(
        f"data must be x, (x, y) or (x, y, sample_weight); received a tuple of {len(data)}"
    )


def row_count(x, y, sample_weight) -> int:
    """The number of rows that all arrays share; ValueError with the counts where they differ."""
    counts = {}
    for name, part in (("x", x), ("y", y), ("sample_weight", sample_weight)):
        leaves = jax.tree_util.tree_leaves(part)
        for i, leaf in enumerate(leaves):
            label = name if len(leaves) == 1 else f"{name}[{i}]"
            if np.ndim(leaf) == 0:
                raise ValueError(f"{label}: a single number is not data; expected rows of it")
            counts[label] = np.shape(leaf)[0]
    if not counts:
        raise ValueError("no data was given: x is None")
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise ValueError(f"all arrays must have the same number of rows: {listed}")
    count = next(iter(counts.values()))
    if count == 0:
        raise ValueError("the data has no rows")
    return count


def train_validation_split(arrays: tuple, validation_split: float) -> tuple[tuple, tuple]:
    """The first rows for training and the last ones for validation, as Keras splits.

    Raises ValueError where `validation_split` is not strictly between 0 and 1 or leaves a side
    without rows.
    """
    if not 0 < validation_split < 1:
        raise ValueError(
            f"validation_split={validation_split}: expected a fraction between 0 and 1"
        )
    count = row_count(*arrays)
    first = math.floor(count * (1.0 - validation_split))
    if first in (0, count):
        raise ValueError(
            f"validation_split={validation_split} of {count} rows leaves none for "
            f"{'training' if first == 0 else 'validation'}"
        )

    def part(rows: slice):
        return tuple(jax.tree_util.tree_map(lambda a: a[rows], array) for array in arrays)

    return part(slice(None, first)), part(slice(first, None))


def class_weights_of(y, class_weight: dict) -> np.ndarray:
    """One weight a row from a dict from class to weight; classes not named weigh 1.

    `y` is (rows,) or (rows, 1) integers, or (rows, classes) one-hot.
    """
    if not hasattr(y, "shape"):
        raise ValueError("class_weight needs a model with a single output")
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] != 1 else labels[..., 0]
    labels = np.round(labels).astype(np.int64).reshape(len(labels))
    classes, places = np.unique(labels, return_inverse=True)
    weights = [class_weight.get(int(label), 1.0) for label in classes]
    return np.asarray(weights, dtypes.to_numpy_dtype(dtypes.floatx()))[places]


def warn_if_not_finite(x, y) -> None:
    """Says once that data holds NaN or infinity; training goes on, as in Keras."""
    for name, part in (("x", x), ("y", y)):
        for leaf in jax.tree_util.tree_leaves(part):
            array = np.asarray(leaf)
            # the sum is not finite where an element is not: one pass, no array of flags
            if array.dtype.kind == "f" and not np.isfinite(array.sum(dtype=np.float64)):
                bad = int(np.size(array) - np.isfinite(array).sum())
                if bad:
                    warn(
                        f"{name} holds {bad} values that are NaN or infinite: the loss will be NaN "
                        "from the first step that meets one. Drop or impute those rows",
                    )
