"""What is read of a model of Cornu's: operations, losses, metrics, optimizer, data."""

from pathlib import Path

import numpy as np

import cornu
from cornu import layers
from cornu.check.facts import through
from cornu.check.read_model import read_model

RNG = np.random.default_rng(0)


def kinds(facts):
    return [operation.function or operation.kind for operation in facts.operations]


def compiled(model, loss="categorical_crossentropy", optimizer="adam", **arguments):
    model.compile(optimizer, loss, **arguments)
    return model


def test_a_fused_activation_is_an_operation_of_its_own():
    model = compiled(
        cornu.Sequential(
            [
                cornu.Input((8, 8, 1)),
                layers.Conv2D(4, 3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Flatten(),
                layers.Dropout(0.5),
                layers.Dense(3, activation="softmax", kernel_regularizer="l2"),
            ]
        )
    )
    facts = read_model(model)
    assert kinds(facts) == [
        *("Input", "Conv2D", "relu", "MaxPooling2D", "Flatten", "Dropout", "Dense", "softmax")
    ]
    dense, softmax = facts.operations[-2:]
    assert softmax.fused
    assert softmax.inputs == [dense]
    assert dense.consumers == [softmax]
    assert dense.settings["kernel_regularizer"]["l2"] == np.float32(0.01)
    assert dense.parameter("kernel").fan == (36, 3)
    assert facts.outputs[0].activation == "softmax"
    assert through(dense.inputs[0]).kind == "MaxPooling2D"


def test_a_layer_is_placed_at_the_line_that_makes_it():
    model = compiled(
        cornu.Sequential(
            [
                cornu.Input((2,)),
                layers.Dense(3),  # this line
            ]
        )
    )
    facts = read_model(model)
    lines = Path(__file__).read_text().splitlines()
    assert facts.operations[1].place.file == __file__
    assert "# this line" in lines[facts.operations[1].place.line - 1]
    assert "def compiled" in lines[facts.outputs[0].loss.place.line - 2]


def test_a_model_within_a_model_is_followed_each_time_it_is_called():
    inner = cornu.Sequential([cornu.Input((3,)), layers.Dense(2, activation="tanh")])
    start = cornu.Input((3,))
    model = compiled(cornu.Model(start, layers.Dense(1)(inner(start) + inner(2 * start))), "mse")
    facts = read_model(model)
    assert sorted(kinds(facts)) == sorted(
        ["Input", "multiply", "Dense", "tanh", "Dense", "tanh", "add", "Dense"]
    )
    add = next(facts.of_kind("add"))
    assert add.inputs[0] is not add.inputs[1]


class Net(cornu.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Dense(4, activation="relu")
        self.last = layers.Dense(1)
        self.forgotten = layers.Dense(7)

    def call(self, x, training=False):
        return self.last(cornu.ops.sigmoid(self.first(x)))


def test_the_call_of_a_subclass_is_followed_and_leaves_no_trace():
    model = compiled(Net(), cornu.losses.BinaryCrossentropy(from_logits=True))
    x = RNG.normal(size=(20, 2))
    model.predict(x, verbose=0)
    nodes = [len(layer._nodes) for layer in model.layers]
    facts = read_model(model, x, np.arange(20) % 2)
    assert kinds(facts) == ["Input", "Dense", "relu", "sigmoid", "Dense"]
    assert [name for name, _, _ in facts.unused] == [model.forgotten.name]
    assert [len(layer._nodes) for layer in model.layers] == nodes
    after = layers.Dense(1).name
    read_model(model, x, np.arange(20) % 2)
    assert layers.Dense(1).name == f"dense_{int(after.split('_')[1]) + 1}"


class Deciding(cornu.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x) if float(np.asarray(x).mean()) > 0 else self.dense(-x)


def test_a_network_whose_inside_cannot_be_followed_is_one_operation():
    model = compiled(Deciding(), "mse", run_eagerly=True)
    model(np.ones((4, 2), "float32"))
    facts = read_model(model, np.ones((4, 2)), np.ones((4, 1)))
    assert kinds(facts) == ["Input", "Deciding"]
    assert facts.outputs[0].activation is None
    assert facts.unused == []


def test_losses_say_what_they_expect():
    model = cornu.Sequential([cornu.Input((2,)), layers.Dense(3)])
    found = {}
    for loss in (
        "sparse_categorical_crossentropy",
        cornu.losses.SparseCategoricalCrossentropy(from_logits=True),
        "mse",
        lambda y, p: (y - p) ** 2,
    ):
        compiled(model, loss)
        read = read_model(model).outputs[0].loss
        found[read.written] = (read.kind, read.expects, read.labels)
    assert found == {
        "sparse_categorical_crossentropy": (
            *("sparse_categorical_crossentropy", "probabilities", "classes"),
        ),
        "SparseCategoricalCrossentropy": (
            *("sparse_categorical_crossentropy", "logits", "classes"),
        ),
        "mse": ("mean_squared_error", "values", "values"),
        "<lambda>": ("custom", None, None),
    }


def test_metrics_are_resolved_as_training_does():
    model = compiled(
        cornu.Sequential([cornu.Input((2,)), layers.Dense(1, activation="sigmoid")]),
        "binary_crossentropy",
        metrics=["accuracy", "mse", cornu.metrics.AUC()],
    )
    facts = read_model(model, np.ones((10, 2)), np.arange(10) % 2)
    assert [metric.kind for metric in facts.outputs[0].metrics] == [
        *("binary_accuracy", "mean_squared_error", "auc")
    ]


def test_several_outputs_each_have_their_own():
    start = cornu.Input((4,))
    model = cornu.Model(
        start,
        {
            "kind": layers.Dense(3, activation="softmax", name="kind")(start),
            "size": layers.Dense(1, name="size")(start),
        },
    )
    compiled(model, {"kind": "sparse_categorical_crossentropy", "size": "mse"})
    y = {"kind": np.arange(60) % 3, "size": RNG.normal(size=60)}
    facts = read_model(model, RNG.normal(size=(60, 4)), y)
    by_name = {output.name: output for output in facts.outputs}
    assert by_name["kind"].loss.labels == "classes"
    assert by_name["kind"].classes == 3
    assert by_name["size"].activation == "linear"
    assert by_name["size"].classes is None


def test_the_optimizer_and_its_schedule():
    schedule = cornu.optimizers.schedules.ExponentialDecay(0.1, 100, 0.5)
    model = cornu.Sequential([cornu.Input((2,)), layers.Dense(3)])
    compiled(model, "mse", cornu.optimizers.SGD(schedule, momentum=0.9))
    read = read_model(model).optimizer
    assert (read.kind, read.written) == ("sgd", "SGD")
    assert read.settings["momentum"] == 0.9
    assert read.learning_rate == np.float32(0.1)
    assert np.isclose(read.schedule(100), 0.05)
    compiled(model, "mse", "adam")
    assert read_model(model).optimizer.learning_rate == 0.001


def test_depthwise_separable_and_transposed_convolutions():
    model = compiled(
        cornu.Sequential(
            [
                cornu.Input((8, 8, 3)),
                layers.DepthwiseConv2D(3, padding="same", activation="relu"),
                layers.SeparableConv2D(4, 3, strides=2, padding="same"),
                layers.RMSNormalization(),
                layers.UpSampling2D(),
                layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
                layers.Cropping2D(1),
            ]
        ),
        "mse",
    )
    facts = read_model(model)
    shapes = {operation.kind: operation.shape for operation in facts.operations}
    assert shapes == {
        "Input": (None, 8, 8, 3),
        "DepthwiseConv2D": (None, 8, 8, 3),
        "activation": (None, 8, 8, 3),
        "SeparableConv2D": (None, 4, 4, 4),
        "RMSNormalization": (None, 4, 4, 4),
        "UpSampling2D": (None, 8, 8, 4),
        "Conv2DTranspose": (None, 16, 16, 2),
        "Cropping2D": (None, 14, 14, 2),
    }
    roles = {
        operation.kind: [(one.name, one.role) for one in operation.parameters]
        for operation in facts.operations
        if operation.parameters
    }
    assert roles == {
        "DepthwiseConv2D": [("kernel", "kernel"), ("bias", "bias")],
        "SeparableConv2D": [
            *(("depthwise_kernel", "kernel"), ("pointwise_kernel", "kernel"), ("bias", "bias")),
        ],
        "RMSNormalization": [("scale", "scale")],
        "Conv2DTranspose": [("kernel", "kernel"), ("bias", "bias")],
    }
    # nine inputs to each output, not as many as Keras' initializers count
    assert next(facts.of_kind("DepthwiseConv2D")).parameter("kernel").fan is None
