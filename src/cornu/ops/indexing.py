"""Operations that pick, place, sort and search elements.

>>> from cornu import ops
>>> ops.take([10, 20, 30], [2, 0]).tolist()
[30, 10]
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.graph.node import get_item as _get_item
from cornu.graph.node import operation
from cornu.ops._define import as_array, as_arrays

get_item = operation(_get_item)


@operation
def take(x, indices, axis=None):
    """The elements at some indices along an axis, or of the flattened array.

    Indices beyond the end give NaN (for floats), as in `jax.numpy`.

    >>> take([[1, 2], [3, 4]], 1, axis=0).tolist()
    [3, 4]
    """
    return jnp.take(jnp.asarray(as_array(x)), jnp.asarray(as_array(indices)), axis=axis)


@operation
def take_along_axis(x, indices, axis=None):
    """For each place the element at its own index along an axis.

    >>> take_along_axis([[1, 2], [3, 4]], [[0], [1]], axis=1).tolist()
    [[1], [4]]
    """
    return jnp.take_along_axis(jnp.asarray(as_array(x)), jnp.asarray(as_array(indices)), axis=axis)


@operation
def sort(x, axis=-1):
    """The elements in rising order along an axis.

    >>> sort([3, 1, 2]).tolist()
    [1, 2, 3]
    """
    return jnp.sort(as_array(x), axis=axis)


@operation
def argsort(x, axis=-1):
    """The indices that would put the elements in rising order along an axis.

    >>> argsort([3, 1, 2]).tolist()
    [1, 2, 0]
    """
    x = jnp.asarray(as_array(x))
    return jnp.argsort(x, axis=axis if x.ndim else None)


@operation
def argpartition(x, kth, axis=-1):
    """Indices that put the `kth` smallest element in its place, smaller ones before it.

    >>> argpartition([3, 1, 2], 0)[0].item()
    1
    """
    x = jnp.asarray(as_array(x))
    if axis is None:
        x, axis = x.reshape(-1), 0
    return jnp.argpartition(x, kth, axis=axis)


@operation
def top_k(x, k, sorted=True):
    """The `k` largest elements of the last axis and their indices, largest first.

    >>> values, indices = top_k([3.0, 9.0, 5.0], 2)
    >>> values.tolist(), indices.tolist()
    ([9.0, 5.0], [1, 2])
    """
    return tuple(jax.lax.top_k(jnp.asarray(as_array(x)), k))


@operation
def in_top_k(targets, predictions, k):
    """Whether the score of each target class is among the `k` highest of its row.

    Args:
        targets: integers (batch,).
        predictions: scores (batch, classes).
        k: how many classes count.

    >>> in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], 1).tolist()
    [True, False]
    """
    predictions = jnp.asarray(as_array(predictions))
    targets = jnp.asarray(as_array(targets))[..., None]
    score = jnp.take_along_axis(predictions, targets, axis=-1)
    higher = jnp.sum(predictions > score, axis=-1)
    return (higher < k) & ~jnp.isnan(score[..., 0])


@operation
def searchsorted(sorted_sequence, values, side="left"):
    """The indices at which values would go into a sorted vector.

    >>> searchsorted([1, 3, 5], 4).item()
    2
    """
    sorted_sequence = jnp.asarray(as_array(sorted_sequence))
    if sorted_sequence.ndim != 1:
        raise ValueError(
            f"searchsorted: the sorted sequence must have 1 axis, received {sorted_sequence.shape}"
        )
    return jnp.searchsorted(sorted_sequence, as_array(values), side=side)


@operation
def digitize(x, bins):
    """For each element the index of the bin that it falls into.

    >>> digitize([0.5, 2.5], [1.0, 2.0]).tolist()
    [0, 2]
    """
    return jnp.digitize(as_array(x), jnp.asarray(as_array(bins)))


@operation
def nonzero(x):
    """The indices of the elements that are not 0, one array for each axis.

    >>> [index.tolist() for index in nonzero([0, 5])]
    [[1]]
    """
    return jnp.nonzero(as_array(x))


def unique(
    x,
    sorted=True,
    return_index=False,
    return_inverse=False,
    return_counts=False,
    axis=None,
    size=None,
    fill_value=None,
):
    """The different elements, sorted; and on demand where they are, and how many.

    In a compiled program `size` must say how many there are.

    >>> unique([2, 1, 2]).tolist()
    [1, 2]
    """
    return jnp.unique(
        as_array(x),
        return_index=return_index,
        return_inverse=return_inverse,
        return_counts=return_counts,
        axis=axis,
        size=size,
        fill_value=fill_value,
        equal_nan=False,
    )


@operation
def isin(x1, x2, assume_unique=False, invert=False):
    """Whether each element of `x1` is among those of `x2`.

    >>> isin([1, 5], [5, 6]).tolist()
    [False, True]
    """
    return jnp.isin(as_array(x1), as_array(x2), assume_unique=assume_unique, invert=invert)


@operation
def select(condlist, choicelist, default=0):
    """For each place the element of the first choice whose condition holds.

    >>> select([[True, False], [True, True]], [[1, 2], [10, 20]]).tolist()
    [1, 20]
    """
    return jnp.select(as_arrays(condlist), as_arrays(choicelist), default)


@operation
def unravel_index(indices, shape):
    """The index along each axis for indices into the flattened array.

    >>> [index.tolist() for index in unravel_index([3], (2, 2))]
    [[1], [1]]
    """
    return jnp.unravel_index(jnp.asarray(as_array(indices)), shape)


@operation
def slice(inputs, start_indices, shape):
    """The part of an array of a given shape that begins at some indices; -1 means to the end.

    >>> slice([1, 2, 3, 4], [1], [2]).tolist()
    [2, 3]
    """
    inputs = jnp.asarray(as_array(inputs))
    sizes = [
        inputs.shape[i] - start_indices[i] if size == -1 else size for i, size in enumerate(shape)
    ]
    return jax.lax.dynamic_slice(inputs, tuple(start_indices), sizes)


@operation
def slice_update(inputs, start_indices, updates):
    """The array with a part, beginning at some indices, replaced.

    >>> slice_update([1, 2, 3], [1], [9]).tolist()
    [1, 9, 3]
    """
    inputs = jnp.asarray(as_array(inputs))
    updates = jnp.asarray(as_array(updates)).astype(inputs.dtype)
    return jax.lax.dynamic_update_slice(inputs, updates, tuple(start_indices))


@operation
def scatter(indices, values, shape):
    """An array of zeros with values added at indices (the last axis of `indices` is an index).

    >>> scatter([[0], [2]], [5, 7], (3,)).tolist()
    [5, 0, 7]
    """
    values = jnp.asarray(as_array(values))
    places = tuple(jnp.moveaxis(jnp.asarray(as_array(indices)), -1, 0))
    return jnp.zeros(shape, values.dtype).at[places].add(values)


@operation
def scatter_update(inputs, indices, updates, reduction=None):
    """The array with the elements at some indices replaced, or combined with new ones.

    Args:
        inputs: array of any shape.
        indices: integers (updates, axes of `inputs`).
        updates: the new values, one for each index.
        reduction: `None` (replace), "add", "max", "min" or "mul". Default `None`.

    >>> scatter_update([1, 2, 3], [[0], [2]], [9, 8]).tolist()
    [9, 2, 8]
    """
    inputs = jnp.asarray(as_array(inputs))
    place = inputs.at[tuple(jnp.transpose(jnp.asarray(as_array(indices))))]
    methods = {None: "set", "add": "add", "max": "max", "min": "min", "mul": "multiply"}
    if reduction not in methods:
        raise ValueError(
            f"scatter_update(reduction={reduction!r}): expected None, 'add', 'max', 'min' or 'mul'"
        )
    return getattr(place, methods[reduction])(jnp.asarray(as_array(updates)).astype(inputs.dtype))


def _segments(name, function, summary):
    def apply(data, segment_ids, num_segments=None, sorted=False):
        if num_segments is None:
            raise ValueError(f"{name}: give num_segments, the number of groups")
        return function(
            jnp.asarray(as_array(data)),
            jnp.asarray(as_array(segment_ids)),
            num_segments,
            indices_are_sorted=sorted,
        )

    apply.__name__ = apply.__qualname__ = name
    apply.__doc__ = f"""{summary} of the rows of `data` in each group.

    Args:
        data: array (rows, ...).
        segment_ids: integers (rows,): the group of each row.
        num_segments: the number of groups.
        sorted: whether `segment_ids` rises. Default False.
    """
    return operation(apply)


segment_sum = _segments("segment_sum", jax.ops.segment_sum, "The sum")
segment_max = _segments("segment_max", jax.ops.segment_max, "The largest")
segment_min = _segments("segment_min", jax.ops.segment_min, "The smallest")
segment_prod = _segments("segment_prod", jax.ops.segment_prod, "The product")
