"""Writing a network as a PyTorch module: a program, its weights, or the live module."""

from __future__ import annotations

import linecache
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

from cornu.port.network import Network, Operation, PortError
from cornu.port.torch.source import Program


def torch_source(network: Network, weights: str = "weights.safetensors") -> str:
    """A PyTorch program for a network: its module and, where it is trained, how.

    Args:
        network: with its channels first, as `change_layout` makes it; with logits as outputs where
            its loss is a cross-entropy, as `logits_out` makes it.
        weights: the file beside the program that it loads: safetensors, or what `torch.save` writes
            where the name ends in ".pt" or ".pth".

    Returns:
        Python source that needs only PyTorch and NumPy, and safetensors for such a file. Nothing in
        it needs this package.

    Raises:
        PortError: what PyTorch cannot compute, by name and place.
    """
    return Program(network).source(weights)


def torch_weights(network: Network) -> dict[str, np.ndarray]:
    """The state_dict of the module that `torch_source` writes, as NumPy arrays in its order."""
    return Program(network).state()


def weight_names(network: Network) -> dict[str, tuple[Operation, str]]:
    """What each entry of that state_dict is: the operation and the name of its weight.

    Entries that are no weights of the network (`num_batches_tracked`, a scale that is always 1)
    are missing. The operations are the network's own.
    """
    return Program(network).weight_names()


def write_torch(network: Network) -> Any:
    """The live `torch.nn.Module` of a network, with its weights.

    Args:
        network: as for `torch_source`.

    Returns:
        The module, in evaluation mode. Its class has an attribute `program`: the module of Python
        that `torch_source` describes, with `make_optimizer`, `loss_function`, `train`, ...

    Raises:
        PortError: what PyTorch cannot compute, by name and place; or PyTorch is not installed.
    """
    torch = import_torch()
    made = Program(network)
    text = made.source("weights.safetensors", live=True)
    name = f"cornu_port_{made.class_name.lower()}"
    number = 1
    while name in sys.modules:
        number += 1
        name = f"cornu_port_{made.class_name.lower()}_{number}"
    program = types.ModuleType(name)
    program.__file__ = f"<{name}>"
    # so that inspect.getsource and tracebacks find the text
    linecache.cache[program.__file__] = (len(text), None, text.splitlines(True), program.__file__)
    sys.modules[name] = program
    exec(compile(text, program.__file__, "exec"), program.__dict__)
    cls = getattr(program, made.class_name)
    cls.program = program
    module = cls()
    state = {key: torch.from_numpy(np.array(array)) for key, array in made.state().items()}
    if made.dtype != "float32":
        module = module.to(getattr(torch, made.dtype))
    module.load_state_dict(state)
    return module.eval()


def write_torch_files(
    network: Network, folder: str | Path, weights: str = "weights.safetensors"
) -> list[Path]:
    """Writes the program and its weights into a folder, which is made where it is missing.

    Args:
        network: as for `torch_source`.
        folder: where to write.
        weights: name of the file of weights, see `torch_source`.

    Returns:
        The files: the program, named as the network, and the weights.
    """
    made = Program(network)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    program, file = folder / f"{made.file_name}.py", folder / weights
    program.write_text(made.source(weights), encoding="utf-8")
    save_weights(made.state(), file)
    return [program, file]


def save_weights(state: dict[str, np.ndarray], file: Path) -> None:
    """Writes a state_dict of NumPy arrays, in the format that the file's name says."""
    if file.suffix in (".pt", ".pth"):
        torch = import_torch()
        torch.save({key: torch.from_numpy(np.array(one)) for key, one in state.items()}, file)
        return
    try:
        from safetensors.numpy import save_file
    except ImportError as error:
        raise PortError(
            f"{file.name} needs the package safetensors",
            None,
            "Install it with pip install safetensors, or write weights.pt",
        ) from error
    save_file(state, file)


def import_torch() -> Any:
    """The package torch; PortError where it is not installed."""
    try:
        import torch
    except ImportError as error:
        raise PortError(
            "PyTorch is not installed", None, 'Install it with pip install "cornu[torch]"'
        ) from error
    return torch
