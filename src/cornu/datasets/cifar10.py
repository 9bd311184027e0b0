"""CIFAR-10: 60,000 small colour photographs of ten kinds of things."""

from __future__ import annotations

import numpy as np

from cornu.datasets.cifar import CifarSet, load
from cornu.datasets.places import RemoteFile

_CIFAR10 = CifarSet(
    name="cifar10",
    archive=RemoteFile(
        "cifar-10-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
    folder="cifar-10-batches-py",
    batches=(
        ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
        ("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
        ("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
        ("data_batch_4", "634d18415352ddfa80567beed471001a"),
        ("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
        ("test_batch", "40351d587109b95175f43aff81a1287e"),
    ),
    image_counts=(10_000,) * 6,
    keras_names=("cifar-10-batches-py-target",),
)


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Loads CIFAR-10: 32x32 colour photographs of ten kinds of animals and vehicles.

    Looks in `$CORNU_DATA/cifar10` (the folder `cifar-10-batches-py`, its files, or
    `cifar-10-python.tar.gz`), in Cornu's cache, in Keras' cache (`~/.keras/datasets`), and then
    downloads it, 170 MB, and keeps it. The files are Python pickles; they are read without running
    anything in them.

    The labels: 0 airplane, 1 automobile, 2 bird, 3 cat, 4 deer, 5 dog, 6 frog, 7 horse, 8 ship,
    9 truck.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `(50000, 32, 32, 3)` and
        `(10000, 32, 32, 3)`, red, green and blue from 0 to 255 (with the channels second where
        `image_data_format()` is `"channels_first"`); labels uint8 `(50000, 1)` and
        `(10000, 1)`, from 0 to 9.

    Raises:
        FileNotFoundError: where it is nowhere and can't be downloaded; names every place.
        ValueError: where a file is damaged or holds something else. Nothing else is taken instead.

    Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    >>> x_train.shape, y_train.shape  # doctest: +SKIP
    ((50000, 32, 32, 3), (50000, 1))
    """
    *train, (x_test, y_test) = load(_CIFAR10, "labels", classes=10)
    x_train = np.concatenate([images for images, _ in train])
    y_train = np.array([label for _, labels in train for label in labels], dtype="uint8")
    return (x_train, y_train[:, None]), (x_test, np.array(y_test, dtype="uint8")[:, None])
