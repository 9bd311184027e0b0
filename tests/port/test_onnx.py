"""ONNX where it is not installed; what its reader and writer share that needs no ONNX."""

import sys
import types

import numpy as np
import pytest

from cornu.port.network import Network, Operation, apply, entrance
from cornu.port.onnx.constants import Constant, made_of
from cornu.port.onnx.names import of_node, of_weight
from cornu.port.onnx.read import read_onnx
from cornu.port.onnx.values import onnx_values
from cornu.port.onnx.write import write_onnx


def test_without_onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    x = entrance("x", (None, 3))
    network = Network([x], [apply(Operation("negative", "y"), x, shape=(None, 3))])
    for use in (
        lambda: read_onnx("net.onnx"),
        lambda: write_onnx(network),
        lambda: onnx_values(b"", {}),
    ):
        with pytest.raises(ImportError, match=r'pip install "cornu\[onnx\]"'):
            use()


def node(kind, name, output="val_1"):
    return types.SimpleNamespace(kind=kind, names=[output], proto=types.SimpleNamespace(name=name))


@pytest.mark.parametrize(
    ("kind", "name", "output", "expected"),
    [
        ("Relu", "/layer1/layer1.0/relu/Relu", "x", "layer1.0.relu"),
        ("Concat", "/Concat_3", "x", "concat"),
        ("MaxPool", "node_max_pool2d", "max_pool2d", "max_pool2d"),
        ("HardSwish", "n0_4", "hardswish", "hardswish"),
        ("ReduceMean", "node_ReduceMean_12", "val_12", "reduce_mean"),
        ("MaxPool", "StatefulPartitionedCall/model/pool1/MaxPool2d", "x", "pool1"),
        ("Relu", "model/conv2d/Relu", "x", "conv2d_relu"),
        ("Transpose", "model/conv2d/BiasAdd__6", "x", "transpose"),
        ("Add", "", "12", "add"),
        ("Gelu", "act", "act", "act"),
    ],
)
def test_names_of_nodes(kind, name, output, expected):
    assert of_node(node(kind, name, output)) == expected


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("/layer1/layer1.0/conv1/Conv", "onnx::Conv_45", "layer1.0.conv1"),
        ("/Conv", "features.0.weight", "features.0"),
        ("node_conv2d", "stem.conv.weight", "stem.conv"),
        ("fc1", "fc1.kernel", "fc1"),
        ("x", "model/dense_2/MatMul/ReadVariableOp:0", "dense_2"),
        ("", "res_conv1_w_0", "res_conv1"),
    ],
)
def test_names_of_layers(name, key, expected):
    weight = types.SimpleNamespace(origin=types.SimpleNamespace(key=key))
    assert of_weight(node("Conv", name), weight) == expected


def test_constants_that_follow_the_batch():
    assert made_of(np.array([4]), np.array([4])).is_fixed
    shape = made_of(np.array([83, 4]), np.array([1009, 4]))
    assert not shape.is_fixed
    assert shape.at(1).tolist() == [1009, 4]
    rows = made_of(np.full((83, 2), 0.5), np.full((1009, 2), 0.5))  # the same row for each
    assert rows.is_fixed
    assert rows.array.tolist() == [[0.5, 0.5]]
    counted = made_of(np.arange(83), np.arange(1009))
    assert not counted.is_fixed
    assert Constant(np.eye(3)[:2]).then(np.transpose).sizes == ((3, 2), (3, 2))
