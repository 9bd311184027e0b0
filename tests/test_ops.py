"""Operations on arrays, lists, Variables and symbolic tensors."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import ops
from cornu.core.variable import Variable
from cornu.graph import Graph, KerasTensor
from cornu.graph.node import FunctionOperation
from cornu.layers import Input


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("add", ([1.0, 2.0], [3.0, 4.0]), [4.0, 6.0]),
        ("divide_no_nan", ([1.0, 2.0], [0.0, 2.0]), [0.0, 1.0]),
        ("sum", ([[1, 2], [3, 4]], 0), [4, 6]),
        ("mean", ([[1.0, 3.0]], -1), [2.0]),
        ("max", ([1.0, 5.0, 2.0],), 5.0),
        ("argmax", ([[1.0, 5.0, 2.0]], -1), [1]),
        ("clip", ([-1.0, 2.0], 0.0, 1.0), [0.0, 1.0]),
        ("where", ([True, False], [1.0, 1.0], [2.0, 2.0]), [1.0, 2.0]),
        ("concatenate", ([[1.0], [2.0]],), [1.0, 2.0]),
        ("stack", ([[1.0], [2.0]], 1), [[1.0, 2.0]]),
        ("take", ([10.0, 20.0], [1]), [20.0]),
        ("reshape", ([1, 2, 3, 4], (2, 2)), [[1, 2], [3, 4]]),
        ("transpose", ([[1, 2], [3, 4]],), [[1, 3], [2, 4]]),
        ("one_hot", ([2, -1], 3), [[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]),
        ("multi_hot", ([[0, 2], [1, 1]], 3), [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
        ("relu", ([-1.0, 1.0],), [0.0, 1.0]),
        ("softmax", ([[0.0, 0.0]],), [[0.5, 0.5]]),
        ("soft_shrink", ([-2.0, 0.1, 2.0],), [-1.5, 0.0, 1.5]),
        ("einsum", ("ij,jk->ik", [[1.0, 2.0]], [[3.0], [4.0]]), [[11.0]]),
        ("cumsum", ([1, 2, 3],), [1, 3, 6]),
        ("cast", ([1.9, 0.0], "int32"), [1, 0]),
        ("cast", ([1.9, 0.0], "bool"), [True, False]),
        ("saturate_cast", ([300, -5], "uint8"), [255, 0]),
        ("bincount", ([[0, 1], [1, 1]],), [[1, 1], [0, 2]]),
        ("in_top_k", ([1, 2], [[0.1, 0.8, 0.1], [0.5, 0.3, 0.2]], 2), [True, False]),
        ("scatter_update", ([1, 2, 3], [[1]], [9], "add"), [1, 11, 3]),
        ("segment_sum", ([1.0, 2.0, 3.0], [0, 1, 0], 2), [4.0, 2.0]),
    ],
)
def test_values(name, arguments, expected):
    result = getattr(ops, name)(*arguments)
    np.testing.assert_allclose(np.asarray(result), expected, rtol=1e-6)


def test_every_name_is_there_once_with_a_docstring():
    assert len(ops.__all__) == len(set(ops.__all__))
    for name in ops.__all__:
        function = getattr(ops, name)
        assert callable(function)
        assert function.__name__ == name
        assert inspect.getdoc(function), name


@pytest.mark.parametrize(
    ("call", "shape", "dtype"),
    [
        (lambda x: ops.exp(x), (None, 4), "float32"),
        (lambda x: ops.sum(x, axis=-1), (None,), "float32"),
        (lambda x: ops.expand_dims(x, 1), (None, 1, 4), "float32"),
        (lambda x: ops.concatenate([x, x], axis=-1), (None, 8), "float32"),
        (lambda x: ops.matmul(x, np.ones((4, 7), "float32")), (None, 7), "float32"),
        (lambda x: ops.argmax(x, axis=-1), (None,), "int32"),
        (lambda x: ops.top_k(x, 2)[1], (None, 2), "int32"),
        (lambda x: ops.cast(x, "int8"), (None, 4), "int8"),
        (lambda x: ops.convert_to_tensor(x, "float16"), (None, 4), "float16"),
        (lambda x: ops.less(x, 0.0), (None, 4), "bool"),
        (lambda x: ops.stop_gradient(x), (None, 4), "float32"),
        (lambda x: ops.add(1.0, x), (None, 4), "float32"),
        (lambda x: ops.split(x, 2, axis=1)[0], (None, 2), "float32"),
    ],
)
def test_symbolic_tensors(call, shape, dtype):
    x = Input((4,))
    result = call(x)
    assert isinstance(result, KerasTensor)
    assert (result.shape, result.dtype) == (shape, dtype)
    # and the graph computes what the call computes
    value = jnp.asarray(np.random.default_rng(0).normal(size=(3, 4)), "float32")
    (computed,) = Graph([x], [result]).run([value], lambda node, a, kw: node.target(*a, **kw))
    np.testing.assert_allclose(computed, call(value), rtol=1e-6)


def test_variables_stand_for_their_values():
    variable = Variable(np.array([1.0, 2.0], "float32"))
    assert ops.add(variable, variable).tolist() == [2.0, 4.0]
    assert ops.add(x1=variable, x2=1.0).tolist() == [2.0, 3.0]
    assert ops.concatenate([variable, variable]).tolist() == [1.0, 2.0, 1.0, 2.0]
    assert ops.convert_to_numpy(variable).tolist() == [1.0, 2.0]
    gradient = jax.grad(lambda v: ops.sum(ops.square(v)))(variable.value)
    assert gradient.tolist() == [2.0, 4.0]


def test_operations_are_found_again_by_name():
    node = ops.mean(Input((3,)), axis=-1).node
    assert node.operation == "mean"
    again = FunctionOperation.from_config(node.target.get_config())
    assert float(again(jnp.ones(3))) == 1.0


def test_shape_of_anything():
    assert ops.shape(KerasTensor((None, 3))) == (None, 3)
    assert ops.shape(np.ones((2, 1))) == (2, 1)
    assert ops.ndim([[1]]) == 2
    assert ops.size(np.ones((2, 3))) == 6


def test_control_flow():
    assert ops.cond(False, lambda: 1.0, lambda: 2.0).item() == 2.0
    bounded = ops.while_loop(lambda i: i < 100, lambda i: i + 1, 0, maximum_iterations=5)
    assert bounded.item() == 5
    assert [
        x.item() for x in ops.while_loop(lambda i, s: i < 3, lambda i, s: [i + 1, s + i], [0, 0])
    ]
    assert ops.vectorized_map(lambda x: x @ x, np.ones((3, 2), "float32")).tolist() == [2.0] * 3

    @ops.custom_gradient
    def clipped(x):
        return x, lambda upstream: jnp.clip(upstream, -1, 1)

    assert jax.grad(lambda x: 10 * clipped(x))(1.0).item() == 1.0


def test_convert_to_tensor_compiles_nothing_and_keeps_64_bits_out():
    assert ops.convert_to_tensor(np.ones(2)).dtype == "float32"
    assert ops.convert_to_tensor(np.arange(2)).dtype == "int32"
    assert ops.convert_to_tensor([1, 2], "float32").dtype == "float32"
    assert ops.zeros((2,), "float64").dtype == "float32"
    with pytest.raises(ValueError, match="sparse"):
        ops.convert_to_tensor([1], sparse=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.categorical_crossentropy([[1.0]], [[1.0, 0.0]]), "must be the same"),
        (lambda: ops.sparse_categorical_crossentropy([[1, 2]], [[0.5, 0.5]]), "it must be"),
        (lambda: ops.conv(np.ones((1, 4, 3)), np.ones((2, 2, 4))), "takes 2"),
        (lambda: ops.normalize([1.0], order=0), "integer from 1"),
        (lambda: ops.segment_sum([1.0], [0]), "num_segments"),
        (lambda: ops.scatter_update([1], [[0]], [1], reduction="mean"), "'mean'"),
        (lambda: ops.pad([1], 1, mode="reflect", constant_values=2), "constant_values"),
        (lambda: ops.cast([1], "float33"), "float33"),
    ],
)
def test_wrong_arguments_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
