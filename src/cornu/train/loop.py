"""The loops that run a program over a source: epochs, chunks, callbacks."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from cornu.callbacks.callback_list import CallbackList
from cornu.core.reporting import warn
from cornu.data.source import Block, Source
from cornu.train.program import Program

# A progress bar waits for one chunk: what a person still takes for at once. Where only Ctrl-C
# waits, a chunk may be longer: the memory that a chunk works in is got anew each time, which for a
# convolutional network takes as long as a fifth of a step.
WATCHED_CHUNK_SECONDS = 0.25
CHUNK_SECONDS = 0.5

_NOTHING: contextlib.AbstractContextManager = contextlib.nullcontext()


class Pacer:
    """How many batches the next chunk may have, from how long the last ones took."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def count(self, batch_size: int, remaining: int, watched: bool) -> int:
        """Batches for a chunk: one to begin with, then what fits the time measured."""
        seconds = self._seconds.get(batch_size)
        if seconds is None:
            return 1
        chunk = WATCHED_CHUNK_SECONDS if watched else CHUNK_SECONDS
        return max(1, min(remaining, round(chunk / max(seconds, 1e-7))))

    def knows(self, batch_size: int) -> bool:
        """Whether a chunk of this size of batches has been measured, and so compiled."""
        return batch_size in self._seconds

    def measured(self, batch_size: int, seconds: float, count: int) -> None:
        """Takes note of a chunk, the waiting for the compiler left out."""
        before = self._seconds.get(batch_size)
        step = seconds / count
        # the first measurement holds one call's overhead, which longer chunks share out
        self._seconds[batch_size] = step if before is None else 0.5 * (before + step)


class Feed:
    """The batches of each epoch: all of a source, or `steps` of an endless walk through it."""

    def __init__(self, source: Source, steps: int | None):
        self.source = source
        self.wanted = steps
        self.steps = steps if steps is not None else source.steps
        self.exhausted = False
        self._walk: Iterator[Block] | None = None
        self._left: tuple[Block, int] | None = None

    def restart(self) -> None:
        """Begins the next epoch at the first batch, where the source can be read again."""
        if self.source.endless:
            self._walk = self._left = None

    def epoch(self) -> Iterator[tuple[Block, int, int]]:
        """`(block, first batch, number of batches)`, until the epoch is over."""
        if self.wanted is None:
            for block in self.source.epoch():
                yield block, 0, block.count
            self.exhausted = not self.source.endless
            return
        needed = self.wanted
        restarted = False
        while needed:
            if self._left is None:
                if self._walk is None:
                    self._walk = self.source.epoch()
                following = next(self._walk, None)
                if following is None:
                    self._walk = None
                    if not self.source.endless or restarted:
                        self.exhausted = True
                        warn(
                            "the data ran out: it must yield at least steps_per_epoch * epochs "
                            f"batches; {needed} of {self.wanted} steps of this epoch are missing",
                        )
                        return
                    if needed < self.wanted:  # as in Keras, an epoch does not go round the end
                        return
                    restarted = True
                    continue
                restarted = False
                self._left = (following, 0)
            block, start = self._left
            count = min(needed, block.count - start)
            yield block, start, count
            needed -= count
            self._left = None if start + count == block.count else (block, start + count)


def run_epoch(
    kind: str,
    program: Program,
    feed: Feed,
    callbacks: CallbackList,
    pacer: Pacer,
    steps_per_execution: int,
    stopped: Callable[[], bool],
) -> dict[str, Any]:
    """One pass of training or evaluation; returns the logs at its end.

    Args:
        kind: "train" or "test".
        stopped: asked after each chunk whether a callback wants to stop.
    """
    each_batch = callbacks.needs_batches if kind == "train" else callbacks.needs_test_batches
    begin = callbacks.on_train_batch_begin if kind == "train" else callbacks.on_test_batch_begin
    end = callbacks.on_train_batch_end if kind == "train" else callbacks.on_test_batch_end
    chunk_end = callbacks.on_train_chunk_end if kind == "train" else callbacks.on_test_chunk_end
    watched = callbacks.watches_chunks(kind)
    values: dict[str, Any] | None = None
    step = 0
    executed = 0  # batches since a callback was last told, with batch hooks
    for block, first, available in feed.epoch():
        done = 0
        while done < available:
            if each_batch:
                count = min(steps_per_execution - executed, available - done)
                if executed == 0:
                    begin(step)
            else:
                count = pacer.count(block.batch_size, available - done, watched)
            before = time.perf_counter()
            with _compiling(kind, program, pacer, block, callbacks):
                logs = program.run(kind, block, first + done, count, reset=step == 0)
            values = logs.read()
            seconds = time.perf_counter() - before - program.waited
            pacer.measured(block.batch_size, seconds, count)
            done += count
            step += count
            if each_batch:
                executed += count
                if executed < steps_per_execution:  # goes on with the smaller last batch
                    continue
                executed = 0
            (end if each_batch else chunk_end)(step - 1, values)
            if stopped():
                return values
    if executed:
        end(step - 1, values)
    if values is None:
        raise ValueError("the data yields no batch")
    return values


def _compiling(
    kind: str, program: Program, pacer: Pacer, block: Block, callbacks: CallbackList
) -> contextlib.AbstractContextManager:
    """A block in which the progress bar says that the program is compiled, where it is."""
    if program.eager or pacer.knows(block.batch_size):
        return _NOTHING
    return callbacks.waiting(kind, "compiling")


def predict(
    program: Program,
    feed: Feed,
    callbacks: CallbackList,
    pacer: Pacer,
    steps_per_execution: int,
) -> Any:
    """The outputs for all batches of a feed, as NumPy arrays."""
    each_batch = callbacks.needs_predict_batches
    watched = callbacks.watches_chunks("predict")
    parts = []
    step = 0
    for block, first, available in feed.epoch():
        batches = block.order.shape[0] // block.batch_size
        outputs = None
        done = 0
        while done < available:
            if each_batch:
                count = min(steps_per_execution, available - done)
                callbacks.on_predict_batch_begin(step)
            else:
                count = pacer.count(block.batch_size, available - done, watched)
            before = time.perf_counter()
            with _compiling("predict", program, pacer, block, callbacks):
                outputs = program.predict(block, first + done, count, outputs)
            outputs = jax.block_until_ready(outputs)
            seconds = time.perf_counter() - before - program.waited
            pacer.measured(block.batch_size, seconds, count)
            start = first + done
            done += count
            step += count
            if each_batch:
                logs = {"outputs": _batches(outputs, batches, start, count)}
                callbacks.on_predict_batch_end(step - 1, logs)
            else:
                callbacks.on_predict_chunk_end(step - 1)
        parts.append(_batches(outputs, batches, first, available))
    if not parts:
        raise ValueError("the data yields no batch")
    if len(parts) == 1:
        return parts[0]
    return jax.tree_util.tree_map(lambda *arrays: np.concatenate(arrays), *parts)


def _batches(outputs: Any, batches: int, start: int, count: int) -> Any:
    """A copy of the outputs of some of a block's batches, as NumPy arrays."""

    def part(array):
        rows = array.shape[0] // batches
        return np.array(np.asarray(array)[start * rows : (start + count) * rows])

    return jax.tree_util.tree_map(part, outputs)
