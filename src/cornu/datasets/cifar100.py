"""CIFAR-100: 60,000 small colour photographs of a hundred kinds of things."""

from __future__ import annotations

import numpy as np

from cornu.datasets.cifar import CifarSet, load
from cornu.datasets.places import RemoteFile

_CIFAR100 = CifarSet(
    name="cifar100",
    archive=RemoteFile(
        "cifar-100-python.tar.gz",
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    ),
    folder="cifar-100-python",
    batches=(
        ("train", "16019d7e3df5f24257cddd939b257f8d"),
        ("test", "f0ef6b0ae62326f3e7ffdfab6717acfc"),
    ),
    image_counts=(50_000, 10_000),
    keras_names=("cifar-100-python-target",),
)


def load_data(
    label_mode: str = "fine",
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Loads CIFAR-100: 32x32 colour photographs of 100 kinds of things, in 20 groups.

    Looks in `$CORNU_DATA/cifar100` (the folder `cifar-100-python`, its files, or
    `cifar-100-python.tar.gz`), in Cornu's cache, in Keras' cache (`~/.keras/datasets`), and then
    downloads it, 169 MB, and keeps it. The files are Python pickles; they are read without running
    anything in them.

    Args:
        label_mode: `"fine"` (default) for the 100 kinds, `"coarse"` for the 20 groups.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `(50000, 32, 32, 3)` and
        `(10000, 32, 32, 3)`, red, green and blue from 0 to 255 (with the channels second where
        `image_data_format()` is `"channels_first"`); labels int64 `(50000, 1)` and
        `(10000, 1)`, from 0 to 99 or from 0 to 19.

    Raises:
        FileNotFoundError: where it is nowhere and can't be downloaded; names every place.
        ValueError: where a file is damaged or holds something else (nothing else is taken instead),
            or `label_mode` is neither.

    Source: Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html

    >>> (x_train, y_train), (x_test, y_test) = load_data("coarse")  # doctest: +SKIP
    >>> x_train.shape, int(y_train.max())  # doctest: +SKIP
    ((50000, 32, 32, 3), 19)
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f"load_data(label_mode={label_mode!r}): expected 'fine' or 'coarse'")
    classes = 100 if label_mode == "fine" else 20
    train, test = load(_CIFAR100, f"{label_mode}_labels", classes)
    (x_train, y_train), (x_test, y_test) = (
        # int64, as in Keras 3 (its page says uint8)
        (images, np.array(labels, dtype="int64")[:, None])
        for images, labels in (train, test)
    )
    return (x_train, y_train), (x_test, y_test)
