"""What the methods of a model that train and predict do around their work."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import TypeVar, cast

from cornu.core import reporting
from cornu.core.names import unknown_arguments
from cornu.utils.progress import end_line

_Method = TypeVar("_Method", bound=Callable)


def entry(method: _Method) -> _Method:
    """Decorator: what goes wrong in a method is told in terms of the call that the user wrote.

    An argument that it does not take is answered with the nearest that it does. Errors that are a
    sentence, and Ctrl-C, come without Cornu's own frames, on a line of their own where a progress
    bar was being drawn; warnings from the threads that compile point at the user's line.
    """
    # Python's own message, for an argument that is missing or one too many, has this name
    method.__qualname__ = f"Model.{method.__name__}"
    known = list(inspect.signature(method).parameters)[1:]
    names = frozenset(known)

    @functools.wraps(method)
    def entered(self, *args, **kwargs):
        if not names.issuperset(kwargs):
            unknown = [name for name in kwargs if name not in names]
            raise TypeError(unknown_arguments(method.__qualname__, unknown, known))
        outer = reporting.set_calling(reporting.users_line(sys._getframe(1)))
        try:
            return method(self, *args, **kwargs)
        except (Exception, KeyboardInterrupt) as error:
            end_line()
            # the same error, not one that it causes
            raise reporting.shortened(error)  # noqa: B904
        finally:
            reporting.set_calling(outer)

    return cast(_Method, entered)
