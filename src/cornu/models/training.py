"""Trainer: compile, fit, evaluate, predict. What makes a model out of a layer."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from cornu import losses as losses_module
from cornu import metrics as metrics_module
from cornu import optimizers
from cornu.callbacks import Callback
from cornu.callbacks.callback_list import CallbackList
from cornu.core import hooks
from cornu.core.check_settings import is_check_enabled
from cornu.core.initialized import SetByInit
from cornu.core.places import Place, caller_place
from cornu.core.reporting import warn
from cornu.core.serialization import deserialize, serialize
from cornu.data import arrays as data_arrays
from cornu.data.source import ArraySource, Block, Source, is_stream, make_source
from cornu.graph.tensor import KerasTensor
from cornu.layers.layer import accepts_training
from cornu.models.entry import entry
from cornu.models.replicas import Replicas
from cornu.models.replicating import prepare
from cornu.train import checks, loop
from cornu.train.program import Program
from cornu.train.replica_callbacks import ReplicaCallbacks
from cornu.train.replicas import ReplicaProgram
from cornu.train.targets import Targets, flat_targets, spec_of

_TRAINER_ATTRIBUTES = frozenset(
    {"optimizer", "loss_tracker", "_targets", "_program", "_compile_arguments", "history", "_pacer"}
    | {"_places", "_checked", "replicas"}
)


_COMPILE_ARGUMENTS = (
    *("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics"),
    *("run_eagerly", "steps_per_execution", "jit_compile"),
)


class Trainer:
    """The training side of a model."""

    _untracked: frozenset = frozenset(
        {"_nodes", "_arguments", "_place", *_TRAINER_ATTRIBUTES, "_graph", "_functional"}
    )

    compiled: Any = SetByInit()

    # what the layer that a model also is brings along
    built: Any
    losses: list
    trainable_variables: list
    _walk: Any
    _output_specs: Any

    def __init__(self):
        self.optimizer: Any = None
        self.loss_tracker: Any = None
        self.compiled = False
        self.stop_training = False
        self.history = None
        self.output_names: list[str] | None = None
        self._targets: Targets | None = None
        self._program: Program | None = None
        self._compile_arguments: dict[str, Any] = {}
        self._pacer: dict[str, loop.Pacer] = {}
        self._initial_epoch: int | None = None
        self._checked: tuple | None = None
        self.replicas: Replicas | None = None
        self._places: dict[str, Place | None] = {}  # the program's lines that findings name

    def __getstate__(self) -> dict:
        # what is compiled belongs to this process: a copy compiles anew
        return {**self.__dict__, "_program": None, "_pacer": {}, "replicas": None}

    # -- compile ---------------------------------------------------------------------------------

    @entry
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Says how the model is trained.

        Args:
            optimizer: name, object or configuration; also an optax gradient transformation.
            loss: name, object or callable `(y_true, y_pred) -> loss of each row`; with several
                outputs, a list in their order or a dict by their names.
            loss_weights: factors of the losses, in a list or a dict.
            metrics: list of names, objects or callables; with several outputs, a list of lists or a
                dict of them.
            weighted_metrics: the same, for metrics that sample weights apply to.
            run_eagerly: runs each step uncompiled, so that `print` and a debugger see values.
            steps_per_execution: batches between two calls of callbacks' batch hooks. The program
                itself runs as many batches at a time as fit a fraction of a second.
            jit_compile: accepted as in Keras; a program is compiled unless `run_eagerly` is set.
            auto_scale_loss: with a float16 policy, wraps the optimizer so that it scales the loss.

        Raises:
            ValueError: an unknown name; the message gives the nearest known one.
        """
        if not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ValueError(
                f"compile(steps_per_execution={steps_per_execution!r}): expected a positive integer"
            )
        self.optimizer = optimizers.get(optimizer)
        if self.optimizer is not None and auto_scale_loss and _is_float16(self):
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer, name="loss_scale")
        checks.known_names("loss", loss, losses_module.get, ("crossentropy", "ce"))
        for given in (metrics, weighted_metrics):
            by_shape = ("accuracy", "acc", "crossentropy", "ce")
            checks.known_names("metric", given, metrics_module.get, by_shape)
        self._compile_arguments = {
            "optimizer": self.optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": bool(run_eagerly),
            "steps_per_execution": steps_per_execution,
            "jit_compile": True if jit_compile == "auto" else bool(jit_compile),
        }
        self._places = {"compile": caller_place()}
        self.loss = loss
        self.run_eagerly = bool(run_eagerly)
        self.steps_per_execution = steps_per_execution
        self.jit_compile = self._compile_arguments["jit_compile"]
        self.loss_tracker = metrics_module.Mean(name="loss")
        self.compiled = True
        self.stop_training = False
        self._targets = None
        self._program = None
        self._pacer = {}
        self._checked = None

    def get_compile_config(self) -> dict | None:
        """The arguments of `compile`, or None where it was not called."""
        if not self.compiled:
            return None
        return serialize(self._compile_arguments)

    def compile_from_config(self, config: dict) -> None:
        """Compiles with what `get_compile_config` returned here or in Keras 3."""
        arguments = {
            key: deserialize(value) for key, value in config.items() if key in _COMPILE_ARGUMENTS
        }
        if type(self).compile is not Trainer.compile:
            warn(
                f"{type(self).__name__} has a compile() of its own, so the settings in the file "
                "are not applied: call compile() before training",
            )
            return
        self.compile(**arguments)
        if self.optimizer is not None and self.built and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)

    @property
    def metrics(self) -> list:
        """The metrics in the order of what `evaluate` returns: loss, compiled ones, layers' own."""
        found = []
        if self.compiled and self.loss_tracker is not None:
            found.append(self.loss_tracker)
            if self._targets is not None:
                found += [*self._targets.all_metrics, *self._targets.trackers]
        return [*found, *self._layer_metrics()]

    def _layer_metrics(self) -> list:
        return [metric for layer in self._walk() for metric in layer._own(metrics_module.Metric)]

    @property
    def metrics_names(self) -> list[str]:
        """The names that logs carry the metrics under, in the order of what `evaluate` returns."""
        names = [metric.name for metric in self._layer_metrics()]
        if self._targets is not None:
            names += [metric.name for metric in self._targets.trackers]
            names += [name for name, _ in self._targets.named_metrics()]
        if self.compiled and self.loss_tracker is not None:
            names.append("loss")
        return program_order(self.metric_names_in_order(), dict.fromkeys(names))

    def reset_metrics(self) -> None:
        """Starts all metrics afresh."""
        for metric in self.metrics:
            metric.reset_state()

    # -- what a subclass may replace --------------------------------------------------------------

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The scalar that training minimizes: the compiled losses plus all added ones.

        Override it for a loss of your own; `y`, `y_pred` and `sample_weight` are one batch.
        """
        total = None
        targets = self._targets
        if targets is not None and targets.losses:
            outputs = jax.tree_util.tree_leaves(y_pred)
            count = len(outputs)
            names = targets.names
            total = targets.loss(
                flat_targets(y, names, count),
                outputs,
                _flat_weights(sample_weight, names, count),
            )
        for extra in self.losses:
            extra = extra.sum() if getattr(extra, "ndim", 0) else extra
            total = extra if total is None else total + extra
        return np.float32(0.0) if total is None else total

    def compute_metrics(self, x, y, y_pred, sample_weight=None) -> dict:
        """Takes a batch into account in the metrics; returns all results.

        Override it for metrics of your own.
        """
        targets = self._targets
        if targets is not None and (targets.metrics or targets.weighted):
            outputs = jax.tree_util.tree_leaves(y_pred)
            names, count = targets.names, len(outputs)
            targets.update_metrics(
                flat_targets(y, names, count), outputs, _flat_weights(sample_weight, names, count)
            )
        return self.get_metrics_result()

    def compute_loss_of(self, x, y, outputs, sample_weight, training: bool):
        """`compute_loss`, whichever arguments a subclass gave it."""
        arguments = {"x": x, "y": y, "y_pred": outputs, "sample_weight": sample_weight}
        if "training" in inspect.signature(self.compute_loss).parameters:
            arguments["training"] = training
        return self.compute_loss(**arguments)

    def update_metrics(self, x, y, outputs, sample_weight) -> dict:
        """`compute_metrics` for its effect; returns what a subclass adds to the logs."""
        results = self.compute_metrics(x, y, outputs, sample_weight)
        return dict(results or {}) if self.has_own_logs else {}

    @property
    def has_own_logs(self) -> bool:
        """Whether a subclass has a `compute_metrics` of its own."""
        return type(self).compute_metrics is not Trainer.compute_metrics

    def metric_results(self) -> dict:
        """The values of all metrics by the names that logs carry."""
        results = {}
        if self.compiled and self.loss_tracker is not None:
            results["loss"] = self.loss_tracker.result()
            if self._targets is not None:
                results.update(self._targets.metric_results())
                results.update({m.name: m.result() for m in self._targets.trackers})
        for metric in self._layer_metrics():
            value = metric.result()
            results.update(value) if isinstance(value, dict) else results.update(
                {metric.name: value}
            )
        return results

    def get_metrics_result(self) -> dict:
        """The values of all metrics, a dict by name. Override it to add some."""
        return self.metric_results()

    # -- preparation -----------------------------------------------------------------------------

    @property
    def call_accepts_training(self) -> bool:
        """Whether `call` takes a `training` argument."""
        return accepts_training(self)

    def _require_compiled(self, method: str) -> None:
        if not self.compiled:
            raise ValueError(
                f"{method}() needs to know how to train: call "
                "model.compile(optimizer=..., loss=...) before it"
            )

    def _prepare(self, source: Source, method: str, trains: bool = False) -> Program:
        """Builds what is missing for the data: weights, targets, optimizer state, the program."""
        checks.no_own_steps(self)
        x, y, sample_weight = source.sample()
        inputs = jax.tree_util.tree_map(
            lambda leaf: KerasTensor((None, *leaf.shape[1:]), leaf.dtype), x
        )
        checks.inputs_fit(self, x, method)
        if self.compiled and not method.startswith("predict"):
            is_stream = not isinstance(source, ArraySource)
            checks.labels_given(self._compile_arguments["loss"], y, method, is_stream)
            if self._targets is None or not self.built:
                outputs = self._output_specs(inputs)
                self._make_targets(y, outputs)
            if isinstance(source, ArraySource):  # of a stream, the batch that has been looked at
                _, y, sample_weight = source.data
            checks.labels_fit(self._targets, y, method)
            single = method.endswith("on_batch")
            checks.binary_labels_fit(self._targets, y, sample_weight, method, once=single)
        elif not self.built:
            self._output_specs(inputs)
        if self.optimizer is not None and trains and not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)
        if self._program is None or not self._program.fits(self):
            self._program = Program(self, eager=getattr(self, "run_eagerly", False))
        return self._program

    def _make_targets(self, y, outputs) -> None:
        leaves = jax.tree_util.tree_leaves(outputs)
        if isinstance(outputs, dict):
            names = sorted(outputs)
        elif self.output_names and len(self.output_names) == len(leaves):
            names = list(self.output_names)
        else:
            names = [f"output_{i}" for i in range(len(leaves))]
        arguments = self._compile_arguments
        labels: list = [None] * len(leaves)
        if y is not None:
            flat = flat_targets(y, names, len(leaves))
            labels = [None if label is None else spec_of(label) for label in flat]
        self._targets = Targets(
            arguments["loss"],
            arguments["loss_weights"],
            arguments["metrics"],
            arguments["weighted_metrics"],
            names,
            labels,
            [spec_of(leaf) for leaf in leaves],
        )
        self._program = None

    def _pace(self, kind: str, program: Program | None = None) -> loop.Pacer:
        pacers = getattr(program, "pacers", self._pacer)  # several networks at once have their own
        return pacers.setdefault(kind, loop.Pacer())

    # -- fit, evaluate, predict -------------------------------------------------------------------

    @entry
    def fit(
        self,
        x=None,
        y=None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks=None,
        validation_split: float = 0.0,
        validation_data=None,
        shuffle: Any = True,
        class_weight: dict | None = None,
        sample_weight=None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        check: Any = True,
        replicas: int | Sequence[int] | None = None,
    ):
        """Trains the model.

        Args:
            x: array (rows, ...), or a list or dict of them for several inputs, a DataFrame; or a
                generator, a PyDataset or any iterable of `(x, y)` or `(x, y, sample_weight)`.
            y: labels (rows, ...), or a list or dict of them for several outputs.
            batch_size: rows in a step; 32 by default.
            epochs: passes through the data, counted from 0: training ends at this one.
            verbose: 0 silent, 1 a progress bar, 2 a line each epoch, "auto" 1.
            callbacks: list of `cornu.callbacks.Callback`.
            validation_split: fraction of the rows, the last ones as given, kept for validation.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to evaluate on after an epoch, or
                an iterable of batches.
            shuffle: whether each epoch takes the rows in another order.
            class_weight: dict from class to the weight of its rows in the loss.
            sample_weight: (rows,) weights of the rows in the loss.
            initial_epoch: the epoch to begin with.
            steps_per_epoch: batches in an epoch, for data without an end.
            validation_steps: the same for validation.
            validation_batch_size: rows in a batch of validation; `batch_size` by default.
            validation_freq: every how many epochs to validate, or a list of the epochs (from 1).
            check: whether to say first, a line on stderr each, what seems wrong with the network,
                the data or the settings; or a list of codes of findings not to tell. See `check()`.
            replicas: how many differently seeded copies of the model to train at once, or a list of
                their seeds; see below. Default None: the model itself is trained.

        Each replica trains as `clone_model(model)` would alone after `set_random_seed(its seed)`,
        with initial values, dropout and an order of rows of its own, whatever the model has learned
        before; batches of a generator are the same for all. A number of replicas takes the seeds
        from the last one given to `set_random_seed` on, or from a random one. Afterwards
        `model.replicas` (`cornu.models.replicas.Replicas`) holds them all, and the model itself is
        as the first of them. The history's values are arrays (replicas,), so that
        `np.array(history.history["loss"])` is (epochs, replicas); `history.seeds` are the seeds.
        Progress bar and callbacks are told the means over all replicas. Another `fit` with as many
        goes on with them, unless `set_random_seed` was given another seed; `compile` begins anew.

        Returns:
            `cornu.callbacks.History`; its `history` is a dict from each log's name to its values.

        Raises:
            ValueError: not compiled; data that does not fit the model.
            TypeError: a number of rows, epochs or steps that is no integer.
        """
        self._require_compiled("fit")
        checks.whole_numbers(
            "fit",
            batch_size=batch_size,
            epochs=epochs,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size,
        )
        if validation_split and validation_data is None:
            if is_stream(x):
                raise ValueError(
                    f"validation_split={validation_split} needs arrays; x is a {type(x).__name__}. "
                    "Pass validation_data"
                )
            parts = tuple(
                data_arrays.standardize(part, name)
                for part, name in ((x, "x"), (y, "y"), (sample_weight, "sample_weight"))
            )
            (x, y, sample_weight), validation_data = data_arrays.train_validation_split(
                parts, validation_split
            )
        source = make_source(
            x, y, sample_weight, batch_size, shuffle, class_weight, steps_per_epoch
        )
        program = self._prepare(source, "fit", trains=True)
        if replicas is not None:
            program = prepare(self, source, replicas)
        if isinstance(source, ArraySource):
            data_arrays.warn_if_not_finite(*source.data[:2])
        settings = {
            "batch_size": batch_size,
            "epochs": epochs,
            "callbacks": callbacks,
            "validation_split": validation_split,
            "validation_data": validation_data,
            "shuffle": shuffle,
            "class_weight": class_weight,
            "place": caller_place(),
        }
        validation = None
        if validation_data is not None:
            validation = self._validation_feed(
                validation_data, validation_batch_size or batch_size, validation_steps
            )
        feed = loop.Feed(source, steps_per_epoch)
        for kind, one in (("train", feed), ("test", validation)):
            for block in one.source.shapes() if one is not None else ():
                program.compile_ahead(kind, block)
        # while the compiler works
        watch = self._tell_findings(source, settings, check)
        if isinstance(program, ReplicaProgram):
            callbacks = ReplicaCallbacks(
                callbacks, program, self, verbose, epochs=epochs, steps=feed.steps
            )
            if watch is not None:
                callbacks.append(watch)
        elif not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks,
                add_history=True,
                add_progbar=verbose != 0,
                model=self,
                verbose=verbose,
                epochs=epochs,
                steps=feed.steps,
            )
            # a list of the user's own may be used again: it keeps what it has
            if watch is not None:
                callbacks.append(watch)
        self.stop_training = False
        logs: dict[str, Any] = {}
        callbacks.on_train_begin()
        try:
            # BackupAndRestore says in on_train_begin where an interrupted run goes on
            for epoch in range(self._initial_epoch or initial_epoch, epochs):
                callbacks.on_epoch_begin(epoch)
                logs = loop.run_epoch(
                    "train",
                    program,
                    feed,
                    callbacks,
                    self._pace("train", program),
                    self.steps_per_execution,
                    lambda: self.stop_training,
                )
                if validation is not None and _is_due(epoch, validation_freq):
                    measured = self._run_evaluation(program, validation, callbacks)
                    logs.update({f"val_{name}": value for name, value in measured.items()})
                callbacks.on_epoch_end(epoch, logs)
                if self.stop_training or feed.exhausted:
                    break
        finally:
            source.close()
            if isinstance(program, ReplicaProgram):
                self.replicas = Replicas(self, program, self.history)
                program.show(0)
        if isinstance(program, ReplicaProgram):
            program.change_each(self._finalize)
            callbacks.on_train_end(logs)
            program.show(0)
        else:
            self._finalize()
            callbacks.on_train_end(logs)
        return self.history

    def _finalize(self) -> None:
        self.optimizer.finalize_variable_values(self.trainable_variables)

    def _tell_findings(self, source: Source, settings: dict, check: Any) -> Callback | None:
        """Says what seems wrong, once for the same data; returns what goes on watching."""
        if check is False or not is_check_enabled() or hooks.before_fit is None:
            return None
        data = source.data if isinstance(source, ArraySource) else ()
        about = (settings["place"], *map(id, jax.tree_util.tree_leaves(data)))
        again, self._checked = self._checked == about, about
        return hooks.before_fit(self, source, settings, () if check is True else check, again)

    def check(
        self,
        x=None,
        y=None,
        batch_size: int | None = None,
        epochs: int | None = None,
        validation_split: float = 0.0,
        validation_data=None,
        shuffle: Any = True,
        class_weight: dict | None = None,
        steps_per_epoch: int | None = None,
        ignore: Sequence[str] = (),
        measure: bool = True,
        verbose: int = 1,
    ):
        """Says what is wrong with the network, the data or the settings, without training.

        Nothing is changed: neither weights nor optimizer, no seed and no data. A network that is
        not built yet is built for the data, as `fit` would.

        Args:
            x, y, batch_size, epochs, validation_split, validation_data, shuffle, class_weight,
                steps_per_epoch: what `fit` will be given. Without data, only what can be said of
                the network and its settings is said.
            ignore: codes of findings not to tell, such as "C502".
            measure: whether to measure too: one forward and backward pass, and a few training
                steps on copies with the learning rate, ten times and a tenth of it. Default True.
            verbose: 1 prints the findings, 0 does not.

        Returns:
            `cornu.check.Findings`, a list of `cornu.check.Diagnostic`, the worst first.

        Raises:
            ValueError: not compiled; data that does not fit the model.

        >>> import numpy as np, cornu
        >>> model = cornu.Sequential([cornu.Input((4,)), cornu.layers.Dense(3)])
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> x = np.random.default_rng(0).normal(size=(90, 4))
        >>> model.check(x, np.arange(90) % 3, verbose=0, measure=False)
        <1 finding: C103>
        """
        self._require_compiled("check")
        if hooks.check_model is None:
            raise RuntimeError("check() needs the package cornu.check, which `import cornu` loads")
        settings = {
            "batch_size": batch_size,
            "epochs": epochs,
            "validation_split": validation_split,
            "validation_data": validation_data,
            "shuffle": shuffle,
            "class_weight": class_weight,
            "steps_per_epoch": steps_per_epoch,
        }
        found = hooks.check_model(self, x, y, settings, ignore, measure)
        if verbose:
            print(found)
        return found

    def _validation_feed(self, data, batch_size, steps) -> loop.Feed:
        is_stream = hasattr(data, "__next__") or (
            not isinstance(data, (tuple, list)) and not hasattr(data, "__array__")
        )
        x, y, weight = (
            (data, None, None) if is_stream else data_arrays.unpack_x_y_sample_weight(data)
        )
        source = make_source(x, y, weight, batch_size, False, None, steps)
        first_x, first_y, _ = source.sample()
        checks.inputs_fit(self, first_x, "fit(validation_data)")
        loss, is_stream = self._compile_arguments["loss"], not isinstance(source, ArraySource)
        checks.labels_given(loss, first_y, "fit(validation_data)", is_stream)
        if isinstance(source, ArraySource):
            _, y, weight = source.data
            checks.labels_fit(self._targets, y, "fit(validation_data)")
            checks.binary_labels_fit(self._targets, y, weight, "fit(validation_data)")
        return loop.Feed(source, steps)

    def _run_evaluation(self, program: Program, feed: loop.Feed, callbacks: CallbackList) -> dict:
        self.stop_evaluating = False
        feed.restart()
        callbacks.on_test_begin()
        logs = loop.run_epoch(
            "test",
            program,
            feed,
            callbacks,
            self._pace("test", program),
            self.steps_per_execution,
            lambda: self.stop_evaluating,
        )
        callbacks.on_test_end(logs)
        return logs

    @entry
    def evaluate(
        self,
        x=None,
        y=None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight=None,
        steps: int | None = None,
        callbacks=None,
        return_dict: bool = False,
    ):
        """The loss and the metrics on data.

        Args:
            x, y, batch_size, verbose, sample_weight, callbacks: as for `fit`.
            steps: batches to take, for data without an end.
            return_dict: whether to return a dict by name.

        Returns:
            The loss, or a list of it and the metrics in the order of `metrics`, or a dict.

        Raises:
            ValueError: not compiled; data that does not fit the model.
            TypeError: a number of rows or steps that is no integer.
        """
        self._require_compiled("evaluate")
        checks.whole_numbers("evaluate", batch_size=batch_size, steps=steps)
        source = make_source(x, y, sample_weight, batch_size, False, None, steps)
        program = self._prepare(source, "evaluate")
        feed = loop.Feed(source, steps)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks,
                add_progbar=verbose != 0,
                model=self,
                verbose=verbose,
                epochs=1,
                steps=feed.steps,
            )
        try:
            logs = self._run_evaluation(program, feed, callbacks)
        finally:
            source.close()
        return logs if return_dict else self._in_order(logs)

    def _in_order(self, logs: dict):
        """The logs as `evaluate` returns them: in the order of the metrics, alone if only one."""
        values = [logs[name] for name in program_order(self.metric_names_in_order(), logs)]
        return values[0] if len(values) == 1 else values

    def metric_names_in_order(self) -> list[str]:
        """The names under which logs carry the metrics, in the order of `metrics`."""
        # Keras' order: it knows the metrics of a network with several outputs by other names than
        # the logs carry, so these come last, by name
        return [metric.name for metric in self.metrics]

    @entry
    def predict(
        self,
        x,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks=None,
    ):
        """The outputs for data.

        Args:
            x: array (rows, ...), or a nest of them, or an iterable of batches.
            batch_size: rows computed at a time; 32 by default.
            verbose, callbacks: as for `fit`.
            steps: batches to take, for data without an end.

        Returns:
            NumPy array (rows, ...), or a nest of them for several outputs.

        Raises:
            ValueError: data that does not fit the model.
            TypeError: a number of rows or steps that is no integer.
        """
        checks.whole_numbers("predict", batch_size=batch_size, steps=steps)
        source = make_source(x, None, None, batch_size, False, None, steps)
        program = self._prepare(source, "predict")
        feed = loop.Feed(source, steps)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(
                callbacks,
                add_progbar=verbose != 0,
                model=self,
                verbose=verbose,
                epochs=1,
                steps=feed.steps,
            )
        callbacks.on_predict_begin()
        try:
            outputs = loop.predict(
                program,
                feed,
                callbacks,
                self._pace("predict"),
                getattr(self, "steps_per_execution", 1),
            )
        finally:
            source.close()
        callbacks.on_predict_end()
        return outputs

    # -- single batches --------------------------------------------------------------------------

    def _one_batch(self, method: str, kind: str, x, y, sample_weight, class_weight, return_dict):
        self._require_compiled(method)
        rows = data_arrays.row_count(
            *(
                data_arrays.standardize(p, n)
                for p, n in ((x, "x"), (y, "y"), (sample_weight, "sample_weight"))
            )
        )
        source = make_source(x, y, sample_weight, rows, False, class_weight)
        program = self._prepare(source, method, trains=kind == "train")
        block = next(iter(source.epoch()))
        logs = program.run(kind, block, 0, 1, reset=True).read()
        return logs if return_dict else self._in_order(logs)

    @entry
    def train_on_batch(
        self, x, y=None, sample_weight=None, class_weight=None, return_dict: bool = False
    ):
        """One step of training on one batch; the metrics are those of this batch.

        Returns what `evaluate` returns. Raises ValueError as `fit` does.
        """
        return self._one_batch(
            "train_on_batch", "train", x, y, sample_weight, class_weight, return_dict
        )

    @entry
    def test_on_batch(self, x, y=None, sample_weight=None, return_dict: bool = False):
        """The loss and the metrics of one batch.

        Returns what `evaluate` returns. Raises ValueError as `evaluate` does.
        """
        return self._one_batch("test_on_batch", "test", x, y, sample_weight, None, return_dict)

    @entry
    def predict_on_batch(self, x):
        """The outputs for one batch, as a NumPy array or a nest of them."""
        rows = data_arrays.row_count(data_arrays.standardize(x, "x"), None, None)
        source = make_source(x, None, None, rows)
        program = self._prepare(source, "predict")
        block: Block = next(iter(source.epoch()))
        return jax.tree_util.tree_map(np.array, program.predict(block, 0, 1))


def program_order(names: list[str], logs: dict) -> list[str]:
    """The names of logs: those of the metrics in their order, then any others by name."""
    known = [name for name in names if name in logs]
    return known + sorted(name for name in logs if name not in known)


def _flat_weights(sample_weight, names, count: int) -> list:
    if sample_weight is None:
        return [None] * count
    leaves = jax.tree_util.tree_leaves(sample_weight)
    if len(leaves) == 1 and not isinstance(sample_weight, dict):
        return leaves * count
    return flat_targets(sample_weight, names, count, "sample_weight")


def _is_due(epoch: int, frequency) -> bool:
    if isinstance(frequency, int):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def _is_float16(model) -> bool:
    return any(layer.compute_dtype == "float16" for layer in model._walk())
