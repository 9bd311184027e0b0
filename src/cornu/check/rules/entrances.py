"""Where data enters the network, and what it looks like there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cornu.check.facts import (
    POOLING,
    TRANSPARENT,
    Facts,
    Operation,
)
from cornu.check.statistics import ArrayFacts

# Operations that give on values of about the size that they get.
_PASSING = TRANSPARENT | POOLING | {"Masking", "GaussianNoise", "getitem", "concatenate", "cat"}
_PASSING |= {"Concatenate", "ZeroPadding1D", "ZeroPadding2D", "Cropping2D", "Cropping1D"}
_PASSING |= {"concat", "pad", "RepeatVector", "view", "unsqueeze", "permute"}
_TEXT_TOOLS = ("pad_sequences", "texts_to_sequences", "imdb.load_data", "reuters.load_data")


def entrances(facts: Facts) -> Iterator[tuple[Operation, ArrayFacts]]:
    """Each input of the network with the data that goes into it."""
    inputs = list(facts.of_kind("Input"))
    if len(inputs) == len(facts.inputs):
        yield from zip(inputs, facts.inputs, strict=True)


def reached(operation: Operation) -> list[Operation]:
    """The first operations that change the size of an input's values, or learn from them."""
    found: list[Operation] = []
    waiting, seen = list(operation.consumers), set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        if current.kind in _PASSING or current.kind.startswith("Random"):
            waiting += current.consumers
        else:
            found.append(current)
    return found


def is_token_ids(x: ArrayFacts, facts: Facts) -> bool:
    """Whether rows are numbers of words: whole, filled up with 0 at one end, or so by the text."""
    sample = x.sample
    if sample.ndim == 3 and sample.shape[-1] == 1:
        sample = sample[..., 0]
    if sample.ndim != 2 or sample.shape[1] < 5 or len(sample) < 8:
        return False
    if not x.is_integer or x.low < 0 or x.high < 50:
        return False
    text = facts.source.text if facts.source is not None else ""
    if any(tool in text for tool in _TEXT_TOOLS) and "to_matrix" not in text:
        return True
    zero = sample == 0
    # no word has the number 0 in most tokenizers: it only fills up, before or behind
    steps = np.abs(np.diff(zero.astype("int8"), axis=1)).sum(axis=1)
    padded = zero[:, 0] != zero[:, -1]
    return bool(padded.mean() > 0.3 and (steps <= 1).mean() > 0.95 and x.high > 255)
