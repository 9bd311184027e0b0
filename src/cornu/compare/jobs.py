"""Jobs: what one process is asked to train, how it is started, and what it leaves."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WORKERS = Path(__file__).with_name("workers")
_LAST_LINES = 15


@dataclasses.dataclass
class Job:
    """One process: a program trained once from a given start, or several times by its own habits.

    Attributes:
        framework: "cornu", "torch", ...; with Keras, its backend behind a dash or by default JAX.
        mode: "same_start" or "own_habits".
        dtype: "float32" or "float64".
        program: the program, a file.
        data: folder with the rows.
        task: "binary", "classes" or "regression": what the labels are.
        epochs, batch_size, train_rows: integers.
        seed: of the order of rows, with the same start.
        seeds: of the runs, with own habits.
        output: folder for what is found.
        weights: file of the initial weights, or None.
        seed_weights: the same for each seed, of programs that draw none.
        class_name, axes, head, weight_order: see `cornu.compare.programs.Written`.
        backend: of Keras, or None.
        grid: file with the points of the decision boundary, or None.
        frames: the epochs, from 1, after which it is computed.
    """

    framework: str
    mode: str
    dtype: str
    program: str
    data: str
    task: str
    epochs: int
    batch_size: int
    train_rows: int
    output: str
    seed: int = 0
    seeds: list[int] = dataclasses.field(default_factory=list)
    weights: str | None = None
    seed_weights: dict[str, str] | None = None
    class_name: str | None = None
    axes: list[int] | None = None
    head: str | None = None
    weight_order: list[str] | None = None
    backend: str | None = None
    grid: str | None = None
    frames: list[int] = dataclasses.field(default_factory=list)

    def key(self, data_digest: str, where: dict[str, Any]) -> str:
        """A digest of all that the result depends on: the same key, the same result.

        Args:
            data_digest: of the rows.
            where: versions and machine.
        """
        plain = dataclasses.asdict(self)
        for name in ("program", "data", "output", "weights", "seed_weights", "grid"):
            plain.pop(name)
        files = [self.program, self.weights, self.grid, *(self.seed_weights or {}).values()]
        digests = [_digest(file) for file in files if file is not None]
        workers = [_digest(file) for file in sorted(WORKERS.glob("*.py"))]
        text = json.dumps([plain, digests, workers, data_digest, where], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def folder(self) -> Path:
        """Where what is found lies."""
        return Path(self.output)


def _digest(file: str | Path) -> str:
    path = Path(file)
    if path.suffix == ".npz":  # an archive holds the time at which it was written
        with np.load(path) as arrays:
            found = hashlib.sha256()
            for name in sorted(arrays.files):
                found.update(name.encode() + arrays[name].tobytes())
            return found.hexdigest()
    if path.suffix == ".h5":  # as well
        import h5py

        found = hashlib.sha256()

        def add(name: str, item: Any) -> None:
            found.update(name.encode())
            if isinstance(item, h5py.Dataset):
                found.update(item[()].tobytes())

        with h5py.File(path) as archive:
            archive.visititems(add)
        return found.hexdigest()
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclasses.dataclass
class Found:
    """What a process left.

    Attributes:
        result: plain data, or None where it failed.
        arrays: NumPy arrays by name.
        last_lines: of what it printed, where it failed.
        seconds: how long the process ran.
        resumed: whether it is from an earlier run.
    """

    result: dict[str, Any] | None
    arrays: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    last_lines: list[str] = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    resumed: bool = False


def earlier(job: Job, key: str) -> Found | None:
    """What an earlier process left for the same job, or None."""
    try:
        with open(job.folder / "key.json", encoding="utf-8") as file:
            kept = json.load(file)
        if kept["key"] != key:
            return None
        return _read(job, kept["seconds"], resumed=True)
    except (OSError, ValueError, KeyError):
        return None


def run(job: Job, key: str, on_event: Callable[[dict], None]) -> Found:
    """Runs a job in a process of its own and waits for it.

    Args:
        job: what to do.
        key: of the job; it is kept, so that `earlier` finds what was done.
        on_event: told of each epoch.
    """
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / "key.json").unlink(missing_ok=True)
    worker = "keras" if job.framework == "cornu" else job.framework.partition("-")[0]
    log = job.folder / "log.txt"
    description = job.folder / "job.json"
    spawned = time.time()
    plain = {**dataclasses.asdict(job), "spawned": spawned}
    if job.framework != "cornu":
        plain["framework"] = worker
    description.write_text(json.dumps(plain, indent=1), encoding="utf-8")
    environment = dict(os.environ)
    # nothing compiled before: what a user has the first time
    environment["CORNU_CACHE"] = "0"
    environment["JAX_ENABLE_COMPILATION_CACHE"] = "false"
    environment.pop("JAX_COMPILATION_CACHE_DIR", None)
    environment["PYTHONUNBUFFERED"] = "1"
    with open(log, "w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [sys.executable, str(WORKERS / f"train_{worker}.py"), str(description)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        )
        try:
            assert process.stdout is not None
            with process.stdout:
                for line in process.stdout:
                    try:
                        event = json.loads(line)
                    except ValueError:
                        continue
                    on_event(event)
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
    seconds = time.time() - spawned
    if code != 0 or not (job.folder / "result.json").is_file():
        lines = [one for one in log.read_text(errors="replace").splitlines() if one.strip()]
        ended = f"the process was ended by signal {-code}" if code < 0 else f"exit status {code}"
        return Found(None, last_lines=[*lines[-_LAST_LINES:], ended], seconds=seconds)
    found = _read(job, seconds, resumed=False)
    (job.folder / "key.json").write_text(
        json.dumps({"key": key, "seconds": seconds}), encoding="utf-8"
    )
    return found


def _read(job: Job, seconds: float, resumed: bool) -> Found:
    with open(job.folder / "result.json", encoding="utf-8") as file:
        result = json.load(file)
    with np.load(job.folder / "arrays.npz") as file:
        arrays = {name: file[name] for name in file.files}
    return Found(result, arrays, seconds=seconds, resumed=resumed)
