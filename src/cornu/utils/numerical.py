"""Labels to one-hot rows, and arrays to unit length."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def to_categorical(x: Any, num_classes: int | None = None) -> Any:
    """Turns integer labels into one-hot rows, for losses such as categorical cross-entropy.

    Args:
        x: labels from 0 to `num_classes - 1`, of any shape `(...)`; a last axis of length 1 is
            dropped, so `(samples,)` and `(samples, 1)` give the same. A list, a NumPy array, a
            pandas Series or a JAX array.
        num_classes: how many classes there are. Default `None`: the largest label plus one.

    Returns:
        Zeros and ones of shape `(..., num_classes)`: a float64 NumPy array, or a float32 JAX array
        where `x` is a JAX array (as in Keras 3).

    Raises:
        ValueError: where a label is not a number, or `x` is empty and `num_classes` is not given.
        IndexError: where a label of a NumPy array or a list does not fit in `num_classes`. As in
            Keras, a negative label counts from the end, as a NumPy index does; and in a JAX array,
            where no value can be looked at, a label out of range gives a row of zeros.

    Source: Keras 3, `keras.utils.to_categorical`.

    >>> to_categorical([0, 2, 1])
    array([[1., 0., 0.],
           [0., 0., 1.],
           [0., 1., 0.]])
    >>> to_categorical([[0], [1]], num_classes=4).shape
    (2, 4)
    """
    if _is_jax_array(x):
        return _one_hot_on_device(x, num_classes)
    try:
        labels = np.array(x, dtype="int64")
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"to_categorical: the labels must be whole numbers, one per sample ({error}); "
            "number the classes first, for example with np.unique(labels, return_inverse=True)"
        ) from None
    shape = _label_shape(labels.shape)
    labels = labels.reshape(-1)
    if not num_classes:
        if labels.size == 0:
            raise ValueError(
                "to_categorical: there are no labels to count the classes of; give num_classes"
            )
        num_classes = int(labels.max()) + 1
    if labels.size and not -num_classes <= labels.min() <= labels.max() < num_classes:
        wrong = labels.max() if labels.max() >= num_classes else labels.min()
        raise IndexError(
            f"to_categorical(num_classes={num_classes}): label {wrong} is out of range; labels "
            f"go from 0 to {num_classes - 1}"
        )
    rows = np.zeros((labels.size, num_classes))
    rows[np.arange(labels.size), labels] = 1.0
    return rows.reshape((*shape, num_classes))


def normalize(x: Any, axis: int = -1, order: int = 2) -> Any:
    """Divides an array by its length along an axis, so that each row has length 1.

    Args:
        x: numbers, of any shape: a NumPy array or a JAX array, or a list (which is taken to JAX,
            as in Keras 3).
        axis: the axis along which the length is taken. Default -1, the last. (Keras 3 takes
            `axis=0` of a NumPy array for the last axis when it divides; here 0 is the first.)
        order: the order of the norm: 2 (default) is the Euclidean length, 1 the sum of absolute
            values.

    Returns:
        `x / norm`, of `x`'s shape and kind. Where the norm is 0 the values stay 0.

    Raises:
        ValueError: where `order` is not a positive integer and `x` is not a NumPy array.

    Source: Keras 3, `keras.utils.normalize`.

    >>> normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    if isinstance(x, np.ndarray):
        norm = np.asarray(np.linalg.norm(x, order, axis, keepdims=True))
        return x / np.where(norm == 0, np.ones_like(norm), norm)
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize(order={order!r}): order must be a positive integer")

    import jax
    import jax.numpy as jnp

    from cornu.core.dtypes import epsilon, floatx

    x = jnp.atleast_1d(x if _is_jax_array(x) else jnp.asarray(np.asarray(x)))
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        x = x.astype(floatx())
    if order == 2:
        # Keras bounds the inverse length, not the length: rows shorter than epsilon stay short.
        inverse = jax.lax.rsqrt(jnp.sum(jnp.square(x), axis=axis, keepdims=True))
        return x * jnp.minimum(inverse, 1.0 / epsilon())
    norm = jnp.linalg.norm(x, ord=order, axis=axis, keepdims=True)
    return x / jnp.maximum(norm, epsilon())


def _is_jax_array(x: Any) -> bool:
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(x, jax.Array)


def _label_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape


def _one_hot_on_device(x: Any, num_classes: int | None) -> Any:
    import jax

    if not num_classes:
        if isinstance(x, jax.core.Tracer):
            raise ValueError(
                "to_categorical: inside a compiled function, num_classes must be given"
            )
        num_classes = int(x.max()) + 1
    return jax.nn.one_hot(x.reshape(_label_shape(x.shape)), num_classes, dtype="float32")
