"""One optimizer made of several, each for some of the variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any

from cornu.core import serialization
from cornu.core.serialization import Serializable
from cornu.core.variable import Variable
from cornu.optimizers.loss_scale import LossScaleOptimizer
from cornu.optimizers.optimizer import Optimizer


class OptimizerMap(Serializable, MutableMapping):
    """Which optimizer is for which variable, by the variable's path.

    A key is a path or a regular expression that matches whole paths.

    Args:
        default_optimizer: for variables that no key matches.
        optimizer_map: dict of keys to optimizers; None (empty) by default.

    Raises:
        TypeError: `default_optimizer` is not an optimizer or `optimizer_map` is not a dict.
        ValueError: a key set twice, or a value that cannot stand in a map; on look-up, a path that
            several keys match.

    >>> from cornu.optimizers import SGD, Adam
    >>> chosen = OptimizerMap(SGD(name="sgd"), {"encoder/.*": Adam(name="adam")})
    >>> chosen["encoder/dense/kernel"].name, chosen["head/kernel"].name
    ('adam', 'sgd')
    """

    def __init__(self, default_optimizer: Optimizer, optimizer_map: dict | None = None):
        if not isinstance(default_optimizer, Optimizer):
            raise TypeError(
                f"OptimizerMap(default_optimizer={default_optimizer!r}): must be an optimizer"
            )
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"OptimizerMap(optimizer_map={optimizer_map!r}): must be a dict")
        self.default_optimizer = default_optimizer
        self._optimizer_map = dict(optimizer_map or {})

    def __getitem__(self, key: str) -> Optimizer:
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        matching = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(matching) > 1:
            raise ValueError(
                f"Multiple optimizers assigned to variable {key}: {matching} all match it"
            )
        return self._optimizer_map[matching[0]] if matching else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: key must be a string. Received: {key!r}")
        if key in self._optimizer_map:
            raise ValueError(f"OptimizerMap: {key!r} already has an optimizer; delete it first")
        _check_inner(optimizer, key)
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizer_map[key]

    def __len__(self) -> int:
        return len(self._optimizer_map)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizer_map)

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer for a variable."""
        return self[variable.path]

    def get_config(self) -> dict:
        """The arguments that make an equal map."""
        return {
            "default_optimizer": serialization.serialize(self.default_optimizer),
            "optimizer_map": serialization.serialize(self._optimizer_map),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> OptimizerMap:
        """A map made from what `get_config` returned."""
        return cls(
            serialization.deserialize(config["default_optimizer"], custom_objects=custom_objects),
            serialization.deserialize(config["optimizer_map"], custom_objects=custom_objects),
        )


class MultiOptimizer(Optimizer):
    """Gives each variable to the optimizer that is chosen for it.

    It has no learning rate of its own; see those of `optimizers`.

    Args:
        optimizer_map: an `OptimizerMap`, or a function from a variable to an optimizer.
        loss_scale_factor: set on all of the optimizers. None by default.
        name: by default made from the class.

    Raises:
        ValueError: on `build`, something that is not an optimizer or cannot be an inner one.

    >>> import numpy as np
    >>> from cornu.optimizers import SGD
    >>> weights = [Variable(np.ones(1), name=name) for name in ("kernel", "bias")]
    >>> optimizer = MultiOptimizer(OptimizerMap(SGD(0.5), {"bias": SGD(0.25)}))
    >>> optimizer.apply([np.ones(1), np.ones(1)], weights)
    >>> [float(weight.numpy()[0]) for weight in weights]
    [0.5, 0.75]
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ):
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map = optimizer_map
        self._inner_optimizers: list[Optimizer] = []
        if isinstance(optimizer_map, OptimizerMap):
            for inner in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._include(inner)

    def _include(self, inner: Optimizer) -> int:
        """The place of an optimizer among the inner ones; it is added where it is not there yet."""
        for index, known in enumerate(self._inner_optimizers):
            if known is inner:
                return index
        inner.loss_scale_factor = self.loss_scale_factor
        self._inner_optimizers.append(inner)
        return len(self._inner_optimizers) - 1

    @property
    def loss_scale_factor(self) -> float | None:
        """What the gradients are divided by: the same for all of the optimizers."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, loss_scale_factor: float | None) -> None:
        self._loss_scale_factor = loss_scale_factor
        for inner in vars(self).get("_inner_optimizers", ()):
            inner.loss_scale_factor = loss_scale_factor

    @property
    def optimizers(self) -> list[Optimizer]:
        """The inner optimizers."""
        return self._inner_optimizers

    @property
    def variables(self) -> list[Variable]:
        """Its own state, then that of the inner optimizers."""
        inner = [variable for one in self._inner_optimizers for variable in one.variables]
        return [*self._variables, *inner]

    @property
    def learning_rate(self) -> Any:
        """There is none: AttributeError."""
        raise AttributeError(
            f"{self.name} has no learning rate of its own; see those of its `.optimizers`"
        )

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError(
            f"{self.name} has no learning rate of its own; set those of its `.optimizers`"
        )

    def build(self, variables: Sequence[Variable]) -> None:
        """Chooses an optimizer for each variable, and builds them."""
        if self.built:
            return
        self._chosen: dict[Variable, int] = {}
        for variable in variables:
            inner = self._optimizer_map(variable)
            _check_inner(inner, variable.path)
            self._chosen[variable] = self._include(inner)
        for inner, own in zip(self._inner_optimizers, self._shares(variables), strict=True):
            if own:
                inner.build([variables[index] for index in own])
        super().build(variables)

    def _shares(self, variables) -> list[list[int]]:
        """For each inner optimizer, the places of its variables."""
        shares: list[list[int]] = [[] for _ in self._inner_optimizers]
        for index, variable in enumerate(variables):
            shares[self._chosen[variable]].append(index)
        return shares

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Updates each variable by its gradient, with its optimizer."""
        grads = list(grads)
        if not grads:
            return
        variables = self._given_or_built(grads, trainable_variables)
        for inner, own in zip(self._inner_optimizers, self._shares(variables), strict=True):
            if own:
                inner.apply([grads[i] for i in own], [variables[i] for i in own])
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """That of each inner optimizer, for its variables."""
        for inner, own in zip(self._inner_optimizers, self._shares(var_list), strict=True):
            if own:
                inner.finalize_variable_values([var_list[index] for index in own])

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer."""
        return {
            "optimizer_map": serialization.serialize(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        """An optimizer made from what `get_config` returned."""
        config = dict(config)
        if isinstance(config["optimizer_map"], dict):
            config["optimizer_map"] = serialization.deserialize(
                config["optimizer_map"], custom_objects=custom_objects
            )
        return cls(**config)


def _check_inner(optimizer, where: str) -> None:
    if not isinstance(optimizer, Optimizer):
        raise ValueError(f"the optimizer for {where!r} is not an optimizer: {optimizer!r}")
    if isinstance(optimizer, (LossScaleOptimizer, MultiOptimizer)):
        raise ValueError(
            f"the optimizer for {where!r} is a {type(optimizer).__name__}, which cannot be one of "
            "several"
        )
