"""Rules on structure: each with networks that are wrong and networks that only look alike."""

import itertools
import textwrap

import numpy as np
import pytest

import cornu
from cornu import layers, ops
from cornu.check.facts import Facts, Loss, Operation, Output, Parameter, Training
from cornu.check.read_model import read_model
from cornu.check.rule import registered
from cornu.check.rules import connections, dropout, shapes, structure, windows  # noqa: F401
from cornu.check.rules.dropped import dropped_results
from cornu.check.source import Source
from cornu.check.statistics import ArrayFacts

CODES = [f"C2{number:02}" for number in range(1, 21)]


def findings(facts, codes=CODES):
    return [one for code in codes for one in registered()[code].apply(facts)]


def told(facts):
    """(code, layer, severity) of what is found."""
    return [(one.code, one.layer, one.severity) for one in findings(facts)]


def facts_of(*stack, loss="sparse_categorical_crossentropy", x=None, y=None, rows=1000, shape=None):
    """Facts of a Sequential model of an input shape and layers."""
    model = cornu.Sequential([cornu.Input(shape), *stack])
    return facts_of_model(model, loss, x, y, rows)


def facts_of_model(model, loss="mse", x=None, y=None, rows=1000):
    model.compile("adam", loss)
    return read_model(model, x, y, training=Training(rows=rows))


def dense(units, activation=None, name=None, **arguments):
    return layers.Dense(units, activation=activation, name=name, **arguments)


# -- C201 ------------------------------------------------------------------------------------------


def test_linear_layers_in_a_row_are_told_once():
    facts = facts_of(
        *(dense(64, name="a"), layers.Dropout(0.2), dense(32, name="b"), dense(10, "softmax")),
        shape=(784,),
    )
    assert told(facts) == [("C201", "a", "warning")]
    assert "`a` and `b`" in findings(facts)[0].fix


def test_convolution_without_activation_before_dense():
    facts = facts_of(
        layers.Conv2D(8, 3, name="conv"),
        layers.BatchNormalization(center=False),
        layers.Flatten(),
        dense(10, "softmax"),
        shape=(12, 12, 1),
    )
    assert told(facts) == [("C201", "conv", "warning")]


def test_convolutions_with_nothing_but_max_pooling_are_noted():
    facts = facts_of(
        layers.Conv2D(8, 3, name="conv"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        dense(16, "relu"),
        dense(10, "softmax"),
        shape=(12, 12, 1),
    )
    assert told(facts) == [("C201", "conv", "note")]


@pytest.mark.parametrize(
    "stack",
    [
        (dense(10, "softmax"),),  # logistic regression
        (dense(64, "relu"), dense(10, "softmax")),
        (dense(32), dense(784)),  # the code of an autoencoder
        (dense(64), layers.LeakyReLU(), dense(10, "softmax")),
        (dense(64), layers.LayerNormalization(), dense(10, "softmax")),
    ],
)
def test_linear_layers_on_purpose_or_with_an_activation(stack):
    assert told(facts_of(*stack, shape=(784,))) == []


def test_a_linear_layer_that_is_added_to_something_is_fine():
    inputs = cornu.Input((8,))
    x = layers.Dense(8, activation="relu")(inputs)
    x = layers.Add()([x, layers.Dense(8)(x)])
    x = layers.Dense(3, activation="softmax")(x)
    facts = facts_of_model(cornu.Model(inputs, x), "sparse_categorical_crossentropy")
    assert told(facts) == []


# -- C202, C219 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two", "severity"),
    [
        ("softmax", "softmax", "error"),
        ("sigmoid", "softmax", "error"),
        ("softmax", "sigmoid", "error"),
        ("tanh", "softmax", "warning"),
    ],
)
def test_two_activations_at_the_output(one, two, severity):
    facts = facts_of(
        dense(16, "relu"),
        dense(10, one),
        layers.Activation(two, name="second"),
        shape=(8,),
    )
    assert told(facts) == [("C202", "second", severity)]


def test_relu_twice_is_noted():
    facts = facts_of(
        dense(16, "relu"),
        layers.LeakyReLU(name="leaky"),
        dense(10, "softmax"),
        shape=(8,),
    )
    assert told(facts) == [("C202", "leaky", "note")]
    assert "remove the relu" in findings(facts)[0].fix


def test_relu_before_softmax_is_left_to_another_rule():
    facts = facts_of(dense(10, "relu"), layers.Softmax(), shape=(8,))
    assert told(facts) == []


def test_softmax_in_a_hidden_layer():
    facts = facts_of(dense(16, "softmax", name="hidden"), dense(10, "softmax"), shape=(8,))
    assert told(facts) == [("C219", "hidden", "warning")]


def test_softmax_of_attention_and_sigmoids_of_xor_are_fine():
    inputs = cornu.Input((8, 4))
    scores = layers.Dense(1)(inputs)
    weights = layers.Softmax(axis=1)(scores)
    x = layers.Multiply()([inputs, weights])
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dense(1, activation="sigmoid")(x)
    assert told(facts_of_model(cornu.Model(inputs, x), "binary_crossentropy")) == []
    xor = facts_of(
        dense(2, "sigmoid"), dense(1, "sigmoid"), shape=(2,), loss="binary_crossentropy", rows=4
    )
    assert told(xor) == []


def test_one_sigmoid_among_rectified_layers_is_noted():
    facts = facts_of(
        *(dense(16, "relu"), dense(16, "sigmoid", name="odd"), dense(10, "softmax")), shape=(8,)
    )
    assert told(facts) == [("C219", "odd", "note")]


# -- C203, C213 ------------------------------------------------------------------------------------


def test_dense_on_images_without_flatten():
    y = np.arange(50) % 10
    wrong = facts_of(dense(16, "relu", name="first"), dense(10, "softmax"), shape=(28, 28), y=y)
    assert told(wrong) == [("C203", "first", "error")]
    right = facts_of(
        *(layers.Flatten(), dense(16, "relu"), dense(10, "softmax")), shape=(28, 28), y=y
    )
    assert told(right) == []


def test_segmentation_has_axes_on_purpose():
    facts = facts_of(
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.Conv2D(3, 1, activation="softmax"),
        shape=(8, 8, 1),
        y=np.zeros((10, 8, 8), int),
    )
    assert told(facts) == []


# -- C204, C220: PyTorch ---------------------------------------------------------------------------


def torch_facts(*operations, loss=None, unused=(), source=None, rows=None):
    """Facts of a chain of operations of a PyTorch program."""
    for first, second in itertools.pairwise(operations):
        second.inputs = second.inputs or [first]
    loss = loss or Loss("sparse_categorical_crossentropy", "CrossEntropyLoss", "logits")
    return Facts(
        "torch",
        list(operations),
        [Output("output", operations[-1], loss)] if operations else [],
        unused=list(unused),
        source=Source("program.py", source) if source else None,
        training=Training(rows=rows),
    )


def seen(prediction, target):
    return Loss(
        *("sparse_categorical_crossentropy", "CrossEntropyLoss", "logits", "one-hot or classes"),
        class_axis=1,
        prediction_shape=prediction,
        target_shape=target,
    )


def entrance(*shape):
    return Operation("Input", "x", shape=shape)


def test_view_that_should_swap_batch_and_steps():
    def facts(kind, made):
        return torch_facts(
            entrance(None, 15, 5),
            Operation(kind, "move", shape=made),
            Operation(
                "LSTM", "lstm", {"units": 32, "return_sequences": True}, shape=(*made[:2], 32)
            ),
            Operation("getitem", "last", {"index": -1}, shape=(None, 32)),
            Operation("Dense", "fc", shape=(None, 3)),
            loss=seen((32, 3), (32,)),
        )

    assert told(facts("reshape", (15, 32, 5))) == [("C204", "move", "error")]
    assert told(facts("transpose", (15, 32, 5))) == []


def test_view_that_changes_the_number_of_rows():
    def facts(rows, width, targets):
        return torch_facts(
            entrance(32, 3, 12, 12),
            Operation("Conv2D", "conv", shape=(32, 16, 6, 6), channels_first=True),
            Operation("activation", "relu", {"function": "relu"}, shape=(32, 16, 6, 6)),
            Operation("reshape", "view", shape=(rows, width)),
            Operation("Dense", "fc", shape=(rows, 10)),
            loss=seen((rows, 10), (targets,)),
        )

    assert told(facts(64, 288, 32)) == [("C204", "view", "error")]
    assert "576 inputs" in findings(facts(64, 288, 32))[0].fix
    assert told(facts(32, 576, 32)) == []
    # a label for each part, as in language models
    assert told(facts(64, 288, 64)) == []


def test_reshape_of_the_batch_on_the_second_axis():
    def facts(shape, loss):
        return torch_facts(
            entrance(32, 12, 8),
            Operation("transpose", "steps_first", shape=(12, 32, 8)),
            Operation("reshape", "view", shape=shape),
            Operation("Dense", "fc", shape=(shape[0], 3)),
            loss=loss,
        )

    assert told(facts((32, 96), seen((32, 3), (32,)))) == [("C204", "view", "error")]
    assert told(facts((384, 8), seen((384, 3), (384,)))) == []


def test_final_state_of_two_layers_put_side_by_side():
    def facts(parts, shape):
        lstm = Operation(
            "LSTM",
            "lstm",
            {"num_layers": parts, "batch_first": True, "units": 16, "return_sequences": True},
            shape=(32, 12, 16),
        )
        return torch_facts(
            entrance(32, 12, 8),
            lstm,
            Operation("reshape", "view", shape=shape),
            Operation("Dense", "fc", shape=(shape[0], 3)),
            loss=seen((32, 3), (32,)),
        )

    assert told(facts(2, (32, 32))) == [("C204", "view", "error")]
    assert told(facts(1, (32, 16))) == []
    assert told(facts(1, (32, 192))) == []  # all steps of the output


def test_reshape_in_place_of_a_transpose():
    def facts(kind):
        return torch_facts(
            entrance(32, 28, 20, 3),
            Operation(kind, "move", shape=(32, 3, 28, 20)),
            Operation("Conv2D", "conv", shape=(32, 8, 26, 18), channels_first=True),
        )

    assert told(facts("reshape")) == [("C204", "move", "warning")]
    assert told(facts("transpose")) == []


def test_reshape_that_adds_an_axis_of_one_is_fine():
    facts = facts_of(
        layers.Reshape((30, 1)),
        layers.Conv1D(8, 3, activation="relu"),
        layers.Flatten(),
        dense(3, "softmax"),
        shape=(1, 30),
        y=np.zeros(10, int),
    )
    assert told(facts) == []


def test_reshape_of_rows_in_a_keras_program():
    def facts(shape):
        inputs = cornu.Input((4, 6))
        x = layers.Dense(8, activation="relu")(ops.reshape(inputs, shape))
        model = cornu.Model(inputs, layers.Dense(3, activation="softmax")(x))
        return facts_of_model(model, "sparse_categorical_crossentropy", y=np.zeros(10, int))

    assert [code for code, _, _ in told(facts((-1, 6)))] == ["C204"]
    assert told(facts((-1, 24))) == []


def test_batch_taken_for_steps():
    def facts(batch_first, target, taken=(32, 12, 8)):
        settings = {"batch_first": batch_first, "num_layers": 1, "units": 16}
        return torch_facts(
            entrance(*taken),
            Operation("LSTM", "lstm", settings, shape=(*taken[:2], 16)),
            Operation("getitem", "last", shape=(32, 16)),
            Operation("Dense", "fc", shape=(32, 3)),
            loss=seen((32, 3), target),
        )

    assert told(facts(False, (32,))) == [("C220", "lstm", "error")]
    assert told(facts(True, (32,))) == []
    # steps first, as the layer wants them
    assert told(facts(False, (32,), taken=(12, 32, 8))) == []


# -- C205 to C208, C217, C218 ----------------------------------------------------------------------


def test_dropout_before_batch_normalization():
    def facts(*middle):
        return facts_of(dense(16, use_bias=False), *middle, dense(10, "softmax"), shape=(8,))

    relu = layers.ReLU
    norm = layers.BatchNormalization
    assert told(facts(relu(), layers.Dropout(0.5, name="drop"), norm())) == [
        ("C205", "drop", "warning")
    ]
    assert told(facts(layers.Dropout(0.2, name="drop"), relu(), norm())) == [
        ("C205", "drop", "note")
    ]
    assert told(facts(norm(), relu(), layers.Dropout(0.5))) == []


def test_dropout_after_the_output():
    wrong = facts_of(dense(10, "softmax"), layers.Dropout(0.5, name="drop"), shape=(8,))
    assert told(wrong) == [("C206", "drop", "error")]
    right = facts_of(layers.Dropout(0.5), dense(10, "softmax"), shape=(8,))
    assert told(right) == []


def test_dropout_on_an_embedding_under_a_loss_of_ones_own_is_fine():
    facts = torch_facts(
        entrance(32, 8),
        Operation("Dense", "fc", shape=(32, 16)),
        Operation("Dropout", "drop", {"rate": 0.1}, shape=(32, 16)),
        loss=Loss("custom", "contrastive"),
    )
    assert told(facts) == []


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(0.5, []), (0.7, []), (0.8, ["warning"]), (1.0, ["error"])],
)
def test_dropout_rate(rate, expected):
    facts = torch_facts(
        entrance(32, 8),
        Operation("Dropout", "drop", {"rate": rate}, shape=(32, 8)),
        Operation("Dense", "fc", shape=(32, 3)),
    )
    assert [severity for _, _, severity in told(facts)] == expected


def test_bias_before_batch_normalization_is_noted_once():
    def facts(bias):
        return facts_of(
            *(dense(16, use_bias=bias, name="a"), layers.BatchNormalization(), layers.ReLU()),
            *(dense(16, use_bias=bias), layers.BatchNormalization(), layers.ReLU()),
            dense(10, "softmax"),
            shape=(8,),
        )

    assert told(facts(True)) == [("C208", "a", "note")]
    assert told(facts(False)) == []


def test_batch_normalization_behind_the_output():
    wrong = facts_of(dense(10, "softmax"), layers.BatchNormalization(name="norm"), shape=(8,))
    assert told(wrong) == [("C217", "norm", "error")]
    logits = facts_of(
        dense(10, use_bias=False),
        layers.BatchNormalization(name="norm"),
        layers.Softmax(),
        shape=(8,),
    )
    assert told(logits) == [("C217", "norm", "warning")]
    right = facts_of(layers.BatchNormalization(), dense(10, "softmax"), shape=(8,))
    assert told(right) == []


def test_a_hidden_layer_of_one_unit():
    wrong = facts_of(
        *(dense(16, "relu"), dense(1, "relu", name="one"), dense(10, "softmax")), shape=(8,)
    )
    assert told(wrong) == [("C217", "one", "warning")]
    autoencoder = facts_of(
        *(dense(4, "relu"), dense(1, "relu"), dense(4, "relu"), dense(8)), shape=(8,), loss="mse"
    )
    assert told(autoencoder) == []


PROGRAM = """
import torch.nn as nn, torch.nn.functional as F
class Net(nn.Module):
    def __init__(self):
        self.drop = nn.Dropout(0.5)
    def forward(self, x):
        {line}
        return x
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("x = F.dropout(x, 0.5)", ["warning"]),
        ("x = nn.functional.dropout(x, p=0.5)", ["warning"]),
        ("x = nn.Dropout(0.5)(x)", ["warning"]),
        ("x = F.dropout(x, 0.5, training=True)", ["note"]),
        ("x = F.dropout(x, 0.5, training=self.training)", []),
        ("x = F.dropout(x, 0.5, self.training)", []),
        ("x = F.dropout(x, training=training)", []),
        ("x = self.drop(x)", []),
    ],
)
def test_functional_dropout(line, expected):
    found = findings(torch_facts(source=PROGRAM.format(line=line)))
    assert [one.severity for one in found] == expected
    assert all(one.code == "C218" and one.place.line == 7 for one in found)


# -- C209 to C212 ----------------------------------------------------------------------------------


def test_pooling_that_leaves_one_position_before_more_windows():
    wrong = facts_of(
        layers.Conv2D(8, 3, strides=4, padding="same", activation="relu"),
        layers.MaxPooling2D(7, name="pool"),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Flatten(),
        dense(10, "softmax"),
        shape=(28, 28, 1),
    )
    assert told(wrong) == [("C209", "pool", "warning")]
    right = facts_of(
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(14),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(16, 1, activation="relu"),
        layers.Flatten(),
        dense(10, "softmax"),
        shape=(28, 28, 1),
    )
    assert told(right) == []


def test_window_larger_than_a_sequence():
    def facts(*shape):
        return facts_of(
            layers.Conv1D(8, 3, padding="same", activation="relu", name="conv"),
            layers.Flatten(),
            dense(3, "softmax"),
            shape=shape,
        )

    assert told(facts(1, 30)) == [("C210", "conv", "warning")]
    assert told(facts(30, 1)) == []
    assert told(facts(2, 30)) == []


def test_windows_as_high_as_their_input_are_fine():
    text = facts_of(
        layers.Conv2D(8, (3, 16), activation="relu"),
        layers.GlobalMaxPooling2D(),
        dense(2, "softmax"),
        shape=(20, 16, 1),
    )
    assert told(text) == []


def test_filters_that_shrink():
    def facts(*filters):
        stack = [
            layer
            for count in filters
            for layer in (layers.Conv2D(count, 3, activation="relu"), layers.MaxPooling2D())
        ]
        return facts_of(*stack, layers.Flatten(), dense(10, "softmax"), shape=(40, 40, 1))

    assert [(code, severity) for code, _, severity in told(facts(32, 16, 8))] == [("C211", "note")]
    assert told(facts(8, 16, 32)) == []
    assert told(facts(32, 64, 32)) == []


@pytest.mark.parametrize(
    ("function", "depth", "expected"),
    [
        *(("sigmoid", 2, []), ("sigmoid", 3, ["note"]), ("sigmoid", 5, ["warning"])),
        *(("tanh", 4, []), ("tanh", 6, ["note"]), ("relu", 9, [])),
    ],
)
def test_saturating_stack(function, depth, expected):
    stack = [dense(16, function) for _ in range(depth)]
    facts = facts_of(*stack, dense(10, "softmax"), shape=(8,))
    assert [severity for _, _, severity in told(facts)] == expected
    assert all(code == "C212" for code, _, _ in told(facts))


# -- layers that are read from programs of other frameworks -------------------------------------


def keras_facts(*operations, loss="mean_squared_error", labels="values", y=None):
    """Facts of a chain of operations of a Keras program."""
    for first, second in itertools.pairwise(operations):
        second.inputs = second.inputs or [first]
    output = Output("output", operations[-1], Loss(loss, loss, labels=labels))
    output.labels = None if y is None else ArrayFacts(y, "y")
    return Facts("keras", list(operations), [output])


def activation(function, *shape):
    return Operation("activation", function, {"function": function, "axis": -1}, shape=shape)


def test_depthwise_before_pointwise_and_factorized_windows_are_on_purpose():
    def facts(kind, first, second):
        one = Operation(kind, "one", {"kernel_size": first}, shape=(None, 12, 12, 8))
        return keras_facts(
            Operation("Input", "x", shape=(None, 12, 12, 4)),
            one,
            Operation("Conv2D", "two", {"kernel_size": second}, shape=(None, 12, 12, 8)),
            activation("relu", None, 12, 12, 8),
            Operation("GlobalAveragePooling2D", "pool", shape=(None, 8)),
            Operation("Dense", "last", shape=(None, 3)),
        )

    assert told(facts("Conv2D", (3, 3), (1, 1))) == [("C201", "one", "warning")]
    assert told(facts("DepthwiseConv2D", (3, 3), (1, 1))) == []
    assert told(facts("Conv2D", (1, 3), (3, 1))) == []
    assert told(facts("Conv2DTranspose", (3, 3), (3, 3))) == []


def recurrent(name, *shape):
    return Operation("LSTM", name, {"return_sequences": len(shape) == 3}, shape=shape)


def test_mean_squared_error_repeats_labels_along_left_over_steps():
    def facts(*shape):
        return keras_facts(
            Operation("Input", "x", shape=(None, 12, 3)),
            recurrent("lstm", *shape, 8),
            Operation("Dense", "last", shape=(*shape, 1)),
            y=np.random.default_rng(0).normal(size=(50, 1)),
        )

    assert told(facts(None, 12)) == [("C213", "lstm", "error")]
    assert told(facts(None)) == []


@pytest.mark.parametrize(
    ("width", "y", "loss", "labels"),
    [
        # a label for each step, as classes, with and without an axis of 1, and as values
        (5, np.zeros((50, 12), int), "sparse_categorical_crossentropy", "classes"),
        (5, np.zeros((50, 12, 1), int), "sparse_categorical_crossentropy", "classes"),
        (5, np.eye(5)[np.zeros((50, 12), int)], "categorical_crossentropy", "one-hot"),
        (1, np.zeros((50, 12)), "binary_crossentropy", "binary"),
        (2, np.zeros((50, 12, 2)), "mean_squared_error", "values"),
    ],
)
def test_labels_for_each_step(width, y, loss, labels):
    facts = keras_facts(
        Operation("Input", "x", shape=(None, 12, 3)),
        recurrent("lstm", None, 12, 8),
        Operation("Dense", "last", shape=(None, 12, width)),
        loss=loss,
        labels=labels,
        y=y,
    )
    assert told(facts) == []


def test_second_recurrent_layer_gets_only_the_last_step():
    facts = torch_facts(
        entrance(32, 12, 8),
        Operation("LSTM", "one", {"batch_first": True}, shape=(32, 12, 16)),
        Operation("getitem", "last", shape=(32, 16)),
        Operation("LSTM", "two", {"batch_first": True}, shape=(32, 16)),
        Operation("Dense", "fc", shape=(32, 3)),
    )
    assert told(facts) == [("C213", "two", "error")]


def image(kind, name, size, filters, window=3, stride=1):
    settings = {"strides": (stride, stride), "padding": "same"}
    settings["pool_size" if "Pool" in kind else "kernel_size"] = (window, window)
    return Operation(kind, name, settings, shape=(None, size, size, filters))


def test_encoders_of_images_may_go_down_to_one_position():
    def facts(*decoder):
        return keras_facts(
            Operation("Input", "x", shape=(None, 4, 4, 1)),
            *(image("Conv2D", "a", 2, 8, 4, 2), activation("relu", None, 2, 2, 8)),
            *(image("Conv2D", "b", 1, 8, 4, 2), activation("relu", None, 1, 1, 8)),
            *(image("Conv2D", "c", 1, 8), activation("relu", None, 1, 1, 8)),
            *decoder,
        )

    ending = [
        Operation("Flatten", "flat", shape=(None, 8)),
        Operation("Dense", "d", shape=(None, 3)),
    ]
    assert told(facts(*ending)) == [("C209", "b", "warning")]
    assert told(facts(image("Conv2DTranspose", "up", 4, 1, 4, 4))) == []


def test_autoencoders_may_have_fewer_filters():
    facts = keras_facts(
        Operation("Input", "x", shape=(None, 8, 8, 1)),
        *(image("Conv2D", "a", 8, 16), activation("relu", None, 8, 8, 16)),
        image("MaxPooling2D", "pool", 4, 16, 2, 2),
        *(image("Conv2D", "b", 4, 8), activation("relu", None, 4, 4, 8)),
        Operation("UpSampling2D", "up", shape=(None, 8, 8, 8)),
        image("Conv2D", "c", 8, 1),
    )
    assert told(facts) == []


# -- C214 to C216 ----------------------------------------------------------------------------------


def test_layers_that_are_never_used():
    def facts(*unused):
        return torch_facts(
            entrance(32, 8),
            Operation("Dense", "fc1", shape=(32, 16)),
            Operation("activation", "relu", {"function": "relu"}, shape=(32, 16)),
            Operation("Dense", "fc3", shape=(32, 3)),
            unused=unused,
        )

    assert told(facts(("fc2", "Dense", None))) == [("C214", "fc2", "warning")]
    assert told(facts(("softmax", "Softmax", None), ("resnet.fc", "Dense", None))) == []
    # as many as are used: another part of the program
    other = [(f"generator.{number}", "Dense", None) for number in range(3)]
    assert told(facts(*other)) == []


def test_layers_within_a_layer_of_ones_own_are_not_told():
    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = layers.Dense(8)

        def call(self, x):
            return x + self.inner(x)

    many = [dense(8, "relu") for _ in range(3)]
    assert told(facts_of(*many, Block(), layers.ReLU(), dense(3, "softmax"), shape=(8,))) == []


def test_an_input_that_nothing_depends_on():
    def facts(both):
        left, right = cornu.Input((4,), name="left"), cornu.Input((4,), name="right")
        merged = layers.Concatenate()([left, right]) if both else left
        return facts_of_model(cornu.Model([left, right], layers.Dense(1)(merged)))

    assert told(facts(True)) == []
    try:
        wrong = facts(False)
    except ValueError:
        pytest.skip("a model with such an input cannot be made")
    assert told(wrong) == [("C215", "right", "warning")]


def test_more_parameters_than_data():
    def facts(rows, *stack):
        return facts_of(*stack, dense(3, "softmax"), shape=(4,), rows=rows)

    wide = [dense(512, "relu"), dense(512, "relu")]
    assert [(code, severity) for code, _, severity in told(facts(150, *wide))] == [("C216", "note")]
    assert told(facts(60_000, dense(512, "relu"), dense(512, "relu"))) == []
    assert told(facts(150, dense(64, "relu"), dense(64, "relu"))) == []
    # four rows of XOR
    assert told(facts(4, dense(512, "relu"), dense(512, "relu"))) == []
    assert told(facts(150, dense(512, "relu"), layers.Dropout(0.5), dense(512, "relu"))) == []


# -- pages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_each_rule_has_a_page(code):
    page = registered()[code].page
    for part in ("What it does", "Why it hurts", "Example", "Fix"):
        assert f"## {part}" in page


def test_frozen_networks_are_left_alone():
    stack = [Operation("Dense", f"fc{i}", shape=(32, 64), trainable=False) for i in range(2)]
    for layer in stack:
        layer.parameters = [Parameter("weight", "kernel", (64, 64), trainable=False)]
    facts = torch_facts(entrance(32, 64), *stack)
    facts.inputs = [ArrayFacts(np.ones((32, 64)))]
    assert told(facts) == []


def test_results_dropped_in_forward():
    source = Source(
        "net.py",
        textwrap.dedent("""
            class Net(nn.Module):
                def __init__(self):
                    super().__init__()
                    self.fc = nn.Linear(4, 4)
                    self.relu = nn.ReLU()
                    self.act = nn.ReLU(inplace=True)
                    self.memory = Memory()

                def forward(self, x):
                    x = self.fc(x)
                    self.relu(x)
                    self.act(x)
                    self.memory(x)
                    x.view(-1, 4)
                    F.relu(x, inplace=True)
                    x.relu_()
                    y = self.fc(x)
                    z = self.relu(x)
                    _, h = self.fc(x), x
                    return z
            """),
    )
    found = [(name, statement.lineno) for name, statement in dropped_results(source)]
    assert found == [("self.relu", 12), ("x.view", 15), ("self.fc", 18)]
