"""Callbacks, driven through their hooks on a stand-in for the model."""

import csv
import os
import subprocess
import sys
import types
from contextlib import nullcontext

import h5py
import numpy as np
import pytest

import cornu
from cornu.callbacks import (
    BackupAndRestore,
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ProgbarLogger,
    ReduceLROnPlateau,
    SwapEMAWeights,
    TensorBoard,
    TerminateOnNaN,
)
from cornu.callbacks.callback import HOOKS
from cornu.core.variable import Variable
from cornu.utils import Progbar

NAN = float("nan")


class FakeModel:
    """What callbacks ask of a model: weights, an optimizer with a learning rate, files."""

    def __init__(self, learning_rate=0.1, metrics=()):
        self.stop_training = False
        self.built = True
        self.kernel = Variable(np.zeros(3), name="kernel")
        self.optimizer = types.SimpleNamespace(
            learning_rate=Variable(np.float32(learning_rate)), built=True
        )
        self.metrics = list(metrics)
        self.history = None
        self._initial_epoch = None

    def get_weights(self):
        return [self.kernel.numpy()]

    def set_weights(self, weights):
        self.kernel.assign(weights[0])

    def save_weights(self, path, overwrite=True):
        assert path.endswith(".weights.h5")
        with h5py.File(path, "w") as file:
            file["kernel"] = self.kernel.numpy()

    def save(self, path, overwrite=True):
        assert path.endswith(".keras")
        with open(path, "wb") as file:
            file.write(self.kernel.numpy().tobytes())

    def load_weights(self, path):
        with h5py.File(path, "r") as file:
            self.kernel.assign(file["kernel"][:])


def fit(model, callbacks, epochs_logs, batches=1, epochs=None):
    """What the training loop does with callbacks; a batch leaves the epoch's number as weights."""
    callbacks = CallbackList(
        callbacks, add_history=True, model=model, epochs=epochs or len(epochs_logs), steps=batches
    )
    model.stop_training = False
    callbacks.on_train_begin()
    logs = {}
    for epoch, logs in enumerate(epochs_logs):
        callbacks.on_epoch_begin(epoch)
        for batch in range(batches):
            callbacks.on_train_batch_begin(batch)
            model.kernel.assign(np.full(3, float(epoch + 1)))
            callbacks.on_train_batch_end(batch, logs)
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end(logs)
    return model.history


def losses(*values, name="loss"):
    return [{name: value} for value in values]


# --- Callback, CallbackList, LambdaCallback ------------------------------------------------------


class Recorder(Callback):
    """Overrides every hook and writes down its calls."""

    def __init__(self):
        super().__init__()
        self.calls = []


def _record(name):
    return lambda self, *args, **kwargs: self.calls.append((name, *args))


for _name in HOOKS:
    setattr(Recorder, _name, _record(_name))


def test_every_hook_of_keras_is_there_and_reached():
    recorder = Recorder()
    callbacks = CallbackList(recorder, model=FakeModel())
    for name in HOOKS:
        getattr(callbacks, name)(*([3] if "batch" in name or "epoch" in name else []), logs={})
    assert [call[0] for call in recorder.calls] == list(HOOKS)


def test_a_callback_that_forgets_super_init_works():
    class Forgetful(Callback):
        def __init__(self):
            self.seen = []

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append((epoch, self.params["epochs"], self.model))

    forgetful, model = Forgetful(), FakeModel()
    fit(model, [forgetful], losses(1.0))
    assert forgetful.seen == [(0, 1, model)]


def test_the_older_batch_hooks_are_called():
    seen = []

    class Old(Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append((batch, logs))

    fit(FakeModel(), [Old()], losses(0.5), batches=2)
    assert seen == [(0, {"loss": 0.5}), (1, {"loss": 0.5})]


def test_lists_are_flattened_and_defaults_added_once():
    inner, history = Callback(), History()
    model = FakeModel()
    callbacks = CallbackList(
        [[inner], (history,)], add_history=True, add_progbar=True, model=model, epochs=1, steps=1
    )
    assert callbacks.callbacks[:2] == [inner, history]
    assert isinstance(callbacks.callbacks[2], ProgbarLogger)
    assert len(callbacks.callbacks) == 3
    assert model.history is history
    assert inner.params == {"epochs": 1, "steps": 1}


def test_append():
    model, recorder = FakeModel(), Recorder()
    callbacks = CallbackList(model=model, epochs=2)
    callbacks.append(recorder)
    callbacks.on_epoch_begin(1)
    assert recorder.model is model
    assert recorder.params == {"epochs": 2}
    assert recorder.calls == [("on_epoch_begin", 1, {})]


@pytest.mark.parametrize("wrong", [EarlyStopping, "early_stopping", lambda epoch: None, 3])
def test_something_that_is_no_callback(wrong):
    with pytest.raises(TypeError, match=r"^callbacks: received"):
        CallbackList([wrong])


def test_logs_are_plain_floats_ordered_by_name():
    seen = []
    callback = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs))
    given = {"loss": np.float32(0.5), "accuracy": Variable(np.float32(0.25)), "words": "none"}
    given["outputs"] = outputs = np.zeros((1, 1))
    CallbackList(callback, model=FakeModel()).on_epoch_end(0, given)
    assert list(seen[0].items()) == [
        ("accuracy", 0.25),
        ("loss", 0.5),
        ("outputs", outputs),
        ("words", "none"),
    ]
    assert type(seen[0]["loss"]) is type(seen[0]["accuracy"]) is float


def test_later_callbacks_see_what_an_earlier_one_adds_and_the_caller_does_not():
    given = {"loss": 1.0}
    model = FakeModel()
    history = fit(model, [LearningRateScheduler(lambda epoch, rate: rate / 2)], [given, given])
    assert history.history["learning_rate"] == pytest.approx([0.05, 0.025])
    assert given == {"loss": 1.0}


def test_lambda_callback_takes_every_hook():
    calls = []
    hooks = {name: lambda *args, _name=name, **kw: calls.append(_name) for name in HOOKS}
    callbacks = CallbackList(LambdaCallback(**hooks), model=FakeModel())
    for name in HOOKS:
        getattr(callbacks, name)(*([3] if "batch" in name or "epoch" in name else []), logs={})
    assert calls == list(HOOKS)


def test_lambda_callback_with_an_unknown_hook():
    with pytest.raises(ValueError, match=r"on_epoch_ends.*did you mean 'on_epoch_end'"):
        LambdaCallback(on_epoch_ends=print)


# --- who needs batches ---------------------------------------------------------------------------


class NeedsTrain(Callback):
    def on_train_batch_begin(self, batch, logs=None): ...


class NeedsOldName(Callback):
    def on_batch_end(self, batch, logs=None): ...


class NeedsTest(Callback):
    def on_test_batch_end(self, batch, logs=None): ...


class NeedsPredict(Callback):
    def on_predict_batch_end(self, batch, logs=None): ...


class PerChunk(NeedsTrain):
    per_chunk = True


class OwnCheckpoint(ModelCheckpoint):
    def on_train_batch_end(self, batch, logs=None): ...


@pytest.mark.parametrize(
    ("make", "needs"),
    [
        (Callback, ""),
        (NeedsTrain, "train"),
        (NeedsOldName, "train"),
        (NeedsTest, "test"),
        (NeedsPredict, "predict"),
        (PerChunk, ""),
        (lambda: LambdaCallback(on_epoch_end=print, on_train_begin=print), ""),
        (lambda: LambdaCallback(on_train_batch_end=print), "train"),
        (lambda: LambdaCallback(on_test_batch_begin=print), "test"),
        (lambda: LambdaCallback(on_train_batch_end=print, per_chunk=True), ""),
        (History, ""),
        (ProgbarLogger, ""),
        (TerminateOnNaN, ""),
        (EarlyStopping, ""),
        (ReduceLROnPlateau, ""),
        (lambda: LearningRateScheduler(abs), ""),
        (lambda: CSVLogger("log.csv"), ""),
        (SwapEMAWeights, ""),
        (lambda: ModelCheckpoint("a.keras"), ""),
        (lambda: ModelCheckpoint("a.keras", save_freq=5), "train"),
        (lambda: OwnCheckpoint("a.keras"), "train"),
        (lambda: BackupAndRestore("folder"), ""),
        (lambda: BackupAndRestore("folder", save_freq=5), "train"),
        (lambda: BackupAndRestore("folder", save_freq=False), ""),
        (TensorBoard, ""),
        (lambda: TensorBoard(histogram_freq=1, write_steps_per_second=True), ""),
        (lambda: TensorBoard(update_freq="batch"), "train"),
        (lambda: TensorBoard(update_freq=10), "train"),
        (lambda: TensorBoard(profile_batch=3), "train"),
    ],
)
def test_needs_batches(make, needs):
    for callback in (make(), CallbackList([Callback(), make()])):
        assert callback.needs_batches == (needs == "train")
        assert callback.needs_test_batches == (needs == "test")
        assert callback.needs_predict_batches == (needs == "predict")


def test_the_end_of_a_chunk_reaches_those_that_ask_for_it():
    calls = []

    class Each(Callback):
        def on_train_batch_end(self, batch, logs=None):
            calls.append(("each", batch))

        on_test_batch_end = on_predict_batch_end = on_train_batch_end

    class Chunk(Each):
        per_chunk = True

        def on_train_batch_end(self, batch, logs=None):
            calls.append(("chunk", batch))

        on_test_batch_end = on_predict_batch_end = on_train_batch_end

    callbacks = CallbackList([Each(), Chunk()], model=FakeModel())
    for stage in ("train", "test", "predict"):
        calls.clear()
        getattr(callbacks, f"on_{stage}_chunk_end")(99, {})
        assert calls == [("chunk", 99)]
        getattr(callbacks, f"on_{stage}_batch_end")(100, {})
        assert calls[1:] == [("each", 100), ("chunk", 100)]


def test_hooks_nobody_overrides_are_not_called_at_all():
    callbacks = CallbackList([Callback(), ModelCheckpoint("a.keras")], add_history=True)
    callbacks.on_train_begin()
    assert not any(hooks for name, hooks in callbacks._hooks.items() if "batch" in name)
    assert len(callbacks._hooks["on_epoch_end"]) == 2


def test_a_hook_set_on_the_object_before_training_is_called():
    callback, seen = Callback(), []
    callbacks = CallbackList(callback, model=FakeModel())
    callback.on_epoch_end = lambda epoch, logs=None: seen.append(epoch)
    callbacks.on_train_begin()
    callbacks.on_epoch_end(4)
    assert seen == [4]


# --- History, CSVLogger, ProgbarLogger -----------------------------------------------------------


def test_history():
    model = FakeModel()
    history = fit(model, [], [{"loss": 1.0, "val_loss": 2.0}, {"loss": 0.5}])
    assert isinstance(history, History)
    assert history.epoch == [0, 1]
    assert history.history == {"loss": [1.0, 0.5], "val_loss": [2.0]}
    assert history.params == {"epochs": 2, "steps": 1}


def read_csv(path, delimiter=","):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=delimiter))


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    fit(FakeModel(), [CSVLogger(path)], [{"loss": 1.0, "val_loss": 2.0}, {"loss": 0.5}])
    assert read_csv(path) == [
        ["epoch", "loss", "val_loss"],
        ["0", "1.0", "2.0"],
        ["1", "0.5", "NA"],
    ]


def test_csv_logger_keeps_columns_for_validation_to_come(tmp_path):
    path = tmp_path / "log.csv"
    logs = [{"loss": 1.0, "accuracy": 0.5}, {"loss": 0.5, "accuracy": 0.6, "val_loss": 3.0}]
    fit(FakeModel(), [CSVLogger(path, separator=";")], logs)
    assert read_csv(path, ";") == [
        ["epoch", "accuracy", "loss", "val_accuracy", "val_loss"],
        ["0", "0.5", "1.0", "NA", "NA"],
        ["1", "0.6", "0.5", "NA", "3.0"],
    ]


def test_csv_logger_appends(tmp_path):
    path = tmp_path / "log.csv"
    logger = CSVLogger(path, append=True)
    for _ in range(2):
        fit(FakeModel(), [logger], [{"loss": 1.0, "val_loss": 2.0}])
    assert [row[0] for row in read_csv(path)] == ["epoch", "0", "0"]
    fit(FakeModel(), [CSVLogger(path)], [{"loss": 1.0, "val_loss": 2.0}])
    assert [row[0] for row in read_csv(path)] == ["epoch", "0"]


def test_csv_logger_writes_several_values_in_one_cell(tmp_path):
    path = tmp_path / "log.csv"
    logs = {"loss": np.float32(0.5), "recall": np.array([0.25, 0.5]), "val_loss": np.array(1.0)}
    fit(FakeModel(), [CSVLogger(path)], [logs])
    assert read_csv(path)[1] == ["0", "0.5", '"[0.25, 0.5]"', "1.0"]


def test_csv_logger_that_cannot_write(tmp_path):
    path = tmp_path / "missing" / "log.csv"
    with pytest.raises(FileNotFoundError, match=r"CSVLogger cannot write '.*log.csv': No such"):
        fit(FakeModel(), [CSVLogger(path)], losses(1.0))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
def test_csv_logger_on_a_full_disk():
    logger = CSVLogger("/dev/full")
    with pytest.raises(OSError, match="CSVLogger cannot write '/dev/full': No space left"):
        fit(FakeModel(), [logger], losses(1.0))
    with pytest.raises(OSError):  # the row is still waiting to be written
        logger.csv_file.close()


def progress(capsys, verbose, steps=10, chunks=((4, 0.5), (9, 0.25)), epochs=2, stop=False):
    model = FakeModel()
    callbacks = CallbackList(
        add_progbar=True, model=model, verbose=verbose, epochs=epochs, steps=steps
    )
    callbacks.on_train_begin()
    for epoch in range(epochs):
        callbacks.on_epoch_begin(epoch)
        for batch, loss in chunks:
            callbacks.on_train_chunk_end(batch, {"loss": loss})
        callbacks.on_test_begin()
        callbacks.on_test_chunk_end(0, {"loss": 9.0})
        callbacks.on_test_end({"loss": 9.0})
        callbacks.on_epoch_end(epoch, {"loss": 0.25, "val_loss": 9.0})
        if stop:
            break
    callbacks.on_train_end({})
    return capsys.readouterr().out.splitlines()


def test_progress_of_fit(capsys):
    lines = progress(capsys, verbose=1)
    assert len(lines) == 4  # a validation within fit is silent
    assert lines[0::2] == ["Epoch 1/2", "Epoch 2/2"]
    for line in lines[1::2]:
        assert line.startswith("10/10 ━━━━━━━━━━━━━━━━━━━━ 0s ")
        assert line.endswith("/step - loss: 0.2500 - val_loss: 9.0000")  # not averaged once more


def test_progress_as_one_line_per_epoch(capsys):
    lines = progress(capsys, verbose=2)
    assert lines[0] == "Epoch 1/2"
    assert lines[1].startswith("10/10 - 0s - ")
    assert lines[1].endswith("/step - loss: 0.2500 - val_loss: 9.0000")


def test_one_epoch_has_no_heading(capsys):
    assert len(progress(capsys, verbose=2, epochs=1)) == 1


def test_silent_progress(capsys):
    assert progress(capsys, verbose=0) == []


def test_progress_auto_is_the_bar():
    logger = ProgbarLogger()
    logger.set_params({"verbose": "auto", "epochs": 1, "steps": None})
    assert logger.verbose == 1


def test_progress_learns_the_number_of_steps(capsys):
    lines = progress(capsys, verbose=2, steps=None)
    assert lines[1].startswith("10/10 - ")


def test_progress_shows_the_steps_done_where_training_stopped(capsys):
    lines = progress(capsys, verbose=2, steps=1000, stop=True)
    assert lines[1].startswith("  10/1000 - ")


def test_only_a_bar_that_is_drawn_says_what_it_waits_for(monkeypatch):
    waited = []
    monkeypatch.setattr(Progbar, "waiting", lambda bar, what: waited.append(what) or nullcontext())

    def wait(callbacks, stage):
        with callbacks.waiting(stage, f"for {stage}"):
            pass

    callbacks = CallbackList(add_progbar=True, model=FakeModel(), verbose=2, epochs=2, steps=3)
    wait(callbacks, "train")
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    for stage in ("train", "test"):  # a validation within fit is silent
        wait(callbacks, stage)
    callbacks.on_train_end()
    for stage in ("test", "predict"):
        getattr(callbacks, f"on_{stage}_begin")()
        wait(callbacks, stage)
    wait(CallbackList(), "train")
    assert waited == ["for train", "for test", "for predict"]


def test_fit_waits_for_the_compiler_once(monkeypatch):
    waited = []
    monkeypatch.setattr(Progbar, "waiting", lambda bar, what: waited.append(what) or nullcontext())
    model = cornu.Sequential([cornu.Input((4,)), cornu.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((32, 4), "float32")
    model.fit(x, x[:, :1], epochs=2)
    model.fit(x, x[:, :1])
    assert waited == ["compiling"]
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(x, x[:, :1])
    assert waited == ["compiling"]


@pytest.mark.parametrize("stage", ["test", "predict"])
def test_progress_of_evaluate_and_predict(capsys, stage):
    callbacks = CallbackList(add_progbar=True, model=FakeModel(), verbose=2, epochs=1, steps=3)
    getattr(callbacks, f"on_{stage}_begin")()
    getattr(callbacks, f"on_{stage}_chunk_end")(2, {"loss": 0.5, "outputs": np.zeros((2, 2))})
    getattr(callbacks, f"on_{stage}_end")({"loss": 0.5})
    ending = " - loss: 0.5000" if stage == "test" else ""
    out = capsys.readouterr().out
    assert out.startswith("3/3 - 0s - ")
    assert out.endswith(f"/step{ending}\n") or stage == "test"


# --- EarlyStopping, TerminateOnNaN ---------------------------------------------------------------


def test_early_stopping_and_best_weights():
    model = FakeModel()
    callback = EarlyStopping("loss", patience=2, restore_best_weights=True)
    history = fit(model, [callback], losses(5, 3, 4, 4, 1))
    assert history.epoch == [0, 1, 2, 3]
    assert (callback.stopped_epoch, callback.best_epoch, callback.best) == (3, 1, 3)
    assert model.kernel.numpy().tolist() == [2, 2, 2]


def test_best_weights_are_restored_where_training_was_not_stopped():
    model = FakeModel()
    callback = EarlyStopping("loss", patience=5, restore_best_weights=True)
    fit(model, [callback], losses(1, 2, 3))
    assert callback.stopped_epoch == 0
    assert model.kernel.numpy().tolist() == [1, 1, 1]


def test_without_restoring_the_last_weights_stay():
    model = FakeModel()
    fit(model, [EarlyStopping("loss")], losses(1, 2, 3))
    assert model.kernel.numpy().tolist() == [2, 2, 2]


def test_early_stopping_starts_afresh():
    model, callback = FakeModel(), EarlyStopping("loss", patience=1)
    for _ in range(2):
        assert fit(model, [callback], losses(3, 4, 5)).epoch == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "values", "epochs"),
    [
        ({}, [3, 2, 2, 1], 3),
        ({"patience": 1}, [3, 2, 2, 1], 3),
        ({"patience": 2}, [3, 2, 2, 2, 1], 4),
        ({"min_delta": 0.5}, [3, 2.6, 1], 2),
        ({"min_delta": -0.5}, [3, 2.6, 1], 2),
        ({"min_delta": 0.0001, "patience": 1}, [0.5, 0.4999, 0.4998], 2),
        ({"mode": "max"}, [1, 2, 3, 2, 5], 4),
        ({"baseline": 1.0, "patience": 2}, [3, 2, 2.5, 1.2], 3),
        ({"baseline": 1.0, "patience": 2}, [3, 0.5, 0.6, 0.7, 0.8], 4),
        ({"start_from_epoch": 2}, [1, 2, 3, 3.5, 1], 4),
        ({}, [NAN, 1, 2], 2),
        ({"patience": 3}, [1, NAN, NAN, NAN, 0], 4),
    ],
)
def test_when_early_stopping_stops(arguments, values, epochs):
    history = fit(FakeModel(), [EarlyStopping("loss", **arguments)], losses(*values))
    assert len(history.epoch) == epochs


def test_early_stopping_says_what_it_does(capsys):
    callback = EarlyStopping("loss", restore_best_weights=True, verbose=1)
    fit(FakeModel(), [callback], losses(1, 2))
    assert capsys.readouterr().out == (
        "Epoch 2: early stopping\nRestoring model weights from the end of the best epoch: 1.\n"
    )


def test_a_missing_value_warns():
    with pytest.warns(UserWarning, match="`val_loss` which is not available.*accuracy,loss"):
        history = fit(FakeModel(), [EarlyStopping()], [{"loss": 1.0, "accuracy": 0.5}] * 2)
    assert history.epoch == [0, 1]


def metric(name, direction=None):
    found = types.SimpleNamespace(name=name)
    if direction:
        found._direction = direction
    return found


@pytest.mark.parametrize(
    ("monitor", "direction"),
    [
        ("loss", "min"),
        ("val_loss", "min"),
        ("head_loss", "min"),
        ("accuracy", "max"),
        ("val_accuracy", "max"),
        ("val_head_accuracy", "max"),
        ("mse", "min"),
    ],
)
def test_mode_auto(monitor, direction):
    container = types.SimpleNamespace(
        name="compile_metrics", metrics=[metric("accuracy", "up"), metric("mse", "down")]
    )
    for metrics in ([metric("loss", "down"), container], [metric("loss"), *container.metrics]):
        callback = EarlyStopping(monitor)
        callback.set_model(FakeModel(metrics=metrics))
        assert callback.direction == direction


def test_mode_auto_that_cannot_tell():
    callback = ModelCheckpoint("a.keras", monitor="val_mine", save_best_only=True)
    callback.set_model(FakeModel(metrics=[metric("mine")]))
    with pytest.raises(ValueError, match=r"ModelCheckpoint\(monitor='val_mine'\).*mode='max'"):
        callback.is_improvement(1.0, 2.0)


@pytest.mark.parametrize("cls", [EarlyStopping, ReduceLROnPlateau])
def test_an_unknown_mode_warns(cls):
    with pytest.warns(UserWarning, match=rf"{cls.__name__}\(mode='least'\)"):
        assert cls(mode="least").mode == "auto"


@pytest.mark.parametrize("loss", [NAN, float("inf"), -float("inf")])
def test_terminate_on_nan(loss, capsys):
    history = fit(FakeModel(), [TerminateOnNaN()], losses(1.0, loss, 1.0))
    assert history.epoch == [0, 1]
    assert capsys.readouterr().out == "Batch 0: Invalid loss, terminating training\n"


def test_terminate_on_nan_at_the_end_of_a_chunk():
    model = FakeModel()
    callbacks = CallbackList(TerminateOnNaN(), model=model)
    callbacks.on_train_chunk_end(99, {"loss": 1.0})
    assert not model.stop_training
    callbacks.on_train_chunk_end(199, {"loss": NAN})
    assert model.stop_training


def test_terminate_on_nan_with_an_error():
    ended = []
    other = LambdaCallback(on_train_end=lambda logs: ended.append(True))
    with pytest.raises(RuntimeError, match=r"at batch 0. Loss value: nan"):
        fit(FakeModel(), [TerminateOnNaN(raise_error=True), other], losses(NAN))
    assert not ended


# --- learning rate -------------------------------------------------------------------------------


def rate_of(model):
    return float(np.asarray(model.optimizer.learning_rate))


class SettableOptimizer(types.SimpleNamespace):
    """Its learning rate is a variable, and assigning to it sets the variable."""

    def __init__(self, learning_rate, name="sgd"):
        object.__setattr__(self, "_rate", Variable(np.float32(learning_rate)))
        self.name = name

    @property
    def learning_rate(self):
        return self._rate

    @learning_rate.setter
    def learning_rate(self, value):
        self._rate.assign(value)


def model_with_rate(learning_rate=0.1):
    model = FakeModel()
    model.optimizer = SettableOptimizer(learning_rate)
    return model


@pytest.mark.parametrize(
    "schedule",
    [
        lambda epoch, rate: rate * 0.5,
        lambda epoch: 0.1 * 0.5 ** (epoch + 1),
        lambda epoch, rate=None: np.float32(rate * 0.5),
        lambda epoch, rate: Variable(np.float32(rate * 0.5)).value,
    ],
)
def test_learning_rate_scheduler(schedule):
    model = model_with_rate()
    history = fit(model, [LearningRateScheduler(schedule)], losses(1, 1, 1))
    assert history.history["learning_rate"] == pytest.approx([0.05, 0.025, 0.0125])
    assert rate_of(model) == pytest.approx(0.0125)


def test_learning_rate_scheduler_says_what_it_does(capsys):
    fit(model_with_rate(), [LearningRateScheduler(lambda epoch: 0.25, verbose=1)], losses(1))
    expected = "\nEpoch 1: LearningRateScheduler setting learning rate to 0.25.\n"
    assert capsys.readouterr().out == expected


@pytest.mark.parametrize("wrong", [1, None, "0.1", np.array([0.1, 0.2])])
def test_a_schedule_that_gives_no_float(wrong):
    with pytest.raises(ValueError, match=r"should be a float. Got"):
        fit(model_with_rate(), [LearningRateScheduler(lambda epoch: wrong)], losses(1))


def test_a_type_error_in_a_schedule_is_not_hidden():
    def schedule(epoch, rate):
        return "a" + 1

    with pytest.raises(TypeError, match="can only concatenate"):
        fit(model_with_rate(), [LearningRateScheduler(schedule)], losses(1))


def test_an_optimizer_without_a_learning_rate():
    model = FakeModel()
    model.optimizer = types.SimpleNamespace()
    with pytest.raises(ValueError, match="SimpleNamespace, has no learning_rate"):
        fit(model, [LearningRateScheduler(lambda epoch: 0.1)], losses(1))


def test_several_optimizers():
    model = FakeModel()
    model.optimizer = types.SimpleNamespace(
        optimizers=[SettableOptimizer(0.1, "first"), SettableOptimizer(0.2, "second")]
    )
    history = fit(model, [LearningRateScheduler(lambda epoch, rate: rate / 2)], losses(1))
    assert history.history["learning_rate_first"] == pytest.approx([0.05])
    assert history.history["learning_rate_second"] == pytest.approx([0.1])


@pytest.mark.parametrize(
    ("arguments", "values", "rates"),
    [
        ({"patience": 1}, [3, 2, 2, 1], [1, 1, 0.1, 0.1]),
        ({"patience": 2, "factor": 0.5}, [1] * 6, [1, 1, 0.5, 0.5, 0.25, 0.25]),
        ({"patience": 1, "cooldown": 2, "factor": 0.5}, [1] * 6, [1, 0.5, 0.5, 0.25, 0.25, 0.125]),
        ({"patience": 1, "min_lr": 0.3, "factor": 0.5}, [1] * 4, [1, 0.5, 0.3, 0.3]),
        ({"patience": 1, "min_delta": 0.5, "factor": 0.5}, [1, 0.6, 0.4], [1, 0.5, 0.5]),
        ({"patience": 1, "mode": "max", "factor": 0.5}, [1, 2, 1], [1, 1, 0.5]),
    ],
)
def test_reduce_lr_on_plateau(arguments, values, rates):
    model = model_with_rate(1.0)
    seen = []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(rate_of(model)))
    history = fit(model, [ReduceLROnPlateau("loss", **arguments), note], losses(*values))
    assert seen == pytest.approx(rates)
    # logged is the learning rate that the epoch was trained with
    assert history.history["learning_rate"] == pytest.approx([1.0, *rates[:-1]])


def test_reduce_lr_on_plateau_says_what_it_does(capsys):
    callback = ReduceLROnPlateau("loss", factor=0.5, patience=1, verbose=1)
    fit(model_with_rate(1.0), [callback], losses(1, 1))
    expected = "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.5.\n"
    assert capsys.readouterr().out == expected


def test_reduce_lr_on_plateau_arguments():
    with pytest.raises(ValueError, match=r"ReduceLROnPlateau\(factor=1.0\)"):
        ReduceLROnPlateau(factor=1.0)
    with pytest.warns(UserWarning, match="unknown arguments are ignored: epsilon"):
        ReduceLROnPlateau(epsilon=0.1)
    with pytest.warns(UserWarning, match="conditioned on metric `val_loss`"):
        fit(model_with_rate(), [ReduceLROnPlateau()], losses(1))


# --- SwapEMAWeights ------------------------------------------------------------------------------


def averaging_model(use_ema=True):
    model = FakeModel()
    model.kernel.assign(np.array([1.0, 2.0, 3.0]))
    average = Variable(np.full(3, 0.5), name="average")
    model.optimizer = types.SimpleNamespace(
        use_ema=use_ema,
        _trainable_variables=[model.kernel],
        _model_variables_moving_average=[average],
    )
    return model, average


@pytest.mark.parametrize("stage", ["test", "predict"])
def test_averaged_weights_while_evaluating(stage):
    model, average = averaging_model()
    callback = SwapEMAWeights()
    callback.set_model(model)
    getattr(callback, f"on_{stage}_begin")()
    assert model.kernel.numpy().tolist() == [0.5, 0.5, 0.5]
    assert average.numpy().tolist() == [1, 2, 3]
    getattr(callback, f"on_{stage}_end")()
    assert model.kernel.numpy().tolist() == [1, 2, 3]
    assert average.numpy().tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("stopped", [False, True])
def test_averaged_weights_between_epochs(stopped):
    model, average = averaging_model()
    callback = SwapEMAWeights(swap_on_epoch=True)
    callback.set_model(model)
    callback.set_params({"epochs": 2})
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0)
    assert model.kernel.numpy().tolist() == [0.5, 0.5, 0.5]
    callback.on_epoch_begin(1)
    assert model.kernel.numpy().tolist() == [1, 2, 3]
    model.stop_training = stopped
    callback.on_epoch_end(0 if stopped else 1)
    assert model.kernel.numpy().tolist() == average.numpy().tolist() == [0.5, 0.5, 0.5]


def test_averaged_weights_that_are_not_there():
    model, _ = averaging_model(use_ema=False)
    callback = SwapEMAWeights()
    callback.set_model(model)
    with pytest.raises(ValueError, match=r"SwapEMAWeights.*use_ema=True"):
        callback.on_test_begin()


# --- ModelCheckpoint -----------------------------------------------------------------------------


def saved(path):
    with h5py.File(path, "r") as file:
        return file["kernel"][0]


def checkpoint(path, **arguments):
    return ModelCheckpoint(path, save_weights_only=True, monitor="loss", **arguments)


def test_checkpoint_after_every_epoch(tmp_path):
    pattern = tmp_path / "new" / "{epoch:02d}-{loss:.2f}.weights.h5"
    fit(FakeModel(), [checkpoint(pattern)], losses(0.5, 0.75))
    assert sorted(os.listdir(tmp_path / "new")) == ["01-0.50.weights.h5", "02-0.75.weights.h5"]
    assert saved(tmp_path / "new" / "02-0.75.weights.h5") == 2


def test_checkpoint_of_the_whole_model(tmp_path):
    fit(FakeModel(), [ModelCheckpoint(str(tmp_path / "last.keras"))], losses(1, 1))
    data = (tmp_path / "last.keras").read_bytes()
    assert np.frombuffer(data, np.float32).tolist() == [2, 2, 2]


@pytest.mark.parametrize(
    ("arguments", "values", "epoch"),
    [
        ({}, [3, 1, 2], 2),
        ({"mode": "max"}, [3, 1, 4, 2], 3),
        ({"initial_value_threshold": 0.5}, [3, 1, 0.4, 2], 3),
    ],
)
def test_checkpoint_of_the_best(tmp_path, arguments, values, epoch):
    path = tmp_path / "best.weights.h5"
    callback = checkpoint(path, save_best_only=True, **arguments)
    fit(FakeModel(), [callback], losses(*values))
    assert saved(path) == epoch
    assert callback.best == values[epoch - 1]


def test_nothing_better_than_the_threshold_saves_nothing(tmp_path):
    path = tmp_path / "best.weights.h5"
    callback = checkpoint(path, save_best_only=True, initial_value_threshold=0.1)
    fit(FakeModel(), [callback], losses(3, 1))
    assert os.listdir(tmp_path) == []


def test_the_best_is_kept_from_one_fit_to_the_next(tmp_path):
    path = tmp_path / "best.weights.h5"
    callback = checkpoint(path, save_best_only=True)
    fit(FakeModel(), [callback], losses(3, 1))
    fit(FakeModel(), [callback], losses(2))
    assert saved(path) == 2


def test_checkpoint_after_so_many_batches(tmp_path):
    pattern = str(tmp_path / "{epoch}-{batch}.weights.h5")
    fit(FakeModel(), [checkpoint(pattern, save_freq=3)], losses(1, 1), batches=5)
    assert sorted(os.listdir(tmp_path)) == ["1-3.weights.h5", "2-1.weights.h5", "2-4.weights.h5"]


def test_checkpoint_of_the_best_batch(tmp_path):
    path = tmp_path / "best.weights.h5"
    callback = checkpoint(path, save_best_only=True, save_freq=2)
    fit(FakeModel(), [callback], losses(2, 1, 3), batches=2)
    assert saved(path) == 2


def test_checkpoint_with_several_batches_at_once(tmp_path):
    callback = checkpoint(tmp_path / "{epoch}-{batch}.weights.h5", save_freq=10)
    callbacks = CallbackList(callback, model=FakeModel())
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        for batch in (3, 7, 11, 14):
            callbacks.on_train_batch_end(batch, {"loss": 1.0})
    assert sorted(os.listdir(tmp_path)) == ["1-12.weights.h5", "2-8.weights.h5"]


def test_checkpoint_says_what_it_does(tmp_path, capsys):
    path = tmp_path / "best.weights.h5"
    fit(FakeModel(), [checkpoint(path, save_best_only=True, verbose=1)], losses(3, 1, 2))
    assert capsys.readouterr().out == (
        f"\nEpoch 1: loss improved from None to 3.00000, saving model to {path}\n"
        f"\nEpoch 1: finished saving model to {path}\n"
        f"\nEpoch 2: loss improved from 3.00000 to 1.00000, saving model to {path}\n"
        f"\nEpoch 2: finished saving model to {path}\n"
        "\nEpoch 3: loss did not improve from 1.00000\n"
    )


def test_checkpoint_without_the_monitored_value_warns_and_saves(tmp_path):
    path = tmp_path / "best.weights.h5"
    callback = ModelCheckpoint(path, save_best_only=True, save_weights_only=True)
    with pytest.warns(UserWarning, match="Can save best model only with val_loss available"):
        fit(FakeModel(), [callback], losses(1, 2))
    assert saved(path) == 2


def test_checkpoint_of_a_value_that_is_no_number_warns_and_saves(tmp_path):
    path = tmp_path / "best.weights.h5"
    with pytest.warns(UserWarning, match="only when `monitor` is a scalar"):
        fit(FakeModel(), [checkpoint(path, save_best_only=True)], losses(np.ones(2)))
    assert saved(path) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filepath": "a.ckpt"}, r"must end in .keras or .h5"),
        ({"filepath": "a.keras", "save_weights_only": True}, r"must end in .weights.h5"),
        ({"filepath": "a.keras", "save_freq": "batch"}, r"save_freq='batch'.*'epoch' or a"),
        ({"filepath": "a.keras", "save_freq": 0}, r"save_freq=0"),
    ],
)
def test_checkpoint_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint(**arguments)


def test_a_name_in_the_path_that_the_logs_lack(tmp_path):
    with pytest.raises(KeyError, match=r"Failed to format.*'val_loss' is not among.*'epoch'"):
        fit(FakeModel(), [checkpoint(tmp_path / "{val_loss:.1f}.weights.h5")], losses(1))


def test_a_path_that_is_a_folder(tmp_path):
    path = tmp_path / "taken.weights.h5"
    path.mkdir()
    with pytest.raises(
        IsADirectoryError, match=r"ModelCheckpoint cannot write '.*taken.weights.h5"
    ):
        fit(FakeModel(), [checkpoint(path)], losses(1))


def test_a_failed_save_leaves_the_last_good_file(tmp_path):
    path = tmp_path / "best.weights.h5"
    model = FakeModel()
    callback = checkpoint(path, save_best_only=True)
    fit(model, [callback], losses(2))

    def half_a_file(where, overwrite=True):
        with open(where, "wb") as file:
            file.write(b"half")
        raise OSError(28, "No space left on device")

    model.save_weights = half_a_file
    with pytest.raises(OSError) as caught:
        fit(model, [callback], losses(1))
    assert caught.value.errno == 28
    assert str(caught.value) == (
        f"[Errno 28] ModelCheckpoint cannot write '{path}': No space left on device. "
        "The file saved there before is unchanged"
    )
    assert os.listdir(tmp_path) == ["best.weights.h5"]
    assert saved(path) == 1
    assert callback.best == 2


def test_an_interrupted_save_leaves_the_last_good_file(tmp_path):
    path = tmp_path / "last.keras"
    model = FakeModel()
    fit(model, [ModelCheckpoint(path)], losses(1))
    before = path.read_bytes()

    def interrupted(where, overwrite=True):
        with open(where, "wb") as file:
            file.write(b"half")
        raise KeyboardInterrupt

    model.save = interrupted
    with pytest.raises(KeyboardInterrupt):
        fit(model, [ModelCheckpoint(path)], losses(1))
    assert os.listdir(tmp_path) == ["last.keras"]
    assert path.read_bytes() == before


FULL_DISK = """
import resource, signal, sys
import h5py, numpy as np
from cornu.callbacks.checkpoints import replace_file

def write(path):
    with h5py.File(path, "w") as file:
        file["kernel"] = np.zeros(100_000)

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    replace_file(sys.argv[1], write, "ModelCheckpoint")
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_hdf5_on_a_disk_with_no_room(tmp_path):
    path = tmp_path / "best.weights.h5"
    path.write_bytes(b"the last good one")
    command = [sys.executable, "-c", FULL_DISK, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"ModelCheckpoint cannot write '{path}': File too large. The file" in result.stdout
    assert os.listdir(tmp_path) == ["best.weights.h5"]
    assert path.read_bytes() == b"the last good one"


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.keras").write_bytes(b"old")
    (tmp_path / "link.keras").symlink_to("real.keras")
    fit(FakeModel(), [ModelCheckpoint(tmp_path / "link.keras")], losses(1))
    assert (tmp_path / "link.keras").is_symlink()
    assert (tmp_path / "real.keras").read_bytes() != b"old"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX rights")
def test_a_saved_file_has_the_rights_of_any_new_file(tmp_path):
    fit(FakeModel(), [ModelCheckpoint(tmp_path / "a.keras")], losses(1))
    (tmp_path / "b").write_bytes(b"")
    assert (tmp_path / "a.keras").stat().st_mode == (tmp_path / "b").stat().st_mode


# --- BackupAndRestore ----------------------------------------------------------------------------


class Interrupt(Callback):
    def __init__(self, at):
        super().__init__()
        self.at = at

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.at:
            raise RuntimeError("interrupted")


@pytest.mark.parametrize("double", [False, True])
def test_training_goes_on_where_it_was_interrupted(tmp_path, double):
    folder = tmp_path / "backup"
    arguments = {"backup_dir": folder, "double_checkpoint": double}
    with pytest.raises(RuntimeError, match="interrupted"):
        fit(FakeModel(), [BackupAndRestore(**arguments), Interrupt(at=2)], losses(1, 1, 1))
    if double:  # the last backup was damaged: the one before it serves
        (folder / "latest.weights.h5").write_bytes(b"half")
    model = FakeModel()
    callbacks = CallbackList(BackupAndRestore(**arguments), model=model)
    callbacks.on_train_begin()
    assert model._initial_epoch == (1 if double else 2)
    assert model.kernel.numpy().tolist() == [1, 1, 1] if double else [2, 2, 2]
    callbacks.on_train_end()
    assert not folder.exists()


def test_a_damaged_backup_with_no_other_is_an_error(tmp_path):
    callback = BackupAndRestore(tmp_path)
    fit(FakeModel(), [BackupAndRestore(tmp_path, delete_checkpoint=False)], losses(1))
    (tmp_path / "latest.weights.h5").write_bytes(b"half")
    callback.set_model(FakeModel())
    with pytest.raises(OSError):
        callback.on_train_begin()


def test_backup_after_so_many_batches(tmp_path):
    callback = BackupAndRestore(tmp_path, save_freq=2, delete_checkpoint=False)
    model = FakeModel()
    fit(model, [callback], losses(1, 1), batches=3)
    again = FakeModel()
    callback.set_model(again)
    callback.on_train_begin()
    assert again._initial_epoch == 1  # the epoch in which the last backup was made


def test_backup_arguments(tmp_path):
    with pytest.raises(ValueError, match="give a folder's path"):
        BackupAndRestore("")
    with pytest.raises(ValueError, match="save_freq='batch'"):
        BackupAndRestore(tmp_path, save_freq="batch")
    callback = BackupAndRestore(tmp_path)
    model = FakeModel()
    model.built = False
    callback.set_model(model)
    with pytest.raises(ValueError, match="must be built before fit"):
        callback.on_train_begin()
