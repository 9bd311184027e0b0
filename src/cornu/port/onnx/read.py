"""An ONNX file, read into a Network.

Every value of the graph becomes a constant (weights, and the arithmetic of shapes that exporters
write) or a tensor of the network; `cornu.port.onnx.layers`, `onnx_elementwise` and `onnx_shapes`
say which operation stands for which operator. ONNX infers the shapes, for each node on its own, so
that they follow what has been found out about the nodes before it.
"""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.network import Names, Network, Observed, Operation, Origin, PortError, apply
from cornu.port.onnx import elementwise as onnx_elementwise
from cornu.port.onnx import images as onnx_images
from cornu.port.onnx import layers as onnx_layers
from cornu.port.onnx import patterns as onnx_patterns
from cornu.port.onnx import shapes as onnx_shapes
from cornu.port.onnx.constants import BATCH_SIZES, OPEN_SIZES, Constant, Sizes, fold, shape_of
from cornu.port.onnx.graph import Read, dtype_name, import_onnx, infer, load_model, read_attribute
from cornu.port.onnx.names import of_node, of_weight

READERS: dict[str, Callable[[Reader, Read], Any]] = {
    **onnx_layers.READERS,
    **onnx_images.READERS,
    **onnx_elementwise.READERS,
    **onnx_shapes.READERS,
}
# The first version of the standard in which arithmetic broadcasts as NumPy does (2017).
_OLDEST = 7


def read_onnx(source: Any) -> Network:
    """Reads an ONNX model.

    Args:
        source: a path, the bytes of a file, or an onnx.ModelProto. Axis 0 of every input is the
            batch axis; where the file fixes its size, the network takes any.

    Returns:
        The network, images having their channels first as in ONNX. The keys of its `Observed`
        tensors are the names of the values of the graph, those of its `Origin`s the names of the
        initializers.

    Raises:
        PortError: an operator, or a setting of one, without a counterpart.
    """
    return Reader(load_model(source)).read()


class Reader:
    """Reads one model; what the functions that read single operators work with.

    Args:
        model: a ModelProto.
    """

    def __init__(self, model: Any):
        onnx = import_onnx()
        if model.functions:
            from onnx.inliner import inline_local_functions

            model = inline_local_functions(model)
        self.opset = _opset(model)
        self.is_old = self.opset < _OLDEST
        if self.is_old:
            model = _newer(model)
            self.opset = _opset(model)
        self.graph = model.graph
        self.opsets = list(model.opset_import)
        if self.graph.sparse_initializer:
            raise PortError("the sparse initializers of this ONNX model have no counterpart")
        self.values: dict[str, Constant | KerasTensor | None] = {"": None}
        self.sizes: dict[KerasTensor, Sizes] = {}
        self.uses: collections.Counter[KerasTensor] = collections.Counter()
        self.observed: dict[KerasTensor, Observed] = {}
        self.fixed_batch: int | None = None
        self.advice = ""
        self._layers: dict[tuple, list[Operation]] = collections.defaultdict(list)
        self._count = collections.Counter(
            [name for node in self.graph.node for name in node.input]
            + [output.name for output in self.graph.output]
        )
        self._onnx = onnx

    def read(self) -> Network:
        """The network."""
        from onnx import numpy_helper

        for initializer in self.graph.initializer:
            array = numpy_helper.to_array(initializer)
            self.values[initializer.name] = Constant(array, None, Origin(initializer.name))
        inputs = [self._entrance(one) for one in self._entrances()]
        for proto in self.graph.node:
            self._read(proto)
        outputs = []
        for output in self.graph.output:
            tensor = self.values.get(output.name)
            if not isinstance(tensor, KerasTensor):
                raise PortError(f"the output {output.name!r} does not depend on the inputs")
            outputs.append(tensor)
        title = self.graph.name
        network = Network(
            inputs,
            outputs,
            "network" if title.lower().startswith(("main", "torch")) else Names()(title),
            _output_names([output.name for output in self.graph.output]),
            observed=self.observed,
        )
        network.data_format = "channels_first"
        return named(onnx_patterns.recognize(network))

    # -- inputs ------------------------------------------------------------------------------------

    def _entrances(self) -> list[Any]:
        found = [one for one in self.graph.input if one.name not in self.values]
        firsts = set()
        for one in found:
            kind = one.type.WhichOneof("value")
            if kind != "tensor_type" or not one.type.tensor_type.shape.dim:
                raise PortError(f"the input {one.name!r} is no tensor with a batch axis")
            firsts.add(one.type.tensor_type.shape.dim[0].dim_value)
        fixed = firsts - {0}
        if len(fixed) > 1:
            raise PortError(
                f"the inputs have first axes of different sizes {sorted(fixed)}: there is no batch "
                "axis"
            )
        if fixed:
            self.fixed_batch = fixed.pop()
            self.advice = (
                f"The file is written for batches of {self.fixed_batch}: export it with an open "
                "batch axis"
            )
        return found

    def _entrance(self, one: Any) -> KerasTensor:
        dims = one.type.tensor_type.shape.dim
        sizes = [
            (batch, *(dim.dim_value or open_ for dim in dims[1:]))
            for batch, open_ in zip(BATCH_SIZES, OPEN_SIZES, strict=True)
        ]
        dtype = dtype_name(one.type.tensor_type.elem_type, f"the input {one.name!r}")
        operation = Operation("InputLayer", one.name)
        return self._bind(one.name, self._apply(operation, (), (sizes[0], sizes[1]), dtype))

    # -- nodes -------------------------------------------------------------------------------------

    def _read(self, proto: Any) -> None:
        kind = proto.op_type
        attributes = {one.name: read_attribute(one) for one in proto.attribute}
        if kind == "Constant":
            key, value = next(iter(attributes.items()))
            # a list of floats is float32 in ONNX, one of integers int64
            dtype = {"value_float": np.float32, "value_floats": np.float32}.get(key)
            # some exporters keep the weights in nodes: these are named by their value
            origin = Origin(proto.output[0]) if np.ndim(value) else None
            self.values[proto.output[0]] = Constant(np.asarray(value, dtype), None, origin)
            return
        names = list(proto.output)
        missing = [name for name in proto.input if name not in self.values]
        if missing:
            raise PortError(f"nothing before this node makes {missing[0]!r}", proto.name)
        inputs = [self.values[name] for name in proto.input]
        node = Read(proto, kind, inputs, names, attributes, self.opset, self.opsets)
        if proto.domain not in ("", "ai.onnx") or kind not in READERS | _FOLDED:
            standard = proto.domain in ("", "ai.onnx") and self._onnx.defs.has(kind, self.opset)
            subgraphs = any(one.HasField("g") for one in proto.attribute)
            if not (standard and inputs and _all_constant(inputs)) or subgraphs:
                domain = "" if proto.domain in ("", "ai.onnx") else f"{proto.domain}."
                raise PortError(f"the operator {domain}{kind} has no counterpart", node.place)
        if kind in ("Reshape", "Expand", "Resize") and self.fixed_batch is not None:
            onnx_shapes.opened(self, node)
        infer(node, self.sizes, self.advice)
        if kind in ("Shape", "Size") and isinstance(inputs[0], KerasTensor):
            self.values[names[0]] = onnx_shapes.measured(node, self.sizes[inputs[0]])
            return
        if _all_constant(inputs) and not kind.startswith(_RANDOM):
            for name, value in zip(names, fold(node), strict=True):
                self.values[name] = value
            return
        if kind not in READERS:
            raise node.refuse("has no counterpart")
        made = READERS[kind](self, node)
        for name, tensor in zip(names, made if isinstance(made, list) else [made], strict=False):
            if isinstance(tensor, Constant):
                self.values[name] = tensor
                continue
            if tensor in inputs:  # an identity: what is used is what it is given
                self.uses[tensor] -= 1
            self._bind(name, tensor)
        for name in names[1:]:
            if self._count[name] and name not in self.values:
                raise node.refuse(f"has a second output {name!r} in use, without a counterpart")

    def _bind(self, name: str, tensor: KerasTensor) -> KerasTensor:
        self.values[name] = tensor
        self.uses[tensor] += self._count[name]
        self.observed.setdefault(tensor, Observed(name))
        return tensor

    # -- what the functions that read single operators call ----------------------------------------

    def _apply(self, operation: Operation, args: tuple, sizes: Sizes, dtype: str) -> KerasTensor:
        tensor = apply(operation, *args, shape=shape_of(sizes), dtype=dtype)
        self.sizes[tensor] = sizes
        for arg in args:
            if isinstance(arg, KerasTensor) and arg not in self.observed:
                self.uses[arg] += 1
        return tensor

    def add(
        self,
        kind: str,
        node: Read,
        *args: Any,
        sizes: Sizes | None = None,
        to: str | None = None,
        **attributes: Any,
    ) -> KerasTensor:
        """Adds an operation without weights.

        Args:
            kind, attributes: of the operation.
            node: what it stands for; it gives the name.
            *args: tensors, and constants.
            sizes: of the output, by default those of the node's first output.
            to: the dtype of the output, by default also that.
        """
        given = tuple(self.number(arg) if isinstance(arg, Constant) else arg for arg in args)
        operation = Operation(kind, of_node(node), attributes, place=node.place)
        return self._apply(operation, given, sizes or node.sizes[0], to or node.dtypes[0])

    def layer(
        self,
        kind: str,
        node: Read,
        args: tuple,
        parameters: dict[str, Constant],
        sizes: Sizes | None = None,
        **attributes: Any,
    ) -> KerasTensor:
        """Adds a layer with weights: the same one as before where it is shared."""
        for name, constant in parameters.items():
            if not constant.is_fixed:
                raise node.refuse(f"has a {name} that follows the size of the batch")
        arrays = {name: constant.array for name, constant in parameters.items()}
        origins = {name: one.origin for name, one in parameters.items() if one.origin is not None}
        key = (kind, *(one.origin.key if one.origin else None for one in parameters.values()))
        operation = next(
            (
                one
                for one in self._layers[key]
                if len(origins) == len(arrays)
                # exporters write equal arrays once: two layers as they were initialized are not one
                and any(np.ptp(array) > 0 for array in arrays.values())
                and repr(one.attributes) == repr(attributes)
                and all(np.array_equal(one.parameters[name], a) for name, a in arrays.items())
            ),
            None,
        )
        if operation is None:
            name = of_weight(node, next(iter(parameters.values()), None))
            operation = Operation(kind, name, attributes, arrays, origins, place=node.place)
            self._layers[key].append(operation)
        return self._apply(operation, args, sizes or node.sizes[0], node.dtypes[0])

    def number(self, constant: Constant) -> Any:
        """A constant as an argument: a number, or an array."""
        if not constant.is_fixed:
            raise PortError("a tensor whose size follows the batch is added or multiplied")
        return constant.array.item() if constant.array.ndim == 0 else constant.array

    def made_by(self, value: Any, *kinds: str) -> Operation | None:
        """The operation behind a tensor that nothing else uses, if it is of one of the kinds."""
        if isinstance(value, KerasTensor) and self.uses[value] == 1:
            operation = value.node.target
            if operation.kind in kinds:
                return operation
        return None


_RANDOM = ("Random", "Bernoulli", "Multinomial")
# Operators that are only ever computed beforehand.
_FOLDED = dict.fromkeys(["Shape", "Size", "ConstantOfShape", "Range", "EyeLike", "OneHot"])


def _opset(model: Any) -> int:
    versions = {one.domain or "ai.onnx": one.version for one in model.opset_import}
    return versions.get("ai.onnx", 1)


def _newer(model: Any) -> Any:
    """A model of a version in which arithmetic broadcast otherwise, in the next."""
    from onnx import shape_inference, version_converter

    try:
        return version_converter.convert_version(shape_inference.infer_shapes(model), _OLDEST)
    except Exception as error:  # the converter has no class of its own for what it cannot do
        raise PortError(
            f"this ONNX model is of opset {_opset(model)}, {_OLDEST} is the oldest that is read, "
            f"and ONNX cannot convert it ({error})"
        ) from error


def _all_constant(inputs: list[Any]) -> bool:
    return all(one is None or isinstance(one, Constant) for one in inputs)


def _output_names(names: list[str]) -> list[str] | None:
    """Names for the outputs, or None where those of the file say nothing."""
    if all(name.isdigit() for name in names) or len(names) == 1:
        return None
    new = Names()
    return [new(name) for name in names]


def named(network: Network) -> Network:
    """The network with names for its operations: the weights' first, then in order."""
    names = Names()
    order = [n for n in network.operations if n.kind == "InputLayer"]
    order += [n for n in network.operations if n.parameters]
    order += [n for n in network.operations if not n.parameters and n.kind != "InputLayer"]
    for operation in order:
        operation.name = names(operation.name)
        operation._calls = 0  # type: ignore[attr-defined]

    def again(node, args):
        output = node.outputs[0]
        return apply(node.target, *args, shape=output.shape, dtype=output.dtype)

    return network.rebuild(again)
