"""In what two frameworks differ for a network, and what its port did about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cornu.port import kinds
from cornu.port.heads import moved_activations
from cornu.port.network import Network, Operation
from cornu.port.training import Optimizer

TITLES = {
    "cornu": "Cornu",
    "keras": "Keras",
    "torch": "PyTorch",
    "onnx": "ONNX",
    "numpy": "NumPy program",
}


@dataclasses.dataclass(frozen=True)
class Difference:
    """One thing in which two frameworks differ for a network.

    Attributes:
        what: the default or convention: "epsilon of batch normalization".
        source, target: what it is in the framework that was read, and in the one written.
        done: what the port did about it.
        where: the layers that it is about; nothing where it is about the whole network.
    """

    what: str
    source: str
    target: str
    done: str
    where: tuple[str, ...] = ()

    def to_dict(self) -> dict:
        """Plain data."""
        return dataclasses.asdict(self)


def differences(network: Network, source: str, target: str) -> list[Difference]:
    """The defaults and conventions that differ between two frameworks, for this network.

    Args:
        network: as it was read.
        source, target: "cornu", "keras", "torch", "onnx" or "numpy".

    Returns:
        In the order of the network: the whole of it, its layers, its training.
    """
    one, two = _family(source), _family(target)
    if target == "numpy" and network.training is not None:
        return [*differences(network, source, "keras"), *_heads(network)]
    if one == two:
        return []
    found = [*_layout(network, one, two), *_layers(network, one, two)]
    if network.training is not None and "onnx" not in (one, two):
        found += _training(network, one, two)
    return found


def as_markdown(found: Sequence[Difference], source: str, target: str) -> str:
    """Differences as a table of Markdown."""
    head = ("", TITLES[source], TITLES[target], "what was done", "layers")
    rows = [(one.what, one.source, one.target, one.done, _few(one.where) or "all") for one in found]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _family(framework: str) -> str:
    return {"cornu": "keras", "numpy": "keras"}.get(framework, framework)


def _few(names: Sequence[str], most: int = 4) -> str:
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


# -- the whole network -----------------------------------------------------------------------------

_IMAGES = {"keras": "channels last (N, H, W, C)", "torch": "channels first (N, C, H, W)"}
_IMAGES["onnx"] = _IMAGES["torch"]
_KERNELS = {
    "keras": "(inputs, units), (*window, inputs, filters)",
    "torch": "(units, inputs), (filters, inputs, *window)",
    "onnx": "(filters, inputs, *window)",
}


def _layout(network: Network, one: str, two: str) -> Iterator[Difference]:
    if _IMAGES[one] != _IMAGES[two]:
        spatial = [op.name for op in network.operations if op.kind in kinds.SPATIAL]
        if spatial:
            done = "inputs, outputs and layers rearranged; no transposition added between layers"
            yield Difference("layout of images", _IMAGES[one], _IMAGES[two], done)
            behind = tuple(_behind_flatten(network))
            if behind:
                yield Difference(
                    "order in which an image is flattened",
                    "row, column, channel" if one == "keras" else "channel, row, column",
                    "channel, row, column" if one == "keras" else "row, column, channel",
                    "the kernel behind it rearranged",
                    behind,
                )
    weighted = tuple(op.name for op in network.operations if "kernel" in op.parameters)
    if weighted and _KERNELS[one] != _KERNELS[two]:
        yield Difference("layout of kernels", _KERNELS[one], _KERNELS[two], "transposed", weighted)


def _behind_flatten(network: Network) -> Iterator[str]:
    """Dense layers that take a flattened image."""
    for node in network.nodes:
        if node.operation != "Dense":
            continue
        before = node.inputs[0].node
        while before.operation in kinds.UNARY | {"BatchNormalization"} and before.inputs:
            before = before.inputs[0].node
        if before.operation == "Flatten" and before.inputs[0].ndim > 2:
            sizes = before.inputs[0].shape[1:]
            if sum(size != 1 for size in sizes) > 1:
                yield node.name


# -- layers ----------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Default:
    """A setting whose default differs.

    Attributes:
        kind: of operation, or "activation:NAME".
        setting: its name, in words.
        values: the default of each framework.
        carried: the value that an operation has, in words.
    """

    kind: str
    setting: str
    values: dict[str, str]
    carried: Callable[[Operation], str]


def _setting(name: str) -> Callable[[Operation], str]:
    return lambda operation: f"{operation.attributes.get(name):g}"


_DEFAULTS = (
    _Default(
        "BatchNormalization",
        "epsilon of batch normalization",
        {"keras": "0.001", "torch": "1e-05", "onnx": "1e-05"},
        _setting("epsilon"),
    ),
    _Default(
        "BatchNormalization",
        "momentum of batch normalization",
        {
            "keras": "0.99, the share of the old average",
            "torch": "0.1, the share of the new batch",
            "onnx": "0.9, the share of the old average",
        },
        lambda op: f"{op.attributes['momentum']:g} of the old average",
    ),
    _Default(
        "LayerNormalization",
        "epsilon of layer normalization",
        {"keras": "0.001", "torch": "1e-05", "onnx": "1e-05"},
        _setting("epsilon"),
    ),
    _Default(
        "GroupNormalization",
        "epsilon of group normalization",
        {"keras": "0.001", "torch": "1e-05", "onnx": "1e-05"},
        _setting("epsilon"),
    ),
    _Default(
        "activation:leaky_relu",
        "slope of LeakyReLU",
        {"keras": "0.3 (layer), 0.2 (by name)", "torch": "0.01", "onnx": "0.01"},
        _setting("negative_slope"),
    ),
    _Default(
        "activation:hard_sigmoid",
        "slope of the hard sigmoid",
        {"keras": "1/6", "torch": "1/6", "onnx": "0.2"},
        lambda op: "1/6",
    ),
)


def _kind(operation: Operation) -> str:
    if operation.kind == "activation":
        return f"activation:{operation.attributes['function']}"
    return operation.kind


def _layers(network: Network, one: str, two: str) -> Iterator[Difference]:
    for default in _DEFAULTS:
        source, target = default.values.get(one), default.values.get(two)
        if source == target:
            continue
        values: dict[str, list[str]] = {}
        for operation in network.operations:
            if _kind(operation) == default.kind:
                values.setdefault(default.carried(operation), []).append(operation.name)
        for value, names in values.items():
            yield Difference(
                default.setting, str(source), str(target), f"{value} written out", tuple(names)
            )
    yield from _windows(network, one, two)
    normalized = _named(network, lambda op: op.kind == "BatchNormalization")
    if normalized and "torch" in (one, two):
        corrected, plain = "corrected: n / (n - 1) of the batch's", "the batch's own"
        yield Difference(
            "running variance of batch normalization",
            corrected if one == "torch" else plain,
            corrected if two == "torch" else plain,
            "carried as it is; after further training the two differ by that factor at most",
            normalized,
        )
    frozen = _named(network, lambda op: op.kind == "BatchNormalization" and not op.trainable)
    if frozen and "torch" in (one, two):
        yield Difference(
            "frozen batch normalization",
            "uses its moving averages" if one == "keras" else "uses the batch unless in eval()",
            "uses its moving averages" if two == "keras" else "uses the batch unless in eval()",
            "told in the program",
            frozen,
        )


def _named(network: Network, condition: Callable[[Operation], bool]) -> tuple[str, ...]:
    return tuple(op.name for op in network.operations if condition(op))


def _windows(network: Network, one: str, two: str) -> Iterator[Difference]:
    def strided(operation: Operation) -> bool:
        strides = operation.attributes.get("strides") or (1,)
        return operation.attributes.get("padding") == "same" and max(strides) > 1

    found = _named(network, strided)
    if found and one == "keras":
        yield Difference(
            "'same' padding with strides",
            "as much as the last window needs, the odd one behind",
            "a number for both sides",
            "computed for this size of image; where the sides differ, padded before the layer",
            found,
        )
    padded = _named(
        network,
        lambda op: (
            op.kind.startswith(("Conv", "DepthwiseConv", "MaxPooling"))
            and not op.kind.endswith("Transpose")
            and not isinstance(op.attributes.get("padding"), str)
        ),
    )
    if padded and two == "keras":
        yield Difference(
            "padding as numbers",
            "a number for each side",
            "'valid', 'same', or a layer of its own",
            "'same' where it means the same, else a padding before the layer",
            padded,
        )
    averaged = _named(
        network,
        lambda op: op.kind.startswith("AveragePooling") and op.attributes.get("padding") != "valid",
    )
    if averaged:
        counted = {"keras": "not counted", "torch": "counted", "onnx": "not counted"}
        yield Difference(
            "zeros around an average pooling", counted[one], counted[two], "as it was", averaged
        )
    transposed = _named(network, lambda op: op.kind.endswith("Transpose"))
    if transposed:
        names = {
            "keras": "'valid', 'same', output_padding",
            "torch": "padding cuts off, output_padding adds",
            "onnx": "pads cut off, output_padding adds",
        }
        yield Difference(
            "size of a transposed convolution",
            names[one],
            names[two],
            "translated to the same places",
            transposed,
        )


# -- training --------------------------------------------------------------------------------------

DEFAULTS_OF_OPTIMIZERS: dict[str, dict[str, tuple[float, float]]] = {
    # setting: default of Keras, default of PyTorch
    "SGD": {"learning_rate": (0.01, 0.001)},
    "Adam": {"epsilon": (1e-7, 1e-8)},
    "AdamW": {"epsilon": (1e-7, 1e-8), "weight_decay": (0.004, 0.01)},
    "RMSprop": {"learning_rate": (0.001, 0.01), "rho": (0.9, 0.99), "epsilon": (1e-7, 1e-8)},
    "Adagrad": {
        "learning_rate": (0.001, 0.01),
        "initial_accumulator_value": (0.1, 0.0),
        "epsilon": (1e-7, 1e-10),
    },
    "Adadelta": {"learning_rate": (0.001, 1.0), "rho": (0.95, 0.9), "epsilon": (1e-7, 1e-6)},
    "Adamax": {"learning_rate": (0.001, 0.002), "epsilon": (1e-7, 1e-8)},
    "Nadam": {"learning_rate": (0.001, 0.002), "epsilon": (1e-7, 1e-8)},
}
# What else differs than a default: in Keras, in PyTorch.
_FORMULAS = {
    "Adam": (
        "epsilon counts before the second moment is corrected",
        "epsilon counts after the second moment is corrected",
    ),
    "RMSprop": ("epsilon under the root", "epsilon beside the root"),
    "Adagrad": ("epsilon under the root", "epsilon beside the root"),
    "Adamax": ("epsilon beside the maximum", "epsilon within the maximum"),
}
_FORMULAS["AdamW"] = _FORMULAS["Adam"]


def _training(network: Network, one: str, two: str) -> Iterator[Difference]:
    training = network.training
    assert training is not None
    if two == "torch":
        yield from _heads(network)
    for loss in training.losses:
        if loss is not None and loss.settings.get("from_logits"):
            yield Difference(
                "what the cross-entropy takes",
                "probabilities by default" if one == "keras" else "logits",
                "probabilities by default" if two == "keras" else "logits",
                "from_logits=True" if two == "keras" else "a loss of logits",
            )
    yield Difference(
        "initial weights",
        _INITIAL[one],
        _INITIAL[two],
        "the weights themselves are carried",
    )
    optimizer = training.optimizer
    if optimizer is not None:
        yield from _optimizer(optimizer, one, two)
    regularized = _named(
        network,
        lambda op: any(
            value for name, value in op.attributes.items() if name.endswith("_regularizer")
        ),
    )
    if regularized and one == "keras":
        yield Difference(
            "penalties on weights",
            "regularizers, added to the loss",
            "weight_decay, added to the gradient of every weight",
            "the penalty written out and added to the loss",
            regularized,
        )


def _heads(network: Network) -> Iterator[Difference]:
    """Softmax and sigmoid that a writer moves into the loss."""
    for function in moved_activations(network):
        if function:
            yield Difference(
                "what the cross-entropy takes",
                f"probabilities, behind a {function}",
                "logits",
                f"the {function} moved from the network into the loss; predict() gives it back",
            )


_INITIAL = {
    "keras": "Glorot uniform, biases 0",
    "torch": "uniform within 1 / sqrt(inputs), biases too",
    "onnx": "none",
}


def _optimizer(optimizer: Optimizer, one: str, two: str) -> Iterator[Difference]:
    place = {"keras": 0, "torch": 1}
    if one not in place or two not in place:
        return
    kind, settings = optimizer.kind, optimizer.settings
    for name, defaults in DEFAULTS_OF_OPTIMIZERS.get(kind, {}).items():
        value = settings.get(name)
        shown = f"{value:g}" if isinstance(value, (int, float)) else "its schedule"
        words = name.replace("_", " ")
        yield Difference(
            f"{words} of {kind}",
            f"{defaults[place[one]]:g}",
            f"{defaults[place[two]]:g}",
            f"{shown} written out",
        )
    formulas = _FORMULAS.get(kind)
    if formulas is not None:
        yield Difference(
            f"formula of {kind}",
            formulas[place[one]],
            formulas[place[two]],
            f"the formula of {TITLES[one]} kept, as a class of a few lines",
        )
    decay: Any = settings.get("l2")
    if decay:
        yield Difference(
            f"weight_decay of {kind}",
            "added to the gradient",
            "taken off the weights, apart from the gradient",
            f"a penalty of {decay / 2:g} * sum(weight ** 2) on every weight",
        )
