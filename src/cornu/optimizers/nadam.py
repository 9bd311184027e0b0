"""Nadam: Adam with Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.adam import moments
from cornu.optimizers.optimizer import LearningRate, Optimizer
from cornu.optimizers.values import scalar


def nadam_factors(
    step: Any, u_product: Any, learning_rate: Any, beta_1: float, beta_2: float
) -> tuple[Any, Any, Any, Any]:
    """What Nadam's step multiplies momentum, gradient and velocity by, and the next `u_product`.

    The momentum is scheduled: at step t it is `u_t = beta_1 * (1 - 0.5 * 0.96**t)`.

    Source: Dozat, "Incorporating Nesterov Momentum into Adam" (2016), section 3.

    >>> import numpy as np
    >>> len(nadam_factors(np.float32(1), np.float32(1), np.float32(0.1), 0.9, 0.999))
    4
    """
    one, half, decay = scalar(1), scalar(0.5), scalar(0.96)
    now = scalar(beta_1) * (one - half * decay**step)
    following = scalar(beta_1) * (one - half * decay ** (step + one))
    u_product = u_product * now
    return (
        learning_rate * following / (one - u_product * following),
        learning_rate * (one - now) / (one - u_product),
        one / (one - scalar(beta_2) ** step),
        u_product,
    )


class Nadam(Optimizer):
    """Adam with Nesterov's momentum, on the schedule of its paper.

    Source: Dozat, "Incorporating Nesterov Momentum into Adam" (2016).

    Args:
        learning_rate: 0.001 by default.
        beta_1: how much of the gradient's moving average is kept, in the end. 0.9 by default.
        beta_2: how much of the squared gradient's moving average is kept. 0.999 by default.
        epsilon: added to the root of the latter. 1e-7 by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([1.0, 2.0]))
    >>> Nadam(learning_rate=0.5).apply([np.array([0.1, -7.0])], [weight])
    >>> weight.numpy().round(3)
    array([0.469, 2.531], dtype=float32)
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
        """Makes `momentum` and `velocity` for each variable, and the product of all u_t."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        dtype = variables[0].dtype if variables else None
        self._u_product = self.add_variable((), 1.0, dtype=dtype, name="u_product")

    def _factors(self, learning_rate):
        *factors, u_product = nadam_factors(
            self._step_number(), self._u_product.value, learning_rate, self.beta_1, self.beta_2
        )
        self._u_product.assign(u_product)
        return factors

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        index = self._get_variable_index(variable)
        m, v, weight = self._momentums[index], self._velocities[index], variable.value
        of_momentum, of_gradient, of_velocity = (
            factor.astype(weight.dtype)
            for factor in self._once_per_step("factors", lambda: self._factors(learning_rate))
        )
        betas = (jnp.asarray(beta, weight.dtype) for beta in (self.beta_1, self.beta_2))
        momentum, velocity = moments(gradient, m.value, v.value, *betas)
        m.assign(momentum)
        v.assign(velocity)
        step = of_momentum * momentum + of_gradient * gradient
        variable.assign(weight - step / (jnp.sqrt(velocity * of_velocity) + self.epsilon))

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
