"""Symbolic tensors: what flows between the nodes of a graph, known by shape and dtype only."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from cornu.core import naming
from cornu.core.dtypes import standardize_dtype

# What an operator calls when its left side is a NumPy array.
_REFLECTED = {
    "add": "__radd__",
    "subtract": "__rsub__",
    "multiply": "__rmul__",
    "divide": "__rtruediv__",
    "floor_divide": "__rfloordiv__",
    "remainder": "__rmod__",
    "power": "__rpow__",
    "matmul": "__rmatmul__",
    "less": "__gt__",
    "less_equal": "__ge__",
    "greater": "__lt__",
    "greater_equal": "__le__",
}
# Names that NumPy has for operations of another name.
_OTHER_NAMES = {"remainder": "mod", "invert": "bitwise_invert", "concat": "concatenate"}


class KerasTensor:
    """A tensor of a network under construction: a shape, a dtype and the node that makes it.

    Args:
        shape: sizes of all axes, the batch axis included; `None` where a size is open.
        dtype: name of the dtype.
        name: by default `keras_tensor`, `keras_tensor_1`, ...

    >>> KerasTensor((None, 3), name="x")
    <KerasTensor shape=(None, 3), dtype=float32, name=x>
    """

    __array_priority__ = 1000

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
        raise self._no_values("NumPy")

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        # an operator with an array on the left reaches NumPy first, which asks here
        if ufunc in (np.equal, np.not_equal) and method == "__call__":
            return ufunc is np.not_equal  # == of tensors without values asks whether they are one
        reflected = _REFLECTED.get(ufunc.__name__)
        is_operator = method == "__call__" and not kwargs and inputs[0] is not self
        # array + tensor, array += tensor
        if reflected and is_operator and (out is None or out[0] is inputs[0]):
            return getattr(self, reflected)(inputs[0])
        raise self._no_values(f"np.{ufunc.__name__}", ufunc.__name__)

    def __array_function__(self, function, types, args, kwargs):
        if function in (np.shape, np.ndim) and args == (self,):
            return getattr(self, function.__name__)
        raise self._no_values(f"np.{function.__name__}", function.__name__)

    def _no_values(self, what: str, name: str = "") -> ValueError:
        """The error for a function that wants the values of a tensor that has none."""
        from cornu import ops  # which needs this class itself

        known = _OTHER_NAMES.get(name, name)
        advice = f"cornu.ops.{known}" if known in ops.__all__ else "a layer or cornu.ops"
        return ValueError(
            f"{what} needs values, and {self!r} has none yet: it describes a tensor of a network "
            f"under construction. Use {advice} instead"
        )

    def __bool__(self):
        raise TypeError(
            f"{self!r} has no values yet, so it is neither true nor false; a branch on values "
            "belongs in the call() of a layer"
        )

    def __float__(self):
        raise TypeError(
            f"{self!r} has no values yet, so it cannot become a Python number; for functions of "
            "the module math there are those of cornu.ops"
        )

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
