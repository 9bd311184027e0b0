"""to_categorical and normalize, without a peer."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornu.utils.numerical import normalize, to_categorical


@given(labels=st.lists(st.integers(0, 9), min_size=1, max_size=20), extra=st.integers(0, 3))
def test_one_hot_rows_say_the_label(labels, extra):
    rows = to_categorical(labels, max(labels) + 1 + extra)
    assert rows.shape == (len(labels), max(labels) + 1 + extra)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows.sum(axis=1), 1)
    np.testing.assert_array_equal(rows.argmax(axis=1), labels)


def test_a_last_axis_of_one_is_dropped_and_no_other():
    assert to_categorical([[0], [2]]).shape == (2, 3)
    assert to_categorical([[0, 1], [2, 0]]).shape == (2, 2, 3)
    assert to_categorical([0]).shape == (1, 1)
    assert to_categorical(2).shape == (3,)
    assert to_categorical([[[1]], [[0]]]).shape == (2, 1, 2)


def test_a_pandas_series():
    pandas = pytest.importorskip("pandas")
    series = pandas.Series([1, 0], index=[7, 8])
    np.testing.assert_array_equal(to_categorical(series), [[0, 1], [1, 0]])


def test_labels_on_the_device_stay_there_and_can_be_traced():
    rows = to_categorical(jnp.array([[0], [2]]))
    assert isinstance(rows, jax.Array)
    assert rows.shape == (2, 3)
    assert rows.dtype == "float32"
    traced = jax.jit(lambda x: to_categorical(x, 3))(jnp.array([1, 2]))
    np.testing.assert_array_equal(traced, [[0, 1, 0], [0, 0, 1]])
    with pytest.raises(ValueError, match="num_classes must be given"):
        jax.jit(to_categorical)(jnp.array([1, 2]))


def test_labels_that_do_not_fit():
    with pytest.raises(IndexError, match=r"num_classes=3\): label 3 is out of range.* 0 to 2"):
        to_categorical([0, 3], num_classes=3)
    with pytest.raises(IndexError, match="label -4 is out of range"):
        to_categorical([-4, 0], num_classes=3)
    with pytest.raises(ValueError, match="must be whole numbers"):
        to_categorical(["cat", "dog"])
    with pytest.raises(ValueError, match="no labels to count"):
        to_categorical([])


def test_normalized_rows_have_length_one_and_zeros_stay():
    x = np.array([[3.0, 4.0], [0.0, 0.0], [-5.0, 0.0]])
    for given_as in (x, jnp.array(x)):
        np.testing.assert_allclose(normalize(given_as), [[0.6, 0.8], [0, 0], [-1, 0]], rtol=1e-6)
    assert isinstance(normalize(x), np.ndarray)
    assert isinstance(normalize(jnp.array(x)), jax.Array)


def test_normalize_along_the_first_axis_is_along_the_first_axis():
    x = np.arange(1.0, 7.0).reshape(2, 3)
    np.testing.assert_allclose(np.linalg.norm(normalize(x, axis=0), axis=0), 1)
    square = np.arange(1.0, 5.0).reshape(2, 2)
    np.testing.assert_allclose(np.abs(normalize(square, axis=0, order=1)).sum(axis=0), 1)
    np.testing.assert_allclose(normalize(jnp.array(x), axis=0), normalize(x, axis=0), rtol=1e-6)


def test_normalize_refuses_a_senseless_order():
    with pytest.raises(ValueError, match=r"normalize\(order=0\): order must be a positive integer"):
        normalize(jnp.ones(3), order=0)
