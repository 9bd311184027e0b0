"""Batches for a comparison: rows of the user's, or made up to fit the networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.network import AS_IT_IS, Layout, Network, PortError
from cornu.port.training import Loss

Batch = tuple[list[np.ndarray], list[np.ndarray | None]]

# Rows of a made-up batch: enough for the statistics of a batch, fewer where they are large.
_ROWS, _FEWEST_ROWS = 16, 4
# All numbers of a made-up batch together.
_NUMBERS = 2**18
# Different made-up batches; training takes them in turn.
_BATCHES = 4
# Sizes of open axes: of images, and of series.
_OPEN_IMAGE, _OPEN = 32, 12
# Every so many rows are larger: activations with an upper bound should meet it.
_LARGER = 4.0
# What Keras' losses clip probabilities at is 1e-7; training moves them a little.
_CLIPPED = 1e-6


def made_up(network: Network, rows: int | None, seed: int) -> list[Batch]:
    """Batches, without targets, that fit a network with images with their channels last.

    Args:
        network: whose inputs they are for.
        rows: of a batch; None for what suits the size of the inputs.
        seed: of the generator.
    """
    random = np.random.default_rng(seed)
    shapes = [open_sizes(tensor) for tensor in network.inputs]
    if rows is None:
        numbers = sum(math.prod(shape) for shape in shapes)
        rows = max(_FEWEST_ROWS, min(_ROWS, _NUMBERS // max(numbers, 1)))
    batches: list[Batch] = []
    for _ in range(_BATCHES):
        inputs = [
            _input(network, tensor, (rows, *shape), random)
            for tensor, shape in zip(network.inputs, shapes, strict=True)
        ]
        batches.append((inputs, []))
    return batches


def add_targets(
    batches: list[Batch], losses: Sequence[Loss | None], shapes: Sequence[tuple], seed: int
) -> None:
    """Makes up the targets of batches.

    Args:
        batches: with inputs; the targets are put in.
        losses: one for each output, or nothing where the networks have none.
        shapes: of the outputs for a batch.
        seed: of the generator.
    """
    random = np.random.default_rng(seed + 1)
    for number, (inputs, _) in enumerate(batches):
        targets: list[np.ndarray | None] = []
        for place, shape in enumerate(shapes):
            if not losses:
                targets.append(random.standard_normal(shape).astype("float32"))
                continue
            loss = losses[place]
            targets.append(None if loss is None else _target(loss, shape, random))
        batches[number] = inputs, targets


def open_sizes(tensor: KerasTensor) -> tuple[int, ...]:
    """The sizes of a tensor's axes without the batch axis, open ones filled in."""
    default = _OPEN_IMAGE if tensor.ndim >= 4 else _OPEN
    return tuple(default if size is None else size for size in tensor.shape[1:])


def _input(network: Network, tensor: KerasTensor, shape: tuple, random: Any) -> np.ndarray:
    if tensor.dtype == "bool":
        return random.random(shape) < 0.5
    size = _ids(network, tensor)
    if size is not None:
        return random.integers(0, size, shape).astype(
            tensor.dtype if "int" in tensor.dtype else "float32"
        )
    if "int" in tensor.dtype:
        return random.integers(0, 256 if tensor.dtype == "uint8" else 100, shape).astype(
            tensor.dtype
        )
    array = random.standard_normal(shape)
    array[::3] *= _LARGER
    return array.astype("float32")


def _ids(network: Network, tensor: KerasTensor) -> int | None:
    """The number of rows of the smallest embedding that a tensor is looked up in, or None."""
    consumers = network.consumers()
    found: list[int] = []
    waiting, seen = [tensor], set()
    while waiting:
        now = waiting.pop()
        for node in consumers[now]:
            if node.operation == "Embedding":
                found.append(len(node.target.parameters["embeddings"]))
            elif node.operation == "take" and not node.inputs[1:] and node.args[0] is not now:
                found.append(np.shape(node.args[0])[node.attributes.get("axis") or 0])
            elif node.operation in _PASSING and id(node) not in seen:
                seen.add(id(node))
                waiting.append(node.outputs[0])
    return min(found, default=None)


_PASSING = frozenset(
    {"cast", "reshape", "Reshape", "Flatten", "expand_dims", "squeeze", "get_item", "transpose"}
    | {"Identity", "concatenate"}
)


def _target(loss: Loss, shape: tuple, random: Any) -> np.ndarray:
    """Labels that a loss takes for outputs of a shape."""
    kind, axis = loss.kind, loss.settings.get("axis")
    axis = -1 if axis is None else axis
    if kind.startswith("sparse_categorical"):
        classes = shape[axis]
        rest = [size for place, size in enumerate(shape) if place != axis % len(shape)]
        return random.integers(0, classes, rest).astype("int64")
    if kind in ("categorical_crossentropy", "categorical_focal_crossentropy"):
        labels = random.integers(0, shape[-1], shape[:-1])
        return np.eye(shape[-1], dtype="float32")[labels]
    if kind in ("kl_divergence", "categorical_hinge"):
        shares = random.random(shape) + 0.1
        return (shares / shares.sum(-1, keepdims=True)).astype("float32")
    if "binary" in kind or kind in ("dice", "tversky"):
        return random.integers(0, 2, shape).astype("float32")
    if "hinge" in kind:
        return (2.0 * random.integers(0, 2, shape) - 1).astype("float32")
    if kind in ("poisson", "mean_squared_logarithmic_error", "mean_absolute_percentage_error"):
        return (random.random(shape) + 0.5).astype("float32")
    return random.standard_normal(shape).astype("float32")


def given(
    network: Network, layouts: Sequence[Sequence[Layout]], x: Any, y: Any, rows: int | None
) -> list[Batch]:
    """Batches of the user's rows, all of the same size.

    Args:
        network: with images with their channels last.
        layouts: how it holds the inputs that the user may know: lists of one for each input.
        x, y: an array, or a list or dict of them; y may be None.
        rows: of a batch; None for up to 32.
    """
    names = [tensor.node.name for tensor in network.inputs]
    arrays = _listed(x, names, len(names), "x")
    inputs = []
    for place, (array, tensor) in enumerate(zip(arrays, network.inputs, strict=True)):
        known = [AS_IT_IS, *(each[place] for each in layouts)]
        held = [one.hold(array) for one in reversed(known) if _can_hold(one, array)]
        fitting = [one for one in held if _fits(one, tensor)]
        if not fitting:
            raise PortError(
                f"the input {tensor.node.name!r} takes arrays of shape {tensor.shape} (channels "
                f"last); x has shape {array.shape}"
            )
        inputs.append(fitting[0])
    targets: list[np.ndarray] = []
    if y is not None:
        targets = _listed(y, network.output_names, len(network.outputs), "y")
    count = len(inputs[0])
    rows = min(count, 32) if rows is None else min(rows, count)
    batches: list[Batch] = []
    for start in range(0, count - rows + 1, rows):
        part = slice(start, start + rows)
        batches.append(([x[part] for x in inputs], [y[part] for y in targets]))
    return batches


def without_clipped(
    batches: list[Batch], outputs: list[list[np.ndarray]], losses: Sequence[Loss | None]
) -> tuple[list[Batch], int]:
    """Batches without the rows whose probabilities a loss clips, and how many these are.

    A cross-entropy of probabilities takes none below 1e-7 nor above 1 - 1e-7, one of logits does.

    Args:
        batches: with targets.
        outputs: for each batch, the outputs as probabilities.
        losses: one for each output.
    """
    inside = []
    for (_, targets), probabilities in zip(batches, outputs, strict=True):
        rows = np.ones(len(probabilities[0]), bool)
        for target, array, loss in zip(targets, probabilities, losses, strict=True):
            if loss is not None and target is not None and "crossentropy" in loss.kind:
                rows &= _is_inside(array, target, loss)
        inside.append(rows)
    left_out = sum(int((~rows).sum()) for rows in inside)
    if not left_out:
        return batches, 0

    def kept(place: int, number: int) -> np.ndarray:
        return np.concatenate(
            [batch[place][number][rows] for batch, rows in zip(batches, inside, strict=True)]  # type: ignore[index]
        )

    inputs = [kept(0, number) for number in range(len(batches[0][0]))]
    targets = [
        None if target is None else kept(1, number) for number, target in enumerate(batches[0][1])
    ]
    size = min(len(batches[0][0][0]), len(inputs[0]))
    new: list[Batch] = []
    for start in range(0, len(inputs[0]) - size + 1, size) if size else ():
        part = slice(start, start + size)
        labels = [None if target is None else target[part] for target in targets]
        new.append(([one[part] for one in inputs], labels))
    return new, left_out


def _is_inside(array: np.ndarray, target: np.ndarray, loss: Loss) -> np.ndarray:
    """Which rows have no probability that is clipped among those that the loss takes."""
    if loss.kind.startswith("sparse"):
        index = np.asarray(target).reshape(array.shape[:-1]).astype(int)
        array = np.take_along_axis(array, index[..., None], -1)
    array = array.reshape(len(array), -1)
    return np.all((array > _CLIPPED) & (array < 1 - _CLIPPED), axis=1)


def _listed(value: Any, names: Sequence[str], count: int, what: str) -> list[np.ndarray]:
    if isinstance(value, dict):
        value = [value[name] for name in names]
    elif not isinstance(value, (list, tuple)) or (count == 1 and len(value) != 1):
        value = [value]
    if len(value) != count:
        raise PortError(f"{what} has {len(value)} arrays, the network takes {count}")
    return [plain(array) for array in value]


def plain(array: Any) -> np.ndarray:
    if hasattr(array, "detach"):  # PyTorch's
        array = array.detach().cpu()
    array = np.asarray(array)
    return array.astype("float32") if array.dtype == "float64" else array


def _can_hold(layout: Layout, array: np.ndarray) -> bool:
    return layout.axes is None or len(layout.axes) == array.ndim


def _fits(array: np.ndarray, tensor: KerasTensor) -> bool:
    return array.ndim == tensor.ndim and all(
        want is None or have == want
        for have, want in zip(array.shape[1:], tensor.shape[1:], strict=True)
    )
