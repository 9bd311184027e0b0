"""Lamb: Adam for large batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.adam import moments
from cornu.optimizers.optimizer import LearningRate, Optimizer
from cornu.optimizers.values import scalar


def trust_ratio(weight: Any, update: Any) -> Any:
    """`norm(weight) / norm(update)`, and 1 where either is 0: a scalar.

    Source: You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes"
    (2020), arXiv:1904.00962.

    >>> float(trust_ratio(jnp.array([3.0, 4.0]), jnp.array([2.0, 0.0])))
    2.5
    """
    w_norm, u_norm = (jnp.sqrt(jnp.sum(jnp.square(x))) for x in (weight, update))
    known = (w_norm > 0) & (u_norm > 0)
    return jnp.where(known, w_norm / jnp.where(known, u_norm, 1), 1)


class Lamb(Optimizer):
    """Lamb: Adam's step, made as long as the variable's own norm; for large batches.

    Source: You et al., "Large Batch Optimization for Deep Learning: Training BERT in 76 minutes"
    (2020), arXiv:1904.00962.

    Args:
        learning_rate: 0.001 by default.
        beta_1: how much of the gradient's moving average is kept. 0.9 by default.
        beta_2: how much of the squared gradient's moving average is kept. 0.999 by default.
        epsilon: added to the root of the latter. 1e-7 by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([3.0, 4.0]))
    >>> Lamb(learning_rate=0.5).apply([np.array([7.0, 0.0])], [weight])
    >>> weight.numpy().round(3)
    array([0.5, 4. ], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
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

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes `momentum` and `velocity` for each variable."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )

    def _corrections(self):
        step = self._step_number()
        return tuple(1 / (scalar(1) - scalar(beta) ** step) for beta in (self.beta_1, self.beta_2))

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        index = self._get_variable_index(variable)
        m, v, weight = self._momentums[index], self._velocities[index], variable.value
        of_momentum, of_velocity = (
            factor.astype(weight.dtype)
            for factor in self._once_per_step("corrections", self._corrections)
        )
        momentum, velocity = moments(gradient, m.value, v.value, self.beta_1, self.beta_2)
        m.assign(momentum)
        v.assign(velocity)
        update = momentum * of_momentum / (jnp.sqrt(velocity * of_velocity) + self.epsilon)
        rate = trust_ratio(weight, update) * learning_rate.astype(weight.dtype)
        variable.assign(weight - rate * update)

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
