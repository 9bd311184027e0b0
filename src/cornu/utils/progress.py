"""Progress on the terminal: the bar that `fit`, `evaluate` and `predict` draw, and messages."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterable, Iterator

import numpy as np

_settings = {"interactive": True}
# Where the output is a file, a line now and then instead of a bar drawn over and over.
_SECONDS_BETWEEN_PLAIN_LINES = 30.0
_SMALLEST_BAR = 5
# Compiling a network takes seconds the first time: what a person still takes for at once, with the
# building of the network that comes before it.
_SECONDS_BEFORE_WAITING = 1.0
_BOLD, _GREEN, _WHITE, _RESET = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m"


def enable_interactive_logging() -> None:
    """Progress and messages go to the standard output; this is how it is to begin with.

    >>> enable_interactive_logging()
    """
    _settings["interactive"] = True


def disable_interactive_logging() -> None:
    """Progress and messages go to the logger named `cornu`, at level INFO.

    >>> disable_interactive_logging()
    >>> is_interactive_logging_enabled()
    False
    >>> enable_interactive_logging()
    """
    _settings["interactive"] = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress and messages go to the standard output.

    >>> is_interactive_logging_enabled()
    True
    """
    return _settings["interactive"]


# The bar whose line the cursor stands on, if any; one that nobody has any more is not waited for.
_drawn: weakref.WeakSet[Progbar] = weakref.WeakSet()


def end_line() -> None:
    """Ends the line on which a bar is being drawn, so that what follows gets one of its own.

    >>> end_line()
    """
    for bar in _drawn:
        bar._shown_width = 0
        if _settings["interactive"]:
            print_message("")
    _drawn.clear()


def print_message(message: str, line_break: bool = True) -> None:
    """Writes a message at once to the standard output, or to the logger `cornu`.

    Args:
        message: the text. The bar's line-drawing character becomes `=`, and any other that the
            output's encoding lacks is left out.
        line_break: whether a line break follows. Default True.

    >>> print_message("Epoch 1/5")
    Epoch 1/5
    """
    if not _settings["interactive"]:
        logging.getLogger("cornu").info(message.strip())
        return
    if line_break:
        message += "\n"
    try:
        sys.stdout.write(message)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "ascii"
        plain = message.replace("━", "=").encode(encoding, errors="ignore").decode(encoding)
        sys.stdout.write(plain)
    sys.stdout.flush()


class Progbar:
    """A progress bar with the time left, the time per step and values such as the loss.

    On a terminal (and in a notebook) one line is drawn over and over, at most every `interval`
    seconds; while it moves it is cut to the terminal's width, the last state is written whole. In a
    file there are no escape sequences: a line for the last state, and one every 30 seconds before.
    `NO_COLOR` in the environment switches off bold and colors.

    The time per step leaves out the first update, in which the program is compiled, as soon as at
    least as many steps have followed; what happens after the last step (validation) counts towards
    the seconds but not towards the time per step.

    Args:
        target: total number of steps, or None where it is not known.
        width: width of the bar in characters. Default 20.
        verbose: 0 writes nothing, 1 draws the bar, 2 writes one line at the end. Default 1.
        interval: least number of seconds between two updates. Default 0.05.
        stateful_metrics: names of the values shown as they are given; all others are averaged over
            the steps. By default none.
        stateless_metrics: names of the values that are averaged; all others are shown as they are
            given. Only one of the two may be given.
        unit_name: what is counted. Default `"step"`.

    Raises:
        ValueError: both `stateful_metrics` and `stateless_metrics` were given.

    >>> bar = Progbar(target=3, verbose=2)
    >>> for step in range(1, 4):
    ...     bar.update(step, [("loss", 1 / step)])
    3/3 - 0s - ...s/step - loss: 0.3333
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ):
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Progbar(stateful_metrics=..., stateless_metrics=...): give only one of the two: "
                "the names of the values shown as they are, or of those that are averaged"
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        terminal = bool(getattr(sys.stdout, "isatty", bool)())
        self._redraws = terminal or "ipykernel" in sys.modules or "PYCHARM_HOSTED" in os.environ
        self._width_matters = terminal
        self._colors = self._redraws and not os.environ.get("NO_COLOR")
        self._sums: dict[str, tuple[float, float]] = {}
        self._seen = 0
        self._start = self._last_drawn = time.monotonic()
        self._first_update: tuple[int, float] | None = None
        self._last_step = (0, self._start)
        self._shown_width = 0

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, float]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Shows that `current` steps are done.

        Args:
            current: number of steps done since the beginning.
            values: pairs of a name and its value over the steps since the last update.
            finalize: whether this is the last update. By default, whether `current` has reached the
                target.
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._record(name, value, current, finalize)
        self._seen = current
        now = time.monotonic()
        self._note_time(current, now)
        if self.verbose == 1:
            wait = self.interval if self._redraws else _SECONDS_BETWEEN_PLAIN_LINES
            if finalize or now - self._last_drawn >= wait:
                self._draw(current, now, finalize)
                self._last_drawn = now
        elif self.verbose == 2 and finalize and self.target:
            self._print_summary(current, now)

    @contextlib.contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Within the block, if it lasts over a second, the bar is drawn with what it waits for.

        A terminal (or a notebook) then shows `  0/469 ━━━━━━━━━━━━━━━━━━━━ 3s compiling`, the
        seconds counting on; a file nothing.

        Args:
            what: the word or words.

        >>> with Progbar(target=3, verbose=0).waiting("compiling"):
        ...     pass
        """
        if self.verbose != 1 or not self._redraws:
            yield
            return
        over = threading.Event()
        thread = threading.Thread(target=self._tell, args=(what, over), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()  # whatever is drawn next must not be drawn over

    def _tell(self, what: str, over: threading.Event) -> None:
        while not over.wait(_SECONDS_BEFORE_WAITING):
            self._draw(self._seen, time.monotonic(), False, what)

    def add(self, n: int, values: Iterable[tuple[str, float]] | None = None) -> None:
        """Shows that `n` more steps are done, with the values over them."""
        self.update(self._seen + n, values)

    def _record(self, name: str, value, current: int, finalize: bool) -> None:
        value = value if isinstance(value, float) else float(np.mean(value))
        if self.stateless_metrics is not None:
            averaged = name in self.stateless_metrics
        else:
            averaged = name not in (self.stateful_metrics or ())
        if averaged and not finalize:
            # At least 1: the same step may be reported twice, which must not divide by zero.
            steps = max(current - self._seen, 1)
            total, count = self._sums.get(name, (0.0, 0))
            self._sums[name] = (total + value * steps, count + steps)
        else:
            self._sums[name] = (value, 1)

    def _note_time(self, current: int, now: float) -> None:
        if current > self._last_step[0]:
            self._last_step = (current, now)
            if self._first_update is None:
                self._first_update = (current, now)

    def _seconds_per_unit(self) -> float:
        if self._first_update is None:
            return 0.0
        steps, at = self._last_step
        first_steps, first_at = self._first_update
        if steps >= 2 * first_steps:
            return (at - first_at) / (steps - first_steps)
        return (at - self._start) / steps

    def _draw(self, current: int, now: float, finalize: bool, waiting_for: str = "") -> None:
        per_unit = self._seconds_per_unit()
        if self.target and not finalize and not waiting_for:
            clock = _remaining(per_unit * (self.target - current))
        else:
            clock = f"{now - self._start:.0f}s"
        count, pace = self._count(current), f" {waiting_for}"
        if not waiting_for:
            pace = f" {_duration(per_unit, self.unit_name)}"
        details = [f" - {text}" for text in self._values()]
        columns = self._columns() if self._width_matters else None
        width = self.width if self.target else 0
        fixed = len(count) + (1 if width else 0) + len(f" {clock}{pace}")
        if columns is not None and not finalize:
            # One column stays free: a full line makes some terminals wrap.
            room = columns - 1 - fixed
            while len(details) > 1 and sum(map(len, details)) + _SMALLEST_BAR > room:
                # the loss stays longest
                details.pop(-2 if details[-1].startswith(" - loss:") else -1)
            if sum(map(len, details)) > room:
                details = []
            width = max(0, min(width, room - sum(map(len, details))))
            if room < 0:
                return  # not even the count and the time fit: leave the line alone until the end
        elif columns is not None:
            width = max(0, min(width, columns - fixed))
            details = _wrapped(details, fixed + width, columns)
        visible = fixed + width + sum(map(len, details))
        if self._colors:
            count, clock = f"{_BOLD}{count}{_RESET}", f"{_BOLD}{clock}{_RESET}"
        line = count + (" " + self._bar(current, width) if width else "") + f" {clock}{pace}"
        line += "".join(details)
        if self._redraws and finalize:  # blanked first: the line may now break earlier
            line = "\r" + " " * self._shown_width + "\r" + line
        elif self._redraws:
            line = "\r" + line + " " * (self._shown_width - visible)
        ends = finalize or not self._redraws
        self._shown_width = 0 if finalize else visible
        _drawn.clear()
        if not ends:
            _drawn.add(self)
        print_message(line, line_break=ends)

    def _bar(self, current: int, width: int) -> str:
        assert self.target
        done = min(width, int(width * current / self.target))
        full, rest = "━" * done, "━" * (width - done)
        if self._colors:
            full = f"{_GREEN}{full}{_RESET}" if full else ""
            return f"{full}{_WHITE}{rest}{_RESET}"
        # Without colors the part that is done must still be told from the rest.
        return full + "." * len(rest)

    def _count(self, current: int) -> str:
        if not self.target:
            return f"{current:7d}/Unknown"
        return f"{current:{len(str(self.target))}d}/{self.target}"

    def _values(self) -> list[str]:
        texts = []
        for name, (total, count) in self._sums.items():
            mean = total / max(1, count)
            texts.append(f"{name}: {mean:.4f}" if abs(mean) > 1e-3 else f"{name}: {mean:.4e}")
        return texts

    def _print_summary(self, current: int, now: float) -> None:
        pieces = [
            self._count(current),
            f"{now - self._start:.0f}s",
            _duration(self._seconds_per_unit(), self.unit_name),
            *self._values(),
        ]
        print_message(" - ".join(pieces))

    @staticmethod
    def _columns() -> int | None:
        try:
            return os.get_terminal_size(sys.stdout.fileno()).columns or None
        except (OSError, ValueError, AttributeError):
            return None


def _wrapped(details: list[str], used: int, columns: int) -> list[str]:
    """The values with line breaks before those that would run over the terminal's edge."""
    result = []
    for text in details:
        if used + len(text) > columns:
            result.append("\n   ")
            used = 3
        result.append(text)
        used += len(text)
    return result


def _remaining(seconds: float) -> str:
    """Seconds as `12s`, `3:07` or `1:02:09`."""
    whole = int(seconds)
    if whole > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    if whole > 60:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole}s"


def _duration(seconds: float, unit: str) -> str:
    """Seconds per unit as `2s/step`, `14ms/step` or `60us/step`."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/{unit}"
    return f"{seconds * 1e6:.0f}us/{unit}"
