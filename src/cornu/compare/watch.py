"""What a person sees of a comparison in the terminal while it runs."""

from __future__ import annotations

import time
from typing import Any

from cornu.compare.amounts import duration, number


def make_console() -> Any:
    """A console of the standard output; 100 columns wide where that is no terminal."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 100
    return console


class Job:
    """One run of one framework; `Watch.start` makes it.

    It ends with `done` or `failed`, once.
    """

    def __init__(self, watch: Watch, title: str, total: int | None):
        self._watch, self.title, self.total = watch, title, total
        self.number, self.loss = 0, None  # type: tuple[int, float | None]
        self.began = self._told = time.monotonic()

    def epoch(self, number: int, loss: float | None = None) -> None:
        """Says that an epoch has ended.

        Args:
            number: of the epoch, from 1.
            loss: in it, where it is known.
        """
        self.number, self.loss = number, loss
        self._watch._moved(self)

    def done(self, result: str = "") -> None:
        """Says that the run has ended well.

        Args:
            result: a few words on it. Default: how long it took.
        """
        self._watch._ended(self, result or duration(self.elapsed), "green")

    def failed(self, reason: str) -> None:
        """Says that the run has ended without a result, and why."""
        self._watch._ended(self, reason, "bold red", "failed: ")

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

    def progress(self) -> str:
        """How far it is.

        >>> job = Watch().start("NumPy", 200)
        >>> job.epoch(3)
        >>> job.progress()
        'epoch 3 of 200'
        """
        of = f" of {self.total:,}" if self.total else ""
        return f"epoch {self.number:,}{of}" if self.number else "starting"


class Watch:
    """One line for each run while they run, then one for what came of it.

    In a terminal the lines of what runs move; elsewhere a line is printed when a run ends, and
    every half a minute in one that takes longer.

    Args:
        console: a `rich.console.Console`. Default one of the standard output.

    >>> with Watch() as watch:
    ...     job = watch.start("PyTorch, same start, float64", total=200)
    ...     job.epoch(3, loss=0.3)
    ...     job.done("2.1 s")
    PyTorch, same start, float64  2.1 s
    """

    # Seconds between two lines on one run where nothing moves.
    INTERVAL = 30.0

    def __init__(self, console: Any = None):
        self.console = console or make_console()
        self._jobs: list[Job] = []
        self._live: Any = None

    def __enter__(self) -> Watch:
        if self.console.is_terminal:
            from rich.live import Live

            self._live = Live(
                get_renderable=self._lines,
                console=self.console,
                refresh_per_second=5,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        for job in list(self._jobs):
            self._ended(job, f"{job.progress()}, {duration(job.elapsed)}", "yellow", "stopped: ")
        if self._live is not None:
            self._live.stop()
            self._live = None

    def start(self, title: str, total: int | None = None) -> Job:
        """Says that a run begins.

        Args:
            title: what runs: "PyTorch, same start, float64".
            total: its epochs, where they are known.
        """
        job = Job(self, title, total)
        self._jobs.append(job)
        return job

    def note(self, text: str) -> None:
        """Prints a line above what runs: what is skipped, what was finished before."""
        from rich.text import Text

        self.console.print(Text(text))

    def _moved(self, job: Job) -> None:
        now = time.monotonic()
        if self._live is None and now - job._told >= self.INTERVAL and job in self._jobs:
            job._told = now
            loss = f", loss {number(job.loss)}" if job.loss is not None else ""
            self.note(f"{job.title}  {job.progress()}{loss}, {duration(job.elapsed)}")

    def _ended(self, job: Job, result: str, style: str, what: str = "") -> None:
        from rich.text import Text

        if job not in self._jobs:
            return
        self._jobs.remove(job)
        text = Text.assemble(f"{job.title}  ", (what, style), (result, "" if what else style))
        self.console.print(text)

    def _lines(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2, 0, 0))
        width = self.console.width
        jobs = list(self._jobs)
        ends = [
            [
                job.progress(),
                f"loss {number(job.loss)}" if job.loss is not None else "",
                f"{int(job.elapsed) // 60}:{int(job.elapsed) % 60:02d}",
            ]
            for job in jobs
        ]
        # titles have what the rest leaves, since a shortened number says something else
        room = width - sum(max(map(len, column)) + 2 for column in zip(*ends, strict=True)) - 2
        is_wide = width >= 90
        room -= 14 if is_wide else 0
        for job, end in zip(jobs, ends, strict=True):
            title = Text(job.title)
            title.truncate(max(8, room), overflow="ellipsis")
            bar: Any = ProgressBar(total=job.total or 1, completed=job.number, width=12)
            middle = [bar if job.total else ""] if is_wide else []
            table.add_row(title, *middle, *map(Text, end))
        return table
