"""Losses by name, and their configurations."""

from __future__ import annotations

from typing import Any

from cornu.core import lookup, serialization
from cornu.losses import (
    binary,
    categorical,
    divergences,
    embeddings,
    errors,
    margins,
    overlap,
    sequences,
    sparse,
)
from cornu.losses.loss import Loss, LossFunctionWrapper

_LOSSES: tuple[Any, ...] = (
    binary.BinaryCrossentropy,
    binary.BinaryFocalCrossentropy,
    binary.binary_crossentropy,
    binary.binary_focal_crossentropy,
    categorical.CategoricalCrossentropy,
    categorical.CategoricalFocalCrossentropy,
    categorical.categorical_crossentropy,
    categorical.categorical_focal_crossentropy,
    divergences.CosineSimilarity,
    divergences.KLDivergence,
    divergences.Poisson,
    divergences.cosine_similarity,
    divergences.kl_divergence,
    divergences.poisson,
    embeddings.Circle,
    embeddings.circle,
    errors.Huber,
    errors.LogCosh,
    errors.MeanAbsoluteError,
    errors.MeanAbsolutePercentageError,
    errors.MeanSquaredError,
    errors.MeanSquaredLogarithmicError,
    errors.huber,
    errors.log_cosh,
    errors.mean_absolute_error,
    errors.mean_absolute_percentage_error,
    errors.mean_squared_error,
    errors.mean_squared_logarithmic_error,
    margins.CategoricalHinge,
    margins.Hinge,
    margins.SquaredHinge,
    margins.categorical_hinge,
    margins.hinge,
    margins.squared_hinge,
    overlap.Dice,
    overlap.Tversky,
    overlap.dice,
    overlap.tversky,
    sequences.CTC,
    sequences.ctc,
    sparse.CategoricalGeneralizedCrossEntropy,
    sparse.SparseCategoricalCrossentropy,
    sparse.sparse_categorical_crossentropy,
)
_ALIASES = {
    "bce": binary.binary_crossentropy,
    "kld": divergences.kl_divergence,
    "mae": errors.mean_absolute_error,
    "mape": errors.mean_absolute_percentage_error,
    "mse": errors.mean_squared_error,
    "msle": errors.mean_squared_logarithmic_error,
}
KNOWN: dict[str, Any] = {
    **{loss.__name__: loss for loss in _LOSSES},
    **_ALIASES,
    **{alias.upper(): function for alias, function in _ALIASES.items()},
    # names of older versions of Keras
    "huber_loss": errors.huber,
    "kullback_leibler_divergence": divergences.kl_divergence,
    "logcosh": errors.log_cosh,
    # its function needs an argument, so that the name can only mean the class
    "categorical_generalized_cross_entropy": sparse.CategoricalGeneralizedCrossEntropy,
}


def get(identifier: Any) -> Any:
    """The loss meant by a name, a configuration, a class, an object or a function.

    Args:
        identifier: `"mse"`, `"mean_squared_error"` (functions), `"MeanSquaredError"` (an object),
            what `serialize` wrote, a loss or its class, a function `(y_true, y_pred) -> losses`, or
            `None`.

    Returns:
        A `Loss` or a function, or `None` for `None`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.
        TypeError: something that is none of the above.

    >>> get("mse").__name__, type(get("MeanSquaredError")).__name__
    ('mean_squared_error', 'MeanSquaredError')
    """
    if isinstance(identifier, dict) and not identifier.get("module"):
        # without a module, "Poisson" might be the metric of that name
        cls = KNOWN.get(identifier.get("class_name", ""), LossFunctionWrapper)
        if isinstance(cls, type) and issubclass(cls, Loss) and cls is not LossFunctionWrapper:
            identifier = {**identifier, "module": "keras.losses", "class_name": cls.__name__}
    return lookup.resolve(identifier, "loss", KNOWN, Loss)


def serialize(loss: Any) -> Any:
    """The configuration of a loss, as Keras 3 writes it.

    Args:
        loss: a loss, or a function that is registered or can be found by name.

    A lambda has no name to be found by: its configuration holds the function itself, good for a
    copy made in the program, and cannot be written to a file.

    >>> serialize(errors.MeanSquaredError())["class_name"]
    'MeanSquaredError'
    """
    return serialization.serialize(loss)


def deserialize(name: Any, custom_objects: dict | None = None) -> Any:
    """The loss that `serialize` wrote.

    Args:
        name: a configuration dict, or a name.
        custom_objects: names to functions and classes of the user's. Default `None`.

    Raises:
        ValueError: an unknown name; the message gives the nearest known one.

    >>> deserialize({"class_name": "Huber", "config": {"delta": 2.0}}).delta
    2.0
    """
    with serialization.custom_object_scope(custom_objects or {}):
        return get(name)
