"""Layers that fold several arrays into one, element by element: Add, Multiply, Maximum, ..."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from cornu.layers.layer import Layer


class Merge(Layer):
    """Folds arrays whose shapes broadcast into one, element by element.

    Inputs of fewer axes get axes of size 1 after the batch axis. The mask of the result is True
    where that of any input is; there is none where an input has none.
    """

    supports_masking = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def build(self, input_shape) -> None:
        shapes = self._several(input_shape)
        if len({shape[0] for shape in shapes if shape and shape[0] is not None}) > 1:
            raise ValueError("the inputs have different batch sizes")
        rank = max(len(shape) for shape in shapes)
        lined_up = [(*shape[:1], *(1,) * (rank - len(shape)), *shape[1:]) for shape in shapes]
        for axis, sizes in enumerate(zip(*lined_up, strict=True)):
            if len({size for size in sizes if size not in (1, None)}) > 1:
                raise ValueError(
                    f"the sizes {sizes} of axis {axis} differ; they must be equal, or 1 to be "
                    "repeated"
                )

    def _several(self, shapes) -> list[tuple]:
        """The shapes of the inputs, where these are a list."""
        if not isinstance(shapes, (list, tuple)) or not all(
            isinstance(shape, (list, tuple)) for shape in shapes
        ):
            raise ValueError(f"{type(self).__name__} takes a list of inputs: [first, second]")
        if not shapes:
            raise ValueError("the list of inputs is empty")
        return [tuple(shape) for shape in shapes]

    def call(self, inputs, mask=None):
        if not isinstance(inputs, (list, tuple)):
            self._several(inputs.shape)
        inputs = self._lined_up(inputs)
        masks = list(mask) if mask is not None else [None] * len(inputs)
        return self._merge(inputs, masks)

    def _lined_up(self, inputs) -> list:
        """The inputs with equally many axes."""
        rank = max(x.ndim for x in inputs)
        return [jnp.expand_dims(x, tuple(range(1, 1 + rank - x.ndim))) for x in inputs]

    def _merge(self, inputs: list, masks: list):
        raise NotImplementedError

    def compute_mask(self, inputs, previous_mask=None):
        if previous_mask is None or any(mask is None for mask in previous_mask):
            return None
        result = previous_mask[0]
        for mask in previous_mask[1:]:
            result = jnp.logical_or(result, mask)
        return result


def spread_mask(mask, x):
    """A mask over the axes of an input but the last, as one over all of them."""
    return None if mask is None else jnp.broadcast_to(mask[..., None], x.shape)


class Add(Merge):
    """The sum of the inputs, element by element.

    Input: list of arrays whose shapes broadcast. Output: one array.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: one input that is not a list; shapes that do not broadcast.

    >>> import numpy as np
    >>> Add()([np.ones((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
    [[2.0, 2.0]]
    """

    def _merge(self, inputs: list, masks: list):
        result = inputs[0]
        for x in inputs[1:]:
            result = result + x
        return result


class Subtract(Merge):
    """The first input minus the second.

    Input: list of two arrays whose shapes broadcast. Output: one array.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: not two inputs; shapes that do not broadcast.

    >>> import numpy as np
    >>> Subtract()([np.ones((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
    [[0.0, 0.0]]
    """

    def build(self, input_shape) -> None:
        must_be_two(self, input_shape)
        super().build(input_shape)

    def _merge(self, inputs: list, masks: list):
        return inputs[0] - inputs[1]


class Multiply(Merge):
    """The product of the inputs, element by element.

    Input: list of arrays whose shapes broadcast. Output: one array; masked places of an input
    count as 1, places masked in all inputs are 0.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: one input that is not a list; shapes that do not broadcast.

    >>> import numpy as np
    >>> Multiply()([np.full((1, 2), 2.0, "float32"), np.full((1, 2), 3.0, "float32")]).tolist()
    [[6.0, 6.0]]
    """

    def _merge(self, inputs: list, masks: list):
        result: Any = None
        counts: Any = None
        everywhere = all(mask is not None for mask in masks)
        for x, mask in zip(inputs, masks, strict=True):
            kept = spread_mask(mask, x)
            x = x if kept is None else jnp.where(kept, x, jnp.ones((), x.dtype))
            result = x if result is None else result * x
            if everywhere:
                counts = kept if counts is None else jnp.logical_or(counts, kept)
        if counts is None:
            return result
        return jnp.where(counts, result, jnp.zeros((), result.dtype))


class Average(Merge):
    """The mean of the inputs, element by element.

    Input: list of arrays whose shapes broadcast. Output: one array.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: one input that is not a list; shapes that do not broadcast.

    >>> import numpy as np
    >>> Average()([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
    [[0.5, 0.5]]
    """

    def _merge(self, inputs: list, masks: list):
        result = inputs[0]
        for x in inputs[1:]:
            result = result + x
        return result / len(inputs)


class _Extreme(Merge):
    """The larger or smaller one; where one input is masked, the other."""

    def _merge(self, inputs: list, masks: list):
        result, counts = inputs[0], spread_mask(masks[0], inputs[0])
        for x, mask in zip(inputs[1:], masks[1:], strict=True):
            kept = spread_mask(mask, x)
            if kept is not None:
                x = jnp.where(kept, x, result)
            if counts is not None:
                result = jnp.where(counts, result, x)
            both = kept is not None and counts is not None
            counts = jnp.logical_or(counts, kept) if both else None
            result = self._choose(result, x)
        return result

    def _choose(self, one, other):
        raise NotImplementedError


class Maximum(_Extreme):
    """The largest of the inputs, element by element.

    Input: list of arrays whose shapes broadcast. Output: one array; where an input is masked, the
    others count.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: one input that is not a list; shapes that do not broadcast.

    >>> import numpy as np
    >>> Maximum()([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
    [[1.0, 1.0]]
    """

    def _choose(self, one, other):
        return jnp.maximum(one, other)


class Minimum(_Extreme):
    """The smallest of the inputs, element by element.

    Input: list of arrays whose shapes broadcast. Output: one array; where an input is masked, the
    others count.

    Args:
        **kwargs: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: one input that is not a list; shapes that do not broadcast.

    >>> import numpy as np
    >>> Minimum()([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")]).tolist()
    [[0.0, 0.0]]
    """

    def _choose(self, one, other):
        return jnp.minimum(one, other)


def must_be_two(layer: Layer, shapes) -> None:
    if not isinstance(shapes, (list, tuple)) or len(shapes) != 2:
        raise ValueError(f"{type(layer).__name__} takes a list of exactly two inputs")


def add(inputs, **kwargs):
    """The sum of arrays: `Add(**kwargs)(inputs)`.

    >>> import numpy as np
    >>> add([np.ones((1, 1), "float32"), np.ones((1, 1), "float32")]).tolist()
    [[2.0]]
    """
    return Add(**kwargs)(inputs)


def subtract(inputs, **kwargs):
    """The difference of two arrays: `Subtract(**kwargs)(inputs)`.

    >>> import numpy as np
    >>> subtract([np.ones((1, 1), "float32"), np.ones((1, 1), "float32")]).tolist()
    [[0.0]]
    """
    return Subtract(**kwargs)(inputs)


def multiply(inputs, **kwargs):
    """The product of arrays: `Multiply(**kwargs)(inputs)`.

    >>> import numpy as np
    >>> multiply([np.ones((1, 1), "float32"), np.ones((1, 1), "float32")]).tolist()
    [[1.0]]
    """
    return Multiply(**kwargs)(inputs)


def average(inputs, **kwargs):
    """The mean of arrays: `Average(**kwargs)(inputs)`.

    >>> import numpy as np
    >>> average([np.ones((1, 1), "float32"), np.zeros((1, 1), "float32")]).tolist()
    [[0.5]]
    """
    return Average(**kwargs)(inputs)


def maximum(inputs, **kwargs):
    """The largest of arrays: `Maximum(**kwargs)(inputs)`.

    >>> import numpy as np
    >>> maximum([np.ones((1, 1), "float32"), np.zeros((1, 1), "float32")]).tolist()
    [[1.0]]
    """
    return Maximum(**kwargs)(inputs)


def minimum(inputs, **kwargs):
    """The smallest of arrays: `Minimum(**kwargs)(inputs)`.

    >>> import numpy as np
    >>> minimum([np.ones((1, 1), "float32"), np.zeros((1, 1), "float32")]).tolist()
    [[0.0]]
    """
    return Minimum(**kwargs)(inputs)
