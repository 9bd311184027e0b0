"""`tf.nn` and `tf.random`, by `cornu.ops`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cornu
from cornu import ops
from cornu.dialects.tensorflow_functions import l2_normalize, of_one, softmax

# -- tf.nn ---------------------------------------------------------------------------------------


def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Any:
    """`alpha` times what is below 0."""
    return ops.leaky_relu(features, alpha)


def log_softmax(logits: Any, axis: int = -1, name: str | None = None) -> Any:
    """Their logarithms."""
    return ops.log_softmax(logits, axis=-1 if axis is None else axis)


def l2_loss(t: Any, name: str | None = None) -> Any:
    """Half the sum of the squares."""
    return ops.sum(ops.square(t)) / 2


def dropout(
    x: Any, rate: float, noise_shape: Any = None, seed: Any = None, name: Any = None
) -> Any:
    """A share of the elements set to 0, the others scaled up."""
    return cornu.random.dropout(x, rate, noise_shape, seed)


def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: int = -1, name: str | None = None
) -> Any:
    """The loss of each row for probabilities (rows, classes) as labels."""
    return ops.categorical_crossentropy(labels, logits, from_logits=True, axis=axis)


def sparse_softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, name: str | None = None
) -> Any:
    """The loss of each row for numbers of classes (rows,) as labels."""
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Any:
    """The loss of each element for labels from 0 to 1."""
    return ops.binary_crossentropy(labels, logits, from_logits=True)


# -- tf.random -----------------------------------------------------------------------------------


def normal(
    shape: Any,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = "float32",
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Normally distributed numbers."""
    return cornu.random.normal(_sizes(shape), mean, stddev, dtype, seed)


def truncated_normal(
    shape: Any,
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: Any = "float32",
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Normally distributed numbers within two standard deviations."""
    return cornu.random.truncated_normal(_sizes(shape), mean, stddev, dtype, seed)


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = "float32",
    seed: Any = None,
    name: str | None = None,
) -> Any:
    """Evenly distributed numbers; integers for an integer dtype."""
    if "int" in str(dtype):
        return cornu.random.randint(_sizes(shape), minval, maxval, dtype, seed)
    return cornu.random.uniform(
        _sizes(shape), minval, 1.0 if maxval is None else maxval, dtype, seed
    )


def shuffle(value: Any, seed: Any = None, name: str | None = None) -> Any:
    """The rows in another order."""
    return cornu.random.shuffle(value, 0, seed)


def _sizes(shape: Any) -> tuple:
    return (shape,) if isinstance(shape, int) else tuple(int(one) for one in shape)


NN: dict[str, Callable] = {
    **{
        name: of_one(getattr(ops, name))
        for name in (
            *("relu", "relu6", "elu", "selu", "sigmoid", "tanh", "softplus", "softsign"),
            *("silu", "swish"),
        )
    },
    "gelu": lambda features, approximate=False, name=None: ops.gelu(features, approximate),
    **{
        function.__name__: function
        for function in (
            *(leaky_relu, softmax, log_softmax, l2_normalize, l2_loss, dropout),
            softmax_cross_entropy_with_logits,
            sparse_softmax_cross_entropy_with_logits,
            sigmoid_cross_entropy_with_logits,
        )
    },
}
RANDOM: dict[str, Callable] = {
    "normal": normal,
    "shuffle": shuffle,
    "truncated_normal": truncated_normal,
    "uniform": uniform,
}
