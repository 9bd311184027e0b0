"""The programs of an experiment, one for each framework, as `cornu.port` writes them."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cornu.compare.habits import initial_weights, switch_off_noise, take_torch_defaults
from cornu.port.convert import torch_form_of
from cornu.port.heads import logits_out
from cornu.port.keras.write_keras import write_keras_files
from cornu.port.network import Network
from cornu.port.numpy.write import write_numpy_files
from cornu.port.torch.write import torch_source, torch_weights, weight_names

START = "start.npz"  # PyTorch's initial weights, as NumPy arrays


@dataclasses.dataclass
class Written:
    """A program, and what the process that runs it has to know of it.

    Attributes:
        file: the program.
        weights: the file of its initial weights, or None.
        class_name: of a PyTorch program: its module's class.
        axes: in which order it takes the axes of the inputs; None as they are.
        head: the activation that makes probabilities of what its `predict` gives; None where that
            are probabilities, or where the program that runs it finds out.
        weight_order: the names of its weights in the order of the network's; None where that is
            their own order.
        habits: what it does by the framework's own defaults, a phrase each.
        notes: what a reader should know, a sentence each.
    """

    file: Path
    weights: Path | None = None
    class_name: str | None = None
    axes: list[int] | None = None
    head: str | None = None
    weight_order: list[str] | None = None
    habits: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)


def family(framework: str) -> str:
    """The framework without its backend: "keras" of "keras-torch"."""
    return framework.partition("-")[0]


def weights_in_order(network: Network) -> list[tuple[str, str]]:
    """Layer and name of every weight that gradients change, in the order of the network.

    Averages of batches are left out: the forward pass changes them, before its loss is known.
    """
    return [
        (operation.name, name)
        for operation, name, _ in network.weights()
        if not name.startswith("moving_")
    ]


def head_of(network: Network) -> str | None:
    """The activation that a network's loss applies to its outputs, or None."""
    loss = network.training.losses[0] if network.training is not None else None
    if loss is None or not loss.settings.get("from_logits"):
        return None
    return "sigmoid" if loss.kind == "binary_crossentropy" else "softmax"


def write_same_start(read: Callable[[], Network], framework: str, folder: Path) -> Written:
    """Writes the program of a framework that starts at the network's weights, without noise.

    Args:
        read: gives the network, a new one each time: writing changes it.
        framework: "cornu", "keras", "torch" or "numpy".
        folder: where to.

    Raises:
        PortError: what the framework, or its writer, cannot do.
    """
    network = read()
    quiet = switch_off_noise(network)
    notes = [f"without noise: {', '.join(quiet)}"] if quiet else []
    kind = family(framework)
    if kind in ("cornu", "keras"):
        # a loss on probabilities clips them at 1e-7, one on logits does not
        files = write_keras_files(logits_out(network), folder, module=kind)
        return Written(files[0], files[1], notes=notes)
    written = _write_torch(network, folder) if kind == "torch" else _write_numpy(network, folder)
    written.notes += notes
    return written


def write_own_habits(read: Callable[[], Network], framework: str, folder: Path) -> Written:
    """Writes the program of a framework with its own defaults.

    Args:
        read, folder: as for `write_same_start`.
        framework: one of these, or "sklearn".

    Raises:
        PortError: what the framework, or its writer, cannot do.
    """
    network = read()
    kind = family(framework)
    if kind in ("cornu", "keras"):
        files = write_keras_files(network, folder, module=kind)
        return Written(files[0], files[1], habits=[initial_weights(network)])
    if kind == "torch":
        habits = take_torch_defaults(network)
        written = _write_torch(network, folder)
        written.habits = habits
        return written
    if kind == "numpy":
        written = _write_numpy(network, folder)
        written.habits = [
            "initial weights: those that Cornu draws for the same seed",
            "formulas: Keras'",
        ]
        return written
    from cornu.compare.sklearn_program import sklearn_habits, sklearn_source

    source, notes = sklearn_source(network)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{network.name}.py"
    file.write_text(source, encoding="utf-8")
    return Written(file, habits=sklearn_habits(network), notes=notes)


def replace_program(written: Written, program: str | os.PathLike) -> Written:
    """The same with a program of somebody's own, copied beside the weights."""
    target = written.file.with_name(Path(program).name)
    shutil.copyfile(program, target)
    if target != written.file:
        written.file.unlink()
    name = Path(program).name
    return dataclasses.replace(
        written,
        file=target,
        head=None,
        habits=[],
        notes=[*written.notes, f"{name} is the experiment's own"],
    )


def write_seed_weights(reads: dict[int, Callable[[], Network]], folder: Path) -> dict[str, str]:
    """Writes initial weights of NumPy programs, one file for each seed; returns their names."""
    found = {}
    for seed, read in reads.items():
        files = write_numpy_files(read(), folder / str(seed))
        files[0].unlink()
        found[str(seed)] = str(files[1])
    return found


def _write_numpy(network: Network, folder: Path) -> Written:
    order = [f"{layer}.{name}" for layer, name in weights_in_order(network)]
    head = head_of(network)
    files = write_numpy_files(network, folder)
    return Written(files[0], files[1], head=head, weight_order=order)


def _write_torch(network: Network, folder: Path) -> Written:
    wanted = weights_in_order(network)
    form = torch_form_of(network)
    names = {(op.name, name): key for key, (op, name) in weight_names(form).items()}
    order = [names[key] for key in wanted if key in names]
    folder.mkdir(parents=True, exist_ok=True)
    from cornu.port.torch.source import Program

    program = Program(form)
    file, start = folder / f"{program.file_name}.py", folder / START
    file.write_text(torch_source(form, "weights.pt"), encoding="utf-8")
    state: dict[str, Any] = torch_weights(form)
    np.savez(start, **state)
    axes = form.input_layouts[0].axes
    return Written(
        file,
        start,
        class_name=program.class_name,
        axes=None if axes is None else list(axes),
        weight_order=order if len(order) == len(wanted) else None,
    )
