"""Operations of neural networks: activations, encodings, normalizations, cross-entropies.

Convolution and pooling are in `ops.conv` and `ops.pooling`.

>>> from cornu import ops
>>> ops.relu([-1.0, 2.0]).tolist()
[0.0, 2.0]
>>> ops.one_hot([1, 0], 2).tolist()
[[0.0, 1.0], [1.0, 0.0]]
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.core.dtypes import epsilon as default_epsilon
from cornu.core.dtypes import floatx
from cornu.graph.node import operation
from cornu.ops import _define
from cornu.ops._define import as_array, axes, device_dtype

_unary = _define.unary(__name__)


def _floats(x):
    x = jnp.asarray(as_array(x))
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(floatx())


# -- activations ---------------------------------------------------------------------------------

relu = _unary("relu", lambda x: jax.nn.relu(jnp.asarray(x)), "`max(x, 0)`")
relu6 = _unary("relu6", lambda x: jax.nn.relu6(jnp.asarray(x)), "`min(max(x, 0), 6)`")
sigmoid = _unary("sigmoid", lambda x: jax.nn.sigmoid(_floats(x)), "`1 / (1 + exp(-x))`")
silu = _unary("silu", lambda x: jax.nn.silu(_floats(x)), "`x * sigmoid(x)`")
swish = _unary("swish", lambda x: jax.nn.silu(_floats(x)), "`x * sigmoid(x)`")
log_sigmoid = _unary("log_sigmoid", lambda x: jax.nn.log_sigmoid(_floats(x)), "`log(sigmoid(x))`")
softplus = _unary("softplus", lambda x: jax.nn.softplus(_floats(x)), "`log(1 + exp(x))`")
softsign = _unary("softsign", lambda x: jax.nn.soft_sign(_floats(x)), "`x / (1 + |x|)`")
selu = _unary("selu", lambda x: jax.nn.selu(_floats(x)), "The scaled exponential linear unit")
hard_sigmoid = _unary(
    "hard_sigmoid", lambda x: jax.nn.hard_sigmoid(_floats(x)), "`min(max(x / 6 + 0.5, 0), 1)`"
)
hard_silu = _unary("hard_silu", lambda x: jax.nn.hard_silu(_floats(x)), "`x * hard_sigmoid(x)`")
hard_swish = _unary("hard_swish", lambda x: jax.nn.hard_silu(_floats(x)), "`x * hard_sigmoid(x)`")
hard_tanh = _unary("hard_tanh", lambda x: jax.nn.hard_tanh(_floats(x)), "x brought into [-1, 1]")
tanh_shrink = _unary("tanh_shrink", lambda x: x - jnp.tanh(x), "`x - tanh(x)`")
sparse_plus = _unary(
    "sparse_plus", lambda x: jax.nn.sparse_plus(_floats(x)), "0 below -1, x above 1, smooth between"
)
sparse_sigmoid = _unary(
    "sparse_sigmoid", lambda x: jax.nn.sparse_sigmoid(_floats(x)), "`min(max(x / 2 + 0.5, 0), 1)`"
)


@operation
def leaky_relu(x, negative_slope=0.2):
    """`x` where it is positive, `negative_slope * x` elsewhere.

    >>> leaky_relu([-1.0, 1.0], 0.5).tolist()
    [-0.5, 1.0]
    """
    return jax.nn.leaky_relu(_floats(x), negative_slope)


@operation
def elu(x, alpha=1.0):
    """`x` where it is positive, `alpha * (exp(x) - 1)` elsewhere.

    >>> elu([0.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    return jax.nn.elu(_floats(x), alpha)


@operation
def celu(x, alpha=1.0):
    """`x` where it is positive, `alpha * (exp(x / alpha) - 1)` elsewhere.

    >>> celu([0.0, 2.0]).tolist()
    [0.0, 2.0]
    """
    return jax.nn.celu(_floats(x), alpha)


@operation
def gelu(x, approximate=True):
    """x times the normal distribution's share below x; by a tanh formula if `approximate`.

    >>> gelu([0.0]).tolist()
    [0.0]
    """
    return jax.nn.gelu(_floats(x), approximate)


@operation
def glu(x, axis=-1):
    """The first half of an axis times the sigmoid of the second half.

    >>> glu([4.0, 0.0]).tolist()
    [2.0]
    """
    return jax.nn.glu(_floats(x), axis)


@operation
def squareplus(x, b=4):
    """`(x + sqrt(x**2 + b)) / 2`.

    >>> squareplus([0.0]).tolist()
    [1.0]
    """
    return jax.nn.squareplus(_floats(x), b)


@operation
def hard_shrink(x, threshold=0.5):
    """x where it is further from 0 than the threshold, 0 elsewhere.

    >>> hard_shrink([-1.0, 0.2]).tolist()
    [-1.0, 0.0]
    """
    x = _floats(x)
    return jnp.where(jnp.abs(x) > threshold, x, 0.0)


@operation
def soft_shrink(x, threshold=0.5):
    """x brought nearer to 0 by the threshold, 0 where it is nearer than that.

    >>> soft_shrink([-1.0, 0.2]).tolist()
    [-0.5, 0.0]
    """
    x = _floats(x)
    return x - jnp.clip(x, -threshold, threshold)


@operation
def threshold(x, threshold, default_value):
    """x where it is above the threshold, a default value elsewhere.

    >>> threshold([1.0, 3.0], 2.0, -1.0).tolist()
    [-1.0, 3.0]
    """
    x = jnp.asarray(as_array(x))
    return jnp.where(x > threshold, x, jnp.asarray(default_value, x.dtype))


@operation
def softmax(x, axis=-1):
    """`exp(x) / sum(exp(x))` along an axis: positive numbers that add up to 1.

    >>> softmax([0.0, 0.0]).tolist()
    [0.5, 0.5]
    """
    return jax.nn.softmax(_floats(x), axes(axis))


@operation
def log_softmax(x, axis=-1):
    """The logarithm of `softmax`, without overflow.

    >>> log_softmax([0.0]).tolist()
    [0.0]
    """
    return jax.nn.log_softmax(_floats(x), axes(axis))


@operation
def sparsemax(x, axis=-1):
    """The nearest point to x among positive numbers that add up to 1; many of them are 0.

    Source: A. Martins, R. Astudillo, "From softmax to sparsemax", 2016.

    >>> sparsemax([3.0, 0.0]).tolist()
    [1.0, 0.0]
    """
    x = _floats(x)
    falling = -jnp.sort(-x, axis=axis)
    rank = jnp.arange(1, x.shape[axis] + 1, dtype=x.dtype)
    rank = rank.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])
    total = jnp.cumsum(falling, axis=axis) - 1
    inside = falling * rank > total
    count = jnp.sum(inside, axis=axis, keepdims=True)
    level = jnp.sum(jnp.where(inside, falling, 0), axis=axis, keepdims=True)
    return jnp.maximum(x - (level - 1) / count, 0)


# -- encodings -----------------------------------------------------------------------------------


@operation
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """Integers as vectors with a 1 at their place; all zeros where they are out of range.

    >>> one_hot([0, 2], 3).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if sparse:
        raise ValueError("one_hot(sparse=True): sparse tensors are not supported")
    x = jnp.asarray(as_array(x)).astype("int32")
    return jax.nn.one_hot(x, num_classes, axis=axis, dtype=device_dtype(dtype))


@operation
def multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False):
    """Rows of integers as vectors with a 1 at the place of each of them.

    >>> multi_hot([[0, 2]], 3).tolist()
    [[1.0, 0.0, 1.0]]
    """
    if sparse:
        raise ValueError("multi_hot(sparse=True): sparse tensors are not supported")
    if num_classes is None:
        raise ValueError("multi_hot: give num_classes, the length of the vectors")
    x = jnp.asarray(as_array(inputs)).astype("int32")
    ones = jax.nn.one_hot(x, num_classes, axis=axis, dtype=device_dtype(dtype))
    return jnp.max(ones, axis=1 if x.ndim > 1 else 0)


# -- normalization -------------------------------------------------------------------------------


@operation
def moments(x, axes, keepdims=False, synchronized=False):
    """The mean and the variance over some axes. 16-bit floats are summed in 32 bits.

    >>> [value.item() for value in moments([1.0, 3.0], axes=0)]
    [2.0, 1.0]
    """
    x = jnp.asarray(as_array(x))
    axes = tuple(axes) if isinstance(axes, (list, tuple)) else axes
    wide = x.astype(jnp.promote_types(x.dtype, "float32"))
    mean = jnp.mean(wide, axes, keepdims=True)
    variance = jnp.mean(jnp.square(wide - mean), axes, keepdims=True)
    if not keepdims:
        mean, variance = jnp.squeeze(mean, axes), jnp.squeeze(variance, axes)
    narrow = x.dtype if jnp.issubdtype(x.dtype, jnp.floating) else wide.dtype
    return mean.astype(narrow), variance.astype(narrow)


@operation
def normalize(x, axis=-1, order=2, epsilon=None):
    """x divided by its norm along an axis.

    Args:
        x: float array of any shape.
        axis: axis or axes of the vectors. Default -1.
        order: of the norm, an integer from 1. Default 2.
        epsilon: the least number to divide by. Default `None`, the global fuzz factor.

    >>> normalize([1.0, 3.0], order=1).tolist()
    [0.25, 0.75]
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"normalize(order={order!r}): order must be an integer from 1")
    x = jnp.atleast_1d(_floats(x))
    epsilon = default_epsilon() if epsilon is None else epsilon
    axis = _define.axes(axis)
    if order == 2:
        squares = jnp.sum(jnp.square(x), axis=axis, keepdims=True)
        return x * jnp.minimum(jax.lax.rsqrt(squares), 1.0 / epsilon)
    norm = jnp.linalg.norm(x, ord=order, axis=axis, keepdims=True)
    return x / jnp.maximum(norm, epsilon)


@operation
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """`(x - mean) / sqrt(variance + epsilon) * scale + offset`, by channel.

    Args:
        x: array of any shape.
        mean, variance, offset, scale: arrays (channels,); the last two may be `None`.
        axis: of the channels.
        epsilon: added to the variance. Default 1e-3.

    Source: S. Ioffe, C. Szegedy, "Batch normalization", 2015.

    >>> batch_normalization([[3.0]], [1.0], [4.0], axis=-1, epsilon=0.0).tolist()
    [[1.0]]
    """
    x = jnp.asarray(as_array(x))
    sizes = [1] * x.ndim
    sizes[axis] = -1

    def along(values):
        return jnp.asarray(as_array(values)).reshape(sizes)

    factor = jax.lax.rsqrt(along(variance) + epsilon)
    if scale is not None:
        factor = factor * along(scale)
    shift = -along(mean) * factor
    if offset is not None:
        shift = shift + along(offset)
    return x * factor + shift


@operation
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, rms_scaling=False):
    """x with mean 0 and variance 1 over some axes of each example, times gamma, plus beta.

    Args:
        x: array of any shape.
        gamma, beta: arrays with the sizes of the axes, or `None`.
        axis: axis or axes to normalize over. Default -1.
        epsilon: added to the variance. Default `None`, the global fuzz factor.
        rms_scaling: only divide by the standard deviation, and leave out beta. Default False.

    Source: J. Ba, J. Kiros, G. Hinton, "Layer normalization", 2016.

    >>> layer_normalization([[1.0, 3.0]], epsilon=0.0).tolist()
    [[-1.0, 1.0]]
    """
    x = jnp.asarray(as_array(x))
    narrow, epsilon = x.dtype, default_epsilon() if epsilon is None else epsilon
    x = x.astype(jnp.promote_types(narrow, "float32"))
    over = tuple(sorted(i % x.ndim for i in (axis if isinstance(axis, (list, tuple)) else [axis])))
    sizes = [size if i in over else 1 for i, size in enumerate(x.shape)]

    def spread(values):
        return jnp.asarray(as_array(values)).astype(x.dtype).reshape(sizes)

    mean = jnp.mean(x, over, keepdims=True)
    factor = jax.lax.rsqrt(jnp.mean(jnp.square(x - mean), over, keepdims=True) + epsilon)
    if gamma is not None:
        factor = factor * spread(gamma)
    if rms_scaling:
        return (x * factor).astype(narrow)
    shift = -mean * factor
    if beta is not None:
        shift = shift + spread(beta)
    return (x * factor + shift).astype(narrow)


@operation
def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """x divided by the root of its mean square over some axes, times a scale.

    Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019.

    >>> rms_normalization([[3.0, -3.0]], epsilon=0.0).tolist()
    [[1.0, -1.0]]
    """
    x = jnp.atleast_1d(jnp.asarray(as_array(x)))
    narrow, epsilon = x.dtype, default_epsilon() if epsilon is None else epsilon
    x = x.astype(jnp.promote_types(narrow, "float32"))
    squares = jnp.mean(jnp.square(x), _define.axes(axis), keepdims=True)
    x = x * jax.lax.rsqrt(squares + epsilon)
    if scale is not None:
        x = x * jnp.asarray(as_array(scale)).astype(x.dtype)
    return x.astype(narrow)


# -- cross-entropies -----------------------------------------------------------------------------


def _log_probabilities(output, from_logits: bool, axis: int):
    if from_logits:
        return jax.nn.log_softmax(output, axis=axis)
    output = output / jnp.sum(output, axis, keepdims=True)
    return jnp.log(jnp.clip(output, default_epsilon(), 1 - default_epsilon()))


@operation
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """Cross-entropy of one-hot targets (or probabilities) and predictions, one for each row.

    >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).tolist()
    [0.6931471824645996]
    """
    target, output = _floats(target), _floats(output)
    if target.shape != output.shape:
        raise ValueError(
            f"categorical_crossentropy: target has shape {target.shape} and output {output.shape}; "
            "they must be the same"
        )
    return -jnp.sum(target * _log_probabilities(output, from_logits, axis), axis=axis)


@operation
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """Cross-entropy of class numbers and predictions, one for each row.

    >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).tolist()
    [0.6931471824645996]
    """
    target, output = jnp.asarray(as_array(target)).astype("int32"), _floats(output)
    if target.ndim == output.ndim and target.shape[-1] == 1:
        target = jnp.squeeze(target, -1)
    if target.shape != output.shape[:-1]:
        raise ValueError(
            f"sparse_categorical_crossentropy: target has shape {target.shape}; for an output of "
            f"shape {output.shape} it must be {output.shape[:-1]}"
        )
    target = jax.nn.one_hot(target, output.shape[axis], axis=axis, dtype=output.dtype)
    return -jnp.sum(target * _log_probabilities(output, from_logits, axis), axis=axis)


@operation
def binary_crossentropy(target, output, from_logits=False):
    """Cross-entropy of targets 0 or 1 and predictions, element by element.

    >>> binary_crossentropy([1.0], [0.5]).tolist()
    [0.6931471824645996]
    """
    target, output = _floats(target), _floats(output)
    if target.shape != output.shape:
        raise ValueError(
            f"binary_crossentropy: target has shape {target.shape} and output {output.shape}; "
            "they must be the same"
        )
    if from_logits:
        log_one, log_zero = jax.nn.log_sigmoid(output), jax.nn.log_sigmoid(-output)
    else:
        output = jnp.clip(output, default_epsilon(), 1 - default_epsilon())
        log_one, log_zero = jnp.log(output), jnp.log(1 - output)
    return -(target * log_one + (1 - target) * log_zero)
