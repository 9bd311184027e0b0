"""C209, C210, C211: windows, strides and filters of convolutions and pooling."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from cornu.check.facts import CONVOLUTIONS, POOLING, TRANSPARENT, Facts, Operation, through
from cornu.check.rule import Finding, rule
from cornu.check.rules.paths import (
    UPSAMPLING,
    is_autoencoder,
    listed,
    named,
    sizes,
    sole_input,
    spatial,
)

# From so many convolutions on, the network is a known architecture fed with small images: it
# trains, only less well than it could.
_MANY_CONVOLUTIONS = 9


def _window(operation: Operation, axes: int) -> tuple[int, ...] | None:
    for name in ("kernel_size", "pool_size"):
        if name in operation.settings:
            return sizes(operation.settings[name], axes)
    return None


def _windowed(facts: Facts) -> Iterator[tuple[Operation, tuple, tuple[int, ...]]]:
    """Operations with windows, the spatial axes of their input, and the window."""
    for operation in facts.operations:
        if operation.kind not in CONVOLUTIONS | POOLING or "Transpose" in operation.kind:
            continue
        if not operation.inputs or operation.call > 0:
            continue
        taken = spatial(operation, operation.input_shape)
        window = _window(operation, len(taken))
        if window is not None and taken:
            yield operation, taken, window


def _is_dilated(operation: Operation) -> bool:
    rate = sizes(operation.settings.get("dilation_rate", 1), 1)
    given = operation.settings.get("dilation_rate", 1)
    return rate != (1,) and not (isinstance(given, tuple | list) and set(given) == {1})


@rule(
    "C209",
    "spatial-size-destroyed",
    "warning",
    "layers behind it slide their windows over a single position, and learn nothing from its "
    "neighbours, which are padding",
)
def spatial_size_destroyed(facts: Facts) -> Iterator[Finding]:
    """Pooling and strides have shrunk the image to one position before the last windows.

    ## What it does
    Follows the spatial size. Where all of it has become 1, and convolutions with windows larger
    than 1 or more pooling still follow, the layer that made it 1 is named. A size of 0 is an error.

    ## Why it hurts
    Of a 3x3 window over one position, 8 of 9 weights only ever see padding. What stood where in the
    image was lost before the layers that should have looked at it. ResNet and VGG shrink images 32
    times: they are made for 224x224, not for 32x32.

    ## Example
        model.add(Conv2D(32, 3, strides=4, padding="same", input_shape=(28, 28, 1)))
        model.add(MaxPooling2D(7))
        model.add(Conv2D(64, 3, padding="same"))

    ## Fix
        model.add(Conv2D(32, 3, padding="same", input_shape=(28, 28, 1)))
        model.add(MaxPooling2D(2))
        model.add(Conv2D(64, 3, padding="same"))
    """
    for operation in facts.operations:
        axes = spatial(operation, operation.shape)
        if operation.kind in CONVOLUTIONS | POOLING and any(n is not None and n < 1 for n in axes):
            yield Finding(
                message=f"nothing is left of the image behind {named(operation)}: {axes}",
                fix="take out a pooling layer or a stride before it, or pad with zeros",
                at=operation,
                severity="error",
            )
            return
    lost: dict[Operation, list[Operation]] = {}
    for operation, taken, window in _windowed(facts):
        if set(taken) == {1} and max(window) > 1:
            cause = _shrinker(operation)
            if cause is not None:
                lost.setdefault(cause, []).append(operation)
    several = sum(operation.kind in CONVOLUTIONS for operation in facts.operations)
    ends = {op for out in facts.outputs for op in [out.operation]}
    decodes = any(op.kind in UPSAMPLING for op in facts.operations) or any(
        len(op.shape) > 3 for op in ends
    )
    for cause, behind in lost.items():
        if decodes:
            continue  # encoders of image-to-image networks go down to 1x1 on purpose
        yield Finding(
            message=f"{named(cause)} leaves one position of "
            f"{_text(spatial(cause, cause.input_shape))}, and {listed(behind)} still "
            f"{'looks' if len(behind) == 1 else 'look'} for neighbours",
            fix=f"pool or stride less before {listed(behind[:1])}, or feed larger images",
            at=cause,
            severity="note" if several >= _MANY_CONVOLUTIONS else None,
        )


def _shrinker(operation: Operation) -> Operation | None:
    """The layer that made the spatial size 1; None where the input had it already."""
    current = sole_input(operation)
    while current is not None:
        taken = spatial(current, current.input_shape)
        if current.kind in CONVOLUTIONS | POOLING and set(taken) != {1}:
            known = [size for size in taken if size is not None]
            return current if len(known) == len(taken) and max(known, default=0) > 1 else None
        if current.kind not in CONVOLUTIONS | POOLING and len(current.shape) < 3:
            return None  # a reshaped vector, or the result of global pooling
        if "Global" in current.kind or "Adaptive" in current.kind:
            return None
        current = sole_input(current)
    return None


def _text(axes: tuple) -> str:
    return "x".join("?" if size is None else str(size) for size in axes)


@rule(
    "C210",
    "window-too-large",
    "warning",
    "weights of the window that only ever see padding are never trained",
)
def window_too_large(facts: Facts) -> Iterator[Finding]:
    """A window larger than what it slides over.

    ## What it does
    Compares windows with the spatial size of their input. Without padding the framework refuses a
    window that is too large; with padding it runs. Told of is a window more than twice as large as
    its input (of three steps for a sequence of one step). Dilated and causal windows are left
    alone.

    ## Why it hurts
    A window of 7 over 3 positions reaches beyond both ends wherever it stands: its outer weights
    are always multiplied by the zeros of the padding. A convolution over a sequence of one step is
    a dense layer whose other weights lie idle: mostly the axes of steps and features were
    exchanged.

    ## Example
        x = x.reshape(-1, 1, 30)                     # one step with 30 features
        model.add(Conv1D(32, 3, padding="same", input_shape=(1, 30)))

    ## Fix
        x = x.reshape(-1, 30, 1)                     # 30 steps with one feature
        model.add(Conv1D(32, 3, padding="same", input_shape=(30, 1)))
    """
    for operation, taken, window in _windowed(facts):
        if _is_dilated(operation) or operation.settings.get("padding") == "causal":
            continue
        if "Global" in operation.kind or (set(taken) == {1} and _shrinker(operation) is not None):
            continue  # C209 names the cause
        over = [
            (size, length)
            for size, length in zip(window, taken, strict=True)
            if length is not None and size > 1 and size > 2 * length
        ]
        if not over:
            continue
        source = through(operation.inputs[0], TRANSPARENT - {"Reshape", "reshape"})
        if len(taken) > 1 and source.kind == "Input" and {1, 3} & set(taken):
            continue  # channels that stand in the wrong place, C511
        _, length = max(over)
        plane = len(taken) > 1 and length == 1
        yield Finding(
            message=f"the window of {named(operation)} is {_text(window)}, its input is "
            f"{_text(taken)}",
            fix=f"make the window at most {length} there, or exchange the axes of the input"
            if length == 1
            else f"make the window at most {2 * length - 1}, or pool less before it",
            at=operation,
            # images one pixel wide are a common way to write sequences
            severity="note" if plane else None,
        )


@rule(
    "C211",
    "filters-shrink",
    "note",
    "where the image gets smaller, fewer filters throw away what the layer before had found",
)
def filters_shrink(facts: Facts) -> Iterator[Finding]:
    """Fewer filters the deeper the layer, in the convolutions of a classifier.

    ## What it does
    Follows the convolutions of a network that ends in a vector. Told of are two or more whose
    number of filters only falls, to half or less, while the image shrinks. Decoders, autoencoders
    and 1x1 convolutions are left alone.

    ## Why it hurts
    Later layers combine simple features to more, and more special, ones: VGG, ResNet and all that
    followed double the filters where they halve the image, which keeps the work for each layer the
    same. Both falling at once is a bottleneck. It trains, only less well than the other way round.

    ## Example
        model.add(Conv2D(64, 3, activation="relu"))
        model.add(MaxPooling2D())
        model.add(Conv2D(16, 3, activation="relu"))

    ## Fix
        model.add(Conv2D(16, 3, activation="relu"))
        model.add(MaxPooling2D())
        model.add(Conv2D(64, 3, activation="relu"))
    """
    if any(operation.kind in UPSAMPLING for operation in facts.operations):
        return
    for output in facts.outputs:
        if len(output.operation.shape) != 2 or is_autoencoder(output) or output.loss is None:
            continue
        chain: list[Operation] = []
        current: Operation | None = output.operation
        while current is not None and current.kind != "Input":
            if current.kind in CONVOLUTIONS:
                chain.append(current)
            current = sole_input(current)
        if current is None:
            continue  # branches: no one order of layers
        chain = [
            operation
            for operation in reversed(chain)
            if set(sizes(operation.settings.get("kernel_size"), 1) or (0,)) != {1}
            and set(operation.settings.get("kernel_size") or (0,) if _is_row(operation) else (0,))
            != {1}
        ]
        widths = [operation.width for operation in chain]
        if len(chain) < 2 or None in widths:
            continue
        falls = all(a >= b for a, b in itertools.pairwise(widths))  # type: ignore[operator]
        first, last = chain[0], chain[-1]
        shrinks = _area(first) > _area(last) > 0
        if falls and widths[-1] * 2 <= widths[0] and shrinks:  # type: ignore[operator]
            yield Finding(
                message="the convolutions have fewer and fewer filters: "
                + ", ".join(str(width) for width in widths),
                fix="turn the order round: few filters first, more where the image is smaller",
                at=last,
            )


def _is_row(operation: Operation) -> bool:
    return isinstance(operation.settings.get("kernel_size"), tuple | list)


def _area(operation: Operation) -> int:
    area = 1
    for axis in spatial(operation, operation.shape):
        area *= axis or 0
    return area
