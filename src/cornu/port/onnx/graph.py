"""Nodes of an ONNX graph as they are read: their inputs, their settings, their inferred shapes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from cornu.graph.tensor import KerasTensor
from cornu.port.network import PortError
from cornu.port.onnx.constants import Constant, Sizes

_DTYPES = frozenset(
    {"float16", "float32", "float64", "bfloat16", "bool", "int8", "int16", "int32", "int64"}
    | {"uint8", "uint16", "uint32", "uint64"}
)
# Values of this many entries or fewer are shown to the inference of shapes.
_SMALL = 4096


def import_onnx() -> Any:
    """The package onnx.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import onnx
    except ImportError as error:
        raise ModuleNotFoundError(
            'reading and writing ONNX needs the package onnx: pip install "cornu[onnx]"'
        ) from error
    return onnx


def load_model(source: Any) -> Any:
    """The ModelProto that a path, bytes or a ModelProto hold."""
    onnx = import_onnx()
    if isinstance(source, onnx.ModelProto):
        return source
    try:
        if isinstance(source, (bytes, bytearray)):
            model = onnx.load_model_from_string(bytes(source))
        else:
            model = onnx.load_model(os.fspath(source))
    except (OSError, TypeError, ImportError):
        raise
    except Exception as error:  # protobuf's DecodeError: its class differs between versions
        what = "these bytes" if isinstance(source, (bytes, bytearray)) else repr(str(source))
        raise PortError(f"{what} cannot be read as an ONNX model ({error})") from error
    if not model.graph.node and not model.graph.output:
        raise PortError("an ONNX model without nodes and outputs: is this an ONNX file?")
    return model


def dtype_name(element: int, what: str) -> str:
    """The name of a dtype that ONNX numbers.

    Raises:
        PortError: a dtype (of strings, of less than a byte, ...) that networks do not have.
    """
    onnx = import_onnx()
    try:
        name = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(element)).name
    except (KeyError, TypeError):
        name = "unknown"
    if name not in _DTYPES:
        raise PortError(f"{what} has the dtype {name}, which is not supported")
    return name


@dataclasses.dataclass(eq=False)
class Read:
    """A node of an ONNX graph, and what is known about it.

    Attributes:
        proto: the NodeProto.
        kind: the operator: "Conv".
        inputs: tensors and constants; None for an optional input that is left out.
        names: of the outputs.
        attributes: the settings written in the file, as Python and NumPy values.
        opset: the version of the standard.
        opsets: the opset imports of the model.
        sizes: of each output at two sizes of the batch.
        dtypes: of each output.
    """

    proto: Any
    kind: str
    inputs: list[Any]
    names: list[str]
    attributes: dict[str, Any]
    opset: int
    opsets: list[Any]
    sizes: list[Sizes] = dataclasses.field(default_factory=list)
    dtypes: list[str] = dataclasses.field(default_factory=list)

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"node {self.proto.name or self.names[0]!r}"

    def get(self, number: int) -> Any:
        """An input, or None where it is left out."""
        return self.inputs[number] if number < len(self.inputs) else None

    def refuse(self, why: str, advice: str = "") -> PortError:
        """The error that says that this node cannot be carried over."""
        return PortError(f"the operator {self.kind} {why}", self.place, advice)

    def constant(self, number: int, what: str) -> Constant | None:
        """An input that has to be a constant; None where it is left out."""
        found = self.get(number)
        if found is None or isinstance(found, Constant):
            return found
        raise self.refuse(f"has {what} that the network computes; they have to be constants")

    def setting(self, name: str, number: int, default: Any = None) -> Any:
        """A setting that is an attribute or, in newer versions of the standard, an input."""
        if name in self.attributes:
            return self.attributes[name]
        found = self.constant(number, name)
        if found is None:
            return default
        if not found.is_fixed:
            raise self.refuse(f"has {name} that follow the size of the batch")
        return found.array.tolist()


def read_attribute(one: Any) -> Any:
    """The value of an attribute, strings being str and tensors arrays."""
    onnx = import_onnx()
    value = onnx.helper.get_attribute_value(one)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    return value


def infer(node: Read, sizes_of: Mapping[KerasTensor, Sizes], advice: str = "") -> None:
    """Has ONNX infer the sizes and dtypes of a node's outputs, for two sizes of the batch.

    Raises:
        PortError: the inputs do not fit, or what comes out depends on the values of the inputs.
    """
    first, second = (_inferred(node, sizes_of, number, advice) for number in (0, 1))
    for place, name in enumerate(node.names):
        both = [one[name].tensor_type for one in (first, second) if _is_known(one.get(name))]
        if len(both) == 2:
            sizes = [tuple(dim.dim_value for dim in one.shape.dim) for one in both]
            node.sizes.append((sizes[0], sizes[1]))
            node.dtypes.append(dtype_name(both[0].elem_type, node.place))
        elif node.kind in _LIKE_THEIR_INPUT and place == 0:
            node.sizes.append(sizes_of[node.inputs[0]])
            node.dtypes.append(node.inputs[0].dtype)
        elif place == 0:
            raise node.refuse("makes a tensor whose shape depends on values, not on shapes")
        else:  # a second output, which few operators have and hardly anything uses
            node.sizes.append(((), ()))
            node.dtypes.append("float32")


# Operators for which ONNX itself does not infer shapes.
_LIKE_THEIR_INPUT = frozenset({"GroupNormalization"})


def _inferred(
    node: Read, sizes_of: Mapping[KerasTensor, Sizes], number: int, advice: str
) -> dict[str, Any]:
    onnx = import_onnx()
    types, data = {}, {}
    for name, one in zip(node.proto.input, node.inputs, strict=True):
        if isinstance(one, Constant):
            array = one.at(number)
            element = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
            types[name] = onnx.helper.make_tensor_type_proto(element, array.shape)
            if array.size <= _SMALL:
                data[name] = onnx.numpy_helper.from_array(array, name)
        elif one is not None:
            element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(one.dtype))
            types[name] = onnx.helper.make_tensor_type_proto(element, sizes_of[one][number])
    schema = onnx.defs.get_schema(node.kind, node.opset, "")
    try:
        return onnx.shape_inference.infer_node_outputs(
            schema, node.proto, types, data, opset_imports=node.opsets
        )
    except Exception as error:  # InferenceError, and a few others
        reason = " ".join(str(error).split())
        raise node.refuse(f"does not fit its inputs ({reason})", advice) from error


def _is_known(one: Any) -> bool:
    """Whether an inferred type says every size."""
    if one is None or not one.HasField("tensor_type") or not one.tensor_type.HasField("shape"):
        return False
    return all(dim.HasField("dim_value") for dim in one.tensor_type.shape.dim)
