"""How a program is compiled: what it is allowed to count on, and what XLA is told.

XLA for CPUs has more than one routine for a convolution. That of jax 0.10 gives most of them to
YNNPACK, which is several times slower than Eigen's spatial convolution. A program compiled here is
told to leave convolutions to Eigen, and code that is traced for such a program can ask `has_eigen`
and count on it.

Source: `xla_cpu_experimental_ynn_fusion_type` in XLA's `xla.proto`.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from typing import Any

import jax

# What is left to YNNPACK: what it has by default, but for convolutions. Eigen's matrix products
# would be faster too, by about a tenth of a step; they differ in the last bit, and then a network
# that trains chaotically no longer follows, epoch by epoch, what Keras on JAX does.
_LIBRARY = "xla_cpu_experimental_ynn_fusion_type"
_PRODUCTS_AND_SUMS = "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE"

_tracing_for_eigen = contextvars.ContextVar("cornu_tracing_for_eigen", default=False)


def has_eigen() -> bool:
    """Whether what is traced now will be compiled, on a CPU, with Eigen's convolutions."""
    return _tracing_for_eigen.get()


@contextlib.contextmanager
def _for_eigen() -> Iterator[None]:
    token = _tracing_for_eigen.set(True)
    try:
        yield
    finally:
        _tracing_for_eigen.reset(token)


def lower(function: Callable, specs: tuple, donate_argnums: tuple[int, ...] = ()) -> Any:
    """The function traced for arguments of these shapes and dtypes, ready for `compile_lowered`."""
    with _for_eigen():
        return jax.jit(function, donate_argnums=donate_argnums).lower(*specs)


def compile_lowered(lowered: Any) -> Any:
    """The compiled form of what `lower` returned: a function of concrete arrays."""
    return _compiled(lowered, {_LIBRARY: _PRODUCTS_AND_SUMS})


def compile_quickly(lowered: Any) -> Any:
    """As `compile_lowered`, for what is run once: compiled in half the time, to slower code.

    Every operation is computed once. The gradient of a maximum looks for the places where a value
    equals it; unoptimized, XLA fuses what comes before both into two programs that round
    differently: then no place does, and the gradient is NaN.
    """
    options = {
        _LIBRARY: _PRODUCTS_AND_SUMS,
        "xla_backend_optimization_level": 0,
        "xla_disable_hlo_passes": "fusion",
    }
    return _compiled(lowered, options)


def _compiled(lowered: Any, options: dict) -> Any:
    if jax.default_backend() != "cpu":
        return lowered.compile()
    try:
        return lowered.compile(compiler_options=options)
    except jax.errors.JaxRuntimeError as error:
        if not any(name in str(error) for name in options):
            raise
        # A release of XLA without the option: right all the same, if slower.
        return lowered.compile()
