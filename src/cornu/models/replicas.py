"""Replicas: networks that `fit(replicas=...)` trained at once, each from a seed of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import jax
import numpy as np

from cornu.callbacks.callback_list import CallbackList
from cornu.callbacks.monitor import MonitorCallback
from cornu.data.source import make_source
from cornu.models.replicating import (
    fresh_metrics,
    fresh_optimizer,
    new_copy,
    restored_generators,
    state_of,
)
from cornu.train import checks, loop
from cornu.train.replicas import ReplicaProgram


class Replicas:
    """Networks of one shape, trained at once; what `model.replicas` is after `fit(replicas=...)`.

    A sequence: `replicas[i]` is a model of its own, compiled as the first was, with the weights and
    the optimizer state of that replica.

    Another `fit(replicas=...)` goes on with them where it is given these seeds, or as many replicas
    and `set_random_seed` was not given another seed since they began. To begin anew with the same
    seed, compile the model again.

    Attributes:
        seeds: tuple of integers, the seed of each replica.
        history: the `cornu.callbacks.History` of the last `fit`; each of its values is an array
            (replicas,), so that `np.array(history.history["loss"])` is (epochs, replicas).

    >>> import cornu
    >>> model = cornu.Sequential([cornu.Input((2,)), cornu.layers.Dense(1)])
    >>> model.compile("sgd", "mse")
    >>> x, y = np.ones((8, 2), "float32"), np.ones(8, "float32")
    >>> history = model.fit(x, y, epochs=3, replicas=[7, 8], verbose=0, check=False)
    >>> np.array(history.history["loss"]).shape
    (3, 2)
    >>> model.replicas.seeds, model.replicas.predict(x).shape
    ((7, 8), (2, 8, 1))
    """

    def __init__(self, model: Any, program: ReplicaProgram, history: Any = None, models=None):
        self._model = model
        self._program = program
        self._models: Sequence | None = models  # where they differ in more than their values
        self.history = history

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seed of each replica."""
        return self._program.seeds

    def __len__(self) -> int:
        return len(self._program)

    def __repr__(self) -> str:
        return f"<{len(self)} replicas of {self._model.name}, seeds {_listed(self.seeds)}>"

    def __iter__(self) -> Iterator:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, replica: int) -> Any:
        """A compiled model with the weights and the optimizer state of one replica.

        Raises IndexError where there is none of that number, TypeError for what is no integer.
        """
        if isinstance(replica, bool) or not isinstance(replica, (int, np.integer)):
            raise TypeError(f"replicas[{replica!r}]: expected an integer")
        if not -len(self) <= replica < len(self):
            raise IndexError(f"replicas[{replica}]: there are {len(self)} replicas")
        place = int(replica) % len(self)
        values = self._program.values_of(place)
        if self._models is not None:
            model = self._models[place]
            optimizer = model.optimizer
        else:
            with restored_generators():
                model, optimizer = new_copy(self._model, self._program.inputs)
            arguments = dict(self._model._compile_arguments)
            for kind in ("metrics", "weighted_metrics"):
                arguments[kind] = fresh_metrics(arguments[kind])
            model.compile(**{**arguments, "optimizer": optimizer}, auto_scale_loss=False)
        variables = state_of(model, optimizer)
        for variable, value in zip(variables, values, strict=False):
            variable.assign(value)
        return model

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size: int | None = None,
        sample_weight=None,
        steps: int | None = None,
        verbose: Any = "auto",
    ) -> dict[str, np.ndarray]:
        """The loss and the metrics of every replica on data.

        Args:
            x, y, batch_size, sample_weight, steps: as for `Model.evaluate`.
            verbose: accepted as there; there is no progress bar.

        Returns:
            A dict from each name to an array (replicas,).

        Raises:
            ValueError: data that does not fit the model.
        """
        checks.whole_numbers("evaluate", batch_size=batch_size, steps=steps)
        source = make_source(x, y, sample_weight, batch_size, False, None, steps)
        self._model._prepare(source, "evaluate")
        self._must_be_current()
        try:
            return loop.run_epoch(
                "test",
                self._program,
                loop.Feed(source, steps),
                CallbackList(),
                self._program.pacers.setdefault("test", loop.Pacer()),
                1,
                lambda: False,
            )
        finally:
            source.close()

    def predict(
        self,
        x,
        batch_size: int | None = None,
        steps: int | None = None,
        verbose: Any = "auto",
    ) -> Any:
        """The outputs of every replica for data.

        Args:
            x, batch_size, steps: as for `Model.predict`.
            verbose: accepted as there; there is no progress bar.

        Returns:
            NumPy array (replicas, rows, ...), or a nest of them for several outputs.

        Raises:
            ValueError: data that does not fit the model.
        """
        checks.whole_numbers("predict", batch_size=batch_size, steps=steps)
        source = make_source(x, None, None, batch_size, False, None, steps)
        self._model._prepare(source, "predict")
        self._must_be_current()
        feed = loop.Feed(source, steps)
        parts = []
        try:
            for block, first, count in feed.epoch():
                outputs = self._program.predict(block, first, count)
                rows = count * block.batch_size
                begin = first * block.batch_size
                parts.append(
                    jax.tree_util.tree_map(
                        lambda *shares, begin=begin, rows=rows: np.concatenate(
                            [np.asarray(share)[:, begin : begin + rows] for share in shares]
                        ),
                        *outputs,
                    )
                )
        finally:
            source.close()
        if not parts:
            raise ValueError("the data yields no batch")
        return jax.tree_util.tree_map(lambda *each: np.concatenate(each, axis=1), *parts)

    def best(self, monitor: str = "val_loss", mode: str = "auto") -> Any:
        """The best replica, as a model; see `index_of_best`."""
        return self[self.index_of_best(monitor, mode)]

    def index_of_best(self, monitor: str = "val_loss", mode: str = "auto") -> int:
        """Which replica has the best value in the epoch whose weights the replicas hold.

        That is the last one, or the one whose weights `EarlyStopping(restore_best_weights=True)`
        restored. A value that is not known of that epoch is the last one before.

        Args:
            monitor: name of the value in the history; without validation, `val_loss` means `loss`.
            mode: `"min"`, `"max"` or `"auto"`, as the value's name tells.

        Raises:
            ValueError: the history has no such value up to that epoch, or which way is better
                cannot be told.
        """
        recorded = {} if self.history is None else self.history.history
        held = self._program.restored_logs
        if held is None:
            held = {name: values[-1] for name, values in recorded.items()}
        name = monitor
        if name == "val_loss" and name not in recorded:
            name = "loss"
        if name not in recorded:
            raise ValueError(
                f"best(monitor={monitor!r}): the history has "
                f"{', '.join(map(repr, recorded)) or 'no values'}"
            )
        if name not in held:
            raise ValueError(
                f"best(monitor={monitor!r}): the weights are those of an early epoch, up to which "
                f"the history has {', '.join(map(repr, held))}"
            )
        values = np.asarray(held[name], float)
        worst = is_better_lower(self._model, name, mode) * 2 - 1  # infinity that is never chosen
        values = np.where(np.isnan(values), worst * np.inf, values)
        return int(np.argmin(values) if worst > 0 else np.argmax(values))

    def mean(self) -> Any:
        """A compiled model whose weights are the means over all replicas.

        Averaging makes sense for networks that began at the same values, or lie in one valley of
        the loss. Networks from different seeds do not: their units are in different orders, and the
        mean is mostly worse than each. For the mean of what they predict, see `ensemble`.

        Source: M. Wortsman et al., "Model soups", 2022.
        """
        model = self[0]
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        for variable, own in zip(variables, self._program.train_variables, strict=False):
            values = self._program.all_values(own)
            is_float = np.issubdtype(values.dtype, np.floating) or values.dtype.kind == "V"
            mean = values.astype("float64").mean(axis=0) if is_float else values[0]
            variable.assign(mean.astype(values.dtype))
        return model

    def ensemble(self) -> Any:
        """One compiled model whose outputs are the means of all replicas' outputs.

        It is a functional model with all replicas inside, so it evaluates, predicts, and saves to a
        `.keras` file like any other. Where the outputs are logits, it is the logits that are
        averaged.

        Source: B. Lakshminarayanan et al., "Deep ensembles", 2017.
        """
        from cornu.layers import Average, Input
        from cornu.models.model import Model

        inside = list(self)
        for number, model in enumerate(inside):
            model.name = f"{model.name}_replica_{number}"
        inputs = jax.tree_util.tree_map(
            lambda tensor: Input(batch_shape=(None, *tensor.shape[1:]), dtype=tensor.dtype),
            self._program.inputs,
        )
        outputs = [model(inputs) for model in inside]
        averaged = (
            outputs[0]
            if len(outputs) == 1
            else jax.tree_util.tree_map(lambda *each: Average()(list(each)), *outputs)
        )
        ensemble = Model(inputs, averaged, name=f"{self._model.name}_ensemble")
        arguments = dict(self._model._compile_arguments)
        for kind in ("metrics", "weighted_metrics"):
            arguments[kind] = fresh_metrics(arguments[kind])
        ensemble.compile(**{**arguments, "optimizer": fresh_optimizer(self._model.optimizer)})
        if not ensemble.optimizer.built:
            ensemble.optimizer.build(ensemble.trainable_variables)
        return ensemble

    def save(self, path: str | os.PathLike, overwrite: bool = True) -> list[str]:
        """Writes each replica to a `.keras` file.

        Args:
            path: a folder, made where it is not there: the files are `replica_0_seed_7.keras` and
                so on; or a pattern that ends in `.keras` and has `{replica}` or `{seed}` in it.
            overwrite: whether files that are there are replaced. Default True.

        Returns:
            The paths of the files.

        Raises:
            ValueError: a pattern that gives two replicas the same name.
            OSError: a file cannot be written.
        """
        pattern = os.fspath(path)
        if not pattern.endswith(".keras"):
            os.makedirs(pattern, exist_ok=True)
            digits = len(str(len(self) - 1))
            pattern = os.path.join(pattern, f"replica_{{replica:0{digits}d}}_seed_{{seed}}.keras")
        try:
            paths = [pattern.format(replica=i, seed=s) for i, s in enumerate(self.seeds)]
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"save({os.fspath(path)!r}): only {{replica}} and {{seed}} can stand in the name: "
                f"{error}"
            ) from None
        if len(set(paths)) < len(paths):
            raise ValueError(
                f"save({os.fspath(path)!r}): the replicas would overwrite each other; give a "
                "folder, or a name with {replica} in it"
            )
        for replica, file in zip(self, paths, strict=True):
            replica.save(file, overwrite=overwrite)
        return paths

    def _must_be_current(self) -> None:
        if not self._program.fits(self._model):
            raise ValueError(
                "the model was compiled or changed since its replicas were trained; take them out "
                "as models with replicas[i], or train them again"
            )


def is_better_lower(model: Any, name: str, mode: str) -> bool:
    """Whether less is better, for a value of a model's history."""
    if mode not in ("auto", "min", "max"):
        raise ValueError(f"best(mode={mode!r}): expected 'auto', 'min' or 'max'")
    if mode == "auto":
        watch = MonitorCallback(monitor=name, mode=mode)
        watch.set_model(model)
        return watch._infer_direction() == "min"
    return mode == "min"


def _listed(seeds: Sequence[int]) -> str:
    if len(seeds) > 4 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(map(str, seeds))
