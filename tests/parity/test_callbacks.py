"""Callbacks' decisions beside those of Keras' own, on the same logs."""

import re
import types

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from cornu import callbacks as ours  # noqa: E402
from cornu.utils.progress import Progbar  # noqa: E402

theirs = keras.callbacks
NAN = float("nan")


class Optimizer:
    """A learning rate stored in float32, as both libraries store it."""

    def __init__(self):
        self.rate = np.float32(0.1)

    @property
    def learning_rate(self):
        return self.rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.rate = np.float32(value)


class Model:
    """Weights are the number of the epoch; what is saved is written down instead."""

    def __init__(self):
        self.stop_training = False
        self.optimizer = Optimizer()
        self.epoch = 0
        self.saved = []

    def get_weights(self):
        return [np.array(self.epoch)]

    def set_weights(self, weights):
        self.epoch = int(weights[0])

    def save(self, path, overwrite=True):
        self.saved.append(self.epoch)
        with open(path, "wb"):
            pass

    save_weights = save


def run(library, make, epochs_logs, batches=2):
    """Everything that can be seen of a training with the callbacks that `make` gives."""
    model = Model()
    callbacks = library.CallbackList(
        make(library), add_history=True, model=model, epochs=len(epochs_logs), steps=batches
    )
    callbacks.on_train_begin()
    rates = []
    for epoch, logs in enumerate(epochs_logs):
        model.epoch = epoch
        callbacks.on_epoch_begin(epoch)
        for batch in range(batches):
            callbacks.on_train_batch_begin(batch)
            callbacks.on_train_batch_end(batch, logs)
        callbacks.on_epoch_end(epoch, logs)
        rates.append(float(model.optimizer.rate))
        if model.stop_training:
            break
    callbacks.on_train_end(logs)
    history = callbacks._history
    return {
        "epochs": history.epoch,
        "history": repr(history.history),  # nan is equal to itself there
        "rates": rates,
        "weights": model.epoch,
        "saved": model.saved,
    }


def compare(make, epochs_logs, **arguments):
    expected = run(theirs, make, epochs_logs, **arguments)
    assert run(ours, make, epochs_logs, **arguments) == expected
    return expected


def random_logs(seed, count=30):
    """A loss that falls, rises and stands still, in float32 steps that min_delta can meet."""
    generator = np.random.default_rng(seed)
    steps = generator.choice(
        [-0.02, -0.01, -0.0001, 0.0, 0.01, NAN], count, p=[0.3, 0.2, 0.1, 0.2, 0.17, 0.03]
    )
    values = np.float32(1.0) + np.cumsum(np.nan_to_num(steps)).astype("float32")
    values[np.isnan(steps)] = NAN
    return [
        {"loss": float(value), "val_loss": float(value), "accuracy": float(1 - value)}
        for value in values
    ]


EARLY = [
    {},
    {"patience": 2},
    {"patience": 3, "min_delta": 0.01},
    {"patience": 3, "min_delta": -0.02},
    {"patience": 2, "mode": "max"},
    {"patience": 2, "monitor": "accuracy", "mode": "max", "min_delta": 0.01},
    {"patience": 4, "baseline": 0.95},
    {"patience": 2, "baseline": 0.5, "min_delta": 0.001},
    {"patience": 1, "start_from_epoch": 6},
    {"patience": 5, "start_from_epoch": 3, "baseline": 1.1},
]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("restore", [False, True])
@pytest.mark.parametrize("arguments", EARLY)
def test_early_stopping(arguments, restore, seed):
    compare(
        lambda library: [library.EarlyStopping(restore_best_weights=restore, **arguments)],
        random_logs(seed),
    )


def test_early_stopping_attributes():
    found = []
    for library in (theirs, ours):
        callback = library.EarlyStopping(patience=3, restore_best_weights=True)
        logs = [{"val_loss": value} for value in (3.0, 2.0, 2.5, 2.5, 2.5, 1.0)]
        run(library, lambda _, one=callback: [one], logs)
        found.append((callback.stopped_epoch, callback.best_epoch, callback.best, callback.wait))
    assert found[0] == found[1]
    assert found[0] == (4, 1, 2.0, 3)


PLATEAU = [
    {"patience": 1},
    {"patience": 2, "factor": 0.5},
    {"patience": 2, "factor": 0.5, "cooldown": 3},
    {"patience": 1, "factor": 0.3, "min_lr": 0.01},
    {"patience": 2, "factor": 0.5, "min_delta": 0.01},
    {"patience": 2, "factor": 0.5, "mode": "max"},
    {"patience": 0, "factor": 0.9, "cooldown": 1},
    {"patience": 1, "monitor": "accuracy", "mode": "max", "min_delta": 0.0},
]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("arguments", PLATEAU)
def test_reduce_lr_on_plateau(arguments, seed):
    compare(lambda library: [library.ReduceLROnPlateau(**arguments)], random_logs(seed))


def decay(epoch, rate):
    return rate if epoch < 3 else rate * 0.9


@pytest.mark.parametrize(
    "schedule",
    [decay, lambda epoch: 0.1 / (1 + epoch), lambda epoch, rate: np.float32(rate * 0.5)],
)
def test_learning_rate_scheduler(schedule):
    compare(lambda library: [library.LearningRateScheduler(schedule)], random_logs(0, 8))


@pytest.mark.parametrize("wrong", [lambda epoch, rate: 1, lambda epoch, rate: "0.1"])
def test_learning_rate_scheduler_refuses(wrong):
    for library in (theirs, ours):
        with pytest.raises(ValueError, match="should be a float"):
            run(library, lambda used: [used.LearningRateScheduler(wrong)], random_logs(0, 2))


@pytest.mark.parametrize("seed", range(4))
def test_several_callbacks_together(seed):
    result = compare(
        lambda library: [
            library.LearningRateScheduler(decay),
            library.ReduceLROnPlateau(patience=1, factor=0.5),
            library.EarlyStopping(patience=6, restore_best_weights=True),
            library.TerminateOnNaN(),
        ],
        random_logs(seed),
    )
    assert "learning_rate" in result["history"]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"save_best_only": True},
        {"save_best_only": True, "mode": "max"},
        {"save_best_only": True, "initial_value_threshold": 0.9},
        {"save_freq": 3},
    ],
)
def test_which_models_are_saved(tmp_path, arguments, seed):
    result = compare(
        lambda library: [library.ModelCheckpoint(tmp_path / "{epoch}.keras", **arguments)],
        random_logs(seed),
    )
    assert result["saved"] or "initial_value_threshold" in arguments


@pytest.mark.parametrize(
    "cls", ["EarlyStopping", "ReduceLROnPlateau"], ids=["EarlyStopping", "ReduceLROnPlateau"]
)
def test_a_missing_value_warns_alike(cls):
    for library in (theirs, ours):
        with pytest.warns(UserWarning, match="`val_mae` which is not available"):
            run(library, lambda used: [getattr(used, cls)("val_mae", mode="min")], [{"loss": 1.0}])


@pytest.mark.parametrize("cls", ["EarlyStopping", "ReduceLROnPlateau"])
def test_a_direction_that_cannot_be_told_is_an_error_alike(cls):
    for library in (theirs, ours):
        with pytest.raises(ValueError, match="mode='max'"):
            run(library, lambda used: [getattr(used, cls)("mine")], [{"mine": 1.0}] * 2)


def test_csv_files(tmp_path):
    logs = [{"loss": 1.0, "accuracy": 0.5}, {"loss": 0.5, "accuracy": 0.25, "val_loss": 2.0}]
    logs.append({"loss": 0.25})
    for name, library in (("theirs", theirs), ("ours", ours)):
        path = tmp_path / name
        for append in (False, True):
            run(library, lambda used, **kw: [used.CSVLogger(path, append=append)], logs)  # noqa: B023
    assert (tmp_path / "ours").read_text() == (tmp_path / "theirs").read_text()


@pytest.mark.parametrize("values", [[NAN], [1.0, float("inf"), 1.0], [1.0, 2.0]])
def test_terminate_on_nan(values, capsys):
    logs = [{"loss": value} for value in values]
    compare(lambda library: [library.TerminateOnNaN()], logs)
    theirs_out, ours_out = _halves(capsys.readouterr().out)
    assert ours_out == theirs_out


def _halves(text):
    lines = text.splitlines()
    assert len(lines) % 2 == 0
    return lines[: len(lines) // 2], lines[len(lines) // 2 :]


@pytest.mark.parametrize("steps", [7, None])
@pytest.mark.parametrize("epochs", [1, 2])
def test_lines_of_verbose_2(capsys, steps, epochs):
    for library in (theirs, ours):
        callbacks = library.CallbackList(
            add_history=True, add_progbar=True, model=Model(), verbose=2, epochs=epochs, steps=steps
        )
        callbacks.on_train_begin()
        for epoch in range(epochs):
            callbacks.on_epoch_begin(epoch)
            for batch in range(7):
                callbacks.on_train_batch_end(batch, {"loss": 1.0, "accuracy": 0.00012})
            callbacks.on_epoch_end(epoch, {"loss": 1.0, "accuracy": 0.00012, "val_loss": 0.5})
        callbacks.on_train_end()
    expected, found = _halves(re.sub(r"\d+[mu]?s\b", "TIME", capsys.readouterr().out))
    assert found == expected


def test_the_bar_itself(capsys, monkeypatch):
    """The same steps at the same times leave the same last line."""
    from keras.src.utils import progbar as their_progbar

    import cornu.utils.progress as our_progress

    lines = []
    for module, cls in ((their_progbar, their_progbar.Progbar), (our_progress, Progbar)):
        clock = types.SimpleNamespace(now=50.0)
        clock.time = clock.monotonic = lambda clock=clock: clock.now
        monkeypatch.setattr(module, "time", clock)
        bar = cls(12, stateful_metrics=["accuracy"])
        for step in range(1, 13):
            clock.now += 2.0 if step == 1 else 0.123
            bar.update(step, [("loss", 1 / step), ("accuracy", step / 12)])
        out = re.sub(r"\x1b\[[0-9;]*m|\x08+", "", capsys.readouterr().out)
        lines.append(re.split(r"[\r\n]", out.strip())[-1].rstrip())
    assert lines[1] == lines[0]
    assert "12/12 ━━━━━━━━━━━━━━━━━━━━ 3s 123ms/step - loss: 0.0833 - accuracy: 1.0000" in lines[1]
