"""How a network is trained, given to a Cornu model."""

from __future__ import annotations

import inspect
from typing import Any

from cornu import losses, optimizers
from cornu.core import naming
from cornu.optimizers import schedules
from cornu.port.keras import torch_optimizers
from cornu.port.kinds import STATISTICS
from cornu.port.network import Network, PortError
from cornu.port.training import Loss, Optimizer, Schedule, Training

# Settings that only other frameworks' optimizers have, and the value that means nothing.
_FOREIGN = {"l2": 0.0, "dampening": 0.0, "formula": None, "exclude_from_weight_decay": None}


def compile_model(model: Any, training: Training) -> None:
    """Compiles a model with losses, optimizer and metrics."""
    made = [None if loss is None else make_loss(loss) for loss in training.losses]
    weights = [1.0 if loss is None else loss.weight for loss in training.losses]
    one = len(made) == 1
    known = [name for name in training.metrics if _is_metric(name)]
    model.compile(
        optimizer=make_optimizer(training.optimizer) if training.optimizer else "rmsprop",
        loss=made[0] if one else made,
        loss_weights=None if all(weight == 1 for weight in weights) else weights,
        metrics=known if one else None,
    )


def _is_metric(name: str) -> bool:
    from cornu import metrics

    try:
        metrics.get(name)
    except ValueError:
        return name in ("accuracy", "crossentropy")
    return True


def make_loss(loss: Loss) -> Any:
    """The object of `cornu.losses` for a loss."""
    cls = loss_class(loss.kind)
    if cls is None:
        raise PortError(f"the loss {loss.kind!r} has no counterpart in Keras")
    return cls(**loss_arguments(loss))


def loss_arguments(loss: Loss) -> dict[str, Any]:
    """The arguments of Keras' class for a loss.

    Args:
        loss: with the classes' axis as `keras_form` gives it, -1 being the last.

    Raises:
        PortError: settings that Keras' class lacks.
    """
    known = inspect.signature(loss_class(loss.kind)).parameters
    given = {name: value for name, value in loss.settings.items() if value is not None}
    for name in ("class_weight", "pos_weight"):
        if name in given:
            raise PortError(
                f"the loss {loss.kind!r} has {name}, which Keras' losses lack",
                None,
                "Port it without, and pass class_weight to fit",
            )
    return {name: value for name, value in given.items() if name in known}


def loss_class(kind: str) -> Any:
    """The class of `cornu.losses` whose name in snake case is given, or None."""
    for name in losses.__all__:
        found = getattr(losses, name)
        if inspect.isclass(found) and naming.to_snake_case(name) == kind:
            return found
    return _LOSS_CLASSES.get(kind)


_LOSS_CLASSES = {"kl_divergence": losses.KLDivergence, "log_cosh": losses.LogCosh}


def make_optimizer(optimizer: Optimizer) -> Any:
    """The object of `cornu.optimizers`, or of `torch_optimizers`, for an optimizer."""
    cls = optimizer_class(optimizer)
    settings = dict(optimizer.settings)
    if settings.get("dampening"):
        raise PortError(f"{optimizer.kind}(dampening={settings['dampening']}) is not Keras'")
    excluded = settings.get("exclude_from_weight_decay")
    arguments = {name: value for name, value in settings.items() if name not in _FOREIGN}
    rate = arguments.get("learning_rate")
    if isinstance(rate, Schedule):
        arguments["learning_rate"] = make_schedule(rate)
    made = cls(**arguments)
    if excluded:
        made.exclude_from_weight_decay(var_names=excluded)
    return made


def optimizer_class(optimizer: Optimizer) -> Any:
    """The class that has the optimizer's formula."""
    if optimizer.settings.get("formula") == "torch":
        found = torch_optimizers.CLASSES.get(optimizer.kind)
        if found is not None:
            return found
    found = getattr(optimizers, optimizer.kind, None)
    if found is None:
        raise PortError(f"the optimizer {optimizer.kind} has no counterpart in Keras")
    return found


def make_schedule(schedule: Schedule) -> Any:
    """The object of `cornu.optimizers.schedules` for a schedule."""
    cls = getattr(schedules, schedule.kind, None)
    if cls is None:
        raise PortError(f"the learning-rate schedule {schedule.kind} has no counterpart in Keras")
    return cls(**schedule.settings)


def penalized(network: Network) -> Network:
    """The network with PyTorch's `weight_decay` as penalties on its weights.

    PyTorch adds `weight_decay * weight` to each gradient, before an optimizer sees it; so does a
    penalty of `weight_decay / 2 * sum(weight ** 2)`, which Keras has as a regularizer. It is not
    what Keras calls weight_decay, which leaves gradients alone.
    """
    optimizer = network.training.optimizer if network.training is not None else None
    decay = float(optimizer.settings.get("l2") or 0.0) if optimizer is not None else 0.0
    if not decay:
        return network
    made: dict[int, Any] = {}

    def make(node, args):
        from cornu.port.network import apply

        if id(node.target) not in made:
            copy = node.target.copy()
            for name in copy.parameters:
                if name not in STATISTICS and copy.trainable:
                    setting = f"{name}_regularizer"
                    before = copy.attributes.get(setting)
                    if before is not None:
                        raise copy.refuse("has a regularizer, and its optimizer a weight_decay")
                    copy.attributes[setting] = {"class_name": "L2", "config": {"l2": decay / 2}}
            made[id(node.target)] = copy
        out = node.outputs[0]
        return apply(made[id(node.target)], *args, shape=out.shape, dtype=out.dtype)

    training = network.training.copy()  # type: ignore[union-attr]
    settings = {name: value for name, value in optimizer.settings.items() if name != "l2"}  # type: ignore[union-attr]
    training.optimizer = Optimizer(optimizer.kind, settings)  # type: ignore[union-attr]
    return network.rebuild(make, training)
