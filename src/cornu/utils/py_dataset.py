"""PyDataset: batches by their number, for data that does not fit in memory."""

from __future__ import annotations

from typing import Any


class PyDataset:
    """A sequence of batches; `fit` reads it ahead in a background thread.

    Subclasses define `__getitem__(index)`, which returns a batch `(x, y)` or
    `(x, y, sample_weight)`, and `__len__`, the number of batches. `on_epoch_begin` and
    `on_epoch_end` are called around each pass.

    Args:
        workers, use_multiprocessing, max_queue_size: kept as in Keras; one thread reads ahead.

    >>> class Squares(PyDataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return [[index]], [[index**2]]
    >>> Squares()[2]
    ([[2]], [[4]])
    """

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """The batch of that number, from 0."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index)")

    def __len__(self) -> int:
        """The number of batches."""
        raise NotImplementedError(f"{type(self).__name__} must define __len__(self)")

    @property
    def num_batches(self) -> int | None:
        """The number of batches in a pass; None for a set without an end."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before each pass."""

    def on_epoch_end(self) -> None:
        """Called after each pass."""
