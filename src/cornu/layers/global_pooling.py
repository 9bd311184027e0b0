"""Pooling over whole sequences, images and volumes."""

from __future__ import annotations

import jax.numpy as jnp

from cornu.core.image import standardize_data_format
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer


class _GlobalPooling(Layer):
    """Folds the axes between batch and channels."""

    _rank = 2

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self._rank + 2)
        self.built = True

    @property
    def _axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self._rank))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }


class _GlobalAverage(_GlobalPooling):
    def call(self, inputs):
        return jnp.mean(inputs, axis=self._axes, keepdims=self.keepdims)


class _GlobalMax(_GlobalPooling):
    def call(self, inputs):
        return jnp.max(inputs, axis=self._axes, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalAverage):
    """The mean over all steps, channel by channel.

    Input: (batch, steps, channels). Output: (batch, channels). Masked steps are
    left out of the mean.

    Args:
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        keepdims: whether folded axes stay, with size 1. Default False.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.GlobalAveragePooling1D`.

    >>> import numpy as np
    >>> GlobalAveragePooling1D()(np.array([[[1.0], [3.0]]], "float32")).tolist()
    [[2.0]]
    """

    _rank = 1
    supports_masking = True

    def call(self, inputs, mask=None):
        if mask is None:
            return super().call(inputs)
        (axis,) = self._axes
        counts = jnp.expand_dims(mask.astype(bool), 2 if axis == 1 else 1)
        total = jnp.sum(jnp.where(counts, inputs, 0), axis=axis, keepdims=self.keepdims)
        return total / jnp.sum(counts.astype(inputs.dtype), axis=axis, keepdims=self.keepdims)

    def compute_mask(self, inputs, previous_mask=None):
        return None


class GlobalAveragePooling2D(_GlobalAverage):
    """The mean over all rows and columns, channel by channel.

    Input: (batch, rows, columns, channels). Output: (batch, channels).

    Args:
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        keepdims: whether folded axes stay, with size 1. Default False.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.GlobalAveragePooling2D`.

    >>> import numpy as np
    >>> GlobalAveragePooling2D()(np.ones((2, 7, 7, 5), "float32")).shape
    (2, 5)
    """


class GlobalAveragePooling3D(_GlobalAverage):
    """The mean over all of a volume, channel by channel.

    Input: (batch, depth, rows, columns, channels). Output: (batch, channels).

    Args:
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        keepdims: whether folded axes stay, with size 1. Default False.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.GlobalAveragePooling3D`.

    >>> import numpy as np
    >>> GlobalAveragePooling3D()(np.ones((2, 3, 3, 3, 5), "float32")).shape
    (2, 5)
    """

    _rank = 3


class GlobalMaxPooling1D(_GlobalMax):
    """The largest value over all steps, channel by channel.

    Input: (batch, steps, channels). Output: (batch, channels).

    Args:
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        keepdims: whether folded axes stay, with size 1. Default False.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.GlobalMaxPooling1D`.

    >>> import numpy as np
    >>> GlobalMaxPooling1D()(np.array([[[1.0], [3.0]]], "float32")).tolist()
    [[3.0]]
    """

    _rank = 1


class GlobalMaxPooling2D(_GlobalMax):
    """The largest value over all rows and columns, channel by channel.

    Input: (batch, rows, columns, channels). Output: (batch, channels).

    Args:
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        keepdims: whether folded axes stay, with size 1. Default False.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.GlobalMaxPooling2D`.

    >>> import numpy as np
    >>> GlobalMaxPooling2D()(np.ones((2, 7, 7, 5), "float32")).shape
    (2, 5)
    """


class GlobalMaxPooling3D(_GlobalMax):
    """The largest value over all of a volume, channel by channel.

    Input: (batch, depth, rows, columns, channels). Output: (batch, channels).

    Args:
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        keepdims: whether folded axes stay, with size 1. Default False.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.GlobalMaxPooling3D`.

    >>> import numpy as np
    >>> GlobalMaxPooling3D()(np.ones((2, 3, 3, 3, 5), "float32")).shape
    (2, 5)
    """

    _rank = 3


GlobalAvgPool1D = GlobalAveragePooling1D
GlobalAvgPool2D = GlobalAveragePooling2D
GlobalAvgPool3D = GlobalAveragePooling3D
GlobalMaxPool1D = GlobalMaxPooling1D
GlobalMaxPool2D = GlobalMaxPooling2D
GlobalMaxPool3D = GlobalMaxPooling3D
