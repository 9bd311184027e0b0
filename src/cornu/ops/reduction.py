"""Operations that fold axes: sums, means, extremes, counts, and running sums.

>>> from cornu import ops
>>> ops.mean([[1.0, 2.0], [3.0, 6.0]], axis=0).tolist()
[2.0, 4.0]
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from cornu.graph.node import operation
from cornu.ops import _define
from cornu.ops._define import as_array, axes

_reduction = _define.reduction(__name__)

sum = _reduction("sum", jnp.sum, "The sum")
mean = _reduction("mean", jnp.mean, "The mean")
std = _reduction("std", jnp.std, "The standard deviation (divided by n)")
var = _reduction("var", jnp.var, "The variance (divided by n)")
median = _reduction("median", jnp.median, "The median")
ptp = _reduction("ptp", jnp.ptp, "The largest minus the smallest element")
amax = _reduction("amax", jnp.max, "The largest element")
amin = _reduction("amin", jnp.min, "The smallest element")
all = _reduction("all", jnp.all, "Whether all elements are true")
any = _reduction("any", jnp.any, "Whether any element is true")
argmax = _reduction("argmax", jnp.argmax, "The index of the largest element")
argmin = _reduction("argmin", jnp.argmin, "The index of the smallest element")
logsumexp = _reduction(
    "logsumexp", jax.scipy.special.logsumexp, "The logarithm of the sum of exponentials"
)
nansum = _reduction("nansum", jnp.nansum, "The sum, NaN left out,")
nanmean = _reduction("nanmean", jnp.nanmean, "The mean, NaN left out,")
nanstd = _reduction("nanstd", jnp.nanstd, "The standard deviation, NaN left out,")
nanvar = _reduction("nanvar", jnp.nanvar, "The variance, NaN left out,")
nanmedian = _reduction("nanmedian", jnp.nanmedian, "The median, NaN left out,")
nanmax = _reduction("nanmax", jnp.nanmax, "The largest element, NaN left out,")
nanmin = _reduction("nanmin", jnp.nanmin, "The smallest element, NaN left out,")
nanprod = _reduction("nanprod", jnp.nanprod, "The product, NaN left out,")
nanargmax = _reduction("nanargmax", jnp.nanargmax, "The index of the largest element but NaN")
nanargmin = _reduction("nanargmin", jnp.nanargmin, "The index of the smallest element but NaN")


def _extreme(name, function, summary):
    doc = f"""{summary} over some axes.

    Args:
        x: array of any shape.
        axis: an axis or a tuple of them. Default `None`, all axes.
        keepdims: whether folded axes stay, with size 1. Default False.
        initial: what is returned for no elements, and compared with the others. Default `None`.
    """

    def apply(x, axis=None, keepdims=False, initial=None):
        return function(as_array(x), axis=axes(axis), keepdims=keepdims, initial=initial)

    return _define.named(apply, name, doc, __name__)


max = _extreme("max", jnp.max, "The largest element")
min = _extreme("min", jnp.min, "The smallest element")


@operation
def prod(x, axis=None, keepdims=False, dtype=None):
    """The product over some axes, all by default.

    >>> prod([1, 2, 3]).item()
    6
    """
    return jnp.prod(as_array(x), axis=axes(axis), keepdims=keepdims, dtype=dtype)


@operation
def average(x, axis=None, weights=None):
    """The weighted mean over some axes, all by default.

    >>> average([1.0, 3.0], weights=[3.0, 1.0]).item()
    1.5
    """
    weights = None if weights is None else as_array(weights)
    return jnp.average(as_array(x), axis=axes(axis), weights=weights)


@operation
def count_nonzero(x, axis=None):
    """How many elements are not 0, int32, over some axes, all by default.

    >>> count_nonzero([0, 3, 4]).item()
    2
    """
    return jnp.count_nonzero(as_array(x), axis=axes(axis)).astype("int32")


def _quantiles(name, function, summary):
    doc = f"""{summary} over some axes.

    Args:
        x: float array of any shape.
        q: number or array of them: which one.
        axis: an axis or a tuple of them. Default `None`, all axes.
        method: how to choose between neighbours: linear, lower, higher, midpoint or nearest.
        keepdims: whether folded axes stay, with size 1. Default False.
    """

    def apply(x, q, axis=None, method="linear", keepdims=False):
        return function(
            as_array(x), jnp.asarray(as_array(q)), axis=axes(axis), method=method, keepdims=keepdims
        )

    return _define.named(apply, name, doc, __name__)


quantile = _quantiles("quantile", jnp.quantile, "The quantile `q`, 0 to 1,")
percentile = _quantiles("percentile", jnp.percentile, "The percentile `q`, 0 to 100,")
nanquantile = _quantiles("nanquantile", jnp.nanquantile, "The quantile, NaN left out,")
nanpercentile = _quantiles("nanpercentile", jnp.nanpercentile, "The percentile, NaN left out,")


def _running(name, function, summary):
    doc = f"""{summary} along an axis; of the flattened array where `axis` is `None`.

    Args:
        x: array of any shape.
        axis: the axis. Default `None`.
        dtype: of the result. Default `None`, that of `x`.
    """

    def apply(x, axis=None, dtype=None):
        return function(as_array(x), axis=axis, dtype=dtype)

    return _define.named(apply, name, doc, __name__)


cumsum = _running("cumsum", jnp.cumsum, "The running sum")
cumprod = _running("cumprod", jnp.cumprod, "The running product")
nancumsum = _running("nancumsum", jnp.nancumsum, "The running sum, NaN taken as 0,")
nancumprod = _running("nancumprod", jnp.nancumprod, "The running product, NaN taken as 1,")


@operation
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements are close, in the sense of `isclose`.

    >>> allclose([1.0, 2.0], [1.0, 2.0]).item()
    True
    """
    return jnp.allclose(as_array(x1), as_array(x2), rtol, atol, equal_nan)


@operation
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each of 0, 1, 2, ... occurs in an array of integers; row by row for two axes.

    The length of the result depends on the values, so not for use in a compiled program.

    >>> bincount([0, 2, 2]).tolist()
    [1, 0, 2]
    """
    if sparse:
        raise ValueError("bincount(sparse=True): sparse tensors are not supported")
    x = jnp.asarray(as_array(x))
    weights = None if weights is None else jnp.asarray(as_array(weights))
    if x.ndim != 2:
        return jnp.bincount(x, weights=weights, minlength=minlength)
    length = int(jnp.maximum(jnp.max(x) + 1, minlength))
    rows = [None] * len(x) if weights is None else weights
    return jnp.stack([jnp.bincount(a, w, length=length) for a, w in zip(x, rows, strict=True)])


@operation
def histogram(x, bins=10, range=None):
    """Counts of elements in equal bins, and the edges of the bins.

    >>> counts, edges = histogram([0.0, 1.0, 1.0], bins=2)
    >>> counts.tolist(), edges.tolist()
    ([1.0, 2.0], [0.0, 0.5, 1.0])
    """
    return jnp.histogram(as_array(x), bins=bins, range=range)
