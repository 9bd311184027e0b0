"""What `compile` was told to minimize and to measure, fitted to the outputs of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax

from cornu import losses, metrics
from cornu.core.context import current_context
from cornu.core.errors import naming
from cornu.core.serialization import did_you_mean
from cornu.losses import Loss
from cornu.metrics import Metric


class Spec(NamedTuple):
    """Shape and dtype of an array that is not there yet."""

    shape: tuple
    dtype: str


class OutputLoss(NamedTuple):
    """A loss on one output."""

    place: int
    function: Loss
    weight: float | None
    tracker: Metric | None


def spec_of(tensor) -> Spec:
    """Shape (batch open) and dtype of a tensor."""
    return Spec((None, *tuple(tensor.shape)[1:]), str(tensor.dtype))


def mask_of(tensor):
    """The mask that the running call gave a tensor, or None."""
    context = current_context()
    return None if context is None else context.mask_of(tensor)


def per_output(value: Any, names: Sequence[str], what: str, single_ok: bool = True) -> list:
    """One entry for each output from what a user wrote for all of them.

    Args:
        value: one thing for all, a list with one for each output, or a dict by output name.
        names: the names of the outputs.
        what: the argument's name, for the messages.
        single_ok: whether one thing may stand for all outputs.
    """
    count = len(names)
    if isinstance(value, dict):
        unknown = [name for name in value if name not in names]
        if unknown:
            raise ValueError(
                f"{what}: no output is named {unknown[0]!r}"
                f"{did_you_mean(unknown[0], names) or '.'} "
                f"The outputs are {', '.join(map(repr, names))}"
            )
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != count:
            raise ValueError(
                f"{what}: {len(value)} entries for {count} outputs ({', '.join(names)})"
            )
        return list(value)
    if value is not None and not single_ok and count > 1:
        raise ValueError(f"{what}: expected one entry for each of {count} outputs")
    return [value] * count


def flat_targets(y: Any, names: Sequence[str], count: int, what: str = "y") -> list:
    """The labels in the order of the outputs, from an array, a list, or a dict by output name."""
    if isinstance(y, dict) and set(y) <= set(names):
        return [y.get(name) for name in names]
    unknown = [name for name in y if name not in names] if isinstance(y, dict) else []
    if unknown:
        raise ValueError(
            f"{what}: no output is named {unknown[0]!r}{did_you_mean(unknown[0], names) or '.'} "
            f"The outputs are {', '.join(map(repr, names))}"
        )
    leaves = jax.tree_util.tree_leaves(y, is_leaf=lambda leaf: leaf is None)
    if len(leaves) != count:
        raise ValueError(
            f"{what}: the model has {count} output{'s' * (count > 1)} ({', '.join(names)}), "
            f"received {len(leaves)} array{'s' * (len(leaves) != 1)}"
        )
    return leaves


class Targets:
    """Losses and metrics resolved against the outputs of a model.

    Args:
        loss, loss_weights, metrics, weighted_metrics: as given to `compile`.
        names: names of the outputs.
        y: specs of the labels, in the order of the outputs (None where an output has none).
        outputs: specs of the outputs.
    """

    def __init__(
        self, loss, loss_weights, metrics_, weighted_metrics, names, y: list, outputs: list
    ):
        self.names = list(names)
        self.widths = [spec.shape[-1] if len(spec.shape) > 1 else None for spec in outputs]
        self.losses: list[OutputLoss] = []
        # whether the range of binary labels has been looked at, and complained of
        self.labels_seen = self.labels_told = False
        self._resolve_losses(loss, loss_weights, y, outputs)
        self.metrics = self._resolve_metrics(metrics_, "metrics", y, outputs)
        self.weighted = self._resolve_metrics(weighted_metrics, "weighted_metrics", y, outputs)

    def _resolve_losses(self, loss, loss_weights, y, outputs) -> None:
        count = len(outputs)
        if isinstance(loss, (list, tuple)) and count == 1 and len(loss) != 1:
            chosen = [(0, one) for one in loss]
            weights = list(loss_weights) if loss_weights is not None else [None] * len(chosen)
        else:
            chosen = list(enumerate(per_output(loss, self.names, "loss")))
            weights = per_output(loss_weights, self.names, "loss_weights", single_ok=count == 1)
        pairs = [
            (place, one, weight)
            for (place, one), weight in zip(chosen, weights, strict=True)
            if one is not None and y[place] is not None
        ]
        for place, one, weight in pairs:
            function = self._loss(one, y[place], outputs[place])
            tracker = None
            if len(pairs) > 1:
                tracker = metrics.Mean(name=f"{self.names[place]}_loss")
            weight = None if weight is None else float(weight)
            self.losses.append(OutputLoss(place, function, weight, tracker))

    def _loss(self, identifier, y: Spec, output: Spec) -> Loss:
        if identifier in ("crossentropy", "ce"):
            identifier = {
                "BinaryCrossentropy": "binary_crossentropy",
                "CategoricalCrossentropy": "categorical_crossentropy",
            }.get(
                type(metrics.for_output("crossentropy", y, output)).__name__,
                "sparse_categorical_crossentropy",
            )
        found = losses.get(identifier)
        if not isinstance(found, Loss):
            name = identifier if isinstance(identifier, str) else getattr(found, "__name__", "loss")
            found = losses.LossFunctionWrapper(found, name=name)
        return found

    def _resolve_metrics(self, given, what: str, y, outputs) -> list[tuple[int, list[Metric]]]:
        if not given:
            return []
        if not isinstance(given, (list, tuple, dict)):
            raise ValueError(
                f"{what}={given!r}: expected a list, such as [{given!r}], or a dict by output name"
            )
        count = len(outputs)
        if count == 1 and not isinstance(given, dict):
            each: list = [list(given)]
        elif isinstance(given, dict):
            each = per_output(given, self.names, what)
        else:
            each = per_output(given, self.names, what)
        found = []
        for place, wanted in enumerate(each):
            if wanted is None or y[place] is None:
                continue
            items = wanted if isinstance(wanted, (list, tuple)) else [wanted]
            flat = [sub for item in items for sub in (item if isinstance(item, list) else [item])]
            group = [metrics.for_output(one, y[place], outputs[place]) for one in flat]
            for metric in group:
                metric.build(y[place], outputs[place])
            found.append((place, group))
        return found

    @property
    def all_metrics(self) -> list[Metric]:
        """The metrics of `compile`, in Keras' order."""
        return [m for _, group in (*self.metrics, *self.weighted) for m in group]

    @property
    def trackers(self) -> list[Metric]:
        """Running means of the losses of single outputs, where there are several."""
        return [loss.tracker for loss in self.losses if loss.tracker is not None]

    def loss(self, y: list, outputs: list, sample_weight: list):
        """The weighted sum of the losses, or None where there is none."""
        total = None
        for loss in self.losses:
            place = loss.place
            with naming("the loss", loss.function.name or type(loss.function).__name__):
                value = loss.function(
                    y[place], outputs[place], sample_weight[place], mask=mask_of(outputs[place])
                )
            if loss.tracker is not None:
                loss.tracker.update_state(value, sample_weight=outputs[place].shape[0])
            if loss.weight is not None:
                value = value * loss.weight
            total = value if total is None else total + value
        return total

    def update_metrics(self, y: list, outputs: list, sample_weight: list) -> None:
        """Takes a batch into account in every metric."""
        for place, group in self.metrics:
            for metric in group:
                _update(metric, y[place], outputs[place], None)
        for place, group in self.weighted:
            for metric in group:
                _update(metric, y[place], outputs[place], sample_weight[place])

    def named_metrics(self) -> list[tuple[str, Metric]]:
        """The metrics with the names that logs carry them under."""
        found: dict[str, Metric] = {}
        several = len(self.names) > 1
        for prefix, groups in (("", self.metrics), ("weighted_", self.weighted)):
            for place, group in groups:
                for metric in group:
                    owner = f"{self.names[place]}_" if several else ""
                    name = owner + metric.name
                    if name in found and prefix:
                        name = owner + prefix + metric.name
                    base, number = name, 0
                    while name in found:
                        number += 1
                        name = f"{base}_{number}"
                    found[name] = metric
        return list(found.items())

    def metric_results(self) -> dict:
        """The metrics' values under the names that logs carry."""
        results: dict[str, Any] = {}
        for name, metric in self.named_metrics():
            value = metric.result()
            results.update(value if isinstance(value, dict) else {name: value})
        return results


def _update(metric: Metric, y, output, sample_weight) -> None:
    mask = mask_of(output)
    with naming("the metric", metric.name):
        if mask is not None and metric.accepts_mask:
            metric.update_state(y, output, sample_weight=sample_weight, mask=mask)
        else:
            metric.update_state(y, output, sample_weight=sample_weight)
