"""What Keras 3 keeps under `keras.backend`: a few settings, and the start of a new session."""

from cornu.config import (
    backend,
    epsilon,
    floatx,
    image_data_format,
    set_epsilon,
    set_floatx,
    set_image_data_format,
)
from cornu.core.dtypes import is_float, standardize_dtype
from cornu.core.naming import reset_names


def clear_session(free_memory: bool = True) -> None:
    """Starts the numbering of layer names afresh; what models hold is freed when they are.

    >>> clear_session()
    """
    reset_names()


def is_float_dtype(dtype) -> bool:
    """Whether a dtype is a floating-point one.

    >>> is_float_dtype("bfloat16")
    True
    """
    return is_float(standardize_dtype(dtype))


__all__ = [
    "backend",
    "clear_session",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_float_dtype",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
    "standardize_dtype",
]
