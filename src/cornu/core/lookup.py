"""From what a user may write for a loss, an optimizer, an initializer ... to the object meant."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from cornu.core import serialization


def resolve(identifier: Any, kind: str, known: Mapping[str, Any], base: type | None = None):
    """The object meant by a name, a configuration, a class, an object or a callable.

    Args:
        identifier: `None` (returned as it is), a name, a configuration dict, a class (made with its
            defaults), an object or a callable (returned as it is).
        kind: what is looked for, for the message: "loss", "optimizer", ...
        known: names to classes (made with their defaults) or functions (returned as they are).
        base: the base class that objects of this kind have.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.
        TypeError: something that is none of the above.
    """
    if identifier is None:
        return None
    if isinstance(identifier, dict):
        identifier = serialization.deserialize(identifier)
    if isinstance(identifier, str):
        found = serialization.custom_object(identifier) or known.get(identifier)
        if found is None:
            found = {str(name).lower(): value for name, value in known.items()}.get(
                identifier.lower()
            )
        if found is None:
            raise ValueError(
                f"unknown {kind} {identifier!r}"
                f"{serialization.did_you_mean(identifier, known) or '.'}"
                f"{'' if len(known) > 60 else ' Known: ' + ', '.join(_names(known)) + '.'}"
            )
        return found() if inspect.isclass(found) else found
    if inspect.isclass(identifier):
        return identifier()
    if (base is not None and isinstance(identifier, base)) or callable(identifier):
        return identifier
    raise TypeError(
        f"cannot make a {kind} of {identifier!r} (a {type(identifier).__name__}): "
        f"expected a name, a {kind} object, a callable or a configuration"
    )


def _names(known: Mapping[str, Any]) -> list[str]:
    """One name for each thing known, the one in snake case where there are several."""
    by_value: dict[int, str] = {}
    for name, value in known.items():
        if id(value) not in by_value or name.islower():
            by_value[id(value)] = name
    return sorted(set(by_value.values()))
