"""Event files as TensorBoard reads them, written without TensorBoard or TensorFlow.

An event file is a TFRecord file: each record is its length (uint64), the masked CRC32C of the
length, the data and the masked CRC32C of the data, all little-endian. The data is an `Event`
message in the encoding of Protocol Buffers. The numbers of the fields used here are those of
`event.proto`, `summary.proto`, `tensor.proto` and `tensor_shape.proto` of TensorBoard.

Sources: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details,
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import functools
import itertools
import os
import socket
import struct
import time
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

HISTOGRAM_BUCKETS = 30  # what tf.summary.histogram makes unless told otherwise
MOST_IMAGES = 3  # likewise tf.summary.image
_FLOAT, _DOUBLE, _STRING = 1, 2, 7  # DataType in types.proto
_files_made = itertools.count()


class EventWriter:
    """Writes one event file in a folder; the folder is made where it is missing.

    Args:
        directory: path of the folder, which is what TensorBoard calls a run.

    Raises:
        OSError: the file cannot be written; the message names it and the cause.

    >>> import tempfile
    >>> writer = EventWriter(tempfile.mkdtemp())
    >>> writer.scalar("epoch_loss", 0.25, step=3)
    >>> writer.close()
    """

    def __init__(self, directory: str):
        name = (
            f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}"
            f".{os.getpid()}.{next(_files_made)}.v2"
        )
        self.path = os.path.join(directory, name)
        try:
            os.makedirs(directory, exist_ok=True)
            self._file = open(self.path, "xb")  # noqa: SIM115
        except OSError as error:
            raise self._explain(error) from error
        self._last_flush = time.monotonic()
        self._write(_double(1, time.time()) + _bytes(3, b"brain.Event:2"))

    def scalar(self, tag: str, value: float, step: int) -> None:
        """A number, for the scalars dashboard."""
        self._summary(tag, "scalars", _tensor(_FLOAT, (), struct.pack("<f", value)), step)

    def histogram(self, tag: str, values: Any, step: int) -> None:
        """The distribution of an array's elements, for the histograms dashboard."""
        rows = histogram_buckets(values)
        data = rows.astype("<f8").tobytes()
        self._summary(tag, "histograms", _tensor(_DOUBLE, rows.shape, data), step)

    def image(self, tag: str, images: Any, step: int) -> None:
        """Up to three images, for the images dashboard.

        `images` is of shape (count, height, width, channels) with 1 channel (gray), 3 (red, green,
        blue) or 4 (and opacity), in [0, 1].
        """
        images = np.asarray(images)
        _, height, width, _ = images.shape
        texts = [str(width).encode(), str(height).encode()]
        texts += [encode_png(image) for image in images[:MOST_IMAGES]]
        self._summary(tag, "images", _string_tensor(texts, (len(texts),)), step)

    def keras_model(self, tag: str, json_text: str, step: int) -> None:
        """A model's `to_json()`, for the conceptual graph in the graphs dashboard."""
        tensor = _string_tensor([json_text.encode()], ())
        self._summary(tag, "graph_keras_model", tensor, step, b"1")

    def flush(self) -> None:
        """Hands what is buffered to the operating system, so that readers see it."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._explain(error) from error
        self._last_flush = time.monotonic()

    def flush_if_older_than(self, seconds: float) -> None:
        """Flushes where the last flush was longer ago."""
        if time.monotonic() - self._last_flush > seconds:
            self.flush()

    def close(self) -> None:
        """Flushes and closes the file; nothing can be written after it."""
        try:
            self._file.close()
        except OSError as error:
            raise self._explain(error) from error

    def _summary(self, tag: str, plugin: str, tensor: bytes, step: int, content=b"") -> None:
        metadata = _bytes(1, _bytes(1, plugin.encode()) + (_bytes(2, content) if content else b""))
        value = _bytes(1, tag.encode()) + _bytes(9, metadata) + _bytes(8, tensor)
        event = _double(1, time.time()) + _integer(2, step) + _bytes(5, _bytes(1, value))
        self._write(event)

    def _write(self, event: bytes) -> None:
        length = struct.pack("<Q", len(event))
        record = length + _masked_crc(length) + event + _masked_crc(event)
        try:
            self._file.write(record)
        except OSError as error:
            raise self._explain(error) from error

    def _explain(self, error: OSError) -> OSError:
        return OSError(error.errno, f"cannot write the event file {self.path!r}: {error.strerror}")


def histogram_buckets(values: Any, count: int = HISTOGRAM_BUCKETS) -> np.ndarray:
    """An array's distribution as rows of (left edge, right edge, number), `count` of them.

    The edges are evenly spaced from the least to the greatest element; where all are the same they
    are counted in the last row. Elements that are NaN or infinite are left out.

    >>> histogram_buckets([0.0, 1.0, 1.0], count=2)
    array([[0. , 0.5, 1. ],
           [0.5, 1. , 2. ]])
    """
    values = np.asarray(values).astype(np.float64).ravel()
    values = values[np.isfinite(values)]
    rows = np.zeros((count, 3))
    if values.size == 0:
        return rows
    low, high = values.min(), values.max()
    rows[:, :2] = low
    rows[-1, 2] = values.size
    with np.errstate(over="ignore"):
        distinct = low < (low + (high - low) / count) and np.isfinite(high - low)
    if distinct:
        numbers, edges = np.histogram(values, bins=count, range=(low, high))
        rows[:, 0], rows[:, 1], rows[:, 2] = edges[:-1], edges[1:], numbers
    return rows


def encode_png(image: np.ndarray) -> bytes:
    """An image of shape (height, width, channels) in [0, 1] as a PNG file's bytes.

    Source: https://www.w3.org/TR/png/

    >>> encode_png(np.zeros((2, 3, 1)))[:4]
    b'\\x89PNG'
    """
    height, width, channels = image.shape
    kind = {1: 0, 3: 2, 4: 6}[channels]
    pixels = (np.clip(np.nan_to_num(image), 0, 1) * 255 + 0.5).astype(np.uint8)
    # every row begins with the number of its filter: 0, none
    rows = np.concatenate(
        [np.zeros((height, 1), np.uint8), pixels.reshape(height, width * channels)], axis=1
    )

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows.tobytes()))
        + chunk(b"IEND", b"")
    )


# --- Protocol Buffers ---------------------------------------------------------------------------


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1  # a negative number is its two's complement
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    result.append(value)
    return bytes(result)


def _integer(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _shape(sizes: Sequence[int]) -> bytes:
    return b"".join(_bytes(2, _integer(1, size)) for size in sizes)


def _tensor(dtype: int, sizes: Sequence[int], content: bytes) -> bytes:
    return _integer(1, dtype) + _bytes(2, _shape(sizes)) + _bytes(4, content)


def _string_tensor(texts: Sequence[bytes], sizes: Sequence[int]) -> bytes:
    values = b"".join(_bytes(8, text) for text in texts)
    return _integer(1, _STRING) + _bytes(2, _shape(sizes)) + values


# --- CRC32C -------------------------------------------------------------------------------------


def _masked_crc(data: bytes) -> bytes:
    # The mask keeps a checksum of data that itself contains checksums from being weak.
    crc = crc32c(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


@functools.cache
def _crc_table() -> np.ndarray:
    """What each byte adds to the checksum, 256 uint32."""
    table = np.arange(256, dtype=np.uint32)
    polynomial = np.uint32(0x82F63B78)  # Castagnoli's, its bits reversed
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ polynomial, table >> 1).astype(np.uint32)
    return table


@functools.cache
def _crc_list() -> list[int]:
    return _crc_table().tolist()


_MANY_BYTES = 4096


def crc32c(data: bytes) -> int:
    """The CRC32C (Castagnoli) checksum of RFC 3720, appendix B.4.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    if len(data) >= _MANY_BYTES:
        return _crc_of_many(data)
    table, crc = _crc_list(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _crc_of_many(data: bytes) -> int:
    """The same, for long data, in about the square root of its length of NumPy calls.

    The checksum is linear over bits: the data is cut into rows, whose checksums advance together
    column by column; then that of two neighbours is that of the left one, pushed on by as many zero
    bytes as the right one is long, xor that of the right one. What pushing on does to each of the
    32 bits is found by letting 32 more rows of zeros run along.
    """
    length = len(data)
    rows = 1 << ((length - 1).bit_length() // 2)
    columns = -(-length // rows)
    # Zeros before the data change nothing as long as the state is 0; the standard's first state,
    # all ones, is the same as inverting the first four bytes.
    cells = np.zeros(rows * columns, np.uint8)
    cells[-length:] = np.frombuffer(data, np.uint8)
    cells[-length:][:4] ^= 0xFF
    columns_of_rows = np.ascontiguousarray(cells.reshape(rows, columns).T)
    table = _crc_table()
    crc = np.zeros(rows + 32, np.uint32)
    crc[rows:] = np.uint32(1) << np.arange(32, dtype=np.uint32)
    for column in columns_of_rows:
        index = crc & 0xFF
        index[:rows] ^= column
        crc = table[index] ^ crc >> 8
    crc, push = crc[:rows], crc[rows:]
    while len(crc) > 1:
        crc = _apply(push, crc[0::2]) ^ crc[1::2]
        push = _apply(push, push)
    return int(crc[0]) ^ 0xFFFFFFFF


def _apply(push: np.ndarray, crc: np.ndarray) -> np.ndarray:
    """A linear map of 32 bits, given by its image of each bit, applied to every checksum."""
    bits = crc[:, None] >> np.arange(32, dtype=np.uint32) & 1
    return np.bitwise_xor.reduce(bits * push, axis=1)
