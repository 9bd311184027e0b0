"""Automatic names: `dense`, `dense_1`, ... as Keras numbers them."""

from __future__ import annotations

import collections
import re

_used: collections.Counter = collections.Counter()


def to_snake_case(name: str) -> str:
    """`"MaxPooling2D"` becomes `"max_pooling2d"`, `"GlobalAveragePooling2D"` likewise.

    >>> to_snake_case("LeakyReLU")
    'leaky_re_lu'
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def unique_name(prefix: str) -> str:
    """The prefix itself the first time, then `prefix_1`, `prefix_2`, ..."""
    count = _used[prefix]
    _used[prefix] += 1
    return f"{prefix}_{count}" if count else prefix


def auto_name(obj_or_class) -> str:
    """A unique name made from a class's own name."""
    cls = obj_or_class if isinstance(obj_or_class, type) else type(obj_or_class)
    return unique_name(to_snake_case(cls.__name__))


def reset_names() -> None:
    """Starts the numbering afresh, so that the next Dense is `dense` again."""
    _used.clear()
