"""What every initializer is: a callable from a shape to initial values, made on the host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.core.dtypes import is_float, standardize_dtype, to_numpy_dtype
from cornu.core.serialization import Serializable


class Initializer(Serializable):
    """Makes the initial value of a variable; the base class of all initializers.

    A subclass defines `__call__(shape, dtype=None)`, which returns an array of that shape, and
    `get_config()`, which returns the arguments of its constructor. Cornu's own return NumPy arrays:
    an initial value is drawn on the host, so that nothing has to be compiled for it.

    >>> class Halves(Initializer):
    ...     def __call__(self, shape, dtype=None):
    ...         return np.full(shape, 0.5, dtype)
    >>> Halves()((2,), "float32").tolist()
    [0.5, 0.5]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        """The initial value.

        Args:
            shape: sizes of the axes of the value.
            dtype: of the value. Default `None`, the default float type.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define __call__(self, shape, dtype=None)"
        )

    def get_config(self) -> dict:
        """The arguments that make an equal initializer."""
        return {}

    def clone(self) -> Initializer:
        """Another initializer with the same configuration."""
        return type(self).from_config(self.get_config())


def sizes(owner: object, shape: Sequence[int]) -> tuple[int, ...]:
    """A shape as a tuple of integers; ValueError, naming the owner, where it is none."""
    if not isinstance(shape, Sequence) or any(size is None or size < 0 for size in shape):
        raise ValueError(
            f"{type(owner).__name__}: shape must be a sequence of known sizes, received {shape!r}"
        )
    return tuple(int(size) for size in shape)


def float_dtype(owner: object, dtype: Any) -> np.dtype:
    """The NumPy dtype of a float dtype; ValueError, naming the owner, for any other."""
    name = standardize_dtype(dtype)
    if not is_float(name):
        raise ValueError(
            f"{type(owner).__name__} draws numbers of a float dtype, received dtype={name!r}"
        )
    return to_numpy_dtype(name)
