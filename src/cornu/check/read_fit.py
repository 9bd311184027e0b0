"""Facts of a model of Cornu's together with how it is about to be trained."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import jax

from cornu.check.facts import Facts, Training
from cornu.check.probe import measure
from cornu.check.read_model import read_model
from cornu.check.source import Source
from cornu.data import arrays as data_arrays
from cornu.data.source import ArraySource, is_stream, make_source

# The arguments of `fit` that matter, and "place", the line that calls it.
SETTINGS = (
    *("batch_size", "epochs", "callbacks", "validation_split", "validation_data", "shuffle"),
    *("class_weight", "steps_per_epoch", "place"),
)


def facts_of_training(
    model: Any,
    x: Any,
    y: Any,
    settings: dict,
    measured: bool = True,
    stopped: Callable[[Exception], None] | None = None,
) -> Facts:
    """What is known of a model and the data that it is to be trained on; see `Model.check`.

    Args:
        model: compiled.
        x, y: what `fit` is given, or None.
        settings: some of `SETTINGS`, by name.
        measured: whether to measure the model too.
        stopped: called with the error where model and data do not go together, so that training
            would stop; the facts are then what can be known without. None raises it.
    """
    if x is None:
        return read_model(model, training=Training(place=settings.get("place")))
    settings = {"shuffle": True, **settings}
    split = settings.get("validation_split")
    if split and settings.get("validation_data") is None and not is_stream(x):
        parts = (
            data_arrays.standardize(x, "x"),
            data_arrays.standardize(y, "y"),
            None,
        )
        (x, y, _), settings["validation_data"] = data_arrays.train_validation_split(parts, split)
    batch_size, steps = settings.get("batch_size"), settings.get("steps_per_epoch")
    source = make_source(x, y, None, batch_size, settings["shuffle"], None, steps)
    try:
        try:
            model._prepare(source, "check" if stopped is None else "fit", trains=True)
        except Exception as error:
            if stopped is None:
                raise
            stopped(error)
            measured = False
        facts = facts_of_fit(model, source, settings)
        if measured and isinstance(source, ArraySource) and model.optimizer is not None:
            try:
                measure(model, facts, source)
            except Exception as error:
                if stopped is None:
                    raise
                stopped(error)
    finally:
        source.close()
    return facts


def facts_of_fit(model: Any, source: Any, settings: dict) -> Facts:
    """What is known as `fit` begins.

    Args:
        model: built and compiled.
        source: the training data.
        settings: some of `SETTINGS`, by name.
    """
    whole = isinstance(source, ArraySource)
    x, y, _ = source.data if whole else source.sample()
    callbacks = settings.get("callbacks") or []
    training = Training(
        rows=source.rows if whole else None,
        batch_size=source.batch_size if whole else len(jax.tree_util.tree_leaves(x)[0]),
        given_batch_size=settings.get("batch_size"),
        epochs=settings.get("epochs"),
        steps=source.steps,
        shuffle=bool(settings.get("shuffle")) if whole else None,
        validation_split=settings.get("validation_split") or 0.0,
        has_validation=settings.get("validation_data") is not None,
        class_weight=settings.get("class_weight") is not None,
        callbacks=[
            type(one).__name__
            for one in (callbacks if isinstance(callbacks, (list, tuple)) else [callbacks])
        ],
        place=settings.get("place"),
    )
    validation = settings.get("validation_data")
    arrays = None
    if isinstance(validation, (tuple, list)) and len(validation) in (2, 3):
        arrays = (
            data_arrays.standardize(validation[0], "x"),
            data_arrays.standardize(validation[1], "y"),
        )
    facts = read_model(model, x, y, arrays, training, complete=whole)
    place = training.place
    if place is not None:
        text = "".join(linecache.getlines(place.file))
        facts.source = Source(place.file, text) if text else None
    return facts
