"""What every loss is: a comparison of targets and outputs, reduced to the number minimized."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from cornu.core import dtypes, naming, serialization
from cornu.core.initialized import SetByInit
from cornu.core.serialization import Serializable
from cornu.losses.reduction import reduce_weighted_values, standardize_reduction
from cornu.losses.shapes import as_arrays, same_rank


class Loss(Serializable):
    """How far outputs are from targets; the base class of all losses.

    A subclass defines `call(y_true, y_pred)`, which returns one loss per sample or element, and
    `get_config()` where its constructor has arguments of its own. The object is then called with
    targets and outputs of a batch, and gives the number that is minimized.

    Args:
        name: of the loss. Default `None`, made from the class's name.
        reduction: how the losses of a batch become one number: `"sum_over_batch_size"` (the
            default) and `"mean"`, their mean; `"mean_with_sample_weight"`, their sum divided by
            that of the sample weights; `"sum"`; `"none"` or `None`, not at all.
        dtype: name, or policy, of the dtype computed in. Default `None`, the default float type.

    Raises:
        ValueError: an unknown reduction.

    Source: documentation of `keras.losses.Loss`.

    >>> class FourthPower(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return (y_pred - y_true) ** 4
    >>> float(FourthPower()([1.0, 2.0], [1.0, 4.0]))
    8.0
    """

    name: Any = SetByInit()
    reduction: Any = SetByInit()
    _dtype: Any = SetByInit()

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ):
        self.name = name or naming.auto_name(self)
        self.reduction = standardize_reduction(reduction)
        self._dtype = dtypes.get_policy(dtype or dtypes.floatx()).compute_dtype

    @property
    def dtype(self) -> str:
        """Name of the dtype that the loss is computed in."""
        return self._dtype

    def __call__(
        self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None
    ) -> jax.Array:
        """The reduced loss.

        Args:
            y_true: targets, `(batch, ...)`; or a nest of lists, tuples and dicts of them.
            y_pred: outputs, `(batch, ...)`, or a nest like that of the targets.
            sample_weight: `(batch,)`, or one weight per loss that `call` returns. Default `None`.
            mask: booleans, `(batch, ...)`; outputs where it is False do not count. Default `None`.

        Returns:
            A scalar of the loss's dtype; with reduction `"none"`, the losses as `call` returns
            them, times their weights.
        """
        with jax.named_scope(self.name):
            y_pred = as_arrays(y_pred, self.dtype)
            # half-width floats could not tell large class numbers apart
            half = self.dtype in ("float16", "bfloat16")
            y_true = as_arrays(y_true, "float32" if half else self.dtype)
            losses = self.call(y_true, y_pred)
            counted = self.counted(y_true, y_pred, losses)
            if mask is not None and counted is not None:
                mask = jnp.asarray(mask).astype(bool) & counted
            return reduce_weighted_values(
                losses,
                sample_weight=sample_weight,
                mask=counted if mask is None else mask,
                reduction=self.reduction,
                dtype=self.dtype,
            )

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One loss per sample or element; what a subclass defines."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, y_true, y_pred)")

    def counted(self, y_true: Any, y_pred: Any, losses: Any) -> Any:
        """Booleans of the shape of `losses`: which of them count; `None` where all do."""
        return None

    def get_config(self) -> dict:
        """The arguments that make an equal loss."""
        return {"name": self.name, "reduction": self.reduction}


_counted: dict[Callable, Callable] = {}


def counts_where(condition: Callable) -> Callable:
    """Decorator of a loss function: its losses count in a mean only where a condition holds.

    `condition(y_true, y_pred, losses, **arguments of the loss function)` returns booleans of the
    shape of `losses`, or None where all of them count.
    """

    def decorate(function: Callable) -> Callable:
        _counted[function] = condition
        return function

    return decorate


class LossFunctionWrapper(Loss):
    """A function of targets and outputs as a loss.

    Args:
        fn: `(y_true, y_pred, **kwargs)` to one loss per sample or element.
        reduction: as for `Loss`. Default `"sum_over_batch_size"`.
        name: as for `Loss`. Default `None`.
        dtype: as for `Loss`. Default `None`.
        kwargs: further arguments of the function.

    Targets and outputs that differ in a last axis of length 1 alone reach the function with the
    same number of axes.

    Raises:
        ValueError: an unknown reduction.

    >>> def power(y_true, y_pred, exponent):
    ...     return abs(y_true - y_pred) ** exponent
    >>> float(LossFunctionWrapper(power, exponent=3)([1.0, 2.0], [1.0, 4.0]))
    4.0
    """

    public_module = "src.losses.losses"  # where Keras writes that this class is

    defaults_left_out: dict[str, Any] = {}
    """Arguments that Keras' configuration lacks (and so loses): written where not the default."""

    def __init__(
        self,
        fn: Callable,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
        **kwargs,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true: Any, y_pred: Any) -> Any:
        y_true, y_pred = _paired(self.name, y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def counted(self, y_true: Any, y_pred: Any, losses: Any) -> Any:
        condition = _counted.get(self.fn)
        return None if condition is None else condition(y_true, y_pred, losses, **self._fn_kwargs)

    def get_config(self) -> dict:
        config = super().get_config()
        if type(self) is LossFunctionWrapper:
            config["fn"] = serialization.serialize(self.fn)
        for key, value in self._fn_kwargs.items():
            left_out = self.defaults_left_out
            if key not in left_out or value != left_out[key]:
                config[key] = serialization.serialize(value)
        return config

    @classmethod
    def from_config(cls, config: dict) -> LossFunctionWrapper:
        if "fn" in config:
            from cornu.losses.lookup import get

            config = {**config, "fn": get(config["fn"])}
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def _paired(name: str, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Each array of the targets and its output, with the same number of axes."""
    true, structure = jax.tree.flatten(y_true)
    pred, structure_pred = jax.tree.flatten(y_pred)
    if str(structure) != str(structure_pred):
        raise ValueError(
            f"{name}: targets and outputs must be nested in the same way, received targets "
            f"{structure} and outputs {structure_pred}"
        )
    pairs = [same_rank(a, b) for a, b in zip(true, pred, strict=True)]
    return (
        jax.tree.unflatten(structure, [pair[0] for pair in pairs]),
        jax.tree.unflatten(structure, [pair[1] for pair in pairs]),
    )
