"""Validation data that is not what the network is trained on: C517."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cornu.check.facts import Facts
from cornu.check.rule import Finding, rule
from cornu.check.statistics import ArrayFacts

# Between data of one kind, drawn at random, scales agree far better than this; between pixels from
# 0 to 255 and from 0 to 1 there are 255.
_FACTOR = 20.0
# Of fewer rows nothing is said: a few may lie anywhere.
_FEWEST_ROWS = 10


@rule(
    "C517",
    "validation-scaled-otherwise",
    "error",
    "the network is measured on inputs of another size than it has learnt from, so val_loss and "
    "val_accuracy say nothing",
)
def validation_scaled_otherwise(facts: Facts) -> Iterator[Finding]:
    """The validation data is scaled in another way than the training data, or not at all.

    ## What it does
    Compares the size (root mean square) of each feature in training and validation inputs. It is
    told where the features differ by a factor of 20 or more in the median.

    ## Why it hurts
    A network that was trained on pixels from 0 to 1 answers pixels from 0 to 255 with saturated
    outputs: validation seems to fail while training goes well, and early stopping and
    checkpoints that go by it choose badly.

    ## Example
        x_train = x_train / 255
        model.fit(x_train, y_train, validation_data=(x_test, y_test))

    ## Fix
        x_train, x_test = x_train / 255, x_test / 255
        model.fit(x_train, y_train, validation_data=(x_test, y_test))
    """
    for trained, validated in zip(facts.inputs, facts.validation_inputs, strict=False):
        factor = _factor(trained, validated)
        if factor is None or 1 / _FACTOR < factor < _FACTOR:
            continue
        larger, times = ("larger", factor) if factor > 1 else ("smaller", 1 / factor)
        yield Finding(
            message=(
                f"the validation inputs are {times:.3g} times {larger} than the training inputs: "
                f"{_range(validated)} against {_range(trained)}"
            ),
            fix="scale both in the same way, with the training data's statistics",
            layer=trained.name,
            place=facts.training.place,
        )


def _factor(trained: ArrayFacts, validated: ArrayFacts) -> float | None:
    """How many times larger the validation inputs are in most features; None if unknown."""
    if trained.shape != validated.shape or min(trained.rows, validated.rows) < _FEWEST_ROWS:
        return None
    if not (trained.is_numeric and validated.is_numeric):
        return None
    if not (trained.finite.size and validated.finite.size):
        return None
    sizes = [
        np.sqrt(np.mean(np.square(one.sample.reshape(len(one.sample), -1)), axis=0))
        for one in (trained, validated)
    ]
    both = (sizes[0] > 0) & (sizes[1] > 0) & np.isfinite(sizes[0]) & np.isfinite(sizes[1])
    if not both.any():
        return None
    # the median feature: one wild column is another matter
    return float(np.median(sizes[1][both] / sizes[0][both]))


def _range(array: ArrayFacts) -> str:
    return f"{array.low:.4g} to {array.high:.4g}"
