"""Activations, pooling and padding as functions of PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cornu.graph.node import Node
from cornu.port import kinds
from cornu.port.source_text import literal
from cornu.port.torch.source_expressions import PRODUCT, Arguments, Expression, function, method
from cornu.port.torch.source_modules import shortened, unless

# -- activations -----------------------------------------------------------------------------------


def _relu(settings: dict) -> str:
    slope, top = settings.get("negative_slope") or 0.0, settings.get("max_value")
    threshold = settings.get("threshold") or 0.0
    if not slope and not threshold:
        if top is None:
            return "F.relu({0})"
        return "F.relu6({0})" if top == 6 else function("torch.clamp", [], {"min": 0.0, "max": top})
    if not threshold:
        text = function("F.leaky_relu", [slope])
    elif not slope:
        text = function("F.threshold", [threshold, 0.0])
    else:
        below = f"{literal(slope)} * ({{0:1}} - {literal(threshold)})"
        text = f"torch.where({{0:1}} > {literal(threshold)}, {{0}}, {below})"
    return text if top is None else f"torch.clamp({text}, max={literal(top)})"


def _with(name: str, setting: str, key: str, default: Any) -> Callable[[dict], str]:
    def make(settings: dict) -> str:
        value = settings.get(setting, default)
        return function(name, [], unless({key: value}, **{key: default}))

    return make


def _along(name: str) -> Callable[[dict], str]:
    return lambda settings: function(name, [], {"dim": settings["axis"]})


_ACTIVATIONS: dict[str, str | Callable[[dict], str]] = {
    "relu": _relu,
    "relu6": "F.relu6({0})",
    "leaky_relu": lambda settings: function("F.leaky_relu", [settings["negative_slope"]]),
    "elu": _with("F.elu", "alpha", "alpha", 1.0),
    "selu": "F.selu({0})",
    "celu": _with("F.celu", "alpha", "alpha", 1.0),
    "gelu": lambda settings: function(
        "F.gelu", [], {"approximate": "tanh"} if settings.get("approximate") else {}
    ),
    "sigmoid": "torch.sigmoid({0})",
    "log_sigmoid": "F.logsigmoid({0})",
    "hard_sigmoid": "F.hardsigmoid({0})",
    "tanh": "torch.tanh({0})",
    "hard_tanh": "F.hardtanh({0})",
    "softmax": _along("F.softmax"),
    "log_softmax": _along("F.log_softmax"),
    "glu": _along("F.glu"),
    "softplus": "F.softplus({0})",
    "softsign": "F.softsign({0})",
    "silu": "F.silu({0})",
    "hard_silu": "F.hardswish({0})",
    "mish": "F.mish({0})",
    "exponential": "torch.exp({0})",
    "tanh_shrink": "F.tanhshrink({0})",
    "hard_shrink": _with("F.hardshrink", "threshold", "lambd", 0.5),
    "soft_shrink": _with("F.softshrink", "threshold", "lambd", 0.5),
    "threshold": lambda settings: function(
        "F.threshold", [settings["threshold"], settings["default_value"]]
    ),
}


def activation(node: Node, arguments: Arguments, settings: dict) -> str:
    made = _ACTIVATIONS.get(settings["function"])
    if made is None:
        raise node.target.refuse(f"is {settings['function']!r}, which PyTorch lacks")
    return made if isinstance(made, str) else made(settings)


# -- spatial ---------------------------------------------------------------------------------------


def pooling(node: Node, arguments: Arguments, settings: dict) -> str | Expression:
    rank = kinds.rank(node.operation)
    is_max = node.operation.startswith("Max")
    name = f"F.{'max' if is_max else 'avg'}_pool{rank}d"
    window, stride = shortened(settings["pool_size"]), shortened(settings["strides"])
    given = {"stride": stride, "padding": shortened(settings["padding"])}
    given["ceil_mode"] = settings["ceil_mode"]
    given = unless(given, stride=window, padding=0, ceil_mode=False)
    if not is_max and any(settings["padding"]) and not settings["count_padding"]:
        given["count_include_pad"] = False
    pooled = function(name, [window], given)
    if settings["uncounted"] is None:
        return pooled
    # means over zeros too, divided by the share of what is no added zero
    pads = _pads(((0, 0), (0, 0), *settings["uncounted"]))
    padded = pooled.replace("{0}", f"F.pad({{0}}, {literal(pads)})")
    share = pooled.replace("{0}", f"F.pad(torch.ones_like({{0}}), {literal(pads)})")
    return Expression(f"{padded} / {share}", PRODUCT)


def global_pooling(node: Node, arguments: Arguments, settings: dict) -> str:
    axes = tuple(range(2, node.inputs[0].ndim))
    keep = {"keepdim": True} if settings.get("keepdims") else {}
    name = "mean" if "Average" in node.operation else "amax"
    return method(name, [axes if len(axes) > 1 else axes[0]], keep)


def up_sampling(node: Node, arguments: Arguments, settings: dict) -> str:
    rank = kinds.rank(node.operation)
    size = settings["size"]
    size = shortened(size) if isinstance(size, (tuple, list)) else size
    interpolation = settings.get("interpolation", "nearest")
    if interpolation == "nearest":
        return function("F.interpolate", [], {"scale_factor": size})
    if interpolation != "bilinear":
        raise node.target.refuse(
            f"interpolates by {interpolation!r}, which PyTorch does with other weights"
        )
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[rank]
    return function("F.interpolate", [], {"scale_factor": size, "mode": mode})


def _pads(pad_width: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """What `F.pad` takes: pairs from the last axis on, as far as there is something to add."""
    pairs = [tuple(int(one) for one in pair) for pair in pad_width]
    while len(pairs) > 1 and not any(pairs[0]):
        pairs.pop(0)
    return tuple(one for pair in reversed(pairs) for one in pair)


def pad(node: Node, arguments: Arguments, settings: dict) -> str:
    width, mode = settings["pad_width"], settings.get("mode", "constant")
    if mode == "constant":
        given = unless({"value": settings.get("constant_values") or 0.0}, value=0.0)
        return function("F.pad", [_pads(width)], given)
    mode = {"edge": "replicate"}.get(mode, mode)
    if any(map(any, width[:2])) or not 3 <= len(width) <= 5 or mode not in ("replicate", "reflect"):
        raise node.target.refuse(f"with mode={mode!r} can only pad the spatial axes of images")
    pairs = tuple(one for pair in reversed(width[2:]) for one in pair)
    return function("F.pad", [pairs], {"mode": mode})


def zero_padding(node: Node, arguments: Arguments, settings: dict) -> str:
    return function("F.pad", [_pads(settings["padding"])])
