"""Losses of metric learning: samples of one class near each other, of different classes apart."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

from cornu.losses.loss import LossFunctionWrapper, counts_where
from cornu.losses.shapes import as_floats


def _is_counted(y_true: Any, y_pred: Any, losses: jax.Array, **_: Any) -> jax.Array:
    return losses > 0


@counts_where(_is_counted)
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> jax.Array:
    """Circle loss: each similarity pulls by how far it is from where it should be.

    Args:
        y_true: class numbers, `(batch,)` or `(batch, 1)`.
        y_pred: embeddings of length 1, `(batch, dimensions)`.
        ref_labels: class numbers to compare with, `(references,)`. Default `None`, `y_true`.
        ref_embeddings: embeddings to compare with, `(references, dimensions)`. Default `None`,
            `y_pred`.
        remove_diagonal: whether a sample is not compared with the reference of the same number,
            itself. Default `True`.
        gamma: the scale of the similarities. Default 80.
        margin: the relaxation, from 0 to 1. Default 0.4.

    Returns:
        `(batch,)`, in the dtype of `y_pred`; 0 for a sample without another of its class.

    Raises:
        ValueError: labels or embeddings of another shape.

    Source: Y. Sun et al., https://arxiv.org/abs/2002.10857.

    >>> circle([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).round(3).tolist()
    [0.0, 0.0, 0.0]
    """
    y_pred = as_floats(y_pred)
    labels = jnp.asarray(y_true).astype("int32")
    references = y_pred if ref_embeddings is None else jnp.asarray(ref_embeddings)
    reference_labels = labels if ref_labels is None else jnp.asarray(ref_labels).astype("int32")
    for rows, what in ((labels, y_pred), (reference_labels, references)):
        if what.ndim != 2 or rows.size != what.shape[0]:
            raise ValueError(
                f"circle: expected labels (batch,) and embeddings (batch, dimensions), received "
                f"shapes {rows.shape} and {what.shape}"
            )
    distance = jnp.maximum(1 - y_pred @ references.T, 0.0)
    same = labels.reshape(-1, 1) == reference_labels.reshape(1, -1)
    other = ~same
    if remove_diagonal:
        same = same & (np.eye(same.shape[0], same.shape[1]) == 0)
    # In the paper's terms: the optimum of a similarity within a class is 1 + margin, between
    # classes -margin; a similarity is 1 - distance.
    pull = gamma * jnp.maximum(margin + distance, 0) * (distance - margin)
    push = gamma * jnp.maximum(1 + margin - distance, 0) * (1 - margin - distance)
    least = float("-inf")
    total_pull = logsumexp(jnp.where(same, pull, least), axis=1)
    total_push = logsumexp(jnp.where(other, push, least), axis=1)
    return jax.nn.softplus(total_pull + total_push)


class Circle(LossFunctionWrapper):
    """Circle loss of class numbers and embeddings, for metric learning.

    Args:
        gamma: the scale of the similarities. Default 80.
        margin: the relaxation, from 0 to 1. Default 0.4.
        remove_diagonal: whether a sample is not compared with itself. Default `True`.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"circle"`.
        dtype: as for `Loss`. Default `None`.

    Called with class numbers `(batch,)` and embeddings of length 1, `(batch, dimensions)`, see
    `Loss`. Samples whose loss is 0 do not count in the mean.

    Source: Y. Sun et al., https://arxiv.org/abs/2002.10857.

    >>> rows = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    >>> float(Circle()([0, 0, 1, 1], rows)) > 100
    True
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "circle",
        dtype: Any = None,
    ):
        super().__init__(
            circle,
            name=name,
            reduction=reduction,
            dtype=dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal
