"""Wrong ports, of the kinds that public issue trackers are full of: prove names what is wrong.

A right PyTorch program is written from a network; then its text or its weights are changed in one
place, as a port by hand goes wrong.
"""

import linecache
import types

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cornu import Input, Model, layers, optimizers  # noqa: E402
from cornu.port import PortError, prove, to_torch  # noqa: E402
from cornu.port.proof.run_model import ModelRunner  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
STEPS = 3


def network(optimizer):
    x = inputs = Input((8, 8, 4), name="image")
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="conv1")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.LeakyReLU(negative_slope=0.2, name="leaky")(x)
    x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="depth")(x)
    x = layers.Activation("gelu", name="gelu")(x)
    x = layers.AveragePooling2D(3, strides=1, padding="same", name="pool")(x)
    a = layers.Conv2D(6, 3, padding="same", name="conv_a")(x)
    b = layers.Conv2D(6, 3, dilation_rate=2, padding="same", name="conv_b")(x)
    x = layers.Concatenate(name="joined")([a, b])
    x = layers.Softmax(name="attention")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(24, "relu", name="fc1")(x)
    x = layers.Dense(24, "tanh", name="fc2")(x)
    x = layers.Dropout(0.3, name="drop")(x)
    model = Model(inputs, layers.Dense(5, "softmax", name="out")(x), name="net")
    model.compile(optimizer, "sparse_categorical_crossentropy")
    random = np.random.default_rng(0)
    for weight in model.weights:  # no zeros and ones, which hide much
        value = random.uniform(0.3, 0.9, weight.shape)
        positive = "variance" in weight.name or "gamma" in weight.name
        weight.assign(value if positive else 0.6 * (value - 0.6))
    return model


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.01, momentum=0.9),
    "adam": lambda: optimizers.Adam(),
    "adamw": lambda: optimizers.AdamW(weight_decay=0.01),
}


class Pair:
    """A network, and the program that is right for it."""

    def __init__(self, optimizer):
        model = network(OPTIMIZERS[optimizer]())
        self.runner = ModelRunner(model)
        self.module = to_torch(model)
        self.text = "".join(linecache.getlines(self.module.program.__file__))

    def changed(self, old="", new="", weights=None):
        """The module of the program with a piece of its text, or its weights, replaced."""
        assert old in self.text, f"the program has no {old!r}"
        program = types.ModuleType("changed")
        exec(compile(self.text.replace(old, new, 1), "<changed>", "exec"), program.__dict__)
        module = getattr(program, type(self.module).__name__)()
        module.program = program
        state = {key: value.clone() for key, value in self.module.state_dict().items()}
        if weights is not None:
            weights(state)
        module.load_state_dict({key: state[key] for key in module.state_dict()})
        return module


@pytest.fixture(scope="module")
def pairs():
    made = {}

    def pair(optimizer):
        if optimizer not in made:
            made[optimizer] = Pair(optimizer)
        return made[optimizer]

    return pair


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_the_right_port(pairs, optimizer):
    pair = pairs(optimizer)
    proof = prove(pair.runner, pair.changed(), steps=STEPS)
    assert proof, str(proof)
    assert all(part.within for part in proof.parts if part.dtype == "float64")


# what is wrong: text, what stands in its place, kind, layer, words of the message
TEXTS = {
    "epsilon of PyTorch": ("eps=0.001", "eps=1e-05", "attribute", "norm", "epsilon of"),
    "epsilon 100 times": ("eps=0.001", "eps=0.1", "attribute", "norm", "epsilon of"),
    "momentum of PyTorch": ("momentum=0.01", "momentum=0.1", "attribute", "norm", "momentum of"),
    "momentum not turned": ("momentum=0.01", "momentum=0.99", "attribute", "norm", "momentum of"),
    "padding before": ("(0, 1, 0, 1)", "(1, 0, 1, 0)", "attribute", "conv1", "padding of"),
    "padding on both sides": (
        "F.pad(x, (0, 1, 0, 1))",
        "F.pad(x, (1, 1, 1, 1))",
        "attribute",
        "conv1",
        "padding of",
    ),
    "slope": (", 0.2)", ", 0.01)", "attribute", "leaky", "negative_slope of"),
    "tanh for erf": (
        "F.gelu(self.depth(x))",
        'F.gelu(self.depth(x), approximate="tanh")',
        "attribute",
        "gelu",
        "approximate of",
    ),
    "padding counted": (
        "count_include_pad=False",
        "count_include_pad=True",
        "attribute",
        "pool",
        "count_padding of",
    ),
    "largest for mean": (
        "F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)",
        "F.max_pool2d(x, 3, stride=1, padding=1)",
        "computation",
        "pool",
        "MaxPooling2D",
    ),
    "window": (
        "F.avg_pool2d(x, 3, stride=1, padding=1",
        "F.avg_pool2d(x, 5, stride=1, padding=2",
        "attribute",
        "pool",
        "pool_size of",
    ),
    "dilation": ("padding=2, dilation=2", "padding=1", "attribute", "conv_b", "dilation_rate of"),
    "order of a concatenation": ("[new, x]", "[x, new]", "order", "joined", "another order"),
    "axis of a softmax": ("dim=1", "dim=2", "attribute", "attention", "axis of"),
    "flattened channels last": (
        "torch.flatten(x, 1)",
        "torch.flatten(x.permute(0, 2, 3, 1), 1)",
        "weight",
        "fc1",
        "image of shape (4, 4, 12) flattened with the channels first",
    ),
    "no activation": ("F.relu(self.fc1(x))", "self.fc1(x)", "missing", "fc1_relu", "has no"),
    "another activation": ("torch.tanh", "torch.sigmoid", "attribute", "fc2_tanh", "function of"),
    "an activation twice": (
        "self.drop(torch.tanh(self.fc2(x)))",
        "self.drop(torch.tanh(torch.tanh(self.fc2(x))))",
        "extra",
        "drop",
        "(tanh) before Dropout 'drop'",
    ),
    "normalized after the activation": (
        "F.leaky_relu(self.norm(self.conv1(x)), 0.2)",
        "self.norm(F.leaky_relu(self.conv1(x), 0.2))",
        "order",
        "norm",
        "takes the output of 'conv1' in the first",
    ),
    "no bias": (
        "nn.Linear(192, 24)",
        "nn.Linear(192, 24, bias=False)",
        "weight",
        "fc1",
        "the second has no bias of",
    ),
    "dropout rate": ("nn.Dropout(0.3)", "nn.Dropout(0.7)", "attribute", "drop", "rate of"),
    "no dropout": ("self.drop(torch.tanh(self.fc2(x)))", "torch.tanh(self.fc2(x))", "missing",
                   "drop", "has no Dropout"),
    "softmax twice": (
        "return self.out(x)",
        "return F.softmax(self.out(x), dim=1)",
        "loss",
        None,
        "the second applies softmax twice",
    ),
    "no softmax at all": (
        "nn.CrossEntropyLoss()",
        "nn.NLLLoss()",
        "loss",
        None,
        "the losses differ",
    ),
    "sum for mean": (
        "nn.CrossEntropyLoss()",
        'nn.CrossEntropyLoss(reduction="sum")',
        "loss",
        None,
        "reduction",
    ),
    "smoothed labels": (
        "nn.CrossEntropyLoss()",
        "nn.CrossEntropyLoss(label_smoothing=0.1)",
        "loss",
        None,
        "the losses differ",
    ),
    "gradient stopped": ("self.fc2(x)", "self.fc2(x.detach())", "gradient", "fc1", "gradient of"),
    "statistics of the batch not taken": ("model.train()", "model.eval()", None, None, ""),
    "gradients added up": ("optimizer.zero_grad()", "pass", "optimizer", None, "optimizers differ"),
    "learning rate": ("lr=0.01", "lr=0.1", "optimizer", None, "learning_rate is 0.01 in the first"),
    "momentum": ("momentum=0.9", "momentum=0.5", "optimizer", None, "momentum is 0.9 in the first"),
    "Nesterov": (
        "momentum=0.9",
        "momentum=0.9, nesterov=True",
        "optimizer",
        None,
        "nesterov is False in the first",
    ),
    "dampening": ("momentum=0.9", "momentum=0.9, dampening=0.9", "optimizer", None, "differ"),
    "decay": ("momentum=0.9", "momentum=0.9, weight_decay=0.1", "optimizer", None, "differ"),
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
def test_a_wrong_program(pairs, case):
    old, new, kind, layer, words = TEXTS[case]
    pair = pairs("sgd")
    module = pair.changed(old, new)
    check(prove(pair.runner, module, steps=STEPS, dtypes=["float64"]), kind, layer, words)


def check(proof, kind, layer, words):
    assert not proof, str(proof)
    first = proof.first
    if kind is not None:
        assert first.kind == kind, str(proof)
    if layer is not None:
        assert first.layer is not None, str(proof)
        assert first.layer.removesuffix("_relu") == layer.removesuffix("_relu"), str(proof)
    assert words in first.message, str(proof)
    assert "differ" in str(proof)


def test_what_cannot_be_read_is_refused(pairs):
    module = pairs("sgd").changed("self.fc1(x)", "self.fc1(x) + self.fc1.bias")
    with pytest.raises(PortError, match=r"fc1\.bias"):
        prove(pairs("sgd").runner, module)


# Adam's defaults, and L2 in the place of decoupled decay
ADAM = {
    "epsilon": ("adam", "eps=1e-7", "eps=1e-3", "epsilon"),
    "betas": ("adam", "betas=(0.9, 0.999)", "betas=(0.9, 0.99)", "beta_2 is 0.999 in the first"),
    "PyTorch's epsilon": ("adam", "return KerasAdam(", "return torch.optim.Adam(", "differ"),
    "learning rate": ("adam", "lr=0.001", "lr=0.0011", "learning_rate is 0.001 in the first"),
    "L2": ("adamw", "return KerasAdamW(", "return torch.optim.Adam(", "AdamW in the first, Adam"),
    "PyTorch's decay": ("adamw", "weight_decay=0.01", "weight_decay=0.1", "weight_decay"),
}


@pytest.mark.parametrize("case", ADAM)
def test_a_wrong_adam(pairs, case):
    optimizer, old, new, words = ADAM[case]
    pair = pairs(optimizer)
    module = pair.changed(old, new)
    check(prove(pair.runner, module, steps=STEPS, dtypes=["float64"]), "optimizer", None, words)


def exchanged(one, two):
    def change(state):
        state[one], state[two] = state[two], state[one]

    return change


def replaced(key, how):
    def change(state):
        state[key] = how(state[key]).contiguous()

    return change


# key, what is done to it, layer, words
WEIGHTS = {
    "kernel not transposed": ("fc2.weight", lambda w: w.T, "fc2", "it is transposed"),
    "rows and columns": ("conv_a.weight", lambda w: w.transpose(2, 3), "conv_a", "(1, 0, 2, 3)"),
    "kernel turned": ("conv_a.weight", lambda w: w.flip(2, 3), "conv_a", "half a turn"),
    "columns reversed": ("conv_a.weight", lambda w: w.flip(3), "conv_a", "axis 1 is reversed"),
    "filters": ("conv_b.weight", lambda w: w.flip(0), "conv_b", "axis 3 is reversed"),
    "channels of a depthwise kernel": (
        "depth.weight",
        lambda w: w.reshape(8, 2, 1, 3, 3).transpose(0, 1).reshape(16, 1, 3, 3),
        "depth",
        "holds the same numbers in another order",
    ),
    "doubled bias": ("fc1.bias", lambda w: 2 * w, "fc1", "is 2 times as large"),
    "no bias": ("conv1.bias", torch.zeros_like, "conv1", "is zero in the second"),
    "standard deviation": ("norm.running_var", torch.sqrt, "norm", "is a standard deviation"),
    "variance not taken": ("norm.running_var", torch.ones_like, "norm", "moving_variance of"),
    "image flattened otherwise": (
        "fc1.weight",
        lambda w: w.reshape(24, 12, 4, 4).permute(0, 2, 3, 1).reshape(24, 192),
        "fc1",
        "image of shape (4, 4, 12)",
    ),
    "one number": ("out.weight", lambda w: w + 1e-3 * (w == w[2, 3]), "out", "differs at [3, 2]"),
    "half precision": ("fc2.weight", lambda w: w.half().float(), "fc2", "of 576 numbers"),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_wrong_weights(pairs, case):
    key, how, layer, words = WEIGHTS[case]
    pair = pairs("sgd")
    module = pair.changed(weights=replaced(key, how))
    check(prove(pair.runner, module, steps=STEPS, dtypes=["float64"]), "weight", layer, words)


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        ("norm.weight", "norm.bias", "gamma of BatchNormalization 'norm' and beta are exchanged"),
        ("norm.running_mean", "norm.running_var", "moving_mean"),
    ],
)
def test_exchanged_weights(pairs, one, two, words):
    pair = pairs("sgd")

    def change(state):
        exchanged(one, two)(state)
        if "running" in one:
            state[two] = state[two].abs()

    module = pair.changed(weights=change)
    check(prove(pair.runner, module, steps=STEPS, dtypes=["float64"]), "weight", "norm", words)
