"""Sentences for names that are not known: of public modules, and of arguments."""

from __future__ import annotations

import difflib
import dis
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable
from types import FrameType, ModuleType

from cornu.core import hooks

_IMPORT_FROM = dis.opmap["IMPORT_FROM"]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like one that is not known, or None.

    >>> nearest("Dens", ["Dense", "Dropout"]), nearest("relU", ["relu", "selu"])
    ('Dense', 'relu')
    >>> nearest("LSTM", ["Dense", "Dropout"])
    """
    by_lower: dict[str, str] = {}
    for one in known:
        by_lower.setdefault(one.lower(), one)
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.65)
    return by_lower[found[0]] if found else None


def explain_missing_names(package: str, later: tuple[str, ...] = ()) -> None:
    """Lets a package say, of a name that it lacks, which one is meant or that it is to come.

    Args:
        package: its name.
        later: modules in it that are imported when they are first asked for.

    So do the modules among its public names, and those among theirs. It is set from outside, not
    written in the modules, so that a type checker goes on telling the names that are there from
    those that are not.
    """
    module = sys.modules[package]
    module.__getattr__ = _explaining(module, later)  # type: ignore[method-assign]
    for name in getattr(module, "__all__", ()):
        if name not in later and isinstance(inner := getattr(module, name), ModuleType):
            explain_missing_names(inner.__name__)


def missing(module: ModuleType, name: str) -> str:
    """The sentence for a name that a public module lacks."""
    from cornu.core.keras_names import MISSING  # only here: most programs never need it

    # in a program that runs as it was written for Keras, by the name that it has there
    as_keras = sys.modules.get("keras") is sys.modules.get("cornu")
    package = re.sub("^cornu", "keras", module.__name__) if as_keras else module.__name__
    to_come = MISSING.get(module.__name__.partition(".")[2], "").split()
    if name in to_come:
        return f"{package} has no {name}: Keras 3 has it, Cornu does not have it yet"
    if hasattr(module, "__path__") and importlib.util.find_spec(f"{module.__name__}.{name}"):
        return f"{package}.{name} is a module: import {package}.{name} first"
    near = nearest(name, [*getattr(module, "__all__", dir(module)), *to_come])
    if near is None:
        return f"{package} has no {name}"
    if near in to_come:
        return (
            f"{package} has no {name}; did you mean {near!r}? "
            "Keras 3 has that, Cornu does not have it yet"
        )
    return f"{package} has no {name}; did you mean {near!r}?"


def _explaining(module: ModuleType, later: tuple[str, ...] = ()) -> Callable[[str], object]:
    """The `__getattr__` of a module."""

    def lacks(name: str) -> object:
        if name in later:
            return importlib.import_module(f"{module.__name__}.{name}")
        if name.startswith("__"):  # what Python and its tools ask any module for
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
        sentence = ""
        if hooks.missing_name is not None:
            try:
                return hooks.missing_name(module, name)
            except AttributeError as error:
                sentence = str(error)
        sentence = sentence or missing(module, name)
        if imports_from(sys._getframe(1)) and f"{module.__name__}.{name}" not in sys.modules:
            # Python would put a sentence of its own in the place of an AttributeError's
            raise ImportError(
                sentence, name=module.__name__, path=getattr(module, "__file__", None)
            )
        # without the module, in which Python would look for a near name to add once more
        raise AttributeError(sentence, name=name, obj=None)

    return lacks


def imports_from(frame: FrameType) -> bool:
    """Whether a frame is at `from module import name`, which asks a module for the name."""
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == _IMPORT_FROM


def unknown_arguments(owner: str, unknown: Iterable[str], known: Iterable[str]) -> str:
    """The sentence for arguments that a function or a class does not take.

    >>> unknown_arguments("Dense", ["activaton"], ["units", "activation"])
    "Dense: unknown argument 'activaton'; did you mean 'activation'?"
    """
    unknown, known = list(unknown), list(known)
    near = [nearest(name, known) for name in unknown]
    if None in near:
        advice = f". It takes {', '.join(known)}"
    else:
        advice = f"; did you mean {' and '.join(map(repr, near))}?"
    plural = "s" * (len(unknown) > 1)
    return f"{owner}: unknown argument{plural} {', '.join(map(repr, unknown))}{advice}"


def arguments_of(cls: type) -> list[str]:
    """The names of the arguments that a class is made with, those of its bases last."""
    found: dict[str, None] = {}
    for base in cls.__mro__:
        init = base.__dict__.get("__init__")
        if init is None or base is object:
            continue
        parameters = list(inspect.signature(init).parameters.values())[1:]
        kinds = [parameter.kind for parameter in parameters]
        found.update(
            (one.name, None)
            for one in parameters
            if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
        )
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            break  # what the bases take besides does not reach them
    return list(found)
