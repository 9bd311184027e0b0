"""Checking a program: the reader for its framework, the rules, and what stopped it."""

from __future__ import annotations

import ast
import os
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import cornu
from cornu.check.checking import Findings, all_rules, find
from cornu.check.diagnostic import Diagnostic, worst_first
from cornu.check.facts import Facts
from cornu.check.reading import Reading
from cornu.check.rule import Finding, rule
from cornu.check.source import Source
from cornu.check.stops import explanation
from cornu.core.check_settings import is_ignored
from cornu.core.places import Place

Framework = Literal["keras", "torch"]

# Errors of the place a program runs in, not of the program.
_SURROUNDINGS = (ImportError, OSError, EOFError, MemoryError)
# What an AttributeError says of names that Keras or TensorFlow has and Cornu has not, on modules
# and on tensors (which are JAX's arrays here).
_LACKING = (
    *("Keras 3 has it", "Keras 3 has that", "of TensorFlow itself it has"),
    *("ArrayImpl' object has no attribute", "Tracer' object has no attribute"),
)


# Findings on output and labels that do not fit, of which the loss stops with one error or another.
_OF_LABELS = frozenset({"C103", "C105", "C106", "C107", "C108", "C109", "C110", "C113", "C117"})


@rule("C001", "program-stops", "error", "a program that stops trains nothing")
def program_stops(facts: Facts) -> Iterator[Finding]:
    """The program stops with an error before, or when, it begins to train.

    ## What it does
    Tells the error that the program ended with, at the line of the program where it came about. The
    network is checked all the same, as far as it was built.

    ## Why it hurts
    Nothing is trained. Where the cause is one that has a code of its own, such as labels out of
    range (C108), that is told instead.

    ## Example
        model.fit(x_train, y_test)      # 900 rows and 100 labels

    ## Fix
        model.fit(x_train, y_train)
    """
    yield from ()


@rule("C002", "program-not-run", "note", "what was not run could not be checked")
def program_not_run(facts: Facts) -> Iterator[Finding]:
    """The program could not be run as far as its training here.

    ## What it does
    Tells that a file, a module or a connection that the program needs is missing, so that only its
    text, and the network as far as it was built, were checked.

    ## Why it hurts
    Findings that need the network or the data are missing.

    ## Example
        data = pandas.read_csv("train.csv")     # there is no such file here

    ## Fix
    Run `cornu check` where the program runs: in its folder, with its environment.
    """
    yield from ()


def framework_of(text: str) -> Framework | None:
    """Which framework a program trains with, by what it imports; None for neither.

    >>> framework_of("from tensorflow import keras")
    'keras'
    >>> framework_of("import torch.nn as nn")
    'torch'
    """
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    found = set()
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        found |= {name.split(".")[0] for name in names}
    if found & {"torch", "torchvision", "pytorch_lightning", "lightning"}:
        # a program with both most often compares with, or takes data from, the other
        return "keras" if ".fit(" in text and ".backward(" not in text else "torch"
    return "keras" if found & {"keras", "tensorflow", "cornu", "tf_keras"} else None


def check_program(
    path: str | os.PathLike,
    arguments: Sequence[str] = (),
    framework: Framework | None = None,
    ignore: Iterable[str] = (),
    measure: bool = True,
) -> tuple[Findings, Reading]:
    """What is wrong with a Keras or PyTorch program, found by running it until it trains.

    Args:
        path: the program.
        arguments: what it finds in `sys.argv[1:]`.
        framework: "keras" or "torch"; by default whichever it imports.
        ignore: codes of findings that are not told.
        measure: whether to measure the network: a forward and backward pass, and a few training
            steps on copies.

    Returns:
        The findings, and what the reader has seen.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a program of neither framework.
        ModuleNotFoundError: a PyTorch program where PyTorch is not installed.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"cornu check: there is no file {os.fspath(path)!r}")
    text = Path(path).read_text(encoding="utf-8")
    framework = framework or framework_of(text)
    if framework is None:
        raise ValueError(
            f"cornu check: {os.fspath(path)} imports neither Keras (or Cornu) nor PyTorch; "
            "--framework says which it is written for"
        )
    if framework == "torch":
        from cornu.check.read_torch import read_torch_program

        reading = read_torch_program(path, arguments, measure=measure)
    else:
        from cornu.check.read_keras import read_keras_program

        reading = read_keras_program(path, arguments, measure)
    if not reading.facts:  # nothing was seen to train: there is the text
        reading.facts.append(Facts(framework, source=Source(os.path.abspath(path), text)))
    found: dict[tuple, Diagnostic] = {}
    for facts in reading.facts:
        for one in find(facts, ignore):
            found.setdefault((one.code, one.message, one.place), one)
    stopped = _stopped(reading, os.path.abspath(path), list(found.values()))
    if stopped is not None and not is_ignored(stopped.code, ignore):
        found.setdefault((stopped.code, stopped.message, stopped.place), stopped)
    return Findings(worst_first(list(found.values()))), reading


def _stopped(reading: Reading, file: str, found: list[Diagnostic]) -> Diagnostic | None:
    """The finding for the error that the program stopped with, unless another one tells it."""
    error = reading.error
    if error is None:
        return None
    place = _place(error, file)
    sentence = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    short = sentence.strip().splitlines()[0]
    if isinstance(error, (*_SURROUNDINGS, SystemExit)) or _is_lacking(error):
        message = f"the program could not be run as far as its training: {short}"
        return _finding("C002", message, "run cornu check where the program runs", place)
    known = explanation(str(error))
    if known is not None:
        code, fix = known
        if any(one.code == code or _is_same_cause(one, code) for one in found):
            return None
        return _finding(code, f"training stops: {short}", fix, place, why="", severity="error")
    about_shapes = isinstance(error, (ValueError, RuntimeError, IndexError, TypeError))
    if any(one.severity == "error" for one in found) and (about_shapes or reading.reached_training):
        return None  # what stops it is told already
    return _finding("C001", f"the program stops here: {short}", "", place)


def _finding(code: str, message: str, fix: str, place: Place | None, **rest) -> Diagnostic:
    return all_rules()[code].diagnostic(Finding(message, fix, place=place, **rest))


def _is_same_cause(one: Diagnostic, code: str) -> bool:
    """Whether a finding tells of output and labels what an error of the loss says in its way."""
    return one.severity == "error" and one.code in _OF_LABELS and code in _OF_LABELS


def _is_lacking(error: BaseException) -> bool:
    """Whether the error says that Cornu lacks something of Keras: no fault of the program."""
    if isinstance(error, AttributeError):
        return any(sentence in str(error) for sentence in _LACKING)
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, NotImplementedError) and bool(frames) and _is_own(frames[-1].filename)


def _is_own(file: str) -> bool:
    return file.startswith(str(Path(cornu.__file__).parent))


def _place(error: BaseException, file: str) -> Place | None:
    """The last line of the program itself that the error passed through."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return Place(file, error.lineno or 1)
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == file and frame.lineno
    ]
    return Place(file, lines[-1]) if lines else None
