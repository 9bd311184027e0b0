"""Nodes: one application of an operation, and how calling on symbolic tensors makes them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from cornu.core import naming
from cornu.core.context import current_context
from cornu.core.dtypes import to_numpy_dtype
from cornu.core.serialization import Serializable
from cornu.core.variable import Variable, discarding_assignments
from cornu.graph.tensor import KerasTensor, has_symbolic

# Sizes put in the place of open ones to see which output sizes follow them: far apart, so that a
# stride between windows does not make the outputs equal, and primes, so that no
# product of known sizes is likely to be taken for one of them.
_PROBES = (83, 1009)


class Node:
    """One application of an operation to tensors.

    Attributes:
        operation: the kind, in the field's terms: "Dense", "Conv2D", "add", "InputLayer".
        name: of what is applied; the same for each application of a shared layer.
        target: what computes it: any callable, or None where the graph only describes.
        args, kwargs: the arguments as given; symbolic tensors among them are the inputs.
        inputs, outputs: the symbolic tensors, in order.
        output_structure: how the outputs are nested.
        call_index: the how-manieth application of its target this is, from 0.
    """

    def __init__(
        self,
        operation: str,
        name: str,
        target: Any,
        args: tuple = (),
        kwargs: dict | None = None,
        outputs: Any = None,
        attributes: dict | None = None,
        call_index: int = 0,
    ):
        self.operation = operation
        self.name = name
        self.target = target
        self.args = args
        self.kwargs = kwargs or {}
        self.inputs = [
            leaf
            for leaf in jax.tree_util.tree_leaves((self.args, self.kwargs))
            if isinstance(leaf, KerasTensor)
        ]
        self.outputs, self.output_structure = jax.tree_util.tree_flatten(outputs)
        self._attributes = attributes
        self.call_index = call_index
        for index, tensor in enumerate(self.outputs):
            tensor.node = self
            tensor.index = index

    @property
    def is_input(self) -> bool:
        """Whether it is an entrance of the network rather than a computation."""
        return not self.inputs

    @property
    def attributes(self) -> dict:
        """The settings of the operation, plain data."""
        if self._attributes is not None:
            return self._attributes
        get_config = getattr(self.target, "get_config", None)
        return get_config() if get_config is not None else {}

    @property
    def parameters(self) -> dict[str, Any]:
        """The arrays that belong to the operation, by name: what it learns and keeps."""
        return {weight.name: weight for weight in getattr(self.target, "weights", ())}

    def __repr__(self) -> str:
        shapes = [tensor.shape for tensor in self.outputs]
        return f"<Node {self.name} ({self.operation}) -> {shapes}>"


class FunctionOperation(Serializable):
    """A plain function of arrays as the target of a node: `x + y`, `ops.mean(x, axis=1)`."""

    public_module = "ops"

    def __init__(self, function: Callable, name: str | None = None):
        self.function = function
        self.operation = function.__name__
        self.name = name or naming.unique_name(self.operation)
        self.nodes: list[Node] = []

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    def record(self, args: tuple, kwargs: dict) -> Any:
        """Adds an application of it to the graph; returns its symbolic outputs."""
        outputs = infer(self, args, kwargs)
        self.nodes.append(
            Node(self.operation, self.name, self, args, kwargs, outputs, None, len(self.nodes))
        )
        return outputs

    def get_config(self) -> dict:
        return {"name": self.name, "operation": self.operation}

    @classmethod
    def from_config(cls, config: dict):
        function = _functions.get(config["operation"])
        if function is None:
            raise ValueError(f"unknown operation {config['operation']!r}")
        return cls(function, config["name"])


class _Local(threading.local):
    probe: int | None = None


_local = _Local()


def open_shape(value) -> tuple:
    """The shape of an array; while shapes are being asked, with an open batch axis as None."""
    shape = tuple(value.shape) if hasattr(value, "shape") else np.shape(value)
    if shape and shape[0] == _local.probe and isinstance(value, jax.core.Tracer):
        return (None, *shape[1:])
    return shape


def is_traced_again(value) -> bool:
    """Whether an array is traced though the same code has been traced with another one before.

    What has to be said of a network is said when it is traced for the first time: not again for
    the second size that shapes are asked with, nor while the network is compiled.
    """
    if not isinstance(value, jax.core.Tracer):
        return False
    if _local.probe is None:
        return current_context() is not None
    return _local.probe == _PROBES[1]


def infer(function: Callable, args: tuple, kwargs: dict) -> Any:
    """The nest of symbolic tensors that a function of arrays would return for symbolic arguments.

    Shapes are asked, not written: the function is traced, with nothing computed. Where an input has
    open sizes it is traced with two different sizes, and output sizes that differ are open too.
    """
    leaves, structure = jax.tree_util.tree_flatten((args, kwargs))
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, KerasTensor)]
    tensors = [leaves[i] for i in places]

    def traced(arrays):
        filled = list(leaves)
        for place, array in zip(places, arrays, strict=True):
            filled[place] = array
        filled_args, filled_kwargs = structure.unflatten(filled)
        with discarding_assignments():
            return function(*filled_args, **filled_kwargs)

    def shapes(probe):
        outer, _local.probe = _local.probe, probe
        specs = [
            jax.ShapeDtypeStruct(
                tuple(probe if size is None else size for size in tensor.shape),
                to_numpy_dtype(tensor.dtype),
            )
            for tensor in tensors
        ]
        try:
            return jax.eval_shape(traced, specs)
        finally:
            _local.probe = outer

    first = shapes(_PROBES[0])
    if not any(None in tensor.shape for tensor in tensors):
        return jax.tree_util.tree_map(lambda spec: KerasTensor(spec.shape, spec.dtype), first)
    return jax.tree_util.tree_map(
        lambda one, two: KerasTensor(
            [a if a == b else None for a, b in zip(one.shape, two.shape, strict=True)], one.dtype
        ),
        first,
        shapes(_PROBES[1]),
    )


def record(function: Callable, args: tuple, kwargs: dict) -> Any:
    """Adds the application of a plain function to the graph; returns its symbolic outputs."""
    return FunctionOperation(function).record(args, kwargs)


_functions: dict[str, Callable] = {}


def operation(function: Callable) -> Callable:
    """Decorator: lets a function of arrays also take symbolic tensors, and Variables."""
    _functions[function.__name__] = function

    @functools.wraps(function)
    def call(*args, **kwargs):
        if has_symbolic(args, kwargs):
            return record(function, args, kwargs)
        return function(
            *(arg.value if isinstance(arg, Variable) else arg for arg in args), **kwargs
        )

    return call


def _binary(name: str, function: Callable, swapped: bool = False):
    function = _named(name, function)

    def method(self, other):
        if isinstance(other, Variable):
            other = other.value
        if not isinstance(
            other, (KerasTensor, int, float, bool, np.ndarray, np.generic, jax.Array)
        ):
            return NotImplemented
        return record(function, (other, self) if swapped else (self, other), {})

    return method


def _unary(name: str, function: Callable):
    function = _named(name, function)
    return lambda self: record(function, (self,), {})


def _named(name: str, function: Callable) -> Callable:
    def applied(*args):
        return function(*args)

    applied.__name__ = name
    return _functions.setdefault(name, applied)


for _name, _method, _function in (
    ("add", "add", jnp.add),
    ("subtract", "sub", jnp.subtract),
    ("multiply", "mul", jnp.multiply),
    ("true_divide", "truediv", jnp.true_divide),
    ("floor_divide", "floordiv", jnp.floor_divide),
    ("mod", "mod", jnp.mod),
    ("power", "pow", jnp.power),
    ("matmul", "matmul", jnp.matmul),
):
    setattr(KerasTensor, f"__{_method}__", _binary(_name, _function))
    setattr(KerasTensor, f"__r{_method}__", _binary(_name, _function, swapped=True))
for _name, _method, _function in (
    ("less", "lt", jnp.less),
    ("less_equal", "le", jnp.less_equal),
    ("greater", "gt", jnp.greater),
    ("greater_equal", "ge", jnp.greater_equal),
):
    setattr(KerasTensor, f"__{_method}__", _binary(_name, _function))
for _name, _method, _function in (  # type: ignore[assignment]
    ("negative", "neg", jnp.negative),
    ("absolute", "abs", jnp.abs),
    ("logical_not", "invert", jnp.logical_not),
):
    setattr(KerasTensor, f"__{_method}__", _unary(_name, _function))


def get_item(x, key):
    """The part of an array that an index picks."""
    return x[key]


_functions["get_item"] = get_item


def _item_of(self, key):
    return record(get_item, (self, key), {})


for _method, _taker in (("__getitem__", _item_of),):
    setattr(KerasTensor, _method, _taker)
