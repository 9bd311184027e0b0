"""AdamW without a learning rate schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.optimizer import LearningRate, Optimizer
from cornu.optimizers.values import copy_of, scalar


class ScheduleFreeAdamW(Optimizer):
    """AdamW that averages its own weights, and so needs no learning rate schedule.

    The weights lie between `momentum`, which takes the steps, and the average of all its values.

    Source: Defazio et al., "The Road Less Scheduled" (2024), arXiv:2405.15682.

    Args:
        learning_rate: 0.0025 by default.
        beta_1: the average's share in the weights. 0.9 by default.
        beta_2: how much of the squared gradient's moving average is kept. 0.999 by default.
        epsilon: added to the root of the latter. 1e-8 by default.
        warmup_steps: number of steps in which the learning rate rises from 0. 0 by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([1.0, 2.0]))
    >>> ScheduleFreeAdamW(learning_rate=0.5).apply([np.array([0.1, -7.0])], [weight])
    >>> weight.numpy().round(3)
    array([0.5, 2.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.warmup_steps = warmup_steps

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes `momentum`, which starts at the variable's own value, and `velocity`."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        for momentum, variable in zip(self._momentums, variables, strict=True):
            if momentum is not None:
                momentum.assign(copy_of(variable))

    def _of_this_step(self, learning_rate):
        step = self._step_number()
        if self.warmup_steps > 0:
            learning_rate = learning_rate * jnp.minimum(step / scalar(self.warmup_steps), 1)
        return learning_rate, 1 / step, 1 / (1 - scalar(self.beta_2) ** step)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        index = self._get_variable_index(variable)
        m, v, weight = self._momentums[index], self._velocities[index], variable.value
        rate, share, of_velocity = (
            value.astype(weight.dtype)
            for value in self._once_per_step("rate", lambda: self._of_this_step(learning_rate))
        )
        beta_1, beta_2 = (jnp.asarray(b, weight.dtype) for b in (self.beta_1, self.beta_2))
        velocity = v.value + (jnp.square(gradient) - v.value) * (1 - beta_2)
        stepping = m.value - rate * gradient / (jnp.sqrt(velocity * of_velocity) + self.epsilon)
        average = (weight - (1 - beta_1) * m.value) / beta_1
        average = (1 - share) * average + share * stepping
        m.assign(stepping)
        v.assign(velocity)
        variable.assign((1 - beta_1) * stepping + beta_1 * average)

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "warmup_steps": self.warmup_steps,
        }
