"""Optax' gradient transformations as optimizers. Optax itself is not needed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.variable import Variable
from cornu.optimizers.optimizer import Optimizer
from cornu.optimizers.values import copy_of


class OptaxOptimizer(Optimizer):
    """A gradient transformation of Optax, with its state kept in variables.

    Learning rate, clipping, decay and the like are the transformation's own. It sees the weights as
    a dict from their paths to their values, so masks and labels may go by name.

    Args:
        transformation: anything with `init(params)` and `update(gradients, state, params)`.
        name: by default made from the class.

    Raises:
        TypeError: `transformation` has no `init` and `update`.

    >>> from collections import namedtuple
    >>> Transformation = namedtuple("Transformation", ["init", "update"])
    >>> halve = Transformation(
    ...     init=lambda params: (), update=lambda g, state, params: ({"w": -g["w"] / 2}, state)
    ... )
    >>> weight = Variable(jnp.ones(1), name="w")
    >>> OptaxOptimizer(halve).apply([jnp.ones(1)], [weight])
    >>> weight.numpy()
    array([0.5], dtype=float32)
    """

    def __init__(self, transformation: Any, name: str | None = None):
        if not is_optax(transformation):
            raise TypeError(
                f"OptaxOptimizer({transformation!r}): expected a gradient transformation, with "
                "init and update"
            )
        super().__init__(self._no_learning_rate, name=name)
        self.transformation = transformation

    def _no_learning_rate(self):
        raise AttributeError(
            f"{self.name} has no learning rate of its own: Optax keeps it inside the "
            "transformation. Give Optax a schedule, or use an optimizer of cornu.optimizers"
        )

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes one variable for each array in the transformation's state."""
        if self.built:
            return
        super().build(variables)
        # one compilation for the whole state, where each array by itself would need its own
        state = jax.jit(self.transformation.init)(self._by_path([v.value for v in variables]))
        leaves, self._structure = jax.tree_util.tree_flatten_with_path(state)
        self._state = [
            self.add_variable(
                leaf.shape,
                lambda shape, dtype, leaf=leaf: copy_of(leaf),  # it may be a weight's own array
                dtype=leaf.dtype,
                name=jax.tree_util.keystr(path).replace("/", "_"),
            )
            for path, leaf in leaves
        ]

    def _by_path(self, values) -> dict:
        named: dict[str, Any] = {}
        for variable, value in zip(self._trainable_variables, values, strict=True):
            path, count = variable.path, 0
            while path in named:
                count += 1
                path = f"{variable.path}_{count}"
            named[path] = value
        return named

    def _update(self, grads, variables) -> None:
        # the transformation wants all variables: no gradient is a gradient of zero to it
        given = dict(zip(variables, grads, strict=True))
        weights = [variable.value for variable in self._trainable_variables]
        gradients = [
            given[variable] if variable in given else jnp.zeros_like(weight)
            for variable, weight in zip(self._trainable_variables, weights, strict=True)
        ]
        updates, state = self.transformation.update(
            self._by_path(gradients),
            jax.tree_util.tree_unflatten(self._structure, [v.value for v in self._state]),
            self._by_path(weights),
        )
        steps = self._by_path(self._trainable_variables)
        for path, variable in steps.items():
            variable.assign(variable.value + updates[path])
        for slot, value in zip(self._state, jax.tree_util.tree_leaves(state), strict=True):
            slot.assign(value)

    def get_config(self) -> dict:
        """TypeError: a transformation is made of functions, which cannot be written."""
        raise TypeError(
            f"{self.name}: a gradient transformation of Optax cannot be written as a "
            "configuration. Use save_weights, which keeps its state too, and compile the model "
            "with it again before load_weights; or use an optimizer of cornu.optimizers"
        )


def is_optax(candidate: Any) -> bool:
    """Whether something has the two functions of an Optax gradient transformation.

    >>> is_optax("adam")
    False
    """
    return callable(getattr(candidate, "init", None)) and callable(
        getattr(candidate, "update", None)
    )
