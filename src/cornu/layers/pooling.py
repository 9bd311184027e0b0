"""Pooling layers: over windows, and over whole images or sequences."""

from __future__ import annotations

from collections.abc import Callable

from cornu.core.image import standardize_data_format
from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer
from cornu.ops.pooling import average_pool, max_pool


class _Pooling(Layer):
    """Takes one number from each window, channel by channel."""

    _rank = 2
    _pool: Callable

    def __init__(
        self,
        pool_size=2,
        strides=None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        strides = pool_size if strides is None else strides
        self.pool_size = arguments.integers(self, "pool_size", pool_size, self._rank)
        self.strides = arguments.integers(self, "strides", strides, self._rank)
        self.padding = arguments.padding_mode(self, padding)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self._rank + 2)
        self.built = True

    def compute_output_shape(self, input_shape) -> tuple:
        # written out because tracing cannot know how an open size is divided by strides
        places = arguments.window_places(
            self, input_shape, self.data_format, self.pool_size, self.strides, self.padding
        )
        if self.data_format == "channels_last":
            return (input_shape[0], *places, input_shape[-1])
        return (input_shape[0], input_shape[1], *places)

    def call(self, inputs):
        return type(self)._pool(
            inputs,
            self.pool_size,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
        )

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "padding": self.padding,
            "strides": self.strides,
            "data_format": self.data_format,
        }


class MaxPooling1D(_Pooling):
    """The largest value of each window over the steps of sequences, channel by channel.

    Input: (batch, steps, channels). Output: (batch, new steps, channels).

    Args:
        pool_size: steps of the window. Default 2.
        strides: distance between windows. Default `None`, `pool_size`.
        padding: "valid" (whole windows only) or "same" (`ceil(size / strides)` windows).
            Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        name: by default made from the class.
        **kwargs: `dtype`, `trainable`.

    Raises:
        ValueError: sizes that are not positive; a window larger than the input.

    Source: `keras.layers.MaxPooling1D`.

    >>> import numpy as np
    >>> MaxPooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]], "float32"))[0, :, 0].tolist()
    [3.0, 2.0]
    """

    _rank = 1
    _pool = staticmethod(max_pool)


class MaxPooling2D(_Pooling):
    """The largest value of each window over the rows and columns of images, channel by channel.

    Input: (batch, rows, columns, channels). Output: (batch, new rows, new columns, channels).

    Args:
        pool_size: rows and columns of the window, a pair or one integer for both. Default (2, 2).
        strides: distance between windows. Default `None`, `pool_size`.
        padding: "valid" (whole windows only) or "same" (`ceil(size / strides)` windows).
            Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        name: by default made from the class.
        **kwargs: `dtype`, `trainable`.

    Raises:
        ValueError: sizes that are not positive; a window larger than the input.

    Source: `keras.layers.MaxPooling2D`.

    >>> import numpy as np
    >>> MaxPooling2D(2)(np.ones((1, 28, 28, 3), "float32")).shape
    (1, 14, 14, 3)
    """

    _pool = staticmethod(max_pool)


class MaxPooling3D(_Pooling):
    """The largest value of each window over volumes, channel by channel.

    Input: (batch, depth, rows, columns, channels). Output: the same axes, the middle
    three shorter.

    Args:
        pool_size: depth, rows and columns of the window, three integers or one for all. Default
            (2, 2, 2).
        strides: distance between windows. Default `None`, `pool_size`.
        padding: "valid" (whole windows only) or "same" (`ceil(size / strides)` windows).
            Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        name: by default made from the class.
        **kwargs: `dtype`, `trainable`.

    Raises:
        ValueError: sizes that are not positive; a window larger than the input.

    Source: `keras.layers.MaxPooling3D`.

    >>> import numpy as np
    >>> MaxPooling3D(2)(np.ones((1, 4, 4, 4, 3), "float32")).shape
    (1, 2, 2, 2, 3)
    """

    _rank = 3
    _pool = staticmethod(max_pool)


class AveragePooling1D(_Pooling):
    """The mean of each window over the steps of sequences, channel by channel.

    Input: (batch, steps, channels). Output: (batch, new steps, channels).

    Args:
        pool_size: steps of the window. Default 2.
        strides: distance between windows. Default `None`, `pool_size`.
        padding: "valid" (whole windows only) or "same" (`ceil(size / strides)` windows, each the
            mean of what is inside the input). Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        name: by default made from the class.
        **kwargs: `dtype`, `trainable`.

    Raises:
        ValueError: sizes that are not positive; a window larger than the input.

    Source: `keras.layers.AveragePooling1D`.

    >>> import numpy as np
    >>> AveragePooling1D(2)(np.array([[[1.0], [3.0], [2.0], [0.0]]], "float32"))[0, :, 0].tolist()
    [2.0, 1.0]
    """

    _rank = 1
    _pool = staticmethod(average_pool)


class AveragePooling2D(_Pooling):
    """The mean of each window over the rows and columns of images, channel by channel.

    Input: (batch, rows, columns, channels). Output: (batch, new rows, new columns, channels).

    Args:
        pool_size: rows and columns of the window, a pair or one integer for both. Default (2, 2).
        strides: distance between windows. Default `None`, `pool_size`.
        padding: "valid" (whole windows only) or "same" (`ceil(size / strides)` windows, each the
            mean of what is inside the input). Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        name: by default made from the class.
        **kwargs: `dtype`, `trainable`.

    Raises:
        ValueError: sizes that are not positive; a window larger than the input.

    Source: `keras.layers.AveragePooling2D`.

    >>> import numpy as np
    >>> AveragePooling2D(2)(np.ones((1, 28, 28, 3), "float32")).shape
    (1, 14, 14, 3)
    """

    _pool = staticmethod(average_pool)


class AveragePooling3D(_Pooling):
    """The mean of each window over volumes, channel by channel.

    Input: (batch, depth, rows, columns, channels). Output: the same axes, the middle
    three shorter.

    Args:
        pool_size: depth, rows and columns of the window, three integers or one for all. Default
            (2, 2, 2).
        strides: distance between windows. Default `None`, `pool_size`.
        padding: "valid" (whole windows only) or "same" (`ceil(size / strides)` windows, each the
            mean of what is inside the input). Default "valid".
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        name: by default made from the class.
        **kwargs: `dtype`, `trainable`.

    Raises:
        ValueError: sizes that are not positive; a window larger than the input.

    Source: `keras.layers.AveragePooling3D`.

    >>> import numpy as np
    >>> AveragePooling3D(2)(np.ones((1, 4, 4, 4, 3), "float32")).shape
    (1, 2, 2, 2, 3)
    """

    _rank = 3
    _pool = staticmethod(average_pool)


MaxPool1D, MaxPool2D, MaxPool3D = MaxPooling1D, MaxPooling2D, MaxPooling3D
AvgPool1D, AvgPool2D, AvgPool3D = AveragePooling1D, AveragePooling2D, AveragePooling3D
