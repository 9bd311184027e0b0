"""NumPy programs: the same numbers as Cornu, and short enough to be read."""

import ast
import subprocess
import sys

import numpy as np
import pytest

import cornu
from cornu import layers as L
from cornu import ops
from cornu.port.keras.read_model import read_model
from cornu.port.network import Network, Operation, PortError, apply, entrance
from cornu.port.numpy.write import numpy_source, write_numpy, write_numpy_files
from cornu.port.proof.run_model import ModelRunner
from cornu.port.training import Loss, Optimizer, Schedule, Training

from ..port import networks

# The most that a person would read: the article's own program has 300 lines.
MOST_LINES = 300
ARTICLES = ["moons", "mnist_mlp", "mnist_cnn", "digits", "intrusion"]


def close(a, b, tolerance):
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1.0, float(np.abs(b).max())))


def without_dropout(module):
    for layer in module.network.layers.values():
        if hasattr(layer, "rate"):
            layer.rate = 0
    return module


def floats(arrays, dtype):
    return [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]


def compiled(name, optimizer="sgd"):
    """A network with a loss that fits its last activation, and targets for it."""
    model = networks.filled(getattr(networks, name)())
    out = model.outputs[0]
    activation = getattr(getattr(model.layers[-1], "activation", None), "__name__", None)
    kinds = {"softmax": "sparse_categorical_crossentropy", "sigmoid": "binary_crossentropy"}
    loss = kinds.get(activation, "mean_squared_error")
    model.compile(optimizer, loss, metrics=["accuracy"])
    x = networks.batch(model, 6)
    rng = np.random.default_rng(5)
    shape = (6, *out.shape[1:])
    if loss.startswith("sparse"):
        y = rng.integers(0, shape[-1], shape[:-1])
    else:
        y = rng.integers(0, 2, shape) if loss.startswith("binary") else rng.normal(size=shape)
    return model, x, y


def same_as_cornu(model, x, y, dtype, tolerance):
    """Loss and gradients of a compiled model, held against its NumPy program."""
    x = floats(x, dtype)
    runner = ModelRunner(model)
    loss, gradients = runner.gradients(x, [y], dtype)
    module = without_dropout(write_numpy(read_model(model), dtype))
    value, _, found = module.gradients_of_loss(module.network, x if len(x) > 1 else x[0], y)
    close(value, loss, tolerance)
    assert set(found) == {".".join(key) for key in gradients}
    for key, gradient in gradients.items():
        assert found[".".join(key)].dtype == dtype
        close(found[".".join(key)], gradient, tolerance)


@pytest.mark.parametrize(
    "name",
    # the others, which take longer, are proven with the parity tests
    [*ARTICLES, "lenet", "densenet_block", "unet", "autoencoder", "conv1d", "two_inputs"],
)
def test_networks_have_the_gradients_that_cornu_has(name):
    model, x, y = compiled(name)
    same_as_cornu(model, x, y, "float64", 1e-10)
    if name in ("moons", "digits", "two_inputs"):
        same_as_cornu(model, x, y, "float32", 1e-4)


# -- kinds -----------------------------------------------------------------------------------------

IMAGE, SERIES, ROW = (8, 7, 4), (9, 4), (4,)


def _ops(*functions):
    """A layer-like function that applies functions of cornu.ops one after the other."""

    def call(x):
        for function in functions:
            x = function(x)
        return x

    return call


CASES = {
    "dense_of_images": (IMAGE, lambda: L.Dense(3)),
    "dense_without_bias": (ROW, lambda: L.Dense(3, use_bias=False)),
    "conv2d_strided_same": (IMAGE, lambda: L.Conv2D(3, 3, strides=2, padding="same")),
    "conv2d_dilated": (IMAGE, lambda: L.Conv2D(3, 2, dilation_rate=(2, 3))),
    "conv2d_dilated_same": (
        IMAGE,
        lambda: L.Conv2D(3, 3, dilation_rate=2, padding="same", use_bias=False),
    ),
    "conv2d_groups": (IMAGE, lambda: L.Conv2D(6, (3, 2), groups=2, strides=(1, 2))),
    "conv2d_groups_plain": (IMAGE, lambda: L.Conv2D(6, 3, groups=2, use_bias=False)),
    "conv1d_causal": (SERIES, lambda: L.Conv1D(3, 3, padding="causal", dilation_rate=2)),
    "conv1d_strided": (SERIES, lambda: L.Conv1D(3, 3, strides=2, padding="same")),
    "conv3d": ((5, 4, 4, 2), lambda: L.Conv3D(3, 2, strides=(1, 2, 1))),
    "depthwise": (IMAGE, lambda: L.DepthwiseConv2D(3, strides=2, padding="same")),
    "depthwise_multiplied": (IMAGE, lambda: L.DepthwiseConv2D(2, depth_multiplier=2)),
    "depthwise_dilated": (IMAGE, lambda: L.DepthwiseConv2D(3, dilation_rate=2, use_bias=False)),
    "depthwise_1d": (SERIES, lambda: L.DepthwiseConv1D(3, strides=2)),
    "separable": (IMAGE, lambda: L.SeparableConv2D(3, 3, padding="same")),
    "transposed": (IMAGE, lambda: L.Conv2DTranspose(3, 3, strides=2, padding="same")),
    "transposed_wide": (IMAGE, lambda: L.Conv2DTranspose(3, 2, strides=3)),
    "transposed_1d": (SERIES, lambda: L.Conv1DTranspose(3, 4, strides=2, padding="same")),
    "transposed_dilated": (IMAGE, lambda: L.Conv2DTranspose(3, 3, dilation_rate=2)),
    "max_pooling": (IMAGE, lambda: L.MaxPooling2D(2)),
    "max_pooling_same": (IMAGE, lambda: L.MaxPooling2D(3, strides=2, padding="same")),
    "max_pooling_1d": (SERIES, lambda: L.MaxPooling1D(3, strides=2)),
    "average_pooling": (IMAGE, lambda: L.AveragePooling2D((2, 3))),
    "average_pooling_same": (IMAGE, lambda: L.AveragePooling2D(3, strides=2, padding="same")),
    "average_pooling_1d": (SERIES, lambda: L.AveragePooling1D(2, padding="same")),
    "global_max": (IMAGE, lambda: L.GlobalMaxPooling2D()),
    "global_average": (IMAGE, lambda: L.GlobalAveragePooling2D(keepdims=True)),
    "global_average_1d": (SERIES, lambda: L.GlobalAveragePooling1D()),
    "up_sampling": (IMAGE, lambda: L.UpSampling2D((2, 3))),
    "up_sampling_1d": (SERIES, lambda: L.UpSampling1D(2)),
    "up_sampling_bilinear": (IMAGE, lambda: L.UpSampling2D((2, 3), interpolation="bilinear")),
    "zero_padding": (IMAGE, lambda: L.ZeroPadding2D(((1, 0), (2, 1)))),
    "cropping": (IMAGE, lambda: L.Cropping2D(((1, 0), (2, 1)))),
    "batch_normalization": (IMAGE, lambda: L.BatchNormalization(momentum=0.9)),
    "batch_normalization_plain": (
        IMAGE,
        lambda: L.BatchNormalization(scale=False, center=False, epsilon=1e-5),
    ),
    "batch_normalization_of_rows": (ROW, lambda: L.BatchNormalization(scale=False)),
    "batch_normalization_axis": (IMAGE, lambda: L.BatchNormalization(axis=1)),
    "batch_normalization_frozen": (IMAGE, lambda: L.BatchNormalization(trainable=False)),
    "layer_normalization": (IMAGE, lambda: L.LayerNormalization()),
    "layer_normalization_axes": (IMAGE, lambda: L.LayerNormalization(axis=(1, 2, 3))),
    "layer_normalization_plain": (ROW, lambda: L.LayerNormalization(scale=False)),
    "prelu": (IMAGE, lambda: L.PReLU(shared_axes=[1, 2])),
    "flatten": (IMAGE, lambda: L.Flatten()),
    "reshape": (IMAGE, lambda: L.Reshape((7, 32))),
    "permute": (IMAGE, lambda: L.Permute((3, 1, 2))),
    "repeat_vector": (ROW, lambda: L.RepeatVector(3)),
    "relu_general": (ROW, lambda: L.ReLU(max_value=0.8, negative_slope=0.1, threshold=0.2)),
    "softmax_axis": (IMAGE, lambda: L.Softmax(axis=1)),
    "rescaling": (ROW, lambda: L.Rescaling(0.5, offset=-1.0)),
    "scalars": (ROW, lambda: _ops(lambda x: 2 * x - 1, lambda x: 1 / (3 + ops.square(x)))),
    "constant": (ROW, lambda: lambda x: x * np.arange(4.0, dtype="float32") + 1),
    "large_constant": (IMAGE, lambda: lambda x: x + np.linspace(0, 1, 28).reshape(7, 4)),
    "broadcast": (IMAGE, lambda: lambda x: x * ops.mean(x, axis=(1, 2), keepdims=True)),
    "broadcast_sum": (IMAGE, lambda: lambda x: x - ops.max(x, axis=3, keepdims=True)),
    "get_item": (IMAGE, lambda: lambda x: x[:, 1:, ::2, -1]),
    "stack": (ROW, lambda: lambda x: ops.stack([x, x * 2, x], axis=1)),
    "transpose": (IMAGE, lambda: lambda x: ops.transpose(x, (0, 3, 1, 2))),
    "expand_and_squeeze": (
        ROW,
        lambda: lambda x: ops.squeeze(ops.expand_dims(x, 1) ** 2, axis=1),
    ),
    "pad": (IMAGE, lambda: lambda x: ops.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]])),
    "pad_reflect": (
        IMAGE,
        lambda: lambda x: ops.pad(x, [[0, 0], [1, 2], [0, 1], [0, 0]], mode="reflect"),
    ),
    "matmul": (SERIES, lambda: lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1)))),
    "clip": (ROW, lambda: lambda x: ops.clip(x, -0.5, 0.7)),
    "power": (ROW, lambda: lambda x: ops.exp(x) ** 1.5),
    "where": (ROW, lambda: lambda x: ops.where(x > 0, x, 0.1 * x)),
    **{
        name: (ROW, lambda name=name: lambda x: getattr(ops, name)(x))
        for name in ("exp", "square", "sin", "cos", "abs", "negative", "erf")
    },
    **{
        name: (ROW, lambda name=name: lambda x: getattr(ops, name)(ops.exp(x)))
        for name in ("log", "sqrt", "rsqrt", "log1p", "reciprocal")
    },
    **{
        f"reduce_{name}": (IMAGE, lambda name=name: lambda x: getattr(ops, name)(x, axis=(1, 3)))
        for name in ("mean", "sum", "max", "min", "var", "std", "logsumexp")
    },
    **{
        f"activation_{name}": (ROW, lambda name=name: L.Activation(name))
        for name in (
            *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "sigmoid", "tanh"),
            *("log_sigmoid", "hard_sigmoid", "hard_tanh", "softmax", "log_softmax", "softplus"),
            *("softsign", "silu", "hard_silu", "mish", "exponential", "tanh_shrink", "glu"),
            *("hard_shrink", "soft_shrink", "linear"),
        )
    },
    **{
        name.lower(): (IMAGE, lambda name=name: lambda x: _merged(name, x))
        for name in (
            *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"),
        )
    },
}


def _merged(name, x):
    return getattr(L, name)()([x, L.Dense(4)(x)])


def by_differences(network, x, training=True):
    """Gradients of the sum of a network's outputs times something, by small differences."""
    module = write_numpy(network, "float64")
    one = module.network
    out = one.forward(*x, training=training)
    factors = np.random.default_rng(1).normal(size=out.shape)
    found = one.backward(factors)
    for key, gradient in found.items():
        weight = one.parameters[key]
        wanted = np.empty_like(weight)
        for place in np.ndindex(*weight.shape):
            sides = []
            for change in (1e-6, -1e-6):
                weight[place] += change
                sides.append((one.forward(*x, training=training) * factors).sum())
                weight[place] -= change
            wanted[place] = (sides[0] - sides[1]) / 2e-6
        np.testing.assert_allclose(gradient, wanted, rtol=1e-5, atol=1e-6, err_msg=key)
    return out


@pytest.mark.parametrize("name", CASES)
def test_every_kind_has_cornus_values_and_its_own_gradients(name):
    shape, make = CASES[name]
    inputs = L.Input(shape)
    # what is before it shows the gradient of its input
    model = networks.filled(cornu.Model(inputs, make()(L.Dense(shape[-1])(inputs))))
    network = read_model(model)
    x = np.random.default_rng(3).normal(size=(4, *shape))
    single = x.astype("float32")
    module = write_numpy(network)
    result = module.network.forward(single)
    assert result.dtype == "float32"
    close(result, model(single), 1e-5)
    assert {g.dtype for g in module.network.backward(result).values()} == {np.dtype("float32")}
    by_differences(network, [x])


def one_node(kind, attributes, shape, out, **parameters):
    """Input, Dense on the last axis, and a node of a kind."""
    rng = np.random.default_rng(0)
    x = entrance("x", (None, *shape), "float64")
    kernel = rng.normal(size=(shape[-1], shape[-1]))
    dense = Operation("Dense", "dense", {"units": shape[-1], "use_bias": False}, {"kernel": kernel})
    h = apply(dense, x, shape=(None, *shape), dtype="float64")
    drawn = {name: rng.normal(size=size) for name, size in parameters.items()}
    y = apply(Operation(kind, "node", attributes, drawn), h, shape=(None, *out), dtype="float64")
    return Network([x], [y]), [rng.normal(size=(2, *shape))]


LAST = {"data_format": "channels_last"}
HAND_MADE = {
    "tile": ("tile", {"repeats": (1, 2, 3)}, (3, 2), (6, 6), {}),
    "cumsum": ("cumsum", {"axis": 1}, (3, 2), (3, 2), {}),
    "flip": ("flip", {"axis": (1, 2)}, (3, 2), (3, 2), {}),
    "threshold": (
        "activation",
        {"function": "threshold", "threshold": 0.1, "default_value": 2.0},
        (3, 2),
        (3, 2),
        {},
    ),
    "unit_normalization": ("UnitNormalization", {"axis": (2,)}, (3, 2), (3, 2), {}),
    "group_normalization": (
        "GroupNormalization",
        {"groups": 2, "axis": 3, "epsilon": 1e-3},
        (2, 3, 4),
        (2, 3, 4),
        {"gamma": (4,), "beta": (4,)},
    ),
    "prod": ("prod", {"axis": (1,), "keepdims": False}, (3, 2), (2,), {}),
    "edge": (
        "pad",
        {"pad_width": ((0, 0), (1, 2), (0, 0)), "mode": "edge", "constant_values": 0},
        (3, 2),
        (6, 2),
        {},
    ),
    "transposed_more": (
        "Conv2DTranspose",
        {
            "filters": 2,
            "kernel_size": (3, 2),
            "strides": (2, 2),
            "cropping": ((1, -1), (-2, 1)),
            "dilation_rate": (1, 1),
            **LAST,
        },
        (3, 2, 2),
        (7, 5, 2),
        {"kernel": (3, 2, 2, 2), "bias": (2,)},
    ),
    "counting_average": (
        "AveragePooling2D",
        {
            "pool_size": (3, 3),
            "strides": (2, 2),
            "padding": ((1, 1), (1, 1)),
            "count_padding": True,
            **LAST,
        },
        (5, 4, 2),
        (3, 2, 2),
        {},
    ),
    "padded_maximum": (
        "MaxPooling2D",
        {"pool_size": (3, 3), "strides": (2, 2), "padding": ((1, 1), (1, 1)), **LAST},
        (5, 4, 2),
        (3, 2, 2),
        {},
    ),
}


@pytest.mark.parametrize("name", HAND_MADE)
def test_what_only_other_frameworks_have(name):
    kind, attributes, shape, out, parameters = HAND_MADE[name]
    network, x = one_node(kind, attributes, shape, out, **parameters)
    assert by_differences(network, x).shape == (2, *out)


def test_padding_of_a_maximum_is_never_the_largest():
    kind, attributes, shape, out, _ = HAND_MADE["padded_maximum"]
    network, _ = one_node(kind, attributes, shape, out)
    module = write_numpy(network)
    module.network.parameters["dense.kernel"][...] = np.eye(2)
    assert module.network.forward(-np.ones((2, *shape))).max() == -1


def test_counting_average_counts_the_padding():
    kind, attributes, shape, out, _ = HAND_MADE["counting_average"]
    network, _ = one_node(kind, attributes, shape, out)
    module = write_numpy(network)
    module.network.parameters["dense.kernel"][...] = np.eye(2)
    assert module.network.forward(np.ones((1, *shape)))[0, 0, 0, 0] == pytest.approx(4 / 9)


def test_a_shared_layer_gets_the_sum_of_its_gradients():
    inputs = L.Input((3,))
    shared = L.Dense(3, activation="tanh")
    model = networks.filled(cornu.Model(inputs, L.Dense(1)(shared(shared(inputs)))))
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    same_as_cornu(model, [rng.normal(size=(4, 3))], rng.normal(size=(4, 1)), "float64", 1e-10)


def test_frozen_layers_have_no_gradients_and_still_pass_them_on():
    penalty = cornu.regularizers.L2(0.1)  # counts only while the weight is trained
    frozen = L.Dense(3, trainable=False, kernel_regularizer=penalty)
    model = networks.filled(cornu.Sequential([L.Input((3,)), L.Dense(3), frozen, L.Dense(1)]))
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    same_as_cornu(model, [rng.normal(size=(4, 3))], rng.normal(size=(4, 1)), "float64", 1e-10)


def test_several_outputs_with_weighted_losses():
    inputs = L.Input((3,))
    h = L.Dense(4, activation="relu")(inputs)
    model = networks.filled(
        cornu.Model(inputs, [L.Dense(1)(h), L.Dense(3, activation="softmax")(h)])
    )
    losses = ["mse", "sparse_categorical_crossentropy"]
    model.compile("sgd", losses, loss_weights=[1.0, 0.25])
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 3)), [rng.normal(size=(5, 1)), rng.integers(0, 3, 5)]
    loss, gradients = ModelRunner(model).gradients([x], y, "float64")
    module = write_numpy(read_model(model), "float64")
    value, _, found = module.gradients_of_loss(module.network, x, y)
    close(value, loss, 1e-10)
    for key, gradient in gradients.items():
        close(found[".".join(key)], gradient, 1e-10)
    module.train(module.network, x, y, epochs=1, batch_size=2)
    assert [part.shape for part in module.predict(module.network, x)] == [(5, 1), (5, 3)]


def test_dropout_scales_what_it_keeps_and_is_off_when_not_training():
    model = networks.filled(cornu.Sequential([L.Input((50,)), L.Dropout(0.25), L.Dense(1)]))
    module = write_numpy(read_model(model))
    x = np.ones((40, 50), "float32")
    dropped = module.network.layers["dropout" if "dropout" in module.network.layers else _dropout(
        module)]  # fmt: skip
    assert np.array_equal(dropped.forward(x), x)
    kept = dropped.forward(x, training=True)
    assert set(np.unique(kept)) == {0, np.float32(1 / 0.75)}
    assert 0.65 < (kept > 0).mean() < 0.85


def _dropout(module):
    return next(name for name in module.network.layers if name.startswith("dropout"))


# -- losses ----------------------------------------------------------------------------------------


def _classes(rng, shape):
    return rng.integers(0, shape[-1], shape[:-1])


def _one_hot(rng, shape):
    return np.eye(shape[-1])[_classes(rng, shape)]


def _zeros_and_ones(rng, shape):
    return rng.integers(0, 2, shape)


def _numbers(rng, shape):
    return rng.normal(size=shape)


LOSSES = [
    (cornu.losses.SparseCategoricalCrossentropy(), "softmax", _classes),
    (cornu.losses.SparseCategoricalCrossentropy(from_logits=True), None, _classes),
    (cornu.losses.SparseCategoricalCrossentropy(), "sigmoid", _classes),
    (cornu.losses.SparseCategoricalCrossentropy(True, ignore_class=1), None, _classes),
    (cornu.losses.CategoricalCrossentropy(label_smoothing=0.1), "softmax", _one_hot),
    (cornu.losses.CategoricalCrossentropy(label_smoothing=0.1), "sigmoid", _one_hot),
    (cornu.losses.CategoricalCrossentropy(reduction="sum"), "softmax", _one_hot),
    (cornu.losses.BinaryCrossentropy(), "sigmoid", _zeros_and_ones),
    (cornu.losses.BinaryCrossentropy(label_smoothing=0.2), "softmax", _zeros_and_ones),
    (cornu.losses.BinaryCrossentropy(True, reduction="sum"), None, _zeros_and_ones),
    (cornu.losses.MeanSquaredError(), None, _numbers),
    (cornu.losses.MeanSquaredError(reduction="sum"), None, _numbers),
    (cornu.losses.MeanAbsoluteError(), None, _numbers),
    (cornu.losses.Huber(delta=0.5), None, _numbers),
    (cornu.losses.LogCosh(), None, _numbers),
    (cornu.losses.Poisson(), "softplus", _zeros_and_ones),
    (cornu.losses.MeanSquaredLogarithmicError(), "softplus", _zeros_and_ones),
    (cornu.losses.Hinge(), None, _zeros_and_ones),
    (cornu.losses.SquaredHinge(), None, _zeros_and_ones),
]


@pytest.mark.parametrize("axes", [(), (3,)])
@pytest.mark.parametrize("number", range(len(LOSSES)))
def test_losses(number, axes):
    loss, activation, targets = LOSSES[number]
    model = networks.filled(
        cornu.Sequential([L.Input((*axes, 4)), L.Dense(5, activation="tanh"), L.Dense(3)])
    )
    if activation:
        model.add(L.Activation(activation))
    model.compile("sgd", loss)
    rng = np.random.default_rng(number)
    x, y = rng.normal(size=(4, *axes, 4)), targets(rng, (4, *axes, 3))
    same_as_cornu(model, [x], y, "float64", 1e-9)


def test_penalties_belong_to_the_loss():
    from cornu import regularizers as R

    model = networks.filled(
        cornu.Sequential(
            [
                L.Input((4,)),
                L.Dense(5, kernel_regularizer=R.L2(0.03), bias_regularizer=R.L1(0.02)),
                L.Dense(3, kernel_regularizer=R.L1L2(0.01, 0.02), activation="softmax"),
            ]
        )
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    same_as_cornu(model, [rng.normal(size=(4, 4))], rng.integers(0, 3, 4), "float64", 1e-10)


def small_network(**training):
    x = entrance("x", (None, 2))
    kernel = np.array([[1.0, -0.5], [0.25, 2.0]])
    dense = Operation("Dense", "dense", {"units": 2, "use_bias": False}, {"kernel": kernel})
    return Network([x], [apply(dense, x, shape=(None, 2))], training=Training(**training))


def test_class_weights_count_as_in_pytorch():
    settings = {
        "from_logits": True,
        "class_weight": [1.0, 3.0],
        "reduction": "mean_with_sample_weight",
    }
    loss = Loss("sparse_categorical_crossentropy", settings)
    module = write_numpy(small_network(losses=[loss]))
    logits, y = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([1, 0])
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    value, gradient = module.loss(logits, y)
    assert value == pytest.approx(-(3 * log_p[0, 1] + log_p[1, 0]) / 4)
    wanted = (np.exp(log_p) - np.eye(2)[y]) * np.array([[3.0], [1.0]]) / 4
    np.testing.assert_allclose(gradient, wanted)


def test_weighted_positive_class():
    loss = Loss("binary_crossentropy", {"from_logits": True, "pos_weight": 2.5})
    module = write_numpy(small_network(losses=[loss]))
    logits, y = np.array([[1.0, -2.0]]), np.array([[1, 0]])
    value, gradient = module.loss(logits, y)
    p = 1 / (1 + np.exp(-logits))
    assert value == pytest.approx(-(2.5 * np.log(p[0, 0]) + np.log(1 - p[0, 1])) / 2)
    np.testing.assert_allclose(gradient, np.array([[2.5 * (p[0, 0] - 1), p[0, 1]]]) / 2)


# -- training --------------------------------------------------------------------------------------

SCHEDULES = cornu.optimizers.schedules
OPTIMIZERS = {
    "sgd": lambda: cornu.optimizers.SGD(0.05),
    "momentum": lambda: cornu.optimizers.SGD(0.05, momentum=0.9),
    "nesterov": lambda: cornu.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: cornu.optimizers.Adam(0.01),
    "amsgrad": lambda: cornu.optimizers.Adam(0.01, amsgrad=True),
    "adamw": lambda: cornu.optimizers.AdamW(0.01, weight_decay=0.1),
    "rmsprop": lambda: cornu.optimizers.RMSprop(0.01),
    "rmsprop_centered": lambda: cornu.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "adagrad": lambda: cornu.optimizers.Adagrad(0.05),
    "adadelta": lambda: cornu.optimizers.Adadelta(1.0),
    "adamax": lambda: cornu.optimizers.Adamax(0.01),
    "nadam": lambda: cornu.optimizers.Nadam(0.01),
    "lion": lambda: cornu.optimizers.Lion(0.001),
    "clipnorm": lambda: cornu.optimizers.SGD(0.1, clipnorm=0.1),
    "clipvalue": lambda: cornu.optimizers.SGD(0.1, clipvalue=0.02),
    "global_clipnorm": lambda: cornu.optimizers.SGD(0.1, global_clipnorm=0.1),
    "exponential": lambda: cornu.optimizers.SGD(SCHEDULES.ExponentialDecay(0.1, 5, 0.5)),
    "staircase": lambda: cornu.optimizers.SGD(
        SCHEDULES.ExponentialDecay(0.1, 5, 0.5, staircase=True)
    ),
    "inverse": lambda: cornu.optimizers.SGD(SCHEDULES.InverseTimeDecay(0.1, 5, 0.5)),
    "piecewise": lambda: cornu.optimizers.SGD(
        SCHEDULES.PiecewiseConstantDecay([3, 7], [0.1, 0.05, 0.01])
    ),
    "polynomial": lambda: cornu.optimizers.SGD(SCHEDULES.PolynomialDecay(0.1, 10, power=2.0)),
    "polynomial_cycle": lambda: cornu.optimizers.SGD(SCHEDULES.PolynomialDecay(0.1, 6, cycle=True)),
    "cosine": lambda: cornu.optimizers.Adam(
        SCHEDULES.CosineDecay(0.01, 10, alpha=0.1, warmup_target=0.05, warmup_steps=4)
    ),
    "restarts": lambda: cornu.optimizers.SGD(
        SCHEDULES.CosineDecayRestarts(0.1, 4, m_mul=0.5, alpha=0.1)
    ),
}


def trained_alike(model, batches, dtype, tolerance):
    runner = ModelRunner(model)
    batches = [(floats(x, dtype), y) for x, y in batches]
    wanted = runner.train(batches, dtype, batches[0][0])
    module = without_dropout(write_numpy(read_model(model), dtype))
    one = module.network
    for x, (y,) in batches:
        _, _, gradients = module.gradients_of_loss(one, x if len(x) > 1 else x[0], y)
        module.optimizer.step(gradients)
    last = wanted.weights[len(batches)]
    assert last
    for key, weight in last.items():
        close(one.parameters[".".join(key)], weight, tolerance)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_twenty_steps_of_every_optimizer(name):
    model = networks.filled(
        cornu.Sequential([L.Input((6,)), L.Dense(8, "tanh"), L.Dense(3, "softmax")])
    )
    model.compile(OPTIMIZERS[name](), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(0)
    batches = [([rng.normal(size=(8, 6))], [rng.integers(0, 3, 8)]) for _ in range(20)]
    trained_alike(model, batches, "float32", 1e-4)
    trained_alike(model, batches, "float64", 1e-10)


@pytest.mark.parametrize("name", ["moons", "digits", "two_inputs"])
def test_twenty_steps_of_networks(name):
    model, _, _ = compiled(name, "adam" if name != "resnet18" else "sgd")
    rng = np.random.default_rng(1)
    out = model.outputs[0].shape
    batches = []
    for number in range(20):
        x = networks.batch(model, 8, number)
        sparse = "sparse" in str(model.loss)
        y = rng.integers(0, out[-1], 8) if sparse else rng.integers(0, 2, (8, *out[1:]))
        batches.append((x, [y]))
    trained_alike(model, batches, "float64", 1e-8)


def test_pytorchs_formulas():
    g = np.array([[0.1, -2.0], [0.3, 0.4]])
    for kind, settings, first_step in (
        ("Adam", {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 0.1}, g / (np.abs(g) + 0.1)),
        ("RMSprop", {"rho": 0.75, "epsilon": 0.1}, g / (np.abs(g) / 2 + 0.1)),
        ("Adagrad", {"epsilon": 0.1}, g / (np.abs(g) + 0.1)),
        ("Adamax", {"beta_1": 0.9, "beta_2": 0.9, "epsilon": 0.1}, g / (np.abs(g) + 0.1)),
        ("SGD", {"momentum": 0.9, "dampening": 0.5}, g),
    ):
        optimizer = Optimizer(kind, {"learning_rate": 0.5, "formula": "torch", **settings})
        module = write_numpy(
            small_network(losses=[Loss("mean_squared_error")], optimizer=optimizer)
        )
        before = module.network.parameters["dense.kernel"].copy()
        module.optimizer.step({"dense.kernel": g})
        after = module.network.parameters["dense.kernel"]
        np.testing.assert_allclose(before - after, 0.5 * first_step, rtol=1e-12, err_msg=kind)


def test_weight_decay_as_a_penalty_in_the_gradient():
    settings = {"learning_rate": 0.5, "l2": 0.1, "momentum": 0.0}
    network = small_network(
        losses=[Loss("mean_squared_error")], optimizer=Optimizer("SGD", settings)
    )
    module = write_numpy(network)
    before = module.network.parameters["dense.kernel"].copy()
    module.optimizer.step({"dense.kernel": np.zeros((2, 2))})
    np.testing.assert_allclose(module.network.parameters["dense.kernel"], before * 0.95)


# -- the program -----------------------------------------------------------------------------------


def ruff(*arguments):
    pytest.importorskip("ruff")
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments], capture_output=True, text=True, check=False
    )


def programs():
    for name in [*ARTICLES, "resnet18", "unet", "autoencoder", "conv1d", "two_inputs"]:
        yield name, numpy_source(read_model(compiled(name, "adam")[0]))


def test_programs_are_formatted_and_clean(tmp_path):
    for name, source in programs():
        (tmp_path / f"{name}.py").write_text(source)
    for name in CASES:
        shape, make = CASES[name]
        inputs = L.Input(shape)
        model = cornu.Model(inputs, make()(inputs))
        (tmp_path / f"kind_{name}.py").write_text(numpy_source(read_model(model)))
    for name, optimizer in OPTIMIZERS.items():
        penalty = cornu.regularizers.L1L2(0.01, 0.02)
        model = cornu.Sequential([L.Input((6,)), L.Dense(3, kernel_regularizer=penalty)])
        model.compile(optimizer(), "mse")
        (tmp_path / f"optimizer_{name}.py").write_text(numpy_source(read_model(model)))
    for number, (loss, *_) in enumerate(LOSSES):
        model = cornu.Sequential([L.Input((6,)), L.Dense(3, trainable=False), L.Dense(3)])
        model.compile("sgd", loss, loss_weights=[0.5], metrics=["accuracy"])
        (tmp_path / f"loss_{number}.py").write_text(numpy_source(read_model(model)))
    inputs, shared = L.Input((3,)), L.Dense(3, activation="tanh")
    model = cornu.Model([inputs, other := L.Input((3,))], [shared(inputs), shared(other)])
    model.compile("sgd", ["mse", "mae"], loss_weights=[1, 0.5])
    (tmp_path / "shared.py").write_text(numpy_source(read_model(model)))
    checked = ruff("check", "--isolated", "--select", "E,F,W,I", "--line-length", "88", tmp_path)
    assert checked.returncode == 0, checked.stdout
    formatted = ruff("format", "--isolated", "--diff", tmp_path)
    assert formatted.returncode == 0, formatted.stdout


def test_programs_are_short():
    for name, source in programs():
        if name in ARTICLES:
            assert len(source.splitlines()) < MOST_LINES, name


def test_a_program_defines_nothing_that_it_does_not_use():
    for name, source in programs():
        used = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        for node in ast.parse(source).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                assert node.name in used | {"predict"}, f"{name}: {node.name}"


def test_the_program_runs_alone_with_nothing_but_numpy(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = (x[:, 0] * x[:, 1] > 0).astype("int32")
    model = networks.moons()
    model.compile(cornu.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    network = read_model(model)
    network.name = "moons"
    program, weights = write_numpy_files(network, tmp_path)
    assert (program.name, weights.name) == ("moons.py", "moons.npz")
    np.savez(tmp_path / "data.npz", x=x.astype("float32"), y=y)
    blocked = "import sys; sys.modules.update(jax=None, cornu=None, keras=None, torch=None)"
    run = f"import runpy; sys.argv = [{str(program)!r}, 'data.npz', '--epochs', '20']"
    code = f"{blocked}; {run} + ['--save', 'after.npz']; runpy.run_path({str(program)!r}, run_name='__main__')"  # noqa: E501
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 21
    assert float(lines[-1].rsplit(" ", 1)[1]) > 0.85
    history = model.fit(x, y, epochs=20, verbose=0)
    assert history.history["accuracy"][-1] > 0.85
    with np.load(tmp_path / "after.npz") as after, np.load(weights) as before:
        assert set(after) == set(before)
        assert not np.array_equal(after["dense.kernel"], before["dense.kernel"]) or len(after) == 0


def test_predictions_are_the_models():
    for name in ("moons", "intrusion"):
        model, (x,), _ = compiled(name)
        module = write_numpy(read_model(model))
        close(module.predict(module.network, x), model.predict(x, verbose=0), 1e-5)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (lambda: one_node("einsum", {"subscripts": "ab->ba"}, (2,), (2,))[0], "einsum 'node'"),
        (
            lambda: small_network(losses=[Loss("ctc")]),
            "the loss 'ctc' has no counterpart in NumPy programs",
        ),
        (
            lambda: small_network(
                losses=[Loss("mean_squared_error")],
                optimizer=Optimizer("Ftrl", {"learning_rate": 0.1}),
            ),
            "the optimizer Ftrl",
        ),
        (
            lambda: small_network(
                losses=[Loss("mean_squared_error")],
                optimizer=Optimizer("SGD", {"learning_rate": Schedule("OneCycle", {})}),
            ),
            "schedule OneCycle",
        ),
        (
            lambda: small_network(
                losses=[Loss("mean_squared_error")],
                optimizer=Optimizer("Adam", {"learning_rate": 0.1, "use_ema": True}),
            ),
            "use_ema",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_by_name(what, message):
    with pytest.raises(PortError, match=message):
        numpy_source(what())
