"""Layers from their configurations, where a constructor does not take all that is in them."""

from __future__ import annotations

import inspect
from typing import Any

from cornu.core import dtypes


def construct(cls: Any, config: dict) -> Any:
    """A layer of a class from its configuration.

    A layer of a user's may have a constructor without `**kwargs`; its `get_config` returns name,
    trainable and dtype all the same. These are then set once the layer is made.

    Args:
        cls: the class.
        config: the constructor's arguments, and any of the three.

    Raises TypeError where the constructor does not take an argument, or takes no dtype and the
    layer had another than the default one.
    """
    parameters = inspect.signature(cls.__init__).parameters
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
        return cls(**config)
    left_out = {
        key: config[key]
        for key in ("name", "trainable", "dtype")
        if key in config and key not in parameters
    }
    layer = cls(**{key: value for key, value in config.items() if key not in left_out})
    if left_out.get("name") is not None:
        layer.name = left_out["name"]
    if left_out.get("trainable") is False:
        layer.trainable = False
    dtype = left_out.get("dtype")
    if dtype is not None and dtypes.get_policy(dtype) != layer.dtype_policy:
        raise TypeError(
            f"{cls.__name__} was made with dtype {dtypes.get_policy(dtype).name!r}, which its "
            "constructor does not take: add **kwargs to it and pass them to super().__init__()"
        )
    return layer
