"""Where data sets are looked for, and what is said when one is nowhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cornu.utils.files import cache_directory, download, keras_directory

T = TypeVar("T")


@dataclass(frozen=True)
class RemoteFile:
    """One published file.

    `name` is what it is called in the cache, `url` where it is fetched from, `digest` its published
    SHA-256 or MD5.
    """

    name: str
    url: str
    digest: str


@dataclass(frozen=True)
class Place:
    """A folder that may hold a data set, how to call it in a message, and who put files there."""

    folder: Path
    says: str
    by_hand: bool


def places(name: str, keras_folder: str = "") -> tuple[list[Place], list[str]]:
    """The folders to look in for a data set, in order, and a note for each that can't be one.

    Args:
        name: the data set, such as `"mnist"`.
        keras_folder: the folder under `~/.keras/datasets` that Keras uses for it.

    Returns:
        The places: `$CORNU_DATA/NAME`, Cornu's cache, Keras' cache; and the notes.
    """
    found, notes = [], []
    if data := os.environ.get("CORNU_DATA"):
        for spelling in dict.fromkeys([name, name.replace("_", "-")]):
            folder = Path(data).expanduser() / spelling
            if folder.is_dir():
                found.append(Place(folder, f"{folder} (CORNU_DATA)", by_hand=True))
                break
        else:
            notes.append(f"{Path(data).expanduser() / name} (CORNU_DATA): no such folder")
    else:
        notes.append(f"$CORNU_DATA/{name}: CORNU_DATA is not set")
    for folder, owner in (
        (cache_folder(name), "Cornu's cache"),
        (keras_directory() / "datasets" / keras_folder, "Keras' cache"),
    ):
        if folder.is_dir():
            found.append(Place(folder, f"{folder} ({owner})", by_hand=False))
        else:
            notes.append(f"{folder} ({owner}): no such folder")
    return found, notes


def cache_folder(name: str) -> Path:
    """The folder of a data set in Cornu's own cache."""
    return cache_directory() / "datasets" / name


def find(
    name: str,
    read: Callable[[Place], T | None],
    files: Sequence[RemoteFile],
    *,
    wanted: str,
    keras_folder: str = "",
    unpack: Callable[[Path, RemoteFile], None] | None = None,
) -> T:
    """Reads a data set from the first place that holds it, or fetches it into Cornu's cache.

    Args:
        name: the data set's name, which is also its folder's.
        read: reads the data set from a place; returns `None` where nothing of it is there, and
            raises where it is there and damaged, so that no damaged copy is passed over in silence.
        files: what to download where no place holds it.
        wanted: the names of the files that would be taken, for the message.
        keras_folder: the folder under `~/.keras/datasets` that Keras uses for it.
        unpack: what to do with a downloaded file. Default `None`: nothing.

    Returns:
        What `read` returned.

    Raises:
        FileNotFoundError: where it is in no place and can't be fetched; names every place.
        ValueError: where a copy is damaged, or what was fetched has another digest.
    """
    candidates, notes = places(name, keras_folder)
    for place in candidates:
        try:
            data = read(place)
        except ValueError as error:
            remedy = (
                "replace it" if place.by_hand else "delete it, and the next load fetches it anew"
            )
            raise ValueError(f"{name}: {error}; {remedy}") from error
        if data is not None:
            return data
        notes.append(f"{place.says}: holds no {wanted}")
    folder = cache_folder(name)
    try:
        for file in files:
            target = folder / file.name
            if not target.is_file():
                download(file.url, target, digest=file.digest)
                if unpack is not None:
                    unpack(target, file)
    except OSError as error:
        looked = "".join(f"\n  {note}" for note in notes)
        raise FileNotFoundError(
            f"{name}: not found on this machine, and it could not be downloaded.\n"
            f"Looked in:{looked}\n"
            f"Download: {error}\n"
            f"Connect this machine to the internet and try again; or put {wanted} into a folder "
            f"named {name} and set CORNU_DATA to the folder above it. Another cache folder is "
            "chosen with CORNU_CACHE_DIR."
        ) from error
    data = read(Place(folder, f"{folder} (Cornu's cache)", by_hand=False))
    if data is None:
        raise ValueError(f"{folder}: what was downloaded holds no {wanted}")
    return data
