"""Convolution and pooling against Keras, as functions and as layers."""

import jax
import numpy as np
import pytest

keras = pytest.importorskip("keras")

from cornu.ops.adaptive_pooling import adaptive_average_pool, adaptive_max_pool  # noqa: E402
from cornu.ops.conv import conv  # noqa: E402
from cornu.ops.conv_transpose import conv_transpose  # noqa: E402
from cornu.ops.depthwise import depthwise_conv  # noqa: E402
from cornu.ops.pooling import average_pool, max_pool  # noqa: E402
from cornu.ops.separable import separable_conv  # noqa: E402


def assert_same(ours, theirs, *arrays):
    """Values and all gradients, within 1e-5 of the largest of each."""

    def everything(function):
        outputs, pull_back = jax.vjp(function, *arrays)
        slopes = np.random.default_rng(1).normal(size=outputs.shape).astype("float32")
        return outputs, *pull_back(slopes)

    for one, other in zip(
        jax.jit(everything, static_argnums=0)(ours),
        jax.jit(everything, static_argnums=0)(theirs),
        strict=True,
    ):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * float(np.abs(other).max()))


CONVOLUTIONS = [
    ((2, 9, 8, 3), (3, 3, 3, 4), {}),
    ((2, 9, 8, 3), (3, 2, 3, 4), {"padding": "same"}),
    ((2, 9, 8, 3), (3, 3, 3, 4), {"strides": 2, "padding": "same"}),
    ((2, 9, 8, 3), (2, 3, 3, 4), {"strides": (1, 3)}),
    ((2, 9, 8, 3), (3, 3, 3, 4), {"dilation_rate": 2, "padding": "same"}),
    ((2, 9, 8, 3), (3, 3, 3, 4), {"dilation_rate": (1, 3)}),
    ((2, 9, 8, 4), (3, 3, 2, 6), {"padding": "same"}),
    ((2, 3, 9, 8), (3, 3, 3, 4), {"data_format": "channels_first", "padding": "same"}),
    ((2, 9, 3), (3, 3, 4), {"strides": 2, "padding": "same"}),
    ((2, 5, 6, 4, 2), (2, 2, 3, 2, 3), {"strides": (1, 2, 1), "padding": "same"}),
]


@pytest.mark.parametrize(("shape", "kernel", "arguments"), CONVOLUTIONS)
def test_conv(shape, kernel, arguments):
    generator = np.random.default_rng(0)
    inputs = generator.normal(size=shape).astype("float32")
    kernel = generator.normal(size=kernel).astype("float32")
    assert_same(
        lambda x, k: conv(x, k, **arguments),
        lambda x, k: keras.ops.conv(x, k, **arguments),
        inputs,
        kernel,
    )


DEPTHWISE = [
    ((2, 9, 8, 3), (3, 3, 3, 1), {}),
    ((2, 9, 8, 3), (3, 2, 3, 2), {"padding": "SAME"}),
    ((2, 9, 8, 3), (3, 3, 3, 3), {"strides": (2, 3), "padding": "same"}),
    ((2, 9, 8, 3), (3, 3, 3, 1), {"strides": 2, "dilation_rate": 2, "padding": "same"}),
    ((2, 3, 9, 8), (3, 3, 3, 2), {"data_format": "channels_first", "dilation_rate": (1, 3)}),
    ((2, 9, 3), (3, 3, 2), {"strides": 2, "padding": "same"}),
]


def arrays(*shapes):
    generator = np.random.default_rng(0)
    return [generator.normal(size=shape).astype("float32") for shape in shapes]


@pytest.mark.parametrize(("shape", "kernel", "arguments"), DEPTHWISE)
def test_depthwise(shape, kernel, arguments):
    assert_same(
        lambda x, k: depthwise_conv(x, k, **arguments),
        lambda x, k: keras.ops.depthwise_conv(x, k, **arguments),
        *arrays(shape, kernel),
    )
    pointwise = (*[1] * (len(kernel) - 2), kernel[-1] * kernel[-2], 5)
    assert_same(
        lambda x, k, p: separable_conv(x, k, p, **arguments),
        lambda x, k, p: keras.ops.separable_conv(x, k, p, **arguments),
        *arrays(shape, kernel, pointwise),
    )


TRANSPOSED = [
    ((2, 5, 4, 3), (3, 3, 4, 3), {}),
    ((2, 5, 4, 3), (3, 2, 4, 3), {"strides": 2, "padding": "SAME"}),
    ((2, 5, 4, 3), (2, 4, 4, 3), {"strides": (3, 2), "padding": "same"}),
    ((2, 5, 4, 3), (1, 3, 4, 3), {"strides": (3, 2), "output_padding": 1}),
    ((2, 5, 4, 3), (3, 2, 4, 3), {"strides": 3, "output_padding": (0, 2), "padding": "same"}),
    # more than a layer takes
    ((2, 5, 4, 3), (3, 2, 4, 3), {"strides": 2, "output_padding": 5}),
    ((2, 5, 4, 3), (3, 3, 4, 3), {"strides": 2, "dilation_rate": (2, 3), "padding": "same"}),
    ((2, 3, 5, 4), (3, 3, 4, 3), {"strides": 2, "data_format": "channels_first"}),
    ((2, 5, 3), (4, 2, 3), {"strides": 3, "padding": "same"}),
    ((2, 2, 3, 4, 3), (2, 2, 3, 2, 3), {"strides": (1, 2, 1), "padding": "same"}),
]


@pytest.mark.parametrize(("shape", "kernel", "arguments"), TRANSPOSED)
def test_conv_transpose(shape, kernel, arguments):
    assert_same(
        lambda x, k: conv_transpose(x, k, **arguments),
        lambda x, k: keras.ops.conv_transpose(x, k, **arguments),
        *arrays(shape, kernel),
    )


@pytest.mark.parametrize("name", ["adaptive_max_pool", "adaptive_average_pool"])
@pytest.mark.parametrize(
    ("shape", "size", "data_format"),
    [
        ((2, 9, 7, 3), 3, "channels_last"),
        ((2, 9, 7, 3), (9, 5), "channels_last"),
        ((2, 3, 8, 6), (4, 5), "channels_first"),
        ((2, 10, 3), 4, "channels_last"),
        ((2, 3, 5, 4, 2), (2, 2, 3), "channels_last"),
    ],
)
def test_adaptive_pooling_with_ties(name, shape, size, data_format):
    inputs = np.maximum(np.random.default_rng(0).integers(-3, 4, size=shape), 0).astype("float32")
    own = {"adaptive_max_pool": adaptive_max_pool, "adaptive_average_pool": adaptive_average_pool}
    assert_same(
        lambda x: own[name](x, size, data_format),
        lambda x: getattr(keras.ops, name)(x, size, data_format),
        inputs,
    )


POOLINGS = [
    ((2, 8, 6, 3), {"pool_size": 2}),
    ((2, 9, 7, 3), {"pool_size": 2}),
    ((2, 9, 7, 3), {"pool_size": (2, 3), "padding": "same"}),
    ((2, 9, 7, 3), {"pool_size": 3, "strides": 2, "padding": "same"}),
    ((2, 9, 7, 3), {"pool_size": 2, "strides": 1}),
    ((2, 9, 7, 3), {"pool_size": 2, "strides": 3}),
    ((2, 3, 9, 7), {"pool_size": 2, "data_format": "channels_first"}),
    ((2, 9, 3), {"pool_size": 2, "padding": "same"}),
    ((2, 4, 5, 6, 2), {"pool_size": 2, "strides": 1, "padding": "same"}),
]


@pytest.mark.parametrize("name", ["max_pool", "average_pool"])
@pytest.mark.parametrize(("shape", "arguments"), POOLINGS)
def test_pooling_with_ties(name, shape, arguments):
    inputs = np.random.default_rng(0).integers(-3, 4, size=shape)
    inputs = np.maximum(inputs, 0).astype("float32")
    ours = {"max_pool": max_pool, "average_pool": average_pool}[name]
    theirs = getattr(keras.ops, name)
    # keras.ops on JAX does not take its own default for strides
    explicit = {"strides": arguments["pool_size"], **arguments}
    assert_same(lambda x: ours(x, **arguments), lambda x: theirs(x, **explicit), inputs)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("strides", "dilation_rate"), [(1, 1), (2, 1), (1, 2)])
def test_conv_as_the_keras_layer_computes_it(padding, strides, dilation_rate):
    layer = keras.layers.Conv2D(
        5, 3, strides=strides, padding=padding, dilation_rate=dilation_rate, use_bias=False
    )
    images = np.random.default_rng(0).normal(size=(3, 11, 10, 2)).astype("float32")
    expected = np.asarray(layer(images))
    kernel = np.asarray(layer.kernel)
    actual = conv(images, kernel, strides, padding, "channels_last", dilation_rate)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_training_through_convolution_and_pooling_stays_with_keras():
    """A hundred steps of descent: a tie sent elsewhere would show in the kernels."""
    generator = np.random.default_rng(0)
    images = generator.normal(size=(8, 10, 10, 1)).astype("float32")
    targets = generator.normal(size=(8, 4, 4, 3)).astype("float32")
    kernel = generator.normal(size=(3, 3, 1, 3)).astype("float32")

    def train(conv, max_pool):
        def loss(kernel):
            outputs = max_pool(jax.nn.relu(conv(images, kernel)), 2)
            return ((outputs - targets) ** 2).mean()

        step = jax.jit(lambda kernel: kernel - 0.1 * jax.grad(loss)(kernel))
        trained = kernel
        for _ in range(100):
            trained = step(trained)
        return trained

    def largest(outputs, size):
        return keras.ops.max_pool(outputs, size, strides=size)

    ours, theirs = train(conv, max_pool), train(keras.ops.conv, largest)
    assert np.abs(theirs - kernel).max() > 0.1
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
