"""What PyTorch's modules, functions, losses and optimizers are called in the terms of `Facts`."""

from __future__ import annotations

from typing import Any

# Activations: name of a function (without a trailing "_") or of a module -> Keras' name.
ACTIVATIONS = {
    "relu": "relu",
    "relu6": "relu6",
    "leaky_relu": "leaky_relu",
    "rrelu": "leaky_relu",
    "prelu": "prelu",
    "elu": "elu",
    "selu": "selu",
    "celu": "celu",
    "gelu": "gelu",
    "sigmoid": "sigmoid",
    "expit": "sigmoid",
    "tanh": "tanh",
    "softmax": "softmax",
    "log_softmax": "log_softmax",
    "softmin": "softmin",
    "gumbel_softmax": "softmax",
    "softplus": "softplus",
    "softsign": "softsign",
    "silu": "silu",
    "mish": "mish",
    "hardtanh": "hard_tanh",
    "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_silu",
    "hardshrink": "hard_shrink",
    "softshrink": "soft_shrink",
    "tanhshrink": "tanh_shrink",
    "threshold": "threshold",
    "logsigmoid": "log_sigmoid",
    "glu": "glu",
    "softmax2d": "softmax",
}
_OVER_CLASSES = {"softmax", "log_softmax", "softmin", "gumbel_softmax"}

# Functions that pass their first tensor on as it is.
SAME = frozenset(
    {"to", "cpu", "cuda", "contiguous", "clone", "type", "type_as", "float", "double", "half"}
    | {"long", "int", "bool", "bfloat16", "requires_grad_", "alias", "pin_memory", "identity"}
    | {"_to_copy", "retain_grad", "as_subclass", "to_dense", "short", "byte", "positive"}
)
RESHAPES = frozenset({"view", "reshape", "flatten", "unflatten", "view_as", "reshape_as", "ravel"})
_PLAIN = {
    "squeeze": "squeeze",
    "unsqueeze": "expand_dims",
    "permute": "transpose",
    "transpose": "transpose",
    "swapaxes": "transpose",
    "swapdims": "transpose",
    "movedim": "transpose",
    "t": "transpose",
    "T": "transpose",
    "mT": "transpose",
    "H": "transpose",
    "add": "add",
    "__add__": "add",
    "__radd__": "add",
    "__iadd__": "add",
    "sub": "subtract",
    "__sub__": "subtract",
    "__rsub__": "subtract",
    "rsub": "subtract",
    "subtract": "subtract",
    "mul": "multiply",
    "__mul__": "multiply",
    "__rmul__": "multiply",
    "multiply": "multiply",
    "div": "divide",
    "truediv": "divide",
    "true_divide": "divide",
    "divide": "divide",
    "__truediv__": "divide",
    "cat": "concatenate",
    "concat": "concatenate",
    "concatenate": "concatenate",
    "hstack": "concatenate",
    "stack": "stack",
    "amax": "max",
    "amin": "min",
    "__getitem__": "getitem",
    "select": "getitem",
    "narrow": "getitem",
    "data": "stop_gradient",
    "detach": "stop_gradient",
    "argmax": "argmax",
    "matmul": "matmul",
    "mm": "matmul",
    "bmm": "matmul",
    "__matmul__": "matmul",
    "__rmatmul__": "matmul",
    "addmm": "matmul",
}
# Products of a batch with a weight: a Dense layer written out.
PRODUCTS = frozenset({"matmul", "mm", "addmm", "__matmul__", "linear"})
# Functions that make a tensor out of the shape of another, or of nothing.
MAKERS = frozenset(
    {"zeros", "ones", "full", "zeros_like", "ones_like", "full_like", "new_zeros", "new_ones"}
    | {"new_full", "new_empty", "empty", "empty_like", "eye", "arange", "linspace", "randn"}
    | {"rand", "randn_like", "rand_like", "normal", "randint", "randint_like", "new_tensor"}
)
DETACHES = frozenset({"detach", "data", "detach_"})


def plain_name(function: str) -> str:
    """What a function's operation is called: "add" for `torch.Tensor.__iadd__`."""
    if function in _PLAIN:
        return _PLAIN[function]
    bare = function if function.startswith("__") else function.rstrip("_")
    return _PLAIN.get(bare, bare)


# -- modules -------------------------------------------------------------------------------------

# Modules of torch.nn that only call others.
CONTAINERS = frozenset(
    {"Sequential", "ModuleList", "ModuleDict", "DataParallel", "DistributedDataParallel"}
    | {"Transformer", "TransformerEncoder", "TransformerDecoder", "TransformerEncoderLayer"}
    | {"TransformerDecoderLayer", "Module", "Container"}
)


def torch_class(module: Any) -> str | None:
    """The class of torch.nn that a module is of, or is derived from with the same `forward`."""
    for cls in type(module).__mro__:
        if cls.__module__.startswith(("torch.nn.modules.", "torch.nn.parallel.")):
            return cls.__name__
        if "forward" in vars(cls):
            return None
    return None


def module_operation(name: str, module: Any, dims: int) -> tuple[str, dict[str, Any]]:
    """Kind and settings of a module of torch.nn.

    Args:
        name: its class in torch.nn.
        module: it.
        dims: number of axes of its input.
    """
    name = name.removeprefix("Lazy").removeprefix("NonDynamicallyQuantizable")
    if name.lower() in ACTIVATIONS or name in ("LogSoftmax", "LeakyReLU", "LogSigmoid"):
        return "activation", _activation_of_module(name, module, dims)
    if name.startswith("Conv"):
        return convolution(
            name[4:].removesuffix("d") if "Transpose" not in name else name[-2:-1],
            "Transpose" in name,
            module.in_channels,
            module.out_channels,
            module.kernel_size,
            {
                "stride": module.stride,
                "padding": module.padding,
                "dilation": module.dilation,
                "groups": module.groups,
                "use_bias": module.bias is not None,
            },
        )
    if name.startswith(("MaxPool", "AvgPool", "LPPool")):
        rank = name[-2]
        kind = ("Max" if name[0] == "M" else "Average") + f"Pooling{rank}D"
        return kind, pooling(int(rank), module.kernel_size, module.stride, _of(module, "padding"))
    if name.startswith("Adaptive"):
        what = "Max" if "Max" in name else "Average"
        return adaptive_pooling(int(name[-2]), what, module.output_size)
    if name in ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"):
        momentum = None if module.momentum is None else 1 - module.momentum
        settings = {"momentum": momentum, "epsilon": module.eps}
        return "BatchNormalization", settings | {"center": module.affine, "scale": module.affine}
    if name in ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d") or "AlphaDropout" in name:
        return dropout(name.lower()), {"rate": module.p}
    if name in ("LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"):
        return _recurrent(name, module)
    return _other(name, module)


def _other(name: str, module: Any) -> tuple[str, dict[str, Any]]:
    match name:
        case "Linear":
            settings = {"units": module.out_features, "use_bias": module.bias is not None}
            return "Dense", settings
        case "Embedding" | "EmbeddingBag":
            sizes = {"input_dim": module.num_embeddings, "output_dim": module.embedding_dim}
            return name, sizes | {"padding_idx": module.padding_idx}
        case "Flatten":
            return "Flatten", {"start_dim": module.start_dim}
        case "Unflatten":
            return "Reshape", {}
        case "LayerNorm" | "RMSNorm":
            kind = "LayerNormalization" if name == "LayerNorm" else "RMSNormalization"
            return kind, {"epsilon": module.eps}
        case "GroupNorm":
            return "GroupNormalization", {"groups": module.num_groups, "epsilon": module.eps}
        case "InstanceNorm1d" | "InstanceNorm2d" | "InstanceNorm3d":
            return "InstanceNormalization", {"epsilon": module.eps}
        case "MultiheadAttention":
            return "MultiHeadAttention", {"num_heads": module.num_heads, "dropout": module.dropout}
        case "Upsample" | "UpsamplingNearest2d" | "UpsamplingBilinear2d":
            return "UpSampling2D", {"size": module.scale_factor}
        case "ZeroPad1d" | "ZeroPad2d" | "ZeroPad3d":
            return f"ZeroPadding{name[-2]}D", {"padding": module.padding}
    return name, {}


def _of(module: Any, name: str) -> Any:
    return getattr(module, name, 0)


def _activation_of_module(name: str, module: Any, dims: int) -> dict[str, Any]:
    bare = {"LogSoftmax": "log_softmax", "LeakyReLU": "leaky_relu"}.get(name, name.lower())
    settings: dict[str, Any] = {"function": ACTIVATIONS[bare]}
    if name == "Softmax2d":
        settings["axis"] = -3
    elif bare in _OVER_CLASSES:
        settings["axis"] = softmax_axis(getattr(module, "dim", None), dims)
    if name == "LeakyReLU":
        settings["negative_slope"] = module.negative_slope
    return settings


def softmax_axis(dim: int | None, dims: int) -> int:
    """The axis of a softmax: where none is given PyTorch takes 0 for 0, 1 or 3 axes, else 1."""
    if dim is None:
        return 0 if dims in (0, 1, 3) else 1
    return dim


def _recurrent(name: str, module: Any) -> tuple[str, dict[str, Any]]:
    settings: dict[str, Any] = {"units": module.hidden_size, "use_bias": bool(module.bias)}
    if name.endswith("Cell"):
        return name, settings
    settings |= {
        "return_sequences": True,
        "num_layers": module.num_layers,
        "bidirectional": module.bidirectional,
        "batch_first": module.batch_first,
        "dropout": module.dropout,
    }
    if name == "RNN":
        settings["activation"] = module.nonlinearity
    return {"RNN": "SimpleRNN"}.get(name, name), settings


def convolution(
    rank: Any, transposed: bool, inputs: int, filters: int, kernel: tuple, given: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Kind and settings of a convolution of a rank (1, 2, 3)."""
    kernel = _tuple(kernel, int(rank))
    dilation = _tuple(given["dilation"], int(rank))
    padding = given["padding"]
    if not isinstance(padding, str):
        padding = _tuple(padding, int(rank))
        spans = [d * (size - 1) for size, d in zip(kernel, dilation, strict=True)]
        if not any(padding):
            padding = "valid"
        elif not transposed and [2 * p for p in padding] == spans:
            padding = "same"
    settings = {
        "filters": filters,
        "kernel_size": kernel,
        "strides": _tuple(given["stride"], int(rank)),
        "padding": padding,
        "dilation_rate": dilation,
        "groups": given["groups"],
        "use_bias": given["use_bias"],
    }
    kind = f"Conv{rank}D" + ("Transpose" if transposed else "")
    if given["groups"] == inputs > 1 and not transposed and int(rank) < 3:
        kind = f"DepthwiseConv{rank}D"
    return kind, settings


def pooling(rank: int, size: Any, strides: Any, padding: Any) -> dict[str, Any]:
    """Settings of a pooling."""
    size = _tuple(size, rank)
    strides = size if strides is None or strides == [] else _tuple(strides, rank)
    padding = _tuple(padding or 0, rank)
    return {
        "pool_size": size,
        "strides": strides,
        "padding": padding if any(padding) else "valid",
    }


def adaptive_pooling(rank: int, what: str, size: Any) -> tuple[str, dict[str, Any]]:
    """Kind and settings of a pooling to an output of a size."""
    size = _tuple(size, rank)
    if all(one == 1 for one in size):
        return f"Global{what}Pooling{rank}D", {}
    return f"Adaptive{what}Pooling{rank}D", {"output_size": size}


def dropout(name: str) -> str:
    """The kind of a dropout module or function by its name in lower case."""
    if "alpha" in name:
        return "AlphaDropout"
    rank = name[len("dropout")] if name[len("dropout") :] in ("1d", "2d", "3d") else ""
    return f"SpatialDropout{rank}D" if rank else "Dropout"


def _tuple(value: Any, rank: int) -> tuple:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * rank


# -- parameters ----------------------------------------------------------------------------------

_NORMS = ("BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization")


def parameter_role(kind: str, name: str) -> str:
    """The role of a parameter or buffer of a module, by the kind of its operation and its name."""
    if kind in (*_NORMS, "InstanceNormalization"):
        names = {"weight": "scale", "bias": "offset", "running_mean": "moving mean"}
        return (names | {"running_var": "moving variance"}).get(name, "other")
    if "bias" in name:
        return "bias"
    if name.startswith("weight_hh"):
        return "recurrent kernel"
    if kind == "activation":
        return "other"
    return "kernel" if "weight" in name else "other"


def parameter_fan(kind: str, shape: tuple[int, ...], settings: dict) -> tuple[int, int] | None:
    """(inputs, outputs) of one unit of a kernel, laid out as PyTorch does."""
    if len(shape) < 2:
        return None
    if kind == "Embedding":
        return shape[0], shape[1]
    window = 1
    for size in shape[2:]:
        window *= size
    if "Transpose" in kind:
        return shape[0] * window, shape[1] * window
    return shape[1] * window, shape[0] * window // max(1, settings.get("groups", 1))


# -- optimizers ----------------------------------------------------------------------------------

_OPTIMIZER_SETTINGS = {
    "lr": "learning_rate",
    "eps": "epsilon",
    "rho": "rho",
    "momentum": "momentum",
    "alpha": "rho",
    "nesterov": "nesterov",
    "weight_decay": "weight_decay",
    "amsgrad": "amsgrad",
    "dampening": "dampening",
    "centered": "centered",
    "lr_decay": "lr_decay",
    "momentum_decay": "schedule_decay",
    "initial_accumulator_value": "initial_accumulator_value",
}


def optimizer_settings(group: dict[str, Any]) -> dict[str, Any]:
    """A parameter group's settings under Keras' names."""
    settings: dict[str, Any] = {}
    for name, value in group.items():
        if name == "betas":
            settings["beta_1"], settings["beta_2"] = (float(one) for one in value[:2])
        elif name in _OPTIMIZER_SETTINGS:
            settings[_OPTIMIZER_SETTINGS[name]] = (
                value if isinstance(value, (bool, type(None))) else float(value)
            )
    if "initial_lr" in group:  # what the program wrote, before a scheduler changed it
        settings["learning_rate"] = float(group["initial_lr"])
    return settings


def argument_names(names: list[str]) -> frozenset[str]:
    """The names of an optimizer's arguments as `optimizer_settings` has them."""
    found: set[str] = set()
    for name in names:
        if name == "betas":
            found |= {"beta_1", "beta_2"}
        elif name != "params":
            found.add(_OPTIMIZER_SETTINGS.get(name, name))
    return frozenset(found)
