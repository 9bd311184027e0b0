"""What a network keeps - weights, the optimizer's variables - as entries by path, and back.

The paths are Keras 3's: names of attributes; inside a list or a dict, the class in snake case with
a number (`layers/dense_1`). Names of layers are not used, because they differ from one program to
the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from cornu.core import naming
from cornu.core.random import SeedGenerator
from cornu.core.reporting import warn
from cornu.core.serialization import Serializable
from cornu.core.variable import Variable
from cornu.layers.layer import Layer
from cornu.optimizers import Optimizer
from cornu.saving.hdf5 import Entry

# Attributes that the base classes keep for themselves: no part of a network hides behind them.
_OWN = frozenset(
    {
        *("_functional", "_layers", "_tensors", "_graph", "_nodes", "_arguments", "_weights"),
        *("_input_structure", "_output_structure", "_targets", "_program", "_compile_arguments"),
        *("_pacer", "_build_shapes", "_trainable_variables", "history", "loss_tracker", "loss"),
        *("_place", "_places", "_checked"),
    }
)
_BASES = ("cornu.layers.layer", "cornu.models.", "cornu.core.", "cornu.optimizers.")


def collect(network: Any, skip: Iterable = ()) -> dict[str, Entry]:
    """The arrays of a network and of everything inside it but what is to be skipped, by path."""
    entries = {}
    for path, part in walk(network, skip):
        store: dict[str, Any] = {}
        if isinstance(part, SeedGenerator):
            store["0"] = part.state
        else:
            part.save_own_variables(store)
        name = getattr(part, "name", None)
        entries[path] = Entry(
            name if isinstance(name, str) else None,
            {str(key): _as_numpy(value) for key, value in store.items()},
        )
    return entries


def _as_numpy(value: Any) -> np.ndarray:
    return value.numpy() if isinstance(value, Variable) else np.asarray(value)


def restore(
    network: Any,
    entries: dict[str, Entry],
    origin: str,
    skip_mismatch: bool = False,
    skip: Iterable = (),
) -> None:
    """Puts the arrays of a file into a network; into all of it or, where one does not fit, none.

    Args:
        network: built, so that its variables are there.
        entries: by path, as `collect` makes them.
        origin: what to call the file in messages.
        skip_mismatch: leave the layers that do not fit as they are, with a warning.
        skip: objects to leave as they are.

    Raises ValueError where a layer's variables and the file's arrays differ in number or shape.
    """
    found: list[tuple[Any, dict[str, np.ndarray]]] = []
    problems: list[str] = []
    for path, part in walk(network, skip):
        entry = entries.get(path)
        arrays = entry.arrays if entry is not None else {}
        problem = _mismatch(part, path, entry)
        if problem is None:
            found.append((part, arrays))
        else:
            problems.append(problem)
    if problems and not skip_mismatch:
        more = f" (and {len(problems) - 1} more like it)" if len(problems) > 1 else ""
        raise ValueError(f"{origin}: {problems[0]}{more}. No weight was changed")
    if problems:
        warn(
            f"{origin}: {len(problems)} layer{'s' * (len(problems) > 1)} kept their weights: "
            + "; ".join(problems),
        )
    for part, arrays in found:
        if isinstance(part, SeedGenerator):
            if "0" in arrays:  # Keras does not keep it
                part.state.assign(arrays["0"])
        elif arrays or not isinstance(part, Optimizer):
            part.load_own_variables(arrays)
    _warn_of_unread(entries, {path for path, _ in walk(network)}, origin)


def _mismatch(part: Any, path: str, entry: Entry | None) -> str | None:
    """What does not fit, in a sentence, or None."""
    arrays = entry.arrays if entry is not None else {}
    if isinstance(part, Optimizer):
        own = list(part.variables)
        if len(arrays) != len(own):
            return None  # it says so itself, and goes on without
        what = f"the optimizer {part.name!r}"
    elif isinstance(part, SeedGenerator):
        own, what = [part.state], f"the random generator at {path!r}"
        if not arrays:
            return None
    elif getattr(type(part), "load_own_variables", None) is Layer.load_own_variables:
        own = part._own_weights()
        what = f"layer {part.name!r} ({type(part).__name__})"
    else:
        return None
    if len(arrays) != len(own) or set(arrays) != {str(i) for i in range(len(own))}:
        held = (
            f"the file holds {len(arrays)}: {', '.join(str(a.shape) for a in arrays.values())}"
            if arrays
            else f"the file holds nothing at {path!r}"
        )
        return (
            f"{what} has {len(own)} variable{'s' * (len(own) != 1)}"
            f"{': ' if own else ''}{', '.join(f'{v.name} {v.shape}' for v in own)}, {held}"
            + ("" if getattr(part, "built", True) else "; the layer is not built yet")
        )
    for index, variable in enumerate(own):
        shape = arrays[str(index)].shape
        if shape != variable.shape:
            return (
                f"{what}: {variable.name} has shape {variable.shape} in the model and {shape} in "
                "the file"
            )
    return None


def _warn_of_unread(entries: dict[str, Entry], known: set[str], origin: str) -> None:
    """Says what the file holds and the network has no place for; Keras passes over it silently."""
    unread = [
        entry.name or path
        for path, entry in entries.items()
        if entry.arrays
        and path not in known
        and not path.startswith("optimizer")
        and not path.endswith("seed_generator")
    ]
    if unread:
        warn(
            f"{origin}: the model has no place for what the file holds for "
            f"{', '.join(map(repr, unread))}",
        )


def walk(network: Any, skip: Iterable = ()) -> Iterator[tuple[str, Any]]:
    """Every object that keeps variables of its own, once, with its path."""
    yield from _walk(network, "", {id(part) for part in skip})


def _keeps_variables(value: Any) -> bool:
    return isinstance(value, SeedGenerator) or (
        isinstance(value, Serializable) and hasattr(value, "save_own_variables")
    )


def _walk(part: Any, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(part) in seen:
        return
    seen.add(id(part))
    yield path, part
    for name, value in _attributes(part):
        where = f"{path}/{name}" if path else name
        if _keeps_variables(value):
            yield from _walk(value, where, seen)
        elif isinstance(value, (list, tuple, dict)):
            yield from _walk_container(value, where, seen, set())


def _walk_container(
    container: Any, path: str, seen: set[int], containers: set[int]
) -> Iterator[tuple[str, Any]]:
    if id(container) in containers:
        return
    containers.add(id(container))
    count: dict[str, int] = {}

    def numbered(name: str) -> str:
        count[name] = count.get(name, -1) + 1
        return f"{path}/{name}_{count[name]}" if count[name] else f"{path}/{name}"

    for value in container.values() if isinstance(container, dict) else container:
        if _keeps_variables(value):
            yield from _walk(value, numbered(naming.to_snake_case(type(value).__name__)), seen)
        elif isinstance(value, (list, tuple, dict)):
            yield from _walk_container(value, numbered("container"), seen, containers)


def _attributes(part: Any) -> Iterator[tuple[str, Any]]:
    """The attributes behind which parts of an object may be, in Keras' order: private ones last."""
    names = set(vars(part)) - _OWN
    graphed = False
    for base in type(part).__mro__:
        if base.__module__.startswith("cornu.models."):
            names.add("layers")
            graphed = graphed or base.__name__ in ("Functional", "Sequential")
        elif not base.__module__.startswith(_BASES) and base is not object:
            names.update(base.__dict__)
    if graphed:
        yield "layers", part.layers
    for name in sorted(names, key=lambda name: f"~{name}" if name.startswith("_") else name):
        if name.startswith("__"):
            continue
        try:
            value = getattr(part, name)
        except Exception:  # a property that is not ready yet hides no layer
            continue
        yield name, value
