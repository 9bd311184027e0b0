"""Layers, and what they are made with, as Keras programs write them."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from cornu import activations, constraints, initializers, layers, regularizers
from cornu.core import naming
from cornu.port import kinds
from cornu.port.network import Operation
from cornu.port.source_text import Code, call, literal

# The first arguments of layers, which nobody writes by name.
_POSITIONAL = {
    "Dense": ("units",),
    "Embedding": ("input_dim", "output_dim"),
    "Activation": ("activation",),
    "Reshape": ("target_shape",),
    "Permute": ("dims",),
    "RepeatVector": ("n",),
    "Rescaling": ("scale",),
    "GaussianNoise": ("stddev",),
    "GroupNormalization": ("groups",),
}
_FAMILIES = (
    ("DepthwiseConv", ("kernel_size",)),
    ("Conv", ("filters", "kernel_size")),
    ("MaxPooling", ("pool_size",)),
    ("AveragePooling", ("pool_size",)),
    ("UpSampling", ("size",)),
    ("ZeroPadding", ("padding",)),
    ("Cropping", ("cropping",)),
)
# What is a number for each spatial axis, and one where they are all the same.
_EACH_AXIS = {"kernel_size", "strides", "dilation_rate", "pool_size", "size", "output_padding"}
_ACTIVATIONS = [name for name in vars(activations) if name.islower()]
_FINDERS: dict[str, Any] = {
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


def layer_text(operation: Operation, module: str) -> Code:
    """A layer as a call: only what is not Keras' default, and no name that Keras gives itself.

    Args:
        operation: of `keras_form`.
        module: how the framework's module is called: "keras" or "cornu".
    """
    kind = operation.kind
    known = defaults_of(kind)
    given = {name: value for name, value in operation.attributes.items() if name != "training"}
    settings: dict[str, Any] = {}
    for name in sorted(given, key=list(known).index):
        text = setting_text(name, given[name], module)
        default = known[name]
        # Keras' averages, unlike its maxima, have no window by default
        needed = kind.startswith("AveragePooling") and name == "pool_size"
        has_default = default is not inspect.Parameter.empty and not needed
        if has_default and text == setting_text(name, default, module):
            continue
        # pooling windows are by default as far apart as they are long
        is_size = name == "strides" and text == setting_text(
            "pool_size", given.get("pool_size"), module
        )
        if is_size or (name == "data_format" and given[name] == "channels_last"):
            continue
        settings[name] = text
    positional = []
    for name in _positional(kind):
        if name not in settings:
            break
        positional.append(settings.pop(name))
    if not operation.trainable and operation.parameters:
        settings["trainable"] = False
    if not is_automatic(operation):
        settings["name"] = operation.name
    return call(f"layers.{kind}", positional, settings)


def is_automatic(operation: Operation) -> bool:
    """Whether a layer has such a name as Keras gives one that has none."""
    return re.sub(r"_\d+$", "", operation.name) in _automatic_names()


@functools.cache
def _automatic_names() -> frozenset[str]:
    # those that Keras gives layers, and those that the readers give activations behind them
    names = {naming.to_snake_case(name) for name in (*layers.__all__, *kinds.KINDS)}
    return frozenset(names | {f"{name}_{one}" for name in names for one in _ACTIVATIONS})


def _positional(kind: str) -> tuple[str, ...]:
    if kind in _POSITIONAL:
        return _POSITIONAL[kind]
    if "Dropout" in kind:
        return ("rate",)
    return next((names for family, names in _FAMILIES if kind.startswith(family)), ())


@functools.cache
def defaults_of(kind: str) -> dict[str, Any]:
    """The arguments of a layer's class and their defaults."""
    found: dict[str, Any] = {}
    for base in getattr(layers, kind).__mro__:
        if "__init__" in vars(base):
            for name, parameter in inspect.signature(base.__init__).parameters.items():
                found.setdefault(name, parameter.default)
    return found


def setting_text(name: str, value: Any, module: str) -> Code:
    """The value of an argument as source."""
    what = name.rsplit("_", 1)[-1]
    if what in _FINDERS:
        return object_text(value, what, module)
    if name in _EACH_AXIS and isinstance(value, (tuple, list)):
        value = value[0] if len(set(value)) == 1 else tuple(value)
    if name in ("padding", "cropping") and isinstance(value, (tuple, list)):
        value = _pairs(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return Code(literal(value))


def _pairs(value: Any) -> Any:
    """Padding or cropping in the shortest form: a number, one for each axis, or pairs."""
    pairs = tuple(tuple(one) if isinstance(one, (tuple, list)) else one for one in value)
    if all(isinstance(one, tuple) and one[0] == one[1] for one in pairs):
        pairs = tuple(one[0] for one in pairs)
    if len(pairs) > 1 and all(one == pairs[0] for one in pairs) and not isinstance(pairs[0], tuple):
        return pairs[0]
    return pairs


def object_text(value: Any, what: str, module: str) -> Code:
    """An initializer, regularizer or constraint: its name, or a call with what is not default."""
    if value is None:
        return Code("None")
    found = _FINDERS[what].get(value)
    cls = type(found)
    settings = _plain(found.get_config())
    known = {
        name: parameter.default
        for name, parameter in inspect.signature(cls.__init__).parameters.items()
        if name != "self"
    }
    settings = {name: one for name, one in settings.items() if name in known and one != known[name]}
    if settings.get("seed") is not None and not isinstance(settings["seed"], int):
        settings.pop("seed")
    if not settings and what == "initializer":
        return Code(literal(naming.to_snake_case(cls.__name__)))
    first = next(iter(known), "")
    positional = []
    if what == "regularizer" and list(settings) == [first]:
        positional, settings = [settings[first]], {}
    return call(f"{module}.{what}s.{cls.__name__}", positional, settings)


def _plain(config: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.item() if isinstance(v, np.generic) else v for k, v in config.items()}
