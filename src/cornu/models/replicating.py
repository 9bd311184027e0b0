"""What `fit(replicas=...)` begins with: copies of a model, each made from a seed of its own."""

from __future__ import annotations

import contextlib
import random as python_random
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from cornu.core import random as core_random
from cornu.data.source import ArraySource, Source
from cornu.graph.tensor import KerasTensor
from cornu.metrics import Metric
from cornu.train.replicas import ReplicaProgram


def prepare(model: Any, source: Source, replicas: Any) -> ReplicaProgram:
    """The program that trains copies of a model: those that there are already, or new ones.

    Those that there are go on where their seeds are asked for, or a number of replicas that is
    theirs and `set_random_seed` was given no other seed since they began. (That it was given the
    same seed once more is not seen.)

    Args:
        model: built and compiled.
        source: the data; its order of rows is then drawn for each replica.
        replicas: a number of them, or their seeds.
    """
    if isinstance(replicas, ReplicaProgram):  # of models that were made one by one
        use_generators(source, replicas.generators)
        return replicas
    held = model.replicas
    seeds = seeds_of(replicas)
    if held is not None and held._program.fits(model):
        program = held._program
        if np.ndim(replicas) == 0:
            goes_on = len(held) == len(seeds) and program.last_seed == core_random.last_seed
        else:
            goes_on = held.seeds == seeds
        if goes_on:
            use_generators(source, program.generators)
            return program
    inputs = inputs_of(source)
    values, generators = [], []
    with restored_generators():
        for seed in seeds:
            core_random.set_random_seed(seed)
            copy, optimizer = new_copy(model, inputs)
            values.append([np.asarray(v._value) for v in state_of(copy, optimizer)])
            generators.append(np.random.RandomState())
            generators[-1].set_state(np.random.get_state())
    program = program_for(model, inputs, values, seeds, generators)
    use_generators(source, generators)
    return program


def program_for(
    model: Any,
    inputs: Any,
    values: list,
    seeds: Sequence[int],
    generators: list,
    models: Sequence | None = None,
) -> ReplicaProgram:
    """The program for networks with these values of weights and optimizer state.

    Args:
        inputs: symbolic inputs, as `inputs_of` gives them.
        values, seeds, generators, models: as for `ReplicaProgram`.
    """
    own = state_of(model, model.optimizer)
    for each in values:
        if [value.shape for value in each] != [variable.shape for variable in own]:
            raise ValueError(
                "fit(replicas=...): a new copy of the model has other weights than the model, so "
                "they cannot be trained at once. Does its constructor take all that shapes it?"
            )
    model.reset_metrics()
    metrics = [metric for metric in model.metrics for metric in metric.variables]
    known = {id(variable) for variable in own}
    fresh = [np.asarray(v._value) for v in metrics if id(v) not in known]
    values = [[*each, *fresh] for each in values]
    program = ReplicaProgram(model, values, seeds, generators, models=models)
    program.inputs = inputs
    return program


def state_of(model: Any, optimizer: Any) -> list:
    """The variables in the order in which a program holds them, metrics left out."""
    return [*model.trainable_variables, *model.non_trainable_variables, *optimizer.variables]


def use_generators(source: Source, generators: list) -> None:
    """Has a source draw an order of rows for each replica; a stream gives all the same batches."""
    if not isinstance(source, ArraySource):
        return
    if source.shuffle and not source.resident:
        raise ValueError(
            "fit(replicas=...): data of more than 4 GiB is read in stretches, the same for all "
            "replicas, so it cannot be in another order for each. Pass shuffle=False"
        )
    source.generators = generators


def seeds_of(replicas: Any) -> tuple[int, ...]:
    """The seeds of `fit(replicas=...)`.

    >>> seeds_of([3, 7])
    (3, 7)
    """
    is_number = isinstance(replicas, (int, np.integer)) and not isinstance(replicas, bool)
    if is_number and replicas >= 1:
        first = getattr(core_random, "last_seed", None)
        if first is None:
            # the numbers that the program itself draws stay what they were
            first = python_random.Random().randrange(2**31)
        return tuple((first + i) % 2**32 for i in range(int(replicas)))
    if isinstance(replicas, (list, tuple, range, np.ndarray)) and len(replicas):
        return tuple(_seed(seed) for seed in replicas)
    raise ValueError(
        f"fit(replicas={replicas!r}): expected the number of replicas, 1 or more, or a list of "
        "their seeds"
    )


def _seed(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise ValueError(
            f"fit(replicas=[..., {seed!r}, ...]): a seed must be an integer from 0 to 2**32 - 1"
        )
    return int(seed)


def new_copy(model: Any, inputs: Any) -> tuple[Any, Any]:
    """A new model like one, not compiled, and a new optimizer for it.

    What layers have learned of the data by `adapt` goes along.

    Args:
        inputs: symbolic inputs to build it for.
    """
    from cornu.models.cloning import clone_model

    compiled, model.compiled = model.compiled, False  # its loss may have no configuration
    try:
        copy = clone_model(model)
    finally:
        model.compiled = compiled
    if not copy.built:
        copy._output_specs(inputs)
    for layer, own in zip(copy._walk(), model._walk(), strict=True):
        if hasattr(own, "adapt"):
            for weight, adapted in zip(layer.weights, own.weights, strict=True):
                weight.assign(adapted.value)
    optimizer = fresh_optimizer(model.optimizer)
    if not optimizer.built:
        optimizer.build(copy.trainable_variables)
    return copy, optimizer


def fresh_optimizer(optimizer: Any) -> Any:
    """An optimizer with the same settings and no state."""
    transformation = getattr(optimizer, "transformation", None)
    if transformation is not None:  # Optax': it has no state of its own, and no configuration
        return type(optimizer)(transformation, name=optimizer.name)
    try:
        return type(optimizer).from_config(optimizer.get_config())
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ValueError(
            f"fit(replicas=...): each replica needs an optimizer of its own, and {optimizer.name} "
            f"cannot be made anew from its configuration: {error}"
        ) from error


def fresh_metrics(given: Any) -> Any:
    """Metrics as given to `compile`, with state of their own."""
    return jax.tree_util.tree_map(
        lambda one: type(one).from_config(one.get_config()) if isinstance(one, Metric) else one,
        given,
    )


def inputs_of(source: Source) -> Any:
    """Symbolic inputs of the shapes of the data."""
    x, _, _ = source.sample()
    return jax.tree_util.tree_map(lambda a: KerasTensor((None, *a.shape[1:]), a.dtype), x)


@contextlib.contextmanager
def restored_generators() -> Iterator[None]:
    """A block after which Python's and NumPy's generators are as they were before."""
    before = python_random.getstate(), np.random.get_state()
    last = getattr(core_random, "last_seed", None)
    try:
        yield
    finally:
        python_random.setstate(before[0])
        np.random.set_state(before[1])
        if hasattr(core_random, "last_seed"):
            core_random.last_seed = last
