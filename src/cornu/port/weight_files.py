"""Files of weights as arrays by name: of PyTorch, safetensors and NumPy."""

from __future__ import annotations

import json
import os
import re
import struct
from typing import Any

import numpy as np

from cornu.port.network import PortError

# What checkpoints call the part of them that holds the weights.
_PARTS = ("state_dict", "model_state_dict", "model", "net", "weights")
# What wrappers put before every name: DataParallel and torch.compile.
_WRAPPERS = ("module.", "_orig_mod.")
# How safetensors calls its types. Source: the format's description in its repository's README.
_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
_LONGEST_HEADER = 100_000_000


def read_arrays(path: str) -> dict[str, np.ndarray]:
    """The arrays in a .pt, .pth, .bin, .safetensors or .npz file, by name, in the file's order.

    Raises:
        FileNotFoundError: no such file.
        PortError: a file of another kind, a damaged one, or one without arrays.
        ModuleNotFoundError: a file of PyTorch's, and PyTorch is not installed.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {path!r}")
    ending = os.path.splitext(path)[1].lower()
    if ending in (".pt", ".pth", ".bin", ".ckpt"):
        found = _torch_arrays(path)
    elif ending == ".safetensors":
        found = safetensors_arrays(path)
    elif ending == ".npz":
        with np.load(path, allow_pickle=False) as file:
            found = {key: file[key] for key in file.files}
    else:
        raise PortError(
            f"{path} is no file of weights that can be read",
            None,
            "Such files are .weights.h5, .keras, .pt, .pth, .safetensors and .npz",
        )
    if not found:
        raise PortError(f"{path} holds no arrays")
    for wrapper in _WRAPPERS:
        while all(key.startswith(wrapper) for key in found):
            found = {key.removeprefix(wrapper): array for key, array in found.items()}
    return found


def safetensors_arrays(path: str) -> dict[str, np.ndarray]:
    """The arrays in a safetensors file.

    A number of 8 bytes, so many bytes of JSON that say where each array lies, and the arrays.
    Source: the format's description, github.com/huggingface/safetensors.
    """
    with open(path, "rb") as file:
        content = file.read()
    try:
        (length,) = struct.unpack_from("<Q", content)
        if length > min(_LONGEST_HEADER, len(content) - 8):
            raise ValueError("it ends too early")
        header = json.loads(content[8 : 8 + length])
        found = {}
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            start, end = entry["data_offsets"]
            data = content[8 + length + start : 8 + length + end]
            array = np.frombuffer(data, _TYPES[entry["dtype"]])
            if entry["dtype"] == "BF16":  # the upper half of a float32
                array = (array.astype("<u4") << 16).view("<f4")
            found[name] = array.reshape(entry["shape"])
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PortError(f"{path} is no safetensors file, or damaged: {error}") from error
    # they are stored by type and name; numbers in names tell the order of layers better
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def _natural(name: str) -> list:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _torch_arrays(path: str) -> dict[str, np.ndarray]:
    try:
        import torch
    except ImportError:
        raise ModuleNotFoundError(
            f'{path} needs PyTorch to be read; install it with `pip install "cornu[torch]"`'
        ) from None
    try:
        loaded: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise PortError(
            f"{path} holds more than weights, or is damaged ({type(error).__name__})",
            None,
            "Save what `module.state_dict()` gives; no code from a file is run",
        ) from error
    while isinstance(loaded, dict) and not _tensors(loaded):
        part = next((name for name in _PARTS if isinstance(loaded.get(name), dict)), None)
        if part is None:
            break
        loaded = loaded[part]
    if not isinstance(loaded, dict):
        raise PortError(f"{path} holds a {type(loaded).__name__}, not a state_dict")
    return {str(key): _numpy(tensor) for key, tensor in _tensors(loaded).items()}


def _tensors(values: dict) -> dict:
    return {key: value for key, value in values.items() if hasattr(value, "detach")}


def _numpy(tensor: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    if str(tensor.dtype) == "torch.bfloat16":  # which NumPy does not have
        tensor = tensor.float()
    return tensor.numpy()
