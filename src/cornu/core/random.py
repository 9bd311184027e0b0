"""Randomness: seeds for the host, keys for the device.

Initial values are drawn on the host with NumPy (nothing has to be compiled for them). What is drawn
while a network runs, such as dropout masks, comes from a `SeedGenerator`, whose state is a variable
of the network and so part of the compiled program.
"""

from __future__ import annotations

import random as python_random

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.serialization import Serializable
from cornu.core.variable import Variable

# What `set_random_seed` was given last: where the seeds of several runs begin.
last_seed: int | None = None


def set_random_seed(seed: int) -> None:
    """Seeds Python's, NumPy's and so Cornu's generators: the same program then gives the same bits.

    Raises ValueError where `seed` is not an integer in [0, 2**32).

    >>> set_random_seed(42)
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(f"set_random_seed({seed!r}): seed must be an integer from 0 to 2**32 - 1")
    global last_seed
    last_seed = int(seed)
    python_random.seed(last_seed)
    np.random.seed(int(seed))


def make_default_seed() -> int:
    """A seed from Python's generator, the one that `set_random_seed` seeds first."""
    return python_random.randint(1, int(1e9))


class SeedGenerator(Serializable):
    """A stream of random keys, kept in a variable so that a compiled program can advance it.

    Args:
        seed: integer; by default drawn from Python's generator.
        name: of the variable's owner; by default made from the class.

    >>> generator = SeedGenerator(seed=1)
    >>> generator.next().shape
    (2,)
    """

    public_module = "random"

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs):
        if seed is None:
            seed = make_default_seed()
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise ValueError(f"SeedGenerator(seed={seed!r}): seed must be an integer or None")
        self.seed = int(seed)
        self.name = name or "seed_generator"
        self.state = Variable(
            np.array([self.seed % 2**32, 0], dtype="uint32"),
            dtype="uint32",
            trainable=False,
            name="seed_generator_state",
        )

    def next(self, ordered: bool = True) -> jax.Array:
        """The next key (two uint32, as `jax.random` takes them); advances the state."""
        key = self.state.value
        self.state.assign(key + np.array([0, 1], dtype="uint32"))
        return key

    def get_config(self) -> dict:
        return {"seed": self.seed}


def draw_key(seed) -> jax.Array:
    """A `jax.random` key from an integer, a `SeedGenerator` or `None` (a fresh random one)."""
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is None:
        seed = make_default_seed()
    if isinstance(seed, (int, np.integer)):
        return np.array([int(seed) % 2**32, 0], dtype="uint32")  # type: ignore[return-value]
    if isinstance(seed, (jax.Array, np.ndarray)):
        return jnp.asarray(seed)
    raise ValueError(f"seed={seed!r}: expected an integer, a SeedGenerator or None")


def host_generator(seed) -> np.random.Generator:
    """A NumPy generator for initial values, from an integer, a `SeedGenerator` or `None`."""
    if isinstance(seed, SeedGenerator):
        state = seed.state.numpy()
        seed.state.assign(state + np.array([0, 1], dtype="uint32"))
        return np.random.Generator(np.random.Philox(key=int(state[0]) * 2**32 + int(state[1])))
    if seed is None:
        seed = make_default_seed()
    return np.random.Generator(np.random.Philox(key=int(seed) % 2**64))
