"""The HDF5 part of a saved network: a tree of groups, each with the arrays of one object.

The layout is Keras': the arrays of the object at `layers/dense` are the data sets "0", "1", ... of
the group `layers/dense/vars`, whose attribute `name` is the object's name.
"""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

# A file may declare an array of any size without holding it. Arrays larger than this (4 GiB) must
# be stored for at least a thousandth of what they say, which compressed real ones are.
_LARGE = 1 << 32
_EXPANSION = 1000


class Entry:
    """The arrays of one object in a file.

    Attributes:
        name: what the object was called, or None.
        arrays: by key.
    """

    def __init__(self, name: str | None, arrays: dict[str, np.ndarray]):
        self.name = name
        self.arrays = arrays


def write_entries(entries: dict[str, Entry]) -> memoryview:
    """The bytes of an HDF5 file of the entries, by their path.

    It is made in memory: HDF5 cannot be relied on to close a file on a full disk.
    """
    import h5py

    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, entry in entries.items():
            group = file.create_group(f"{path}/vars" if path else "vars")
            if entry.name is not None:
                group.attrs["name"] = entry.name
            for key, array in entry.arrays.items():
                data = group.create_dataset(key, data=array)
                if array.dtype.name == "bfloat16":  # HDF5 has no such type: it keeps two bytes each
                    data.attrs["dtype"] = "bfloat16"
    return buffer.getbuffer()


def read_entries(source: Any, origin: str) -> dict[str, Entry]:
    """The entries of an HDF5 file, by their path.

    Args:
        source: a path, or a file object.
        origin: what to call the file in messages.

    Raises ValueError where it is no whole HDF5 file, or refers to data outside of itself.
    """
    import h5py

    entries: dict[str, Entry] = {}
    try:
        with h5py.File(source, "r") as file:
            _collect(h5py, file, "", entries, origin, set())
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, KeyError, EOFError) as error:
        number = getattr(error, "errno", None)
        if number and not isinstance(source, io.IOBase):
            raise OSError(number, f"{origin} cannot be read: {error}") from error
        raise ValueError(f"{origin} is damaged, or no HDF5 file: {error}") from error
    return entries


def _collect(
    h5py, group, path: str, entries: dict[str, Entry], origin: str, seen: set[int]
) -> None:
    address = h5py.h5o.get_info(group.id).addr
    if address in seen:  # a group inside itself would never end
        raise ValueError(f"{origin}: {path!r} is the same group as another one")
    seen.add(address)
    for key in group:
        where = f"{path}/{key}" if path else key
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise ValueError(
                f"{origin}: {where!r} is a link to somewhere else, which is not followed"
            )
        child = group[key]
        if not isinstance(child, h5py.Group):
            continue
        if key == "vars":
            entries[path] = _entry(h5py, child, where, origin)
        else:
            _collect(h5py, child, where, entries, origin, seen)


def _entry(h5py, group, where: str, origin: str) -> Entry:
    arrays = {}
    for key in group:
        if not isinstance(group.get(key, getlink=True), h5py.HardLink):
            raise ValueError(
                f"{origin}: {where}/{key} is a link to somewhere else, which is not followed"
            )
        data = group[key]
        if isinstance(data, h5py.Dataset):
            arrays[key] = _array(data, f"{origin}: {where}/{key}")
    name = group.attrs.get("name")
    return Entry(name if isinstance(name, str) else None, arrays)


def _array(data, where: str) -> np.ndarray:
    if data.external or data.is_virtual:
        raise ValueError(f"{where} keeps its values in another file, which is not opened")
    if data.shape is None or data.dtype.hasobject:
        raise ValueError(f"{where} is not an array of numbers")
    declared = math.prod(data.shape) * data.dtype.itemsize
    if declared > _LARGE and declared > _EXPANSION * data.id.get_storage_size():
        raise ValueError(
            f"{where} claims {declared / 2**30:.0f} GiB (shape {data.shape}) that the file does "
            "not hold; it is not read"
        )
    if data.attrs.get("dtype") == "bfloat16":
        import ml_dtypes  # comes with jax

        return np.array(data).view(ml_dtypes.bfloat16)
    return np.array(data)
