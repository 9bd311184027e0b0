"""`Watch`: what it says during training, once, and that it changes nothing."""

import math

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.check.facts import Facts, Loss, Operation, OptimizerFacts, Output, Training
from cornu.check.statistics import ArrayFacts
from cornu.check.watch import Watch
from cornu.check.weights import Look, compare

NAN = math.nan


def facts_of(labels=None, kind="binary_crossentropy", **training):
    entrance = Operation("Input", "input", shape=(None, 4))
    hidden = Operation("Dense", "hidden", {}, [entrance], (None, 8))
    relu = Operation("activation", "hidden", {"function": "relu"}, [hidden], (None, 8), fused=True)
    dense = Operation("Dense", "last", {}, [relu], (None, 1))
    output = Output("output", dense, Loss(kind, kind))
    if labels is not None:
        output.labels = ArrayFacts(np.asarray(labels), "y")
    return Facts(
        "cornu",
        [entrance, hidden, relu, dense],
        [output],
        optimizer=OptimizerFacts("sgd", "SGD", {"learning_rate": 0.01}),
        training=Training(**training),
    )


def told(logs, facts=None, epochs=None, steps=100):
    """What is said of a training with such logs: a list of losses, or of dicts."""
    said = []
    watch = Watch(facts, said.append, budget=math.inf)
    watch.set_params({"epochs": epochs or len(logs), "steps": steps, "verbose": 0})
    watch.on_train_begin()
    for epoch, one in enumerate(logs):
        watch.on_epoch_end(epoch, one if isinstance(one, dict) else {"loss": one})
    watch.on_train_end()
    return said


def codes(*arguments, **keywords):
    return [one.code for one in told(*arguments, **keywords)]


def both(loss, val_loss):
    return [{"loss": a, "val_loss": b} for a, b in zip(loss, val_loss, strict=True)]


# -- logs ------------------------------------------------------------------------------------------


def test_a_loss_of_nan_is_told_once():
    (one,) = told([0.5, NAN, NAN, NAN])
    assert (one.code, one.severity) == ("C701", "error")
    assert one.message == "the loss is NaN after epoch 2"
    assert told([0.5, math.inf])[0].message == "the loss is infinite after epoch 2"
    assert told(both([1, 0.9], [1, NAN]))[0].severity == "warning"


def test_nan_is_told_within_an_epoch_only_where_a_bar_is_drawn():
    watch = Watch(None, lambda one: None)
    watch.set_params({"verbose": 0})
    assert not watch._has_work("on_train_batch_end")
    watch.set_params({"verbose": 1})
    assert watch._has_work("on_train_batch_end")
    assert not watch.needs_batches


def test_exploding():
    assert codes([1, 3, 9, 30, 90, 300]) == ["C702"]
    # small losses that jump, losses below 0, a peak
    assert not codes([1.0, 0.1, 1e-6, 1e-5, 1e-4, 1e-3])
    assert not codes([0.01, -3, -9, 2, 30, 90])
    assert not codes([1, 3, 30, 2, 1, 0.5])


def test_not_moving():
    assert codes([{"loss": 2.3, "accuracy": 0.1}] * 12) == ["C703"]
    # too early: a third of the epochs, and 100 steps
    assert not codes([{"loss": 2.3, "accuracy": 0.1}] * 12, epochs=100)
    assert not codes([{"loss": 2.3, "accuracy": 0.1}] * 12, steps=1)
    assert not codes([{"loss": 2.3 * 0.99**n, "accuracy": 0.1} for n in range(12)])
    # a network that was good from the start, and a loss of which nothing is known
    assert not codes([{"loss": 0.01, "accuracy": 0.998}] * 12)
    assert not codes([0.4] * 12)


def test_not_moving_is_measured_against_knowing_nothing():
    values = np.random.default_rng(0).normal(size=200)
    assert codes([1.02] * 12, facts_of(values, "mean_squared_error")) == ["C703"]
    assert not codes([0.01] * 12, facts_of(values, "mean_squared_error"))


def test_oscillating():
    assert codes([1, 0.4, 1.1, 0.5, 1.0, 0.4, 1.1, 0.5, 1.0, 0.4, 1.1, 0.5]) == ["C704"]
    noisy = 1 / np.arange(1, 30) * (1 + 0.2 * (-1.0) ** np.arange(29))
    assert not codes([float(loss) for loss in noisy])


def falling(count=40):
    return [0.95**n for n in range(count)]


def test_overfitting():
    up = [*falling(15), *(0.5 + 0.03 * n for n in range(25))]
    (one,) = told(both(falling(), up))
    assert (one.code, one.severity) == ("C707", "note")
    assert "in epoch 15 and" in one.message
    assert not codes(both(falling(), up), facts_of(callbacks=["EarlyStopping"]))
    # noise, a plateau, and a training loss that doesn't fall either
    assert not codes(both(falling(), [0.5 + 0.05 * (n % 2) for n in range(40)]))
    assert not codes(both(falling(), [*falling(15), *([0.5] * 25)]))
    assert "C707" not in codes(both([*falling(15), *([0.49] * 25)], up))


def test_the_commonest_class():
    labels = np.array([0] * 130 + [1] * 70)
    logs = [{"loss": 0.65, "accuracy": 0.65}] * 12
    (one,) = told(logs, facts_of(labels))
    assert one.code == "C708"
    assert "65.00%" in one.message
    rising = [{"loss": 0.65, "accuracy": 0.6 + 0.01 * n} for n in range(12)]
    assert "C708" not in codes(rising, facts_of(labels))
    assert "C708" not in codes(logs, facts_of(labels, class_weight=True))


def test_xor_may_rest_for_long():
    logs = [{"loss": 0.693, "accuracy": 0.5}] * 300
    logs += [{"loss": 0.693 * 0.99**n, "accuracy": 1.0} for n in range(700)]
    assert not codes(logs, facts_of([0, 1, 1, 0] * 2), steps=1)


# -- weights ---------------------------------------------------------------------------------------


def test_changes_of_kernels():
    generator = np.random.default_rng(0)
    old = generator.normal(size=(3, 3, 2, 4))
    new = old.copy()
    new[..., 0] *= 2
    change = compare(Look({"conv": old}), Look({"conv": new, "other": old}))["conv"]
    assert change.still == 0.75
    assert 1 < change.grew < 2
    assert 0 < change.moved < 1


def network(function="relu", depth=1, **arguments):
    return cornu.Sequential(
        [
            cornu.Input((4,)),
            *(
                layers.Dense(8, activation=function, name=f"hidden_{n}", **arguments)
                for n in range(depth)
            ),
            layers.Dense(1, activation="sigmoid", name="last"),
        ]
    )


@pytest.fixture(autouse=True)
def _seed():
    cornu.utils.set_random_seed(0)


X = np.random.default_rng(0).normal(size=(320, 4)).astype("float32")
Y = (X[:, :1] > 0).astype("float32")


def watched(model, epochs=24, optimizer="sgd", unlimited=True):
    """Trains, and returns what was said and the `Watch`."""
    from cornu.check.read_model import read_model

    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"])
    said = []
    watch = Watch(read_model(model, X, Y), said.append)
    if unlimited:
        watch.budget = math.inf
        watch._is_time = lambda now: watch._epochs % 12 == 0
    model.fit(X, Y, epochs=epochs, batch_size=32, verbose=0, callbacks=[watch], shuffle=False)
    return said, watch


def test_dead_units_of_a_layer():
    model = network(bias_initializer=cornu.initializers.Constant(-100.0))
    (one,) = [one for one in watched(model)[0] if one.code == "C705"]
    assert one.layer == "hidden_0"
    assert one.severity == "error"
    assert "100%" in one.message
    assert "C705" not in [one.code for one in watched(network())[0]]


def test_weights_that_a_penalty_moves_tell_nothing_of_dead_units():
    model = network(
        bias_initializer=cornu.initializers.Constant(-100.0),
        kernel_regularizer=cornu.regularizers.l2(1e-3),
    )
    assert "C705" not in [one.code for one in watched(model)[0]]


def test_gradients_that_vanish():
    found = [one for one in watched(network("sigmoid", 10))[0] if one.code == "C706"]
    assert found
    assert found[0].layer == "hidden_0"
    assert not [one for one in watched(network("relu", 3))[0] if one.code == "C706"]


def test_it_changes_nothing():
    results = []
    for watches in (False, True):
        cornu.utils.set_random_seed(3)
        model = network()
        model.compile("adam", "binary_crossentropy")
        watch = Watch(None, lambda one: None, budget=math.inf)
        watch._is_time = lambda now: True
        history = model.fit(
            X, Y, epochs=5, batch_size=32, verbose=0, callbacks=[watch] if watches else []
        )
        results.append((history.history["loss"], *model.get_weights()))
        results[-1] = (*results[-1], np.random.random())
    for one, two in zip(*results, strict=True):
        np.testing.assert_array_equal(one, two)


def test_looking_keeps_to_its_budget():
    said, watch = watched(network(), epochs=200, unlimited=False)
    assert not said
    assert watch._look is None  # copies are let go


def test_a_training_that_diverges():
    model = cornu.Sequential([cornu.Input((4,)), layers.Dense(8), layers.Dense(1)])
    model.compile(cornu.optimizers.SGD(10.0), "mse")
    said = []
    model.fit(X, Y, epochs=6, verbose=0, callbacks=[Watch(None, said.append)])
    assert [one.code for one in said] == ["C701"]


def test_a_second_fit_begins_anew():
    said = []
    watch = Watch(None, said.append)
    for _ in range(2):
        watch.on_train_begin()
        watch.on_epoch_end(0, {"loss": NAN})
        watch.on_train_end()
    assert len(said) == 2
