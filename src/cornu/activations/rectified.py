"""Activations made of straight pieces: the ReLU family, the hard and the shrinking functions."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from cornu.activations.arrays import as_array, as_floats
from cornu.graph import operation


@operation
def relu(
    x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> jax.Array:
    """Rectified linear unit: `max(x, 0)`, or with a slope, a ceiling and another threshold.

    `f(x) = max_value` for `x >= max_value`, `x` for `threshold < x < max_value`, and
    `negative_slope * (x - threshold)` below.

    Args:
        x: any shape, any real dtype.
        negative_slope: slope below the threshold. Default 0.
        max_value: the largest value returned. Default `None`, no ceiling.
        threshold: the input up to which the unit is off. Default 0.

    Returns:
        Same shape and dtype as `x`.

    Source: V. Nair, G. Hinton, "Rectified linear units improve restricted Boltzmann machines",
    2010; the arguments are those of `keras.activations.relu`.

    >>> relu([-10.0, -5.0, 0.0, 5.0, 10.0], negative_slope=0.5, max_value=6.0).tolist()
    [-5.0, -2.5, 0.0, 5.0, 6.0]
    """
    x = as_array(x)
    if max_value is None and not threshold:
        return jax.nn.leaky_relu(x, negative_slope) if negative_slope else jax.nn.relu(x)
    if threshold:
        positive = jnp.where(x > threshold, x, jnp.zeros((), x.dtype))
        if max_value is not None:
            positive = jnp.clip(positive, 0, jnp.asarray(max_value, x.dtype))
    elif max_value == 6:
        positive = jax.nn.relu6(x)
    else:
        positive = jnp.minimum(jax.nn.relu(x), jnp.asarray(max_value, x.dtype))
    if negative_slope:
        below = threshold - x if threshold else -x
        positive = positive - negative_slope * jax.nn.relu(below)
    return positive


@operation
def leaky_relu(x: Any, negative_slope: float = 0.2) -> jax.Array:
    """Leaky ReLU: `x` where it is positive, `negative_slope * x` elsewhere.

    Args:
        x: any shape, float.
        negative_slope: slope for negative inputs. Default 0.2.

    Returns:
        Same shape and dtype as `x`.

    Source: A. Maas et al., "Rectifier nonlinearities improve neural network acoustic models", 2013.

    >>> leaky_relu([-1.0, 2.0], negative_slope=0.25).tolist()
    [-0.25, 2.0]
    """
    return jax.nn.leaky_relu(as_array(x), negative_slope)


@operation
def relu6(x: Any) -> jax.Array:
    """ReLU with a ceiling of 6: `min(max(x, 0), 6)`.

    Args:
        x: any shape, any real dtype.

    Returns:
        Same shape and dtype as `x`.

    Source: A. Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010.

    >>> relu6([-1.0, 2.0, 8.0]).tolist()
    [0.0, 2.0, 6.0]
    """
    return jax.nn.relu6(as_array(x))


@operation
def linear(x: Any) -> Any:
    """The identity: gives back its input as it is, whatever its shape and dtype.

    >>> linear(3.0)
    3.0
    """
    return x


@operation
def hard_sigmoid(x: Any) -> jax.Array:
    """A sigmoid in three straight pieces: 0 up to -3, 1 from 3 on, `x / 6 + 0.5` between.

    Args:
        x: any shape, float.

    Returns:
        Numbers in [0, 1], same shape and dtype as `x`.

    Source: A. Howard et al., "Searching for MobileNetV3", https://arxiv.org/abs/1905.02244.

    >>> hard_sigmoid([-4.0, 0.0, 4.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return jax.nn.hard_sigmoid(as_floats(x))


@operation
def hard_silu(x: Any) -> jax.Array:
    """`x * hard_sigmoid(x)`, a cheap likeness of `silu`; also known as hard swish.

    Args:
        x: any shape, float.

    Returns:
        Same shape and dtype as `x`.

    Source: A. Howard et al., "Searching for MobileNetV3", https://arxiv.org/abs/1905.02244.

    >>> hard_silu([0.0, 3.0, 4.0]).tolist()
    [0.0, 3.0, 4.0]
    """
    return jax.nn.hard_silu(as_floats(x))


@operation
def hard_tanh(x: Any) -> jax.Array:
    """`x` held between -1 and 1.

    Args:
        x: any shape, float.

    Returns:
        Same shape and dtype as `x`.

    Source: R. Collobert, "Large scale machine learning", 2004; `keras.activations.hard_tanh`.

    >>> hard_tanh([-4.0, 0.5, 4.0]).tolist()
    [-1.0, 0.5, 1.0]
    """
    return jax.nn.hard_tanh(as_floats(x))


@operation
def hard_shrink(x: Any, threshold: float = 0.5) -> jax.Array:
    """`x` where its absolute value exceeds `threshold`, 0 elsewhere.

    Args:
        x: any shape, float.
        threshold: half the width of the dead zone around 0. Default 0.5.

    Returns:
        Same shape and dtype as `x`.

    Source: documentation of `keras.activations.hard_shrink`.

    >>> hard_shrink([-1.0, 0.25, 0.75]).tolist()
    [-1.0, 0.0, 0.75]
    """
    x = as_floats(x)
    return jnp.where(jnp.abs(x) > threshold, x, jnp.zeros((), x.dtype))


@operation
def soft_shrink(x: Any, threshold: float = 0.5) -> jax.Array:
    """`x` moved towards 0 by `threshold`, and 0 where that would change its sign.

    Args:
        x: any shape, float.
        threshold: how far it is moved. Default 0.5.

    Returns:
        Same shape and dtype as `x`.

    Source: documentation of `keras.activations.soft_shrink`.

    >>> soft_shrink([-1.0, 0.25, 2.0]).tolist()
    [-0.5, 0.0, 1.5]
    """
    x = as_floats(x)
    zero = jnp.zeros((), x.dtype)
    return jnp.where(x > threshold, x - threshold, jnp.where(x < -threshold, x + threshold, zero))


@operation
def threshold(x: Any, threshold: float, default_value: float) -> jax.Array:
    """`x` where it exceeds `threshold`, `default_value` elsewhere.

    Args:
        x: any shape, any real dtype.
        threshold: the value that must be exceeded.
        default_value: what replaces the others.

    Returns:
        Same shape as `x`.

    Source: documentation of `keras.activations.threshold`.

    >>> threshold([0.0, 1.0, 2.0], 0.5, -1.0).tolist()
    [-1.0, 1.0, 2.0]
    """
    x = as_array(x)
    return jnp.where(x > threshold, x, default_value)


@operation
def sparse_plus(x: Any) -> jax.Array:
    """0 up to -1, `x` from 1 on, and the parabola `(x + 1)**2 / 4` between.

    Args:
        x: any shape, float.

    Returns:
        Same shape and dtype as `x`.

    Source: documentation of `keras.activations.sparse_plus`.

    >>> sparse_plus([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.25, 2.0]
    """
    return jax.nn.sparse_plus(as_floats(x))


@operation
def sparse_sigmoid(x: Any) -> jax.Array:
    """0 up to -1, 1 from 1 on, and the straight line `(x + 1) / 2` between.

    Args:
        x: any shape, float.

    Returns:
        Numbers in [0, 1], same shape and dtype as `x`.

    Source: M. Blondel, A. Martins, V. Niculae, "Learning classifiers with Fenchel-Young losses",
    https://arxiv.org/abs/1805.09717.

    >>> sparse_sigmoid([-2.0, 0.0, 2.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return jax.nn.sparse_sigmoid(as_floats(x))
