"""Whether runs from the same start lie on each other, and where they part if they do not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

# How far losses may be apart: in float64 over the whole run, in float32 over the first epoch.
TOLERANCES = {"float64": 1e-8, "float32": 1e-4}
# What rounding alone makes of a loss within a step or two.
_ROUNDING = {"float64": 1e-12, "float32": 3e-6}
# Rounding grows by a small factor from step to step; a real difference is there at once.
_SUDDEN = 100.0
# The floor of a relative difference, as a share of the first loss: where a loss has fallen far
# below, the rounding of what it is the sum of is larger than a part of itself.
_FLOOR = 0.01


@dataclasses.dataclass
class Run:
    """What was noted of one run.

    Attributes:
        losses: of each step `(steps,)`.
        prints: sum and norm of each weight before each step, and after the last one
            `(steps + 1, 2 * weights)`.
        sizes: the number of elements of each weight.
    """

    losses: np.ndarray
    prints: np.ndarray
    sizes: list[int]


@dataclasses.dataclass
class Verdict:
    """What comparing two runs came to.

    Attributes:
        kind: "same", "rounding" (they part, slowly and everywhere at once) or "different".
        largest: the largest relative difference of a loss within the range that is judged: in
            float32 the first epoch.
        step: the step, from 1, where they part; None where they do not.
        epoch: its epoch, from 1.
        place: "the loss", "the layer 'dense'", "every layer"; None where they do not part or that
            is rounding.
        cause: in words, where it is known.
        text: all of it in one sentence.
    """

    kind: str
    largest: float
    step: int | None = None
    epoch: int | None = None
    place: str | None = None
    cause: str | None = None
    text: str = ""

    @property
    def same(self) -> bool:
        """Whether nothing but rounding is between them."""
        return self.kind != "different"

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"same": self.same, **dataclasses.asdict(self)}


def differences_of(losses: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """The relative difference of each step's loss; infinite where only one is a number.

    >>> differences_of(np.array([1.0, 0.5]), np.array([1.0, 0.4])).round(3)
    array([0. , 0.2])
    """
    steps = min(len(losses), len(reference))
    a, b = losses[:steps], reference[:steps]
    finite = np.isfinite(a) & np.isfinite(b)
    first = np.abs(reference[:1][np.isfinite(reference[:1])])
    floor = _FLOOR * float(first[0]) if first.size else 0.0
    scale = np.maximum(np.maximum(np.abs(a), np.abs(b)), max(floor, np.finfo("float64").tiny))
    with np.errstate(invalid="ignore"):
        found = np.abs(a - b) / scale
    neither = ~np.isfinite(a) & ~np.isfinite(b)
    return np.where(finite, found, np.where(neither, 0.0, np.inf))


def judge(
    run: Run,
    reference: Run,
    names: list[tuple[str, str]],
    dtype: str,
    steps_per_epoch: int,
    agrees_in_float64: bool | None = None,
) -> Verdict:
    """Compares a run with the reference.

    Args:
        run, reference: two runs from the same start.
        names: layer and name of each weight, in the order of the fingerprints.
        dtype: what both were computed in.
        steps_per_epoch: how many steps an epoch has.
        agrees_in_float64: what the comparison in float64 came to, which settles whether a
            difference in float32 is rounding; None where there was none.

    Returns:
        The verdict, without the cause.
    """
    differences = differences_of(run.losses, reference.losses)
    judged = differences if dtype == "float64" else differences[:steps_per_epoch]
    largest = float(judged.max(initial=0.0))
    tolerance = TOLERANCES[dtype]
    over = np.flatnonzero(differences > tolerance)
    start = _parted_weights(run, reference, 0, dtype)
    if start:
        place = _layers([names[i][0] for i in start], len(names))
        verdict = Verdict(
            "different", largest, 1, 1, place, "they do not start at the same weights"
        )
        verdict.text = f"They do not start alike: the weights of {place} differ."
        return verdict
    sudden = _sudden(differences, dtype)
    if not over.size and (sudden is None or dtype == "float32"):
        text = (
            f"They lie on each other: no step's loss differs by more than {largest:.1e} of itself."
        )
        return Verdict("same", largest, text=text)
    if agrees_in_float64 or (agrees_in_float64 is None and sudden is None):
        step = int(over[0]) + 1
        if agrees_in_float64 or _grows(run, reference, differences, step, dtype):
            epoch = (step - 1) // steps_per_epoch + 1
            why = (
                "in float64 they lie on each other"
                if agrees_in_float64
                else "the difference is multiplied from step to step, in all layers at once"
            )
            text = (
                f"They part by rounding: {why}. The difference exceeds {tolerance:.0e} in epoch "
                f"{epoch} (step {step})."
            )
            return Verdict("rounding", largest, step, epoch, text=text)
        if sudden is None:  # it came slowly, but not as rounding does
            sudden = int(np.flatnonzero(differences > _ROUNDING[dtype])[0])
    step = (sudden if sudden is not None else int(over[0])) + 1
    epoch = (step - 1) // steps_per_epoch + 1
    place = "the loss"
    if step > 1:
        parted = _parted_weights(run, reference, step - 1, dtype)
        if parted is None:
            place = "a layer that is unknown, because their weights cannot be paired"
        elif parted:
            place = _layers([names[i][0] for i in parted], len(names))
    size = differences[step - 1]
    how = "only one of them is a number" if np.isinf(size) else f"the loss by {size:.1e} of itself"
    text = f"They part at step {step}, at {place}: {how}."
    return Verdict("different", largest, step, epoch, place, text=text)


def _sudden(differences: np.ndarray, dtype: str) -> int | None:
    """The first step whose difference cannot have grown out of those before it."""
    rounding = _ROUNDING[dtype]
    before = np.maximum.accumulate(np.concatenate([[0.0], differences[:-1]]))
    jumps = (differences > rounding) & (differences > _SUDDEN * np.maximum(before, rounding / 100))
    found = np.flatnonzero(jumps)
    return int(found[0]) if found.size else None


def _grows(run: Run, reference: Run, differences: np.ndarray, step: int, dtype: str) -> bool:
    """Whether a difference became what it is before a step as rounding does.

    Rounding is multiplied: by half way it is far below the half. It is everywhere: where nearly
    all weights can be compared, nearly all of them differ. What drifts, adds up.
    """
    parted = _parted_weights(run, reference, step - 1, dtype)
    if parted is not None and len(parted) < 0.75 * len(run.sizes):
        return False
    half = float(differences[: max(1, step // 2)].max())
    return half < 0.1 * float(differences[step - 1])


def _parted_weights(run: Run, reference: Run, step: int, dtype: str) -> list[int] | None:
    """Which weights differ before a step, by sum or norm; None where they cannot be paired."""
    if run.sizes != reference.sizes or step >= min(len(run.prints), len(reference.prints)):
        return None
    a, b = run.prints[step].reshape(-1, 2), reference.prints[step].reshape(-1, 2)
    norms = np.maximum(a[:, 1], b[:, 1])
    # a sum of n numbers of this norm is at most norm * sqrt(n)
    scales = np.stack([norms * np.sqrt(reference.sizes), norms], axis=1)
    gaps = np.abs(a - b) / np.maximum(scales, np.finfo("float64").tiny)
    return [int(i) for i in np.flatnonzero((gaps > _ROUNDING[dtype]).any(axis=1))]


def _layers(names: list[str], count: int) -> str:
    """The layers of some weights, in words."""
    own = list(dict.fromkeys(names))
    if len(names) == count and len(own) > 1:
        return "every layer"
    if len(own) == 1:
        return f"the layer {own[0]!r}"
    shown = ", ".join(repr(name) for name in own[:4])
    return f"the layers {shown}" + (" and more" if len(own) > 4 else "")
