"""Reading PyTorch: a live module, an exported program, a state_dict."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from cornu.port.network import Names, Network, PortError
from cornu.port.torch.aten_export import exported, import_torch, unwrapped
from cornu.port.torch.aten_reading import Reading
from cornu.port.torch.aten_weights import to_numpy
from cornu.port.torch.read_training import read_training

__all__ = ["exported", "read_state_dict", "read_torch"]


def read_torch(
    module: Any,
    example: Any = None,
    loss: Any = None,
    optimizer: Any = None,
    scheduler: Any = None,
    name: str | None = None,
    steps_per_epoch: int | None = None,
) -> Network:
    """Reads a PyTorch module as it predicts, and how it is trained.

    Args:
        module: torch.nn.Module, torch.fx.GraphModule or torch.export.ExportedProgram. Its weights
            are copied; its training flags stay as they are.
        example: what `forward` takes: a torch.Tensor or array (batch, ...), a tuple of them, or a
            dictionary of them by the names of forward's arguments. An ExportedProgram needs none.
        loss: a loss of torch.nn or function of torch.nn.functional, or a list of them, one for
            each output.
        optimizer: of torch.optim, made over the module's parameters.
        scheduler: of torch.optim.lr_scheduler, made over the optimizer.
        name: of the network; by default the module's class in snake case.
        steps_per_epoch: how many optimizer steps there are between two of the scheduler.

    Returns:
        A Network with images in PyTorch's layout. Weights' origins are their names in the
        state_dict; `observed` holds names of nodes of the exported graph, which is the network's
        `source`. `notes` are sentences on what a user should know; `unused` the names of
        parameters that the outputs do not need.

    Raises:
        PortError: what cannot be ported, by name and place: an operation without a counterpart,
            data-dependent control flow, a weight that two layers share.
        ModuleNotFoundError: PyTorch is not installed.
    """
    torch = import_torch()
    from cornu.core import naming

    program = exported(module, example)
    live = unwrapped(module) if isinstance(module, torch.nn.Module) else None
    reading = Reading(program, live)
    inputs, outputs = reading.read()
    title = name or (naming.to_snake_case(type(live).__name__) if live is not None else "network")
    network = Network(
        inputs, outputs, Names()(title), reading.output_names(outputs), None, reading.observed
    )
    network.data_format = "channels_first"
    if loss is not None or optimizer is not None or scheduler is not None:
        reading.check_trainable(example)
        network.training, more = read_training(
            network, live, loss, optimizer, scheduler, steps_per_epoch
        )
        reading.notes += more
    unused = reading.unused()
    if unused:
        reading.note(f"parameters that the outputs do not need: {', '.join(unused)}")
    extra = {"source": program, "notes": reading.notes, "unused": unused}
    for key, value in extra.items():
        setattr(network, key, value)
    return network


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The weights in a file of PyTorch's.

    Args:
        path: .safetensors, or what torch.save wrote of a state_dict (.pt, .pth, ...), also where
            that is one entry of a checkpoint. Nothing but tensors is unpickled.

    Returns:
        Arrays by their names.

    Raises:
        PortError: a file that holds no state_dict.
        ModuleNotFoundError: safetensors or PyTorch is not installed.
    """
    path = os.fspath(path)
    if path.endswith(".safetensors"):
        return _read_safetensors(path)
    torch = import_torch()
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:
        sentence = str(error).partition("\n")[0]
        raise PortError(
            f"{path!r} cannot be read as a state_dict: {sentence}",
            None,
            "Save module.state_dict(), not the module",
        ) from None
    for key in ("state_dict", "model_state_dict", "model", "net"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    tensors = {}
    if isinstance(found, dict):
        tensors = {k: v for k, v in found.items() if isinstance(v, torch.Tensor)}
    if not tensors:
        raise PortError(f"{path!r} holds no state_dict", None, "Save module.state_dict()")
    return {str(key): to_numpy(value) for key, value in tensors.items()}


def _read_safetensors(path: str) -> dict[str, np.ndarray]:
    try:
        from safetensors.numpy import load_file
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"Reading {path!r} needs safetensors; install it with pip install safetensors"
        ) from None
    return load_file(path)
