"""What is drawn while a network runs: the noise of dropout and of noise layers.

All drawing of running networks is here, so that the generator can be changed in one place. The
numbers are those of `jax.random`, and so those that Keras draws on JAX for equal keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp


def dropout(x, rate: float, noise_shape: Sequence[int | None] | None, key) -> jax.Array:
    """Sets a share of the elements to 0 and scales the others up, so that the mean stays.

    Args:
        x: float array of any shape.
        rate: the share to drop, 0 to 1.
        noise_shape: the shape of the mask, `None` for sizes of `x`; axes of size 1 are dropped or
            kept as a whole. `None`: that of `x`.
        key: a `jax.random` key.

    Returns:
        Same shape and dtype as `x`.

    Source: N. Srivastava et al., "Dropout", 2014.

    >>> dropout(jnp.ones(4), 0.5, None, jax.random.key(1)).shape
    (4,)
    """
    if rate == 0:
        return x
    if rate == 1:
        return jnp.zeros_like(x)
    kept = jax.random.bernoulli(key, 1.0 - rate, concrete_shape(x.shape, noise_shape))
    return jnp.where(kept, x / (1.0 - rate), jnp.zeros((), x.dtype))


def normal(shape: Sequence[int], mean: float, stddev: float, dtype: str, key) -> jax.Array:
    """Normally distributed numbers.

    >>> normal((2, 3), 0.0, 1.0, "float32", jax.random.key(1)).shape
    (2, 3)
    """
    return jax.random.normal(key, tuple(shape), dtype) * stddev + mean


def uniform(shape: Sequence[int], dtype: str, key) -> jax.Array:
    """Numbers evenly distributed in [0, 1).

    >>> uniform((2, 3), "float32", jax.random.key(1)).shape
    (2, 3)
    """
    return jax.random.uniform(key, tuple(shape), dtype)


def concrete_shape(
    shape: Sequence[int], noise_shape: Sequence[int | None] | None
) -> tuple[int, ...]:
    """A noise shape with the sizes of an input in the place of `None`.

    >>> concrete_shape((8, 5, 3), (None, 1, None))
    (8, 1, 3)
    """
    if noise_shape is None:
        return tuple(shape)
    return tuple(shape[i] if size is None else size for i, size in enumerate(noise_shape))
