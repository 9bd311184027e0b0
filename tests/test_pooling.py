"""Pooling against XLA's windows, and where the gradient of equal elements goes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from cornu.ops.pooling import average_pool, max_pool


def over_all_axes(sizes, data_format):
    sizes = tuple(sizes)
    return (1, *sizes, 1) if data_format == "channels_last" else (1, 1, *sizes)


def largest_by_xla(inputs, sizes, strides, padding, data_format):
    windows = over_all_axes(sizes, data_format), over_all_axes(strides, data_format)
    return lax.reduce_window(inputs, -jnp.inf, lax.max, *windows, padding.upper())


def mean_by_xla(inputs, sizes, strides, padding, data_format):
    windows = over_all_axes(sizes, data_format), over_all_axes(strides, data_format)
    sums = lax.reduce_window(inputs, 0.0, lax.add, *windows, padding.upper())
    ones = jnp.ones(inputs.shape)
    return sums / lax.reduce_window(ones, 0.0, lax.add, *windows, padding.upper())


@st.composite
def cases(draw):
    count = draw(st.integers(1, 3))
    data_format = draw(st.sampled_from(["channels_last", "channels_first"]))
    padding = draw(st.sampled_from(["valid", "same"]))
    sizes = draw(st.tuples(*[st.integers(1, 3)] * count))
    strides = draw(st.one_of(st.none(), st.tuples(*[st.integers(1, 4)] * count)))
    lengths = [draw(st.integers(size if padding == "valid" else 1, size + 5)) for size in sizes]
    images, channels = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    last = data_format == "channels_last"
    shape = (images, *lengths, channels) if last else (images, channels, *lengths)
    return shape, sizes, strides, padding, data_format


@settings(max_examples=25, deadline=None)
@given(cases(), st.integers(0, 2**32 - 1))
@pytest.mark.parametrize(
    ("pool", "reference"),
    [(max_pool, largest_by_xla), (average_pool, mean_by_xla)],
    ids=["max", "average"],
)
def test_values_and_gradients_are_those_of_xla(pool, reference, case, seed):
    shape, sizes, strides, padding, data_format = case
    generator = np.random.default_rng(seed)
    # few different values, half of them zero: ties in most windows, as after a ReLU
    inputs = np.maximum(generator.integers(-3, 4, size=shape), 0).astype("float32")

    def run(function):
        outputs, pull_back = jax.vjp(function, inputs)
        slopes = np.random.default_rng(0).normal(size=outputs.shape).astype("float32")
        return outputs, pull_back(slopes)[0]

    actual = run(jax.jit(lambda x: pool(x, sizes, strides, padding, data_format)))
    expected = run(jax.jit(lambda x: reference(x, sizes, strides or sizes, padding, data_format)))
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("strides", [2, 1], ids=["side by side", "overlapping"])
def test_the_whole_gradient_goes_to_the_first_of_equal_elements(strides):
    zeros = np.zeros((1, 2, 4, 1), "float32")
    slope = jax.grad(lambda x: max_pool(x, 2, strides).sum())(zeros)[0, :, :, 0]
    first_row = [1, 0, 1, 0] if strides == 2 else [1, 1, 1, 0]
    np.testing.assert_array_equal(slope, [first_row, [0, 0, 0, 0]])


def test_first_means_first_in_the_order_of_rows():
    image = np.array([[0.0, 3.0], [3.0, 0.0]], "float32").reshape(1, 2, 2, 1)
    slope = jax.grad(lambda x: max_pool(x, 2).sum())(image)[0, :, :, 0]
    np.testing.assert_array_equal(slope, [[0, 1], [0, 0]])


def test_what_same_adds_is_neither_a_maximum_nor_counted():
    inputs = -np.ones((1, 3, 3, 1), "float32")
    np.testing.assert_array_equal(max_pool(inputs, 2, padding="same"), -np.ones((1, 2, 2, 1)))
    np.testing.assert_array_equal(average_pool(inputs, 2, padding="same"), -np.ones((1, 2, 2, 1)))


@pytest.mark.parametrize("pool", [max_pool, average_pool])
def test_a_window_too_large_to_write_out(pool):
    inputs = np.random.default_rng(0).normal(size=(2, 20, 20, 3)).astype("float32")
    reference = largest_by_xla if pool is max_pool else mean_by_xla
    expected = reference(inputs, (9, 9), (9, 9), "valid", "channels_last")
    np.testing.assert_allclose(pool(inputs, 9), expected, rtol=1e-5, atol=1e-6)
    slope = jax.grad(lambda x: pool(x, 9).sum())(inputs)
    np.testing.assert_allclose(slope.sum(), 2 * 2 * 2 * 3, rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "int32", "uint8"])
def test_maxima_of_other_dtypes(dtype):
    inputs = np.arange(16).reshape(1, 4, 4, 1)
    outputs = max_pool(jnp.asarray(inputs, dtype), 3, 2, "same")
    assert outputs.dtype == jnp.dtype(dtype)
    expected = largest_by_xla(inputs.astype("float32"), (3, 3), (2, 2), "same", "channels_last")
    np.testing.assert_array_equal(np.asarray(outputs, "float32"), expected)


@pytest.mark.parametrize("pool", [max_pool, average_pool])
def test_half_precision_stays_half(pool):
    inputs = jnp.ones((1, 4, 4, 2), "bfloat16")
    slope = jax.grad(lambda x: pool(x, 2).astype("float32").sum())(inputs)
    assert pool(inputs, 2).dtype == slope.dtype == jnp.bfloat16


def test_an_empty_batch():
    assert max_pool(np.zeros((0, 4, 4, 1), "float32"), 2).shape == (0, 2, 2, 1)
    assert average_pool(np.zeros((0, 4, 4, 1), "float32"), 2).shape == (0, 2, 2, 1)


def test_in_a_compiled_loop_nothing_is_left_of_the_other_device():
    def descend(inputs):
        step = jax.grad(lambda x: jnp.sum(max_pool(x, 2) ** 2))
        return lax.fori_loop(0, 3, lambda _, x: x - 0.1 * step(x), inputs)

    program = jax.jit(descend).lower(np.ones((1, 4, 4, 1), "float32")).compile().as_text()
    assert "conditional(" not in program
    if jax.default_backend() == "cpu":
        assert "select-and-scatter" not in program


@pytest.mark.parametrize("pool", [max_pool, average_pool])
@pytest.mark.parametrize(
    ("shape", "arguments", "message"),
    [
        ((1, 2, 2, 1), {"pool_size": 3}, "a window of 3 does not fit an axis of 2"),
        ((1, 2, 2, 1), {"pool_size": 0}, "pool_size must be a positive integer"),
        ((1, 4, 4, 1), {"pool_size": (2, 2, 2)}, "or 2 of them"),
        ((1, 4, 4, 1), {"pool_size": 2, "strides": -1}, "strides must be a positive integer"),
        ((1, 4, 4, 1), {"pool_size": 2, "padding": "full"}, "padding must be 'valid' or 'same'"),
        ((4, 4), {"pool_size": 2}, "needs a batch axis"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(pool, shape, arguments, message):
    with pytest.raises(ValueError, match=message):
        pool(np.zeros(shape, "float32"), **arguments)
