"""Layers that act only in training: dropout and noise; and a penalty on activity."""

from __future__ import annotations

import math

import jax.numpy as jnp

from cornu import regularizers
from cornu.core.dtypes import floatx
from cornu.core.image import standardize_data_format
from cornu.core.random import SeedGenerator
from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer
from cornu.ops import random


class _Noise(Layer):
    """A layer that draws numbers in training and returns its inputs otherwise."""

    supports_masking = True

    def __init__(self, strength: float, seed: int | None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self._active = strength > 0
        if self._active:
            self.seed_generator = SeedGenerator(seed)
        self.built = True

    def call(self, inputs, training=False):
        if training and self._active:
            return self._noisy(inputs)
        return inputs

    def _noisy(self, inputs):
        raise NotImplementedError

    def _key(self):
        return self.seed_generator.next()


class _Dropout(_Noise):
    """A layer that drops some of its inputs."""

    def __init__(self, rate: float, seed: int | None, **kwargs):
        self.rate = arguments.share(type(self).__name__, "rate", rate)
        super().__init__(rate, seed, **kwargs)

    def _dropped(self, inputs, noise_shape):
        # where all is dropped nothing is drawn, so that later draws are Keras' too
        key = self._key() if self.rate < 1 else None
        return random.dropout(inputs, self.rate, noise_shape, key)


class Dropout(_Dropout):
    """Sets a share of the inputs to 0 in training, and scales the others up by `1 / (1 - rate)`.

    Input: float array of any shape. Output: the same shape.

    Args:
        rate: the share that is dropped, 0 to 1.
        noise_shape: shape of the mask; an axis of size 1 is dropped or kept as a whole, `None` is
            the size of the input. Default `None`, the shape of the input.
        seed: integer. Default `None`, drawn from Python's generator.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a rate outside [0, 1], or a noise shape that is not made of positive integers.

    Source: N. Srivastava et al., "Dropout", 2014. The masks are Keras' on JAX for equal seeds.

    >>> import numpy as np
    >>> Dropout(0.5)(np.ones((1, 4), "float32"), training=False).tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """

    def __init__(self, rate: float, noise_shape=None, seed: int | None = None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = _noise_shape("Dropout", noise_shape)

    def _noisy(self, inputs):
        return self._dropped(inputs, self.noise_shape)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }


class _SpatialDropout(_Dropout):
    """Dropout of whole channels."""

    def __init__(self, rate: float, seed=None, name=None, dtype=None):
        super().__init__(rate, seed, name=name, dtype=dtype)
        self.data_format = "channels_last"

    def _noisy(self, inputs):
        sizes = [None, *([1] * (inputs.ndim - 2)), None]
        if self.data_format == "channels_first":
            sizes = [None, None, *([1] * (inputs.ndim - 2))]
        return self._dropped(inputs, sizes)

    def get_config(self) -> dict:
        # the keys that Keras writes for these layers
        return {"rate": self.rate, "seed": self.seed, "name": self.name, "dtype": self.dtype}


class SpatialDropout1D(_SpatialDropout):
    """Drops whole features over all time steps in training.

    Input: (batch, steps, features). Output: the same shape.

    Args:
        rate: the share of features that is dropped, 0 to 1.
        seed: integer. Default `None`, drawn from Python's generator.
        name, dtype: as for every layer.

    Source: J. Tompson et al., "Efficient object localization using convolutional networks", 2014.

    >>> import numpy as np
    >>> SpatialDropout1D(0.5)(np.ones((1, 2, 3), "float32"), training=False).shape
    (1, 2, 3)
    """

    def __init__(self, rate: float, seed=None, name=None, dtype=None):
        super().__init__(rate, seed, name, dtype)
        self.input_spec = InputSpec(ndim=3)


class SpatialDropout2D(_SpatialDropout):
    """Drops whole channels of images in training.

    Input: (batch, rows, columns, channels). Output: the same shape.

    Args:
        rate: the share of channels that is dropped, 0 to 1.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        seed: integer. Default `None`, drawn from Python's generator.
        name, dtype: as for every layer.

    Source: J. Tompson et al., "Efficient object localization using convolutional networks", 2014.

    >>> import numpy as np
    >>> SpatialDropout2D(0.5)(np.ones((1, 2, 2, 3), "float32"), training=False).shape
    (1, 2, 2, 3)
    """

    _axes = 4

    def __init__(self, rate: float, data_format=None, seed=None, name=None, dtype=None):
        super().__init__(rate, seed, name, dtype)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._axes)

    def get_config(self) -> dict:
        return {**super().get_config(), "data_format": self.data_format}


class SpatialDropout3D(SpatialDropout2D):
    """Drops whole channels of volumes in training.

    Input: (batch, depth, rows, columns, channels). Output: the same shape.

    Args:
        rate: the share of channels that is dropped, 0 to 1.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        seed: integer. Default `None`, drawn from Python's generator.
        name, dtype: as for every layer.

    Source: J. Tompson et al., "Efficient object localization using convolutional networks", 2014.

    >>> import numpy as np
    >>> SpatialDropout3D(0.5)(np.ones((1, 2, 2, 2, 3), "float32"), training=False).shape
    (1, 2, 2, 2, 3)
    """

    _axes = 5


class GaussianNoise(_Noise):
    """Adds normally distributed noise in training.

    Input: float array of any shape. Output: the same shape.

    Args:
        stddev: standard deviation of the noise, 0 to 1.
        seed: integer. Default `None`, drawn from Python's generator.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: `stddev` outside [0, 1].

    Source: `keras.layers.GaussianNoise`.

    >>> import numpy as np
    >>> GaussianNoise(0.1)(np.ones((1, 2), "float32"), training=False).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs):
        self.stddev = arguments.share("GaussianNoise", "stddev", stddev)
        super().__init__(stddev, seed, **kwargs)

    def _noisy(self, inputs):
        return inputs + random.normal(
            inputs.shape, 0.0, self.stddev, self.compute_dtype, self._key()
        )

    def get_config(self) -> dict:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


class GaussianDropout(_Noise):
    """Multiplies with normally distributed noise around 1 in training.

    Input: float array of any shape. Output: the same shape.

    Args:
        rate: as of Dropout; the noise has standard deviation `sqrt(rate / (1 - rate))`.
        seed: integer. Default `None`, drawn from Python's generator.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a rate outside [0, 1].

    Source: N. Srivastava et al., "Dropout", 2014, section 10.

    >>> import numpy as np
    >>> GaussianDropout(0.1)(np.ones((1, 2), "float32"), training=False).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs):
        self.rate = arguments.share("GaussianDropout", "rate", rate)
        super().__init__(rate, seed, **kwargs)

    def _noisy(self, inputs):
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return inputs * random.normal(inputs.shape, 1.0, stddev, self.compute_dtype, self._key())

    def get_config(self) -> dict:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


class AlphaDropout(_Noise):
    """Sets a share of the inputs to SELU's least value in training, keeping mean and variance.

    The inputs are then scaled and moved such that, had they mean 0 and variance 1, they have again.

    Input: float array of any shape. Output: the same shape.

    Args:
        rate: the share that is dropped, 0 to 1.
        noise_shape: shape of the mask; an axis of size 1 is dropped or kept as a whole, `None` is
            the size of the input. Default `None`, the shape of the input.
        seed: integer. Default `None`, drawn from Python's generator.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a rate outside [0, 1], or a noise shape that is not made of positive integers;
            in training, a rate of 1.

    Source: G. Klambauer et al., "Self-normalizing neural networks", 2017. The masks are Keras' on
    JAX for equal seeds.

    >>> import numpy as np
    >>> AlphaDropout(0.1)(np.ones((1, 2), "float32"), training=False).tolist()
    [[1.0, 1.0]]
    """

    # what SELU falls to: its scale times its alpha
    _least = -1.0507009873554804934193349852946 * 1.6732632423543772848170429916717

    def __init__(self, rate: float, noise_shape=None, seed: int | None = None, **kwargs):
        self.rate = arguments.share("AlphaDropout", "rate", rate)
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = _noise_shape("AlphaDropout", noise_shape)

    def _noisy(self, inputs):
        if self.rate == 1:
            raise ValueError("AlphaDropout(rate=1) would leave nothing in training; lower the rate")
        shape = random.concrete_shape(inputs.shape, self.noise_shape)
        kept = random.uniform(shape, floatx(), self._key()) >= self.rate
        factor = ((1 - self.rate) * (1 + self.rate * self._least**2)) ** -0.5
        outputs = jnp.where(kept, inputs, jnp.asarray(self._least, inputs.dtype))
        return factor * outputs - factor * self._least * self.rate

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "rate": self.rate,
            "seed": self.seed,
            "noise_shape": self.noise_shape,
        }


class ActivityRegularization(Layer):
    """Returns its inputs, and adds a penalty on their size to the loss.

    Input: float array of any shape. Output: the same.

    Args:
        l1: factor of the sum of absolute values. Default 0.
        l2: factor of the sum of squares. Default 0.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.ActivityRegularization`.

    >>> import numpy as np
    >>> ActivityRegularization(l2=0.1)(np.ones((1, 2), "float32")).tolist()
    [[1.0, 1.0]]
    """

    supports_masking = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs):
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1, self.l2 = l1, l2
        self.built = True

    def call(self, inputs):
        return inputs

    def get_config(self) -> dict:
        config = {**super().get_config(), "l1": self.l1, "l2": self.l2}
        del config["activity_regularizer"]
        return config


def _noise_shape(layer: str, noise_shape) -> tuple | None:
    if noise_shape is None:
        return None
    message = (
        f"{layer}(noise_shape={noise_shape!r}): noise_shape must be a tuple of positive integers, "
        "None for a size of the input"
    )
    if isinstance(noise_shape, (str, int)):
        raise ValueError(message)
    sizes = tuple(noise_shape)
    for size in sizes:
        whole = isinstance(size, int) and not isinstance(size, bool)
        if size is not None and not (whole and size > 0):
            raise ValueError(message)
    return sizes
