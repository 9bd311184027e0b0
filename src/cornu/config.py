"""Settings of the whole process: float type, fuzz factor, dtype policy, image layout, output."""

from cornu.core.check_settings import is_check_enabled, set_check
from cornu.core.dtypes import (
    dtype_policy,
    epsilon,
    floatx,
    set_dtype_policy,
    set_epsilon,
    set_floatx,
)
from cornu.core.image import image_data_format, set_image_data_format
from cornu.utils.progress import (
    disable_interactive_logging,
    enable_interactive_logging,
    is_interactive_logging_enabled,
)


def backend() -> str:
    """The engine that computes: always `"jax"`.

    >>> backend()
    'jax'
    """
    return "jax"


__all__ = [
    "backend",
    "disable_interactive_logging",
    "dtype_policy",
    "enable_interactive_logging",
    "epsilon",
    "floatx",
    "image_data_format",
    "is_check_enabled",
    "is_interactive_logging_enabled",
    "set_check",
    "set_dtype_policy",
    "set_epsilon",
    "set_floatx",
    "set_image_data_format",
]
