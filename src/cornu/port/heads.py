"""Softmax and sigmoid, in the network or in the loss: where they are stable."""

from __future__ import annotations

from cornu.graph.tensor import KerasTensor
from cornu.port.network import Network

# The activation that a cross-entropy on probabilities expects.
_EXPECTED = {
    "sparse_categorical_crossentropy": "softmax",
    "categorical_crossentropy": "softmax",
    "binary_crossentropy": "sigmoid",
}


def moved_activations(network: Network) -> list[str | None]:
    """For each output the activation that `logits_out` would take away, or None."""
    training = network.training
    losses = training.losses if training is not None else []
    found: list[str | None] = []
    for number, tensor in enumerate(network.outputs):
        loss = losses[number] if number < len(losses) else None
        function = _last_activation(tensor)
        wanted = loss is not None and not loss.settings.get("from_logits")
        moved = wanted and function is not None and _EXPECTED.get(loss.kind) == function  # type: ignore[union-attr]
        found.append(function if moved else None)
    return found


def _last_activation(tensor: KerasTensor) -> str | None:
    node = tensor.node
    if node.operation != "activation":
        return None
    function = node.attributes["function"]
    if function == "softmax" and node.attributes.get("axis") != tensor.ndim - 1:
        # images with their channels first have the classes on axis 1
        return function if node.attributes.get("axis") == 1 else None
    return function


def logits_out(network: Network) -> Network:
    """The network with the last softmax or sigmoid moved into the loss.

    A cross-entropy of probabilities takes their logarithm, and loses what a softmax has rounded to
    0 or 1; of logits it loses nothing. Where the loss is no cross-entropy of probabilities, or its
    activation is not the last thing in the network, the network stays as it is.

    Returns:
        A network whose outputs are logits and whose losses have `from_logits=True`, or the same.
    """
    moved = moved_activations(network)
    if not any(moved) or network.training is None:
        return network
    outputs = [
        tensor.node.inputs[0] if function else tensor
        for tensor, function in zip(network.outputs, moved, strict=True)
    ]
    training = network.training.copy()
    for loss, function in zip(training.losses, moved, strict=True):
        if loss is not None and function:
            loss.settings["from_logits"] = True
    return network.like(network.inputs, outputs, training, network.observed)
