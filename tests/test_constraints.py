"""Constraints: values by hand, names and configurations."""

import json

import jax.numpy as jnp
import numpy as np
import pytest

from cornu import constraints
from cornu.core.variable import Variable

W = np.array([[3.0, 0.3], [4.0, -0.4]], "float32")  # columns of length 5 and 0.5


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (constraints.Constraint(), W),
        (constraints.MaxNorm(1.0), [[0.6, 0.3], [0.8, -0.4]]),
        (constraints.MaxNorm(10.0), W),
        (constraints.NonNeg(), [[3.0, 0.3], [4.0, 0.0]]),
        (constraints.UnitNorm(), [[0.6, 0.6], [0.8, -0.8]]),
        (constraints.MinMaxNorm(1.0, 2.0), [[1.2, 0.6], [1.6, -0.8]]),
        (constraints.MinMaxNorm(1.0, 2.0, rate=0.5), [[2.1, 0.45], [2.8, -0.6]]),
        (constraints.UnitNorm(axis=[0, 1]), W / np.linalg.norm(W)),
    ],
)
def test_value(constraint, expected):
    for w in (W, jnp.asarray(W)):
        np.testing.assert_allclose(constraint(w), expected, rtol=1e-5)
    if type(constraint) is not constraints.Constraint:
        np.testing.assert_allclose(constraint(Variable(W)), expected, rtol=1e-5)


def test_zero_stays_zero():
    for name in ("max_norm", "unit_norm", "min_max_norm", "non_neg"):
        assert not np.any(constraints.get(name)(jnp.zeros((2, 2))))


@pytest.mark.parametrize("name", ["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"])
def test_configuration(name):
    made = constraints.get(name)
    config = json.loads(json.dumps(constraints.serialize(made)))
    assert config["class_name"] == name
    assert constraints.deserialize(config).get_config() == made.get_config()


def test_get():
    assert constraints.get(None) is None
    assert isinstance(constraints.get("max_norm"), constraints.MaxNorm)
    assert constraints.get(jnp.abs) is jnp.abs
    with pytest.raises(ValueError, match="did you mean 'max_norm'"):
        constraints.get("max_nrm")
