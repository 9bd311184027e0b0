"""What a person sees of a comparison in the terminal at its end."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from cornu.compare.amounts import (
    busy_machine,
    duration,
    number,
    percentage,
    ratio,
    seeds,
    size,
    verdict_word,
)
from cornu.compare.statistics import outcome
from cornu.compare.watch import Watch, make_console

# Colours of the verdicts on the same start, by how good they are.
_STYLES = {"good": "green", "warn": "yellow", "bad": "bold red"}
# Keys of the timing, what they are called, and how they are written.
_COSTS = (
    ("first_epoch_s", "first epoch", "s"),
    ("epoch_ms", "per epoch", "ms"),
    ("process_s", "process", "s"),
    ("peak_memory_mb", "memory", "MB"),
    ("import_s", "import", "s"),
    ("package_mb", "on disk", "MB"),
)


def print_results(
    results: dict[str, Any],
    console: Any = None,
    report: str | os.PathLike[str] | None = None,
) -> None:
    """Prints a comparison's results: verdicts, accuracies, costs, what failed.

    Args:
        results: as in results.json; what is missing is left out.
        console: a `rich.console.Console`. Default one of the standard output.
        report: the file of the report, to be named at the end.

    >>> print_results({"experiment": {"title": "Two moons", "epochs": 200}}, report="r/report.html")
    Two moons
    200 epochs
    <BLANKLINE>
    Report: r/report.html
    """
    from rich.text import Text

    console = console or make_console()
    _Results(results, console).print()
    if report is not None:
        console.print()
        console.print(Text(f"Report: {os.fspath(report)}"), soft_wrap=True)


# -- results ---------------------------------------------------------------------------------------


class _Results:
    def __init__(self, results: dict[str, Any], console: Any):
        self.results, self.console = results, console
        self.frameworks = results.get("frameworks") or []

    def print(self) -> None:
        """Prints everything that there is."""
        self._head()
        self._same_start()
        self._own_habits()
        self._findings()
        self._not_run()

    def _line(self, *parts: Any, **settings: Any) -> None:
        from rich.text import Text

        text = Text.assemble(*parts)
        self.console.print(text, **settings)

    def _section(self, title: str, more: str = "") -> None:
        self.console.print()
        self._line((title, "bold"), f"  {more}" if more else "")

    def _table(self, *columns: tuple[str, str]) -> Any:
        from rich.table import Table

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for title, justify in columns:
            table.add_column(title, justify=justify, overflow="fold")  # type: ignore[arg-type]
        return table

    def _name(self, name: str) -> Any:
        """A framework's title in its colour."""
        from rich.text import Text

        from cornu.plot.colors import color_of

        names = [one["name"] for one in self.frameworks]
        place = names.index(name) if name in names else 0
        title = next((one.get("title") for one in self.frameworks if one["name"] == name), None)
        return Text(title or name, style=f"bold {color_of(name, place)}")

    def _ordered(self, found: Iterable[str]) -> list[str]:
        """Names of frameworks in the order of display."""
        found = list(found)
        order = [one["name"] for one in self.frameworks if one["name"] in found]
        return order + [name for name in found if name not in order]

    def _head(self) -> None:
        experiment = self.results.get("experiment") or {}
        self._line((experiment.get("title") or experiment.get("name") or "Comparison", "bold"))
        rows = experiment.get("rows") or {}
        facts = []
        if experiment.get("parameters") is not None:
            facts.append(f"{experiment['parameters']:,} parameters")
        if rows.get("train"):
            tested = f", {rows['test']:,} to test" if rows.get("test") else ""
            facts.append(f"{rows['train']:,} rows to train{tested}")
        if experiment.get("epochs"):
            facts.append(f"{experiment['epochs']:,} epochs")
        if experiment.get("batch_size"):
            facts.append(f"batches of {experiment['batch_size']:,}")
        if experiment.get("loss"):
            facts.append(str(experiment["loss"]).replace("_", " "))
        if experiment.get("optimizer"):
            facts.append(str(experiment["optimizer"]))
        if facts:
            self._line("; ".join(facts))

    # -- same start --------------------------------------------------------------------------------

    def _same_start(self) -> None:
        from rich.text import Text

        for dtype, found in ((self.results.get("same_start") or {}).get("dtypes") or {}).items():
            if not found or not found.get("frameworks"):
                continue
            steps = f"{found['steps']:,} steps" if found.get("steps") else ""
            within = f"tolerance {number(found['tolerance'])}" if found.get("tolerance") else ""
            self._section("Same start", ", ".join(filter(None, [dtype, steps, within])))
            table = self._table(("", "left"), ("", "left"), ("difference", "right"), ("", "left"))
            for name in self._ordered(found["frameworks"]):
                verdict = found["frameworks"][name].get("verdict")
                if verdict is None:
                    known = name == "cornu"
                    said = "what the others are compared with" if known else "no verdict"
                    table.add_row(self._name(name), "", "", Text(said, style="dim"))
                    continue
                word, level = verdict_word(verdict)
                table.add_row(
                    self._name(name),
                    Text(word, style=_STYLES[level]),
                    number(verdict.get("largest")),
                    Text(_sentence(verdict)),
                )
            self.console.print(table)

    # -- own habits --------------------------------------------------------------------------------

    def _own_habits(self) -> None:
        habits = self.results.get("own_habits") or {}
        found = {
            name: one for name, one in (habits.get("frameworks") or {}).items() if one.get("runs")
        }
        if found:
            count = max(len(one["runs"]) for one in found.values())
            told = f"mean and 95 % interval of {count} seeds" if count > 1 else "one seed"
            self._section("Own habits", f"{told}, on the rows to test")
            self._tests(found, count)
        timed = {
            name: one for name, one in found.items() if any((one.get("timing") or {}).values())
        }
        if timed:
            self._costs(timed)

    def _tests(self, found: dict[str, Any], count: int) -> None:
        tests = {name: outcome(one["runs"]) for name, one in found.items()}
        columns = [("", "left")]
        has_accuracy = any(one.accuracy[0] is not None for one in tests.values())
        columns += [("accuracy", "right")] if has_accuracy else []
        columns += [("loss", "right")]
        has_fewer = any(len(one.used) < count for one in tests.values())
        columns += [("seeds", "right")] if has_fewer else []
        table = self._table(*columns)
        for name in self._ordered(tests):
            one = tests[name]
            cells = [self._name(name)]
            if has_accuracy:
                cells.append(percentage(*one.accuracy))
            cells.append(number(*one.loss))
            if has_fewer:
                cells.append(seeds(len(one.used), one.every, len(one.diverged)))
            table.add_row(*cells)
        self.console.print(table)

    def _costs(self, found: dict[str, Any]) -> None:
        from rich.text import Text

        reference = (found.get("cornu") or {}).get("timing") or {}
        self._section(
            "Cost", "below each: how many times Cornu's" if reference and len(found) > 1 else ""
        )
        if busy := busy_machine(self.results):
            self._line(busy)
        known = [
            cost
            for cost in _COSTS
            if any((one.get("timing") or {}).get(cost[0]) is not None for one in found.values())
        ]
        table = self._table(("", "left"), *((title, "right") for _, title, _ in known))
        for name in self._ordered(found):
            timing = found[name].get("timing") or {}
            cells: list[Any] = [self._name(name)]
            for key, _, unit in known:
                value = timing.get(key)
                cell = Text(_written(value, unit))
                times = ratio(value, reference.get(key)) if name != "cornu" else ""
                if times:
                    cell.append(f"\n{times}", style="dim")
                cells.append(cell)
            table.add_row(*cells)
        self.console.print(table)

    # -- what is wrong -----------------------------------------------------------------------------

    def _findings(self) -> None:
        wrong = [one for one in self.results.get("findings") or [] if one.get("severity") != "info"]
        if not wrong:
            return
        self._section("Findings of cornu check")
        for one in wrong:
            style = "bold red" if one.get("severity") == "error" else "yellow"
            layer = f" ({one['layer']})" if one.get("layer") else ""
            self._line(
                (one.get("code") or one.get("severity") or "", style), f"  {one['message']}{layer}"
            )

    def _not_run(self) -> None:
        from rich.padding import Padding
        from rich.text import Text

        skipped = [one for one in self.frameworks if one.get("status") == "skipped"]
        failed = [one for one in self.frameworks if one.get("status") == "failed"]
        if skipped:
            self._section("Skipped")
            table = self._table(("", "left"), ("", "left"))
            table.show_header = False
            for one in skipped:
                table.add_row(self._name(one["name"]), Text(one.get("reason") or ""))
            self.console.print(table)
        if failed:
            self._section("Failed")
        for one in failed:
            reason = one.get("reason") or "it stopped"
            self._line(self._name(one["name"]), (" failed: ", "bold red"), reason)
            lines = one.get("last_lines") or []
            if lines:
                self.console.print(Padding(Text("\n".join(lines), style="dim"), (0, 0, 0, 4)))


def _sentence(verdict: dict[str, Any]) -> str:
    """What a verdict says, where it is more than its word."""
    if verdict.get("text") and verdict.get("kind") != "same":
        return str(verdict["text"])
    if verdict.get("same"):
        return ""
    step = f" at step {verdict['step']:,}" if verdict.get("step") else ""
    place = f", at {verdict['place']}" if verdict.get("place") else ""
    cause = f": {verdict['cause']}" if verdict.get("cause") else ""
    return f"parts{step}{place}{cause}"


def _written(value: float | None, unit: str) -> str:
    if unit == "MB":
        return size(value)
    return duration(value / 1000 if value is not None and unit == "ms" else value)


__all__ = ["Watch", "make_console", "print_results"]
