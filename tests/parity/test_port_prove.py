"""prove across frameworks: right ports are the same network, wrong ones are named."""

import linecache
import types

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.port import PortError, from_torch, prove, to_keras, to_numpy, to_onnx, to_torch
from cornu.port.proof.run_model import ModelRunner

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer"),
]
SMALL = {"dtypes": ["float64"], "steps": 3}


@pytest.fixture(scope="module")
def model():
    made = cornu.Sequential(
        [
            layers.Input((8, 8, 2), name="x"),
            layers.ZeroPadding2D(((1, 0), (0, 1)), name="pad"),
            layers.Conv2D(4, 3, strides=2, padding="same", name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.LeakyReLU(0.3, name="leaky"),
            layers.Dropout(0.5, name="drop"),
            layers.Flatten(name="flat"),
            layers.Dense(6, "tanh", name="fc"),
            layers.Dense(3, "softmax", name="out"),
        ],
        name="net",
    )
    made.compile("adam", "sparse_categorical_crossentropy")
    random = np.random.default_rng(0)
    for weight in made.weights:
        value = random.uniform(0.3, 0.9, weight.shape)
        positive = "variance" in weight.name or "gamma" in weight.name
        weight.assign(value if positive else 0.6 * (value - 0.6))
    return made


@pytest.fixture(scope="module")
def runner(model):
    return ModelRunner(model)


# -- PyTorch ---------------------------------------------------------------------------------------


def test_a_written_module(runner, model):
    pytest.importorskip("torch")
    proof = prove(runner, to_torch(model), steps=3)
    assert proof, str(proof)
    assert proof.part("trained weights", "float64").within
    assert proof.part("trained outputs", "float64").within
    assert any("unbiased variance" in note for note in proof.notes)
    assert any("softmax in the first and logits in the second" in note for note in proof.notes)


def module_class():
    torch = pytest.importorskip("torch")
    nn = torch.nn

    class Module(nn.Module):
        """As people write them; `slope` and `order` are what may go wrong."""

        def __init__(self, slope=0.1, eps=1e-5, swap=False):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, stride=2, padding=1)
            self.norm = nn.BatchNorm2d(4, eps=eps)
            self.side = nn.Conv2d(4, 4, 1)
            self.fc = nn.Linear(2 * 4 * 4 * 4, 5)
            self.slope, self.swap = slope, swap

        def forward(self, x):
            x = nn.functional.leaky_relu(self.norm(self.conv(x)), self.slope)
            x = nn.functional.dropout(x, 0.5, self.training)
            both = [self.side(x), x] if self.swap else [x, self.side(x)]
            return self.fc(torch.cat(both, dim=1).view(len(x), -1))

    return Module


def optimizer_of(module):
    import torch

    return torch.optim.SGD(module.parameters(), lr=0.05, momentum=0.9)


def test_a_module_of_ones_own():
    module = module_class()()
    import torch

    x = torch.randn(24, 3, 8, 8)
    loss, optimizer = torch.nn.CrossEntropyLoss(), optimizer_of(module)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    made = from_torch(module, x[:2], loss=loss, optimizer=optimizer)
    y = np.random.default_rng(0).integers(0, 5, 24)
    for first, second in ((module, made), (made, module)):
        proof = prove(first, second, x, y, batch_size=8, loss=loss, optimizer=optimizer, **SMALL)
        assert proof, str(proof)
        assert proof.rows == 8
        assert proof.part("trained weights", "float64").within
    for key, value in module.state_dict().items():
        assert torch.equal(value, before[key])
    assert module.training


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("Adam", {"weight_decay": 0.01}),
        ("AdamW", {"weight_decay": 0.01}),
        ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
        ("Adagrad", {}),
    ],
)
def test_optimizers_of_a_module(name, settings):
    """PyTorch's weight_decay is a regularizer in Keras, but for AdamW's."""
    module = module_class()()
    import torch

    x, y = torch.randn(16, 3, 8, 8), np.arange(16) % 5
    training = {
        "loss": torch.nn.CrossEntropyLoss(),
        "optimizer": getattr(torch.optim, name)(module.parameters(), **settings),
    }
    proof = prove(module, from_torch(module, x, **training), x, y, **training, **SMALL)
    assert proof, str(proof)
    assert proof.part("trained weights", "float64").within
    assert any("counted as a penalty" in note for note in proof.notes) == (name in ("Adam", "SGD"))


def test_a_module_without_a_loss(runner, model):
    torch = pytest.importorskip("torch")
    bare = cornu.models.clone_model(model)
    bare.set_weights(model.get_weights())
    bare.optimizer = bare.loss = None
    bare.compiled = False
    module = to_torch(bare)  # which ends in a softmax, having no loss that does
    proof = prove(runner, module, **SMALL)
    assert proof, str(proof)
    assert proof.part("gradients", "float64").compared == 8
    assert proof.part("trained weights", "float64") is None
    assert any("comes without a loss" in note for note in proof.notes)
    assert runner.has_loss

    logits = to_torch(model)
    del type(logits).program
    proof = prove(runner, logits, **SMALL)
    assert (proof.first.kind, proof.first.layer) == ("missing", "out_softmax")
    assert any("give prove() that loss" in note for note in proof.notes)
    proof = prove(runner, logits, loss=torch.nn.CrossEntropyLoss(), **SMALL)
    assert proof, str(proof)
    assert proof.part("loss", "float64").same


def test_two_modules():
    cls = module_class()
    import torch

    x = torch.randn(8, 3, 8, 8)
    one = cls()

    def other(**settings):
        made = cls(**settings)
        made.load_state_dict(one.state_dict())
        return made

    training = {"loss": torch.nn.functional.cross_entropy, "optimizer": optimizer_of}
    training["optimizer"] = lambda parameters: torch.optim.SGD(parameters, 0.01)
    assert prove(one, other(), x, np.arange(8) % 5, **training, **SMALL)
    assert prove(one, other(slope=0.2), x, **SMALL).first.layer == "leaky_relu"
    assert prove(one, other(eps=1e-3), x, **SMALL).first.layer == "norm"
    assert prove(one, other(swap=True), x, **SMALL).first.kind == "order"
    with pytest.raises(PortError, match="Give x"):
        prove(one, other())


def test_a_computation_that_reading_does_not_show():
    """What a module does is compared, not only what is read of it."""
    torch = pytest.importorskip("torch")

    class Module(torch.nn.Module):
        def __init__(self, extra):
            super().__init__()
            self.fc = torch.nn.Linear(4, 4)
            self.extra = extra

        def forward(self, x):
            x = self.fc(x)
            return x + 1e-4 * self.extra

    one, two = Module(0), Module(1)
    two.load_state_dict(one.state_dict())
    proof = prove(one, two, torch.randn(4, 4), **SMALL)
    assert not proof
    assert proof.first.quantity == "layers"


# -- NumPy -----------------------------------------------------------------------------------------


def test_a_written_numpy_program(runner, model):
    proof = prove(runner, to_numpy(model), steps=3)
    assert proof, str(proof)
    assert proof.part("layers", "float64").compared >= 8
    assert proof.part("trained weights", "float64").within


# text of the program, what stands in its place, the layer that is named, the kind
PROGRAMS = {
    "epsilon": ("epsilon=0.001", "epsilon=0.1", "norm", "attribute"),
    "slope": ("LeakyReLU(slope=0.3)", "LeakyReLU(slope=0.2)", "leaky", None),
    "sum": ("x @ self.kernel + self.bias", "x @ self.kernel - self.bias", "fc", "computation"),
    "gradient": ("self.x.T @ dy", "2 * self.x.T @ dy", "out", "gradient"),
    "root": ("np.sqrt(variance + self.epsilon)", "(variance + self.epsilon)", "norm",
             "computation"),
    "loss": ("return -(y * log_p).sum() / count", "return -(y * log_p).sum()", None, "loss"),
    "rate": ("learning_rate=0.001", "learning_rate=0.002", None, "optimizer"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROGRAMS)
def test_a_wrong_numpy_program(runner, model, case):
    from cornu.port.keras.read_model import read_model
    from cornu.port.numpy.write import numpy_source

    old, new, layer, kind = PROGRAMS[case]
    right = to_numpy(model)
    text = numpy_source(read_model(model))
    assert old in text, text
    program = types.ModuleType("wrong")
    program.__file__ = "wrong.py"
    exec(compile(text.replace(old, new), "wrong.py", "exec"), program.__dict__)
    program.network = program.Network(dict(right.network.parameters))
    proof = prove(runner, program, **SMALL)
    assert not proof
    assert proof.first.layer == layer, str(proof)
    assert kind in (None, proof.first.kind), str(proof)


# -- ONNX ------------------------------------------------------------------------------------------


def test_a_written_onnx_model(runner, model, tmp_path):
    pytest.importorskip("onnxruntime")
    path = tmp_path / "net.onnx"
    proto = to_onnx(model, path)
    for network in (proto, path, proto.SerializeToString()):
        proof = prove(runner, network)
        assert proof, str(proof)
        assert {part.quantity for part in proof.parts} == {"outputs", "layers"}
        assert any("computes outputs only" in note for note in proof.notes)


def test_wrong_onnx_models(runner, model):
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")

    def changed(change):
        proto = onnx.ModelProto()
        proto.CopyFrom(to_onnx(model))
        change(proto.graph)
        return prove(runner, proto, dtypes=["float64"]).first

    def transpose(graph):
        for tensor in graph.initializer:
            array = onnx.numpy_helper.to_array(tensor)
            if array.ndim == 4:
                turned = np.ascontiguousarray(array.transpose(0, 1, 3, 2))
                tensor.CopyFrom(onnx.numpy_helper.from_array(turned, tensor.name))

    def setting(kind, name, value):
        def change(graph):
            for node in graph.node:
                for attribute in node.attribute:
                    if (node.op_type, attribute.name) == (kind, name):
                        attribute.f = value

        return change

    first = changed(transpose)
    assert (first.kind, first.layer) == ("weight", "conv")
    first = changed(setting("BatchNormalization", "epsilon", 1e-5))
    assert (first.kind, first.layer) == ("attribute", "norm")
    first = changed(setting("LeakyRelu", "alpha", 0.01))
    assert (first.kind, first.layer) == ("attribute", "leaky")


# -- Keras -----------------------------------------------------------------------------------------


def test_a_live_keras_model(runner, model):
    keras = pytest.importorskip("keras")
    made = to_keras(model)
    weights = [np.array(weight) for weight in made.get_weights()]
    proof = prove(runner, made, **SMALL)
    assert proof, str(proof)
    assert proof.part("layers", "float64").compared >= 6
    assert proof.part("gradients", "float64").compared == 8
    assert proof.part("trained weights", "float64").within
    assert all(map(np.array_equal, weights, made.get_weights()))
    assert keras.config.floatx() == "float32"
    norm = made.get_layer("norm")
    norm.epsilon = 1e-5
    first = prove(runner, made, **SMALL).first
    assert (first.kind, first.layer) == ("attribute", "norm")


def test_the_text_of_programs_is_that_of_the_module(model):
    """The mutants of test_port_mutants are made of this text."""
    pytest.importorskip("torch")
    program = to_torch(model).program
    assert "class " in "".join(linecache.getlines(program.__file__))


# -- what PyTorch and XLA do in their own way ------------------------------------------------------


def computing(function, *parts):
    """A module of parts whose `forward` is a function of these and what it is given."""
    torch = pytest.importorskip("torch")

    class Written(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = torch.nn.ModuleList(parts)

        def forward(self, x):
            return function(self.parts, x)

    return Written()


def trained_by_sgd(module, **settings):
    import torch

    optimizer = torch.optim.SGD(module.parameters(), lr=0.02, **settings)
    return {"loss": torch.nn.MSELoss(), "optimizer": optimizer}


@pytest.mark.parametrize("is_rectified", [False, True])
def test_the_gradient_of_a_maximum_over_all_positions(is_rectified):
    """XLA's fusions round a value and its maximum differently: then nothing equals that."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)

    def forward(parts, x):
        x = parts[1](parts[0](x))
        return torch.max(torch.relu(x) if is_rectified else x, 2)[0]

    module = computing(forward, torch.nn.Conv1d(3, 3, 1), torch.nn.BatchNorm1d(3))
    torch.nn.init.uniform_(module.parts[1].running_var, 0.5, 2)
    torch.nn.init.normal_(module.parts[1].running_mean)
    training = trained_by_sgd(module)
    made = from_torch(module, torch.randn(4, 3, 10), **training)
    proof = prove(made, module, steps=3, **training)
    assert proof, str(proof)
    assert proof.part("gradients", "float64").compared == 4


@pytest.mark.parametrize(
    ("dtype", "cast"),
    [
        ("uint8", lambda torch, x: x.float() / 255),
        ("uint8", lambda torch, x: x.to(torch.float32) / 255),
        ("uint8", lambda torch, x: x.type(torch.FloatTensor) / 255),
        ("uint8", lambda torch, x: x / 255),
        ("float32", lambda torch, x: x * torch.linspace(0, 1, 4)),
        ("float32", lambda torch, x: x @ torch.eye(4, dtype=torch.float32)),
    ],
)
def test_casts_to_float32_follow_the_dtype(dtype, cast):
    torch = pytest.importorskip("torch")
    module = computing(lambda parts, x: parts[0](cast(torch, x)), torch.nn.Linear(4, 3))
    x = torch.randint(0, 256, (3, 4)).to(getattr(torch, dtype))
    training = trained_by_sgd(module)
    made = from_torch(module, x, **training)
    proof = prove(made, module, steps=2, **training)
    assert proof, str(proof)
    assert torch.get_default_dtype() is torch.float32


def test_what_a_module_raises_is_told_with_its_name():
    torch = pytest.importorskip("torch")
    constant = np.eye(4, dtype="float32")
    module = computing(
        lambda parts, x: parts[0](x @ torch.from_numpy(constant)), torch.nn.Linear(4, 3)
    )
    made = from_torch(module, torch.randn(3, 4))
    with pytest.raises(PortError, match=r"PyTorch module Written fails in float64.*float32"):
        prove(made, module)
    assert prove(made, module, dtypes=["float32"])


def test_the_gradient_of_hardsigmoid():
    """PyTorch's is off by the error of 1/6 in float32; nothing else is allowed for."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    module = computing(lambda parts, x: functional.hardsigmoid(parts[0](x)), torch.nn.Linear(4, 3))
    training = trained_by_sgd(module)
    made = from_torch(module, torch.randn(3, 4), **training)
    proof = prove(made, module, steps=3, **training)
    assert proof, str(proof)
    assert 1e-8 < proof.part("gradients", "float64").gap.relative < 1e-6
    assert any("hardsigmoid takes 1/6" in note for note in proof.notes)
    assert proof.part("outputs", "float64").tolerance == 1e-10
    other = prove(module, module, torch.randn(8, 4), np.zeros((8, 3), "f"), **training, steps=2)
    assert other.part("gradients", "float64").tolerance == 1e-9
    assert not any("hardsigmoid" in note for note in other.notes)


def test_weight_decay_without_the_optimizer():
    torch = pytest.importorskip("torch")
    module = computing(lambda parts, x: parts[0](x), torch.nn.Linear(4, 3))
    training = trained_by_sgd(module, weight_decay=1e-4)
    made = from_torch(module, torch.randn(3, 4), **training)
    for given in ({}, {"loss": training["loss"]}):
        for pair in ((made, module), (module, made)):
            text = str(prove(*pair, **given, **SMALL))
            assert "give prove the module's optimizer (optimizer=...)" in text
            assert " 1 times as large" not in text
    assert prove(made, module, **training, **SMALL)


def test_a_factor_of_one_is_not_told():
    from cornu.port.proof.training import _ratio

    one = np.arange(1.0, 4.0)
    assert _ratio(one, one * (1 + 1e-6)) == ""
    assert _ratio(one, one * 2) == "; it is 2 times as large in the second"
