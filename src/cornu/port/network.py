"""Network: what readers make and writers take - a graph of layers and functions of no framework.

`cornu.port.kinds` lists what the nodes of a network may be. Weights are held as Keras lays them
out (a Dense kernel is (inputs, units), a convolution's (*window, channels, filters)) whatever the
framework; images as the framework that was read holds them, until `cornu.port.layout` changes it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from cornu.graph.graph import Graph
from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port.training import Training


class PortError(ValueError):
    """A network, or a part of it, that cannot be carried over.

    Args:
        what: the part and what is wrong with it: "the operation aten.fft".
        place: where it stands: "layer1.0 (net.py:12)", or None where that is not known.
        advice: what to do about it.
    """

    def __init__(self, what: str, place: str | None = None, advice: str = ""):
        self.what, self.place, self.advice = what, place, advice
        super().__init__(f"{place}: {what}" if place else what)
        if advice:
            self.args = (f"{self.args[0]}. {advice}",)


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a weight comes from, and what made of it the array that the network holds.

    Attributes:
        key: what names the weight in its framework: a Variable, a name in a state_dict, ...
        changes: functions of an array, in order: transpositions, reshapes, permutations; never
            arithmetic, so that they hold for a gradient as for the weight.
    """

    key: Any
    changes: tuple[Callable[[np.ndarray], np.ndarray], ...] = ()

    def then(self, change: Callable[[np.ndarray], np.ndarray]) -> Origin:
        """The same origin, changed once more."""
        return Origin(self.key, (*self.changes, change))

    def __call__(self, array: np.ndarray) -> np.ndarray:
        """The network's array for the framework's (a weight or its gradient)."""
        for change in self.changes:
            array = change(array)
        return array


@dataclasses.dataclass(frozen=True, eq=False)
class Layout:
    """How a tensor is held: `held = tensor.transpose(axes)[..., features]`.

    Attributes:
        axes: the tensor's axes in the order in which they are held; None where they are the same.
        features: which of the last axis' entries stands at each place; None where all do at theirs.
        is_image: whether the order of the axes is that of images where the channels were moved.

    >>> Layout((0, 2, 1)).hold(np.zeros((5, 3, 4))).shape
    (5, 4, 3)
    """

    axes: tuple[int, ...] | None = None
    features: np.ndarray | None = None
    is_image: bool = False

    @property
    def is_same(self) -> bool:
        """Whether the tensor is held as it is."""
        return self.axes is None and self.features is None

    def hold(self, array: np.ndarray) -> np.ndarray:
        """The array as it is held."""
        if self.axes is not None:
            array = array.transpose(self.axes)
        return array if self.features is None else array[..., self.features]

    def give_back(self, array: np.ndarray) -> np.ndarray:
        """The array as it was before `hold`."""
        if self.features is not None:
            array = array[..., np.argsort(self.features)]
        return array if self.axes is None else array.transpose(np.argsort(self.axes))

    def then(self, layout: Layout) -> Layout:
        """How a tensor is held that is held once more: what is held here is held as `layout`."""
        if self.features is not None and layout.axes is not None:
            raise ValueError("entries were rearranged before axes: there is no such layout")
        axes = layout.axes
        if self.axes is not None:
            axes = self.axes if axes is None else tuple(self.axes[axis] for axis in axes)
        features = layout.features
        if self.features is not None:
            features = self.features if features is None else self.features[features]
        return Layout(axes, features, self.is_image or layout.is_image).reduced()

    def reduced(self) -> Layout:
        """The same layout, what changes nothing being None."""
        axes, features = self.axes, self.features
        if axes is not None and axes == tuple(range(len(axes))):
            axes = None
        if features is not None and np.array_equal(features, np.arange(len(features))):
            features = None
        return Layout(axes, features, self.is_image and axes is not None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layout):
            return NotImplemented
        if self.axes != other.axes or (self.features is None) != (other.features is None):
            return False
        return self.features is None or np.array_equal(self.features, other.features)  # type: ignore[arg-type]

    def __hash__(self) -> int:
        return hash(self.axes)


AS_IT_IS = Layout()


@dataclasses.dataclass(frozen=True)
class Observed:
    """What a tensor of a network is in the framework that it was read from.

    Attributes:
        key: what names it there: a KerasTensor, the name of a node, ...
        layout: how the network holds it.
    """

    key: Any
    layout: Layout = AS_IT_IS


@dataclasses.dataclass(eq=False)
class Operation:
    """A layer with its weights, or a function: the target of one node, or of several that share it.

    Attributes:
        kind: one of `cornu.port.kinds`.
        name: a Python name, different from every other operation's in the network.
        attributes: its settings, named as Keras names them.
        parameters: its weights by name, as Keras lays them out.
        origins: where each weight comes from.
        trainable: whether an optimizer may change the weights.
        place: where it stands in what was read, for messages: "layer1.0.conv1 (net.py:12)".
    """

    kind: str
    name: str
    attributes: dict[str, Any] = dataclasses.field(default_factory=dict)
    parameters: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    origins: dict[str, Origin] = dataclasses.field(default_factory=dict)
    trainable: bool = True
    place: str | None = None

    def copy(self, **changed: Any) -> Operation:
        """A copy with containers of its own, and some attributes replaced."""
        mine = {
            "attributes": dict(self.attributes),
            "parameters": dict(self.parameters),
            "origins": dict(self.origins),
        }
        return dataclasses.replace(self, **{**mine, **changed})

    def change(self, parameter: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
        """Rearranges a weight, remembering how."""
        self.parameters[parameter] = change(self.parameters[parameter])
        if parameter in self.origins:
            self.origins[parameter] = self.origins[parameter].then(change)

    def refuse(self, why: str, advice: str = "") -> PortError:
        """The error that says that this operation cannot be carried over."""
        return PortError(f"{self.kind} {self.name!r} {why}", self.place, advice)

    # what `Node` asks of its target
    @property
    def operation(self) -> str:
        return self.kind

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name!r} {self.attributes}>"


def apply(
    operation: Operation, *args: Any, shape: Sequence[int | None], dtype: str = "float32"
) -> KerasTensor:
    """Adds a node that applies an operation; returns its output.

    Args:
        operation: what is applied; to be applied again where a layer is shared.
        *args: tensors, and constants: numbers and NumPy arrays.
        shape, dtype: of the output, the batch axis being None.
    """
    output = KerasTensor(shape, dtype, name=operation.name)
    calls = getattr(operation, "_calls", 0)
    operation._calls = calls + 1  # type: ignore[attr-defined]
    Node(
        operation.kind,
        operation.name,
        operation,
        args,
        outputs=output,
        attributes=operation.attributes,
        call_index=calls,
    )
    return output


def entrance(name: str, shape: Sequence[int | None], dtype: str = "float32") -> KerasTensor:
    """An input of a network: the output of a node of the kind "InputLayer"."""
    return apply(Operation("InputLayer", name), shape=shape, dtype=dtype)


class Network(Graph):
    """A graph of `Operation`s, and what belongs to it.

    Args:
        inputs, outputs: the tensors where values are put in and taken out.
        name: of the network, a Python name.
        output_names: one for each output.
        training: how it is trained, or None.
        observed: what its tensors are in the framework that it was read from; tensors that cannot
            be observed there are missing.

    Attributes:
        nodes: each after those it needs, a branch at a time.
        data_format: where images have their channels, "channels_first" or "channels_last", also
            where no layer says so; None where neither is meant.
        notes: sentences on what the network does not say, for its user.
        input_layouts, output_layouts: how inputs and outputs are held, compared with those of the
            network that was read.
    """

    def __init__(
        self,
        inputs: Sequence[KerasTensor],
        outputs: Sequence[KerasTensor],
        name: str = "network",
        output_names: Sequence[str] | None = None,
        training: Training | None = None,
        observed: dict[KerasTensor, Observed] | None = None,
    ):
        super().__init__(inputs, outputs)
        self.name = name
        numbered = [f"output_{number}" for number in range(len(self.outputs))]
        self.output_names = list(output_names or (["output"] if len(numbered) == 1 else numbered))
        self.training = training
        self.observed = dict(observed or {})
        self.data_format: str | None = None
        self.notes: list[str] = []
        self.input_layouts = [AS_IT_IS] * len(self.inputs)
        self.output_layouts = [AS_IT_IS] * len(self.outputs)

    def _order(self) -> list[Node]:
        finished = self._walk()
        inside = {id(node) for node in finished}
        idle = [tensor.node for tensor in self.inputs if id(tensor.node) not in inside]
        return [*idle, *finished]

    @property
    def operations(self) -> list[Operation]:
        """What the nodes apply, each once, in order."""
        return self.targets

    def weights(self) -> Iterator[tuple[Operation, str, np.ndarray]]:
        """Every weight, with its operation and its name there."""
        for operation in self.operations:
            for name, value in operation.parameters.items():
                yield operation, name, value

    def consumers(self) -> dict[KerasTensor, list[Node]]:
        """The nodes that take each tensor; an output of the network without any has none."""
        found: dict[KerasTensor, list[Node]] = {t: [] for n in self.nodes for t in n.outputs}
        for node in self.nodes:
            for tensor in node.inputs:
                found[tensor].append(node)
        return found

    def rebuild(
        self, make: Callable[[Node, tuple], KerasTensor], training: Training | None = None
    ) -> Network:
        """The network with every node made anew.

        Args:
            make: `(node, arguments) -> output`, the arguments being those of the node with the new
                tensors in the place of the old ones. Nodes that nothing needs any more drop out.
            training: in the place of the network's own.
        """
        new: dict[KerasTensor, KerasTensor] = {}
        for node in self.nodes:
            args = tuple(new[a] if isinstance(a, KerasTensor) else a for a in node.args)
            new[node.outputs[0]] = make(node, args)
        observed = {new[tensor]: seen for tensor, seen in self.observed.items() if tensor in new}
        return self.like(
            [new[tensor] for tensor in self.inputs],
            [new[tensor] for tensor in self.outputs],
            training or self.training,
            observed,
        )

    def like(
        self,
        inputs: Sequence[KerasTensor],
        outputs: Sequence[KerasTensor],
        training: Training | None = None,
        observed: dict[KerasTensor, Observed] | None = None,
    ) -> Network:
        """A network of other nodes with the names and layouts of this one."""
        made = Network(inputs, outputs, self.name, self.output_names, training, observed)
        made.data_format, made.notes = self.data_format, list(self.notes)
        made.input_layouts, made.output_layouts = self.input_layouts, self.output_layouts
        return made


class Names:
    """Python names for operations, none given twice.

    >>> names = Names()
    >>> names("layer1.0.conv1"), names("conv"), names("conv"), names("class")
    ('layer1_0_conv1', 'conv', 'conv_1', 'class_1')
    """

    def __init__(self, taken: Sequence[str] = ()):
        self.taken = set(taken)

    def __call__(self, wanted: str) -> str:
        import keyword

        name = "".join(c if c.isalnum() and c.isascii() else "_" for c in wanted).strip("_")
        name = name if name and not name[0].isdigit() else f"layer_{name}".rstrip("_")
        number, found = 0, name
        while found in self.taken or keyword.iskeyword(found):
            number += 1
            found = f"{name}_{number}"
        self.taken.add(found)
        return found
