"""A network in Keras' terms: every node one layer of Keras, or one function of `keras.ops`."""

from __future__ import annotations

from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.ops._windows import same_padding
from cornu.port import kinds
from cornu.port.keras.read_layers import transposed_cropping
from cornu.port.network import Names, Network, Operation, apply
from cornu.port.training import Training


def keras_form(network: Network) -> Network:
    """The network with each node as one call of a Keras layer, or of a function of `keras.ops`.

    An operation's kind is the name of a class of `keras.layers` (it begins with a capital letter)
    with its constructor's arguments as settings; or the name of a function of `keras.ops`, with
    its arguments besides the tensors. `training=True` among the settings of a dropout belongs to
    the call. "get_item" is `x[key]`.

    Raises:
        PortError: what Keras cannot do, by name.
    """
    return _without_fused(_Form(network).network())


# -- one layer or function for each node ---------------------------------------------------------


class _Form:
    def __init__(self, network: Network):
        self.old = network
        self.names = Names([operation.name for operation in network.operations])
        self.made: dict[int, Operation] = {}
        self.extra: dict[tuple, Operation] = {}

    def network(self) -> Network:
        return self.old.rebuild(self._new, _with_last_axes(self.old))

    def _new(self, node: Node, args: tuple) -> KerasTensor:
        kind = node.operation
        if kind.startswith("Conv") and kind.endswith("Transpose"):
            return self._transposed(node, args)
        if kind.startswith(("Conv", "DepthwiseConv")):
            return self._convolution(node, args)
        if kind.startswith(("MaxPooling", "AveragePooling")):
            return self._pooling(node, args)
        if kind == "activation":
            return self._activation(node, args)
        if kind in _MERGES:
            return self._merge(node, args)
        method = _OTHERS.get(kind)
        if method is not None:
            return method(self, node, args)
        return self._same(node, args)

    def _operation(self, node: Node, kind: str | None = None, **changed: Any) -> Operation:
        """The operation of a node, once for all nodes that share it."""
        target = node.target
        if id(target) not in self.made:
            copy = target.copy(kind=kind or target.kind)
            copy.attributes.update(changed)
            self.made[id(target)] = copy
        return self.made[id(target)]

    def _same(self, node: Node, args: tuple, kind: str | None = None, **changed: Any):
        out = node.outputs[0]
        operation = self._operation(node, kind, **changed)
        lacks = operation.kind in _CHANNELS_LAST
        if lacks and operation.attributes.pop("data_format", None) == "channels_first":
            raise operation.refuse("has channels first, which Keras' layer lacks")
        return apply(operation, *args, shape=out.shape, dtype=out.dtype)

    def _function(self, node: Node, args: tuple, kind: str, attributes: dict) -> KerasTensor:
        """A function in the place of a node, with settings of its own."""
        operation = self._operation(node, kind)
        operation.attributes = dict(attributes)
        out = node.outputs[0]
        return apply(operation, *args, shape=out.shape, dtype=out.dtype)

    def _before(
        self, node: Node, tensor: KerasTensor, what: str, kind: str, shape: list, attributes: dict
    ) -> KerasTensor:
        """A layer before or behind that of a node; the same one where that is shared."""
        key = (id(node.target), what)
        if key not in self.extra:
            name = self.names(f"{node.name}_{what}")
            self.extra[key] = Operation(kind, name, attributes, place=node.target.place)
        return apply(self.extra[key], tensor, shape=shape, dtype=tensor.dtype)

    # -- windows -----------------------------------------------------------------------------------

    def _padded(
        self, node: Node, tensor: KerasTensor, pairs: tuple, value: float | None = None
    ) -> KerasTensor:
        """A tensor with something added around its spatial axes: zeros, or another value."""
        attributes = node.attributes
        first = attributes.get("data_format") == "channels_first"
        rank = len(pairs)
        shape = list(tensor.shape)
        for number, (before, after) in enumerate(pairs):
            axis = number + (2 if first else 1)
            if shape[axis] is not None:
                shape[axis] += before + after
        if value is None:
            padding = _edge(pairs)
            return self._before(
                node, tensor, "padding", f"ZeroPadding{rank}D", shape,
                {"padding": padding, "data_format": attributes.get("data_format")},
            )  # fmt: skip
        around = [(0, 0), (0, 0), *pairs] if first else [(0, 0), *pairs, (0, 0)]
        width = tuple(tuple(pair) for pair in around)
        settings = {"pad_width": width, "mode": "constant", "constant_values": value}
        return self._before(node, tensor, "padding", "pad", shape, settings)

    def _named_padding(self, node: Node, sizes: tuple, gaps: tuple) -> str | tuple:
        """ "valid" or "same" where pairs mean that, else the pairs."""
        pairs = node.attributes["padding"]
        if isinstance(pairs, str):
            return pairs
        if not any(one for pair in pairs for one in pair):
            return "valid"
        tensor = node.inputs[0]
        first = node.attributes.get("data_format") == "channels_first"
        lengths = tensor.shape[2:] if first else tensor.shape[1:-1]
        strides = node.attributes["strides"]
        for pair, length, size, stride, gap in zip(
            pairs, lengths, sizes, strides, gaps, strict=True
        ):
            if length is None and stride != 1:
                return pairs
            # with steps of one the length does not matter
            found = same_padding(length or 1000, size, stride, gap)
            if tuple(pair) != tuple(found):
                return pairs
        return "same"

    def _convolution(self, node: Node, args: tuple) -> KerasTensor:
        attributes, target = node.attributes, node.target
        sizes, gaps = tuple(attributes["kernel_size"]), tuple(attributes["dilation_rate"])
        if max(attributes["strides"]) > 1 and max(gaps) > 1:
            raise target.refuse("has strides and a dilation both above 1, which Keras refuses")
        padding = self._named_padding(node, sizes, gaps)
        (tensor,) = args
        if not isinstance(padding, str):
            reach = gaps[0] * (sizes[0] - 1)
            if node.operation == "Conv1D" and tuple(padding[0]) == (reach, 0):
                padding = "causal"
            else:
                tensor, padding = self._padded(node, tensor, padding), "valid"
        made = self._same(node, (tensor,), padding=padding)
        if node.operation.startswith("DepthwiseConv"):
            operation = self._operation(node)
            for what in ("initializer", "regularizer", "constraint"):
                if f"kernel_{what}" in operation.attributes:
                    setting = operation.attributes.pop(f"kernel_{what}")
                    operation.attributes[f"depthwise_{what}"] = setting
        return made

    def _pooling(self, node: Node, args: tuple) -> KerasTensor:
        sizes = tuple(node.attributes["pool_size"])
        padding = self._named_padding(node, sizes, (1,) * len(sizes))
        counts = node.attributes.get("count_padding", False)
        (tensor,) = args
        if node.operation.startswith("Average"):
            if not isinstance(padding, str) or (padding == "same" and counts):
                pairs = self._pairs(node, sizes)
                tensor, padding = self._padded(node, tensor, pairs), "valid"
                if not counts:
                    return self._average_of_inside(node, tensor, pairs)
        elif not isinstance(padding, str):
            # zeros do where nothing is less, minus infinity does everywhere
            value = None if _is_never_negative(node.inputs[0]) else -np.inf
            tensor, padding = self._padded(node, tensor, padding, value), "valid"
        made = self._same(node, (tensor,), padding=padding)
        self._operation(node).attributes.pop("count_padding", None)
        return made

    def _pairs(self, node: Node, sizes: tuple) -> tuple:
        """The padding of a pooling as pairs."""
        padding = node.attributes["padding"]
        if not isinstance(padding, str):
            return padding
        lengths = self._lengths(node)
        if None in lengths:
            raise node.target.refuse("pads images of an open size, which Keras does not count")
        return tuple(map(same_padding, lengths, sizes, node.attributes["strides"]))

    @staticmethod
    def _lengths(node: Node) -> tuple:
        shape = node.inputs[0].shape
        first = node.attributes.get("data_format") == "channels_first"
        return shape[2:] if first else shape[1:-1]

    def _average_of_inside(self, node: Node, tensor: KerasTensor, pairs: tuple) -> KerasTensor:
        """Averages over whole windows, made those over what is inside by a factor each."""
        sizes, strides = node.attributes["pool_size"], node.attributes["strides"]
        lengths = self._lengths(node)
        if None in lengths:
            raise node.target.refuse(
                "averages windows at the edge over what is inside only, for images of an open size"
            )
        factors = np.ones(())
        for (before, after), length, size, stride in zip(
            pairs, lengths, sizes, strides, strict=True
        ):
            inside = np.pad(np.ones(length), (before, after))
            starts = range(0, len(inside) - size + 1, stride)
            factors = np.multiply.outer(
                factors, [size / inside[start : start + size].sum() for start in starts]
            )
        first = node.attributes.get("data_format") == "channels_first"
        factors = factors[None, None] if first else factors[None, ..., None]
        pooled = self._same(node, (tensor,), padding="valid")
        self._operation(node).attributes.pop("count_padding", None)
        key = (id(node.target), "inside")
        if key not in self.extra:
            self.extra[key] = Operation("multiply", self.names(f"{node.name}_inside"))
        factors = factors.astype(node.outputs[0].dtype)
        return apply(self.extra[key], pooled, factors, shape=pooled.shape, dtype=pooled.dtype)

    def _transposed(self, node: Node, args: tuple) -> KerasTensor:
        target, attributes = node.target, node.attributes
        if attributes.get("groups", 1) != 1:
            raise target.refuse("has groups, which Keras' transposed convolutions lack")
        cropping = tuple(tuple(pair) for pair in attributes["cropping"])
        steps = tuple(
            zip(
                attributes["kernel_size"],
                attributes["strides"],
                attributes["dilation_rate"],
                strict=True,
            )
        )
        operation = self._operation(node)
        for name in ("cropping", "groups"):
            operation.attributes.pop(name, None)
        for padding in ("valid", "same"):
            if all(
                transposed_cropping(*step, padding, None) == pair
                for step, pair in zip(steps, cropping, strict=True)
            ):
                operation.attributes.update(padding=padding, output_padding=None)
                return self._same(node, args)
            more = []
            for (window, stride, gap), pair in zip(steps, cropping, strict=True):
                fitting = [
                    number
                    for number in range(stride)
                    if transposed_cropping(window, stride, gap, padding, number) == pair
                ]
                more += fitting[:1]
            if len(more) == len(steps):
                operation.attributes.update(padding=padding, output_padding=tuple(more))
                return self._same(node, args)
        # the whole output, and then what is too much cut off
        operation.attributes.update(padding="valid", output_padding=None)
        added = tuple(max(stride - gap * (size - 1) - 1, 0) for size, stride, gap in steps)
        pairs = tuple(
            (before, after + more) for (before, after), more in zip(cropping, added, strict=True)
        )
        if any(one < 0 for pair in pairs for one in pair):
            raise target.refuse("adds places that Keras' output_padding cannot add")
        first = attributes.get("data_format") == "channels_first"
        out = node.outputs[0]
        shape = list(out.shape)
        for number, (before, after) in enumerate(pairs):
            axis = number + (2 if first else 1)
            if shape[axis] is not None:
                shape[axis] += before + after
        whole = apply(operation, *args, shape=shape, dtype=out.dtype)
        rank = len(pairs)
        return self._before(
            node, whole, "cropping", f"Cropping{rank}D", list(out.shape),
            {
                "cropping": _edge(pairs),
                "data_format": attributes.get("data_format"),
            },
        )  # fmt: skip

    # -- functions ---------------------------------------------------------------------------------

    def _activation(self, node: Node, args: tuple) -> KerasTensor:
        attributes = dict(node.attributes)
        function = attributes.pop("function")
        last = node.outputs[0].ndim - 1
        if "axis" in attributes and attributes["axis"] == last:
            attributes["axis"] = -1
        if attributes == _PLAIN.get(function):
            return self._function(node, args, "Activation", {"activation": function})
        layer = _ACTIVATION_LAYERS.get(function)
        if layer is not None:
            return self._function(node, args, layer, attributes)
        if function == "threshold":
            if attributes.get("default_value", 0) != 0:
                return self._function(node, args, function, attributes)
            return self._function(node, args, "ReLU", {"threshold": attributes["threshold"]})
        return self._function(node, args, function, attributes)

    def _merge(self, node: Node, args: tuple) -> KerasTensor:
        out = node.outputs[0]
        tensors = [arg for arg in args if isinstance(arg, KerasTensor)]
        layer = _MERGES[node.operation]
        several = len(args) if node.operation != "subtract" else 2
        same = all(tensor.ndim == out.ndim for tensor in tensors)
        if len(tensors) == len(args) and len(args) == several and same and len(args) > 1:
            attributes = {}
            if node.operation == "concatenate":
                axis = node.attributes["axis"]
                attributes = {"axis": -1 if axis == out.ndim - 1 else axis}
            return self._function(node, args, layer, attributes)
        if node.operation == "average":
            raise node.target.refuse("of tensors and constants cannot be written in Keras")
        if node.operation != "concatenate":
            return self._function(node, args, node.operation, {})
        return self._same(node, args)

    def _normalization(self, node: Node, args: tuple) -> KerasTensor:
        axis = node.attributes["axis"]
        return self._same(node, args, axis=-1 if axis == node.outputs[0].ndim - 1 else axis)

    def _layer_normalization(self, node: Node, args: tuple) -> KerasTensor:
        ndim = node.outputs[0].ndim
        axes = [axis - ndim for axis in node.attributes["axis"]]
        return self._same(node, args, axis=axes[0] if len(axes) == 1 else axes)

    def _transpose(self, node: Node, args: tuple) -> KerasTensor:
        axes = tuple(node.attributes["axes"])
        if axes[0] == 0:
            return self._function(node, args, "Permute", {"dims": axes[1:]})
        return self._same(node, args)

    def _reduction(self, node: Node, args: tuple) -> KerasTensor:
        """The mean of an image's places is a pooling."""
        tensor = node.inputs[0]
        axes, ndim = tuple(node.attributes["axis"]), tensor.ndim
        keepdims = bool(node.attributes.get("keepdims"))
        what = {"mean": "Average", "max": "Max"}.get(node.operation)
        if what is not None and 3 <= ndim <= 5:
            for places, data_format in (
                (tuple(range(1, ndim - 1)), "channels_last"),
                (tuple(range(2, ndim)), "channels_first"),
            ):
                if axes == places and (ndim > 3 or data_format == "channels_last"):
                    attributes = {"data_format": data_format, "keepdims": keepdims}
                    return self._function(node, args, f"Global{what}Pooling{ndim - 2}D", attributes)
        return self._function(node, args, node.operation, {"axis": axes, "keepdims": keepdims})

    def _edges(self, node: Node, args: tuple) -> KerasTensor:
        name = "padding" if node.operation.startswith("ZeroPadding") else "cropping"
        return self._same(node, args, **{name: _edge(node.attributes[name])})

    def _embedding(self, node: Node, args: tuple) -> KerasTensor:
        made = self._same(node, args)
        self._operation(node).attributes.pop("padding_idx", None)
        return made


def _edge(pairs: Any) -> Any:
    """Pairs as ZeroPadding and Cropping take them: short where both sides are alike."""
    pairs = tuple(tuple(int(one) for one in pair) for pair in pairs)
    if all(before == after for before, after in pairs):
        same = tuple(before for before, _ in pairs)
        return same[0] if len(set(same)) == 1 else same
    return pairs if len(pairs) > 1 else pairs[0]


# Layers without an argument for the place of the channels.
_CHANNELS_LAST = frozenset({"UpSampling1D", "Cropping1D", "SpatialDropout1D"})
_MERGES = {
    "add": "Add",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "average": "Average",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "concatenate": "Concatenate",
}
_OTHERS: dict[str, Any] = {
    "BatchNormalization": _Form._normalization,
    "GroupNormalization": _Form._normalization,
    "LayerNormalization": _Form._layer_normalization,
    "transpose": _Form._transpose,
    **{f"ZeroPadding{rank}D": _Form._edges for rank in (1, 2, 3)},
    **{f"Cropping{rank}D": _Form._edges for rank in (1, 2, 3)},
    "Embedding": _Form._embedding,
    **dict.fromkeys(kinds.REDUCTIONS, _Form._reduction),
}
# Activations that Keras knows by name, with the settings that it has then.
_PLAIN: dict[str, dict[str, Any]] = {
    "relu": {},
    "relu6": {},
    "selu": {},
    "sigmoid": {},
    "log_sigmoid": {},
    "hard_sigmoid": {},
    "tanh": {},
    "hard_tanh": {},
    "softplus": {},
    "softsign": {},
    "silu": {},
    "hard_silu": {},
    "mish": {},
    "exponential": {},
    "tanh_shrink": {},
    "linear": {},
    "elu": {"alpha": 1.0},
    "celu": {"alpha": 1.0},
    "leaky_relu": {"negative_slope": 0.2},
    "gelu": {"approximate": False},
    "softmax": {"axis": -1},
    "log_softmax": {"axis": -1},
    "glu": {"axis": -1},
    "hard_shrink": {"threshold": 0.5},
    "soft_shrink": {"threshold": 0.5},
}
_ACTIVATION_LAYERS = {"relu": "ReLU", "leaky_relu": "LeakyReLU", "elu": "ELU", "softmax": "Softmax"}
_NEVER_NEGATIVE = frozenset(
    {"relu", "relu6", "sigmoid", "softmax", "softplus", "exponential", "hard_sigmoid"}
)
# What gives no negative values where it gets none.
_PASSING = frozenset(
    {"Dropout", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "concatenate", "add", "maximum"}
    | {"AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "ZeroPadding2D", "transpose"}
)


def _with_last_axes(network: Network) -> Training | None:
    """The training, with the axis of the classes as -1 where it is the last."""
    if network.training is None:
        return None
    training = network.training.copy()
    for loss, tensor in zip(training.losses, network.outputs, strict=False):
        if loss is not None and loss.settings.get("axis") == tensor.ndim - 1:
            loss.settings["axis"] = -1
    return training


def _is_never_negative(tensor: KerasTensor) -> bool:
    """Whether no value of a tensor can be below zero."""
    node = tensor.node
    if node.operation == "activation":
        settings = node.attributes
        return settings["function"] in _NEVER_NEGATIVE and not settings.get("negative_slope")
    if node.operation in _PASSING and node.inputs:
        tensors = len(node.inputs) == len(node.args)
        return tensors and all(_is_never_negative(one) for one in node.inputs)
    return False


# -- activations within layers ---------------------------------------------------------------------

_WITH_ACTIVATION = frozenset({"Dense"}) | {
    family.format(rank)
    for family in ("Conv{}D", "Conv{}DTranspose", "DepthwiseConv{}D")
    for rank in (1, 2, 3)
}


def _without_fused(network: Network) -> Network:
    """The network with activations as arguments of the layers before them."""
    consumers = network.consumers()
    # an activation can be an argument where it is what follows each application of the layer
    following: dict[int, list[Node | None]] = {}
    for node in network.nodes:
        if node.operation in _WITH_ACTIVATION:
            (tensor,) = node.outputs
            after = consumers[tensor]
            alone = len(after) == 1 and tensor not in network.outputs
            fits = alone and after[0].operation == "Activation"
            following.setdefault(id(node.target), []).append(after[0] if fits else None)
    fused: dict[int, Any] = {}
    inside: set[int] = set()
    for target, nodes in following.items():
        functions = {node.attributes["activation"] if node else None for node in nodes}
        if len(functions) == 1 and None not in functions:
            fused[target] = functions.pop()
            inside |= {id(node) for node in nodes}
    if not fused:
        return network
    made: dict[int, Operation] = {}

    def make(node: Node, args: tuple) -> KerasTensor:
        if id(node) in inside:
            return args[0]
        target = node.target
        if id(target) not in made:
            made[id(target)] = target.copy()
            if id(target) in fused:
                made[id(target)].attributes["activation"] = fused[id(target)]
        out = node.outputs[0]
        return apply(made[id(target)], *args, shape=out.shape, dtype=out.dtype)

    # what a layer gives before its activation can be seen nowhere any more
    seen = dict(network.observed)
    for node in network.nodes:
        if id(node.target) in fused:
            seen.pop(node.outputs[0], None)
    shown = network.like(network.inputs, network.outputs, network.training, seen)
    return shown.rebuild(make)
