"""Reading a PyTorch program: run up to its second optimizer step, and never trained."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Sequence

from cornu.check.reading import Reading, execute
from cornu.check.source import Source
from cornu.check.user_frames import UserFrames

# Seconds of training after which a program is stopped though it took no two steps.
_SECONDS = 60.0


def read_torch_program(
    path: str | os.PathLike,
    arguments: Sequence[str] = (),
    seconds: float = _SECONDS,
    measure: bool = True,
) -> Reading:
    """Runs a PyTorch program as `python path arguments` up to its second step, and observes it.

    Optimizer steps are observed and not carried out. What the program prints is kept back. Packages
    that it imports and that are not installed may have stand-ins, see `torch_stand_ins`.

    Args:
        path: the program.
        arguments: what the program finds in `sys.argv[1:]`.
        seconds: how long its training may go on at most (default 60).
        measure: whether to measure outputs and gradients, and to try learning rates on copies.

    Returns:
        The facts of each network with its loss (a GAN has two); of a program that died before its
        training, what was known then, and the error.

    Raises:
        ModuleNotFoundError: PyTorch is not installed.
        FileNotFoundError: there is no such file.
    """
    if importlib.util.find_spec("torch") is None:
        raise ModuleNotFoundError(
            f"cornu check: {os.fspath(path)} needs PyTorch; install it with pip install torch"
        )
    if not os.path.isfile(path):
        raise FileNotFoundError(f"cornu check: there is no file {os.fspath(path)!r}")
    from cornu.check.torch_facts import all_facts
    from cornu.check.torch_patches import recording
    from cornu.check.torch_probe import measure as measured
    from cornu.check.torch_recorder import Recorder
    from cornu.check.torch_stand_ins import as_import_error, missing_packages

    with open(path, encoding="utf-8", errors="replace") as file:
        source = Source(os.fspath(path), file.read())
    recorder = Recorder(UserFrames(path), seconds, measured if measure else None)
    packages = missing_packages(recorder.pretrained)
    with recording(recorder), packages, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reading = execute(path, arguments)
    reading.error = as_import_error(reading.error)
    if recorder.stopped:
        reading.error = None  # what came of being stopped
    recorder.completed = not recorder.stopped and reading.error is None
    reading.reached_training = bool(recorder.backward_count)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reading.facts = all_facts(recorder, source, recorder.titles, died=reading.error is not None)
    return reading
