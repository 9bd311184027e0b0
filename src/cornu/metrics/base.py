"""Metric: sums kept over batches, and the number made of them at the end."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np

from cornu.core import dtypes, naming
from cornu.core.initialized import not_initialized
from cornu.core.serialization import Serializable, is_builtin
from cornu.core.variable import Variable, bind, path_scope

_PYTHON_NAMES = {"int": "int32", "float": None, "bool": "bool"}


class Metric(Serializable):
    """Base of all metrics: what is summed up over the batches is kept in variables.

    A subclass makes its variables in `__init__`, adds to them in `update_state` and makes the
    number in `result`. Both run inside compiled programs: use `jax.numpy`, and no Python `if` on
    values.

    Args:
        dtype: name of the dtype that the metric computes in; by default the default float type. Of
            a mixed-precision policy, the type it computes in.
        name: the name in the logs; by default made from the class's name.

    >>> class Largest(Metric):
    ...     def __init__(self, name="largest", **kwargs):
    ...         super().__init__(name=name, **kwargs)
    ...         self.value = self.add_variable((), "zeros", name="value")
    ...
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.value.assign(jax.numpy.maximum(self.value.value, y_pred.max()))
    ...
    ...     def result(self):
    ...         return self.value.value
    >>> largest = Largest()
    >>> largest.update_state(None, np.array([1.0, 5.0, 2.0]))
    >>> float(largest.result())
    5.0
    """

    _variables: list[Variable]

    def __init__(self, dtype=None, name: str | None = None):
        self.name = name or naming.auto_name(self)
        self._dtype = _computed_in(dtype)
        self._variables = []

    @property
    def dtype(self) -> str:
        """Name of the dtype that the metric computes in."""
        return self._dtype

    def add_variable(
        self,
        shape: Sequence[int] = (),
        initializer: str | Callable | None = "zeros",
        dtype=None,
        aggregation: str = "sum",
        name: str | None = None,
    ) -> Variable:
        """A new variable of this metric.

        Args:
            shape: its sizes, a scalar by default.
            initializer: name of an initializer, or a callable `(shape, dtype) -> array`.
            dtype: name of its dtype; by default the default float type.
            aggregation: how the values of several devices become one: "sum", "mean" or "none".
            name: its name.
        """
        self._check_initialized()
        # A metric may be built while a program is traced; its variables hold real arrays all the
        # same.
        with path_scope(self.name.replace("/", ">")), jax.ensure_compile_time_eval():
            variable = Variable(
                _initializer(initializer),
                shape=tuple(shape),
                dtype=dtype,
                trainable=False,
                autocast=False,
                aggregation=aggregation,
                name=name,
            )
        self._variables.append(variable)
        return variable

    def add_weight(
        self,
        shape: Sequence[int] = (),
        initializer: str | Callable | None = None,
        dtype=None,
        name: str | None = None,
        **kwargs,
    ) -> Variable:
        """Another name of `add_variable`."""
        return self.add_variable(shape, initializer, dtype=dtype, name=name)

    @property
    def variables(self) -> list[Variable]:
        """Its own variables, then those of metrics held as attributes, in lists or in dicts."""
        self._check_initialized()
        found = {id(variable): variable for variable in self._variables}
        nested: list[Metric] = []
        for item in _held(list(vars(self).values())):
            if isinstance(item, Metric):
                nested.append(item)
            else:
                found.setdefault(id(item), item)
        for metric in nested:
            for variable in metric.variables:
                found.setdefault(id(variable), variable)
        return list(found.values())

    @property
    def accepts_mask(self) -> bool:
        """Whether `update_state` takes `mask`, which of the predictions count."""
        return "mask" in inspect.signature(self.update_state).parameters

    def build(self, y_true, y_pred) -> None:
        """Makes the variables whose shapes depend on the data; called once, before training.

        `y_true` and `y_pred` are anything with a `shape` (None for an unknown batch) and a `dtype`.
        A metric that makes all its variables in `__init__` has nothing to do here; one of a user's
        that makes them in its first update is given a batch of zeros.
        """
        if is_builtin(type(self)):
            return
        known = len(self.variables)
        before = {
            key: copy.copy(value) if isinstance(value, (list, dict, set)) else value
            for key, value in vars(self).items()
        }
        specs = [
            jax.ShapeDtypeStruct(tuple(size or 1 for size in spec.shape), spec.dtype)
            for spec in (y_true, y_pred)
        ]
        # an error of the metric itself comes again, and in full, when it is used
        with contextlib.suppress(Exception):
            jax.eval_shape(bind(self._update, self.variables), _values(self.variables), *specs)
        made_more = len(self.variables) > known
        vars(self).clear()
        vars(self).update(before)
        if made_more:
            self._update(*(np.zeros(spec.shape, spec.dtype) for spec in specs))
            self.reset_state()

    def _update(self, y_true, y_pred) -> None:
        self.update_state(y_true, y_pred)

    def update_state(self, *args, **kwargs) -> None:
        """Adds a batch to the variables; a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define update_state()")

    def result(self) -> Any:
        """The number, or the dict of numbers, made from the variables; a subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define result()")

    def reset_state(self) -> None:
        """Sets every variable to zero, as at the beginning of an epoch."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, dtypes.to_numpy_dtype(variable.dtype)))

    def stateless_update_state(self, metric_variables, *args, **kwargs) -> list:
        """The values that the variables would have after an update: a pure function.

        `metric_variables` are the values before it, in the order of `variables`.

        >>> from cornu.metrics import Mean
        >>> mean = Mean()
        >>> total, count = mean.stateless_update_state([1.0, 1.0], [2.0, 3.0])
        >>> float(total), float(count), float(mean.total.value)
        (6.0, 3.0, 0.0)
        """
        self._check_count(metric_variables)
        return bind(self.update_state, self.variables)(metric_variables, *args, **kwargs)[1]

    def stateless_result(self, metric_variables):
        """The result that given values of the variables make: a pure function.

        >>> from cornu.metrics import Mean
        >>> float(Mean().stateless_result([np.float32(6.0), np.float32(3.0)]))
        2.0
        """
        self._check_count(metric_variables)
        return bind(self.result, self.variables)(metric_variables)[0]

    def stateless_reset_state(self) -> list:
        """The values that the variables would have after `reset_state`.

        >>> from cornu.metrics import Mean
        >>> [float(value) for value in Mean().stateless_reset_state()]
        [0.0, 0.0]
        """
        return bind(self.reset_state, self.variables)(_values(self.variables))[1]

    def __call__(self, *args, **kwargs):
        self._check_initialized()
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict:
        """The arguments that make an equal metric."""
        return {"name": self.name, "dtype": self.dtype}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def _check_count(self, values) -> None:
        if len(values) != len(self.variables):
            raise ValueError(
                f"{type(self).__name__}: received {len(values)} values for its "
                f"{len(self.variables)} variables; pass one for each of "
                f"{[variable.name for variable in self.variables]}, in this order"
            )

    def _check_initialized(self) -> None:
        if "_variables" not in vars(self):
            raise not_initialized(self)


def _computed_in(dtype) -> str:
    if isinstance(dtype, str):
        dtype = _PYTHON_NAMES.get(dtype, dtype)
    return dtypes.floatx() if dtype is None else dtypes.get_policy(dtype).compute_dtype


def _initializer(identifier) -> Callable:
    if identifier is None or (isinstance(identifier, str) and identifier == "zeros"):
        return _zeros
    if callable(identifier) and not inspect.isclass(identifier):
        return identifier
    from cornu import initializers  # only the rare metric needs one: not read with this module

    return initializers.get(identifier)


def _zeros(shape, dtype) -> np.ndarray:
    return np.zeros(shape, dtypes.to_numpy_dtype(dtype))


def _held(values) -> Iterator:
    for value in values:
        if isinstance(value, (Metric, Variable)):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _held(value)
        elif isinstance(value, dict):
            yield from _held(value.values())


def _values(variables: Sequence[Variable]) -> list[jax.Array]:
    return [variable.value for variable in variables]
