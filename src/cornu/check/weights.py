"""Kernels now and some epochs before: how much each layer has moved."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Look:
    """Copies of kernels at one moment, by the names of their layers, units on the last axis."""

    kernels: dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class Change:
    """What became of a kernel between two looks.

    Attributes:
        moved: the length of the change, as a share of the kernel's own before.
        grew: how many times longer the kernel is.
        still: the share of units none of whose weights changed at all.
        size: the root mean square of the kernel now.
    """

    moved: float
    grew: float
    still: float
    size: float


def compare(before: Look, after: Look) -> dict[str, Change]:
    """The changes of the kernels that are in both looks, in the order of the later one.

    >>> old, new = np.ones((2, 2)), np.array([[1.0, 2.0], [1.0, 2.0]])
    >>> change = compare(Look({"dense": old}), Look({"dense": new}))["dense"]
    >>> round(change.moved, 2), change.still
    (0.71, 0.5)
    """
    found = {}
    for name, new in after.kernels.items():
        old = before.kernels.get(name)
        if old is None or old.shape != new.shape or not new.size:
            continue
        difference = new - old
        length = float(np.linalg.norm(old.ravel()))
        now = float(np.linalg.norm(new.ravel()))
        if not length or not np.isfinite(now):
            continue
        columns = difference.reshape(-1, difference.shape[-1])
        found[name] = Change(
            moved=float(np.linalg.norm(difference.ravel())) / length,
            grew=now / length,
            still=float(np.mean(~columns.any(axis=0))),
            size=now / float(np.sqrt(new.size)),
        )
    return found
