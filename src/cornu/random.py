"""Random numbers on the device, as Keras 3 has them under `keras.random`.

`seed` is an integer, a `SeedGenerator`, or `None` for a fresh one. Inside a layer use a
`SeedGenerator` kept as an attribute: its state is part of the compiled program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.dtypes import floatx, standardize_dtype
from cornu.core.random import SeedGenerator, draw_key
from cornu.ops import random as draws


def normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> jax.Array:
    """Normally distributed numbers.

    >>> normal((2, 3), seed=1).shape
    (2, 3)
    """
    dtype = standardize_dtype(dtype or floatx())
    return draws.normal(shape, mean, stddev, dtype, draw_key(seed))


def uniform(
    shape: Sequence[int],
    minval: float = 0.0,
    maxval: float = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> jax.Array:
    """Evenly distributed numbers from `minval` up to, not including, `maxval`.

    >>> bool((uniform((100,), seed=1) < 1).all())
    True
    """
    dtype = standardize_dtype(dtype or floatx())
    return jax.random.uniform(draw_key(seed), tuple(shape), dtype, minval, maxval)


def randint(
    shape: Sequence[int], minval: int, maxval: int, dtype: Any = "int32", seed: Any = None
) -> jax.Array:
    """Integers from `minval` up to, not including, `maxval`.

    >>> randint((3,), 0, 5, seed=1).dtype.name
    'int32'
    """
    return jax.random.randint(
        draw_key(seed), tuple(shape), minval, maxval, standardize_dtype(dtype)
    )


def truncated_normal(
    shape: Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = None,
    seed: Any = None,
) -> jax.Array:
    """Normally distributed numbers, none further than two standard deviations from the mean.

    >>> bool((abs(truncated_normal((100,), seed=1)) <= 2).all())
    True
    """
    dtype = standardize_dtype(dtype or floatx())
    return (
        jax.random.truncated_normal(draw_key(seed), -2.0, 2.0, tuple(shape), dtype) * stddev + mean
    )


def dropout(
    inputs: Any, rate: float, noise_shape: Sequence[int] | None = None, seed: Any = None
) -> jax.Array:
    """Sets a share of the elements to 0 and scales the others up.

    >>> dropout(jnp.ones((2, 2)), 0.5, seed=1).shape
    (2, 2)
    """
    return draws.dropout(jnp.asarray(inputs), rate, noise_shape, draw_key(seed))


def shuffle(x: Any, axis: int = 0, seed: Any = None) -> jax.Array:
    """The same array with its parts along an axis in another order.

    >>> sorted(shuffle(jnp.arange(4), seed=1).tolist())
    [0, 1, 2, 3]
    """
    return jax.random.permutation(draw_key(seed), jnp.asarray(x), axis)


def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Any = None) -> jax.Array:
    """Classes (rows, num_samples) drawn by logits (rows, classes).

    >>> categorical(jnp.zeros((2, 3)), 4, seed=1).shape
    (2, 4)
    """
    logits = jnp.asarray(logits)
    drawn = jax.random.categorical(
        draw_key(seed), logits[:, None, :], shape=(logits.shape[0], num_samples)
    )
    return drawn.astype(standardize_dtype(dtype))


__all__ = [
    "SeedGenerator",
    "categorical",
    "dropout",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]
