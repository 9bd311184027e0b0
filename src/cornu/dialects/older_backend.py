"""The functions of `keras.backend` that programs of Keras 1 and 2 call, by `cornu.ops`.

Those that have the same name and meaning in `cornu.ops` are found there and need no entry here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

import cornu
from cornu import ops
from cornu.core.context import current_context
from cornu.core.dtypes import floatx
from cornu.core.image import image_data_format, set_image_data_format
from cornu.core.variable import Variable
from cornu.dialects.refusal import refusing

# Same name, same arguments, same meaning.
_SAME = (
    *("abs", "all", "any", "arange", "argmax", "argmin", "cast", "clip", "concatenate", "cos"),
    *("cumprod", "cumsum", "dot", "dtype", "elu", "equal", "exp", "expand_dims", "eye", "greater"),
    *("greater_equal", "in_top_k", "less", "less_equal", "log", "logsumexp", "max", "maximum"),
    *("mean", "min", "minimum", "ndim", "not_equal", "one_hot", "ones", "ones_like", "prod"),
    *("reshape", "round", "shape", "sigmoid", "sign", "sin", "softmax", "softplus", "softsign"),
    *("sqrt", "square", "squeeze", "stack", "std", "stop_gradient", "sum", "tanh", "tile"),
    *("transpose", "var", "zeros", "zeros_like", "hard_sigmoid", "binary_crossentropy"),
    *("categorical_crossentropy", "sparse_categorical_crossentropy"),
)
_GRAPHS = (
    "TensorFlow 1's graphs and sessions are not there: in a loss, a metric or a layer, call the "
    "functions of keras.backend on the tensors themselves"
)
_REFUSED = {
    name: f"keras.backend.{name}: {_GRAPHS}"
    for name in ("function", "gradients", "placeholder", "rnn", "map_fn", "foldl", "foldr")
}


def find(name: str) -> Any:
    """What `keras.backend` had under a name; AttributeError where it is not here."""
    if name in _SAME:
        return getattr(ops, name)
    if name in _REFUSED:
        return refusing(name, _REFUSED[name])
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    raise AttributeError(name)


def pow(x: Any, a: Any) -> Any:
    """`x` to the power of `a`."""
    return ops.power(x, a)


def permute_dimensions(x: Any, pattern: Sequence[int]) -> Any:
    """The axes in another order."""
    return ops.transpose(x, pattern)


def flatten(x: Any) -> Any:
    """All elements in one axis."""
    return ops.reshape(x, (-1,))


def batch_flatten(x: Any) -> Any:
    """All axes but the first in one."""
    return ops.reshape(x, (x.shape[0] or -1, int(np.prod(x.shape[1:]))))


def l2_normalize(x: Any, axis: int | None = None) -> Any:
    """Divided by its length along an axis."""
    # 1e-12 under the root keeps a row of zeros from 0/0, as tf.nn.l2_normalize does
    return x * ops.rsqrt(ops.maximum(ops.sum(ops.square(x), axis=axis, keepdims=True), 1e-12))


def relu(x: Any, alpha: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """Rectified: 0, or `alpha` times what is below `threshold`; no more than `max_value`."""
    return cornu.activations.relu(x, alpha, max_value, threshold)


def repeat_elements(x: Any, rep: int, axis: int) -> Any:
    """Each element `rep` times along an axis."""
    return ops.repeat(x, rep, axis)


def repeat(x: Any, n: int) -> Any:
    """(rows, features) to (rows, n, features)."""
    return ops.repeat(ops.expand_dims(x, 1), n, 1)


def reverse(x: Any, axes: Any) -> Any:
    """Back to front along axes."""
    return ops.flip(x, axes)


def gather(reference: Any, indices: Any) -> Any:
    """Rows by their numbers."""
    return ops.take(reference, indices, axis=0)


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """One where the condition holds, the other elsewhere; functions are called for theirs."""
    then, other = (one() if callable(one) else one for one in (then_expression, else_expression))
    missing = max(len(then.shape), len(other.shape)) - len(condition.shape)
    for _ in range(missing):
        condition = ops.expand_dims(condition, -1)
    return ops.where(condition, then, other)


def batch_dot(x: Any, y: Any, axes: Any = None) -> Any:
    """The dot products of rows with rows: `keras.layers.Dot`."""
    if axes is None:
        axes = (len(x.shape) - 1, len(y.shape) - 2 if len(y.shape) > 2 else 1)
    return cornu.layers.Dot(axes)([x, y])


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """A bias added to the channels."""
    if data_format == "channels_first":
        bias = ops.reshape(bias, (-1, *(1,) * (len(x.shape) - 2)))
    return ops.add(x, bias)


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`x` while the network is trained, else `alt`; functions are called for theirs."""
    context = current_context()
    if training is None:
        training = context.training if context is not None else False
    chosen = x if training else alt
    return chosen() if callable(chosen) else chosen


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """`alt` while the network is trained, else `x`."""
    return in_train_phase(alt, x, training)


def learning_phase() -> int:
    """1 while the network is trained, else 0."""
    context = current_context()
    return int(bool(context is not None and context.training))


def dropout(x: Any, level: float, noise_shape: Any = None, seed: Any = None) -> Any:
    """A share of the elements set to 0, the others scaled up."""
    return cornu.random.dropout(x, level, noise_shape, seed)


def int_shape(x: Any) -> tuple:
    """The shape, with None for an axis that is open."""
    return tuple(x.shape)


def count_params(x: Any) -> int:
    """The number of elements."""
    return int(np.prod(x.shape))


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Any:
    """A variable with an initial value."""
    return Variable(np.asarray(value), dtype=dtype or floatx(), name=name)


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Any:
    """An array filled with a value, or holding values."""
    array = ops.convert_to_tensor(np.asarray(value), dtype or floatx())
    return ops.broadcast_to(array, shape) if shape is not None else array


def cast_to_floatx(x: Any) -> Any:
    """As floats of the default kind."""
    return (
        ops.cast(x, floatx()) if not isinstance(x, (list, np.ndarray)) else np.asarray(x, floatx())
    )


def get_value(x: Any) -> Any:
    """The value as NumPy has it."""
    return np.asarray(x.value if isinstance(x, Variable) else x)[()]


def batch_get_value(tensors: Sequence[Any]) -> list:
    """The values of several as NumPy has them."""
    return [get_value(one) for one in tensors]


def set_value(x: Any, value: Any) -> None:
    """Gives a variable another value."""
    x.assign(value)


def batch_set_value(tuples: Sequence[tuple[Any, Any]]) -> None:
    """Gives several variables other values."""
    for one, value in tuples:
        one.assign(value)


def update(x: Any, new_x: Any) -> Any:
    """Gives a variable another value."""
    x.assign(new_x)
    return x


def update_add(x: Any, increment: Any) -> Any:
    """Adds to a variable."""
    return update(x, ops.add(x, increment))


def update_sub(x: Any, decrement: Any) -> Any:
    """Takes from a variable."""
    return update(x, ops.subtract(x, decrement))


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normally distributed numbers."""
    return cornu.random.normal(_sizes(shape), mean, stddev, dtype, seed)


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Evenly distributed numbers."""
    return cornu.random.uniform(_sizes(shape), minval, maxval, dtype, seed)


def truncated_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: Any = None
) -> Any:
    """Normally distributed numbers within two standard deviations."""
    return cornu.random.truncated_normal(_sizes(shape), mean, stddev, dtype, seed)


def _sizes(shape: Any) -> tuple:
    return tuple(int(size) for size in shape)


def image_dim_ordering() -> str:
    """Keras 1: "tf" where the channels are last, "th" where they are first."""
    return "tf" if image_data_format() == "channels_last" else "th"


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Keras 1: says where the channels of images are, "tf" last or "th" first."""
    formats = {"tf": "channels_last", "th": "channels_first"}
    if dim_ordering not in formats:
        raise ValueError(f"set_image_dim_ordering({dim_ordering!r}): expected 'tf' or 'th'")
    set_image_data_format(formats[dim_ordering])


def print_tensor(x: Any, message: str = "", summarize: int = 3) -> Any:
    """Prints the value as it is computed."""
    jax.debug.print(message.replace("{", "{{").replace("}", "}}") + "{}", x)
    return x


class Session:
    """Stands for TensorFlow 1's session, which a Keras program sets and asks nothing of."""

    def __init__(self, *args: Any, **kwargs: Any):
        self.graph: Any = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: Any) -> None:
        return None

    def as_default(self) -> Session:
        """Itself."""
        return self

    def close(self) -> None:
        """Nothing is held."""

    def run(self, fetches: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Only what initializes variables, which have their values already, may be run."""
        if fetches is not None:
            raise NotImplementedError(f"Session.run: {_GRAPHS}")


def get_session() -> Session:
    """TensorFlow 1's session."""
    return Session()


def nothing(*args: Any, **kwargs: Any) -> None:
    """For what changes nothing that Cornu computes."""


FUNCTIONS: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(pow, permute_dimensions, flatten, batch_flatten, l2_normalize, relu, repeat_elements),
        *(repeat, reverse, gather, switch, batch_dot, bias_add, in_train_phase, in_test_phase),
        *(learning_phase, dropout, int_shape, count_params, variable, constant, cast_to_floatx),
        *(get_value, batch_get_value, set_value, batch_set_value, update, update_add, update_sub),
        *(random_normal, random_uniform, truncated_normal, image_dim_ordering),
        *(set_image_dim_ordering, print_tensor, get_session),
    )
}
FUNCTIONS |= {
    "eval": get_value,
    "identity": ops.copy,
    "is_tensor": ops.is_tensor,
    "is_keras_tensor": lambda x: isinstance(x, cornu.KerasTensor),
    "random_normal_variable": lambda shape, mean, scale, **_: variable(
        get_value(random_normal(shape, mean, scale))
    ),
    "set_learning_phase": nothing,
    "set_session": nothing,
    "manual_variable_initialization": nothing,
}
