"""What PyTorch says otherwise, said as PyTorch says it: paddings, axes, pooling at the edges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port import kinds
from cornu.port.layout import images_moved
from cornu.port.network import Names, Network, Operation, PortError, apply

Pairs = tuple[tuple[int, int], ...]


def torch_form(network: Network) -> Network:
    """The network with each node being one module, function or method of PyTorch.

    Args:
        network: with its channels first. It is not changed.

    Returns:
        A network that computes the same, in which

        - convolutions have a `padding` of numbers, one for each axis, transposed ones also an
          `output_padding`; pooling has `padding` and `ceil_mode`, and average pooling
          `uncounted`: pairs of zeros that have to be divided out, or None;
        - what padding cannot say is a "pad" or a "get_item" of its own;
        - all spatial layers have their channels first, batch and group normalization work on
          axis 1, layer normalization on the last axes: else there are transpositions around them.

    Raises:
        PortError: what PyTorch cannot compute, or not without knowing a size that is open.
    """
    return _Form(network).network()


class _Form:
    def __init__(self, old: Network):
        self.old = old
        self.names = Names([operation.name for operation in old.operations])
        self.applied: dict[int, list[Node]] = {}
        for node in old.nodes:
            self.applied.setdefault(id(node.target), []).append(node)
        self.consumers = old.consumers()
        self.made: dict[int, Operation] = {}
        self.folded: dict[int, Pairs] = {}
        self.without: set[Node] = set()

    def network(self) -> Network:
        for node in self.old.nodes:
            if node.operation.startswith("ZeroPadding"):
                self._fold(node)
        return self.old.rebuild(self._new)

    def _new(self, node: Node, args: tuple) -> KerasTensor:
        kind = node.operation
        if kind in kinds.SPATIAL:
            return self._with_channels_first(node, args)
        if kind in ("BatchNormalization", "GroupNormalization"):
            return self._on_axes(node, args, node.attributes["axis"], 1)
        if kind == "LayerNormalization":
            axes = tuple(node.attributes["axis"])
            ndim = node.inputs[0].ndim
            return self._on_axes(node, args, axes, tuple(range(ndim - len(axes), ndim)))
        return self._apply(node, args)

    def _operation(self, node: Node, **attributes: Any) -> Operation:
        key = id(node.target)
        if key not in self.made:
            self.made[key] = node.target.copy()
        self.made[key].attributes.update(attributes)
        return self.made[key]

    def _apply(self, node: Node, args: Sequence[Any], shape: Any = None, **attributes: Any) -> Any:
        out = node.outputs[0]
        operation = self._operation(node, **attributes)
        return apply(operation, *args, shape=out.shape if shape is None else shape, dtype=out.dtype)

    def _extra(
        self, kind: str, node: Node, what: str, x: KerasTensor, shape: Sequence, **attributes: Any
    ) -> KerasTensor:
        """A node that the old network does not have."""
        name = self.names(f"{node.name}_{what}")
        operation = Operation(kind, name, attributes, place=node.target.place)
        return apply(operation, x, shape=shape, dtype=x.dtype)

    # -- axes --------------------------------------------------------------------------------------

    def _moved(self, node: Node, x: KerasTensor, axes: tuple[int, ...]) -> KerasTensor:
        shape = [x.shape[axis] for axis in axes]
        return self._extra("transpose", node, "moved", x, shape, axes=axes)

    def _on_axes(self, node: Node, args: tuple, axes: Any, wanted: Any) -> KerasTensor:
        """A normalization, with the axes that it works on brought to where PyTorch has them."""
        (x,) = args
        if axes == wanted:
            return self._apply(node, args)
        several = isinstance(axes, tuple)
        mine, theirs = (axes, wanted) if several else ((axes,), (wanted,))
        rest = iter(axis for axis in range(x.ndim) if axis not in mine)
        order = tuple(mine[theirs.index(i)] if i in theirs else next(rest) for i in range(x.ndim))
        moved = self._moved(node, x, order)
        made = self._apply(node, (moved,), moved.shape, axis=wanted)
        return self._moved(node, made, tuple(order.index(axis) for axis in range(x.ndim)))

    def _with_channels_first(self, node: Node, args: tuple) -> KerasTensor:
        if node.attributes.get("data_format", "channels_first") == "channels_first":
            return self._spatial(node, args[0], node.outputs[0].shape)
        (x,), out = args, node.outputs[0]
        moved = self._moved(node, x, images_moved(x.ndim, "channels_first"))
        if out.ndim != x.ndim:
            return self._spatial(node, moved, out.shape)
        shape = [out.shape[axis] for axis in images_moved(x.ndim, "channels_first")]
        made = self._spatial(node, moved, shape)
        return self._moved(node, made, images_moved(x.ndim, "channels_last"))

    # -- spatial layers ----------------------------------------------------------------------------

    def _spatial(self, node: Node, x: KerasTensor, shape: Sequence) -> KerasTensor:
        kind = node.operation
        self._operation(node, data_format="channels_first")
        if kind.endswith("Transpose"):
            return self._transposed(node, x, shape)
        if kind.startswith(("Conv", "DepthwiseConv")):
            return self._convolution(node, x, shape)
        if kind.startswith(("MaxPooling", "AveragePooling")):
            return self._pooling(node, x, shape)
        if kind.startswith("ZeroPadding"):
            if node in self.without:
                return x
            return self._padded(node, x, node.attributes["padding"], 0.0)
        if kind.startswith("Cropping"):
            return self._cut(node, x, node.attributes["cropping"], shape)
        return self._apply(node, (x,), shape)

    def _fold(self, node: Node) -> None:
        """Zeros around an image belong to the convolution behind them, if that can add them."""
        tensor = node.outputs[0]
        takers = self.consumers[tensor]
        if len(takers) != 1 or tensor in self.old.outputs:
            return
        (taker,) = takers
        is_convolution = taker.operation.startswith(("Conv", "DepthwiseConv"))
        if not is_convolution or taker.operation.endswith("Transpose"):
            return
        if len(self.applied[id(taker.target)]) > 1 or taker.attributes["padding"] == "same":
            return
        added = [tuple(pair) for pair in node.attributes["padding"]]
        own = pairs_of(taker)
        total = tuple((a + c, b + d) for (a, b), (c, d) in zip(added, own, strict=True))
        if all(before == after for before, after in total):
            self.folded[id(taker.target)] = total
            self.without.add(node)

    def _convolution(self, node: Node, x: KerasTensor, shape: Sequence) -> KerasTensor:
        target = node.target
        if id(target) in self.folded:
            pairs = self.folded[id(target)]
            return self._apply(node, (x,), shape, padding=tuple(before for before, _ in pairs))
        # one layer has one padding, however often it is applied
        found = {pairs_of(one) for one in self.applied[id(target)]}
        pairs = pairs_of(node)
        if len(found) == 1 and all(before == after for before, after in pairs):
            return self._apply(node, (x,), shape, padding=tuple(before for before, _ in pairs))
        # (PyTorch's padding="same" would do for a stride of 1, but warns where it is uneven.)
        x = self._padded(node, x, pairs, 0.0)
        return self._apply(node, (x,), shape, padding=(0,) * len(pairs))

    def _padded(self, node: Node, x: KerasTensor, pairs: Any, value: float) -> KerasTensor:
        pairs = tuple(tuple(pair) for pair in pairs)
        if not any(map(any, pairs)):
            return x
        shape = [
            *x.shape[:2],
            *(n and n + sum(pair) for n, pair in zip(x.shape[2:], pairs, strict=True)),
        ]
        width = ((0, 0), (0, 0), *pairs)
        settings = {"pad_width": width, "constant_values": value, "mode": "constant"}
        return self._extra("pad", node, "padded", x, shape, **settings)

    def _cut(self, node: Node, x: KerasTensor, pairs: Any, shape: Sequence) -> KerasTensor:
        if not any(map(any, pairs)):
            return x
        key = tuple(slice(before or None, -after or None) for before, after in pairs)
        key = (slice(None), slice(None), *key)
        return self._extra("get_item", node, "cut", x, shape, key=key)

    def _transposed(self, node: Node, x: KerasTensor, shape: Sequence) -> KerasTensor:
        """Cropping as PyTorch's padding and output_padding; what they cannot say is cut off."""
        settings = node.attributes
        paddings, more, rest = [], [], []
        for (before, after), stride, dilation in zip(
            settings["cropping"], settings["strides"], settings["dilation_rate"], strict=True
        ):
            # PyTorch cuts off `padding` before and `padding - output_padding` after
            padding, extra = before, max(before - after, 0)
            if extra >= max(stride, dilation):
                padding, extra = max(after, 0), max(-after, 0)
            if extra >= max(stride, dilation) or before < 0:
                raise node.target.refuse(
                    f"cuts off {before} before and {after} after, which PyTorch cannot"
                )
            paddings.append(padding)
            more.append(extra)
            rest.append((before - padding, after + extra - padding))
        lengths = [n and n + sum(pair) for n, pair in zip(shape[2:], rest, strict=True)]
        changes = {"padding": tuple(paddings), "output_padding": tuple(more)}
        made = self._apply(node, (x,), [*shape[:2], *lengths], **changes)
        return self._cut(node, made, rest, shape)

    def _pooling(self, node: Node, x: KerasTensor, shape: Sequence) -> KerasTensor:
        settings = node.attributes
        is_max = node.operation.startswith("Max")
        counted = is_max or settings.get("count_padding", settings["padding"] != "same")
        pairs = pairs_of(node)
        windows, strides = settings["pool_size"], settings["strides"] or settings["pool_size"]
        sizes = tuple(x.shape[2:])
        least = tuple(before for before, _ in pairs)
        shared = len(self.applied[id(node.target)]) > 1
        changes: dict[str, Any] = {
            "strides": tuple(strides), "padding": least, "ceil_mode": False, "uncounted": None,
            "count_padding": counted,
        }  # fmt: skip
        fits = all(p <= k // 2 for p, k in zip(least, windows, strict=True))
        if fits and all(before == after for before, after in pairs):
            return self._pooled(node, x, shape, changes)
        if fits and not shared and (is_max or not counted):
            reached = [
                n is not None and _rounded_up(n, k, s, p) == (n + sum(pair) - k) // s + 1
                for n, k, s, p, pair in zip(sizes, windows, strides, least, pairs, strict=True)
            ]
            if all(reached):
                return self._pooled(node, x, shape, {**changes, "ceil_mode": True})
        changes["padding"] = (0,) * len(pairs)
        if not counted:
            return self._pooled(node, x, shape, {**changes, "uncounted": pairs})
        x = self._padded(node, x, pairs, -math.inf if is_max else 0.0)
        return self._pooled(node, x, shape, changes)

    def _pooled(self, node: Node, x: KerasTensor, shape: Sequence, changes: dict) -> KerasTensor:
        """Pooling has no weights: each application can have settings of its own."""
        attributes = {**node.attributes, **changes, "data_format": "channels_first"}
        operation = node.target.copy(attributes=attributes)
        return apply(operation, x, shape=shape, dtype=x.dtype)


def pairs_of(node: Node) -> Pairs:
    """What a convolution or pooling adds before and after each spatial axis of its input.

    Raises PortError where that depends on a size that is open.
    """
    settings = node.attributes
    padding = settings["padding"]
    windows = settings.get("kernel_size") or settings["pool_size"]
    rank = len(windows)
    strides = settings["strides"] or windows
    dilations = settings.get("dilation_rate") or (1,) * rank
    if padding == "valid":
        return ((0, 0),) * rank
    if padding != "same":
        return tuple((int(before), int(after)) for before, after in padding)
    shape = node.inputs[0].shape
    sizes = shape[2:] if settings.get("data_format") == "channels_first" else shape[1:-1]
    pairs = []
    for size, window, stride, dilation in zip(sizes, windows, strides, dilations, strict=True):
        reach = dilation * (window - 1) + 1
        if stride == 1:
            total = reach - 1
        elif size is None:
            raise PortError(
                f"{node.operation} {node.name!r} has padding='same' with strides={stride} on an "
                "axis of unknown size",
                node.target.place,
                "Give the input a fixed size",
            )
        else:
            total = max((-(-size // stride) - 1) * stride + reach - size, 0)
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)


def _rounded_up(size: int, window: int, stride: int, padding: int) -> int:
    """The length that PyTorch's pooling gives with `ceil_mode=True`."""
    length = -(-(size + 2 * padding - window) // stride) + 1
    # the last window has to begin inside
    return length - 1 if (length - 1) * stride >= size + padding else length
