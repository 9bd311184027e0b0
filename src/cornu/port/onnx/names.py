"""Names for what an ONNX file holds, from those that exporters give nodes and weights."""

from __future__ import annotations

import re
from typing import Any

# What stands behind the name of a layer in the name of one of its weights.
_WEIGHT = re.compile(
    r"[./_](weight|weights|kernel|bias|scale|gamma|beta|embeddings|alpha|W|w|b|s|ones|zeros)(_\d+)?$"
)
# What TensorFlow adds to the name of a layer: its variables and its functions.
_TENSORFLOW = re.compile(
    r"(ReadVariableOp(_\d+)?|Conv\dD|convolution|MatMul|BiasAdd|Tensordot|FusedBatchNorm(V\d)?"
    r"|batchnorm|Relu6?|Sigmoid|Tanh|Softmax|Elu|Selu|depthwise|resource|Cast|add|mul(_\d+)?|Add"
    r"|(Max|Avg)Pool(\d[dD])?|Mean|Reshape|concat|const_fold_opt.*|embedding_lookup|transpose)"
)
# Names that only number: of values (val_12, 163, onnx::Conv_45) and of nodes (n4, n0_5).
_NUMBERED = re.compile(r"(val_\d+|\d+|onnx::\w+|[nN]\d*(_\d+)?|\w*__\d+|const_fold_opt.*)?")

_ACTIVATIONS = frozenset(
    {"Relu", "LeakyRelu", "Elu", "Selu", "Sigmoid", "Tanh", "Softmax", "Softplus", "Clip"}
)


def of_node(node: Any) -> str:
    """What to call an operation without weights."""
    name = node.proto.name
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.kind).lower()
    if name.startswith("/"):  # /layer1/layer1.0/conv1/Conv: modules, from PyTorch's older exporter
        return _module(name) or kind
    if "/" in name:
        found = _from_tensorflow(name)
        if not found or re.search(r"__\d+$", name):  # what tf2onnx adds itself is numbered
            return kind
        is_own = found.startswith(("activation", "re_lu", kind)) or node.kind not in _ACTIVATIONS
        return found if is_own else f"{found}_{kind}"
    plain = re.sub(r"^node_", "", name)  # PyTorch's newer exporter
    if not _NUMBERED.fullmatch(plain) and not re.fullmatch(rf"{node.kind}(_\d+)?", plain):
        return plain
    output = node.names[0]
    return kind if _NUMBERED.fullmatch(output) or "/" in output else output


def of_weight(node: Any, weight: Any) -> str:
    """What to call a layer, given the constant that is its first weight."""
    name = node.proto.name
    if name.startswith("/") and _module(name):
        return _module(name)
    key = weight.origin.key if weight is not None and weight.origin is not None else ""
    if not _NUMBERED.fullmatch(key):
        if "/" in key or "ReadVariableOp" in key:
            return _from_tensorflow(key.removesuffix(":0")) or of_node(node)
        return _WEIGHT.sub("", key)
    return of_node(node)


def _module(name: str) -> str:
    """The path of the module in a name that PyTorch's older exporter gives a node."""
    path = ""
    for part in name.split("/")[1:-1]:
        path = part if not path or part.startswith(f"{path}.") else f"{path}.{part}"
    return path


def _from_tensorflow(name: str) -> str:
    """The name of the layer in a path of TensorFlow's: "model/dense/MatMul" is "dense"."""
    parts = [part for part in _WEIGHT.sub("", name).split("/") if part]
    while len(parts) > 1 and (_TENSORFLOW.fullmatch(parts[-1]) or _NUMBERED.fullmatch(parts[-1])):
        parts.pop()
    return re.sub(r"__\d+$", "", parts[-1]) if parts else ""
