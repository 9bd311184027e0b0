"""`keras.preprocessing.sequence`: windows of time series, pairs of words, sequences of one length.

Source of the behaviour: `keras.preprocessing.sequence` of Keras 2.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.utils import PyDataset, pad_sequences

__all__ = ["TimeseriesGenerator", "make_sampling_table", "pad_sequences", "skipgrams"]


class TimeseriesGenerator(PyDataset):
    """Batches of windows of a series, each with the target that comes right after it.

    Args:
        data: (steps, ...), a list or an array.
        targets: (steps, ...), as long as `data`.
        length: steps that a window reaches back.
        sampling_rate: distance between the steps within a window. Default 1.
        stride: distance between windows. Default 1.
        start_index, end_index: the first and the last step that are used. Default all of them.
        shuffle: whether windows are drawn at random. Default False.
        reverse: whether each window runs backwards. Default False.
        batch_size: windows in a batch. Default 128.

    Raises ValueError where the targets are not as many as the data, or no window fits.

    >>> x, y = TimeseriesGenerator(np.arange(6), np.arange(6), length=3, batch_size=2)[0]
    >>> x.tolist(), y.tolist()
    ([[0, 1, 2], [1, 2, 3]], [3, 4])
    """

    def __init__(
        self,
        data: Any,
        targets: Any,
        length: int,
        sampling_rate: int = 1,
        stride: int = 1,
        start_index: int = 0,
        end_index: int | None = None,
        shuffle: bool = False,
        reverse: bool = False,
        batch_size: int = 128,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if len(data) != len(targets):
            raise ValueError(
                f"TimeseriesGenerator: {len(data)} steps of data, {len(targets)} targets"
            )
        self.data, self.targets = data, targets
        self.length, self.sampling_rate, self.stride = length, sampling_rate, stride
        # of the first target
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle, self.reverse, self.batch_size = shuffle, reverse, batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"TimeseriesGenerator(length={length}, start_index={start_index}, "
                f"end_index={self.end_index}): no window is that long"
            )

    def __len__(self) -> int:
        steps = self.end_index - self.start_index + 1
        return math.ceil(steps / (self.batch_size * self.stride))

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        if self.shuffle:
            ends = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            last = min(first + self.batch_size * self.stride, self.end_index + 1)
            ends = np.arange(first, last, self.stride)
        windows = np.array([self.data[e - self.length : e : self.sampling_rate] for e in ends])
        targets = np.array([self.targets[end] for end in ends])
        return (windows[:, ::-1] if self.reverse else windows), targets


def make_sampling_table(size: int, sampling_factor: float = 1e-5) -> np.ndarray:
    """How likely each word is to be kept, by its rank in frequency, as word2vec has it.

    Args:
        size: number of words.
        sampling_factor: of word2vec's formula. Default 1e-5.

    Source: Mikolov et al., 2013, section 2.3; frequencies by Zipf's law.

    >>> make_sampling_table(3).shape
    (3,)
    """
    rank = np.maximum(np.arange(size), 1)
    # 0.577 is Euler's constant: rank * (ln(rank) + gamma) + 1/2 - 1/(12 rank), one over frequency
    inverse = rank * (np.log(rank) + 0.577) + 0.5 - 1 / (12.0 * rank)
    scaled = sampling_factor * inverse
    return np.minimum(1.0, scaled / np.sqrt(scaled))


def skipgrams(
    sequence: Sequence[int],
    vocabulary_size: int,
    window_size: int = 4,
    negative_samples: float = 1.0,
    shuffle: bool = True,
    categorical: bool = False,
    sampling_table: Any = None,
    seed: int | None = None,
) -> tuple[list, list]:
    """Pairs of words that stand near each other, labelled 1, and pairs at random, labelled 0.

    Args:
        sequence: numbers of words; 0 is no word.
        vocabulary_size: the largest number plus one.
        window_size: how far apart they may stand. Default 4.
        negative_samples: pairs at random, as a share of the others. Default 1.
        shuffle: whether to return them in another order. Default True.
        categorical: whether labels are [1, 0] and [0, 1]. Default False.
        sampling_table: how likely each word is to be kept, or `None`.
        seed: of the shuffling.

    Returns:
        The pairs and the labels.

    >>> skipgrams([1, 2], 3, negative_samples=0, shuffle=False)
    ([[1, 2], [2, 1]], [1, 1])
    """
    yes, no = ([0, 1], [1, 0]) if categorical else (1, 0)
    pairs = []
    for place, word in enumerate(sequence):
        if not word or (sampling_table is not None and sampling_table[word] < random.random()):
            continue
        near = range(max(0, place - window_size), min(len(sequence), place + window_size + 1))
        pairs += [[word, sequence[other]] for other in near if other != place and sequence[other]]
    labels: list = [yes] * len(pairs)
    count = int(len(pairs) * negative_samples)
    if count:
        words = [pair[0] for pair in pairs]
        random.shuffle(words)
        pairs += [
            [words[i % len(words)], random.randint(1, vocabulary_size - 1)] for i in range(count)
        ]
        labels += [no] * count
    if shuffle:
        order = list(range(len(pairs)))
        (random.Random(seed) if seed is not None else random).shuffle(order)
        pairs, labels = [pairs[i] for i in order], [labels[i] for i in order]
    return pairs, labels
