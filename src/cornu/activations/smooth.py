"""Smooth activations: the sigmoid and tanh family, the exponential linear units, gates."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from cornu.activations.arrays import as_floats
from cornu.graph import operation


@operation
def sigmoid(x: Any) -> jax.Array:
    """`1 / (1 + exp(-x))`, which turns any number into a probability.

    Args:
        x: any shape, float; the log-odds.

    Returns:
        Numbers in [0, 1], same shape and dtype as `x`.

    Source: documentation of `keras.activations.sigmoid`.

    >>> sigmoid([-100.0, 0.0, 100.0]).tolist()
    [0.0, 0.5, 1.0]
    """
    return jax.nn.sigmoid(as_floats(x))


@operation
def tanh(x: Any) -> jax.Array:
    """Hyperbolic tangent, `(exp(x) - exp(-x)) / (exp(x) + exp(-x))`.

    Args:
        x: any shape, float.

    Returns:
        Numbers in [-1, 1], same shape and dtype as `x`.

    Source: documentation of `keras.activations.tanh`.

    >>> tanh([-100.0, 0.0, 100.0]).tolist()
    [-1.0, 0.0, 1.0]
    """
    return jnp.tanh(as_floats(x))


@operation
def tanh_shrink(x: Any) -> jax.Array:
    """`x - tanh(x)`.

    Args:
        x: any shape, float.

    Returns:
        Same shape and dtype as `x`.

    Source: documentation of `keras.activations.tanh_shrink`.

    >>> tanh_shrink([-100.0, 0.0, 100.0]).tolist()
    [-99.0, 0.0, 99.0]
    """
    x = as_floats(x)
    return x - jnp.tanh(x)


@operation
def softplus(x: Any) -> jax.Array:
    """`log(exp(x) + 1)`, a smooth ReLU.

    Args:
        x: any shape, float.

    Returns:
        Positive numbers, same shape and dtype as `x`.

    Source: C. Dugas et al., "Incorporating second-order functional knowledge for better option
    pricing", 2001.

    >>> softplus([-200.0, 200.0]).tolist()
    [0.0, 200.0]
    """
    return jax.nn.softplus(as_floats(x))


@operation
def softsign(x: Any) -> jax.Array:
    """`x / (abs(x) + 1)`.

    Args:
        x: any shape, float.

    Returns:
        Numbers in (-1, 1), same shape and dtype as `x`.

    Source: documentation of `keras.activations.softsign`.

    >>> softsign([-1.0, 0.0, 3.0]).tolist()
    [-0.5, 0.0, 0.75]
    """
    return jax.nn.soft_sign(as_floats(x))


@operation
def log_sigmoid(x: Any) -> jax.Array:
    """`log(sigmoid(x))`, computed so that it stays finite for very negative `x`.

    Args:
        x: any shape, float.

    Returns:
        Numbers up to 0, same shape and dtype as `x`.

    Source: documentation of `keras.activations.log_sigmoid`.

    >>> log_sigmoid([-200.0, 200.0]).tolist()
    [-200.0, -0.0]
    """
    return jax.nn.log_sigmoid(as_floats(x))


@operation
def exponential(x: Any) -> jax.Array:
    """`exp(x)`.

    Args:
        x: any shape, float.

    Returns:
        Positive numbers, same shape and dtype as `x`.

    Source: documentation of `keras.activations.exponential`.

    >>> exponential([0.0]).tolist()
    [1.0]
    """
    return jnp.exp(as_floats(x))


@operation
def squareplus(x: Any, b: float = 4) -> jax.Array:
    """`(x + sqrt(x**2 + b)) / 2`, a smooth ReLU without an exponential.

    Args:
        x: any shape, float.
        b: how smooth the bend at 0 is. Default 4.

    Returns:
        Positive numbers, same shape and dtype as `x`.

    Source: J. Barron, "Squareplus: a softplus-like algebraic rectifier",
    https://arxiv.org/abs/2112.11687.

    >>> squareplus([0.0]).tolist()
    [1.0]
    """
    return jax.nn.squareplus(as_floats(x), b)


@operation
def elu(x: Any, alpha: float = 1.0) -> jax.Array:
    """Exponential linear unit: `x` where positive, `alpha * (exp(x) - 1)` elsewhere.

    Args:
        x: any shape, float.
        alpha: the value, negated, that very negative inputs tend to. Default 1.

    Returns:
        Same shape and dtype as `x`.

    Source: D. Clevert et al., https://arxiv.org/abs/1511.07289.

    >>> elu([-100.0, 2.0]).tolist()
    [-1.0, 2.0]
    """
    return jax.nn.elu(as_floats(x), alpha)


@operation
def selu(x: Any) -> jax.Array:
    """Scaled exponential linear unit, which keeps mean and variance from layer to layer.

    It is `scale * elu(x, alpha)` with `scale` 1.0507 and `alpha` 1.6733.

    Args:
        x: any shape, float.

    Returns:
        Same shape and dtype as `x`.

    Source: G. Klambauer et al., https://arxiv.org/abs/1706.02515. Meant for kernels that start
    from `LecunNormal`.

    >>> [round(y, 4) for y in selu([-100.0, 1.0]).tolist()]
    [-1.7581, 1.0507]
    """
    return jax.nn.selu(as_floats(x))


@operation
def celu(x: Any, alpha: float = 1.0) -> jax.Array:
    """`x` where positive, `alpha * (exp(x / alpha) - 1)` elsewhere: an ELU with one tangent at 0.

    Args:
        x: any shape, float.
        alpha: the value, negated, that very negative inputs tend to. Default 1.

    Returns:
        Same shape and dtype as `x`.

    Source: J. Barron, "Continuously differentiable exponential linear units",
    https://arxiv.org/abs/1704.07483.

    >>> celu([-100.0, 2.0], alpha=0.5).tolist()
    [-0.5, 2.0]
    """
    return jax.nn.celu(as_floats(x), alpha)


@operation
def gelu(x: Any, approximate: bool = False) -> jax.Array:
    """Gaussian error linear unit: `x` times the normal distribution function at `x`.

    Args:
        x: any shape, float.
        approximate: whether to use the formula with tanh in the error function's place. Default
            `False`.

    Returns:
        Same shape and dtype as `x`.

    Source: D. Hendrycks, K. Gimpel, https://arxiv.org/abs/1606.08415.

    >>> gelu([-100.0, 0.0, 100.0]).tolist()
    [-0.0, 0.0, 100.0]
    """
    return jax.nn.gelu(as_floats(x), approximate)


@operation
def silu(x: Any) -> jax.Array:
    """`x * sigmoid(x)`, also known as swish.

    Args:
        x: any shape, float.

    Returns:
        Same shape and dtype as `x`.

    Source: P. Ramachandran et al., https://arxiv.org/abs/1710.05941.

    >>> silu([0.0, 100.0]).tolist()
    [0.0, 100.0]
    """
    return jax.nn.silu(as_floats(x))


@operation
def mish(x: Any) -> jax.Array:
    """`x * tanh(softplus(x))`.

    Args:
        x: any shape, float.

    Returns:
        Same shape and dtype as `x`.

    Source: D. Misra, https://arxiv.org/abs/1908.08681.

    >>> mish([0.0, 100.0]).tolist()
    [0.0, 100.0]
    """
    x = as_floats(x)
    return x * jnp.tanh(jax.nn.softplus(x))


@operation
def glu(x: Any, axis: int = -1) -> jax.Array:
    """Gated linear unit: the first half of an axis times the sigmoid of its second half.

    Args:
        x: float, `(..., 2 * units)` where `axis` is the last one.
        axis: the axis that is halved. Default -1.

    Returns:
        Same dtype, that axis half as long.

    Raises:
        ValueError: where the axis has an odd length.

    Source: Y. Dauphin et al., https://arxiv.org/abs/1612.08083.

    >>> glu([[2.0, 4.0, 0.0, 100.0]]).tolist()
    [[1.0, 4.0]]
    """
    x = as_floats(x)
    if x.shape[axis] % 2:
        raise ValueError(
            f"glu(axis={axis}): the axis is cut in two halves, so its length must be even; "
            f"received an input of shape {x.shape}"
        )
    return jax.nn.glu(x, axis)
