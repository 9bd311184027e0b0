"""Optimizers and learning-rate schedules of Keras in a PyTorch program.

Where `torch.optim` has Keras' formula it is used, every argument written out. Where it has not, and
the weights would part by more than 1e-6 within 20 steps, the program brings a class of its own,
whose name begins with Keras.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from cornu.port.network import PortError
from cornu.port.source_text import Code, call, chosen, literal
from cornu.port.torch.source_classes import (
    ADAM,
    ADAMAX,
    CLIP_ALL,
    CLIP_EACH,
    CLIP_VALUES,
    DECAYING,
    LION,
    RMSPROP,
    SGD,
)
from cornu.port.torch.source_schedules import schedule_source
from cornu.port.training import Optimizer, Schedule


@dataclasses.dataclass
class OptimizerSource:
    """The part of a program that moves the weights.

    Attributes:
        classes: a class of the program's own, or "".
        make: what constructs the optimizer, given `model`.
        schedule: the functions `learning_rate` and `make_scheduler`, or "".
        clip: the function `clip_gradients`, or "".
        modules: what has to be imported besides torch.
        comment: what was translated, or "".
    """

    classes: str = ""
    make: str = ""
    schedule: str = ""
    clip: str = ""
    modules: frozenset[str] = frozenset()
    comment: str = ""


def optimizer_source(optimizer: Optimizer) -> OptimizerSource:
    """The source of an optimizer; PortError for one that PyTorch lacks."""
    settings = dict(optimizer.settings)
    for name in ("use_ema", "gradient_accumulation_steps", "exclude_from_weight_decay"):
        if settings.get(name):
            raise PortError(f"{optimizer.kind}({name}={settings[name]!r}) cannot be carried over")
    made = OptimizerSource()
    rate = settings["learning_rate"]
    if isinstance(rate, Schedule):
        made.schedule, modules = schedule_source(rate)
        made.modules = frozenset(modules)
        settings["learning_rate"] = 1.0
        made.comment = "make_scheduler multiplies lr by learning_rate(step)"
    settings["scheduled"] = isinstance(rate, Schedule)
    maker = _OPTIMIZERS.get(optimizer.kind)
    if maker is None:
        raise PortError(f"the optimizer {optimizer.kind} has no counterpart in PyTorch")
    name, given, classes, comment = maker(settings, settings.get("formula") != "torch")
    made.make = call(name, [Code("model.parameters()")], given)
    made.classes = classes.strip("\n")
    made.comment = "; ".join(part for part in (comment, made.comment) if part)
    made.clip = _clip(settings)
    return made


def _clip(settings: dict[str, Any]) -> str:
    """The function that clips gradients, or "".

    PyTorch's clip_grad_norm_ divides by the norm + 1e-6: 20 steps part by 2e-7.
    """
    if settings.get("clipnorm"):
        return _own(CLIP_EACH, set(), limit=literal(settings["clipnorm"]))
    if settings.get("global_clipnorm"):
        return _own(CLIP_ALL, set(), limit=literal(settings["global_clipnorm"]))
    if settings.get("clipvalue"):
        return _own(CLIP_VALUES, set(), limit=literal(settings["clipvalue"]))
    return ""


# -- optimizers: (settings, whether the formula is Keras') -> name, arguments, class, comment ------


def _own(template: str, flags: set[str], **words: str) -> str:
    text = chosen(template, frozenset(flags)).strip("\n")
    for word, value in words.items():
        text = text.replace(f"<{word}>", value)
    return text


def _decaying(kind: str, decay: float | None, given: dict[str, Any]) -> tuple[str, dict, str]:
    """One of PyTorch's optimizers; where Keras' weight_decay is set, with that."""
    if not decay:
        return f"torch.optim.{kind}", given, ""
    text = _own(DECAYING, set(), kind=kind)
    return f"Keras{kind}", {**given, "decay": decay}, text


def _l2(settings: dict[str, Any]) -> dict[str, Any]:
    """What PyTorch calls weight_decay: added to the gradient."""
    return {"weight_decay": settings["l2"]} if settings.get("l2") else {}


def _sgd(settings: dict[str, Any], is_keras: bool) -> tuple[str, dict, str, str]:
    momentum, decay = settings.get("momentum") or 0.0, settings.get("weight_decay") or 0.0
    nesterov = bool(settings.get("nesterov")) and bool(momentum)
    given: dict[str, Any] = {"lr": settings["learning_rate"], "momentum": momentum}
    if nesterov:
        given["nesterov"] = True
    if is_keras and momentum and settings["scheduled"]:
        given.pop("nesterov", None)
        return _with_class("SGD", SGD, settings, given, *(["nesterov"] * nesterov))
    if settings.get("dampening"):
        given["dampening"] = settings["dampening"]
    given.update(_l2(settings))
    if decay and not momentum and not settings.get("l2"):
        # without momentum a decayed weight and a gradient with the weight added are the same
        return "torch.optim.SGD", {**given, "weight_decay": decay}, "", ""
    return (*_decaying("SGD", decay, given), "")


def _adam(kind: str):
    def make(settings: dict[str, Any], is_keras: bool) -> tuple[str, dict, str, str]:
        decay = settings.get("weight_decay") or 0.0
        base = "AdamW" if decay or kind == "AdamW" else "Adam"
        given: dict[str, Any] = {
            "lr": settings["learning_rate"],
            "betas": (settings["beta_1"], settings["beta_2"]),
            "eps": settings["epsilon"],
        }
        if base == "AdamW":
            given["weight_decay"] = decay
            if settings.get("l2"):
                raise PortError(f"{kind} with both weight_decay and l2 cannot be carried over")
        else:
            given.update(_l2(settings))
        if settings.get("amsgrad"):
            given["amsgrad"] = True
        if not is_keras:
            return f"torch.optim.{base}", given, "", ""
        return f"Keras{base}", given, _own(ADAM, set(), kind=base), ""

    return make


def _nadam(settings: dict[str, Any], is_keras: bool) -> tuple[str, dict, str, str]:
    given: dict[str, Any] = {
        "lr": settings["learning_rate"],
        "betas": (settings["beta_1"], settings["beta_2"]),
        "eps": settings["epsilon"],
        "momentum_decay": settings.get("momentum_decay", 1.0 if is_keras else 4e-3),
    }
    if settings.get("weight_decay"):
        given.update(weight_decay=settings["weight_decay"], decoupled_weight_decay=True)
    else:
        given.update(_l2(settings))
    comment = "Keras' momentum schedule is PyTorch's with momentum_decay=1" if is_keras else ""
    return "torch.optim.NAdam", given, "", comment


def _adamax(settings: dict[str, Any], is_keras: bool) -> tuple[str, dict, str, str]:
    given = {
        "lr": settings["learning_rate"],
        "betas": (settings["beta_1"], settings["beta_2"]),
        "eps": settings["epsilon"],
        **_l2(settings),
    }
    if not is_keras:
        return "torch.optim.Adamax", given, "", ""
    given.pop("weight_decay", None)
    return _with_class("Adamax", ADAMAX, settings, given)


def _with_class(
    kind: str, template: str, settings: dict[str, Any], given: dict[str, Any], *flags: str
) -> tuple[str, dict, str, str]:
    wanted = set(flags)
    for flag, setting in (("decay", "weight_decay"), ("l2", "l2")):
        if settings.get(setting):
            wanted.add(flag)
            given[flag] = settings[setting]
    arguments = ", ".join(["self", "params", *given])
    return f"Keras{kind}", given, _own(template, wanted, arguments=arguments), ""


def _rmsprop(settings: dict[str, Any], is_keras: bool) -> tuple[str, dict, str, str]:
    momentum, centered = settings.get("momentum") or 0.0, bool(settings.get("centered"))
    given: dict[str, Any] = {"lr": settings["learning_rate"]}
    if not is_keras:
        given.update(alpha=settings["rho"], eps=settings["epsilon"], momentum=momentum)
        given.update(centered=centered, **_l2(settings))
        return (*_decaying("RMSprop", settings.get("weight_decay"), given), "")
    given["rho"] = settings["rho"]
    flags = []
    if momentum:
        given["momentum"] = momentum
        flags.append("momentum")
    given["eps"] = settings["epsilon"]
    return _with_class("RMSprop", RMSPROP, settings, given, *flags, *(["centered"] * centered))


def _adagrad(settings: dict[str, Any], is_keras: bool) -> tuple[str, dict, str, str]:
    start, epsilon = settings.get("initial_accumulator_value", 0.0), settings["epsilon"]
    comment = ""
    if is_keras:
        # sqrt(start + sum + epsilon): exact with epsilon in the start
        comment = f"Keras adds its epsilon, {literal(epsilon)}, under the root: it is in the start"
        start, epsilon = round(start + epsilon, 15), 0.0
    given = {"lr": settings["learning_rate"], "initial_accumulator_value": start, "eps": epsilon}
    if settings.get("lr_decay"):
        given["lr_decay"] = settings["lr_decay"]
    given.update(_l2(settings))
    return (*_decaying("Adagrad", settings.get("weight_decay"), given), comment)


def _adadelta(settings: dict[str, Any], is_keras: bool) -> tuple[str, dict, str, str]:
    given = {
        "lr": settings["learning_rate"],
        "rho": settings["rho"],
        "eps": settings["epsilon"],
        **_l2(settings),
    }
    return (*_decaying("Adadelta", settings.get("weight_decay"), given), "")


def _lion(settings: dict[str, Any], is_keras: bool) -> tuple[str, dict, str, str]:
    given = {
        "lr": settings["learning_rate"],
        "betas": (settings["beta_1"], settings["beta_2"]),
    }
    return _with_class("Lion", LION, settings, given)


_OPTIMIZERS = {
    "SGD": _sgd,
    "Adam": _adam("Adam"),
    "AdamW": _adam("AdamW"),
    "Nadam": _nadam,
    "Adamax": _adamax,
    "RMSprop": _rmsprop,
    "Adagrad": _adagrad,
    "Adadelta": _adadelta,
    "Lion": _lion,
}
