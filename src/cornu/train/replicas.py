"""ReplicaProgram: several networks of one shape, trained at once by one compiled program.

The values of every variable get a leading axis, one entry for each network (a *replica*). Small
networks go through a step together (`jax.vmap`): what a step costs besides arithmetic is then paid
once for all. Larger ones, and those with convolutions, which `vmap` would turn into the grouped
kind that a CPU is slow at, go through a stretch of steps one after another (`jax.lax.map`), which
gives the same bits as each alone. On a CPU the replicas are shared out among the cores: each runs
the same compiled program on its share.
"""

from __future__ import annotations

import concurrent.futures
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from cornu.core import random as core_random
from cornu.core.variable import Variable
from cornu.train.loop import Pacer
from cornu.train.program import Program

# Networks with more weights than this keep a core busy by themselves: going through a step together
# then saves nothing, and costs the nearness of their values in the core's cache.
_MOST_WEIGHTS_TOGETHER = 2**15


class ReplicaProgram(Program):
    """The compiled training, evaluation and prediction of several networks of one model's shape.

    Args:
        model: the model whose code is traced; built and compiled.
        values: for each replica, the values (arrays) of the model's `train_variables` in order.
        seeds: for each replica, what its randomness came from.
        generators: for each replica, the NumPy generator that draws its orders of rows.
        together: whether all replicas of a core take each step together; by default as measured to
            be faster for such networks.
        models: for each replica, the model whose code is traced for it, where they are not the same
            but for constants; the first is `model`. Default None: `model` for all.

    Raises ValueError where the model is to be run eagerly.
    """

    def __init__(
        self,
        model,
        values: Sequence[Sequence[np.ndarray]],
        seeds: Sequence[int],
        generators: Sequence[np.random.RandomState],
        together: bool | None = None,
        models: Sequence | None = None,
    ):
        if getattr(model, "run_eagerly", False):
            raise ValueError(
                "fit(replicas=...): the model was compiled with run_eagerly=True, and replicas are "
                "trained in a compiled program. Compile it without run_eagerly"
            )
        super().__init__(model)
        self.seeds = tuple(int(seed) for seed in seeds)
        self.last_seed = core_random.last_seed  # another one since means other replicas
        self.generators = list(generators)
        # each model's own program, where their codes differ in constants
        self._programs = None if models is None else [Program(one) for one in models]
        self.pacers: dict[str, Pacer] = {}
        self.together = _is_faster_together(self.trainable) if together is None else together
        self._shares = _shares(len(values))
        # of each share: the value of each variable, with the replicas of the share as first axis
        self._values: list[list[jax.Array]] = [
            [jax.device_put(np.stack(parts)) for parts in zip(*values[share], strict=True)]
            for share in self._shares
        ]
        self._places = {id(variable): i for i, variable in enumerate(self.train_variables)}
        self.inputs: Any = None  # symbolic, to build another network of the kind with
        # where the weights are not those of the last epoch: the last logs known in their epoch
        self.restored_logs: dict[str, Any] | None = None
        self._threads: concurrent.futures.ThreadPoolExecutor | None = None

    def __len__(self) -> int:
        return len(self.seeds)

    # -- values -----------------------------------------------------------------------------------

    def _place(self, replica: int) -> tuple[int, int]:
        """Which share a replica is in, and where in it."""
        for number, share in enumerate(self._shares):
            if replica < share.stop:
                return number, replica - share.start
        raise IndexError(f"replica {replica}: there are {len(self)}")

    def values_of(self, replica: int) -> list[np.ndarray]:
        """One replica's values of all `train_variables`: copies."""
        share, place = self._place(replica)
        return [np.array(np.asarray(value)[place]) for value in self._values[share]]

    def all_values(self, variable: Variable) -> np.ndarray:
        """All replicas' values of one variable: (replicas, *shape)."""
        i = self._places[id(variable)]
        return np.concatenate([np.asarray(values[i]) for values in self._values])

    def set_all_values(self, variable: Variable, values: np.ndarray) -> None:
        """Gives all replicas new values of one variable, (replicas, *shape)."""
        i = self._places[id(variable)]
        for share, held in zip(self._shares, self._values, strict=True):
            held[i] = jax.device_put(np.array(values[share], held[i].dtype))

    def show(self, replica: int, variables: Sequence[Variable] | None = None) -> dict[int, Any]:
        """Gives the model's own variables the values that they have in a replica.

        Args:
            variables: which; all by default.

        Returns a dict from each variable's `id` to its new array.
        """
        share, place = self._place(replica)
        shown = {}
        for variable in self.train_variables if variables is None else variables:
            value = self._values[share][self._places[id(variable)]]
            variable._value = jax.device_put(np.array(np.asarray(value)[place]))
            shown[id(variable)] = variable._value
        return shown

    def change_each(self, change: Callable[[], Any]) -> None:
        """Calls a function that changes the model's variables, with each replica's values in turn.

        Afterwards the model holds the values that it held before.
        """
        before = [variable._value for variable in self.train_variables]
        changed: list[list[np.ndarray]] = []
        try:
            for replica in range(len(self)):
                self.show(replica)
                change()
                changed.append([np.asarray(v._value) for v in self.train_variables])
        finally:
            for variable, value in zip(self.train_variables, before, strict=True):
                variable._value = value
        for variable, values in zip(self.train_variables, zip(*changed, strict=True), strict=True):
            self.set_all_values(variable, np.stack(values))

    # -- chunks -----------------------------------------------------------------------------------

    def _each(self, function: Callable, axes: tuple) -> Callable:
        """A function of one replica, for all replicas of a share.

        Args:
            axes: for each argument 0, where its arrays begin with the replicas, or None.
        """
        if self.together:
            mapped = jax.vmap(function, in_axes=axes)
            if jax.default_backend() != "cpu":
                return mapped
            from cornu.train.batched_products import with_products_for_cpu

            return with_products_for_cpu(mapped)

        def one_after_another(*arguments):
            own = [a for a, axis in zip(arguments, axes, strict=True) if axis is not None]

            def one(own):
                left = iter(own)
                return function(
                    *(
                        a if axis is None else next(left)
                        for a, axis in zip(arguments, axes, strict=True)
                    )
                )

            return jax.lax.map(one, own)

        return one_after_another

    def _stepping(self, kind: str, batch_size: int) -> Callable:
        one = super()._stepping(kind, batch_size)
        if self._programs is not None:
            one = self._merged([p._stepping(kind, batch_size) for p in self._programs])

        def chunk(values, data, order, start, count, reset):
            own_order = 0 if order.ndim == 2 else None
            each = self._each(one, (0, None, own_order, None, None, None))
            results = each(values, data, order, start, count, reset)
            if self._programs is not None:
                self.log_names[kind] = self._programs[0].log_names[kind]
            return results

        return chunk

    def _predicting(self, batch_size: int) -> Callable:
        one = super()._predicting(batch_size)
        if self._programs is not None:
            one = self._merged([p._predicting(batch_size) for p in self._programs])

        def chunk(values, data, order, start, count, outputs):
            each = self._each(one, (0, None, None, None, None, 0))
            return each(values, data, order, start, count, outputs)

        return chunk

    @staticmethod
    def _merged(functions: list[Callable]) -> Callable:
        """One function of those of all models; the last of the values is the replica's number."""
        from cornu.train.merged import merged, skeleton, traced

        def one(values, *rest):
            *values, number = values
            arguments = (values, *rest)
            programs = [traced(function, arguments) for function in functions]
            if len({skeleton(program) for program in programs}) > 1:
                raise DifferentPrograms("the programs differ in more than numbers")
            shape = jax.eval_shape(functions[0], *arguments)
            try:
                flat = merged(programs, number)(*jax.tree_util.tree_leaves(arguments))
            except Exception as error:
                raise DifferentPrograms(f"the programs cannot be merged: {error}") from error
            results = jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(shape), flat)
            if isinstance(results, tuple):  # values and logs; the number stays
                return [*results[0], number], results[1]
            return results

        return one

    def _empty_outputs(self, values: list, block) -> Any:
        single = [jax.ShapeDtypeStruct(value.shape[1:], value.dtype) for value in values]
        count = values[0].shape[0]
        if self._programs is not None:
            single = single[:-1]  # without the replica's number
        return jax.tree_util.tree_map(
            lambda a: jax.device_put(np.zeros((count, *a.shape), a.dtype)),
            super()._empty_outputs(single, block),
        )

    def _values_for(self, kind: str, share: int) -> list[jax.Array]:
        variables = self._variables_of(kind)
        values = [self._values[share][self._places[id(variable)]] for variable in variables]
        if self._programs is not None:
            replicas = self._shares[share]
            values.append(jax.device_put(np.arange(replicas.start, replicas.stop, dtype=np.int32)))
        return values

    def _jobs(self, kind: str, block, start: int, count: int, last: Any) -> Iterator[tuple]:
        """For each share, its arguments of a compiled chunk."""
        for number, share in enumerate(self._shares):
            order = block.order[share] if np.ndim(block.order) == 2 else block.order
            values = self._values_for(kind, number)
            own = block._replace(order=order)
            yield values, own.data, own.order, np.int32(start), np.int32(count), last

    def compile_ahead(self, kind: str, block) -> None:
        """Begins to compile for blocks of this shape in the background."""
        for arguments in self._jobs(kind, block, 0, 1, np.bool_(True)):
            self._compiling(kind, block.batch_size, arguments)

    def run(self, kind: str, block, start: int, count: int, reset: bool) -> ReplicaLogs:  # type: ignore[override]
        """Trains or evaluates all replicas on `count` batches of a block, from batch `start`."""
        jobs = list(self._jobs(kind, block, start, count, np.bool_(reset)))
        places = [self._places[id(variable)] for variable in self._variables_of(kind)]

        def work(number: int, executable, arguments: tuple):
            values, logs = executable(*arguments)
            # before anybody can interrupt: what went in has been given away
            for place, value in zip(places, values, strict=False):
                self._values[number][place] = value
            return jax.block_until_ready(logs)

        logs = self._share_out(work, kind, block.batch_size, jobs)
        return ReplicaLogs(logs, self.log_names[kind])

    def predict(self, block, start: int, count: int, outputs: Any = None) -> Any:
        """The outputs of a block of all replicas: for each share, nests of (replicas, rows, ..)."""
        shares = range(len(self._shares))
        if outputs is None:
            outputs = [self._empty_outputs(self._values_for("predict", n), block) for n in shares]
        common = block.data, block.order, np.int32(start), np.int32(count)
        jobs = [(self._values_for("predict", n), *common, outputs[n]) for n in shares]

        def work(number: int, executable, arguments: tuple):
            return jax.block_until_ready(executable(*arguments))

        return self._share_out(work, "predict", block.batch_size, jobs)

    def _share_out(self, work: Callable, kind: str, batch_size: int, jobs: list[tuple]) -> list:
        """The results of `work(share, executable, arguments)`, each share in its own thread."""
        waited = 0.0
        ready = []
        for arguments in jobs:
            ready.append(self._ready(kind, batch_size, arguments))
            waited += self.waited
        self.waited = waited
        if len(jobs) == 1:
            return [work(0, ready[0], jobs[0])]
        if self._threads is None:
            self._threads = concurrent.futures.ThreadPoolExecutor(
                len(self._shares), thread_name_prefix="cornu-replicas"
            )
        futures = [
            self._threads.submit(work, number, executable, arguments)
            for number, (executable, arguments) in enumerate(zip(ready, jobs, strict=True))
        ]
        try:
            return [future.result() for future in futures]
        finally:
            # after Ctrl-C too, so that all replicas have done the same number of steps
            concurrent.futures.wait(futures)


class DifferentPrograms(ValueError):
    """Models that were to be trained at once differ in more than their constants."""


class ReplicaLogs:
    """The logs of a chunk of all replicas; `read` gives them as arrays over the replicas."""

    __slots__ = ("_names", "_shares")

    def __init__(self, shares: list, names: list[str]):
        self._shares = shares
        self._names = names

    def read(self) -> dict[str, Any]:
        """A dict from each name to float64 (replicas,), or (replicas, ...), sorted by name."""
        scalars = np.concatenate([np.asarray(packed) for packed, _ in self._shares]).astype(float)
        values = {name: scalars[:, i] for i, name in enumerate(self._names)}
        for name in self._shares[0][1]:
            values[name] = np.concatenate([np.asarray(others[name]) for _, others in self._shares])
        return dict(sorted(values.items()))


def _is_faster_together(trainable: Sequence[Variable]) -> bool:
    if jax.default_backend() != "cpu":
        return True
    # kernels of convolutions have three axes or more
    return all(variable.ndim < 3 for variable in trainable) and (
        sum(variable.size for variable in trainable) <= _MOST_WEIGHTS_TOGETHER
    )


def _shares(replicas: int) -> list[slice]:
    """The replicas, shared out among the cores of a CPU; all in one on other devices."""
    cores = 1
    if jax.default_backend() == "cpu":
        affinity = getattr(os, "sched_getaffinity", None)
        cores = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    ends = [round(replicas * i / min(cores, replicas)) for i in range(min(cores, replicas) + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(ends)]
