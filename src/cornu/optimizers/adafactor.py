"""Adafactor: squared gradients of a matrix kept as those of its rows and columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.optimizer import LearningRate, Optimizer
from cornu.optimizers.values import scalar


def root_mean_square(x: Any) -> Any:
    """`sqrt(mean(x**2))`: a scalar.

    >>> float(root_mean_square(jnp.array([1.0, 7.0])))
    5.0
    """
    return jnp.sqrt(jnp.mean(jnp.square(x)))


def factored_mean_square(square: Any, rows: Any, columns: Any, kept: Any) -> tuple[Any, Any, Any]:
    """A matrix's moving mean square, told from those of its rows and columns alone.

    Args:
        square: the squared gradient (..., rows, columns).
        rows: moving average over the columns (..., rows).
        columns: moving average over the rows (..., columns).
        kept: how much of the averages is kept: a scalar.

    Returns:
        The product of both over their mean (..., rows, columns), and the next averages.

    Source: Shazeer & Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost" (2018),
    algorithm 2, arXiv:1804.04235.

    >>> v, _, _ = factored_mean_square(jnp.ones((2, 3)), jnp.zeros(2), jnp.zeros(3), 0.5)
    >>> v.tolist()
    [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]]
    """
    rows = kept * rows + (1 - kept) * jnp.mean(square, axis=-1)
    columns = kept * columns + (1 - kept) * jnp.mean(square, axis=-2)
    shares = rows / jnp.mean(rows, axis=-1, keepdims=True)
    return shares[..., None] * columns[..., None, :], rows, columns


class Adafactor(Optimizer):
    """Adafactor: a matrix's squared gradients are kept as those of its rows and columns.

    Source: Shazeer & Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost" (2018),
    arXiv:1804.04235.

    Args:
        learning_rate: 0.001 by default.
        beta_2_decay: power of the step number by which less of the averages is forgotten. -0.8 by
            default.
        epsilon_1: added to the squared gradient. 1e-30 by default.
        epsilon_2: lowest size of the weights that steps are made in proportion to. 0.001 by
            default.
        clip_threshold: highest root mean square of an update before the learning rate, apart from
            `clipnorm` and the like. 1.0 by default.
        relative_step: whether a constant learning rate falls with `1 / sqrt(step)` where that is
            lower. True by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.ones((2, 2)))
    >>> Adafactor(learning_rate=0.5).apply([np.ones((2, 2))], [weight])
    >>> weight.numpy()[0]
    array([0.5, 0.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
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
        self.beta_2_decay = beta_2_decay
        self.epsilon_1 = epsilon_1
        self.epsilon_2 = epsilon_2
        self.clip_threshold = clip_threshold
        self.relative_step = relative_step

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes averages of rows and columns, and `velocity`, for each variable.

        A variable of fewer than two axes has no rows; Keras keeps two unused zeros in their place,
        and so do we, that files may be exchanged. Keras keeps the unfactored velocity too.
        """
        if self.built:
            return
        super().build(variables)
        self._r: list[Any] = []
        self._c: list[Any] = []
        self._v: list[Any] = []
        for variable in variables:
            rows = columns = velocity = None
            if not variable.overwrite_with_gradient:
                shape, dtype, name = variable.shape, variable.dtype, variable.name
                if len(shape) < 2:
                    rows = self.add_variable((), dtype="int32", name=name)
                    columns = self.add_variable((), dtype="int32", name=name)
                else:
                    rows = self.add_variable(shape[:-1], dtype=dtype, name=name)
                    columns = self.add_variable((*shape[:-2], shape[-1]), dtype=dtype, name=name)
                velocity = self.add_variable_from_reference(variable, "velocity")
            self._r.append(rows)
            self._c.append(columns)
            self._v.append(velocity)

    def _of_this_step(self, learning_rate):
        step = self._step_number()
        # relative_step asks for this minimum too: the same number either way, as in Keras
        rate = jnp.minimum(learning_rate, 1 / jnp.sqrt(step))
        return rate, 1 - step ** scalar(self.beta_2_decay)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        index = self._get_variable_index(variable)
        r, c, v, weight = self._r[index], self._c[index], self._v[index], variable.value
        rate, kept = (
            value.astype(weight.dtype)
            for value in self._once_per_step("rate", lambda: self._of_this_step(learning_rate))
        )
        square = jnp.square(gradient) + self.epsilon_1
        if weight.ndim < 2:
            velocity = kept * v.value + (1 - kept) * square
        else:
            velocity, rows, columns = factored_mean_square(square, r.value, c.value, kept)
            r.assign(rows)
            c.assign(columns)
        v.assign(velocity)
        update = gradient / jnp.sqrt(velocity)
        update = update / jnp.maximum(1, root_mean_square(update) / self.clip_threshold)
        size = jnp.maximum(self.epsilon_2, root_mean_square(weight))
        variable.assign(weight - size * rate * update)

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }
