"""The rules about outputs, losses and labels: each finds its bad network, and not the good one."""

import dataclasses

import numpy as np
import pytest

from cornu.check import all_rules
from cornu.check.facts import Facts, Loss, Metric, Operation, Output, Training
from cornu.check.source import Source
from cornu.check.statistics import ArrayFacts
from cornu.core.places import Place

RNG = np.random.default_rng(0)
ROWS = 200
NUMBERS = np.arange(ROWS) % 10
BINARY = np.arange(ROWS) % 2
ONE_HOT = np.eye(10)[NUMBERS]
SEVERAL = (RNG.random((ROWS, 10)) < 0.3).astype("float32")
VALUES = RNG.normal(20, 9, ROWS)
KINDS = {
    "categorical_crossentropy": ("probabilities", "one-hot"),
    "sparse_categorical_crossentropy": ("probabilities", "classes"),
    "binary_crossentropy": ("probabilities", "binary"),
    "mean_squared_error": ("values", "values"),
    "negative_log_likelihood": ("log probabilities", "classes"),
    "hinge": ("values", "signs"),
}
TORCH = {
    "CrossEntropyLoss": ("categorical_crossentropy", "logits", "one-hot or classes"),
    "NLLLoss": ("negative_log_likelihood", "log probabilities", "classes"),
    "BCELoss": ("binary_crossentropy", "probabilities", "binary"),
    "BCEWithLogitsLoss": ("binary_crossentropy", "logits", "binary"),
    "MSELoss": ("mean_squared_error", "values", "values"),
}


def loss_of(written, **changes):
    """A loss as a reader would describe it; "NAME logits" for from_logits=True."""
    place = Place("program.py", 3)
    if written in TORCH:
        kind, expects, labels = TORCH[written]
        loss = Loss(kind, written, expects, labels, place=place, class_axis=1)
    else:
        name, _, logits = written.partition(" ")
        expects, labels = KINDS[name]
        loss = Loss(name, name, expects, labels, place=place)
        if logits:
            loss.expects, loss.settings = "logits", {"from_logits": True}
    return dataclasses.replace(loss, **changes)


def network(units, functions=(), loss="mean_squared_error", y=None, metrics=(), x=None, **changes):
    """Facts of one dense layer of some units (or of a given shape) and activations behind it."""
    shape = (None, units) if isinstance(units, int) else units
    place = Place("program.py", 2)
    operations = [Operation("Input", "input", shape=(None, 4))]
    dense = Operation("Dense", "out", {"units": shape[-1]}, [operations[0]], shape, place=place)
    operations.append(dense)
    for function in [functions] if isinstance(functions, str) else functions:
        name, _, axis = function.partition(" ")
        operations.append(
            Operation(
                "activation",
                name,
                {"function": name, "axis": int(axis or -1)},
                [operations[-1]],
                shape,
                place=place,
            )
        )
    framework = "torch" if loss in TORCH else "cornu"
    made = loss_of(loss, **changes)
    output = Output(
        "output",
        operations[-1],
        made,
        [Metric(kind, kind) for kind in metrics],
        ArrayFacts(y, "the labels") if y is not None else None,
    )
    if framework == "torch" and y is not None and made.prediction_shape is None:
        made.target_shape = np.shape(y)
        made.prediction_shape = (len(y), *shape[1:])
    return Facts(
        framework,
        operations,
        [output],
        inputs=[ArrayFacts(x)] if x is not None else [],
        training=Training(rows=None if y is None else len(y)),
    )


def found(facts, section="C1"):
    """Codes of the findings of a section, with their severity."""
    return {
        one.code: one.severity
        for code, rule in all_rules().items()
        if code.startswith(section)
        for one in rule.apply(facts)
    }


CASES = {
    "C101 error": (network(10, "softmax", "CrossEntropyLoss", NUMBERS),
                   network(10, (), "CrossEntropyLoss", NUMBERS)),
    "C101 error ": (network(10, "softmax", "categorical_crossentropy logits", ONE_HOT),
                    network(10, "softmax", "categorical_crossentropy", ONE_HOT)),
    "C101 note": (network(10, "log_softmax", "CrossEntropyLoss", NUMBERS),
                  network(10, "log_softmax", "NLLLoss", NUMBERS)),
    "C102 error": (network(1, "sigmoid", "BCEWithLogitsLoss", BINARY[:, None] * 1.0),
                   network(1, (), "BCEWithLogitsLoss", BINARY[:, None] * 1.0)),
    "C102 error ": (network(1, "sigmoid", "binary_crossentropy logits", BINARY),
                    network(1, "sigmoid", "binary_crossentropy", BINARY)),
    "C103 error": (network(10, (), "sparse_categorical_crossentropy", NUMBERS),
                   network(10, (), "sparse_categorical_crossentropy logits", NUMBERS)),
    "C103 error ": (network(10, "relu", "categorical_crossentropy", ONE_HOT),
                    network(10, "softmax", "categorical_crossentropy", ONE_HOT)),
    "C103 error  ": (network(1, (), "binary_crossentropy", BINARY),
                     network(1, "sigmoid", "binary_crossentropy", BINARY)),
    "C103 error nll": (network(10, "softmax", "NLLLoss", NUMBERS),
                       network(10, "log_softmax 1", "NLLLoss", NUMBERS)),
    "C103 error nll linear": (network(10, (), "NLLLoss", NUMBERS),
                              network(10, (), "CrossEntropyLoss", NUMBERS)),
    "C104 warning": (network(10, "sigmoid", "categorical_crossentropy", ONE_HOT),
                     network(10, "sigmoid", "binary_crossentropy", SEVERAL)),
    "C104 error": (network(10, "sigmoid", "CrossEntropyLoss", NUMBERS),
                   network(10, (), "CrossEntropyLoss", NUMBERS)),
    "C105 error": (network(1, "softmax", "binary_crossentropy", BINARY),
                   network(1, "sigmoid", "binary_crossentropy", BINARY)),
    "C105 error ": (network(1, "softmax", "categorical_crossentropy", BINARY),
                    network(2, "softmax", "categorical_crossentropy", np.eye(2)[BINARY])),
    "C105 error loss": (network(1, (), "CrossEntropyLoss", BINARY),
                        network(2, (), "CrossEntropyLoss", BINARY)),
    "C105 error value": (network(1, "softmax", "mean_squared_error", VALUES),
                         network(1, (), "mean_squared_error", VALUES)),
    "C106 error": (network(9, "softmax", "sparse_categorical_crossentropy", NUMBERS),
                   network(10, "softmax", "sparse_categorical_crossentropy", NUMBERS)),
    "C106 error ": (network(5, "softmax", "categorical_crossentropy", ONE_HOT),
                    network(10, "softmax", "categorical_crossentropy", ONE_HOT)),
    "C106 error one": (network(1, "sigmoid", "sparse_categorical_crossentropy", BINARY),
                       network(2, "softmax", "sparse_categorical_crossentropy", BINARY)),
    "C106 error two": (network(2, "sigmoid", "binary_crossentropy", BINARY),
                       network(2, "sigmoid", "binary_crossentropy", SEVERAL[:, :2])),
    "C106 error softmax": (network(2, "softmax", "binary_crossentropy", BINARY),
                           network(2, "softmax", "binary_crossentropy", np.eye(2)[BINARY])),
    "C106 error values": (network(3, (), "mean_squared_error", VALUES),
                          network(1, (), "mean_squared_error", VALUES)),
    "C106 error onehot": (network(1, "sigmoid", "binary_crossentropy", np.eye(2)[BINARY]),
                          network(1, "sigmoid", "binary_crossentropy", BINARY[:, None])),
    "C106 note": (network(10, "softmax", "sparse_categorical_crossentropy", BINARY),
                  network(3, "softmax", "sparse_categorical_crossentropy", BINARY + 1)),
    "C107 error": (network(10, "softmax", "sparse_categorical_crossentropy", ONE_HOT),
                   network(10, "softmax", "sparse_categorical_crossentropy", NUMBERS[:, None])),
    "C107 error ": (network(10, "softmax", "categorical_crossentropy", NUMBERS),
                    network(10, "softmax", "categorical_crossentropy", ONE_HOT)),
    "C107 error column": (network(10, (), "CrossEntropyLoss", NUMBERS[:, None]),
                          network(10, (), "CrossEntropyLoss", ONE_HOT)),
    "C107 error integers": (network(10, (), "CrossEntropyLoss", ONE_HOT.astype("int64")),
                            network(10, (), "CrossEntropyLoss", ONE_HOT.astype("float32"))),
    "C108 error": (network(10, "softmax", "sparse_categorical_crossentropy", NUMBERS + 1),
                   network(11, "softmax", "sparse_categorical_crossentropy", NUMBERS + 1)),
    "C108 error gaps": (network(3, (), "CrossEntropyLoss", np.arange(ROWS) % 3 * 5 + 2),
                        network(3, (), "CrossEntropyLoss", np.arange(ROWS) % 3)),
    "C108 error below": (network(3, (), "CrossEntropyLoss", np.arange(ROWS) % 4 - 1),
                         network(3, (), "CrossEntropyLoss", np.r_[NUMBERS % 3, -100])),
    "C108 error binary": (network(1, "sigmoid", "binary_crossentropy", BINARY + 1),
                          network(1, "sigmoid", "binary_crossentropy", BINARY)),
    "C109 error": (network(1, "sigmoid", "binary_crossentropy", 2 * BINARY - 1),
                   network(1, "tanh", "hinge", 2 * BINARY - 1)),
    "C109 error tanh": (network(1, "tanh", "binary_crossentropy", 2 * BINARY - 1),
                        network(1, "tanh", "mean_squared_error", 2 * BINARY - 1)),
    "C109 error classes": (network(2, (), "CrossEntropyLoss", 2 * BINARY - 1),
                           network(2, (), "CrossEntropyLoss", BINARY)),
    "C110 error": (network(2, "softmax", "sparse_categorical_crossentropy",
                           np.array(["cat", "dog"])[BINARY]),
                   network(2, "softmax", "sparse_categorical_crossentropy", BINARY * 1.0)),
    "C110 error float": (network(10, (), "CrossEntropyLoss", NUMBERS.astype("float32")),
                         network(10, (), "CrossEntropyLoss", NUMBERS)),
    "C110 error long": (network(1, "sigmoid", "BCELoss", BINARY[:, None]),
                        network(1, "sigmoid", "BCELoss", BINARY[:, None].astype("float32"))),
    "C111 error": (network(1, "tanh", "binary_crossentropy", BINARY),
                   network(1, "sigmoid", "binary_crossentropy", BINARY)),
    "C111 warning": (network(1, "tanh", "mean_squared_error", BINARY),
                     network(1, "tanh", "mean_squared_error", 2 * BINARY - 1)),
    "C112 warning": (network(10, "softmax", "mean_squared_error", ONE_HOT),
                     network(10, "softmax", "categorical_crossentropy", ONE_HOT)),
    "C112 warning binary": (network(1, "sigmoid", "mean_squared_error", BINARY),
                            network(1, "sigmoid", "mean_squared_error", BINARY[:4])),
    "C112 warning number": (network(1, (), "mean_squared_error", NUMBERS, ["accuracy"]),
                            network(1, (), "mean_squared_error", NUMBERS)),
    "C112 error": (network(10, (), "MSELoss", NUMBERS), network(1, (), "MSELoss", VALUES[:, None])),
    "C113 error": (network(1, (), "binary_crossentropy", VALUES),
                   network(1, (), "mean_squared_error", VALUES)),
    "C113 error prices": (network(1, (), "sparse_categorical_crossentropy", np.arange(ROWS) * 1000),
                          network(1, "sigmoid", "binary_crossentropy", RNG.random(ROWS))),
    "C113 error columns": (network(3, "softmax", "categorical_crossentropy",
                                   RNG.normal(size=(ROWS, 3))),
                           network(3, "softmax", "categorical_crossentropy",
                                   RNG.dirichlet(np.ones(3), ROWS))),
    "C114 warning": (network(1, (), "mean_squared_error", VALUES, ["accuracy"]),
                     network(1, (), "mean_squared_error", VALUES, ["mean_absolute_error"])),
    "C114 warning binary": (
        network(10, "softmax", "categorical_crossentropy", ONE_HOT, ["binary_accuracy"]),
        network(10, "sigmoid", "binary_crossentropy", SEVERAL, ["binary_accuracy"])),
    "C114 warning one": (
        network(1, "sigmoid", "binary_crossentropy", BINARY, ["categorical_accuracy"]),
        network(1, "sigmoid", "binary_crossentropy", BINARY, ["binary_accuracy"])),
    "C115 error": (network(1, "sigmoid", "mean_squared_error", VALUES),
                   network(1, "sigmoid", "mean_squared_error", RNG.random(ROWS))),
    "C115 error relu": (network(1, "relu", "mean_squared_error", VALUES - 20),
                        network(1, "relu", "mean_squared_error", abs(VALUES))),
    "C115 error pixels": (network(4, "sigmoid", "binary_crossentropy", RNG.random((ROWS, 4)) * 255),
                          network(4, "sigmoid", "binary_crossentropy", RNG.random((ROWS, 4)))),
    "C116 warning": (network(10, "softmax", "binary_crossentropy", ONE_HOT),
                     network(10, "sigmoid", "binary_crossentropy", SEVERAL)),
    "C116 error": (network(1, "sigmoid", "binary_crossentropy", NUMBERS),
                   network(1, "sigmoid", "binary_crossentropy", BINARY)),
    "C116 note": (network(10, "sigmoid", "binary_crossentropy", ONE_HOT),
                  network(10, "softmax", "categorical_crossentropy", ONE_HOT)),
    "C117 error": (network(1, (), "MSELoss", VALUES), network(1, (), "MSELoss", VALUES[:, None])),
    "C117 error other": (network((None,), (), "MSELoss", VALUES[:, None]),
                         network((None,), (), "MSELoss", VALUES)),
    "C117 error binary": (network(1, "sigmoid", "BCELoss", BINARY.astype("float32")),
                          network(1, (), "MSELoss", VALUES[:1])),
    "C118 warning": (network(10, "softmax", "categorical_crossentropy", SEVERAL),
                     network(10, "sigmoid", "binary_crossentropy", SEVERAL)),
    "C118 error": (network(10, "softmax", "binary_crossentropy", SEVERAL),
                   network(10, "softmax", "categorical_crossentropy", ONE_HOT)),
    "C119 error": (network(10, "log_softmax 0", "NLLLoss", NUMBERS),
                   network(10, "log_softmax 1", "NLLLoss", NUMBERS)),
    "C119 error axis": (
        network((None, 10, 6, 6), "log_softmax -1", "NLLLoss", np.zeros((8, 6, 6), int)),
        network((None, 10, 6, 6), "log_softmax 1", "NLLLoss", np.zeros((8, 6, 6), int))),
    "C120 warning": (network(10, "relu", "CrossEntropyLoss", NUMBERS),
                     network(10, (), "CrossEntropyLoss", NUMBERS)),
    "C120 warning before": (network(10, ("relu", "softmax"), "categorical_crossentropy", ONE_HOT),
                            network(10, "softmax", "categorical_crossentropy", ONE_HOT)),
    "C120 error": (network(1, ("relu", "sigmoid"), "binary_crossentropy", BINARY),
                   network(1, "sigmoid", "binary_crossentropy", BINARY)),
    "C120 error tanh": (network(10, "tanh", "CrossEntropyLoss", NUMBERS),
                        network(10, (), "CrossEntropyLoss", NUMBERS)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_bad_network_is_found_and_good_one_is_not(case):
    bad, good = CASES[case]
    code, severity = case.split()[:2]
    assert found(bad) == {code: severity}
    assert found(good) == {}


@pytest.mark.parametrize(
    "facts",
    [
        # XOR, in the two ways in which it is written
        network(1, "sigmoid", "mean_squared_error", np.array([0, 1, 1, 0]), ["binary_accuracy"]),
        network(1, "tanh", "mean_squared_error", np.array([[0], [1], [1], [0]])),
        # autoencoders
        network(4, "sigmoid", "binary_crossentropy", (X := RNG.random((ROWS, 4))), x=X),
        network(10, "sigmoid", "mean_squared_error", ONE_HOT, x=ONE_HOT),
        network(10, "sigmoid", "binary_crossentropy", ONE_HOT, x=ONE_HOT),
        # one of a GAN's batches, and least squares on it
        network(1, "sigmoid", "binary_crossentropy", np.ones((32, 1))),
        network(1, (), "mean_squared_error", np.zeros((32, 1))),
        # a value network, a game's results
        network(1, "tanh", "mean_squared_error", np.arange(ROWS) % 3 - 1),
        # segmentation, a class or a share for each pixel
        network((None, 8, 8, 3), "softmax", "sparse_categorical_crossentropy",
                np.arange(640).reshape(10, 8, 8) % 3),
        network((None, 8, 8, 1), "sigmoid", "binary_crossentropy",
                (np.arange(640).reshape(10, 8, 8, 1) % 2).astype("float32")),
        network((None, 3, 8, 8), (), "CrossEntropyLoss", np.arange(640).reshape(10, 8, 8) % 3),
        # a language model, and one padded with rows of zeros
        network((None, 5, 50), "softmax", "sparse_categorical_crossentropy",
                np.arange(100).reshape(20, 5) % 50),
        network((None, 5, 4), "softmax", "categorical_crossentropy",
                np.eye(5)[np.arange(100) % 5].reshape(20, 5, 5)[..., 1:]),
        # labels that the loss leaves out
        network((None, 4), (), "CrossEntropyLoss", np.r_[NUMBERS % 4, 255],
                settings={"ignore_index": 255}),
        # a batch that shows few of the classes, and a batch with counts as targets
        network(1000, (), "CrossEntropyLoss", np.array([3, 999, 17, 4])),
        network(1, (), "mean_squared_error", np.arange(ROWS) % 40, ["mean_absolute_error"]),
        # class probabilities, and smoothed ones
        network(10, (), "CrossEntropyLoss", ONE_HOT.astype("float32") * 0.9 + 0.01),
        # no labels were seen
        network(10, "softmax", "categorical_crossentropy", None, ["accuracy"]),
        network(1, "sigmoid", "binary_crossentropy", None, ["accuracy"]),
    ],
    ids=str,
)  # fmt: skip
def test_silent_on_right_networks(facts):
    assert found(facts) == {}


def test_softmax_within_the_network_over_one_unit_is_a_warning():
    facts = network(1, "softmax", "mean_squared_error", VALUES)
    weighted = Operation("Dense", "next", {}, [facts.operations[-1]], (None, 1))
    facts = Facts("cornu", [*facts.operations, weighted], [Output("output", weighted)])
    assert found(facts) == {"C105": "warning"}


@pytest.mark.parametrize(
    ("facts", "line", "text", "old", "new"),
    [
        (network(10, (), "sparse_categorical_crossentropy", NUMBERS), 2, "m.add(Dense(10))",
         "Dense(10)", 'Dense(10, activation="softmax")'),
        (network(10, (), "NLLLoss", NUMBERS), 3, "loss = nn.NLLLoss()", "NLLLoss",
         "CrossEntropyLoss"),
        (network(10, "softmax", "categorical_crossentropy", NUMBERS), 3,
         "m.compile('adam', 'categorical_crossentropy')", "categorical_crossentropy",
         "sparse_categorical_crossentropy"),
        (network(10, "softmax", "sparse_categorical_crossentropy logits", NUMBERS), 3,
         "loss=SparseCategoricalCrossentropy(from_logits=True)", "from_logits=True",
         "from_logits=False"),
        (network(10, "softmax", "CrossEntropyLoss", NUMBERS), 2, "  nn.Softmax(dim=1),",
         "nn.Softmax(dim=1)", "nn.Identity()"),
        (network(1, "softmax", "binary_crossentropy", BINARY), 2,
         "Dense(1, activation='softmax')", "activation='softmax'", "activation='sigmoid'"),
        (network(1, "tanh", "binary_crossentropy", BINARY), 2, 'Activation("tanh")',
         'Activation("tanh"', 'Activation("sigmoid"'),
    ],
)  # fmt: skip
def test_certain_change_is_an_edit_of_its_line(facts, line, text, old, new):
    facts.source = Source("program.py", "\n" * (line - 1) + text)
    (edit,) = [
        one.edit for code, rule in all_rules().items() if code < "C2" for one in rule.apply(facts)
    ]
    assert (edit.place.line, edit.old, edit.new) == (line, old, new)


def test_every_rule_says_why_and_how():
    for code, rule in all_rules().items():
        if code[1] in "15":
            for section in ("## What it does", "## Why it hurts", "## Example", "## Fix"):
                assert section in rule.page, code


def test_shape_of_pytorch_predictions_is_told_with_the_reshaping():
    (finding,) = all_rules()["C117"].apply(network(1, (), "MSELoss", VALUES))
    assert "(200, 1)" in finding.message
    assert "y.unsqueeze(1)" in finding.fix
    assert finding.place == Place("program.py", 3)


def test_an_axis_too_many_makes_no_numbers_of_one_hot_labels():
    lines = network((None, 28, 10), "softmax", "categorical_crossentropy", ONE_HOT)
    assert "C107" not in found(lines)
    steps = np.arange(ROWS * 10).reshape(ROWS, 10) % 7  # a class number for each of ten steps
    assert found(network((None, 10, 7), "softmax", "categorical_crossentropy", steps)) == {
        "C107": "error"
    }
