"""`tf.data.Dataset` for what programs do with arrays: slices, order, batches, and a function.

It holds NumPy's arrays and gives them out one by one; `fit` reads it as any iterable of batches.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

AUTOTUNE = -1


class Dataset:
    """Elements one after the other, each an array or a nest of arrays; read anew each time.

    Args:
        elements: a function that begins to give them.
        length: how many there are; None where nobody knows, `math.inf` without an end.

    >>> data = Dataset.from_tensor_slices(np.arange(5)).batch(2)
    >>> [batch.tolist() for batch in data]
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, elements: Callable[[], Iterator], length: float | None):
        self._elements = elements
        self._length = length

    def __iter__(self) -> Iterator:
        return self._elements()

    def __len__(self) -> int:
        if self._length is None or self._length == math.inf:
            raise TypeError("the dataset has no known length, or no end")
        return int(self._length)

    # -- what it is made of ----------------------------------------------------------------------

    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """The rows of arrays.

        Raises ValueError where arrays have different numbers of rows.
        """
        nest = _arrays(tensors)
        counts = {len(one) for one in jax.tree_util.tree_leaves(nest)}
        if len(counts) != 1:
            raise ValueError(f"Dataset.from_tensor_slices: arrays of {sorted(counts)} rows")
        count = counts.pop()

        def elements() -> Iterator:
            for row in range(count):
                yield jax.tree_util.tree_map(lambda one, row=row: one[row], nest)

        return Dataset(elements, count)

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """One element."""
        nest = _arrays(tensors)
        return Dataset(lambda: iter([nest]), 1)

    @staticmethod
    def from_generator(generator: Callable, *args: Any, **kwargs: Any) -> Dataset:
        """What a function's generator yields."""
        return Dataset(lambda: (_arrays(one) for one in generator()), None)

    @staticmethod
    def range(*args: int) -> Dataset:
        """Integers."""
        return Dataset.from_tensor_slices(np.arange(*args))

    @staticmethod
    def zip(*datasets: Any) -> Dataset:
        """Elements of several side by side."""
        several = datasets[0] if len(datasets) == 1 else datasets
        lengths = [one._length for one in several]
        known = None if None in lengths else min(lengths)
        return Dataset(lambda: zip(*several, strict=False), known)

    # -- what is done with it --------------------------------------------------------------------

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = True,
        name: str | None = None,
    ) -> Dataset:
        """Another order each time: each element is drawn from a buffer of the next ones."""
        first = np.random.randint(2**31) if seed is None else seed
        generator = np.random.default_rng(first)

        def elements() -> Iterator:
            draw = generator if reshuffle_each_iteration else np.random.default_rng(first)
            held: list = []
            for one in self:
                held.append(one)
                if len(held) > buffer_size:
                    yield held.pop(int(draw.integers(len(held))))
            while held:
                yield held.pop(int(draw.integers(len(held))))

        return Dataset(elements, self._length)

    def batch(
        self, batch_size: int, drop_remainder: bool = False, *args: Any, **kwargs: Any
    ) -> Dataset:
        """So many elements in one array."""

        def elements() -> Iterator:
            source = iter(self)
            while held := list(itertools.islice(source, batch_size)):
                if len(held) < batch_size and drop_remainder:
                    return
                yield jax.tree_util.tree_map(lambda *one: np.stack(one), *held)

        if self._length is None or self._length == math.inf:
            return Dataset(elements, self._length)
        count = self._length / batch_size
        return Dataset(elements, math.floor(count) if drop_remainder else math.ceil(count))

    def map(self, map_func: Callable, *args: Any, **kwargs: Any) -> Dataset:
        """A function of each element; of an element's parts, where it is a tuple."""

        def elements() -> Iterator:
            for one in self:
                made = map_func(*one) if isinstance(one, tuple) else map_func(one)
                yield _arrays(made)

        return Dataset(elements, self._length)

    def filter(self, predicate: Callable, name: str | None = None) -> Dataset:
        """The elements of which a function is true."""

        def elements() -> Iterator:
            for one in self:
                if predicate(*one) if isinstance(one, tuple) else predicate(one):
                    yield one

        return Dataset(elements, None)

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """All again so many times; without an end by default."""

        def elements() -> Iterator:
            turns = itertools.count() if count in (None, -1) else range(count)
            for _ in turns:
                yield from self

        if count in (None, -1):
            return Dataset(elements, math.inf)
        return Dataset(elements, None if self._length is None else self._length * count)

    def take(self, count: int, name: str | None = None) -> Dataset:
        """The first elements."""
        length = self._length if count == -1 else min(count, self._length or count)
        stop = None if count == -1 else count
        return Dataset(lambda: itertools.islice(iter(self), stop), length)

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """The elements after the first ones."""
        length = None if self._length is None else max(0, self._length - count)
        return Dataset(lambda: itertools.islice(iter(self), count, None), length)

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """The elements, and then another dataset's."""
        lengths = self._length, dataset._length
        known = None if None in lengths else sum(lengths)  # type: ignore[arg-type]
        return Dataset(lambda: itertools.chain(self, dataset), known)

    def cache(self, filename: str = "", name: str | None = None) -> Dataset:
        """The elements, kept when they have all been read once."""
        kept: list = []
        whole: list[bool] = []

        def elements() -> Iterator:
            if whole:
                yield from kept
                return
            read = []
            for one in self:
                read.append(one)
                yield one
            kept[:] = read
            whole.append(True)

        return Dataset(elements, self._length)

    def prefetch(self, buffer_size: Any = None, name: str | None = None) -> Dataset:
        """The same: `fit` reads ahead by itself."""
        return self

    def with_options(self, options: Any, name: str | None = None) -> Dataset:
        """The same."""
        return self

    def as_numpy_iterator(self) -> Iterator:
        """The elements."""
        return iter(self)

    def cardinality(self) -> int:
        """How many elements there are; -1 without an end, -2 where nobody knows."""
        if self._length is None:
            return -2
        return -1 if self._length == math.inf else int(self._length)


def _arrays(nest: Any) -> Any:
    """Arrays in the place of lists and numbers; tuples and dicts stay."""
    if isinstance(nest, tuple):
        return tuple(_arrays(one) for one in nest)
    if isinstance(nest, dict):
        return {key: _arrays(one) for key, one in nest.items()}
    return np.asarray(nest)


MEMBERS: dict[str, Any] = {"Dataset": Dataset, "AUTOTUNE": AUTOTUNE}
