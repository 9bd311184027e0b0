"""A comparison: an experiment run in every framework, and what comes of it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.util
import math
import os
import platform
import shutil
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from cornu.compare import jobs
from cornu.compare.causes import cause_of
from cornu.compare.environment import commit_of, cores, processor, versions
from cornu.compare.experiment import Data, Experiment, ExperimentError
from cornu.compare.programs import (
    Written,
    family,
    replace_program,
    weights_in_order,
    write_own_habits,
    write_same_start,
    write_seed_weights,
)
from cornu.compare.same_start import Run, Verdict, differences_of, judge
from cornu.compare.statistics import thinned
from cornu.core import naming
from cornu.core.random import set_random_seed
from cornu.core.serialization import did_you_mean
from cornu.port.keras.read_model import read_model
from cornu.port.network import Network, PortError

# name: title, the module that has to be installed, the distribution
FRAMEWORKS = {
    "cornu": ("Cornu", "cornu", "cornu"),
    "torch": ("PyTorch", "torch", "torch"),
    "keras": ("Keras", "keras", "keras"),
    "keras-jax": ("Keras on JAX", "keras", "keras"),
    "keras-torch": ("Keras on PyTorch", "torch", "keras"),
    "keras-tensorflow": ("Keras on TensorFlow", "tensorflow", "keras"),
    "numpy": ("NumPy", "numpy", "numpy"),
    "sklearn": ("scikit-learn", "sklearn", "scikit-learn"),
}
MODES = ("same_start", "own_habits")
_FRAMES = 100  # of the decision boundary
_GRID = 64  # points of it along the first axis


@dataclasses.dataclass
class Settings:
    """What is asked of a comparison.

    Attributes:
        frameworks: beside Cornu, in the order of display.
        modes: of `MODES`.
        dtypes: for the same start.
        epochs, rows, seeds: in the place of the experiment's; None for these.
        seed: of the initial weights and the order of rows with the same start.
        programs: files to run in the place of those written here, by framework.
        backend: of Keras where its name says none.
        command: what was typed, for the report.
    """

    frameworks: list[str]
    modes: tuple[str, ...] = MODES
    dtypes: tuple[str, ...] = ("float64", "float32")
    epochs: int | None = None
    rows: int | None = None
    seeds: int | None = None
    seed: int = 0
    programs: dict[str, str] = dataclasses.field(default_factory=dict)
    backend: str = "jax"
    command: str = ""


@dataclasses.dataclass
class Framework:
    """One framework of a comparison."""

    name: str
    title: str
    distribution: str  # the name that it is installed by
    version: str | None = None
    status: str = "finished"
    reason: str | None = None
    last_lines: list[str] | None = None
    resumed: bool = False
    notes: list[str] = dataclasses.field(default_factory=list)

    def fail(self, reason: str, lines: list[str]) -> None:
        """Takes note that a process of it failed."""
        self.status, self.reason, self.last_lines = "failed", reason, lines


def known_frameworks(names: Iterable[str]) -> list[str]:
    """The names, checked; Cornu first.

    Raises ExperimentError for a name that is none.
    """
    found = ["cornu"]
    for name in names:
        if name not in FRAMEWORKS:
            raise ExperimentError(
                f"no framework is named {name!r}{did_you_mean(name, FRAMEWORKS) or '.'} "
                f"There are {', '.join(FRAMEWORKS)}"
            )
        if name not in found:
            found.append(name)
    return found


class Comparison:
    """Runs an experiment in every framework.

    Args:
        experiment: what to run.
        settings: how.
        folder: where programs, runs and results go; what an earlier comparison of the same left
            there is used again.
        watch: what is told of each run: `cornu.compare.terminal.Watch`.

    Raises:
        ExperimentError: a network that is not compiled, or has several inputs or outputs.
    """

    def __init__(self, experiment: Experiment, settings: Settings, folder: Path, watch: Any):
        self.experiment, self.settings, self.folder, self.watch = (
            experiment,
            settings,
            Path(folder),
            watch,
        )
        self.epochs = settings.epochs or experiment.epochs
        self.same_start_epochs = settings.epochs or experiment.same_start_epochs or self.epochs
        self.seeds = [settings.seed + i for i in range(settings.seeds or experiment.seeds)]
        self.model = self._build(settings.seed)
        self.network = read_model(self.model)
        self.task = self._task()
        self.data: Data = experiment.data(settings.rows or experiment.rows)
        self._look_at_data()
        self.validation = self.data.validation or self.data.test
        self.frameworks = [self._framework(name) for name in known_frameworks(settings.frameworks)]
        self.runs_folder = self.folder / "runs"
        self.data_folder = self.runs_folder / "data"
        self.found: dict[tuple[str, str, str], jobs.Found] = {}
        self.written: dict[tuple[str, str], Written] = {}
        self._causes: dict[str, tuple[str, str] | None] = {}

    # -- the experiment ----------------------------------------------------------------------------

    def _build(self, seed: int) -> Any:
        naming.reset_names()  # the same names each time
        set_random_seed(seed)
        model = self.experiment.build()
        if not getattr(model, "compiled", False) or not model.built:
            raise ExperimentError(
                f"{self.experiment.name}: build() has to return a compiled model with an Input"
            )
        return model

    def reader(self, seed: int) -> Callable[[], Network]:
        """What gives the network with the initial weights of a seed, a new one each time."""

        def read() -> Network:
            network = read_model(self._build(seed))
            if network.training is not None:  # so that the programs say so
                network.training.batch_size = self.experiment.batch_size
                network.training.epochs = self.epochs
            return network

        return read

    def _task(self) -> str:
        network = self.network
        training = network.training
        if len(network.inputs) != 1 or len(network.outputs) != 1:
            raise ExperimentError(
                f"{self.experiment.name}: only networks with one input and one output can be "
                f"compared; this one has {len(network.inputs)} and {len(network.outputs)}"
            )
        loss = training.losses[0] if training is not None and training.losses else None
        if loss is None:
            raise ExperimentError(f"{self.experiment.name}: the model has no loss")
        tasks = {
            "sparse_categorical_crossentropy": "classes",
            "binary_crossentropy": "binary",
            "mean_squared_error": "regression",
        }
        if loss.kind not in tasks:
            raise ExperimentError(
                f"{self.experiment.name}: the loss {loss.kind} cannot be compared; there are "
                f"{', '.join(tasks)} (with integer labels in the place of one-hot ones)"
            )
        return tasks[loss.kind]

    def _look_at_data(self) -> None:
        if not isinstance(self.data, Data):
            raise ExperimentError(
                f"{self.experiment.name}: data() has to return cornu.compare.Data(train=(x, y), "
                f"test=(x, y)), received {type(self.data).__name__}"
            )
        shape = tuple(self.network.inputs[0].shape[1:])
        classes = {"binary": 2, "classes": self.network.outputs[0].shape[-1]}.get(self.task)
        for name in ("train", "test", "validation"):
            part = getattr(self.data, name)
            if part is None:
                continue
            x, y = part
            if len(x) != len(y) or not len(x):
                raise ExperimentError(f"{name}: {len(x)} rows of x, {len(y)} of y")
            if x.shape[1:] != shape:
                raise ExperimentError(
                    f"{name}: x has rows of shape {x.shape[1:]}, the network takes {shape}"
                )
            if classes is not None and not (np.min(y) >= 0 and np.max(y) < classes):
                raise ExperimentError(
                    f"{name}: y goes from {np.min(y)} to {np.max(y)}; the network has {classes} "
                    f"classes, so expected 0 to {classes - 1}"
                )

    def _framework(self, name: str) -> Framework:
        title, module, distribution = FRAMEWORKS[name]
        found = Framework(name, title, distribution)
        modules = [module] if module == family(name) else [module, family(name)]
        missing = [one for one in modules if importlib.util.find_spec(one) is None]
        if missing:
            found.status = "skipped"
            found.reason = f"{missing[0]} is not installed"
            return found
        with contextlib.suppress(metadata.PackageNotFoundError):
            found.version = metadata.version(distribution)
        return found

    @property
    def class_names(self) -> list[str]:
        """The names of the classes."""
        if self.experiment.class_names is not None:
            return list(self.experiment.class_names)
        if self.task == "regression":
            return []
        count = 2 if self.task == "binary" else self.network.outputs[0].shape[-1]
        return [str(number) for number in range(int(count or 0))]

    # -- running -----------------------------------------------------------------------------------

    def run(self) -> dict[str, Any]:
        """Runs everything that has not been run; returns the results."""
        from cornu.compare import results

        # what else the machine does, before this begins
        self.load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        digest = self._write_data()
        grid = self._write_grid()
        for mode in self.settings.modes:
            for framework in self.frameworks:
                if framework.status == "finished":
                    self._run_framework(framework, mode, digest, grid)
        shutil.rmtree(self.data_folder, ignore_errors=True)
        return results.results_of(self)

    def _write_data(self) -> str:
        self.data_folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        parts = {"train": self.data.train, "test": self.data.test, "validation": self.validation}
        for name, arrays in parts.items():
            for letter, array in zip("xy", arrays, strict=True):
                array = np.ascontiguousarray(array)
                np.save(self.data_folder / f"{name}_{letter}.npy", array)
                digest.update(str((array.shape, array.dtype)).encode() + array.tobytes())
        return digest.hexdigest()

    def _write_grid(self) -> str | None:
        if self.network.inputs[0].shape[1:] != (2,) or self.task == "regression":
            return None
        x = np.concatenate([self.data.train[0], self.data.test[0]])
        spread = x.max(axis=0) - x.min(axis=0)
        margin = 0.08 * np.where(spread > 0, spread, 1.0)
        (left, bottom), (right, top) = x.min(axis=0) - margin, x.max(axis=0) + margin
        columns = _GRID
        rows = max(2, round(columns * (top - bottom) / (right - left)))
        self.extent, self.shape = [left, right, bottom, top], [rows, columns]
        across = left + (np.arange(columns) + 0.5) * (right - left) / columns
        up = bottom + (np.arange(rows) + 0.5) * (top - bottom) / rows
        grid = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2).astype("float32")
        file = self.data_folder / "grid.npy"
        np.save(file, grid)
        return str(file)

    @property
    def frames(self) -> list[int]:
        """The epochs, from 1, after which the decision boundary is computed."""
        return [index + 1 for index in thinned(self.epochs, _FRAMES)]

    def _run_framework(
        self, framework: Framework, mode: str, digest: str, grid: str | None
    ) -> None:
        if mode == "same_start" and framework.name == "sklearn":
            reason = "scikit-learn cannot be given initial weights: own habits only"
            if self.settings.modes == ("same_start",):
                framework.status, framework.reason = "skipped", reason
            else:
                framework.notes.append(reason)
            return
        try:
            written = self._write(framework, mode)
        except PortError as error:
            framework.status, framework.reason = "skipped", str(error)
            return
        self.written[framework.name, mode] = written
        framework.notes += [note for note in written.notes if note not in framework.notes]
        dtypes = self.settings.dtypes if mode == "same_start" else ("float32",)
        for dtype in dtypes:
            job = self._job(framework, mode, dtype, written, grid)
            self._run_job(framework, job, digest)
            if framework.status == "failed":
                return

    def _write(self, framework: Framework, mode: str) -> Written:
        reader = self.reader(self.settings.seed)
        if mode == "same_start":
            folder = self.folder / "programs" / "same-start" / framework.name
            written = write_same_start(reader, framework.name, folder)
        else:
            folder = self.folder / "programs" / framework.name
            written = write_own_habits(reader, framework.name, folder)
        programs = {**self.experiment.programs, **self.settings.programs}
        if framework.name in programs:
            written = replace_program(written, programs[framework.name])
        return written

    def _job(
        self, framework: Framework, mode: str, dtype: str, written: Written, grid: str | None
    ) -> jobs.Job:
        own = mode == "own_habits"
        name = f"{framework.name}-{mode.replace('_', '-')}" + ("" if own else f"-{dtype}")
        output = self.runs_folder / name
        seed_weights = None
        if own and family(framework.name) == "numpy":
            readers = {seed: self.reader(seed) for seed in self.seeds}
            seed_weights = write_seed_weights(readers, output / "weights")
        return jobs.Job(
            framework=framework.name,
            mode=mode,
            dtype=dtype,
            program=str(written.file.resolve()),
            data=str(self.data_folder.resolve()),
            task=self.task,
            epochs=self.epochs if own else self.same_start_epochs,
            batch_size=self.experiment.batch_size,
            train_rows=len(self.data.train[0]),
            output=str(output.resolve()),
            seed=self.settings.seed,
            seeds=self.seeds if own else [],
            weights=None if written.weights is None else str(written.weights.resolve()),
            seed_weights=seed_weights,
            class_name=written.class_name,
            axes=written.axes,
            head=written.head,
            weight_order=written.weight_order,
            backend=self.backend_of(framework.name),
            grid=grid if own else None,
            frames=self.frames if own and grid else [],
        )

    def backend_of(self, framework: str) -> str | None:
        """Which backend Keras runs on; None for another framework."""
        if family(framework) != "keras":
            return None
        return framework.partition("-")[2] or self.settings.backend

    def _run_job(self, framework: Framework, job: jobs.Job, digest: str) -> None:
        own = job.mode == "own_habits"
        title = (
            f"{framework.title}, own habits"
            if own
            else (f"{framework.title}, same start, {job.dtype}")
        )
        names = [framework.name, *([job.backend] if job.backend else [])]
        where = {
            "versions": versions(names),
            "python": platform.python_version(),
            "commit": commit_of(Path(__file__)) if framework.name == "cornu" else None,
            # times belong to a machine
            "machine": [processor(), cores()] if own else None,
        }
        key = job.key(digest, where)
        found = jobs.earlier(job, key)
        total = self.epochs * len(self.seeds) if own else job.epochs
        told = self.watch.start(title, total)
        if found is not None:
            framework.resumed = True
            told.done("kept from an earlier run")
        else:

            def on_event(event: dict) -> None:
                if "epoch" in event:
                    before = self.epochs * (event.get("run", 1) - 1)
                    told.epoch(before + event["epoch"], loss=event.get("loss"))

            found = jobs.run(job, key, on_event)
            if found.result is None:
                reason = f"it ended with an error: {found.last_lines[-1]}"
                what = "own habits" if own else f"same start, {job.dtype}"
                told.failed(found.last_lines[-2] if len(found.last_lines) > 1 else reason)
                framework.fail(f"{what}: {reason}", found.last_lines)
                return
            told.done(f"{found.seconds:.1f} s")
        self.found[framework.name, job.mode, job.dtype] = found

    # -- what is found -----------------------------------------------------------------------------

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return math.ceil(len(self.data.train[0]) / self.experiment.batch_size)

    def run_of(self, framework: str, dtype: str) -> Run | None:
        """The losses and fingerprints of a framework from the same start."""
        found = self.found.get((framework, "same_start", dtype))
        if found is None or found.result is None:
            return None
        return Run(found.arrays["losses"], found.arrays["prints"], found.result["sizes"])

    def verdicts(self) -> dict[str, dict[str, Verdict]]:
        """For each dtype and framework, whether it lies on Cornu."""
        names = weights_in_order(read_model(self.model))
        in_float64: dict[str, bool] = {}
        verdicts: dict[str, dict[str, Verdict]] = {}
        for dtype in sorted(self.settings.dtypes, reverse=True):  # float64 first
            reference = self.run_of("cornu", dtype)
            verdicts[dtype] = {}
            if reference is None:
                continue
            for framework in self.frameworks:
                run = self.run_of(framework.name, dtype)
                if framework.name == "cornu" or run is None:
                    continue
                agrees = in_float64.get(framework.name)
                verdict = judge(run, reference, names, dtype, self.steps_per_epoch, agrees)
                if dtype == "float64":
                    in_float64[framework.name] = verdict.kind == "same"
                verdict.text = verdict.text.replace("They", f"{framework.title} and Cornu", 1)
                if verdict.kind == "different":
                    self._explain(framework, verdict)
                verdicts[dtype][framework.name] = verdict
        return verdicts

    def _explain(self, framework: Framework, verdict: Verdict) -> None:
        known = self._causes
        if framework.name not in known:
            written = self.written[framework.name, "same_start"]
            x, y = self.data.train
            known[framework.name] = cause_of(
                lambda: self._build(self.settings.seed),
                framework.name,
                written,
                self.task,
                x,
                y,
                self.backend_of(framework.name),
            )
        cause = known[framework.name]
        if cause is None:
            return
        place, why = cause
        if place and verdict.step in (1, 2):  # later ones grew out of others
            verdict.text = verdict.text.replace(str(verdict.place), place, 1)
            verdict.place = place
        verdict.cause = why
        verdict.text = f"{verdict.text} The cause: {why}"

    def curve(self, framework: str, dtype: str) -> np.ndarray | None:
        """The relative difference of each step's loss from Cornu's."""
        run, reference = self.run_of(framework, dtype), self.run_of("cornu", dtype)
        if run is None or reference is None:
            return None
        return differences_of(run.losses, reference.losses)
