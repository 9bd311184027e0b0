"""An ONNX model as one side of a comparison: what it computes, no training."""

from __future__ import annotations

from typing import Any

import numpy as np

from cornu.port.onnx.read import import_onnx, load_model, read_onnx
from cornu.port.onnx.values import onnx_values
from cornu.port.proof.runner import Runner, in_dtype


class OnnxRunner(Runner):
    """An ONNX model, computed by ONNX Runtime.

    Args:
        model: `onnx.ModelProto`, the bytes of a file, or its name.
    """

    computes_gradients = False
    # attributes are float32 in the format: an epsilon of 0.001 is off by 5e-11
    precision = 1e-6

    def __init__(self, model: Any):
        self.model = load_model(model)
        network = read_onnx(self.model)
        super().__init__(f"ONNX model {self.model.graph.name!r}", network)
        self.notes.append(
            "ONNX holds settings, such as an epsilon, in float32: in float64 too they are no closer"
        )
        held = {one.name for one in self.model.graph.initializer}
        self._inputs = [one for one in self.model.graph.input if one.name not in held]
        for one in self._inputs:
            sizes = one.type.tensor_type.shape.dim
            if sizes and sizes[0].HasField("dim_value"):
                self.batch_size = sizes[0].dim_value
        self._models = {"float32": self.model}

    def _in(self, dtype: str) -> Any:
        if dtype not in self._models:
            self._models[dtype] = in_double(self.model)
        return self._models[dtype]

    def values(self, inputs, dtype, training=False):
        onnx = import_onnx()
        model = self._in(dtype)
        given = {}
        for one, array in zip(self._inputs, self._given(inputs), strict=True):
            wanted = onnx.helper.tensor_dtype_to_np_dtype(one.type.tensor_type.elem_type)
            array = array.astype(wanted) if wanted.kind in "iub" else in_dtype(array, dtype)
            given[one.name] = array
        names = list(dict.fromkeys(key for _, key, _ in self._keys))
        outputs = [one.name for one in model.graph.output]
        seen = onnx_values(model, given, [*names, *(n for n in outputs if n not in names)])
        found = self._tensors({name: [value] for name, value in seen.items()})
        arrays = self._outputs([seen[name] for name in outputs])
        found.update(zip(self.network.outputs, arrays, strict=True))
        found.update(zip(self.network.inputs, map(np.asarray, inputs), strict=True))
        return found


def in_double(model: Any) -> Any:
    """A copy of an ONNX model with float64 wherever it has float32."""
    onnx = import_onnx()
    single, double = onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph

    def widen(tensor: Any) -> None:
        if tensor.data_type == single:
            array = onnx.numpy_helper.to_array(tensor).astype("float64")
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))

    # the factors of a Resize are float32 always
    factors = {node.input[2] for node in graph.node if node.op_type == "Resize" and node.input[2:]}
    for tensor in graph.initializer:
        if tensor.name not in factors:
            widen(tensor)
    for one in (*graph.input, *graph.output):
        if one.type.tensor_type.elem_type == single:
            one.type.tensor_type.elem_type = double
    del graph.value_info[:]
    for node in graph.node:
        if node.output[0] in factors:
            continue
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                widen(attribute.t)
            elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == single:
                attribute.i = double
            elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
                floats = attribute.floats if attribute.name == "value_floats" else attribute.f
                array = np.asarray(floats, "float64")
                attribute.CopyFrom(
                    onnx.helper.make_attribute("value", onnx.numpy_helper.from_array(array))
                )
    return made
