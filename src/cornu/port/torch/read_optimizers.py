"""Reading PyTorch's optimizers and learning-rate schedulers.

Facts and formulas: the documentation of `torch.optim` and `torch.optim.lr_scheduler`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from cornu.port.network import PortError
from cornu.port.training import Optimizer, Schedule


def read_optimizer(given: Any, notes: list[str]) -> Optimizer:
    """An optimizer of torch.optim, every setting written out.

    Args:
        given: the optimizer.
        notes: where what a user should know is added.

    Raises:
        PortError: one without a counterpart, or with groups of parameters that differ.
    """
    import torch

    name = type(given).__name__
    if not isinstance(given, torch.optim.Optimizer):
        raise PortError(f"expected an optimizer of torch.optim, received {name}")
    reader = _OPTIMIZERS.get(name)
    if reader is None or not type(given).__module__.startswith("torch.optim"):
        raise PortError(f"the optimizer {name} has no counterpart in Keras")
    first, *others = given.param_groups
    settings = {key: value for key, value in first.items() if key not in ("params", "param_names")}
    for group in others:
        for key, value in settings.items():
            if group.get(key) != value:
                raise PortError(
                    f"the optimizer's groups of parameters differ in {key}: {value} and "
                    f"{group.get(key)}",
                    None,
                    "Keras' optimizers treat all weights alike",
                )
    if settings.get("maximize"):
        raise PortError(f"{name}(maximize=True) has no counterpart", None, "Negate the loss")
    if given.state:
        notes.append("the optimizer's state is left behind: the port starts with a fresh one")
    rate = float(settings.get("initial_lr", settings["lr"]))
    kind, made = reader({**settings, "lr": rate})
    # the formulas of NAdam with this setting, and of Adadelta, are Keras'
    formula = {} if kind in ("Nadam", "Adadelta") else {"formula": "torch"}
    return Optimizer(kind, {"learning_rate": rate, **made, **formula})


def _l2(settings: dict) -> dict[str, Any]:
    decay = float(settings.get("weight_decay") or 0.0)
    return {"weight_decay": None, "l2": decay}


def _sgd(settings: dict) -> tuple[str, dict]:
    return "SGD", {
        "momentum": float(settings["momentum"]),
        "nesterov": bool(settings["nesterov"]),
        "dampening": float(settings["dampening"]),
        **_l2(settings),
    }


def _betas(settings: dict) -> dict[str, Any]:
    first, second = settings["betas"]
    return {"beta_1": float(first), "beta_2": float(second), "epsilon": float(settings["eps"])}


def _adam(settings: dict) -> tuple[str, dict]:
    made = {**_betas(settings), "amsgrad": bool(settings["amsgrad"])}
    if settings.get("decoupled_weight_decay"):
        return _adamw(settings)
    return "Adam", {**made, **_l2(settings)}


def _adamw(settings: dict) -> tuple[str, dict]:
    made = {**_betas(settings), "amsgrad": bool(settings["amsgrad"])}
    return "AdamW", {**made, "weight_decay": float(settings["weight_decay"])}


def _rmsprop(settings: dict) -> tuple[str, dict]:
    return "RMSprop", {
        "rho": float(settings["alpha"]),
        "momentum": float(settings["momentum"]),
        "epsilon": float(settings["eps"]),
        "centered": bool(settings["centered"]),
        **_l2(settings),
    }


def _adagrad(settings: dict) -> tuple[str, dict]:
    made = {
        "initial_accumulator_value": float(settings["initial_accumulator_value"]),
        "epsilon": float(settings["eps"]),
        **_l2(settings),
    }
    if settings["lr_decay"]:
        made["learning_rate"] = Schedule(
            "InverseTimeDecay",
            {
                "initial_learning_rate": float(settings["lr"]),
                "decay_steps": 1,
                "decay_rate": float(settings["lr_decay"]),
                "staircase": False,
            },
        )
    return "Adagrad", made


def _adadelta(settings: dict) -> tuple[str, dict]:
    made = {"rho": float(settings["rho"]), "epsilon": float(settings["eps"])}
    return "Adadelta", {**made, **_l2(settings)}


def _adamax(settings: dict) -> tuple[str, dict]:
    return "Adamax", {**_betas(settings), **_l2(settings)}


def _nadam(settings: dict) -> tuple[str, dict]:
    if settings["momentum_decay"] != 1:
        raise PortError(
            f"NAdam(momentum_decay={settings['momentum_decay']}) has no counterpart: Keras' Nadam "
            "is that of momentum_decay=1",
            None,
            "Set momentum_decay=1, or use Adam",
        )
    decay = _l2(settings)
    if settings.get("decoupled_weight_decay"):
        decay = {"weight_decay": decay["l2"], "l2": 0.0}
    return "Nadam", {**_betas(settings), **decay}


_OPTIMIZERS: dict[str, Callable[[dict], tuple[str, dict]]] = {
    "SGD": _sgd,
    "Adam": _adam,
    "AdamW": _adamw,
    "RMSprop": _rmsprop,
    "Adagrad": _adagrad,
    "Adadelta": _adadelta,
    "Adamax": _adamax,
    "NAdam": _nadam,
}


# -- schedules ---------------------------------------------------------------------------------


def read_schedule(given: Any, steps: int | None, notes: list[str]) -> Schedule:
    """A scheduler of torch.optim.lr_scheduler, counted in optimizer steps.

    Args:
        given: the scheduler, which has taken no step yet.
        steps: how many optimizer steps there are for one of its own.
        notes: where what a user should know is added.

    Raises:
        PortError: one without a counterpart.
    """
    name = type(given).__name__
    reader = _SCHEDULES.get(name)
    if reader is None:
        advice = "Keras has the callback ReduceLROnPlateau" if "Plateau" in name else ""
        raise PortError(f"the learning-rate schedule {name} has no counterpart", None, advice)
    if steps is None:
        raise PortError(
            f"{name} counts its own steps",
            None,
            "Give steps_per_epoch: how many optimizer steps there are for one of the scheduler's",
        )
    if given.last_epoch > 0:
        raise PortError(
            f"{name} has already taken {given.last_epoch} steps", None, "Give a new one"
        )
    if len(set(given.base_lrs)) > 1:
        raise PortError(f"{name} has several learning rates: {given.base_lrs}")
    return reader(given, float(given.base_lrs[0]), steps, notes)


def _exponential(given: Any, rate: float, steps: int, notes: list[str]) -> Schedule:
    every = getattr(given, "step_size", 1) * steps
    settings = {"initial_learning_rate": rate, "decay_steps": every, "decay_rate": given.gamma}
    return Schedule("ExponentialDecay", {**settings, "staircase": True})


def _piecewise(values: list[float], starts: list[int], steps: int) -> Schedule:
    """Values, each from an epoch on. Keras' boundaries are the last steps before a change."""
    kept = [0] + [n for n in range(1, len(values)) if values[n] != values[n - 1]]
    boundaries = [starts[n] * steps - 1 for n in kept[1:]]
    settings = {"boundaries": boundaries, "values": [values[n] for n in kept]}
    return Schedule("PiecewiseConstantDecay", settings)


def _multi_step(given: Any, rate: float, steps: int, notes: list[str]) -> Schedule:
    values, starts = [rate], [0]
    for epoch in sorted(given.milestones):
        values.append(values[-1] * given.gamma ** given.milestones[epoch])
        starts.append(epoch)
    return _piecewise(values, starts, steps)


def _cosine(given: Any, rate: float, steps: int, notes: list[str]) -> Schedule:
    notes.append(
        f"CosineAnnealingLR rises again after {given.T_max} of its steps; the port stays at its end"
    )
    low, length = float(given.eta_min), int(given.T_max)
    if steps == 1:
        settings = {"initial_learning_rate": rate, "decay_steps": length, "alpha": low / rate}
        return Schedule("CosineDecay", {**settings, "warmup_target": None, "warmup_steps": 0})
    values = [
        low + (rate - low) * (1 + math.cos(math.pi * epoch / length)) / 2
        for epoch in range(length + 1)
    ]
    return _piecewise(values, list(range(length + 1)), steps)


def _linear(given: Any, rate: float, steps: int, notes: list[str]) -> Schedule:
    first, last, length = given.start_factor, given.end_factor, given.total_iters
    values = [rate * (first + (last - first) * n / length) for n in range(length + 1)]
    return _piecewise(values, list(range(length + 1)), steps)


def _constant(given: Any, rate: float, steps: int, notes: list[str]) -> Schedule:
    return _piecewise([rate * given.factor, rate], [0, given.total_iters], steps)


def _polynomial(given: Any, rate: float, steps: int, notes: list[str]) -> Schedule:
    length = given.total_iters
    if steps == 1:
        settings = {"initial_learning_rate": rate, "decay_steps": length, "end_learning_rate": 0.0}
        return Schedule("PolynomialDecay", {**settings, "power": given.power, "cycle": False})
    values = [rate * (1 - n / length) ** given.power for n in range(length + 1)]
    return _piecewise(values, list(range(length + 1)), steps)


_SCHEDULES: dict[str, Callable] = {
    "StepLR": _exponential,
    "ExponentialLR": _exponential,
    "MultiStepLR": _multi_step,
    "CosineAnnealingLR": _cosine,
    "LinearLR": _linear,
    "ConstantLR": _constant,
    "PolynomialLR": _polynomial,
}
