"""Matrix products of many small matrices at once, in the form that XLA's CPU code is fastest at.

The gradient of a kernel is a product over the rows of both factors. For one matrix XLA has a good
routine for that; for a batch of small ones it takes nearly twice as long as a product over the
columns of the first factor. So here the first factor is transposed before such a product, out of
reach of the simplification that would undo it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax import lax
from jax.extend import core


def with_products_for_cpu(function: Callable) -> Callable:
    """The function, with its batched matrix products in the fast form.

    >>> import jax.numpy as jnp
    >>> x, g = jnp.ones((2, 4, 3)), jnp.ones((2, 4, 5))
    >>> with_products_for_cpu(lambda x, g: jnp.einsum("rbk,rbn->rkn", x, g))(x, g).shape
    (2, 3, 5)
    """

    def rewritten(*arguments):
        closed, shape = jax.make_jaxpr(function, return_shape=True)(*arguments)
        flat = _run(closed.jaxpr, closed.consts, jax.tree_util.tree_leaves(arguments))
        return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(shape), flat)

    return rewritten


def _run(jaxpr: core.Jaxpr, constants: list, arguments: list) -> list:
    """Evaluates a traced function, products replaced."""
    values: dict[Any, Any] = {}

    def value(atom):
        return atom.val if isinstance(atom, core.Literal) else values[atom]

    values.update(zip(jaxpr.constvars, constants, strict=True))
    values.update(zip(jaxpr.invars, arguments, strict=True))
    for equation in jaxpr.eqns:
        inputs = [value(atom) for atom in equation.invars]
        if equation.primitive is lax.dot_general_p:
            outputs = [_product(*inputs, **equation.params)]
        else:
            parameters = {name: _inside(value) for name, value in equation.params.items()}
            found = equation.primitive.get_bind_params(parameters)
            # until jax 0.9, beside the parameters there were functions to be given first
            functions, parameters = found if isinstance(found, tuple) else ((), found)
            outputs = equation.primitive.bind(*functions, *inputs, **parameters)
            if not equation.primitive.multiple_results:
                outputs = [outputs]
        values.update(zip(equation.outvars, outputs, strict=True))
    return [value(atom) for atom in jaxpr.outvars]


def _inside(parameter: Any) -> Any:
    """A parameter of a loop or a branch, products inside replaced."""
    if isinstance(parameter, core.ClosedJaxpr) and _has_products(parameter.jaxpr):
        inputs = [
            jax.ShapeDtypeStruct(aval.shape, aval.dtype, weak_type=aval.weak_type)
            for aval in parameter.in_avals
        ]
        return jax.make_jaxpr(lambda *args: _run(parameter.jaxpr, parameter.consts, list(args)))(
            *inputs
        )
    if isinstance(parameter, tuple) and any(isinstance(p, core.ClosedJaxpr) for p in parameter):
        return tuple(map(_inside, parameter))
    return parameter


def _has_products(jaxpr: core.Jaxpr) -> bool:
    return any(
        _is_slow(
            equation.invars[0].aval, equation.invars[1].aval, equation.params["dimension_numbers"]
        )
        if equation.primitive is lax.dot_general_p
        else any(map(_has_products, _parts(equation.params)))
        for equation in jaxpr.eqns
    )


def _parts(parameters: dict) -> list[core.Jaxpr]:
    """The traced functions among the parameters of a loop or a branch."""
    each = [p if isinstance(p, tuple) else (p,) for p in parameters.values()]
    return [part.jaxpr for parts in each for part in parts if isinstance(part, core.ClosedJaxpr)]


def _is_slow(left: Any, right: Any, dimension_numbers: tuple) -> bool:
    (left_over, _), (left_batch, right_batch) = dimension_numbers
    one_batch = tuple(left_batch) == tuple(right_batch) == (0,)
    return one_batch and left.ndim == right.ndim == 3 and tuple(left_over) == (1,)


def _product(left, right, *, dimension_numbers, **parameters):
    (left_over, right_over), batches = dimension_numbers
    if not _is_slow(left, right, dimension_numbers):
        return lax.dot_general_p.bind(
            left, right, dimension_numbers=dimension_numbers, **parameters
        )
    # JAX derives the gradient of a kernel as the transpose of (gradient of outputs) x (inputs), and
    # XLA would change the factors' places to be rid of that transpose; so they change places here.
    over = right_over[0]
    if over != 2:
        right = lax.optimization_barrier(lax.transpose(right, (0, 2, 1)))
    numbers = ((2,), left_over), batches
    product = lax.dot_general_p.bind(right, left, dimension_numbers=numbers, **parameters)
    return lax.transpose(product, (0, 2, 1))
