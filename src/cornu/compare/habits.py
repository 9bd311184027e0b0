"""What a network is with the frameworks' randomness off, and by a framework's own defaults."""

from __future__ import annotations

from typing import Any

from cornu.port import kinds
from cornu.port.differences import DEFAULTS_OF_OPTIMIZERS
from cornu.port.network import Network

# Settings of layers whose defaults differ: in Keras, in PyTorch. Sources: the documentation of
# keras.layers and torch.nn. Momentum is Keras' way: the share of the old average.
_LAYERS: dict[str, dict[str, tuple[float, float]]] = {
    "BatchNormalization": {"epsilon": (1e-3, 1e-5), "momentum": (0.99, 0.9)},
    "LayerNormalization": {"epsilon": (1e-3, 1e-5)},
    "GroupNormalization": {"epsilon": (1e-3, 1e-5)},
}


def switch_off_noise(network: Network) -> list[str]:
    """Sets dropout and noise to nothing, in place; returns the names of the layers."""
    found = []
    for operation in network.operations:
        if operation.kind in kinds.DROPOUT:
            setting = "stddev" if operation.kind == "GaussianNoise" else "rate"
            operation.attributes[setting] = 0.0
            found.append(operation.name)
    return found


def take_torch_defaults(network: Network) -> list[str]:
    """Leaves what Keras has by default to PyTorch's defaults, in place.

    The learning rate stays as it is: it belongs to the experiment.

    Returns:
        What the network does now by PyTorch's habit, a phrase each.
    """
    habits = ["initial weights: uniform within 1 / sqrt(inputs), biases too"]
    for operation in network.operations:
        for name, (keras, torch) in _LAYERS.get(operation.kind, {}).items():
            if operation.attributes.get(name) == keras:
                operation.attributes[name] = torch
                habits.append(f"{name} of {operation.name}: {torch:g}")
    optimizer = network.training.optimizer if network.training is not None else None
    if optimizer is not None:
        settings: dict[str, Any] = optimizer.settings
        settings["formula"] = "torch"
        for name, (keras, torch) in DEFAULTS_OF_OPTIMIZERS.get(optimizer.kind, {}).items():
            if name != "learning_rate" and _is(settings.get(name), keras):
                settings[name] = torch
                habits.append(f"{name.replace('_', ' ')} of {optimizer.kind}: {torch:g}")
    return habits


def initial_weights(network: Network) -> str:
    """How a network's weights begin, in words: the initializers of its kernels."""
    names = []
    for operation in network.operations:
        found = operation.attributes.get("kernel_initializer")
        if "kernel" in operation.parameters:
            names.append(_initializer(found))
    return f"initial weights: {', '.join(dict.fromkeys(names)) or 'as its layers say'}"


def _initializer(found: Any) -> str:
    if isinstance(found, dict):
        found = found.get("class_name")
    name = found if isinstance(found, str) else type(found).__name__ if found is not None else ""
    return name or "Glorot uniform"


def _is(value: Any, default: float) -> bool:
    return isinstance(value, (int, float)) and abs(value - default) <= 1e-6 * abs(default)
