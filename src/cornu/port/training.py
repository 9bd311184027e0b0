"""How a network is trained, in no framework's classes; named as Keras names it."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass
class Loss:
    """A loss.

    Attributes:
        kind: Keras' name in snake case: "sparse_categorical_crossentropy", "mean_squared_error".
        settings: those of Keras' class, each written out: from_logits, label_smoothing, delta,
            reduction ("sum_over_batch_size", "sum", "mean"), class_weight (a list by class), ...
        weight: what it is multiplied by.
    """

    kind: str
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    weight: float = 1.0


@dataclasses.dataclass
class Schedule:
    """A learning rate that changes.

    Attributes:
        kind: Keras' class: "ExponentialDecay", "CosineDecay", "PiecewiseConstantDecay", ...
        settings: its arguments, each written out; counted in optimizer steps.
    """

    kind: str
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Optimizer:
    """An optimizer.

    Attributes:
        kind: Keras' class: "SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax",
            "Nadam", ...
        settings: its arguments by Keras' names, every one that matters written out, so that no
            framework's default is ever relied on; `learning_rate` is a number or a `Schedule`.
            Three settings that Keras' classes lack, and that PyTorch's have: `l2` (added to each
            gradient: PyTorch's weight_decay for all but AdamW), `dampening`, and `epsilon_inside`
            (where epsilon stands inside the square root).
    """

    kind: str
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Training:
    """How a network is trained.

    Attributes:
        losses: one for each output, None for an output without.
        optimizer: how the weights are moved.
        metrics: Keras' names: "accuracy".
        batch_size, epochs: where they are known.
    """

    losses: list[Loss | None] = dataclasses.field(default_factory=list)
    optimizer: Optimizer | None = None
    metrics: list[str] = dataclasses.field(default_factory=list)
    batch_size: int | None = None
    epochs: int | None = None

    def copy(self) -> Training:
        """A copy with losses of its own."""
        losses = [
            None if loss is None else dataclasses.replace(loss, settings=dict(loss.settings))
            for loss in self.losses
        ]
        return dataclasses.replace(self, losses=losses)
