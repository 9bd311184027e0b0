"""What is wrong with a layer's arguments or inputs is said in a sentence."""

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.layers import Input

F = "float32"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dense(-3), r"Dense\(units=-3\): units must be a positive integer"),
        (lambda: layers.Dense(2.5), r"Dense\(units=2.5\): units must be a positive integer"),
        (lambda: layers.Dense(True), "units must be a positive integer"),
        (lambda: layers.Dense(3, activation="rleu"), "did you mean 'relu'"),
        (lambda: layers.Dense(3, lora_rank=4), "lora_rank is not supported"),
        (lambda: layers.Dense(3, unit=4), "unknown argument 'unit'; did you mean 'units'"),
        (
            lambda: layers.Dense(10, activaton="relu", trainabel=False),
            "Dense: unknown arguments 'activaton', 'trainabel'; did you mean 'activation' and "
            "'trainable'",
        ),
        (lambda: layers.Conv2D(3, 3, colour=1), "'colour'. It takes filters, kernel_size, strides"),
        (lambda: layers.Conv2D(0, 3), r"Conv2D\(filters=0\): filters must be a positive integer"),
        (lambda: layers.Conv2D(4, (3, 3, 3)), "kernel_size must be a positive integer or 2"),
        (lambda: layers.Conv2D(4, (3, "3")), "kernel_size must be a positive integer or 2"),
        (lambda: layers.Conv2D(4, 3, padding="full"), "padding must be 'valid' or 'same'"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), "padding must be 'valid' or 'same'"),
        (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), "only one of the two"),
        (lambda: layers.Conv2D(5, 3, groups=2), "filters must be a multiple of groups"),
        (lambda: layers.Conv2D(4, 3, data_format="NHWC"), "'channels_last' or 'channels_first'"),
        (lambda: layers.MaxPooling2D(0), "pool_size must be a positive integer"),
        (lambda: layers.MaxPooling2D(2, padding=1), "padding must be"),
        (lambda: layers.Dropout(1.5), r"Dropout\(rate=1.5\): rate must be a number from 0 to 1"),
        (lambda: layers.Dropout("half"), "rate must be a number from 0 to 1"),
        (lambda: layers.Dropout(0.5, noise_shape=(0, 1)), "noise_shape must be a tuple"),
        (lambda: layers.GaussianNoise(2), "stddev must be a number from 0 to 1"),
        (lambda: layers.Embedding(0, 3), "input_dim must be a positive integer"),
        (lambda: layers.Reshape((-1, -1)), "one may be -1"),
        (lambda: layers.Permute((1, 3)), "each axis once"),
        (lambda: layers.RepeatVector(0), "n must be a positive integer"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "padding must be an integer, 2 integers"),
        (lambda: layers.DepthwiseConv2D(0), "kernel_size must be a positive integer or 2"),
        (
            lambda: layers.DepthwiseConv2D(3, depth_multiplier=0),
            r"DepthwiseConv2D\(depth_multiplier=0\): depth_multiplier must be a positive integer",
        ),
        (lambda: layers.DepthwiseConv1D(3, padding="causal"), "padding must be 'valid' or 'same'"),
        (lambda: layers.DepthwiseConv2D(3, filters=4), "unknown argument 'filters'"),
        (lambda: layers.SeparableConv2D(0, 3), "filters must be a positive integer"),
        (lambda: layers.SeparableConv1D(4, (3, 3)), "kernel_size must be a positive integer"),
        (lambda: layers.Conv2DTranspose(-1, 3), r"Conv2DTranspose\(filters=-1\): filters must be"),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, dilation_rate=2), "only one of the two"),
        (
            lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2),
            "output_padding must be less than strides along each axis",
        ),
        (lambda: layers.Conv1DTranspose(4, 3, output_padding=-1), "integer of at least 0"),
        (lambda: layers.UpSampling1D(0), r"UpSampling1D\(size=0\): size must be a positive"),
        (lambda: layers.UpSampling2D((2, 0)), "size must be a positive integer or 2"),
        (lambda: layers.UpSampling2D(2, interpolation="area"), "must be one of 'nearest', 'bil"),
        (lambda: layers.Cropping1D((1, 2, 3)), "cropping must be an integer of at least 0 or 2"),
        (lambda: layers.Cropping2D((1, 2, 3)), "cropping must be an integer, 2 integers"),
        (lambda: layers.Cropping2D(-1), "cropping must be an integer of at least 0"),
        (lambda: layers.Cropping3D("1"), "cropping must be an integer, 3 integers, or 3 pairs"),
        (lambda: layers.GroupNormalization(0), "groups must be a positive integer, or -1"),
        (lambda: layers.GroupNormalization(2.0), "groups must be a positive integer, or -1"),
        (lambda: layers.AlphaDropout(1.5), r"AlphaDropout\(rate=1.5\): rate must be a number"),
        (lambda: layers.AlphaDropout(0.5, (0, 1)), r"AlphaDropout\(noise_shape=\(0, 1\)\)"),
        (lambda: layers.AdaptiveMaxPooling2D((2, 0)), "output_size must be a positive integer"),
        (lambda: layers.AdaptiveAveragePooling1D((2, 2)), "output_size must be a positive integer"),
        (lambda: layers.ReLU(max_value=-1), "max_value must not be negative"),
        (lambda: layers.LeakyReLU(negative_slope=-1), "not negative"),
        (lambda: layers.BatchNormalization(renorm=True), "renorm is not supported"),
        (lambda: layers.Normalization(mean=1.0), "give both or neither"),
        (lambda: layers.Dot(axes=(1, 2, 3)), "a pair of integers"),
        (lambda: Input(), "give the shape of one example"),
        (lambda: Input(shape=784), r"must be a tuple, such as \(784,\)"),
        (lambda: Input(shape=(3, -1)), "tuple of positive integers"),
        (lambda: Input(shape=(3,), batch_shape=(1, 3)), "not both"),
        (lambda: Input(shape=(3,), sparse=True), "not supported"),
    ],
)
def test_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.RepeatVector(2.0), "n must be an integer"),
        (lambda: layers.LayerNormalization(axis="last"), "axis must be an integer"),
        (lambda: layers.Dot(axes="1"), "axes must be an integer"),
        (lambda: layers.UpSampling1D(2.0), "size must be an integer"),
        (lambda: layers.UnitNormalization(axis="last"), "axis must be an integer"),
        (lambda: layers.AdaptiveMaxPooling2D("2"), "output_size must be an integer or 2 of them"),
        (lambda: layers.Lambda("squared"), "must be callable"),
        (lambda: layers.Dense(3, name=5), "name must be a string"),
    ],
)
def test_arguments_of_a_wrong_type(make, message):
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "inputs", "message"),
    [
        (layers.Dense(3), np.ones(4, F), "at least 2 axes"),
        (layers.Dense(3), Input((None,)), "last axis must be known"),
        (layers.Conv2D(4, 5), np.ones((1, 3, 3, 1), F), "window of 5 does not fit an axis of 3"),
        (layers.Conv2D(4, 3), np.ones((1, 28, 28), F), "np.expand_dims"),
        (layers.Conv2D(4, 3, groups=2), np.ones((1, 5, 5, 3), F), "multiple of groups=2"),
        (layers.Conv2D(4, 3), Input((8, 8, None)), "channels must be known"),
        (layers.MaxPooling2D(4), np.ones((1, 3, 3, 1), F), "window of 4 does not fit"),
        (
            layers.DepthwiseConv2D(4),
            np.ones((1, 3, 3, 1), F),
            "window of 4 does not fit an axis of",
        ),
        (layers.DepthwiseConv2D(3), Input((8, 8, None)), "channels must be known"),
        (layers.SeparableConv2D(4, 3), np.ones((1, 28, 28), F), "np.expand_dims"),
        (layers.Conv2DTranspose(4, 3), Input((8, 8, None)), "channels must be known"),
        (layers.Cropping1D(2), np.ones((1, 4, 1), F), "leaves nothing of axis 1, of 4"),
        (layers.Cropping2D((0, 3)), Input((None, 6, 1)), "leaves nothing of axis 2, of 6"),
        (layers.GroupNormalization(4), np.ones((1, 4, 6), F), "6 channels .* cannot be shared out"),
        (layers.GroupNormalization(), np.ones((1, 4, 6), F), "groups=32"),
        (layers.GroupNormalization(1, axis=3), np.ones((1, 4, 6), F), "has no axis 3"),
        (layers.GroupNormalization(1, axis=0), np.ones((1, 4, 6), F), "the batch axis"),
        (layers.GroupNormalization(1), Input((None,)), "must be known"),
        (layers.RMSNormalization(axis=2), np.ones((2, 3), F), "has no axis 2"),
        (layers.UnitNormalization(axis=2), np.ones((2, 3), F), "has no axis 2"),
        (layers.Reshape((3, 3)), np.ones((2, 8), F), "8 elements, which do not fit"),
        (layers.Reshape((3, -1)), np.ones((2, 8), F), "8 elements, which do not fit"),
        (layers.Add(), np.ones((2, 8), F), "takes a list of inputs"),
        (layers.Add(), [np.ones((2, 8), F), np.ones((2, 7), F)], r"sizes \(8, 7\) of axis 1"),
        (layers.Add(), [np.ones((2, 8), F), np.ones((3, 8), F)], "different batch sizes"),
        (layers.Subtract(), [np.ones((2, 8), F)] * 3, "exactly two inputs"),
        (
            layers.Concatenate(axis=1),
            [np.ones((2, 3, 4), F), np.ones((2, 3, 5), F)],
            r"sizes \(4, 5\) of axis 2 differ",
        ),
        (layers.Concatenate(), [np.ones((2, 3), F), np.ones((2, 3, 5), F)], "numbers of axes"),
        (layers.Concatenate(axis=2), [np.ones((2, 3), F)] * 2, "axis=2"),
        (layers.Dot(1), [np.ones((2, 3), F), np.ones((2, 4), F)], "they must be equal"),
        (layers.Dot(0), [np.ones((2, 3), F), np.ones((2, 3), F)], "beside the batch axis"),
        (layers.BatchNormalization(axis=3), np.ones((2, 3), F), "has no axis 3"),
        (layers.LayerNormalization(axis=[1, 2]), np.ones((2, 3), F), "has no axis 2"),
        (layers.Normalization(), Input((None,)), "must be known"),
        (layers.PReLU(), Input((None,)), "shared_axes"),
    ],
)
def test_inputs(layer, inputs, message):
    with pytest.raises(ValueError, match=message) as error:
        layer(inputs)
    assert layer.name in str(error.value)  # the layer is named
    assert "Tracer" not in str(error.value)


def test_alpha_dropout_of_all_is_refused_in_training():
    layer = layers.AlphaDropout(1)
    assert layer(np.ones((1, 2), F)).tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match="would leave nothing"):
        layer(np.ones((1, 2), F), training=True)


def test_a_built_layer_refuses_another_shape():
    layer = layers.Dense(3)
    layer(np.ones((2, 4), F))
    with pytest.raises(ValueError, match="axis -1 of size 4"):
        layer(np.ones((2, 5), F))
    layer = layers.Concatenate()
    layer([np.ones((2, 4), F)] * 2)
    with pytest.raises(ValueError, match="takes a list of inputs"):
        layer(np.ones((2, 4), F))


class Forgets(layers.Layer):
    def __init__(self, units):
        self.units = units

    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    "use",
    [
        lambda layer: layer(np.ones((2, 3), F)),
        lambda layer: layer(Input((3,))),
        lambda layer: layer.add_weight((3,)),
        lambda layer: layer.name,
        lambda layer: layer.built,
        lambda layer: layer.count_params(),
        lambda layer: layer.get_config(),
        lambda layer: cornu.Sequential([layer]),
        lambda layer: cornu.Sequential([Input((3,)), layer]),
    ],
)
def test_a_layer_that_forgets_to_call_super(use):
    """Attributes may be set before, as in Keras; what needs the layer says what is missing."""
    layer = Forgets(units=3)
    assert layer.units == 3
    with pytest.raises(RuntimeError, match=r"Forgets\.__init__ must call super\(\)\.__init__\(\)"):
        use(layer)


def test_attributes_set_before_super_stay():
    class Late(layers.Layer):
        def __init__(self, units):
            self.units = units
            self.inner = layers.Dense(units)
            super().__init__(name="late")

        def call(self, inputs):
            return self.inner(inputs)

    layer = Late(3)
    assert layer(np.ones((2, 4), F)).shape == (2, 3)
    assert len(layer.weights) == 2


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: np.exp(x), "cornu.ops.exp"),
        (lambda x: np.add(x, 1), "cornu.ops.add"),
        (lambda x: np.maximum(np.ones(3), x), "cornu.ops.maximum"),
        (lambda x: np.mean(x, axis=1), "cornu.ops.mean"),
        (lambda x: np.concatenate([x, x]), "cornu.ops.concatenate"),
        (lambda x: np.remainder(x, 2), "cornu.ops.mod"),
        (lambda x: np.asarray(x), "cornu.ops"),
        (lambda x: np.fft.fft(x), "cornu.ops"),
    ],
)
def test_numpy_functions_of_symbolic_tensors(function, name):
    with pytest.raises(ValueError, match=f"NumPy needs values|np.* needs values.*{name}") as error:
        function(Input((3,), name="x"))
    assert name + " instead" in str(error.value)
    assert "name=x" in str(error.value)


def test_operators_between_numpy_and_symbolic_tensors():
    x, array = Input((3,)), np.array([1.0, 2.0, 3.0], F)
    grown = array.copy()
    grown += x
    outputs = [array - x, np.float32(2) / (x + 4), array**x, array > x, array[None] + x, grown]
    outputs.append(np.eye(3, dtype=F)[:2] @ cornu.ops.transpose(x))
    model = cornu.Model(x, [cornu.ops.cast(output, F) for output in outputs])
    given = np.array([[0.5, 2.5, -1.0], [3.0, 0.0, 1.0], [1.0, 1.0, 1.0]], F)
    expected = [
        *(array - given, 2 / (given + 4), array**given, array > given, array[None] + given),
        *(array + given, np.eye(3, dtype=F)[:2] @ given.T),
    ]
    for one, other in zip(model(given), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    assert (np.shape(x), np.ndim(x)) == ((None, 3), 2)
    assert (x == array) is False  # as with any number: symbolic tensors are equal to themselves
