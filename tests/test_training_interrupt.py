"""Ctrl-C: training stops at once, and leaves a model that works."""

import io
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback

import numpy as np
import pytest

import cornu as keras

# How long a person would wait; generous, since several tests share the processors.
BOUND_SECONDS = 5.0

PROGRAM = textwrap.dedent(
    """
    import signal, sys, time
    import numpy as np
    import cornu as keras
    from cornu import layers
    from cornu.train import program

    # a shell that starts the tests in the background has them ignore Ctrl-C, and so their children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stage = sys.argv[1]
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6_400, 64)).astype("float32")
    y = rng.integers(0, 10, 6_400)
    EPOCH = 200  # batches of 32

    def network(weights=None):
        model = keras.Sequential(
            [keras.Input((64,))]
            + [layers.Dense(256, activation="relu") for _ in range(3)]
            + [layers.Dense(10, activation="softmax")]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        if weights is not None:
            model.set_weights(weights)
        return model

    def same(first, second):
        return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))

    model = network()
    start = model.get_weights()

    compile_it = program._Compiling._run
    if stage == "compiling":
        # a network that takes long to compile, on any machine
        def slowly(self):
            print("ready", flush=True)
            time.sleep(8)
            compile_it(self)

        program._Compiling._run = slowly

    class Announce(keras.callbacks.Callback):
        per_chunk = True
        said = False

        def on_train_batch_end(self, batch, logs=None):
            if not self.said and stage == "training":
                print("ready", flush=True)
                self.said = True

    try:
        model.fit(x, y, epochs=10_000, verbose=0, shuffle=False, callbacks=[Announce()])
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    else:
        sys.exit("fit returned")
    program._Compiling._run = compile_it

    weights = model.get_weights()
    steps = int(model.optimizer.iterations.numpy())
    if stage == "compiling":
        assert steps == 0
        assert same(weights, start)
    else:
        # the weights are those of so many whole steps: train another model for as many
        assert steps > 0
        again = network(start)
        if steps >= EPOCH:
            again.fit(x, y, epochs=steps // EPOCH, verbose=0, shuffle=False)
        if steps % EPOCH:
            rest = 32 * (steps % EPOCH)
            again.fit(x[:rest], y[:rest], verbose=0, shuffle=False)
        assert same(weights, again.get_weights()), steps

    assert np.isfinite(model.predict(x[:100], verbose=0)).all()
    assert same(weights, model.get_weights())
    history = model.fit(x, y, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert model.optimizer.iterations.numpy() == steps + EPOCH
    print("usable", flush=True)
    """
)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a child on Windows")
@pytest.mark.parametrize("stage", ["compiling", "training"])
def test_ctrl_c(stage, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, str(program), stage],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        guard = threading.Timer(180, process.kill)
        guard.start()
        try:
            assert process.stdout.readline() == "ready\n", process.stderr.read()
            time.sleep(0.5)
            begin = time.monotonic()
            process.send_signal(signal.SIGINT)
            assert process.stdout.readline() == "interrupted\n", process.stderr.read()
            seconds = time.monotonic() - begin
            out, err = process.communicate(timeout=120)
        finally:
            guard.cancel()
            process.kill()
    assert process.returncode == 0, err
    assert out == "usable\n"
    assert seconds < BOUND_SECONDS


def test_a_chunk_that_is_interrupted_leaves_finished_weights():
    """The interruption reaches Python between two chunks: before or after, never within."""
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    y = x[:, :1]
    weights = []

    class Interrupting(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            weights.append(self.model.get_weights())
            if batch == 3:
                raise KeyboardInterrupt

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=8, epochs=5, verbose=0, callbacks=[Interrupting()])
    for one, other in zip(model.get_weights(), weights[-1], strict=True):
        np.testing.assert_array_equal(one, other)
    assert int(np.asarray(model.optimizer.iterations)) == 4
    model.fit(x, y, batch_size=8, verbose=0)
    assert int(np.asarray(model.optimizer.iterations)) == 12


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Stopping(keras.callbacks.Callback):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def on_train_batch_end(self, batch, logs=None):
        if batch == 3:
            raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("the disk is gone")], ids=repr)
def test_what_stops_training_ends_the_line_of_the_bar(monkeypatch, error):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((64, 4), "float32")
    # the bar is drawn before the callback that stops is asked
    hooks = [keras.callbacks.ProgbarLogger(), Stopping(error)]
    hooks[0]._start = lambda: setattr(hooks[0], "progbar", keras.utils.Progbar(8, interval=0))
    with pytest.raises(type(error)):
        model.fit(x, x[:, :1], batch_size=8, callbacks=hooks)
    written = terminal.getvalue()
    assert "4/8" in written
    assert written.endswith("\n")
    assert written.count("\n") == 1


def test_ctrl_c_shows_the_lines_of_the_program(monkeypatch):
    monkeypatch.delenv("CORNU_TRACEBACK", raising=False)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((64, 4), "float32")
    with pytest.raises(KeyboardInterrupt) as stopped:
        model.fit(x, x[:, :1], 8, verbose=0, callbacks=[Stopping(KeyboardInterrupt())])
    files = [frame.filename for frame in traceback.extract_tb(stopped.value.__traceback__)]
    assert files[0] == files[-1] == __file__
    assert len(files) == 3
