"""CICIDS2017 from the published files to arrays that a classifier can be trained on."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from cornu.datasets.cicids2017 import preparation
from cornu.datasets.cicids2017.columns import ADDED_FEATURES, FEATURES, LABELS, RATES
from cornu.datasets.cicids2017.reader import Flows, find_files, read_flows

_log = logging.getLogger("cornu.datasets.cicids2017")

# The balanced set of the published classifier: 40,000 benign flows and 8,000 of each attack.
_ARTICLE_BENIGN, _ARTICLE_ATTACK = 40_000, 8_000


class IntrusionData(NamedTuple):
    """Flows ready for training.

    `train`, `validation` and `test` are pairs `(x, y)`: `x` of shape `(flows, features)`, `y` int32
    `(flows,)`, an index into `class_names`. `feature_names` names the columns of `x`. `mean` and
    `std` are float64 `(features,)`, those of the training part before standardizing:
    `(flow - mean) / std` puts a new flow on the same scale. `fill` is float64 `(features,)`, the
    training part's medians that stand for NaN and Infinity, or `None` unless `missing="impute"`.
    """

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray
    fill: np.ndarray | None


def load_data(
    directory: str | os.PathLike,
    *,
    classes: str | Sequence[str] | Mapping[str, str] = "article",
    binary: bool = False,
    attempted: str = "benign",
    features: str | Sequence[str] = "published",
    missing: str = "drop_columns",
    balance: int | Mapping[str, int] | str | None = None,
    balance_before_split: bool = False,
    test_split: float = 0.15,
    validation_split: float = 0.15,
    stratify: bool = False,
    seed: int | None = 42,
    standardize: bool = True,
    dtype: str = "float32",
) -> IntrusionData:
    """Loads the network flows of CICIDS2017 and which attack, if any, each belongs to.

    Reads every `.csv` and `.csv.gz` file of a folder, in any one of three forms: the day files as
    published (78 features and a label), the day or class files of the corrected data set (91
    columns), or a processed copy with numbered columns (X1 to X78 and YY). Whatever is left out,
    filled in, or copied is said in the log `cornu.datasets.cicids2017`, with counts.

    With the defaults, `x` has the 76 features and `y` the 13 classes of the published intrusion
    classifier: all 78 published columns but `Flow Bytes/s` and `Flow Packets/s`, the repeated
    `Fwd Header Length` included (it is called `Fwd Header Length.1`, and is made from the first in
    corrected files, which don't have it). The features have the names and the order of 2017
    whichever form is read, so that a network trained on one form takes the other. Columns that say
    which flow it is (id, flow id, addresses, source port, timestamp) or what was noted about it
    (attempted category) are never features.

    Args:
        directory: the folder; or one file.
        classes: `"article"` (default): the thirteen, numbered as published, with the three web
            attacks as one, and a port scan as Portscan whoever does it; a class is in the list even
            if no flow has it. `"published"`: one for each label that such files can have.
            A list of some of the thirteen, numbered in its order. Or a dictionary from label to
            class name. Flows of labels that are not asked for are left out.
        binary: whether to tell only BENIGN (0) from ATTACK (1). Default False.
        attempted: what an attack that had no effect is, which the corrected files mark:
            `"benign"` (default, as their authors do), `"attack"` (the attack that was tried) or
            `"drop"`.
        features: `"published"` (default): the 78 of 2017. `"all"`: also what the corrected files
            have besides (`Protocol`, `Fwd RST Flags`, `Bwd RST Flags`, `ICMP Code`, `ICMP Type`,
            `Total TCP Flow Time`). Or a list of names.
        missing: what to do about NaN and Infinity, which only `Flow Bytes/s` and `Flow Packets/s`
            hold in the published files: `"drop_columns"` (default) leaves those two columns out,
            `"drop_rows"` the flows, `"impute"` puts the median of the training part.
        balance: how many flows to have of each class: a number for all, a dictionary from class
            name to number, or `"article"`, 40,000 BENIGN and 8,000 of every other. A class that has
            more gives a random choice, one that has fewer gives copies. Default `None`: all, once.
        balance_before_split: by default (False) only the training part is balanced, after the
            split. With True all flows are balanced before it, as the article did: copies of one
            flow then fall into the training and the test part, and the test measures in part what
            was learnt by heart. That is for reproducing the article's figures, not for judging a
            classifier.
        test_split: the part of the flows for testing, from 0 up to 1. Default 0.15.
        validation_split: the part of the rest for validation. Default 0.15.
        stratify: whether every part gets the same mixture of classes. Default False: the parts are
            those of scikit-learn's `train_test_split` with this seed.
        seed: of splitting and balancing. Default 42. `None`: another every time.
        standardize: whether to take away the training part's mean and divide by its standard
            deviation. Default True.
        dtype: of `x`. Default `"float32"`, which without `standardize` rounds counts over 16
            million.

    Returns:
        An `IntrusionData`: `train`, `validation`, `test`, `class_names`, `feature_names`, `mean`,
        `std`, `fill`.

    Raises:
        FileNotFoundError: where there is no such folder, or no such file in it.
        ValueError: for a malformed row, an unknown label or a missing column, naming the file, line
            and column; for NaN or Infinity outside the two columns with `"drop_columns"`; and for
            an argument that makes no sense.

    Source: Sharafaldin, Lashkari, Ghorbani, "Toward Generating a New Intrusion Detection Dataset
    and Intrusion Traffic Characterization", ICISSP 2018; the corrected files: Engelen, Rimmer,
    Joosen, "Troubleshooting an Intrusion Detection Dataset: the CICIDS2017 Case Study", 2021; the
    published classifier's features, classes and balance: https://github.com/r-dube/CICIDS.

    >>> data = load_data("MachineLearningCVE")  # doctest: +SKIP
    >>> (x_train, y_train), (x_val, y_val), (x_test, y_test) = data[:3]  # doctest: +SKIP
    >>> x_train.shape[1], len(data.class_names)  # doctest: +SKIP
    (76, 13)
    """
    _check(attempted, missing, test_split, validation_split)
    if balance_before_split and balance is None:
        raise ValueError("load_data(balance_before_split=True): say how to balance, with balance=")
    flows = read_flows(find_files(directory))
    _log.info("read %d flows from %d file(s)", len(flows.labels), len(flows.files))

    class_names, y = _classes(flows, classes, attempted, binary)
    rows = np.flatnonzero(y >= 0)
    rows = _choose_features(flows, features, missing, rows)
    wanted = _wanted(balance, class_names, y[rows])

    if wanted is not None and balance_before_split:
        _say_balance("all flows", wanted, class_names, y[rows])
        rows = preparation.resample(rows, y, wanted, seed)
    mixture = y if stratify else None
    rest, test = preparation.split(rows, test_split, seed, mixture)
    train, validation = preparation.split(rest, validation_split, seed, mixture)
    if not len(train):
        raise ValueError(
            f"load_data(test_split={test_split}, validation_split={validation_split}): of "
            f"{len(rows)} flows none is left to train on"
        )
    if wanted is not None and not balance_before_split:
        _say_balance("the training part", wanted, class_names, y[train])
        train = preparation.resample(train, y, wanted, seed)

    fill = None
    if missing == "impute":
        fill = preparation.medians(flows.values, train)
        gaps = ~np.isfinite(flows.values)
        flows.values[gaps] = np.broadcast_to(fill, flows.values.shape)[gaps]
    mean, std = preparation.moments(flows.values, train)
    scale = (mean, std) if standardize else None

    def part(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return preparation.take(flows.values, rows, scale, dtype), y[rows].astype("int32")

    return IntrusionData(
        part(train), part(validation), part(test), class_names, flows.names, mean, std, fill
    )


def load_heartbleed(
    path: str | os.PathLike,
    *,
    test_split: float = 0.15,
    validation_split: float = 0.15,
    stratify: bool = True,
    seed: int | None = 42,
    standardize: bool = True,
    dtype: str = "float32",
) -> IntrusionData:
    """Loads `heartbleed-cicids2017.csv`: 8,000 benign flows and 11 of the Heartbleed attack.

    A case of one attack among seven hundred others, for trying class weights, thresholds and
    measures other than accuracy (which is 99.9 % for calling everything benign).

    Args:
        path: the file, gzipped or not.
        test_split: the part of the flows for testing. Default 0.15.
        validation_split: the part of the rest for validation. Default 0.15.
        stratify: whether every part gets its share of the 11. Default True.
        seed: of the split. Default 42.
        standardize: whether to take away the training part's mean and divide by its standard
            deviation. Default True.
        dtype: of `x`. Default `"float32"`.

    Returns:
        An `IntrusionData` with 76 features and the classes BENIGN (0) and Heartbleed (1).

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: for a malformed row or a missing column, naming the file, line and column.

    Source: https://github.com/r-dube/CICIDS, from CICIDS2017.

    >>> data = load_heartbleed("heartbleed-cicids2017.csv.gz")  # doctest: +SKIP
    >>> np.bincount(data.test[1])  # doctest: +SKIP
    array([1200,    2])
    """
    return load_data(
        path,
        classes=("BENIGN", "Heartbleed"),
        test_split=test_split,
        validation_split=validation_split,
        stratify=stratify,
        seed=seed,
        standardize=standardize,
        dtype=dtype,
    )


def _check(attempted: str, missing: str, test_split: float, validation_split: float) -> None:
    for name, value, allowed in (
        ("attempted", attempted, ("benign", "attack", "drop")),
        ("missing", missing, ("drop_columns", "drop_rows", "impute")),
    ):
        if value not in allowed:
            raise ValueError(
                f"load_data({name}={value!r}): expected one of {', '.join(map(repr, allowed))}"
            )
    for name, fraction in (("test_split", test_split), ("validation_split", validation_split)):
        if not 0 <= fraction < 1:
            raise ValueError(f"load_data({name}={fraction}): must be from 0 up to, not with, 1")


def _classes(
    flows: Flows,
    classes: str | Sequence[str] | Mapping[str, str],
    attempted: str,
    binary: bool,
) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the classes and each flow's number, -1 for a flow that is left out."""
    class_names, numbers = preparation.class_table(classes, flows.dialect)
    labels = flows.labels.copy()
    tried = int(flows.attempted.sum())
    if tried and attempted == "benign":
        labels[flows.attempted] = LABELS.index("BENIGN")
        _log.warning("%d attacks that were only attempted count as BENIGN", tried)
    y = numbers[labels]
    for label in np.unique(labels[y < 0]):
        count = int((labels == label).sum())
        _log.warning("left out: %d flows labelled %s, which no class has", count, LABELS[label])
    if tried and attempted == "drop":
        y[flows.attempted] = -1
        _log.warning("left out: %d attacks that were only attempted", tried)
    if binary:
        benign = numbers[LABELS.index("BENIGN")]
        class_names, y = ("BENIGN", "ATTACK"), np.where(y < 0, -1, y != benign).astype(int)
    counts = np.bincount(y[y >= 0], minlength=len(class_names))
    if not counts.any():
        raise ValueError(f"load_data(classes={classes!r}): no flow belongs to any of these classes")
    _log.info("%s", ", ".join(f"{n} {name}" for name, n in zip(class_names, counts, strict=True)))
    if absent := [name for name, n in zip(class_names, counts, strict=True) if not n]:
        _log.warning("no flow at all of %s", ", ".join(absent))
    return class_names, y


def _choose_features(
    flows: Flows, features: str | Sequence[str], missing: str, rows: np.ndarray
) -> np.ndarray:
    """Keeps the chosen columns of `flows`, sees to NaN and Infinity; returns the rows to keep."""
    if isinstance(features, str):
        if features not in ("published", "all"):
            raise ValueError(
                f"load_data(features={features!r}): expected 'published', 'all' or a list of names"
            )
        names = [*FEATURES, *(ADDED_FEATURES if features == "all" else ())]
        names = [name for name in names if name in flows.names or name in FEATURES]
        if missing == "drop_columns":
            names = [name for name in names if name not in RATES]
    else:
        names = list(features)
        if missing == "drop_columns" and (rates := [name for name in names if name in RATES]):
            raise ValueError(
                f"load_data(features=[..., {rates[0]!r}, ...], missing='drop_columns') asks for a "
                "column and leaves it out; choose missing='drop_rows' or 'impute'"
            )
        if not names or len(set(names)) != len(names):
            raise ValueError(f"load_data(features={names!r}): expected names, each once")
    if unknown := [name for name in names if name not in flows.names]:
        import difflib

        near = difflib.get_close_matches(str(unknown[0]), flows.names, n=3)
        advice = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        if flows.dialect == "numbered" and unknown[0] in RATES:
            advice = "; files of this form are without it, choose missing='drop_columns'"
        raise ValueError(f"{flows.files[0]}: has no feature {unknown[0]!r}{advice}")
    gaps = {}
    for name in flows.names:
        column = flows.values[rows, flows.names.index(name)]
        if not (finite := np.isfinite(column)).all():
            nan = int(np.isnan(column).sum())
            gaps[name] = f"{name}: {nan} NaN and {int((~finite).sum()) - nan} Infinity"
    kept = [flows.names.index(name) for name in names]
    if kept != list(range(len(flows.names))):
        flows.values = flows.values[:, kept]
        flows.names = tuple(names)

    holed = [gap for name, gap in gaps.items() if name in names]
    if missing == "drop_columns" and flows.dialect != "numbered":
        left_out = "; ".join(gaps.get(name, f"{name}: all finite") for name in RATES)
        level = logging.WARNING if any(name in gaps for name in RATES) else logging.INFO
        _log.log(level, "left out: columns %s (%s)", " and ".join(RATES), left_out)
    if missing == "drop_columns":
        if holed:
            flow, column = np.argwhere(~np.isfinite(flows.values[rows]))[0]
            raise ValueError(
                f"{flows.where(rows[flow])}, column {names[column]!r}: "
                f"{flows.values[rows[flow], column]}; missing='drop_columns' leaves out only "
                f"{' and '.join(RATES)} ({'; '.join(holed)}); choose missing='drop_rows' or "
                "'impute'"
            )
    elif missing == "drop_rows" and holed:
        whole = np.isfinite(flows.values[rows]).all(axis=1)
        _log.warning(
            "left out: %d of %d flows (%s)", int((~whole).sum()), len(rows), "; ".join(holed)
        )
        rows = rows[whole]
        if not len(rows):
            raise ValueError("load_data(missing='drop_rows'): every flow has a NaN or Infinity")
    elif holed:
        _log.warning("filled in with the training part's median: %s", "; ".join(holed))
    return rows


def _wanted(
    balance: int | Mapping[str, int] | str | None, class_names: Sequence[str], y: np.ndarray
) -> dict[int, int] | None:
    if balance is None:
        return None
    if isinstance(balance, Mapping):
        asked = dict(balance)
    elif balance == "article":
        asked = dict.fromkeys(class_names, _ARTICLE_ATTACK) | {"BENIGN": _ARTICLE_BENIGN}
    elif isinstance(balance, int) and not isinstance(balance, bool):
        asked = dict.fromkeys(class_names, balance)
    else:
        raise ValueError(
            f"load_data(balance={balance!r}): expected a number, a dictionary from class name to "
            "number, 'article' or None"
        )
    for name, count in asked.items():
        if name not in class_names:
            raise ValueError(
                f"load_data(balance={balance!r}): no class {name!r}; there are "
                f"{', '.join(class_names)}"
            )
        if not isinstance(count, int | np.integer) or count < 0:
            raise ValueError(f"load_data(balance=...): {name}: {count!r} is not a count of flows")
        if isinstance(balance, Mapping) and count and not (y == class_names.index(name)).any():
            raise ValueError(f"load_data(balance=...): there is no flow of {name} to draw from")
    return {class_names.index(name): int(count) for name, count in asked.items()}


def _say_balance(
    what: str, wanted: Mapping[int, int], class_names: Sequence[str], y: np.ndarray
) -> None:
    counts = np.bincount(y, minlength=len(class_names))
    changes = [
        f"{class_names[number]} {counts[number]} to {count}"
        for number, count in wanted.items()
        if counts[number] and counts[number] != count
    ]
    _log.warning("balanced %s: %s", what, ", ".join(changes) or "no change")
    for number, count in wanted.items():
        if count and not counts[number]:
            _log.warning("%s has no flow of %s to draw from", what, class_names[number])
