"""Proof: what comparing two networks found, as an object and as text."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np

# What is compared, in order, and how far apart it may be, relative to the largest value, in float32
# and in float64. Rounding is multiplied on its way through the layers and back, and again by every
# step of training.
TOLERANCES = {
    "outputs": (1e-5, 1e-10),
    "layers": (1e-5, 1e-10),
    "loss": (1e-5, 1e-10),
    "gradients": (1e-4, 1e-9),
    "training losses": (1e-4, 1e-8),
    "trained weights": (1e-4, 1e-8),
    "trained outputs": (1e-4, 1e-8),
}
# Where float64 agrees, float32 that is off by up to so many times its tolerance is rounding.
_ROUNDING = 1000


@dataclasses.dataclass(frozen=True)
class Gap:
    """How far apart two arrays are.

    Attributes:
        absolute: the largest difference of two elements; infinite where the shapes differ or one
            array alone has values that are not finite.
        relative: that, divided by the largest value.

    >>> Gap.between(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    Gap(absolute=0.5, relative=0.2)
    """

    absolute: float = 0.0
    relative: float = 0.0

    @classmethod
    def between(cls, a: Any, b: Any, floor: float = 0.0) -> Gap:
        """The gap between two arrays, relative to their largest value or to `floor` if larger."""
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            return cls(math.inf, math.inf)
        if not a.size:
            return cls()
        a, b = a.astype("float64"), b.astype("float64")
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        if same.all():
            return cls()
        with np.errstate(invalid="ignore", over="ignore"):
            difference = np.where(same, 0.0, np.abs(a - b))
        absolute = float(difference.max())
        if not math.isfinite(absolute):
            return cls(math.inf, math.inf)
        largest = max(_largest(a), _largest(b), floor)
        return cls(absolute, absolute / largest)

    def __str__(self) -> str:
        if math.isinf(self.absolute):
            return "not comparable"
        return f"{self.relative:.1e} relative, {self.absolute:.1e} absolute"


def _largest(array: np.ndarray) -> float:
    finite = np.abs(array[np.isfinite(array)])
    return float(finite.max()) if finite.size else 0.0


@dataclasses.dataclass
class Mismatch:
    """Something in which the two networks differ.

    Attributes:
        kind: "weight", "attribute", "missing", "extra", "order", "shape", "computation", "loss",
            "gradient", "optimizer" or "statistics".
        layer: the name of the layer in the first network, or None (loss, optimizer).
        other: its name in the second network, or None.
        message: one sentence that says what differs.
        quantity: where the values were seen to part: one of the names of the parts, or None where
            these batches do not show it.
        dtype: the dtype in which `gap` was measured.
        gap: by how much.
    """

    kind: str
    layer: str | None
    other: str | None
    message: str
    quantity: str | None = None
    dtype: str | None = None
    gap: Gap | None = None

    def __str__(self) -> str:
        text = self.message
        if self.gap is not None and self.quantity is not None:
            text += f" ({self.quantity} in {self.dtype}: {self.gap})"
        elif self.quantity is None:
            text += " (these batches do not show it)"
        return text

    def to_dict(self) -> dict:
        """Plain data."""
        return _plain(dataclasses.asdict(self))


@dataclasses.dataclass
class Part:
    """One comparison: a quantity in a dtype.

    Attributes:
        quantity: "outputs", "layers", "loss", "gradients", "training losses", "trained weights" or
            "trained outputs".
        dtype: "float32" or "float64".
        compared: the number of arrays compared.
        gap: the largest relative difference, and the largest absolute one.
        where: the layer, or weight, of the largest relative difference.
        tolerance: the largest relative difference that counts as rounding.
        is_rounding: whether the difference exceeds the tolerance, and is rounding all the same: in
            float64 there is none.
    """

    quantity: str
    dtype: str
    compared: int = 0
    gap: Gap = Gap()
    where: str | None = None
    tolerance: float = 0.0
    is_rounding: bool = False

    @classmethod
    def of(cls, quantity: str, dtype: str) -> Part:
        """An empty one with the tolerance that its quantity has in a dtype."""
        return cls(quantity, dtype, tolerance=tolerance(quantity, dtype))

    def add(self, gap: Gap, where: str) -> bool:
        """Takes in the gap of one array; returns whether that is within the tolerance."""
        self.compared += 1
        if gap.relative > self.gap.relative or self.where is None:
            self.where = where
        self.gap = Gap(max(self.gap.absolute, gap.absolute), max(self.gap.relative, gap.relative))
        return gap.relative <= self.tolerance

    @property
    def within(self) -> bool:
        """Whether all differences are within the tolerance."""
        return self.gap.relative <= self.tolerance

    @property
    def same(self) -> bool:
        """Whether the two networks agree here, but for rounding."""
        return self.within or self.is_rounding

    @property
    def verdict(self) -> str:
        """The last column of the table."""
        return "same" if self.within else "rounding" if self.is_rounding else "DIFFERENT"

    def to_dict(self) -> dict:
        """Plain data."""
        return _plain({**dataclasses.asdict(self), "same": self.same})


def tolerance(quantity: str, dtype: str) -> float:
    """How far apart a quantity may be in a dtype, relative to the largest value."""
    return TOLERANCES[quantity][dtype == "float64"]


@dataclasses.dataclass(repr=False)
class Proof:
    """What a comparison of two networks found. It is true where they are the same network.

    Attributes:
        a, b: what the two networks are, in words.
        parts: one for each quantity and dtype compared.
        mismatches: in what they differ; the first is where they part first.
        notes: what was done to make them comparable, and what could not be compared.
        rows: of a batch.
        steps: of training that were compared; 0 where one of them cannot be trained.
        seconds: that the comparison took.
    """

    a: str
    b: str
    parts: list[Part] = dataclasses.field(default_factory=list)
    mismatches: list[Mismatch] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    rows: int = 0
    steps: int = 0
    seconds: float = 0.0

    @property
    def same(self) -> bool:
        """Whether the two are the same network."""
        return not self.mismatches and all(part.same for part in self.parts)

    @property
    def first(self) -> Mismatch | None:
        """Where they part first, or None."""
        return self.mismatches[0] if self.mismatches else None

    def __bool__(self) -> bool:
        return self.same

    def __repr__(self) -> str:
        return f"<Proof: {self._verdict()}>"

    def part(self, quantity: str, dtype: str) -> Part | None:
        """The comparison of a quantity in a dtype, or None where it was not made."""
        for part in self.parts:
            if (part.quantity, part.dtype) == (quantity, dtype):
                return part
        return None

    def mark_rounding(self) -> None:
        """Calls differences in float32 rounding where there is none in float64."""
        for part in self.parts:
            exact = self.part(part.quantity, "float64")
            if part.dtype == "float32" and exact is not None and not part.within:
                few = part.gap.relative <= _ROUNDING * part.tolerance
                # training may double it with every step: where exact numbers go the same way for
                # all the steps, and both ways are finite, nothing else can have parted them
                grown = "train" in part.quantity and math.isfinite(part.gap.relative)
                part.is_rounding = exact.within and (few or grown)

    # -- text --------------------------------------------------------------------------------------

    def _rows(self) -> list[tuple[str, ...]]:
        rows: list[tuple[str, ...]] = []
        for part in self.parts:
            relative, absolute = (
                "-" if math.isinf(number) else f"{number:.1e}" if number else "0"
                for number in (part.gap.relative, part.gap.absolute)
            )
            where = part.where or ""
            name = part.quantity
            if name.startswith("trained") or name == "training losses":
                name += f", {self.steps} steps"
            count = str(part.compared)
            allowed = f"{part.tolerance:.0e}"
            rows.append((name, part.dtype, count, relative, absolute, where, allowed, part.verdict))
        return rows

    _HEAD = ("compared", "dtype", "arrays", "relative", "absolute", "at", "allowed", "")

    def _verdict(self) -> str:
        if self.same:
            return f"{self.a} and {self.b} are the same network."
        if self.first is None:
            return f"{self.a} and {self.b} differ."
        return f"{self.a} and {self.b} differ: {self.first}."

    def _others(self) -> list[str]:
        return [str(one) for one in self.mismatches[1:]]

    def __str__(self) -> str:
        table = [self._HEAD, *self._rows()]
        widths = [max(len(row[i]) for row in table) for i in range(len(self._HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
        lines.insert(1, "  ".join("-" * width for width in widths))
        text = [self._verdict(), "", *(lines if self.parts else ()), ""]
        if self._others():
            text += ["Further differences:", *(f"- {one}" for one in self._others()), ""]
        text += [*(f"Note: {note}" for note in self.notes), self._measured()]
        return "\n".join(text)

    def _measured(self) -> str:
        batch = f"Measured with batches of {self.rows} rows in {self.seconds:.1f} s."
        return batch if self.parts else ""

    def print(self) -> None:
        """Prints it, in colour on a terminal."""
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        console = Console()
        if not console.is_terminal:
            print(self)
            return
        console.print(Text(self._verdict(), style="green" if self.same else "bold red"))
        table = Table(*self._HEAD, box=None, pad_edge=False)
        for row, part in zip(self._rows(), self.parts, strict=True):
            style = "green" if part.within else "yellow" if part.same else "bold red"
            table.add_row(*map(Text, row[:-1]), Text(row[-1], style=style))
        console.print(table)
        for one in self._others():
            console.print(Text(f"- {one}"))
        for note in self.notes:
            console.print(Text(f"Note: {note}", style="dim"))
        console.print(Text(self._measured(), style="dim"))

    def to_markdown(self) -> str:
        """The proof as a page of Markdown."""
        lines = ["# Proof", "", self._verdict(), ""]
        if self.parts:
            head = (*self._HEAD[:-1], "verdict")
            lines += ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
            lines += ["| " + " | ".join(row) + " |" for row in self._rows()]
            lines.append("")
        if self.mismatches:
            lines += ["## Differences", ""]
            lines += [f"{number}. {one}" for number, one in enumerate(self.mismatches, 1)] + [""]
        if self.notes:
            lines += ["## Notes", "", *(f"- {note}" for note in self.notes), ""]
        lines += [self._measured(), ""]
        return "\n".join(lines)

    def to_dict(self) -> dict:
        """Plain data, ready for JSON."""
        return {
            "same": self.same,
            "a": self.a,
            "b": self.b,
            "first": self.first.to_dict() if self.first else None,
            "parts": [part.to_dict() for part in self.parts],
            "mismatches": [one.to_dict() for one in self.mismatches],
            "notes": list(self.notes),
            "rows": self.rows,
            "steps": self.steps,
            "seconds": round(self.seconds, 3),
        }

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(self.to_dict(), indent=2)


def _plain(value: Any) -> Any:
    """JSON has no infinity."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
