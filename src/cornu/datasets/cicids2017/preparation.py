"""What is done to the flows between reading and training: classes, gaps, balance, split, scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from cornu.datasets.cicids2017.columns import CLASSES, LABELS, class_of, read_label

_ROWS_AT_ONCE = 65_536

_WEB_ATTACKS = {label for label in LABELS if label.startswith("Web Attack - ")}
# The labels that files of each form can't have.
_NOT_IN = {
    "published": {"Infiltration - Portscan", "Web Attack"},
    "corrected": {"Web Attack"},
    "numbered": {"Infiltration - Portscan"} | _WEB_ATTACKS,
}


def class_table(
    classes: str | Sequence[str] | Mapping[str, str], dialect: str
) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the classes, and for each of `LABELS` the number of its class (-1: left out).

    Args:
        classes: as in `load_data`.
        dialect: the form of the files, which says what labels they can have.
    """
    possible = [label for label in LABELS if label not in _NOT_IN[dialect]]
    if isinstance(classes, str):
        if classes not in ("article", "published"):
            raise ValueError(
                f"load_data(classes={classes!r}): expected 'article', 'published', a list of class "
                "names or a dictionary from label to class name"
            )
        mapping = {label: class_of(label) if classes == "article" else label for label in possible}
        names = CLASSES if classes == "article" else tuple(possible)
    elif isinstance(classes, Mapping):
        mapping = {}
        for text, name in classes.items():
            found = read_label(text)
            if found is None or found[1]:
                raise ValueError(
                    f"load_data(classes={{{text!r}: ...}}): no such label; expected among "
                    f"{', '.join(possible)}"
                )
            mapping[found[0]] = name
        names = tuple(dict.fromkeys(mapping.values()))
    else:
        names = tuple(classes)
        unknown = [name for name in names if name not in CLASSES]
        if unknown or len(set(names)) != len(names):
            raise ValueError(
                f"load_data(classes={list(names)!r}): expected names, each once, among "
                f"{', '.join(CLASSES)}; for other classes give a dictionary from label to class"
            )
        mapping = {label: class_of(label) for label in LABELS if class_of(label) in names}
    if len(names) < 2:
        raise ValueError(f"load_data(classes={classes!r}): a classifier needs two classes or more")
    numbers = [names.index(mapping[label]) if label in mapping else -1 for label in LABELS]
    return names, np.array(numbers)


def resample(
    rows: np.ndarray, y: np.ndarray, wanted: Mapping[int, int], seed: int | None
) -> np.ndarray:
    """Rows with the wanted number of each class, in random order.

    A class with at least as many rows as wanted gives different ones; a class with fewer gives
    copies (drawn with replacement). A class that is not in `wanted` keeps its rows.

    Args:
        rows: the rows to draw from.
        y: the class of each row of the whole data (`y[rows]` is theirs).
        wanted: how many rows of each class.
        seed: the seed.
    """
    generator = np.random.default_rng(seed)
    drawn = []
    for number in np.unique(y[rows]):
        own = rows[y[rows] == number]
        count = wanted.get(int(number))
        if count is not None:
            own = generator.choice(own, count, replace=count > len(own))
        drawn.append(own)
    # In the order of the classes, a batch would hold one class only.
    return generator.permutation(np.concatenate(drawn)) if drawn else rows


def split(
    rows: np.ndarray, fraction: float, seed: int | None, y: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Divides rows by chance into the larger part and `fraction` of them (rounded up).

    Without `y`, the parts are those of scikit-learn's `train_test_split(rows, test_size=fraction,
    random_state=seed)`, row for row. With `y`, each class is divided by itself, so that every part
    has the same mixture, and a class of three rows or more has one in each part.
    """
    generator = np.random.RandomState(seed)
    if y is None:
        order = generator.permutation(len(rows))
        taken = math.ceil(fraction * len(rows))
        return rows[order[taken:]], rows[order[:taken]]
    larger, smaller = [rows[:0]], [rows[:0]]
    for number in np.unique(y[rows]):
        own = generator.permutation(rows[y[rows] == number])
        taken = round(fraction * len(own))
        if fraction and len(own) > 1:
            taken = max(taken, 1)
        larger.append(own[taken:])
        smaller.append(own[:taken])
    return (
        generator.permutation(np.concatenate(larger)),
        generator.permutation(np.concatenate(smaller)),
    )


def medians(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The median of each column over rows, of its finite numbers; 0 where it has none."""
    found = np.zeros(values.shape[1])
    for column in range(values.shape[1]):
        numbers = values[rows, column]
        numbers = numbers[np.isfinite(numbers)]
        if numbers.size:
            found[column] = np.median(numbers)
    return found


def moments(values: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean and standard deviation (of the population) of each column over rows.

    A column with one value only has standard deviation 1, so that standardizing makes it 0. In
    blocks, since the rows of the full data would fill the memory once more.
    """
    columns = values.shape[1]
    total, low, high = np.zeros(columns), np.full(columns, np.inf), np.full(columns, -np.inf)
    blocks = range(0, len(rows), _ROWS_AT_ONCE)
    for start in blocks:
        block = values[rows[start : start + _ROWS_AT_ONCE]]
        total += block.sum(axis=0)
        low, high = np.minimum(low, block.min(axis=0)), np.maximum(high, block.max(axis=0))
    mean = total / max(len(rows), 1)
    squares = np.zeros(columns)
    for start in blocks:
        squares += np.square(values[rows[start : start + _ROWS_AT_ONCE]] - mean).sum(axis=0)
    constant = low >= high
    # The mean of equal numbers is off by a rounding, which would be blown up to ones.
    mean = np.where(constant & np.isfinite(low), low, mean)
    return mean, np.where(constant, 1.0, np.sqrt(squares / max(len(rows), 1)))


def take(
    values: np.ndarray, rows: np.ndarray, scale: tuple[np.ndarray, np.ndarray] | None, dtype: str
) -> np.ndarray:
    """The rows as a new array of `dtype`; less the mean and over the deviation where given."""
    x = np.empty((len(rows), values.shape[1]), dtype)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        block = values[rows[start : start + _ROWS_AT_ONCE]]
        x[start : start + _ROWS_AT_ONCE] = block if scale is None else (block - scale[0]) / scale[1]
    return x
