"""An optimizer around another one, which keeps float16 gradients from vanishing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import serialization
from cornu.core.variable import Variable, bind
from cornu.optimizers.optimizer import Optimizer

# Keras once wrote these into the configuration; their defaults are all that they may be.
_OF_INNER = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class LossScaleOptimizer(Optimizer):
    """Multiplies the loss by a scale that it finds by itself, and divides the gradients by it.

    A step whose gradients are not all finite is left out and halves the scale; after
    `dynamic_growth_steps` finite steps in a row, the scale is doubled.

    Source: Micikevicius et al., "Mixed Precision Training" (2018), section 3.2, arXiv:1710.03740.

    Args:
        inner_optimizer: the optimizer that makes the updates.
        initial_scale: 2**15 by default.
        dynamic_growth_steps: 2000 by default.
        name: by default made from the class.

    Raises:
        ValueError: an argument of `Optimizer`, which belongs to `inner_optimizer`.

    >>> from cornu.optimizers import SGD
    >>> optimizer = LossScaleOptimizer(SGD(0.5), initial_scale=4.0)
    >>> weight = Variable(np.array([1.0]))
    >>> optimizer.apply([np.array([4.0])], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(
        self,
        inner_optimizer: Optimizer,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ):
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer(dynamic=False): no longer supported; set loss_scale_factor on "
                "the inner optimizer and use that"
            )
        for argument, value in kwargs.items():
            if argument not in _OF_INNER:
                raise ValueError(f"LossScaleOptimizer: Argument(s) not recognized: {argument!r}")
            if value != _OF_INNER[argument]:
                raise ValueError(
                    f"LossScaleOptimizer does not support `{argument}`; set it on the "
                    "`inner_optimizer`"
                )
        super().__init__(0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        # or the gradients would be divided twice
        inner_optimizer.loss_scale_factor = None

    @property
    def variables(self) -> list[Variable]:
        """Its own state, then that of the inner optimizer."""
        return [*self._variables, *self.inner_optimizer.variables]

    @property
    def learning_rate(self) -> Any:
        """That of the inner optimizer."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def iterations(self) -> Any:
        """That of the inner optimizer, which does not count the steps left out."""
        return self.inner_optimizer.iterations

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the scale and the count of finite steps, and builds the inner optimizer."""
        if self.built:
            return
        self.step_counter = self.add_variable((), dtype="int32", name="step_counter")
        self.dynamic_scale = self.add_variable(
            (), self.initial_scale, dtype="float32", name="dynamic_scale"
        )
        self.inner_optimizer.build(variables)
        super().build(variables)

    def scale_loss(self, loss: Any) -> Any:
        """The loss (scalar) multiplied by the scale."""
        return loss * (self.dynamic_scale.value if self.built else self.initial_scale)

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Updates the variables by their gradients, unless one of these is not finite."""
        grads = list(grads)
        if not grads:
            return
        variables = self._given_or_built(grads, trainable_variables)
        finite = self.check_finite(grads)
        state = [*self._trainable_variables, *self.variables]
        update = bind(lambda: self._update_and_grow(grads, variables), state)
        shrink = bind(self._shrink, state)
        values = jax.lax.cond(
            finite, lambda v: update(v)[1], lambda v: shrink(v)[1], [v.value for v in state]
        )
        for variable, value in zip(state, values, strict=True):
            variable.assign(value)

    def check_finite(self, grads: Sequence[Any]) -> Any:
        """Whether no element of any gradient is infinite or NaN: a boolean scalar."""
        finite = [jnp.all(jnp.isfinite(jnp.asarray(grad))) for grad in grads if grad is not None]
        return jnp.all(jnp.stack(finite))

    def _update_and_grow(self, grads, variables):
        scale = self.dynamic_scale.value
        self.inner_optimizer.apply(
            [
                # such a "gradient" is the variable's next value, which the loss did not scale
                grad if grad is None or variable.overwrite_with_gradient else grad / scale
                for grad, variable in zip(grads, variables, strict=True)
            ],
            variables,
        )
        grow = self.step_counter.value == self.dynamic_growth_steps - 1
        self.step_counter.assign(jnp.where(grow, 0, self.step_counter.value + 1))
        self.dynamic_scale.assign(jnp.where(grow, scale * 2, scale))

    def _shrink(self):
        self.step_counter.assign(np.int32(0))
        self.dynamic_scale.assign(self.dynamic_scale.value * 0.5)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """That of the inner optimizer."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            "name": self.name,
            "inner_optimizer": serialization.serialize(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        """An optimizer made from what `get_config` returned."""
        config = dict(config)
        inner = config.pop("inner_optimizer")
        return cls(serialization.deserialize(inner, custom_objects=custom_objects), **config)
