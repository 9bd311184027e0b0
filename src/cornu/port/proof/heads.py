"""Outputs that are logits in one network and probabilities in the other, the loss fitting each."""

from __future__ import annotations

import dataclasses

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.network import Network
from cornu.port.proof.matching import Matching
from cornu.port.proof.runner import Runner

# What the last activation of a classifier may be, and what makes probabilities of its outputs.
_HEADS = frozenset({"softmax", "log_softmax", "sigmoid", "log_sigmoid"})


@dataclasses.dataclass
class Heads:
    """The last activation of two networks at one output.

    Attributes:
        function_a, function_b: "softmax", "log_softmax", "sigmoid", "log_sigmoid" or None.
        tensor_a, tensor_b: the outputs; where the activations differ, what they are applied to.
        may_be_in_loss: whether one network alone has such an activation, and no loss is known.
    """

    function_a: str | None
    function_b: str | None
    tensor_a: KerasTensor
    tensor_b: KerasTensor
    may_be_in_loss: bool = False

    @property
    def is_moved(self) -> bool:
        """Whether one network has an activation that is in the other's loss."""
        return self.function_a != self.function_b

    @property
    def note(self) -> str:
        """What was done about it."""
        one, two = self.function_a or "logits", self.function_b or "logits"
        return (
            f"the outputs are {one} in the first and {two} in the second, whose losses fit them; "
            "they are compared as probabilities"
        )

    def comparable(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Both outputs, as probabilities where they are different things."""
        if not self.is_moved:
            return a, b
        return self.probabilities_a(a), _probabilities(b, self.function_b, self.function_a)

    def probabilities_a(self, array: np.ndarray) -> np.ndarray:
        """The outputs of the first network as probabilities."""
        return _probabilities(array, self.function_a, self.function_b)


def moved_heads(found: Matching, a: Runner, b: Runner) -> list[Heads]:
    """For each output the activations of both networks."""
    heads = []
    outputs = zip(found.a.outputs, found.b.outputs, strict=True)
    for place, (tensor, other) in enumerate(outputs):
        one, two = _head(tensor), _head(other)
        same = one == two or not (a.has_loss and b.has_loss)
        if same or not _may_be_moved(found, place, one, two):
            heads.append(Heads(None, None, tensor, other, (one is None) != (two is None)))
        else:
            inner_a = tensor.node.inputs[0] if one else tensor
            inner_b = other.node.inputs[0] if two else other
            heads.append(Heads(one, two, inner_a, inner_b))
    return heads


def _may_be_moved(found: Matching, place: int, one: str | None, two: str | None) -> bool:
    """Whether the losses, where they are known, differ as the activations do."""
    takes = [_takes_logits(network, place) for network in (found.a, found.b)]
    expected = [function is None for function in (one, two)]
    fits = all(known in (None, is_logits) for known, is_logits in zip(takes, expected, strict=True))
    return fits or "log_softmax" in (one, two)


def _takes_logits(network: Network, place: int) -> bool | None:
    """Whether the loss of an output takes logits; None where that is not known."""
    training = network.training
    if training is None or place >= len(training.losses) or training.losses[place] is None:
        return None
    return bool(training.losses[place].settings.get("from_logits"))  # type: ignore[union-attr]


def _head(tensor: KerasTensor) -> str | None:
    node = tensor.node
    if node is None or node.operation != "activation":
        return None
    function = node.attributes.get("function")
    return function if function in _HEADS else None


def _probabilities(array: np.ndarray, function: str | None, other: str | None) -> np.ndarray:
    if function in ("softmax", "sigmoid"):
        return array
    if function in ("log_softmax", "log_sigmoid"):
        return np.exp(array)
    if other in ("softmax", "log_softmax"):
        shares = np.exp(array - array.max(-1, keepdims=True))
        return shares / shares.sum(-1, keepdims=True)
    return 1 / (1 + np.exp(-np.clip(array, -80, None)))
