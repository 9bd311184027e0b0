"""What floors below call of a floor above, where it is there."""

from __future__ import annotations

from collections.abc import Callable

before_fit: Callable | None = None
"""`(model, source, settings, ignored codes, again) -> callback or None`, called as `fit` begins."""

check_model: Callable | None = None
"""What `Model.check` calls."""

to_onnx: Callable | None = None
"""`(model, path)`: what `Model.export` calls for ONNX."""

missing_name: Callable | None = None
"""`(module, name) -> object`: what a name that a public module lacks meant in earlier years.

It raises AttributeError where it meant nothing, with a sentence or without.
"""
