"""The readers of IDX and .npz files."""

import gzip
import math
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cornu.datasets.readers import read_bytes, read_idx, read_npz

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array: np.ndarray) -> bytes:
    code = CODES[array.dtype.newbyteorder("=").str[1:]]
    header = struct.pack(f">HBB{array.ndim}I", 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


any_array = st.sampled_from(sorted(CODES)).flatmap(
    lambda code: arrays.arrays(
        np.dtype(code), arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    )
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("readers")


@given(array=any_array, gzipped=st.booleans())
@settings(max_examples=60, deadline=None)
def test_idx_round_trip(folder, array, gzipped):
    path = folder / "some-idx"
    content = idx_bytes(array)
    path.write_bytes(gzip.compress(content, 1) if gzipped else content)
    read = read_idx(path)
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)
    assert read.flags.writeable


@given(array=any_array, data=st.data())
@settings(max_examples=60, deadline=None)
def test_idx_of_another_length_is_an_error_that_names_the_file(folder, array, data):
    path = folder / "cut-idx"
    content = idx_bytes(array)
    length = data.draw(st.integers(0, len(content) + 3).filter(lambda n: n != len(content)))
    path.write_bytes((content + b"\0\0\0")[:length])
    what = "truncated" if length < len(content) else "wrong size"
    with pytest.raises(ValueError, match=f"cut-idx: {what}"):
        read_idx(path)


@given(content=st.binary(max_size=64))
@settings(max_examples=100, deadline=None)
def test_idx_of_any_bytes_reads_or_says_what_is_wrong(folder, content):
    path = folder / "noise-idx"
    path.write_bytes(content)
    problem = ""
    try:
        array = read_idx(path)
    except ValueError as error:
        problem = str(error)
    assert problem.startswith(str(path)) or len(content) == 4 + 4 * array.ndim + array.nbytes


def test_idx_with_a_wrong_magic_number(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    with pytest.raises(ValueError, match=r"photo.png: not an IDX file: it begins with 89 50 4e 47"):
        read_idx(path)


def test_idx_whose_header_announces_more_than_any_memory(tmp_path):
    path = tmp_path / "huge"
    path.write_bytes(struct.pack(">HBB4I", 0, 8, 4, *[2**32 - 1] * 4))
    with pytest.raises(ValueError, match=f"truncated.*{math.prod([2**32 - 1] * 4) + 20:,} bytes"):
        read_idx(path)


def test_idx_from_a_cut_or_damaged_gzip_file(tmp_path):
    packed = gzip.compress(idx_bytes(np.arange(4000, dtype="i4")))
    (tmp_path / "cut.gz").write_bytes(packed[:-20])
    (tmp_path / "bad.gz").write_bytes(packed[:-8] + bytes(8))
    (tmp_path / "noise.gz").write_bytes(packed[:10] + bytes(range(200)))
    with pytest.raises(ValueError, match=r"cut\.gz: truncated"):
        read_idx(tmp_path / "cut.gz")
    for name in ("bad.gz", "noise.gz"):
        with pytest.raises(ValueError, match=rf"{name}: damaged gzipped data"):
            read_idx(tmp_path / name)


def test_a_file_that_is_not_there(tmp_path):
    for read in (read_idx, read_npz, read_bytes):
        with pytest.raises(FileNotFoundError, match="nowhere: no such file"):
            read(tmp_path / "nowhere")


def test_npz_round_trip_and_choice(tmp_path):
    path = tmp_path / "numbers.npz"
    np.savez_compressed(path, x=np.arange(5), y=np.eye(2))
    assert sorted(read_npz(path)) == ["x", "y"]
    chosen = read_npz(path, ("y",))
    assert list(chosen) == ["y"]
    np.testing.assert_array_equal(chosen["y"], np.eye(2))


def test_npz_without_the_wanted_array(tmp_path):
    path = tmp_path / "numbers.npz"
    np.savez(path, x=np.arange(5))
    with pytest.raises(ValueError, match=r"numbers\.npz: .*no array named x_train; it has x"):
        read_npz(path, ("x_train",))


def test_npz_that_is_cut_or_damaged_or_something_else(tmp_path):
    path = tmp_path / "numbers.npz"
    np.savez(path, x=np.arange(500))
    content = path.read_bytes()
    path.write_bytes(content[:-30])
    with pytest.raises(ValueError, match=r"numbers\.npz: not an .npz file, or cut short"):
        read_npz(path)
    path.write_bytes(content[:300] + b"\xff\xff" + content[302:])
    with pytest.raises(ValueError, match=r"numbers\.npz: .*CRC"):
        read_npz(path)
    np.save(tmp_path / "single.npy", np.arange(3))
    with pytest.raises(ValueError, match=r"single\.npy: not an .npz file"):
        read_npz(tmp_path / "single.npy")


def test_npz_never_unpickles(tmp_path):
    path = tmp_path / "objects.npz"
    np.savez(path, x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match=r"objects\.npz: .*pickle"):
        read_npz(path)
