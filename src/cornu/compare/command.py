"""`cornu compare`: an experiment in several frameworks, its figures and its report."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import Any

from cornu.compare.comparison import MODES, Comparison, Settings
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
    if unknown:
        raise ExperimentError(f"--dtypes: {unknown[0]!r} is neither float32 nor float64")
    folder = Path(options.output or f"{experiment.name}-comparison")
    folder.mkdir(parents=True, exist_ok=True)
    console = make_console()
    with Watch(console) as watch:
        comparison = Comparison(experiment, settings, folder, watch)
        results = comparison.run()
    save_results(results, folder / RESULTS)
    report = write_report(results, folder / REPORT)
    print_results(results, console, report)
    return exit_status(results)


def exit_status(results: dict[str, Any]) -> int:
    """0; 1 where a framework failed, or runs from the same start differ by more than rounding."""
    if any(one["status"] == "failed" for one in results["frameworks"]):
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
        if not equals or not Path(file).is_file():
            raise ExperimentError(
                f"--program {text}: expected FRAMEWORK=FILE, such as torch=my_moons.py"
            )
        found[framework] = file
    return found
