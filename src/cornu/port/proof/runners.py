"""Which runner is for what is given to `prove`."""

from __future__ import annotations

import os
import types
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.core.dtypes import to_numpy_dtype
from cornu.port.layout import change_layout
from cornu.port.network import Network, PortError
from cornu.port.proof.batches import open_sizes, plain
from cornu.port.proof.runner import Runner


def runners_of(
    networks: Sequence[Any],
    x: Any = None,
    losses: Sequence[Any] = (),
    optimizers: Sequence[Any] = (),
) -> list[Runner]:
    """The runners of two networks.

    Args:
        networks: what `prove` takes, or Runners.
        x: the user's data, or None.
        losses, optimizers: one for each network, for PyTorch modules; else None.

    Raises:
        PortError: something else; a PyTorch module without anything that tells what it takes.
    """
    opened = [_opened(os.fspath(n)) if isinstance(n, (str, os.PathLike)) else n for n in networks]
    runners: list[Runner | None] = [
        None if _family(one) in ("torch", "program") else _runner(one) for one in opened
    ]
    for place, given in enumerate(opened):
        other = runners[1 - place]
        if runners[place] is None and _family(given) == "torch":
            examples = _examples(other.network if other is not None else None, x)
            runners[place] = _torch_runner(given, examples, losses[place], optimizers[place])
    for place, given in enumerate(opened):
        other = runners[1 - place]
        if runners[place] is None:
            runners[place] = _numpy_runner(given, other)
    return [runner for runner in runners if runner is not None]


def _family(network: Any) -> str:
    if isinstance(network, types.ModuleType):
        return "program"
    families = {base.__module__.partition(".")[0] for base in type(network).__mro__}
    for name in ("cornu", "keras", "torch", "onnx"):
        if name in families:
            return name
    return "onnx" if isinstance(network, bytes) else ""


def _runner(network: Any) -> Runner:
    if isinstance(network, Runner):
        return network
    family = _family(network)
    if family == "cornu":
        from cornu.port.proof.run_model import ModelRunner

        return ModelRunner(network)
    if family == "keras":
        from cornu.port.proof.run_keras import KerasRunner

        return KerasRunner(network)
    if family == "onnx":
        from cornu.port.proof.run_onnx import OnnxRunner

        return OnnxRunner(network)
    raise PortError(
        f"{network!r} of type {type(network).__name__} is no network",
        None,
        "Give a Cornu or Keras model, a torch.nn.Module, an ONNX model or the name of a file",
    )


def _numpy_runner(program: Any, other: Runner | None) -> Runner:
    from cornu.port.proof.run_numpy import NumpyRunner

    if not hasattr(program, "Network"):
        raise PortError(f"the module {program.__name__!r} is no program that cornu.port wrote")
    if other is None:
        raise PortError(
            "two NumPy programs cannot be compared with each other",
            None,
            "Compare each with the model that it was written from",
        )
    return NumpyRunner(program, other.read)


def _examples(other: Network | None, x: Any) -> list[tuple]:
    """What a PyTorch module may take: the user's rows, or what the other network takes."""
    found: list[tuple] = []
    if x is not None:
        arrays = x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else [x]
        found.append(tuple(plain(array)[:2] for array in arrays))
    for form in ("channels_first", "channels_last") if other is not None else ():
        network = change_layout(other, form)  # type: ignore[arg-type]
        found.append(
            tuple(
                np.zeros((2, *open_sizes(tensor)), to_numpy_dtype(tensor.dtype))
                for tensor in network.inputs
            )
        )
    return found


def _torch_runner(module: Any, examples: list[tuple], loss: Any, optimizer: Any) -> Runner:
    from cornu.port.proof.run_torch import TorchRunner

    if not examples:
        raise PortError(
            f"what {type(module).__name__}.forward takes is not known", None, "Give x to prove()"
        )
    errors = []
    for example in examples:
        try:
            return TorchRunner(module, example, loss, optimizer)
        except PortError as error:
            errors.append(error)
    # the first example is the likeliest: what is wrong with that is the user's to know
    raise errors[0]


def _opened(path: str) -> Any:
    """The network in a file."""
    ending = os.path.splitext(path)[1].lower()
    if ending == ".onnx":
        try:
            import onnx
        except ImportError:
            raise PortError(
                "reading an ONNX file needs onnx", path, 'Run `pip install "cornu[onnx]"`'
            ) from None
        return onnx.load(path)
    if ending in (".keras", ".h5", ".hdf5"):
        from cornu.saving import load_model

        return load_model(path)
    if ending == ".py":
        return _imported(path)
    raise PortError(f"{path!r} is neither an ONNX file nor a Keras file (.keras, .h5)")


def _imported(path: str) -> types.ModuleType:
    """A program in a file, as a module."""
    import importlib.util

    name = os.path.splitext(os.path.basename(path))[0]
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise PortError(f"{path!r} cannot be imported")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module
