"""Gradient descent, with momentum or by the sign alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.optimizer import LearningRate, Optimizer
from cornu.optimizers.values import check_fraction


def descend(weight: Any, gradient: Any, learning_rate: Any) -> Any:
    """`w - learning_rate * g`.

    Source: Robbins & Monro, "A Stochastic Approximation Method" (1951),
    doi:10.1214/aoms/1177729586.

    >>> descend(1.0, 2.0, 0.25)
    0.5
    """
    return weight - gradient * learning_rate


def descend_with_momentum(
    weight: Any, gradient: Any, velocity: Any, learning_rate: Any, momentum: float, nesterov: bool
) -> tuple[Any, Any]:
    """`v = momentum * v - learning_rate * g; w = w + v`, or a look ahead of it; returns w and v.

    With Nesterov's momentum `w = w + momentum * v - learning_rate * g`.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning"
    (2013), proceedings.mlr.press/v28/sutskever13.

    >>> descend_with_momentum(1.0, 2.0, 1.0, 0.25, 0.5, nesterov=False)
    (1.0, 0.0)
    """
    step = gradient * learning_rate
    velocity = velocity * momentum - step
    ahead = velocity * momentum - step if nesterov else velocity
    return weight + ahead, velocity


def lion(
    weight: Any, gradient: Any, momentum: Any, learning_rate: Any, beta_1: Any, beta_2: Any
) -> tuple[Any, Any]:
    """`w = w - learning_rate * sign(beta_1 * m + (1 - beta_1) * g)`; returns w and the next m.

    Source: Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023), arXiv:2302.06675.

    >>> w, m = lion(jnp.ones(1), jnp.ones(1), jnp.zeros(1), 0.5, 0.75, 0.75)
    >>> w.tolist(), m.tolist()
    ([0.5], [0.25])
    """
    direction = jnp.sign(momentum * beta_1 + gradient * (1 - beta_1))
    return weight - learning_rate * direction, momentum * beta_2 + gradient * (1 - beta_2)


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for.

    Args:
        learning_rate: 0.01 by default.
        momentum: how much of the last step is kept, 0 to 1. 0.0 by default.
        nesterov: whether to look ahead along the momentum. False by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: `momentum` is not from 0 to 1, and as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([1.0, 2.0]))
    >>> SGD(learning_rate=0.5).apply([np.array([1.0, -1.0])], [weight])
    >>> weight.numpy()
    array([0.5, 2.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        self.momentum = check_fraction(self, "momentum", momentum)
        self.nesterov = nesterov

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes one `momentum` for each variable, where there is momentum."""
        if self.built:
            return
        super().build(variables)
        self.momentums = []
        if self.momentum:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        weight = variable.value
        learning_rate = learning_rate.astype(weight.dtype)
        if not self.momentum:
            variable.assign(descend(weight, gradient, learning_rate))
            return
        slot = self.momentums[self._get_variable_index(variable)]
        weight, velocity = descend_with_momentum(
            weight, gradient, slot.value, learning_rate, self.momentum, self.nesterov
        )
        slot.assign(velocity)
        variable.assign(weight)

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}


class Lion(Optimizer):
    """Lion: steps of equal size in every weight, in the direction of a momentum's sign.

    Its learning rate is usually 3 to 10 times smaller than Adam's and its weight decay as much
    larger. Source: Chen et al., "Symbolic Discovery of Optimization Algorithms" (2023),
    arXiv:2302.06675.

    Args:
        learning_rate: 0.001 by default.
        beta_1: the momentum's share in the direction, above 0 and up to 1. 0.9 by default.
        beta_2: how much of the momentum is kept. 0.99 by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: `beta_1` is not in its range, and as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([1.0, 2.0]))
    >>> Lion(learning_rate=0.5).apply([np.array([0.1, -7.0])], [weight])
    >>> weight.numpy()
    array([0.5, 2.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if beta_1 <= 0 or beta_1 > 1:
            raise ValueError(
                f"Lion(beta_1={beta_1}): must be above 0 and not above 1; with 0 nothing would be "
                "left of the momentum"
            )
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes one `momentum` for each variable."""
        if self.built:
            return
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        slot = self._momentums[self._get_variable_index(variable)]
        dtype = variable.value.dtype
        weight, momentum = lion(
            variable.value,
            gradient,
            slot.value,
            learning_rate.astype(dtype),
            jnp.asarray(self.beta_1, dtype),
            jnp.asarray(self.beta_2, dtype),
        )
        slot.assign(momentum)
        variable.assign(weight)

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}
