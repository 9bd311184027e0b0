"""Layers that prepare data: Rescaling, Normalization."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core.dtypes import epsilon, to_numpy_dtype
from cornu.core.image import image_data_format
from cornu.core.serialization import deserialize, serialize
from cornu.layers import arguments
from cornu.layers.layer import Layer

_ROWS = 4096  # rows summed at a time in float64: bounds the memory that adapt needs


class Rescaling(Layer):
    """Brings values into another range: `inputs * scale + offset`.

    Input: array of any shape, any dtype. Output: the same shape, float.

    Args:
        scale: number, or array that broadcasts. `1 / 255` brings pixels into [0, 1].
        offset: number, or array that broadcasts. Default 0.
        **kwargs: `name`, `dtype`, `trainable`.

    Source: `keras.layers.Rescaling`.

    >>> import numpy as np
    >>> Rescaling(1 / 127.5, offset=-1)(np.array([[0, 255]], "uint8")).tolist()
    [[-1.0, 1.0]]
    """

    supports_masking = True

    def __init__(self, scale, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = deserialize(scale) if isinstance(scale, dict) else scale
        self.offset = deserialize(offset) if isinstance(offset, dict) else offset

    def call(self, inputs):
        dtype = to_numpy_dtype(self.compute_dtype)
        scale, offset = np.asarray(self.scale, dtype), np.asarray(self.offset, dtype)
        if scale.ndim and image_data_format() == "channels_first":
            scale = scale.reshape(scale.shape + (1,) * (3 - scale.ndim))
        return inputs.astype(dtype) * scale + offset

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "scale": serialize(self.scale),
            "offset": serialize(self.offset),
        }


class Normalization(Layer):
    """Gives features mean 0 and variance 1: `(inputs - mean) / sqrt(variance)`.

    The mean and variance are given, or found by `adapt` before training.

    Input: array of any shape. Output: the same shape, float.

    Args:
        axis: axis or axes that have a mean of their own for each index; `None`, one mean for all.
            Default -1.
        mean, variance: numbers or arrays, both or neither. Default `None`, found by `adapt`.
        invert: whether to go back: `inputs * sqrt(variance) + mean`. Default False.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: only one of mean and variance; different shapes; an axis that the input does
            not have, or whose size is open.

    Source: `keras.layers.Normalization`.

    >>> import numpy as np
    >>> layer = Normalization()
    >>> layer.adapt(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> layer(np.array([[3.0, 10.0]])).tolist()
    [[1.0, -1.0]]
    """

    supports_masking = True

    def __init__(self, axis=-1, mean=None, variance=None, invert: bool = False, **kwargs):
        super().__init__(**kwargs)
        if axis is None:
            axis = ()
        self.axis = (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean, self.input_variance = mean, variance
        self.invert = invert
        if (mean is None) != (variance is None):
            raise ValueError(
                f"Normalization(mean={mean!r}, variance={variance!r}): give both or neither"
            )
        if mean is not None:
            shapes = np.shape(mean), np.shape(variance)
            if shapes[0] != shapes[1] or len(shapes[0]) > len(self.axis):
                raise ValueError(
                    f"Normalization: mean has shape {shapes[0]}, variance {shapes[1]}; they must "
                    f"be equal and have at most as many axes as axis={self.axis}"
                )

    def build(self, input_shape) -> None:
        if input_shape is None:
            return
        self._kept = tuple(arguments.axes_within(self, self.axis, input_shape))
        sizes = tuple(input_shape[axis] for axis in self._kept)
        if None in sizes:
            raise ValueError(f"the sizes of the axes axis={self.axis} must be known")
        self._reduced = tuple(i for i in range(len(input_shape)) if i not in self._kept)
        self._spread = tuple(size if i in self._kept else 1 for i, size in enumerate(input_shape))
        if self.input_mean is None:
            self.adapt_mean = self.add_weight(
                name="mean", shape=sizes, initializer="zeros", trainable=False
            )
            self.adapt_variance = self.add_weight(
                name="variance", shape=sizes, initializer="ones", trainable=False
            )
            # nobody reads it, but Keras' files hold it
            self.count = self.add_weight(
                name="count", shape=(), dtype="int32", initializer="zeros", trainable=False
            )
        else:
            dtype = to_numpy_dtype(self.compute_dtype)
            self._given = [
                np.broadcast_to(np.asarray(value, dtype), sizes).reshape(self._spread)
                for value in (self.input_mean, self.input_variance)
            ]

    def adapt(self, data: Any) -> None:
        """Finds the mean and variance of data.

        Args:
            data: array (rows, ...), or an iterable of batches of that kind (a list of arrays, a
                generator, a data set); of a tuple the first part counts.

        Raises:
            ValueError: no data; data that do not fit the shape that the layer was built for.
            TypeError: neither an array nor an iterable of arrays.
        """
        if self.input_mean is not None:
            raise ValueError(f"{self.name}.adapt: the layer was given its mean and variance")
        count, mean, variance = 0, np.zeros(()), np.zeros(())
        for batch in _batches(data):
            if not self.built:
                self.build(batch.shape)
            self._must_fit(batch.shape)
            rows = batch.astype("float64")
            number = math.prod(rows.shape[axis] for axis in self._reduced)
            if not number:
                continue
            batch_mean = rows.mean(axis=self._reduced)
            batch_variance = rows.var(axis=self._reduced)
            # two sets of rows as one: T. Chan, G. Golub, R. LeVeque, 1979
            count += number
            share = number / count
            apart = batch_mean - mean
            mean = mean + apart * share
            variance = variance + (batch_variance - variance + apart**2 * (1 - share)) * share
        if not count:
            raise ValueError(f"{self.name}.adapt: there are no rows in the data")
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)

    def _must_fit(self, shape: tuple) -> None:
        fits = len(shape) == len(self._spread) and all(
            shape[axis] == self._spread[axis] for axis in self._kept
        )
        if not fits:
            wanted = tuple(size if i in self._kept else None for i, size in enumerate(self._spread))
            raise ValueError(
                f"{self.name}.adapt: the layer was built for shape {wanted}, received {shape}"
            )

    @property
    def mean(self) -> Any:
        """The mean, with the axes of the input."""
        return self._statistics()[0] if self.built else None

    @property
    def variance(self) -> Any:
        """The variance, with the axes of the input."""
        return self._statistics()[1] if self.built else None

    def _statistics(self) -> list:
        if self.input_mean is not None:
            return self._given
        dtype = self.compute_dtype
        return [
            jnp.reshape(weight.value, self._spread).astype(dtype)
            for weight in (self.adapt_mean, self.adapt_variance)
        ]

    def call(self, inputs):
        mean, variance = self._statistics()
        inputs = inputs.astype(self.compute_dtype)
        deviation = jnp.maximum(jnp.sqrt(variance), epsilon())
        return mean + inputs * deviation if self.invert else (inputs - mean) / deviation

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "axis": self.axis,
            "invert": self.invert,
            "mean": np.array(self.input_mean).tolist(),
            "variance": np.array(self.input_variance).tolist(),
        }


def _batches(data: Any) -> Iterator[np.ndarray]:
    """The data as arrays of a few thousand rows at most."""
    if hasattr(data, "to_numpy"):  # pandas
        data = data.to_numpy()
    if isinstance(data, (np.ndarray, jax.Array)):
        for start in range(0, len(data), _ROWS):
            yield np.asarray(data[start : start + _ROWS])
        return
    if not isinstance(data, Iterable):
        raise TypeError(
            f"adapt: expected an array or an iterable of batches, received a {type(data).__name__}"
        )
    for batch in data:
        part = batch[0] if isinstance(batch, (tuple, list)) else batch
        if not hasattr(part, "shape"):
            raise TypeError(f"adapt: expected batches that are arrays, received {part!r}")
        yield np.asarray(part)
