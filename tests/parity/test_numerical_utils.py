"""to_categorical and normalize against Keras 3."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import jax.numpy as jnp  # noqa: E402

from cornu.utils.numerical import normalize, to_categorical  # noqa: E402


def same(ours, theirs):
    assert type(ours) is type(theirs)
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([0, 2, 1], None),
        ([0, 2, 1], 5),
        ([[0], [3]], None),
        ([[0, 1], [2, 1]], 4),
        ([[[1]], [[0]]], None),
        (2, 4),
        ([True, False], None),
        (np.array([1, 0], dtype="uint8"), 2),
        (np.array([1.0, 0.0]), 2),
        ([-1, 0], 3),
        (jnp.array([0, 2]), 3),
        (jnp.array([[0], [2]]), 4),
        (jnp.array([0, 7, -1]), 3),
    ],
)
def test_to_categorical(labels, classes):
    same(to_categorical(labels, classes), keras.utils.to_categorical(labels, classes))


@pytest.mark.parametrize("labels", [[3], [-3]])
def test_to_categorical_out_of_range_raises_the_same_error(labels):
    for convert in (to_categorical, keras.utils.to_categorical):
        with pytest.raises(IndexError):
            convert(labels, 2)


x = np.random.default_rng(0).normal(size=(3, 4, 2))
x[1, 2] = 0


# Not here: axis=0 of a NumPy array, which Keras 3 takes for the last axis when it divides.
@pytest.mark.parametrize("axis", [-1, 1, 2, -2])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_normalize_numpy(axis, order):
    if order == 3 and axis == 1:
        axis = -3
    same(normalize(x, axis, order), keras.utils.normalize(x, axis, order))
    single = x.astype("float32")
    same(normalize(single, axis, order), keras.utils.normalize(single, axis, order))


@pytest.mark.parametrize("axis", [-1, 0, 1, 2])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_normalize_on_the_device(axis, order):
    on_device = jnp.array(x)
    same(normalize(on_device, axis, order), keras.utils.normalize(on_device, axis, order))


@pytest.mark.parametrize("value", [[3.0, 4.0], 5.0, [[1e-9, 0.0]]])
def test_normalize_lists_and_numbers(value):
    same(normalize(value), keras.utils.normalize(value))


def test_normalize_integers():
    same(normalize(np.array([[3, 4]])), keras.utils.normalize(np.array([[3, 4]])))
