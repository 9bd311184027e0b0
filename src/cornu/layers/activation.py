"""Activations as layers: Activation, ReLU, LeakyReLU, PReLU, ELU, Softmax."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu import activations, constraints, initializers, regularizers
from cornu.core.serialization import serialize
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer


class Activation(Layer):
    """Applies an activation function.

    Input: float array of any shape. Output: the same shape.

    Args:
        activation: name or function.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.

    >>> import numpy as np
    >>> Activation("relu")(np.array([-3.0, 2.0], "float32")).tolist()
    [0.0, 2.0]
    """

    supports_masking = True

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)
        self.built = True

    def call(self, inputs):
        return self.activation(inputs)

    def get_config(self) -> dict:
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class ReLU(Layer):
    """`max(x, 0)`, or with a slope below, a ceiling, and another threshold.

    Input: float array of any shape. Output: the same shape.

    Args:
        max_value: the largest output. Default `None`, no ceiling.
        negative_slope: slope below the threshold. Default 0.
        threshold: the input up to which the unit is off. Default 0.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a negative argument.

    Source: `keras.layers.ReLU`.

    >>> import numpy as np
    >>> ReLU(max_value=6.0)(np.array([-3.0, 2.0, 9.0], "float32")).tolist()
    [0.0, 2.0, 6.0]
    """

    supports_masking = True

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if max_value is not None and max_value < 0:
            raise ValueError(f"ReLU(max_value={max_value!r}): max_value must not be negative")
        self.max_value = max_value
        self.negative_slope = _not_negative("ReLU", "negative_slope", negative_slope)
        self.threshold = _not_negative("ReLU", "threshold", threshold)
        self.built = True

    def call(self, inputs):
        return activations.relu(
            inputs,
            negative_slope=self.negative_slope,
            max_value=self.max_value,
            threshold=self.threshold,
        )

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


class LeakyReLU(Layer):
    """`x` where it is positive, `negative_slope * x` elsewhere.

    Input: float array of any shape. Output: the same shape.

    Args:
        negative_slope: slope for negative inputs. Default 0.3.
        **kwargs: `name`, `dtype`, `trainable`, and `alpha`, the older name of the slope.

    Raises:
        ValueError: a negative slope.

    Source: A. Maas et al., "Rectifier nonlinearities improve neural network acoustic models", 2013.

    >>> import numpy as np
    >>> LeakyReLU(negative_slope=0.5)(np.array([-3.0, 2.0], "float32")).tolist()
    [-1.5, 2.0]
    """

    supports_masking = True

    def __init__(self, negative_slope: float = 0.3, **kwargs):
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = _not_negative("LeakyReLU", "negative_slope", negative_slope)
        self.built = True

    def call(self, inputs):
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)

    def get_config(self) -> dict:
        return {**super().get_config(), "negative_slope": self.negative_slope}


class PReLU(Layer):
    """`x` where it is positive, `alpha * x` elsewhere, with a learned `alpha` for each unit.

    Input: (batch, ...). Output: the same shape.

    Args:
        alpha_initializer: of alpha, which has the shape of one example. Default "zeros".
        alpha_regularizer: added to the loss. Default `None`.
        alpha_constraint: applied after each update. Default `None`.
        shared_axes: axes, counted from 1, along which alpha is one number. Default `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: K. He et al., "Delving deep into rectifiers", 2015.

    >>> import numpy as np
    >>> PReLU(alpha_initializer="ones")(np.array([[-3.0, 2.0]], "float32")).tolist()
    [[-3.0, 2.0]]
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer="Zeros",
        alpha_regularizer=None,
        alpha_constraint=None,
        shared_axes=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        if shared_axes is not None:
            shared_axes = (
                list(shared_axes) if isinstance(shared_axes, (list, tuple)) else [shared_axes]
            )
        self.shared_axes = shared_axes

    def build(self, input_shape) -> None:
        shared = self.shared_axes or []
        sizes = {axis: input_shape[axis] for axis in range(1, len(input_shape))}
        if any(size is None for axis, size in sizes.items() if axis not in shared):
            raise ValueError("axes of open size must be among shared_axes")
        self.alpha = self.add_weight(
            name="alpha",
            shape=tuple(1 if axis in shared else size for axis, size in sizes.items()),
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        fixed = {axis: size for axis, size in sizes.items() if axis not in shared}
        self.input_spec = InputSpec(ndim=len(input_shape), axes=fixed if shared else {})

    def call(self, inputs):
        return jax.nn.relu(inputs) - self.alpha.value * jax.nn.relu(-inputs)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "alpha_initializer": serialize(self.alpha_initializer),
            "alpha_regularizer": serialize(self.alpha_regularizer),
            "alpha_constraint": serialize(self.alpha_constraint),
            "shared_axes": self.shared_axes,
        }


class ELU(Layer):
    """`x` where it is positive, `alpha * (exp(x) - 1)` elsewhere.

    Input: float array of any shape. Output: the same shape.

    Args:
        alpha: what the output tends to for very negative inputs, negated. Default 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: D. Clevert et al., "Fast and accurate deep network learning by ELUs", 2015.

    >>> import numpy as np
    >>> ELU()(np.array([0.0, 2.0], "float32")).tolist()
    [0.0, 2.0]
    """

    supports_masking = True

    def __init__(self, alpha: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.built = True

    def call(self, inputs):
        return activations.elu(inputs, alpha=self.alpha)


class Softmax(Layer):
    """`exp(x) / sum(exp(x))`: positive numbers that add up to 1.

    Input: float array of any shape. Output: the same shape; 0 where a mask is False.

    Args:
        axis: axis or axes along which the outputs add up to 1. Default -1.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a mask that does not broadcast to the inputs.

    Source: `keras.layers.Softmax`.

    >>> import numpy as np
    >>> Softmax()(np.array([[1.0, 1.0]], "float32")).tolist()
    [[0.5, 0.5]]
    """

    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.built = True

    def call(self, inputs, mask=None):
        axis = tuple(self.axis) if isinstance(self.axis, (list, tuple)) else self.axis
        if mask is None:
            return (
                activations.softmax(inputs, axis=axis)
                if isinstance(axis, int)
                else (jax.nn.softmax(inputs, axis=axis))
            )
        _must_broadcast(mask.shape, inputs.shape)
        kept = mask if mask.dtype == bool else mask > 0.5
        # -1e9 as in Keras: far below any logit, and no NaN where a whole row is masked
        low = jnp.asarray(-3e4 if inputs.dtype == "float16" else -1e9, inputs.dtype)
        outputs = jax.nn.softmax(jnp.where(kept, inputs, low), axis=axis)
        return jnp.where(kept, outputs, jnp.zeros((), outputs.dtype))

    def get_config(self) -> dict:
        return {**super().get_config(), "axis": self.axis}


def _not_negative(layer: str, name: str, value):
    if value is None or value < 0:
        raise ValueError(f"{layer}({name}={value!r}): {name} must be a number that is not negative")
    return value


def _must_broadcast(mask: tuple, inputs: tuple) -> None:
    fits = len(mask) <= len(inputs) and all(
        size in (1, of_input) for size, of_input in zip(mask[::-1], inputs[::-1], strict=False)
    )
    if not fits:
        raise ValueError(f"a mask of shape {mask} does not broadcast to the inputs")
