"""Finding, fetching, checking and reading the published image sets, on small stand-ins."""

import gzip
import hashlib
import io
import os
import pickle
import socket
import struct
import tarfile
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from cornu.datasets import cifar, cifar10, cifar100, digit_sets, fashion_mnist, mnist, places
from cornu.utils.files import (
    ProgressBar,
    atomic_path,
    cache_directory,
    download,
    get_file,
    hash_file,
    keras_directory,
)

# ------------------------------------------------------------------------------- a server, a home


class Handler(BaseHTTPRequestHandler):
    """Serves `server.files`; a name that ends in ?cut gets half of what is announced."""

    def do_GET(self):
        self.server.asked.append(self.path)
        path, _, how = self.path.partition("?")
        content = self.server.files.get(path)
        if content is None:
            self.send_error(404, "Not Found")
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if how == "cut" else content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.files, httpd.asked = {}, []
    httpd.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A home of its own: no cache, no Keras, no data folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("CORNU_DATA", "CORNU_CACHE_DIR", "XDG_CACHE_HOME", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    return folder


def everything_under(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


# ------------------------------------------------------------------------------------ the folders


def test_cache_folders(home, monkeypatch, tmp_path):
    assert cache_directory() == home / ".cache" / "cornu"
    assert keras_directory() == home / ".keras"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/ignored")
    assert cache_directory() == home / ".cache" / "cornu"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_directory() == tmp_path / "xdg" / "cornu"
    monkeypatch.setenv("CORNU_CACHE_DIR", str(tmp_path / "own"))
    assert cache_directory() == tmp_path / "own"
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    assert keras_directory() == tmp_path / "keras"


# -------------------------------------------------------------------------------------- downloads


def test_download_writes_the_whole_file(server, tmp_path):
    content = os.urandom(700_000)
    server.files["/a.bin"] = content
    path = download(f"{server.url}/a.bin", tmp_path / "new" / "a.bin", digest=sha256(content))
    assert path.read_bytes() == content
    assert hash_file(path) == sha256(content)
    assert everything_under(tmp_path / "new") == ["a.bin"]


def test_download_accepts_md5_and_upper_case(server, tmp_path):
    server.files["/a.bin"] = b"abc"
    digest = hashlib.md5(b"abc").hexdigest()
    assert (
        hash_file(download(f"{server.url}/a.bin", tmp_path / "a", digest=digest), "md5") == digest
    )
    download(f"{server.url}/a.bin", tmp_path / "b", digest=digest.upper())
    with pytest.raises(ValueError, match="'sha1': expected 'sha256'"):
        hash_file(tmp_path / "a", "sha1")


@pytest.mark.parametrize(
    ("path", "digest", "error", "message"),
    [
        ("/a.bin", "0" * 64, ValueError, "digest of what arrived is .*, expected 0000"),
        ("/a.bin?cut", None, OSError, "stopped after 50 of 100 bytes"),
        ("/b.bin", None, OSError, "answers 404 Not Found"),
    ],
)
def test_a_failed_download_leaves_nothing_and_spoils_nothing(
    server, tmp_path, path, digest, error, message
):
    server.files["/a.bin"] = bytes(100)
    target = tmp_path / "folder" / "a.bin"
    with pytest.raises(error, match=message):
        download(server.url + path, target, digest=digest)
    assert everything_under(tmp_path / "folder") == []
    target.write_bytes(b"the good one")
    with pytest.raises(error, match=message):
        download(server.url + path, target, digest=digest)
    assert everything_under(tmp_path / "folder") == ["a.bin"]
    assert target.read_bytes() == b"the good one"


def test_no_server_at_all(tmp_path):
    with socket.socket() as taken:  # bound and not listening: nobody answers on this port
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.bin"
        with pytest.raises(OSError, match="no connection"):
            download(url, tmp_path / "a.bin", timeout=2)
    assert everything_under(tmp_path) == []


def test_an_interrupted_block_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "x" / "a") as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert everything_under(tmp_path) == []


def test_an_atomic_folder_takes_the_place_of_another(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "old").write_text("old")
    with atomic_path(tmp_path / "set") as temporary:
        temporary.mkdir()
        (temporary / "new").write_text("new")
    assert everything_under(tmp_path) == ["set/new"]


def test_the_progress_bar_shows_only_when_it_takes_time(capsys):
    with ProgressBar("quick", 10) as bar:
        bar.advance(5)
    assert capsys.readouterr().err == ""
    with ProgressBar("slow", 10, transfer=True) as bar:
        bar._start -= 5
        bar.advance(5)
        bar.advance(5)
    assert "slow" in capsys.readouterr().err


# --------------------------------------------------------------------------------------- get_file


def test_get_file_fetches_once_and_again_when_the_digest_changed(server, home):
    server.files["/a.txt"] = b"one"
    path = get_file(origin=f"{server.url}/a.txt", file_hash=sha256(b"one"))
    assert path == str(home / ".cache" / "cornu" / "datasets" / "a.txt")
    get_file(origin=f"{server.url}/a.txt", file_hash=sha256(b"one"))
    assert server.asked == ["/a.txt"]
    server.files["/a.txt"] = b"two"
    md5 = hashlib.md5(b"two").hexdigest()
    assert Path(get_file(origin=f"{server.url}/a.txt", md5_hash=md5)).read_bytes() == b"two"
    assert len(server.asked) == 2
    get_file("a.txt", f"{server.url}/a.txt", force_download=True)
    assert len(server.asked) == 3


def tar_of(members: dict[str, bytes], link: tuple[str, str] | None = None) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if link:
            info = tarfile.TarInfo(link[0])
            info.type, info.linkname = tarfile.SYMTYPE, link[1]
            archive.addfile(info)
    return packed.getvalue()


def zip_of(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_get_file_unpacks_under_the_names_that_keras_uses(server, tmp_path):
    server.files["/set.tar.gz"] = tar_of({"in/a": b"A"})
    server.files["/set.zip"] = zip_of({"in/b": b"B"})
    for arguments, folder, files in (
        ({"origin": "/set.tar.gz"}, "set.tar.gz", ["set.tar.gz/in/a", "set.tar.gz_archive"]),
        ({"fname": "own", "origin": "/set.zip"}, "own", ["own/in/b", "own_archive"]),
        ({"fname": "x.zip", "origin": "/set.zip"}, "x_extracted", ["x.zip", "x_extracted/in/b"]),
    ):
        cache = tmp_path / folder
        arguments["origin"] = server.url + arguments["origin"]
        path = get_file(**arguments, extract=True, cache_dir=cache, cache_subdir="")
        assert path == str(cache / folder)
        assert everything_under(cache) == files
        asked = len(server.asked)
        get_file(**arguments, extract=True, cache_dir=cache, cache_subdir="")
        assert len(server.asked) == asked


def test_get_file_unpacks_nothing_outside_its_folder(server, tmp_path):
    server.files["/bad.tar"] = tar_of({"../outside": b"!"})
    server.files["/link.tar"] = tar_of({"fine": b""}, link=("way", "../../.."))
    server.files["/bad.zip"] = zip_of({"../outside": b"!"})
    server.files["/plain"] = b"no archive"
    for name in ("bad.tar", "link.tar", "bad.zip"):
        with pytest.raises(ValueError, match="nothing was unpacked"):
            get_file(origin=f"{server.url}/{name}", extract=True, cache_dir=tmp_path / "c")
    with pytest.raises(ValueError, match="not an archive"):
        get_file(origin=f"{server.url}/plain", untar=True, cache_dir=tmp_path / "c")
    assert "outside" not in " ".join(everything_under(tmp_path))


def test_get_file_with_senseless_arguments(tmp_path):
    with pytest.raises(ValueError, match="give the URL"):
        get_file("a.txt")
    with pytest.raises(ValueError, match="a name, not a path"):
        get_file(f"a{os.sep}b", "http://127.0.0.1/x")
    with pytest.raises(ValueError, match="ends in no file name"):
        get_file(origin="http://127.0.0.1/")


# ------------------------------------------------------------------------------ MNIST and fashion

RNG = np.random.default_rng(0)
SMALL = {
    "x_train": RNG.integers(0, 256, (6, 28, 28)).astype("uint8"),
    "y_train": np.array([3, 1, 4, 1, 5, 9], dtype="uint8"),
    "x_test": RNG.integers(0, 256, (2, 28, 28)).astype("uint8"),
    "y_test": np.array([2, 6], dtype="uint8"),
}
IDX_NAMES = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def npz_bytes(arrays=SMALL) -> bytes:
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder: Path, *, ending: str = "", dots: bool = False, arrays=SMALL) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, name in IDX_NAMES.items():
        content = idx_bytes(arrays[part])
        name = name.replace("-idx", ".idx") if dots else name
        (folder / (name + ending)).write_bytes(gzip.compress(content) if ending else content)


@pytest.fixture
def small_mnist(monkeypatch, server):
    """MNIST as a set of 6 + 2 images, published on the local server."""
    server.files["/mnist.npz"] = npz_bytes()
    small = replace(
        mnist._MNIST,
        sizes=(6, 2),
        digests={part: sha256(array.tobytes()) for part, array in SMALL.items()},
        files=(places.RemoteFile("mnist.npz", f"{server.url}/mnist.npz", sha256(npz_bytes())),),
    )
    monkeypatch.setattr(mnist, "_MNIST", small)
    return small


def assert_small(data):
    (x_train, y_train), (x_test, y_test) = data
    for part, array in zip(SMALL, (x_train, y_train, x_test, y_test), strict=True):
        np.testing.assert_array_equal(array, SMALL[part])
        assert array.dtype == np.uint8


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize("dots", [False, True])
def test_mnist_from_idx_files(small_mnist, server, monkeypatch, tmp_path, ending, dots):
    write_idx(tmp_path / "data" / "mnist", ending=ending, dots=dots)
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    assert_small(mnist.load_data())
    assert server.asked == []


def test_mnist_is_looked_for_in_order_and_then_downloaded_once(
    small_mnist, server, monkeypatch, tmp_path, home
):
    assert_small(mnist.load_data())
    assert server.asked == ["/mnist.npz"]
    cache = home / ".cache" / "cornu" / "datasets"
    assert everything_under(cache) == ["mnist/mnist.npz"]
    assert_small(mnist.load_data())
    assert len(server.asked) == 1

    (cache / "mnist" / "mnist.npz").unlink()
    keras = tmp_path / "keras"
    (keras / "datasets").mkdir(parents=True)
    (keras / "datasets" / "mnist.npz").write_bytes(npz_bytes())
    monkeypatch.setenv("KERAS_HOME", str(keras))
    assert_small(mnist.load_data())
    assert len(server.asked) == 1

    # A damaged file in an earlier place is not passed over for the good one in a later.
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    (tmp_path / "data" / "mnist" / "mnist.npz").write_bytes(npz_bytes()[:-100])
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    with pytest.raises(ValueError, match=r"data/mnist/mnist\.npz: not an .npz file.*replace it"):
        mnist.load_data()


def test_mnist_by_another_name_and_by_path(small_mnist, server, monkeypatch, tmp_path):
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    path = tmp_path / "data" / "mnist" / "digits.npz"
    path.write_bytes(npz_bytes())
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    assert_small(mnist.load_data("digits.npz"))
    assert_small(mnist.load_data(path))
    assert server.asked == []
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz: no such file"):
        mnist.load_data(str(tmp_path / "nowhere.npz"))


def test_a_damaged_copy_in_the_cache_is_an_error_that_says_what_to_do(small_mnist, home):
    mnist.load_data()
    path = home / ".cache" / "cornu" / "datasets" / "mnist" / "mnist.npz"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="delete it, and the next load fetches it anew"):
        mnist.load_data()


def test_changed_pixels_are_noticed(small_mnist, monkeypatch, tmp_path):
    changed = SMALL | {"x_test": SMALL["x_test"].copy()}
    changed["x_test"][1, 5, 5] ^= 1
    write_idx(tmp_path / "data" / "mnist", arrays=changed)
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    with pytest.raises(ValueError, match=r"x_test is not MNIST's .*damaged or holds another"):
        mnist.load_data()


def test_another_shape_is_not_mnist(small_mnist, monkeypatch, tmp_path):
    write_idx(tmp_path / "data" / "mnist", arrays=SMALL | {"y_test": np.zeros(3, "uint8")})
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    with pytest.raises(ValueError, match=r"y_test is uint8 of shape \(3,\); MNIST has uint8 of"):
        mnist.load_data()


def test_half_a_set_is_an_error_in_a_data_folder(small_mnist, monkeypatch, tmp_path):
    write_idx(tmp_path / "data" / "mnist")
    (tmp_path / "data" / "mnist" / IDX_NAMES["y_test"]).unlink()
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    with pytest.raises(FileNotFoundError, match="MNIST is incomplete: no IDX file for t10k-labels"):
        mnist.load_data()


def test_when_it_is_nowhere_every_place_is_named(small_mnist, server, monkeypatch, tmp_path, home):
    server.files.clear()
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    (home / ".keras" / "datasets").mkdir(parents=True)
    with pytest.raises(FileNotFoundError) as caught:
        mnist.load_data()
    message = str(caught.value)
    for part in (
        f"{tmp_path / 'data' / 'mnist'} (CORNU_DATA): no such folder",
        f"{home / '.cache/cornu/datasets/mnist'} (Cornu's cache): no such folder",
        f"{home / '.keras/datasets'} (Keras' cache): holds no mnist.npz or IDX files",
        f"{server.url}/mnist.npz: the server answers 404",
        "set CORNU_DATA to the folder above it",
    ):
        assert part in message
    monkeypatch.delenv("CORNU_DATA")
    with pytest.raises(FileNotFoundError, match="CORNU_DATA is not set"):
        mnist.load_data()


def test_a_changed_file_on_the_server_is_refused(small_mnist, server, home):
    server.files["/mnist.npz"] = npz_bytes()[:-1] + b"!"
    with pytest.raises(ValueError, match="digest of what arrived"):
        mnist.load_data()
    assert everything_under(home) == []


@pytest.fixture
def small_fashion(monkeypatch, server):
    names = {f"{name}.gz": part for part, name in IDX_NAMES.items()}
    files = []
    for file in fashion_mnist._FASHION_MNIST.files:
        server.files[f"/{file.name}"] = gzip.compress(idx_bytes(SMALL[names[file.name]]), mtime=0)
        digest = hashlib.md5(server.files[f"/{file.name}"]).hexdigest()
        files.append(places.RemoteFile(file.name, f"{server.url}/{file.name}", digest))
    small = replace(fashion_mnist._FASHION_MNIST, sizes=(6, 2), files=tuple(files))
    monkeypatch.setattr(fashion_mnist, "_FASHION_MNIST", small)
    return small


def test_fashion_mnist_goes_on_after_a_broken_download(small_fashion, server, home):
    last = small_fashion.files[-1].name
    content = server.files.pop(f"/{last}")
    with pytest.raises(FileNotFoundError, match=f"{last}: the server answers 404"):
        fashion_mnist.load_data()
    assert len(everything_under(home)) == 3
    server.files[f"/{last}"] = content
    server.asked.clear()
    assert_small(fashion_mnist.load_data())
    assert server.asked == [f"/{last}"]


@pytest.mark.parametrize("folder", ["fashion_mnist", "fashion-mnist"])
def test_fashion_mnist_from_a_data_folder(small_fashion, monkeypatch, tmp_path, folder):
    write_idx(tmp_path / "data" / folder, ending=".gz")
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    assert_small(fashion_mnist.load_data())


def test_fashion_mnist_from_keras_cache(small_fashion, server, home):
    write_idx(home / ".keras" / "datasets" / "fashion-mnist", ending=".gz")
    assert_small(fashion_mnist.load_data())
    assert server.asked == []


def test_mnist_is_not_taken_for_fashion_mnist(small_fashion, monkeypatch, tmp_path):
    other = replace(small_fashion, others={sha256(SMALL["y_train"].tobytes()): "MNIST"})
    monkeypatch.setattr(fashion_mnist, "_FASHION_MNIST", other)
    write_idx(tmp_path / "data" / "fashion_mnist")
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    with pytest.raises(ValueError, match="these are MNIST's labels, not Fashion-MNIST's"):
        fashion_mnist.load_data()


# ------------------------------------------------------------------------------------------ CIFAR


def old_pickle(pixels: np.ndarray, labels: dict[str, list[int]]) -> bytes:
    """A batch in the bytes of Python 2's pickle and its NumPy, as the published files are."""

    def text(content: bytes) -> bytes:
        return b"T" + struct.pack("<I", len(content)) + content

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    dtype = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R"
    dtype += b"(" + number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
    array += number(0) + b"\x85" + text(b"b") + b"\x87R"
    array += b"(" + number(1) + b"".join(map(number, pixels.shape)) + b"\x86" + dtype + b"\x89"
    array += text(pixels.tobytes()) + b"tb"
    items = text(b"data") + array
    for name, values in labels.items():
        items += text(name.encode()) + b"](" + b"".join(map(number, values)) + b"e"
    return b"\x80\x02}(" + items + b"u."


def batch(seed: int, count: int, names: dict[str, int]) -> tuple[np.ndarray, dict, bytes]:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 3072)).astype("uint8")
    labels = {name: rng.integers(0, top, count).tolist() for name, top in names.items()}
    return pixels, labels, old_pickle(pixels, labels)


def test_a_published_batch_is_read_without_an_ordinary_unpickler():
    pixels, labels, content = batch(0, 3, {"labels": 10})
    assert pickle.loads(content, encoding="bytes")[b"labels"] == labels["labels"]
    images, read = cifar.parse_batch("here", content, 3, "labels", 10)
    assert read == labels["labels"]
    assert images.shape == (3, 32, 32, 3)
    assert images.flags.c_contiguous
    # red, green, blue planes, each row by row
    assert images[1, 4, 7, 2] == pixels[1, 2 * 1024 + 4 * 32 + 7]


def test_channels_come_first_where_layers_expect_them_first(monkeypatch):
    pixels, _, content = batch(0, 3, {"labels": 10})
    monkeypatch.setattr(cifar, "image_data_format", lambda: "channels_first")
    images, _ = cifar.parse_batch("here", content, 3, "labels", 10)
    np.testing.assert_array_equal(images, pixels.reshape(3, 3, 32, 32))
    assert images.flags.writeable


def test_a_batch_saved_again_by_todays_numpy_is_read():
    pixels = np.arange(2 * 3072).reshape(2, 3072).astype("uint8")
    for array in (pixels, np.asfortranarray(pixels)):
        content = pickle.dumps({b"data": array, b"labels": [1, 2]}, protocol=3)
        images, _ = cifar.parse_batch("here", content, 2, "labels", 10)
        np.testing.assert_array_equal(images.transpose(0, 3, 1, 2).reshape(2, -1), pixels)


class Evil:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("function", [os.mkdir, os.system, exec, eval, print])
def test_no_code_in_a_batch_is_run(function, tmp_path, capsys):
    evil = Evil(function, str(tmp_path / "made"))
    content = pickle.dumps({b"data": evil, b"labels": []}, protocol=3)
    with pytest.raises(ValueError, match=r"here: not a CIFAR batch .*nothing in it was run"):
        cifar.parse_batch("here", content, 2, "labels", 10)
    assert not (tmp_path / "made").exists()
    assert capsys.readouterr().out == ""


def test_no_attribute_of_the_readers_classes_can_be_set():
    for name in (b"ndarray", b"dtype"):
        content = b"\x80\x02cnumpy\n" + name + b"\nN}U\x08__init__Ns\x86b."
        with pytest.raises(ValueError, match="not a CIFAR batch"):
            cifar.parse_batch("here", content, 2, "labels", 10)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a CIFAR batch"),
        (b"noise", "not a CIFAR batch"),
        (pickle.dumps([1, 2]), "holds a list, not a dict"),
        (pickle.dumps({b"data": [1], b"labels": [1]}), "no array 'data'"),
        (batch(0, 3, {"labels": 10})[2][:-3000], "not a CIFAR batch"),
        (batch(0, 2, {"labels": 10})[2], "2 labels and pixels of shape"),
        (batch(0, 3, {"labels": 5})[2].replace(b"labels", b"Labels"), "no array 'data' and list"),
        (old_pickle(np.zeros((3, 3072), "uint8"), {"labels": [0, 1, 10]}), "from 0 to 9"),
        (pickle.dumps({b"data": np.zeros((3, 3072)), b"labels": []}, 3), "not bytes"),
    ],
)
def test_a_batch_that_is_none(content, message):
    with pytest.raises(ValueError, match=message):
        cifar.parse_batch("here", content, 3, "labels", 10)


def small_cifar(spec, server, counts, names):
    """A small published archive on the server, its spec, and what is in it."""
    contents, truth = {}, []
    for seed, ((name, _), count) in enumerate(zip(spec.batches, counts, strict=True)):
        pixels, labels, content = batch(seed, count, names)
        contents[f"{spec.folder}/{name}"] = content
        truth.append((pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels))
    packed = tar_of(contents)
    server.files[f"/{spec.archive.name}"] = packed
    small = replace(
        spec,
        archive=places.RemoteFile(
            spec.archive.name, f"{server.url}/{spec.archive.name}", sha256(packed)
        ),
        batches=tuple(
            (Path(name).name, hashlib.md5(content).hexdigest())
            for name, content in contents.items()
        ),
        image_counts=counts,
    )
    return small, truth, contents


@pytest.fixture
def small_cifar10(monkeypatch, server):
    small, truth, contents = small_cifar(cifar10._CIFAR10, server, (2,) * 6, {"labels": 10})
    monkeypatch.setattr(cifar10, "_CIFAR10", small)
    return truth, contents


def assert_cifar10(truth):
    (x_train, y_train), (x_test, y_test) = cifar10.load_data()
    np.testing.assert_array_equal(x_train, np.concatenate([images for images, _ in truth[:5]]))
    np.testing.assert_array_equal(x_test, truth[5][0])
    assert y_train.tolist() == [[n] for _, labels in truth[:5] for n in labels["labels"]]
    assert y_test.tolist() == [[n] for n in truth[5][1]["labels"]]
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}


def test_cifar10_is_downloaded_unpacked_and_found_again(small_cifar10, server, home):
    truth, _ = small_cifar10
    assert_cifar10(truth)
    cache = home / ".cache" / "cornu" / "datasets" / "cifar10"
    assert everything_under(cache) == sorted(
        f"cifar-10-batches-py/{name}" for name, _ in cifar10._CIFAR10.batches
    )
    assert_cifar10(truth)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "place",
    [
        "data/cifar10",
        "data/cifar10/cifar-10-batches-py",
        "home/.keras/datasets/cifar-10-batches-py",
        "home/.keras/datasets/cifar-10-batches-py-target/cifar-10-batches-py",
    ],
)
def test_cifar10_from_folders(small_cifar10, server, monkeypatch, tmp_path, place):
    truth, contents = small_cifar10
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    (tmp_path / place).mkdir(parents=True)
    for name, content in contents.items():
        (tmp_path / place / Path(name).name).write_bytes(content)
    assert_cifar10(truth)
    assert server.asked == []


@pytest.mark.parametrize(
    "place",
    [
        "data/cifar10/cifar-10-python.tar.gz",
        "home/.keras/datasets/cifar-10-batches-py.tar.gz",
        "home/.keras/datasets/cifar-10-batches-py-target_archive",
    ],
)
def test_cifar10_from_archives(small_cifar10, server, monkeypatch, tmp_path, place):
    truth, _ = small_cifar10
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    (tmp_path / place).parent.mkdir(parents=True)
    packed = server.files["/cifar-10-python.tar.gz"]
    (tmp_path / place).write_bytes(packed)
    assert_cifar10(truth)
    assert server.asked == []
    (tmp_path / place).write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ValueError, match="truncated or not the published archive"):
        cifar10.load_data()


def test_a_changed_or_missing_cifar_batch_is_an_error(small_cifar10, monkeypatch, tmp_path):
    _, contents = small_cifar10
    folder = tmp_path / "data" / "cifar10"
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / Path(name).name).write_bytes(content)
    monkeypatch.setenv("CORNU_DATA", str(tmp_path / "data"))
    (folder / "data_batch_3").write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"data_batch_3: the MD5 .* damaged; replace it"):
        cifar10.load_data()
    (folder / "data_batch_3").unlink()
    with pytest.raises(FileNotFoundError, match="cifar10 is incomplete: no data_batch_3"):
        cifar10.load_data()


def test_cifar100_has_two_kinds_of_labels(monkeypatch, server):
    names = {"fine_labels": 100, "coarse_labels": 20}
    small, truth, _ = small_cifar(cifar100._CIFAR100, server, (4, 2), names)
    monkeypatch.setattr(cifar100, "_CIFAR100", small)
    for mode in ("fine", "coarse"):
        (x_train, y_train), (x_test, y_test) = cifar100.load_data(label_mode=mode)
        np.testing.assert_array_equal(x_train, truth[0][0])
        np.testing.assert_array_equal(x_test, truth[1][0])
        assert y_train.tolist() == [[n] for n in truth[0][1][f"{mode}_labels"]]
        assert y_test.shape == (2, 1)
        assert y_train.dtype == y_test.dtype == np.int64
    with pytest.raises(ValueError, match=r"label_mode='rough'\): expected 'fine' or 'coarse'"):
        cifar100.load_data("rough")


# --------------------------------------------------------------------------------- the real thing


def test_the_whole_of_mnist(monkeypatch):
    folder = REAL_DATA
    if not folder or not os.path.isdir(os.path.join(folder, "mnist")):
        pytest.skip("needs CORNU_DATA to be a folder that holds mnist/")
    monkeypatch.setenv("CORNU_DATA", folder)
    (x_train, y_train), (x_test, y_test) = mnist.load_data()
    assert x_train.shape == (60000, 28, 28)
    assert x_test.shape == (10000, 28, 28)
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert x_train.dtype == y_train.dtype == np.uint8
    assert digit_sets.MNIST_DIGESTS["x_train"] == sha256(x_train.tobytes())


# Before any test takes it out of the environment.
REAL_DATA = os.environ.get("CORNU_DATA", "")
