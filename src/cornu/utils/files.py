"""Files from elsewhere: where they are cached, fetching them whole or not at all, checking them.

Nothing half-written is ever left under a file's own name: content goes to a temporary file beside
it, is checked there, and takes the name in one step (`os.replace`).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from cornu.core.cache import cache_directory

_BLOCK = 1 << 18


def keras_directory() -> Path:
    """The folder where Keras keeps its settings and data sets: `$KERAS_HOME`, else `~/.keras`."""
    home = os.environ.get("KERAS_HOME")
    return Path(home).expanduser() if home else Path.home() / ".keras"


def hash_file(path: str | os.PathLike, algorithm: str = "sha256") -> str:
    """The digest of a file's content, in hexadecimal.

    Args:
        path: the file.
        algorithm: `"sha256"` (default) or `"md5"`.

    Returns:
        64 hexadecimal digits for SHA-256, 32 for MD5.

    >>> hash_file(os.devnull)[:16]
    'e3b0c44298fc1c14'
    """
    digest = _hasher(algorithm)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _hasher(algorithm: str) -> Any:
    if algorithm not in ("sha256", "md5"):
        raise ValueError(f"hash algorithm {algorithm!r}: expected 'sha256', 'md5' or 'auto'")
    # MD5 here tells one published file from another; it keeps nothing secret.
    return hashlib.new(algorithm, usedforsecurity=False)


def _algorithm_of(digest: str, algorithm: str = "auto") -> str:
    if algorithm != "auto":
        return algorithm
    return "sha256" if len(digest) == 64 else "md5"


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends without an error.

    Write a file or make a folder there. If the block raises, whatever is there is removed and what
    stood at `path` before stays as it was.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "numbers.txt"
    >>> with atomic_path(target) as temporary:
    ...     _ = temporary.write_text("1 2 3")
    ...     target.exists()
    False
    >>> target.read_text()
    '1 2 3'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the last step is a rename within one file system.
    temporary = path.parent / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part"
    try:
        yield temporary
        if temporary.is_dir() and path.is_dir():
            # A folder can't take the place of one that holds files: that one steps aside first.
            aside = temporary.with_suffix(".old")
            os.replace(path, aside)
            os.replace(temporary, path)
            shutil.rmtree(aside, ignore_errors=True)
        else:
            os.replace(temporary, path)
    except BaseException:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)
        raise


class ProgressBar:
    """A progress bar on standard error that shows only once the work has taken a second.

    Args:
        description: what is going on, such as `"mnist.npz"`.
        total: how much there is to do, or `None` where nobody knows.
        transfer: whether the amounts are bytes that travel. Default False: a plain count.
    """

    def __init__(self, description: str, total: float | None, *, transfer: bool = False):
        self.description, self.total, self.transfer = description, total, transfer
        self._done = 0.0
        self._start = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def advance(self, amount: float) -> None:
        """Adds `amount` to what is done."""
        self._done += amount
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)
        elif time.monotonic() - self._start > 1.0:
            self._show()

    def _show(self) -> None:
        from rich import progress
        from rich.console import Console

        columns: list[Any] = [progress.TextColumn("{task.description}"), progress.BarColumn()]
        if self.transfer:
            columns += [progress.DownloadColumn(), progress.TransferSpeedColumn()]
        columns.append(progress.TimeRemainingColumn())
        self._bar = progress.Progress(
            *columns, console=Console(file=sys.stderr), transient=not self.transfer
        )
        self._task = self._bar.add_task(self.description, total=self.total, completed=self._done)
        self._bar.start()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def download(
    url: str,
    path: str | os.PathLike,
    *,
    digest: str | None = None,
    algorithm: str = "auto",
    timeout: float = 30.0,
) -> Path:
    """Fetches a URL into a file, whole and checked, or not at all.

    A progress bar shows after a second.

    Args:
        url: what to fetch (http, https, ftp or file).
        path: where to put it; folders on the way are made.
        digest: the published SHA-256 or MD5 digest of the content, in hexadecimal. Default `None`:
            not checked.
        algorithm: `"sha256"`, `"md5"` or `"auto"` (default: told by the digest's length).
        timeout: seconds without a byte after which the server counts as gone. Default 30.

    Returns:
        The path.

    Raises:
        OSError: where the server can't be reached, refuses, or stops before the end.
        ValueError: where the content is not what the digest says.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "here.txt").write_text("some text")
    >>> download((folder / "here.txt").as_uri(), folder / "there.txt").read_text()
    'some text'
    """
    # Here, as in the functions below: `import cornu` should not pay for the network's modules.
    import http.client
    import urllib.error
    import urllib.request

    path = Path(path)
    check = _hasher(_algorithm_of(digest, algorithm)) if digest is not None else None
    with atomic_path(path) as temporary:
        try:
            # Some servers turn away Python's own User-Agent.
            request = urllib.request.Request(url, headers={"User-Agent": "cornu"})
            with (
                urllib.request.urlopen(request, timeout=timeout) as response,
                open(temporary, "wb") as file,
            ):
                _copy(response, file, check, path.name)
        except urllib.error.HTTPError as error:
            error.close()  # it is also the response, with an open connection
            raise OSError(f"{url}: the server answers {error.code} {error.reason}") from error
        except urllib.error.URLError as error:
            raise OSError(f"{url}: no connection ({error.reason})") from error
        except (OSError, http.client.HTTPException) as error:
            raise OSError(f"{url}: {error}") from error
        if check is not None and check.hexdigest() != str(digest).lower():
            raise ValueError(
                f"{url}: the {check.name.upper()} digest of what arrived is {check.hexdigest()}, "
                f"expected {digest}; it was thrown away. The file on the server has changed, or "
                "something on the way changes it"
            )
    return path


def _copy(response: Any, file: BinaryIO, check: Any, name: str) -> None:
    length = response.headers.get("Content-Length")
    total = int(length) if length is not None and length.isdigit() else None
    received = 0
    with ProgressBar(name, total, transfer=True) as bar:
        while block := response.read(_BLOCK):
            file.write(block)
            if check is not None:
                check.update(block)
            received += len(block)
            bar.advance(len(block))
    # http.client does not complain when a connection closes before the announced length.
    if total is not None and received != total:
        raise OSError(f"the transfer stopped after {received:,} of {total:,} bytes")


def get_file(
    fname: str | os.PathLike | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list[str] | None = "auto",
    cache_dir: str | os.PathLike | None = None,
    force_download: bool = False,
) -> str:
    """Fetches a file once and keeps it: the second call finds it in the cache.

    Args:
        fname: the name to keep it under. Default `None`: the last part of the URL. With `extract`,
            a name without a dot is the name of the extracted folder.
        origin: the URL. Required.
        untar: the same as `extract` with `archive_format="tar"`. Default False.
        md5_hash: the same as `file_hash` with `hash_algorithm="md5"`.
        file_hash: the SHA-256 or MD5 digest that the file must have. Default `None`: not checked.
            A cached file with another digest is fetched again.
        cache_subdir: the folder under `cache_dir`, or an absolute path. Default `"datasets"`.
        hash_algorithm: `"sha256"`, `"md5"` or `"auto"` (default: told by the digest's length).
        extract: whether to unpack a tar (also .gz, .bz2, .xz) or zip archive. Default False.
        archive_format: `"auto"` (default), `"tar"`, `"zip"`, a list of those, or `None`.
        cache_dir: the folder to cache under. Default `None`: Cornu's own (`$CORNU_CACHE_DIR`, else
            `~/.cache/cornu`; in Keras, `~/.keras`).
        force_download: whether to fetch it even if it is in the cache. Default False.

    Returns:
        The path of the file, or of the folder that it was unpacked into.

    Raises:
        ValueError: where `origin` is missing, `fname` is a path, the digest is wrong, or what
            should be unpacked is not an archive or would write outside its folder.
        OSError: where the file can't be fetched.

    Source: Keras 3, `keras.utils.get_file`; the arguments are the same.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "words.txt").write_text("one two")
    >>> path = get_file(origin=(folder / "words.txt").as_uri(), cache_dir=folder / "cache")
    >>> Path(path).read_text()
    'one two'
    """
    from urllib.parse import urlsplit

    if origin is None:
        raise ValueError("get_file(origin=None): give the URL to fetch, get_file(name, origin=URL)")
    given = os.fspath(fname) if fname is not None else ""
    name = given or os.path.basename(urlsplit(origin).path)
    if not name:
        raise ValueError(f"get_file(origin={origin!r}): the URL ends in no file name; give fname")
    if os.sep in name or (os.altsep and os.altsep in name):
        raise ValueError(
            f"get_file(fname={name!r}): fname is a name, not a path; "
            "the folder is cache_dir and cache_subdir"
        )
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"

    unpack = extract or untar
    folder = Path(cache_dir if cache_dir is not None else cache_directory()).expanduser()
    folder = folder / cache_subdir
    # The names of the archive and of its folder are Keras', so that the two can share a cache.
    target = folder / name
    unpacked = folder / name
    if unpack and given and "." in given:
        unpacked = folder / f"{given[: given.find('.')]}_extracted"
    elif unpack:
        target = folder / f"{name}_archive"

    fetch = force_download or not _is_cached(target, file_hash, hash_algorithm)
    if fetch:
        download(origin, target, digest=file_hash, algorithm=hash_algorithm)
    if not unpack:
        return str(target)
    # A folder appears under its name only when it is whole, so one that is there is good.
    if fetch or not unpacked.is_dir():
        _unpack(target, unpacked, "tar" if untar else archive_format)
    return str(unpacked)


def _is_cached(path: Path, digest: str | None, algorithm: str) -> bool:
    if not path.is_file():
        return False
    if digest is None:
        return True
    return hash_file(path, _algorithm_of(digest, algorithm)) == digest.lower()


def _unpack(archive: Path, folder: Path, formats: str | list[str] | None) -> None:
    import tarfile
    import zipfile

    if formats == "auto":
        formats = ["tar", "zip"]
    for kind in [formats] if isinstance(formats, str) else formats or []:
        if kind not in ("tar", "zip"):
            raise ValueError(f"archive_format={kind!r}: expected 'auto', 'tar', 'zip' or None")
        if kind == "tar" and tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar, atomic_path(folder) as temporary:
                temporary.mkdir()
                if not hasattr(tarfile, "data_filter"):  # Python before 3.11.4
                    _check_tar_members(tar, archive, temporary)
                    tar.extractall(temporary)
                    return
                try:
                    # Refuses paths and links that leave the folder, and devices.
                    tar.extractall(temporary, filter="data")
                except tarfile.FilterError as error:
                    raise ValueError(f"{archive}: {error}; nothing was unpacked") from error
            return
        if kind == "zip" and zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as bundle, atomic_path(folder) as temporary:
                temporary.mkdir()
                _check_zip_names(bundle, archive, temporary)
                bundle.extractall(temporary)
            return
    raise ValueError(
        f"{archive}: not an archive of the kind asked for (archive_format={formats!r}); "
        "fetch it with extract=False to look at it"
    )


def _check_tar_members(tar: Any, archive: Path, folder: Path) -> None:
    """For a Python whose tarfile does not check: files and folders within the folder, no more."""
    inside = folder.resolve()
    for member in tar.getmembers():
        if not (member.isfile() or member.isdir()):
            raise ValueError(
                f"{archive}: the member {member.name!r} is no file and no folder; nothing was "
                "unpacked"
            )
        if not (inside / member.name).resolve().is_relative_to(inside):
            raise ValueError(
                f"{archive}: the member {member.name!r} would be written outside the folder; "
                "nothing was unpacked"
            )
        member.mode = 0o755 if member.isdir() else 0o644


def _check_zip_names(bundle: Any, archive: Path, folder: Path) -> None:
    inside = folder.resolve()
    for name in bundle.namelist():
        if not (inside / name).resolve().is_relative_to(inside):
            raise ValueError(
                f"{archive}: the member {name!r} would be written outside the folder; "
                "nothing was unpacked"
            )
