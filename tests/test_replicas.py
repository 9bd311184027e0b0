"""fit(replicas=...): every replica is what it would be if it were trained alone with its seed."""

from __future__ import annotations

import numpy as np
import pytest

import cornu
from cornu import callbacks, layers
from cornu.core import random as core_random
from cornu.models import clone_model, load_model
from cornu.models.replicas import Replicas
from cornu.utils import set_random_seed

SEEDS = (3, 7, 8)
rng = np.random.default_rng(0)
X = rng.normal(size=(45, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] > 0).astype("float32")
IMAGES = rng.normal(size=(30, 6, 6, 1)).astype("float32")
CLASSES = np.arange(30) % 3


def dense(optimizer="sgd", **compiled):
    model = cornu.Sequential(
        [cornu.Input((4,)), layers.Dense(8, "relu"), layers.Dense(1, "sigmoid")]
    )
    model.compile(optimizer, "binary_crossentropy", metrics=["accuracy"], **compiled)
    return model


def unbuilt():
    model = cornu.Sequential([layers.Dense(8, "tanh"), layers.Dense(1, "sigmoid")])
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    return model


def noisy():
    rate = cornu.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)
    model = cornu.Sequential(
        [
            cornu.Input((4,)),
            layers.Dense(8, "relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.4),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(cornu.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy", "auc"])
    return model


def branches():
    inputs = cornu.Input((4,))
    left, right = layers.Dense(5, "relu")(inputs), layers.Dense(5, "tanh")(inputs)
    joined = layers.Dropout(0.2)(layers.Concatenate()([left, right]))
    model = cornu.Model(inputs, layers.Dense(1, "sigmoid")(joined))
    average = cornu.optimizers.SGD(0.1, momentum=0.9, nesterov=True, use_ema=True)
    model.compile(average, "binary_crossentropy", weighted_metrics=["accuracy"])
    return model


def convolutional():
    model = cornu.Sequential(
        [
            cornu.Input((6, 6, 1)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile("adadelta", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def alone(build, seed, x, y, **arguments):
    set_random_seed(seed)
    model = build()
    model.fit(x, y, **arguments)
    return model


def difference(model, other) -> float:
    pairs = zip(
        [*model.weights, *model.optimizer.variables],
        [*other.weights, *other.optimizer.variables],
        strict=True,
    )
    return max(float(np.abs(a.numpy() * 1.0 - b.numpy()).max()) for a, b in pairs)


def same_histories(history, i, other) -> None:
    assert set(history.history) == set(other.history)
    for name, values in other.history.items():
        each = np.array(history.history[name])
        assert each.shape == (len(values), len(history.seeds))
        np.testing.assert_allclose(each[:, i], values, atol=1e-6, err_msg=name)


OPTIONS = {"batch_size": 16, "epochs": 3, "verbose": 0, "check": False}


SETTINGS = {
    "split": {"validation_split": 0.2, "validation_freq": 2},
    "class-weight": {"class_weight": {0: 1.0, 1: 3.0}, "shuffle": False},
    "steps": {"steps_per_epoch": 2, "initial_epoch": 1},
    "sample-weight": {
        "sample_weight": np.linspace(0, 2, 45),
        "shuffle": "batch",
        "validation_data": (X, Y),
    },
}


@pytest.mark.parametrize(
    ("build", "arguments"),
    [
        (dense, SETTINGS["split"]),
        *(
            pytest.param(build, SETTINGS["split"], marks=pytest.mark.slow)
            for build in (unbuilt, branches)
        ),
        *(
            pytest.param(noisy, arguments, marks=pytest.mark.slow)
            for arguments in SETTINGS.values()
        ),
    ],
    ids=["dense", "unbuilt", "branches", *(f"noisy-{name}" for name in SETTINGS)],
)
def test_each_replica_is_what_it_would_be_alone(build, arguments):
    arguments = {**OPTIONS, **arguments}
    model = build()
    history = model.fit(X, Y, replicas=SEEDS, **arguments)
    assert history.seeds == SEEDS
    losses = model.replicas.evaluate(X, Y)["loss"]
    outputs = model.replicas.predict(X, batch_size=10)
    assert outputs.shape == (3, 45, 1)
    for i, seed in enumerate(SEEDS):
        other = alone(build, seed, X, Y, **arguments)
        same_histories(history, i, other.history)
        assert difference(model.replicas[i], other) < 2e-6
        assert other.evaluate(X, Y, verbose=0, return_dict=True)["loss"] == pytest.approx(
            losses[i], abs=1e-6
        )
        np.testing.assert_allclose(outputs[i], other.predict(X, verbose=0), atol=1e-6)
    assert difference(model, model.replicas[0]) == 0


@pytest.mark.slow
def test_convolutions_are_the_same_to_the_bit():
    model = convolutional()
    history = model.fit(IMAGES, CLASSES, replicas=SEEDS, **OPTIONS)
    for i, seed in enumerate(SEEDS):
        other = alone(convolutional, seed, IMAGES, CLASSES, **OPTIONS)
        assert difference(model.replicas[i], other) == 0
        assert [values[i] for values in history.history["loss"]] == other.history.history["loss"]


def test_a_replica_is_a_trained_clone():
    model = noisy()
    model.fit(X, Y, replicas=[5], **OPTIONS)
    set_random_seed(5)
    other = clone_model(model)
    other.fit(X, Y, **OPTIONS)
    assert difference(model.replicas[0], other) < 1e-6


@pytest.mark.slow
def test_both_ways_through_a_program_give_the_same(monkeypatch):
    from cornu.train import replicas

    found = []
    for together in (True, False):
        monkeypatch.setattr(replicas, "_is_faster_together", lambda _, t=together: t)
        for cores in (1, 2):
            ends = {1: [slice(0, 3)], 2: [slice(0, 2), slice(2, 3)]}[cores]
            monkeypatch.setattr(replicas, "_shares", lambda _, ends=ends: ends)
            model = noisy()
            model.fit(X, Y, replicas=SEEDS, **OPTIONS)
            found.append(model.replicas)
    for replica in range(3):
        for other in found[1:]:
            assert difference(found[0][replica], other[replica]) < 2e-6


def test_replicas_differ_from_each_other():
    model = dense()
    history = model.fit(X, Y, replicas=[1, 2], epochs=1, verbose=0, check=False)
    first, second = history.history["loss"][0]
    assert first != second


@pytest.mark.slow
def test_a_stream_gives_all_replicas_the_same_batches():
    def batches():
        for start in range(0, 45, 16):
            yield X[start : start + 16], Y[start : start + 16]

    class Batches:
        def __iter__(self):
            return batches()

    options = {"epochs": 2, "verbose": 0, "check": False}
    model = noisy()
    history = model.fit(Batches(), replicas=SEEDS, **options)
    for i, seed in enumerate(SEEDS):
        other = alone(noisy, seed, Batches(), None, **options)
        same_histories(history, i, other.history)


def test_a_generator_that_is_read_once():
    model = dense()
    pairs = ((X[:15], Y[:15]) for _ in range(4))
    history = model.fit(pairs, steps_per_epoch=2, epochs=2, replicas=2, verbose=0, check=False)
    assert np.array(history.history["loss"]).shape == (2, 2)


@pytest.mark.skipif(
    not hasattr(core_random, "last_seed"), reason="the last seed is not remembered yet"
)
def test_a_number_takes_the_seeds_from_the_last_one_on():
    set_random_seed(11)
    model = dense()
    assert model.fit(X, Y, replicas=3, epochs=1, verbose=0, check=False).seeds == (11, 12, 13)


def test_a_number_says_which_seeds_it_took():
    model = dense()
    history = model.fit(X, Y, replicas=2, epochs=1, verbose=0, check=False)
    other = alone(dense, history.seeds[1], X, Y, epochs=1, verbose=0, check=False)
    same_histories(history, 1, other.history)


def test_the_programs_generators_are_left_as_they_are():
    set_random_seed(4)
    expected = np.random.random()
    set_random_seed(4)
    dense().fit(X, Y, replicas=[1, 2], epochs=1, verbose=0, check=False)
    assert np.random.random() == expected


@pytest.mark.parametrize("replicas", [0, -2, True, 1.5, [], [1, -1], [1, "a"], "three"])
def test_what_is_no_number_of_replicas(replicas):
    with pytest.raises(ValueError, match="replicas"):
        dense().fit(X, Y, replicas=replicas, verbose=0, check=False)


def test_eager_models_are_refused():
    with pytest.raises(ValueError, match="run_eagerly"):
        dense(run_eagerly=True).fit(X, Y, replicas=2, verbose=0, check=False)


def test_another_fit_goes_on_and_compile_begins_anew():
    model = dense("adam")
    model.fit(X, Y, replicas=SEEDS, **OPTIONS)
    model.fit(X, Y, replicas=SEEDS, **OPTIONS)
    set_random_seed(SEEDS[1])
    other = dense("adam")
    other.fit(X, Y, **OPTIONS)
    other.fit(X, Y, **OPTIONS)
    assert difference(model.replicas[1], other) < 2e-6
    before = model.replicas[1].get_weights()
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    with pytest.raises(ValueError, match="compiled or changed"):
        model.replicas.evaluate(X, Y)
    for weights, kept in zip(before, model.replicas[1].get_weights(), strict=True):
        np.testing.assert_array_equal(weights, kept)
    model.fit(X, Y, replicas=SEEDS, **OPTIONS)
    assert difference(model.replicas[1], alone(lambda: dense("adam"), 7, X, Y, **OPTIONS)) < 2e-6


def test_another_seed_begins_anew():
    model = dense("adam")
    set_random_seed(0)
    assert model.fit(X, Y, replicas=2, **OPTIONS).seeds == (0, 1)
    assert model.fit(X, Y, replicas=2, **OPTIONS).seeds == (0, 1)
    assert model.optimizer.iterations.numpy() == 2 * 3 * 3  # gone on
    set_random_seed(100)
    history = model.fit(X, Y, replicas=2, **OPTIONS)
    assert history.seeds == (100, 101)
    for i, seed in enumerate(history.seeds):
        other = alone(lambda: dense("adam"), seed, X, Y, **OPTIONS)
        same_histories(history, i, other.history)
        assert difference(model.replicas[i], other) < 2e-6
    set_random_seed(7)
    model.fit(X, Y, replicas=(100, 101), **OPTIONS)  # they are named
    assert model.optimizer.iterations.numpy() == 2 * 3 * 3


def test_adapted_layers_stay_adapted():
    model = cornu.Sequential([cornu.Input((4,)), layers.Normalization(), layers.Dense(1)])
    model.layers[0].adapt(X * 9)
    model.compile("sgd", "mse")
    model.fit(X, Y, replicas=2, epochs=1, verbose=0, check=False)
    np.testing.assert_array_equal(model.replicas[1].layers[0].mean, model.layers[0].mean)


@pytest.mark.slow
def test_a_model_of_its_own_class():
    class Own(cornu.Model):
        def __init__(self, units=4, **kwargs):
            super().__init__(**kwargs)
            self.inner = layers.Dense(units, "relu")
            self.drop = layers.Dropout(0.5)
            self.outer = layers.Dense(1, "sigmoid")

        def call(self, inputs, training=False):
            return self.outer(self.drop(self.inner(inputs), training=training))

    def own():
        model = Own(5)
        model.compile("adam", "binary_crossentropy")
        return model

    model = own()
    history = model.fit(X, Y, replicas=SEEDS, **OPTIONS)
    for i, seed in enumerate(SEEDS):
        set_random_seed(seed)
        other = clone_model(model)
        other.fit(X, Y, **OPTIONS)
        same_histories(history, i, other.history)
        assert difference(model.replicas[i], other) < 2e-6
    predicted = model.replicas.ensemble().predict(X, verbose=0)
    np.testing.assert_allclose(predicted, model.replicas.predict(X).mean(axis=0), atol=1e-6)


def test_losses_and_metrics_that_have_no_configuration():
    model = cornu.Sequential([cornu.Input((4,)), layers.Dense(1)])
    metric = cornu.metrics.MeanAbsoluteError()
    model.compile("sgd", lambda y, p: (y - p) ** 2, metrics=[metric, lambda y, p: y - p])
    model.fit(X, Y, replicas=2, epochs=1, verbose=0, check=False)
    one = model.replicas[1].evaluate(X, Y, verbose=0, return_dict=True)
    for name, values in model.replicas.evaluate(X, Y).items():
        assert one[name] == pytest.approx(values[1], abs=1e-6)


# -- callbacks --------------------------------------------------------------------------------


def test_callbacks_are_told_means():
    seen = []
    tell = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs))
    history = dense().fit(X, Y, replicas=SEEDS, callbacks=[tell], **OPTIONS)
    assert all(isinstance(value, float) for logs in seen for value in logs.values())
    means = np.array(history.history["loss"]).mean(axis=1)
    np.testing.assert_allclose([logs["loss"] for logs in seen], means)


def test_early_stopping_watches_the_mean_and_restores_all():
    values = iter([0.5, 0.3, 0.4, 0.6, 0.7])
    kept = {}

    class Feign(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["feigned"] = next(values)
            kept[epoch] = self.model.get_weights()

    stop = callbacks.EarlyStopping("feigned", patience=2, mode="min", restore_best_weights=True)
    model = noisy()
    options = {**OPTIONS, "epochs": 5}
    model.fit(X, Y, replicas=SEEDS, callbacks=[Feign(), stop], **options)
    assert stop.stopped_epoch == 3
    for i, seed in enumerate(SEEDS):
        other = alone(noisy, seed, X, Y, **{**OPTIONS, "epochs": 2})
        for mine, theirs in zip(model.replicas[i].weights, other.weights, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-6)
    for mine, theirs in zip(model.get_weights(), kept[1], strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_the_best_is_that_of_the_restored_epoch():
    feigned = iter([0.5, 0.3, 0.4, 0.6])
    at_end = iter([[3, 2, 1], [1, 2, 3], [3, 1, 2], [2, 3, 1]])

    class Feign(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["feigned"] = next(feigned)

    class Record(callbacks.History):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, {**logs, "loss": np.array(next(at_end), float)})

    model = dense()
    stop = callbacks.EarlyStopping("feigned", patience=2, mode="min", restore_best_weights=True)
    options = {**OPTIONS, "validation_data": (X, Y), "validation_freq": [1, 3]}
    told = [Feign(), Record(), stop]
    model.fit(X, Y, replicas=SEEDS, callbacks=told, **{**options, "epochs": 9})
    replicas = model.replicas
    assert (stop.best_epoch, stop.stopped_epoch) == (1, 3)
    assert replicas.index_of_best("loss") == 0  # not 2, as in the last epoch
    # not known of that epoch: the one before
    known = replicas.history.history["val_loss"]
    assert len(known) == 2
    assert replicas.index_of_best("val_loss", "max") == int(np.argmax(known[0]))
    # trained on, they are those of the last epoch again
    model.fit(X, Y, replicas=SEEDS, **OPTIONS)
    last = model.replicas.history.history["loss"][-1]
    assert model.replicas.index_of_best("loss") == int(np.argmin(last))


def test_the_best_by_a_value_that_came_after_the_restored_epoch():
    model = dense("sgd")
    options = {"validation_data": (X, Y), "validation_freq": [3], "epochs": 4}
    stop = callbacks.EarlyStopping("loss", mode="max", patience=3, restore_best_weights=True)
    model.optimizer.learning_rate = 0.5
    model.fit(X, Y, replicas=SEEDS, callbacks=[stop], **{**OPTIONS, **options})
    assert stop.best_epoch == 0
    with pytest.raises(ValueError, match=r"early epoch, up to which the history has .*'loss'"):
        model.replicas.best("val_loss")


@pytest.mark.parametrize(
    "callback",
    [
        callbacks.ModelCheckpoint("a.keras"),
        callbacks.BackupAndRestore("folder"),
        callbacks.SwapEMAWeights(),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_callbacks_of_one_network_are_refused(callback):
    with pytest.raises(ValueError, match=f"cannot use the callback {type(callback).__name__}"):
        dense().fit(X, Y, replicas=2, callbacks=[callback], verbose=0, check=False)


def test_learning_rates_are_set_for_all():
    def halve(epoch, rate):
        return rate / 2

    model = dense()
    scheduler = callbacks.LearningRateScheduler(halve)
    history = model.fit(X, Y, replicas=SEEDS, callbacks=[scheduler], **OPTIONS)
    scheduler = callbacks.LearningRateScheduler(halve)
    other = alone(dense, 8, X, Y, callbacks=[scheduler], **OPTIONS)
    assert difference(model.replicas[2], other) < 1e-6
    assert history.history["learning_rate"] == other.history.history["learning_rate"]


def test_a_callback_sees_the_first_replica_and_may_not_change_it():
    seen = []
    look = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs["loss"]),
        on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0]),
    )
    model = dense()
    model.fit(X, Y, replicas=SEEDS, callbacks=[look], **{**OPTIONS, "epochs": 1})
    assert len(seen) == 4
    np.testing.assert_array_equal(seen[-1], model.replicas[0].get_weights()[0])
    evaluate = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.evaluate(X, Y, verbose=0)[0])
    )
    model.fit(X, Y, replicas=SEEDS, callbacks=[evaluate], **{**OPTIONS, "epochs": 1})
    assert seen[-1] == pytest.approx(model.replicas.evaluate(X, Y)["loss"][0], abs=1e-6)
    change = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: model.weights[0].assign(np.zeros((4, 8)))
    )
    with pytest.raises(ValueError, match=r"changed 'dense.*/kernel'"):
        model.fit(X, Y, replicas=SEEDS, callbacks=[change], **OPTIONS)


def test_progress_bar_and_check_say_it_once(capsys):
    model = cornu.Sequential([cornu.Input((4,)), layers.Dense(1)])
    model.compile("sgd", "binary_crossentropy")
    model.fit(X, Y, replicas=3, epochs=1)
    out, err = capsys.readouterr()
    assert "loss: " in out
    assert err.count("C103") == 1


# -- afterwards -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained() -> cornu.Model:
    model = noisy()
    model.fit(X, Y, replicas=SEEDS, validation_data=(X, Y), **OPTIONS)
    return model


def test_indices(trained):
    replicas = trained.replicas
    assert repr(replicas).endswith("seeds 3, 7, 8>")
    assert difference(replicas[-1], replicas[2]) == 0
    assert len(replicas) == len(list(replicas)) == 3
    with pytest.raises(IndexError, match="there are 3"):
        replicas[3]
    with pytest.raises(TypeError, match="integer"):
        replicas["first"]


def test_best(trained):
    replicas = trained.replicas
    last = replicas.history.history
    assert replicas.index_of_best() == int(np.argmin(last["val_loss"][-1]))
    assert replicas.index_of_best("accuracy") == int(np.argmax(last["accuracy"][-1]))
    assert replicas.index_of_best("loss", "max") == int(np.argmax(last["loss"][-1]))
    loss = replicas.best().evaluate(X, Y, verbose=0)[0]
    assert loss == pytest.approx(last["val_loss"][-1].min(), abs=1e-6)
    with pytest.raises(ValueError, match="'accuracy'"):
        replicas.best("f1")
    with pytest.raises(ValueError, match="mode"):
        replicas.best(mode="least")


def test_a_replica_that_diverged_is_not_the_best(trained):
    history = callbacks.History()
    history.history = {"loss": [np.array([np.nan, 2.0, 1.0])], "auc": [np.array([0.1, np.nan, 0])]}
    replicas = Replicas(trained, trained.replicas._program, history)
    assert replicas.index_of_best() == 2
    assert replicas.index_of_best("auc") == 0


def test_mean(trained):
    mean = trained.replicas.mean()
    kernels = [model.get_weights()[0] for model in trained.replicas]
    np.testing.assert_allclose(mean.get_weights()[0], np.mean(kernels, axis=0), atol=1e-6)
    assert mean.evaluate(X, Y, verbose=0)[0] > 0


def test_ensemble_evaluates_predicts_saves_and_loads(trained, tmp_path):
    ensemble = trained.replicas.ensemble()
    predicted = ensemble.predict(X, verbose=0)
    np.testing.assert_allclose(predicted, trained.replicas.predict(X).mean(axis=0), atol=1e-6)
    ensemble.save(tmp_path / "ensemble.keras")
    loaded = load_model(tmp_path / "ensemble.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), predicted)
    assert loaded.evaluate(X, Y, verbose=0) == ensemble.evaluate(X, Y, verbose=0)
    assert loaded.fit(X, Y, verbose=0, check=False).history["loss"]


def test_several_inputs_and_outputs():
    inputs = {"a": cornu.Input((4,), name="a"), "b": cornu.Input((4,), name="b")}
    joined = layers.Concatenate()([inputs["a"], inputs["b"]])
    outputs = [layers.Dense(1, name="p")(joined), layers.Dense(2, name="q")(joined)]
    model = cornu.Model(inputs, outputs)
    model.compile("sgd", "mse")
    x, y = {"a": X, "b": X[::-1]}, [Y, np.stack([Y, Y], 1)]
    history = model.fit(x, y, replicas=2, epochs=1, verbose=0, check=False)
    assert {"loss", "p_loss", "q_loss"} <= set(history.history)
    first, second = model.replicas.predict(x)
    assert (first.shape, second.shape) == ((2, 45, 1), (2, 45, 2))
    averaged = model.replicas.ensemble().predict(x, verbose=0)
    np.testing.assert_allclose(averaged[1], second.mean(axis=0), atol=1e-6)


def test_save(trained, tmp_path):
    files = trained.replicas.save(tmp_path / "all")
    assert [file.rpartition("/")[2] for file in files] == [
        f"replica_{i}_seed_{seed}.keras" for i, seed in enumerate(SEEDS)
    ]
    loaded = load_model(files[1])
    assert difference(loaded, trained.replicas[1]) == 0
    (file, *_) = trained.replicas.save(tmp_path / "net-{seed}.keras")
    assert file == str(tmp_path / "net-3.keras")
    with pytest.raises(ValueError, match="overwrite each other"):
        trained.replicas.save(tmp_path / "net.keras")
    with pytest.raises(ValueError, match="can stand in the name"):
        trained.replicas.save(tmp_path / "{name}.keras")


def test_a_model_with_replicas_is_copied_and_saved_as_one(trained, tmp_path):
    trained.save(tmp_path / "one.keras")
    assert difference(load_model(tmp_path / "one.keras"), trained.replicas[0]) == 0
