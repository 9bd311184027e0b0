"""Source: where batches come from.

Either way, what a training program gets is a `Block`: rows on the device and the order to take
them in. Arrays that fit stay on the device for the whole run, and an epoch is one block (and one
more for a smaller last batch). Anything else is a stream, read ahead by a background thread and
handed over several batches at a time. Both give the same numbers for the same seed.
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from cornu.data import arrays as data_arrays

# Rows kept on the device: above this, arrays are streamed. A quarter of what a small machine has.
RESIDENT_BYTES = 4 * 2**30
# A streamed block: at most so many batches and so many bytes, so that two of them (one in use, one
# being filled) stay small beside the network.
_BLOCK_BATCHES = 32
_BLOCK_BYTES = 32 * 2**20


class Block(NamedTuple):
    """Batches that are on the device.

    Attributes:
        data: `(x, y, sample_weight)`, nests of arrays of (rows, ...).
        order: int32 row numbers of (capacity * batch_size,): batch i is the i-th stretch of it.
        count: the number of batches; may be less than `order` has room for.
        batch_size: rows in each batch.
    """

    data: tuple
    order: Any
    count: int  # type: ignore[assignment]  # hides tuple.count, which no block needs
    batch_size: int


class Source:
    """Batches for an epoch, again and again.

    Attributes:
        steps: batches in an epoch, or None where nobody knows before the end.
        endless: whether another epoch can be had after the last batch.
    """

    steps: int | None = None
    endless = True

    def epoch(self) -> Iterator[Block]:
        """The blocks of one pass."""
        raise NotImplementedError

    def sample(self) -> tuple:
        """One batch `(x, y, sample_weight)` as NumPy arrays: shapes and dtypes, before any pass."""
        raise NotImplementedError

    def shapes(self) -> list[Block]:
        """Blocks of the shapes that an epoch will have, as far as they are known before it."""
        return []

    def close(self) -> None:
        """Ends what runs in the background."""


class ArraySource(Source):
    """Arrays in memory.

    Args:
        x, y, sample_weight: nests of arrays of (rows, ...), as `arrays.standardize` makes them.
        batch_size: rows in a batch; the last batch may be smaller.
        shuffle: True for a new order of rows in each epoch (drawn from NumPy's global generator, in
            the thread that trains), "batch" to shuffle whole batches, False for the order given.
        resident: whether the rows stay on the device; by default if they take less than 4 GiB.

    Attributes:
        generators: None, or a NumPy generator for each of several networks that are trained at
            once: each then gets its own order of rows, and a block's `order` is (networks, rows).
    """

    generators: list | None = None

    def __init__(
        self, x, y, sample_weight, batch_size: int, shuffle: Any, resident: bool | None = None
    ):
        self.rows = data_arrays.row_count(x, y, sample_weight)
        self.batch_size = min(int(batch_size), self.rows)
        self.given_batch_size = int(batch_size)
        self.shuffle = shuffle
        self.data = (x, y, sample_weight)
        self.steps = math.ceil(self.rows / self.batch_size)
        leaves = jax.tree_util.tree_leaves(self.data)
        size = sum(leaf.nbytes for leaf in leaves)
        self.resident = size <= RESIDENT_BYTES if resident is None else resident
        self._device_data: tuple | None = None
        self._device_order: dict[int, Any] = {}

    def sample(self) -> tuple:
        return jax.tree_util.tree_map(lambda leaf: leaf[: self.batch_size], self.data)

    def _row_order(self, generator: Any = np.random) -> np.ndarray | None:
        if self.shuffle == "batch":
            full = self.rows // self.batch_size * self.batch_size
            rows = np.arange(self.rows, dtype=np.int32)
            whole = rows[:full].reshape(-1, self.batch_size)
            return np.concatenate([generator.permutation(whole).ravel(), rows[full:]])
        if self.shuffle:
            return generator.permutation(self.rows).astype(np.int32)
        return None

    def epoch(self) -> Iterator[Block]:
        order = self._row_order() if self.generators is None else self._row_orders()
        yield from self._resident(order) if self.resident else self._streamed(order)

    def _row_orders(self) -> np.ndarray | None:
        """The order of rows for each generator."""
        orders = [self._row_order(generator) for generator in self.generators or ()]
        return np.stack(orders) if self.shuffle else None  # type: ignore[arg-type]

    def _stretches(self) -> list[tuple[int, int, int]]:
        """First row, number of batches and rows in each: of the full batches, of the last one."""
        full, rest = divmod(self.rows, self.batch_size)
        stretches = [(0, full, self.batch_size), (full * self.batch_size, 1, rest)]
        return [stretch for stretch in stretches if stretch[1] and stretch[2]]

    def shapes(self) -> list[Block]:
        if not self.resident:
            return []
        networks = () if self.generators is None or not self.shuffle else (len(self.generators),)
        return [
            Block(self.data, np.empty((*networks, count * rows), np.int32), count, rows)
            for _, count, rows in self._stretches()
        ]

    def _resident(self, order: np.ndarray | None) -> Iterator[Block]:
        if self._device_data is None:
            self._device_data = jax.tree_util.tree_map(_on_device, self.data)
        for start, count, rows in self._stretches():
            end = start + count * rows
            if order is not None:
                part = order[..., start:end]
            else:
                if start not in self._device_order:
                    self._device_order[start] = jax.device_put(
                        np.arange(start, end, dtype=np.int32)
                    )
                part = self._device_order[start]
            yield Block(self._device_data, part, count, rows)

    def _streamed(self, order: np.ndarray | None) -> Iterator[Block]:
        order = np.arange(self.rows, dtype=np.int32) if order is None else order

        def batches() -> Iterator[tuple]:
            for start in range(0, self.rows, self.batch_size):
                rows = np.sort(order[start : start + self.batch_size])
                places = np.argsort(np.argsort(order[start : start + self.batch_size]))
                # sorted reading is what a memory-mapped file is fast at
                yield jax.tree_util.tree_map(
                    lambda a, rows=rows, places=places: np.asarray(a[rows])[places], self.data
                )

        reader = _Reader(batches)
        try:
            yield from _blocks(reader)
        finally:
            reader.close()


# XLA on a CPU takes memory as it is, uncopied, if it begins at a multiple of this many bytes.
_ALIGNMENT = 64


def _on_device(array: Any) -> jax.Array:
    """A copy on the device of what the caller may change later.

    On a CPU the copy is made by NumPy: it asks the system for large pages, so that for a large
    array it takes a sixth of the time that XLA's own copy does.
    """
    if jax.default_backend() != "cpu" or not isinstance(array, np.ndarray) or not array.size:
        return jax.device_put(array)
    memory = np.empty(array.nbytes + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    np.copyto(copy, array)
    return jax.device_put(copy)


class StreamSource(Source):
    """A generator, a sequence of batches or any iterable of `x`, `(x, y)`, `(x, y, weights)`.

    Args:
        open_epoch: called for an iterator over the batches of an epoch.
        steps: batches in an epoch, or None.
        endless: False for a generator, which can be read only once.
        after_epoch: called when a pass is over.
        convert: from what the iterator yields to `(x, y, sample_weight)`.
    """

    def __init__(
        self,
        open_epoch: Callable[[], Iterator],
        steps: int | None,
        endless: bool,
        after_epoch: Callable[[], None] | None = None,
        class_weight: dict | None = None,
    ):
        self._open_epoch = open_epoch
        self.steps = steps
        self.endless = endless
        self._after_epoch = after_epoch
        self._class_weight = class_weight
        self._first: list = []
        self._reader: _Reader | None = None

    def _convert(self, batch: Any) -> tuple:
        x, y, weight = unpacked = unpack(batch)
        if self._class_weight is not None:
            if y is None:
                raise ValueError("class_weight needs labels; the data yields none")
            weight = data_arrays.class_weights_of(y, self._class_weight)
            return x, y, weight
        return unpacked

    def sample(self) -> tuple:
        if not self._first:
            iterator = self._open_epoch()
            try:
                first = next(iterator)
            except StopIteration:
                raise ValueError("the data yields no batch") from None
            # a generator can be read only once: what was looked at is trained on too
            self._first = [first]
            if not self.endless:
                self._rest = iterator
        return self._convert(self._first[0])

    def _batches(self) -> Iterator[tuple]:
        if self.endless:
            iterator = self._open_epoch()
        else:
            if not hasattr(self, "_rest"):
                self._rest = self._open_epoch()
            held, self._first = self._first, []
            yield from map(self._convert, held)
            iterator = self._rest
        yield from map(self._convert, iterator)

    def epoch(self) -> Iterator[Block]:
        self._reader = reader = _Reader(self._batches)
        try:
            yield from _blocks(reader)
        finally:
            reader.close()
            if self._after_epoch is not None:
                self._after_epoch()

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()


def unpack(batch: Any) -> tuple:
    """One batch of a stream as checked arrays."""
    x, y, weight = data_arrays.unpack_x_y_sample_weight(batch)
    return (
        data_arrays.standardize(x, "x"),
        data_arrays.standardize(y, "y"),
        data_arrays.standardize(weight, "sample_weight"),
    )


class _Reader:
    """Reads an iterator ahead in a background thread; its errors are raised to whom reads."""

    def __init__(self, batches: Callable[[], Iterator[tuple]]):
        self._queue: queue.Queue = queue.Queue(maxsize=_BLOCK_BATCHES)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(batches,), daemon=True)
        self._thread.start()

    def _run(self, batches) -> None:
        try:
            for batch in batches():
                if not self._put(("batch", batch)):
                    return
            self._put(("end", None))
        except BaseException as error:  # everything has to reach the thread that trains
            self._put(("error", error))

    def _put(self, item) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def get(self, wait: bool) -> tuple | None:
        """The next `(kind, batch)`, or None where there is none yet and `wait` is False."""
        while True:
            try:
                kind, value = self._queue.get(timeout=0.1) if wait else self._queue.get_nowait()
            except queue.Empty:
                if not wait:
                    return None
                continue
            if kind == "error":
                raise value
            return kind, value

    def close(self) -> None:
        self._stop.set()


def _signature(batch: tuple):
    leaves, structure = jax.tree_util.tree_flatten(batch)
    return structure, tuple((np.shape(leaf), leaf.dtype) for leaf in leaves)


def _blocks(reader: _Reader) -> Iterator[Block]:
    """Batches of a stream grouped into blocks: as many as are there, of one shape."""
    pending = reader.get(wait=True)
    while pending is not None and pending[0] == "batch":
        first = pending[1]
        signature = _signature(first)
        size = sum(leaf.nbytes for leaf in jax.tree_util.tree_leaves(first))
        room = max(1, min(_BLOCK_BATCHES, _BLOCK_BYTES // max(size, 1)))
        batches = [first]
        pending = None
        while len(batches) < room:
            pending = reader.get(wait=False)
            if pending is None:
                break
            if pending[0] != "batch" or _signature(pending[1]) != signature:
                break
            batches.append(pending[1])
            pending = None
        yield _block(batches, room)
        if pending is None:
            pending = reader.get(wait=True)


def _block(batches: list, room: int) -> Block:
    count = len(batches)
    rows = data_arrays.row_count(*batches[0])
    # one batch or a full block: two shapes, so that the program is compiled at most twice
    capacity = 1 if count == 1 else room

    def stack(*parts):
        block = np.empty((capacity * rows, *parts[0].shape[1:]), parts[0].dtype)
        for i, part in enumerate(parts):
            block[i * rows : (i + 1) * rows] = part
        block[count * rows :] = 0
        return block

    data = jax.tree_util.tree_map(stack, *batches)
    return Block(jax.device_put(data), np.arange(capacity * rows, dtype=np.int32), count, rows)


def make_source(
    x,
    y=None,
    sample_weight=None,
    batch_size: int | None = None,
    shuffle: Any = False,
    class_weight: dict | None = None,
    steps: int | None = None,
) -> Source:
    """The source for what a user passes to `fit`, `evaluate` or `predict`.

    Args:
        x: arrays (or a nest of them), a generator, a sequence of batches with `__getitem__` and
            `__len__` (Keras' PyDataset), or any iterable of batches such as a torch DataLoader.
        y, sample_weight: arrays; they must be None where `x` yields them itself.
        batch_size: rows in a batch; 32 by default, or what `steps` batches of all rows need.
        shuffle: whether to draw a new order of rows for each epoch.
        class_weight: dict from class to the weight of its rows.
        steps: batches in an epoch, where the caller names it.
    """
    if isinstance(x, Source):
        return x
    stream = _stream(x, shuffle, class_weight)
    if stream is not None:
        if y is not None or sample_weight is not None:
            raise ValueError(
                f"x is a {type(x).__name__}, which yields labels and weights itself: "
                "y and sample_weight must not be given"
            )
        return stream
    x = data_arrays.standardize(x, "x")
    y = data_arrays.standardize(y, "y")
    sample_weight = data_arrays.standardize(sample_weight, "sample_weight")
    rows = data_arrays.row_count(x, y, sample_weight)
    if class_weight is not None:
        if y is None:
            raise ValueError("class_weight needs labels; y is None")
        if sample_weight is not None:
            raise ValueError("class_weight and sample_weight cannot both be given")
        sample_weight = data_arrays.class_weights_of(y, class_weight)
    if sample_weight is not None and not isinstance(sample_weight, (list, tuple, dict)):
        count = len(jax.tree_util.tree_leaves(y))
        if count > 1:
            sample_weight = jax.tree_util.tree_map(lambda _: sample_weight, y)
    if batch_size is None:
        batch_size = math.ceil(rows / steps) if steps else 32
    if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
        raise ValueError(f"batch_size={batch_size!r}: expected a positive integer")
    return ArraySource(x, y, sample_weight, int(batch_size), shuffle)


def is_stream(x: Any) -> bool:
    """Whether data yields batches itself: a generator, a PyDataset, a loader."""
    return _stream(x, False, None) is not None


def _stream(x, shuffle, class_weight) -> StreamSource | None:
    """The source for an object that yields batches itself, or None for arrays."""
    if x is None or isinstance(x, (list, tuple, dict, str)) or hasattr(x, "__array__"):
        return None
    if hasattr(x, "columns") or hasattr(x, "iloc"):
        return None
    if hasattr(x, "__getitem__") and hasattr(x, "__len__") and not hasattr(x, "batch_sampler"):
        return _sequence(x, shuffle, class_weight)
    if not isinstance(x, Iterable):
        return None
    if isinstance(x, Iterator):
        return StreamSource(lambda: x, None, False, class_weight=class_weight)
    try:
        steps = len(x)  # type: ignore[arg-type]
    except TypeError:
        steps = None
    return StreamSource(lambda: iter(x), steps, True, class_weight=class_weight)


def _sequence(x, shuffle, class_weight) -> StreamSource:
    steps = getattr(x, "num_batches", None) or len(x)

    def open_epoch() -> Iterator:
        getattr(x, "on_epoch_begin", lambda: None)()
        order = np.random.permutation(steps) if shuffle else range(steps)
        return (x[int(i)] for i in order)

    return StreamSource(
        open_epoch, steps, True, getattr(x, "on_epoch_end", None), class_weight=class_weight
    )
