"""Paths through a network: what rules on its structure ask again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import prod

from cornu.check.facts import (
    CONVOLUTIONS,
    LINEAR,
    RECURRENT,
    TRANSPARENT,
    Facts,
    Operation,
    Output,
    before,
)

# Layers that are an activation and nothing else, for readers that leave them as layers.
_ACTIVATION_LAYERS = {
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "PReLU": "prelu",
    "ELU": "elu",
    "Softmax": "softmax",
}
# Operations whose output is the input in another order or shape.
RESHAPES = frozenset({"Reshape", "reshape", "Flatten", "flatten", "view"})
AVERAGE_POOLING = frozenset(
    f"{prefix}AveragePooling{rank}D" for prefix in ("", "Global") for rank in (1, 2, 3)
) | {"AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d"}
MAX_POOLING = frozenset(
    f"{prefix}MaxPooling{rank}D" for prefix in ("", "Global") for rank in (1, 2, 3)
)
PADDING = frozenset(f"ZeroPadding{rank}D" for rank in (1, 2, 3))
# Layers that hold a matrix (or table) that training changes.
WEIGHTED = LINEAR | RECURRENT | {"Embedding", "MultiHeadAttention"}
UPSAMPLING = frozenset(f"UpSampling{rank}D" for rank in (1, 2, 3)) | {
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
    "upsample",
    "interpolate",
    "resize",
    "pixel_shuffle",
    "PixelShuffle",
    "Resizing",
}


def function_of(operation: Operation) -> str | None:
    """The name of the function of an activation; None for any other operation."""
    return operation.function or _ACTIVATION_LAYERS.get(operation.kind)


def named(operation: Operation) -> str:
    """A layer as a message calls it: "`dense_1` (Dense)"."""
    what = function_of(operation) or operation.kind
    return f"`{operation.name}`" if operation.name == what else f"`{operation.name}` ({what})"


def listed(operations: Iterable[Operation], most: int = 4) -> str:
    """Names in a row: "`a`, `b` and `c`", or "`a`, `b` and 7 more"."""
    names = [f"`{operation.name}`" for operation in operations]
    if len(names) > most:
        names[most - 1 :] = [f"{len(names) - most + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def is_torch(facts: Facts) -> bool:
    """Whether messages speak of PyTorch's classes."""
    return facts.framework == "torch"


def sole_input(operation: Operation) -> Operation | None:
    """Its one input, or None where it has none or several."""
    return operation.inputs[0] if len(operation.inputs) == 1 else None


def sole_consumer(facts: Facts, operation: Operation) -> Operation | None:
    """The one operation that takes its output; None for an output of the network too."""
    if len(operation.consumers) != 1 or facts.output_of(operation) is not None:
        return None
    return operation.consumers[0]


def onward(facts: Facts, operation: Operation) -> Iterator[Operation]:
    """The operations after one, as long as nothing branches off and nothing joins."""
    following = sole_consumer(facts, operation)
    while following is not None and len(following.inputs) == 1:
        yield following
        following = sole_consumer(facts, following)


def after(operation: Operation) -> Iterator[Operation]:
    """All operations that depend on one, nearest first."""
    seen: set[int] = set()
    waiting = list(operation.consumers)
    while waiting:
        current = waiting.pop(0)
        if id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += current.consumers


def next_weighted(facts: Facts, operation: Operation) -> Operation | None:
    """The next layer with weights down an unbranched path, or None."""
    return next((o for o in onward(facts, operation) if o.kind in WEIGHTED), None)


def last_linear(output: Output) -> Operation | None:
    """The layer that makes an output, looking back through activations, norms and reshaping."""
    current: Operation | None = output.operation
    while current is not None and current.kind not in LINEAR | RECURRENT:
        current = sole_input(current)
    return current


def spatial(operation: Operation, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """The axes of a shape that windows slide over: those of neither batch nor channels."""
    source = sole_input(operation)
    first = operation.channels_first or (source is not None and source.channels_first)
    return shape[2:] if first else shape[1:-1]


def sizes(setting: object, axes: int) -> tuple[int, ...] | None:
    """A window's size in each axis; None where it isn't known."""
    if isinstance(setting, int):
        return (setting,) * axes
    if isinstance(setting, tuple | list) and len(setting) == axes:
        return tuple(setting) if all(isinstance(size, int) for size in setting) else None
    if isinstance(setting, tuple | list) and len(setting) == 1 and isinstance(setting[0], int):
        return (setting[0],) * axes
    return None


def size(shape: Iterable[int | None]) -> int | None:
    """How many values a shape holds; None where an axis is open."""
    axes = list(shape)
    return None if None in axes else prod(axes)  # type: ignore[arg-type]


def is_frozen(operation: Operation) -> bool:
    """Whether none of its values will change."""
    return not operation.trainable or (
        bool(operation.parameters) and not any(p.trainable for p in operation.parameters)
    )


def has_convolutions(facts: Facts) -> bool:
    """Whether any convolution is in the network."""
    return any(operation.kind in CONVOLUTIONS for operation in facts.operations)


def is_autoencoder(output: Output) -> bool:
    """Whether it gives something of the shape of one of the inputs that it depends on."""
    shape = output.operation.shape[1:]
    taken = [o for o in (output.operation, *before(output.operation)) if o.kind == "Input"]
    return any(size(o.shape[1:]) == size(shape) != 1 for o in taken if size(shape) is not None)


def back_through(operation: Operation, kinds: frozenset[str] = TRANSPARENT) -> Operation:
    """Looks back like `through`, but only where each result goes nowhere else."""
    while operation.kind in kinds and len(operation.inputs) == len(operation.consumers) == 1:
        operation = operation.inputs[0]
    return operation
