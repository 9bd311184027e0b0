"""Regularizers against Keras: values, gradients, configurations."""

import jax
import numpy as np
import pytest

from cornu import regularizers

keras = pytest.importorskip("keras")

CASES = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.1, "l2": 0.3}),
    ("L1L2", {"l1": 0.1}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.5, "mode": "columns"}),
]


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_value_and_gradient(name, arguments):
    w = np.random.default_rng(5).normal(size=(6, 4)).astype("float32")
    w[0, 0] = 0.0
    ours, theirs = getattr(regularizers, name), getattr(keras.regularizers, name)
    got = jax.value_and_grad(ours(**arguments))(w)
    expected = jax.value_and_grad(theirs(**arguments))(w)
    for mine, other in zip(got, expected, strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_allclose(mine, other, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_configuration(name, arguments):
    theirs = getattr(keras.regularizers, name)(**arguments)
    config = keras.regularizers.serialize(theirs)
    assert regularizers.serialize(regularizers.deserialize(config)) == config
    ours = getattr(regularizers, name)(**arguments)
    back = keras.regularizers.deserialize(regularizers.serialize(ours))
    assert keras.regularizers.serialize(back) == config


def test_names():
    from keras.src.regularizers import ALL_OBJECTS_DICT

    for name, theirs in ALL_OBJECTS_DICT.items():
        if name.lower() != "regularizer":
            assert type(regularizers.get(name)).__name__ == theirs.__name__
    public = {name for name in dir(keras.regularizers) if not name.startswith("_")}
    assert public <= set(regularizers.__all__)
