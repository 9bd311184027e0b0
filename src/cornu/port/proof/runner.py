"""Runner: one side of a comparison - a network, and how its framework computes with it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.layout import change_layout
from cornu.port.network import Network
from cornu.port.proof.form import with_padding_in

# A weight by the name of its operation and its own.
Weights = dict[tuple[str, str], np.ndarray]
# The steps of training after which the weights are looked at, besides the last one.
EARLY_STEPS = (1, 2)


@dataclasses.dataclass
class Trained:
    """What some steps of training made of a network.

    Attributes:
        losses: of each step, before its update.
        weights: by the number of steps: after the first ones and after the last.
        outputs: of the trained network for the first batch, not training any more.
    """

    losses: list[float]
    weights: dict[int, Weights]
    outputs: list[np.ndarray]


class Runner:
    """A network and the framework that it is in, behind one set of methods.

    Arrays go in and come out as the network holds them, whose images have their channels last.
    Dropout and noise are off; batch normalization takes the batch's statistics when it trains.

    Args:
        title: what it is, in words.
        network: as a reader gave it.

    Attributes:
        read: the network as it was given; `network` is that with images' channels last.
        computes_gradients: whether `gradients` can be asked for.
        has_loss, has_optimizer: whether it brings its own; without a loss, `gradients` takes as
            targets what the outputs are multiplied by, and the loss is the sum of the products.
        decay_as_penalty: whether what an optimizer adds to the gradients for the size of weights is
            told as a part of the loss and of the gradients, as where there are regularizers.
        dtypes: what it computes in.
        precision: the relative error of the numbers that are settings there, such as an epsilon.
        gradient_precision: the relative error of its gradients, in float64 too.
        gradient_note: where that comes from.
        decay_unknown: whether the optimizer, whose weight_decay may stand for regularizers, was not
            given.
        loss_name: what its loss is, where that is known.
        batch_size: the only number of rows that it can take, or None.
        notes: what the reader of the report should know.
    """

    computes_gradients = True
    has_loss = False
    has_optimizer = False
    decay_as_penalty = False
    dtypes: tuple[str, ...] = ("float32", "float64")
    precision = 0.0
    gradient_precision = 0.0
    gradient_note = ""
    decay_unknown = False
    loss_name: str | None = None
    batch_size: int | None = None

    def __init__(self, title: str, network: Network):
        self.title = title
        self.read = network
        self.network = with_padding_in(change_layout(network, "channels_last"))
        self.notes: list[str] = []
        self._keys: list[tuple[KerasTensor, Any, int]] = []
        seen: dict[Any, int] = {}
        for tensor, observed in self.network.observed.items():
            # a model inside that is called twice has the same tensors each time
            number = seen[observed.key] = seen.get(observed.key, -1) + 1
            self._keys.append((tensor, observed.key, number))

    def values(
        self, inputs: Sequence[np.ndarray], dtype: str, training: bool = False
    ) -> dict[KerasTensor, np.ndarray]:
        """The values of the network's tensors, of those that can be seen.

        Args:
            inputs: one array for each input of the network.
            dtype: "float32" or "float64", in which all is computed.
            training: whether batch normalization takes the batch's statistics.
        """
        raise NotImplementedError

    def gradients(
        self, inputs: Sequence[np.ndarray], targets: Sequence[np.ndarray], dtype: str
    ) -> tuple[float, Weights]:
        """The loss of a batch in training, and the gradient of every weight that is trained."""
        raise NotImplementedError

    def train(
        self, batches: Sequence[tuple[Sequence, Sequence]], dtype: str, inputs: Sequence[np.ndarray]
    ) -> Trained:
        """Trains a copy on batches of inputs and targets, one step each.

        `inputs` is the batch for whose outputs the trained network is asked.
        """
        raise NotImplementedError

    def without_loss(self) -> Runner:
        """The same network without its loss, to be compared with one that has none."""
        made = copy.copy(self)
        made.has_loss = made.has_optimizer = False
        made._forget_loss()
        return made

    def _forget_loss(self) -> None:
        """Drops what was made for the loss."""

    # -- between the network's arrays and the framework's ------------------------------------------

    def _given(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Inputs as the framework takes them."""
        layouts = self.network.input_layouts
        return [
            np.ascontiguousarray(layout.give_back(np.asarray(x)))
            for x, layout in zip(inputs, layouts, strict=True)
        ]

    def _targets(self, targets: Sequence[np.ndarray | None]) -> list[Any]:
        """Targets as the framework takes them: rearranged where they have the outputs' shape."""
        found: list[Any] = []
        outputs = zip(targets, self.network.outputs, self.network.output_layouts, strict=True)
        for target, tensor, layout in outputs:
            if target is not None and layout.axes is not None and target.ndim == tensor.ndim:
                target = np.ascontiguousarray(layout.give_back(target))
            found.append(target)
        return found

    def _outputs(self, outputs: Sequence[Any]) -> list[np.ndarray]:
        layouts = self.network.output_layouts
        return [layout.hold(np.asarray(out)) for out, layout in zip(outputs, layouts, strict=True)]

    def _tensors(self, seen: dict[Any, list]) -> dict[KerasTensor, np.ndarray]:
        """The network's tensors from the framework's by key, each in the order of its making."""
        found = {}
        for tensor, key, number in self._keys:
            values = seen.get(key, ())
            if number < len(values):
                layout = self.network.observed[tensor].layout
                found[tensor] = layout.hold(np.asarray(values[number]))
        return found

    def _weights(self, value: Callable[[Any], Any]) -> Weights:
        """The network's weights from the framework's; `value` gives None for what it lacks."""
        found: Weights = {}
        for operation in self.network.operations:
            for name, origin in operation.origins.items():
                array = value(origin.key)
                if array is not None:
                    found[operation.name, name] = origin(np.asarray(array))
        return found


def looked_at(steps: int) -> set[int]:
    """The steps after which the weights are looked at.

    >>> sorted(looked_at(20)), sorted(looked_at(1))
    ([1, 2, 20], [1])
    """
    return {step for step in (*EARLY_STEPS, steps) if step <= steps}


def in_dtype(array: Any, dtype: str) -> np.ndarray:
    """An array with its floats in a dtype."""
    array = np.asarray(array)
    return array.astype(dtype) if np.issubdtype(array.dtype, np.floating) else array
