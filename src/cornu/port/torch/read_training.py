"""Reading how a PyTorch module is trained.

Facts and formulas: the documentation of the losses of `torch.nn`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from cornu.graph.tensor import KerasTensor
from cornu.port.kinds import STATISTICS
from cornu.port.network import Network, PortError
from cornu.port.torch.read_optimizers import read_optimizer, read_schedule
from cornu.port.training import Loss, Training


def read_training(
    network: Network,
    module: Any,
    loss: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    steps_per_epoch: int | None = None,
) -> tuple[Training, list[str]]:
    """How a network that was read from PyTorch is trained, and what a user should know of it.

    Args:
        network: as `read_torch` gives it. What the optimizer does not train is marked in it.
        module: the torch.nn.Module, or None.
        loss: a loss of torch.nn, a function of torch.nn.functional (or a functools.partial of
            one), or a list of these, one for each output.
        optimizer: of torch.optim.
        scheduler: of torch.optim.lr_scheduler.
        steps_per_epoch: how many optimizer steps there are between two of the scheduler.

    Raises:
        PortError: what has no counterpart, by name.
    """
    notes: list[str] = []
    given = list(loss) if isinstance(loss, (list, tuple)) else [loss]
    if len(given) != len(network.outputs):
        raise PortError(
            f"{len(given)} loss for {len(network.outputs)} outputs",
            None,
            "Give a list of one loss for each output, None for an output without",
        )
    losses = [
        None if one is None else _loss(one, output, notes)
        for one, output in zip(given, network.outputs, strict=True)
    ]
    training = Training(losses)
    if optimizer is not None:
        training.optimizer = read_optimizer(optimizer, notes)
        if module is not None:
            _mark_trained(network, module, optimizer, notes)
    if scheduler is not None:
        if training.optimizer is None:
            raise PortError("a scheduler without an optimizer", None, "Give the optimizer as well")
        rate = read_schedule(scheduler, steps_per_epoch, notes)
        training.optimizer.settings["learning_rate"] = rate
    if len(losses) == 1 and losses[0] is not None and "crossentropy" in losses[0].kind:
        training.metrics = ["accuracy"]
    return training, notes


# -- losses ----------------------------------------------------------------------------------------

# Functions of torch.nn.functional and the classes of torch.nn that call them.
_FUNCTIONS = {
    "cross_entropy": "CrossEntropyLoss",
    "nll_loss": "NLLLoss",
    "binary_cross_entropy": "BCELoss",
    "binary_cross_entropy_with_logits": "BCEWithLogitsLoss",
    "mse_loss": "MSELoss",
    "l1_loss": "L1Loss",
    "smooth_l1_loss": "SmoothL1Loss",
    "huber_loss": "HuberLoss",
    "poisson_nll_loss": "PoissonNLLLoss",
    "multilabel_soft_margin_loss": "MultiLabelSoftMarginLoss",
}


def _loss(given: Any, output: KerasTensor, notes: list[str]) -> Loss:
    name, settings = _settings_of(given)
    reader = _LOSSES.get(name)
    if reader is None:
        raise PortError(f"the loss {name} has no counterpart in Keras")
    reduction = settings.pop("reduction", "mean")
    if reduction not in ("mean", "sum"):
        raise PortError(f"{name}(reduction={reduction!r}) gives no single number")
    return reader(name, settings, reduction, output, notes)


def _settings_of(given: Any) -> tuple[str, dict[str, Any]]:
    """The class of a loss and its settings, each written out."""
    import torch

    if isinstance(given, type):
        raise PortError(f"the loss is the class {given.__name__}", None, "Give an object of it")
    if isinstance(given, torch.nn.Module):
        name = type(given).__name__
        if not type(given).__module__.startswith("torch.nn."):
            raise PortError(
                f"the loss {name} is a class of your own", None, "Port the network without it"
            )
        found = {key: getattr(given, key) for key in getattr(given, "__constants__", ())}
        for key in ("weight", "pos_weight", "beta", "delta"):
            if hasattr(given, key):
                found[key] = getattr(given, key)
        return name, found
    arguments: dict[str, Any] = {}
    if isinstance(given, functools.partial):
        if given.args:
            raise PortError("a partial loss with positional arguments", None, "Name them")
        given, arguments = given.func, dict(given.keywords)
    title = getattr(given, "__name__", type(given).__name__)
    is_known = title in _FUNCTIONS and getattr(torch.nn.functional, title, None) is given
    if not is_known:
        raise PortError(
            f"the loss {title} is a function of your own", None, "Port the network without it"
        )
    defaults = {
        key: one.default
        for key, one in inspect.signature(given).parameters.items()
        if one.default is not inspect.Parameter.empty
    }
    return _FUNCTIONS[title], {**defaults, **arguments}


def _keras_reduction(reduction: str) -> str:
    return "sum_over_batch_size" if reduction == "mean" else "sum"


def _list(value: Any) -> list[float]:
    return [float(one) for one in value.detach().cpu().reshape(-1).tolist()]


def _class_axis(output: KerasTensor) -> int:
    return 1 if output.ndim > 1 else 0


def _cross_entropy(
    name: str, settings: dict, reduction: str, output: KerasTensor, notes: list[str]
) -> Loss:
    smoothing = float(settings.get("label_smoothing") or 0.0)
    if _activation_of(output) == "softmax" and name == "CrossEntropyLoss":
        notes.append(
            "the network ends in softmax and CrossEntropyLoss applies softmax again; the port "
            "does so too"
        )
    made: dict[str, Any] = {
        "from_logits": True,
        "axis": _class_axis(output),
        "reduction": _keras_reduction(reduction),
    }
    if settings.get("weight") is not None:
        made["class_weight"] = _list(settings["weight"])
        if reduction == "mean":  # PyTorch divides by the sum of the weights of the samples
            made["reduction"] = "mean_with_sample_weight"
    ignored = int(settings.get("ignore_index", -100))
    if smoothing:
        if settings.get("weight") is not None or ignored >= 0:
            raise PortError(
                f"{name} with label_smoothing and weight or ignore_index has no counterpart"
            )
        notes.append("label smoothing: in Keras labels are one-hot (keras.utils.to_categorical)")
        return Loss("categorical_crossentropy", {**made, "label_smoothing": smoothing})
    made["ignore_class"] = ignored if ignored != -100 else None
    return Loss("sparse_categorical_crossentropy", made)


def _nll(name: str, settings: dict, reduction: str, output: KerasTensor, notes: list[str]) -> Loss:
    # log_softmax of log-probabilities leaves them as they are: they are logits as well
    if not _gives_log_probabilities(output):
        raise PortError(
            "NLLLoss expects log-probabilities, and the network does not end in log_softmax over "
            "the classes",
            None,
            "End it in log_softmax(dim=1), or use CrossEntropyLoss",
        )
    return _cross_entropy(name, settings, reduction, output, notes)


def _activation_of(output: KerasTensor) -> str | None:
    """The activation function that gives an output over its classes."""
    node = output.node
    if node.operation != "activation" or node.attributes.get("axis", 1) != 1:
        return None
    return node.attributes["function"]


def _gives_log_probabilities(output: KerasTensor) -> bool:
    if output.node.operation == "log":
        return _activation_of(output.node.inputs[0]) == "softmax"
    return _activation_of(output) == "log_softmax"


def _binary(
    name: str, settings: dict, reduction: str, output: KerasTensor, notes: list[str]
) -> Loss:
    if settings.get("weight") is not None:
        raise PortError(f"{name} with weight (of each element) has no counterpart")
    made: dict[str, Any] = {
        "from_logits": name != "BCELoss",
        "label_smoothing": 0.0,
        "axis": _class_axis(output),
        "reduction": _keras_reduction(reduction),
    }
    if made["from_logits"] and _activation_of(output) == "sigmoid":
        notes.append(
            f"the network ends in sigmoid and {name} applies sigmoid again; the port does so too"
        )
    if settings.get("pos_weight") is not None:
        weights = _list(settings["pos_weight"])
        made["pos_weight"] = weights[0] if len(weights) == 1 else weights
    return Loss("binary_crossentropy", made, _times(name, reduction, output))


def _times(name: str, reduction: str, output: KerasTensor) -> float:
    """PyTorch sums all elements; Keras sums the means over the last axis."""
    if reduction == "mean":
        return 1.0
    if output.ndim != 2 or output.shape[1] is None:
        raise PortError(
            f"{name}(reduction='sum') of outputs of shape {output.shape} has no counterpart"
        )
    return float(output.shape[1])


def _elementwise(kind: str) -> Callable:
    def read(
        name: str, settings: dict, reduction: str, output: KerasTensor, notes: list[str]
    ) -> Loss:
        if settings.get("weight") is not None:
            raise PortError(f"{name} with weight (of each element) has no counterpart")
        made = {"reduction": _keras_reduction(reduction)}
        return Loss(kind, made, _times(name, reduction, output))

    return read


def _huber(
    name: str, settings: dict, reduction: str, output: KerasTensor, notes: list[str]
) -> Loss:
    if settings.get("weight") is not None:
        raise PortError(f"{name} with weight (of each element) has no counterpart")
    times = _times(name, reduction, output)
    made = {"reduction": _keras_reduction(reduction)}
    if name == "HuberLoss":
        return Loss("huber", {"delta": float(settings.get("delta", 1.0)), **made}, times)
    beta = float(settings.get("beta", 1.0))
    if beta == 0:
        return Loss("mean_absolute_error", made, times)
    return Loss("huber", {"delta": beta, **made}, times / beta)  # SmoothL1 is Huber / beta


def _poisson(
    name: str, settings: dict, reduction: str, output: KerasTensor, notes: list[str]
) -> Loss:
    # Keras adds 1e-7 to the logarithm's argument
    if settings.get("log_input", True) or settings.get("full") or settings.get("eps") != 1e-7:
        raise PortError(
            "PoissonNLLLoss is Keras' Poisson only with log_input=False, full=False, eps=1e-7"
        )
    made = {"reduction": _keras_reduction(reduction)}
    return Loss("poisson", made, _times(name, reduction, output))


_LOSSES: dict[str, Callable] = {
    "CrossEntropyLoss": _cross_entropy,
    "NLLLoss": _nll,
    "NLLLoss2d": _nll,
    "BCELoss": _binary,
    "BCEWithLogitsLoss": _binary,
    "MultiLabelSoftMarginLoss": _binary,
    "MSELoss": _elementwise("mean_squared_error"),
    "L1Loss": _elementwise("mean_absolute_error"),
    "SmoothL1Loss": _huber,
    "HuberLoss": _huber,
    "PoissonNLLLoss": _poisson,
}


def _mark_trained(network: Network, module: Any, optimizer: Any, notes: list[str]) -> None:
    """Marks the layers whose weights the optimizer does not hold."""
    held = {id(one) for group in optimizer.param_groups for one in group["params"]}
    parameters = dict(module.named_parameters(remove_duplicate=False))
    if not any(id(one) in held for one in parameters.values()):
        raise PortError(
            "the optimizer holds none of the module's parameters",
            None,
            "Make it over module.parameters()",
        )
    for operation in network.operations:
        trained = {
            origin.key: id(parameters[origin.key]) in held
            for name, origin in operation.origins.items()
            if name not in STATISTICS and origin.key in parameters
        }
        if not trained:
            continue
        if any(trained.values()) and not all(trained.values()):
            left = next(key for key, one in trained.items() if not one)
            raise operation.refuse(f"has a weight that the optimizer does not hold: {left!r}")
        operation.trainable = operation.trainable and all(trained.values())
        if operation.kind == "BatchNormalization" and not operation.trainable:
            notes.append(
                f"{operation.name} is frozen: in Keras it then uses its moving averages in "
                "training, and leaves them; PyTorch does so after eval() only"
            )
