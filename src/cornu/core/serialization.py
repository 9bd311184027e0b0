"""Objects to plain configurations and back, in the form that Keras 3 writes.

A configuration is `{"module", "class_name", "config", "registered_name"}`. Every class that derives
from `Serializable` is known by name from the moment it is defined, so reading a configuration
imports nothing and runs no code from it: a name is either known or an error.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import inspect
import json
import types
from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np

from cornu.core.places import Place, caller_place

_classes: dict[tuple[str, str], type] = {}
_custom: dict[str, Callable] = {}
_custom_names: dict[Callable, str] = {}
_scopes: list[dict[str, Callable]] = []
_PLAIN = (str, int, float, bool, type(None))
_SELF = "cornu"
# What registers the classes of a package whose names a file may hold, if nothing has yet.
_REGISTERED_BY = {"cornu.port": "cornu.port.keras.torch_optimizers"}


class _Configuration(dict):
    """A finished configuration: copying it would lose the mark that its object is shared."""


class _Lambda(dict):
    """What is written of a lambda, with the lambda itself for a copy made in the program."""

    def __init__(self, function: Callable, content: dict):
        super().__init__(content)
        self.function = function


def lambda_configuration(function: Callable, bytecode: dict | None = None) -> dict:
    """The configuration of a lambda. Without its bytecode it cannot be written to a file."""
    content = {"value": function} if bytecode is None else bytecode
    return _Configuration(class_name="__lambda__", config=_Lambda(function, content))


class _Shared:
    """Which objects were met before, while one whole network is written or read."""

    def __init__(self) -> None:
        # the objects are kept, so that no other one gets the id of one that is gone
        self.written: dict[int, tuple[object, dict]] = {}
        self.read: dict[int, object] = {}
        self.count = 0


_shared: _Shared | None = None


class _SignatureOfInit:
    """What `inspect.signature` says of a class: the arguments of its `__init__`.

    Pythons before 3.11.4 would look at `__new__` first, which takes anything.
    """

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        if instance is not None:
            raise AttributeError("__signature__")
        if owner.__init__ is object.__init__:  # type: ignore[misc]
            return inspect.Signature()
        signature = inspect.signature(owner.__init__)  # type: ignore[misc]
        return signature.replace(parameters=list(signature.parameters.values())[1:])


class Serializable:
    """A class whose objects can be written as a configuration and made again from it.

    Subclasses defined by Cornu are found by the package they live in and their name; those of users
    are found through `register_keras_serializable` or `custom_objects`.
    """

    public_module: str | None = None
    """The public package after `keras.`; by default the package that defines the class."""

    __signature__ = _SignatureOfInit()
    _place: Place | None = None  # the line of the program that made it: findings name it

    def __new__(cls, *args, **kwargs):
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError(f"{cls.__name__}() takes no arguments")
        made = super().__new__(cls)
        object.__setattr__(made, "_place", caller_place())
        return made

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if cls.__module__.split(".")[0] == _SELF and not cls.__name__.startswith("_"):
            _classes[public_location(cls)] = cls

    def get_config(self) -> dict:
        """The arguments that make an equal object."""
        return {}

    @classmethod
    def from_config(cls, config: dict):
        """An object made from what `get_config` returned."""
        return cls(**config)


def public_location(cls: type) -> tuple[str, str]:
    """Where Keras keeps the class of this name: `("keras.layers", "Dense")`."""
    package = cls.__dict__.get("public_module")
    if package is None:
        package = cls.__module__.split(".")[1]
    return (f"keras.{package}" if package else "keras"), cls.__name__


def is_builtin(cls: type) -> bool:
    """Whether a class is Cornu's own and Keras' too, not a user's and not registered as one."""
    return cls.__module__.split(".")[0] == _SELF and cls not in _custom_names


def serialize(obj):
    """The plain, JSON-ready form of an object: the inverse of `deserialize`."""
    if isinstance(obj, (*_PLAIN, _Configuration)):
        return obj
    if isinstance(obj, (list, tuple)):
        return [serialize(item) for item in obj]
    if isinstance(obj, dict):
        return {key: serialize(value) for key, value in obj.items()}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode()}}
    if isinstance(obj, slice):
        parts = {part: serialize(getattr(obj, part)) for part in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if obj is ...:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, np.generic) or (isinstance(obj, np.ndarray) and obj.ndim == 0):
        return obj.item()
    if isinstance(obj, np.ndarray):
        return {
            "class_name": "__numpy__",
            "config": {"value": obj.tolist(), "dtype": obj.dtype.name},
        }
    if isinstance(obj, jax.Array):
        return {
            "class_name": "__tensor__",
            "config": {"value": np.asarray(obj).tolist(), "dtype": obj.dtype.name},
        }
    if hasattr(obj, "serialize_self"):
        return obj.serialize_self()
    if isinstance(obj, types.FunctionType | types.BuiltinFunctionType) or (
        callable(obj) and not hasattr(obj, "get_config")
    ):
        return _serialize_function(obj)
    if not hasattr(obj, "get_config"):
        raise TypeError(
            f"{obj!r} of type {type(obj).__name__} cannot be written as a configuration: "
            "give its class a get_config() method"
        )
    return _serialize_object(obj)


def _serialize_object(obj) -> dict:
    cls = type(obj)
    if is_builtin(cls):
        module, class_name = public_location(cls)
        registered = None
    else:
        module, class_name = cls.__module__, cls.__name__
        # of the bases too: a subclass that builds a graph has a class made for it on the fly
        names = (_custom_names.get(c) for c in cls.__mro__ if c.__name__ == class_name)
        registered = next((name for name in names if name), class_name)
        if module == "__main__":
            module = None
    config = _Configuration(
        module=module,
        class_name=class_name,
        config=serialize(obj.get_config()),
        registered_name=registered,
    )
    for part in ("build_config", "compile_config"):
        getter = getattr(obj, f"get_{part}", None)
        value = getter() if getter is not None else None
        if value is not None:
            config[part] = serialize(value)
    if _shared is not None:
        if id(obj) in _shared.written:
            _, first = _shared.written[id(obj)]
            if "shared_object_id" not in first:
                _shared.count += 1
                first["shared_object_id"] = _shared.count
            config["shared_object_id"] = first["shared_object_id"]
        else:
            _shared.written[id(obj)] = (obj, config)
    return config


def _serialize_function(function) -> dict:
    name = _custom_names.get(function) or getattr(function, "__name__", None)
    if name is None:
        raise TypeError(
            f"{function!r} has no name under which it could be found again when the file is read: "
            "use a function defined with def, or give its class a get_config() method"
        )
    if name == "<lambda>":
        return lambda_configuration(function)
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": name,
    }


def to_json(config: Any, **kwargs) -> str:
    """A configuration as JSON text; `kwargs` go to `json.dumps`.

    Raises ValueError where it holds a lambda, TypeError for another object that has no JSON form.
    """
    return json.dumps(config, **{"default": _refuse, **kwargs})


def _refuse(value: Any):
    if getattr(value, "__name__", None) == "<lambda>":
        raise ValueError(
            "a lambda cannot be written to a file: its code would have to be run when the file is "
            "read. Use a named function and register it with "
            "cornu.saving.register_keras_serializable()"
        )
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be written as JSON")


def deserialize(config, custom_objects: dict | None = None, safe_mode: bool = True):
    """The object that a configuration describes.

    `custom_objects` maps names to the user's classes and functions. `safe_mode` is accepted as in
    Keras; code in a file is never run here, whatever its value.

    Raises ValueError where the configuration names a class or function that is not known.
    """
    if custom_objects:
        with custom_object_scope(custom_objects):
            return deserialize(config)
    if isinstance(config, (list, tuple)):
        return [deserialize(item) for item in config]
    if not isinstance(config, dict):
        return config
    if "class_name" not in config or "config" not in config:
        return {key: deserialize(value) for key, value in config.items()}
    class_name, inner = config["class_name"], config["config"]
    if class_name == "__numpy__":
        return np.array(inner["value"], dtype=inner["dtype"])
    if class_name == "__tensor__":
        return jax.device_put(np.array(inner["value"], dtype=inner["dtype"]))
    if class_name == "__bytes__":
        return inner["value"].encode()
    if class_name == "__slice__":
        return slice(*(deserialize(inner[key]) for key in ("start", "stop", "step")))
    if class_name == "__ellipsis__":
        return ...
    if class_name == "__lambda__":
        if isinstance(inner, _Lambda):
            return inner.function
        raise ValueError(
            "the configuration holds the bytecode of a lambda. Code from a file is never run: "
            "define the function in the program and pass it through custom_objects"
        )
    if class_name == "function":
        name = config.get("registered_name") or inner
        return custom_object(name) or custom_object(inner) or inner
    return _deserialize_object(config)


@contextlib.contextmanager
def object_sharing() -> Iterator[None]:
    """Within the block, an object that is met twice is written, and made again, as one object."""
    global _shared
    outer, _shared = _shared, _Shared()
    try:
        yield
    finally:
        _shared = outer


def _deserialize_object(config: dict):
    shared_id = config.get("shared_object_id")
    if _shared is not None and shared_id in _shared.read:
        return _shared.read[shared_id]
    cls = find_class(config)
    if not hasattr(cls, "from_config"):
        if isinstance(cls, type):
            raise TypeError(f"{cls.__name__} cannot be read: it has no from_config() method")
        return cls  # a function, registered by its user
    inner = config["config"] or {}
    as_it_is = getattr(cls, "deserializes_itself", False) or "input_layers" in inner
    if isinstance(inner, dict) and not as_it_is:
        inner = {
            key: deserialize(value) if _is_object(value) else value for key, value in inner.items()
        }
    try:
        obj = cls.from_config(inner)
    except TypeError as error:
        if getattr(error, "names_class", False):
            raise
        explained = TypeError(
            f"{config['class_name']} cannot be made from its configuration {inner}: {error}"
        )
        explained.names_class = True  # type: ignore[attr-defined]
        raise explained from error
    if _shared is not None and shared_id is not None:
        _shared.read[shared_id] = obj
    build_config = config.get("build_config")
    if build_config and hasattr(obj, "build_from_config"):
        obj.build_from_config(build_config)
    compile_config = config.get("compile_config")
    if compile_config and hasattr(obj, "compile_from_config"):
        obj.compile_from_config(compile_config)
    return obj


def _is_object(value) -> bool:
    if isinstance(value, dict):
        return "class_name" in value or any(_is_object(item) for item in value.values())
    if isinstance(value, list):
        return any(_is_object(item) for item in value)
    return False


def find_class(config: dict) -> type:
    """The class that a configuration names; ValueError with the nearest known name if unknown."""
    class_name = config["class_name"]
    module = config.get("module") or ""
    registered = config.get("registered_name")
    package = registered.partition(">")[0] if isinstance(registered, str) else ""
    if package in _REGISTERED_BY:
        importlib.import_module(_REGISTERED_BY[package])
    for name in (registered, class_name):
        found = custom_object(name) if name else None
        if found is not None:
            return found
    found = _classes.get((module, class_name))
    if found is None and (module.split(".")[0] == "keras" or not module):
        # Keras writes the public package for its own classes, but older files and inner classes
        # carry "keras.src.layers....": the one class of that name, in that package where it is said
        package = module.removeprefix("keras.").removeprefix("src.").split(".")[0]
        same_name = [(where, cls) for (where, name), cls in _classes.items() if name == class_name]
        found = next((cls for where, cls in same_name if package in where.split(".")[1:]), None)
        packages = {part for where, _ in _classes for part in where.split(".")[1:]}
        if found is None and len(same_name) == 1 and package not in packages:
            found = same_name[0][1]
    if found is None:
        known = sorted({name for _, name in _classes})
        raise ValueError(
            f"unknown class {class_name!r} (module {module or None!r})"
            f"{did_you_mean(class_name, known)}. Pass a class of your own through "
            "custom_objects={...} or register it with cornu.saving.register_keras_serializable()"
        )
    return found


def did_you_mean(name: str, known) -> str:
    """`"; did you mean 'relu'?"` where a known name is near, an empty string otherwise."""
    near = difflib.get_close_matches(str(name), [str(item) for item in known], n=1, cutoff=0.55)
    return f"; did you mean {near[0]!r}?" if near else ""


def register_keras_serializable(package: str = "Custom", name: str | None = None):
    """Class decorator: makes a class or function of the user's known under `package>name`.

    >>> @register_keras_serializable(package="docs")
    ... def double(x):
    ...     return 2 * x
    >>> get_registered_name(double)
    'docs>double'
    """

    def decorate(obj):
        registered = f"{package}>{name or obj.__name__}"
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(f"{obj.__name__} cannot be registered: it has no get_config() method")
        _custom[registered] = obj
        _custom_names[obj] = registered
        return obj

    return decorate


def get_registered_name(obj) -> str:
    """The name under which a class or function is registered, or its own."""
    return _custom_names.get(obj, obj.__name__)


def get_registered_object(name: str, custom_objects: dict | None = None):
    """The class or function of that name among the user's, or None."""
    return (custom_objects or {}).get(name) or custom_object(name)


def custom_object(name):
    """The user's class or function of that name in the open scopes or the register, or None."""
    if not isinstance(name, str):
        return None
    for scope in reversed(_scopes):
        if name in scope:
            return scope[name]
    return _custom.get(name)


def get_custom_objects() -> dict[str, Callable]:
    """The register of the user's classes and functions by name; entries may be added to it."""
    return _custom


@contextlib.contextmanager
def custom_object_scope(objects: dict) -> Iterator[None]:
    """Within the `with` block, the names in `objects` are known when configurations are read."""
    _scopes.append(dict(objects))
    try:
        yield
    finally:
        _scopes.pop()
