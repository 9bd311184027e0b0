"""The loss of sequences that are not aligned with their targets: CTC."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from cornu.losses.loss import LossFunctionWrapper
from cornu.losses.shapes import as_floats

# Logarithm of the probability of what cannot happen: a finite number, so that derivatives are too.
_IMPOSSIBLE = -1e5


def ctc(y_true: Any, y_pred: Any) -> jax.Array:
    """Connectionist temporal classification: minus the log-probability of a sequence of labels.

    A path through time gives a label or blank (class 0) at each step; the sequence is what is left
    when repeats are merged and blanks dropped. The probabilities of all paths that give the target
    are summed.

    Args:
        y_true: class numbers from 1 on, filled up with 0, `(batch, max_length)`.
        y_pred: logits, `(batch, time, classes)`; class 0 is blank.

    Returns:
        `(batch,)`, float32 at least.

    Raises:
        ValueError: targets that have not two axes, outputs that have not three.

    Source: A. Graves et al., "Connectionist temporal classification", ICML 2006,
    https://www.cs.toronto.edu/~graves/icml_2006.pdf.

    >>> round(float(ctc([[1]], [[[0.0, 0.0], [0.0, 0.0]]])[0]), 4)
    0.2877
    """
    y_true, y_pred = jnp.asarray(y_true).astype("int32"), as_floats(y_pred)
    if y_true.ndim != 2:
        raise ValueError(
            f"ctc: targets must be class numbers (batch, max_length), received {y_true.shape}"
        )
    if y_pred.ndim != 3:
        raise ValueError(
            f"ctc: outputs must be logits (batch, time, classes), received {y_pred.shape}"
        )
    if y_true.shape[0] != y_pred.shape[0]:
        raise ValueError(
            f"ctc: there are targets for {y_true.shape[0]} samples and outputs for "
            f"{y_pred.shape[0]}"
        )
    y_pred = y_pred.astype(jnp.promote_types(y_pred.dtype, "float32"))
    length = jnp.sum(y_true != 0, axis=-1)
    # A path walks through blank, label, blank, label, ..., blank: states 0 to 2 * max_length.
    batch, labels = y_true.shape
    states = jnp.zeros((batch, 2 * labels + 1), "int32").at[:, 1::2].set(y_true)
    # It may step over a blank between two labels that differ.
    over = (states[:, 2:] != 0) & (states[:, 2:] != states[:, :-2])
    over = jnp.where(over, 0.0, _IMPOSSIBLE).astype(y_pred.dtype)
    log_p = jax.nn.log_softmax(y_pred)
    emitted = jnp.take_along_axis(log_p, states[:, None, :], axis=-1, mode="clip")
    steps = jnp.moveaxis(emitted, 1, 0)
    start = jnp.full(states.shape, _IMPOSSIBLE, y_pred.dtype).at[:, :2].set(steps[0, :, :2])

    def step(before: jax.Array, emitted: jax.Array) -> tuple[jax.Array, None]:
        stay_or_next = jnp.logaddexp(before[:, 1:], before[:, :-1])
        second = stay_or_next[:, 1:]
        reached = jnp.concatenate(
            [before[:, :1], stay_or_next[:, :1], jnp.logaddexp(second, before[:, :-2] + over)], 1
        )
        return reached + emitted, None

    end, _ = jax.lax.scan(step, start, steps[1:])
    last_blank = jnp.take_along_axis(end, 2 * length[:, None], axis=1)[:, 0]
    last_label = jnp.take_along_axis(end, jnp.maximum(2 * length - 1, 0)[:, None], axis=1)[:, 0]
    return -jnp.where(length > 0, jnp.logaddexp(last_blank, last_label), last_blank)


class CTC(LossFunctionWrapper):
    """Connectionist temporal classification, for sequences not aligned with their targets.

    Args:
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: default `"ctc"`.
        dtype: as for `Loss`. Default `None`.

    Called with class numbers `(batch, max_length)`, filled up with 0, and logits
    `(batch, time, classes)` whose class 0 is blank, see `Loss`.

    Source: A. Graves et al., https://www.cs.toronto.edu/~graves/icml_2006.pdf.

    >>> round(float(CTC()([[1]], [[[0.0, 0.0], [0.0, 0.0]]])), 4)
    0.2877
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = "ctc",
        dtype: Any = None,
    ):
        super().__init__(ctc, name=name, reduction=reduction, dtype=dtype)
