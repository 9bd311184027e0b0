"""Symbolic tensors: what flows between the nodes of a graph, known by shape and dtype only."""

from __future__ import annotations

from typing import Any

import jax

from cornu.core import naming
from cornu.core.dtypes import standardize_dtype


class KerasTensor:
    """A tensor of a network under construction: a shape, a dtype and the node that makes it.

    Args:
        shape: sizes of all axes, the batch axis included; `None` where a size is open.
        dtype: name of the dtype.
        name: by default `keras_tensor`, `keras_tensor_1`, ...

    >>> KerasTensor((None, 3), name="x")
    <KerasTensor shape=(None, 3), dtype=float32, name=x>
    """

    # NumPy and JAX arrays on the left of an operator must leave it to this class
    __array_priority__ = 1000
    __array_ufunc__ = None

    def __init__(self, shape, dtype="float32", name: str | None = None, **unused):
        self.shape = tuple(None if size is None else int(size) for size in shape)
        self.dtype = standardize_dtype(dtype)
        self.name = name or naming.unique_name("keras_tensor")
        # the Node that makes it; None for a bare description of a shape
        self.node: Any = None
        self.index = 0

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"

    def __array__(self, *args, **kwargs):
        raise ValueError(
            f"{self!r} has no values yet: it describes a tensor of a network under construction. "
            "Use cornu.layers or cornu.ops on it, not NumPy functions"
        )

    def __bool__(self):
        raise TypeError(
            f"{self!r} has no values yet, so it is neither true nor false; a branch on values "
            "belongs in the call() of a layer"
        )

    def __float__(self):
        raise TypeError(f"{self!r} has no values yet, so it cannot become a Python number")

    __int__ = __float__

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise TypeError(f"{self!r}: the size of its first axis is not known")
        return self.shape[0]

    def __iter__(self):
        raise TypeError(f"iterating over {self!r} is not possible: it has no values yet")


def is_symbolic(value) -> bool:
    """Whether a value is a symbolic tensor."""
    return isinstance(value, KerasTensor)


def has_symbolic(*structures) -> bool:
    """Whether a symbolic tensor is anywhere in the nests given."""
    return any(isinstance(leaf, KerasTensor) for leaf in jax.tree_util.tree_leaves(structures))
