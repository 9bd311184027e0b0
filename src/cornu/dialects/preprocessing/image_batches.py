"""Batches of images: those of an array, and those in folders."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cornu.utils import PyDataset

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".tif", ".tiff")


class ImageIterator(PyDataset):
    """Batches of images, as a sequence and, without an end, as an iterator.

    Attributes:
        n, samples: number of images; batch_size: images in a batch.
    """

    def __init__(
        self,
        generator: Any,
        image: Callable[[int], np.ndarray],
        count: int,
        rest: list[np.ndarray],
        batch_size: int,
        shuffle: bool,
        seed: int | None,
    ):
        super().__init__()
        self.image_data_generator = generator
        self.n = self.samples = count
        self.batch_size, self.shuffle, self.seed = batch_size, shuffle, seed
        self.image_shape: tuple = image(0).shape if count else ()
        self._image, self._rest = image, rest
        self._order: np.ndarray | None = None
        self._seen = 0
        self._next = 0

    def __len__(self) -> int:
        return math.ceil(self.n / self.batch_size)

    def on_epoch_end(self) -> None:
        """Draws another order."""
        self._order = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def reset(self) -> None:
        """Begins with the first batch again."""
        self._next = 0

    def __getitem__(self, index: int) -> Any:
        if not 0 <= index < len(self):
            raise IndexError(f"batch {index} of {len(self)}")
        if self.seed is not None:
            np.random.seed(self.seed + self._seen)
        self._seen += 1
        if self._order is None:
            self.on_epoch_end()
        assert self._order is not None
        rows = self._order[index * self.batch_size : (index + 1) * self.batch_size]
        made = self.image_data_generator
        images = np.stack(
            [made.standardize(made.random_transform(self._image(row))) for row in rows]
        ).astype(made.dtype)
        return self._with_labels(images, rows)

    def _with_labels(self, images: np.ndarray, rows: np.ndarray) -> Any:
        return (images, *(one[rows] for one in self._rest)) if self._rest else images

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        if self._next == 0:
            self._order = None
        batch = self[self._next]
        self._next = (self._next + 1) % len(self)
        return batch

    next = __next__


class DirectoryIterator(ImageIterator):
    """Batches of images in files, a folder for each class.

    Attributes:
        class_indices: from a folder's name to its number; classes: each image's number, (images,);
            filenames: below the directory; filepaths: whole.
    """

    def __init__(
        self,
        generator: Any,
        directory: str | os.PathLike,
        read: Callable[[str], np.ndarray],
        classes: list[str] | None,
        class_mode: str | None,
        batch_size: int,
        shuffle: bool,
        seed: int | None,
        subset: str | None,
    ):
        if class_mode not in ("categorical", "binary", "sparse", "input", None):
            raise ValueError(
                f"flow_from_directory(class_mode={class_mode!r}): expected 'categorical', "
                "'binary', 'sparse', 'input' or None"
            )
        directory = os.fspath(directory)
        if not classes:
            with os.scandir(directory) as entries:
                classes = sorted(entry.name for entry in entries if entry.is_dir())
        self.directory, self.class_mode = directory, class_mode
        self.class_indices = {name: number for number, name in enumerate(classes)}
        self.num_classes = len(classes)
        self.filenames: list[str] = []
        numbers: list[int] = []
        for name, number in self.class_indices.items():
            found = _images_below(os.path.join(directory, name))
            found = found[generator.subset(len(found), subset)]
            self.filenames += [os.path.join(name, file) for file in found]
            numbers += [number] * len(found)
        self.classes = np.array(numbers, "int32")
        self.filepaths = [os.path.join(directory, file) for file in self.filenames]
        print(f"Found {len(self.filenames)} images belonging to {self.num_classes} classes.")
        super().__init__(
            generator,
            lambda row: read(self.filepaths[row]),
            len(self.filenames),
            [],
            batch_size,
            shuffle,
            seed,
        )

    def _with_labels(self, images: np.ndarray, rows: np.ndarray) -> Any:
        numbers = self.classes[rows]
        if self.class_mode == "input":
            return images, images.copy()
        if self.class_mode == "categorical":
            return images, np.eye(self.num_classes, dtype=images.dtype)[numbers]
        if self.class_mode is None:
            return images
        return images, numbers.astype(images.dtype)


def _images_below(folder: str) -> list[str]:
    """The image files in a folder and those inside it, by name."""
    return sorted(
        os.path.relpath(os.path.join(parent, file), folder)
        for parent, _, files in os.walk(folder)
        for file in files
        if file.lower().endswith(_ENDINGS)
    )
