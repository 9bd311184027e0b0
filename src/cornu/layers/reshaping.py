"""Layers that only move elements: Flatten, Reshape, Permute, RepeatVector, zero padding."""

from __future__ import annotations

import math

import jax.numpy as jnp

from cornu.core.image import standardize_data_format
from cornu.graph.tensor import KerasTensor
from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer


class Flatten(Layer):
    """Puts all axes but the batch axis on one.

    Input: (batch, ...). Output: (batch, product of the other sizes).

    Args:
        data_format: "channels_last" or "channels_first", which moves the channels to the end
            before. Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`, and the older `input_shape`.

    Source: `keras.layers.Flatten`.

    >>> import numpy as np
    >>> Flatten()(np.ones((5, 28, 28), "float32")).shape
    (5, 784)
    """

    def __init__(self, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        if self.data_format == "channels_first" and inputs.ndim > 1:
            inputs = jnp.moveaxis(inputs, 1, -1)
        return jnp.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))

    def get_config(self) -> dict:
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """Gives each example another shape with the same number of elements.

    Input: (batch, ...). Output: (batch, *target_shape).

    Args:
        target_shape: tuple of sizes without the batch axis; one may be -1, found from the others.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: sizes that do not hold as many elements as an example has.

    Source: `keras.layers.Reshape`.

    >>> import numpy as np
    >>> Reshape((28, -1))(np.ones((5, 784), "float32")).shape
    (5, 28, 28)
    """

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        sizes = (target_shape,) if isinstance(target_shape, int) else tuple(target_shape)
        if any(not isinstance(size, int) or size < -1 for size in sizes) or sizes.count(-1) > 1:
            raise ValueError(
                f"Reshape(target_shape={target_shape!r}): target_shape must be a tuple of positive "
                "integers, of which one may be -1"
            )
        self.target_shape = sizes
        self.built = True

    def compute_output_shape(self, input_shape) -> tuple:
        return (input_shape[0], *self._resolved(tuple(input_shape[1:])))

    def compute_output_spec(self, inputs, **kwargs):
        # tracing cannot know: an open size need not be divisible as the probes for it are
        return KerasTensor(self.compute_output_shape(inputs.shape), inputs.dtype)

    def _resolved(self, shape: tuple) -> tuple:
        """The target with -1 replaced, or with `None` where the input has open sizes."""
        if None in shape:
            return tuple(None if size == -1 else size for size in self.target_shape)
        elements = math.prod(shape)
        known = math.prod(size for size in self.target_shape if size != -1)
        fits = elements == known if -1 not in self.target_shape else known and elements % known == 0
        if not fits:
            raise ValueError(
                f"an example of shape {shape} has {elements} elements, which do not fit "
                f"target_shape={self.target_shape}"
            )
        return tuple(elements // known if size == -1 else size for size in self.target_shape)

    def call(self, inputs):
        return jnp.reshape(inputs, (inputs.shape[0], *self._resolved(inputs.shape[1:])))

    def get_config(self) -> dict:
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """Puts the axes of each example in another order.

    Input: (batch, ...). Output: the same axes, reordered.

    Args:
        dims: for each output axis the input axis that goes there, counted from 1.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: `dims` does not name each axis once.

    Source: `keras.layers.Permute`.

    >>> import numpy as np
    >>> Permute((2, 1))(np.ones((5, 10, 64), "float32")).shape
    (5, 64, 10)
    """

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"Permute(dims={dims!r}): dims must name each axis once, counted from 1; the batch "
                "axis is not counted"
            )
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs):
        return jnp.transpose(inputs, (0, *self.dims))

    def get_config(self) -> dict:
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """Repeats each row.

    Input: (batch, features). Output: (batch, n, features).

    Args:
        n: how many times, a positive integer.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: `n` is not an integer.
        ValueError: `n` is not positive.

    Source: `keras.layers.RepeatVector`.

    >>> import numpy as np
    >>> RepeatVector(3)(np.ones((5, 32), "float32")).shape
    (5, 3, 32)
    """

    def __init__(self, n: int, **kwargs):
        super().__init__(**kwargs)
        if isinstance(n, bool) or not isinstance(n, int):
            raise TypeError(f"RepeatVector(n={n!r}): n must be an integer")
        self.n = arguments.positive_integer("RepeatVector", "n", n)
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        shape = (inputs.shape[0], self.n, inputs.shape[1])
        return jnp.broadcast_to(inputs[:, None], shape)

    def get_config(self) -> dict:
        return {**super().get_config(), "n": self.n}


class _ZeroPadding(Layer):
    """Adds zeros before and after along the axes between batch and channels."""

    _rank = 2

    def __init__(self, padding, data_format: str | None = None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.padding = self._pairs(padding)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _pairs(self, padding) -> tuple:
        if isinstance(padding, int):
            padding = (padding,) * self._rank
        if not isinstance(padding, (list, tuple)) or len(padding) != self._rank:
            raise ValueError(
                f"{type(self).__name__}(padding={padding!r}): padding must be an integer, "
                f"{self._rank} integers, or {self._rank} pairs (before, after)"
            )
        return tuple(arguments.integers(self, "padding", pair, 2, least=0) for pair in padding)

    def call(self, inputs):
        pairs = self.padding if self._rank > 1 else (self.padding,)
        if self.data_format == "channels_first":
            return jnp.pad(inputs, ((0, 0), (0, 0), *pairs))
        return jnp.pad(inputs, ((0, 0), *pairs, (0, 0)))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "padding": self.padding,
            "data_format": self.data_format,
        }


class ZeroPadding1D(_ZeroPadding):
    """Adds steps of zeros before and after a sequence.

    Input: (batch, steps, features). Output: (batch, before + steps + after, features).

    Args:
        padding: integer or pair (before, after). Default 1.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.ZeroPadding1D`.

    >>> import numpy as np
    >>> ZeroPadding1D((1, 0))(np.ones((1, 2, 1), "float32"))[0, :, 0].tolist()
    [0.0, 1.0, 1.0]
    """

    _rank = 1

    def __init__(self, padding=1, data_format: str | None = None, **kwargs):
        super().__init__(padding, data_format, **kwargs)

    def _pairs(self, padding) -> tuple:
        return arguments.integers(self, "padding", padding, 2, least=0)


class ZeroPadding2D(_ZeroPadding):
    """Adds rows and columns of zeros around images.

    Input: (batch, rows, columns, channels). Output: the same with more rows and columns.

    Args:
        padding: integer; pair (rows, columns); or ((top, bottom), (left, right)). Default (1, 1).
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a padding that is none of the above.

    Source: `keras.layers.ZeroPadding2D`.

    >>> import numpy as np
    >>> ZeroPadding2D(((1, 0), (2, 2)))(np.ones((1, 4, 4, 3), "float32")).shape
    (1, 5, 8, 3)
    """

    def __init__(self, padding=(1, 1), data_format: str | None = None, **kwargs):
        super().__init__(padding, data_format, **kwargs)


class ZeroPadding3D(_ZeroPadding):
    """Adds zeros around volumes.

    Input: (batch, depth, rows, columns, channels). Output: the same with larger middle axes.

    Args:
        padding: integer, three integers, or three pairs (before, after). Default 1 everywhere.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.ZeroPadding3D`.

    >>> import numpy as np
    >>> ZeroPadding3D(1)(np.ones((1, 2, 2, 2, 3), "float32")).shape
    (1, 4, 4, 4, 3)
    """

    _rank = 3

    def __init__(self, padding=((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs):
        super().__init__(padding, data_format, **kwargs)
