"""Why a framework's program parts from Cornu's: what `cornu.port.prove` says of the two."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from cornu.compare.habits import switch_off_noise
from cornu.compare.programs import Written, family
from cornu.port.keras.read_model import read_model
from cornu.port.proof.prove import prove

_ROWS = 64
_STEPS = 5


def cause_of(
    build: Callable[[], Any],
    framework: str,
    written: Written,
    task: str,
    x: np.ndarray,
    y: np.ndarray,
    backend: str | None = None,
) -> tuple[str, str] | None:
    """Where and why a program differs from the network that it was written for.

    Args:
        build: makes the network.
        framework: of the program.
        written: the program.
        task: what the labels are: "binary", "classes" or "regression".
        x, y: some training rows.
        backend: of Keras.

    Returns:
        The place and the cause, in words; None where nothing was found, or nothing could be.
    """
    x, y = x[:_ROWS], y[:_ROWS]
    if task == "binary":
        y = y.reshape(-1, 1).astype(x.dtype)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if backend:
                os.environ.setdefault("KERAS_BACKEND", backend)
            live = _LIVE[family(framework)](written)
            model = build()
            proof = prove(model, live, x, y, steps=_STEPS, batch_size=min(32, len(x)))
    except Exception as error:
        return ("", f"it could not be looked into, because of {type(error).__name__}: {error}")
    # dropout is switched off, and may be left out
    noise = set(switch_off_noise(read_model(model)))
    found = [one for one in proof.mismatches if one.layer not in noise]
    if not found:
        return None
    # what was seen to differ before what differs on paper
    first = min(found, key=lambda one: one.quantity is None)
    places = {"loss": "the loss", "optimizer": "the optimizer"}
    place = places.get(first.kind) or (f"the layer {first.layer!r}" if first.layer else "")
    cause = str(first)
    if first.kind == "optimizer":  # gradients are looked at apart from the program's own loop
        cause += "; or its train() does other steps than zero_grad(), backward(), step()"
    return place, cause


def _module(written: Written) -> Any:
    name = f"cornu_compare_{written.file.stem}"
    spec = importlib.util.spec_from_file_location(name, written.file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _torch(written: Written) -> Any:
    import torch

    program = _module(written)
    cls: Any = getattr(program, written.class_name or "", None)
    if cls is None:
        own = [v for v in vars(program).values() if isinstance(v, type)]
        cls = [
            v for v in own if issubclass(v, torch.nn.Module) and v.__module__ == program.__name__
        ][-1]
    cls.program = program
    module = cls()
    with np.load(written.weights) as file:  # type: ignore[arg-type]
        given = {key: torch.from_numpy(file[key]) for key in file.files}
    state = module.state_dict()
    if set(given) != set(state):  # by order, as where it is trained
        given = dict(zip(state, given.values(), strict=True))
    module.load_state_dict(given)
    return module.eval()


def _keras(written: Written) -> Any:
    return _module(written).load()


def _numpy(written: Written) -> Any:
    program = _module(written)
    program.network = program.load()
    program.optimizer = None
    return program


_LIVE: dict[str, Callable[[Written], Any]] = {
    "torch": _torch,
    "keras": _keras,
    "numpy": _numpy,
}
