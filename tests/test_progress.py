"""The progress bar: what it writes on a terminal and in a file, and the times that it tells."""

import io
import logging
import os
import re
import sys
import threading
import time
import types

import pytest

from cornu.utils import progress
from cornu.utils.progress import Progbar, print_message


class Terminal(io.StringIO):
    """A standard output of a given width that remembers what was written."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def fileno(self):
        return 1

    def lines(self):
        """What stands on the screen: the text with carriage returns carried out."""
        plain = re.sub(r"\x1b\[[0-9;]*m", "", self.getvalue())
        shown = []
        for line in plain.split("\n"):
            cells = []
            for part in line.split("\r"):
                cells[: len(part)] = part
            shown.append("".join(cells).rstrip())
        return shown


class Clock:
    """Stands in for the module's clock."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


@pytest.fixture
def terminal(monkeypatch):
    terminal = Terminal()
    # not sys.stdout itself, which pytest sets anew between a fixture and its test
    monkeypatch.setattr(progress, "sys", types.SimpleNamespace(stdout=terminal, modules={}))
    monkeypatch.delenv("NO_COLOR", raising=False)
    set_width(monkeypatch, 80)
    return terminal


def set_width(monkeypatch, columns):
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((columns, 24)))


def run(bar, clock, updates, seconds_per_step=0.01):
    done = 0
    for current, values in updates:
        clock.now += (current - done) * seconds_per_step
        done = current
        bar.update(current, values)


def test_the_last_line_is_that_of_keras(terminal, clock):
    bar = Progbar(200, stateless_metrics=())
    first, last = [("accuracy", 0.5), ("loss", 1.0)], [("accuracy", 0.75), ("loss", 0.00025)]
    run(bar, clock, [(100, first), (200, last)])
    assert terminal.lines() == [
        "200/200 ━━━━━━━━━━━━━━━━━━━━ 2s 10ms/step - accuracy: 0.7500 - loss: 2.5000e-04",
        "",
    ]


def test_the_line_moves_with_a_carriage_return(terminal, clock):
    bar = Progbar(1000, stateless_metrics=())
    run(bar, clock, [(300, [("loss", 1.0)])])
    assert terminal.getvalue().startswith("\r")
    assert "\n" not in terminal.getvalue()
    assert terminal.lines() == [" 300/1000 ━━━━━━━━━━━━━━━━━━━━ 7s 10ms/step - loss: 1.0000"]
    green = re.search("\x1b\\[32m(━+)", terminal.getvalue())
    assert len(green[1]) == 6


def test_at_most_one_update_per_interval(terminal, clock):
    bar = Progbar(1000, interval=0.05)
    for step in range(1, 1000):
        clock.now += 0.001
        bar.update(step)
    assert 15 <= terminal.getvalue().count("\r") <= 20


def test_a_shorter_line_leaves_nothing_behind(terminal, clock):
    bar = Progbar(3, stateless_metrics=())
    run(bar, clock, [(1, [("loss", 0.00012345)]), (2, [("loss", 0.5)])], 10)
    assert terminal.lines()[-1].endswith("loss: 0.5000")


@pytest.mark.parametrize("columns", [80, 60, 50, 40, 30, 25])
def test_a_moving_line_never_wraps(terminal, clock, monkeypatch, columns):
    set_width(monkeypatch, columns)
    bar = Progbar(2000, stateless_metrics=())
    values = [("accuracy", 0.5), ("loss", 0.25), ("mean_absolute_error", 0.125)]
    for step in range(100, 2000, 100):
        clock.now += 1
        bar.update(step, values)
    line = terminal.lines()[-1]
    assert len(line) < columns
    assert line.startswith("1900/2000")
    assert ("loss: 0.2500" in line) == (columns >= 40)


@pytest.mark.parametrize("columns", [80, 50, 30])
def test_the_last_line_has_everything_and_breaks_between_values(
    terminal, clock, monkeypatch, columns
):
    set_width(monkeypatch, columns)
    bar = Progbar(2000, stateless_metrics=())
    values = [("accuracy", 0.5), ("loss", 0.25), ("val_accuracy", 0.75), ("val_loss", 0.125)]
    run(bar, clock, [(1000, values[:2]), (2000, values)], 0.001)
    lines = terminal.lines()
    assert max(map(len, lines)) <= columns
    for name, value in values:
        assert any(f" - {name}: {value:.4f}" in line for line in lines)
    assert lines[0].startswith("2000/2000")
    # nothing of the moving line stays beside the first, now shorter, line
    assert all(re.fullmatch(r"[^-]*( - \w+: [0-9.]+)*", line) for line in lines)


def test_without_colors(terminal, clock, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    bar = Progbar(10)
    run(bar, clock, [(5, None)], 1)
    assert "\x1b" not in terminal.getvalue()
    assert terminal.lines() == [" 5/10 ━━━━━━━━━━.......... 5s 1s/step"]


def test_unknown_number_of_steps(terminal, clock):
    bar = Progbar(None, stateless_metrics=())
    run(bar, clock, [(7, [("loss", 0.5)])], 1)
    assert terminal.lines() == ["      7/Unknown 7s 1s/step - loss: 0.5000"]


def test_a_file_gets_one_plain_line(capsys, clock):
    bar = Progbar(1000, stateless_metrics=())
    run(bar, clock, [(step, [("loss", 0.5)]) for step in range(100, 1001, 100)])
    out = capsys.readouterr().out
    assert out == "1000/1000 ━━━━━━━━━━━━━━━━━━━━ 10s 10ms/step - loss: 0.5000\n"


def test_a_file_gets_a_line_now_and_then(capsys, clock):
    bar = Progbar(1000)
    run(bar, clock, [(step, None) for step in range(1, 1001)], 0.1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(" 301/1000 ━━━━━━..............")
    assert "1:09" in lines[0]


def test_verbose_2_is_one_line_at_the_end(capsys, clock):
    bar = Progbar(1719, verbose=2, stateless_metrics=())
    run(bar, clock, [(500, [("loss", 0.5)]), (1719, [("loss", 0.25)])], 0.002)
    assert capsys.readouterr().out == "1719/1719 - 3s - 2ms/step - loss: 0.2500\n"


def test_verbose_0_is_silent(capsys, clock):
    run(Progbar(2, verbose=0), clock, [(1, None), (2, None)], 1)
    assert capsys.readouterr().out == ""


def test_values_are_averaged_over_steps_unless_stateful(capsys, clock):
    bar = Progbar(4, verbose=2, stateful_metrics=["accuracy"])
    bar.update(1, [("loss", 1.0), ("accuracy", 0.25)])
    bar.update(3, [("loss", 4.0), ("accuracy", 0.5)])
    assert bar._values() == ["loss: 3.0000", "accuracy: 0.5000"]
    bar.add(1, [("loss", 2.0), ("accuracy", 0.75)])  # the last values are final ones
    assert capsys.readouterr().out.endswith("loss: 2.0000 - accuracy: 0.7500\n")


def test_only_one_list_of_names():
    with pytest.raises(ValueError, match="only one of the two"):
        Progbar(1, stateful_metrics=[], stateless_metrics=[])


def time_per_step(clock, updates, target):
    bar = Progbar(target, verbose=0)
    for seconds, current, finalize in updates:
        clock.now += seconds
        bar.update(current, finalize=finalize)
    return bar._seconds_per_unit()


def test_time_per_step_leaves_out_the_first_update(clock):
    # 2 s for the program's compilation and 10 steps, then 10 ms a step
    assert time_per_step(clock, [(2, 10, False), (1, 110, False)], 110) == pytest.approx(0.01)


def test_time_per_step_of_one_update(clock):
    assert time_per_step(clock, [(2, 100, False), (0.5, 100, True)], 100) == pytest.approx(0.02)


def test_time_per_step_with_a_small_rest(clock):
    # the second update is too short to measure by: all steps count
    updates = [(1, 100, False), (0.3, 101, False)]
    assert time_per_step(clock, updates, 101) == pytest.approx(1.3 / 101)


def test_time_per_step_leaves_out_validation(clock, capsys):
    updates = [(1, 100, False), (1, 200, False), (30, 200, True)]
    assert time_per_step(clock, updates, 200) == pytest.approx(0.01)
    bar = Progbar(1, verbose=2)
    clock.now += 1
    bar.update(1, finalize=False)
    clock.now += 4
    bar.update(1, finalize=True)
    assert capsys.readouterr().out == "1/1 - 5s - 1s/step\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59, "59s"), (61, "1:01"), (3599, "59:59"), (3725, "1:02:05")],
)
def test_time_left(seconds, text):
    assert progress._remaining(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s/step"), (2.4, "2s/step"), (0.0123, "12ms/step"), (0.0000616, "62us/step")],
)
def test_time_per_step_is_written_in_fitting_units(seconds, text):
    assert progress._duration(seconds, "step") == text


def test_an_output_without_line_drawing_characters(monkeypatch):
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", output)
    print_message("━━ done, 3 µs")
    assert output.buffer.getvalue() == b"== done, 3 s" + os.linesep.encode()


def test_messages_can_go_to_the_log(capsys, caplog):
    progress.disable_interactive_logging()
    try:
        assert not progress.is_interactive_logging_enabled()
        with caplog.at_level(logging.INFO, logger="cornu"):
            print_message("Epoch 1/5")
    finally:
        progress.enable_interactive_logging()
    assert caplog.messages == ["Epoch 1/5"]
    assert capsys.readouterr().out == ""


def test_a_bar_that_is_left_is_ended(terminal, clock):
    """What is printed next - the traceback of an interruption - gets a line of its own."""
    bar = Progbar(10)
    run(bar, clock, [(5, None)], 1)
    progress.end_line()
    assert terminal.lines()[-1] == ""
    assert len(terminal.lines()) == 2
    progress.end_line()  # there is none any more
    assert len(terminal.lines()) == 2


def test_a_finished_bar_needs_no_end(terminal, clock, capsys):
    run(Progbar(10), clock, [(5, None), (10, None)])
    text = terminal.getvalue()
    progress.end_line()
    assert terminal.getvalue() == text


def test_waiting_is_shown_in_a_terminal(terminal, monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BEFORE_WAITING", 0.01)
    bar = Progbar(469)
    with bar.waiting("compiling"):
        wait_for(lambda: "compiling" in terminal.getvalue())
    assert terminal.lines() == ["  0/469 ━━━━━━━━━━━━━━━━━━━━ 0s compiling"]
    assert not tellers()
    bar.update(469)
    assert "compiling" not in terminal.lines()[0]


def test_a_short_wait_shows_nothing(terminal):
    with Progbar(469).waiting("compiling"):
        pass
    assert terminal.getvalue() == ""
    assert not tellers()


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_waiting_is_not_shown_in_a_file(capsys, monkeypatch, verbose):
    monkeypatch.setattr(progress, "_SECONDS_BEFORE_WAITING", 0.01)
    with Progbar(469, verbose=verbose).waiting("compiling"):
        assert not tellers()
        time.sleep(0.05)
    assert capsys.readouterr().out == ""


def test_an_interrupted_wait_is_over(terminal, monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BEFORE_WAITING", 0.01)
    bar = Progbar(469)
    with pytest.raises(KeyboardInterrupt), bar.waiting("compiling"):
        wait_for(lambda: "compiling" in terminal.getvalue())
        raise KeyboardInterrupt
    progress.end_line()
    assert terminal.lines()[1:] == [""]
    assert not tellers()


def wait_for(condition):
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def tellers():
    return [thread for thread in threading.enumerate() if "_tell" in thread.name]
