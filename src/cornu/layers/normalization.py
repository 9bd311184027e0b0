"""Normalization layers: BatchNormalization, LayerNormalization."""

from __future__ import annotations

import jax.numpy as jnp

from cornu import constraints, initializers, regularizers
from cornu.core.dtypes import epsilon as fuzz_factor
from cornu.core.reporting import warn
from cornu.core.serialization import serialize
from cornu.core.variable import Variable
from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer
from cornu.ops import nn


class ScaleAndCenter(Layer):
    """What the normalization layers share: the learned gamma and beta."""

    supports_masking = True

    def __init__(
        self,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer,
        gamma_initializer,
        beta_regularizer,
        gamma_regularizer,
        beta_constraint,
        gamma_constraint,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    def _add_gamma_and_beta(self, shape: tuple, gamma: bool, beta: bool) -> None:
        for size in shape:
            if size is None:
                raise ValueError(
                    "the size of the axis that is normalized must be known: give it in "
                    "Input(shape=...)"
                )
        if gamma:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if beta:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": serialize(self.beta_initializer),
            "gamma_initializer": serialize(self.gamma_initializer),
            "beta_regularizer": serialize(self.beta_regularizer),
            "gamma_regularizer": serialize(self.gamma_regularizer),
            "beta_constraint": serialize(self.beta_constraint),
            "gamma_constraint": serialize(self.gamma_constraint),
        }


class BatchNormalization(ScaleAndCenter):
    """Gives each channel mean 0 and variance 1, then a learned scale and offset.

    In training with the mean and variance of the batch, which also move the running averages:
    `moving = moving * momentum + batch * (1 - momentum)`. Otherwise, and in training too where
    `trainable` is False, with the running averages.

    Input: array of any shape with a channel axis. Output: the same shape. A mask has one axis
    fewer, (batch, ...); masked places are left out of the batch's mean and variance.

    Args:
        axis: of the channels. Default -1.
        momentum: of the running averages. Default 0.99.
        epsilon: added to the variance. Default 1e-3.
        center: whether the offset beta is added. Default True.
        scale: whether there is a factor gamma. Default True.
        beta_initializer: of beta (channels,). Default "zeros".
        gamma_initializer: of gamma (channels,). Default "ones".
        moving_mean_initializer: of the running mean. Default "zeros".
        moving_variance_initializer: of the running variance. Default "ones".
        beta_regularizer, gamma_regularizer: added to the loss. Default `None`.
        beta_constraint, gamma_constraint: applied after each update. Default `None`.
        renorm: accepted only as False.
        renorm_clipping, renorm_momentum: kept in the configuration.
        synchronized: kept in the configuration: the statistics are always those of the whole
            batch, on however many devices it lies. Default False.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: `renorm`; an axis that the input does not have; a mask of a wrong rank.

    Source: S. Ioffe, C. Szegedy, "Batch normalization", 2015.

    >>> import numpy as np
    >>> layer = BatchNormalization(epsilon=0.0)
    >>> layer(np.array([[1.0], [3.0]], "float32"), training=True).tolist()
    [[-1.0], [1.0]]
    >>> layer.moving_mean.numpy().round(3) * 100
    array([2.], dtype=float32)
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        renorm: bool = False,
        renorm_clipping=None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs,
    ):
        arguments.refuse("BatchNormalization", renorm=renorm)
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
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.synchronized = synchronized
        self.renorm = False
        self.renorm_clipping = renorm_clipping
        self.renorm_momentum = renorm_momentum

    def build(self, input_shape) -> None:
        (axis,) = arguments.axes_within(self, self.axis, input_shape)
        shape = (input_shape[axis],)
        self._add_gamma_and_beta(shape, self.scale, self.center)
        self.moving_mean = self.add_weight(
            name="moving_mean",
            shape=shape,
            initializer=self.moving_mean_initializer,
            trainable=False,
            autocast=False,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=shape,
            initializer=self.moving_variance_initializer,
            trainable=False,
            autocast=False,
        )
        self._reduced = tuple(i for i in range(len(input_shape)) if i != axis)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: shape[0]})

    def call(self, inputs, training=None, mask=None):
        if mask is not None and mask.ndim != inputs.ndim - 1:
            raise ValueError(
                f"the mask has shape {mask.shape}; it must have one axis fewer than the inputs"
            )
        # half precision overflows in the sums: at least float32, as in Keras
        x = inputs.astype(jnp.promote_types(inputs.dtype, "float32"))
        if training and self.trainable:
            mean, variance = self._moments(x, mask)
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance)
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        outputs = nn.batch_normalization(
            x, mean, variance, self.axis, self.beta, self.gamma, self.epsilon
        )
        return outputs.astype(self.compute_dtype)

    def _move(self, average: Variable, value) -> None:
        average.assign(average.value * self.momentum + value * (1.0 - self.momentum))

    def _moments(self, x, mask):
        if mask is None:
            return nn.moments(x, self._reduced)
        counts = jnp.broadcast_to(mask[..., None].astype(bool), x.shape)
        # the fuzz factor in the divisor is Keras'
        number = jnp.sum(counts, self._reduced, dtype=x.dtype, keepdims=True) + fuzz_factor()
        mean = jnp.sum(jnp.where(counts, x, 0.0), self._reduced, keepdims=True) / number
        squares = jnp.square(jnp.where(counts, x - mean, 0.0))
        variance = jnp.sum(squares, self._reduced, keepdims=True) / number
        return jnp.squeeze(mean, self._reduced), jnp.squeeze(variance, self._reduced)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "moving_mean_initializer": serialize(self.moving_mean_initializer),
            "moving_variance_initializer": serialize(self.moving_variance_initializer),
            "synchronized": self.synchronized,
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }


class LayerNormalization(ScaleAndCenter):
    """Gives each example mean 0 and variance 1 over some axes, then a learned scale and offset.

    Input: array of any shape. Output: the same shape.

    Args:
        axis: axis or axes that are normalized over. Default -1.
        epsilon: added to the variance. Default 1e-3.
        center: whether the offset beta is added. Default True.
        scale: whether there is a factor gamma. Default True.
        beta_initializer: of beta, which has the sizes of the axes. Default "zeros".
        gamma_initializer: of gamma, likewise. Default "ones".
        beta_regularizer, gamma_regularizer: added to the loss. Default `None`.
        beta_constraint, gamma_constraint: applied after each update. Default `None`.
        rms_scaling: only divide by the standard deviation, without beta. Deprecated in Keras,
            which warns of it. Default False.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: `axis` is neither an integer nor a list of them.
        ValueError: an axis that the input does not have.

    Source: J. Ba, J. Kiros, G. Hinton, "Layer normalization", 2016.

    >>> import numpy as np
    >>> LayerNormalization(epsilon=0.0)(np.array([[1.0, 3.0]], "float32")).tolist()
    [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis=-1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        rms_scaling: bool = False,
        **kwargs,
    ):
        if not isinstance(axis, (int, list, tuple)) or isinstance(axis, bool):
            raise TypeError(
                f"LayerNormalization(axis={axis!r}): axis must be an integer or a list of integers"
            )
        if rms_scaling:
            warn(
                "LayerNormalization(rms_scaling=True) divides by the standard deviation, not by "
                "the root mean square, and is deprecated",
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
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else axis
        self.rms_scaling = rms_scaling
        self.autocast = False

    def build(self, input_shape) -> None:
        arguments.axes_within(self, self.axis, input_shape)
        # a list from here on, as in Keras' configuration of a built layer
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        self._add_gamma_and_beta(
            tuple(input_shape[axis] for axis in self.axis),
            self.scale or self.rms_scaling,
            self.center and not self.rms_scaling,
        )

    def call(self, inputs):
        return nn.layer_normalization(
            inputs, self.gamma, self.beta, self.axis, self.epsilon, self.rms_scaling
        ).astype(self.compute_dtype)

    def get_config(self) -> dict:
        return {**super().get_config(), "axis": self.axis, "rms_scaling": self.rms_scaling}
