"""Layers that join arrays or multiply them along axes: Concatenate, Dot."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.layers.merging import Merge, must_be_two, spread_mask
from cornu.ops import nn


class Concatenate(Merge):
    """The inputs one after another along an axis.

    Input: list of arrays that have the same sizes but for that axis. Output: one array.

    Args:
        axis: the axis. Default -1.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: one input that is not a list; other sizes that differ; no such axis.

    Source: `keras.layers.Concatenate`.

    >>> import numpy as np
    >>> Concatenate()([np.ones((1, 2), "float32"), np.ones((1, 3), "float32")]).shape
    (1, 5)
    """

    def __init__(self, axis: int = -1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def build(self, input_shape) -> None:
        shapes = self._several(input_shape)
        if len({len(shape) for shape in shapes}) > 1:
            raise ValueError("the inputs have different numbers of axes")
        rank = len(shapes[0])
        if not -rank <= self.axis < rank:
            raise ValueError(f"axis={self.axis}: the inputs have {rank} axes")
        for axis, sizes in enumerate(zip(*shapes, strict=True)):
            if axis != self.axis % rank and len({size for size in sizes if size is not None}) > 1:
                raise ValueError(
                    f"the sizes {sizes} of axis {axis} differ; but for the axis {self.axis} that "
                    "they are joined along, the inputs must have equal sizes"
                )

    def _lined_up(self, inputs) -> list:
        return list(inputs)

    def _merge(self, inputs: list, masks: list):
        return jnp.concatenate(inputs, axis=self.axis)

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None or all(mask is None for mask in previous_mask):
            return None
        masks = []
        for x, mask in zip(inputs, previous_mask, strict=True):
            if mask is None:
                mask = jnp.ones(x.shape, bool)
            elif mask.ndim < x.ndim:
                mask = spread_mask(mask, x)
            masks.append(mask)
        return jnp.any(jnp.concatenate(masks, axis=self.axis), axis=-1)

    def get_config(self) -> dict:
        return {**super().get_config(), "axis": self.axis}


class Dot(Merge):
    """The sum of products of two inputs along one axis of each.

    Input: list of two arrays (batch, ...). Output: (batch, the other axes of the first, the other
    axes of the second), or (batch, 1) where there are none.

    Args:
        axes: the axis, or a pair of them: one of the first input, one of the second.
        normalize: whether vectors along the axes get length 1 first (cosine similarity). Default
            False.
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        TypeError, ValueError: `axes` is neither an integer nor a pair; the batch axis; not two
            inputs; sizes that differ.

    Source: `keras.layers.Dot`.

    >>> import numpy as np
    >>> Dot(axes=1)([np.ones((1, 3), "float32"), np.ones((1, 3), "float32")]).tolist()
    [[3.0]]
    """

    def __init__(self, axes, normalize: bool = False, **kwargs):
        super().__init__(**kwargs)
        message = f"Dot(axes={axes!r}): axes must be an integer or a pair of integers"
        if not isinstance(axes, (int, list, tuple)):
            raise TypeError(message)
        if not isinstance(axes, int) and (
            len(axes) != 2 or not all(isinstance(axis, int) for axis in axes)
        ):
            raise ValueError(message)
        self.axes = axes
        self.normalize = normalize

    def _axes(self, ranks: list[int]) -> list[int]:
        pair = (self.axes, self.axes) if isinstance(self.axes, int) else self.axes
        for axis, rank in zip(pair, ranks, strict=True):
            if not -rank <= axis < rank or axis % rank == 0:
                raise ValueError(
                    f"axes={self.axes}: an input with {rank} axes has the axes 1 to {rank - 1} "
                    "beside the batch axis"
                )
        return [axis % rank for axis, rank in zip(pair, ranks, strict=True)]

    def build(self, input_shape) -> None:
        must_be_two(self, input_shape)
        shapes = self._several(input_shape)
        first, second = self._axes([len(shape) for shape in shapes])
        sizes = shapes[0][first], shapes[1][second]
        if None not in sizes and sizes[0] != sizes[1]:
            raise ValueError(
                f"axis {first} of the first input has size {sizes[0]}, axis {second} of the second "
                f"{sizes[1]}; they must be equal"
            )

    def _lined_up(self, inputs) -> list:
        return list(inputs)

    def _merge(self, inputs: list, masks: list):
        one, other = inputs
        first, second = self._axes([one.ndim, other.ndim])
        if self.normalize:
            one, other = nn.normalize(one, first), nn.normalize(other, second)
        result = jax.lax.dot_general(one, other, (((first,), (second,)), ((0,), (0,))))
        return result if result.ndim > 1 else result[:, None]

    def compute_mask(self, inputs, previous_mask=None):
        return None

    def get_config(self) -> dict:
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def concatenate(inputs, axis: int = -1, **kwargs):
    """Arrays one after another: `Concatenate(axis, **kwargs)(inputs)`.

    >>> import numpy as np
    >>> concatenate([np.ones((1, 2), "float32"), np.ones((1, 3), "float32")]).shape
    (1, 5)
    """
    return Concatenate(axis=axis, **kwargs)(inputs)


def dot(inputs, axes=-1, **kwargs):
    """The sum of products of two arrays: `Dot(axes, **kwargs)(inputs)`.

    >>> import numpy as np
    >>> dot([np.ones((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
    [[2.0]]
    """
    return Dot(axes=axes, **kwargs)(inputs)
