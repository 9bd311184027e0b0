"""Rules on initial values and on what one forward and backward pass shows."""

import itertools

import numpy as np
import pytest

import cornu
from cornu import initializers, layers
from cornu.check.facts import (
    Facts,
    Loss,
    Measured,
    Operation,
    Output,
    Parameter,
    Probe,
)
from cornu.check.read_model import read_model
from cornu.check.rule import registered
from cornu.check.rules import initial, signal  # noqa: F401
from cornu.check.statistics import ArrayFacts

CODES = [f"C3{number:02}" for number in range(1, 9)]
RNG = np.random.default_rng(0)


def findings(facts):
    return [one for code in CODES for one in registered()[code].apply(facts)]


def told(facts):
    """(code, layer, severity) of what is found."""
    return [(one.code, one.layer, one.severity) for one in findings(facts)]


def facts_of(*stack, shape=(64,)):
    model = cornu.Sequential([cornu.Input(shape), *stack])
    model.compile("adam", "mse")
    return read_model(model)


def stack(*kernels, activation="relu", width=64):
    """Dense layers with these initial kernels; a None is the default."""
    made = []
    for number, kernel in enumerate(kernels):
        arguments = {} if kernel is None else {"kernel_initializer": kernel}
        last = number == len(kernels) - 1
        made.append(
            layers.Dense(
                10 if last else width,
                activation=None if last else activation,
                name=f"d{number}",
                **arguments,
            )
        )
    return made


# -- C301, C302 ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kernels", "expected"),
    [
        (("zeros", None), [("C301", "d0", "error")]),
        (("zeros", "zeros", "zeros"), [("C301", "d0", "error")]),
        (("ones", "ones"), [("C302", "d0", "error")]),
        (("ones", None), [("C302", "d0", "warning")]),
        # the last layer, or the only one
        ((None, "zeros"), []),
        ((None, "ones"), []),
        (("zeros",), []),
        ((None, None), []),
        (("orthogonal", "he_normal", None), []),
    ],
)
def test_equal_kernels(kernels, expected):
    assert told(facts_of(*stack(*kernels))) == expected


def test_zeros_before_tanh_and_a_random_layer_learn():
    assert told(facts_of(*stack("zeros", None, activation="tanh"))) == []


def test_zeros_at_the_end_of_a_residual_branch_are_fine():
    inputs = cornu.Input((8,))
    x = layers.Dense(8, activation="relu")(inputs)
    x = layers.Add()([x, layers.Dense(8, kernel_initializer="zeros")(x)])
    model = cornu.Model(inputs, layers.Dense(1)(layers.ReLU()(x)))
    model.compile("adam", "mse")
    assert told(read_model(model)) == []


def test_a_bias_keeps_a_relu_behind_zeros_alive():
    first = layers.Dense(
        *(8, "relu"), kernel_initializer="zeros", bias_initializer=initializers.RandomNormal()
    )
    assert told(facts_of(first, layers.Dense(1))) == []


# -- C303 ------------------------------------------------------------------------------------------


def normal(std):
    return initializers.RandomNormal(stddev=std)


@pytest.mark.parametrize(
    ("kernels", "expected"),
    [
        # He's values for 64 inputs: 0.18
        ((normal(1.2), None), ["note"]),
        ((normal(4.0), None, None), ["warning"]),
        ((normal(1e-4), None), ["warning"]),
        ((normal(0.01),) * 4 + (None,), ["warning"]),
        # smaller than is usual, but few layers, or only the last
        ((normal(0.01), None), []),
        ((None, normal(1e-4)), []),
        ((normal(0.05), normal(0.05)), []),
        ((None, None), []),
        (("random_uniform", "random_uniform", "random_uniform"), []),
    ],
)
def test_spread(kernels, expected):
    found = told(facts_of(*stack(*kernels)))
    assert [severity for _, _, severity in found] == expected
    assert all(code == "C303" for code, _, _ in found)


def test_normalization_takes_any_scale_away():
    first = layers.Dense(64, use_bias=False, kernel_initializer=normal(4.0))
    facts = facts_of(first, layers.BatchNormalization(), layers.ReLU(), layers.Dense(10))
    assert told(facts) == []


def test_loaded_values_are_no_initial_ones():
    facts = facts_of(*stack(normal(4.0), None))
    for operation in facts.operations:
        for parameter in operation.parameters:
            parameter.loaded = True
    assert told(facts) == []


def test_famous_small_networks_are_fine():
    """8-12-8-1 with uniform values up to 0.05, and 2-4-1 for XOR."""
    pima = facts_of(
        layers.Dense(12, "relu", kernel_initializer="uniform"),
        layers.Dense(8, "relu", kernel_initializer="uniform"),
        layers.Dense(1, "sigmoid", kernel_initializer="uniform"),
        shape=(8,),
    )
    assert told(pima) == []
    xor = facts_of(
        layers.Dense(4, "tanh", kernel_initializer=normal(1.0)),
        layers.Dense(1, "sigmoid", kernel_initializer=normal(1.0)),
        shape=(2,),
    )
    assert told(xor) == []


# -- C304 to C308 ----------------------------------------------------------------------------------


def kernel(*shape):
    values = RNG.normal(size=shape).astype("float32") * np.sqrt(2 / shape[0])
    return Parameter("kernel", "kernel", shape, read=lambda: values, fan=shape)


def probed(function, *measured, gradients=None, x=None, loss=None):
    """Facts of dense layers, each with an activation on which something was measured."""
    operations = [Operation("Input", "x", shape=(None, 16))]
    probe = Probe(loss=1.0)
    for number, seen in enumerate(measured):
        layer = Operation("Dense", f"d{number}", shape=(None, 16))
        layer.parameters = [kernel(16, 16)]
        settings = {"function": function}
        behind = Operation("activation", f"d{number}", settings, shape=(None, 16), fused=True)
        operations += [layer, behind]
        probe.operations[behind] = seen
        gradient = 0.01 if gradients is None else gradients[number]
        probe.operations[layer] = Measured(gradient=gradient, weight=0.35)
    for one, two in itertools.pairwise(operations):
        two.inputs = [one]
    loss = loss or Loss("mean_squared_error", "mse", "values")
    x = RNG.normal(size=(64, 16)) if x is None else x
    output = Output("output", operations[-1], loss)
    return Facts("keras", operations, [output], [ArrayFacts(x)], probe=probe)


def usual(**changed):
    return Measured(**{"mean": 0.4, "std": 0.6, "feature_std": 0.5, "zeros": 0.5} | changed)


def test_a_usual_network_has_no_findings():
    assert told(probed("relu", usual(dead=0.4), usual(dead=0.5), usual())) == []
    assert told(probed("tanh", usual(zeros=0.0, saturated=0.3), usual())) == []


def test_nothing_is_told_without_measurements():
    facts = probed("relu", usual(dead=1.0))
    facts.probe = None
    assert told(facts) == []


def test_values_that_are_not_finite_are_told_at_the_first_layer():
    broken = usual(finite=False, mean=float("nan"), std=float("nan"))
    assert told(probed("relu", usual(), broken, broken)) == [("C304", "d1", "error")]
    x = np.full((8, 16), np.nan)
    assert told(probed("relu", broken, x=x)) == []  # a matter of the data


def test_exploding_values():
    huge = usual(std=1e6, feature_std=1e6)
    assert told(probed("relu", usual(), huge, huge)) == [("C304", "d1", "warning")]


def test_rows_that_all_look_alike():
    alike = usual(std=0.1, feature_std=1e-8)
    assert told(probed("sigmoid", usual(), alike, usual())) == [("C304", "d1", "warning")]


@pytest.mark.parametrize(("dead", "expected"), [(1.0, ["error"]), (0.95, ["warning"]), (0.5, [])])
def test_dead_units(dead, expected):
    found = told(probed("relu", usual(dead=dead, zeros=1.0), usual()))
    assert [severity for _, _, severity in found] == expected
    assert all(code == "C305" for code, _, _ in found)


def test_saturated_units():
    full = usual(saturated=0.97)
    assert told(probed("tanh", full, usual())) == [("C306", "d0", "warning")]
    # a matter of the data
    assert told(probed("tanh", full, usual(), x=RNG.normal(size=(64, 16)) * 1000)) == []
    # a probability that is sure, and wrong, has the largest gradient under a cross-entropy
    both = Loss("binary_crossentropy", "binary_crossentropy", "probabilities", "binary")
    assert told(probed("sigmoid", usual(), full, loss=both)) == []
    assert told(probed("sigmoid", usual(), full)) == [("C306", "d1", "warning")]


def test_gradients_that_vanish_or_explode():
    three = [usual(), usual(), usual()]
    assert told(probed("relu", *three, gradients=[1e-9, 1e-4, 1e-1])) == [("C307", "d0", "warning")]
    assert told(probed("relu", *three, gradients=[1e4, 1e-1, 1e-3])) == [("C307", "d0", "warning")]
    assert told(probed("relu", *three, gradients=[1e-4, 1e-2, 1e-1])) == []


def test_a_gradient_that_is_not_a_number():
    assert told(probed("relu", usual(), usual(), gradients=[float("nan"), 0.1])) == [
        ("C307", "d0", "error")
    ]


def test_no_gradient():
    facts = probed("tanh", usual(), usual(), gradients=[0.0, 0.0])
    assert told(facts) == [("C308", "d1", "error")]
    facts = probed("tanh", usual(), usual(), gradients=[0.0, 0.1])
    assert told(facts) == [("C308", "d0", "warning")]


def test_inputs_of_zeros_account_for_zeros():
    zeros = np.zeros((64, 16))
    for facts in (
        probed("tanh", usual(), usual(), gradients=[0.0, 0.1], x=zeros),
        probed("relu", usual(dead=1.0, zeros=1.0), usual(), x=zeros),
    ):
        assert told(facts) == []
    unseen = probed("tanh", usual(), usual(), gradients=[0.0, 0.1])
    unseen.inputs = []
    assert told(unseen) == []


def test_no_gradient_behind_a_flat_function():
    facts = probed("tanh", usual(), usual(), gradients=[0.0, 0.1])
    flat = Operation("round", "round", inputs=[facts.operations[2]], shape=(None, 16))
    facts.operations[3].inputs = [flat]
    operations = [*facts.operations[:3], flat, *facts.operations[3:]]
    facts = Facts("keras", operations, facts.outputs, facts.inputs, probe=facts.probe)
    assert told(facts) == [("C308", "round", "error")]


def test_no_gradient_where_another_rule_names_the_cause():
    dead = probed("relu", usual(dead=1.0, zeros=1.0), usual(), gradients=[0.0, 0.1])
    assert [code for code, _, _ in told(dead)] == ["C305"]
    # the last layer begins with zeros on purpose
    zeros = probed("tanh", usual(), usual(), gradients=[0.0, 0.1])
    last = zeros.operations[-2].parameters[0]
    last.read = lambda: np.zeros((16, 16))
    assert told(zeros) == []
    detached = Loss("mean_squared_error", "mse", "values", requires_gradient=False)
    assert told(probed("tanh", usual(), gradients=[0.0], loss=detached)) == []


# -- measured on real networks ---------------------------------------------------------------------


def checked(*stack, x=None, y=None, loss="mse"):
    model = cornu.Sequential([cornu.Input((16,)), *stack])
    model.compile("adam", loss)
    x = RNG.normal(size=(128, 16)).astype("float32") if x is None else x
    y = RNG.normal(size=(len(x), 1)).astype("float32") if y is None else y
    found = model.check(x, y, verbose=0)
    return [one.code for one in found if one.code in CODES]


def test_a_network_of_dead_units():
    bias = initializers.Constant(-50.0)
    dead = layers.Dense(32, "relu", bias_initializer=bias)
    assert checked(layers.Dense(32, "relu"), dead, layers.Dense(1)) == ["C305"]
    assert checked(layers.Dense(32, "relu"), layers.Dense(32, "relu"), layers.Dense(1)) == []


def test_a_logarithm_of_negative_values():
    assert checked(layers.Dense(32), layers.Lambda(cornu.ops.log), layers.Dense(1)) == ["C304"]


def test_a_deep_network_whose_gradient_vanishes_is_told_once():
    deep = [layers.Dense(16, "tanh", kernel_initializer=normal(0.02)) for _ in range(12)]
    assert len(checked(*deep, layers.Dense(1))) == 1


@pytest.mark.parametrize("code", CODES)
def test_each_rule_has_a_page(code):
    page = registered()[code].page
    for part in ("What it does", "Why it hurts", "Example", "Fix"):
        assert f"## {part}" in page
