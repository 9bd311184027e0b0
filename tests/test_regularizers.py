"""Regularizers: values by hand, errors, names and configurations."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cornu import regularizers
from cornu.core.variable import Variable, bind

W = np.array([[1.0, -2.0], [3.0, 0.0]], "float32")


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (regularizers.L1(0.5), 3.0),
        (regularizers.L2(0.5), 7.0),
        (regularizers.L1L2(0.5, 0.25), 6.5),
        (regularizers.L1L2(), 0.0),
        (regularizers.L1(), 0.06),
        (regularizers.Regularizer(), 0.0),
        (regularizers.OrthogonalRegularizer(2.0), 2 / np.sqrt(5)),
        (regularizers.OrthogonalRegularizer(2.0, mode="columns"), 2 / np.sqrt(10)),
    ],
)
def test_value(regularizer, expected):
    for w in (W, jnp.asarray(W), Variable(W)):
        assert float(regularizer(w)) == pytest.approx(expected, rel=1e-6)


def test_one_row_is_orthogonal_to_nothing():
    assert float(regularizers.OrthogonalRegularizer()(jnp.ones((1, 3)))) == 0


def test_gradient_of_a_variable():
    weight = Variable(W)
    pure = bind(lambda: regularizers.L2(0.5)(weight), [weight])
    gradient = jax.grad(lambda values: pure(values)[0])([weight.value])[0]
    np.testing.assert_allclose(gradient, W)


def test_dtype_is_kept():
    for name in ("l1", "l2", "orthogonal_regularizer"):
        assert regularizers.get(name)(jnp.asarray(W, "bfloat16")).dtype == "bfloat16"


@pytest.mark.parametrize("name", ["l1", "L1", "l2", "L2", "l1_l2", "L1L2"])
def test_names(name):
    found = regularizers.get(name)
    assert type(found).__name__ == name.upper().replace("_", "")
    assert regularizers.get(found) is found


def test_configuration():
    made = regularizers.L1L2(0.1, 0.2)
    config = json.loads(json.dumps(regularizers.serialize(made)))
    assert config["config"] == {"l1": 0.1, "l2": 0.2}
    assert regularizers.deserialize(config).get_config() == made.get_config()
    assert regularizers.get(None) is None
    with pytest.raises(NotImplementedError, match="get_config"):
        regularizers.Regularizer().get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: regularizers.L2(-1), "0 or greater"),
        (lambda: regularizers.L1("a"), "finite number"),
        (lambda: regularizers.L1L2(l2=float("nan")), "l2"),
        (lambda: regularizers.OrthogonalRegularizer(mode="both"), "'rows' or 'columns'"),
        (lambda: regularizers.OrthogonalRegularizer()(jnp.ones(3)), "matrix"),
        (lambda: regularizers.get("l3"), "unknown regularizer 'l3'"),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()
