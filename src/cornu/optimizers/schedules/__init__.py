"""Learning rates that change with the training step."""

from cornu.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from cornu.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from cornu.optimizers.schedules.schedule import LearningRateSchedule, deserialize, serialize

__all__ = [
    "LearningRateSchedule",
    "ExponentialDecay",
    "InverseTimeDecay",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "CosineDecay",
    "CosineDecayRestarts",
    "serialize",
    "deserialize",
]
