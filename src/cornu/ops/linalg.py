"""Linear algebra: products, decompositions, solutions.

>>> from cornu import ops
>>> ops.matmul([[1.0, 2.0]], [[3.0], [4.0]]).tolist()
[[11.0]]
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from cornu.graph.node import operation
from cornu.ops import _define
from cornu.ops._define import as_array, as_arrays, axes

_binary = _define.binary(__name__)


def _product(name: str, function: Callable, summary: str) -> Callable:
    def apply(x1, x2):
        return function(jnp.asarray(as_array(x1)), jnp.asarray(as_array(x2)))

    return _define.named(apply, name, summary, __name__)


def _of_matrix(name: str, function: Callable, summary: str) -> Callable:
    def apply(x):
        return function(jnp.asarray(as_array(x)))

    return _define.named(apply, name, summary, __name__)


matmul = _product("matmul", jnp.matmul, "The matrix product; leading axes broadcast.")
dot = _product("dot", jnp.dot, "The dot product of vectors, the matrix product of matrices.")
vdot = _product("vdot", jnp.vdot, "The dot product of two flattened arrays.")
inner = _product("inner", jnp.inner, "The sum of products over the last axes.")
outer = _product("outer", jnp.outer, "The product of each element with each of another vector.")
kron = _product("kron", jnp.kron, "The Kronecker product.")

det = _of_matrix("det", jnp.linalg.det, "The determinant.")
inv = _of_matrix("inv", jnp.linalg.inv, "The inverse matrix.")
eig = _of_matrix("eig", lambda x: tuple(jnp.linalg.eig(x)), "Eigenvalues and eigenvectors.")
eigh = _of_matrix(
    "eigh", lambda x: tuple(jnp.linalg.eigh(x)), "Eigenvalues and vectors of a symmetric matrix."
)
slogdet = _of_matrix(
    "slogdet", lambda x: tuple(jnp.linalg.slogdet(x)), "The sign and logarithm of the determinant."
)
logdet = _of_matrix(
    "logdet", lambda x: jnp.linalg.slogdet(x)[1], "The logarithm of the determinant."
)
lu_factor = _of_matrix(
    "lu_factor",
    lambda x: tuple(jax.scipy.linalg.lu_factor(x)),
    "The LU decomposition and its pivots.",
)
corrcoef = _of_matrix("corrcoef", jnp.corrcoef, "The correlations between the rows.")


@operation
def tensordot(x1, x2, axes=2):
    """The sum of products over some axes of both: a number of them, or two lists.

    >>> tensordot([1.0, 2.0], [3.0, 4.0], axes=1).item()
    11.0
    """
    return jnp.tensordot(jnp.asarray(as_array(x1)), jnp.asarray(as_array(x2)), axes=axes)


@operation
def einsum(subscripts, *operands, **kwargs):
    """Products and sums in Einstein's notation.

    >>> einsum("ij,j->i", [[1.0, 2.0]], [3.0, 4.0]).tolist()
    [11.0]
    """
    return jnp.einsum(subscripts, *[jnp.asarray(x) for x in as_arrays(operands)], **kwargs)


@operation
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The cross product of vectors with 2 or 3 components.

    >>> cross([1, 0, 0], [0, 1, 0]).tolist()
    [0, 0, 1]
    """
    return jnp.cross(as_array(x1), as_array(x2), axisa, axisb, axisc, axis)


@operation
def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of a vector or matrix, by default the square root of the sum of squares.

    >>> norm([3.0, 4.0]).item()
    5.0
    """
    return jnp.linalg.norm(jnp.asarray(as_array(x)), ord, axes(axis), keepdims)


@operation
def cholesky(x, upper=False):
    """The lower triangle L with `L L^T = x` for a positive matrix; its transpose if `upper`.

    >>> cholesky([[4.0]]).tolist()
    [[2.0]]
    """
    return jnp.linalg.cholesky(jnp.asarray(as_array(x)), upper=upper)


@operation
def pinv(x, rcond=None):
    """The Moore-Penrose inverse; singular values below `rcond` times the largest count as 0.

    >>> pinv([[2.0], [0.0]]).tolist()
    [[0.5, 0.0]]
    """
    return jnp.linalg.pinv(jnp.asarray(as_array(x)), rcond)


@operation
def matrix_rank(x, tol=None):
    """The rank of a matrix; singular values below `tol` times the largest count as 0.

    >>> matrix_rank([[1.0, 0.0], [0.0, 0.0]]).item()
    1
    """
    return jnp.linalg.matrix_rank(jnp.asarray(as_array(x)), rtol=tol)


@operation
def solve(a, b):
    """The x with `a x = b`.

    >>> solve([[2.0]], [[6.0]]).tolist()
    [[3.0]]
    """
    a, b = jnp.asarray(as_array(a)), jnp.asarray(as_array(b))
    return (
        jnp.linalg.solve(a, b[..., None])[..., 0]
        if b.ndim == a.ndim - 1
        else (jnp.linalg.solve(a, b))
    )


@operation
def solve_triangular(a, b, lower=False):
    """The x with `a x = b` for a triangular `a`.

    >>> solve_triangular([[2.0, 0.0], [0.0, 4.0]], [2.0, 4.0]).tolist()
    [1.0, 1.0]
    """
    a, b = jnp.asarray(as_array(a)), jnp.asarray(as_array(b))
    return jax.scipy.linalg.solve_triangular(a, b, lower=lower)


@operation
def lstsq(a, b, rcond=None):
    """The x that makes `|a x - b|` least.

    >>> lstsq([[2.0]], [[6.0]]).tolist()
    [[3.0]]
    """
    return jnp.linalg.lstsq(jnp.asarray(as_array(a)), jnp.asarray(as_array(b)), rcond=rcond)[0]


@operation
def qr(x, mode="reduced"):
    """An orthogonal Q and an upper triangular R with `Q R = x`; `mode` is reduced or complete.

    >>> [part.shape for part in qr([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])]
    [(3, 2), (2, 2)]
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr(mode={mode!r}): expected 'reduced' or 'complete'")
    return tuple(jnp.linalg.qr(jnp.asarray(as_array(x)), mode=mode))


@operation
def svd(x, full_matrices=True, compute_uv=True):
    """The singular value decomposition: U, the singular values, V transposed.

    >>> svd([[3.0, 0.0], [0.0, 4.0]], compute_uv=False).tolist()
    [4.0, 3.0]
    """
    result = jnp.linalg.svd(jnp.asarray(as_array(x)), full_matrices, compute_uv)
    return tuple(result) if compute_uv else result


@operation
def cdist(x, y):
    """The distance of each row of `x` from each row of `y`.

    >>> cdist([[0.0, 0.0]], [[3.0, 4.0]]).tolist()
    [[5.0]]
    """
    x, y = jnp.asarray(as_array(x)), jnp.asarray(as_array(y))
    if x.ndim < 2 or y.ndim < 2 or x.shape[-1] != y.shape[-1]:
        raise ValueError(
            f"cdist: expected (..., rows, features) twice with equally many features, "
            f"received {x.shape} and {y.shape}"
        )
    return jnp.sqrt(jnp.sum((x[..., :, None, :] - y[..., None, :, :]) ** 2, axis=-1))


def _diagonals(name: str, function: Callable, summary: str, *names: str) -> Callable:
    def apply(x, k=0):
        return function(jnp.asarray(as_array(x)), k=k)

    return _define.named(apply, name, summary, __name__)


diag = _diagonals("diag", jnp.diag, "The diagonal `k` of a matrix, or the matrix with it.")
diagflat = _diagonals(
    "diagflat", jnp.diagflat, "The matrix with the flattened array as diagonal `k`."
)
tril = _diagonals("tril", jnp.tril, "The matrix with zeros above the diagonal `k`.")
triu = _diagonals("triu", jnp.triu, "The matrix with zeros below the diagonal `k`.")


@operation
def diagonal(x, offset=0, axis1=0, axis2=1):
    """The diagonal of the planes that two axes span.

    >>> diagonal([[1, 2], [3, 4]]).tolist()
    [1, 4]
    """
    return jnp.diagonal(jnp.asarray(as_array(x)), offset, axis1, axis2)


@operation
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of the diagonal of the planes that two axes span.

    >>> trace([[1, 2], [3, 4]]).item()
    5
    """
    return jnp.trace(jnp.asarray(as_array(x)), offset, axis1, axis2)


@operation
def diff(a, n=1, axis=-1):
    """The difference between neighbours along an axis, `n` times over.

    >>> diff([1, 4, 9]).tolist()
    [3, 5]
    """
    return jnp.diff(jnp.asarray(as_array(a)), n, axis)


@operation
def correlate(x1, x2, mode="valid"):
    """The cross-correlation of two vectors; `mode` is valid, same or full.

    >>> correlate([1.0, 2.0, 3.0], [1.0, 1.0]).tolist()
    [3.0, 5.0]
    """
    return jnp.correlate(as_array(x1), as_array(x2), mode)


@operation
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral of samples by the trapezoidal rule.

    >>> trapezoid([1.0, 3.0]).item()
    2.0
    """
    x = None if x is None else jnp.asarray(as_array(x))
    return jnp.trapezoid(jnp.asarray(as_array(y)), x, dx, axis)


@operation
def vander(x, N=None, increasing=False):
    """The matrix of powers of a vector.

    >>> vander([2, 3], 2).tolist()
    [[2, 1], [3, 1]]
    """
    return jnp.vander(jnp.asarray(as_array(x)), N, increasing)
