"""What CIFAR-10 and CIFAR-100 share: Python-pickled batches of 32x32 colour images.

The published files are pickles, and an ordinary unpickler runs whatever code a pickle names. These
are read by one that knows only the three names that the published files hold (how NumPy writes an
array), and answers them with classes of this module that do nothing but keep numbers: no file can
have a function called, NumPy's own included. Any other name is an error.
"""

from __future__ import annotations

import functools
import hashlib
import io
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cornu.core.image import image_data_format
from cornu.datasets.places import Place, RemoteFile, find
from cornu.utils.files import atomic_path


@dataclass(frozen=True)
class CifarSet:
    """One of the two sets.

    Args:
        name: its folder's name.
        archive: the published archive.
        folder: the folder inside the archive.
        batches: the batch files and the MD5 digest of each, training first, the test file last.
        image_counts: how many images each batch file has.
        keras_names: what Keras calls the extracted folder and the archive, by version.
    """

    name: str
    archive: RemoteFile
    folder: str
    batches: tuple[tuple[str, str], ...]
    image_counts: tuple[int, ...]
    keras_names: tuple[str, ...]


def load(spec: CifarSet, label_key: str, classes: int) -> list[tuple[np.ndarray, list[int]]]:
    """Finds and reads a set: the images and labels of each batch file, as `parse_batch` does."""

    def read(place: Place) -> list[tuple[np.ndarray, list[int]]] | None:
        member = _members(spec, place)
        if member is None:
            return None
        return [
            _read_batch(*member(name), digest, count, label_key, classes)
            for (name, digest), count in zip(spec.batches, spec.image_counts, strict=True)
        ]

    return find(
        spec.name,
        read,
        (spec.archive,),
        wanted=f"{spec.archive.name} or folder {spec.folder}",
        unpack=lambda path, _: _unpack(spec, path),
    )


def _members(spec: CifarSet, place: Place) -> Callable[[str], tuple[str, bytes]] | None:
    """A function from a batch file's name to its path in a message and its content."""
    first = spec.batches[0][0]
    for folder in (
        place.folder,
        place.folder / spec.folder,
        *(place.folder / name / spec.folder for name in spec.keras_names),
    ):
        # Keras keeps every data set in one folder, so a file called "train" there proves nothing;
        # the folder's other files settle it.
        if all((folder / name).is_file() for name, _ in spec.batches):
            return functools.partial(_from_folder, folder)
        if (folder / first).is_file() and place.by_hand:
            missing = [name for name, _ in spec.batches if not (folder / name).is_file()]
            raise FileNotFoundError(f"{folder}: {spec.name} is incomplete: no {', '.join(missing)}")
    for name in (spec.archive.name, f"{spec.folder}.tar.gz", f"{spec.folder}-target_archive"):
        archive = place.folder / name
        if archive.is_file():
            contents = _read_archive(spec, archive)
            return lambda name: (f"{archive}, member {name}", contents[name])
    return None


def _from_folder(folder: Path, name: str) -> tuple[str, bytes]:
    return str(folder / name), (folder / name).read_bytes()


def _read_archive(spec: CifarSet, path: Path) -> dict[str, bytes]:
    import tarfile  # seldom needed, and slow to import

    contents = {}
    try:
        with tarfile.open(path) as archive:
            for name, _ in spec.batches:
                file = archive.extractfile(f"{spec.folder}/{name}")
                if file is None:
                    raise ValueError(f"{path}: {spec.folder}/{name} is not a file")
                contents[name] = file.read()
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise ValueError(f"{path}: truncated or not the published archive ({error})") from error
    return contents


def _unpack(spec: CifarSet, archive: Path) -> None:
    """Puts the batch files of the downloaded archive beside it, and removes it: half the space,
    and the next load need not unpack 170 MB."""
    contents = _read_archive(spec, archive)
    with atomic_path(archive.parent / spec.folder) as temporary:
        temporary.mkdir()
        for name, content in contents.items():
            (temporary / name).write_bytes(content)
    archive.unlink()


def _read_batch(
    where: str, content: bytes, digest: str, count: int, label_key: str, classes: int
) -> tuple[np.ndarray, list[int]]:
    actual = hashlib.new("md5", content, usedforsecurity=False).hexdigest()
    if actual != digest:
        raise ValueError(f"{where}: the MD5 digest is {actual}, expected {digest}: damaged")
    return parse_batch(where, content, count, label_key, classes)


def parse_batch(
    where: str, content: bytes, count: int, label_key: str, classes: int
) -> tuple[np.ndarray, list[int]]:
    """Reads one pickled batch file, running nothing in it.

    Args:
        where: the file's name, for messages.
        content: the file's content.
        count: how many images it must have.
        label_key: `"labels"`, `"fine_labels"` or `"coarse_labels"`.
        classes: how many classes there are.

    Returns:
        Images uint8 `(count, 32, 32, 3)`, or `(count, 3, 32, 32)` where `image_data_format()` is
        `"channels_first"`, and a list of `count` labels.

    Raises:
        ValueError: where the content is no such pickle, or names anything but an array.
    """
    try:
        batch = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle raises nearly anything
        raise ValueError(f"{where}: not a CIFAR batch ({type(error).__name__}: {error})") from error
    if not isinstance(batch, dict):
        raise ValueError(f"{where}: not a CIFAR batch: holds a {type(batch).__name__}, not a dict")
    images, labels = batch.get(b"data"), batch.get(label_key.encode())
    if not isinstance(images, _Array) or not isinstance(labels, list):
        keys = ", ".join(sorted(repr(key) for key in batch))
        raise ValueError(f"{where}: no array 'data' and list {label_key!r}; it has {keys}")
    if not all(type(label) is int and 0 <= label < classes for label in labels):
        raise ValueError(f"{where}: {label_key} must be integers from 0 to {classes - 1}")
    pixels = images.numbers(where)
    if pixels.shape != (count, 3072) or len(labels) != count:
        raise ValueError(
            f"{where}: {len(labels)} labels and pixels of shape {pixels.shape}; expected {count} "
            f"and {(count, 3072)}"
        )
    # Published as all the red values of an image, row by row, then the green, then the blue.
    planes = pixels.reshape(count, 3, 32, 32)
    if image_data_format() == "channels_first":
        return planes.copy(), labels
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


class _Kind:
    """Stands for `numpy.ndarray`, which a pickled array names as the kind of thing to make."""

    def __setstate__(self, state: Any) -> None:
        """Makes a pickle that would set attributes of this class fail."""


class _ByteType:
    """Stands for `numpy.dtype`: takes only the type of a byte."""

    def __init__(self, code: Any, *_: Any):
        if code not in (b"u1", "u1"):
            raise pickle.UnpicklingError(f"holds numbers of type {code!r}, not bytes (u1)")

    def __setstate__(self, state: Any) -> None:
        """Takes and forgets the byte order, which a byte has none of."""


class _Array:
    """Stands for an array: keeps its shape and bytes."""

    def __init__(self, *_: Any):
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def numbers(self, where: str) -> np.ndarray:
        try:
            _version, shape, kind, fortran, content = self.state
            sound = isinstance(kind, _ByteType) and isinstance(content, bytes)
            if not sound or math.prod(shape) != len(content):
                raise ValueError(f"shape {shape}, content {type(content).__name__}")
            return np.frombuffer(content, np.uint8).reshape(shape, order="F" if fortran else "C")
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}: 'data' is not an array of bytes ({error})") from error


class _ArrayUnpickler(pickle.Unpickler):
    _known = {
        ("numpy.core.multiarray", "_reconstruct"): _Array,
        ("numpy._core.multiarray", "_reconstruct"): _Array,
        ("numpy", "ndarray"): _Kind,
        ("numpy", "dtype"): _ByteType,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._known[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it names {module}.{name}, which no CIFAR file does; nothing in it was run"
            ) from None
