"""Where a comparison was run: the machine, the versions of everything, and what takes disk."""

from __future__ import annotations

import datetime
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

# What a framework is installed as, and what its arithmetic is done by.
_DISTRIBUTIONS = {
    "cornu": ("cornu", "jax", "jaxlib", "numpy"),
    "torch": ("torch",),
    "keras": ("keras",),
    "tensorflow": ("tensorflow",),
    "jax": ("jax", "jaxlib"),
    "numpy": ("numpy",),
    "sklearn": ("scikit-learn", "scipy"),
}


def environment(
    frameworks: Sequence[str],
    command: str,
    seeds: Sequence[int],
    checkout: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """What has to be known to repeat a comparison.

    Nothing that is asked for is imported, so that it costs no time.

    Args:
        frameworks: "cornu", "torch", "keras-torch", ...
        command: what was typed.
        seeds: those of the runs.
        checkout: a file or folder of whose git checkout the commit is told. Default the package's
            own.

    Returns:
        date (of the day and time, UTC, ISO 8601), command, python, platform, processor, cores (that
        this process may use), memory_gb (of the machine, None where unknown), packages (versions by
        distribution), commit (short; "-dirty" behind it where files were changed since; None where
        there is none), seeds.

    >>> found = environment(["cornu"], "cornu compare moons", [0, 1])
    >>> found["seeds"], sorted(found["packages"])
    ([0, 1], ['cornu', 'jax', 'jaxlib', 'numpy'])
    """
    where = Path(__file__).parent.parent if checkout is None else Path(checkout)
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": cores(),
        "memory_gb": memory_gb(),
        "packages": versions(frameworks),
        "commit": commit_of(where),
        "seeds": list(seeds),
    }


# -- the machine -----------------------------------------------------------------------------------


def processor(cpuinfo: str | os.PathLike[str] = "/proc/cpuinfo") -> str:
    """The processor's name, as the system gives it."""
    try:
        text = Path(cpuinfo).read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    named = re.search(r"^(?:model name|Model|Hardware|cpu model)\s*:\s*(.+)$", text, re.MULTILINE)
    if named:
        return " ".join(named[1].split())
    if sys.platform == "darwin":
        found = _output(["sysctl", "-n", "machdep.cpu.brand_string"])
        if found:
            return found
    return platform.processor() or platform.machine() or "unknown"


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_gb() -> float | None:
    """The machine's memory in GB (10^9 bytes); None where the system does not say."""
    try:
        pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
    return round(pages * size / 1e9, 1) if pages > 0 and size > 0 else None


def commit_of(path: str | os.PathLike[str]) -> str | None:
    """The commit of the git checkout that a file or folder belongs to.

    Returns:
        Its short hash, with "-dirty" where files of the checkout were changed since; None where
        there is no git, no checkout, or a checkout of something else, in which the file only lies
        (a virtual environment inside a project).
    """
    path = Path(path).resolve()
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        return None
    git = ["git", "-C", str(folder)]
    if not _output([*git, "ls-files", "--", str(path)]):
        return None
    return _output([*git, "describe", "--always", "--dirty", "--exclude=*"])


def _output(command: list[str]) -> str | None:
    """What a command prints; None where it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None


# -- distributions ---------------------------------------------------------------------------------


def versions(frameworks: Iterable[str]) -> dict[str, str]:
    """The versions of what frameworks are installed as; those that are missing are left out.

    >>> list(versions(["cornu", "of-nobody"]))
    ['cornu', 'jax', 'jaxlib', 'numpy']
    """
    found = {}
    for framework in frameworks:
        for part in [framework, *framework.split("-")]:
            for name in _DISTRIBUTIONS.get(part, (part,)):
                try:
                    found[name] = metadata.version(name)
                except (metadata.PackageNotFoundError, ValueError):
                    continue
    return found


def package_size_mb(distribution: str, *others: str) -> float:
    """What an installed distribution takes on disk with everything that it requires.

    Args:
        distribution: its name: "torch", "scikit-learn".
        *others: what is needed besides and is in no requirement, as Keras' backend.

    Returns:
        MB (10^6 bytes) of all files, those of its requirements, and of theirs, included; each
        distribution once, requirements of extras only where an extra is asked for, and none that
        are not installed. For a distribution that is installed in editable mode: the files of its
        package.

    Raises:
        importlib.metadata.PackageNotFoundError: it is not installed.

    >>> package_size_mb("jax") > package_size_mb("numpy") > 1
    True
    """
    names = set()
    for name in (distribution, *others):
        metadata.distribution(name)
        names.update(required(name))
    return sum(_size(metadata.distribution(name)) for name in names) / 1e6


def required(distribution: str) -> list[str]:
    """A distribution and everything that it requires and that is installed, by normal names.

    >>> required("jax")[0], "numpy" in required("jax"), "pytest" in required("jax")
    ('jax', True, False)
    """
    waiting = [(_normal(distribution), "")]
    known: set[tuple[str, str]] = set()
    found: list[str] = []
    while waiting:
        name, extra = waiting.pop(0)
        if (name, extra) in known:
            continue
        known.add((name, extra))
        try:
            requirements = metadata.distribution(name).requires or []
        except metadata.PackageNotFoundError:
            continue
        if name not in found:
            found.append(name)
        for requirement in requirements:
            text, _, marker = requirement.partition(";")
            head = re.match(r"\s*([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?", text)
            if head is None or not marker_holds(marker, extra):
                continue
            extras = [one.strip() for one in (head[2] or "").split(",") if one.strip()]
            waiting += [(_normal(head[1]), one) for one in ["", *extras]]
    return found


def _normal(name: str) -> str:
    """A distribution's name in the one spelling for all (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _size(distribution: metadata.Distribution) -> int:
    """Bytes of the files of one distribution."""
    roots = _editable(distribution)
    if roots:
        return sum(_size_of_tree(root) for root in roots)
    total, seen = 0, set()
    for file in distribution.files or ():
        path = os.path.normpath(str(distribution.locate_file(file)))
        if path in seen:
            continue
        seen.add(path)
        try:
            total += os.stat(path).st_size
        except OSError:
            continue  # listed, and not there
    return total


def _editable(distribution: metadata.Distribution) -> list[Path]:
    """The packages of a distribution that is used where it is written; none for others."""
    try:
        url = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return []
    if not url.get("dir_info", {}).get("editable"):
        return []
    tops = (distribution.read_text("top_level.txt") or "").split()
    for top in tops or [_normal(distribution.metadata["Name"]).replace("-", "_")]:
        spec = importlib.util.find_spec(top)
        if spec is not None and spec.submodule_search_locations:
            return [Path(place) for place in spec.submodule_search_locations]
    folder = Path(url2pathname(unquote(urlparse(url.get("url", "")).path)))
    return [folder] if folder.is_dir() else []


def _size_of_tree(root: Path) -> int:
    total = 0
    for folder, _, files in os.walk(root):
        for file in files:
            try:
                total += os.stat(os.path.join(folder, file)).st_size
            except OSError:
                continue
    return total


# -- markers ---------------------------------------------------------------------------------------

_MARKER = re.compile(
    r"""\s*(?:(?P<text>"[^"]*"|'[^']*')|(?P<word>[A-Za-z_.]+)|(?P<sign>[<>=!~]=?=?|[()]))"""
)


def marker_holds(marker: str, extra: str = "") -> bool:
    """Whether the condition behind a requirement holds here (PEP 508).

    Args:
        marker: `python_version >= "3.12" and extra == "test"`; empty: always.
        extra: the extra that is asked for. Default none.

    Returns:
        Whether it holds; True for what cannot be read.

    >>> marker_holds('extra == "test"'), marker_holds('extra == "test"', "test")
    (False, True)
    >>> marker_holds('python_version >= "3.9" and (os_name == "none" or "inu" in "linux")')
    True
    """
    if not marker.strip():
        return True
    words: list[str] = []
    place = 0
    while place < len(marker.rstrip()):
        match = _MARKER.match(marker, place)
        if match is None:
            return True
        words.append(match[0].strip())
        place = match.end()
    try:
        return _either(words, {**_here(), "extra": extra})
    except (IndexError, KeyError):
        return True


def _here() -> dict[str, str]:
    return {
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "python_full_version": platform.python_version(),
        "os_name": os.name,
        "sys_platform": sys.platform,
        "platform_release": platform.release(),
        "platform_version": platform.version(),
        "platform_system": platform.system(),
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "implementation_name": sys.implementation.name,
        "implementation_version": platform.python_version(),
    }


def _either(words: list[str], here: dict[str, str]) -> bool:
    holds = _both(words, here)
    while words and words[0] == "or":
        words.pop(0)
        other = _both(words, here)  # read also where it decides nothing
        holds = holds or other
    return holds


def _both(words: list[str], here: dict[str, str]) -> bool:
    holds = _one(words, here)
    while words and words[0] == "and":
        words.pop(0)
        other = _one(words, here)
        holds = holds and other
    return holds


def _one(words: list[str], here: dict[str, str]) -> bool:
    if words[0] == "(":
        words.pop(0)
        holds = _either(words, here)
        words.pop(0)
        return holds
    left, sign = words.pop(0), words.pop(0)
    if sign == "not":
        sign += f" {words.pop(0)}"
    right = words.pop(0)
    is_version = "version" in left + right and "platform_version" not in (left, right)
    a, b = (one[1:-1] if one[0] in "\"'" else here[one] for one in (left, right))
    if sign in ("in", "not in"):
        return (a in b) == (sign == "in")
    if "extra" in (left, right):
        a, b = _normal(a), _normal(b)
    return _compared(a, sign, b, is_version)


def _compared(a: str, sign: str, b: str, is_version: bool) -> bool:
    if is_version and b.endswith(".*"):
        parts = b[:-2].split(".")
        return (a.split(".")[: len(parts)] == parts) == (sign == "==")
    if not is_version or sign == "===":
        return {"==": a == b, "===": a == b, "!=": a != b}.get(sign, True)
    one, other = _version(a), _version(b)
    if sign == "~=":
        return one >= other and one[: b.count(".")] == other[: b.count(".")]
    return {
        "==": one == other,
        "!=": one != other,
        "<": one < other,
        "<=": one <= other,
        ">": one > other,
        ">=": one >= other,
    }[sign]


def _version(text: str) -> tuple[int, ...]:
    """The numbers of a version, long enough to be compared."""
    numbers = [int(one) for one in re.findall(r"\d+", text)[:4]]
    return tuple(numbers + [0] * (4 - len(numbers)))
