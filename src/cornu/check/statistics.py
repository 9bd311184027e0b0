"""ArrayFacts: what a rule may want to know of an array of training data."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from cornu.core.places import Place

# Rows of the inputs that statistics are taken over: enough for ranges, cheap for any data set.
SAMPLE_ROWS = 4096
# Values in the sample: rows of large images are sampled more sparsely.
SAMPLE_VALUES = 2_000_000
# Above so many different values, labels are values and no classes.
MOST_CLASSES = 1000


class ArrayFacts:
    """Statistics of an array of (rows, ...), computed when they are asked for.

    Args:
        array: the data. It is kept, never changed.
        name: "x", "y", or of the input or output it belongs to.
        complete: False where it is one batch of a stream rather than all of the data.

    Attributes:
        array: the data.
        rows: how many rows it has.
        shape: of one row.
        dtype: NumPy's name of the dtype; "object" or "str" for strings.
        place: the line of the program that made it, where that was observed.
        reshaped_from: the shape that a reshape made it of in the end, where that was observed.
    """

    def __init__(self, array: Any, name: str = "x", complete: bool = True):
        self.array = np.asarray(array)
        self.name = name
        self.complete = complete
        self.rows = len(self.array) if self.array.ndim else 0
        self.shape = self.array.shape[1:]
        self.dtype = str(self.array.dtype)
        self.place: Place | None = None
        self.reshaped_from: tuple[int, ...] | None = None

    def __repr__(self) -> str:
        return f"<ArrayFacts {self.name} {self.array.shape} {self.dtype}>"

    @property
    def is_numeric(self) -> bool:
        """Whether it holds numbers or truth values."""
        return self.array.dtype.kind in "biuf" or self.dtype == "bfloat16"

    @functools.cached_property
    def sample(self) -> np.ndarray:
        """Some rows, evenly spread over the array, as float64; no NaN removed.

        All of a small array; else at most `SAMPLE_ROWS` rows and about `SAMPLE_VALUES` values, but
        never fewer than 64 rows.
        """
        size = max(1, self.array.size // max(1, self.rows))
        most = min(SAMPLE_ROWS, max(64, SAMPLE_VALUES // size))
        step = max(1, -(-self.rows // most))
        return self.array[::step].astype("float64")

    @functools.cached_property
    def finite(self) -> np.ndarray:
        """The finite values of the sample, flat."""
        flat = self.sample.ravel()
        if np.isfinite(flat.sum()):
            return flat
        return flat[np.isfinite(flat)]

    @property
    def low(self) -> float:
        """The least finite value of the sample; NaN where there is none."""
        return float(self.finite.min()) if self.finite.size else float("nan")

    @property
    def high(self) -> float:
        """The greatest finite value of the sample; NaN where there is none."""
        return float(self.finite.max()) if self.finite.size else float("nan")

    @functools.cached_property
    def mean(self) -> float:
        """Over the sample."""
        return float(self.finite.mean()) if self.finite.size else float("nan")

    @functools.cached_property
    def std(self) -> float:
        """Over the sample."""
        return float(self.finite.std()) if self.finite.size else float("nan")

    @functools.cached_property
    def not_finite(self) -> tuple[int, int]:
        """How many values are NaN and how many infinite, in the whole array."""
        if self.array.dtype.kind != "f":
            return 0, 0
        if np.isfinite(self.array.sum(dtype="float64")):
            return 0, 0
        return int(np.isnan(self.array).sum()), int(np.isinf(self.array).sum())

    @functools.cached_property
    def is_integer(self) -> bool:
        """Whether every finite value of the sample is a whole number."""
        if self.array.dtype.kind in "biu":
            return True
        # most data that is not whole shows it at once
        return bool(self.finite.size) and all(
            bool(np.all(part == np.round(part))) for part in (self.finite[:1000], self.finite)
        )

    @property
    def rms(self) -> float:
        """The root mean square over the sample: how large the values are."""
        return float(np.hypot(self.mean, self.std))

    # -- features of two-dimensional data --------------------------------------------------------

    @functools.cached_property
    def feature_range(self) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest finite value of each feature `(features,)`, of (rows, features)."""
        columns = self.sample.reshape(len(self.sample), -1)
        if not columns.size:
            return np.zeros(0), np.zeros(0)
        if self.finite.size == columns.size:
            return columns.min(axis=0), columns.max(axis=0)
        columns = np.where(np.isfinite(columns), columns, np.nan)
        empty = np.isnan(columns).all(axis=0)
        columns = np.where(empty, 0.0, columns)
        return np.nanmin(columns, axis=0), np.nanmax(columns, axis=0)

    @functools.cached_property
    def feature_rms(self) -> np.ndarray:
        """The root mean square of each feature, along the last axis, over all else; (features,)."""
        columns = self.sample.reshape(-1, self.sample.shape[-1] if self.sample.ndim > 1 else 1)
        if self.finite.size == columns.size:
            return np.sqrt(np.einsum("ij,ij->j", columns, columns) / max(1, len(columns)))
        kept = np.where(np.isfinite(columns), columns, 0.0)
        counts = np.maximum(1, np.isfinite(columns).sum(axis=0))
        return np.sqrt(np.einsum("ij,ij->j", kept, kept) / counts)

    # -- labels ----------------------------------------------------------------------------------

    @functools.cached_property
    def values(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The different values and how often each occurs; None where there are over 1000."""
        if self.array.dtype.kind not in "biufUSO" or not self.array.size:
            return None
        flat = self.array.ravel()
        if self.array.dtype.kind == "O":
            flat = flat.astype(str)
        if flat.size > 20_000:
            if len(np.unique(flat[:: flat.size // 10_000])) > MOST_CLASSES:
                return None
            if flat.dtype.kind in "iu":
                low, high = int(flat.min()), int(flat.max())
                if high - low <= 1_000_000:  # counting is faster than sorting
                    counts = np.bincount(flat - low if low else flat)
                    kept = np.flatnonzero(counts)
                    few = len(kept) <= MOST_CLASSES
                    return ((kept + low).astype(flat.dtype), counts[kept]) if few else None
        found, counts = np.unique(flat, return_counts=True)
        return (found, counts) if len(found) <= MOST_CLASSES else None

    @functools.cached_property
    def is_one_hot(self) -> bool:
        """Whether each row is 0 but for a single 1: (rows, classes) with classes > 1."""
        if self.array.ndim < 2 or self.array.shape[-1] < 2 or not self.is_numeric:
            return False
        rows = self.sample.reshape(-1, self.array.shape[-1])
        return bool(np.all((rows == 0) | (rows == 1)) and np.all(rows.sum(axis=-1) == 1))

    @functools.cached_property
    def is_multi_hot(self) -> bool:
        """Whether all values are 0 or 1, and some rows have none or several 1s."""
        if self.array.ndim < 2 or self.array.shape[-1] < 2 or not self.is_numeric:
            return False
        return bool(np.isin(self.sample, (0, 1)).all()) and not self.is_one_hot

    @functools.cached_property
    def is_classes(self) -> bool:
        """Whether it looks like classes by number: few whole values from 0 or 1, one for a row.

        "Few" is at most one value for each ten rows, and two thirds of the numbers between the
        least and the greatest occur. Two values that are not 0 and 1, such as -1 and 1, are
        classes too.
        """
        if not self.is_numeric or self.array.ndim > 2 or self.array.shape[1:] not in ((), (1,)):
            return False
        if self.values is None or not self.is_integer:
            return False
        found, _ = self.values
        if len(found) == 2 and self.rows > 4:
            return True
        span = found[-1] - found[0] + 1
        few = len(found) <= max(2, self.rows / 10)
        return bool(
            few and len(found) > 1 and len(found) >= span * 2 / 3 and found[0] in (-1, 0, 1)
        )

    @functools.cached_property
    def classes(self) -> int | None:
        """How many classes there are: columns of one-hot labels, else the greatest label and one.

        None for labels that are no classes.
        """
        if self.is_one_hot:
            return int(self.array.shape[-1])
        if self.is_classes and self.values is not None:
            found, _ = self.values
            return len(found) if len(found) == 2 else int(found[-1] - min(found[0], 0)) + 1
        return None

    @functools.cached_property
    def class_numbers(self) -> np.ndarray | None:
        """The class of each row `(rows,)`; None for labels that are no classes."""
        if self.is_one_hot and self.array.ndim == 2:
            return self.array.argmax(axis=-1)
        return self.array.ravel() if self.is_classes else None

    @functools.cached_property
    def class_shares(self) -> dict[Any, float] | None:
        """The share of rows of each class; None for labels that are no classes."""
        numbers = self.class_numbers
        if numbers is None or not len(numbers):
            return None
        found, counts = np.unique(numbers, return_counts=True)
        return {
            value.item(): count / len(numbers) for value, count in zip(found, counts, strict=True)
        }

    @functools.cached_property
    def is_sorted_by_class(self) -> bool:
        """Whether rows of a class stand together: as few changes from row to row as can be."""
        numbers = self.class_numbers
        if numbers is None or len(numbers) < 20:
            return False
        changes = int(np.count_nonzero(numbers[1:] != numbers[:-1]))
        return changes < max(len(np.unique(numbers)), len(numbers) // 50)


def rows_in_both(one: list[np.ndarray], two: list[np.ndarray]) -> tuple[int, int]:
    """How many rows of a table occur in another one.

    Args:
        one, two: the same number of arrays of (rows, ...) each, which are the columns of a table.

    Returns:
        Of the second table's rows (a sample of at most `SAMPLE_ROWS`) the number that occur in the
        first, compared by value, and how many were looked up.
    """
    step = max(1, -(-len(two[0]) // SAMPLE_ROWS))
    looked_up = [array[::step] for array in two]
    if any(a.dtype != b.dtype or a.shape[1:] != b.shape[1:] for a, b in zip(one, two, strict=True)):
        return 0, 0
    # by a few columns first: of most data that leaves no row to be compared in full
    wanted = _keys(looked_up, 16)
    candidates = np.flatnonzero(np.isin(_keys(one, 16), np.unique(wanted)))
    if not len(candidates):
        return 0, len(wanted)
    first = {hash(row) for row in _bytes_of_rows([array[candidates] for array in one])}
    found = sum(hash(row) in first for row in _bytes_of_rows(looked_up))
    return found, len(wanted)


def distinct_rows(arrays: list[np.ndarray], most: int = SAMPLE_ROWS) -> tuple[int, int]:
    """How many different rows there are among the first `most`, and how many those are."""
    rows = {hash(row) for row in _bytes_of_rows([array[:most] for array in arrays])}
    return len(rows), min(most, len(arrays[0]))


def _keys(arrays: list[np.ndarray], count: int) -> np.ndarray:
    """A number for each row, the same for the same row, from a few of its values (uint64)."""
    keys = np.zeros(len(arrays[0]), "uint64")
    for array in arrays:
        columns = array.reshape(len(array), -1)
        # from the middle third as well as from all of it: the borders of images are often 0
        width = columns.shape[1]
        chosen = np.unique(
            np.concatenate(
                [np.linspace(0, width - 1, count), np.linspace(width / 3, 2 * width / 3, count)]
            ).astype(int)[: 2 * width]
        )
        for column in chosen[chosen < width]:
            values = np.ascontiguousarray(columns[:, column].astype("float64") + 0.0)
            # Knuth's multiplicative hashing, The Art of Computer Programming 3, 6.4
            keys = keys * np.uint64(6364136223846793005) + values.view("uint64")
            keys ^= keys >> np.uint64(29)
    return keys


def _bytes_of_rows(arrays: list[np.ndarray]) -> list[bytes]:
    tables = [np.ascontiguousarray(array.reshape(len(array), -1) + 0) for array in arrays]
    return [b"".join(table[row].tobytes() for table in tables) for row in range(len(tables[0]))]
