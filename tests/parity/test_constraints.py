"""Constraints against Keras: values, configurations."""

import numpy as np
import pytest

from cornu import constraints

keras = pytest.importorskip("keras")

CASES = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.5, "axis": 1}),
    ("MaxNorm", {"max_value": 1, "axis": [0, 1, 2]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1]}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 0.7, "max_value": 1.5, "rate": 0.3, "axis": -1}),
]


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_value(name, arguments):
    w = np.random.default_rng(5).normal(size=(3, 3, 4, 2)).astype("float32")
    w[..., 0, 0] = 0.0
    got = getattr(constraints, name)(**arguments)(w)
    expected = getattr(keras.constraints, name)(**arguments)(w)
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_configuration(name, arguments):
    theirs = getattr(keras.constraints, name)(**arguments)
    config = keras.constraints.serialize(theirs)
    assert constraints.serialize(constraints.deserialize(config)) == config
    back = keras.constraints.deserialize(
        constraints.serialize(getattr(constraints, name)(**arguments))
    )
    assert keras.constraints.serialize(back) == config


def test_names():
    from keras.src.constraints import ALL_OBJECTS_DICT

    for name, theirs in ALL_OBJECTS_DICT.items():
        if name.lower() != "constraint":
            assert type(constraints.get(name)).__name__ == theirs.__name__
    public = {name for name in dir(keras.constraints) if not name.startswith("_")}
    assert public <= set(constraints.__all__)
