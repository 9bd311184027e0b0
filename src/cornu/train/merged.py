"""Programs that differ in plain numbers only - a rate of dropout, a momentum - made one program.

Each program is traced by itself, so Python code may do with its numbers what it likes. What comes
out are the same operations with other constants in them; `merged` runs these operations once, with
each constant that differs looked up by the number of the program. Programs that differ in more,
because an `if` in them went another way, have another `skeleton`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.extend import core

# calls that mean nothing but what is inside; the names are those of several releases of JAX
_CALLS = {
    "jit": "jaxpr",
    "pjit": "jaxpr",
    "closed_call": "call_jaxpr",
    "core_call": "call_jaxpr",
    "remat": "jaxpr",
    "checkpoint": "jaxpr",
    "remat2": "jaxpr",
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr",
}


def traced(function: Callable, arguments: Sequence) -> core.ClosedJaxpr:
    """The operations of a function for arguments of these shapes."""
    return jax.make_jaxpr(function)(*arguments)


def skeleton(closed: Any) -> tuple:
    """What two programs must have in common to be merged: everything but float constants.

    >>> program = lambda power, factor: traced(lambda x: x**power * factor, [jnp.ones(3)])
    >>> square = skeleton(program(2, 0.5))
    >>> square == skeleton(program(2, 0.25)), square == skeleton(program(3, 0.5))
    (True, False)
    """
    tokens: list[Any] = []
    _describe(closed, tokens)
    return tuple(tokens)


def _describe(closed: Any, tokens: list) -> None:
    jaxpr = closed.jaxpr if isinstance(closed, core.ClosedJaxpr) else closed
    numbers: dict[Any, int] = {}
    for variable in (*jaxpr.constvars, *jaxpr.invars):
        numbers[variable] = len(numbers)
        tokens.append(_aval(variable))
    for constant in getattr(closed, "consts", ()):
        tokens.append(_constant(constant))
    for equation in jaxpr.eqns:
        name = equation.primitive.name
        tokens.append(name)
        for atom in equation.invars:
            literal = isinstance(atom, core.Literal)
            tokens.append(_constant(atom.val) if literal else numbers[atom])
        if name in _CALLS:
            _describe(equation.params[_CALLS[name]], tokens)
        else:
            for key, value in sorted(equation.params.items()):
                tokens.append(key)
                for one in value if isinstance(value, tuple) else (value,):
                    if isinstance(one, (core.ClosedJaxpr, core.Jaxpr)):
                        _describe(one, tokens)
                    else:
                        tokens.append(repr(one))
        for variable in equation.outvars:
            numbers[variable] = len(numbers)
            tokens.append(_aval(variable))
    for atom in jaxpr.outvars:
        literal = isinstance(atom, core.Literal)
        tokens.append(_constant(atom.val) if literal else numbers[atom])


def _aval(variable: Any) -> tuple:
    return tuple(variable.aval.shape), str(variable.aval.dtype)


def _constant(value: Any) -> tuple:
    if isinstance(value, jax.core.Tracer):
        return ("traced", id(value))
    array = np.asarray(value)
    if np.issubdtype(array.dtype, np.inexact):
        return ("number", array.shape, str(array.dtype))
    return ("constant", array.shape, str(array.dtype), array.tobytes())


def merged(programs: Sequence[core.ClosedJaxpr], number: Any) -> Callable:
    """One function of programs of the same skeleton.

    Args:
        programs: what `traced` gave.
        number: an integer scalar, which may be traced: the program whose constants to take.

    Returns:
        `(*flat arguments) -> list of flat results`.

    >>> programs = [traced(lambda x, f=f: x * f, [jnp.ones(3)]) for f in (0.5, 0.25)]
    >>> merged(programs, 1)(jnp.ones(3))
    [Array([0.25, 0.25, 0.25], dtype=float32)]
    """
    merging = _Merging(number)
    return lambda *arguments: merging.run(list(programs), list(arguments))


class _Merging:
    """Runs the operations of several programs once."""

    def __init__(self, number: Any):
        self.number = number

    def constant(self, values: Sequence) -> Any:
        first = values[0]
        if all(value is first for value in values):
            return first
        arrays = [np.asarray(value) for value in values]
        if all(array.tobytes() == arrays[0].tobytes() for array in arrays):
            return first
        return jnp.asarray(np.stack(arrays))[self.number]

    def run(self, programs: list, arguments: list) -> list:
        """The results of closed programs."""
        jaxprs = [p.jaxpr if isinstance(p, core.ClosedJaxpr) else p for p in programs]
        held: dict[Any, Any] = {}  # by the variables of the first program
        first = jaxprs[0]
        for variable, *values in zip(
            first.constvars, *(getattr(p, "consts", ()) for p in programs), strict=True
        ):
            held[variable] = self.constant(values)
        held.update(zip(first.invars, arguments, strict=True))

        def value(atoms: Sequence) -> Any:
            atom = atoms[0]
            if isinstance(atom, core.Literal):
                return self.constant([one.val for one in atoms])
            return held[atom]

        for equations in zip(*(jaxpr.eqns for jaxpr in jaxprs), strict=True):
            inputs = [value(a) for a in zip(*(e.invars for e in equations), strict=True)]
            outputs = self.operation(equations, inputs)
            held.update(zip(equations[0].outvars, outputs, strict=True))
        return [value(a) for a in zip(*(jaxpr.outvars for jaxpr in jaxprs), strict=True)]

    def operation(self, equations: tuple, inputs: list) -> list:
        """The results of one operation."""
        primitive, params = equations[0].primitive, equations[0].params
        name = primitive.name

        def inside(key: str) -> list:
            return [equation.params[key] for equation in equations]

        if name in _CALLS:
            return self.run(inside(_CALLS[name]), inputs)
        if name == "while":
            conditions, bodies = inside("cond_jaxpr"), inside("body_jaxpr")
            ends = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
            asked, used, carry = inputs[: ends[0]], inputs[ends[0] : ends[1]], inputs[ends[1] :]
            return lax.while_loop(
                lambda carry: self.run(conditions, [*asked, *carry])[0],
                lambda carry: self.run(bodies, [*used, *carry]),
                carry,
            )
        if name == "cond":
            branches = list(zip(*inside("branches"), strict=True))
            functions = [
                lambda *operands, branch=branch: self.run(list(branch), list(operands))
                for branch in branches
            ]
            return lax.switch(inputs[0], functions, *inputs[1:])
        if name == "scan":
            return self.scan(params, inside("jaxpr"), inputs)
        found = primitive.get_bind_params(params)
        # until jax 0.9, beside the parameters there were functions to be given first
        functions, params = found if isinstance(found, tuple) else ((), found)
        outputs = primitive.bind(*functions, *inputs, **params)
        return list(outputs) if primitive.multiple_results else [outputs]

    def scan(self, params: dict, bodies: list, inputs: list) -> list:
        """The results of a loop over a known number of steps."""
        ends = params["num_consts"], params["num_consts"] + params["num_carry"]
        used, carry, steps = inputs[: ends[0]], inputs[ends[0] : ends[1]], inputs[ends[1] :]

        def body(carry, step):
            results = self.run(bodies, [*used, *carry, *step])
            return results[: params["num_carry"]], results[params["num_carry"] :]

        carry, stacked = lax.scan(
            body,
            carry,
            steps,
            length=params["length"],
            reverse=params["reverse"],
            unroll=params["unroll"],
        )
        return [*carry, *stacked]
