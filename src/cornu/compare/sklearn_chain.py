"""Which networks scikit-learn can have: Dense layers in a chain, and how they are trained."""

from __future__ import annotations

import dataclasses
from typing import Any

from cornu.graph.node import Node
from cornu.port.kinds import DROPOUT
from cornu.port.network import Network, Operation, PortError
from cornu.port.training import Loss, Optimizer, Schedule, Training

ACTIVATIONS = {"relu": "relu", "tanh": "tanh", "sigmoid": "logistic", "linear": "identity"}
_HEADS = {
    "sparse_categorical_crossentropy": "softmax",
    "categorical_crossentropy": "softmax",
    "binary_crossentropy": "sigmoid",
    "mean_squared_error": "linear",
}
# Keras' defaults, which say nothing of what an experiment wants, and scikit-learn's of the same.
SETTINGS: dict[str, dict[str, tuple[Any, Any]]] = {
    "SGD": {"momentum": (0.0, 0.9), "nesterov": (False, True)},
    "Adam": {"beta_1": (0.9, 0.9), "beta_2": (0.999, 0.999), "epsilon": (1e-7, 1e-8)},
}
# Settings of Keras' optimizers that matter only where another one is set.
_IDLE = frozenset(
    {"learning_rate", "ema_momentum", "ema_overwrite_frequency", "exclude_from_weight_decay"}
    | {"formula"}
)


@dataclasses.dataclass
class Chain:
    """What scikit-learn has to know of a network.

    Attributes:
        hidden: the units of each hidden layer.
        functions: what each of them applies, by Keras' name.
        units: of the last layer.
        head: what the last layer applies.
        l2: the factor of the sum of the squares of all kernels in the loss.
        dense: all layers.
    """

    hidden: list[int] = dataclasses.field(default_factory=list)
    functions: list[str] = dataclasses.field(default_factory=list)
    units: int = 0
    head: str = "linear"
    l2: float = 0.0
    dense: list[Operation] = dataclasses.field(default_factory=list)


def chain_of(network: Network) -> Chain:
    """The Dense layers of a network and their activations.

    Raises:
        PortError: a network that is no such chain, or has what scikit-learn lacks.
    """
    _refuse_layers(network)
    chain = Chain()
    function: str | None = None
    for node in network.nodes:
        operation = node.operation
        if operation == "activation":
            settings = {k: v for k, v in node.attributes.items() if k not in ("function", "axis")}
            if not chain.dense or function is not None or any(settings.values()):
                raise node.target.refuse(
                    "cannot stand there: scikit-learn has one plain activation behind each layer"
                )
            function = node.attributes["function"]
        elif operation == "Dense":
            if chain.dense:
                chain.hidden.append(chain.units)
                chain.functions.append(function or "linear")
            function = None
            _require_dense(node)
            chain.dense.append(node.target)
            chain.units = int(node.attributes["units"])
    if not chain.dense:
        raise PortError("a network without Dense layers, which are all that scikit-learn has")
    chain.head = function or "linear"
    if len(set(chain.functions)) > 1:
        names = ", ".join(dict.fromkeys(chain.functions))
        raise PortError(f"hidden layers of {names}: scikit-learn has one activation for all")
    for name in chain.functions:
        if name not in ACTIVATIONS:
            known = "relu, tanh, sigmoid and linear"
            raise PortError(f"the activation {name}: scikit-learn has {known}")
    penalties = {_l2(operation) for operation in chain.dense}
    if len(penalties) > 1:
        raise PortError("penalties that differ: scikit-learn has one L2 penalty for all kernels")
    chain.l2 = penalties.pop()
    return chain


def _refuse_layers(network: Network) -> None:
    """Refuses what is no chain of Dense layers, naming everything that scikit-learn lacks."""
    consumers = network.consumers()
    first, lacking, seen_dense = None, [], False
    branches = None
    for node in network.nodes:
        operation = node.operation
        seen_dense |= operation == "Dense"
        flattens = operation in ("Flatten", "Reshape", "reshape") and not seen_dense
        if operation in ("InputLayer", "Identity", "activation", "Dense") or flattens:
            if len(consumers[node.outputs[0]]) > 1 or node.call_index:
                branches = branches or node
            continue
        first = first or node
        if _lacks(operation) not in lacking:
            lacking.append(_lacks(operation))
    if first is not None:
        also = "" if len(lacking) == 1 else f", {', '.join(lacking[1:-1])}".rstrip(", ")
        last = f" and {lacking[-1]}" if len(lacking) > 1 else ""
        raise first.target.refuse(
            f"cannot be carried over: scikit-learn has {lacking[0]}{also}{last}"
        )
    if branches is not None:
        raise PortError("a network that branches: scikit-learn's networks are chains of layers")


def _lacks(operation: str) -> str:
    if "Conv" in operation:
        return "no convolutions"
    if operation in DROPOUT:
        return "no dropout"
    if "Pooling" in operation:
        return "no pooling"
    if "Normalization" in operation:
        return "no normalization layers"
    if operation == "Embedding":
        return "no embeddings"
    if operation == "ActivityRegularization":
        return "no penalty of activations"
    if operation in ("Rescaling", "multiply"):
        return "no scaling inside its networks"
    return f"no {operation}"


def _require_dense(node: Node) -> None:
    operation = node.target
    if len(node.inputs[0].shape) != 2:
        raise operation.refuse("works on more than rows of numbers, which scikit-learn cannot")
    if "bias" not in operation.parameters:
        raise operation.refuse("has no bias: scikit-learn's layers always have one")
    if not operation.trainable:
        raise operation.refuse("is frozen: scikit-learn trains all layers")
    for name, value in operation.attributes.items():
        if name.endswith("_constraint") and value is not None:
            raise operation.refuse(f"has a {name}, which scikit-learn lacks")


def _l2(operation: Operation) -> float:
    from cornu.port.numpy.losses import regularizers

    l1, l2 = regularizers(operation)
    if l1 or "bias" in l2:
        what = "an L1 penalty" if l1 else "a penalty of its bias"
        raise operation.refuse(f"has {what}: scikit-learn has L2 penalties of kernels only")
    return l2.get("kernel", 0.0)


def require_loss(loss: Loss, chain: Chain) -> None:
    """Refuses a loss that scikit-learn lacks.

    Args:
        loss: of logits, where it is a cross-entropy, as `logits_out` makes it.
        chain: the network without what `logits_out` takes away.
    """
    wanted = _HEADS.get(loss.kind)
    if wanted is None:
        known = "cross-entropy and the mean squared error"
        raise PortError(f"the loss {loss.kind}: scikit-learn has {known}")
    if wanted != "linear" and not loss.settings.get("from_logits"):
        raise PortError(
            f"the loss {loss.kind} takes the output of {chain.head} as probabilities: "
            f"scikit-learn has {wanted} before it"
        )
    if chain.head != "linear":
        raise PortError(
            f"{chain.head} before the loss {loss.kind}, which applies {wanted} itself: "
            f"scikit-learn has {wanted} alone"
        )
    if loss.weight != 1 or loss.settings.get("reduction", "mean") not in (
        "sum_over_batch_size",
        "mean",
    ):
        raise PortError(f"the loss {loss.kind} is weighted or summed: scikit-learn takes the mean")
    for name in ("label_smoothing", "class_weight", "ignore_class", "pos_weight", "weight"):
        if loss.settings.get(name) not in (None, 0, 0.0):
            raise PortError(f"the loss {loss.kind} has {name}, which scikit-learn lacks")


def checked_optimizer(training: Training) -> Optimizer:
    """The optimizer of a training, where scikit-learn has it with all its settings.

    Raises:
        PortError: what it lacks.
    """
    optimizer = training.optimizer
    if optimizer is None or optimizer.kind not in SETTINGS:
        kind = optimizer.kind if optimizer else "none"
        raise PortError(f"the optimizer {kind}: scikit-learn has SGD and Adam")
    if isinstance(optimizer.settings.get("learning_rate"), Schedule):
        kind = optimizer.settings["learning_rate"].kind
        raise PortError(
            f"the learning rate is {kind}: scikit-learn has no such schedule",
            None,
            "Give the optimizer a number",
        )
    for name, value in optimizer.settings.items():
        if name not in _IDLE and name not in SETTINGS[optimizer.kind] and value:
            raise PortError(f"{optimizer.kind} has {name}={value!r}, which scikit-learn lacks")
    return optimizer
