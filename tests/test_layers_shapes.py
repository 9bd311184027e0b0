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
