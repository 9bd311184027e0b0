"""Cornu and its peers on the articles' networks: an epoch, and the whole process.

    python benchmarks/articles.py                     # several rounds, everything
    python benchmarks/articles.py --quick             # a check that it runs: small data, one round
    python benchmarks/articles.py --only moons --rounds 7

Each measurement is a process of its own, and the libraries take turns in each round, in another
order each time, so that what else the machine does falls on all of them. Medians over the rounds,
as a Markdown table. Let nothing else run meanwhile.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import numpy as np

RUNS = Path(__file__).with_name("article_runs.py")


class Network(NamedTuple):
    """A network and how much of it is trained."""

    title: str
    rows: int
    timed_epochs: int  # for the time of an epoch
    process_epochs: int  # for the whole process
    batch_size: int


FULL = {
    "moons": Network("moons 2-25-50-50-25-1, SGD, batch 32", 900, 60, 200, 32),
    "mnist_mlp": Network("MNIST 784-128-20-10, Adam, batch 100", 54_000, 3, 10, 100),
    "mnist_cnn": Network("MNIST CNN 32-64-pool-128-10, Adadelta, batch 128", 6_400, 1, 1, 128),
}
QUICK = {
    "moons": FULL["moons"]._replace(timed_epochs=5, process_epochs=5),
    "mnist_mlp": FULL["mnist_mlp"]._replace(rows=2_000, timed_epochs=2, process_epochs=2),
    "mnist_cnn": FULL["mnist_cnn"]._replace(rows=256),
}
# library: the module it needs
LIBRARIES = {
    "cornu": "cornu",
    "keras-jax": "keras",
    "keras-tensorflow": "tensorflow",
    "torch-eager": "torch",
    "torch-fused": "torch",
    "torch-compile": "torch",
    "scikit-learn": "sklearn",
}
# how many times faster an epoch of Cornu is to be, by (network, peer)
GOALS = {
    ("moons", "keras-jax"): 6.0,
    ("moons", "PyTorch"): 9.0,
    ("mnist_mlp", "keras-jax"): 1.7,
    ("mnist_mlp", "PyTorch"): 1.6,
    ("mnist_cnn", "keras-jax"): 3.5,
    ("mnist_cnn", "PyTorch"): 1.0,
}


# -- data -----------------------------------------------------------------------------------------


def write_data(name: str, rows: int, folder: Path) -> Path:
    """The network's data as a file, so that no library is loaded to read another's."""
    path = folder / f"{name}.npz"
    if name == "moons":
        x, y = moons(rows)
    else:
        from cornu.datasets import mnist

        (images, y), _ = mnist.load_data()
        x = images[:rows].astype("float32") / 255
        x = x.reshape(rows, 784) if name == "mnist_mlp" else x[..., None]
        y = y[:rows].astype("int64")
    np.savez(path, x=x, y=y)
    return path


def moons(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Two interleaved half circles with noise 0.2: (rows, 2) and classes (rows,)."""
    rng = np.random.default_rng(100)
    y = np.arange(rows) % 2
    angle = rng.uniform(0, np.pi, rows)
    x = np.where(y == 0, [np.cos(angle), np.sin(angle)], [1 - np.cos(angle), 0.5 - np.sin(angle)]).T
    return (x + rng.normal(0, 0.2, (rows, 2))).astype("float32"), y


# -- running --------------------------------------------------------------------------------------


def missing(library: str, network: str) -> str | None:
    """Why a library cannot be measured on a network, or None."""
    if library == "scikit-learn" and network == "mnist_cnn":
        return "has no convolution"
    if importlib.util.find_spec(LIBRARIES[library]) is None:
        return f"{LIBRARIES[library]} is not installed"
    if library.startswith("keras") and importlib.util.find_spec("keras") is None:
        return "keras is not installed"
    return None


def environment(cache: Path | None) -> dict[str, str]:
    """The variables of a measured process; `cache` is where everything compiled is kept.

    Keras on JAX keeps nothing unless it is told to: with a cache, it is given JAX's own.
    """
    variables = dict(os.environ)
    for name in ("CORNU_CACHE", "CORNU_CACHE_DIR", "JAX_COMPILATION_CACHE_DIR"):
        variables.pop(name, None)
    variables["TF_CPP_MIN_LOG_LEVEL"] = "3"
    if cache is not None:
        variables["CORNU_CACHE_DIR"] = str(cache / "cornu")
        variables["TORCHINDUCTOR_CACHE_DIR"] = str(cache / "torch")
        variables["JAX_COMPILATION_CACHE_DIR"] = str(cache / "jax")
        variables["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.02"
        variables["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "0"
    return variables


def run(kind: str, network: str, library: str, data: Path, epochs: int, cache: Path) -> dict:
    """One measurement in a new process: `{"seconds": ..}` and what the process itself prints."""
    variables = environment(cache)
    if library == "cornu":
        del variables["JAX_COMPILATION_CACHE_DIR"]  # it has one of its own
    command = [
        sys.executable,
        str(RUNS),
        kind,
        network,
        library,
        str(data),
        "--epochs",
        str(epochs),
    ]
    start = time.perf_counter()
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(
            (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        )
    printed = json.loads(done.stdout) if kind == "epochs" else {}
    return {"seconds": seconds, **printed}


class Results:
    """Measurements by (network, library, what), and why some are not there."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, str], list[float]] = {}
        self.skipped: dict[tuple[str, str], str] = {}

    def add(self, network: str, library: str, what: str, value: float) -> None:
        """Takes note of one measurement."""
        self.values.setdefault((network, library, what), []).append(value)

    def median(self, network: str, library: str, what: str) -> float | None:
        """The median over the rounds, or None where there is none."""
        found = self.values.get((network, library, what))
        return statistics.median(found) if found else None

    def fastest_torch(self, network: str, what: str) -> str | None:
        """The variant of PyTorch with the least median."""
        found = [
            (value, library)
            for library in LIBRARIES
            if library.startswith("torch")
            and (value := self.median(network, library, what)) is not None
        ]
        return min(found)[1] if found else None


def measure(networks: dict[str, Network], rounds: int, kinds: list[str], say) -> Results:
    """All measurements, library after library in each round."""
    results = Results()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = {name: write_data(name, net.rows, folder) for name, net in networks.items()}
        for turn in range(rounds):
            order = list(LIBRARIES)
            order = order[turn % len(order) :] + order[: turn % len(order)]
            for network, library in ((n, one) for n in networks for one in order):
                if reason := missing(library, network):
                    results.skipped[network, library] = reason
                if (network, library) in results.skipped:
                    continue
                say(f"round {turn + 1}/{rounds}  {network}  {library}")
                try:
                    measure_one(results, networks[network], network, library, data[network], kinds)
                except RuntimeError as error:
                    results.skipped[network, library] = str(error)
                    say(f"  left out: {error}")
    return results


def measure_one(results, net: Network, network: str, library: str, data: Path, kinds) -> None:
    """One library's turn: the time of an epoch, then the process with a cold and a warm cache."""
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)
        if "process" in kinds:
            # what the first run compiles, the second finds
            for what in ("cold", "warm"):
                found = run("process", network, library, data, net.process_epochs, cache)
                results.add(network, library, what, found["seconds"])
    if "epochs" in kinds:
        with tempfile.TemporaryDirectory() as name:
            found = run("epochs", network, library, data, net.timed_epochs, Path(name))
        results.add(network, library, "ms", found["ms"])
        results.add(network, library, "compile", found["compile_s"])


# -- the report -----------------------------------------------------------------------------------


def machine() -> str:
    """What it was measured on and with."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = []
    for package in ("cornu", "jax", "keras", "tensorflow", "torch", "scikit-learn", "numpy"):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            continue
    return (
        f"{model}, {cores} cores; {platform.system()} {platform.release()}; "
        f"Python {platform.python_version()}; {', '.join(versions)}"
    )


def ratio(value: float | None, base: float | None) -> str:
    """How many times `base` a value is."""
    return f"{value / base:.2f}x" if value and base else ""


def table(results: Results, network: str, net: Network) -> list[str]:
    """The lines of a network's table."""
    steps = -(-net.rows // net.batch_size)
    lines = [
        f"### {net.title}",
        "",
        f"An epoch: {net.rows:,} rows, {steps} steps, warmed up. The process: from its start to "
        f"its end, import, data and {net.process_epochs} epoch{'s' * (net.process_epochs > 1)}. "
        "Ratios: times as long as Cornu.",
        "",
        "| | ms an epoch | min - max | ms a step | ratio | first epoch, more s "
        "| process, cold cache, s | ratio | warm cache, s | ratio |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    base = {what: results.median(network, "cornu", what) for what in ("ms", "cold", "warm")}
    for library in LIBRARIES:
        if (network, library) in results.skipped:
            reason = results.skipped[network, library]
            lines.append(f"| {library} | left out: {reason} | | | | | | | | |")
            continue
        get = {
            what: results.median(network, library, what)
            for what in ("ms", "compile", "cold", "warm")
        }
        each = results.values.get((network, library, "ms"), [])
        cells = [
            library,
            f"{get['ms']:.2f}" if get["ms"] else "",
            f"{min(each):.2f} - {max(each):.2f}" if each else "",
            f"{get['ms'] / steps:.3f}" if get["ms"] else "",
            ratio(get["ms"], base["ms"]),
            f"{get['compile']:.1f}" if get["compile"] is not None else "",
            f"{get['cold']:.2f}" if get["cold"] else "",
            ratio(get["cold"], base["cold"]),
            f"{get['warm']:.2f}" if get["warm"] else "",
            ratio(get["warm"], base["warm"]),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, "", *summary(results, network), ""]


def summary(results: Results, network: str) -> list[str]:
    """How Cornu compares, and whether that is what was aimed for."""
    lines = []
    for (name, peer), goal in GOALS.items():
        library = results.fastest_torch(network, "ms") if peer == "PyTorch" else peer
        if name != network or library is None:
            continue
        mine, other = results.median(network, "cornu", "ms"), results.median(network, library, "ms")
        if mine and other:
            met = "met" if other / mine >= goal else "NOT met"
            named = f"PyTorch ({library})" if peer == "PyTorch" else peer
            lines.append(
                f"- an epoch: {other / mine:.2f} times as fast as {named}; aim {goal:g}: {met}"
            )
    for what in ("cold", "warm"):
        mine = results.median(network, "cornu", what)
        others = [
            (value, library)
            for library in LIBRARIES
            if library != "cornu" and (value := results.median(network, library, what))
        ]
        if mine and others:
            value, library = min(others)
            met = "met" if mine < value else "NOT met"
            lines.append(
                f"- the process, {what} cache: {value / mine:.2f} times as fast as the best peer, "
                f"{library}; aim ahead of all: {met}"
            )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small data, one round")
    parser.add_argument("--only", nargs="+", choices=tuple(FULL), help="networks to measure")
    parser.add_argument("--rounds", type=int, help="rounds (5; with --quick 1)")
    parser.add_argument(
        "--kinds", nargs="+", choices=("epochs", "process"), default=["epochs", "process"]
    )
    parser.add_argument("--libraries", nargs="+", choices=tuple(LIBRARIES), help="only these")
    parser.add_argument("--json", type=Path, help="also write every measurement to this file")
    given = parser.parse_args()
    for library in set(LIBRARIES) - set(given.libraries or LIBRARIES):
        del LIBRARIES[library]
    networks = QUICK if given.quick else FULL
    networks = {name: networks[name] for name in given.only or networks}
    rounds = given.rounds or (1 if given.quick else 5)

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    results = measure(networks, rounds, given.kinds, lambda text: print(text, file=sys.stderr))
    print(f"Medians of {rounds} round{'s' * (rounds > 1)}. {machine()}. Load before: {load:.1f}.\n")
    if given.quick:
        print("A quick check: too little data and too few rounds for figures to go by.\n")
    for network, net in networks.items():
        print("\n".join(table(results, network, net)))
    if given.json:
        entries = [
            {"network": n, "library": library, "what": what, "values": values}
            for (n, library, what), values in results.values.items()
        ]
        given.json.write_text(json.dumps({"machine": machine(), "results": entries}, indent=1))


if __name__ == "__main__":
    main()
