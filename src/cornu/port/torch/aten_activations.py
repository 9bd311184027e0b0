"""Activation functions of PyTorch."""

from __future__ import annotations

from typing import Any

from cornu.graph.tensor import KerasTensor
from cornu.port.torch.aten import Call, aten

_PLAIN = {
    "relu": "relu",
    "relu6": "relu6",
    "selu": "selu",
    "sigmoid": "sigmoid",
    "log_sigmoid": "log_sigmoid",
    "hardsigmoid": "hard_sigmoid",
    "tanh": "tanh",
    "silu": "silu",
    "hardswish": "hard_silu",
    "mish": "mish",
}


def activation(call: Call, x: Any, function: str, **settings: Any) -> KerasTensor:
    """Applies an activation function."""
    return call.make("activation", call.tensor(x), function=function, **settings)


@aten(*_PLAIN)
def _plain(call: Call, self: Any) -> KerasTensor:
    return activation(call, self, _PLAIN[call.operation])


@aten("special_expit")
def _expit(call: Call, self: Any) -> KerasTensor:
    return activation(call, self, "sigmoid")


@aten("leaky_relu")
def _leaky_relu(call: Call, self: Any, negative_slope: float) -> KerasTensor:
    return activation(call, self, "leaky_relu", negative_slope=float(negative_slope))


@aten("rrelu")
def _rrelu(
    call: Call, self: Any, lower: float, upper: float, training: bool, generator: Any
) -> KerasTensor:
    raise call.refuse(
        "RReLU, which draws a slope at random while it trains, has no counterpart",
        "Use LeakyReLU",
    )


@aten("elu")
def _elu(call: Call, self: Any, alpha: float, scale: float, input_scale: float) -> KerasTensor:
    if scale != 1 or input_scale != 1:
        raise call.refuse(f"elu with scale={scale}, input_scale={input_scale}")
    return activation(call, self, "elu", alpha=float(alpha))


@aten("celu")
def _celu(call: Call, self: Any, alpha: float) -> KerasTensor:
    return activation(call, self, "celu", alpha=float(alpha))


@aten("gelu")
def _gelu(call: Call, self: Any, approximate: str) -> KerasTensor:
    return activation(call, self, "gelu", approximate=approximate == "tanh")


@aten("hardtanh")
def _hardtanh(call: Call, self: Any, min_val: float, max_val: float) -> KerasTensor:
    if (min_val, max_val) == (-1, 1):
        return activation(call, self, "hard_tanh")
    if (min_val, max_val) == (0, 6):
        return activation(call, self, "relu6")
    if min_val == 0:
        return activation(call, self, "relu", max_value=float(max_val))
    return call.make("clip", call.tensor(self), x_min=min_val, x_max=max_val)


@aten("softmax", "_softmax")
def _softmax(call: Call, self: Any, dim: int, **unused: Any) -> KerasTensor:
    x = call.operand(call.tensor(self), call.dtype)
    return activation(call, x, "softmax", axis=call.axis(dim))


@aten("log_softmax", "_log_softmax")
def _log_softmax(call: Call, self: Any, dim: int, **unused: Any) -> KerasTensor:
    x = call.operand(call.tensor(self), call.dtype)
    return activation(call, x, "log_softmax", axis=call.axis(dim))


@aten("softplus")
def _softplus(call: Call, self: Any, beta: float, threshold: float) -> KerasTensor:
    if beta == 1:
        return activation(call, self, "softplus")
    wide = call.make("multiply", call.tensor(self), beta, called="scaled")
    return call.make("true_divide", activation(call, wide, "softplus"), beta, called="rescaled")


@aten("hardshrink")
def _hardshrink(call: Call, self: Any, lambd: float) -> KerasTensor:
    return activation(call, self, "hard_shrink", threshold=float(lambd))


@aten("softshrink")
def _softshrink(call: Call, self: Any, lambd: float) -> KerasTensor:
    return activation(call, self, "soft_shrink", threshold=float(lambd))


@aten("threshold")
def _threshold(call: Call, self: Any, threshold: float, value: float) -> KerasTensor:
    return activation(
        call, self, "threshold", threshold=float(threshold), default_value=float(value)
    )


@aten("glu")
def _glu(call: Call, self: Any, dim: int) -> KerasTensor:
    return activation(call, self, "glu", axis=call.axis(dim))
