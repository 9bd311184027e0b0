"""A penalty on rows or columns that point the same way."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtypes import epsilon
from cornu.regularizers.regularizer import Regularizer, factor_from_zero_on


class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean absolute cosine between different rows (or columns) of a matrix.

    Args:
        factor: from 0 on. Default 0.01.
        mode: `"rows"` (the default) or `"columns"`.

    Raises:
        ValueError: a factor that is negative, infinite or no number; an unknown mode; on calling
            it, an array that has not two axes.

    Called with a float matrix `(rows, columns)`, it returns a scalar of the same dtype.

    Source: documentation of `keras.regularizers.OrthogonalRegularizer`.

    >>> round(float(OrthogonalRegularizer(0.5)(jnp.asarray([[1.0, 0.0], [3.0, 4.0]]))), 6)
    0.3
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows"):
        self.factor = factor_from_zero_on("OrthogonalRegularizer", "factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(f"OrthogonalRegularizer(mode={mode!r}): expected 'rows' or 'columns'")
        self.mode = mode

    def __call__(self, inputs: Any) -> jax.Array:
        inputs = jnp.asarray(inputs)
        if inputs.ndim != 2:
            raise ValueError(
                "OrthogonalRegularizer compares the rows or columns of a matrix; "
                f"received an array of shape {inputs.shape}"
            )
        vectors = inputs if self.mode == "rows" else inputs.T
        square = jnp.sum(jnp.square(vectors), axis=1, keepdims=True)
        vectors = vectors * jnp.minimum(jax.lax.rsqrt(square), 1 / epsilon())
        number = vectors.shape[0]
        cosines = (vectors @ vectors.T) * (1 - np.eye(number, dtype=inputs.dtype))
        pairs = max(number * (number - 1) / 2, 1)
        return self.factor * 0.5 * jnp.sum(jnp.abs(cosines)) / pairs

    def get_config(self) -> dict:
        return {"factor": self.factor, "mode": self.mode}
