"""Activations against Keras: values, gradients, names."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import activations

keras = pytest.importorskip("keras")

# the bends of every function are among the points
POINTS = np.array(
    [-200, -30, -3, -1, -0.5, -0.3, -0.0, 0, 0.3, 0.5, 1, 1.5, 3, 6, 30, 80], "float32"
)
RANDOM = np.random.default_rng(3).normal(size=(5, 4, 6)).astype("float32")

CASES = [
    ("celu", {}),
    ("celu", {"alpha": 0.3}),
    ("elu", {}),
    ("elu", {"alpha": 0.3}),
    ("exponential", {}),
    ("gelu", {}),
    ("gelu", {"approximate": True}),
    ("glu", {}),
    ("glu", {"axis": 1}),
    ("hard_shrink", {}),
    ("hard_shrink", {"threshold": 0.3}),
    ("hard_sigmoid", {}),
    ("hard_silu", {}),
    ("hard_swish", {}),
    ("hard_tanh", {}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.3}),
    ("linear", {}),
    ("log_sigmoid", {}),
    ("log_softmax", {}),
    ("log_softmax", {"axis": 0}),
    ("mish", {}),
    ("relu", {}),
    ("relu", {"negative_slope": 0.1}),
    ("relu", {"max_value": 6}),
    ("relu", {"max_value": 1.5}),
    ("relu", {"max_value": 1.5, "negative_slope": 0.1}),
    ("relu", {"threshold": 0.5}),
    ("relu", {"threshold": -0.5, "max_value": 3.0}),
    ("relu", {"threshold": 0.5, "max_value": 3.0, "negative_slope": 0.2}),
    ("relu6", {}),
    ("selu", {}),
    ("sigmoid", {}),
    ("silu", {}),
    ("soft_shrink", {}),
    ("soft_shrink", {"threshold": 0.3}),
    ("softmax", {}),
    ("softmax", {"axis": 1}),
    ("softplus", {}),
    ("softsign", {}),
    ("sparse_plus", {}),
    ("sparse_sigmoid", {}),
    ("sparsemax", {}),
    ("sparsemax", {"axis": 1}),
    ("squareplus", {}),
    ("squareplus", {"b": 1}),
    ("swish", {}),
    ("tanh", {}),
    ("tanh_shrink", {}),
    ("threshold", {"threshold": 0.5, "default_value": -2.0}),
]


def _value_and_gradient(function, arguments, x):
    def run(x):
        def total(x):
            y = function(x, **arguments)
            return jnp.sum(y * jnp.cos(jnp.arange(y.size).reshape(y.shape))), y

        (_, y), gradient = jax.value_and_grad(total, has_aux=True)(x)
        return y, gradient

    return jax.tree.map(np.asarray, jax.jit(run)(x))


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_value_and_gradient(name, arguments):
    for x in (POINTS, RANDOM):
        if x.ndim == 1 and "axis" in arguments:
            continue
        got = _value_and_gradient(getattr(activations, name), arguments, x)
        expected = _value_and_gradient(getattr(keras.activations, name), arguments, x)
        for ours, theirs in zip(got, expected, strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


def test_softmax_over_several_axes():
    for name in ("softmax", "log_softmax"):
        got = getattr(activations, name)(RANDOM, axis=(1, 2))
        expected = getattr(keras.activations, name)(RANDOM, axis=(1, 2))
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)


def test_half_precision():
    for name in ("relu", "softmax", "gelu", "selu", "mish"):
        x = jnp.asarray(RANDOM, "bfloat16")
        got, expected = getattr(activations, name)(x), getattr(keras.activations, name)(x)
        assert got.dtype == expected.dtype == "bfloat16"
        np.testing.assert_array_equal(np.asarray(got), np.asarray(expected))


def test_names():
    from keras.src.activations import ALL_OBJECTS_DICT

    for name, theirs in ALL_OBJECTS_DICT.items():
        ours = activations.get(name)
        assert ours.__name__ == theirs.__name__
        assert activations.serialize(ours) == keras.activations.serialize(theirs)
    public = {name for name in dir(keras.activations) if not name.startswith("_")}
    assert public <= set(activations.__all__)
