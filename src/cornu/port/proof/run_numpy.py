"""A generated NumPy program as one side of a comparison."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from cornu.port.kinds import DROPOUT
from cornu.port.network import Network, Observed, Origin
from cornu.port.numpy.write import _Program
from cornu.port.proof.runner import Runner, Trained, Weights, in_dtype, looked_at

# Settings that a layer of a program keeps as attributes.
_KEPT = ("epsilon", "momentum", "rate", "stddev", "negative_slope", "alpha", "strides", "padding")


class NumpyRunner(Runner):
    """The module of a program that `cornu.port` wrote for NumPy.

    Nothing reads NumPy programs: what the program is taken for is the network that it was written
    from, with the weights and settings that the program has. What it computes is compared.

    Args:
        program: the module; with its weights in `network`, or beside it in its file.
        network: that the program was written from.
    """

    def __init__(self, program: ModuleType, network: Network):
        self.program = program
        self._network = program.network if hasattr(program, "network") else program.load()
        written = _Program(network, "")
        if not hasattr(program, "loss"):
            written.network.training = None
        for operation in written.network.operations:
            self._take_settings(operation)
        read = written.network
        read.observed = {
            tensor: Observed(name)
            for tensor, name in written.names.items()
            if tensor.node.operation != "InputLayer"
        }
        super().__init__(f"NumPy program {program.__name__}", read)
        self.has_loss = hasattr(program, "gradients_of_loss")
        self._optimizer = _optimizer_of(program)
        self.has_optimizer = self.has_loss and self._optimizer is not None

    def _take_settings(self, operation: Any) -> None:
        """Puts in what the program has."""
        layer = self._network.layers.get(operation.name)
        for name in _KEPT:
            if hasattr(layer, name) and name in operation.attributes:
                value = getattr(layer, name)
                if not isinstance(value, np.ndarray):
                    operation.attributes[name] = value
        if operation.kind in DROPOUT and hasattr(layer, "deviation"):
            # the rate of which it is made
            square = layer.deviation**2
            operation.attributes["rate"] = square / (1 + square)
        for name in list(operation.parameters):
            key = f"{operation.name}.{name}"
            operation.origins[name] = Origin(key)
            if key in self._network.parameters:
                operation.parameters[name] = np.array(self._network.parameters[key])
            else:
                del operation.parameters[name], operation.origins[name]

    def _twin(self, dtype: str) -> Any:
        """A copy of the program's network in a dtype, without noise."""
        twin = copy.deepcopy(self._network)
        new = {id(array): array.astype(dtype) for array in twin.parameters.values()}
        twin.parameters = {key: new[id(array)] for key, array in twin.parameters.items()}
        twin.dtype = np.dtype(dtype)
        for layer in twin.layers.values():
            for name, value in vars(layer).items():
                if id(value) in new:
                    setattr(layer, name, new[id(value)])
            if type(layer).__name__ in _NOISY:
                for name, nothing in (("rate", 0.0), ("stddev", 0.0), ("deviation", 0.0)):
                    if hasattr(layer, name):
                        setattr(layer, name, nothing)
                if hasattr(layer, "dropped"):
                    layer.scale = 1.0
        return twin

    def _forward(self, twin: Any, inputs: Sequence, dtype: str, training: bool) -> list:
        given = [in_dtype(array, dtype) for array in self._given(inputs)]
        outputs = twin.forward(*given, training=training)
        return list(outputs) if isinstance(outputs, tuple) else [outputs]

    def values(self, inputs, dtype, training=False):
        twin = self._twin(dtype)
        outputs = self._forward(twin, inputs, dtype, training)
        found = self._tensors({name: [value] for name, value in twin.values.items()})
        found.update(zip(self.network.outputs, self._outputs(outputs), strict=True))
        found.update(zip(self.network.inputs, map(np.asarray, inputs), strict=True))
        return found

    def _labels(self, targets: Sequence, dtype: str) -> Any:
        labels = [None if y is None else in_dtype(y, dtype) for y in self._targets(targets)]
        return labels if len(labels) > 1 else labels[0]

    def _loss_and_gradients(self, twin: Any, inputs: Sequence, targets: Sequence, dtype: str):
        labels = self._labels(targets, dtype)
        if not self.has_loss:
            outputs = self._forward(twin, inputs, dtype, True)
            many = len(outputs) > 1
            loss = sum(
                float((one * two).sum())
                for one, two in zip(outputs, labels if many else [labels], strict=True)
            )
            return loss, twin.backward(tuple(labels) if many else labels)
        given = [in_dtype(array, dtype) for array in self._given(inputs)]
        loss, _, gradients = self.program.gradients_of_loss(
            twin, given if len(given) > 1 else given[0], labels
        )
        return float(loss), gradients

    def gradients(self, inputs, targets, dtype):
        twin = self._twin(dtype)
        loss, gradients = self._loss_and_gradients(twin, inputs, targets, dtype)
        return loss, self._weights(gradients.get)

    def train(self, batches, dtype, inputs):
        twin = self._twin(dtype)
        optimizer = self._optimizer(twin.parameters)
        losses: list[float] = []
        weights: dict[int, Weights] = {}
        for number, (x, y) in enumerate(batches, 1):
            loss, gradients = self._loss_and_gradients(twin, x, y, dtype)
            optimizer.step(gradients)
            losses.append(loss)
            if number in looked_at(len(batches)):
                weights[number] = self._weights(lambda key: _copied(twin.parameters.get(key)))
        outputs = self._forward(twin, inputs, dtype, False)
        return Trained(losses, weights, self._outputs(outputs))


_NOISY = DROPOUT | {"SpatialDropout"}


def _copied(array: np.ndarray | None) -> np.ndarray | None:
    return None if array is None else np.array(array)


def _optimizer_of(program: ModuleType) -> Any:
    """The class of a program that changes weights by their gradients, or None."""
    if getattr(program, "optimizer", None) is not None:
        return type(program.optimizer)
    return next(
        (one for one in vars(program).values() if isinstance(one, type) and hasattr(one, "step")),
        None,
    )
