"""Normalization of each example by itself: GroupNormalization, RMSNormalization, UnitNormalization.

BatchNormalization and LayerNormalization are in `layers.normalization`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer
from cornu.layers.normalization import ScaleAndCenter
from cornu.ops import nn


class GroupNormalization(ScaleAndCenter):
    """Gives each group of channels of each example mean 0 and variance 1, then scale and offset.

    Mean and variance are taken over the channels of the group and all axes between batch and
    channels. With one group it is nearly a layer normalization, with as many as channels an
    instance normalization.

    Input: array of any shape with a batch and a channel axis. Output: the same shape.

    Args:
        groups: number of groups, a divisor of the number of channels; -1 for as many as channels.
            Default 32.
        axis: of the channels. Default -1.
        epsilon: added to the variance. Default 1e-3.
        center: whether the offset beta is added. Default True.
        scale: whether there is a factor gamma. Default True.
        beta_initializer: of beta (channels,). Default "zeros".
        gamma_initializer: of gamma (channels,). Default "ones".
        beta_regularizer, gamma_regularizer: added to the loss. Default `None`.
        beta_constraint, gamma_constraint: applied after each update. Default `None`.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: `groups` is neither a positive integer nor -1, or no divisor of the channels; an
            axis that the input does not have, or the batch axis.

    Source: Y. Wu, K. He, "Group normalization", 2018.

    >>> import numpy as np
    >>> layer = GroupNormalization(groups=2, epsilon=0.0)
    >>> layer(np.array([[1.0, 3.0, 10.0, 30.0]], "float32")).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        whole = isinstance(groups, int) and not isinstance(groups, bool)
        if not whole or (groups < 1 and groups != -1):
            raise ValueError(
                f"GroupNormalization(groups={groups!r}): groups must be a positive integer, or -1 "
                "for as many as there are channels"
            )
        super().__init__(
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.groups = groups
        self.axis = axis
        self.autocast = False

    def build(self, input_shape) -> None:
        (axis,) = arguments.axes_within(self, self.axis, input_shape)
        if axis == 0:
            raise ValueError(f"GroupNormalization(axis={self.axis}): that is the batch axis")
        channels = input_shape[axis]
        if channels is not None:
            # as Keras writes it in the configuration of a built layer
            self.groups = channels if self.groups == -1 else self.groups
            if channels % self.groups:
                raise ValueError(
                    f"GroupNormalization(groups={self.groups}): the {channels} channels of an "
                    f"input of shape {tuple(input_shape)} cannot be shared out evenly among them"
                )
        self._add_gamma_and_beta((channels,), self.scale, self.center)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs):
        # half precision overflows in the sums: at least float32, as in Keras
        x = inputs.astype(jnp.promote_types(inputs.dtype, "float32"))
        axis = self.axis % x.ndim
        shape = [1] * x.ndim
        shape[axis] = x.shape[axis]
        # sums over all but the channels first: these are long, those over the channels of a group
        # short, and both at once would take XLA through an array of another shape
        rest = tuple(i for i in range(1, x.ndim) if i != axis)
        mean = self._over_group(jnp.mean(x, rest))
        centered = x - self._spread(mean, x, axis)
        variance = self._over_group(jnp.mean(jnp.square(centered), rest))
        factor = self._spread(jax.lax.rsqrt(variance + self.epsilon), x, axis)
        if self.gamma is not None:
            factor = factor * self.gamma.value.reshape(shape).astype(x.dtype)
        outputs = centered * factor
        if self.beta is not None:
            outputs = outputs + self.beta.value.reshape(shape).astype(x.dtype)
        return outputs.astype(self.compute_dtype)

    def _over_group(self, values):
        """The mean over each group of (batch, channels), for each of its channels."""
        means = jnp.mean(values.reshape(values.shape[0], self.groups, -1), -1)
        return jnp.repeat(means, values.shape[1] // self.groups, 1)

    def _spread(self, values, x, axis: int):
        """(batch, channels) such that it broadcasts against the inputs."""
        shape = [1] * x.ndim
        shape[0], shape[axis] = values.shape
        return values.reshape(shape)

    def compute_output_shape(self, input_shape) -> tuple:
        arguments.axes_within(self, self.axis, input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict:
        return {**super().get_config(), "groups": self.groups, "axis": self.axis}


class RMSNormalization(Layer):
    """Divides by the root of the mean square over some axes, times a learned scale.

    Input: float array of any shape. Output: the same shape.

    Args:
        axis: axis or axes of the mean. Default -1.
        epsilon: added to the mean square. Default 1e-6.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: an axis that the input does not have.

    Source: B. Zhang, R. Sennrich, "Root mean square layer normalization", 2019.

    >>> import numpy as np
    >>> RMSNormalization(epsilon=0.0)(np.array([[3.0, -3.0]], "float32")).tolist()
    [[1.0, -1.0]]
    """

    def __init__(self, axis=-1, epsilon: float = 1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape) -> None:
        arguments.axes_within(self, self.axis, input_shape)
        # a list from here on, as in Keras' configuration of a built layer
        several = isinstance(self.axis, (list, tuple))
        self.axis = sorted(self.axis) if several else [self.axis]
        shape = tuple(input_shape[axis] for axis in self.axis)
        if None in shape:
            raise ValueError(
                "the size of the axis that is normalized must be known: give it in Input(shape=...)"
            )
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def compute_output_shape(self, input_shape) -> tuple:
        arguments.axes_within(self, self.axis, input_shape)
        return tuple(input_shape)

    def call(self, inputs):
        return nn.rms_normalization(inputs, self.scale, self.axis, self.epsilon)

    def get_config(self) -> dict:
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


class UnitNormalization(Layer):
    """Divides by the length: along some axes the squares of the outputs add up to 1.

    Input: float array of any shape. Output: the same shape. A mask passes through.

    Args:
        axis: axis or axes of the vectors. Default -1.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: `axis` is neither an integer nor a list of them.
        ValueError: an axis that the input does not have.

    Source: `keras.layers.UnitNormalization`.

    >>> import numpy as np
    >>> UnitNormalization()(np.array([[3.0, 4.0]], "float32")).round(3).tolist()
    [[0.6..., 0.8...]]
    """

    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        if not isinstance(axis, (int, list, tuple)) or isinstance(axis, bool):
            raise TypeError(
                f"UnitNormalization(axis={axis!r}): axis must be an integer or a list of integers"
            )
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.built = True

    def compute_output_shape(self, input_shape) -> tuple:
        arguments.axes_within(self, self.axis, input_shape)
        return tuple(input_shape)

    def call(self, inputs):
        arguments.axes_within(self, self.axis, inputs.shape)
        return nn.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    def get_config(self) -> dict:
        return {**super().get_config(), "axis": self.axis}
