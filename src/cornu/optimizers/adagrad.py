"""Optimizers that scale each weight by its own squared gradients: a sum or average of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.optimizer import LearningRate, Optimizer


def adagrad(
    weight: Any, gradient: Any, accumulator: Any, learning_rate: Any, epsilon: float
) -> tuple[Any, Any]:
    """`a = a + g**2; w = w - learning_rate * g / sqrt(a + epsilon)`; returns w and a.

    Source: Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization" (2011), jmlr.org/papers/v12/duchi11a.

    >>> w, a = adagrad(1.0, 2.0, 0.0, 0.5, 0.0)
    >>> float(w), float(a)
    (0.5, 4.0)
    """
    accumulator = accumulator + jnp.square(gradient)
    return weight - learning_rate * gradient / jnp.sqrt(accumulator + epsilon), accumulator


def adadelta(
    weight: Any,
    gradient: Any,
    accumulated: Any,
    accumulated_step: Any,
    learning_rate: Any,
    rho: float,
    epsilon: float,
) -> tuple[Any, Any, Any]:
    """Steps as long as earlier steps were, over gradients as large as earlier gradients were.

    `a = rho * a + (1 - rho) * g**2; d = -sqrt(s + epsilon) / sqrt(a + epsilon) * g;
    s = rho * s + (1 - rho) * d**2; w = w + learning_rate * d`; returns w, a and s.

    Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012), algorithm 1,
    arXiv:1212.5701.

    >>> w, a, s = adadelta(1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0)
    >>> round(float(w), 4), float(a), round(float(s), 4)
    (0.2929, 1.0, 0.5)
    """
    accumulated = rho * accumulated + (1 - rho) * jnp.square(gradient)
    step = -jnp.sqrt(accumulated_step + epsilon) * gradient / jnp.sqrt(accumulated + epsilon)
    accumulated_step = rho * accumulated_step + (1 - rho) * jnp.square(step)
    return weight + learning_rate * step, accumulated, accumulated_step


def rmsprop(
    gradient: Any, velocity: Any, average: Any, learning_rate: Any, rho: float, epsilon: float
) -> tuple[Any, Any, Any]:
    """`v = rho * v + (1 - rho) * g**2; step = learning_rate * g / sqrt(v + epsilon)`.

    Where `average`, the gradient's own moving average, is given, its square is taken off v first.
    Returns the step, v and the next average.

    Source: Hinton, "Neural Networks for Machine Learning" (2012), lecture 6e.

    >>> step, v, _ = rmsprop(2.0, 0.0, None, 0.5, 0.75, 0.0)
    >>> float(step), float(v)
    (1.0, 1.0)
    """
    velocity = rho * velocity + (1 - rho) * jnp.square(gradient)
    spread = velocity
    if average is not None:
        average = rho * average + (1 - rho) * gradient
        spread = velocity - jnp.square(average)
    return learning_rate * gradient / jnp.sqrt(spread + epsilon), velocity, average


class Adagrad(Optimizer):
    """Adagrad: the more a weight has been changed, the smaller its steps become.

    Source: Duchi et al., "Adaptive Subgradient Methods for Online Learning and Stochastic
    Optimization" (2011), jmlr.org/papers/v12/duchi11a.

    Args:
        learning_rate: 0.001 by default; 1.0 in the paper.
        initial_accumulator_value: where each weight's sum of squared gradients starts, 0 or more.
            0.1 by default.
        epsilon: added to the sum under the root. 1e-7 by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([1.0]))
    >>> optimizer = Adagrad(learning_rate=0.5, initial_accumulator_value=0.0)
    >>> optimizer.apply([np.array([4.0])], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        initial_accumulator_value: float = 0.1,
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
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes `accumulator` for each variable."""
        if self.built:
            return
        super().build(variables)
        self._accumulators = self.add_optimizer_variables(
            variables, "accumulator", self.initial_accumulator_value
        )

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        slot = self._accumulators[self._get_variable_index(variable)]
        weight = variable.value
        rate = learning_rate.astype(weight.dtype)
        weight, accumulator = adagrad(weight, gradient, slot.value, rate, self.epsilon)
        slot.assign(accumulator)
        variable.assign(weight)

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }


class Adadelta(Optimizer):
    """Adadelta: step sizes from the sizes of earlier steps and gradients.

    Source: Zeiler, "ADADELTA: An Adaptive Learning Rate Method" (2012), arXiv:1212.5701.

    Args:
        learning_rate: 0.001 by default; 1.0 in the paper.
        rho: how much of the moving averages is kept. 0.95 by default.
        epsilon: added to them under the root. 1e-7 by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([1.0]))
    >>> Adadelta(learning_rate=1.0, rho=0.0, epsilon=1.0).apply([np.array([1.0])], [weight])
    >>> weight.numpy().round(4)
    array([0.2929], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.95,
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
        self.rho = rho
        self.epsilon = epsilon

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes `accumulated_grad` and `accumulated_delta_var` for each variable."""
        if self.built:
            return
        super().build(variables)
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(
            variables, ["accumulated_grad", "accumulated_delta_var"]
        )

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        index = self._get_variable_index(variable)
        a, s = self._accumulated_grads[index], self._accumulated_delta_vars[index]
        weight = variable.value
        rate = learning_rate.astype(weight.dtype)
        weight, accumulated, accumulated_step = adadelta(
            weight, gradient, a.value, s.value, rate, self.rho, self.epsilon
        )
        a.assign(accumulated)
        s.assign(accumulated_step)
        variable.assign(weight)

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {**super().get_config(), "rho": self.rho, "epsilon": self.epsilon}


class RMSprop(Optimizer):
    """RMSprop: the gradient over the root of a moving average of its square.

    Source: Hinton, "Neural Networks for Machine Learning" (2012), lecture 6e.

    Args:
        learning_rate: 0.001 by default.
        rho: how much of the moving average is kept. 0.9 by default.
        momentum: how much of the last step is kept. 0.0 by default.
        epsilon: added to the average under the root. 1e-7 by default.
        centered: whether to use the gradient's variance in place of its mean square. False by
            default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([10.0]))
    >>> RMSprop(learning_rate=0.5, rho=0.75).apply([np.array([4.0])], [weight])
    >>> weight.numpy().round(4)
    array([9.], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes `velocity` for each variable; `momentum`, `average_gradient` where asked for."""
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        self._momentums = []
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        self._average_gradients = []
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        index = self._get_variable_index(variable)
        velocity, weight = self._velocities[index], variable.value
        average = self._average_gradients[index] if self.centered else None
        step, next_velocity, next_average = rmsprop(
            gradient,
            velocity.value,
            None if average is None else average.value,
            learning_rate.astype(weight.dtype),
            self.rho,
            self.epsilon,
        )
        velocity.assign(next_velocity)
        if average is not None:
            average.assign(next_average)
        if self.momentum > 0:
            slot = self._momentums[index]
            step = self.momentum * slot.value + step
            slot.assign(step)
        variable.assign(weight - step)

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }
