"""C401 to C414: each wrong training beside a good one that comes near it."""

import math

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.check.checking import all_rules
from cornu.check.facts import (
    Facts,
    Loss,
    Operation,
    OptimizerFacts,
    Output,
    Parameter,
    Probe,
    Training,
)
from cornu.check.source import Source
from cornu.check.statistics import ArrayFacts
from cornu.core.places import Place
from cornu.regularizers import l2


def network(*widths, inputs=784, final="softmax", framework="cornu", rms=None, between=()):
    """A stack of Dense layers with ReLU, Glorot-like kernels; `between` comes behind each."""
    operations = [Operation("Input", "input", shape=(None, inputs))]
    fan = inputs
    for number, width in enumerate(widths):
        size = rms or math.sqrt(2 / (fan + width))
        kernel = Parameter(
            "kernel",
            "kernel",
            (fan, width),
            read=lambda size=size, shape=(fan, width): np.full(shape, size),
            fan=(fan, width),
        )
        last = number == len(widths) - 1
        operations.append(
            Operation(
                "Dense",
                f"dense_{number}",
                {"units": width},
                [operations[-1]],
                (None, width),
                parameters=[kernel],
                place=Place("p.py", number + 1),
            )
        )
        for kind in () if last else between:
            settings = {"rate": 0.5} if kind == "Dropout" else {"momentum": 0.99}
            operations.append(
                Operation(
                    kind, f"{kind}_{number}".lower(), settings, [operations[-1]], (None, width)
                )
            )
        function = final if last else "relu"
        if function != "linear":
            operations.append(
                Operation(
                    "activation",
                    f"dense_{number}",
                    {"function": function},
                    [operations[-1]],
                    (None, width),
                    fused=True,
                )
            )
        fan = width
    kind = {"softmax": "sparse_categorical_crossentropy", "sigmoid": "binary_crossentropy"}
    loss = Loss(kind.get(final, "mean_squared_error"), "loss", expects="probabilities")
    return Facts(
        framework,
        operations,
        [Output("output", operations[-1], loss)],
        training=Training(rows=10_000, epochs=10, steps=300, batch_size=32, place=Place("p.py", 9)),
    )


def found(code, facts):
    return list(all_rules()[code].apply(facts))


def optimizer(kind="adam", rate=0.001, **settings):
    return OptimizerFacts(kind, kind, {"learning_rate": rate, **settings}, place=Place("p.py", 8))


def given(facts, **fields):
    for name, value in fields.items():
        target = facts.training if hasattr(facts.training, name) else facts
        setattr(target, name, value)
    return facts


# -- C401 ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "rate", "severity"),
    [
        ("adam", 0.1, "warning"),
        ("adam", 1.0, "error"),
        ("rmsprop", 0.5, "error"),
        ("adam", 0.0, "error"),
        ("sgd", -0.1, "error"),
        ("sgd", 30.0, "warning"),
        ("sgd", 200.0, "error"),
    ],
)
def test_a_rate_far_too_high(kind, rate, severity):
    facts = given(network(128, 20, 10), optimizer=optimizer(kind, rate))
    (one,) = found("C401", facts)
    assert one.severity == severity
    assert one.place == Place("p.py", 8)


@pytest.mark.parametrize(
    ("kind", "rate"),
    [
        *[("adam", rate) for rate in (0.01, 0.003, 3e-4, 1e-5)],
        *[("sgd", rate) for rate in (0.01, 0.1, 0.5, 1.0, 3.0)],
        ("adadelta", 1.0),
        ("adagrad", 0.5),
        ("of_my_own", 50.0),
    ],
)
def test_rates_that_are_in_use(kind, rate):
    assert not found("C401", given(network(128, 20, 10), optimizer=optimizer(kind, rate)))


def test_a_high_rate_suits_a_small_network_and_a_linear_one():
    xor = network(8, 1, inputs=2, final="sigmoid")
    assert not found("C401", given(xor, optimizer=optimizer("adam", 0.1)))
    assert not found("C401", given(network(10), optimizer=optimizer("adam", 0.1)))


def test_momentum_counts_into_the_rate_of_gradient_descent():
    facts = given(network(128, 10), optimizer=optimizer("sgd", 2.0, momentum=0.9))
    assert found("C401", facts)
    facts = given(network(128, 10), optimizer=optimizer("sgd", 0.1, momentum=0.9))
    assert not found("C401", facts)


def test_a_rate_of_zero_may_be_the_start_of_a_warmup():
    facts = given(network(128, 10), optimizer=optimizer("adam", 0.0))
    facts.source = Source("p.py", "scheduler = LambdaLR(optimizer, warmup)")
    assert not found("C401", facts)


def test_what_was_measured_counts_more_than_the_table():
    probe = Probe(rates={0.1: (2.3, 2.4), 1.0: (2.3, 90.0), 0.01: (2.3, 0.4)}, rate_steps=30)
    facts = given(network(128, 10), optimizer=optimizer("adam", 0.1), probe=probe)
    (one,) = found("C401", facts)
    assert "0.4" in one.message
    assert one.fix == "set learning_rate=0.01"
    probe.rates[0.1] = (2.3, 1.2)  # it trains, however large it is
    assert not found("C401", facts)
    probe.rates[0.1] = (2.3, math.nan)
    assert found("C401", facts)[0].severity == "error"


def test_diverging_on_raw_pixels_has_another_cause():
    probe = Probe(rates={0.01: (90.0, math.nan), 0.001: (90.0, 40.0)}, rate_steps=30)
    facts = given(network(128, 10), optimizer=optimizer("sgd", 0.01), probe=probe)
    assert found("C401", facts)
    facts.inputs = [ArrayFacts(np.random.default_rng(0).integers(0, 256, (50, 784)))]
    assert not found("C401", facts)


# -- C402, C403, C406, C407 ------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "rate"), [("adam", 1e-9), ("sgd", 1e-7)])
def test_a_rate_far_too_low(kind, rate):
    facts = given(network(128, 10), optimizer=optimizer(kind, rate), source=Source("p.py", "fit()"))
    assert found("C402", facts)
    assert not found("C401", facts)
    assert not found("C406", facts)
    facts.training.epochs = None
    assert found("C402", facts)


@pytest.mark.parametrize(
    ("kind", "rate"), [("adam", 1e-5), ("adam", 3e-4), ("sgd", 1e-3), ("adamw", 2e-5)]
)
def test_low_rates_that_are_in_use(kind, rate):
    facts = given(network(128, 10), optimizer=optimizer(kind, rate), source=Source("p.py", "fit()"))
    assert not found("C402", facts)
    facts.training.epochs = None
    assert not found("C402", facts)


def test_a_low_rate_is_right_for_trained_weights():
    facts = given(network(128, 10), optimizer=optimizer("adam", 1e-9))
    facts.source = Source("p.py", 'base = ResNet50(weights="imagenet")')
    assert not found("C402", facts)


def test_a_low_rate_as_measured():
    probe = Probe(
        rates={1e-6: (2.3, 2.29999), 1e-5: (2.3, 2.2999), 1e-7: (2.3, 2.3)}, rate_steps=30
    )
    probe.rates[1e-5] = (2.3, 2.29)
    facts = given(network(64, 10), optimizer=optimizer("adam", 1e-6), probe=probe)
    assert found("C402", facts)
    facts.training.epochs = 10_000
    assert not found("C402", facts)


def test_adadelta_as_keras_has_it():
    facts = given(network(128, 10), optimizer=optimizer("adadelta", 0.001))
    facts.source = Source("p.py", "\n" * 7 + "model.compile(Adadelta(), 'mse')")
    (one,) = found("C403", facts)
    assert (one.edit.old, one.edit.new) == ("Adadelta()", "Adadelta(learning_rate=1.0)")
    assert not found("C402", facts)
    facts.optimizer.settings["learning_rate"] = 1.0
    assert not found("C403", facts)


def test_few_steps():
    xor = given(network(8, 1, inputs=2, final="sigmoid"), optimizer=optimizer(), epochs=10, steps=1)
    (one,) = found("C406", xor)
    assert one.severity == "note"
    xor.training.epochs = 2000
    assert not found("C406", xor)
    pictures = given(network(128, 10), optimizer=optimizer(), epochs=1, steps=100)
    assert not found("C406", pictures)
    pictures = given(network(128, 10), optimizer=optimizer(), epochs=1, steps=3)
    assert found("C406", pictures)[0].severity == "note"


def test_a_line_is_fitted_in_few_steps():
    line = given(
        network(1, inputs=1, final="linear"), optimizer=optimizer("sgd", 0.01), epochs=400, steps=1
    )
    assert not found("C406", line)
    line.training.epochs = 20
    assert found("C406", line)


def test_few_steps_in_a_loop_are_many():
    xor = given(network(8, 1, inputs=2, final="sigmoid"), optimizer=optimizer(), epochs=1, steps=1)
    text = "for i in range(5000):\n    model.fit(x, y, epochs=1)\n"
    xor = given(xor, place=Place("p.py", 2), source=Source("p.py", text))
    assert not found("C406", xor)
    xor.source = Source("p.py", "if True:\n    model.fit(x, y, epochs=1)\n")
    assert found("C406", xor)


def test_a_schedule_counted_in_epochs():
    facts = given(network(128, 10), optimizer=optimizer("sgd", 0.1))
    cosine = lambda length: lambda t: 0.05 * (1 + math.cos(math.pi * min(1, t / length)))  # noqa: E731
    facts.optimizer.schedule = cosine(10)
    (one,) = found("C407", facts)
    assert "3000 steps" in one.message
    facts.optimizer.schedule = cosine(3000)
    assert not found("C407", facts)
    facts.optimizer.schedule = lambda t: 0.1 * min(1, t / 500)  # warm-up
    assert not found("C407", facts)


def test_decay_taken_for_momentum():
    facts = given(network(128, 10), optimizer=optimizer("sgd", 0.1, decay=0.9))
    assert "momentum=0.9" in found("C407", facts)[0].fix
    facts.optimizer.settings["decay"] = 1e-6
    assert not found("C407", facts)


def scheduled(indent, gamma=0.9):
    return Source(
        "p.py",
        f"""
sched = optim.lr_scheduler.ExponentialLR(optimizer, gamma={gamma})
for epoch in range(20):
    for x, y in loader:
        loss = f(net(x), y)
        loss.backward()
        optimizer.step()
{" " * indent}sched.step()
""",
    )


def test_a_schedule_for_epochs_stepped_after_each_batch():
    facts = given(
        network(128, 10, framework="torch"), optimizer=optimizer("sgd", 0.1), source=scheduled(8)
    )
    assert found("C407", facts)[0].place == Place("p.py", 8)
    facts.source = scheduled(4)
    assert not found("C407", facts)
    facts.source = scheduled(8, 0.9999)
    assert not found("C407", facts)


# -- C404, C405, C408 ------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", [1.0, 9, -0.5])
def test_momentum_out_of_range(momentum):
    facts = given(network(128, 10), optimizer=optimizer("sgd", 0.01, momentum=momentum))
    (one,) = found("C404", facts)
    assert one.severity == "error"


def test_momentum_in_range():
    for settings in ({"momentum": 0.99}, {"momentum": 0.0}, {"beta_1": 0.5, "beta_2": 0.999}):
        assert not found("C404", given(network(8, 3), optimizer=optimizer("sgd", 0.01, **settings)))


def test_momentum_of_batch_normalization_in_the_other_frameworks_meaning():
    facts = network(128, 10, between=["BatchNormalization"], framework="torch")
    assert not found("C404", facts)
    facts.operations[2].settings["momentum"] = 0.01
    (one,) = found("C404", facts)
    assert (one.severity, one.layer) == ("note", "batchnormalization_0")
    assert "momentum=0.99" in one.message


def test_batches_of_one_row():
    plain = given(network(128, 10), batch_size=1)
    assert found("C405", plain)[0].severity == "note"
    plain.training.rows = 500
    assert not found("C405", plain)
    normalized = given(network(128, 10, between=["BatchNormalization"]), batch_size=1, rows=500)
    assert found("C405", normalized)[0].severity == "error"


def test_a_batch_size_beyond_the_data():
    facts = given(network(128, 10), rows=100, given_batch_size=128, batch_size=100, steps=1)
    (one,) = found("C405", facts)
    assert one.severity == "note"
    assert not found("C406", facts)
    facts.training.epochs = 5000
    assert not found("C405", facts)


def digits(strength, final=10):
    model = cornu.Sequential(
        [
            cornu.Input((784,)),
            layers.Dense(20, activation="relu", name="l1", kernel_regularizer=l2(strength)),
            layers.Dense(15, activation="relu", name="l2", kernel_regularizer=l2(strength)),
            layers.Dense(10, activation="softmax", name="output", kernel_regularizer=l2(strength)),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).uniform(0, 1, (200, 784)).astype("float32")
    y = np.eye(10, dtype="float32")[np.arange(200) % 10]
    return model, x, y


def test_the_penalties_of_the_digits_network():
    from cornu.check.read_model import read_model

    model, x, y = digits(0.01)
    (one,) = found("C408", read_model(model, x, y))
    assert one.layer == "l1"
    assert "'l1', 'l2', 'output'" in one.message
    assert one.severity == "warning"
    model, x, y = digits(1e-4)
    assert not found("C408", read_model(model, x, y))
    model, x, y = digits(0.1)
    assert found("C408", read_model(model, x, y))[0].severity == "error"


def penalized(facts, **factors):
    for operation in facts.of_kind("Dense"):
        operation.settings["kernel_regularizer"] = {"l1": 0, "l2": 0, **factors}
    return facts


def test_penalties_that_are_in_use():
    # TensorFlow's tutorial on overfitting: 28-512-512-512-512-1 with 0.001
    assert not found(
        "C408", penalized(network(512, 512, 512, 512, 1, inputs=28, final="sigmoid"), l2=0.001)
    )
    assert not found("C408", penalized(network(512, 10), l2=0.001))
    assert not found("C408", penalized(network(512, 10), l1=1e-4))
    normalized = network(128, 64, 32, 10, between=["BatchNormalization"])
    assert not found("C408", penalized(normalized, l2=0.005))
    assert found("C408", penalized(network(128, 10), l1=0.01))


def test_weight_decay_of_pytorch_is_a_penalty():
    facts = network(128, 20, 10, framework="torch", final="softmax")
    facts.optimizer = optimizer("adam", 0.001, weight_decay=0.1)
    assert "weight_decay" in found("C408", facts)[0].fix
    facts.optimizer = optimizer("adam", 0.001, weight_decay=1e-4)
    assert not found("C408", facts)
    facts.optimizer = optimizer("adamw", 0.001, weight_decay=0.1)
    assert not found("C408", facts)


# -- C409 to C414 ----------------------------------------------------------------------------------


def loop(**observed):
    facts = given(network(128, 10, framework="torch", between=["Dropout"]), **observed)
    facts.optimizer = optimizer()
    return facts


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("C409", "gradients_cleared"),
        ("C410", "training_mode"),
        ("C413", "steps_taken"),
        ("C414", "gradients_at_step"),
    ],
)
def test_observed_steps(code, field):
    assert len(found(code, loop(**{field: False}))) == 1
    assert not found(code, loop(**{field: True}))
    assert not found(code, loop())


def test_eval_matters_only_with_layers_that_act_differently():
    facts = given(network(128, 10, framework="torch"), training_mode=False)
    assert not found("C410", facts)


TRAIN_AND_TEST = """
model = Net()
optimizer = optim.Adam(model.parameters())
def train():
    {train}
    for x, y in loader:
        optimizer.zero_grad()
        f(model(x), y).backward()
        optimizer.step()
def test():
    model.eval()
    for x, y in tests:
        model(x)
for epoch in range(9):
    train()
    test()
"""


def test_eval_without_a_way_back():
    facts = loop(training_mode=True)
    facts.source = Source("p.py", TRAIN_AND_TEST.format(train="pass"))
    assert found("C410", facts)[0].place == Place("p.py", 11)
    facts.source = Source("p.py", TRAIN_AND_TEST.format(train="model.train()"))
    assert not found("C410", facts)


def test_an_optimizer_of_other_parameters():
    facts = loop()
    facts.optimizer.foreign = 4
    facts.optimizer.missing = ["fc1.weight", "fc2.weight"]
    facts.training.gradients_at_step = False
    (one,) = found("C411", facts)
    assert one.severity == "error"
    assert not found("C414", facts)


def test_an_optimizer_that_lacks_some():
    facts = loop()
    facts.optimizer.written = "optim.Adam"
    facts.optimizer.missing = ["fc2.weight"]
    facts.optimizer.place = Place("p.py", 1)
    facts.source = Source("p.py", "o = optim.Adam(model.parameters())")
    assert found("C411", facts)[0].severity == "warning"
    facts.source = Source("p.py", "o = optim.Adam(model.fc.parameters())")
    assert not found("C411", facts)


def test_a_loss_without_gradient():
    facts = loop(gradients_at_step=False)
    facts.outputs[0].loss.requires_gradient = False
    assert found("C412", facts)
    assert not found("C414", facts)
    assert not found("C412", loop())


def test_every_rule_has_a_page():
    for code, rule in all_rules().items():
        if code[1] in "467":
            for part in ("## What it does", "## Why it hurts", "## Example", "## Fix"):
                assert part in rule.page, code


def test_a_good_training_is_silent():
    facts = given(network(128, 20, 10), optimizer=optimizer())
    for code in all_rules():
        if code[1] == "4":
            assert not found(code, facts), code


def test_learning_one_batch_by_heart_shows_little():
    probe = Probe(rates={1.0: (1.1, 0.0), 0.1: (1.1, 0.0)}, rate_steps=30)
    facts = given(network(128, 10), optimizer=optimizer("adam", 1.0), probe=probe)
    assert not found("C401", facts)  # batches of all the data
    facts.framework = "torch"
    assert found("C401", facts)[0].severity == "warning"
    facts.optimizer.settings["learning_rate"] = 0.01
    probe.rates = {0.01: (1.1, 0.0)}
    assert not found("C401", facts)


def test_decay_in_the_text_of_a_keras_program():
    facts = given(network(128, 10), optimizer=optimizer("sgd", 0.1))
    facts.optimizer.written = "SGD"
    text = "\n" * 7 + "model.compile(SGD(lr=0.1, decay={}), 'mse')"
    facts.source = Source("p.py", text.format(0.9))
    assert found("C407", facts)
    facts.source = Source("p.py", text.format(1e-6))
    assert not found("C407", facts)
