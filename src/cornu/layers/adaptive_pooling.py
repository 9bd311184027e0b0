"""Adaptive pooling layers: pooling to a given size, whatever the size of the input."""

from __future__ import annotations

from collections.abc import Callable

from cornu.core.image import standardize_data_format
from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer
from cornu.ops.adaptive_pooling import adaptive_average_pool, adaptive_max_pool


class _AdaptivePooling(Layer):
    """Takes one number from each of a given number of windows, channel by channel."""

    _rank = 2
    _pool: Callable

    def __init__(self, output_size, data_format: str | None = None, **kwargs):
        if not isinstance(output_size, (int, tuple, list)):
            raise TypeError(
                f"{type(self).__name__}(output_size={output_size!r}): output_size must be an "
                "integer" + (f" or {self._rank} of them" if self._rank > 1 else "")
            )
        self.output_size = arguments.integers(self, "output_size", output_size, self._rank)
        self.data_format = standardize_data_format(data_format)
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def compute_output_shape(self, input_shape) -> tuple:
        if self.data_format == "channels_last":
            return (input_shape[0], *self.output_size, input_shape[-1])
        return (input_shape[0], input_shape[1], *self.output_size)

    def call(self, inputs):
        return type(self)._pool(inputs, self.output_size, self.data_format)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "output_size": self.output_size,
            "data_format": self.data_format,
        }


class _AdaptiveAverage(_AdaptivePooling):
    _pool = adaptive_average_pool


class _AdaptiveMax(_AdaptivePooling):
    _pool = adaptive_max_pool


class AdaptiveAveragePooling1D(_AdaptiveAverage):
    """The mean of each of so many windows, spread evenly over steps of sequences.

    Input: (batch, steps, channels). Output: (batch, output_size, channels).

    Args:
        output_size: the number of steps that come out, an integer.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: `output_size` is neither an integer nor a tuple.
        ValueError: it is not positive, or of another length.

    Source: `keras.layers.AdaptiveAveragePooling1D`; the windows are those of
        `cornu.ops.adaptive_average_pool`.

    >>> import numpy as np
    >>> AdaptiveAveragePooling1D(4)(np.ones((1, 9, 2), "float32")).shape
    (1, 4, 2)
    """

    _rank = 1


class AdaptiveAveragePooling2D(_AdaptiveAverage):
    """The mean of each of so many windows, spread evenly over images.

    Input: (batch, rows, columns, channels). Output: (batch, output_size[0], output_size[1],
    channels).

    Args:
        output_size: the rows and columns that come out, a pair or one integer for both.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: `output_size` is neither an integer nor a tuple.
        ValueError: it is not positive, or of another length.

    Source: `keras.layers.AdaptiveAveragePooling2D`; the windows are those of
        `cornu.ops.adaptive_average_pool`.

    >>> import numpy as np
    >>> AdaptiveAveragePooling2D(4)(np.ones((1, 9, 7, 2), "float32")).shape
    (1, 4, 4, 2)
    """


class AdaptiveAveragePooling3D(_AdaptiveAverage):
    """The mean of each of so many windows, spread evenly over volumes.

    Input: (batch, depth, rows, columns, channels). Output: (batch, *output_size, channels).

    Args:
        output_size: depth, rows and columns that come out, three integers or one for all.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: `output_size` is neither an integer nor a tuple.
        ValueError: it is not positive, or of another length.

    Source: `keras.layers.AdaptiveAveragePooling3D`; the windows are those of
        `cornu.ops.adaptive_average_pool`.

    >>> import numpy as np
    >>> AdaptiveAveragePooling3D(4)(np.ones((1, 4, 5, 6, 2), "float32")).shape
    (1, 4, 4, 4, 2)
    """

    _rank = 3


class AdaptiveMaxPooling1D(_AdaptiveMax):
    """The largest element of each of so many windows, spread evenly over steps of sequences.

    Input: (batch, steps, channels). Output: (batch, output_size, channels).

    Args:
        output_size: the number of steps that come out, an integer.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: `output_size` is neither an integer nor a tuple.
        ValueError: it is not positive, or of another length.

    Source: `keras.layers.AdaptiveMaxPooling1D`; the windows are those of
        `cornu.ops.adaptive_average_pool`.

    >>> import numpy as np
    >>> AdaptiveMaxPooling1D(4)(np.ones((1, 9, 2), "float32")).shape
    (1, 4, 2)
    """

    _rank = 1


class AdaptiveMaxPooling2D(_AdaptiveMax):
    """The largest element of each of so many windows, spread evenly over images.

    Input: (batch, rows, columns, channels). Output: (batch, output_size[0], output_size[1],
    channels).

    Args:
        output_size: the rows and columns that come out, a pair or one integer for both.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: `output_size` is neither an integer nor a tuple.
        ValueError: it is not positive, or of another length.

    Source: `keras.layers.AdaptiveMaxPooling2D`; the windows are those of
        `cornu.ops.adaptive_average_pool`.

    >>> import numpy as np
    >>> AdaptiveMaxPooling2D(4)(np.ones((1, 9, 7, 2), "float32")).shape
    (1, 4, 4, 2)
    """


class AdaptiveMaxPooling3D(_AdaptiveMax):
    """The largest element of each of so many windows, spread evenly over volumes.

    Input: (batch, depth, rows, columns, channels). Output: (batch, *output_size, channels).

    Args:
        output_size: depth, rows and columns that come out, three integers or one for all.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: `output_size` is neither an integer nor a tuple.
        ValueError: it is not positive, or of another length.

    Source: `keras.layers.AdaptiveMaxPooling3D`; the windows are those of
        `cornu.ops.adaptive_average_pool`.

    >>> import numpy as np
    >>> AdaptiveMaxPooling3D(4)(np.ones((1, 4, 5, 6, 2), "float32")).shape
    (1, 4, 4, 4, 2)
    """

    _rank = 3
