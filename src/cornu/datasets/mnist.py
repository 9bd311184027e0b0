"""MNIST: 70,000 handwritten digits."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from cornu.datasets.digit_sets import MNIST_DIGESTS, DigitSet, load, read_npz_set
from cornu.datasets.places import RemoteFile

_MNIST = DigitSet(
    name="mnist",
    title="MNIST",
    files=(
        RemoteFile(
            "mnist.npz",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
        ),
    ),
    digests=MNIST_DIGESTS,
)


def load_data(
    path: str | os.PathLike = "mnist.npz",
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Loads MNIST: 28x28 grey images of handwritten digits and which digit each is.

    Looks in `$CORNU_DATA/mnist` (the original IDX files, gzipped or not, or `mnist.npz`), in
    Cornu's cache, in Keras' cache (`~/.keras/datasets`), and then downloads and keeps it (11 MB).

    Args:
        path: the name of the .npz file in those folders. Default `"mnist.npz"`. With a folder in
            it, this very file is read and nothing else is looked at.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `(60000, 28, 28)` and
        `(10000, 28, 28)`, from 0 (paper) to 255 (ink); labels uint8 `(60000,)` and `(10000,)`, from
        0 to 9.

    Raises:
        FileNotFoundError: where MNIST is nowhere and can't be downloaded; names every place.
        ValueError: where a file is damaged or holds something else. Nothing else is taken instead.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits",
    http://yann.lecun.com/exdb/mnist/ (Creative Commons Attribution-Share Alike 3.0).

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    >>> x_train.shape, y_train[:3]  # doctest: +SKIP
    ((60000, 28, 28), array([5, 0, 4], dtype=uint8))
    """
    name = os.fspath(path)
    if os.path.dirname(name):
        return read_npz_set(_MNIST, Path(name).expanduser())
    return load(_MNIST, name)
