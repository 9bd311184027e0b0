"""The arithmetic of windows, padding and reshaping: what is announced is what is computed."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornu import layers
from cornu.graph import KerasTensor

sizes = st.integers(1, 12)
windows = st.integers(1, 5)
formats = st.sampled_from(["channels_last", "channels_first"])


def computed_shape(layer, shape):
    """The shape that the layer's own computation has, traced but not run."""
    layer.build(shape)
    return jax.eval_shape(layer.call, jax.ShapeDtypeStruct(shape, np.float32)).shape


def image_shape(data_format, rows, columns, channels):
    if data_format == "channels_last":
        return (2, rows, columns, channels)
    return (2, channels, rows, columns)


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, windows, windows, st.integers(1, 3), st.integers(1, 3), formats, st.booleans())
def test_convolution(rows, columns, high, wide, stride, dilation, data_format, same):
    layer = layers.Conv2D(
        3,
        (high, wide),
        strides=stride if dilation == 1 else 1,
        dilation_rate=dilation,
        padding="same" if same else "valid",
        data_format=data_format,
    )
    shape = image_shape(data_format, rows, columns, 2)
    fits = same or (rows > dilation * (high - 1) and columns > dilation * (wide - 1))
    if not fits:
        with pytest.raises(ValueError, match="does not fit"):
            layer.compute_output_shape(shape)
        return
    assert layer.compute_output_shape(shape) == computed_shape(layer, shape)
    open_shape = tuple(None if axis == 2 else size for axis, size in enumerate(shape))
    again = layers.Conv2D.from_config(layer.get_config())
    announced = again(KerasTensor(open_shape)).shape
    expected = layer.compute_output_shape(shape)
    assert all(a in (None, e) for a, e in zip(announced, expected, strict=True))
    assert announced.count(None) == 1


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, windows, windows, st.integers(1, 4), formats, st.booleans(), st.booleans())
def test_pooling(rows, columns, high, wide, stride, data_format, same, largest):
    kind = layers.MaxPooling2D if largest else layers.AveragePooling2D
    layer = kind((high, wide), stride, "same" if same else "valid", data_format)
    shape = image_shape(data_format, rows, columns, 2)
    if not same and (rows < high or columns < wide):
        with pytest.raises(ValueError, match="does not fit"):
            layer.compute_output_shape(shape)
        return
    assert layer.compute_output_shape(shape) == computed_shape(layer, shape)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=4, max_size=4), formats)
def test_zero_padding(widths, data_format):
    top, bottom, left, right = widths
    layer = layers.ZeroPadding2D(((top, bottom), (left, right)), data_format)
    announced = layer.compute_output_shape(image_shape(data_format, 5, 6, 3))
    assert announced == image_shape(data_format, 5 + top + bottom, 6 + left + right, 3)
    assert announced == computed_shape(layer, image_shape(data_format, 5, 6, 3))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_reshape_finds_the_missing_size(target, random):
    hidden = random.randrange(len(target))
    wanted = [-1 if axis == hidden else size for axis, size in enumerate(target)]
    elements = int(np.prod(target))
    layer = layers.Reshape(wanted)
    assert layer.compute_output_shape((None, elements)) == (None, *target)
    assert layer(np.zeros((2, elements), "float32")).shape == (2, *target)


def test_open_sizes_stay_open_whatever_the_stride():
    x = KerasTensor((None, None, 3))
    assert layers.Conv1D(4, 3, strides=10)(x).shape == (None, None, 4)
    assert layers.AveragePooling1D(64)(x).shape == (None, None, 3)
    assert layers.Reshape((-1, 2))(KerasTensor((None, None, 3))).shape == (None, None, 2)
    assert layers.GlobalMaxPooling1D()(x).shape == (None, 3)


@settings(max_examples=20, deadline=None)
@given(st.lists(sizes, min_size=1, max_size=3), st.integers(0, 2))
def test_concatenate_adds_one_size_up(lengths, axis):
    shapes = [tuple(n if i == axis else 2 for i in range(3)) for n in lengths]
    tensors = [KerasTensor(shape) for shape in shapes]
    total = tuple(sum(lengths) if i == axis else 2 for i in range(3))
    if axis:
        assert layers.Concatenate(axis)(tensors).shape == total


@settings(max_examples=40, deadline=None)
@given(sizes, sizes, windows, windows, st.integers(1, 3), st.integers(1, 3), formats, st.booleans())
def test_depthwise_and_separable(rows, columns, high, wide, stride, dilation, data_format, same):
    arguments = {
        "kernel_size": (high, wide),
        "strides": stride,
        "dilation_rate": dilation,
        "padding": "same" if same else "valid",
        "data_format": data_format,
        "depth_multiplier": 2,
    }
    shape = image_shape(data_format, rows, columns, 3)
    fits = same or (rows > dilation * (high - 1) and columns > dilation * (wide - 1))
    for layer, filters in (
        (layers.DepthwiseConv2D(**arguments), 6),
        (layers.SeparableConv2D(5, **arguments), 5),
    ):
        if not fits:
            with pytest.raises(ValueError, match="does not fit"):
                layer.compute_output_shape(shape)
            continue
        announced = layer.compute_output_shape(shape)
        assert announced == computed_shape(layer, shape)
        assert announced[-1 if data_format == "channels_last" else 1] == filters


@settings(max_examples=60, deadline=None)
@given(
    *(sizes, sizes, windows, windows, st.integers(1, 4), formats, st.booleans()),
    st.none() | st.integers(0, 3),
)
def test_transposed_convolution(rows, columns, high, wide, stride, data_format, same, added):
    layer = layers.Conv2DTranspose(
        3,
        (high, wide),
        strides=stride,
        padding="same" if same else "valid",
        output_padding=None if added is None else min(added, stride - 1),
        data_format=data_format,
    )
    shape = image_shape(data_format, rows, columns, 2)
    announced = layer.compute_output_shape(shape)
    assert announced == computed_shape(layer, shape)
    if added is None and same:
        assert announced == image_shape(data_format, rows * stride, columns * stride, 3)
    open_shape = tuple(None if axis == 2 else size for axis, size in enumerate(shape))
    again = layers.Conv2DTranspose.from_config(layer.get_config())
    assert again(KerasTensor(open_shape)).shape[2] is None


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_transposed_convolution_undoes_the_shape_of_a_convolution(data_format):
    shape = image_shape(data_format, 11, 8, 2)
    for padding in ("valid", "same"):
        down = layers.Conv2D(4, 3, strides=3, padding=padding, data_format=data_format)
        up = layers.Conv2DTranspose(2, 3, strides=3, padding=padding, data_format=data_format)
        small = down.compute_output_shape(shape)
        assert down.compute_output_shape(up.compute_output_shape(small)) == small


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=4, max_size=4), formats)
def test_cropping(widths, data_format):
    top, bottom, left, right = widths
    layer = layers.Cropping2D(((top, bottom), (left, right)), data_format)
    shape = image_shape(data_format, 7, 8, 3)
    if top + bottom >= 7 or left + right >= 8:
        with pytest.raises(ValueError, match="leaves nothing of axis"):
            layer.compute_output_shape(shape)
        return
    announced = layer.compute_output_shape(shape)
    assert announced == image_shape(data_format, 7 - top - bottom, 8 - left - right, 3)
    assert announced == computed_shape(layer, shape)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), formats, st.sampled_from(["nearest", "bilinear"]))
def test_upsampling(high, wide, data_format, interpolation):
    layer = layers.UpSampling2D((high, wide), data_format, interpolation)
    shape = image_shape(data_format, 3, 5, 2)
    assert layer.compute_output_shape(shape) == image_shape(data_format, 3 * high, 5 * wide, 2)
    assert layer.compute_output_shape(shape) == computed_shape(layer, shape)


@settings(max_examples=30, deadline=None)
@given(sizes, sizes, sizes, sizes, formats, st.booleans())
def test_adaptive_pooling(rows, columns, high, wide, data_format, largest):
    kind = layers.AdaptiveMaxPooling2D if largest else layers.AdaptiveAveragePooling2D
    layer, shape = kind((high, wide), data_format), image_shape(data_format, rows, columns, 2)
    assert layer.compute_output_shape(shape) == image_shape(data_format, high, wide, 2)
    assert layer.compute_output_shape(shape) == computed_shape(layer, shape)


def test_sizes_stay_open():
    x = KerasTensor((None, None, 3))
    assert layers.UpSampling1D(3)(x).shape == (None, None, 3)
    assert layers.Cropping1D(500)(x).shape == (None, None, 3)
    assert layers.Conv1DTranspose(4, 3, strides=2)(x).shape == (None, None, 4)
    assert layers.DepthwiseConv1D(3, strides=20)(x).shape == (None, None, 3)
    assert layers.AdaptiveMaxPooling1D(100)(x).shape == (None, 100, 3)
    assert layers.GroupNormalization(3)(x).shape == (None, None, 3)


def test_adaptive_pooling_goes_over_all_of_the_input():
    """Each window from the floor of where it begins to the ceiling of where it ends."""
    inputs = np.random.default_rng(0).normal(size=(1, 11, 1)).astype("float32")
    for count in (1, 2, 4, 7, 11, 13):
        bounds = [(i * 11 // count, -(-(i + 1) * 11 // count)) for i in range(count)]
        expected = [inputs[0, low:high, 0].max() for low, high in bounds]
        found = layers.AdaptiveMaxPooling1D(count)(inputs)[0, :, 0]
        np.testing.assert_array_equal(found, np.array(expected, "float32"))
        expected = [inputs[0, low:high, 0].mean() for low, high in bounds]
        found = layers.AdaptiveAveragePooling1D(count)(inputs)[0, :, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
