"""cornu.sweep: every run is what it would be alone, as many at once as can be."""

from __future__ import annotations

import numpy as np
import pytest

import cornu
from cornu import layers
from cornu.models.sweep import Sweep, sweep
from cornu.utils import set_random_seed

rng = np.random.default_rng(0)
X = rng.normal(size=(45, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("float32")
OPTIONS = {"batch_size": 16, "epochs": 3, "verbose": 0, "check": False, "validation_split": 0.2}


def build(rate=0.01, drop=0.3, l2=0.01, momentum=0.999, units=6, smooth=0.0, activation="relu"):
    model = cornu.Sequential(
        [
            cornu.Input((4,)),
            layers.Dense(units, activation, kernel_regularizer=cornu.regularizers.L2(l2)),
            layers.Dropout(drop),
            layers.Dense(1, "sigmoid"),
        ]
    )
    loss = cornu.losses.BinaryCrossentropy(label_smoothing=smooth)
    model.compile(cornu.optimizers.Adam(rate, beta_2=momentum), loss, metrics=["accuracy"])
    return model


def check_each(runs: Sweep, seed: int = 5, make=build, callbacks=None, **options) -> None:
    """Every run against the same alone."""
    for run in runs:
        set_random_seed(seed)
        model = make(**run.settings)
        if callbacks is not None:
            options["callbacks"] = callbacks()
        history = model.fit(X, Y, **{**OPTIONS, **options}).history
        assert run.history.keys() == history.keys()
        for name, values in history.items():
            np.testing.assert_allclose(run.history[name], values, atol=1e-6, err_msg=name)
            assert run.logs[name] == run.history[name][-1]
        for mine, theirs in zip(run.model.weights, model.weights, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=2e-6)
        for mine, theirs in zip(
            run.model.optimizer.variables, model.optimizer.variables, strict=True
        ):
            np.testing.assert_allclose(mine, theirs, atol=2e-6)
        mine, theirs = (
            one.evaluate(X, Y, verbose=0, return_dict=True)["loss"] for one in (run.model, model)
        )
        assert mine == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize(
    "space",
    [
        {"rate": [0.001, 0.1, 0.03]},
        {"drop": [0.2, 0.5], "rate": [0.01, 0.1]},
        {"l2": [0.1, 0.01], "momentum": [0.9, 0.999]},
        {"smooth": [0.1, 0.2]},
    ],
    ids=lambda space: "-".join(space),
)
def test_plain_numbers_go_into_one_program(space):
    runs = sweep(build, space, X, Y, seed=5, **OPTIONS)
    assert len(runs.groups) == 1
    check_each(runs)


@pytest.mark.slow
def test_other_shapes_and_other_code_go_one_after_another():
    space = [{"units": 5}, {"drop": 0.0}, {"units": 6}, {"activation": "tanh"}, {"drop": 0.5}]
    runs = sweep(build, space, X, Y, seed=5, **OPTIONS)
    assert runs.groups == [[0], [1], [2, 4], [3]]
    assert [run.settings for run in runs] == space
    check_each(runs)


@pytest.mark.slow
def test_a_schedule_and_class_weights():
    def scheduled(first, factor):
        rate = cornu.optimizers.schedules.ExponentialDecay(first, 4, factor)
        model = cornu.Sequential([cornu.Input((4,)), layers.Dense(1, "sigmoid")])
        model.compile(cornu.optimizers.SGD(rate), "binary_crossentropy")
        return model

    options = {"class_weight": {0: 1.0, 1: 4.0}}
    space = {"first": [0.5, 0.1], "factor": [0.9, 0.5]}
    runs = sweep(scheduled, space, X, Y, seed=1, **OPTIONS, **options)
    assert len(runs.groups) == 1
    check_each(runs, 1, scheduled, **options)


def test_a_number_that_python_decides_by():
    class Gate(layers.Layer):
        def __init__(self, share, **kwargs):
            super().__init__(**kwargs)
            self.share = share

        def call(self, inputs):
            return inputs * self.share if self.share > 0.5 else inputs + self.share

    def gated(share):
        model = cornu.Sequential([cornu.Input((4,)), Gate(share), layers.Dense(1, "sigmoid")])
        model.compile("sgd", "binary_crossentropy")
        return model

    runs = sweep(gated, {"share": [0.1, 0.7, 0.9]}, X, Y, seed=2, **OPTIONS)
    assert runs.groups == [[0], [1, 2]]
    check_each(runs, 2, gated)


def test_best_and_table():
    runs = sweep(build, {"rate": [1e-6, 0.05]}, X, Y, **OPTIONS)
    best = runs.best_run()
    assert best.logs["val_loss"] == min(run.logs["val_loss"] for run in runs)
    assert runs.best() is best.model
    loss = best.model.evaluate(X[36:], Y[36:], verbose=0)[0]
    assert loss == pytest.approx(best.logs["val_loss"], abs=1e-6)
    text = str(runs)
    lines = [line for line in text.splitlines() if line.startswith("│")]
    assert len(lines) == 2
    assert f"{best.settings['rate']:.4g}" in lines[0]
    assert "2 runs, seed 0, best val_loss first" in text
    highest = runs.sorted("accuracy")[0].logs["accuracy"]
    assert highest == max(run.logs["accuracy"] for run in runs)
    with pytest.raises(ValueError, match="the runs have"):
        runs.best("f1")


def test_the_programs_generators_are_left_as_they_are():
    set_random_seed(4)
    expected = np.random.random()
    set_random_seed(4)
    sweep(build, [{"rate": 0.1}], X, Y, **{**OPTIONS, "epochs": 1})
    assert np.random.random() == expected


def test_each_run_stops_when_it_would_alone():
    made = []

    def make():
        made.append(cornu.callbacks.EarlyStopping("loss", min_delta=0.01, patience=1))
        return made[-1]

    options = {**OPTIONS, "epochs": 8}
    space = {"rate": [1e-5, 0.02, 1e-4], "drop": [0.1]}
    runs = sweep(build, space, X, Y, seed=5, callbacks=make, **options)
    assert len(made) == 3
    assert runs.groups == [[0], [1], [2]]
    check_each(runs, callbacks=make, epochs=8)
    slow, fast, _ = (len(run.history["loss"]) for run in runs)
    assert slow < fast


def test_callbacks_that_set_the_rate_and_that_save(tmp_path):
    saved = []

    def make():
        saved.append(tmp_path / f"{len(saved)}.keras")
        halve = cornu.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        return [halve, cornu.callbacks.ModelCheckpoint(saved[-1])]

    runs = sweep(build, {"rate": [0.1, 0.2]}, X, Y, seed=5, callbacks=make, **OPTIONS)
    for run, path in zip(runs, saved, strict=True):
        loaded = cornu.models.load_model(path)
        for mine, theirs in zip(run.model.weights, loaded.weights, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        assert run.logs["learning_rate"] == pytest.approx(run.settings["rate"] / 8)
    check_each(runs, callbacks=make)


@pytest.mark.parametrize(
    ("space", "verbose", "said"),
    [
        ({"units": [5, 6, 5]}, "auto", ["Runs 1, 3 of 3", "Run 2 of 3"]),
        ({"rate": [0.1, 0.2]}, "auto", []),
        ({"rate": [0.1, 0.2]}, 2, ["Runs 1, 2 of 2"]),
        ({"units": [5, 6]}, 0, []),
    ],
)
def test_it_is_said_which_runs_begin(space, verbose, said, capsys):
    sweep(build, space, X, Y, **{**OPTIONS, "epochs": 1, "verbose": verbose})
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("Run")] == said


@pytest.mark.parametrize(
    ("space", "arguments", "error", "match"),
    [
        ({}, {}, ValueError, "no settings"),
        ([], {}, ValueError, "no settings"),
        ({"rate": 0.1}, {}, ValueError, "expected a list"),
        ({"rat": [0.1]}, {}, TypeError, "rat"),
        ({"rate": [0.1]}, {"replicas": 2}, TypeError, "replicas"),
        ({"rate": [0.1]}, {"callbacks": []}, TypeError, "a function that makes them"),
    ],
)
def test_what_cannot_be_swept(space, arguments, error, match):
    with pytest.raises(error, match=match):
        sweep(build, space, X, Y, **arguments)


def test_build_must_return_a_compiled_model():
    with pytest.raises(ValueError, match="expected a compiled model"):
        sweep(lambda units: layers.Dense(units), {"units": [1, 2]}, X, Y)
    with pytest.raises(ValueError, match="only once"):
        sweep(build, {"rate": [0.1]}, iter([(X, Y)]))
