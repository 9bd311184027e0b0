"""Sentences in the place of errors that speak of JAX's tracers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import jax

TRACING_ERRORS = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)


def needs_values(where: str, what: str) -> TypeError:
    """The error for code that wants the values of a tensor while it is being compiled."""
    error = TypeError(
        f"{where}: {what} needs the values of a tensor while the network is being compiled "
        "(an `if` or `while` on a tensor, float(), int() or a NumPy function of it). Use "
        "cornu.ops functions such as where() instead, or compile(run_eagerly=True)"
    )
    error.is_sentence = True  # type: ignore[attr-defined]
    return error


@contextlib.contextmanager
def naming(where: str, what: str) -> Iterator[None]:
    """Within the block, an error of tracing becomes a sentence that names whose code it was."""
    try:
        yield
    except TRACING_ERRORS as error:
        raise needs_values(where, what).with_traceback(error.__traceback__) from None
