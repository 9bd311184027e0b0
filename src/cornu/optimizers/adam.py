"""Adam and its nearest kin: moving averages of the gradient and of its size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.optimizer import LearningRate, Optimizer
from cornu.optimizers.values import scalar


def bias_corrected_rate(learning_rate: Any, step: Any, beta_1: float, beta_2: float) -> Any:
    """`learning_rate * sqrt(1 - beta_2**step) / (1 - beta_1**step)`: Adam's, for the whole step.

    Source: Kingma & Ba, "Adam: A Method for Stochastic Optimization" (2015), end of section 2,
    arXiv:1412.6980.

    >>> import numpy as np
    >>> float(bias_corrected_rate(0.5, np.float32(1), 0.5, 0.75))
    0.5
    """
    kept_1, kept_2 = scalar(beta_1) ** step, scalar(beta_2) ** step
    return learning_rate * jnp.sqrt(1 - kept_2) / (1 - kept_1)


def moments(
    gradient: Any, momentum: Any, velocity: Any, beta_1: Any, beta_2: Any
) -> tuple[Any, Any]:
    """The moving averages of the gradient and of its square, one gradient later.

    Source: Kingma & Ba, "Adam: A Method for Stochastic Optimization" (2015), arXiv:1412.6980.

    >>> moments(2.0, 0.0, 0.0, 0.5, 0.75)
    (1.0, 1.0)
    """
    return (
        momentum + (gradient - momentum) * (1 - beta_1),
        velocity + (gradient * gradient - velocity) * (1 - beta_2),
    )


def adam(weight: Any, momentum: Any, velocity: Any, corrected_rate: Any, epsilon: float) -> Any:
    """`w - corrected_rate * m / (sqrt(v) + epsilon)`.

    `epsilon` is the paper's "epsilon hat". With AMSGrad `velocity` is the highest v so far.

    Source: Kingma & Ba, "Adam: A Method for Stochastic Optimization" (2015), arXiv:1412.6980;
    Reddi et al., "On the Convergence of Adam and Beyond" (2018), arXiv:1904.09237.

    >>> float(adam(1.0, 2.0, 4.0, 0.5, 0.0))
    0.5
    """
    return weight - momentum * corrected_rate / (jnp.sqrt(velocity) + epsilon)


def adamax(weight: Any, momentum: Any, norm: Any, corrected_rate: Any, epsilon: float) -> Any:
    """`w - corrected_rate * m / (u + epsilon)`, u being a decaying maximum of `abs(g)`.

    Source: Kingma & Ba, "Adam: A Method for Stochastic Optimization" (2015), section 7.1,
    arXiv:1412.6980.

    >>> adamax(1.0, 2.0, 4.0, 0.5, 0.0)
    0.75
    """
    return weight - corrected_rate * momentum / (norm + epsilon)


class Adam(Optimizer):
    """Adam: each weight's steps are scaled by how large its gradients have lately been.

    Source: Kingma & Ba, "Adam: A Method for Stochastic Optimization" (2015), arXiv:1412.6980.

    Args:
        learning_rate: 0.001 by default.
        beta_1: how much of the gradient's moving average is kept. 0.9 by default.
        beta_2: how much of the squared gradient's moving average is kept. 0.999 by default.
        epsilon: added to the root of the latter; the paper's "epsilon hat". 1e-7 by default.
        amsgrad: whether to divide by the highest average so far (Reddi et al., 2018,
            arXiv:1904.09237). False by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([1.0, 2.0]))
    >>> Adam(learning_rate=0.5).apply([np.array([0.1, -7.0])], [weight])
    >>> weight.numpy().round(3)
    array([0.5, 2.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes `momentum` and `velocity` for each variable, and `velocity_hat` with AMSGrad."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(
            variables, ["momentum", "velocity"]
        )
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        index = self._get_variable_index(variable)
        m, v = self._momentums[index], self._velocities[index]
        rate = self._once_per_step(
            "rate",
            lambda: bias_corrected_rate(
                learning_rate, self._step_number(), self.beta_1, self.beta_2
            ),
        )
        momentum, velocity = moments(gradient, m.value, v.value, self.beta_1, self.beta_2)
        m.assign(momentum)
        v.assign(velocity)
        if self.amsgrad:
            highest = self._velocity_hats[index]
            velocity = jnp.maximum(highest.value, velocity)
            highest.assign(velocity)
        weight = variable.value
        variable.assign(adam(weight, momentum, velocity, rate.astype(weight.dtype), self.epsilon))

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


class AdamW(Adam):
    """Adam whose weights decay by themselves, apart from the gradient.

    Source: Loshchilov & Hutter, "Decoupled Weight Decay Regularization" (2019), arXiv:1711.05101.

    Args:
        learning_rate: 0.001 by default.
        weight_decay: 0.004 by default.
        beta_1, beta_2, epsilon, amsgrad: as in `Adam`.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: `weight_decay` is None, and as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([1.0]))
    >>> AdamW(learning_rate=0.5, weight_decay=0.5).apply([np.array([0.0])], [weight])
    >>> weight.numpy()
    array([0.75], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        if weight_decay is None:
            raise ValueError("AdamW(weight_decay=None): must be a float; without decay use Adam")
        super().__init__(
            learning_rate,
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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


class Adamax(Optimizer):
    """Adam with a decaying maximum of the gradient's size in place of its mean square.

    Source: Kingma & Ba, "Adam: A Method for Stochastic Optimization" (2015), section 7.1,
    arXiv:1412.6980.

    Args:
        learning_rate: 0.001 by default.
        beta_1: how much of the gradient's moving average is kept. 0.9 by default.
        beta_2: how much of the maximum is kept. 0.999 by default.
        epsilon: added to the maximum. 1e-7 by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([1.0, 2.0]))
    >>> Adamax(learning_rate=0.5).apply([np.array([0.1, -7.0])], [weight])
    >>> weight.numpy().round(3)
    array([0.5, 2.5], dtype=float32)
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
        """Makes `momentum` and `norm` for each variable."""
        if self.built:
            return
        super().build(variables)
        self._m, self._u = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        index = self._get_variable_index(variable)
        m, u = self._m[index], self._u[index]
        rate = self._once_per_step(
            "rate",
            lambda: learning_rate / (scalar(1) - scalar(self.beta_1) ** self._step_number()),
        )
        momentum = m.value + (gradient - m.value) * (1 - self.beta_1)
        norm = jnp.maximum(self.beta_2 * u.value, jnp.abs(gradient))
        m.assign(momentum)
        u.assign(norm)
        weight = variable.value
        variable.assign(adamax(weight, momentum, norm, rate.astype(weight.dtype), self.epsilon))

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
        }
