"""Cropping layers: Cropping1D, Cropping2D, Cropping3D."""

from __future__ import annotations

from cornu.core.image import standardize_data_format
from cornu.layers import arguments
from cornu.layers.input_spec import InputSpec
from cornu.layers.layer import Layer


class _Cropping(Layer):
    """Cuts elements off at both ends of the axes between batch and channels."""

    _rank = 2

    def __init__(self, cropping, data_format: str | None = None, **kwargs):
        self.data_format = standardize_data_format(data_format)
        self.cropping = self._pairs(cropping)
        super().__init__(**kwargs)
        self.input_spec = InputSpec(ndim=self._rank + 2)

    def _pairs(self, cropping) -> tuple:
        if isinstance(cropping, int):
            cropping = (cropping,) * self._rank
        if not isinstance(cropping, (list, tuple)) or len(cropping) != self._rank:
            raise ValueError(
                f"{type(self).__name__}(cropping={cropping!r}): cropping must be an integer, "
                f"{self._rank} integers, or {self._rank} pairs (before, after)"
            )
        return tuple(arguments.integers(self, "cropping", pair, 2, least=0) for pair in cropping)

    def _each(self) -> tuple[tuple[int, int], ...]:
        """(before, after) of each axis."""
        return self.cropping

    def compute_output_shape(self, input_shape) -> tuple:
        # written out: a large cropping may leave nothing of the sizes tried for open ones
        first = 1 if self.data_format == "channels_last" else 2
        shape = list(input_shape)
        for axis, (before, after) in enumerate(self._each(), first):
            if shape[axis] is None:
                continue
            if shape[axis] <= before + after:
                raise ValueError(
                    f"cropping={self.cropping} leaves nothing of axis {axis}, of {shape[axis]}, of "
                    f"an input of shape {tuple(input_shape)}"
                )
            shape[axis] -= before + after
        return tuple(shape)

    def call(self, inputs):
        self.compute_output_shape(inputs.shape)
        first = 1 if self.data_format == "channels_last" else 2
        kept = [slice(None)] * inputs.ndim
        for axis, (before, after) in enumerate(self._each(), first):
            kept[axis] = slice(before, inputs.shape[axis] - after)
        return inputs[tuple(kept)]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "cropping": self.cropping,
            "data_format": self.data_format,
        }


class Cropping1D(_Cropping):
    """Cuts steps off the beginning and the end of sequences.

    Input: (batch, steps, features). Output: (batch, steps - before - after, features).

    Args:
        cropping: (before, after), or one integer for both. Default (1, 1).
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a cropping that is none of the above, or that leaves nothing of the input.

    Source: `keras.layers.Cropping1D`.

    >>> import numpy as np
    >>> Cropping1D((1, 0))(np.arange(3, dtype="float32").reshape(1, 3, 1))[0, :, 0].tolist()
    [1.0, 2.0]
    """

    _rank = 1

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(cropping, "channels_last", **kwargs)

    def _pairs(self, cropping) -> tuple:
        return arguments.integers(self, "cropping", cropping, 2, least=0)

    def _each(self) -> tuple[tuple[int, int], ...]:
        return (self.cropping,)

    def get_config(self) -> dict:
        config = super().get_config()
        del config["data_format"]
        return config


class Cropping2D(_Cropping):
    """Cuts rows and columns off images.

    Input: (batch, rows, columns, channels). Output: the same with fewer rows and columns.

    Args:
        cropping: integer; pair (rows, columns); or ((top, bottom), (left, right)). Default
            ((0, 0), (0, 0)).
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a cropping that is none of the above, or that leaves nothing of the input.

    Source: `keras.layers.Cropping2D`.

    >>> import numpy as np
    >>> Cropping2D(((1, 0), (2, 2)))(np.ones((1, 8, 8, 3), "float32")).shape
    (1, 7, 4, 3)
    """

    def __init__(self, cropping=((0, 0), (0, 0)), data_format: str | None = None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)


class Cropping3D(_Cropping):
    """Cuts the sides off volumes.

    Input: (batch, depth, rows, columns, channels). Output: the same with smaller middle axes.

    Args:
        cropping: integer, three integers, or three pairs (before, after). Default 1 everywhere.
        data_format: "channels_last" or "channels_first". Default `None`, the global setting.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: a cropping that is none of the above, or that leaves nothing of the input.

    Source: `keras.layers.Cropping3D`.

    >>> import numpy as np
    >>> Cropping3D(1)(np.ones((1, 4, 5, 6, 3), "float32")).shape
    (1, 2, 3, 4, 3)
    """

    _rank = 3

    def __init__(self, cropping=((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs):
        super().__init__(cropping, data_format, **kwargs)
