"""Initializers that draw random values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cornu.core import serialization
from cornu.core.random import SeedGenerator, host_generator, make_default_seed
from cornu.initializers import draws
from cornu.initializers.initializer import Initializer, float_dtype, sizes


class RandomInitializer(Initializer):
    """The base class of initializers that draw random values.

    An initializer made with an integer, or without a seed, gives the same values each time it is
    called, as in Keras 3; one made with a `SeedGenerator` gives others each time.

    Args:
        seed: integer or `cornu.random.SeedGenerator`. Default `None`: drawn once, when the
            initializer is made, from the generator that `set_random_seed` seeds.

    Raises:
        ValueError: a seed that is neither.

    >>> first, second = RandomNormal(seed=1), RandomNormal(seed=1)
    >>> bool((first((3,)) == second((3,))).all())
    True
    """

    def __init__(self, seed: Any = None):
        if isinstance(seed, dict):
            seed = serialization.deserialize(seed)
        self._init_seed = seed
        if seed is None:
            seed = make_default_seed()
        elif not isinstance(seed, (int, np.integer, SeedGenerator)):
            raise ValueError(
                f"{type(self).__name__}(seed={seed!r}): seed must be an integer, "
                "a SeedGenerator or None"
            )
        self.seed = seed

    def _seed_config(self) -> Any:
        return serialization.serialize(self._init_seed)

    def get_config(self) -> dict:
        return {"seed": self._seed_config()}


class RandomNormal(RandomInitializer):
    """Values from a normal distribution.

    Args:
        mean: of the distribution. Default 0.
        stddev: its standard deviation. Default 0.05.
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.

    >>> RandomNormal(stddev=1.0, seed=1)((2, 3)).shape
    (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        kind = float_dtype(self, dtype)
        values = draws.normal(host_generator(self.seed), sizes(self, shape), kind)
        return draws.scaled(values, self.stddev, self.mean, kind)

    def get_config(self) -> dict:
        return {"seed": self._seed_config(), "mean": self.mean, "stddev": self.stddev}


class TruncatedNormal(RandomInitializer):
    """Values from a normal distribution, those beyond two standard deviations drawn again.

    Args:
        mean: of the distribution. Default 0.
        stddev: its standard deviation before the tails are cut, which leaves 0.88 of it. Default
            0.05.
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.

    >>> bool(abs(TruncatedNormal(stddev=1.0, seed=1)((1000,))).max() <= 2)
    True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None):
        self.mean = mean
        self.stddev = stddev
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        kind = float_dtype(self, dtype)
        values = draws.truncated_normal(host_generator(self.seed), sizes(self, shape), kind)
        return draws.scaled(values, self.stddev, self.mean, kind)

    def get_config(self) -> dict:
        return {"seed": self._seed_config(), "mean": self.mean, "stddev": self.stddev}


class RandomUniform(RandomInitializer):
    """Values from a uniform distribution.

    Args:
        minval: lower bound, included. Default -0.05.
        maxval: upper bound, excluded. Default 0.05.
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.

    >>> bool(abs(RandomUniform(seed=1)((1000,))).max() <= 0.05)
    True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None):
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        kind = float_dtype(self, dtype)
        values = draws.uniform(host_generator(self.seed), sizes(self, shape), kind)
        return draws.scaled(values, self.maxval - self.minval, self.minval, kind)

    def get_config(self) -> dict:
        return {"seed": self._seed_config(), "minval": self.minval, "maxval": self.maxval}


class Orthogonal(RandomInitializer):
    """A random matrix with orthonormal rows or columns, whichever are fewer, times a factor.

    A shape of more than two axes is filled as the matrix `(product of the others, last axis)`.

    Args:
        gain: the factor. Default 1.
        seed: integer, `SeedGenerator` or `None` (the default), see `RandomInitializer`.

    Calling it raises ValueError where the shape has fewer than two axes.

    Source: A. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks", https://arxiv.org/abs/1312.6120.

    >>> q = Orthogonal(seed=1)((4, 2))
    >>> abs(q.T @ q - np.eye(2)).max().round(5).item()
    0.0
    """

    def __init__(self, gain: float = 1.0, seed: Any = None):
        self.gain = gain
        super().__init__(seed=seed)

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> np.ndarray:
        kind = float_dtype(self, dtype)
        shape = sizes(self, shape)
        if len(shape) < 2:
            raise ValueError(
                f"Orthogonal makes matrices: at least two axes are needed; received shape={shape}"
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(host_generator(self.seed).standard_normal(tall))
        # QR leaves the signs of the columns open; those of the diagonal of R make the result
        # uniformly distributed over the orthogonal matrices
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
        if rows < columns:
            q = q.T
        return (self.gain * q).reshape(shape).astype(kind)

    def get_config(self) -> dict:
        return {"seed": self._seed_config(), "gain": self.gain}
