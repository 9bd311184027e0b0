"""Schedules that fall along half a cosine, with warmup or with restarts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cornu.optimizers.schedules.schedule import (
    LearningRateSchedule,
    float_step,
    positive,
    whole_periods,
)
from cornu.optimizers.values import scalar


class CosineDecay(LearningRateSchedule):
    """Half a cosine from the initial learning rate down to `alpha` of it, after an optional warmup.

    Without warmup, `initial_learning_rate * ((1 - alpha) * 0.5 * (1 + cos(pi * step / decay_steps))
    + alpha)`, where `step` stops at `decay_steps`. With one, a straight line from
    `initial_learning_rate` to `warmup_target` for `warmup_steps`, then the cosine from there.

    Source: Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017),
    arXiv:1608.03983; warmup: Goyal et al., "Accurate, Large Minibatch SGD" (2017),
    arXiv:1706.02677.

    Args:
        initial_learning_rate: the learning rate at step 0.
        decay_steps: number of steps, above 0, that the cosine takes.
        alpha: the final learning rate, as a fraction of the one that the cosine starts from. 0.0 by
            default.
        name: "CosineDecay" by default.
        warmup_target: the learning rate at the end of the warmup; None (no warmup) by default.
        warmup_steps: number of steps of the warmup. 0 by default.

    Returns:
        (on call) the learning rate, a scalar (float32, or float64 where floatx is).

    Raises:
        ValueError: `decay_steps` is not above 0.

    >>> schedule = CosineDecay(0.0, decay_steps=100, warmup_target=0.1, warmup_steps=10)
    >>> [round(float(schedule(step)), 6) for step in (5, 10, 60, 110)]
    [0.05, 0.1, 0.05, 0.0]
    """

    public_module = "optimizers.schedules"

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ):
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive(self, "decay_steps", decay_steps)
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step: Any) -> Any:
        """The learning rate at `step`."""
        module, step = float_step(step)
        initial = scalar(self.initial_learning_rate)
        steps = scalar(self.decay_steps)
        if self.warmup_target is None:
            return self._decayed(module, module.minimum(step, steps) / steps, initial)
        target, warmup = scalar(self.warmup_target), scalar(self.warmup_steps)
        decayed = self._decayed(module, module.minimum(step - warmup, steps) / steps, target)
        if self.warmup_steps <= 0:
            return decayed
        warming = (target - initial) * (step / warmup) + initial
        return module.where(step < warmup, warming, decayed)[()]

    def _decayed(self, module, fraction, start):
        return start * decayed_fraction(module, fraction, scalar(1), self.alpha)

    def get_config(self) -> dict:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "decay_steps": self.decay_steps,
            "alpha": self.alpha,
            "name": self.name,
            "warmup_target": self.warmup_target,
            "warmup_steps": self.warmup_steps,
        }


class CosineDecayRestarts(LearningRateSchedule):
    """Half a cosine again and again, each period longer and each start lower than the last.

    Period i takes `first_decay_steps * t_mul ** i` steps, and falls from `initial_learning_rate *
    m_mul ** i`.

    Source: Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts" (2017),
    arXiv:1608.03983.

    Args:
        initial_learning_rate: the learning rate at step 0.
        first_decay_steps: number of steps, above 0, of the first period.
        t_mul: each period's length over that of the one before. 2.0 by default.
        m_mul: each period's first learning rate over that of the one before. 1.0 by default.
        alpha: the lowest learning rate, as a fraction of the initial one. 0.0 by default.
        name: "SGDRDecay" by default.

    Returns:
        (on call) the learning rate, a scalar (float32, or float64 where floatx is).

    Raises:
        ValueError: `first_decay_steps` is not above 0.

    >>> schedule = CosineDecayRestarts(0.1, first_decay_steps=10)
    >>> [round(float(schedule(step)), 6) for step in (0, 5, 10, 20)]
    [0.1, 0.05, 0.1, 0.05]
    """

    public_module = "optimizers.schedules"

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ):
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = positive(self, "first_decay_steps", first_decay_steps)
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step: Any) -> Any:
        """The learning rate at `step`."""
        given = step
        module, step = float_step(step)
        one, t_mul = scalar(1), scalar(self.t_mul)
        first = scalar(self.first_decay_steps)
        if self.t_mul == 1:
            restarts = whole_periods(given, self.first_decay_steps)
            fraction = (step - restarts * first) / first
        else:
            fraction = step / first
            # the periods' lengths are a geometric series; solved for the number of whole periods
            restarts = module.floor(module.log(one - fraction * (one - t_mul)) / np.log(t_mul))
            length = t_mul**restarts
            fraction = (fraction - (one - length) / (one - t_mul)) / length
        factor = scalar(self.m_mul) ** restarts
        initial = scalar(self.initial_learning_rate)
        return initial * decayed_fraction(module, fraction, factor, self.alpha)

    def get_config(self) -> dict:
        """The arguments that make an equal schedule."""
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "first_decay_steps": self.first_decay_steps,
            "t_mul": self.t_mul,
            "m_mul": self.m_mul,
            "alpha": self.alpha,
            "name": self.name,
        }


def decayed_fraction(module: Any, fraction: Any, factor: Any, alpha: float) -> Any:
    """How much of the initial learning rate is left after `fraction` (0 to 1) of a period.

    >>> float(decayed_fraction(np, np.float32(0.5), np.float32(1), 0.0)).__round__(6)
    0.5
    """
    one, half = scalar(1), scalar(0.5)
    cosine = half * factor * (one + module.cos(scalar(math.pi) * fraction))
    return (one - scalar(alpha)) * cosine + scalar(alpha)
