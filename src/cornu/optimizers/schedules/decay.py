"""Schedules that fall by a power, a polynomial, the inverse of time, or in given steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cornu.optimizers.schedules.schedule import (
    LearningRateSchedule,
    float_step,
    given_step,
    positive,
    whole_periods,
)
from cornu.optimizers.values import scalar


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`.

    Args:
        initial_learning_rate: the learning rate at step 0.
        decay_steps: number of steps, above 0, in which it is multiplied by `decay_rate` once.
        decay_rate: the factor.
        staircase: whether `step / decay_steps` is rounded down, so that it falls in jumps. False
            by default.
        name: "ExponentialDecay" by default.

    Returns:
        (on call) the learning rate, a scalar (float32, or float64 where floatx is).

    Raises:
        ValueError: `decay_steps` is not above 0.

    >>> schedule = ExponentialDecay(0.1, decay_steps=10, decay_rate=0.5)
    >>> round(float(schedule(20)), 6)
    0.025
    """

    public_module = "optimizers.schedules"

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        """The learning rate at `step`."""
        if self.staircase:
            exponent = whole_periods(step, self.decay_steps)
        else:
            exponent = float_step(step)[1] / scalar(self.decay_steps)
        return scalar(self.initial_learning_rate) * scalar(self.decay_rate) ** exponent

    def get_config(self) -> dict:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`.

    Args:
        initial_learning_rate: the learning rate at step 0.
        decay_steps: number of steps, above 0, that count as one unit of time.
        decay_rate: how fast it falls.
        staircase: whether `step / decay_steps` is rounded down, so that it falls in jumps. False
            by default.
        name: "InverseTimeDecay" by default.

    Returns:
        (on call) the learning rate, a scalar (float32, or float64 where floatx is).

    Raises:
        ValueError: `decay_steps` is not above 0.

    >>> schedule = InverseTimeDecay(0.1, decay_steps=10, decay_rate=1.0)
    >>> round(float(schedule(10)), 6)
    0.05
    """

    public_module = "optimizers.schedules"

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        """The learning rate at `step`."""
        if self.staircase:
            time = whole_periods(step, self.decay_steps)
        else:
            time = float_step(step)[1] / scalar(self.decay_steps)
        denominator = scalar(1) + scalar(self.decay_rate) * time
        return scalar(self.initial_learning_rate) / denominator

    def get_config(self) -> dict:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "staircase": self.staircase,
            "name": self.name,
        }


class PolynomialDecay(LearningRateSchedule):
    """From one learning rate to another, along `(1 - step / decay_steps) ** power`.

    `(initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ** power +
    end_learning_rate`, where `step` stops at `decay_steps`.

    Args:
        initial_learning_rate: the learning rate at step 0.
        decay_steps: number of steps, above 0, until the end is reached.
        end_learning_rate: the learning rate from there on. 0.0001 by default.
        power: 1.0 (a straight line) by default.
        cycle: whether it begins anew beyond `decay_steps`, with the first multiple of `decay_steps`
            that is not below `step` in place of `decay_steps`. False by default.
        name: "PolynomialDecay" by default.

    Returns:
        (on call) the learning rate, a scalar (float32, or float64 where floatx is).

    Raises:
        ValueError: `decay_steps` is not above 0.

    >>> schedule = PolynomialDecay(0.1, decay_steps=10, end_learning_rate=0.0)
    >>> round(float(schedule(5)), 6)
    0.05
    """

    public_module = "optimizers.schedules"

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        """The learning rate at `step`."""
        given = step
        module, step = float_step(step)
        steps = scalar(self.decay_steps)
        if self.cycle:
            # rounded up; at step 0 the first multiple is decay_steps itself, not 0
            periods = whole_periods(given, self.decay_steps)
            periods = periods + (periods * steps < step)
            steps = steps * module.maximum(periods, scalar(1))
        else:
            step = module.minimum(step, steps)
        end = scalar(self.end_learning_rate)
        # not 1 - step / steps: compiled, that can fall below 0 at the end, where powers are NaN
        left = ((steps - step) / steps) ** scalar(self.power)
        return (scalar(self.initial_learning_rate) - end) * left + end

    def get_config(self) -> dict:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "end_learning_rate": self.end_learning_rate,
            "power": self.power,
            "cycle": self.cycle,
            "name": self.name,
        }


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[0]` up to and including step `boundaries[0]`, then `values[1]`, and so on.

    Args:
        boundaries: steps, increasing.
        values: learning rates, one more than `boundaries`.
        name: "PiecewiseConstant" by default.

    Returns:
        (on call) the learning rate, a scalar (float32, or float64 where floatx is).

    Raises:
        ValueError: the lengths do not fit, or `boundaries` do not increase.

    >>> schedule = PiecewiseConstantDecay([10, 20], [0.5, 0.25, 0.125])
    >>> [float(schedule(step)) for step in (10, 11, 21)]
    [0.5, 0.25, 0.125]
    """

    public_module = "optimizers.schedules"

    def __init__(
        self,
        boundaries: Sequence[float],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ):
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                f"PiecewiseConstantDecay: {len(boundaries)} boundaries need {len(boundaries) + 1} "
                f"values, received boundaries={boundaries}, values={values}"
            )
        if list(boundaries) != sorted(boundaries):
            raise ValueError(
                f"PiecewiseConstantDecay(boundaries={boundaries}): boundaries must increase"
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        """The learning rate at `step`."""
        # compared as it came: float32 cannot tell steps above 2**24 apart
        module, step = given_step(step)
        rate: Any = scalar(self.values[0])
        for boundary, value in zip(self.boundaries, self.values[1:], strict=True):
            rate = module.where(step > boundary, scalar(value), rate)
        return rate[()]

    def get_config(self) -> dict:
        """The arguments that make an equal schedule."""
        return {"boundaries": self.boundaries, "values": self.values, "name": self.name}
