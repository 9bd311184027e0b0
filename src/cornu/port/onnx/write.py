"""A Network, written as an ONNX model.

`cornu.port.onnx.write_layers`, `onnx_write_activations` and `onnx_write_shapes` say which operators
stand for which operation. The model is checked by ONNX' own checker, and the shapes that ONNX
infers are held against those of the network.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.port.kinds import DROPOUT, ONLY_IN_TRAINING
from cornu.port.network import Network, Operation, PortError
from cornu.port.onnx import write_activations as onnx_write_activations
from cornu.port.onnx import write_layers as onnx_write_layers
from cornu.port.onnx import write_shapes as onnx_write_shapes
from cornu.port.onnx.graph import import_onnx

# The first with LayerNormalization; read by ONNX Runtime since 1.12 (2022) and by the converters
# of the devices, which are behind.
OPSET = 17

WRITERS: dict[str, Callable[[Writer, Node], str]] = {
    **onnx_write_layers.WRITERS,
    **onnx_write_activations.WRITERS,
    **onnx_write_shapes.WRITERS,
}


def write_onnx(network: Network, opset: int = OPSET, dtype: str | None = None) -> Any:
    """Writes an ONNX model.

    Args:
        network: with its images' channels first (`cornu.port.layout.change_layout`).
        opset: the version of ONNX' operators, 17 or newer. 17 is the first with LayerNormalization.
        dtype: of all floating-point weights and values; by default that of the weights.

    Returns:
        An `onnx.ModelProto`. Its inputs, outputs and values have the names of the network's
        operations, weights are called "fc1.kernel", and the batch axis "batch". Dropout and noise
        are left out: it is a model for inference. Where an input is held with its axes in another
        order than in the network's source, the metadata say so: "input_permutation.NAME" is
        "0,3,1,2" where the source's input has to be transposed by (0, 3, 1, 2).

    Raises:
        PortError: an operation without a counterpart.
    """
    onnx = import_onnx()
    if opset < OPSET:
        raise ValueError(f"opset={opset}: {OPSET} is the oldest that is written")
    if opset > onnx.defs.onnx_opset_version():
        raise ValueError(
            f"opset={opset}: the newest that this onnx {onnx.__version__} knows is "
            f"{onnx.defs.onnx_opset_version()}"
        )
    return Writer(network, opset, dtype).model()


class Writer:
    """Writes one network; what the functions that write single operations work with.

    Args:
        network, opset, dtype: as for `write_onnx`.
    """

    def __init__(self, network: Network, opset: int = OPSET, dtype: str | None = None):
        self.network, self.opset = network, opset
        self.onnx = import_onnx()
        self.float = np.dtype(dtype or _float_of(network))
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.values: dict[KerasTensor, str] = {}
        self._taken = {operation.name for operation in network.operations}
        self._weights: dict[tuple[int, str], str] = {}
        self._now = ""

    def model(self) -> Any:
        """The model, checked."""
        import cornu

        network, helper = self.network, self.onnx.helper
        for node in network.nodes:
            self._write(node)
        outputs = self._outputs()
        graph = helper.make_graph(
            self.nodes,
            network.name,
            [self._info(self.values[tensor], tensor, True) for tensor in network.inputs],
            [
                self._info(name, tensor, False)
                for name, tensor in zip(outputs, network.outputs, strict=True)
            ],
            self.initializers,
        )
        imports = [helper.make_opsetid("", self.opset)]
        model = helper.make_model(
            graph,
            opset_imports=imports,
            ir_version=helper.find_min_ir_version_for(imports),
            producer_name="cornu",
            producer_version=cornu.__version__,
        )
        for tensor, layout in zip(network.inputs, network.input_layouts, strict=True):
            if layout.axes is not None:
                entry = model.metadata_props.add()
                entry.key = f"input_permutation.{self.values[tensor]}"
                entry.value = ",".join(map(str, layout.axes))
        return self._checked(model)

    def _write(self, node: Node) -> None:
        """Writes a node of the network."""
        operation, output = node.target, node.outputs[0]
        if node.operation == "InputLayer":
            self.values[output] = operation.name
            return
        if operation.attributes.get("training") and node.operation in DROPOUT:
            raise operation.refuse("is never switched off, and ONNX has no random choice like it")
        if node.operation in ONLY_IN_TRAINING:
            self.values[output] = self.values[node.inputs[0]]
            return
        if node.operation not in WRITERS:
            raise operation.refuse("has no counterpart in ONNX")
        self._now = operation.name if node.call_index == 0 else self.unique(operation.name)
        before = len(self.nodes)
        value = WRITERS[node.operation](self, node)
        if any(value in made.output for made in self.nodes[before:]):
            last = next(made for made in self.nodes[before:] if value in made.output)
            last.output[0], last.name = self._now, self._now
            value = self._now
        self.values[output] = value

    def _outputs(self) -> list[str]:
        """The names of the outputs; where two are one value, or one is an input, it is copied."""
        found: list[str] = []
        inputs = {self.values[tensor] for tensor in self.network.inputs}
        for tensor in self.network.outputs:
            value = self.values[tensor]
            if value in found or value in inputs:
                self._now = self.unique(tensor.node.name)
                copy = self.add("Identity", value)
                value = self.nodes[-1].name = self.nodes[-1].output[0] = self._now
                del copy
            found.append(value)
        return found

    def _info(self, name: str, tensor: KerasTensor, is_input: bool) -> Any:
        shape: list[Any] = [
            size if size is not None else "batch" if axis == 0 else f"{name}_{axis}"
            for axis, size in enumerate(tensor.shape)
        ]
        if not is_input:  # what an open size is called behind the layers, ONNX infers
            shape = [None if isinstance(size, str) and size != "batch" else size for size in shape]
        element = self.onnx.helper.np_dtype_to_tensor_dtype(self.dtype(tensor))
        return self.onnx.helper.make_tensor_value_info(name, element, shape)

    def _checked(self, model: Any) -> Any:
        """The model with inferred shapes, after all checks that ONNX has."""
        onnx = self.onnx
        try:
            onnx.checker.check_model(model, full_check=True)
            model = onnx.shape_inference.infer_shapes(
                model, check_type=True, strict_mode=True, data_prop=True
            )
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            reason = " ".join(str(error).split())
            raise PortError(f"ONNX refuses what was written ({reason})") from error
        inferred = {
            info.name: info.type.tensor_type
            for info in (*model.graph.value_info, *model.graph.output)
        }
        for tensor, name in self.values.items():
            if name not in inferred or not inferred[name].HasField("shape"):
                continue
            sizes = [dim.dim_value or None for dim in inferred[name].shape.dim]
            agree = len(sizes) == tensor.ndim and all(
                a == b for a, b in zip(sizes, tensor.shape, strict=True) if a and b
            )
            if not agree:
                raise PortError(f"{name}: ONNX infers the shape {sizes}, not {tensor.shape}")
        return model

    # -- what the functions that write single operations call --------------------------------------

    def unique(self, wanted: str) -> str:
        """A name that nothing else has."""
        name, number = wanted, 0
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._taken.add(name)
        return name

    def add(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Adds an operator; returns the name of its output.

        Args:
            kind: of the operator.
            *inputs: names of values, "" for an optional one that is left out.
            name: what stands behind the name of the operation, by default the kind.
            **attributes: of the operator.
        """
        return self.several(kind, 1, *inputs, name=name, **attributes)[0]

    def several(
        self, kind: str, count: int, *inputs: str, name: str | None = None, **attributes: Any
    ) -> list[str]:
        """Adds an operator with several outputs; returns their names."""
        wanted = f"{self._now}.{name or kind.lower()}"
        outputs = [self.unique(wanted) for _ in range(count)]
        node = self.onnx.helper.make_node(kind, inputs, outputs, outputs[0], **attributes)
        self.nodes.append(node)
        return outputs

    def input(self, node: Node, number: int = 0, dtype: Any = None) -> str:
        """The value of an argument of a node: of a tensor, or of a constant.

        Args:
            dtype: what it is converted to; by default a tensor stays as it is, and a constant
                becomes what the output is.
        """
        arg = node.args[number]
        if not isinstance(arg, KerasTensor):
            wanted = self.dtype(node.outputs[0]) if dtype is None else dtype
            return self.constant(np.asarray(arg, wanted), "constant")
        value = self.values[arg]
        if dtype is None or self.dtype(arg) == np.dtype(dtype):
            return value
        element = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.add("Cast", value, to=element)

    def floating(self, node: Node, number: int = 0) -> str:
        """The value of an argument, as floating-point numbers."""
        return self.input(node, number, self.float)

    def dtype(self, tensor: KerasTensor) -> np.dtype:
        """The dtype of a tensor in the model."""
        return self.float if "float" in tensor.dtype else np.dtype(tensor.dtype)

    def constant(self, array: Any, name: str) -> str:
        """An initializer for a constant of the operation that is being written."""
        name = self.unique(f"{self._now}.{name}")
        array = np.ascontiguousarray(array) if np.ndim(array) else np.asarray(array)
        self.initializers.append(self.onnx.numpy_helper.from_array(array, name))
        return name

    def number(self, value: float, name: str = "constant") -> str:
        """A constant floating-point number."""
        return self.constant(np.asarray(value, self.float), name)

    def integers(self, values: Sequence[int], name: str) -> str:
        """A constant list of integers: a shape, axes."""
        return self.constant(np.asarray(values, np.int64).reshape(len(values)), name)

    def weight(
        self,
        operation: Operation,
        name: str,
        change: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> str:
        """An initializer for a weight, once for each layer."""
        key = (id(operation), name)
        if key not in self._weights:
            array = operation.parameters[name]
            array = np.asarray(array if change is None else change(array))
            if array.dtype.kind == "f":
                array = array.astype(self.float)
            title = self.unique(f"{operation.name}.{name}")
            array = np.ascontiguousarray(array)
            self.initializers.append(self.onnx.numpy_helper.from_array(array, title))
            self._weights[key] = title
        return self._weights[key]

    def filled(self, operation: Operation, name: str, value: float, size: Any) -> str:
        """An initializer in the place of a weight that the layer does not have."""
        key = (id(operation), name)
        if key not in self._weights:
            title = self.unique(f"{operation.name}.{name}")
            array = np.full(size, value, self.float)
            self.initializers.append(self.onnx.numpy_helper.from_array(array, title))
            self._weights[key] = title
        return self._weights[key]


def _float_of(network: Network) -> Any:
    found = [value.dtype for _, _, value in network.weights() if value.dtype.kind == "f"]
    if not found:
        found = [np.dtype(one.dtype) for one in network.inputs if one.dtype.startswith("float")]
    return np.result_type(*found) if found else np.dtype("float32")
