"""Follow the regularized leader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.optimizer import LearningRate, Optimizer


def ftrl(
    weight: Any,
    gradient: Any,
    accumulator: Any,
    linear: Any,
    learning_rate: Any,
    power: float,
    l1: float,
    l2: Any,
    shrinkage: float,
) -> tuple[Any, Any, Any]:
    """The weight that would have been best for all gradients so far, kept small by l1 and l2.

    With `n = sum of g**2` and `s(n) = n**-power / learning_rate`: `z = z + g + 2 * shrinkage * w -
    (s(n) - s(previous n)) * w` and `w = (clip(z, -l1, l1) - z) / (s(n) + 2 * l2)`. Returns w, n, z.

    Source: McMahan et al., "Ad Click Prediction: a View from the Trenches" (2013), algorithm 1.

    >>> w, n, z = ftrl(0.0, 2.0, 0.0, 0.0, 0.5, -0.5, 0.0, 0.0, 0.0)
    >>> float(w), float(n), float(z)
    (-0.5, 4.0, 2.0)
    """
    summed = accumulator + jnp.square(gradient)
    before, after = (jnp.power(n, -power) / learning_rate for n in (accumulator, summed))
    linear = linear + gradient + 2 * shrinkage * weight - (after - before) * weight
    weight = (jnp.clip(linear, -l1, l1) - linear) / (after + 2 * l2)
    return weight, summed, linear


class Ftrl(Optimizer):
    """Follow the regularized leader: for shallow models with many sparse features.

    Source: McMahan et al., "Ad Click Prediction: a View from the Trenches" (2013).

    Args:
        learning_rate: 0.001 by default.
        learning_rate_power: 0 or less; 0 keeps the learning rate from falling. -0.5 by default.
        initial_accumulator_value: where each weight's sum of squared gradients starts, 0 or more.
            0.1 by default.
        l1_regularization_strength: 0 or more; above 0, small weights become exactly 0. 0.0 by
            default.
        l2_regularization_strength: 0 or more. 0.0 by default.
        l2_shrinkage_regularization_strength: 0 or more; a penalty on the weights' size that is
            added to the gradient. 0.0 by default.
        beta: the paper's beta. 0.0 by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: an argument out of its range, and as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.array([0.0]))
    >>> optimizer = Ftrl(learning_rate=0.5, initial_accumulator_value=0.0)
    >>> optimizer.apply([np.array([2.0])], [weight])
    >>> weight.numpy()
    array([-0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        if learning_rate_power > 0:
            raise ValueError(
                f"Ftrl(learning_rate_power={learning_rate_power}): must be negative or zero"
            )
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        for argument in (
            "initial_accumulator_value",
            "l1_regularization_strength",
            "l2_regularization_strength",
            "l2_shrinkage_regularization_strength",
        ):
            if getattr(self, argument) < 0:
                raise ValueError(
                    f"Ftrl({argument}={getattr(self, argument)}): must be positive or zero"
                )

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes `accumulator` and `linear` for each variable."""
        if self.built:
            return
        super().build(variables)
        self._accumulators, self._linears = self.add_optimizer_variables(
            variables, ["accumulator", "linear"], [self.initial_accumulator_value, "zeros"]
        )

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        index = self._get_variable_index(variable)
        n, z = self._accumulators[index], self._linears[index]
        weight = variable.value
        rate = learning_rate.astype(weight.dtype)
        weight, accumulator, linear = ftrl(
            weight,
            gradient,
            n.value,
            z.value,
            rate,
            self.learning_rate_power,
            self.l1_regularization_strength,
            self.l2_regularization_strength + self.beta / (2 * rate),
            self.l2_shrinkage_regularization_strength,
        )
        n.assign(accumulator)
        z.assign(linear)
        variable.assign(weight)

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator_value": self.initial_accumulator_value,
            "l1_regularization_strength": self.l1_regularization_strength,
            "l2_regularization_strength": self.l2_regularization_strength,
            "l2_shrinkage_regularization_strength": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }
