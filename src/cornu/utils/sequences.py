"""Sequences of different lengths as one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def pad_sequences(
    sequences: Sequence[Any],
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray:
    """Makes sequences equally long: short ones are filled up, long ones are cut.

    Args:
        sequences: list of sequences, each (steps, ...): numbers, or vectors of one shape.
        maxlen: steps of the result. Default `None`: those of the longest sequence.
        dtype: of the result. Default "int32", which cuts floats to integers; `object` for strings.
        padding: whether to fill "pre", before the sequence (default), or "post", after it.
        truncating: whether to cut "pre", at the beginning (default), or "post", at the end.
        value: what to fill with. Default 0.

    Returns:
        A NumPy array (sequences, maxlen, ...).

    Raises:
        ValueError: something that is no list of sequences; steps of different shapes; a string to
            fill numbers with; another word than "pre" and "post".

    Source: `keras.utils.pad_sequences`.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
    array([[0, 1],
           [2, 3],
           [5, 6]], dtype=int32)
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"pad_sequences({name}={side!r}): expected 'pre' or 'post'")
    if not hasattr(sequences, "__len__"):
        raise ValueError(
            f"pad_sequences: expected a list of sequences, received a {type(sequences).__name__}"
        )
    for place, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__"):
            raise ValueError(
                f"pad_sequences: expected a list of sequences; number {place} is {sequence!r}"
            )
    if maxlen is None:
        maxlen = max((len(sequence) for sequence in sequences), default=0)
    takes_text = dtype is object or np.issubdtype(dtype, np.character)
    if isinstance(value, str) and not takes_text:
        raise ValueError(
            f"pad_sequences(value={value!r}, dtype={dtype!r}): numbers cannot be filled up with "
            "text; pass dtype=object"
        )
    shape = next((np.asarray(one).shape[1:] for one in sequences if len(one)), ())
    padded = np.full((len(sequences), maxlen, *shape), value, dtype=dtype)
    for row, sequence in enumerate(sequences):
        if not len(sequence):
            continue
        # not sequence[-maxlen:], which is all of it where maxlen is 0
        start = max(0, len(sequence) - maxlen) if truncating == "pre" else 0
        kept = np.asarray(sequence[start : start + maxlen], dtype=dtype)
        if len(kept) and kept.shape[1:] != shape:
            raise ValueError(
                f"pad_sequences: the steps of sequence {row} have shape {kept.shape[1:]}, those of "
                f"the first one {shape}"
            )
        start = maxlen - len(kept) if padding == "pre" else 0
        padded[row, start : start + len(kept)] = kept
    return padded
