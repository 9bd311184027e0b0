"""prove, Cornu against Cornu: a changed copy is found, and the layer that was changed is named."""

import json

import numpy as np
import pytest

from cornu import Input, Model, Sequential, layers, ops, regularizers
from cornu.models import clone_model
from cornu.port.network import PortError
from cornu.port.proof.proof import Gap, Part, Proof
from cornu.port.proof.prove import prove

SMALL = {"dtypes": ["float64"], "steps": 3}


def small(loss="sparse_categorical_crossentropy", optimizer="sgd", head="softmax", **changed):
    """A convolutional network; `changed` replaces arguments of its layers, by `layer__argument`."""

    def settings(layer, **given):
        own = {
            key.partition("__")[2]: value
            for key, value in changed.items()
            if key.startswith(f"{layer}__")
        }
        return {"name": layer, **given, **own}

    model = Sequential(
        [
            Input((8, 8, 2), name="x"),
            layers.Conv2D(**settings("conv1", filters=4, kernel_size=3, padding="same")),
            layers.BatchNormalization(**settings("norm")),
            layers.LeakyReLU(**settings("leaky", negative_slope=0.3)),
            layers.MaxPooling2D(**settings("pool", pool_size=2)),
            layers.Conv2D(**settings("conv2", filters=4, kernel_size=3, activation="relu")),
            layers.Dropout(**settings("drop", rate=0.5)),
            layers.Flatten(name="flat"),
            layers.Dense(**settings("fc1", units=16, activation="relu")),
            layers.Dense(**settings("fc2", units=16, activation="tanh")),
            layers.Dense(3, head, name="out"),
        ]
    )
    model.compile(optimizer, loss)
    return model


@pytest.fixture(scope="module")
def model():
    made = small()
    random = np.random.default_rng(0)
    for weight in made.weights:  # no zeros and ones that hide an exchange
        value = random.uniform(0.2, 0.8, weight.shape)
        weight.assign(value if "variance" in weight.name else value - 0.4)
    return made


def changed_copy(model, **changed):
    copy = small(**changed)
    copy.set_weights(model.get_weights())
    return copy


@pytest.mark.slow
def test_a_copy_is_the_same_network(model):
    proof = prove(model, changed_copy(model), steps=3)
    assert proof
    assert proof.first is None
    assert {(part.quantity, part.dtype) for part in proof.parts} == {
        (quantity, dtype)
        for dtype in ("float32", "float64")
        for quantity in (
            *("outputs", "layers", "loss", "gradients"),
            *("training losses", "trained weights", "trained outputs"),
        )
    }
    assert all(part.gap.relative == 0 for part in proof.parts)
    # every node but the input, the values before the activations among them
    assert proof.part("layers", "float64").compared == 14
    assert proof.part("gradients", "float64").compared == 12
    # batch normalization takes the bias before it away again: its gradient is rounding
    assert proof.part("trained weights", "float64").compared == 13
    assert any(note.endswith("after training: bias of conv1") for note in proof.notes)
    assert any("dropout" in note for note in proof.notes)


def test_the_model_is_left_as_it_was(model):
    before = [np.array(weight) for weight in model.get_weights()]
    prove(model, model, **SMALL)
    assert all(map(np.array_equal, before, model.get_weights()))
    assert model.layers[5].rate == 0.5
    assert model.dtype_policy.name == "float32"


def change(copy, layer, weight, how):
    variable = getattr(copy.get_layer(layer), weight)
    variable.assign(how(variable.numpy()))


def add_at(place, amount):
    def how(array):
        array[place] += amount
        return array

    return how


def channels_first_rows(kernel):
    """The rows that Flatten gives an image whose channels come first."""
    rows = np.arange(len(kernel)).reshape(2, 2, 4)
    return kernel[np.moveaxis(rows, -1, 0).ravel()]


WEIGHTS = {
    "one number": ("conv2", "kernel", add_at((0, 1, 2, 3), 1e-3), "differs at [0, 1, 2, 3]"),
    "swapped axes": ("conv2", "kernel", lambda w: w.transpose(1, 0, 2, 3), "(1, 0, 2, 3)"),
    "turned": ("conv2", "kernel", lambda w: w[::-1, ::-1], "turned by half a turn"),
    "transposed": ("fc2", "kernel", lambda w: w.T, "it is transposed"),
    "flattened": ("fc1", "kernel", channels_first_rows, "image of shape (2, 2, 4) flattened with"),
    "doubled": ("fc1", "bias", lambda w: 2 * w, "is 2 times as large"),
    "no bias": ("fc2", "bias", np.zeros_like, "is zero in the second"),
    "std": ("norm", "moving_variance", np.sqrt, "standard deviation in the second"),
    "order of channels": ("conv1", "kernel", lambda w: w[..., [1, 0, 2, 3]], "last axis"),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_a_changed_weight(model, case):
    layer, weight, how, words = WEIGHTS[case]
    copy = changed_copy(model)
    change(copy, layer, weight, how)
    proof = prove(model, copy, **SMALL)
    assert not proof
    assert (proof.first.kind, proof.first.layer) == ("weight", layer)
    assert proof.first.message.startswith(f"{weight} of ")
    assert words in proof.first.message
    assert proof.first.quantity == "layers"
    assert proof.first.gap.relative > 1e-5
    assert len(proof.mismatches) == 1


@pytest.mark.parametrize("pair", [("gamma", "beta"), ("moving_mean", "moving_variance")])
def test_exchanged_weights(model, pair):
    copy = changed_copy(model)
    one, two = (getattr(copy.get_layer("norm"), name) for name in pair)
    first, second = one.numpy(), two.numpy()
    if pair[1] == "moving_variance":
        first = np.abs(first)
    one.assign(second)
    two.assign(first)
    proof = prove(model, copy, **SMALL)
    assert (proof.first.kind, proof.first.layer) == ("weight", "norm")
    if pair[0] == "gamma":
        assert "gamma of BatchNormalization 'norm' and beta are exchanged" in proof.first.message


SETTINGS = {
    "epsilon": ({"norm__epsilon": 1e-5}, "norm", "epsilon"),
    "slope": ({"leaky__negative_slope": 0.01}, "leaky", "negative_slope"),
    "dilation": ({"conv1__dilation_rate": 2}, "conv1", "dilation_rate"),
    "function": ({"conv2__activation": "gelu"}, "conv2_relu", "function"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_changed_setting(model, case):
    changes, layer, name = SETTINGS[case]
    proof = prove(model, changed_copy(model, **changes), **SMALL)
    assert (proof.first.kind, proof.first.layer) == ("attribute", layer)
    assert proof.first.message.startswith(f"{name} of ")
    assert proof.first.quantity == "layers"


@pytest.mark.parametrize(
    ("changes", "layer", "name"),
    [({"drop__rate": 0.25}, "drop", "rate"), ({"norm__momentum": 0.9}, "norm", "momentum")],
)
def test_a_setting_that_outputs_do_not_show(model, changes, layer, name):
    proof = prove(model, changed_copy(model, **changes), **SMALL)
    assert not proof
    assert (proof.first.kind, proof.first.layer) == ("attribute", layer)
    assert name in proof.first.message
    assert proof.part("outputs", "float64").same


def branched(order="ab", after="norm relu", extra=False, dropout=True):
    x = Input((6,), name="x")
    a = layers.Dense(4, name="a")(x)
    b = layers.Dense(4, name="b")(x)
    joined = layers.Concatenate(name="joined")([a, b] if order == "ab" else [b, a])
    for name in after.split():
        made = layers.ReLU(name="relu") if name == "relu" else layers.BatchNormalization(name=name)
        joined = made(joined)
    if extra:
        joined = layers.Activation("tanh", name="squash")(joined)
    if dropout:
        joined = layers.Dropout(0.1, name="drop")(joined)
    model = Model(x, layers.Dense(2, name="out")(joined))
    random = np.random.default_rng(3)
    model.set_weights([random.uniform(0.2, 1, weight.shape) for weight in model.weights])
    return model


def like(one, two):
    """The second network with the first one's weights, by layer."""
    for layer in two.layers:
        if layer.weights and layer.name in {other.name for other in one.layers}:
            layer.set_weights(one.get_layer(layer.name).get_weights())
    return two


WIRING = {
    "inputs exchanged": ({"order": "ba"}, "order", "joined", "another order"),
    "layers exchanged": ({"after": "relu norm"}, "order", "norm", "takes the output of 'joined'"),
    "layer missing": ({"after": "norm"}, "missing", "relu", "the second has no"),
    "layer too many": ({"extra": True}, "extra", "drop", "'squash' (tanh) before Dropout 'drop'"),
}


@pytest.mark.parametrize("case", WIRING)
def test_other_wiring(case):
    changes, kind, layer, words = WIRING[case]
    one = branched()
    proof = prove(one, like(one, branched(**changes)), **SMALL)
    assert not proof
    assert proof.first.kind == kind
    assert proof.first.layer == layer
    assert words in proof.first.message


@pytest.mark.slow
def test_missing_dropout():
    one = branched()
    proof = prove(one, like(one, branched(dropout=False)), **SMALL)
    assert (proof.first.kind, proof.first.layer) == ("missing", "drop")
    assert "these batches do not show it" in str(proof)


def test_without_a_loss_gradients_are_compared(model):
    one = branched()
    proof = prove(one, like(one, branched()), **SMALL)
    assert proof
    assert proof.part("gradients", "float64").compared == 8
    assert proof.part("trained weights", "float64") is None
    assert any("without a loss" in note for note in proof.notes)


@pytest.mark.slow
def test_other_losses(model):
    proof = prove(model, changed_copy(model, loss="sparse_categorical_crossentropy"), **SMALL)
    assert proof
    from cornu.losses import SparseCategoricalCrossentropy

    twice = SparseCategoricalCrossentropy(from_logits=True)
    proof = prove(model, changed_copy(model, loss=twice), **SMALL)
    assert proof.first.kind == "loss"
    assert "the second applies softmax twice: 'out_softmax', and the loss" in proof.first.message


@pytest.mark.slow
def test_softmax_in_the_network_or_in_the_loss(model):
    from cornu.losses import SparseCategoricalCrossentropy

    copy = changed_copy(model, loss=SparseCategoricalCrossentropy(from_logits=True), head=None)
    for one, two in ((model, copy), (copy, model)):
        proof = prove(one, two, **SMALL)
        assert proof, proof
        assert any("compared as probabilities" in note for note in proof.notes)


@pytest.mark.slow
def test_a_regularizer(model):
    copy = changed_copy(model, fc1__kernel_regularizer=regularizers.L2(1e-3))
    proof = prove(copy, model, **SMALL)
    assert proof.first.kind == "loss"
    assert "fc1 of the first have a regularizer" in proof.first.message


OPTIMIZERS = {
    "rate": (("sgd", {"learning_rate": 0.02}), "learning_rate is 0.01 in the first, 0.02 in"),
    "momentum": (("sgd", {"momentum": 0.5}), "momentum is 0.0 in the first, 0.5 in the second"),
    "kind": (("rmsprop", {}), "SGD in the first, RMSprop in the second"),
    "decay": (("sgd", {"weight_decay": 0.1}), "weight_decay is None in the first, 0.1 in the"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", OPTIMIZERS)
def test_other_optimizers(model, case):
    from cornu import optimizers

    (name, settings), words = OPTIMIZERS[case]
    other = optimizers.get({"class_name": name, "config": settings})
    proof = prove(model, changed_copy(model, optimizer=other), **SMALL)
    assert proof.first.kind == "optimizer"
    assert proof.first.layer is None
    assert words in proof.first.message
    assert proof.part("gradients", "float64").same


@pytest.mark.slow
def test_frozen_layers(model):
    copy = changed_copy(model)
    copy.get_layer("fc1").trainable = False
    proof = prove(model, copy, **SMALL)
    assert (proof.first.kind, proof.first.layer) == ("attribute", "fc1")
    assert "is trained in the first alone" in proof.first.message


class Residual(Model):
    """A network written as a class."""

    def __init__(self, slope=0.1):
        super().__init__(name="residual")
        self.first = layers.Dense(5, name="first")
        self.second = layers.Dense(5, name="second")
        self.leaky = layers.LeakyReLU(slope, name="leaky")

    def call(self, x):
        x = self.first(x)
        return ops.mean(x + self.leaky(self.second(x)), axis=1, keepdims=True)


def test_subclasses():
    one, two, three = Residual(), Residual(), Residual(slope=0.2)
    for made in (one, two, three):
        made(np.zeros((1, 3), "float32"))
        made.set_weights(one.get_weights())
    assert prove(one, two, **SMALL)
    proof = prove(one, three, **SMALL)
    assert proof.first.layer == "leaky"


def test_a_model_within_a_model(model):
    inner = clone_model(model)
    inner.set_weights(model.get_weights())
    x = Input((8, 8, 2), name="x")
    outer = Model(x, inner(x))
    outer.compile("sgd", "sparse_categorical_crossentropy")
    proof = prove(model, outer, **SMALL)
    assert proof, proof
    change(inner, "fc1", "bias", lambda w: 2 * w)
    assert prove(model, outer, **SMALL).first.layer == "fc1"


def test_data_of_the_user(model):
    random = np.random.default_rng(1)
    x, y = random.normal(size=(40, 8, 8, 2)), random.integers(0, 3, 40)
    proof = prove(model, changed_copy(model), x, y, batch_size=8, **SMALL)
    assert proof
    assert (proof.rows, proof.steps) == (8, 3)


def test_inputs_of_other_shapes(model):
    other = Sequential([Input((8, 8, 3)), layers.Flatten(), layers.Dense(3)])
    proof = prove(model, other)
    assert not proof
    assert proof.first.kind == "shape"
    assert "(None, 8, 8, 2) in the first, (None, 8, 8, 3) in the second" in proof.first.message
    with pytest.raises(PortError, match=r"'x' takes arrays of shape \(None, 8, 8, 2\)"):
        prove(model, model, np.zeros((4, 9, 9, 2)))


def test_several_inputs_and_an_embedding():
    def made(name):
        ids, rest = Input((4,), dtype="int32", name="ids"), Input((3,), name="rest")
        words = layers.Flatten()(layers.Embedding(7, 2, name="words")(ids))
        joined = layers.Concatenate()([words, rest])
        outputs = [layers.Dense(1, "sigmoid", name="is"), layers.Dense(2, name="much")]
        model = Model([ids, rest], [layer(joined) for layer in outputs], name=name)
        model.compile("sgd", ["binary_crossentropy", "mse"], loss_weights=[1.0, 0.5])
        return model

    one, two = made("one"), made("two")
    two.set_weights(one.get_weights())
    assert prove(one, two, **SMALL)
    change(two, "words", "embeddings", add_at((3, 1), 1.0))
    proof = prove(one, two, **SMALL)
    assert (proof.first.kind, proof.first.layer) == ("weight", "words")


def test_what_is_no_network():
    with pytest.raises(PortError, match="type int is no network"):
        prove(3, 4)
    with pytest.raises(ValueError, match="expected 'float32', 'float64' or both"):
        prove(3, 4, dtypes=["float16"])
    with pytest.raises(PortError, match="neither an ONNX file nor a Keras file"):
        prove("net.txt", 4)


def test_texts(model):
    copy = changed_copy(model)
    change(copy, "fc2", "kernel", lambda w: w.T)
    proof = prove(model, copy, dtypes=["float32"], steps=2)
    text, page, data = str(proof), proof.to_markdown(), json.loads(proof.to_json())
    assert "differ: kernel of Dense 'fc2' holds the same numbers in another order" in text
    assert "DIFFERENT" in text
    assert "| outputs | float32 | 1 |" in page
    assert data["same"] is False
    assert data["first"]["layer"] == "fc2"
    assert "are the same network" in str(prove(model, changed_copy(model), dtypes=["float32"]))


def test_rounding_is_what_float64_does_not_show():
    parts = [
        Part("outputs", "float32", 1, Gap(1e-4, 3e-5), "out", 1e-5),
        Part("outputs", "float64", 1, Gap(1e-13, 1e-13), "out", 1e-10),
    ]
    proof = Proof("one", "two", parts)
    assert not proof
    proof.mark_rounding()
    assert proof
    assert proof.part("outputs", "float32").verdict == "rounding"
    parts[1].gap = Gap(1e-6, 1e-6)
    assert not Proof("one", "two", parts)


def test_gaps():
    assert Gap.between(np.zeros(3), np.zeros(3)).relative == 0
    assert Gap.between(np.zeros(3), np.zeros(4)).absolute == np.inf
    nan = np.array([1.0, np.nan])
    assert Gap.between(nan, nan).absolute == 0
    assert Gap.between(nan, np.ones(2)).absolute == np.inf
    assert Gap.between(np.array([1e-9]), np.array([2e-9]), floor=1.0).relative == 1e-9


def test_exchanged_layers_that_only_training_shows():
    """Batch normalization and ReLU in either order are one function before any training."""

    def made(names):
        steps = {"norm": layers.BatchNormalization(name="norm"), "relu": layers.ReLU(name="relu")}
        model = Sequential(
            [Input((4,)), *(steps[name] for name in names), layers.Dense(2, name="out")]
        )
        model.compile("sgd", "mse")
        return model

    one = made(["norm", "relu"])
    proof = prove(one, like(one, made(["relu", "norm"])), **SMALL)
    assert proof.part("outputs", "float64").same
    assert not proof.part("loss", "float64").same
    assert proof.first.layer == "norm"
    assert proof.first.message.endswith("in training")
