"""Saving and loading: `.keras` files of whole models, `.weights.h5` files of weights."""

from __future__ import annotations

import contextlib
import datetime
import errno
import io
import json
import os
import sys
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

from cornu.core.reporting import warn
from cornu.core.serialization import deserialize, object_sharing, serialize, to_json
from cornu.saving.hdf5 import Entry, read_entries, write_entries
from cornu.saving.state import collect, restore

# The release of Keras whose layout of a `.keras` file this is.
KERAS_VERSION = "3.15.1"
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
# Keras stores members uncompressed. One that would grow a hundredfold when unpacked, to more than
# 256 MiB, is made to fill the memory.
_LARGE_MEMBER = 1 << 28
_EXPANSION = 100


def save_model(
    model, filepath, overwrite: bool = True, zipped: bool | None = None, **kwargs
) -> None:
    """Writes a model to a `.keras` file that Keras 3 opens too.

    The file holds the configuration, the weights, the optimizer's state and the compile settings.
    It is written beside its target and then put in its place, so that a full disk or an
    interruption leaves the last good file.

    Args:
        model: a model; also one that is not built or not compiled.
        filepath: string or path ending in `.keras`.
        overwrite: whether a file that is there is replaced. If False, the user is asked at a
            terminal; elsewhere it is an error.
        zipped: only True, or None (default), which means the same.
        kwargs: `include_optimizer` and `save_format` of older Keras; the optimizer is part of a
            `.keras` file.

    Raises:
        ValueError: another ending, an unknown argument, a part that cannot be written down.
        FileExistsError: the file is there, `overwrite` is False and nobody can be asked.
        OSError: it cannot be written; the message names it and the cause.

    >>> import tempfile
    >>> from cornu import Input, Sequential, layers
    >>> path = os.path.join(tempfile.mkdtemp(), "small.keras")
    >>> save_model(Sequential([Input((2,)), layers.Dense(3)]), path)
    >>> load_model(path).count_params()
    9
    """
    path = _path(filepath)
    kwargs.pop("include_optimizer", None)
    save_format = kwargs.pop("save_format", None)
    if kwargs:
        raise ValueError(f"save_model: unknown argument {next(iter(kwargs))!r}")
    if path.endswith((".h5", ".hdf5")) or save_format in ("h5", "tf"):
        raise ValueError(
            f"save_model({path!r}): the older HDF5 and SavedModel formats are not written; "
            "use a name that ends in .keras"
        )
    if not path.endswith(".keras"):
        raise ValueError(f"save_model({path!r}): the name of the file must end in .keras")
    if zipped is False:
        raise ValueError(f"save_model({path!r}, zipped=False): a .keras file is a zip archive")
    if not _may_write(path, overwrite):
        return
    if not model.built:
        warn(
            f"{model.name}: the model saved to {path!r} is not built, so the file holds no "
            "weights; call it on data or build(input_shape) it first",
        )
    with object_sharing():
        config = to_json(serialize(model))
    weights = write_entries(collect(model))

    def write(file) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(_METADATA, json.dumps(_metadata()))
            archive.writestr(_CONFIG, config)
            archive.writestr(_WEIGHTS, weights)

    _write_file(path, write)


def load_model(
    filepath, custom_objects: dict | None = None, compile: bool = True, safe_mode: bool = True
):
    """Reads a model from a `.keras` file written here or by Keras 3.

    No code from the file is run and nothing is imported for it: it can only name classes and
    functions that are known already.

    Args:
        filepath: string or path of a `.keras` file.
        custom_objects: dict from name to class or function, for those of your own that are not
            registered with `register_keras_serializable`.
        compile: whether the compile settings and the optimizer's state are taken over too.
        safe_mode: accepted as in Keras. Code in a file is never run, even where it is False.

    Returns:
        The model, with its weights.

    Raises:
        ValueError: no such file, no `.keras` file, or a damaged one; a class or function that is
            not known; weights that do not fit.
        OSError: the file cannot be read.
    """
    path = _path(filepath)
    config, entries = _read_archive(path, "load_model", with_config=True)
    if not compile:
        config.pop("compile_config", None)
        entries = {
            where: entry for where, entry in entries.items() if where.split("/")[0] != "optimizer"
        }
    try:
        with object_sharing():
            model = deserialize(config, custom_objects, safe_mode=safe_mode)
    except (KeyError, IndexError, AttributeError) as error:
        raise ValueError(
            f"{path}: its configuration cannot be read ({type(error).__name__}: {error})"
        ) from error
    except (ValueError, TypeError) as error:
        raise type(error)(f"{path}: {error}") from error
    if not hasattr(model, "save_own_variables"):
        raise ValueError(f"{path} describes a {type(model).__name__}, not a model")
    restore(model, entries, path)
    return model


def save_weights(model, filepath, overwrite: bool = True, max_shard_size=None, **kwargs) -> None:
    """Writes the weights of a model, and its optimizer's state, to a `.weights.h5` file.

    Args:
        model: a built model.
        filepath: string or path ending in `.weights.h5`.
        overwrite: as for `save_model`.
        max_shard_size: not supported; must be None.
        kwargs: `objects_to_skip`, a list of layers that are left out.

    Raises:
        ValueError: another ending, a model that is not built.
        FileExistsError, OSError: as for `save_model`.

    >>> import tempfile
    >>> from cornu import Input, Sequential, layers
    >>> path = os.path.join(tempfile.mkdtemp(), "small.weights.h5")
    >>> model = Sequential([Input((2,)), layers.Dense(3)])
    >>> save_weights(model, path)
    >>> model.load_weights(path)
    """
    path = _path(filepath)
    skip = kwargs.pop("objects_to_skip", None)
    if kwargs:
        raise ValueError(f"save_weights: unknown argument {next(iter(kwargs))!r}")
    if max_shard_size is not None:
        raise ValueError(
            "save_weights(max_shard_size=...): weights in several files are not written"
        )
    if not path.endswith(".weights.h5"):
        raise ValueError(f"save_weights({path!r}): the name of the file must end in .weights.h5")
    if not model.built:
        raise ValueError(
            f"save_weights({path!r}): {model.name} is not built, so it has no weights; call it on "
            "data or build(input_shape) it first"
        )
    if _may_write(path, overwrite):
        content = write_entries(collect(model, skip or ()))
        _write_file(path, lambda file: file.write(content))


def load_weights(
    model, filepath, skip_mismatch: bool = False, by_name: bool | None = None, **kwargs
) -> None:
    """Reads the weights of a model from a `.weights.h5` or `.keras` file, of Cornu or of Keras 3.

    Where the model is compiled and its optimizer built, its state is read too.

    Args:
        model: a built model of the same layers.
        filepath: string or path of the file.
        skip_mismatch: whether layers that do not fit keep their weights, with a warning, instead
            of an error.
        by_name: only for Keras' older HDF5 files, which are not read; must be None.
        kwargs: `objects_to_skip`, a list of layers that keep their weights.

    Raises:
        ValueError: an unknown kind of file, a damaged one, a model that is not built, or weights
            that do not fit; no weight is changed then.
        OSError: the file is not there or cannot be read.
    """
    path = _path(filepath)
    skip: Iterable = kwargs.pop("objects_to_skip", None) or ()
    if kwargs:
        raise ValueError(f"load_weights: unknown argument {next(iter(kwargs))!r}")
    if by_name is not None:
        raise ValueError(
            f"load_weights({path!r}, by_name={by_name}): only Keras' older .h5 files go by name, "
            "and they are not read"
        )
    if not path.endswith((".keras", ".weights.h5")):
        older = path.endswith((".h5", ".hdf5", ".weights.json"))
        raise ValueError(
            f"load_weights({path!r}): "
            + ("this older or sharded format of Keras is not read; " if older else "")
            + "expected a file whose name ends in .weights.h5 or .keras"
        )
    if not model.built:
        raise ValueError(
            f"load_weights({path!r}): {model.name} is not built, so it has no weights to set; call "
            "it on data or build(input_shape) it first"
        )
    if path.endswith(".keras"):
        _, entries = _read_archive(path, "load_weights", with_config=False)
    else:
        if not os.path.exists(path):
            raise FileNotFoundError(errno.ENOENT, f"load_weights: there is no file {path!r}")
        entries = read_entries(path, path)
    restore(model, entries, path, skip_mismatch, skip)


# -- reading -------------------------------------------------------------------------------------


def _path(filepath) -> str:
    try:
        path = os.fspath(filepath)
    except TypeError:
        raise TypeError(
            f"{filepath!r} of type {type(filepath).__name__} is not a path: give a string or a Path"
        ) from None
    return os.fsdecode(path)


def _read_archive(path: str, who: str, with_config: bool) -> tuple[dict, dict[str, Entry]]:
    """The configuration and the arrays in a `.keras` file."""
    _check_kind(path, who)
    try:
        with zipfile.ZipFile(path) as archive:
            config: Any = {}
            if with_config:
                config = json.loads(_member(archive, _CONFIG, path))
            weights = _member(archive, _WEIGHTS, path)
    except (zipfile.BadZipFile, EOFError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path} is damaged: its {_CONFIG} describes no model")
    return config, read_entries(io.BytesIO(weights), f"{path} ({_WEIGHTS})")


def _check_kind(path: str, who: str) -> None:
    """ValueError, with what to do, for anything that is no `.keras` file."""
    if os.path.isdir(path):
        raise ValueError(f"{who}({path!r}): it is a folder; only zipped .keras files are read")
    if not os.path.exists(path):
        raise ValueError(f"{who}({path!r}): there is no such file")
    with open(path, "rb") as file:
        start = file.read(8)
    if start == _HDF5_MAGIC:
        raise ValueError(
            f"{who}({path!r}): it is an HDF5 file. Whole models in Keras' older .h5 format are not "
            "read: open it in Keras and save it as .keras; weights are read by load_weights from a "
            "file whose name ends in .weights.h5"
        )
    if not zipfile.is_zipfile(path):
        state = "it is empty" if not start else "it is not a zip archive, or it is cut short"
        raise ValueError(f"{who}({path!r}): it is no .keras file: {state}")
    if not path.endswith(".keras"):
        raise ValueError(f"{who}({path!r}): the name of a saved model must end in .keras")


def _member(archive: zipfile.ZipFile, name: str, path: str) -> bytes:
    """One file in the archive, read into memory; nothing is ever unpacked to the disk."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise ValueError(
            f"{path} is no .keras file: the archive holds no {name} "
            f"(it holds {', '.join(archive.namelist()[:5]) or 'nothing'})"
        ) from None
    if info.file_size > _LARGE_MEMBER and info.file_size > _EXPANSION * info.compress_size:
        raise ValueError(
            f"{path}: {name} would grow from {info.compress_size:,} to {info.file_size:,} bytes "
            "when unpacked; it is not read"
        )
    try:
        return archive.read(info)
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or compressed in another way
        raise ValueError(f"{path}: {name} cannot be read: {error}") from error


# -- writing -------------------------------------------------------------------------------------


def _metadata() -> dict:
    cornu = sys.modules["cornu"]
    return {
        "keras_version": KERAS_VERSION,
        "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
        "cornu_version": getattr(cornu, "__version__", ""),
    }


def _may_write(path: str, overwrite: bool) -> bool:
    """Whether the file may be written: it is not there, or it may be replaced."""
    if overwrite or not os.path.exists(path):
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise FileExistsError(
            errno.EEXIST, f"{path!r} is there already; pass overwrite=True to replace it"
        )
    answer = input(f"{path} is there already. Replace it? [y/n] ")
    return answer.strip().lower() in ("y", "yes")


def _write_file(path: str, write: Callable[[Any], Any]) -> None:
    """Writes a file so that at any time either the old one or the whole new one is there."""
    target = os.path.realpath(path)  # a link stays a link
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}-{os.urandom(4).hex()}.part")
    try:
        if os.path.isdir(target):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        try:
            with open(temporary, "xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())  # a full disk, or a network folder, may say so only now
            if os.path.exists(target):
                with contextlib.suppress(OSError):
                    os.chmod(temporary, os.stat(target).st_mode & 0o7777)
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.remove(temporary)
            raise
    except OSError as error:
        cause = error.strerror or str(error)
        if error.errno == errno.ENOENT:
            cause = f"there is no folder {folder!r}"
        message = f"{path!r} cannot be written: {cause}"
        if os.path.isfile(target):
            message += ". The file saved there before is unchanged"
        if error.errno is None:
            raise OSError(message) from error
        raise OSError(error.errno, message) from error
