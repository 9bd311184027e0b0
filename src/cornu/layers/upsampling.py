"""Upsampling layers: UpSampling1D, UpSampling2D, UpSampling3D."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.core.image import standardize_data_format
from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer

_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")


def _repeated(inputs, sizes: tuple[int, ...], first: int):
    """Every element repeated along the axes from `first` on, by one copy for all axes."""
    shape, wide = list(inputs.shape[:first]), list(inputs.shape[:first])
    for size, length in zip(sizes, inputs.shape[first:], strict=False):
        shape += [length, 1]
        wide += [length, size]
    rest = inputs.shape[first + len(sizes) :]
    lengths = [n * size for n, size in zip(inputs.shape[first:], sizes, strict=False)]
    copies = jnp.broadcast_to(inputs.reshape(*shape, *rest), (*wide, *rest))
    return copies.reshape(*inputs.shape[:first], *lengths, *rest)


def _times(shape, sizes: tuple[int, ...], first: int) -> tuple:
    """A shape with the axes from `first` on so many times as long, open ones staying open."""
    longer = dict(enumerate(sizes, first))
    return tuple(n if n is None else n * longer.get(axis, 1) for axis, n in enumerate(shape))


class UpSampling1D(Layer):
    """Repeats each step of sequences.

    Input: (batch, steps, features). Output: (batch, steps * size, features).

    Args:
        size: how many times, a positive integer. Default 2.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError: `size` is not an integer.
        ValueError: `size` is not positive.

    Source: `keras.layers.UpSampling1D`.

    >>> import numpy as np
    >>> steps = np.array([1.0, 2.0], "float32").reshape(1, 2, 1)
    >>> UpSampling1D(2)(steps)[0, :, 0].tolist()
    [1.0, 1.0, 2.0, 2.0]
    """

    def __init__(self, size: int = 2, **kwargs):
        if not isinstance(size, int) or isinstance(size, bool):
            raise TypeError(f"UpSampling1D(size={size!r}): size must be an integer")
        self.size = arguments.positive_integer("UpSampling1D", "size", size)
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=3)

    def compute_output_shape(self, input_shape) -> tuple:
        return _times(input_shape, (self.size,), 1)

    def call(self, inputs):
        return _repeated(inputs, (self.size,), 1)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size}


class _UpSampling(Layer):
    """Repeats the elements of images or volumes along each axis between batch and channels."""

    _rank = 2

    def __init__(self, size, data_format: str | None = None, **kwargs):
        self.size = arguments.integers(self, "size", size, self._rank)
        self.data_format = standardize_data_format(data_format)
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    @property
    def _first(self) -> int:
        return 1 if self.data_format == "channels_last" else 2

    def compute_output_shape(self, input_shape) -> tuple:
        return _times(input_shape, self.size, self._first)

    def call(self, inputs):
        return _repeated(inputs, self.size, self._first)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}


class UpSampling2D(_UpSampling):
    """Makes images larger by whole factors.

    Input: (batch, rows, columns, channels). Output: (batch, rows * size[0], columns * size[1],
    channels).

    Args:
        size: the factors of rows and columns, a pair or one positive integer. Default (2, 2).
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        interpolation: "nearest" (repeats rows and columns), "bilinear", "bicubic", "lanczos3" or
            "lanczos5". Default "nearest".
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a size that is not positive, or another interpolation.

    Source: `keras.layers.UpSampling2D` on JAX; `jax.image.resize`.

    >>> import numpy as np
    >>> images = np.array([[1.0, 3.0]], "float32").reshape(1, 1, 2, 1)
    >>> UpSampling2D((1, 2))(images)[0, 0, :, 0].tolist()
    [1.0, 1.0, 3.0, 3.0]
    >>> UpSampling2D((1, 2), interpolation="bilinear")(images)[0, 0, :, 0].tolist()
    [1.0, 1.5, 2.5, 3.0]
    """

    def __init__(
        self,
        size=(2, 2),
        data_format: str | None = None,
        interpolation: str = "nearest",
        **kwargs,
    ):
        mode = interpolation.lower() if isinstance(interpolation, str) else interpolation
        if mode not in _INTERPOLATIONS:
            raise ValueError(
                f"UpSampling2D(interpolation={interpolation!r}): interpolation must be one of "
                + ", ".join(map(repr, _INTERPOLATIONS))
            )
        self.interpolation = mode
        super().__init__(size, data_format, **kwargs)

    def call(self, inputs):
        if self.interpolation == "nearest":
            return super().call(inputs)
        shape = self.compute_output_shape(inputs.shape)
        return jax.image.resize(inputs, shape, self.interpolation, antialias=False)

    def get_config(self) -> dict:
        return {**super().get_config(), "interpolation": self.interpolation}


class UpSampling3D(_UpSampling):
    """Repeats the elements of volumes along depth, rows and columns.

    Input: (batch, depth, rows, columns, channels). Output: the same with the middle axes `size`
    times as long.

    Args:
        size: the factors of depth, rows and columns, three positive integers or one. Default
            (2, 2, 2).
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a size that is not positive.

    Source: `keras.layers.UpSampling3D`.

    >>> import numpy as np
    >>> UpSampling3D((1, 2, 3))(np.ones((1, 2, 2, 2, 1), "float32")).shape
    (1, 2, 4, 6, 1)
    """

    _rank = 3

    def __init__(self, size=(2, 2, 2), data_format: str | None = None, **kwargs):
        super().__init__(size, data_format, **kwargs)
