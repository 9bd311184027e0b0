"""Plain operations in a network - `x * 2 + y`, `ops.mean(x, axis=1)` - as Keras writes them.

Keras has a class for each operation: some arguments are settings of the class, the others are what
it is called on. Here an operation is a function, so its arguments are sorted into the two kinds.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from cornu.core.dtypes import standardize_dtype
from cornu.core.serialization import did_you_mean
from cornu.graph import FunctionOperation, KerasTensor, Node

# Module of `keras.src.ops`, what the operation is called on, its settings: names of classes. The
# function has the class's name in snake case, or the one behind "=".
_CLASSES = {
    ("core", "indices values", "shape"): "Scatter",
    ("core", "inputs indices updates", "reduction"): "ScatterUpdate",
    ("core", "inputs start_indices", "shape"): "Slice",
    ("core", "inputs start_indices updates", ""): "SliceUpdate",
    ("core", "variable", ""): "StopGradient",
    ("core", "x", "dtype"): "Cast SaturateCast",
    ("core", "x", "num axis"): "Unstack",
    ("linalg", "a b", ""): "Solve",
    ("linalg", "a b", "lower"): "SolveTriangular",
    ("linalg", "a b", "rcond"): "Lstsq",
    ("linalg", "x", ""): "Det Eig Eigh Inv LuFactor",
    ("linalg", "x", "full_matrices compute_uv"): "SVD=svd",
    ("linalg", "x", "mode"): "Qr",
    ("linalg", "x", "ord axis keepdims"): "Norm",
    ("linalg", "x", "rcond"): "Pinv",
    ("linalg", "x", "tol"): "MatrixRank",
    ("linalg", "x", "upper"): "Cholesky",
    ("math", "data segment_ids", "num_segments sorted"): (
        "SegmentSum SegmentMax SegmentMin SegmentProd"
    ),
    ("math", "targets predictions", "k"): "InTopK",
    ("math", "x", ""): "Rsqrt Erf Erfc Erfinv Logdet",
    ("math", "x", "axis keepdims"): "Logsumexp",
    ("math", "x", "k sorted"): "TopK",
    ("math", "x y", ""): "CDist=cdist",
    ("nn", "inputs", "num_classes axis dtype sparse"): "MultiHot",
    ("nn", "target output", "from_logits"): "BinaryCrossentropy",
    ("nn", "target output", "from_logits axis"): (
        "CategoricalCrossentropy SparseCategoricalCrossentropy"
    ),
    ("nn", "x", ""): (
        "Relu Relu6 Sigmoid SparseSigmoid Softplus Softsign SparsePlus Silu Silu=swish LogSigmoid "
        "HardSigmoid HardSilu HardSilu=hard_swish Selu TanhShrink HardTanh"
    ),
    ("nn", "x", "alpha"): "Elu Celu",
    ("nn", "x", "approximate"): "Gelu",
    ("nn", "x", "axes keepdims synchronized"): "Moments",
    ("nn", "x", "axis"): "Glu Softmax LogSoftmax Sparsemax",
    ("nn", "x", "axis order epsilon"): "Normalize",
    ("nn", "x", "b"): "Squareplus",
    ("nn", "x", "negative_slope"): "LeakyRelu",
    ("nn", "x", "num_classes axis dtype sparse"): "OneHot",
    ("nn", "x", "threshold"): "SoftShrink HardShrink",
    ("nn", "x", "threshold default_value"): "Threshold",
    ("nn", "x gamma beta", "axis epsilon rms_scaling"): "LayerNorm=layer_normalization",
    ("nn", "x mean variance offset scale", "axis epsilon"): "BatchNorm=batch_normalization",
    ("nn", "x scale", "axis epsilon"): "RMSNorm=rms_normalization",
    ("numpy", "a", "n axis"): "Diff",
    ("numpy", "array", "k axes"): "Rot90",
    ("numpy", "condition x1 x2", ""): "Where",
    ("numpy", "condlist choicelist default", ""): "Select",
    ("numpy", "indices", "shape"): "UnravelIndex",
    ("numpy", "operands", "subscripts"): "Einsum",
    ("numpy", "sorted_sequence values", "side"): "SearchSorted=searchsorted",
    ("numpy", "x", ""): (
        "Absolute Absolute=abs Fabs Angle Arccos Arccosh Arcsin Arcsinh Arctan Arctanh "
        "BitwiseInvert BitwiseNot Cbrt Ceil Conjugate Conjugate=conj Copy Cos Cosh Deg2rad Rad2deg "
        "Exp Exp2 Expm1 Fliplr Flipud Floor Imag I0 Isfinite Isinf Isnan Isneginf Isposinf Isreal "
        "Log Log10 Log1p Log2 LogicalNot Nonzero Ravel Real Reciprocal Sign Signbit Sin Sinc Sinh "
        "Tan Tanh Trunc Negative Square Sqrt Corrcoef Slogdet"
    ),
    ("numpy", "x", "N increasing"): "Vander",
    ("numpy", "x", "axes"): "Transpose",
    ("numpy", "x", "axis"): "Argsort CountNonzero ExpandDims Flip Sort Stack Squeeze",
    ("numpy", "x", "axis dtype"): "Cumprod Cumsum Nancumsum Nancumprod",
    ("numpy", "x", "axis keepdims"): (
        "All Any Amax Amin Argmax Argmin Median Nanargmax Nanargmin Nanmax Nanmean Nanmedian "
        "Nanmin Nanprod Nanstd Nansum Nanvar Ptp Std Mean Var Sum"
    ),
    ("numpy", "x", "axis keepdims dtype"): "Prod",
    ("numpy", "x", "axis keepdims initial"): "Max Min",
    ("numpy", "x", "axis1 axis2"): "Swapaxes",
    ("numpy", "x", "bins range"): "Histogram",
    ("numpy", "x", "decimals"): "Round",
    ("numpy", "x", "dtype"): "EmptyLike OnesLike ZerosLike",
    ("numpy", "x", "indexing"): "Meshgrid",
    ("numpy", "x", "indices_or_sections"): "Hsplit Vsplit Dsplit",
    ("numpy", "x", "indices_or_sections axis"): "Split ArraySplit",
    ("numpy", "x", "k"): "Diag Diagflat Tril Triu",
    ("numpy", "x", "kth axis"): "Argpartition",
    ("numpy", "x", "nan posinf neginf"): "NanToNum",
    ("numpy", "x", "newshape"): "Reshape",
    ("numpy", "x", "offset axis1 axis2"): "Diagonal Trace",
    ("numpy", "x", "repeats"): "Tile",
    ("numpy", "x", "repeats axis"): "Repeat",
    ("numpy", "x", "shape"): "BroadcastTo",
    ("numpy", "x", "shift axis"): "Roll",
    ("numpy", "x", "source destination"): "Moveaxis",
    ("numpy", "x", "weights minlength sparse"): "Bincount",
    ("numpy", "x", "x_min x_max"): "Clip",
    ("numpy", "x bins", ""): "Digitize",
    ("numpy", "x constant_values", "pad_width mode"): "Pad",
    ("numpy", "x fill_value", "dtype"): "FullLike",
    ("numpy", "x indices", "axis"): "Take TakeAlongAxis",
    ("numpy", "x key", ""): "GetItem",
    ("numpy", "x q", "axis method keepdims"): "Nanpercentile Nanquantile Percentile Quantile",
    ("numpy", "x weights", "axis"): "Average",
    ("numpy", "x y", ""): (
        "BitwiseAnd BitwiseOr BitwiseXor BitwiseLeftShift LeftShift BitwiseRightShift RightShift"
    ),
    ("numpy", "x1 x2", ""): (
        "Add Arctan2 Heaviside Dot Equal Gcd Greater GreaterEqual Hypot Kron Lcm Ldexp Less "
        "LessEqual Logaddexp Logaddexp2 LogicalAnd LogicalOr Matmul Maximum Fmax Minimum Fmin Mod "
        "Fmod NotEqual Outer Vdot Inner Subtract Multiply Divide DivideNoNan TrueDivide Power "
        "Nextafter FloorDivide LogicalXor"
    ),
    ("numpy", "x1 x2", "assume_unique invert"): "IsIn=isin",
    ("numpy", "x1 x2", "axes"): "Tensordot",
    ("numpy", "x1 x2", "axis"): "Append",
    ("numpy", "x1 x2", "axisa axisb axisc axis"): "Cross",
    ("numpy", "x1 x2", "mode"): "Correlate",
    ("numpy", "x1 x2", "rtol atol equal_nan"): "AllClose=allclose",
    ("numpy", "x1 x2 rtol atol", "equal_nan"): "Isclose",
    ("numpy", "xs", ""): "Dstack Hstack Vstack",
    ("numpy", "xs", "axis"): "Concatenate",
    ("numpy", "y", "x dx axis"): "Trapezoid",
}
_HOME = "keras.src.ops."


class Kind(NamedTuple):
    """Where Keras keeps an operation, and how it divides its arguments."""

    module: str
    class_name: str
    function: str
    called_on: tuple[str, ...]
    settings: tuple[str, ...]


@functools.cache
def _kinds() -> tuple[dict[str, Kind], dict[tuple[str, str], Kind]]:
    """All that is known, by the function's name, and by Keras' module and class."""
    by_function: dict[str, Kind] = {}
    by_class: dict[tuple[str, str], Kind] = {}
    for (module, called_on, settings), names in _CLASSES.items():
        for name in names.split():
            class_name, _, function = name.partition("=")
            function = function or re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()
            kind = Kind(
                _HOME + module,
                class_name,
                function,
                tuple(called_on.split()),
                tuple(settings.split()),
            )
            by_function[function] = kind
            by_class.setdefault((kind.module, class_name), kind)
    return by_function, by_class


def class_name(operation: FunctionOperation) -> str:
    """Keras' class for an operation: "TrueDivide" for `x / y`."""
    kind = _kinds()[0].get(operation.operation)
    return kind.class_name if kind is not None else operation.operation


def is_operation(entry: dict) -> bool:
    """Whether an entry among the layers of a configuration is a plain operation."""
    return str(entry.get("module") or "").startswith(_HOME)


def _signature(kind: Kind) -> dict[str, inspect.Parameter]:
    from cornu import ops

    return dict(inspect.signature(getattr(ops, kind.function)).parameters)


def write_operation(
    operation: FunctionOperation, nodes: list[Node], argument: Callable[[Any], Any]
) -> dict:
    """The entry for an operation and its applications, as Keras 3 writes it.

    Args:
        operation: what is applied.
        nodes: its applications in the network.
        argument: makes the plain form of an argument: of a symbolic tensor, a number, an array.

    Raises ValueError where Keras has no such operation, or takes a tensor only as a plain setting.
    """
    kind = _kinds()[0].get(operation.operation)
    if kind is None or operation.function.__module__.split(".")[0] != "cornu":
        raise ValueError(
            f"the operation {operation.name!r} (function {operation.operation!r}) cannot be "
            "written to a file: Keras knows no such operation. Call the function in a "
            "layer of your own, registered with cornu.saving.register_keras_serializable()"
        )
    config: dict[str, Any] = {"name": operation.name}
    inbound: list = []
    for node in nodes:
        given = _arguments(kind, node)
        settings = {name: _setting(operation, name, given.pop(name)) for name in kind.settings}
        if inbound and settings != {name: config[name] for name in kind.settings}:
            raise ValueError(f"the operation {operation.name!r} is applied with different settings")
        config.update({name: argument(value) for name, value in settings.items()})
        inbound.append({"args": [argument(value) for value in given.values()], "kwargs": {}})
    return {
        "module": kind.module,
        "class_name": kind.class_name,
        "config": config,
        "registered_name": kind.class_name,
        "name": operation.name,
        "inbound_nodes": inbound,
    }


def _arguments(kind: Kind, node: Node) -> dict[str, Any]:
    """All arguments of an application by name, defaults too; several behind `*` by number."""
    parameters = _signature(kind)
    bound = inspect.Signature(list(parameters.values())).bind(*node.args, **node.kwargs)
    bound.apply_defaults()
    found = {}
    for name in (*kind.settings, *kind.called_on):
        if parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            found.update({f"{name}{i}": value for i, value in enumerate(bound.arguments[name])})
        else:
            found[name] = bound.arguments[name]
    return found


def _setting(operation: FunctionOperation, name: str, value: Any) -> Any:
    for leaf in jax.tree_util.tree_leaves(value):
        if isinstance(leaf, (KerasTensor, jax.Array, np.ndarray)):
            raise ValueError(
                f"the operation {operation.name!r} cannot be written to a file: its {name} is an "
                "array, and Keras takes only plain numbers there"
            )
    return standardize_dtype(value) if name == "dtype" and value is not None else value


def read_operation(entry: dict) -> tuple[FunctionOperation, Callable[[list, dict], tuple]]:
    """The operation that an entry describes, and how to call it.

    Returns:
        The operation, and a function from the arguments in an inbound node to those that the
        operation takes.

    Raises ValueError where the operation or one of its settings is not known.
    """
    name, module = entry["class_name"], entry["module"]
    kind = _kinds()[1].get((module, name))
    if kind is None:
        known = [known for where, known in _kinds()[1] if where == module]
        raise ValueError(
            f"the operation {entry.get('name', name)!r} is a {name!r} of {module!r}, which is not "
            f"known here{did_you_mean(name, known)}"
        )
    from cornu import ops

    settings = {key: value for key, value in entry["config"].items() if key != "name"}
    unknown = [key for key, value in settings.items() if key not in kind.settings and value]
    if unknown:
        raise ValueError(
            f"the operation {entry['name']!r} ({name}): unknown setting {unknown[0]!r}"
        )
    settings = {key: _tuples(value) for key, value in settings.items() if key in kind.settings}
    parameters = _signature(kind)
    function = inspect.unwrap(getattr(ops, kind.function))
    operation = FunctionOperation(function, entry["config"].get("name"))

    def arguments(args: list, kwargs: dict) -> tuple[list, dict]:
        several = parameters[kind.called_on[0]].kind is inspect.Parameter.VAR_POSITIONAL
        given = {**settings, **kwargs}
        if not several:
            given.update(zip(kind.called_on, args, strict=False))
        if "key" in given:  # an index: JSON has no tuples
            given["key"] = _tuples(given["key"])
        ordered: list = []
        gapless = True
        for parameter in parameters.values():
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                ordered += args
            elif (
                gapless
                and parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
                and parameter.name in given
            ):
                ordered.append(given.pop(parameter.name))
            else:
                gapless = False
        return ordered, given

    return operation, arguments


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
