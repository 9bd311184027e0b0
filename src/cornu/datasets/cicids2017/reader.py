"""Reads the flow files of CICIDS2017: every row, or an error that says where."""

from __future__ import annotations

import logging
import os
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cornu.datasets.cicids2017.columns import LABELS, Layout, read_header, read_label
from cornu.datasets.readers import read_bytes
from cornu.utils.files import ProgressBar

_log = logging.getLogger("cornu.datasets.cicids2017")
_ROWS_AT_ONCE = 20_000
_NUMBER = re.compile(
    r"\s*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf(inity)?|nan)\s*", re.IGNORECASE
)


@dataclass
class Flows:
    """Flows as read: nothing left out, nothing filled in.

    `dialect` is the form of the files; `values` float64 `(flows, features)`, in which NaN and
    Infinity are as in the files; `labels` int `(flows,)`, an index into `LABELS`; `attempted` bool
    `(flows,)`, an attack that was only attempted; `files` and `first` tell where each flow comes
    from (see `where`).
    """

    dialect: str
    names: tuple[str, ...]
    values: np.ndarray
    labels: np.ndarray
    attempted: np.ndarray
    files: tuple[str, ...]
    first: tuple[int, ...]

    def where(self, flow: int) -> str:
        """The file and line of a flow."""
        file = int(np.searchsorted(self.first, flow, side="right")) - 1
        return f"{self.files[file]}, line {flow - self.first[file] + 2}"


def find_files(path: str | os.PathLike) -> list[Path]:
    """The .csv and .csv.gz files of a folder in the order of their names; or the one file given."""
    path = Path(path).expanduser()
    if path.is_file():
        return [path]
    if not path.exists():
        raise FileNotFoundError(
            f"{path}: no such folder; give the folder that holds the .csv or .csv.gz files of "
            "CICIDS2017 (https://www.unb.ca/cic/datasets/ids-2017.html)"
        )
    files = sorted(file for ending in ("*.csv", "*.csv.gz") for file in path.glob(ending))
    if not files:
        below = sorted({file.parent.name for file in path.glob("*/*.csv*")})
        hint = f"; its folders {', '.join(below)} hold some, give one of them" if below else ""
        raise FileNotFoundError(f"{path}: holds no .csv or .csv.gz file{hint}")
    names = {file.name for file in files}
    for file in files:
        if file.name + ".gz" in names:
            raise ValueError(
                f"{path}: holds both {file.name} and {file.name}.gz, which would read every flow "
                "twice; remove one of them"
            )
    return files


def read_flows(files: Sequence[Path]) -> Flows:
    """Reads and joins flow files, which must all be of the same form.

    Args:
        files: the files; a flow of a later file comes after those of an earlier.

    Returns:
        All the flows.

    Raises:
        ValueError: for a malformed row, an unknown label or a missing column (names the file, line
            and column), and for files of different forms.
    """
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    seen: dict[tuple[int, int], Path] = {}
    layout: Layout | None = None
    with ProgressBar("reading flows", sum(file.stat().st_size for file in files)) as bar:
        for file in files:
            content = read_bytes(file)
            fingerprint = (zlib.crc32(content), len(content))
            if fingerprint in seen:
                _log.warning(
                    "%s holds the same flows as %s: each of them counts twice, and copies can fall "
                    "on both sides of a split",
                    file,
                    seen[fingerprint],
                )
            seen.setdefault(fingerprint, file)
            lines = _decode(content).replace("\r\n", "\n").split("\n")
            own, values, labels, attempted = _read_lines(lines, file, bar)
            if layout is None:
                layout = own
            elif own.names != layout.names or own.dialect != layout.dialect:
                raise ValueError(
                    f"{file} has the {own.dialect} form with {len(own.names)} features, "
                    f"{files[0]} the {layout.dialect} form with {len(layout.names)}: files of one "
                    "form only can be combined (they are also the same flows again)"
                )
            parts.append((values, labels, attempted))
    assert layout is not None
    counts = [len(labels) for _, labels, _ in parts]
    if not sum(counts):
        raise ValueError(f"{', '.join(map(str, files))}: no flow in it, only a first line")
    # One after another into place: joining all at once would hold everything twice.
    joined = np.empty((sum(counts), len(layout.names)))
    first = np.cumsum([0, *counts])[:-1]
    all_labels, all_attempted = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    for start, count in zip(first, counts, strict=True):
        joined[start : start + count] = parts[0][0]
        del parts[0]
    return Flows(
        layout.dialect,
        layout.names,
        joined,
        all_labels,
        all_attempted,
        tuple(map(str, files)),
        tuple(map(int, first)),
    )


def _decode(content: bytes) -> str:
    # The published files are Windows-1252, some copies UTF-8; only the dash in the web attacks'
    # labels is not ASCII, and the labels are compared without it.
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _read_lines(
    lines: list[str], file: Path, bar: ProgressBar
) -> tuple[Layout, np.ndarray, np.ndarray, np.ndarray]:
    where = str(file)
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ValueError(f"{where}, line 1: the file is empty; expected the names of the columns")
    layout = read_header(lines[0].split(","), where)
    if layout.unused:
        _log.warning("%s: not used: column %s", where, ", ".join(map(repr, layout.unused)))
    count = len(lines) - 1
    values = np.empty((count, len(layout.names)))
    labels = np.empty(count, dtype=np.int8)
    attempted = np.zeros(count, dtype=bool)
    known: dict[str, tuple[int, bool]] = {}
    for start in range(0, count, _ROWS_AT_ONCE):
        chunk = lines[1 + start : 1 + start + _ROWS_AT_ONCE]
        rows = slice(start, start + len(chunk))
        values[rows] = _numbers(chunk, layout, where, first_line=start + 2)
        for row, line in enumerate(chunk, start):
            text = _field(line, layout.label, layout.width)
            if text not in known:
                known[text] = _label(text, layout, f"{where}, line {row + 2}")
            labels[row], attempted[row] = known[text]
            if layout.attempted is not None and not attempted[row]:
                note = _field(line, layout.attempted, layout.width)
                attempted[row] = _was_attempted(note, layout.attempted, f"{where}, line {row + 2}")
        bar.advance(file.stat().st_size * len(chunk) / count)
    return layout, values, labels, attempted


def _field(line: str, position: int, width: int) -> str:
    # From the right, where the label is: splitting the whole line costs far more.
    return line.rsplit(",", width - position)[1] if position else line.split(",", 1)[0]


def _label(text: str, layout: Layout, where: str) -> tuple[int, bool]:
    found = read_label(text, numbered=layout.dialect == "numbered")
    if found is None:
        expected = (
            "a number from 0 to 12" if layout.dialect == "numbered" else ", ".join(LABELS[:-1])
        )
        raise ValueError(
            f"{where}, column {layout.label + 1}: {text.strip()!r} is no label of CICIDS2017; "
            f"expected {expected}"
        )
    return LABELS.index(found[0]), found[1]


def _was_attempted(note: str, position: int, where: str) -> bool:
    try:
        # -1 says that it is no mere attempt; the other numbers say why it had no effect.
        return float(note.strip().strip('"')) != -1
    except ValueError:
        raise ValueError(
            f"{where}, column {position + 1} (Attempted Category): {note.strip()!r} is not a number"
        ) from None


def _numbers(lines: list[str], layout: Layout, where: str, first_line: int) -> np.ndarray:
    if all(line.count(",") == layout.width - 1 for line in lines):
        try:
            return np.loadtxt(
                lines,
                delimiter=",",
                usecols=layout.positions,
                comments=None,
                quotechar='"',
                ndmin=2,
            )
        except ValueError as error:
            problem = str(error)
    else:
        problem = "rows of different lengths"
    for number, line in enumerate(lines, first_line):
        _check_line(line, layout, f"{where}, line {number}")
    raise ValueError(f"{where}, lines {first_line} to {first_line + len(lines) - 1}: {problem}")


def _check_line(line: str, layout: Layout, where: str) -> None:
    fields = line.split(",")
    if len(fields) != layout.width:
        what = "an empty line" if not line.strip() else f"{len(fields)} columns"
        raise ValueError(f"{where}: {what}; the first line names {layout.width}")
    for name, position in zip(layout.names, layout.positions, strict=True):
        text = fields[position].strip().strip('"')
        if not _NUMBER.fullmatch(text):
            what = f"{text!r} is not a number" if text.strip() else "it is empty; write NaN for it"
            raise ValueError(f"{where}, column {position + 1} ({name}): {what}")
