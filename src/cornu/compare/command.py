"""`cornu compare`: an experiment in several frameworks, its figures and its report."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

from cornu.compare.comparison import MODES, Comparison, Settings, known_frameworks
from cornu.compare.experiment import BUILT_IN, ExperimentError, load_experiment
from cornu.port.network import PortError

REPORT, RESULTS = "report.html", "results.json"


def run_compare(options: argparse.Namespace) -> int:
    """What `cornu compare` does; returns the exit status."""
    if options.experiment is None:
        return _list()
    try:
        return _compare(options)
    except (ExperimentError, PortError, ImportError, FileNotFoundError) as error:
        print(f"cornu compare: {error}", file=sys.stderr)
        return 2


def _list() -> int:
    for name in BUILT_IN:
        experiment = load_experiment(name)
        print(f"{name:<12} {experiment.title}: {experiment.description}")
    return 0


def _compare(options: argparse.Namespace) -> int:
    from cornu.compare.report import write_report
    from cornu.compare.terminal import Watch, make_console, print_results

    experiment = load_experiment(options.experiment)
    settings = Settings(
        frameworks=_names(options.frameworks),
        modes=MODES if options.mode == "both" else (options.mode.replace("-", "_"),),
        dtypes=tuple(_names(options.dtypes)),
        epochs=options.epochs,
        rows=options.rows,
        seeds=options.seeds,
        seed=options.seed,
        programs=_programs(options.program),
        command=shlex.join(["cornu", "compare", *options.given]),
    )
    unknown = [dtype for dtype in settings.dtypes if dtype not in ("float64", "float32")]
    if unknown or not settings.dtypes:
        given = repr(unknown[0]) if unknown else "nothing"
        raise ExperimentError(f"--dtypes: expected float32, float64 or both, received {given}")
    compared = known_frameworks(settings.frameworks)
    for framework in (*experiment.programs, *settings.programs):
        if framework not in compared:
            raise ExperimentError(
                f"there is a program for {framework!r}, which is not compared: --with has "
                f"{', '.join(compared[1:]) or 'nothing'}"
            )
    folder = Path(options.output or f"{experiment.name}-comparison")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExperimentError(
            f"-o {folder}: the folder for the results cannot be made: {error.strerror}"
        ) from None
    console = make_console()
    with Watch(console) as watch:
        comparison = Comparison(experiment, settings, folder, watch)
        results = comparison.run()
    save_results(results, folder / RESULTS)
    report = write_report(results, folder / REPORT)
    print_results(results, console, report)
    statuses = [one["status"] for one in results["frameworks"][1:]]
    if statuses and set(statuses) == {"skipped"}:
        console.print("Nothing was compared: every framework beside Cornu was skipped.")
        return 2
    return exit_status(results, {*experiment.programs, *settings.programs})


def exit_status(results: dict[str, Any], given: Collection[str] = ()) -> int:
    """0; 1 where a framework failed, or runs from the same start differ by more than rounding.

    One that was left out counts as failed where a program was given for it.
    """
    bad = [one for one in results["frameworks"] if one["status"] != "finished"]
    if any(one["status"] == "failed" or one["name"] in given for one in bad):
        return 1
    dtypes = (results["same_start"] or {"dtypes": {}})["dtypes"].values()
    verdicts = [
        one["verdict"]
        for dtype in dtypes
        for one in dtype["frameworks"].values()
        if "verdict" in one
    ]
    return 0 if all(verdict["same"] for verdict in verdicts) else 1


def save_results(results: dict[str, Any], path: Path) -> None:
    """Writes `results.json`."""
    path.write_text(json.dumps(results, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _programs(given: list[str]) -> dict[str, str]:
    found = {}
    for text in given:
        framework, equals, file = text.partition("=")
        if not equals:
            raise ExperimentError(
                f"--program {text}: expected FRAMEWORK=FILE, such as torch=my_moons.py"
            )
        if not Path(file).is_file():
            raise FileNotFoundError(f"--program {text}: there is no file {file!r}")
        found[framework] = file
    return found
