"""Input: where values are put into a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from cornu.core.dtypes import standardize_dtype
from cornu.graph.node import Node
from cornu.graph.tensor import KerasTensor
from cornu.layers.layer import Layer


class InputLayer(Layer):
    """The entrance of a network. `Input` makes one and returns its tensor.

    Args:
        shape: tuple of sizes without the batch axis; `None` for a size that is open.
        batch_size: number of examples, where it is fixed. Default `None`, open.
        dtype: of the values. Default `None`, the default float type.
        sparse, ragged: accepted as in Keras; a true value is a ValueError.
        batch_shape: the shape with the batch axis, in the place of `shape` and `batch_size`.
        input_tensor: a symbolic tensor to be entered at, in the place of a new one.
        optional: whether `None` may be given for it. Default False.
        name: by default `input_layer`, `input_layer_1`, ...

    Raises:
        ValueError: no shape, two shapes, or one that is not made of positive sizes.

    >>> InputLayer(shape=(28, 28, 1)).output.shape
    (None, 28, 28, 1)
    """

    def __init__(
        self,
        shape=None,
        batch_size: int | None = None,
        dtype=None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape=None,
        input_tensor: KerasTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs,
    ):
        super().__init__(name=name)
        shape = kwargs.pop("input_shape", shape)
        batch_shape = kwargs.pop("batch_input_shape", batch_shape)
        if kwargs:
            raise ValueError(f"Input: unknown argument {', '.join(map(repr, kwargs))}")
        if sparse or ragged:
            raise ValueError("Input: sparse and ragged inputs are not supported")
        if input_tensor is not None:
            _must_agree(input_tensor, shape, batch_size, batch_shape, dtype)
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        elif shape is not None and batch_shape is not None:
            raise ValueError("Input: give shape or batch_shape, not both")
        elif batch_size is not None and batch_shape is not None:
            raise ValueError("Input: batch_shape holds the batch size; leave out batch_size")
        elif shape is not None:
            batch_shape = (batch_size, *_sizes("shape", shape))
        elif batch_shape is None:
            raise ValueError("Input: give the shape of one example: Input(shape=(784,))")
        self._batch_shape = _sizes("batch_shape", batch_shape)
        self._dtype = standardize_dtype(dtype)
        self.sparse = self.ragged = False
        self.optional = bool(optional)
        if input_tensor is None:
            input_tensor = KerasTensor(self._batch_shape, self._dtype, name=name)
        self._nodes.append(Node("InputLayer", self.name, self, outputs=input_tensor))
        self.built = True

    def call(self, inputs=None):
        return inputs

    @property
    def batch_shape(self) -> tuple:
        """Its shape, the batch axis included."""
        return self._batch_shape

    @property
    def dtype(self) -> str:
        """The dtype of the values."""
        return self._dtype

    def get_config(self) -> dict:
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": self.sparse,
            "ragged": self.ragged,
            "name": self.name,
            "optional": self.optional,
        }


def Input(
    shape=None,
    batch_size: int | None = None,
    dtype=None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape=None,
    name: str | None = None,
    tensor: KerasTensor | None = None,
    optional: bool = False,
) -> Any:
    """A symbolic tensor at which values enter a network.

    Args:
        shape: tuple of sizes without the batch axis; `None` for a size that is open.
        batch_size: number of examples, where it is fixed. Default `None`, open.
        dtype: of the values. Default `None`, the default float type.
        sparse, ragged: accepted as in Keras; a true value is a ValueError.
        batch_shape: the shape with the batch axis, in the place of `shape` and `batch_size`.
        name: of the layer and the tensor. Default `None`, made up.
        tensor: a symbolic tensor to be entered at, in the place of a new one.
        optional: whether `None` may be given for it. Default False.

    Raises:
        ValueError: no shape, two shapes, or one that is not made of positive sizes.

    >>> Input(shape=(784,), name="pixels")
    <KerasTensor shape=(None, 784), dtype=float32, name=pixels>
    """
    return InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        name=name,
        input_tensor=tensor,
        optional=optional,
    ).output


def _sizes(name: str, shape: Any) -> tuple:
    if isinstance(shape, (int, np.integer)):
        raise ValueError(f"Input({name}={shape!r}): {name} must be a tuple, such as ({shape},)")
    try:
        sizes = tuple(shape)
    except TypeError:
        sizes = (shape,)
    for size in sizes:
        whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
        if size is not None and not (whole and size >= 0):
            raise ValueError(
                f"Input({name}={shape!r}): {name} must be a tuple of positive integers, "
                "None for a size that is open"
            )
    return tuple(None if size is None else int(size) for size in sizes)


def _must_agree(tensor, shape, batch_size, batch_shape, dtype) -> None:
    """What is said beside a given tensor must not contradict it."""
    if not isinstance(tensor, KerasTensor):
        raise ValueError(f"Input(tensor=...): expected a symbolic tensor, received {tensor!r}")
    wrong = (
        (batch_size is not None and tensor.shape[:1] != (batch_size,))
        or (shape is not None and tensor.shape[1:] != tuple(shape))
        or (batch_shape is not None and tensor.shape != tuple(batch_shape))
        or (dtype is not None and tensor.dtype != standardize_dtype(dtype))
    )
    if wrong:
        raise ValueError(f"Input(tensor={tensor!r}): the other arguments contradict the tensor")
