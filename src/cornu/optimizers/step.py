"""What happens around the updates of one step, in the order in which it happens."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.reporting import warn
from cornu.core.variable import Variable, bind
from cornu.optimizers import clipping
from cornu.optimizers.state import _State
from cornu.optimizers.values import as_array, scalar_type


class _Step(_State):
    """The part of an optimizer that clips, accumulates, decays and averages."""

    clipnorm: float | None
    clipvalue: float | None
    global_clipnorm: float | None
    weight_decay: float | None
    ema_momentum: float
    ema_overwrite_frequency: int | None
    gradient_accumulation_steps: int | None
    iterations: Any
    learning_rate: Any
    _iterations: Variable
    _accumulated_gradients: list[Variable]
    _model_variables_moving_average: list[Variable | None]
    _undecayed: set[Variable]
    _undecayed_names: list[str]
    _of_step: dict[str, Any] | None

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        raise NotImplementedError

    def _filter_empty_gradients(self, grads, variables) -> tuple[list, list]:
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if len(missing) == len(grads):
            raise ValueError(
                f"{self.name}: No gradients provided for any variable. Does the loss depend on "
                "the model's output?"
            )
        if not missing:
            return grads, variables
        warn(
            f"Gradients do not exist for variables {missing} when minimizing the loss. They are "
            "left as they are. If using `model.compile()`, did you forget to provide a `loss`?",
        )
        kept = [(g, v) for g, v in zip(grads, variables, strict=True) if g is not None]
        return [g for g, _ in kept], [v for _, v in kept]

    def _overwrite_with_gradients(self, grads, variables) -> tuple[list, list]:
        """Variables such as float8 scales, whose "gradient" is their next value."""
        rest = []
        for grad, variable in zip(grads, variables, strict=True):
            if not variable.overwrite_with_gradient:
                rest.append((grad, variable))
            elif self.gradient_accumulation_steps:
                slot = self._accumulated_gradients[self._get_variable_index(variable)]
                highest = jnp.maximum(grad, slot.value)
                last = self._is_last_to_accumulate()
                variable.assign(jnp.where(last, highest, variable.value))
                slot.assign(jnp.where(last, 0, highest))
            else:
                variable.assign(grad)
        return [g for g, _ in rest], [v for _, v in rest]

    def _is_last_to_accumulate(self):
        return (self._iterations.value + 1) % self.gradient_accumulation_steps == 0

    def _accumulate(self, grads, variables) -> None:
        """Adds up the gradients; at the last of so many steps, updates by their mean."""
        steps = self.gradient_accumulation_steps
        slots = [self._accumulated_gradients[self._get_variable_index(v)] for v in variables]
        sums = [grad + slot.value for grad, slot in zip(grads, slots, strict=True)]
        changing = [*variables, *(v for v in self.variables if v not in set(slots))]

        def update(values, sums):
            pure = bind(
                lambda: self._update([total / steps for total in sums], variables), changing
            )
            return pure(values)[1], [jnp.zeros_like(total) for total in sums]

        values = [variable.value for variable in changing]
        values, sums = jax.lax.cond(
            self._is_last_to_accumulate(), update, lambda *same: same, values, sums
        )
        for variable, value in zip([*changing, *slots], [*values, *sums], strict=True):
            variable.assign(value)

    def _update(self, grads, variables) -> None:
        """Clips the gradients, decays the weights and updates them."""
        grads = self._clip_gradients(grads)
        rate = as_array(self.learning_rate)
        self._of_step = {}
        try:
            for grad, variable in zip(grads, variables, strict=True):
                decay = self._weight_decay_of(variable)
                if decay is not None:
                    weight = variable.value
                    variable.assign(weight - weight * decay * rate.astype(weight.dtype))
                self.update_step(grad, variable, rate)
        finally:
            self._of_step = None

    def _once_per_step(self, name: str, make: Callable[[], Any]) -> Any:
        """What is the same for all variables, such as a bias correction: made for the first one."""
        if self._of_step is None:
            return make()
        if name not in self._of_step:
            self._of_step[name] = make()
        return self._of_step[name]

    def _step_number(self) -> Any:
        """Number of this update, counted from 1: a scalar like the learning rate."""
        return (as_array(self.iterations) + 1).astype(scalar_type())

    def _clip_gradients(self, grads) -> list:
        if self.clipnorm and self.clipnorm > 0:
            return [clipping.clip_by_norm(grad, self.clipnorm) for grad in grads]
        if self.global_clipnorm and self.global_clipnorm > 0:
            return clipping.clip_by_global_norm(grads, self.global_clipnorm)
        if self.clipvalue and self.clipvalue > 0:
            return [jnp.clip(grad, -self.clipvalue, self.clipvalue) for grad in grads]
        return grads

    def _weight_decay_of(self, variable: Variable) -> float | None:
        return self.weight_decay if self._use_weight_decay(variable) else None

    def _use_weight_decay(self, variable: Variable) -> bool:
        return variable not in self._undecayed and not any(
            re.search(name, variable.name) for name in self._undecayed_names
        )

    def exclude_from_weight_decay(
        self,
        var_list: Sequence[Variable] | None = None,
        var_names: Sequence[str] | None = None,
    ) -> None:
        """Names the variables that `weight_decay` leaves alone. To be called before training.

        Args:
            var_list: variables. None by default.
            var_names: regular expressions; a variable in whose name one is found is left alone, as
                are all biases by `["bias"]`. None by default.

        >>> from cornu.optimizers import SGD
        >>> optimizer = SGD(0.1, weight_decay=0.01)
        >>> optimizer.exclude_from_weight_decay(var_names=["bias"])
        """
        self._undecayed = set(var_list or ())
        self._undecayed_names = list(var_names or ())

    def _update_moving_average(self) -> None:
        iterations = as_array(self.iterations)
        # the first step has nothing to average with
        momentum = jnp.where(iterations == 0, 0.0, self.ema_momentum)
        for variable, average in zip(
            self._trainable_variables, self._model_variables_moving_average, strict=True
        ):
            if average is None:
                continue
            kept = momentum.astype(average.value.dtype)
            average.assign(kept * average.value + (1 - kept) * variable.value)
            if self.ema_overwrite_frequency:
                due = (iterations + 1) % self.ema_overwrite_frequency == 0
                variable.assign(jnp.where(due, average.value, variable.value))
