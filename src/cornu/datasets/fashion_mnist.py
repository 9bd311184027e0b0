"""Fashion-MNIST: 70,000 pictures of clothes, in MNIST's form."""

from __future__ import annotations

import numpy as np

from cornu.datasets.digit_sets import MNIST_DIGESTS, DigitSet, load
from cornu.datasets.places import RemoteFile

# The data set's own repository; its README publishes the MD5 digests below. (Keras fetches a copy
# from elsewhere, for which no digest is published.)
_BASE = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"

_FASHION_MNIST = DigitSet(
    name="fashion_mnist",
    title="Fashion-MNIST",
    files=tuple(
        RemoteFile(name, _BASE + name, digest)
        for name, digest in (
            ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
            ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
            ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        )
    ),
    keras_folder="fashion-mnist",
    # The two sets have the same shapes and file names; only the numbers tell them apart.
    others={MNIST_DIGESTS["y_train"]: "MNIST"},
)


def load_data() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Loads Fashion-MNIST: 28x28 grey pictures of ten kinds of clothes and shoes.

    Looks in `$CORNU_DATA/fashion_mnist` (IDX files, gzipped or not, or `fashion_mnist.npz`), in
    Cornu's cache, in Keras' cache (`~/.keras/datasets`), and then downloads and keeps it (30 MB).

    The labels: 0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker,
    8 bag, 9 ankle boot.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images uint8 `(60000, 28, 28)` and
        `(10000, 28, 28)`, from 0 to 255; labels uint8 `(60000,)` and `(10000,)`, from 0 to 9.

    Raises:
        FileNotFoundError: where it is nowhere and can't be downloaded; names every place.
        ValueError: where a file is damaged or holds something else. Nothing else is taken instead.

    Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
    Learning Algorithms", 2017, https://github.com/zalandoresearch/fashion-mnist (MIT).

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
    >>> x_train.shape  # doctest: +SKIP
    (60000, 28, 28)
    """
    return load(_FASHION_MNIST, "fashion_mnist.npz")
