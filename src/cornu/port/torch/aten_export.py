"""Exporting a PyTorch module: torch.export, and its errors in one sentence."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import traceback
import warnings
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import numpy as np

from cornu.port.network import PortError
from cornu.port.torch.aten import dtype_name, is_inside_torch


def exported(module: Any, example: Any, training: bool = False) -> Any:
    """A PyTorch module as a torch.export.ExportedProgram, with an open batch axis.

    The graph holds ATen operations as the module calls them, not decomposed. The module's weights
    and its training flags stay as they are.

    Args:
        module: torch.nn.Module (a torch.fx.GraphModule is one), or an ExportedProgram, which is
            returned as it is.
        example: what `forward` takes: a torch.Tensor or array (batch, ...), a tuple of them, or a
            dictionary of them by the names of forward's arguments.
        training: whether as it is in training (default: as it predicts).

    Returns:
        ExportedProgram. Where the module fixes the size of the batch, it has the example's.

    Raises:
        PortError: what cannot be exported, by name and place.
        ModuleNotFoundError: PyTorch is not installed.
    """
    torch = import_torch()
    if isinstance(module, torch.export.ExportedProgram):
        return module
    if not isinstance(module, torch.nn.Module):
        raise PortError(
            f"expected a torch.nn.Module or ExportedProgram, received {type(module).__name__}"
        )
    module = unwrapped(module)
    if isinstance(module, torch.jit.ScriptModule):
        raise PortError(
            "a TorchScript module cannot be read", None, "Port the module it was made from"
        )
    if example is None:
        raise PortError("an example of what forward takes is needed, such as torch.zeros(2, 3)")
    args, kwargs = _arguments(module, example)
    with _in_mode(module, training):
        first = None
        for attempt in (_two_rows, _same):
            try:
                return _export(torch, module, *_mapped(attempt, (args, kwargs)))
            except PortError as error:
                first = error
                if not _has_single_row(args, kwargs):
                    break
        raise first  # type: ignore[misc]


def import_torch() -> Any:
    """PyTorch, or how to install it."""
    try:
        import torch
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'Reading a PyTorch module needs PyTorch; install it with pip install "cornu[torch]"'
        ) from None
    return torch


def unwrapped(module: Any) -> Any:
    """The module within torch.compile's or DataParallel's."""
    import torch

    while True:
        if hasattr(module, "_orig_mod"):
            module = module._orig_mod
        elif isinstance(module, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
            module = module.module
        else:
            return module


def computing(program: Any) -> list[str]:
    """The operations of a program that compute something, in order.

    Counting the batches of a batch normalization is none, as often as it is applied.
    """
    buffers = program.graph_signature.inputs_to_buffers
    counts: set[Any] = set()  # the nodes that are a count of batches
    found = []
    for node in program.graph.nodes:
        if node.op == "placeholder" and _is_count(buffers.get(node.name, "")):
            counts.add(node)
        elif hasattr(node.target, "_schema"):
            name = node.target._schema.name.split("::")[-1].rstrip("_")
            if node.args and node.args[0] in counts and name in ("add", "copy"):
                counts.add(node)
            elif "sym_" not in name and "assert" not in name:
                found.append(name)
    return found


def _is_count(buffer: str) -> bool:
    return buffer.rpartition(".")[2] == "num_batches_tracked"


# -- the example -----------------------------------------------------------------------------------


def _arguments(module: Any, example: Any) -> tuple[tuple, dict]:
    """Positional and named arguments of forward, as tensors on the module's device."""
    import torch

    weight = next(module.parameters(), None)
    floats = weight.dtype if weight is not None and weight.is_floating_point() else torch.float32
    device = weight.device if weight is not None else torch.device("cpu")

    def tensor(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.to(device)
        if isinstance(value, dict):
            return {key: tensor(one) for key, one in value.items()}
        if isinstance(value, (np.ndarray, np.generic)) or hasattr(value, "__array__"):
            made = torch.from_numpy(np.array(value))
            # NumPy's floats are float64 unless told otherwise
            return made.to(device, floats if made.is_floating_point() else made.dtype)
        raise PortError(f"the example holds a {type(value).__name__}; expected tensors or arrays")

    if isinstance(example, dict):
        names = inspect.signature(module.forward).parameters
        if set(example) <= set(names):
            return (), tensor(example)
        return (tensor(example),), {}
    if isinstance(example, (tuple, list)):
        return tuple(tensor(one) for one in example), {}
    return (tensor(example),), {}


def _mapped(function: Any, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mapped(function, one) for key, one in value.items()}
    if isinstance(value, (tuple, list)):
        return tuple(_mapped(function, one) for one in value)
    return function(value)


def _two_rows(tensor: Any) -> Any:
    """An example of one row twice: torch.export takes a size of 1 for fixed."""
    import torch

    return torch.cat([tensor, tensor]) if tensor.ndim and tensor.shape[0] == 1 else tensor


def _same(tensor: Any) -> Any:
    return tensor


def _has_single_row(args: tuple, kwargs: dict) -> bool:
    found: list[bool] = []
    _mapped(lambda one: found.append(bool(one.ndim and one.shape[0] == 1)), (args, kwargs))
    return any(found)


# -- exporting -------------------------------------------------------------------------------------


@contextlib.contextmanager
def _in_mode(module: Any, training: bool) -> Iterator[None]:
    """Training mode on or off everywhere, and as it was afterwards."""
    # not by module.train(), which a module may have of its own
    before = {one: one.training for one in module.modules()}
    try:
        for one in before:
            one.training = training
        yield
    finally:
        for one, mode in before.items():
            one.training = mode


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps back what PyTorch prints and logs while it fails."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _export(torch: Any, module: Any, args: tuple, kwargs: dict) -> Any:
    def open_batch(tensor: Any) -> dict:
        return {0: torch.export.Dim.AUTO} if tensor.ndim else {}

    names = list(inspect.signature(module.forward).parameters.values())
    shapes: Any = tuple(_mapped(open_batch, args))
    if names and names[0].kind is inspect.Parameter.VAR_POSITIONAL:
        shapes = (shapes,)
    if kwargs:
        shapes = _mapped(open_batch, kwargs)
    lazy = [
        name
        for name, one in module.named_parameters()
        if isinstance(one, torch.nn.parameter.UninitializedParameter)
    ]
    if lazy:
        raise PortError(
            f"the parameter {lazy[0]!r} of a lazy module has no shape yet",
            None,
            "Call the module once",
        )
    try:
        with _quiet():
            return torch.export.export(module, args, kwargs or None, dynamic_shapes=shapes)
    except Exception as error:
        raise _explained(error, args, kwargs) from None


def _explained(error: Exception, args: tuple, kwargs: dict) -> PortError:
    """An error of torch.export in one sentence, with the line of the user's that it is about."""
    place = _user_line(error)
    kind, text = type(error).__name__, str(error)
    if "GuardOnDataDependent" in kind or "data-dependent" in text:
        return PortError(
            "data-dependent control flow: what is computed depends on the values of a tensor",
            place,
            "A network whose graph is the same for every input can be ported",
        )
    if "numpy()" in text or "FakeTensor" in text or "fake tensor" in text or "tolist" in text:
        return PortError(
            "forward() takes values out of PyTorch (.numpy(), .tolist(), .data)",
            place,
            "Use functions of torch",
        )
    shapes: list[str] = []
    _mapped(
        lambda one: shapes.append(f"{tuple(one.shape)} {dtype_name(one.dtype)}"), (args, kwargs)
    )
    sentence = next((line.strip() for line in text.splitlines() if line.strip()), kind)
    return PortError(
        f"forward() fails for the example {', '.join(shapes)}: {kind}: {sentence[:300]}", place
    )


def _user_line(error: Exception) -> str | None:
    frames = traceback.extract_tb(error.__traceback__)
    inside = [
        frame
        for frame in frames
        if not is_inside_torch(frame.filename) and PurePath(frame.filename).name != _THIS
    ]
    if not inside:
        return None
    return f"{inside[-1].name} ({PurePath(inside[-1].filename).name}:{inside[-1].lineno})"


_THIS = PurePath(__file__).name
