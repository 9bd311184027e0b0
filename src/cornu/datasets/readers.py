"""Readers of the file formats that image data sets are published in: IDX and NumPy's .npz."""

from __future__ import annotations

import gzip
import math
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

# The third byte of an IDX file says what its numbers are (all big-endian).
# Source: "The IDX file format" on the MNIST page, http://yann.lecun.com/exdb/mnist/
_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Reads an IDX file, the format of the original MNIST, gzipped or not.

    Args:
        path: the file. Whether it is gzipped is told by its content, not by its name.

    Returns:
        A new array of the shape and type in the file's header, in this machine's byte order: for
        MNIST's images uint8 of shape `(images, rows, columns)`, for its labels uint8 `(labels,)`.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is not an IDX file, is cut short, or holds more than its header says.

    Source: "The IDX file format" at the end of http://yann.lecun.com/exdb/mnist/

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "labels-idx1-ubyte")
    >>> with open(path, "wb") as file:
    ...     _ = file.write(bytes([0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4]))
    >>> read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    path = Path(path)
    content = read_bytes(path)
    if len(content) < 4:
        raise ValueError(
            f"{path}: truncated: an IDX file begins with 4 bytes, this one has {len(content)}"
        )
    zero, code, rank = struct.unpack_from(">HBB", content)
    if zero != 0 or code not in _IDX_TYPES:
        raise ValueError(
            f"{path}: not an IDX file: it begins with {content[:4].hex(' ')}; expected 00 00, a "
            f"type ({', '.join(f'{known:02x}' for known in _IDX_TYPES)}) and the number of axes"
        )
    start = 4 + 4 * rank
    if len(content) < start:
        raise ValueError(
            f"{path}: truncated: a header of {rank} axes is {start} bytes, the file has "
            f"{len(content)}"
        )
    shape = struct.unpack_from(f">{rank}I", content, 4)
    dtype = np.dtype(_IDX_TYPES[code])
    # Python's integers, since a damaged header can announce more than 64 bits hold.
    expected = start + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        what = "truncated" if len(content) < expected else "wrong size"
        raise ValueError(
            f"{path}: {what}: the header announces {dtype.name} of shape {shape}, {expected:,} "
            f"bytes with the header; the content has {len(content):,}"
        )
    numbers = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return numbers.astype(dtype.newbyteorder("="), copy=True)


def read_npz(path: str | os.PathLike, names: tuple[str, ...] | None = None) -> dict:
    """Reads a NumPy `.npz` file into a dictionary of arrays, without running anything in it.

    Args:
        path: the file.
        names: the arrays wanted. Default `None`: all of them.

    Returns:
        A dictionary from name to array.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is not an .npz file, is damaged, lacks one of `names`, or holds Python
            objects instead of numbers (these are pickles, which could run code).

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "numbers.npz")
    >>> np.savez(path, x=np.arange(3), y=np.ones(2))
    >>> read_npz(path, ("x",))
    {'x': array([0, 1, 2])}
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path}: not an .npz file, or cut short: it is not a whole zip archive")
    try:
        with np.load(path, allow_pickle=False) as archive:
            wanted = archive.files if names is None else names
            missing = [name for name in wanted if name not in archive.files]
            if missing:
                raise ValueError(
                    f"holds no array named {', '.join(missing)}; it has {', '.join(archive.files)}"
                )
            return {name: np.asarray(archive[name]) for name in wanted}
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path}: {error}") from error


def read_bytes(path: str | os.PathLike) -> bytes:
    """A file's content, unpacked where it is gzipped (told by its first two bytes).

    Args:
        path: the file.

    Returns:
        The content.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where it is gzipped and cut short or damaged.

    >>> import tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "text.gz")
    >>> with gzip.open(path, "wb") as file:
    ...     _ = file.write(b"some text")
    >>> read_bytes(path)
    b'some text'
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            gzipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not gzipped:
                return file.read()
            with gzip.GzipFile(fileobj=file) as unpacked:
                return unpacked.read()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    except EOFError as error:
        raise ValueError(f"{path}: truncated: the gzipped data ends before its end") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: damaged gzipped data ({error})") from error
