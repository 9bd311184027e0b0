"""Variable: a named array that a network owns. bind: code that uses variables, as a pure function.

Layers are written the simple way: `call` reads `self.kernel`, batch normalization assigns to its
moving mean. `bind` runs such code with other values in the variables' place and hands back the
values that they end with; that is all that the rest of the project knows about purity.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import naming
from cornu.core.dtypes import is_float, standardize_dtype, to_numpy_dtype


class _Local(threading.local):
    """What is in force on this thread: the innermost scope of values, the dtype to compute in."""

    scope: _Scope | None = None
    autocast: str | None = None
    path: tuple[str, ...] = ()


_local = _Local()


class _Scope:
    """Values standing in for those of some variables; other variables are looked up further out."""

    def __init__(self, values: dict[Variable, Any], outer: _Scope | None, discards: bool = False):
        self.values = values
        self.outer = outer
        self.discards = discards

    def reader(self, variable: Variable) -> _Scope | None:
        """The innermost scope that has a value for the variable."""
        scope: _Scope | None = self
        while scope is not None and variable not in scope.values:
            scope = scope.outer
        return scope

    def writer(self, variable: Variable) -> _Scope | None:
        """The innermost scope that takes a new value for the variable."""
        scope: _Scope | None = self
        while scope is not None and not scope.discards and variable not in scope.values:
            scope = scope.outer
        return scope


class Variable:
    """A named array on the device, owned by a layer, an optimizer or a metric.

    Args:
        initializer: an array-like, or a callable `(shape, dtype) -> array`.
        shape: tuple of integers; needed where `initializer` is a callable.
        dtype: name of the dtype; by default that of the array given, or the default float type.
        trainable: whether an optimizer may change it.
        autocast: whether mixed precision may hand it out in the type computed in.
        name: by default `variable`, `variable_1`, ...
        regularizer: a callable `value -> scalar` added to the loss, or None.
        constraint: a callable `value -> value` applied after each update, or None.

    Raises:
        ValueError: a shape with unknown sizes, or one that the given array does not have.

    >>> v = Variable(np.ones((2, 3)), name="kernel")
    >>> v.shape, v.dtype
    ((2, 3), 'float32')
    """

    def __init__(
        self,
        initializer,
        shape: Sequence[int] | None = None,
        dtype=None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        regularizer: Callable | None = None,
        constraint: Callable | None = None,
    ):
        self.name = name or naming.unique_name("variable")
        self.path = "/".join((*_local.path, self.name))
        self.trainable = trainable
        self.autocast = autocast
        self.aggregation = aggregation
        self.regularizer = regularizer
        self.constraint = constraint
        self.overwrite_with_gradient = False
        if callable(initializer):
            if shape is None:
                raise ValueError(f"Variable {self.name!r}: an initializer function needs a shape")
            if any(size is None for size in shape):
                raise ValueError(
                    f"Variable {self.name!r}: every size of its shape must be known, "
                    f"received {tuple(shape)}"
                )
            self._dtype = standardize_dtype(dtype)
            with jax.ensure_compile_time_eval():
                value = initializer(tuple(int(size) for size in shape), dtype=self._dtype)
        else:
            value = initializer.value if isinstance(initializer, Variable) else initializer
            if dtype is None:
                # float64 is NumPy's and Python's default, hardly ever a choice: Keras stores floatx
                given = np.asarray(value).dtype if not isinstance(value, jax.Array) else value.dtype
                dtype = None if given == np.float64 else given
            self._dtype = standardize_dtype(dtype)
        # A network may be built while JAX is tracing (a model's first call): the initial value must
        # be a real array all the same.
        with jax.ensure_compile_time_eval():
            self._value: jax.Array = _to_device(value, self._dtype)
        if shape is not None and tuple(shape) != self._value.shape:
            raise ValueError(
                f"Variable {self.name!r}: expected an initial value of shape {tuple(shape)}, "
                f"received one of shape {self._value.shape}"
            )

    @property
    def value(self) -> jax.Array:
        """The array, or the one standing in for it under `bind`."""
        scope = _local.scope
        if scope is not None:
            scope = scope.reader(self)
        value = self._value if scope is None else scope.values[self]
        cast = _local.autocast
        if cast is not None and self.autocast and is_float(self._dtype):
            return value.astype(cast)
        return value

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""
        return tuple(self._value.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._value.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._value.size

    @property
    def dtype(self) -> str:
        """Name of the dtype; under mixed precision, of the one it is handed out in."""
        cast = _local.autocast
        if cast is not None and self.autocast and is_float(self._dtype):
            return cast
        return self._dtype

    def assign(self, value) -> Variable:
        """Puts another array of the same shape in its place.

        Raises ValueError where the shape differs, RuntimeError where a traced value would escape
        from a compiled function that does not own this variable.
        """
        value = value.value if isinstance(value, Variable) else value
        shape = np.shape(value)
        if shape != self.shape:
            raise ValueError(
                f"Variable {self.path!r} has shape {self.shape}; it cannot be assigned a value of "
                f"shape {shape}"
            )
        scope = _local.scope
        if scope is not None:
            scope = scope.writer(self)
        if scope is not None:
            scope.values[self] = jnp.asarray(value, to_numpy_dtype(self._dtype))
        elif isinstance(value, jax.core.Tracer):
            raise RuntimeError(
                f"Variable {self.path!r} was assigned inside a compiled function that does not "
                "know of it. Make it an attribute of the layer or metric that assigns it"
            )
        else:
            self._value = _to_device(value, self._dtype)
        return self

    def assign_add(self, value) -> Variable:
        """Adds to it."""
        return self.assign(self.value + _plain(value))

    def assign_sub(self, value) -> Variable:
        """Subtracts from it."""
        return self.assign(self.value - _plain(value))

    def numpy(self) -> np.ndarray:
        """A copy of its value as a NumPy array."""
        return np.array(self.value)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        value = np.array(self.value)
        return value if dtype is None else value.astype(dtype)

    def __jax_array__(self) -> jax.Array:
        return self.value

    def __getitem__(self, index):
        return self.value[index]

    def __len__(self) -> int:
        return len(self.value)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return (
            f"<Variable path={self.path} shape={self.shape} dtype={self._dtype} "
            f"value={np.asarray(self._value)}>"
        )

    __hash__ = object.__hash__


def _operator(name: str):
    def method(self, *others):
        return getattr(self.value, name)(*(_plain(other) for other in others))

    method.__name__ = name
    return method


for _name in (
    *("neg", "pos", "abs", "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv"),
    *("floordiv", "rfloordiv", "mod", "rmod", "pow", "rpow", "matmul", "rmatmul"),
    *("lt", "le", "gt", "ge", "eq", "ne"),
):
    setattr(Variable, f"__{_name}__", _operator(f"__{_name}__"))


def _plain(value):
    return value.value if isinstance(value, Variable) else value


def _to_device(value, dtype: str) -> jax.Array:
    if isinstance(value, jax.Array) and not value.aval.weak_type:
        if value.dtype != dtype:
            return value.astype(dtype)
        # a copy: a training program gives its variables' arrays away to be overwritten
        return jax.device_put(value, value.sharding, may_alias=False)
    # through NumPy, which has nothing to compile
    return jax.device_put(np.asarray(value).astype(to_numpy_dtype(dtype)))


def bind(function: Callable, variables: Sequence[Variable]) -> Callable:
    """A pure function of the variables' values from code that reads and assigns variables.

    Args:
        function: any callable; it may read and assign `variables`.
        variables: those whose values become an argument. Others are constants of the function.

    Returns:
        `(values, *args, **kwargs) -> (function's result, new values)`, both lists in the order of
        `variables`. Values are arrays, or Variables, which stand for their values. The function can
        be given to `jax.jit`, `jax.grad` and the like.

    >>> counter = Variable(np.zeros(()), name="counter")
    >>> pure = bind(lambda step: counter.assign_add(step).value, [counter])
    >>> result, (after,) = pure([counter.value], 2.0)
    >>> float(result), float(after), float(counter.value)
    (2.0, 2.0, 0.0)
    """
    variables = tuple(variables)

    def pure(values, *args, **kwargs):
        values = tuple(_plain(value) for value in values)
        if len(values) != len(variables):
            raise ValueError(f"bind: {len(variables)} variables, {len(values)} values")
        outer = _local.scope
        scope = _local.scope = _Scope(dict(zip(variables, values, strict=True)), outer)
        try:
            result = function(*args, **kwargs)
        finally:
            _local.scope = outer
        return result, [scope.values[variable] for variable in variables]

    return pure


@contextlib.contextmanager
def discarding_assignments() -> Iterator[None]:
    """Within the block, assignments last until its end only: to ask what a call would return."""
    outer = _local.scope
    _local.scope = _Scope({}, outer, discards=True)
    try:
        yield
    finally:
        _local.scope = outer


@contextlib.contextmanager
def autocast(dtype: str | None) -> Iterator[None]:
    """Within the block, float variables are handed out in `dtype` (None: as they are stored)."""
    outer = _local.autocast
    _local.autocast = dtype
    try:
        yield
    finally:
        _local.autocast = outer


@contextlib.contextmanager
def path_scope(name: str) -> Iterator[None]:
    """Within the block, the paths of new variables begin with `name/`."""
    outer = _local.path
    _local.path = (*outer, name)
    try:
        yield
    finally:
        _local.path = outer
