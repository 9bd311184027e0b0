"""Random numbers of some dtype and shape from a NumPy generator."""

from __future__ import annotations

import math

import numpy as np


def uniform(generator: np.random.Generator, shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    """Numbers from 0 (included) to 1 (excluded)."""
    return generator.random(shape, "float64" if kind == np.float64 else "float32")


def normal(generator: np.random.Generator, shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    """Numbers of mean 0 and standard deviation 1."""
    return generator.standard_normal(shape, "float64" if kind == np.float64 else "float32")


def truncated_normal(
    generator: np.random.Generator, shape: tuple[int, ...], kind: np.dtype
) -> np.ndarray:
    """The same, those beyond -2 and 2 drawn again."""
    values = normal(generator, (math.prod(shape),), kind)
    outside = np.flatnonzero(np.abs(values) > 2)
    while outside.size:
        values[outside] = normal(generator, (outside.size,), kind)
        outside = outside[np.abs(values[outside]) > 2]
    return values.reshape(shape)


def scaled(draws: np.ndarray, factor: float, offset: float, kind: np.dtype) -> np.ndarray:
    """`draws * factor + offset` in the dtype asked for."""
    return (draws * factor + offset).astype(kind, copy=False)
