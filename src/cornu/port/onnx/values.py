"""The values inside of an ONNX model, computed by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from cornu.port.onnx.graph import import_onnx, load_model


def onnx_values(
    model: Any, inputs: Mapping[str, np.ndarray], names: Iterable[str] | None = None
) -> dict[str, np.ndarray]:
    """Runs an ONNX model.

    Args:
        model: a path, the bytes of a file, or an onnx.ModelProto.
        inputs: an array for each input, by name.
        names: of the values that are wanted, also of those between two nodes; by default those of
            the outputs.

    Returns:
        The values by name. They are computed by ONNX Runtime with its optimizations off, which
        merge nodes; or, where it has no kernel for the dtype (float64 convolutions), by ONNX' own
        slow reference.

    Raises:
        ImportError: onnxruntime is not installed.
        ValueError: the model has no value of such a name.
    """
    onnx = import_onnx()
    try:
        import onnxruntime
    except ImportError as error:
        raise ImportError(
            'running ONNX models needs ONNX Runtime: pip install "cornu[onnx]"'
        ) from error
    source = load_model(model)
    inside = [output for node in source.graph.node for output in node.output if output]
    known = {*inside, *(one.name for one in source.graph.input)}
    known.update(one.name for one in source.graph.initializer)
    wanted = list(dict.fromkeys(names or [output.name for output in source.graph.output]))
    for name in wanted:
        if name not in known:
            raise ValueError(f"the ONNX model has no value {name!r}")
    given = {name: np.asarray(value) for name, value in inputs.items()}
    found = {name: given[name] for name in wanted if name in given}
    asked = [name for name in wanted if name not in given]
    if not asked:
        return found
    larger = onnx.ModelProto()
    larger.CopyFrom(source)
    del larger.graph.output[:]
    larger.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in asked)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(
            larger.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        values = session.run(asked, given)
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
        from onnx.reference import ReferenceEvaluator

        values = ReferenceEvaluator(larger).run(None, given)
    return {**found, **{name: np.asarray(v) for name, v in zip(asked, values, strict=True)}}
