"""What MNIST and Fashion-MNIST share: 28x28 grey images, in IDX files or one .npz file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cornu.datasets.places import Place, RemoteFile, find
from cornu.datasets.readers import read_idx, read_npz

Arrays = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]

_PARTS = ("x_train", "y_train", "x_test", "y_test")
_STEMS = {
    "x_train": ("train-images", 3),
    "y_train": ("train-labels", 1),
    "x_test": ("t10k-images", 3),
    "y_test": ("t10k-labels", 1),
}

# SHA-256 of MNIST's numbers in C order, without any file header: the same whichever file they came
# from. They were taken from files whose MD5 digests are the published ones.
MNIST_DIGESTS = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}


@dataclass(frozen=True)
class DigitSet:
    """One published set of small grey images.

    Args:
        name: its folder's name.
        title: its name in a message.
        files: what to download.
        keras_folder: the folder under `~/.keras/datasets` where Keras keeps it.
        sizes: how many training and test images it has.
        digests: the SHA-256 of each part's numbers. Default: none, so none is checked.
        others: SHA-256 of training labels that belong to another data set, and its title.
    """

    name: str
    title: str
    files: tuple[RemoteFile, ...]
    keras_folder: str = ""
    sizes: tuple[int, int] = (60_000, 10_000)
    digests: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


def load(spec: DigitSet, npz_name: str) -> Arrays:
    """Finds, reads and checks a set; `npz_name` is what its .npz file is called."""
    return find(
        spec.name,
        lambda place: read_folder(spec, place, npz_name),
        spec.files,
        wanted=f"{npz_name} or IDX files (train-images-idx3-ubyte, gzipped or not, and so on)",
        keras_folder=spec.keras_folder,
    )


def read_folder(spec: DigitSet, place: Place, npz_name: str) -> Arrays | None:
    """The set from one folder, or `None` where nothing of it is there."""
    npz = place.folder / npz_name
    if npz.is_file():
        return read_npz_set(spec, npz)
    found = {part: _idx_path(place.folder, part) for part in _PARTS}
    missing = [_STEMS[part][0] for part, path in found.items() if path is None]
    if len(missing) == len(_PARTS):
        return None
    if missing:
        if not place.by_hand:  # a download that was broken off between two files: go on with it
            return None
        raise FileNotFoundError(
            f"{place.folder}: {spec.title} is incomplete: no IDX file for {', '.join(missing)}"
        )
    arrays = {part: read_idx(path) for part, path in found.items() if path is not None}
    return _checked(spec, arrays, place.folder)


def read_npz_set(spec: DigitSet, path: Path) -> Arrays:
    """The set from an .npz file with x_train, y_train, x_test and y_test."""
    return _checked(spec, read_npz(path, _PARTS), path)


def _idx_path(folder: Path, part: str) -> Path | None:
    stem, rank = _STEMS[part]
    # The published name has a dash; some copies were renamed to end in .idx3-ubyte.
    for name in (f"{stem}-idx{rank}-ubyte", f"{stem}.idx{rank}-ubyte"):
        for ending in ("", ".gz"):
            if (folder / (name + ending)).is_file():
                return folder / (name + ending)
    return None


def _checked(spec: DigitSet, arrays: dict[str, np.ndarray], where: Path) -> Arrays:
    train, test = spec.sizes
    shapes = {
        "x_train": (train, 28, 28),
        "y_train": (train,),
        "x_test": (test, 28, 28),
        "y_test": (test,),
    }
    for part, shape in shapes.items():
        array = arrays[part]
        if array.shape != shape or array.dtype != np.uint8:
            raise ValueError(
                f"{where}: {part} is {array.dtype} of shape {array.shape}; {spec.title} has uint8 "
                f"of shape {shape}"
            )
    other = spec.others.get(_digest(arrays["y_train"]))
    if other:
        raise ValueError(f"{where}: these are {other}'s labels, not {spec.title}'s")
    for part, expected in spec.digests.items():
        if (actual := _digest(arrays[part])) != expected:
            raise ValueError(
                f"{where}: {part} is not {spec.title}'s (SHA-256 {actual[:16]}..., expected "
                f"{expected[:16]}...): the file is damaged or holds another data set"
            )
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
