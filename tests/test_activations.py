"""Activations: what they take, what they give, names and configurations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import activations
from cornu.core.serialization import custom_object_scope
from cornu.core.variable import Variable, bind

NAMES = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6",
    "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "tanh", "tanh_shrink",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_same_result_for_every_kind_of_array(name):
    function = activations.get(name)
    x = np.linspace(-3, 3, 8, dtype="float32").reshape(2, 4)
    expected = np.asarray(function(jnp.asarray(x)))
    assert expected.dtype == "float32"
    np.testing.assert_array_equal(np.asarray(function(x)), expected)
    np.testing.assert_array_equal(np.asarray(function(Variable(x))), expected)


def test_variable_under_bind():
    weight = Variable(np.zeros(2, "float32"))
    pure = bind(lambda: activations.sigmoid(weight), [weight])
    result, _ = jax.jit(pure)([jnp.asarray([0.0, 100.0])])
    assert result.tolist() == [0.5, 1.0]


@pytest.mark.parametrize("name", ["sigmoid", "softmax", "tanh", "elu", "gelu", "hard_sigmoid"])
def test_integers_become_floats(name):
    assert activations.get(name)([[0, 1, 2]]).dtype == "float32"


def test_relu_of_integers_stays_integer():
    assert activations.relu(jnp.asarray([-1, 2])).dtype == "int32"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [0, 0, 0, 1, 3]),
        ({"max_value": 2}, [0, 0, 0, 1, 2]),
        ({"threshold": 1.0}, [0, 0, 0, 0, 3]),
        ({"negative_slope": 0.5}, [-1.5, -0.5, 0, 1, 3]),
        ({"negative_slope": 0.5, "threshold": 1.0, "max_value": 2}, [-2, -1, -0.5, 0, 2]),
    ],
)
def test_relu(arguments, expected):
    x = jnp.asarray([-3.0, -1.0, 0.0, 1.0, 3.0])
    assert activations.relu(x, **arguments).tolist() == expected


def test_softmax_of_large_numbers():
    x = jnp.asarray([[1e4, 1e4, -1e4]])
    assert activations.softmax(x).tolist() == [[0.5, 0.5, 0.0]]
    assert np.isfinite(activations.log_softmax(x)).all()


def test_softmax_over_one_unit_points_at_the_line():
    with pytest.warns(UserWarning, match="use sigmoid") as said:
        activations.softmax([[1.0]])
    assert [one.filename for one in said] == [__file__]


def test_softmax_over_one_unit_warns():
    with pytest.warns(UserWarning, match="use sigmoid"):
        activations.softmax(jnp.ones((3, 1)))


def test_glu_of_odd_length():
    with pytest.raises(ValueError, match="must be even"):
        activations.glu(jnp.ones((2, 3)))


def test_get():
    assert activations.get(None) is activations.linear
    assert activations.get("relu") is activations.relu
    assert activations.get("swish") is activations.silu
    assert activations.get(jnp.sin) is jnp.sin
    config = {"class_name": "function", "config": "tanh", "module": "builtins"}
    assert activations.get(config) is activations.tanh


def test_unknown_name_gives_the_nearest():
    with pytest.raises(ValueError, match="unknown activation 'rellu'; did you mean 'relu'"):
        activations.get("rellu")
    with pytest.raises(TypeError, match="activation of 3"):
        activations.get(3)


@pytest.mark.parametrize("name", NAMES)
def test_names_survive(name):
    assert activations.serialize(activations.get(name)) == name
    assert activations.deserialize(name) is activations.get(name)


def _my_activation(x):
    return x + 1


def test_function_of_the_user():
    config = activations.serialize(_my_activation)
    assert config["config"] == "_my_activation"
    found = activations.deserialize(config, custom_objects={"_my_activation": _my_activation})
    assert found is _my_activation
    with custom_object_scope({"mine": _my_activation}):
        assert activations.get("mine") is _my_activation
    nameless = lambda x: x  # noqa: E731
    assert activations.deserialize(activations.serialize(nameless)) is nameless
