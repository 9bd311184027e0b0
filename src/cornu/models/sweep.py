"""Sweep: a network trained with each of many settings, as many at once as have the same shapes."""

from __future__ import annotations

import itertools
import random as python_random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from cornu.core import naming
from cornu.core import random as core_random
from cornu.data.source import Source, make_source
from cornu.models.model import Model
from cornu.models.replicas import Replicas, is_better_lower
from cornu.models.replicating import inputs_of, program_for, restored_generators, state_of
from cornu.train.program import Program, _tracing
from cornu.train.replicas import DifferentPrograms

_OF_SOURCE = ("sample_weight", "batch_size", "shuffle", "class_weight")


class Run(NamedTuple):
    """One run of a sweep.

    Attributes:
        settings: dict of what `build` was called with.
        logs: dict from a name (`loss`, `val_loss`, ...) to its value in the last epoch.
        history: dict from a name to the list of its values, one for each epoch.
        model: the trained model.
    """

    settings: dict[str, Any]
    logs: dict[str, float]
    history: dict[str, list]
    model: Any


class Sweep(Sequence):
    """What `cornu.sweep` returns: a sequence of `Run`s, in the order of the settings.

    Attributes:
        runs: list of `Run`.
        seed: the seed that each began with.
        groups: list of lists of the numbers of runs that were trained at once.
    """

    def __init__(self, runs: list[Run], seed: int, groups: list[list[int]]):
        self.runs = runs
        self.seed = seed
        self.groups = groups

    def __len__(self) -> int:
        return len(self.runs)

    def __getitem__(self, index):
        return self.runs[index]

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def sorted(self, monitor: str = "val_loss", mode: str = "auto") -> list[Run]:
        """The runs, the best first; those that ended in NaN last.

        Args:
            monitor: name of the value in the last epoch; without validation, `val_loss` means
                `loss`.
            mode: `"min"`, `"max"` or `"auto"`, as the value's name tells.

        Raises:
            ValueError: there is no such value, or which way is better cannot be told.
        """
        name = self._monitored(monitor)
        sign = 1 if is_better_lower(self.runs[0].model, name, mode) else -1

        def rank(run: Run) -> tuple[bool, float]:
            value = float(run.logs.get(name, np.nan))
            return bool(np.isnan(value)), sign * value

        return sorted(self.runs, key=rank)

    def best(self, monitor: str = "val_loss", mode: str = "auto") -> Any:
        """The trained model of the best run; arguments as for `sorted`."""
        return self.sorted(monitor, mode)[0].model

    def best_run(self, monitor: str = "val_loss", mode: str = "auto") -> Run:
        """The best run; arguments as for `sorted`."""
        return self.sorted(monitor, mode)[0]

    def to_table(self, monitor: str = "val_loss", mode: str = "auto") -> Any:
        """A `rich.table.Table` of settings and final values, the best run first."""
        from rich.table import Table

        ordered = self.sorted(monitor, mode)
        names = list(dict.fromkeys(name for run in self.runs for name in run.settings))
        logs = list(dict.fromkeys(name for run in self.runs for name in run.logs))
        first = self._monitored(monitor)
        logs.sort(key=lambda name: name != first)
        table = Table(title=f"{len(self)} runs, seed {self.seed}, best {first} first")
        for name in names:
            table.add_column(name)
        for name in logs:
            table.add_column(name, justify="right")
        for run in ordered:
            values = [_shown(run.settings[name]) if name in run.settings else "" for name in names]
            table.add_row(*values, *(_shown(run.logs.get(name, "")) for name in logs))
        return table

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(width=120, no_color=True, highlight=False)
        with console.capture() as capture:
            console.print(self.to_table())
        return capture.get().rstrip("\n")

    def __repr__(self) -> str:
        return f"<sweep of {len(self)} runs, seed {self.seed}>"

    def __rich__(self) -> Any:
        return self.to_table()

    def _monitored(self, monitor: str) -> str:
        known = {name for run in self.runs for name in run.logs}
        if monitor == "val_loss" and monitor not in known:
            monitor = "loss"
        if monitor not in known:
            raise ValueError(f"monitor={monitor!r}: the runs have {', '.join(sorted(known))}")
        return monitor


def sweep(
    build: Callable[..., Any],
    space: Mapping[str, Sequence] | Sequence[Mapping[str, Any]],
    x: Any = None,
    y: Any = None,
    *,
    seed: int = 0,
    verbose: Any = "auto",
    **arguments: Any,
) -> Sweep:
    """Trains a network with each of many settings.

    Each run is what `set_random_seed(seed); model = build(**settings); model.fit(x, y, ...)` would
    be alone. Runs whose networks have the same shapes, and differ in numbers such as learning rate,
    momentum, dropout or the factor of a regularizer, are trained at once in one program; others one
    after another. Where callbacks are given, all runs are trained one after another, each with
    callbacks of its own: what these do, such as stopping early, is then about that run alone.

    Args:
        build: called with one value for each setting, by name; returns a compiled model.
        space: dict from each setting's name to the list of its values: all combinations are run; or
            a list of dicts, one for each run.
        x, y: as for `Model.fit`. A generator that can be read only once will not do.
        seed: what each run begins with. Default 0.
        verbose: as for `Model.fit`. But for 0, a line says which runs begin; with "auto" only where
            not all are trained at once.
        **arguments: others of `Model.fit`, but `replicas`. As callbacks remember what they saw,
            `callbacks` is a function without arguments, called for each run, that returns new ones.

    Returns:
        `Sweep`, a sequence of runs.

    Raises:
        ValueError: no settings; `build` returned something else than a compiled model.
        TypeError: `build` does not take a setting.

    >>> import cornu
    >>> def build(rate):
    ...     model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1)])
    ...     model.compile(cornu.optimizers.SGD(rate), "mse")
    ...     return model
    >>> x, y = np.ones((8, 2), "float32"), np.ones(8, "float32")
    >>> runs = sweep(build, {"rate": [0.001, 0.1]}, x, y, epochs=3, verbose=0, check=False)
    >>> runs.best_run().settings, len(runs.groups)
    ({'rate': 0.1}, 1)
    """
    each = _combinations(space)
    for name in ("replicas", "seeds"):
        if name in arguments:
            raise TypeError(f"sweep({name}=...): each run is of one seed; give seed=")
    make_callbacks = arguments.pop("callbacks", None)
    if make_callbacks is not None and not callable(make_callbacks):
        raise TypeError(
            "sweep(callbacks=...): callbacks remember what they saw, so each run needs new ones. "
            "Give a function that makes them: callbacks=lambda: [...]"
        )
    with restored_generators():
        runs = [_Pending(build, settings, seed, x, y, arguments) for settings in each]
        # callbacks of several runs could only be told the mean over different settings
        alone = make_callbacks is not None
        waiting = [[i] for i in range(len(runs))] if alone else _groups(runs)
        groups: list[list[int]] = []
        done: dict[int, Run] = {}
        while waiting:
            several = len(groups) + len(waiting) > 1
            group = waiting.pop(0)
            callbacks = None if make_callbacks is None else make_callbacks()
            if verbose not in (0, "auto") or (verbose == "auto" and several):
                print(f"{_numbers(group)} of {len(runs)}")
            options = {**arguments, "verbose": verbose, "callbacks": callbacks}
            try:
                trained = _train([runs[i] for i in group], x, y, options)
            except DifferentPrograms:  # of the smaller last batch, say
                for i in group:
                    runs[i] = _Pending(build, runs[i].settings, seed, x, y, arguments)
                waiting = [*([i] for i in group), *waiting]
                continue
            groups.append(group)
            done.update(zip(group, trained, strict=True))
    return Sweep([done[i] for i in range(len(runs))], seed, groups)


class _Pending:
    """A model that is built but not trained, and the state of the generators after that."""

    def __init__(self, build, settings: dict, seed: int, x, y, arguments: dict):
        self.settings = settings
        core_random.set_random_seed(seed)
        self.seed = seed
        before = naming._used.copy()
        naming.reset_names()  # as in a program that builds this model only
        try:
            self.model = build(**settings)
        finally:
            naming.reset_names()
            naming._used.update(before)
        if not isinstance(self.model, Model) or not self.model.compiled:
            raise ValueError(
                f"sweep: build({_listed(settings)}) returned {self.model!r}; expected a compiled "
                "model"
            )
        self.source = _source(x, y, arguments)
        self.model._prepare(self.source, "fit", trains=True)
        self.python_state = python_random.getstate()
        self.numpy_state = np.random.get_state()

    def generator(self) -> np.random.RandomState:
        """What will draw its orders of rows."""
        generator = np.random.RandomState()
        generator.set_state(self.numpy_state)
        return generator

    def shapes(self) -> tuple:
        """What networks must have in common to be trained at once, as far as weights tell."""
        model = self.model
        measuring = [variable for metric in model.metrics for variable in metric.variables]
        variables = [*state_of(model, model.optimizer), *measuring]
        return (
            type(model.optimizer),
            tuple((v.shape, str(v.dtype), v.trainable) for v in variables),
            tuple(model.metrics_names),
            model.run_eagerly,
            model.steps_per_execution,
        )


def _combinations(space: Any) -> list[dict[str, Any]]:
    if isinstance(space, Mapping):
        for name, values in space.items():
            if isinstance(values, str) or not hasattr(values, "__iter__"):
                raise ValueError(
                    f"sweep(space={{{name!r}: {values!r}}}): expected a list of the values to try"
                )
        each = [
            dict(zip(space, values, strict=True)) for values in itertools.product(*space.values())
        ]
    else:
        each = [dict(settings) for settings in space]
    if not each or not any(each):
        raise ValueError("sweep(space=...): there are no settings to try")
    return each


def _source(x, y, arguments: dict) -> Source:
    if hasattr(x, "__next__"):
        raise ValueError(
            "sweep: x is a generator, which can be read only once, and each group of runs reads it "
            "again. Give arrays, or an iterable that begins anew each time"
        )
    options = {name: arguments[name] for name in _OF_SOURCE if arguments.get(name) is not None}
    return make_source(x, y, steps=arguments.get("steps_per_epoch"), **options)


def _groups(runs: list[_Pending]) -> list[list[int]]:
    """The numbers of the runs that can be trained at once."""
    by_shape: dict[tuple, list[int]] = {}
    for i, run in enumerate(runs):
        by_shape.setdefault(run.shapes(), []).append(i)
    found: list[list[int]] = []
    for numbers in by_shape.values():
        by_program: dict[Any, list[int]] = {}
        for i in numbers:
            alone = len(numbers) == 1 or runs[i].model.run_eagerly
            key = ("alone", i) if alone else _skeleton(runs[i])
            by_program.setdefault(key, []).append(i)
        found += by_program.values()
    return sorted(found)


def _skeleton(run: _Pending) -> Any:
    """What the operations of a step of training and of evaluation are, but for constants."""
    from cornu.train.merged import skeleton, traced

    program = Program(run.model)
    x, y, weight = run.source.sample()
    batch = jax.tree_util.tree_map(lambda a: jax.ShapeDtypeStruct(a.shape, a.dtype), (x, y, weight))
    found = []
    with _tracing:
        for step, variables in (
            (program.train_step, program.train_variables),
            (program.test_step, program.state_variables),
        ):
            values = [jax.ShapeDtypeStruct(v.shape, v._value.dtype) for v in variables]
            found.append(skeleton(traced(step, (values, batch))))
    return tuple(found)


def _train(runs: list[_Pending], x, y, options: dict) -> list[Run]:
    """The runs of one group, trained."""
    if len(runs) == 1:
        run = runs[0]
        python_random.setstate(run.python_state)
        np.random.set_state(run.numpy_state)
        history = run.model.fit(x, y, **options)
        return [_run(run, history.history, lambda value: value)]
    first = runs[0].model
    values = [
        [np.asarray(v._value) for v in state_of(run.model, run.model.optimizer)] for run in runs
    ]
    program = program_for(
        first,
        inputs_of(runs[0].source),
        values,
        [run.seed for run in runs],
        [run.generator() for run in runs],
        [run.model for run in runs],
    )
    np.random.set_state(runs[0].numpy_state)
    history = first.fit(x, y, **options, replicas=program)
    replicas = Replicas(first, program, history, [run.model for run in runs])
    trained = []
    for i, run in enumerate(runs):
        run.model = replicas[i]
        trained.append(_run(run, history.history, lambda value, i=i: _of(value, i)))
    first.replicas = None
    return trained


def _of(value: Any, replica: int) -> Any:
    """A replica's part of a value of the history."""
    own = value[replica]
    return float(own) if np.ndim(own) == 0 else own


def _run(run: _Pending, history: dict, part: Callable) -> Run:
    values = {name: [part(value) for value in each] for name, each in history.items()}
    logs = {name: each[-1] for name, each in values.items() if each}
    return Run(run.settings, logs, values, run.model)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)


def _listed(settings: dict) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())


def _numbers(group: list[int]) -> str:
    return f"Run{'s' * (len(group) > 1)} {', '.join(str(i + 1) for i in group)}"
