"""The sentence for an object whose class forgot to call super().__init__()."""

from __future__ import annotations

from typing import Any


def not_initialized(obj: object) -> RuntimeError:
    """The error for an object whose base class never got to set it up."""
    return RuntimeError(
        f"{type(obj).__name__}.__init__ must call super().__init__() before anything else"
    )


class SetByInit:
    """Stands, on a class, for an attribute that its __init__ gives every object.

    The object's own attribute comes first, so this is reached only where __init__ has not run.
    """

    def __get__(self, obj: object, owner: type) -> Any:
        if obj is None:
            return self
        raise not_initialized(obj)
