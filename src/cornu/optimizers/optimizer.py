"""The base of all optimizers: their options, and what happens around one update."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jax.numpy as jnp

from cornu.core import naming, serialization
from cornu.core.dtypes import is_float, to_numpy_dtype
from cornu.core.names import arguments_of, nearest
from cornu.core.reporting import warn
from cornu.core.variable import Variable, autocast, bind
from cornu.optimizers.schedules.schedule import LearningRateSchedule
from cornu.optimizers.step import _Step
from cornu.optimizers.values import as_float, check_fraction, copy_of

LearningRate = float | LearningRateSchedule | Callable[[], Any]


class Optimizer(_Step):
    """What all optimizers share; derive from it and write `update_step` to make another.

    A subclass makes its variables in `build`, with `add_variable_from_reference` or
    `add_optimizer_variables`, and changes them and the weight in `update_step`, with `assign`,
    `assign_add` and `assign_sub`. That code is compiled: no Python decision in it may hang on the
    value of an array.

    Args:
        learning_rate: a float, a `LearningRateSchedule`, or a function of no arguments.
        weight_decay: fraction of each weight, times the learning rate, taken off it at each update,
            apart from the gradient. None (no decay) by default.
        clipnorm: highest L2 norm of each variable's gradient. None by default.
        clipvalue: highest absolute value of each element of a gradient. None by default.
        global_clipnorm: highest L2 norm of all gradients together. None by default.
        use_ema: whether to keep an exponential moving average of the weights. False by default.
        ema_momentum: how much of the average is kept at each step, 0 to 1. 0.99 by default.
        ema_overwrite_frequency: the weights are replaced with their average after each so many
            steps. None by default: replaced once, when training ends.
        loss_scale_factor: what the loss is multiplied and the gradients are divided by, so that
            small gradients survive float16. None by default.
        gradient_accumulation_steps: number of steps, 2 or more, whose mean gradient makes one
            update. None by default.
        name: by default made from the class.

    Raises:
        ValueError: an argument that is not known, or out of its range; more than one clipping.

    >>> import numpy as np
    >>> class SignDescent(Optimizer):
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         self.assign_sub(variable, learning_rate * jnp.sign(gradient))
    >>> weight = Variable(np.array([1.0, 2.0]))
    >>> SignDescent(learning_rate=0.5).apply([np.array([3.0, -3.0])], [weight])
    >>> weight.numpy()
    array([0.5, 2.5], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: LearningRate,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ):
        self._start_tracking()
        owner = type(self).__name__
        if kwargs.pop("decay", None) is not None:
            warn(
                f"{owner}: Argument `decay` is no longer supported and will be ignored. For the "
                "same effect pass learning_rate=InverseTimeDecay(...)",
            )
        if kwargs:
            near = nearest(next(iter(kwargs)), arguments_of(type(self)))
            advice = f"; did you mean {near!r}?" if near else ""
            if "lr" in kwargs:
                advice = "; `lr` is now `learning_rate`"
            raise ValueError(f"{owner}: Argument(s) not recognized: {kwargs}{advice}")
        if gradient_accumulation_steps and gradient_accumulation_steps < 2:
            raise ValueError(
                f"{owner}(gradient_accumulation_steps={gradient_accumulation_steps}): must be an "
                "integer of 2 or more, or None"
            )
        if use_ema:
            check_fraction(self, "ema_momentum", ema_momentum)
            if ema_overwrite_frequency and (
                not isinstance(ema_overwrite_frequency, int) or ema_overwrite_frequency < 1
            ):
                raise ValueError(
                    f"{owner}(ema_overwrite_frequency={ema_overwrite_frequency!r}): must be an "
                    "integer of 1 or more, or None"
                )
        if sum(value is not None for value in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                f"{owner}(clipnorm={clipnorm}, clipvalue={clipvalue}, "
                f"global_clipnorm={global_clipnorm}): only one of them can be set"
            )
        self.name = name or naming.auto_name(self)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.built = False
        self._trainable_variables: list[Variable] = []
        self._undecayed: set[Variable] = set()
        self._undecayed_names: list[str] = []
        self._of_step: dict[str, Any] | None = None
        self._iterations = self.add_variable((), dtype="int32", name="iteration")
        self._learning_rate: Any = learning_rate
        if not callable(learning_rate):
            self._learning_rate = self.add_variable(
                (), as_float(self, "learning_rate", learning_rate), name="learning_rate"
            )

    @property
    def learning_rate(self) -> Any:
        """The learning rate (scalar) at this step; a `Variable` unless it is a schedule."""
        if isinstance(self._learning_rate, Variable):
            return self._learning_rate
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations.value)
        return self._learning_rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: LearningRate) -> None:
        before = self._learning_rate
        if callable(learning_rate):
            if isinstance(before, Variable):
                self._untrack_variable(before)
            self._learning_rate = learning_rate
        elif isinstance(before, Variable):
            before.assign(as_float(self, "learning_rate", learning_rate))
        else:
            raise TypeError(
                f"{self.name}.learning_rate cannot be set to {learning_rate!r}: this optimizer was "
                f"created with a {type(before).__name__} as its learning_rate, which gives its own "
                "values. Create it with a float to be able to set it"
            )

    @property
    def iterations(self) -> Any:
        """Number of updates so far (int32 scalar); of steps, unless gradients accumulate."""
        if self.gradient_accumulation_steps:
            return self._iterations.value // self.gradient_accumulation_steps
        return self._iterations

    def build(self, variables: Sequence[Variable]) -> None:
        """Makes the state for these trainable variables.

        Raises ValueError where one of them is not of a floating-point type.
        """
        for variable in variables:
            if not is_float(variable.dtype):
                raise ValueError(
                    f"{self.name}: variable {variable.path!r} has dtype {variable.dtype}, and only "
                    "floating-point variables can be trained; create it with trainable=False"
                )
        self._set_trainable_variables(variables)
        if self.use_ema:
            self._model_variables_moving_average = self.add_optimizer_variables(
                variables, "average"
            )
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = [
                self.add_variable_from_reference(variable, "gradient_accumulator")
                for variable in variables
            ]
        self.built = True

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Changes one variable by its gradient: the one method that another optimizer writes.

        Args:
            gradient: array of the variable's shape and dtype, clipped already.
            variable: the model's variable, decayed already.
            learning_rate: float32 scalar.

        Raises NotImplementedError unless a subclass defines it.
        """
        raise NotImplementedError(
            f"{type(self).__name__} must define update_step(self, gradient, variable, "
            "learning_rate)"
        )

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """`apply` for pairs of a gradient and its variable; returns the step counter."""
        gradients, variables = zip(*grads_and_vars, strict=True)
        self.apply(list(gradients), list(variables))
        return self._iterations

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Updates the variables by their gradients.

        Args:
            grads: one array for each variable, of its shape; None for a variable that the loss does
                not depend on, which is left alone with a warning.
            trainable_variables: the variables; by default those the optimizer was built with. The
                first call builds it where `build` was not called.

        Raises:
            ValueError: no gradient at all, as many gradients as variables are expected, or a
                variable that the optimizer was not built with.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._given_or_built(grads, trainable_variables)
        grads, variables = self._filter_empty_gradients(grads, variables)
        with autocast(None):
            grads = [
                jnp.asarray(grad, to_numpy_dtype(variable.dtype))
                for grad, variable in zip(grads, variables, strict=True)
            ]
            grads, variables = self._overwrite_with_gradients(grads, variables)
            if grads:
                if self.loss_scale_factor is not None:
                    grads = [grad / self.loss_scale_factor for grad in grads]
                if self.gradient_accumulation_steps:
                    self._accumulate(grads, variables)
                else:
                    self._update(grads, variables)
                if self.use_ema:
                    self._update_moving_average()
                for variable in variables:
                    if variable.constraint is not None:
                        variable.assign(variable.constraint(variable.value))
        self._iterations.assign_add(1)

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list, list]:
        """`apply` as a pure function.

        Args:
            optimizer_variables: values (arrays) of `variables`, in that order.
            grads: as in `apply`.
            trainable_variables: values (arrays) of the variables the optimizer was built with.

        Returns:
            The new values of the trainable variables, and of the optimizer's.

        Raises:
            ValueError: the optimizer is not built, or the number of values does not fit.
        """
        if not self.built:
            raise ValueError(
                f"{self.name}.stateless_apply: the optimizer has no variables yet; call "
                "build(trainable_variables) first"
            )
        own, trained = self.variables, self._trainable_variables
        for values, variables, argument in (
            (optimizer_variables, own, "optimizer_variables"),
            (trainable_variables, trained, "trainable_variables"),
        ):
            if len(values) != len(variables):
                raise ValueError(
                    f"{self.name}.stateless_apply: {argument} must be {len(variables)} arrays, "
                    f"received {len(values)}"
                )
        pure = bind(lambda: self.apply(grads), [*trained, *own])
        _, after = pure([*trainable_variables, *optimizer_variables])
        return after[: len(trained)], after[len(trained) :]

    def _given_or_built(self, grads, variables) -> list[Variable]:
        if variables is None:
            if not self.built:
                raise ValueError(
                    f"{self.name}.apply: gradients without variables need an optimizer that knows "
                    "its variables; call build(trainable_variables) first"
                )
            variables = self._trainable_variables
        else:
            variables = list(variables)
            if not self.built:
                self.build(variables)
                self.built = True
            for variable in variables:
                if variable not in self._trainable_variables_indices:
                    raise ValueError(
                        f"{self.name}: Unknown variable: {variable}. An optimizer can only be "
                        "called for the variables it was built with; for others, make a new one"
                    )
        if len(grads) != len(variables):
            raise ValueError(
                f"{self.name}.apply: received {len(grads)} gradients for {len(variables)} variables"
            )
        return variables

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """To be called when training ends: with `use_ema`, sets the weights to their average.

        Raises ValueError where `var_list` is not what the optimizer was built with.
        """
        if not self.use_ema:
            return
        if len(var_list) != len(self._model_variables_moving_average):
            raise ValueError(
                f"{self.name}.finalize_variable_values: received {len(var_list)} variables, but "
                f"averages were kept of {len(self._model_variables_moving_average)}"
            )
        for variable, average in zip(var_list, self._model_variables_moving_average, strict=True):
            if average is not None:
                variable.assign(copy_of(average))

    def scale_loss(self, loss: Any) -> Any:
        """The loss (scalar), multiplied by `loss_scale_factor` where there is one."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def get_config(self) -> dict:
        """The arguments that make an equal optimizer; its state is not among them."""
        rate = self._learning_rate
        return {
            "name": self.name,
            "learning_rate": (
                float(rate.numpy()) if isinstance(rate, Variable) else serialization.serialize(rate)
            ),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None):
        """An optimizer made from what `get_config` returned."""
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = serialization.deserialize(
                config["learning_rate"], custom_objects=custom_objects
            )
        return cls(**config)
