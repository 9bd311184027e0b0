"""Data types: the default float type, its fuzz factor, and what a layer computes and stores in."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from cornu.core.serialization import Serializable

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_settings: dict = {"floatx": "float32", "epsilon": 1e-7, "policy": None}


def standardize_dtype(dtype) -> str:
    """The canonical name of a dtype: `standardize_dtype(np.float32)` is `"float32"`.

    `None` means the default float type. Python's `float`, `int` and `bool` mean what they mean in
    Keras: the default float type, `"int32"` and `"bool"`.

    >>> standardize_dtype(np.uint8)
    'uint8'
    """
    if dtype is None or dtype is float:
        return floatx()
    if dtype is int or dtype == "int":
        return "int32"
    if dtype is bool:
        return "bool"
    if hasattr(dtype, "compute_dtype"):
        return dtype.compute_dtype
    name = getattr(dtype, "name", None) or getattr(dtype, "__name__", None) or str(dtype)
    if name.startswith("torch."):
        name = name[len("torch.") :]
    try:
        return jnp.dtype(name).name
    except TypeError:
        raise ValueError(
            f"dtype={dtype!r} is not a data type; use a name such as 'float32', 'int32' or 'bool'"
        ) from None


def is_float(dtype) -> bool:
    """Whether a dtype is a floating-point one (bfloat16 included)."""
    return bool(jnp.issubdtype(jnp.dtype(dtype), jnp.floating))


def floatx() -> str:
    """The default float type, `"float32"` unless `set_floatx` changed it.

    >>> floatx()
    'float32'
    """
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    """Sets the default float type: one of float16, bfloat16, float32, float64."""
    if value not in _FLOATS:
        raise ValueError(f"set_floatx({value!r}): expected one of {', '.join(_FLOATS)}")
    _settings["floatx"] = value


def epsilon() -> float:
    """The fuzz factor that keeps logarithms and divisions finite, 1e-7 as in Keras.

    >>> epsilon()
    1e-07
    """
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    """Sets the fuzz factor."""
    _settings["epsilon"] = float(value)


class DTypePolicy(Serializable):
    """What a layer computes in and what it stores its weights in.

    `name` is a dtype (both are that) or `"mixed_float16"` / `"mixed_bfloat16"`: weights in float32,
    computation in the half-width type.

    >>> DTypePolicy("mixed_bfloat16").compute_dtype
    'bfloat16'
    """

    public_module = ""

    def __init__(self, name: str | None = None):
        name = "mixed_float16" if name == "mixed_float16" else name or floatx()
        self.name = name
        if name.startswith("mixed_"):
            self.compute_dtype = standardize_dtype(name[len("mixed_") :])
            self.variable_dtype = "float32"
        else:
            self.name = self.compute_dtype = self.variable_dtype = standardize_dtype(name)

    def get_config(self) -> dict:
        return {"name": self.name}

    def __eq__(self, other) -> bool:
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<DTypePolicy {self.name!r}>"


def dtype_policy() -> DTypePolicy:
    """The policy that layers made without a `dtype` get."""
    return _settings["policy"] or DTypePolicy(floatx())


def set_dtype_policy(policy) -> None:
    """Sets the policy for layers made from now on: a `DTypePolicy` or its name."""
    _settings["policy"] = policy if isinstance(policy, DTypePolicy) else DTypePolicy(policy)


def get_policy(identifier) -> DTypePolicy:
    """The policy meant by `None`, a name, a dtype, a configuration or a policy."""
    if identifier is None:
        return dtype_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return DTypePolicy(identifier["config"]["name"])
    if isinstance(identifier, str):
        return DTypePolicy(identifier)
    return DTypePolicy(standardize_dtype(identifier))


def to_numpy_dtype(dtype) -> np.dtype:
    """The NumPy dtype of a dtype name; bfloat16 included."""
    return jnp.dtype(standardize_dtype(dtype))
