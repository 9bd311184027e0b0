"""What `cornu port` is given: a file of a network, or a program and the function that makes one."""

from __future__ import annotations

import dataclasses
import importlib.util
import inspect
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cornu.port.convert import from_keras, torch_network
from cornu.port.keras.read_model import read_model
from cornu.port.layout import change_layout
from cornu.port.network import Network, PortError


@dataclasses.dataclass
class Opened:
    """A network as it was found.

    Attributes:
        live: the model, module or ONNX file.
        framework: "cornu", "keras", "torch" or "onnx".
        as_read: its `Network`, images as they were.
        title: a name for it.
        loss, optimizer: of a PyTorch module, where its program gives them.
        notes: what a reader should know about it.
    """

    live: Any
    framework: str
    as_read: Network
    title: str
    loss: Any = None
    optimizer: Any = None
    notes: list[str] = dataclasses.field(default_factory=list)

    def network(self) -> Network:
        """The network with images channels last."""
        return change_layout(self.as_read, "channels_last")


def open_network(source: str, shapes: str | None = None) -> Opened:
    """Opens a network.

    Args:
        source: "program.py:function" (or the name of a model or module in it), or a file: .keras,
            .h5, .onnx, or .pt2 (what `torch.export.save` writes).
        shapes: for a PyTorch module the shapes of its inputs without the batch, "1,28,28", several
            with semicolons between them, whole numbers as "20:int64"; None where the program gives
            an example.

    Raises:
        PortError: nothing there that is a network.
        FileNotFoundError: no such file.
    """
    path, _, name = source.rpartition(":") if ".py:" in source else (source, "", "")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {path!r}")
    ending = Path(path).suffix.lower()
    if ending == ".py":
        if not name:
            raise PortError(
                f"{path} is a program",
                None,
                f"Name the function that makes the network: {path}:build",
            )
        return _of_program(path, name, shapes)
    if ending in (".keras", ".h5", ".hdf5"):
        return _of_model(from_keras(path), "keras")
    if ending == ".onnx":
        from cornu.port.onnx.read import load_model, read_onnx

        proto = load_model(path)
        network = read_onnx(proto)
        network.data_format = "channels_first"
        return Opened(proto, "onnx", network, network.name)
    if ending == ".pt2":
        torch = _torch(path)
        return _of_module(torch.export.load(path), None, name=Path(path).stem)
    if ending in (".pt", ".pth", ".safetensors", ".npz"):
        raise PortError(
            f"{path} holds weights and no network",
            None,
            f"Say which network they are for: cornu port {path} --into program.py:build",
        )
    raise PortError(
        f"{path} is no network",
        None,
        "A network is program.py:function, or a file .keras, .h5, .onnx or .pt2",
    )


def _torch(path: str) -> Any:
    if importlib.util.find_spec("torch") is None:
        raise ModuleNotFoundError(
            f'{path} needs PyTorch; install it with `pip install "cornu[torch]"`'
        )
    import torch

    return torch


def _of_program(path: str, name: str, shapes: str | None) -> Opened:
    from cornu.check.programs import framework_of

    text = Path(path).read_text(encoding="utf-8")
    is_keras = re.search(r"^\s*(import|from) (keras|tensorflow|tf_keras)\b", text, re.MULTILINE)
    if framework_of(text) == "torch":
        _torch(path)
    elif importlib.util.find_spec("cornu.dialects"):
        from cornu.dialects.names import install

        install()
    module = _imported(path)
    found = getattr(module, name, None)
    if found is None:
        known = sorted(
            key
            for key, value in vars(module).items()
            if not key.startswith("_")
            and (inspect.isfunction(value) or inspect.isclass(value))
            and getattr(value, "__module__", None) == module.__name__
        )
        raise PortError(
            f"{path} has no {name!r}", None, f"It has {', '.join(known)}" if known else ""
        )
    needs_call = inspect.isfunction(found) or inspect.isclass(found)
    made = _called(found, f"{path}:{name}") if needs_call else found
    extra: list[Any] = []
    if isinstance(made, (tuple, list)):
        made, *extra = made
    families = {base.__module__.partition(".")[0] for base in type(made).__mro__}
    if "torch" in families:
        return _of_module(made, _example(shapes), *extra, where=f"{path}:{name}")
    if "cornu" in families and hasattr(made, "predict"):
        return _of_model(made, "keras" if is_keras else "cornu")
    if "keras" in families:
        return _of_model(from_keras(made), "keras")
    raise PortError(
        f"{path}:{name} gives {type(made).__name__}, which is no network",
        None,
        "It should return a Keras or Cornu model, or a torch.nn.Module",
    )


def _called(function: Any, where: str) -> Any:
    try:
        needed = [
            one.name
            for one in inspect.signature(function).parameters.values()
            if one.default is one.empty
            and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        ]
    except ValueError:
        needed = []
    if needed:
        raise PortError(
            f"{where} needs {', '.join(needed)}",
            None,
            "Name a function that makes the network without arguments",
        )
    return function()


def _imported(path: str) -> Any:
    """A program's file as a module, so that what stands behind `__main__` is not run."""
    folder = os.path.dirname(os.path.abspath(path))
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.path[:]
    sys.path.insert(0, folder)
    sys.modules[module.__name__] = module  # where inspect and pickle look for its classes
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path[:] = before
    return module


def _of_model(model: Any, framework: str = "cornu") -> Opened:
    return Opened(model, framework, read_model(model), model.name)


def _example(shapes: str | None) -> Any:
    """Made-up inputs of the shapes given: two rows, zeros."""
    if shapes is None:
        return None
    arrays = []
    for one in shapes.split(";"):
        sizes, _, dtype = one.partition(":")
        try:
            shape = tuple(int(size) for size in sizes.split(",") if size.strip())
            arrays.append(np.zeros((2, *shape), dtype.strip() or "float32"))
        except (ValueError, TypeError):
            raise PortError(
                f"--input {shapes!r} gives no shapes",
                None,
                "Write sizes without the batch, as in 3,224,224 or 20:int64;5",
            ) from None
    return tuple(arrays)


def _of_module(module: Any, example: Any, *extra: Any, where: str = "", name: str | None = None):
    """A PyTorch module; its program may give an example, a loss, an optimizer with it."""
    extra_list = list(extra)
    if example is None and extra_list and _is_example(extra_list[0]):
        example = extra_list.pop(0)
    elif extra_list and _is_example(extra_list[0]):
        extra_list.pop(0)
    loss = extra_list.pop(0) if extra_list else None
    optimizer = extra_list.pop(0) if extra_list else None
    is_module = hasattr(module, "state_dict") and not hasattr(module, "graph_signature")
    if example is None and is_module:
        raise PortError(
            f"{where or 'the module'} does not say what its inputs look like",
            None,
            "Give their shapes without the batch, as in --input 3,224,224, or let the function "
            "return the module and an example",
        )
    network = torch_network(
        module, example, loss, optimizer, data_format="channels_first", name=name
    )
    return Opened(
        module, "torch", network, network.name, loss, optimizer, list(getattr(network, "notes", []))
    )


def _is_example(value: Any) -> bool:
    one = value[0] if isinstance(value, (tuple, list)) and value else value
    one = next(iter(one.values()), None) if isinstance(one, dict) else one
    return isinstance(one, np.ndarray) or type(one).__name__ == "Tensor"
