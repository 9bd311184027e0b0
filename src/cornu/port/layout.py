"""Images with their channels last, or first: a network rearranged, and its weights with it.

Transpositions are not carried out where they stand but remembered, and only made where an operation
needs the axes in another order. So a network comes out without any between its layers; and where
an image is flattened, the kernel behind it is rearranged instead.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port import kinds
from cornu.port.network import AS_IT_IS, Layout, Names, Network, Observed, Operation, apply
from cornu.port.training import Training

# Numbers of channels that make an array of (a, b, c) an image, where no layer says so.
_CHANNELS = (1, 2, 3, 4)


def change_layout(network: Network, data_format: str) -> Network:
    """The network with every image in a layout.

    Args:
        network: as a reader gives it. It is not changed.
        data_format: "channels_last" or "channels_first".

    Returns:
        A network that computes the same. Its `input_layouts` and `output_layouts` say how inputs
        and outputs are held now; its weights' origins lead back to the same weights.
    """
    return _Change(network, data_format).network()


def ends_as_read(network: Network) -> Network:
    """The network with inputs and outputs as the network that was read has them.

    Where images are held otherwise inside, they are transposed at the entrance and at the exit.
    """
    names = Names([operation.name for operation in network.operations])
    entrances: list[KerasTensor] = []

    def make(node: Node, args: tuple) -> KerasTensor:
        out = node.outputs[0]
        if out not in network.inputs:
            return apply(operations[id(node.target)], *args, shape=out.shape, dtype=out.dtype)
        axes = network.input_layouts[network.inputs.index(out)].axes
        operation = node.target.copy()
        if axes is None:
            entrances.append(apply(operation, shape=out.shape, dtype=out.dtype))
            return entrances[-1]
        shape = [out.shape[axes.index(axis)] for axis in range(out.ndim)]
        entrances.append(apply(operation, shape=shape, dtype=out.dtype))
        moved = Operation("transpose", names(f"{node.name}_moved"), {"axes": axes})
        return apply(moved, entrances[-1], shape=out.shape, dtype=out.dtype)

    operations = {id(one): one.copy() for one in network.operations}
    made = network.rebuild(make)
    outputs = []
    for tensor, layout in zip(made.outputs, network.output_layouts, strict=True):
        if layout.axes is not None:
            back = tuple(int(axis) for axis in np.argsort(layout.axes))
            moved = Operation("transpose", names(f"{tensor.name}_moved"), {"axes": back})
            shape = [tensor.shape[axis] for axis in back]
            tensor = apply(moved, tensor, shape=shape, dtype=tensor.dtype)
        outputs.append(tensor)
    ordered = [next(e for e in entrances if e.name == t.name) for t in network.inputs]
    found = network.like(ordered, outputs, network.training, made.observed)
    found.input_layouts = [AS_IT_IS] * len(ordered)
    found.output_layouts = [AS_IT_IS] * len(outputs)
    return found


def images_moved(rank: int, data_format: str) -> tuple[int, ...]:
    """The axes in the order that brings an image from the other data format to this one.

    >>> images_moved(4, "channels_first"), images_moved(4, "channels_last")
    ((0, 3, 1, 2), (0, 2, 3, 1))
    """
    middle = range(1, rank - 1)
    return (0, rank - 1, *middle) if data_format == "channels_first" else (0, *range(2, rank), 1)


@dataclasses.dataclass(frozen=True, eq=False)
class _Held:
    """A tensor of the old network in the new one.

    Attributes:
        tensor: of the new network.
        layout: how it holds the old one.
        image: of a flattened image its shape as held, with the batch axis, and the old axes' order.
    """

    tensor: KerasTensor
    layout: Layout = AS_IT_IS
    image: tuple[tuple, tuple[int, ...]] | None = None


class _Change:
    def __init__(self, network: Network, data_format: str):
        self.old, self.data_format = network, data_format
        self.held: dict[KerasTensor, _Held] = {}
        self.consumers = network.consumers()
        applied: dict[int, int] = {}
        for node in network.nodes:
            applied[id(node.target)] = applied.get(id(node.target), 0) + 1
        self.shared = {one for one, count in applied.items() if count > 1}
        self.made: dict[int, Operation] = {}
        self.first_layouts: dict[int, list[Layout]] = {}
        self.names = Names([operation.name for operation in network.operations])
        self.units = self._units_before_images()

    def network(self) -> Network:
        for node in self.old.nodes:
            self.held[node.outputs[0]] = self._new(node)
        outputs = []
        for tensor in self.old.outputs:
            held = self.held[tensor]
            outputs.append(held if held.layout.is_image else self._as(tensor, AS_IT_IS))
        observed = {
            self.held[tensor].tensor: Observed(seen.key, seen.layout.then(self.held[tensor].layout))
            for tensor, seen in self.old.observed.items()
            if tensor in self.held
        }
        for tensor, held in zip(self.old.outputs, outputs, strict=True):
            if tensor in self.old.observed:
                seen = self.old.observed[tensor]
                observed[held.tensor] = Observed(seen.key, seen.layout.then(held.layout))
        inputs = [self.held[tensor] for tensor in self.old.inputs]
        made = self.old.like(
            [one.tensor for one in inputs],
            [one.tensor for one in outputs],
            self.old.training,
            observed,
        )
        made.data_format = self.data_format
        made.training = self._training(outputs)
        made.input_layouts = [
            before.then(one.layout)
            for before, one in zip(self.old.input_layouts, inputs, strict=True)
        ]
        made.output_layouts = [
            before.then(one.layout)
            for before, one in zip(self.old.output_layouts, outputs, strict=True)
        ]
        return made

    def _training(self, outputs: list[_Held]) -> Training | None:
        """The training, with the losses' axes where they are now."""
        training = self.old.training
        if training is None:
            return None
        training = training.copy()
        for loss, held in zip(training.losses, outputs, strict=False):
            if loss is not None and loss.settings.get("axis") is not None:
                loss.settings["axis"] = self._axis(loss.settings["axis"], held.layout)
        return training

    # -- which layout is wanted ------------------------------------------------------------------

    def _wanted(self, tensor: KerasTensor) -> tuple[int, ...] | None:
        """The order in which a tensor's axes should be held for the first spatial layer behind it.

        None where there is no such layer.
        """
        waiting = [(tensor, tuple(range(tensor.ndim)))]
        seen = set()
        while waiting:
            now, axes = waiting.pop(0)
            for node in self.consumers.get(now, ()):
                if id(node) in seen:
                    continue
                seen.add(id(node))
                kind, out = node.operation, node.outputs[0]
                if kind in kinds.SPATIAL:
                    order = self._order_for(node)
                    return tuple(axes[i] for i in order)
                if kind == "transpose":
                    waiting.append((out, tuple(axes[i] for i in node.attributes["axes"])))
                elif out.ndim == now.ndim and kind in _PASSING:
                    waiting.append((out, axes))
        return None

    def _order_for(self, node: Node) -> tuple[int, ...]:
        """The order of axes in which a spatial layer wants its input."""
        rank = node.inputs[0].ndim
        if node.attributes.get("data_format") == self.data_format:
            return tuple(range(rank))
        return images_moved(rank, self.data_format)

    def _units_before_images(self) -> dict[int, np.ndarray]:
        """For a Dense layer whose units become an image, the order in which it should have them."""
        found: dict[int, np.ndarray] = {}
        made_by = {tensor: node for node in self.old.nodes for tensor in node.outputs}
        for node in self.old.nodes:
            if node.operation not in ("Reshape", "reshape"):
                continue
            source, out = node.inputs[0], node.outputs[0]
            if source.ndim != 2 or out.ndim < 3 or None in (*source.shape[1:], *out.shape[1:]):
                continue
            order = self._wanted(out)
            if order is None or order == tuple(range(out.ndim)) or order[0] != 0:
                continue
            while True:
                before = made_by[source]
                alone = len(self.consumers[source]) == 1 and id(before.target) not in self.shared
                if not alone or source in self.old.outputs:
                    break
                if before.operation == "Dense" and before.inputs[0].ndim == 2:
                    index = (
                        _numbers(out.shape[1:]).transpose([axis - 1 for axis in order[1:]]).ravel()
                    )
                    found[id(before.target)] = index
                    break
                if before.operation not in kinds.UNARY | {"BatchNormalization"}:
                    break
                source = before.inputs[0]
        return found

    # -- tensors in a layout ---------------------------------------------------------------------

    def _as(self, tensor: KerasTensor, layout: Layout) -> _Held:
        """An old tensor, held in a layout."""
        held = self.held[tensor]
        if held.layout == layout:
            return held
        if held.layout.features is not None:
            held = self._in_order(tensor, held)
            if held.layout == layout:
                return held
        if layout.features is not None:
            raise ValueError(f"{tensor!r}: only a flattened image is held in another order")
        now = held.layout.axes or tuple(range(tensor.ndim))
        wanted = layout.axes or tuple(range(tensor.ndim))
        axes = tuple(now.index(axis) for axis in wanted)
        shape = tuple(tensor.shape[axis] for axis in wanted)
        is_reshaped = sum(size != 1 for size in tensor.shape[1:]) <= 1 and axes[0] == 0
        if is_reshaped and None not in shape[1:]:  # axes of size 1 need not be moved
            kind, attributes = "Reshape", {"target_shape": shape[1:]}
        else:
            kind, attributes = "transpose", {"axes": axes}
        operation = Operation(kind, self.names(f"{tensor.name}_{kind.lower()}"), attributes)
        return _Held(apply(operation, held.tensor, shape=shape, dtype=tensor.dtype), layout)

    def _in_order(self, tensor: KerasTensor, held: _Held) -> _Held:
        """A tensor of a flattened image's entries, with them in the old order again."""
        index = np.argsort(held.layout.features)  # type: ignore[arg-type]
        if held.image is None:
            attributes = {"axis": tensor.ndim - 1, "indices": index}
            operation = Operation("take", self.names(f"{tensor.name}_ordered"), attributes)
            return _Held(apply(operation, held.tensor, shape=tensor.shape, dtype=tensor.dtype))
        shape, order = held.image
        back = tuple(int(axis) for axis in np.argsort(order))
        steps: list[tuple[str, dict, tuple]] = [
            ("Reshape", {"target_shape": shape[1:]}, shape),
            ("transpose", {"axes": back}, tuple(shape[axis] for axis in back)),
            ("Flatten", {}, tensor.shape),
        ]
        now = held.tensor
        for kind, attributes, out in steps:
            operation = Operation(kind, self.names(f"{tensor.name}_{kind.lower()}"), attributes)
            now = apply(operation, now, shape=out, dtype=tensor.dtype)
        return _Held(now)

    def _node(
        self,
        node: Node,
        args: list[Any],
        layout: Layout = AS_IT_IS,
        image: Any = None,
        **attributes: Any,
    ) -> _Held:
        """The node with new arguments and settings, its output being held in a layout."""
        operation = self._operation(node)
        operation.attributes.update(attributes)
        out = node.outputs[0]
        shape = out.shape if layout.axes is None else [out.shape[axis] for axis in layout.axes]
        return _Held(apply(operation, *args, shape=shape, dtype=out.dtype), layout, image)

    def _operation(self, node: Node) -> Operation:
        target = node.target
        if id(target) not in self.made:
            self.made[id(target)] = target.copy()
        return self.made[id(target)]

    # -- nodes -----------------------------------------------------------------------------------

    def _new(self, node: Node) -> _Held:
        if node.operation == "InputLayer":
            return self._input(node)
        if id(node.target) in self.shared:
            return self._shared(node)
        return self._rearranged(node)

    def _shared(self, node: Node) -> _Held:
        """A layer applied several times: its weights are rearranged once, so in one way only."""
        tensors = node.inputs
        for tensor in tensors:
            if self.held[tensor].layout.features is not None:
                self.held[tensor] = self._in_order(tensor, self.held[tensor])
        first = self.first_layouts.get(id(node.target))
        if first is None:
            made = self._rearranged(node)
            self.first_layouts[id(node.target)] = [self.held[t].layout for t in tensors]
            return made
        before = {tensor: self.held[tensor] for tensor in tensors}
        weights = self.made[id(node.target)].copy()
        for tensor, layout in zip(tensors, first, strict=True):
            self.held[tensor] = self._as(tensor, layout)
        made = self._rearranged(node)
        operation = self.made[id(node.target)]
        # what the first application has rearranged is not to be rearranged again
        operation.parameters, operation.origins = weights.parameters, weights.origins
        self.held.update(before)
        return made

    def _rearranged(self, node: Node) -> _Held:
        kind = node.operation
        if kind in kinds.SPATIAL:
            return self._spatial(node)
        for family, method in _METHODS:
            if kind in family:
                return method(self, node)
        return self._node(node, self._plain(node))

    def _plain(self, node: Node) -> list[Any]:
        """The arguments as the old network has them."""
        return [
            self._as(arg, AS_IT_IS).tensor if isinstance(arg, KerasTensor) else arg
            for arg in node.args
        ]

    def _input(self, node: Node) -> _Held:
        tensor = node.outputs[0]
        order = self._wanted(tensor) if tensor.ndim > 2 else None
        if order is None and self._is_image(tensor):
            order = images_moved(4, self.data_format)
        layout = Layout(order, is_image=True).reduced() if order and order[0] == 0 else AS_IT_IS
        return self._node(node, [], layout)

    def _is_image(self, tensor: KerasTensor) -> bool:
        """Whether an input that meets no spatial layer is an image all the same."""
        known = self.old.data_format
        if known in (None, self.data_format) or tensor.ndim != 4 or "int" in tensor.dtype:
            return False
        return tensor.shape[1 if known == "channels_first" else -1] in _CHANNELS

    def _spatial(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        order = self._order_for(node)
        layout = Layout(order, is_image=True).reduced()
        if node.operation in kinds.GLOBAL_POOLING and not node.attributes.get("keepdims"):
            now = self.held[tensor].layout
            if now != layout and now.features is None:
                return self._pooled_as_it_is(node, now)
            held, layout = self._as(tensor, layout), AS_IT_IS
        else:
            held = self._as(tensor, layout)
        return self._node(node, [held.tensor], layout, data_format=self.data_format)

    def _pooled_as_it_is(self, node: Node, layout: Layout) -> _Held:
        """A pooling of all places, along the axes where they are held."""
        (tensor,) = node.inputs
        first = node.attributes.get("data_format") == "channels_first"
        places = tuple(range(2, tensor.ndim) if first else range(1, tensor.ndim - 1))
        operation = self._operation(node)
        operation.kind = "mean" if "Average" in node.operation else "max"
        axes = tuple(sorted(self._axis(places, layout)))
        operation.attributes = {"axis": axes, "keepdims": False}
        out = node.outputs[0]
        made = apply(operation, self.held[tensor].tensor, shape=out.shape, dtype=out.dtype)
        return _Held(made)

    def _each_element(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        held = self.held[tensor]
        attributes = {}
        axis = node.attributes.get("axis")
        if axis is not None:
            if held.layout.features is not None and node.attributes.get("function") == "glu":
                held = self._as(tensor, AS_IT_IS)
            attributes["axis"] = self._axis(axis, held.layout)
        return self._node(node, [held.tensor], held.layout, held.image, **attributes)

    @staticmethod
    def _axis(axis: Any, layout: Layout) -> Any:
        """Where an axis, or each of several, is held."""
        if layout.axes is None:
            return axis
        if isinstance(axis, (tuple, list)):
            return tuple(layout.axes.index(one) for one in axis)
        return layout.axes.index(axis)

    def _elementwise(self, node: Node) -> _Held:
        out = node.outputs[0]
        full = [t for t in node.inputs if t.ndim == out.ndim]
        if len(full) < len(node.inputs):  # broadcast along axes that one of them lacks
            return self._node(node, self._plain(node))
        # the largest is left as it is
        largest = max(full, key=lambda t: (math.prod(s or 1 for s in t.shape), t.ndim))
        chosen = self.held[largest]
        if chosen.layout.features is not None and not all(
            self.held[t].layout == chosen.layout for t in full
        ):
            return self._node(node, self._plain(node))
        args = []
        for arg in node.args:
            if isinstance(arg, KerasTensor):
                arg = self._as(arg, chosen.layout).tensor
            elif isinstance(arg, np.ndarray) and arg.ndim:
                arg = arg.reshape((1,) * (out.ndim - arg.ndim) + arg.shape)
                index = chosen.layout.features
                if chosen.layout.axes is not None:
                    arg = arg.transpose(chosen.layout.axes)
                if index is not None and arg.shape[-1] > 1:
                    arg = arg[..., index]
            args.append(arg)
        return self._node(node, args, chosen.layout, chosen.image)

    def _concatenate(self, node: Node) -> _Held:
        axis, tensors = node.attributes["axis"], node.inputs
        held = [self.held[tensor] for tensor in tensors]
        if any(one.layout.features is not None for one in held):
            if axis == 1 and node.outputs[0].ndim == 2:
                parts, start = [], 0
                for tensor, one in zip(tensors, held, strict=True):
                    (size,) = _whole(tensor.shape[1:])
                    index = one.layout.features
                    parts.append(start + (np.arange(size) if index is None else index))
                    start += size
                layout = Layout(None, np.concatenate(parts)).reduced()
                return self._node(node, [one.tensor for one in held], layout)
            return self._node(node, self._plain(node))
        layout = next((one.layout for one in held if not one.layout.is_same), AS_IT_IS)
        args = [self._as(tensor, layout).tensor for tensor in tensors]
        return self._node(node, args, layout, axis=self._axis(axis, layout))

    def _normalization(self, node: Node) -> _Held:
        """One axis is normalized: batch and group normalization."""
        (tensor,) = node.inputs
        held = self.held[tensor]
        axis = node.attributes["axis"]
        index = held.layout.features
        if index is not None:
            if node.operation != "BatchNormalization" or axis != 1:
                held = self._as(tensor, AS_IT_IS)
            else:
                operation = self._operation(node)
                for name in operation.parameters:
                    operation.change(name, lambda array: array[index])
        attributes = {"axis": self._axis(axis, held.layout)}
        return self._node(node, [held.tensor], held.layout, held.image, **attributes)

    def _prelu(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        held = self.held[tensor]
        layout = held.layout
        operation = self._operation(node)
        if layout.axes is not None:
            if layout.axes[0] != 0:
                return self._node(node, self._plain(node))
            order = [axis - 1 for axis in layout.axes[1:]]
            operation.change("alpha", lambda array: array.transpose(order))
        if layout.features is not None:
            index = layout.features
            operation.change("alpha", lambda array: array[..., index])
        shared = self._axis(tuple(node.attributes.get("shared_axes") or ()), layout)
        return self._node(
            node, [held.tensor], layout, held.image, shared_axes=tuple(sorted(shared))
        )

    def _reduction(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        held = self.held[tensor]
        axes = tuple(node.attributes["axis"])
        if held.layout.features is not None or held.layout.axes is None:
            if not (tensor.ndim == 2 and axes == (1,)):  # which takes entries in any order
                held = self._as(tensor, AS_IT_IS)
            return self._node(node, [held.tensor])
        layout = held.layout
        attributes = {"axis": tuple(sorted(self._axis(axes, layout)))}
        if not node.attributes.get("keepdims"):
            layout = self._without(layout, axes)
        return self._node(node, [held.tensor], layout, **attributes)

    @staticmethod
    def _without(layout: Layout, axes: Any) -> Layout:
        """The layout of a tensor that has lost some axes."""
        left = [axis for axis in layout.axes or () if axis not in axes]
        order = tuple(sorted(left).index(axis) for axis in left)
        return Layout(order, is_image=layout.is_image).reduced()

    def _transpose(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        held = self.held[tensor]
        if held.layout.features is not None:
            return self._node(node, self._plain(node))
        now = held.layout.axes or tuple(range(tensor.ndim))
        axes = node.attributes["axes"]
        # nothing is moved; only what each axis means is another
        layout = Layout(tuple(axes.index(axis) for axis in now), is_image=held.layout.is_image)
        return _Held(held.tensor, layout.reduced())

    def _flatten(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        held = self.held[tensor]
        order = held.layout.axes
        if order is None or order[0] != 0 or None in tensor.shape[1:]:
            return self._node(node, self._plain(node))
        index = _numbers(tensor.shape[1:]).transpose([axis - 1 for axis in order[1:]]).ravel()
        layout = Layout(None, index).reduced()
        image = (held.tensor.shape, order)
        return self._node(
            node, [held.tensor], layout, image if layout.features is not None else None
        )

    def _reshape(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        out = node.outputs[0]
        if node.operation in ("Reshape", "reshape") and _is_flatten(tensor, out):
            return self._flatten(node)
        held = self.held[tensor]
        index = held.layout.features
        if index is not None and tensor.ndim == 2 and out.ndim > 2:
            order = self._wanted(out)
            if order is not None and None not in out.shape[1:]:
                wanted = _numbers(out.shape[1:]).transpose([axis - 1 for axis in order[1:]]).ravel()
                if np.array_equal(wanted, index):
                    shape = tuple(out.shape[axis] for axis in order)
                    layout = Layout(order, is_image=True)
                    setting = (
                        {"target_shape": shape[1:]}
                        if node.operation == "Reshape"
                        else {"newshape": (-1, *shape[1:])}
                    )
                    return self._node(node, [held.tensor], layout, **setting)
        return self._node(node, self._plain(node))

    def _squeeze(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        held = self.held[tensor]
        if held.layout.axes is None:
            return self._node(node, self._plain(node))
        axes = tuple(node.attributes["axis"])
        layout = self._without(held.layout, axes)
        axes = tuple(sorted(self._axis(axes, held.layout)))
        return self._node(node, [held.tensor], layout, axis=axes)

    def _get_item(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        held = self.held[tensor]
        if held.layout.axes is None:
            return self._node(node, self._plain(node))
        key = tuple(node.attributes["key"])
        gone = [axis for axis, one in enumerate(key) if not isinstance(one, slice)]
        layout = self._without(held.layout, gone)
        key = tuple(key[axis] for axis in held.layout.axes)
        return self._node(node, [held.tensor], layout, key=key)

    def _pad(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        held = self.held[tensor]
        if held.layout.axes is None:
            return self._node(node, self._plain(node))
        pads = node.attributes["pad_width"]
        width = tuple(tuple(pads[axis]) for axis in held.layout.axes)
        return self._node(node, [held.tensor], held.layout, pad_width=width)

    def _dense(self, node: Node) -> _Held:
        (tensor,) = node.inputs
        held = self.held[tensor]
        index = held.layout.features
        if index is None:
            held = self._as(tensor, AS_IT_IS)
        else:
            self._operation(node).change("kernel", lambda kernel: kernel[index])
        layout = AS_IT_IS
        units = self.units.get(id(node.target))
        if units is not None:
            operation = self._operation(node)
            operation.change("kernel", lambda kernel: kernel[:, units])
            if "bias" in operation.parameters:
                operation.change("bias", lambda bias: bias[units])
            layout = Layout(None, units)
        return self._node(node, [held.tensor], layout)


def _is_flatten(tensor: KerasTensor, out: KerasTensor) -> bool:
    """Whether a reshape makes rows of all that belongs to one example."""
    if out.ndim != 2 or tensor.ndim < 3 or out.shape[0] != tensor.shape[0]:
        return False
    sizes = tensor.shape[1:]
    return None not in sizes and math.prod(_whole(sizes)) == out.shape[1]


def _whole(sizes: Sequence[int | None]) -> tuple[int, ...]:
    """Sizes of which none is open."""
    return tuple(int(size) for size in sizes if size is not None)


def _numbers(sizes: Sequence[int | None]) -> np.ndarray:
    """The entries of an example, numbered in the order in which they are held."""
    known = _whole(sizes)
    return np.arange(math.prod(known)).reshape(known)


# What leaves the axes where they are, on the way to a spatial layer.
_PASSING = (
    kinds.UNARY
    | kinds.ELEMENTWISE
    | {"concatenate", "BatchNormalization", "GroupNormalization", "PReLU", "pad"}
)
_METHODS: tuple[tuple[frozenset[str], Any], ...] = (
    (kinds.UNARY, _Change._each_element),
    (kinds.ELEMENTWISE, _Change._elementwise),
    (kinds.REDUCTIONS, _Change._reduction),
    (frozenset({"concatenate"}), _Change._concatenate),
    (frozenset({"BatchNormalization", "GroupNormalization"}), _Change._normalization),
    (frozenset({"PReLU"}), _Change._prelu),
    (frozenset({"transpose"}), _Change._transpose),
    (frozenset({"Flatten"}), _Change._flatten),
    (frozenset({"Reshape", "reshape"}), _Change._reshape),
    (frozenset({"squeeze"}), _Change._squeeze),
    (frozenset({"get_item"}), _Change._get_item),
    (frozenset({"pad"}), _Change._pad),
    (frozenset({"Dense"}), _Change._dense),
)
