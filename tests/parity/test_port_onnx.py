"""ONNX files: what is written is run by ONNX Runtime, and read again."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import cornu  # noqa: E402
from cornu import layers as L  # noqa: E402
from cornu import ops  # noqa: E402
from cornu.port import kinds  # noqa: E402
from cornu.port.keras.read_model import read_model  # noqa: E402
from cornu.port.keras.write_model import write_model  # noqa: E402
from cornu.port.layout import change_layout  # noqa: E402
from cornu.port.network import Network, Operation, PortError, apply, entrance  # noqa: E402
from cornu.port.onnx.read import read_onnx  # noqa: E402
from cornu.port.onnx.values import onnx_values  # noqa: E402
from cornu.port.onnx.write import OPSET, write_onnx  # noqa: E402

from ..port.networks import NETWORKS, batch, filled  # noqa: E402

EXACT = {"rtol": 1e-5, "atol": 1e-5}


def outputs(model, arrays):
    made = model(arrays if len(arrays) > 1 else arrays[0])
    return [np.asarray(one) for one in (made if isinstance(made, (list, tuple)) else [made])]


def run(proto, network, arrays):
    """What ONNX Runtime makes of arrays in the layout of the network's source."""
    held = [layout.hold(a) for layout, a in zip(network.input_layouts, arrays, strict=True)]
    names = [tensor.node.name for tensor in network.inputs]
    values = onnx_values(proto, dict(zip(names, held, strict=True)))
    layouts = network.output_layouts
    return [lay.give_back(v) for lay, v in zip(layouts, values.values(), strict=True)]


def read_back(proto, first, arrays):
    """What the model read from an ONNX file makes of arrays in the layout of `first`'s source."""
    last = change_layout(read_onnx(proto), "channels_last")
    held = [
        late.hold(early.hold(array))
        for late, early, array in zip(last.input_layouts, first.input_layouts, arrays, strict=True)
    ]
    made = outputs(write_model(last), held)
    return [
        early.give_back(late.give_back(array))
        for late, early, array in zip(last.output_layouts, first.output_layouts, made, strict=True)
    ]


def check(model, opset=OPSET, arrays=None, **tolerance):
    """A model written is the same in ONNX Runtime, read again, and written once more."""
    tolerance = tolerance or EXACT
    arrays = batch(model) if arrays is None else arrays
    expected = outputs(model, arrays)
    first = change_layout(read_model(model), "channels_first")
    proto = write_onnx(first, opset)
    for one, two in zip(expected, run(proto, first, arrays), strict=True):
        assert one.dtype == two.dtype
        np.testing.assert_allclose(one, two, **tolerance)
    for one, two in zip(expected, read_back(proto, first, arrays), strict=True):
        np.testing.assert_allclose(one, two, **tolerance)
    again = read_onnx(proto)
    layouts = first.input_layouts, first.output_layouts
    again.input_layouts, again.output_layouts = layouts
    for one, two in zip(expected, run(write_onnx(again, opset), again, arrays), strict=True):
        np.testing.assert_allclose(one, two, **tolerance)
    return first, proto, again


# -- whole networks --------------------------------------------------------------------------------


@pytest.mark.parametrize("build", NETWORKS, ids=lambda build: build.__name__)
def test_networks(build):
    first, _, again = check(filled(build()))
    left_out = kinds.ONLY_IN_TRAINING
    kept = [(n.operation, n.name) for n in first.nodes if n.operation not in left_out]
    assert kept == [(n.operation, n.name) for n in again.nodes]
    assert not [n for n in again.nodes if n.operation == "transpose"] or build.__name__ == "conv1d"
    for (one, name, value), (two, other, same) in zip(
        first.weights(), again.weights(), strict=True
    ):
        assert (one.name, name) == (two.name, other)
        assert two.origins[name].key == f"{one.name}.{name}"
        np.testing.assert_array_equal(value, same)


# -- every kind ------------------------------------------------------------------------------------

IMAGE = (8, 9, 4)
TABLE = (6, 5)


def of_layer(shape, *layers):
    return lambda: cornu.Sequential([L.Input(shape), *(layer() for layer in layers)])


def of_function(shape, function, count=1):
    def build():
        inputs = [L.Input(shape) for _ in range(count)]
        return cornu.Model(inputs if count > 1 else inputs[0], function(*inputs))

    return build


LAYERS = {
    "Dense of images": of_layer(IMAGE, lambda: L.Dense(3)),
    "Dense without bias": of_layer((5,), lambda: L.Dense(3, use_bias=False)),
    "Dense of rows": of_layer(TABLE, lambda: L.Dense(3, use_bias=False)),
    "Conv1D": of_layer((9, 3), lambda: L.Conv1D(4, 3, padding="same", strides=2)),
    "Conv1D causal": of_layer((9, 3), lambda: L.Conv1D(4, 3, padding="causal", dilation_rate=2)),
    "Conv2D": of_layer(IMAGE, lambda: L.Conv2D(5, (3, 2), strides=2, padding="same")),
    "Conv2D in groups": of_layer(IMAGE, lambda: L.Conv2D(6, 3, groups=2, use_bias=False)),
    "Conv2D dilated": of_layer(IMAGE, lambda: L.Conv2D(3, 2, dilation_rate=(2, 3))),
    "Conv3D": of_layer((5, 6, 4, 2), lambda: L.Conv3D(3, 2, padding="same")),
    "DepthwiseConv1D": of_layer((9, 3), lambda: L.DepthwiseConv1D(3, depth_multiplier=2)),
    "DepthwiseConv2D": of_layer(
        IMAGE, lambda: L.DepthwiseConv2D(3, padding="same", strides=2, depth_multiplier=2)
    ),
    "SeparableConv2D": of_layer(IMAGE, lambda: L.SeparableConv2D(3, 3)),
    "Conv1DTranspose": of_layer((5, 3), lambda: L.Conv1DTranspose(4, 3, strides=2)),
    "Conv2DTranspose": of_layer(IMAGE, lambda: L.Conv2DTranspose(2, 3, strides=2, padding="same")),
    "Conv2DTranspose output_padding": of_layer(
        IMAGE, lambda: L.Conv2DTranspose(2, 4, strides=3, padding="same", output_padding=1)
    ),
    "Conv3DTranspose": of_layer((3, 2, 4, 2), lambda: L.Conv3DTranspose(3, 2, strides=2)),
    "BatchNormalization": of_layer(IMAGE, lambda: L.BatchNormalization()),
    "BatchNormalization of rows": of_layer(
        TABLE, lambda: L.BatchNormalization(axis=1, epsilon=0.1, scale=False)
    ),
    "BatchNormalization of features": of_layer((5,), lambda: L.BatchNormalization(center=False)),
    "LayerNormalization": of_layer(TABLE, lambda: L.LayerNormalization()),
    "LayerNormalization of images": of_layer(IMAGE, lambda: L.LayerNormalization()),
    "LayerNormalization of two axes": of_layer(
        TABLE, lambda: L.LayerNormalization(axis=(1, 2), scale=False)
    ),
    "LayerNormalization of middle axis": of_layer(TABLE, lambda: L.LayerNormalization(axis=1)),
    "Embedding": lambda: cornu.Sequential([L.Input((4,), dtype="int32"), L.Embedding(11, 3)]),
    "PReLU": of_layer(IMAGE, lambda: L.PReLU(shared_axes=(1, 2))),
    "PReLU of all": of_layer(IMAGE, lambda: L.PReLU()),
    "MaxPooling1D": of_layer((9, 3), lambda: L.MaxPooling1D(2, padding="same")),
    "MaxPooling2D": of_layer(IMAGE, lambda: L.MaxPooling2D(3, strides=2, padding="same")),
    "MaxPooling3D": of_layer((4, 5, 4, 2), lambda: L.MaxPooling3D(2)),
    "AveragePooling1D": of_layer((9, 3), lambda: L.AveragePooling1D(3, strides=1)),
    "AveragePooling2D": of_layer(IMAGE, lambda: L.AveragePooling2D(3, strides=2, padding="same")),
    "AveragePooling3D": of_layer((4, 5, 4, 2), lambda: L.AveragePooling3D(2)),
    "GlobalMaxPooling1D": of_layer((9, 3), lambda: L.GlobalMaxPooling1D()),
    "GlobalMaxPooling2D": of_layer(IMAGE, lambda: L.GlobalMaxPooling2D(keepdims=True)),
    "GlobalAveragePooling1D": of_layer((9, 3), lambda: L.GlobalAveragePooling1D()),
    "GlobalAveragePooling2D": of_layer(IMAGE, lambda: L.GlobalAveragePooling2D()),
    "GlobalAveragePooling3D": of_layer((4, 5, 4, 2), lambda: L.GlobalAveragePooling3D()),
    "UpSampling1D": of_layer((5, 3), lambda: L.UpSampling1D(3)),
    "UpSampling2D": of_layer(IMAGE, lambda: L.UpSampling2D((2, 3))),
    "UpSampling2D bilinear": of_layer(
        IMAGE, lambda: L.UpSampling2D((2, 3), interpolation="bilinear")
    ),
    "UpSampling2D bicubic": of_layer(IMAGE, lambda: L.UpSampling2D(2, interpolation="bicubic")),
    "UpSampling3D": of_layer((2, 3, 2, 2), lambda: L.UpSampling3D((2, 1, 3))),
    "ZeroPadding1D": of_layer((5, 3), lambda: L.ZeroPadding1D((1, 2))),
    "ZeroPadding2D": of_layer(IMAGE, lambda: L.ZeroPadding2D(((1, 2), (0, 3)))),
    "Cropping1D": of_layer((5, 3), lambda: L.Cropping1D((1, 2))),
    "Cropping2D": of_layer(IMAGE, lambda: L.Cropping2D(((1, 2), (0, 3)))),
    "Flatten": of_layer(IMAGE, lambda: L.Flatten(), lambda: L.Dense(3)),
    "Reshape": of_layer(IMAGE, lambda: L.Reshape((9, -1)), lambda: L.Dense(3)),
    "Permute": of_layer(IMAGE, lambda: L.Permute((2, 3, 1))),
    "RepeatVector": of_layer((5,), lambda: L.RepeatVector(3)),
    "Rescaling": of_layer(IMAGE, lambda: L.Rescaling(1 / 255, offset=-0.5)),
    "Dropout": of_layer(IMAGE, lambda: L.Dropout(0.5), lambda: L.SpatialDropout2D(0.3)),
    "noise": of_layer((5,), lambda: L.GaussianNoise(0.5), lambda: L.GaussianDropout(0.3)),
    "penalty": of_layer((5,), lambda: L.ActivityRegularization(0.1), lambda: L.Dense(2)),
    "ReLU": of_layer(IMAGE, lambda: L.ReLU(max_value=1, negative_slope=0.2, threshold=0.3)),
    "ReLU with a slope": of_layer((5,), lambda: L.ReLU(max_value=1, negative_slope=0.2)),
    "ReLU bounded": of_layer((5,), lambda: L.ReLU(max_value=0.7)),
    "LeakyReLU": of_layer((5,), lambda: L.LeakyReLU()),
    "Softmax of channels": of_layer(IMAGE, lambda: L.Softmax()),
    "Softmax of rows": of_layer(TABLE, lambda: L.Softmax(axis=1)),
}
ACTIVATIONS = (
    *("relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "sigmoid", "log_sigmoid"),
    *("hard_sigmoid", "tanh", "hard_tanh", "softmax", "log_softmax", "softplus", "softsign"),
    *("silu", "hard_silu", "exponential", "tanh_shrink", "hard_shrink", "soft_shrink"),
    *("glu", "linear"),
)
for _name in ACTIVATIONS:
    LAYERS[_name] = of_layer(IMAGE, lambda name=_name: L.Activation(name))
FUNCTIONS = {
    "approximate gelu": of_function((5,), lambda x: ops.gelu(x, approximate=True)),
    "exact gelu": of_function((5,), lambda x: ops.gelu(x, approximate=False)),
    "numbers": of_function((5,), lambda x: 2 - x * 3 / (x**2 + 4)),
    "arrays": of_function(TABLE, lambda x: x * np.arange(5.0) + np.ones((6, 1), "float32")),
    "positive": of_function(
        (5,), lambda x: ops.log(ops.square(x) + 1) + ops.sqrt(ops.absolute(x)) + ops.log2(x * x + 1)
    ),
    "rsqrt": of_function(
        (5,), lambda x: ops.rsqrt(x * x + 0.5) + ops.reciprocal(x * x + 2) + ops.log1p(x * x)
    ),
    "exp": of_function((5,), lambda x: ops.exp(x) + ops.expm1(x) + ops.erf(x) - ops.sign(x)),
    "angles": of_function((5,), lambda x: ops.sin(x) + ops.cos(x) + ops.tan(x / 9)),
    "rounding": of_function((5,), lambda x: ops.floor(x) + ops.ceil(x * 2) + ops.round(x * 4)),
    "clip": of_function((5,), lambda x: ops.clip(x, -0.5, 0.75)),
    "minimum": of_function((5,), lambda x, y: ops.minimum(x, y) + ops.maximum(y, 0.25), 2),
    "division": of_function((5,), lambda x, y: ops.floor_divide(x, y) + ops.mod(x, 0.7), 2),
    "comparison": of_function(
        (5,), lambda x, y: ops.where(ops.logical_or(ops.less(x, y), x >= 1), x, y * 2), 2
    ),
    "equality": of_function(
        (5,),
        lambda x, y: ops.where(
            ops.logical_and(ops.not_equal(x, y), ops.logical_not(ops.greater(x, y))),
            1.5,
            ops.where(ops.less_equal(x, 0.5), x, ops.where(ops.equal(x, y), x, 2 * y)),
        ),
        2,
    ),
    "cast": of_function((5,), lambda x: ops.cast(ops.cast(x * 3, "int32"), "float32")),
    "transpose": of_function(IMAGE, lambda x: ops.transpose(x, (0, 3, 1, 2))),
    "stack": of_function(TABLE, lambda x, y: ops.stack([x, y, x + y], axis=2), 2),
    "concatenate": of_function(IMAGE, lambda x, y: ops.concatenate([x, y], axis=1), 2),
    "squeeze": of_function(TABLE, lambda x: ops.squeeze(ops.expand_dims(x, 2), 2) * 2),
    "get_item": of_function(TABLE, lambda x: x[:, 1:5:2, -1]),
    "get_item backwards": of_function(TABLE, lambda x: x[:, 4:1:-1, 2:]),
    "flip": of_function(TABLE, lambda x: x[:, ::-1]),
    "pad": of_function(TABLE, lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1)))),
    "pad reflected": of_function(TABLE, lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 1)), "reflect")),
    "matmul": of_function((5, 5), lambda x, y: ops.matmul(x, y), 2),
    "mean": of_function(IMAGE, lambda x: ops.mean(x, axis=(1, 2))),
    "sum": of_function(TABLE, lambda x: ops.sum(x, axis=-1, keepdims=True)),
    "max": of_function(TABLE, lambda x: ops.max(x, axis=1) + ops.min(x, axis=1)),
    "prod": of_function(TABLE, lambda x: ops.prod(x, axis=1)),
    "var": of_function(TABLE, lambda x: ops.var(x, axis=1) + ops.std(x, axis=1)),
    "logsumexp": of_function(TABLE, lambda x: ops.logsumexp(x, axis=1)),
    "argmax": of_function(TABLE, lambda x: ops.argmax(x, axis=-1)),
    "joined": of_function(
        (5,), lambda x, y, z: L.Average()([L.Add()([x, y, z]), L.Multiply()([x, y, z]), z]), 3
    ),
    "extremes": of_function(
        (5,), lambda x, y, z: L.Subtract()([L.Maximum()([x, y, z]), L.Minimum()([x, y, z])]), 3
    ),
}
CASES = {**LAYERS, **FUNCTIONS}


@pytest.mark.parametrize("name", CASES)
def test_kinds(name):
    check(filled(CASES[name]()))


# -- what Cornu's own layers do not make -----------------------------------------------------------

torch = pytest.importorskip("torch")
F = torch.nn.functional


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.5, shape).astype("float32")


def one_operation(kind, shape, out, parameters=None, count=1, more=(), **attributes):
    inputs = [entrance(f"x{i}", (None, *shape)) for i in range(count)]
    operation = Operation(kind, "made", attributes, dict(parameters or {}))
    return Network(inputs, [apply(operation, *inputs, *more, shape=(None, *out))])


def moved(kernel):
    return torch.tensor(np.moveaxis(kernel, (-1, -2), (0, 1)))


LOWEST = np.finfo(np.float32).min  # what ONNX Runtime has for the maximum of nothing
KERNEL = drawn(3, 2, 4, 6, seed=3)  # of a transposed convolution: 6 channels, 4 filters
BIAS = drawn(4, seed=4)
SETTINGS = {
    "filters": 4,
    "kernel_size": (3, 2),
    "strides": (2, 3),
    "dilation_rate": (1, 1),
    "groups": 1,
    "use_bias": True,
    "data_format": "channels_first",
}


def transposed(x, before=(0, 0), after=(0, 0), groups=1):
    """The whole output without bias, cut or widened, and the bias."""
    whole = F.conv_transpose2d(torch.tensor(x), moved(KERNEL), stride=(2, 3), groups=groups)
    wider = [-n for pair in zip(before[::-1], after[::-1], strict=True) for n in pair]
    bias = BIAS if groups == 1 else np.concatenate([BIAS, BIAS])
    return (F.pad(whole, wider) + torch.tensor(bias)[:, None, None]).numpy()


def normalized(x, axes, epsilon):
    off = x - x.mean(axes, keepdims=True)
    return off / np.sqrt((off**2).mean(axes, keepdims=True) + epsilon)


def grouped(x, groups, axis, gamma, beta):
    x = np.moveaxis(x, axis, 1)
    parts = x.reshape(len(x), groups, -1)
    y = normalized(parts, (2,), 1e-3).reshape(x.shape)
    along = (-1, *(1,) * (x.ndim - 2))
    return np.moveaxis(y * gamma.reshape(along) + beta.reshape(along), 1, axis)


def count_padded(x):
    return F.avg_pool2d(torch.tensor(x), 3, 2, 1, count_include_pad=True).numpy()


HANDMADE = {
    "cropping": (
        one_operation(
            *("Conv2DTranspose", (6, 5, 4), (4, 8, 10), {"kernel": KERNEL, "bias": BIAS}),
            cropping=((1, 2), (0, 1)),
            **SETTINGS,
        ),
        lambda x: transposed(x, (1, 0), (2, 1)),
    ),
    "output_padding": (
        one_operation(
            *("Conv2DTranspose", (6, 5, 4), (4, 11, 12), {"kernel": KERNEL, "bias": BIAS}),
            cropping=((1, -1), (0, -1)),
            **SETTINGS,
        ),
        lambda x: transposed(x, (1, 0), (-1, -1)),
    ),
    "places that only the bias reaches": (
        one_operation(
            *("Conv2DTranspose", (6, 5, 4), (4, 15, 15), {"kernel": KERNEL, "bias": BIAS}),
            cropping=((-1, -3), (0, -4)),
            **SETTINGS,
        ),
        lambda x: transposed(x, (-1, 0), (-3, -4)),
    ),
    "transposed in groups": (
        one_operation(
            *("Conv2DTranspose", (6, 5, 4), (8, 11, 11)),
            {"kernel": KERNEL, "bias": np.concatenate([BIAS, BIAS])},
            cropping=((0, 0), (0, 0)),
            **{**SETTINGS, "filters": 8, "groups": 2},
        ),
        lambda x: transposed(x, groups=2),
    ),
    "count_padding": (
        one_operation(
            *("AveragePooling2D", (3, 7, 8), (3, 4, 4)),
            pool_size=(3, 3),
            strides=(2, 2),
            padding=((1, 1), (1, 1)),
            count_padding=True,
            data_format="channels_first",
        ),
        count_padded,
    ),
    "pooling of wide borders": (
        one_operation(
            *("MaxPooling1D", (3, 7), (3, 5)),
            pool_size=(2,),
            strides=(3,),
            padding=((3, 4),),
            data_format="channels_first",
        ),
        lambda x: np.stack(
            [
                np.pad(x, ((0, 0), (0, 0), (3, 4)), constant_values=LOWEST)[..., i : i + 2].max(-1)
                for i in range(0, 13, 3)
            ],
            -1,
        ),
    ),
    "GroupNormalization": (
        one_operation(
            *("GroupNormalization", (6, 4, 3), (6, 4, 3)),
            {"gamma": drawn(6, seed=1), "beta": drawn(6, seed=2)},
            groups=3,
            axis=1,
            epsilon=1e-3,
            center=True,
            scale=True,
        ),
        lambda x: grouped(x, 3, 1, drawn(6, seed=1), drawn(6, seed=2)),
    ),
    "GroupNormalization of last axis": (
        one_operation(
            *("GroupNormalization", (4, 3, 6), (4, 3, 6)),
            {"gamma": drawn(6, seed=1), "beta": drawn(6, seed=2)},
            groups=2,
            axis=3,
            epsilon=1e-3,
            center=True,
            scale=True,
        ),
        lambda x: grouped(x, 2, 3, drawn(6, seed=1), drawn(6, seed=2)),
    ),
    "UnitNormalization": (
        one_operation("UnitNormalization", (4, 5), (4, 5), axis=(2,)),
        lambda x: x / np.linalg.norm(x, axis=2, keepdims=True),
    ),
    "threshold": (
        one_operation(
            *("activation", (5,), (5,)), function="threshold", threshold=0.3, default_value=-2.0
        ),
        lambda x: np.where(x > 0.3, x, np.float32(-2)),
    ),
    "mish": (
        one_operation("activation", (5,), (5,), function="mish"),
        lambda x: F.mish(torch.tensor(x)).numpy(),
    ),
    "ZeroPadding1D": (
        one_operation(
            *("ZeroPadding1D", (3, 5), (3, 8)), padding=((1, 2),), data_format="channels_first"
        ),
        lambda x: np.pad(x, ((0, 0), (0, 0), (1, 2))),
    ),
    "Cropping3D": (
        one_operation(
            *("Cropping3D", (2, 4, 5, 6), (2, 3, 5, 3)),
            cropping=((1, 0), (0, 0), (1, 2)),
            data_format="channels_first",
        ),
        lambda x: x[:, :, 1:, :, 1:-2],
    ),
    "arctan2": (
        one_operation("arctan2", (5,), (5,), count=2),
        np.arctan2,
    ),
    "negative": (one_operation("negative", (5,), (5,)), np.negative),
    "reshape": (
        one_operation("reshape", (4, 3), (2, 6), newshape=(-1, 2, 6)),
        lambda x: x.reshape(-1, 2, 6),
    ),
    "Rescaling": (
        one_operation("Rescaling", (4, 3), (4, 3), scale=np.array([1.0, 2.0, 3.0]), offset=-1.0),
        lambda x: x * np.float32([1, 2, 3]) - 1,
    ),
    "flip": (one_operation("flip", (4, 3), (4, 3), axis=(1,)), lambda x: x[:, ::-1]),
    "take": (
        one_operation("take", (5, 3), (4, 3), axis=1, indices=np.array([4, 0, 0, 2])),
        lambda x: x[:, [4, 0, 0, 2]],
    ),
    "tile": (
        one_operation("tile", (5, 3), (10, 3), repeats=(1, 2, 1)),
        lambda x: np.tile(x, (1, 2, 1)),
    ),
    "cumsum": (one_operation("cumsum", (5, 3), (5, 3), axis=1), lambda x: x.cumsum(1)),
    "einsum": (
        one_operation("einsum", (5, 3), (5, 5), count=2, subscripts="bij,bkj->bik"),
        lambda x, y: np.einsum("bij,bkj->bik", x, y),
    ),
    "edges": (
        one_operation(*("pad", (5, 3), (7, 3)), pad_width=((0, 0), (1, 1), (0, 0)), mode="edge"),
        lambda x: np.pad(x, ((0, 0), (1, 1), (0, 0)), mode="edge"),
    ),
    "a border of ones": (
        one_operation(
            *("pad", (5, 3), (7, 3)),
            pad_width=((0, 0), (1, 1), (0, 0)),
            constant_values=1.0,
            mode="constant",
        ),
        lambda x: np.pad(x, ((0, 0), (1, 1), (0, 0)), constant_values=1),
    ),
}


@pytest.mark.parametrize("opset", [OPSET, onnx.defs.onnx_opset_version() - 1])
@pytest.mark.parametrize("name", HANDMADE)
def test_handmade(name, opset):
    network, function = HANDMADE[name]
    arrays = [drawn(2, *x.shape[1:], seed=9 + i) for i, x in enumerate(network.inputs)]
    expected = function(*arrays)
    proto = write_onnx(network, opset)
    (made,) = run(proto, network, arrays)
    np.testing.assert_allclose(expected, made, **EXACT)
    if name != "arctan2":  # ONNX has none, and Cornu's networks have no arctan
        again = read_onnx(proto)
        (made,) = run(write_onnx(again, opset), again, arrays)
        np.testing.assert_allclose(expected, made, **EXACT)


def test_every_kind_is_written():
    written = {one.kind for network, _ in HANDMADE.values() for one in network.operations}
    for build in CASES.values():
        written |= {operation.kind for operation in read_model(build()).operations}
    families = ("SpatialDropout", "ZeroPadding", "Cropping", "GlobalMaxPooling", "DepthwiseConv")
    alike = {f"{family}{rank}D" for family in families for rank in (1, 2, 3)}
    assert kinds.KINDS - written <= alike | {"AlphaDropout", "Identity", "stop_gradient"}


# -- the file --------------------------------------------------------------------------------------


def lenet():
    return cornu.Sequential(
        [
            L.Input((8, 8, 1), name="image"),
            L.Conv2D(3, 3, activation="relu", name="conv1"),
            L.Flatten(name="flat"),
            L.Dense(4, activation="softmax", name="fc1"),
        ]
    )


def test_names_and_metadata():
    _, proto, _ = check(filled(lenet()))
    assert [(one.domain, one.version) for one in proto.opset_import] == [("", 17)]
    assert proto.producer_name == "cornu"
    assert proto.producer_version == cornu.__version__
    image, output = proto.graph.input[0], proto.graph.output[0]
    sizes = [dim.dim_param or dim.dim_value for dim in image.type.tensor_type.shape.dim]
    assert (image.name, sizes) == ("image", ["batch", 1, 8, 8])
    sizes = [dim.dim_param or dim.dim_value for dim in output.type.tensor_type.shape.dim]
    assert sizes == ["batch", 4]
    names = {one.name: tuple(one.dims) for one in proto.graph.initializer}
    assert names == {
        "conv1.kernel": (3, 1, 3, 3),
        "conv1.bias": (3,),
        "fc1.kernel": (108, 4),
        "fc1.bias": (4,),
    }
    assert {entry.key: entry.value for entry in proto.metadata_props} == {
        "input_permutation.image": "0,3,1,2"
    }
    onnx.checker.check_model(proto, full_check=True)


def test_newest_opset():
    newest = onnx.defs.onnx_opset_version() - 1  # ONNX Runtime follows one behind
    for build in (lenet, LAYERS["gelu"], FUNCTIONS["mean"], FUNCTIONS["var"], LAYERS["glu"]):
        check(filled(build()), newest)
    with pytest.raises(ValueError, match="opset=16: 17 is the oldest"):
        write_onnx(change_layout(read_model(lenet()), "channels_first"), 16)
    with pytest.raises(ValueError, match="opset=99: the newest"):
        write_onnx(change_layout(read_model(lenet()), "channels_first"), 99)


def test_float64():
    network = change_layout(read_model(filled(lenet())), "channels_first")
    for operation, name, value in network.weights():
        operation.parameters[name] = value.astype("float64")
    proto = write_onnx(network)
    array = np.random.default_rng(0).normal(size=(2, 1, 8, 8))
    # ONNX Runtime has no convolution of float64: ONNX' reference computes it
    values = onnx_values(proto, {"image": array}, ["conv1", "fc1", "image"])
    kernel = torch.tensor(np.moveaxis(network.operations[1].parameters["kernel"], (3, 2), (0, 1)))
    bias = torch.tensor(network.operations[1].parameters["bias"])
    expected = F.conv2d(torch.tensor(array), kernel, bias).numpy()
    np.testing.assert_allclose(values["conv1"], expected, rtol=1e-12, atol=1e-12)
    assert values["image"] is array
    small = write_onnx(network, dtype="float32")
    assert {one.data_type for one in small.graph.initializer} == {onnx.TensorProto.FLOAT}
    with pytest.raises(ValueError, match="no value 'nothing'"):
        onnx_values(proto, {"image": array}, ["nothing"])


def test_shared_layers():
    x = L.Input((5,), name="x")
    shared = L.Dense(5, "tanh", name="shared")
    _, proto, again = check(filled(cornu.Model(x, shared(shared(x)))))
    assert [one.name for one in proto.graph.initializer] == ["shared.kernel", "shared.bias"]
    assert [one.kind for one in again.operations if one.parameters] == ["Dense"]


def test_outputs_that_are_inputs_or_twice_the_same():
    x = entrance("x", (None, 3))
    y = apply(Operation("negative", "y"), x, shape=(None, 3))
    same = apply(Operation("Dropout", "same", {"rate": 0.5}), y, shape=(None, 3))
    network = Network([x], [y, same, x])
    array = drawn(2, 3)
    made = run(write_onnx(network), network, [array])
    for one, two in zip(made, (-array, -array, array), strict=True):
        np.testing.assert_array_equal(one, two)


def refused(kind, **attributes):
    x = entrance("x", (None, 4, 4, 4))
    operation = Operation(kind, "the_layer", attributes, place="model.py:3")
    return Network([x], [apply(operation, x, shape=(None, 4, 4, 4))])


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (refused("Dropout", rate=0.5, training=True), "is never switched off"),
        (refused("Unknown"), "has no counterpart in ONNX"),
        (refused("activation", function="sparsemax"), "sparsemax"),
        (refused("UpSampling2D", size=(1, 1), interpolation="lanczos3"), "lanczos3"),
        (
            refused("ZeroPadding2D", padding=((0, 0), (0, 0)), data_format="channels_last"),
            "has its channels last",
        ),
    ],
)
def test_refused(network, message):
    with pytest.raises(PortError, match=message) as error:
        write_onnx(network)
    assert str(error.value).startswith("model.py:3")
    assert "the_layer" in str(error.value)


def test_wrong_shapes_are_found():
    x = entrance("x", (None, 4))
    network = Network([x], [apply(Operation("mean", "m", {"axis": (1,)}), x, shape=(None, 1))])
    with pytest.raises(PortError, match="ONNX refuses what was written"):
        write_onnx(network)
