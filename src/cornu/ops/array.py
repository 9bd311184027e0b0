"""Operations on whole arrays: making them, changing their shape, joining, picking and sorting.

>>> from cornu import ops
>>> ops.concatenate([[1, 2], [3]]).tolist()
[1, 2, 3]
>>> ops.reshape(ops.arange(6), (2, 3)).tolist()
[[0, 1, 2], [3, 4, 5]]
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp

from cornu.core.dtypes import floatx
from cornu.graph.node import operation
from cornu.ops import _define
from cornu.ops._define import as_array, as_arrays, axes, device_dtype

# -- making --------------------------------------------------------------------------------------


def array(x, dtype=None):
    """An array on the device from a list, a NumPy array or a number.

    >>> array([1, 2]).dtype
    dtype('int32')
    """
    return jnp.array(as_array(x), dtype=None if dtype is None else device_dtype(dtype))


def arange(start, stop=None, step=None, dtype=None):
    """Numbers from `start` (or 0) up to but without `stop`, `step` apart.

    >>> arange(3).tolist()
    [0, 1, 2]
    """
    return jnp.arange(start, stop, step, dtype=None if dtype is None else device_dtype(dtype))


def zeros(shape, dtype=None):
    """An array of zeros; of the default float type where no dtype is given.

    >>> zeros((2,)).tolist()
    [0.0, 0.0]
    """
    return jnp.zeros(shape, device_dtype(dtype))


def ones(shape, dtype=None):
    """An array of ones; of the default float type where no dtype is given.

    >>> ones((2,), "int32").tolist()
    [1, 1]
    """
    return jnp.ones(shape, device_dtype(dtype))


def empty(shape, dtype=None):
    """An array whose values do not matter (they are 0).

    >>> empty((2, 3)).shape
    (2, 3)
    """
    return jnp.zeros(shape, device_dtype(dtype))


def full(shape, fill_value, dtype=None):
    """An array of one value; of the default float type where no dtype is given.

    >>> full((2,), 7).tolist()
    [7.0, 7.0]
    """
    return jnp.full(shape, as_array(fill_value), dtype=device_dtype(dtype))


def eye(N, M=None, k=0, dtype=None):
    """`N` rows and `M` columns, ones on the diagonal `k` and zeros elsewhere.

    >>> eye(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return jnp.eye(N, M, k=k, dtype=device_dtype(dtype))


def identity(n, dtype=None):
    """The identity matrix of `n` rows.

    >>> identity(1).tolist()
    [[1.0]]
    """
    return jnp.identity(n, device_dtype(dtype))


def tri(N, M=None, k=0, dtype=None):
    """Ones at and below the diagonal `k`, zeros above.

    >>> tri(2).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return jnp.tri(N, M, k=k, dtype=device_dtype(dtype))


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """`num` numbers evenly apart from `start` to `stop`.

    >>> linspace(0.0, 1.0, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    dtype = floatx() if dtype is None else dtype
    return jnp.linspace(
        as_array(start), as_array(stop), num, endpoint, retstep, device_dtype(dtype), axis
    )


def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """`num` numbers from `base**start` to `base**stop`, evenly apart on a logarithmic scale.

    >>> logspace(0.0, 2.0, 3).tolist()
    [1.0, 10.0, 100.0]
    """
    dtype = floatx() if dtype is None else dtype
    return jnp.logspace(
        as_array(start), as_array(stop), num, endpoint, base, device_dtype(dtype), axis
    )


def _like(name: str, function: Callable, summary: str) -> Callable:
    doc = f"""An array of {summary} with the shape of `x`, and its dtype where none is given."""

    def apply(x, dtype=None):
        return function(as_array(x), dtype=None if dtype is None else device_dtype(dtype))

    return _define.named(apply, name, doc, __name__)


zeros_like = _like("zeros_like", jnp.zeros_like, "zeros")
ones_like = _like("ones_like", jnp.ones_like, "ones")
empty_like = _like("empty_like", jnp.zeros_like, "values that do not matter")


@operation
def full_like(x, fill_value, dtype=None):
    """An array of one value with the shape of `x`, and its dtype where none is given.

    >>> full_like([1, 2], 7).tolist()
    [7, 7]
    """
    dtype = None if dtype is None else device_dtype(dtype)
    return jnp.full_like(as_array(x), as_array(fill_value), dtype=dtype)


# -- shape ---------------------------------------------------------------------------------------


@operation
def reshape(x, newshape):
    """The same elements in another shape; one size may be -1, found from the others.

    >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
    [[1, 2], [3, 4]]
    """
    return jnp.reshape(as_array(x), newshape)


@operation
def transpose(x, axes=None):
    """The axes in another order, turned round by default.

    >>> transpose([[1, 2], [3, 4]]).tolist()
    [[1, 3], [2, 4]]
    """
    return jnp.transpose(as_array(x), axes)


@operation
def expand_dims(x, axis):
    """New axes of size 1 at the places given.

    >>> expand_dims([1, 2], -1).tolist()
    [[1], [2]]
    """
    return jnp.expand_dims(as_array(x), axes(axis))


@operation
def squeeze(x, axis=None):
    """Axes of size 1 taken away, all of them by default.

    >>> squeeze([[1, 2]]).tolist()
    [1, 2]
    """
    return jnp.squeeze(as_array(x), axes(axis))


@operation
def ravel(x):
    """All elements on one axis.

    >>> ravel([[1, 2], [3, 4]]).tolist()
    [1, 2, 3, 4]
    """
    return jnp.ravel(as_array(x))


@operation
def broadcast_to(x, shape):
    """The array repeated along new axes and axes of size 1, to a shape.

    >>> broadcast_to([1, 2], (2, 2)).tolist()
    [[1, 2], [1, 2]]
    """
    return jnp.broadcast_to(as_array(x), shape)


@operation
def moveaxis(x, source, destination):
    """Axes moved to other places, the others kept in order.

    >>> moveaxis(zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    return jnp.moveaxis(as_array(x), axes(source), axes(destination))


@operation
def swapaxes(x, axis1, axis2):
    """Two axes exchanged.

    >>> swapaxes(zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    return jnp.swapaxes(as_array(x), axis1, axis2)


@operation
def pad(x, pad_width, mode="constant", constant_values=None):
    """The array with elements added before and after along each axis.

    Args:
        x: array of any shape.
        pad_width: pair (before, after) for each axis, one pair for all, or one number.
        mode: "constant", "reflect" or "symmetric". Default "constant".
        constant_values: what is added in mode "constant". Default 0.

    >>> pad([1, 2], (1, 0)).tolist()
    [0, 1, 2]
    """
    if constant_values is not None and mode != "constant":
        raise ValueError(f"pad(mode={mode!r}) takes no constant_values")
    if mode == "constant":
        value = 0 if constant_values is None else constant_values
        return jnp.pad(as_array(x), pad_width, mode, constant_values=value)
    return jnp.pad(as_array(x), pad_width, mode)


@operation
def repeat(x, repeats, axis=None):
    """Each element several times over, along an axis or of the flattened array.

    >>> repeat([1, 2], 2).tolist()
    [1, 1, 2, 2]
    """
    return jnp.repeat(as_array(x), as_array(repeats), axis)


@operation
def tile(x, repeats):
    """The whole array several times over along each axis.

    >>> tile([1, 2], 2).tolist()
    [1, 2, 1, 2]
    """
    return jnp.tile(as_array(x), repeats)


@operation
def flip(x, axis=None):
    """The order of elements turned round along axes, all of them by default.

    >>> flip([1, 2, 3]).tolist()
    [3, 2, 1]
    """
    return jnp.flip(as_array(x), axes(axis))


@operation
def roll(x, shift, axis=None):
    """The elements moved along an axis, those that fall off put in at the other end.

    >>> roll([1, 2, 3], 1).tolist()
    [3, 1, 2]
    """
    return jnp.roll(as_array(x), shift, axes(axis))


@operation
def rot90(array, k=1, axes=(0, 1)):
    """The array turned by 90 degrees, `k` times, in the plane of two axes.

    >>> rot90([[1, 2], [3, 4]]).tolist()
    [[2, 4], [1, 3]]
    """
    return jnp.rot90(jnp.asarray(as_array(array)), k, axes)


flipud = _define.unary(__name__)("flipud", jnp.flipud, "The rows in reverse order")
fliplr = _define.unary(__name__)("fliplr", jnp.fliplr, "The columns in reverse order")
copy = _define.unary(__name__)("copy", jnp.array, "A copy")

# -- joining and cutting -------------------------------------------------------------------------


@operation
def concatenate(xs, axis=0):
    """Arrays one after another along an existing axis.

    >>> concatenate([[[1], [2]], [[3], [4]]], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    return jnp.concatenate(as_arrays(xs), axis)


@operation
def stack(x, axis=0):
    """Arrays of one shape side by side along a new axis.

    >>> stack([[1, 2], [3, 4]], axis=1).tolist()
    [[1, 3], [2, 4]]
    """
    return jnp.stack(as_arrays(x), axis)


def _joining(name: str, function: Callable, summary: str) -> Callable:
    return _define.named(lambda xs: function(as_arrays(xs)), name, summary, __name__)


hstack = _joining(
    "hstack", jnp.hstack, "Arrays joined along their second axis; vectors, end to end."
)
vstack = _joining("vstack", jnp.vstack, "Arrays joined along their first axis, vectors as rows.")
dstack = _joining("dstack", jnp.dstack, "Arrays joined along their third axis.")


@operation
def append(x1, x2, axis=None):
    """The second array after the first, along an axis or both flattened.

    >>> append([1, 2], [3]).tolist()
    [1, 2, 3]
    """
    return jnp.append(as_array(x1), as_array(x2), axis)


@operation
def split(x, indices_or_sections, axis=0):
    """The array cut into equal parts, or at the indices given.

    >>> [part.tolist() for part in split([1, 2, 3, 4], 2)]
    [[1, 2], [3, 4]]
    """
    return jnp.split(as_array(x), indices_or_sections, axis)


@operation
def array_split(x, indices_or_sections, axis=0):
    """The array cut into parts as equal as they can be.

    >>> [part.tolist() for part in array_split([1, 2, 3], 2)]
    [[1, 2], [3]]
    """
    return jnp.array_split(as_array(x), indices_or_sections, axis)


def _cutting(name: str, axis: int) -> Callable:
    doc = f"The array cut into equal parts, or at the indices given, along axis {axis}."

    def apply(x, indices_or_sections):
        x = jnp.asarray(as_array(x))
        return jnp.split(x, indices_or_sections, axis=0 if x.ndim == 1 else axis)

    return _define.named(apply, name, doc, __name__)


vsplit, hsplit, dsplit = _cutting("vsplit", 0), _cutting("hsplit", 1), _cutting("dsplit", 2)


@operation
def meshgrid(*x, indexing="xy"):
    """Coordinate arrays of the grid that vectors span.

    >>> [grid.tolist() for grid in meshgrid([1, 2], [3])]
    [[[1, 2]], [[3, 3]]]
    """
    return jnp.meshgrid(*as_arrays(x), indexing=indexing)
