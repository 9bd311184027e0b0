"""ONNX files as exporters write them, read: the models made of them are those of ONNX Runtime."""

import io

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from onnx import numpy_helper, parser  # noqa: E402

from cornu.port.keras.write_model import write_model  # noqa: E402
from cornu.port.layout import change_layout  # noqa: E402
from cornu.port.network import PortError  # noqa: E402
from cornu.port.onnx.read import read_onnx  # noqa: E402
from cornu.port.onnx.values import onnx_values  # noqa: E402
from cornu.port.onnx.write import write_onnx  # noqa: E402

EXACT = {"rtol": 1e-5, "atol": 1e-5}


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.5, shape).astype("float32")


def graph(text, opset=17, inputs="float[N,3,8,8] x", outputs="y", **weights):
    """A model from the text of its nodes, in ONNX' own notation."""
    results = ", ".join(f"float[] {name}" for name in outputs.split())
    model = parser.parse_model(
        f'<ir_version: 8, opset_import: ["" : {opset}]> main ({inputs}) => ({results}) {{{text}}}'
    )
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    for name, array in weights.items():
        array = np.asarray(array)
        if array.dtype == np.float64:
            array = array.astype("float32")
        model.graph.initializer.append(numpy_helper.from_array(array, name.replace("__", ".")))
    return model


def outputs(model, arrays):
    made = model(arrays if len(arrays) > 1 else arrays[0])
    return [np.asarray(one) for one in (made if isinstance(made, (list, tuple)) else [made])]


def check(model, *arrays, in_keras=True, **tolerance):
    """Reads a model; what Cornu's model of it makes is what ONNX Runtime makes.

    `in_keras`: whether Keras' layers can say it; else it is only written to ONNX again.
    """
    network = read_onnx(model)
    entrances = [network.observed[tensor].key for tensor in network.inputs]
    if not arrays:
        arrays = [drawn(3, *x.shape[1:], seed=i) for i, x in enumerate(network.inputs)]
    fixed = model.graph.input[0].type.tensor_type.shape.dim[0].dim_value
    arrays = [array[: fixed or None] for array in arrays]
    observed = {seen.key: tensor for tensor, seen in network.observed.items() if tensor.node.inputs}
    feeds = dict(zip(entrances, arrays, strict=True))
    expected = onnx_values(model, feeds, [output.name for output in model.graph.output])
    again = onnx_values(
        write_onnx(network), dict(zip((x.name for x in network.inputs), arrays, strict=True))
    )
    for one, two in zip(again.values(), expected.values(), strict=True):
        np.testing.assert_allclose(one, two, **(tolerance or EXACT))
    last = change_layout(network, "channels_last")
    held = [layout.hold(array) for layout, array in zip(last.input_layouts, arrays, strict=True)]
    made = outputs(write_model(last), held) if in_keras else []
    for layout, one, two in zip(last.output_layouts, made, expected.values(), strict=in_keras):
        np.testing.assert_allclose(layout.give_back(one), two, **(tolerance or EXACT))
    values = onnx_values(model, feeds, observed)
    for name, tensor in observed.items():
        assert len(values[name].shape) == tensor.ndim, name
        for size, expected_size in zip(tensor.shape, values[name].shape, strict=True):
            assert size in (None, expected_size), name
    return network


def listed(network):
    return [(node.operation, node.name) for node in network.nodes if node.inputs]


# -- PyTorch ---------------------------------------------------------------------------------------


def exported(module, *arrays, opset=17, dynamic=True, **more):
    torch = pytest.importorskip("torch")
    names = [f"x{i}" for i in range(len(arrays))]
    axes = {name: {0: "batch"} for name in names} if dynamic else None
    file = io.BytesIO()
    arrays = tuple(torch.tensor(array) for array in arrays)
    torch.onnx.export(
        module.eval(),
        arrays,
        file,
        dynamo=False,
        opset_version=opset,
        input_names=names,
        dynamic_axes=axes,
        **more,
    )
    return onnx.load_model_from_string(file.getvalue())


def modules():
    torch = pytest.importorskip("torch")
    nn, F = torch.nn, torch.nn.functional

    class Residual(nn.Module):
        def __init__(self, channels, stride=1):
            super().__init__()
            self.conv1 = nn.Conv2d(8, channels, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(channels)
            self.shortcut = nn.Conv2d(8, channels, 1, stride) if stride > 1 else nn.Identity()

        def forward(self, x):
            return F.relu(self.bn1(self.conv1(x)) + self.shortcut(x))

    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 8, 3, padding=1)
            self.layer1 = nn.Sequential(Residual(8), Residual(8, 2))
            self.fc1 = nn.Linear(8 * 2 * 2, 12)
            self.fc2 = nn.Linear(12, 12)

        def forward(self, x):
            x = F.max_pool2d(F.relu6(self.stem(x)), 2)
            x = self.layer1(x)
            x = x.view(x.size(0), -1)
            x = torch.tanh(self.fc1(x))
            x = self.fc2(F.dropout(self.fc2(x), 0.5, self.training))  # shared
            first, second = x.chunk(2, dim=1)
            return F.softmax(torch.cat([first * 2, second], 1), -1), x[:, 2], x.mean(1)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.expand = nn.Sequential(nn.Conv2d(3, 6, 1), nn.GroupNorm(2, 6), nn.GELU())
            self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
            self.act = nn.PReLU(6)
            self.norm = nn.LayerNorm(8)
            self.up = nn.ConvTranspose2d(6, 4, 3, 2, 1, output_padding=1)
            self.pool = nn.AdaptiveAvgPool2d(1)
            self.head = nn.Linear(4, 5)

        def forward(self, x):
            x = self.norm(self.act(self.depthwise(self.expand(x))))
            x = F.hardswish(x) + F.silu(x) + F.mish(x) + F.gelu(x, approximate="tanh")
            x = F.pad(self.up(x), (1, 2, 0, 1))
            x = F.interpolate(x, scale_factor=2, mode="bilinear") + F.interpolate(x, scale_factor=2)
            return self.head(torch.flatten(self.pool(x), 1))

    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(11, 6)
            self.conv = nn.Conv1d(6, 4, 3, padding="same")
            self.project = nn.Linear(4, 3)

        def forward(self, ids):
            x = self.conv(self.embedding(ids).transpose(1, 2)).transpose(1, 2)
            x = F.elu(self.project(x)) + F.leaky_relu(x[..., :3], 0.2)
            return x.max(1).values, x.unsqueeze(1).squeeze(1).reshape(x.shape[0], 3, -1)

    class Pools(nn.Module):
        def forward(self, x):
            x = F.max_pool2d(x, 3, 2, 1, ceil_mode=True)
            one = F.avg_pool2d(x, 2, 2, 1)
            two = F.avg_pool2d(x, 2, 2, 1, count_include_pad=False)
            three = F.avg_pool2d(x, 2, 2, ceil_mode=True)
            return one + two, three, F.avg_pool2d(x, 3, 2, 1, ceil_mode=True)

    return {
        "Functional": (Functional(), drawn(3, 3, 8, 8)),
        "Block": (Block(), drawn(3, 3, 8, 8)),
        "Rows": (Rows(), np.random.default_rng(0).integers(0, 11, (3, 7))),
        "Pools": (Pools(), drawn(3, 3, 8, 9)),
    }


MODULES = ("Functional", "Block", "Rows", "Pools")
LEGACY = pytest.mark.filterwarnings("ignore")


def randomized(module):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    for value in module.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) + 0.5 if value.ndim < 2 else value)
    return module


@LEGACY
@pytest.mark.parametrize("dynamic", [True, False], ids=["open", "fixed"])
@pytest.mark.parametrize("opset", [11, 13, 17])
@pytest.mark.parametrize("name", MODULES)
def test_older_exporter(name, opset, dynamic):
    module, array = modules()[name]
    if opset < 14 and name == "Block":
        pytest.skip("HardSwish needs opset 14")
    model = exported(randomized(module), array, opset=opset, dynamic=dynamic)
    network = check(model, array, in_keras=name != "Pools")
    if name == "Functional":
        names = [name for kind, name in listed(network) if kind in ("Conv2D", "Dense")]
        assert names == [
            *("stem", "layer1_0_conv1", "layer1_1_conv1", "layer1_1_shortcut", "fc1"),
            *("fc2", "fc2"),
        ]
        assert not any(kind in ("get_item", "reshape") for kind, _ in listed(network)[:-8])


@LEGACY
@pytest.mark.parametrize("name", MODULES)
def test_newer_exporter(name, tmp_path):
    pytest.importorskip("onnxscript")
    torch = pytest.importorskip("torch")
    module, array = modules()[name]
    torch.onnx.export(
        randomized(module).eval(),
        (torch.tensor(array),),
        tmp_path / "model.onnx",
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    check(onnx.load(tmp_path / "model.onnx"), array, in_keras=name != "Pools")


# -- graphs of single operators, in old and new versions of the standard ---------------------------

CONV = {"w": drawn(6, 3, 3, 3), "b": drawn(6)}
ROWS = "float[N,4,6] x"
ROW = "float[N,6] x"
OPERATORS = {
    # text, kinds, opset, inputs, weights
    "auto_pad": (
        'y = Conv <auto_pad = "SAME_UPPER", strides = [2, 2]> (x, w, b)',
        *("Conv2D", 17, None, CONV),
    ),
    "auto_pad lower": (
        'y = Conv <auto_pad = "SAME_LOWER", strides = [2, 2]> (x, w)',
        *("Conv2D", 17, None, {"w": CONV["w"]}),
    ),
    "bias in an Add": (
        "a = Conv <pads = [1, 1, 1, 1]> (x, w)\n y = Add (a, c)",
        *("Conv2D", 17, None, {"w": CONV["w"], "c": drawn(6, 1, 1)}),
    ),
    "transposed with output_shape": (
        "y = ConvTranspose <output_shape = [17, 16], strides = [2, 2]> (x, w)",
        *("Conv2DTranspose", 17, None, {"w": drawn(3, 4, 3, 3)}),
    ),
    "transposed, same": (
        'y = ConvTranspose <auto_pad = "SAME_UPPER", strides = [2, 2]> (x, w)',
        *("Conv2DTranspose", 17, None, {"w": drawn(3, 4, 3, 3)}),
    ),
    "Gemm": (
        "y = Gemm <alpha = 0.5, beta = 2.0, transB = 1> (x, w, b)",
        *("Dense", 17, ROW, {"w": drawn(4, 6), "b": drawn(4)}),
    ),
    "Gemm with one bias": (
        "y = Gemm (x, w, b)",
        *("Dense", 17, ROW, {"w": drawn(6, 4), "b": drawn(1)}),
    ),
    "MatMul": (
        "a = MatMul (x, w)\n y = Add (b, a)",
        *("Dense", 17, ROWS, {"w": drawn(6, 5), "b": drawn(5)}),
    ),
    "MatMul of a turned weight": (
        "t = Transpose <perm = [1, 0]> (w)\n y = MatMul (x, t)",
        *("Dense", 17, ROWS, {"w": drawn(5, 6)}),
    ),
    "MatMul of a tensor used twice": (
        "a = MatMul (x, w)\n c = Add (a, b)\n y = Mul (a, c)",
        *("Dense add multiply", 17, ROWS, {"w": drawn(6, 5), "b": drawn(5)}),
    ),
    "BatchNormalization": (
        "y = BatchNormalization <epsilon = 0.001, momentum = 0.99> (x, g, b, m, v)",
        *("BatchNormalization", 9, None),
        {"g": drawn(3), "b": drawn(3), "m": drawn(3), "v": drawn(3) ** 2},
    ),
    "InstanceNormalization": (
        "y = InstanceNormalization <epsilon = 0.01> (x, g, b)",
        *("GroupNormalization", 17, None, {"g": drawn(3), "b": drawn(3, seed=1)}),
    ),
    "Clip before 11": ("y = Clip <min = 0.0, max = 6.0> (x)", "activation", 7, None, {}),
    "Clip": ("y = Clip (x, low, high)", "clip", 13, None, {"low": -0.25, "high": 0.5}),
    "Clip above": ("y = Clip (x, , high)", "minimum", 13, None, {"high": 0.5}),
    "Softmax before 13": ("y = Softmax (x)", "activation", 11, ROW, {}),
    "Softmax of several axes": (
        "y = Softmax <axis = 1> (x)",
        "reshape activation reshape",
        11,
        ROWS,
        {},
    ),
    "Softmax": ("y = Softmax <axis = 1> (x)", "activation", 13, ROWS, {}),
    "HardSigmoid": ("y = HardSigmoid (x)", "multiply add clip", 13, ROW, {}),
    "Dropout": ("a, b = Dropout (x)\n y = Relu (a)", "activation", 13, ROW, {}),
    "reductions before 13": (
        "a = ReduceSum <axes = [1], keepdims = 0> (x)\n y = Neg (a)",
        *("sum negative", 11, ROWS, {}),
    ),
    "reductions": (
        "y = ReduceL2 <keepdims = 1> (x, a)",
        *("square sum sqrt", 18, ROWS, {"a": np.array([-1])}),
    ),
    "squeezing before 13": (
        "a = Unsqueeze <axes = [2, 3]> (x)\n y = Squeeze <axes = [2]> (a)",
        *("expand_dims expand_dims squeeze", 11, ROW, {}),
    ),
    "Slice before 10": (
        "y = Slice <axes = [1, 2], starts = [1, -3], ends = [1000, -1]> (x)",
        *("get_item", 9, ROWS, {}),
    ),
    "Slice backwards": (
        "y = Slice (x, s, e, a, t)",
        *("flip", 13, ROWS),
        {"s": [-1], "e": np.array([-(2**63) + 1]), "a": [2], "t": [-1]},
    ),
    "Slice of the batch axis, whole": (
        "a = Slice (x, s, e, a0)\n y = Relu (a)",
        *("activation", 13, ROWS, {"s": [0], "e": np.array([2**63 - 1]), "a0": [0]}),
    ),
    "Split": (
        "a, b = Split <axis = 2> (x, s)\n y = Concat <axis = 2> (b, a)",
        *("get_item get_item concatenate", 13, ROWS, {"s": [2, 4]}),
    ),
    "Gather of a row": ("y = Gather <axis = 1> (x, i)", "get_item", 13, ROWS, {"i": np.array(-1)}),
    "Gather in order": ("y = Gather <axis = 2> (x, i)", "get_item", 13, ROWS, {"i": [1, 3, 5]}),
    "Gather out of order": ("y = Gather <axis = 2> (x, i)", "take", 13, ROWS, {"i": [3, 0, 0]}),
    "Pad before 11": (
        'y = Pad <pads = [0, 0, 1, 2, 0, 0, 0, 1], mode = "constant"> (x)',
        *("ZeroPadding2D", 7, None, {}),
    ),
    "Pad that cuts": (
        "y = Pad (x, p)",
        "get_item ZeroPadding2D",
        13,
        None,
        {"p": [0, 0, 1, -2, 0, 0, -1, 3]},
    ),
    "Pad reflected": (
        'y = Pad <mode = "reflect"> (x, p)',
        "pad",
        13,
        None,
        {"p": [0, 0, 1, 0, 0, 0, 2, 1]},
    ),
    "Upsample": (
        'y = Upsample <mode = "nearest"> (x, s)',
        *("UpSampling2D", 9, None, {"s": np.float32([1, 1, 2, 3])}),
    ),
    "Resize to sizes": (
        'y = Resize <mode = "linear", coordinate_transformation_mode = "pytorch_half_pixel">'
        " (x, , , s)",
        *("UpSampling2D", 13, "float[2,3,8,8] x", {"s": [2, 3, 16, 24]}),
    ),
    "Expand": ("y = Expand (x, s)", "tile", 13, "float[N,1,6] x", {"s": [1, 4, 6]}),
    "Expand by a shape": (
        "s = Shape (x)\n e = Expand (o, s)\n y = Add (x, e)",
        *("add", 13, ROWS, {"o": np.float32([[[1.5]]])}),
    ),
    "zeros for the batch": (
        "s = Shape (x)\n n = Gather (s, zero)\n n1 = Unsqueeze (n, first)\n"
        "c = Concat <axis = 0> (n1, six)\n z = ConstantOfShape <value = float[1] {0.5}> (c)\n"
        "y = Add (x, z)",
        *("add", 13, ROW, {"zero": np.array(0), "first": [0], "six": [6]}),
    ),
    "a shape computed": (
        "s = Shape (x)\n n = Slice (s, zero, one)\n m = Mul (n, four)\n"
        "c = Concat <axis = 0> (m, six)\n r = Reshape (x, c)\n a = Relu (r)\n"
        "d = Concat <axis = 0> (n, rest)\n y = Reshape (a, d)",
        *("reshape activation reshape", 13, ROWS),
        {"zero": [0], "one": [1], "four": [4], "six": [6], "rest": [4, 6]},
    ),
    "batch kept by 0": ("y = Reshape (x, s)", "Reshape", 13, ROWS, {"s": [0, -1, 3]}),
    "Flatten": ("y = Flatten (x)", "Flatten", 13, None, {}),
    "GlobalMaxPool": (
        "a = GlobalMaxPool (x)\n y = Squeeze (a, s)",
        *("GlobalMaxPooling2D", 13, None, {"s": [2, 3]}),
    ),
    "mean of images": (
        "y = ReduceMean <axes = [2, 3], keepdims = 0> (x)",
        *("GlobalAveragePooling2D", 13, None, {}),
    ),
    "DepthToSpace": (
        'y = DepthToSpace <blocksize = 2, mode = "CRD"> (x)',
        *("Reshape transpose Reshape", 13, "float[N,8,3,4] x", {}),
    ),
    "SpaceToDepth": (
        "y = SpaceToDepth <blocksize = 2> (x)",
        "Reshape transpose Reshape",
        13,
        None,
        {},
    ),
    "Sum of three": ("y = Sum (x, x, x)", "add", 13, ROW, {}),
    "relu6 by Min and Max": (
        "a = Max (x, zero)\n y = Min (a, six)",
        *("activation", 13, ROW, {"zero": np.float32(0), "six": np.float32(6)}),
    ),
    "hard swish written out": (
        "a = Add (x, three)\n b = Clip (a, zero, six)\n c = Mul (x, b)\n y = Div (c, six)",
        *("activation", 13, ROW),
        {"three": np.float32(3), "zero": np.float32(0), "six": np.float32(6)},
    ),
    "gelu with the half first": (
        "h = Mul (half, x)\n d = Mul (x, r)\n e = Erf (d)\n p = Add (one, e)\n y = Mul (h, p)",
        *("activation", 13, ROW),
        {"half": np.float32(0.5), "r": np.float32(0.70710678), "one": np.float32(1)},
    ),
    "nearly gelu": (
        "h = Mul (half, x)\n d = Mul (x, r)\n e = Erf (d)\n p = Add (one, e)\n y = Mul (h, p)",
        *("multiply multiply erf add multiply", 13, ROW),
        {"half": np.float32(0.5), "r": np.float32(0.7071), "one": np.float32(1.001)},
    ),
    "layer normalization written out": (
        "m = ReduceMean <axes = [-1]> (x)\n d = Sub (x, m)\n s = Pow (d, two)\n"
        "v = ReduceMean <axes = [-1]> (s)\n e = Add (v, eps)\n r = Sqrt (e)\n n = Div (d, r)\n"
        "g = Mul (n, gamma)\n y = Add (g, beta)",
        *("LayerNormalization", 13, ROWS),
        {
            "two": np.float32(2),
            "eps": np.float32(1e-5),
            "gamma": drawn(6),
            "beta": drawn(6, seed=1),
        },
    ),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name):
    text, expected, opset, inputs, weights = OPERATORS[name]
    weights = {
        name: np.asarray(value, np.int64 if isinstance(value, list) else None)
        for name, value in weights.items()
    }
    model = graph(text, opset, inputs or "float[N,3,8,8] x", **weights)
    # rows made of several of the batch: Cornu asks for shapes with batches that do not allow it
    network = check(model, in_keras=name != "a shape computed")
    assert sorted(kind for kind, _ in listed(network)) == sorted(expected.split())


# -- whole graphs ----------------------------------------------------------------------------------


def made_of(nodes, inputs, outputs, opset=15, **weights):
    """A model of nodes given as (operator, inputs, output, name, attributes)."""
    helper = onnx.helper
    return helper.make_model(
        helper.make_graph(
            [
                helper.make_node(kind, sources, [output], name, **attributes)
                for kind, sources, output, name, attributes in nodes
            ],
            "tf2onnx",
            [helper.make_tensor_value_info(name, 1, shape) for name, shape in inputs.items()],
            [helper.make_tensor_value_info(name, 1, None) for name in outputs],
            [numpy_helper.from_array(value, name) for name, value in weights.items()],
        ),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=8,
    )


def tensorflow():
    """A Keras network as tf2onnx writes it: channels last outside, first around the layers."""
    conv, dense = "sequential/conv2d", "sequential/dense"
    return made_of(
        [
            ("Transpose", ["input_1"], "a", f"{conv}/BiasAdd__6", {"perm": [0, 3, 1, 2]}),
            (
                *("Conv", ["a", f"{conv}/Conv2D/ReadVariableOp:0"], f"{conv}/Conv2D:0"),
                *(f"{conv}/Conv2D", {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
            ),
            ("Transpose", [f"{conv}/Conv2D:0"], "b", "Conv2D__12", {"perm": [0, 2, 3, 1]}),
            ("Add", ["b", f"{conv}/BiasAdd/ReadVariableOp:0"], "c", f"{conv}/BiasAdd", {}),
            ("Relu", ["c"], "d", f"{conv}/Relu", {}),
            ("Transpose", ["d"], "e", "max_pooling2d__1", {"perm": [0, 3, 1, 2]}),
            (
                *("MaxPool", ["e"], "f", "sequential/max_pooling2d/MaxPool"),
                {"kernel_shape": [2, 2], "strides": [2, 2], "auto_pad": "VALID"},
            ),
            ("Transpose", ["f"], "g", "max_pooling2d__2", {"perm": [0, 2, 3, 1]}),
            ("Reshape", ["g", "const_fold_opt__19"], "h", "sequential/flatten/Reshape", {}),
            ("MatMul", ["h", f"{dense}/MatMul/ReadVariableOp:0"], "i", f"{dense}/MatMul", {}),
            ("Add", ["i", f"{dense}/BiasAdd/ReadVariableOp:0"], "j", f"{dense}/BiasAdd", {}),
            ("Softmax", ["j"], "dense", f"{dense}/Softmax", {"axis": -1}),
        ],
        {"input_1": ["unk__20", 9, 8, 2]},
        ["dense"],
        **{
            f"{conv}/Conv2D/ReadVariableOp:0": drawn(3, 2, 3, 3),
            f"{conv}/BiasAdd/ReadVariableOp:0": drawn(3),
            "const_fold_opt__19": np.array([-1, 12], np.int64),
            f"{dense}/MatMul/ReadVariableOp:0": drawn(12, 4),
            f"{dense}/BiasAdd/ReadVariableOp:0": drawn(4),
        },
    )


def test_tensorflow():
    network = check(tensorflow())
    named = [(kind, name) for kind, name in listed(network) if kind != "transpose"]
    assert named == [
        ("Conv2D", "conv2d"),
        ("activation", "conv2d_relu"),
        ("MaxPooling2D", "max_pooling2d"),
        ("Flatten", "flatten"),
        ("Dense", "dense"),
        ("activation", "dense_softmax"),
    ]
    last = change_layout(network, "channels_last")
    assert "transpose" not in [kind for kind, _ in listed(last)]
    assert all(layout.is_same for layout in (*last.input_layouts, *last.output_layouts))
    dense = next(one for one in last.operations if one.kind == "Dense")
    np.testing.assert_array_equal(dense.parameters["kernel"], drawn(12, 4))
    assert dense.origins["kernel"].key == "sequential/dense/MatMul/ReadVariableOp:0"


def test_weights_in_nodes_of_their_own():
    value = numpy_helper.from_array(drawn(6, 4))
    model = graph("y = MatMul (x, w)", inputs=ROW)
    model.graph.node.insert(0, onnx.helper.make_node("Constant", [], ["w"], value=value))
    network = check(model)
    assert listed(network) == [("Dense", "w")]


def test_weights_among_the_inputs():
    model = graph("y = MatMul (x, fc__weight)", inputs=ROW, fc__weight=drawn(6, 4))
    model.graph.node[0].input[1] = "fc.weight"
    model.graph.input.append(onnx.helper.make_tensor_value_info("fc.weight", 1, [6, 4]))
    network = check(model, drawn(3, 6))
    assert listed(network) == [("Dense", "fc")]


def test_local_functions():
    text = """<ir_version: 8, opset_import: ["" : 17, "mine" : 1]>
    main (float[N,6] x) => (float[N,6] y) { y = mine.twice (x) }
    <domain: "mine", opset_import: ["" : 17]>
    twice (a) => (b) { b = Add (a, a) }"""
    assert [kind for kind, _ in listed(check(parser.parse_model(text)))] == ["add"]


def test_open_sizes_of_images():
    network = check(
        graph("y = Conv <pads = [1, 1, 1, 1]> (x, w)", inputs="float[N,3,H,W] x", w=CONV["w"]),
        drawn(2, 3, 7, 6),
    )
    assert network.outputs[0].shape == (None, 6, None, None)


def test_equal_weights_are_not_shared_layers():
    # PyTorch's exporter writes equal arrays once, and fresh normalizations are alike
    weights = {"g": np.ones(3), "b": np.zeros(3), "w": drawn(3, 3, 1, 1)}
    text = (
        "a = BatchNormalization (x, g, b, b, g)\n c = Conv (a, w)\n d = Conv (c, w)\n"
        "y = BatchNormalization (d, g, b, b, g)"
    )
    network = check(graph(text, **weights))
    kinds = [operation.kind for operation in network.operations if operation.parameters]
    assert kinds == ["BatchNormalization", "Conv2D", "BatchNormalization"]


# -- what is refused -------------------------------------------------------------------------------

REFUSED = {
    "LSTM": ("y, h, c = LSTM <hidden_size = 2> (x, w, r)", "the operator LSTM has no counterpart"),
    "NonZero": ("y = NonZero (x)", "the operator NonZero has no counterpart"),
    "another domain": ("y = com.microsoft.Gelu (x)", "com.microsoft.Gelu has no counterpart"),
    "dynamic weights": ("y = Conv (x, x)", "has weights that the network computes"),
    "training": (
        "y, a, b = BatchNormalization <training_mode = 1> (x, v, v, v, v)",
        "evaluation mode",
    ),
    "indices of a maximum": (
        "a, i = MaxPool <kernel_shape = [2, 2]> (x)\n y = Cast <to = 1> (i)",
        "second output 'i'",
    ),
    "aligned corners": (
        'y = Resize <mode = "linear", coordinate_transformation_mode = "align_corners"> (x, , s)',
        "coordinate_transformation_mode='align_corners' has no counterpart",
    ),
    "half sizes": ('y = Resize <mode = "nearest"> (x, , h)', "only whole multiples"),
    "dilated pooling": (
        "y = MaxPool <kernel_shape = [2, 2], dilations = [2, 2]> (x)",
        "dilations",
    ),
    "computed shape": (
        "a = Cast <to = 7> (x)\n b = Gather <axis = 0> (one, a)\n y = Reshape (x, b)",
        "Gather",
    ),
}
SOME = {
    "w": drawn(1, 8, 8),
    "r": drawn(1, 8, 2),
    "v": np.ones(3, "float32"),
    "s": np.float32([1, 1, 2, 2]),
    "h": np.float32([1, 1, 0.5, 0.5]),
    "one": np.array([1]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    text, message = REFUSED[name]
    model = graph(text, **SOME)
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    if name != "indices of a maximum":
        model.graph.node[-1].name = "the node"
    with pytest.raises(PortError) as error:
        read_onnx(model)
    assert message in str(error.value)
    assert "node" in str(error.value)


def test_control_flow_is_refused():
    text = """<ir_version: 8, opset_import: ["" : 17]>
    main (float[N,6] x, bool[1] c) => (float[N,6] y) {
        y = If (c) <then_branch = one () => (float[N,6] a) { a = Neg (x) },
                    else_branch = two () => (float[N,6] b) { b = Abs (x) }>
    }"""
    with pytest.raises(PortError, match="If has no counterpart"):
        read_onnx(parser.parse_model(text))


def test_a_batch_that_the_file_fixes_in_the_middle():
    model = graph("y = Reshape (x, s)", inputs="float[2,4,6] x", s=np.array([8, 6]))
    with pytest.raises(PortError, match="written for batches of 2"):
        read_onnx(model)


def test_files(tmp_path):
    model = tensorflow()
    onnx.save(model, tmp_path / "model.onnx")
    from_path, from_bytes = read_onnx(tmp_path / "model.onnx"), read_onnx(model.SerializeToString())
    assert listed(from_path) == listed(from_bytes) == listed(read_onnx(model))
    with pytest.raises(FileNotFoundError):
        read_onnx(tmp_path / "nothing.onnx")
    with pytest.raises(PortError, match="cannot be read as an ONNX model"):
        read_onnx(b"\x00nothing")


def test_before_opset_7():
    weights = {"w": drawn(4, 3, 3, 3), "c": drawn(4), "s": drawn(4, seed=1)}
    text = "a = Conv (x, w, c)\n y = PRelu (a, s)"  # a slope for each channel
    network = read_onnx(graph(text, 6, "float[2,3,8,8] x", **weights))
    assert [kind for kind, _ in listed(network)] == ["Conv2D", "PReLU"]
    array = drawn(2, 3, 8, 8)
    values = onnx_values(write_onnx(network), {"x": array})
    images = np.lib.stride_tricks.sliding_window_view(array, (3, 3), (2, 3))
    expected = np.einsum("nchwij,fcij->nfhw", images, weights["w"]) + weights["c"][:, None, None]
    expected = np.where(expected < 0, expected * weights["s"][:, None, None], expected)
    np.testing.assert_allclose(next(iter(values.values())), expected, **EXACT)
