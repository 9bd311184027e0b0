"""Reading PyTorch: a live module, an exported program."""

from __future__ import annotations

from typing import Any

from cornu.port.network import Names, Network
from cornu.port.torch.aten_export import exported, import_torch, unwrapped
from cornu.port.torch.aten_reading import Reading
from cornu.port.torch.read_training import read_training

__all__ = ["exported", "read_torch"]


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
