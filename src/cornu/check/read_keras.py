"""Reading a program written for Keras: it is run on Cornu until it begins to train."""

from __future__ import annotations

import contextlib
import inspect
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cornu.check.facts import Facts
from cornu.check.read_fit import SETTINGS, facts_of_training
from cornu.check.reading import Enough, Reading, execute
from cornu.check.source import Source
from cornu.check.stand_ins import has_stand_in, stand_ins
from cornu.core.places import caller_place
from cornu.dialects.names import install
from cornu.models import Model
from cornu.models.training import Trainer


def read_keras_program(
    path: str | os.PathLike, arguments: Sequence[str] = (), measure: bool = True
) -> Reading:
    """What is known of a Keras program's network when it begins to train it.

    The program is run as `cornu run` would, with what it prints kept back, up to its first `fit` or
    `train_on_batch`; from there on nothing of it is run. Layers that Cornu does not have yet are
    known by their shapes.

    Args:
        path: the program.
        arguments: what it finds in `sys.argv[1:]`.
        measure: whether to measure the network too.

    Raises:
        FileNotFoundError: there is no such file.
    """
    file = os.path.abspath(path)
    reading = Reading()
    compiled: list[Model] = []
    frozen: dict[int, set[str]] = {}
    install()

    def train(model: Any, given: dict) -> None:
        reading.reached_training = True
        facts = _facts(model, given, measure, reading)
        facts.training.frozen = _is_frozen(model, frozen.get(id(model), set()))
        reading.facts.append(facts)
        raise Enough

    with (
        stand_ins(),
        _training_caught(train, compiled, frozen),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # as with what is printed: it is the findings that count
        ran = execute(path, arguments)
        reading.error = ran.error or reading.error
        reading.output = ran.output
        if not reading.facts and compiled:
            # it never trains, or stops before: what was compiled last can be looked at all the same
            model = compiled[-1]
            if model.built:
                reading.facts.append(_facts(model, {}, False, reading))
    source = Source(file, Path(file).read_text(encoding="utf-8"))
    if not reading.facts:
        reading.facts.append(Facts("keras"))
    for facts in reading.facts:
        facts.framework = "keras"
        facts.source = source
    return reading


def _facts(model: Any, given: dict, measure: bool, reading: Reading) -> Facts:
    return facts_of_training(
        model,
        given.get("x"),
        given.get("y"),
        {key: value for key, value in given.items() if key in SETTINGS},
        measured=measure and not has_stand_in(model),
        stopped=lambda error: setattr(reading, "error", error),
    )


def _is_frozen(model: Any, when_compiled: set[str]) -> bool:
    """Whether every layer with weights is frozen, and was so when the model was compiled.

    A GAN freezes its discriminator after that: Keras 2 goes on training it by itself.
    """
    weighted = [one for one in model._walk() if one.weights and not one._sublayers()]
    return bool(weighted) and all(
        not one.trainable and one.name in when_compiled for one in weighted
    )


@contextlib.contextmanager
def _training_caught(
    train: Callable[[Any, dict], None], compiled: list[Model], frozen: dict[int, set[str]]
) -> Iterator[None]:
    """Within the block, training calls `train` instead; models that are compiled are noted.

    Args:
        frozen: filled in with the names of layers that are frozen when a model is compiled.
    """
    replaced = {name: getattr(Trainer, name) for name in ("fit", "train_on_batch", "compile")}

    def fit(self, *args, **kwargs):
        # what isn't written is `fit`'s own: one epoch
        train(self, {"epochs": 1} | _bound(replaced["fit"], self, args, kwargs))

    def train_on_batch(self, *args, **kwargs):
        given = _bound(replaced["train_on_batch"], self, args, kwargs)
        train(self, {key: given[key] for key in ("x", "y", "place") if key in given})

    def compile_(self, *args, **kwargs):
        replaced["compile"](self, *args, **kwargs)
        self._places["compile"] = caller_place() or self._places.get("compile")
        compiled.append(self)
        frozen[id(self)] = {layer.name for layer in self._walk() if not layer.trainable}

    Trainer.fit, Trainer.train_on_batch, Trainer.compile = fit, train_on_batch, compile_  # type: ignore[method-assign]
    try:
        yield
    finally:
        for name, method in replaced.items():
            setattr(Trainer, name, method)


def _bound(method: Callable, model: Any, args: tuple, kwargs: dict) -> dict:
    """The arguments of a call by name; a wrong call raises what it would have."""
    try:
        bound = inspect.signature(method).bind(model, *args, **kwargs)
    except TypeError:
        return {**dict(zip(("x", "y"), args, strict=False)), **kwargs, "place": caller_place()}
    return {**bound.arguments, "place": caller_place()}
