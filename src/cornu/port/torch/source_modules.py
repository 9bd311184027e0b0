"""The modules of a PyTorch program: what constructs each, and its entries of the state_dict."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.port import kinds
from cornu.port.network import Operation
from cornu.port.source_text import Code, call

# Attributes that every nn.Module has: none of its layers can have these names.
TAKEN = frozenset(
    {"add_module", "apply", "bfloat16", "buffers", "call_super_init", "children", "compile", "cpu"}
    | {"cuda", "double", "dump_patches", "eval", "extra_repr", "float", "forward", "get_buffer"}
    | {"get_extra_state", "get_parameter", "get_submodule", "half", "ipu", "load_state_dict"}
    | {"modules", "mtia", "named_buffers", "named_children", "named_modules", "named_parameters"}
    | {"parameters", "register_buffer", "register_module", "register_parameter", "requires_grad_"}
    | {"set_extra_state", "set_submodule", "share_memory", "state_dict", "to", "to_empty", "train"}
    | {"training", "type", "xpu", "zero_grad", "self", "T_destination"}
)


@dataclasses.dataclass
class Module:
    """A module, parameter or buffer of the network's class.

    Attributes:
        text: what constructs it: "nn.Linear(3, 4)".
        state: its entries of the state_dict, by the names there without the module's own; "" for
            what is a parameter or buffer itself.
        frozen: the parameters that are no weights of the network, as a scale of 1 that is not
            trained.
        origins: the weight of the operation that each entry comes from.
        helper: the class in the program that it is of, where that is none of PyTorch's.
        is_buffer: whether it is a buffer.
    """

    text: str
    state: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    origins: dict[str, str] = dataclasses.field(default_factory=dict)
    helper: str | None = None
    is_buffer: bool = False


def module_of(node: Node) -> Module | None:
    """The module that a node applies; None where it is a function."""
    operation: Operation = node.target
    kind = operation.kind
    if kind in kinds.DROPOUT and operation.attributes.get("training"):
        return None
    for family, make in _MODULES:
        if kind.startswith(family):
            return make(operation, node)
    return None


def in_torch(kind: str, parameter: str, array: np.ndarray) -> np.ndarray:
    """A weight, or its gradient, laid out as PyTorch has it.

    >>> in_torch("Conv2D", "kernel", np.zeros((3, 3, 1, 8))).shape
    (8, 1, 3, 3)
    """
    if parameter != "kernel":
        return array
    return np.ascontiguousarray(array.transpose(kernel_axes(kind)).reshape(_shape(kind, array)))


def kernel_axes(kind: str) -> tuple[int, ...]:
    """The axes of a kernel in the order in which PyTorch has them."""
    if kind == "Dense":
        return 1, 0
    rank = kinds.rank(kind)
    window = tuple(range(rank))
    if kind.startswith("Depthwise"):
        return (rank, rank + 1, *window)  # channel after channel, the multiplied ones together
    return (rank + 1, rank, *window)


def _shape(kind: str, kernel: np.ndarray) -> tuple[int, ...]:
    if kind.startswith("Depthwise"):
        return (kernel.shape[-2] * kernel.shape[-1], 1, *kernel.shape[:-2])
    return tuple(kernel.shape[axis] for axis in kernel_axes(kind))


def unless(settings: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    """The settings that differ from the defaults.

    >>> unless({"stride": 2, "padding": 0}, padding=0)
    {'stride': 2}
    """
    return {k: v for k, v in settings.items() if k not in defaults or v != defaults[k]}


def shortened(sizes: Sequence[int]) -> int | tuple[int, ...]:
    """One number where all are the same.

    >>> shortened((3, 3)), shortened((3, 1))
    (3, (3, 1))
    """
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)


# -- layers with a kernel --------------------------------------------------------------------------


def _weights(operation: Operation) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    state, origins = {}, {}
    for name, parameter in (("weight", "kernel"), ("bias", "bias")):
        if parameter in operation.parameters:
            array = operation.parameters[parameter]
            state[name] = in_torch(operation.kind, parameter, array)
            origins[name] = parameter
    return state, origins


def _dense(operation: Operation, node: Node) -> Module:
    state, origins = _weights(operation)
    units, inputs = state["weight"].shape
    settings = unless({"bias": "bias" in state}, bias=True)
    return Module(call("nn.Linear", [inputs, units], settings), state, (), origins)


def _convolution(operation: Operation, node: Node) -> Module:
    state, origins = _weights(operation)
    settings = operation.attributes
    weight = state["weight"]
    channels, groups = node.inputs[0].shape[1], settings.get("groups", 1) or 1
    if operation.kind.startswith("Depthwise"):
        groups = channels
    given: dict[str, Any] = {"stride": shortened(settings["strides"])}
    given["padding"] = shortened(settings["padding"])
    filters = weight.shape[0]
    if operation.kind.endswith("Transpose"):
        filters = weight.shape[1] * groups
        given["output_padding"] = shortened(settings["output_padding"])
    given["dilation"] = shortened(settings["dilation_rate"])
    given.update(groups=groups, bias="bias" in state)
    window = shortened(weight.shape[2:])
    given = unless(given, stride=1, padding=0, output_padding=0, dilation=1, groups=1, bias=True)
    name = f"nn.Conv{kinds.rank(operation.kind)}d"
    if operation.kind.endswith("Transpose"):
        name = f"nn.ConvTranspose{kinds.rank(operation.kind)}d"
    return Module(call(name, [channels, filters, window], given), state, (), origins)


# -- normalization ---------------------------------------------------------------------------------


def _scale_and_offset(operation: Operation) -> tuple[dict, dict, tuple]:
    """Weights gamma and beta; where only one is there, the other one is of no effect."""
    parameters = operation.parameters
    state, origins, frozen = {}, {}, []
    for name, parameter, neutral in (("weight", "gamma", 1), ("bias", "beta", 0)):
        if parameter in parameters:
            state[name], origins[name] = parameters[parameter], parameter
        elif parameters.keys() & {"gamma", "beta"}:
            other = parameters["beta" if parameter == "gamma" else "gamma"]
            state[name] = np.full_like(other, neutral)
            frozen.append(name)
    return state, origins, tuple(frozen)


def momentum_in_torch(momentum: float) -> float:
    """PyTorch's momentum is the share of the new value, not that of the old.

    >>> momentum_in_torch(0.99)
    0.01
    """
    return round(1.0 - momentum, 12)


def _batch_normalization(operation: Operation, node: Node) -> Module:
    settings = operation.attributes
    state, origins, frozen = _scale_and_offset(operation)
    given = {
        "eps": settings["epsilon"],
        "momentum": momentum_in_torch(settings["momentum"]),
        "affine": bool(state),
    }
    mean = operation.parameters["moving_mean"]
    state.update(running_mean=mean, running_var=operation.parameters["moving_variance"])
    origins.update(running_mean="moving_mean", running_var="moving_variance")
    state["num_batches_tracked"] = np.zeros((), "int64")
    ranks = {2: 1, 3: 1, 4: 2, 5: 3}
    ndim = node.inputs[0].ndim
    if ndim not in ranks:
        raise operation.refuse(f"normalizes a tensor of {ndim} axes, which PyTorch cannot")
    given = unless(given, eps=1e-5, momentum=0.1, affine=True)
    text = call(f"nn.BatchNorm{ranks[ndim]}d", [len(mean)], given)
    return Module(text, state, frozen, origins)


def _layer_normalization(operation: Operation, node: Node) -> Module:
    settings = operation.attributes
    state, origins, frozen = _scale_and_offset(operation)
    given = {"eps": settings["epsilon"], "elementwise_affine": bool(state)}
    if frozen == ("bias",):  # PyTorch can leave out the offset, but not the scale
        del state["bias"]
        frozen, given["bias"] = (), False
    axes = settings["axis"]
    sizes = tuple(int(node.inputs[0].shape[axis]) for axis in axes)
    given = unless(given, eps=1e-5, elementwise_affine=True)
    text = call("nn.LayerNorm", [shortened(sizes) if len(sizes) == 1 else sizes], given)
    return Module(text, state, frozen, origins)


def _group_normalization(operation: Operation, node: Node) -> Module:
    settings = operation.attributes
    state, origins, frozen = _scale_and_offset(operation)
    channels = node.inputs[0].shape[1]
    groups = settings["groups"] if settings["groups"] > 0 else channels
    given = unless({"eps": settings["epsilon"], "affine": bool(state)}, eps=1e-5, affine=True)
    return Module(call("nn.GroupNorm", [groups, channels], given), state, frozen, origins)


# -- others ----------------------------------------------------------------------------------------


def _embedding(operation: Operation, node: Node) -> Module:
    table = operation.parameters["embeddings"]
    text = call("nn.Embedding", table.shape)
    return Module(text, {"weight": table}, (), {"weight": "embeddings"})


def _prelu(operation: Operation, node: Node) -> Module:
    alpha = operation.parameters["alpha"]
    sizes = alpha.shape
    by_channel = all(size == 1 for size in sizes[1:])
    if by_channel and (sizes[0] == 1 or sizes[0] == node.inputs[0].shape[1]):
        text = call("nn.PReLU", [sizes[0]] if sizes[0] > 1 else [])
        return Module(text, {"weight": alpha.reshape(-1)}, (), {"weight": "alpha"})
    # one slope for more than each channel: a parameter by itself
    text = call("nn.Parameter", [call("torch.zeros", sizes)])
    return Module(text, {"": alpha}, (), {"": "alpha"})


def _dropout(operation: Operation, node: Node) -> Module:
    return Module(call("nn.Dropout", [operation.attributes["rate"]]))


def _alpha_dropout(operation: Operation, node: Node) -> Module:
    return Module(call("nn.AlphaDropout", [operation.attributes["rate"]]))


def _spatial_dropout(operation: Operation, node: Node) -> Module:
    name = f"nn.Dropout{kinds.rank(operation.kind)}d"
    return Module(call(name, [operation.attributes["rate"]]))


def _noise(operation: Operation, node: Node) -> Module:
    text = call(operation.kind, [operation.attributes["stddev"]])
    return Module(text, helper=operation.kind)


def _gaussian_dropout(operation: Operation, node: Node) -> Module:
    text = call(operation.kind, [operation.attributes["rate"]])
    return Module(text, helper=operation.kind)


def _activity(operation: Operation, node: Node) -> Module:
    given = {name: float(operation.attributes.get(name) or 0.0) for name in ("l1", "l2")}
    return Module(call(operation.kind, [], given), helper=operation.kind)


def constant(name: str, array: np.ndarray) -> Module:
    """A buffer that holds a constant."""
    dtype = "" if array.dtype.kind == "f" else f", dtype=torch.{array.dtype}"
    size = ", ".join(map(str, array.shape))
    text = f'self.register_buffer("{name}", torch.zeros({size}{dtype}))'
    return Module(Code(text), {"": array}, is_buffer=True)


_MODULES: tuple[tuple[str, Callable[[Operation, Node], Module]], ...] = (
    ("Dense", _dense),
    ("Conv", _convolution),
    ("DepthwiseConv", _convolution),
    ("BatchNormalization", _batch_normalization),
    ("LayerNormalization", _layer_normalization),
    ("GroupNormalization", _group_normalization),
    ("Embedding", _embedding),
    ("PReLU", _prelu),
    ("Dropout", _dropout),
    ("AlphaDropout", _alpha_dropout),
    ("SpatialDropout", _spatial_dropout),
    ("GaussianNoise", _noise),
    ("GaussianDropout", _gaussian_dropout),
    ("ActivityRegularization", _activity),
)

# Modules that PyTorch lacks, as a program defines them.
HELPERS = {
    "GaussianNoise": '''
class GaussianNoise(nn.Module):
    """Adds normally distributed noise in training."""

    def __init__(self, stddev):
        super().__init__()
        self.stddev = stddev

    def forward(self, x):
        return x + self.stddev * torch.randn_like(x) if self.training else x
''',
    "GaussianDropout": '''
class GaussianDropout(nn.Module):
    """Multiplies by normally distributed noise around 1 in training."""

    def __init__(self, rate):
        super().__init__()
        self.stddev = (rate / (1 - rate)) ** 0.5

    def forward(self, x):
        return x * (1 + self.stddev * torch.randn_like(x)) if self.training else x
''',
    "ActivityRegularization": '''
class ActivityRegularization(nn.Module):
    """Passes its input on, and keeps a penalty on its size, the mean over the batch."""

    def __init__(self, l1, l2):
        super().__init__()
        self.l1, self.l2 = l1, l2

    def forward(self, x):
        penalty = self.l1 * x.abs().sum() + self.l2 * x.square().sum()
        self.penalty = penalty / len(x)
        return x
''',
}
