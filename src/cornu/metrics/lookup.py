"""From what a user writes for a metric to the metric meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from cornu import losses
from cornu.core import lookup, naming, serialization
from cornu.metrics import (
    accuracy,
    auc,
    confusion,
    correlation,
    f_score,
    iou,
    margin,
    operating_point,
    probabilistic,
    r2,
    reduction,
    regression,
    top_k,
)
from cornu.metrics.base import Metric
from cornu.metrics.reduction import MeanMetricWrapper

_MODULES = (
    accuracy,
    auc,
    confusion,
    correlation,
    f_score,
    margin,
    iou,
    operating_point,
    probabilistic,
    r2,
    reduction,
    regression,
    top_k,
)


def _known() -> dict[str, type[Metric]]:
    classes = {
        name: cls
        for module in _MODULES
        for name, cls in vars(module).items()
        if inspect.isclass(cls) and issubclass(cls, Metric) and not name.startswith("_")
    }
    known = {**classes, **{naming.to_snake_case(name): cls for name, cls in classes.items()}}
    for short, name in {
        "acc": "Accuracy",
        "bce": "BinaryCrossentropy",
        "kld": "KLDivergence",
        "logcosh": "LogCoshError",
        "mae": "MeanAbsoluteError",
        "mape": "MeanAbsolutePercentageError",
        "mse": "MeanSquaredError",
        "msle": "MeanSquaredLogarithmicError",
    }.items():
        known[short] = known[short.upper()] = classes[name]
    return known


def _functions() -> dict[str, Callable]:
    """The loss functions and the metric functions, which a configuration may name."""
    modules = (accuracy, correlation, top_k, losses)
    return {
        name: function
        for module in modules
        for name, function in vars(module).items()
        if inspect.isfunction(function)
        and not name.startswith("_")
        and function.__code__.co_varnames[:2] == ("y_true", "y_pred")
    }


_KNOWN = _known()
_FUNCTIONS = _functions()


def get(identifier: Any):
    """The metric meant by a name, a class, a configuration, an object or a function.

    Args:
        identifier: a name ("mse", "MeanSquaredError", "mean_squared_error"), a configuration dict,
            a class (made with its defaults), a metric or a function (both returned as they are), or
            None.

    Returns:
        A `Metric`, a function, or None for None.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.
        TypeError: a metric that cannot be made without arguments, or none of the above.

    >>> get("mse")
    <MeanSquaredError name=mean_squared_error>
    """
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if hasattr(identifier, "update_state") and not _is_metric(identifier):
        raise TypeError(
            f"{identifier!r} is a metric of another library; use the class of the same name in "
            "cornu.metrics"
        )
    try:
        return lookup.resolve(identifier, "metric", _KNOWN, Metric)
    except TypeError as error:
        if not isinstance(identifier, str) or "required positional" not in str(error):
            raise
        raise TypeError(
            f"metric {identifier!r} needs arguments: pass an object in place of its name ({error})"
        ) from error


def serialize(metric) -> dict:
    """The configuration of a metric or a function, as Keras 3 writes it.

    >>> from cornu.metrics import Mean
    >>> serialize(Mean())["config"]
    {'name': 'mean', 'dtype': 'float32'}
    """
    return serialization.serialize(metric)


def deserialize(config, custom_objects: dict | None = None):
    """The metric or function that a configuration describes.

    Args:
        config: what `serialize` returned, here or in Keras 3, or a name.
        custom_objects: names to the user's classes and functions.

    Raises:
        ValueError: a class or function that is not known.

    >>> deserialize({"class_name": "Mean", "config": {"name": "loss"}})
    <Mean name=loss>
    """
    with serialization.custom_object_scope(custom_objects or {}):
        if isinstance(config, str):
            return get(config)
        if config.get("class_name") in _KNOWN and not _is_public(config.get("module")):
            # no module, or one of Keras' inner ones: losses have classes of the same names
            config = {**config, "module": "keras.metrics"}
        found = serialization.deserialize(config)
        return function_named(found) if isinstance(found, str) else found


def function_named(name: str) -> Callable:
    """The user's, or Cornu's, function of labels and predictions of that name.

    >>> function_named("binary_accuracy").__name__
    'binary_accuracy'
    """
    found = serialization.custom_object(name) or _FUNCTIONS.get(name)
    if found is None:
        raise ValueError(
            f"unknown function {name!r}{serialization.did_you_mean(name, _FUNCTIONS)}; pass a "
            "function of your own through custom_objects={...} or register it with "
            "cornu.saving.register_keras_serializable()"
        )
    return found


def for_output(identifier: Any, y_true, y_pred) -> Metric:
    """The metric of one output, ready to be updated, under the name that it has in the logs.

    "accuracy" (or "acc") and "crossentropy" (or "ce") are chosen by shape: binary for one score for
    each sample, sparse for integer labels, else categorical. A function becomes a mean.

    Args:
        identifier: whatever `get` takes, None excepted.
        y_true: the labels' `shape` (a tuple, None for an unknown batch) and `dtype`.
        y_pred: those of the predictions.

    Raises:
        ValueError: None or an unknown name, or shapes that the metric cannot work with.

    >>> import jax
    >>> labels = jax.ShapeDtypeStruct((32,), "int32")
    >>> scores = jax.ShapeDtypeStruct((32, 10), "float32")
    >>> for_output("acc", labels, scores)
    <SparseCategoricalAccuracy name=acc>
    """
    if identifier is None:
        raise ValueError("metrics: expected a name, a metric or a function, received None")
    metric: Any
    word = identifier.lower() if isinstance(identifier, str) else ""
    if word in ("accuracy", "acc"):
        metric = _by_shape(
            y_true,
            y_pred,
            accuracy.BinaryAccuracy,
            accuracy.SparseCategoricalAccuracy,
            accuracy.CategoricalAccuracy,
        )()
    elif word in ("crossentropy", "ce"):
        metric = _by_shape(
            y_true,
            y_pred,
            probabilistic.BinaryCrossentropy,
            probabilistic.SparseCategoricalCrossentropy,
            probabilistic.CategoricalCrossentropy,
        )()
    else:
        metric = get(identifier)
    name = identifier if isinstance(identifier, str) else _object_name(metric)
    if not isinstance(metric, Metric):
        metric = MeanMetricWrapper(metric, name=name)
    metric.name = name
    metric.build(y_true, y_pred)
    return metric


def _is_metric(identifier) -> bool:
    cls = identifier if inspect.isclass(identifier) else type(identifier)
    return issubclass(cls, Metric)


def _is_public(module: str | None) -> bool:
    return bool(module) and not str(module).startswith("keras.src.")


def _by_shape(y_true, y_pred, binary: type, sparse: type, categorical: type) -> type:
    """The rule of Keras' `compile`."""
    true_shape, pred_shape = tuple(y_true.shape), tuple(y_pred.shape)
    classes = pred_shape[-1] if pred_shape else 1
    if classes == 1:
        return binary
    if len(true_shape) < len(pred_shape) or true_shape[-1] == 1:
        return sparse
    return categorical


def _object_name(metric) -> str:
    if hasattr(metric, "name"):
        return metric.name
    return naming.to_snake_case(getattr(metric, "__name__", type(metric).__name__))
