"""What an activation is given, as an array it can compute with."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from cornu.core.dtypes import floatx
from cornu.core.variable import Variable


def as_array(x: Any) -> jax.Array:
    """An array of the dtype that `x` has: of a JAX or NumPy array, a list, a Variable."""
    return x.value if isinstance(x, Variable) else jnp.asarray(x)


def as_floats(x: Any) -> jax.Array:
    """The same, integers and booleans turned into the default float type."""
    x = as_array(x)
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(floatx())
