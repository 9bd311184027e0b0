"""Muon: momentum whose matrices are made orthogonal."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.adam import adam, bias_corrected_rate, moments
from cornu.optimizers.optimizer import LearningRate, Optimizer


def orthogonalize(matrix: Any, steps: int, a: float, b: float, c: float) -> Any:
    """Nearly the orthogonal matrix nearest to a matrix, by Newton and Schulz' iteration.

    All singular values end near 1: `X = a * X + (b * X X' + c * (X X')**2) X`, `steps` times.

    Args:
        matrix: (rows, columns).
        steps: number of iterations.
        a, b, c: coefficients of the quintic polynomial.

    Source: Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024),
    kellerjordan.github.io/posts/muon.

    >>> import numpy as np
    >>> x = orthogonalize(np.diag(np.float32([3, 1])), 5, 3.4445, -4.7750, 2.0315)
    >>> bool(abs(x - np.eye(2)).max() < 0.35)
    True
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    # the largest singular value must not be above 1
    x = x / (jnp.sqrt(jnp.sum(jnp.square(x))) + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


class Muon(Optimizer):
    """Muon: matrices of hidden layers are updated by their orthogonalized momentum.

    Variables that are not matrices, embeddings, and those named in `exclude_layers`, for which the
    output layer is the usual choice, are updated by AdamW.

    Source: Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024),
    kellerjordan.github.io/posts/muon; Liu et al., "Muon is Scalable for LLM Training" (2025),
    arXiv:2502.16982.

    Args:
        learning_rate: 0.001 by default.
        adam_beta_1, adam_beta_2, epsilon: AdamW's. 0.9, 0.999 and 1e-7 by default.
        adam_weight_decay: weight decay where AdamW is used. 0.004 by default.
        weight_decay: weight decay where Muon is used. 0.004 by default.
        exclude_layers: regular expressions; AdamW is used where one is found in a variable's path.
            None by default.
        exclude_embeddings: whether AdamW is used for variables with "embedding" in their path.
            True by default.
        muon_a, muon_b, muon_c: coefficients of the iteration. 3.4445, -4.775 and 2.0315 by default.
        adam_lr_ratio: AdamW's learning rate over Muon's. 1 by default.
        momentum: how much of the sum of gradients is kept. 0.95 by default.
        ns_steps: number of iterations. 5 by default.
        nesterov: whether to look ahead along the momentum. True by default.
        rms_rate: root mean square of the updates, which lets Muon share Adam's learning rate; None
            for updates as they are. 0.2 by default.
        weight_decay, clipnorm and the rest: as in `Optimizer`.

    Raises:
        ValueError: as in `Optimizer`.

    >>> import numpy as np
    >>> weight = Variable(np.zeros((2, 2)), name="kernel")
    >>> Muon(learning_rate=1.0).apply([np.eye(2)], [weight])
    >>> bool(weight.numpy()[0, 0] < -0.15), float(abs(weight.numpy()[0, 1]))
    (True, 0.0)
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
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
        self.adam_beta_1 = adam_beta_1
        self.adam_beta_2 = adam_beta_2
        self.adam_weight_decay = adam_weight_decay
        self.epsilon = epsilon
        self.exclude_layers = list(exclude_layers or ())
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = muon_a
        self.muon_b = muon_b
        self.muon_c = muon_c
        self.adam_lr_ratio = adam_lr_ratio
        self.momentum = momentum
        self.ns_steps = ns_steps
        self.nesterov = nesterov
        self.rms_rate = rms_rate

    def _should_use_adamw(self, variable: Variable) -> bool:
        return (
            len(variable.shape) != 2
            or (self.exclude_embeddings and "embedding" in variable.path.lower())
            or any(re.search(layer, variable.path) for layer in self.exclude_layers)
        )

    def _weight_decay_of(self, variable: Variable) -> float | None:
        if not self._use_weight_decay(variable):
            return None
        return self.adam_weight_decay if self._should_use_adamw(variable) else self.weight_decay

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes `momentum` for each variable, and `velocity` for each that AdamW updates."""
        if self.built:
            return
        super().build(variables)
        self.momentums, self.adam_velocities = [], []
        for variable in variables:
            momentum = velocity = None
            if not variable.overwrite_with_gradient:
                momentum = self.add_variable_from_reference(variable, "momentum")
                if self._should_use_adamw(variable):
                    velocity = self.add_variable_from_reference(variable, "velocity")
            self.momentums.append(momentum)
            self.adam_velocities.append(velocity)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient."""
        index = self._get_variable_index(variable)
        if self.adam_velocities[index] is None:
            self._update_by_muon(gradient, variable, learning_rate, self.momentums[index])
        else:
            self._update_by_adam(gradient, variable, learning_rate, index)

    def _update_by_muon(self, gradient, variable, learning_rate, slot):
        weight = variable.value
        momentum = gradient + slot.value * self.momentum
        slot.assign(momentum)
        ahead = gradient + self.momentum * momentum if self.nesterov else momentum
        update = orthogonalize(ahead, self.ns_steps, self.muon_a, self.muon_b, self.muon_c)
        if self.rms_rate is not None:
            learning_rate = learning_rate * (math.sqrt(max(weight.shape)) * self.rms_rate)
        variable.assign(weight - learning_rate.astype(weight.dtype) * update)

    def _update_by_adam(self, gradient, variable, learning_rate, index):
        m, v, weight = self.momentums[index], self.adam_velocities[index], variable.value
        rate = self._once_per_step(
            "rate",
            lambda: bias_corrected_rate(
                learning_rate * self.adam_lr_ratio,
                self._step_number(),
                self.adam_beta_1,
                self.adam_beta_2,
            ),
        )
        momentum, velocity = moments(gradient, m.value, v.value, self.adam_beta_1, self.adam_beta_2)
        m.assign(momentum)
        v.assign(velocity)
        variable.assign(adam(weight, momentum, velocity, rate.astype(weight.dtype), self.epsilon))

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            **super().get_config(),
            "adam_beta_1": self.adam_beta_1,
            "adam_beta_2": self.adam_beta_2,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "exclude_embeddings": self.exclude_embeddings,
            "adam_weight_decay": self.adam_weight_decay,
            "rms_rate": self.rms_rate,
        }
